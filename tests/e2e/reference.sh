#!/bin/sh
# The main job: the whole run against the reference target ends with 18 of 18 in all three columns, and every status
# that the results tell stands in the evidence, as an independent decoder reads it.
. "${0%/*}/lib.sh"

expect_exit 0 20000 "$iscsispec" run --out "$work/run"
expect_output 'Decoder: 18/18'
expect_output 'Server: 18/18'
expect_output 'Test: 18/18'

for file in results.jsonl coverage.md coverage.json junit.xml; do
    [ -s "$work/run/$file" ] || fail "no $file"
done
xmllint --noout "$work/run/junit.xml" || fail "junit.xml is not well-formed"
results=$work/results
sed 1d "$work/run/results.jsonl" >"$results"
cases=$(jq -r .id "$results" | wc -l)
[ "$cases" -ge 90 ] || fail "$cases cases, 90 wanted"
pcaps=$(find "$work/run/evidence" -name '*.pcap' | wc -l)
texts=$(find "$work/run/evidence" -name '*.txt' | wc -l)
[ "$pcaps" -eq "$cases" ] && [ "$texts" -eq "$cases" ] || fail "$pcaps pcaps and $texts ladders for $cases cases"

# No two cases put the same bytes on the wire.
for hash in $(jq -r .wire "$results" | sort | uniq -d); do
    fail "same bytes: $(jq -r "select(.wire == \"$hash\") | .id" "$results" | tr '\n' ' ')"
done

# tshark reads the statuses of every case out of its pcap: one file a code on its own, then all in one.
decode_as=$(sed -n 1p "$work/run/results.jsonl" | jq -r '.portals[] | "-d tcp.port==\(.port),iscsi"' | sort -u)
# A Reject carries the header it rejects, and tshark decodes that too: one case sends that of a Login Response.
statuses()
{
    # shellcheck disable=SC2086
    tshark -r "$1" $decode_as -o tcp.reassemble_out_of_order:TRUE -Y '!(iscsi.opcode == 0x3f)' -T fields -E aggregator=, \
        -e iscsi.login.status 2>/dev/null | tr ',' '\n' | grep . | sort
}
for code in $(jq -r 'select(.code >= 0) | .code' "$results" | sort -u); do
    id=$(jq -r "select(.code == $code) | .id" "$results" | head -n 1)
    told=$(jq -r "select(.id == \"$id\") | .seen[].status[]" "$results" | sort)
    got=$(statuses "$work/run/evidence/$id.pcap")
    [ "$told" = "$got" ] || fail "$id: results tell" $told ", tshark reads" $got
done
mergecap -F pcap -w "$work/all.pcap" "$work/run/evidence/"*.pcap
jq -r '.seen[].status[]' "$results" | sort | uniq -c >"$work/told"
statuses "$work/all.pcap" | uniq -c >"$work/read"
cmp -s "$work/told" "$work/read" || fail "statuses told and read by tshark differ: $(diff "$work/told" "$work/read")"
[ "$(wc -l <"$work/read")" -eq 18 ] || fail "tshark saw $(wc -l <"$work/read") different codes"
finish
