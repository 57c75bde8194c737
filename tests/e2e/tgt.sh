#!/bin/sh
# A real target: Debian's tgtd gives exactly the eleven codes that it has, with evidence for each, and has faults.
. "${0%/*}/lib.sh"

command -v tgtd >/dev/null || {
    fail "tgtd is not installed (apt-get install tgt)"
    finish
}
# What is known to fail is waived while the version is the same: anything else shows.
expect_exit 0 120000 "$iscsispec" run --profile tgt --out "$work/run"
expect_output 'Server: 11/18'
seen=$(jq -r '.codes[] | select(.server == "seen") | .code' "$work/run/coverage.json" | sort | tr '\n' ' ')
[ "$seen" = '0x0000 0x0101 0x0102 0x0200 0x0201 0x0203 0x0205 0x0207 0x0209 0x020a 0x0300 ' ] || fail "seen: $seen"
jq -r '.codes[] | select(.server == "seen") | .evidence[]' "$work/run/coverage.json" >"$work/evidence"
[ "$(wc -l <"$work/evidence")" -ge 11 ] || fail "evidence for $(wc -l <"$work/evidence") codes"
while read -r file; do
    [ -s "$work/run/$file" ] || fail "no evidence $file"
done <"$work/evidence"

# Rounds of T=0 and an added connection are valid logins: tgtd takes them too. Its one fault in them is that it leaves
# NSG set where it clears T (L-RSP-003, a warning).
for id in one-round two-rounds three-rounds join-security; do
    line=$(sed 1d "$work/run/results.jsonl" | jq -c "select(.id == \"status.success.$id\")")
    verdict=$(echo "$line" | jq -r .verdict)
    rules=$(echo "$line" | jq -r '.findings[].rule' | sort -u)
    [ "$verdict" = PASS ] || { [ "$verdict" = WARN ] && [ "$rules" = L-RSP-003 ]; } ||
        fail "status.success.$id: '$verdict' $rules"
done
errors=$(sed 1d "$work/run/results.jsonl" | jq -r 'select(.verdict == "ERROR" or .verdict == "CRASH") | .id')
[ -z "$errors" ] || fail "ERROR or CRASH: $errors"
finish
