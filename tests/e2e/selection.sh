#!/bin/sh
# What a run judges by: --level, --severity and --rfc, and expressions that are none. And who asks does not matter: cases
# with other ids, asked by an initiator with another name, come to the same verdicts.
. "${0%/*}/lib.sh"

verdicts()
{
    sed 1d "$1/results.jsonl" | jq -r '"\(.id) \(.verdict)"' | sort
}

# Rules: a column each, and fewer with a floor.
expect_exit 0 10000 "$iscsispec" list rules
expect_output '^rule +level +severity +kind +cases +defects +section$'
all=$(grep -c '^L-' "$work/output")
expect_exit 0 10000 "$iscsispec" list rules --level must --severity fail
[ "$(grep -c '^L-' "$work/output")" -lt "$all" ] || fail "--level must --severity fail lists all $all rules"
if grep '^L-' "$work/output" | grep -Eqv '^[^ ]+ +MUST( NOT)? +fail '; then
    fail "other rules than MUST and fail: $(grep '^L-' "$work/output" | grep -Ev '^[^ ]+ +MUST( NOT)? +fail ' | head -n 3)"
fi
expect_exit 2 10000 "$iscsispec" list rules --level shall
expect_output '^iscsispec: --level shall: there are must, should and may$'
expect_exit 2 10000 "$iscsispec" run --severity bad --out "$work/no"
expect_output '^iscsispec: --severity bad: there are fail, warn and info$'
expect_exit 2 10000 "$iscsispec" run --rfc 793 --out "$work/no"
expect_output '^iscsispec: --rfc 793: there is no iSCSI in it; write 7143 or 3720$'

# A rule in sentences.
expect_exit 0 10000 "$iscsispec" explain L-DUP-001
expect_output '^The target has to keep it \(MUST\)\. What shows it: '
expect_output '^Right is: 0x0200 Initiator error'
expect_output 'accept-duplicate-key'

# Codes: names in a column of their own, and none that there is not.
expect_exit 0 10000 "$iscsispec" list codes
[ "$(awk '/^0x/ { print match($0, /(Success|Redirection|Initiator Error|Target Error)$/) }' "$work/output" | sort -u | wc -l)" -eq 1 ] ||
    fail "the classes do not stand in one column"
expect_exit 2 10000 "$iscsispec" run --select code:0x02zz --out "$work/no"
expect_output 'code:0x02zz: is no code; write code:0x0203, or code:0x02\* for a class$'
expect_exit 2 10000 "$iscsispec" list cases --select code:0x0299
expect_output 'code:0x0299: is none of the 18 codes'
expect_exit 0 10000 "$iscsispec" list cases --select 'code:0x02*'

# A floor leaves out cases that prove less, and findings of rules below it.
defect='--defect markers-accepted'
expect_exit 0 20000 "$iscsispec" run --select keys.markers.yes --extra "$defect" --out "$work/warn"
[ "$(verdicts "$work/warn")" = 'keys.markers.yes WARN' ] || fail "markers by RFC 7143: $(verdicts "$work/warn")"
expect_exit 0 20000 "$iscsispec" run --select keys.markers.yes --extra "$defect" --rfc 3720 --out "$work/old"
[ "$(verdicts "$work/old")" = 'keys.markers.yes PASS' ] || fail "markers by RFC 3720: $(verdicts "$work/old")"
expect_exit 3 20000 "$iscsispec" run --select keys.markers.yes --severity fail --out "$work/none"
expect_exit 0 20000 "$iscsispec" run --select status.success.plain --extra '--defect maxcmdsn-goes-back' --severity fail \
    --out "$work/floor"
sed 1d "$work/floor/results.jsonl" | jq -e '[.findings[] | select(.severity != "fail" and (.ignored | not))] == []' \
    >"$work/output" || fail "a finding below the floor counts"

# What is left out tells for which condition.
expect_exit 3 20000 "$iscsispec" run --select 'status.moved-temporarily.plain' --profile "$source/tests/e2e/selection.yaml" \
    --out "$work/skip"
expect_output '^left out 1: moved-temporarily: it stays where it is$'

# Other ids, another initiator: nothing changes, with a defect or without.
mkdir "$work/cases"
for file in "$source"/cases/*/*.yaml; do
    case $file in */profiles/* | */waivers/*) continue ;; esac
    folder=$work/cases/$(basename "$(dirname "$file")")
    mkdir -p "$folder"
    sed 's/^- id: /- id: zz.renamed./' "$file" >"$folder/$(basename "$file")"
done
some='stages.*,keys.grid.time2*,chap.mutual.*,sessions.*'
for extra in '' '--defect accept-duplicate-key --defect mutual-wrong-response --defect join-any-initiator'; do
    "$iscsispec" run --select "$some" --extra "$extra" --out "$work/one" >"$work/output" 2>&1
    "$iscsispec" run --select "$(echo "$some" | sed 's/[^,]*/zz.renamed.&/g')" --extra "$extra" --cases "$work/cases" \
        --initiator iqn.2031-07.org.example:somebody.else --out "$work/two" >"$work/output" 2>&1
    verdicts "$work/one" >"$work/a"
    verdicts "$work/two" | sed 's/^zz\.renamed\.//' >"$work/b"
    [ -s "$work/a" ] && cmp -s "$work/a" "$work/b" ||
        fail "with '$extra' other names come to other verdicts: $(diff "$work/a" "$work/b" | head -n 5)"
done
finish
