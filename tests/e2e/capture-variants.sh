#!/bin/sh
# The capture reader against tshark, field by field, over every variant of what can befall a login in a capture, on every
# link type, and in every kind of file.
. "${0%/*}/lib.sh"

"$build/tests/capture_variants" "$work" || fail "capture_variants: exit $?"
tab=$(printf '\t')

# tshark's view: a line a frame that ends a PDU.
decode()
{
    tshark -r "$1" -d tcp.port==13260,iscsi -o tcp.reassemble_out_of_order:TRUE -o ip.defragment:FALSE \
        -Y iscsi.opcode -T fields -E 'aggregator=|' -e frame.number -e tcp.stream -e iscsi.opcode \
        -e iscsi.login.T -e iscsi.login.C -e iscsi.login.csg -e iscsi.login.nsg -e iscsi.isid -e iscsi.tsih \
        -e iscsi.login.status -e iscsi.keyvalue 2>/dev/null
}

# The variant of a TCP connection, by its number, from what the reader said last.
variant_of()
{
    port=$(sed -n "s/^# stream $1 .*:\([0-9]*\) > .*/\1/p" "$work/all")
    sed -n "s/^$port //p" "$work/variants"
}

# same FILE: adds the connections in which tshark sees PDUs; names those that the reader sees otherwise. FILE.tshark is
# what tshark says.
same()
{
    "$build/tests/capture_pdus" "$1" >"$work/all" || fail "$1: exit $?"
    grep -v '^#' "$work/all" >"$work/ours"
    [ -s "$1.tshark" ] || fail "${1##*/}: tshark decoded nothing"
    diff "$1.tshark" "$work/ours" >"$work/diff" || {
        for stream in $(sed -n "s/^[<>] [0-9]*$tab\([0-9]*\)$tab.*/\1/p" "$work/diff" | sort -un); do
            fail "${1##*/}: variant $(variant_of "$stream") (tcp.stream $stream) differs from tshark"
            awk -F"$tab" -v s="$stream" '$2 == s' "$work/diff" | cut -c 1-150
        done
    }
    decoded=$(cut -f 2 "$1.tshark" | sort -u | wc -l)
    compared=$((compared + decoded))
}

variants=$(wc -l <"$work/variants")
compared=0
set -- ethernet vlan qinq raw sll sll2 null loop
# tshark takes a second to start: two at a time.
while [ $# -gt 0 ]; do
    decode "$work/$1.pcap" >"$work/$1.pcap.tshark" &
    decode "$work/$2.pcap" >"$work/$2.pcap.tshark"
    wait $!
    for link in "$1" "$2"; do
        same "$work/$link.pcap"
        [ "$decoded" -ge "$variants" ] || fail "$link: only $decoded of $variants variants were decoded"
    done
    shift 2
done

# All in one file: as many interfaces as there are link types, and as snapshot lengths.
editcap -s 65000 "$work/loop.pcap" "$work/shorter.pcap"
mergecap -a -I all -w "$work/all.pcapng" "$work/ethernet.pcap" "$work/raw.pcap" "$work/sll.pcap" "$work/sll2.pcap" \
    "$work/null.pcap" "$work/shorter.pcap"
[ "$(capinfos -I "$work/all.pcapng" 2>/dev/null | grep -c 'Encapsulation =')" -ge 6 ] || fail "interfaces of all.pcapng"
decode "$work/all.pcapng" >"$work/all.pcapng.tshark"
same "$work/all.pcapng"
[ "$decoded" -ge $((6 * variants)) ] || fail "all.pcapng: only $decoded were decoded"
"$build/tests/capture_pdus" "$work/all.pcapng" ip6 >"$work/got" || fail "a filter over several link types: exit $?"
[ "$(grep -c '^# stream' "$work/got")" -eq "$(grep -c '^# stream [0-9]* 2001:' "$work/all")" ] ||
    fail "a filter over several link types lets other connections through"

# What is not in the capture is told.
"$build/tests/capture_pdus" "$work/ethernet.pcap" | grep '^#' >"$work/remarks"
remark()
{
    stream=$(awk -v p="$(sed -n "s/ $1\$//p" "$work/variants")" '$0 ~ ":" p " " { print }' "$work/remarks" | head -n 1)
    case $stream in
    *$2*) ;;
    *) fail "variant $1 is told as '$stream' and not as '$2'" ;;
    esac
}
remark plain 'missing 0 cut 0 again 0 differing 0 late 0'
remark gap 'missing 90 '
remark fragments 'missing 180 '
grep -q 'fragments 8 ' "$work/remarks" || fail "fragments are not counted"
remark overlap-other 'differing 70 '
remark again 'differing 0 '
remark again-other 'differing 728 '
remark middle 'midstream missing 0'
remark reversed 'late 7'
grep -q '40016 .* cut [1-9]' "$work/remarks" || fail "the snapshot length is not told"

# Other kinds of file say the same.
for link in ethernet raw sll2; do
    "$build/tests/capture_pdus" "$work/$link.pcap" >"$work/expected"
    editcap -F pcapng "$work/$link.pcap" "$work/ng.pcapng"
    editcap -F nsecpcap "$work/$link.pcap" "$work/ns.pcap"
    gzip -c "$work/$link.pcap" >"$work/plain.pcap.gz"
    gzip -c "$work/ng.pcapng" >"$work/ng.pcapng.gz"
    for file in ng.pcapng ns.pcap plain.pcap.gz ng.pcapng.gz; do
        "$build/tests/capture_pdus" "$work/$file" >"$work/got" || fail "$file of $link: exit $?"
        cmp -s "$work/expected" "$work/got" || fail "$file of $link differs from the plain capture"
        compared=$((compared + variants))
    done
    "$build/tests/capture_pdus" - <"$work/plain.pcap.gz" >"$work/got" && cmp -s "$work/expected" "$work/got" ||
        fail "$link from standard input differs"
done
echo "$compared connections compared, $variants variants"
[ "$variants" -ge 60 ] && [ "$compared" -ge $((8 * variants)) ] || fail "only $compared connections of $variants variants"
finish
