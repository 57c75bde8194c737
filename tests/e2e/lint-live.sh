#!/bin/sh
# A capture that tcpdump takes of the suite's own run against tgtd: lint sees the same logins, the same answers and the
# same findings as the audit of the run did. With `all` as third argument: of the whole run.
. "${0%/*}/lib.sh"

command -v tcpdump >/dev/null || {
    fail "tcpdump is not installed (apt-get install tcpdump)"
    finish
}
[ "${3:-}" = all ] || set -- "$@" --select 'status.*' --select 'sessions.tsih.*' --select 'text.*' --select 'pdu.before-login.*'
shift 2
[ "${1:-}" = all ] && shift
# No --immediate-mode: with it each frame takes a slot of the size of the snapshot length, and the buffer holds 256 of them.
tcpdump -Z root -i lo -s 0 -B 65536 -U -w "$work/real.pcap" tcp >"$work/tcpdump.log" 2>&1 &
dump=$!
started=$dump
until grep -qs 'listening on' "$work/tcpdump.log"; do
    kill -0 $dump 2>/dev/null || {
        cat "$work/tcpdump.log"
        fail "tcpdump does not run (it needs CAP_NET_RAW)"
        finish
    }
    sleep 0.05
done
timeout 280 "$iscsispec" run --profile tgt --quiet --out "$work/run" "$@" >"$work/run.log" 2>&1
[ $? -le 1 ] || {
    tail -n 5 "$work/run.log"
    fail "the run did not end well"
}
sleep 1.5 # the kernel hands frames over at least once a second
kill -INT $dump
wait $dump
started=
grep -q '^0 packets dropped by kernel' "$work/tcpdump.log" || fail "tcpdump lost packets: $(tail -n 1 "$work/tcpdump.log")"

ports=$(head -n 1 "$work/run/results.jsonl" | jq -r '[.portals[].port | "port \(.)"] | join(" or ")')
"$iscsispec" lint "$work/real.pcap" --filter "$ports" --format "json=$work/lint.json" --format "text=$work/lint.txt" \
    --format "sarif=$work/lint.sarif" --format "html=$work/lint.html"
status=$?
[ $status -eq 1 ] || fail "lint: exit $status"

# What a capture cannot know: secrets, and that the suite waited for an end that did not come.
beyond='L-STAT-001|L-RED-006|L-FFP-023|L-MCHAP-00[0-9]|L-CHAP-01[0-9]|L-AUTH-01[0-9]'
for line in $(sed 1d "$work/run/results.jsonl" | jq -r 'select(.evidence.text) | .evidence.text'); do
    jq -c '[.conns[] | {name, ports}]' "$work/run/${line%.txt}.json"
done >"$work/ports"
sed 1d "$work/run/results.jsonl" | jq -c 'select(.evidence.text)' | paste -d '\n' - "$work/ports" |
    jq -c -n '[inputs] | . as $all | range(0; length; 2) | {case: $all[.], conns: $all[. + 1]}' >"$work/cases"

# Lines "PORT PORT what": of the run ...
jq -r '(.conns | map({key: .name, value: "\(.ports[0]) \(.ports[1])"}) | from_entries) as $p |
    .case.findings[] | "\($p[.conn]) \(.rule) \(.side) \(.pdu) \(.was)"' "$work/cases" |
    grep -Ev " ($beyond) " | sort >"$work/live-findings"
jq -r '(.conns | map({key: .name, value: "\(.ports[0]) \(.ports[1])"}) | from_entries) as $p |
    .case.seen[] | [.status[] | select(startswith("0x"))] as $s | select($s | length > 0) |
    "\($p[.conn]) \($s | join(" "))"' "$work/cases" | sort >"$work/live-statuses"
jq -r '.conns[].ports | "\(.[0]) \(.[1])"' "$work/cases" | sort -u >"$work/live-ports"

# ... and of the capture, for the connections of cases: the run also measures, and arms its target.
jq -r 'def port: split(":") | last; .items[] | select(.type != "file") |
    select(.type == "connection") | "\(.initiator | port) \(.target | port)" as $p |
    .findings[] | select(.party == "target") | "\($p) \(.rule) \(.side) \(.pdu) \(.was)"' "$work/lint.json" |
    grep -Ev " ($beyond) " | grep -F -f "$work/live-ports" | sort >"$work/lint-findings"
jq -r 'def port: split(":") | last; .items[] | select(.type == "connection") |
    "\(.initiator | port) \(.target | port)" as $p | [.steps[].status // empty] as $s | select($s | length > 0) |
    "\($p) \($s | join(" "))"' "$work/lint.json" | grep -F -f "$work/live-ports" | sort >"$work/lint-statuses"

for what in statuses findings; do
    [ -s "$work/live-$what" ] || fail "the run has no $what to compare"
    diff "$work/live-$what" "$work/lint-$what" >"$work/diff" || {
        fail "$what: the run (<) and lint of its capture (>) differ"
        head -n 20 "$work/diff"
    }
done
echo "$(wc -l <"$work/live-statuses") logins with $(wc -l <"$work/live-findings") findings are the same live and in the capture"

# Frames are those of Wireshark: a finding's frame ends a PDU of the target. An answer that is too far off for Wireshark's
# dissector (a Text Response with neither F, C nor the end of a pair) is plain data there; a segment within a PDU is not.
jq -r '.items[] | select(.type == "connection") | .findings[] | select(.pdu > 0 and .side == "target") | .frame' \
    "$work/lint.json" | sort -u >"$work/frames"
dissect=$(head -n 1 "$work/run/results.jsonl" | jq -r '[.portals[].port | "-d tcp.port==\(.),iscsi"] | join(" ")')
# shellcheck disable=SC2086
tshark -r "$work/real.pcap" $dissect -o tcp.reassemble_out_of_order:TRUE -Y 'iscsi.opcode >= 0x20 or data' -T fields \
    -e frame.number 2>/dev/null | sort -u >"$work/tshark-frames"
[ -s "$work/frames" ] || fail "no finding has a frame"
comm -23 "$work/frames" "$work/tshark-frames" >"$work/diff"
[ -s "$work/diff" ] && fail "frames of findings have no answer of a target in Wireshark: $(head -n 9 "$work/diff" | tr '\n' ' ')"

jq -e '.version == "2.1.0" and (.runs[0].results | length > 0)' "$work/lint.sarif" >/dev/null || fail "SARIF is not whole"
xmllint --html --noout "$work/lint.html" 2>"$work/html" || fail "HTML does not parse"
grep -E 'Server: [0-9]+/18' "$work/lint.txt" || fail "no coverage in the text"
finish
