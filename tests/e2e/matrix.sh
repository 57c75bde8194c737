#!/bin/sh
# All four targets, twice: each run exits 0 with the shipped waivers, no finding differs between the two, the matrix has
# a ladder for every code that was seen, and one round takes less than four minutes.
. "${0%/*}/lib.sh"

ISCSISPEC_PUBLISHED=$work/published
export ISCSISPEC_PUBLISHED
"$source/scripts/matrix" --twice --keep "$work/runs" --iscsispec "$iscsispec" >"$work/output" 2>&1 || {
    fail "scripts/matrix: exit $?"
    tail -n 40 "$work/output"
}
for round in 1 2; do
    took=$(sed -n "s/^round $round: \([0-9]*\) s$/\1/p" "$work/output")
    [ "${took:-999}" -lt 240 ] || fail "round $round took ${took:-?} s"
done
for wanted in tgt:11 istgt:7 lio:10 reference:18; do
    target=${wanted%:*}
    seen=$(jq '[.codes[] | select(.server == "seen")] | length' "$work/runs/1/$target/coverage.json")
    [ "$seen" -ge "${wanted#*:}" ] || fail "$target: $seen codes seen"
    ladders=$(grep -c "^### $target: 0x" "$work/published/matrix.md")
    [ "$ladders" -eq "$seen" ] || fail "$target: $ladders ladders for $seen codes"
done
# What is known of a target is told, and was read against the RFC.
for target in tgt istgt lio; do
    python3 "$source/tests/e2e/findings.py" "$source/docs/findings.md" $target "$work/runs/1/$target/results.jsonl" >"$work/told" ||
        { fail "docs/findings.md does not tell all"; cat "$work/told"; }
done
grep -q '<html' "$work/published/matrix.html" || fail "no page"
# Nothing of one run: no ports but the portal's own, no times.
grep -Eq '127\.0\.0\.1:[0-9]' "$work/published/matrix.md" && fail "a port stands in the matrix"
finish
