#!/bin/sh
# Captures of others' initiators on tgtd, played again: on a tgtd of the same set-up all answers agree; on the reference
# target each difference that is shown is there for tshark, too.
. "${0%/*}/lib.sh"
. "$source/scripts/lib/tgtd.sh"
. "$source/scripts/lib/captures.sh"

captures=$source/corpora/captures
prefix=$captures_prefix
captures_tgtd "$work" >/dev/null || {
    fail "tgtd does not start (apt-get install tgt)"
    finish
}
started="$started $tgtd_pid"
printf '%s\n' "$captures_secret" >"$work/secret"

# replay STATUS CAPTURE ARGUMENT...
replay()
{
    status_=$1 capture_=$captures/$2
    shift 2
    expect_exit "$status_" 20000 "$iscsispec" replay "$capture_" --out "$work/out" "$@"
}

on_tgtd=iscsi://127.0.0.1:$tgtd_port/$prefix

# --- the same target again: all agree
for name in ls inq readcapacity absent test-cu test-cu-write qemu; do
    file=$(basename "$(ls "$captures/$name-tgtd.pcap"*)")
    replay 0 "$file" --target "$on_tgtd:open"
    expect_output '^answers: .*same'
done
expect_output '^auditor on the replay: target PASS'
replay 0 test-cu-write-tgtd.pcap.gz --target "$on_tgtd:open"
expect_output '^[0-9]+ requests were not sent: they could change'
replay 0 moved-tgtd.pcap --target "$on_tgtd:moved-temporarily"
replay 0 chap-none-tgtd.pcap --target "$on_tgtd:chap"
replay 0 inq-tgtd.pcap --target "$on_tgtd:open" --pace original

# --- CHAP: with the secret, and without
for name in chap chap-wrong; do
    replay 0 $name-tgtd.pcap --target "$on_tgtd:chap" --user $captures_user --secret-file "$work/secret"
    ! grep -rq "$captures_secret" "$work/out" || fail "the secret stands in the evidence of $name"
    replay 3 $name-tgtd.pcap --target "$on_tgtd:chap"
    expect_output "stopped: PDU 3 of the initiator .* the secret of user $captures_user is missing: give --user and --secret-file"
done
printf 'not-the-secret\n' >"$work/other"
replay 1 chap-tgtd.pcap --target "$on_tgtd:chap" --user $captures_user --secret-file "$work/other"
expect_output 'Status 0x0000 Success -> 0x0201 Authentication failure'

# --- the reference target: the differences are real
replay 1 inq-tgtd.pcap --profile reference
expect_output 'InitialR2T=Yes -> No'
for side in capture replay; do
    port=$(tshark -r "$work/out/$side.pcap" -T fields -e tcp.dstport -c 1 2>/dev/null)
    tshark -r "$work/out/$side.pcap" -d "tcp.port==$port,iscsi" -Y 'iscsi.opcode == 0x23' -T fields -e iscsi.keyvalue \
        2>/dev/null | tr ',' '\n' | grep InitialR2T >"$work/$side.key"
done
[ "$(cat "$work/capture.key")" = InitialR2T=Yes ] || fail "tshark, capture: $(cat "$work/capture.key")"
[ "$(cat "$work/replay.key")" = InitialR2T=No ] || fail "tshark, replay: $(cat "$work/replay.key")"
jq -e '.exit == 1 and .answers.different > 0 and .audit_replay.target == "PASS"' "$work/out/replay.json" >/dev/null ||
    fail "replay.json does not say the same"
replay 1 absent-tgtd.pcap --profile reference
expect_output 'CSG 1 -> 0'

# --- runs of our own on their own profiles
replay 0 run-reference.pcap.gz --profile reference
replay 0 run-tgtd.pcap.gz --profile tgt

# --- a defect of the target shows itself
expect_exit 0 20000 "$iscsispec" run --select status.success.plain --out "$work/run"
start_target broken --portal main=127.0.0.1:0 --target $prefix:open --alias 'The open target' --defect no-tpgt
expect_exit 1 20000 "$iscsispec" replay "$work/run/evidence/status.success.plain.pcap" --out "$work/out" \
    --target "iscsi://127.0.0.1:$(target_port broken main)/$prefix:open"
expect_output 'different: no TargetPortalGroupTag=1'
expect_output '\(in the replay only\)'

# --- targets that misbehave: told, and never waited for without end
for mode in silent garbage close reset endless half; do
    start_bad $mode
    expect_exit 1 15000 "$iscsispec" replay "$captures/inq-tgtd.pcap" --out "$work/out" --timeout 1000 \
        --target "iscsi://127.0.0.1:$bad_port/$prefix:open"
    expect_output 'Login Response   missing: '
done

# --- Ctrl-C leaves a complete report
start_bad silent
"$iscsispec" replay "$captures/inq-tgtd.pcap" --out "$work/interrupted" --timeout 60000 \
    --target "iscsi://127.0.0.1:$bad_port/$prefix:open" >"$work/output" 2>&1 &
pid=$!
interrupt $pid
wait $pid
status=$?
[ $status -eq 130 ] || fail "exit $status instead of 130 after Ctrl-C"
jq -e .interrupted "$work/interrupted/replay.json" >/dev/null || fail "no report after Ctrl-C"

# --- wrong use
expect_exit 2 5000 "$iscsispec" replay
expect_exit 2 5000 "$iscsispec" replay "$captures/inq-tgtd.pcap"
expect_output 'Give --target URL or --profile NAME'
expect_exit 2 5000 "$iscsispec" replay "$0" --target "$on_tgtd:open"
replay 2 inq-tgtd.pcap --target "$on_tgtd:open" --map nothing
expect_output 'write OLD=NEW'
replay 2 inq-tgtd.pcap --target "$on_tgtd:open" --pace slow
replay 3 inq-tgtd.pcap --target "$on_tgtd:open" --filter 'port 1'
expect_exit 4 10000 "$iscsispec" replay "$captures/inq-tgtd.pcap" --out "$work/out" --target iscsi://127.0.0.1:1/$prefix:open
finish
