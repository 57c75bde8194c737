#!/bin/sh
# The reference target under mutated logins over the network: it stays up, keeps its memory, and most of its login code is
# run through by that traffic alone; a memory fault planted in it is found by the same command.
# usage: network-mutation.sh BUILD-DIR SOURCE-DIR [TIME]   (TIME: of the fuzzing, 10m unless it is given)
. "${0%/*}/lib.sh"
time=${3:-10m}
bound=80            # per cent of the lines of the login code
grown_kib=16384     # that much more than at the start is not steady
planted=planted-name-copy
login_code='reference_target/(login|login_guards|login_steps|negotiate|auth|sessions|conn|discovery)[.]c'

# nested DIR CMAKE-ARGUMENT...: a build of its own of the target alone
nested()
{
    dir=$1
    shift
    nice cmake -S "$source" -B "$dir" -G Ninja -DBUILD_TESTING=OFF "$@" >"$work/cmake.log" 2>&1 &&
        nice cmake --build "$dir" --target iscsispec-target -j 2 >>"$work/cmake.log" 2>&1 || {
        fail "the build in $dir failed"
        tail -n 20 "$work/cmake.log"
        finish
    }
}

# --- it stays up, and what was run through
nested "$work/coverage" -DCMAKE_BUILD_TYPE=Debug -DISCSISPEC_COVERAGE=ON
timeout 3000 "$iscsispec" fuzz --target-binary "$work/coverage/reference_target/iscsispec-target" --time "$time" \
    --seed 1 --out "$work/fuzz" >"$work/output" 2>&1
status=$?
cat "$work/output"
[ $status -le 1 ] || fail "exit $status"
report=$work/fuzz/report.json
# Answers that break a rule are shown; this test is about a target that cannot be brought down.
cat "$work/fuzz/findings/"*.txt 2>/dev/null
grave=$(jq -r '.findings[] | select(.kind != "rule") | .name' "$report")
[ -z "$grave" ] || fail "it is not sound: $grave"
[ "$(jq .restarts "$report")" = 0 ] || fail "the target was started anew $(jq .restarts "$report") times"
first=$(jq .memory_kib.first "$report") last=$(jq .memory_kib.last "$report")
echo "memory: $first KiB at first, $last KiB at last"
[ "$first" -gt 0 ] && [ $((last - first)) -le $grown_kib ] || fail "memory grew from $first to $last KiB"

(cd "$work/coverage" && gcovr --root "$source" --filter "$source/($login_code)" --exclude-unreachable-branches \
    --json-summary "$work/coverage.json" wire reference_target) >"$work/gcovr.log" 2>&1 || {
    fail "gcovr"
    tail "$work/gcovr.log"
}
jq -r '.files[] | "\(.line_percent)% \(.filename)"' "$work/coverage.json"
percent=$(jq .line_percent "$work/coverage.json")
echo "login code run through: $percent% of $(jq .line_total "$work/coverage.json") lines (bound $bound%)"
awk -v percent="$percent" -v bound=$bound 'BEGIN { exit !(percent >= bound) }' || fail "login code: only $percent% of the lines"

# --- a planted memory fault
nested "$work/planted" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DISCSISPEC_SANITIZE=ON -DPLANTED_FAULTS=ON
begin=$(now_ms)
"$iscsispec" fuzz --target-binary "$work/planted/reference_target/iscsispec-target" --extra "--defect $planted" \
    --time 4m --seed 1 --out "$work/found" >"$work/output" 2>&1 &
pid=$!
started="$started $pid"
while kill -0 $pid 2>/dev/null && [ ! -s "$work/found/findings/crash-001.txt" ]; do
    sleep 0.2
done
took=$(($(now_ms) - begin))
kill -INT $pid 2>/dev/null
wait $pid
if [ -s "$work/found/findings/crash-001.txt" ]; then
    echo "$planted found in $((took / 1000)) s:"
    cat "$work/found/findings/crash-001.txt"
    expect_exit 1 60000 "$iscsispec" run --target-binary "$work/planted/reference_target/iscsispec-target" \
        --extra "--defect $planted" --cases "$work/found/findings/crash-001.yaml" --out "$work/again" --quiet
    expect_output '1 CRASH'
else
    fail "$planted was not found in $((took / 1000)) s"
    tail -n 20 "$work/output"
fi
finish
