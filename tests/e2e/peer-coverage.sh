#!/bin/sh
# The map of other suites' login cases is what the cases and the list say, and faults in either are told.
. "${0%/*}/lib.sh"

expect_exit 0 10000 "$source/scripts/peer-coverage" --check

# On a copy: a map that is stale, a case that covers nothing known, a row without a case and without a reason.
mkdir -p "$work/copy/scripts"
cp "$source/scripts/peer-coverage" "$work/copy/scripts/"
cp -r "$source/cases" "$source/docs" "$work/copy/"
chmod -R u+w "$work/copy"
echo >>"$work/copy/docs/peer-coverage.md"
expect_exit 1 10000 "$work/copy/scripts/peer-coverage" --check
expect_output 'is stale; make it anew'
printf -- '- id: a.b.c\n  covers: [no-such.case]\n' >"$work/copy/cases/text/more.yaml"
expect_exit 1 10000 "$work/copy/scripts/peer-coverage" --check
expect_output 'a\.b\.c covers no-such\.case'
rm "$work/copy/cases/text/more.yaml"
printf 'Somebody\tsome.case\twhat it does\t\n' >>"$work/copy/docs/peer-cases.tsv"
expect_exit 1 10000 "$work/copy/scripts/peer-coverage" --check
expect_output 'some\.case: no case covers it'
finish
