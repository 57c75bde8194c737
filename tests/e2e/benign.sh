#!/bin/sh
# No false alarm: the whole suite against the reference target with each conforming but unusual way switched on, one at a
# time. Every case has to pass; a warning is not a pass.
. "${0%/*}/lib.sh"

# all_pass NAME EXTRA [RUN-ARGUMENT]...: every case of the run that is not skipped is PASS.
all_pass()
{
    name=$1 extra=$2
    shift 2
    expect_exit 0 120000 "$iscsispec" run --quiet --out "$work/$name" --extra "$extra" "$@"
    wrong=$(sed 1d "$work/$name/results.jsonl" | jq -r 'select(.verdict != "PASS" and .verdict != "SKIP") |
        "\(.id): \(.verdict) \(.reason)"' | head -n 5)
    [ -z "$wrong" ] || fail "$name: $wrong"
    passed=$(sed 1d "$work/$name/results.jsonl" | jq -r 'select(.verdict == "PASS") | .id' | wc -l)
    [ "$passed" -ge 300 ] || fail "$name: only $passed cases passed"
    rm -rf "${work:?}/$name"
}

names=$("$target" --list-benign=json | jq -r '.[].name')
[ "$(echo "$names" | wc -l)" -ge 30 ] || fail "fewer than 30 switches"
[ "$(echo "$names" | sort | uniq -d)" = "" ] || fail "a switch has two rows"

# A target without digests does not offer the condition.
grep -v '^  digests: {}$' "$source/cases/profiles/reference.yaml" |
    sed 's/^not-offered:$/&\n  digests: the switch no-digests takes them away/' >"$work/no-digests.yaml"

for name in $names; do
    case $name in
    no-digests) all_pass "$name" "--benign $name" --profile "$work/no-digests.yaml" ;;
    *) all_pass "$name" "--benign $name" ;;
    esac
done

# The same eyes see a fault behind a switch.
expect_exit 1 60000 "$iscsispec" run --quiet --out "$work/red" --extra '--benign keys-reversed --defect wrong-itt'

expect_exit 2 5000 "$target" --benign statsn-wrap
expect_output "there is no such switch; did you mean statsn-wraps"
finish
