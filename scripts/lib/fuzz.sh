# Sourced by fuzz-overnight: building, running and reporting of the in-process fuzzers.
# shellcheck shell=bash
# Folders below DIR: libfuzzer/ afl/ afl-asan/ afl-cmplog/ coverage/ release/ are builds; work/ENTRY/corpus is the shared
# corpus of an entry, work/sync AFL++'s own; work/findings what was found, raw; report/ what is made of it.

fuzz_entries="login_session transcript_audit text_keys chap_values pcap_read case_yaml profile_yaml"
afl_quiet="AFL_QUIET=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1
AFL_AUTORESUME=1 AFL_DISABLE_TRIM=1 AFL_IGNORE_SEED_PROBLEMS=1"

# fuzz_has ENTRY: is there a source for it?
fuzz_has() { [ -f "$root/fuzz/$1.c" ]; }

# fuzz_wants ENTRY: is it one of those that are fuzzed?
fuzz_wants() { case " $fuzz_entries " in *" $1 "*) true ;; *) false ;; esac; }

# fuzz_cmake BUILD TARGETS ARG...: configures and builds without a word; the end of the log when it fails.
fuzz_cmake()
{
    local build=$1 targets=$2
    shift 2
    # shellcheck disable=SC2086
    if ! (cd "$root" && cmake -B "$build" -DBUILD_TESTING=OFF "$@" && cmake --build "$build" --target $targets) \
        >"$build.log" 2>&1; then
        tail -n 20 "$build.log" >&2
        echo "building $build failed; all of it: $build.log" >&2
        return 1
    fi
}

fuzz_build()
{
    local dir=$1 entry targets=
    export AFL_QUIET=1
    for entry in $fuzz_entries; do
        ! fuzz_has "$entry" || targets="$targets fuzz_$entry"
    done
    fuzz_cmake "$dir/libfuzzer" "$targets" --preset fuzz &&
        fuzz_cmake "$dir/release" iscsispec-mutator --preset release || return 1
    [ "$jobs" -le 1 ] || fuzz_cmake "$dir/afl" fuzz_login_session --preset release -DISCSISPEC_AFL=ON \
        -DCMAKE_C_COMPILER=afl-clang-fast -DCMAKE_C_COMPILER_LAUNCHER= || return 1
    [ "$jobs" -le 2 ] || fuzz_cmake "$dir/afl-asan" fuzz_login_session --preset release -DISCSISPEC_AFL=ON \
        -DISCSISPEC_SANITIZE=ON -DCMAKE_C_COMPILER=afl-clang-fast -DCMAKE_C_COMPILER_LAUNCHER= || return 1
    [ "$jobs" -le 3 ] || AFL_LLVM_CMPLOG=1 fuzz_cmake "$dir/afl-cmplog" fuzz_login_session --preset release \
        -DISCSISPEC_AFL=ON -DCMAKE_C_COMPILER=afl-clang-fast -DCMAKE_C_COMPILER_LAUNCHER= || return 1
    fuzz_cmake "$dir/coverage" replay_login_session --preset clang \
        "-DCMAKE_C_FLAGS=-fprofile-instr-generate -fcoverage-mapping" || return 1
}

# fuzz_afl DIR NUMBER SECONDS: one AFL++ on the login session; 1 is the main one.
fuzz_afl()
{
    local dir=$1 number=$2 seconds=$3 role=-S binary=$1/afl/fuzz/fuzz_login_session more=()
    case "$number" in
    1) role=-M ;;
    2) binary=$dir/afl-asan/fuzz/fuzz_login_session ;;
    3) more=(-c "$dir/afl-cmplog/fuzz/fuzz_login_session") ;;
    esac
    mkdir -p "$dir/work/sync"
    # shellcheck disable=SC2086
    exec env $afl_quiet AFL_CUSTOM_MUTATOR_LIBRARY="$dir/release/fuzz/libiscsispec-mutator.so" \
        ISCSISPEC_MUTATOR_FORMAT=session ASAN_OPTIONS=abort_on_error=1:symbolize=0:detect_leaks=0 \
        afl-fuzz $role "afl$number" -F "$dir/work/login_session/corpus" -V "$seconds" -t 2000 \
        -x "$root/corpora/iscsi-login.dict" "${more[@]}" -i "$root/corpora/login_session" -o "$dir/work/sync" -- "$binary" \
        >"$dir/work/afl$number.log" 2>&1
}

