#!/bin/sh
# The network fuzzer itself under fire: a target that answers plain logins, and everybody else with garbage, data without
# end, nothing, a reset, or a length that lies. No crash, no report of a sanitizer, no leak, no memory without bound.
# usage: fuzz-fire.sh BUILD-DIR SOURCE-DIR [SESSIONS]   (600; more are driven by a sanitizer build made for it)
. "${0%/*}/lib.sh"
sessions=${3:-600}
bound_kib=524288 # a sanitizer build, with its shadow and quarantine, needs half of it
if [ "$sessions" -gt 10000 ]; then
    nested=$build/nested-fire
    { cmake -S "$source" -B "$nested" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DISCSISPEC_SANITIZE=ON -DBUILD_TESTING=OFF &&
        cmake --build "$nested" --target iscsispec; } >"$work/build.log" 2>&1 || {
        tail -n 20 "$work/build.log"
        fail "the sanitizer build"
        finish
    }
    iscsispec=$nested/harness/iscsispec
fi
"$build/tests/fire_target" >"$work/fire" 2>&1 &
fire=$!
started="$started $fire"
until [ -s "$work/fire" ]; do sleep 0.05; done
# an execution opens nearly two connections
execs=$sessions
[ "$sessions" -le 10000 ] || execs=$((sessions * 3 / 5))
ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=16 "$iscsispec" fuzz --quiet --seed 1 --connections 128 --execs "$execs" \
    --target "iscsi://127.0.0.1:$(head -n 1 "$work/fire")/iqn.2026-01.example.iscsispec:open" --out "$work/fuzz" \
    >"$work/output" 2>&1 &
pid=$!
started="$started $pid"
peak=0
while kill -0 $pid 2>/dev/null; do
    now=$(sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$pid/status" 2>/dev/null)
    [ "${now:-0}" -le $peak ] || peak=$now
    sleep 0.2
done
wait $pid
status=$?
kill "$fire"
wait "$fire"
tail -n 1 "$work/fire"
tail -n 2 "$work/output"
# 1: rules are broken by this target, and findings of it are right
[ $status -le 1 ] || { fail "exit $status"; tail -n 40 "$work/output"; finish; }
grep -E 'Sanitizer|runtime error' "$work/output" && fail "a report of a sanitizer"
done_now=$(jq .sessions "$work/fuzz/report.json")
[ "$done_now" -ge "$sessions" ] || fail "$done_now sessions instead of $sessions"
grave=$(jq -r '.findings[] | select(.kind != "rule") | .name' "$work/fuzz/report.json")
[ -z "$grave" ] || fail "a target that answers plain logins is said to be broken: $grave"
for manner in right garbage endless silent reset lies; do
    count=$(tail -n 1 "$work/fire" | sed -n "s/.*$manner \([0-9]*\).*/\1/p")
    [ "${count:-0}" -ge $((sessions / 20)) ] || fail "only $count connections were treated as $manner"
done
echo "$done_now sessions, at most $peak KiB"
[ $peak -gt 0 ] && [ $peak -le $bound_kib ] || fail "memory: $peak KiB"
finish
