#!/bin/sh
# The subject fuzz.smoke: two hundred mutated logins through libiscsi, the same in every run and on every target, that come
# out red where an invariant breaks, and where the target dies of one.
. "${0%/*}/lib.sh"

# mutations DIR: the number of each mutation that was sent, with the hash of what the mutator made
mutations()
{
    cat "$1"/evidence/*.txt | grep -o 'mutation [0-9]* ([0-9a-f]*)' | sort -u
}
verdicts()
{
    sed 1d "$1/results.jsonl" | jq -r .verdict | sort | uniq -c | tr -s ' \n' ' '
}

expect_exit 0 30000 "$iscsispec" run --select subject:fuzz.smoke --out "$work/one"
[ "$(verdicts "$work/one")" = ' 40 PASS ' ] || fail "on the reference target: $(verdicts "$work/one")"
[ "$(mutations "$work/one" | wc -l)" -eq 200 ] || fail "$(mutations "$work/one" | wc -l) mutations instead of 200"
# They come far: each answer that there is, and the full feature phase in many.
sed 1d "$work/one/results.jsonl" | jq -r '.seen[] | select(.conn != "Z") | .status[-1], .ffp' | sort | uniq -c >"$work/reached"
for answer in 0x0200 0x0201 0x0203 0x0207 0x020b; do
    grep -q " $answer\$" "$work/reached" || fail "no mutated login ends with $answer: $(tr -s '\n ' ' ' <"$work/reached")"
done
[ "$(awk '$2 == "true" { print $1 }' "$work/reached")" -ge 40 ] || fail "full feature phase: $(tr -s '\n ' ' ' <"$work/reached")"

# The same once more, whatever the seed of the run.
expect_exit 0 30000 "$iscsispec" run --select subject:fuzz.smoke --seed 7 --jobs 1 --out "$work/two"
[ "$(mutations "$work/one")" = "$(mutations "$work/two")" ] || fail "another run sends other mutations"
if command -v tgtd >/dev/null; then
    expect_exit 0 60000 "$iscsispec" run --profile tgt --select subject:fuzz.smoke --out "$work/tgt"
    [ "$(mutations "$work/one")" = "$(mutations "$work/tgt")" ] || fail "tgtd is sent other mutations"
else
    fail "tgtd is not installed (apt-get install tgt)"
fi

# An invariant that is broken behind a mutated login only: the genuine ones beside it are fine.
expect_exit 1 30000 "$iscsispec" run --select 'fuzz.smoke.*' --extra '--defect refusal-as-reject-pdu' --out "$work/broken"
sed 1d "$work/broken/results.jsonl" | jq -e 'select(.verdict == "FAIL" and (.reason | test("connection [A-E],")))' >/dev/null ||
    fail "no FAIL of a mutated login: $(verdicts "$work/broken")"

# A target that dies of a PDU that one of the mutations makes (SCSI Data-Out), and one that serves nobody any more behind one
# (a key twice): the reason of the first ends in the line that shows it again.
target_that() # NAME START
{
    cat >"$work/$1.yaml" <<END
profile: $1
title: A target that has a fault
start: exec $2
portals: { main: { address: 127.0.0.1, port: 0, tag: 1 } }
conditions: { open: { target: "iqn.2026-01.example.iscsispec:open" } }
timeouts: { answer: 200ms }
END
    expect_exit 1 60000 "$iscsispec" run --profile "$work/$1.yaml" --select 'fuzz.smoke.*' --out "$work/$1"
    sed 1d "$work/$1/results.jsonl" | jq -r 'select(.verdict == "CRASH") | .reason' >"$work/crash"
    [ -s "$work/crash" ] || fail "$1: no CRASH: $(verdicts "$work/$1")"
}
target_that dies "$build/tests/small_target \${port:main} --die-on 5"
grep -q 'signal 11' "$work/crash" || fail "it dies: $(cat "$work/crash")"
again=$(sed -n 's/.*again: iscsispec //p' "$work/crash" | head -n 1)
# shellcheck disable=SC2086
expect_exit 1 30000 "$iscsispec" ${again:-fails} --out "$work/again"
target_that hangs "$build/tests/fragile_target hang \${port:main}"

# Taken away like any other, and not sent to a target that is in use.
"$iscsispec" list cases --select '!subject:fuzz.smoke' | grep -q 'fuzz\.smoke' && fail "listed though taken away"
expect_exit 3 10000 "$iscsispec" run --safe --select subject:fuzz.smoke --out "$work/safe"
finish
