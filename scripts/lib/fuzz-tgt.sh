# Sourced by fuzz-tgt: Debian's tgtd as a program under AFL++.
# shellcheck shell=bash
# Folders below DIR: source/ and its builds plain/ asan/; preload/ our libraries; work/ and work-asan/ are AFL++'s.

tgt_prefix=iqn.2026-01.example.iscsispec

# tgt_seconds TIME: 90s, 10m, 8h as seconds.
tgt_seconds()
{
    case "$1" in
    *[!0-9smh]* | [smh]* | '' | *[smh]?*) return 1 ;;
    *h) echo $((${1%h} * 3600)) ;;
    *m) echo $((${1%m} * 60)) ;;
    *) echo "${1%s}" ;;
    esac
}

# tgt_source DIR: the source of the version that is installed, with package lists of our own; the system's stay as they are.
tgt_source()
{
    local dir=$1 version lists=$1/lists log=$1/source.log
    version=$(dpkg-query -W -f '${Version}' tgt)
    [ -f "$dir/source/usr/tgtd.c" ] && [ "$(cat "$dir/source.version" 2>/dev/null)" = "$version" ] && return 0
    rm -rf "$dir/source" "$dir/plain" "$dir/asan" "$lists"
    mkdir -p "$lists/partial" "$dir/cache/archives/partial"
    . /etc/os-release
    printf 'deb-src http://deb.debian.org/debian %s main\ndeb-src http://deb.debian.org/debian-security %s-security main\n' \
        "$VERSION_CODENAME" "$VERSION_CODENAME" >"$dir/sources.list"
    (cd "$dir" && apt=(-q -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o Dir::State::lists="$lists" -o Dir::Cache="$dir/cache" -o APT::Sandbox::User=root) &&
        timeout 300 apt-get "${apt[@]}" update && timeout 300 apt-get "${apt[@]}" source --download-only "tgt=$version" &&
        dpkg-source -x tgt_*.dsc source) >"$log" 2>&1 || {
        tail -n 5 "$log" >&2
        echo "the source of tgt $version could not be fetched; unpack it into $dir/source by hand," >&2
        echo "write its version into $dir/source.version, and run this again" >&2
        return 1
    }
    echo "$version" >"$dir/source.version"
}

# tgt_make DIR NAME: one build; the environment says which.
tgt_make()
{
    local dir=$1/$2
    [ -x "$dir/usr/tgtd" ] && [ -x "$dir/usr/tgtadm" ] && return 0
    rm -rf "$dir" && cp -r "$1/source" "$dir" || return 1
    # -w: it builds with -Werror, and clang warns of more than gcc
    (cd "$dir/usr" && AFL_QUIET=1 make -j "$(nproc)" CC="afl-clang-fast -w" tgtd tgtadm) >"$1/$2.log" 2>&1 ||
        { tail -n 10 "$1/$2.log" >&2; echo "building tgt failed; all of it: $1/$2.log" >&2; return 1; }
}

tgt_build()
{
    local dir=$1
    (cd "$root" && cmake --preset release -B "$dir/preload" -DBUILD_TESTING=OFF &&
        cmake --build "$dir/preload" --target iscsispec-preload iscsispec-mutator iscsispec iscsispec-target) \
        >"$dir/preload.log" 2>&1 || { tail -n 20 "$dir/preload.log" >&2; return 1; }
    tgt_make "$dir" plain && AFL_USE_ASAN=1 tgt_make "$dir" asan && tgt_setup "$dir" >"$dir/setup"
}

# The targets of cases/profiles/tgt.yaml that a login can be about.
tgt_setup()
{
    cat <<END
set -e
adm() { "$1/plain/usr/tgtadm" -C 1 --lld iscsi "\$@"; }
tid=0
new() {
    tid=\$((tid + 1))
    adm --mode target --op new --tid \$tid --targetname "$tgt_prefix:\$1"
    adm --mode logicalunit --op new --tid \$tid --lun 1 --bstype null --backing-store /dev/null
    adm --mode target --op bind --tid \$tid --initiator-address \${2:-ALL}
}
adm --mode account --op new --user initiator --password initiator-secret
adm --mode account --op new --user target --password target-secret-14
new open
new chap
adm --mode account --op bind --tid \$tid --user initiator
new mutual
adm --mode account --op bind --tid \$tid --user initiator
adm --mode account --op bind --tid \$tid --user target --outgoing
new denied 192.0.2.1
END
}

