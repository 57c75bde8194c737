#!/bin/sh
# The whole run in a sanitizer build: no report of the sanitizers, no leak in any case (a worker that leaked gives no
# verdict). In other builds it is just a run.
. "${0%/*}/lib.sh"

LSAN_OPTIONS=suppressions=$source/tests/lsan.supp:print_suppressions=0
UBSAN_OPTIONS=print_stacktrace=1
export LSAN_OPTIONS UBSAN_OPTIONS
expect_exit 0 240000 "$iscsispec" run --out "$work/run" --timeout 10000
if grep -Eq 'Sanitizer|runtime error' "$work/output"; then
    fail "a sanitizer reported"
    grep -E -A 15 'Sanitizer|runtime error' "$work/output" | head -n 60
fi
finish
