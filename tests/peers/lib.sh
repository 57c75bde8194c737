# Sourced by the tests of this folder: other people's initiators and tools on the reference target, everything that goes
# over the wire captured and given to tshark. They are called as: TEST BUILD-DIR SOURCE-DIR
# shellcheck shell=sh
# shellcheck source-path=SCRIPTDIR

# Captures need root; anybody is root in a network of his own.
if [ "$(id -u)" -ne 0 ]; then
    exec unshare -rn sh -c 'ip link set lo up && exec "$@"' sh "$0" "$@"
fi
. "$(dirname -- "$0")/../e2e/lib.sh"
. "$source/scripts/lib/tgtd.sh"

# Short names: with longer ones, page 83h does not fit into the 64 bytes that iscsi-inq asks for first, and tshark calls
# a page that was cut by its allocation length malformed.
iqn=iqn.2026-01.test
initiator=$iqn:peer
user=alice secret=alicesecret12
target_user=target target_secret=targetsecret12
# No leak check can be told from a process that is killed: targets end by SIGTERM, see end_target.
ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}exitcode=99"
export ASAN_OPTIONS

# need COMMAND...: a missing package is a failure.
need()
{
    for command in "$@"; do
        command -v "$command" >/dev/null || {
            fail "$command is not installed (scripts/lib/setup.sh names the packages)"
            finish
        }
    done
}

# start_peer_target: open, one-way and mutual CHAP targets with disks of 64 MiB; sets $port.
start_peer_target()
{
    start_target peer --portal main=127.0.0.1:0 \
        --target $iqn:open --lun 64M \
        --target $iqn:chap --lun 64M --chap $user:$secret \
        --target $iqn:both --lun 64M --chap $user:$secret --mutual-chap $target_user:$target_secret "$@"
    port=$(target_port peer main)
}

# end_target NAME: it ends by SIGTERM with 0, and no sanitizer has found anything.
end_target()
{
    pid=$(cat "$work/$1.pid")
    kill -TERM "$pid"
    wait "$pid"
    ended=$?
    [ $ended -eq 0 ] || fail "target $1 ended with $ended"
    ! grep -E 'Sanitizer|runtime error' "$work/$1.out" || fail "a sanitizer spoke in target $1"
}

# capture_begin PORT: into $work/peers.pcap; dumpcap rather than tcpdump, which cannot give up the root of a namespace.
capture_begin()
{
    capture_port=$1
    dumpcap -q -i lo -P -B 128 -f "tcp port $1" -w "$work/peers.pcap" 2>"$work/dumpcap.out" &
    capture_pid=$!
    started="$started $!"
    i=0
    until grep -q '^File:' "$work/dumpcap.out"; do
        i=$((i + 1))
        [ $i -lt 200 ] && kill -0 $capture_pid 2>/dev/null || {
            fail "dumpcap does not capture"
            cat "$work/dumpcap.out"
            finish
        }
        sleep 0.05
    done
}

# capture_end: all of it is in the file; dumpcap gets what the kernel has within a second.
capture_end()
{
    sleep 1.5
    kill -INT $capture_pid
    wait $capture_pid
    grep -q '/0 (pcap:0/dumpcap:0/' "$work/dumpcap.out" || {
        fail "dumpcap lost packets"
        cat "$work/dumpcap.out"
    }
}

# dissect PCAP FILTER TSHARK-OPTION...: the frames that match.
dissect()
{
    pcap=$1 filter=$2
    shift 2
    tshark -2 -r "$pcap" -d "tcp.port==$capture_port,iscsi" -o tcp.reassemble_out_of_order:TRUE \
        -o iscsi.bogus_pdu_filter:FALSE -Y "$filter" "$@" 2>"$work/tshark.err" || {
        fail "tshark: $filter"
        cat "$work/tshark.err"
    }
}

# What must not be there: malformed parts, opcodes and pairs that tshark does not know.
undecoded='_ws.malformed or iscsi.opcode.invalid or iscsi.keyvalue.invalid or iscsi.ahs.unknown_blob'

# sent_bytes PCAP: payload of all connections in both directions, each byte counted once.
sent_bytes()
{
    dissect "$1" 'tcp.len > 0' -T fields -e tcp.stream -e tcp.srcport -e tcp.nxtseq -e tcp.flags.fin | awk '
        { end = $3 - 1 - $4; if (end > ends[$1 " " $2]) ends[$1 " " $2] = end }
        END { for (way in ends) sum += ends[way]; print sum + 0 }'
}

# decoded_bytes PCAP: those that tshark has made PDUs of. opcodes: a file for the opcodes and how often each came.
decoded_bytes()
{
    dissect "$1" iscsi -T fields -e iscsi.opcode -e iscsi.totalahslength -e iscsi.datasegmentlength \
        -e iscsi.headerdigest32 -e iscsi.datadigest32 | awk -F'\t' -v file="$2" '
        {
            pdus = split($1, opcode, ",")
            for (i = 1; i <= pdus; i++)
                count[opcode[i]]++
            sum += 48 * pdus
            for (i = split($2, length_, ","); i > 0; i--)
                sum += 4 * strtonum_(length_[i])
            for (i = split($3, length_, ","); i > 0; i--)
                sum += 4 * int((strtonum_(length_[i]) + 3) / 4)
            sum += 4 * (split($4, digest, ",") + split($5, digest, ","))
        }
        # decimal or 0x...; mawk has no strtonum()
        function strtonum_(text,  i, value)
        {
            if (text !~ /^0x/)
                return text + 0
            for (i = 3; i <= length(text); i++)
                value = 16 * value + index("0123456789abcdef", substr(text, i, 1)) - 1
            return value
        }
        END { for (o in count) print o, count[o] >file; print sum + 0 }'
}

# check_decoded [PCAP]: tshark makes a right PDU of every byte.
check_decoded()
{
    pcap=${1:-$work/peers.pcap}
    dissect "$pcap" "$undecoded" >"$work/undecoded"
    if [ -s "$work/undecoded" ]; then
        fail "tshark calls $(wc -l <"$work/undecoded") frames malformed or does not know them:"
        head -n 20 "$work/undecoded"
    fi
    dissect "$pcap" 'iscsi.headerdigest32 or iscsi.datadigest32' -O iscsi | grep -E 'Good CRC32|Bad CRC32' \
        >"$work/digests"
    ! grep 'Bad CRC32' "$work/digests" >"$work/bad" || {
        fail "wrong digests"
        head -n 5 "$work/bad"
    }
    : >"$work/opcodes"
    sent=$(sent_bytes "$pcap")
    decoded=$(decoded_bytes "$pcap" "$work/opcodes")
    sort -o "$work/opcodes" "$work/opcodes"
    [ "$sent" -gt 0 ] && [ "$sent" -eq "$decoded" ] || fail "tshark made PDUs of $decoded bytes out of $sent"
    echo "tshark: $(awk '{ n += $2 } END { print n + 0 }' "$work/opcodes") PDUs of $decoded bytes decoded, by opcode:" \
        "$(tr '\n' ';' <"$work/opcodes") $(wc -l <"$work/digests") digests"
}

# expect_opcode OPCODE...: the capture that check_decoded saw last has some of each.
expect_opcode()
{
    for opcode in "$@"; do
        grep -q "^$opcode " "$work/opcodes" || fail "no PDU of opcode $opcode in the capture"
    done
}
