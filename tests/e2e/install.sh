#!/bin/sh
# An installed copy finds its own data and its own target.
. "${0%/*}/lib.sh"

unset ISCSISPEC_DATA
cmake --install "$build" --prefix "$work/usr" >"$work/output" 2>&1 || fail "cmake --install failed"
expect_exit 0 20000 "$work/usr/bin/iscsispec" --version
expect_exit 0 20000 "$work/usr/bin/iscsispec" list codes
[ "$(grep -c '0x0' "$work/output")" -eq 18 ] || fail "list codes gives $(wc -l <"$work/output") lines"
expect_exit 0 20000 "$work/usr/bin/iscsispec" run --out "$work/run" --select 'code:0x0000'
[ "$(readlink -f "$work/usr/share/iscsispec/cases/requirements.yaml")" != "" ] || fail "no catalogue installed"
finish