# What the preload wants to know, for everything that runs behind it. Two tgtd need two control sockets.
tgt_environment()
{
    export TGT_IPC_SOCKET=$1/socket.$2 ISCSISPEC_PRELOAD_SETUP="sh $1/setup"
    export ISCSISPEC_PRELOAD_TARGET=$tgt_prefix:open ISCSISPEC_PRELOAD_CHAP_TARGET=$tgt_prefix:chap
    export ISCSISPEC_PRELOAD_USER=initiator ISCSISPEC_PRELOAD_SECRET=initiator-secret
    export ASAN_OPTIONS=abort_on_error=1:symbolize=0:detect_leaks=0
}

# tgt_fuzz DIR BUILD OUT SECONDS SEEDS [WRAPPER...]
tgt_fuzz()
{
    local dir=$1 build=$2 out=$3 seconds=$4 seeds=$5
    shift 5
    (
        tgt_environment "$dir" "$build"
        export AFL_QUIET=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1
        export AFL_AUTORESUME=1 AFL_DISABLE_TRIM=1 AFL_IGNORE_SEED_PROBLEMS=1 AFL_SKIP_CRASHES=1
        export AFL_PRELOAD=$dir/preload/fuzz/libiscsispec-preload.so AFL_DEFER_FORKSRV=1 AFL_PERSISTENT=1
        export AFL_FORKSRV_INIT_TMOUT=30000 AFL_MAP_SIZE=65536
        export AFL_CUSTOM_MUTATOR_LIBRARY=$dir/preload/fuzz/libiscsispec-mutator.so ISCSISPEC_MUTATOR_FORMAT=session
        exec "$@" timeout -s INT $((seconds + 120)) afl-fuzz -V "$seconds" -t 2000 -m none -i "$seeds" -o "$out" -- \
            "$dir/$build/usr/tgtd" -f -C 1 --iscsi portal=127.0.0.1:0
    ) >"$out.log" 2>&1 || { tail -n 20 "$out.log" >&2; return 1; }
}

tgt_stat() { sed -n "s/^$2 *: //p" "$1/default/fuzzer_stats"; }

# tgt_replay DIR BUILD FILE LOG: plays one input in a build; status 0 when tgtd lives through it.
tgt_replay()
{
    { (
        tgt_environment "$1" replay
        export ASAN_OPTIONS=abort_on_error=1:symbolize=1:detect_leaks=0:handle_abort=1
        LD_PRELOAD=$1/preload/fuzz/libiscsispec-preload.so ISCSISPEC_PRELOAD_INPUT=$3 \
            timeout -s KILL 30 "$1/$2/usr/tgtd" -f -C 1 --iscsi portal=127.0.0.1:0
    ) >"$4" 2>&1; } 2>/dev/null # without what the shell says of a process that was killed
}

# tgt_signature LOG: the kind of error and the first function of tgtd.
tgt_signature()
{
    local what where
    what=$(grep -aoE -m 1 'ERROR: AddressSanitizer: [A-Za-z-]+' "$1" | sed 's/.*: //')
    where=$(grep -aE '^ *#[0-9]+ .* in [A-Za-z_0-9]+ .*/asan/usr/[a-z_/]*[.]c:' "$1" | sed -nE '1s/.* in ([A-Za-z_0-9]+) .*/\1/p')
    echo "${what:-ended}${where:+-$where}"
}

