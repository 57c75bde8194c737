#!/bin/sh
# iscsispec compare: what changed between two runs, and 1 on a regression.
. "${0%/*}/lib.sh"

run()
{
    out=$1 selected=$2
    shift 2
    timeout 60 "$iscsispec" run --quiet --select "$selected" --out "$work/$out" "$@" >/dev/null 2>&1
}
run good 'names.*,keys.duplicate.*'
run bad 'names.*,keys.duplicate.*' --extra '--defect accept-duplicate-key'
run less 'names.*'
run odd 'names.*,keys.duplicate.*' --extra '--defect accept-duplicate-key --defect wrong-itt'

expect_exit 0 5000 "$iscsispec" compare "$work/good" "$work/good"
expect_output '^nothing changed$'
expect_exit 1 5000 "$iscsispec" compare "$work/good" "$work/bad"
expect_output '^Worse:$'
expect_output '^  keys.duplicate.alias: PASS -> FAIL: '
expect_output '^  0x0200 .*: seen -> wrong$'
expect_exit 0 5000 "$iscsispec" compare "$work/bad" "$work/good"
expect_output '^  keys.duplicate.alias: FAIL -> PASS$'
expect_output ', 0 regressions$'

# Cases that came or went are named; a case that still fails may break another rule.
expect_exit 0 5000 "$iscsispec" compare "$work/good" "$work/less"
expect_output '^No longer run:$'
expect_exit 0 5000 "$iscsispec" compare "$work/less" "$work/good"
expect_output '^New cases:$'
expect_exit 1 5000 "$iscsispec" compare "$work/bad" "$work/odd"
expect_output '^  L-ITT-[0-9]+ in keys.duplicate.alias: kept -> broken'

# A verdict that is lost is a regression too; what is known by a waiver is named.
sed 's/"id":"names.initiator.missing","verdict":"[A-Z]*"/"id":"names.initiator.missing","verdict":"SKIP"/' \
    "$work/good/results.jsonl" >"$work/skipped.jsonl"
expect_exit 1 5000 "$iscsispec" compare "$work/good" "$work/skipped.jsonl"
expect_output '^  names.initiator.missing: PASS -> SKIP'

expect_exit 1 5000 "$iscsispec" compare "$work/good" "$work/bad" --format json
jq -e '.schema == "iscsispec-compare/1" and .regressions > 5 and (.changes | length) >= .regressions' "$work/output" >/dev/null ||
    fail "the JSON of compare"
expect_exit 2 5000 "$iscsispec" compare "$work/good"
expect_exit 2 5000 "$iscsispec" compare "$work/good" "$work/nowhere"
expect_output 'nowhere'
expect_exit 2 5000 "$iscsispec" compare "$work/good" "$work/bad" --format xml
finish
