#!/bin/sh
# The same abuse again and again: the target goes on serving in between, keeps its memory and its descriptors, and its
# log says what it refused and why.
. "${0%/*}/lib.sh"
abuse=$build/tests/abuse
socket=$work/control
iqn=iqn.2026-01.example:open
rounds=2

start_target t --control "$socket" --login-timeout 1 --portal main=127.0.0.1:0 --target $iqn --lun 2M
pid=$(cat "$work/t.pid")
port=$(target_port t main)

# resident: kilobytes in memory
resident()
{
    awk '/^VmRSS:/ { print $2 }' "/proc/$pid/status"
}
descriptors()
{
    find "/proc/$pid/fd" -mindepth 1 | wc -l
}
# settled: nobody is connected any more
settled()
{
    i=0
    until "$target" --ctl "$socket" sessions 2>/dev/null | grep '"connections":\[\]' >/dev/null; do
        i=$((i + 1))
        [ $i -lt 100 ] || {
            fail "connections are left over"
            return
        }
        sleep 0.1
    done
}
serves()
{
    expect_exit 0 5000 iscsi-inq "iscsi://127.0.0.1:$port/$iqn/0"
    expect_exit 0 5000 "$target" --ctl "$socket" portals
}
# round COUNT
round()
{
    expect_exit 0 60000 "$abuse" stall 127.0.0.1 "$port" "$1"
    serves
    expect_exit 0 100000 "$build/tests/cut_reads" 127.0.0.1 "$port" $iqn "$1"
    serves
    expect_exit 0 60000 "$abuse" reset 127.0.0.1 "$port" "$1"
    expect_exit 0 60000 "$abuse" garbage 127.0.0.1 "$port" 200
    serves
    expect_exit 0 60000 "$abuse" junk "$socket" 200
    serves
    settled
}

# The first round makes the heap as large as the others need it.
round 1000
memory=$(resident) files=$(descriptors)
for _ in $(seq 2 $rounds); do round 300; done
grown=$(($(resident) - memory))
# The address sanitizer keeps what was freed for a while on purpose; it looks for leaks itself, at the end.
grep libasan "/proc/$pid/maps" >/dev/null || [ $grown -le 4096 ] || fail "memory grew by $grown kB in $((rounds - 1)) rounds"
[ "$(descriptors)" -eq "$files" ] || fail "$(descriptors) descriptors instead of $files"

# --- the log: who, what, why
for line in '127\.0\.0\.1:[0-9]+: login timed out' 'refused 0x020b|refused 0x0200|refused 0x0205|closed without an answer'; do
    grep -E "$line" "$work/t.out" >/dev/null || fail "no log line like: $line"
done
[ "$(grep -c 'login timed out' "$work/t.out")" -ge 1000 ] || fail "$(grep -c 'login timed out' "$work/t.out") lines about logins that timed out"

kill -TERM "$pid"
wait "$pid"
status=$?
[ $status -eq 0 ] || {
    fail "exit $status"
    tail -n 30 "$work/t.out"
}
finish
