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

iqn=iqn.2026-01.example.iscsispec
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
        --target $iqn:mutual --lun 64M --chap $user:$secret --mutual-chap $target_user:$target_secret "$@"
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

# capture_begin PORT: into $work/peers.pcap; ready when tcpdump says so.
capture_begin()
{
    capture_port=$1
    tcpdump -i lo -Z root -B 65536 -s 0 --immediate-mode -U -w "$work/peers.pcap" "tcp port $1" \
        2>"$work/tcpdump.out" &
    capture_pid=$!
    started="$started $!"
    i=0
    until grep -q 'listening on' "$work/tcpdump.out"; do
        i=$((i + 1))
        [ $i -lt 100 ] && kill -0 $capture_pid 2>/dev/null || {
            fail "tcpdump does not capture"
            cat "$work/tcpdump.out"
            finish
        }
        sleep 0.05
    done
}

# capture_end: all of it is in the file.
capture_end()
{
    sleep 0.3
    kill -INT $capture_pid
    wait $capture_pid
    grep -q '^0 packets dropped' "$work/tcpdump.out" || {
        fail "tcpdump lost packets"
        cat "$work/tcpdump.out"
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

# What must not be there: malformed parts, opcodes and pairs that tshark does not know, bytes that it could not cut into
# PDUs.
undecoded='_ws.malformed or iscsi.opcode.invalid or iscsi.keyvalue.invalid or iscsi.ahs.unknown_blob
    or (tcp.len > 0 and not iscsi and not tcp.reassembled_in)'

# check_decoded [PCAP]: tshark makes sense of every PDU.
check_decoded()
{
    pcap=${1:-$work/peers.pcap}
    dissect "$pcap" "$undecoded" >"$work/undecoded"
    if [ -s "$work/undecoded" ]; then
        fail "tshark does not decode $(wc -l <"$work/undecoded") frames:"
        head -n 20 "$work/undecoded"
    fi
    dissect "$pcap" 'iscsi.headerdigest32 or iscsi.datadigest32' -O iscsi | grep -E 'Good CRC32|Bad CRC32' \
        >"$work/digests"
    ! grep 'Bad CRC32' "$work/digests" | head -n 5 | grep . || fail "wrong digests"
    dissect "$pcap" iscsi -T fields -e iscsi.opcode | tr ',' '\n' | sort | uniq -c | awk '{ print $2, $1 }' >"$work/opcodes"
    [ -s "$work/opcodes" ] || fail "no PDU in the capture"
    echo "tshark: $(awk '{ n += $2 } END { print n }' "$work/opcodes") PDUs decoded, by opcode:" \
        "$(tr '\n' ';' <"$work/opcodes") $(wc -l <"$work/digests") digests"
}

# expect_opcode OPCODE...: the capture that check_decoded saw last has some of each.
expect_opcode()
{
    for opcode in "$@"; do
        grep -q "^$opcode " "$work/opcodes" || fail "no PDU of opcode $opcode in the capture"
    done
}
