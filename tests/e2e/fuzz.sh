#!/bin/sh
# Fuzzing over the network: what it finds shows itself again from the saved case and input, the same seed sends the same
# inputs also across an interruption, a sound target gives no finding but rules, and no target brings the fuzzer down.
. "${0%/*}/lib.sh"

# profile MODE: of the fragile target in that mode, as $work/MODE.yaml
profile()
{
    cat >"$work/$1.yaml" <<END
profile: fragile
title: A target that is $1
start: exec $build/tests/fragile_target $1 \${port:main}
portals:
  main: {address: 127.0.0.1, port: 0, tag: 1}
conditions:
  open: {target: "iqn.2026-01.example.iscsispec:open", portal: main}
END
}
# shipped cases make many seeds; two are enough here
mkdir "$work/cases"
cat >"$work/cases/two.yaml" <<'END'
- id: two.plain
  title: A plain login
  steps:
    - login: {as: A, base: plain}
    - expect: {on: A, ffp: true}
- id: two.rounds
  title: A login of two rounds
  steps:
    - login: {as: A, base: plain, header: {T: 0}}
    - expect: {on: A, ffp: true}
END
fuzz="$iscsispec fuzz --cases $work/cases --seed 1"

# --- wrong use
expect_exit 2 2000 "$iscsispec" fuzz --time tomorrow
expect_output 'write it as 8h'
expect_exit 2 2000 "$iscsispec" fuzz --corpus "$work/nothing"
expect_output 'nothing: No such file'
expect_exit 4 20000 "$iscsispec" fuzz --target iscsi://127.0.0.1:1/iqn.2026-01.example:x --out "$work/gone"

# --- a crash by signal, and a report of a sanitizer
for mode in crash report; do
    profile $mode
    # shellcheck disable=SC2086
    expect_exit 1 60000 $fuzz --profile "$work/$mode.yaml" --execs 1200 --out "$work/$mode"
    [ "$(jq '[.findings[] | select(.kind == "crash" and .confirmed)] | length' "$work/$mode/report.json")" -ge 1 ] || {
        fail "$mode: no crash was found"
        jq -c '.findings[]' "$work/$mode/report.json"
    }
done
name=$(jq -r '[.findings[] | select(.kind == "crash" and .confirmed)][0].name' "$work/crash/report.json")
found=$work/crash/findings/$name
[ "$(wc -c <"$found.session")" -le 400 ] || fail "$(wc -c <"$found.session") bytes are not small"
tshark -r "$found.pcap" >/dev/null 2>&1 || fail "$name.pcap cannot be read"
grep "iscsispec run .*--cases $found.yaml" "$found.txt" >/dev/null || fail "no line in $name.txt that shows it again"
expect_exit 1 30000 "$iscsispec" run --profile "$work/crash.yaml" --cases "$found.yaml" --out "$work/again" --quiet
expect_output '1 CRASH'
# shellcheck disable=SC2086
expect_exit 1 30000 $fuzz --profile "$work/crash.yaml" --replay "$found.session" --out "$work/again"
expect_output "shows .*$name.session: the target is gone: signal 6"
grep heap-buffer-overflow "$work/report/findings/crash-001.txt" >/dev/null || fail "the sanitizer's words are not told"

# --- a sound target shows nothing there, and the same seed sends the same, however it is interrupted; other tests run
# beside this one, so that 30 ms are no measure of whether it answers
profile sound
patient="$fuzz --patience 200"
# shellcheck disable=SC2086
expect_exit 0 30000 $fuzz --profile "$work/sound.yaml" --replay "$found.session" --out "$work/again2"
corpus()
{
    for file in "$1"/corpus/*; do
        echo "${file##*/} $(sha256sum <"$file")"
    done
}
# shellcheck disable=SC2086
timeout 90 $patient --profile "$work/sound.yaml" --execs 1500 --connections 120 --out "$work/whole" >"$work/output" 2>&1
[ $? -le 1 ] || {
    fail "exit status of a run on a sound target"
    cat "$work/output"
}
[ -z "$(jq -r '.findings[] | select(.kind != "rule") | .name' "$work/whole/report.json")" ] || fail "a sound target has findings"
# shellcheck disable=SC2086
$patient --profile "$work/sound.yaml" --execs 1500 --connections 70 --out "$work/parts" >"$work/output" 2>&1 &
pid=$!
started="$started $pid"
i=0
until [ -s "$work/parts/state.json" ] && [ "$(jq .committed "$work/parts/state.json")" -gt 100 ] || [ $i -ge 300 ]; do
    i=$((i + 1))
    sleep 0.05
done
kill -INT $pid
wait $pid
status=$?
[ $status -eq 130 ] || [ $status -le 1 ] || fail "exit $status after Ctrl-C"
echo "interrupted after $(jq .executions "$work/parts/report.json") executions"
# shellcheck disable=SC2086
timeout 90 $patient --profile "$work/sound.yaml" --execs 1500 --connections 70 --out "$work/parts" >"$work/output" 2>&1
[ "$(jq .executions "$work/parts/report.json")" = 1500 ] || fail "$(jq .executions "$work/parts/report.json") executions"
corpus "$work/whole" >"$work/whole.list"
corpus "$work/parts" >"$work/parts.list"
diff "$work/whole.list" "$work/parts.list" >"$work/diff" || {
    fail "the corpora differ"
    head -n 10 "$work/diff"
}
expect_exit 2 5000 "$iscsispec" fuzz --profile "$work/sound.yaml" --seed 2 --out "$work/parts"
expect_output 'holds a run with --seed 1'

# --- a capture is a seed, connection by connection, with the names and the CHAP_R of the target that is fuzzed
fuzz_seeds()
{
    out=$1 && shift
    # shellcheck disable=SC2086
    timeout 60 $fuzz --execs 1 --out "$work/$out" "$@" >"$work/output" 2>&1
    [ $? -le 1 ] || cat "$work/output"
    jq .seeds "$work/$out/state.json"
}
none=$(fuzz_seeds none) captured=$(fuzz_seeds captured --corpus "$source/corpora/captures")
[ "$captured" -gt $((none + 5)) ] || fail "$none seeds, and $captured with captures"
full=$(grep -l '{chap_target}' "$work"/captured/corpus/* | sed 's/.*reach://' | awk 'int($1 / 4) % 2 && int($1 / 16) % 2' | wc -l)
[ "$full" -ge 1 ] || fail "no captured login with CHAP gets in"
# one that is not there, and one that breaks off
expect_exit 2 30000 "$iscsispec" fuzz --cases "$work/cases" --execs 1 --out "$work/cut" --corpus "$work/cut.pcap"
head -c 100 "$source/corpora/captures/chap-tgtd.pcap" >"$work/cut.pcap"
fuzz_seeds cut --corpus "$work/cut.pcap" >/dev/null
expect_output 'cut.pcap'

# --- under fire: garbage, bytes without end, silence, resets
profile fire
# shellcheck disable=SC2086
timeout 100 $fuzz --profile "$work/fire.yaml" --execs "${FUZZ_FIRE:-500}" --connections 100 --out "$work/fire" >"$work/output" 2>&1
status=$?
[ $status -le 1 ] || {
    fail "under fire: exit $status"
    tail -n 30 "$work/output"
}
[ "$(jq .executions "$work/fire/report.json")" -ge 500 ] || fail "under fire: $(jq .executions "$work/fire/report.json") executions"
grep -E 'AddressSanitizer|runtime error' "$work/output" && fail "under fire: a sanitizer spoke"
finish
