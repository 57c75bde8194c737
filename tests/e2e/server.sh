#!/bin/sh
# The server around the engine: start, ready file, control verbs, ends, and what clients may not do to it.
. "${0%/*}/lib.sh"
abuse=$build/tests/abuse
socket=$work/control
open=iqn.2026-01.example:open

# expect_end NAME STATUS LIMIT-MS: the target ends by itself
expect_end()
{
    begin=$(now_ms)
    wait "$(cat "$work/$1.pid")"
    status=$?
    took=$(($(now_ms) - begin))
    [ $status -eq "$2" ] || fail "$1: exit $status instead of $2"
    [ $took -le "$3" ] || fail "$1: the end took $took ms, allowed $3"
}

# --- start: several portals, also IPv6; the ready file is the first line of output; everything goes at the end
start_target t --control "$socket" --login-timeout 2 --drain-timeout 60 --log-level info \
    --portal main=127.0.0.1:0 --portal side=127.0.0.1:0,2 --portal six=[::1]:0,3 \
    --target $open --target iqn.2026-01.example:moved --on main,side --moved-temporarily @side
pid=$(cat "$work/t.pid")
port=$(target_port t main)
[ "$(head -n 1 "$work/t.out")" = "$(cat "$work/t.json")" ] || fail "ready file and first line differ"
[ "$(jq -r .pid "$work/t.json")" = "$pid" ] || fail "pid in the ready file"
[ "$(jq -r '.targets[0]' "$work/t.json")" = $open ] || fail "targets in the ready file"
[ "$(jq -r '.portals.six | "\(.address) \(.tag)"' "$work/t.json")" = "::1 3" ] || fail "portal six in the ready file"
for portal in main side; do
    expect_exit 0 5000 iscsi-ls "iscsi://127.0.0.1:$(target_port t $portal)"
    expect_output "$open"
done
expect_exit 0 5000 iscsi-ls "iscsi://[::1]:$(target_port t six)"
expect_output "$open"
expect_exit 0 5000 iscsi-inq "iscsi://127.0.0.1:$port/$open/0"
expect_exit 4 5000 "$target" --portal "127.0.0.1:$port"
expect_output "--portal 'main=127.0.0.1:$port': .*in use.*another port"
expect_exit 4 5000 "$target" --portal 127.0.0.1:0 --control "$socket"
expect_output 'another process listens there'
expect_exit 4 5000 "$target" --portal 127.0.0.1:0 --control "$work/none/control"
expect_output "--control '.*none/control'"
expect_exit 4 5000 "$target" --portal 127.0.0.1:0 --ready-file "$work/none/ready"
expect_output "--ready-file '.*none/ready'"
expect_exit 2 2000 "$target" --portl 127.0.0.1:0
expect_output 'did you mean --portal'

