#!/bin/sh
# lint on files of all sorts: what it says, how it exits, and what it says across connections.
. "${0%/*}/lib.sh"

"$build/tests/capture_variants" "$work" || fail "capture_variants: exit $?"
good=$work/ethernet.pcap
conns=$("$build/tests/capture_pdus" "$good" | grep -c '^# stream')

# --- findings and their exit
expect_exit 1 30000 "$iscsispec" lint --brief "$good"
expect_output "^$conns connections: [0-9]+ logged in"
expect_exit 0 30000 "$iscsispec" lint --brief --exit-zero "$good"
expect_exit 0 30000 "$iscsispec" lint "$good" --filter 'port 40015'
expect_output '90 bytes are not in the capture, the first before frame'
expect_exit 1 30000 "$iscsispec" lint "$good" --filter 'port 40014'
expect_output 'the capture began after the connection did'
expect_exit 1 30000 "$iscsispec" lint "$good" --filter 'port 40016'
expect_output 'cut off by the snapshot length'

# --- reports: all four at once are those that come alone
expect_exit 1 30000 "$iscsispec" lint "$good" --format text="$work/a.txt" --format json="$work/a.json" \
    --format sarif="$work/a.sarif" --format html="$work/a.html"
for format in text json sarif html; do
    suffix=$format
    [ $format = text ] && suffix=txt
    "$iscsispec" lint "$good" --format $format 2>/dev/null | cmp -s - "$work/a.$suffix" || fail "$format alone differs"
done
jq -e --argjson n "$conns" '[.items[] | select(.type == "connection")] | length == $n and $n >= 60' "$work/a.json" >/dev/null || fail "connections in JSON"
jq -e '.findings.warn == ([.items[].findings[]? | select(.severity == "warn")] | length)' "$work/a.json" >/dev/null ||
    fail "the sum of findings in JSON"
jq -e '.runs[0] | (.results | length) > 0 and ([.results[].ruleId] - [.tool.driver.rules[].id] == [])' "$work/a.sarif" \
    >/dev/null || fail "SARIF: a result without its rule"
xmllint --html --noout "$work/a.html" 2>/dev/null || fail "HTML does not parse"

# --- files that are none
: >"$work/empty.pcap"
expect_exit 2 5000 "$iscsispec" lint "$work/empty.pcap"
expect_output 'empty.pcap: is empty'
expect_exit 2 5000 "$iscsispec" lint "$work/absent.pcap"
expect_output 'absent.pcap: cannot be opened: No such file'
expect_exit 2 5000 "$iscsispec" lint "$work"
expect_output 'is a folder'
printf 'this is no capture at all, whatever its name\n' >"$work/text.pcap"
expect_exit 2 5000 "$iscsispec" lint "$work/text.pcap"
expect_output 'is no capture that can be read \(pcap or pcapng, plain or gzip\): '
expect_exit 2 5000 "$iscsispec" lint
expect_output 'name at least one capture'
expect_exit 2 5000 "$iscsispec" lint "$good" --filter 'port port'
expect_output "filter 'port port': "
expect_exit 2 5000 "$iscsispec" lint "$good" --format xml
expect_output 'it is text, json, sarif or html'
head -c 24 "$good" | cat >"$work/none.pcap"
expect_exit 3 5000 "$iscsispec" lint "$work/none.pcap"
expect_output 'no iSCSI login in '
# Another link type: the header says 105, IEEE 802.11.
{
    head -c 20 "$good"
    printf '\151\000\000\000'
    tail -c +25 "$good"
} >"$work/wlan.pcap"
expect_exit 2 5000 "$iscsispec" lint "$work/wlan.pcap"
expect_output 'has a link type that cannot be read: IEEE802_11'

# --- damaged files: what could be read is reported, and the exit says that it is not all
head -c 20000 "$good" >"$work/short.pcap"
expect_exit 2 30000 "$iscsispec" lint --brief "$work/short.pcap"
expect_output 'short.pcap: is damaged behind frame [0-9]*: truncated'
expect_output '[1-9][0-9]* connections: [1-9]'
{
    head -c 20000 "$good"
    head -c 4000 /dev/zero | tr '\0' '\377'
} >"$work/broken.pcap"
expect_exit 2 30000 "$iscsispec" lint --brief "$work/broken.pcap"
expect_output 'is damaged behind frame'
gzip -c "$good" | head -c 3000 >"$work/short.pcap.gz"
expect_exit 2 30000 "$iscsispec" lint --brief "$work/short.pcap.gz"
expect_output 'short.pcap.gz: is damaged behind frame'
# A snapshot length beyond all reason in the header is no reason to take the memory.
{
    head -c 16 "$good"
    printf '\377\377\377\177'
    tail -c +21 "$good"
} >"$work/huge.pcap"
(ulimit -v 2000000 && exec "$iscsispec" lint --brief "$work/huge.pcap") >"$work/output" 2>&1
status=$?
case $status in
1 | 2) expect_output 'connections:|no capture that can be read' ;;
*) fail "huge snapshot length: exit $status" ;;
esac

# --- one bad file does not hide the others
expect_exit 2 30000 "$iscsispec" lint --brief "$work/empty.pcap" "$good"
expect_output '[0-9]* logged in'

# --- a line that moves, with the time that is left, on a terminal only
"$build/tests/bulk_capture" "$work/bulk.pcap" 60 >/dev/null
script -qec "'$iscsispec' lint --brief '$work/bulk.pcap' --format json='$work/bulk.json'" /dev/null >"$work/typed" 2>&1
grep -q ' %, [0-9]* s left, [0-9]* frames' "$work/typed" || fail "no progress on a terminal"
"$iscsispec" lint --brief "$work/bulk.pcap" --format json="$work/bulk2.json" 2>"$work/quiet"
[ -s "$work/quiet" ] && fail "progress where there is no terminal"
cmp -s "$work/bulk.json" "$work/bulk2.json" || fail "two readings of one file differ"

# --- Ctrl-C: what was read until then is reported, whole
"$build/tests/bulk_capture" "$work/bulk.pcap" 300 >/dev/null
"$iscsispec" lint "$work/bulk.pcap" --format json="$work/cut.json" 2>/dev/null &
pid=$!
until [ -s "$work/cut.json" ] || ! kill -0 $pid 2>/dev/null; do sleep 0.02; done
kill -INT $pid
wait $pid
status=$?
[ $status -eq 130 ] || fail "exit $status after SIGINT"
jq -e '.interrupted and (.connections > 0)' "$work/cut.json" >/dev/null || fail "the report of an interrupted run is not whole"
rm -f "$work/bulk.pcap"
finish