# fuzz_turn DIR ENTRY SECONDS: libFuzzer on an entry; goes on behind a finding.
fuzz_turn()
{
    local dir=$1 entry=$2 seconds=$3 seeds=() extra=()
    local work=$dir/work/$entry
    mkdir -p "$work/corpus" "$dir/work/findings/$entry"
    for folder in "$root/corpora/$entry" "$root/corpora/regressions/$entry" "$dir"/work/sync/*/queue; do
        case "$folder" in */queue) [ "$entry" = login_session ] || continue ;; esac
        [ ! -d "$folder" ] || seeds+=("$folder")
    done
    case "$entry" in
    login_session | transcript_audit | text_keys | chap_values) extra+=("-dict=$root/corpora/iscsi-login.dict") ;;
    esac
    # shellcheck disable=SC2086,SC2154
    timeout --foreground -s INT $((seconds + 30)) "$dir/libfuzzer/fuzz/fuzz_$entry" $libfuzzer_quick -fork=1 \
        -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1 -max_total_time="$seconds" -max_len=20000 -timeout=10 \
        -rss_limit_mb=2048 "${extra[@]}" -artifact_prefix="$dir/work/findings/$entry/" "$work/corpus" \
        "${seeds[@]}" >>"$work/log" 2>&1
}

# fuzz_turns DIR END JOBS: libFuzzer until END: half of the time on the login session, the rest on the others in turn.
fuzz_turns()
{
    local dir=$1 end=$2 left slice entry count=0
    trap 'exit 0' INT TERM
    for entry in $fuzz_entries; do
        ! fuzz_has "$entry" || count=$((count + 1))
    done
    while left=$((end - $(date +%s))) && [ "$left" -gt 0 ]; do
        slice=$((left > 7200 ? 600 : left / (2 * count)))
        [ "$slice" -ge 2 ] || slice=2
        for entry in $fuzz_entries; do
            fuzz_has "$entry" && [ "$(date +%s)" -lt "$end" ] || continue
            if [ "$entry" = login_session ]; then
                fuzz_turn "$dir" "$entry" $((slice * count)) &
            else
                fuzz_turn "$dir" "$entry" "$slice" &
            fi
            wait $!
        done
    done
}

# Executions of libFuzzer on an entry: each run tells its own count at its end.
fuzz_executions()
{
    [ ! -f "$1" ] || awk '/^#[0-9]+: cov:/ { n = substr($1, 2) + 0; if (n < last) total += last; last = n } END { print total + last }' "$1"
}

fuzz_stat() { sed -n "s/^$2 *: //p" "$1" 2>/dev/null; }

fuzz_progress()
{
    local dir=$1 begun=$2 end=$3 execs=0 found stats
    for stats in "$dir"/work/sync/*/fuzzer_stats; do
        [ ! -f "$stats" ] || execs=$((execs + $(fuzz_stat "$stats" execs_done || echo 0)))
    done
    for entry in $fuzz_entries; do
        execs=$((execs + $(fuzz_executions "$dir/work/$entry/log" || echo 0)))
    done
    found=$(find "$dir/work/findings" "$dir"/work/sync/*/crashes -type f ! -name README.txt 2>/dev/null | wc -l)
    printf '%d of %d s, %d executions, %d inputs, %d raw findings' $(($(date +%s) - begun)) $((end - begun)) "$execs" \
        "$(find "$dir"/work/*/corpus -type f 2>/dev/null | wc -l)" "$found"
}

# ---- the report ----