# --- control verbs, in pairs
expect_exit 0 5000 "$target" --ctl "$socket" help
expect_output '^drain \[PORTAL\] - '
expect_exit 0 5000 "$target" --ctl "$socket" portals
expect_output "\"main\":\\{\"address\":\"127.0.0.1\",\"port\":$port,\"tag\":1\\}"
for pair in "drain main;resume main;Service Unavailable|Service unavailable|SERVICE_UNAVAILABLE" \
    "remove $open;restore $open;removed|Removed" "fault $open;mend $open;Target error|TARGET_ERROR|Target Error" \
    "force 0203 $open;force none $open;not found|Not found" "force OUT_OF_RESOURCES;force none;esources"; do
    do=${pair%%;*}
    rest=${pair#*;}
    # shellcheck disable=SC2086
    expect_exit 0 5000 "$target" --ctl "$socket" $do
    expect_exit 10 5000 iscsi-inq "iscsi://127.0.0.1:$port/$open/0"
    expect_output "${rest#*;}"
    # shellcheck disable=SC2086
    expect_exit 0 5000 "$target" --ctl "$socket" ${rest%%;*}
    expect_exit 0 5000 iscsi-inq "iscsi://127.0.0.1:$port/$open/0"
done
expect_exit 1 5000 "$target" --ctl "$socket" drain nowhere
expect_output "error: there is no portal 'nowhere'"
expect_exit 1 5000 "$target" --ctl "$socket" force 02zz
expect_output 'error: the code'
expect_exit 1 5000 "$target" --ctl "$socket" dance
expect_output "there is no verb 'dance'"
expect_exit 1 5000 "$target" --ctl "$socket" remove
expect_output 'write remove TARGET'
expect_exit 4 5000 "$target" --ctl "$work/nothing" help
expect_exit 0 5000 "$target" --ctl "$socket" sessions
expect_output '"sessions":0,"connections":\[\]'

# --- one log line for each refused login: who, where, what, why
expect_exit 0 5000 "$target" --ctl "$socket" drain main
expect_exit 10 5000 iscsi-inq "iscsi://127.0.0.1:$port/$open/0"
expect_exit 0 5000 "$target" --ctl "$socket" resume main
grep -E "127\\.0\\.0\\.1:[0-9]+: refused 0x0301 .*portal main, initiator iqn\\..*, target $open: " "$work/t.out" >/dev/null || fail "no log line for the refusal"

# --- abuse: it goes on serving
expect_exit 0 40000 "$abuse" junk "$socket" 300
expect_exit 0 5000 "$target" --ctl "$socket" portals
expect_exit 0 60000 "$abuse" garbage 127.0.0.1 "$port" 300
expect_exit 0 40000 "$abuse" reset 127.0.0.1 "$port" 1000
expect_exit 0 40000 "$abuse" stall 127.0.0.1 "$port" 1000
expect_exit 0 5000 iscsi-inq "iscsi://127.0.0.1:$port/$open/0"
sleep 0.2
expect_exit 0 5000 "$target" --ctl "$socket" sessions
expect_output '"connections":\[\]'

# --- the end: idle at once, quit at once
kill -TERM "$pid"
expect_end t 0 10000
[ ! -e "$work/t.json" ] || fail "the ready file is still there"
[ ! -e "$socket" ] || fail "the control socket is still there"
start_target t --control "$socket" --portal 127.0.0.1:0
expect_exit 0 5000 "$target" --ctl "$socket" quit
expect_end t 0 10000

# --- a connection in its login holds the drain up, to the time-out; a second signal ends it
for second in no yes; do
    [ $second = no ] && timeout=3 || timeout=60
    start_target t --portal 127.0.0.1:0 --drain-timeout $timeout --login-timeout 90 --control "$socket"
    mkfifo "$work/hold"
    "$abuse" hold 127.0.0.1 "$(target_port t main)" 3 <"$work/hold" >"$work/held" &
    started="$started $!"
    exec 9>"$work/hold"
    while [ ! -s "$work/held" ]; do sleep 0.05; done
    sleep 0.2
    kill -INT "$(cat "$work/t.pid")"
    sleep 0.2
    expect_exit 0 5000 "$target" --ctl "$socket" sessions
    expect_output '("phase":"login".*){3}'
    [ $second = no ] || kill -TERM "$(cat "$work/t.pid")"
    expect_end t 0 10000
    [ $second = yes ] || [ "$took" -ge 1000 ] || fail "the drain did not wait"
    exec 9>&-
    rm -f "$work/hold" "$work/held"
done

# --- SIGTERM under load
start_target t --portal 127.0.0.1:0 --target $open --drain-timeout 3
"$build/tests/login_loop" 127.0.0.1 "$(target_port t main)" $open 200000 100 >"$work/load" 2>&1 &
load=$!
started="$started $load"
sleep 0.5
kill -TERM "$(cat "$work/t.pid")"
expect_end t 0 15000
kill -TERM $load 2>/dev/null

# --- out of descriptors: connections wait, nothing spins, and it goes on when there is room again
(
    ulimit -n 160
    exec "$target" --ready-file "$work/few.json" --portal 127.0.0.1:0 --login-timeout 1
) >"$work/few.out" 2>&1 &
few=$!
started="$started $few"
i=0
while [ ! -s "$work/few.json" ] && [ $i -lt 200 ]; do
    i=$((i + 1))
    sleep 0.05
done
expect_exit 0 40000 "$abuse" stall 127.0.0.1 "$(target_port few main)" 400
expect_exit 0 5000 iscsi-ls "iscsi://127.0.0.1:$(target_port few main)"
grep 'no room for more' "$work/few.out" >/dev/null || fail "no log line about descriptors"
ticks=$(awk '{print $14 + $15}' "/proc/$few/stat")
[ "$ticks" -lt 200 ] || fail "$ticks ticks of CPU"
kill -TERM $few
wait $few
status=$?
[ $status -eq 0 ] || fail "exit $status after want of descriptors"
finish
