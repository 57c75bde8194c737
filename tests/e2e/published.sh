#!/bin/sh
# What is checked in under reports/published is what a fresh run gives.
. "${0%/*}/lib.sh"

expect_exit 0 300000 "$iscsispec" selftest --out "$work/selftest" --write-kill-table "$work/kill-table.json"
cmp -s "$work/kill-table.json" "$source/reports/published/kill-table.json" || {
    fail "reports/published/kill-table.json is stale: run scripts/publish"
    diff "$work/kill-table.json" "$source/reports/published/kill-table.json" | head -n 20
}
expect_exit 0 60000 "$iscsispec" run --out "$work/run" --published "$work/coverage-reference.md"
cmp -s "$work/coverage-reference.md" "$source/reports/published/coverage-reference.md" || {
    fail "reports/published/coverage-reference.md is stale: run scripts/publish"
    diff "$work/coverage-reference.md" "$source/reports/published/coverage-reference.md" | head -n 20
}

# The README holds the same table.
sed -n '/^| Code /,/^$/p' "$source/reports/published/coverage-reference.md" | grep '^|' >"$work/table"
sed -n '/<!-- coverage-reference -->/,/<!-- end -->/p' "$source/README.md" | grep '^|' >"$work/readme"
cmp -s "$work/table" "$work/readme" || fail "the table in README.md is stale: run scripts/publish"
finish