# tgt_findings DIR: what crashed or hung, by bucket; each bucket's smallest input goes to the installed tgtd over TCP.
tgt_findings()
{
    local dir=$1 file bucket status
    rm -rf "$dir/findings"
    : >"$dir/not-repeated"
    for file in "$dir"/work{,-asan}/default/{crashes,hangs}/id*; do
        [ -f "$file" ] || continue
        status=0
        tgt_replay "$dir" asan "$file" "$dir/replay.log" || status=$?
        if [ $status -eq 0 ]; then
            echo "$file" >>"$dir/not-repeated"
            continue
        fi
        [ $status -eq 137 ] && bucket=hang || bucket=$(tgt_signature "$dir/replay.log")
        mkdir -p "$dir/findings/$bucket"
        cp "$file" "$dir/findings/$bucket/input.$(find "$dir/findings/$bucket" -type f | wc -l)"
        [ -f "$dir/findings/$bucket/log" ] || cp "$dir/replay.log" "$dir/findings/$bucket/log"
    done
    for bucket in "$dir"/findings/*; do
        [ -d "$bucket" ] || continue
        file=$(find "$bucket" -name 'input.*' -printf '%s %p\n' | sort -n | head -n 1 | cut -d' ' -f2-)
        cp "$file" "$bucket/reproducer"
        # The binary of the package as it is; then with the checks of the heap that libc itself has, where a block that was
        # written beyond its end need not be noticed at once.
        status=0
        tgt_over_tcp "$dir" "$bucket" || status=$?
        if [ $status -eq 0 ]; then
            LD_PRELOAD=libc_malloc_debug.so.0 MALLOC_CHECK_=3 tgt_over_tcp "$dir" "$bucket" || status=$?
            [ $status -ne 1 ] || : >"$bucket/tcp.checked"
        fi
        echo "$status" >"$bucket/tcp"
    done
}

# tgt_over_tcp DIR BUCKET: plays its reproducer to the installed tgtd; status 1 when it shows.
tgt_over_tcp()
{
    timeout -s KILL 120 "$1/preload/harness/iscsispec" fuzz --profile tgt --replay "$2/reproducer" --out "$1/tcp" >"$2/tcp.log" 2>&1
}

tgt_report()
{
    local dir=$1 out bucket tcp
    printf '# tgtd fuzzed from within\n\n- Begun: %s\n- Ended: %s\n- Package: tgt %s\n- Not seen again: %s inputs\n\n' \
        "$2" "$3" "$(cat "$dir/source.version")" "$(wc -l <"$dir/not-repeated")"
    printf '| build | executions | a second | stability | edges | corpus |\n|---|---|---|---|---|---|\n'
    for out in work work-asan; do
        printf '| %s | %s | %s | %s | %s | %s |\n' "$([ $out = work ] && echo 'as it is' || echo AddressSanitizer)" \
            "$(tgt_stat "$dir/$out" execs_done)" "$(tgt_stat "$dir/$out" execs_per_sec)" \
            "$(tgt_stat "$dir/$out" stability)" "$(tgt_stat "$dir/$out" edges_found)" "$(tgt_stat "$dir/$out" corpus_count)"
    done
    printf '\n## Findings\n\n'
    for bucket in "$dir"/findings/*; do
        [ -d "$bucket" ] || continue
        tcp='lives through it (the fault needs the sanitizer to show)'
        [ "$(cat "$bucket/tcp")" != 1 ] || tcp=$(sed -n 's/^shows .*reproducer: //p' "$bucket/tcp.log" | head -n 1)
        [ ! -e "$bucket/tcp.checked" ] || tcp="$tcp, with the heap checks of libc (LD_PRELOAD=libc_malloc_debug.so.0 MALLOC_CHECK_=3)"
        printf '### %s\n\n%s inputs, the smallest %s bytes. The installed tgtd, over TCP: %s\n\n```\n%s\n```\n\nAgain: `%s`\n\n' \
            "$(basename "$bucket")" "$(find "$bucket" -name 'input.*' | wc -l)" "$(stat -c %s "$bucket/reproducer")" "$tcp" \
            "$(grep -aE 'ERROR:|^ *#[0-9]+ .*/asan/usr/[a-z_/]*[.]c:' "$bucket/log" | head -n 8 | sed -E 's|(/[^ ]*)?/usr/|usr/|; s/0x[0-9a-f]+ //; s/ \(BuildId.*//')" \
            "iscsispec fuzz --profile tgt --replay findings/$(basename "$bucket")/reproducer"
    done
    [ -n "$(ls "$dir/findings" 2>/dev/null)" ] || echo 'None.'
}