# fuzz_signature LOG: what an input did, for its bucket.
fuzz_signature()
{
    local what
    what=$(grep -aoE -m 1 'finding: (L-[A-Z0-9]+-[0-9]+|[a-z ]+)|ERROR: AddressSanitizer: [a-z-]+|ERROR: LeakSanitizer|runtime error: [a-z ]+|ERROR: libFuzzer: [a-z-]+' "$1" |
        sed 's/ERROR: //; s/: /-/g; s/ /-/g')
    # the first frame that is ours
    printf '%s%s' "${what:-crash}" "$(grep -aoE -m 1 ' in [a-z_]+ [^ ]*(wire|reference_target|harness)/[a-z_/]+\.c' "$1" | awk '{ print "-" $2 }')"
}

# fuzz_findings DIR: replays what was found, puts it into buckets, minimises one of each.
fuzz_findings()
{
    local dir=$1 entry file bucket
    rm -rf "$dir/report/findings"
    for entry in $fuzz_entries; do
        local files=("$dir/work/findings/$entry"/*)
        [ "$entry" != login_session ] || files+=("$dir"/work/sync/*/crashes/id* "$dir"/work/sync/*/hangs/id*)
        for file in "${files[@]}"; do
            [ -f "$file" ] || continue
            # what does not fail again alone is told as such, and not hidden; with malloc a sanitizer tells more
            if ISCSISPEC_FUZZ_MALLOC=1 timeout 60 "$dir/libfuzzer/fuzz/fuzz_$entry" -timeout=10 "$file" >"$dir/work/replay.log" 2>&1 &&
                timeout 60 "$dir/libfuzzer/fuzz/fuzz_$entry" -timeout=10 "$file" >"$dir/work/replay.log" 2>&1; then
                echo "$file" >>"$dir/report/not-repeated.txt"
                continue
            fi
            bucket=$dir/report/findings/$entry/$(fuzz_signature "$dir/work/replay.log" | tr -c 'A-Za-z0-9._\n-' '-')
            mkdir -p "$bucket"
            cp "$file" "$bucket/$(basename "$file" | tr ':,' '--')"
            [ -f "$bucket/log" ] || cp "$dir/work/replay.log" "$bucket/log"
        done
    done
    for bucket in "$dir"/report/findings/*/*; do
        [ -d "$bucket" ] || continue
        entry=$(basename "$(dirname "$bucket")")
        file=$(find "$bucket" -type f ! -name log -printf '%s %p\n' | sort -n | head -n 1 | cut -d' ' -f2-)
        cp "$file" "$bucket/reproducer"
        timeout 40 "$dir/libfuzzer/fuzz/fuzz_$entry" -minimize_crash=1 -max_total_time=20 \
            -exact_artifact_path="$bucket/minimised" "$bucket/reproducer" >"$bucket/minimise.log" 2>&1 || :
        [ ! -s "$bucket/minimised" ] || mv "$bucket/minimised" "$bucket/reproducer"
    done
}

# fuzz_coverage DIR: line coverage of the login code by the session entry, as HTML and a line.
fuzz_coverage()
{
    local dir=$1 binary=$1/coverage/fuzz/replay_login_session folders=()
    for folder in "$root/corpora/login_session" "$root/corpora/regressions/login_session" "$dir/work/login_session/corpus" \
        "$dir"/work/sync/*/queue; do
        [ -z "$(find "$folder" -type f 2>/dev/null | head -n 1)" ] || folders+=("$folder")
    done
    rm -rf "$dir/report/coverage"
    LLVM_PROFILE_FILE=$dir/work/coverage.%p.profraw "$binary" "${folders[@]}" >"$dir/work/coverage.log" 2>&1
    llvm-profdata merge -o "$dir/work/coverage.profdata" "$dir"/work/coverage.*.profraw 2>>"$dir/work/coverage.log" &&
        rm -f "$dir"/work/coverage.*.profraw &&
        llvm-cov show "$binary" -instr-profile="$dir/work/coverage.profdata" -format=html \
            -output-dir="$dir/report/coverage" -ignore-filename-regex='(^|/)(fuzz|harness)/' \
            >>"$dir/work/coverage.log" 2>&1
    # The login code: not the full feature phase, nor what is around the engine.
    llvm-cov report "$binary" -instr-profile="$dir/work/coverage.profdata" -show-region-summary=0 \
        -ignore-filename-regex='(^|/)(fuzz|harness|wire)/|reference_target/(full|scsi|discovery|config|defects|node|buffer|conn|planted)' \
        2>>"$dir/work/coverage.log"
}

# fuzz_report DIR HOURS JOBS INTERRUPTED
fuzz_report()
{
    local dir=$1 report=$1/report/report.md stats entry bucket
    rm -f "$dir/report/not-repeated.txt"
    fuzz_findings "$dir"
    fuzz_coverage "$dir" >"$dir/report/coverage.txt"
    {
        printf '# Fuzzing report\n\n'
        printf '%s: %s\n' '- Begun' "$(cat "$dir/work/started")" '- Ended' "$(cat "$dir/work/ended")" \
            '- Version' "$(git -C "$root" describe --always --dirty 2>/dev/null || echo unknown)"
        printf '%s\n' "- Asked for: $2 hours on $3 cores$([ "$4" = no ] || echo ', interrupted')"
        printf '%s\n\n' "- Findings: $(find "$dir/report/findings" -name reproducer 2>/dev/null | wc -l) buckets, $(wc -l 2>/dev/null <"$dir/report/not-repeated.txt" || echo 0) inputs that did not fail again"
        printf '## Executions\n\n| fuzzer | entry | executions | a second | stability | edges | corpus |\n|---|---|---|---|---|---|---|\n'
        for stats in "$dir"/work/sync/*/fuzzer_stats; do
            [ -f "$stats" ] || continue
            printf '| AFL++ %s | login_session | %s | %s | %s | %s | %s |\n' "$(basename "$(dirname "$stats")")" \
                "$(fuzz_stat "$stats" execs_done)" "$(fuzz_stat "$stats" execs_per_sec)" "$(fuzz_stat "$stats" stability)" \
                "$(fuzz_stat "$stats" edges_found)" "$(fuzz_stat "$stats" corpus_count)"
        done
        for entry in $fuzz_entries; do
            [ -f "$dir/work/$entry/log" ] || continue
            printf '| libFuzzer | %s | %s | %s | - | %s | %s |\n' "$entry" "$(fuzz_executions "$dir/work/$entry/log")" \
                "$(sed -nE 's/.* exec\/s ([0-9]+) .*/\1/p' "$dir/work/$entry/log" | tail -n 1)" \
                "$(sed -nE 's/^#.* cov: ([0-9]+) .*/\1/p' "$dir/work/$entry/log" | tail -n 1)" \
                "$(find "$dir/work/$entry/corpus" -type f | wc -l)"
        done
        printf '\n## Coverage of the login code by the session entry\n\n```\n%s\n```\n\nPer line: [coverage/index.html](coverage/index.html)\n' \
            "$(cat "$dir/report/coverage.txt")"
        printf '\n## Findings\n\n'
        for bucket in "$dir"/report/findings/*/*; do
            [ -d "$bucket" ] || continue
            entry=$(basename "$(dirname "$bucket")")
            printf '### %s: %s\n\n%s inputs; minimised: `%s` (%s bytes)\n\n```\n%s\n```\n\nAgain: `%s`\n\n' "$entry" \
                "$(basename "$bucket")" "$(find "$bucket" -type f ! -name log ! -name reproducer ! -name minimise.log | wc -l)" \
                "findings/$entry/$(basename "$bucket")/reproducer" "$(stat -c %s "$bucket/reproducer")" \
                "$(grep -aE -m 3 'finding:|ERROR:|runtime error|SUMMARY' "$bucket/log")" \
                "libfuzzer/fuzz/fuzz_$entry report/findings/$entry/$(basename "$bucket")/reproducer"
        done
        [ -n "$(ls "$dir/report/findings" 2>/dev/null)" ] || echo 'None.'
    } >"$report"
}
