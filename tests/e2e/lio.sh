#!/bin/sh
# The target of the Linux kernel, in a guest that needs no root: the ten codes that it has, armed ones too, and no process
# of the guest afterwards.
. "${0%/*}/lib.sh"

lio=$source/scripts/lio
"$lio" available >"$work/ways" || {
    fail "no way to run a guest here: $(tr '\n' ' ' <"$work/ways")"
    finish
}
"$lio" fetch >"$work/fetch" 2>&1 || {
    fail "fetch: $(cat "$work/fetch")"
    finish
}
ISCSISPEC_E2E=$work
export ISCSISPEC_E2E
expect_exit 0 120000 "$iscsispec" run --profile lio --out "$work/run" \
    --select 'status.success.plain,status.denied.plain,stages.csg.reserved,chap.wrong*' \
    --select 'code:0x0201,code:0x0205,code:0x0206,code:0x0207,code:0x020a,code:0x0301,code:0x0302'
for code in 0x0000 0x0200 0x0201 0x0202 0x0205 0x0206 0x0207 0x020a 0x0301 0x0302; do
    file=$(jq -r ".codes[] | select(.code == \"$code\" and .server == \"seen\") | .evidence.text" \
        "$work/run/coverage.json")
    [ -s "$work/run/$file" ] || fail "$code: not seen, or no evidence '$file'"
done
errors=$(sed 1d "$work/run/results.jsonl" |
    jq -r 'select(.verdict == "ERROR" or .verdict == "CRASH") | .id + ": " + .reason')
[ -z "$errors" ] || fail "ERROR or CRASH: $errors"
sed -n 1p "$work/run/results.jsonl" | jq -e '.target_version | test("^LIO of Linux [0-9]")' >/dev/null ||
    fail "version: $(sed -n 1p "$work/run/results.jsonl" | jq .target_version)"

# No process of the guest outlives the run.
for process in /proc/[0-9]*; do
    [ "$(cat "$process/comm" 2>/dev/null)" = linux.uml ] && grep -q "ISCSISPEC_E2E=$work" "$process/environ" 2>/dev/null &&
        fail "left behind: process ${process#/proc/}"
done
finish
