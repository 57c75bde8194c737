#!/bin/sh
# libiscsi's own tools live with the reference target.
. "${0%/*}/lib.sh"

printf 'alice:alicesecret12\n' >"$work/secrets"
start_target t --portal main=127.0.0.1:0 --portal chap=127.0.0.1:0,2 \
    --target iqn.2026-01.example:open --on main --target iqn.2026-01.example:chap --chap-file "$work/secrets" --on chap
port=$(target_port t main)
chap=$(target_port t chap)
expect_exit 0 5000 iscsi-ls "iscsi://127.0.0.1:$port"
expect_output 'iqn.2026-01.example:open'
expect_exit 0 5000 iscsi-ls "iscsi://alice%alicesecret12@127.0.0.1:$chap"
expect_output 'iqn.2026-01.example:chap'
expect_exit 0 5000 iscsi-ls -s "iscsi://alice%alicesecret12@127.0.0.1:$chap"
expect_output 'iqn.2026-01.example:chap'
expect_exit 0 5000 iscsi-inq "iscsi://127.0.0.1:$port/iqn.2026-01.example:open/0"
expect_exit 10 5000 iscsi-inq "iscsi://alice%wrongsecret99@127.0.0.1:$chap/iqn.2026-01.example:chap/0"
expect_output 'Authentication failure'
kill -TERM "$(cat "$work/t.pid")"
wait "$(cat "$work/t.pid")"
status=$?
[ $status -eq 0 ] || fail "exit $status after SIGTERM"
finish
