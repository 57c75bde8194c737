#!/bin/sh
# A real target that takes one login a second: many instances of it, the seven codes that it has with evidence for each,
# and a crash that is told as one.
. "${0%/*}/lib.sh"

command -v istgt >/dev/null || {
    fail "istgt is not installed (apt-get install istgt)"
    finish
}
codes='0x0000 0x0200 0x0201 0x0203 0x0205 0x0207 0x0208'
expect_exit 0 60000 "$iscsispec" run --profile istgt --out "$work/run" \
    --select 'status.success.plain' --select 'code:0x0201,code:0x0203,code:0x0205,code:0x0207,code:0x0208' \
    --select 'stages.csg.reserved'
for code in $codes; do
    file=$(jq -r ".codes[] | select(.code == \"$code\" and .server == \"seen\") | .evidence.text" "$work/run/coverage.json")
    [ -s "$work/run/$file" ] || fail "$code: not seen, or no evidence '$file'"
done
seen=$(jq '[.codes[] | select(.server == "seen")] | length' "$work/run/coverage.json")
[ "$seen" -eq 7 ] || fail "$seen codes seen"
errors=$(sed 1d "$work/run/results.jsonl" | jq -r 'select(.verdict == "ERROR") | .id + ": " + .reason')
[ -z "$errors" ] || fail "ERROR: $errors"

# As many run as the profile says, each with a log of its own.
instances=$(sed -n 's/^instances: *//p' "$source/cases/profiles/istgt.yaml")
[ "$(find "$work/run" -name 'target*.log' -size +0 | wc -l)" -eq "${instances:?}" ] || fail "logs: $(ls "$work/run")"
expect_exit 0 60000 "$iscsispec" run --profile istgt --out "$work/crash" --select pdu.before-login.logout
# The shipped waivers know of it.
sed 1d "$work/crash/results.jsonl" | jq -e 'select(.verdict == "XFAIL" and (.reason | test("died of this case.*signal 11")))' \
    >/dev/null || fail "no crash: $(sed 1d "$work/crash/results.jsonl" | jq -r '.verdict + ": " + .reason')"
finish
