# Sourced by tests and benchmarks that compare with Debian's tgtd: one of our own, on a free loopback port, with its
# control socket in a folder of ours.
# shellcheck shell=sh

# tgtd_start DIR NAME [IMAGE]: serves the target NAME; its LUN 1 is IMAGE, or a disk without store. Sets $tgtd_pid and
# $tgtd_port; the caller ends the process with KILL (tgtd ignores TERM). False: it did not get ready.
tgtd_start()
{
    tgtd_dir=$1
    TGT_IPC_SOCKET=$tgtd_dir/tgtd-socket
    export TGT_IPC_SOCKET
    tgtd_try=0
    while [ $tgtd_try -lt 10 ]; do
        tgtd_try=$((tgtd_try + 1))
        tgtd_port=$(shuf -i 20000-31999 -n 1)
        rm -f "$tgtd_dir"/tgtd-socket*
        tgtd -f -C 1 --iscsi "portal=127.0.0.1:$tgtd_port" >"$tgtd_dir/tgtd.log" 2>&1 &
        tgtd_pid=$!
        if tgtd_ready && tgtd_serve "$2" "${3:-}"; then
            return 0
        fi
        kill -KILL "$tgtd_pid" 2>/dev/null
    done
    cat "$tgtd_dir/tgtd.log" >&2
    return 1
}

tgtd_admin()
{
    tgtadm -C 1 --lld iscsi "$@"
}

# tgtd_ready: it answers on its control socket, and has its port (without it, it runs on all the same).
tgtd_ready()
{
    tgtd_wait=0
    until tgtd_admin --mode sys --op show >/dev/null 2>&1; do
        tgtd_wait=$((tgtd_wait + 1))
        [ $tgtd_wait -lt 100 ] && kill -0 "$tgtd_pid" 2>/dev/null || return 1
        sleep 0.05
    done
    ! grep -q 'failed to create/bind' "$tgtd_dir/tgtd.log"
}

tgtd_serve()
{
    tgtd_admin --mode target --op new --tid 1 --targetname "$1" || return 1
    if [ -n "$2" ]; then
        tgtd_admin --mode logicalunit --op new --tid 1 --lun 1 --bstype rdwr --backing-store "$2" || return 1
    else
        tgtd_admin --mode logicalunit --op new --tid 1 --lun 1 --bstype null --backing-store /dev/null || return 1
    fi
    tgtd_admin --mode target --op bind --tid 1 --initiator-address ALL
}
