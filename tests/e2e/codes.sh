#!/bin/sh
# A target that knows five codes only gets a table with exactly these.
. "${0%/*}/lib.sh"

extra='--codes 0000,0201,0203,0207,0301'
"$iscsispec" run --extra "$extra" --out "$work/run" >"$work/output" 2>&1
status=$?
[ $status -eq 1 ] || fail "exit $status instead of 1"
expect_output 'Server: 5/18 \(28%\)'
seen=$(jq -r '.codes[] | select(.server == "seen") | .code' "$work/run/coverage.json" | sort | tr '\n' ' ')
[ "$seen" = '0x0000 0x0201 0x0203 0x0207 0x0301 ' ] || fail "seen: $seen"
finish
