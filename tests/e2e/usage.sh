#!/bin/sh
# What iscsispec-target prints and exits: help, version, defects; a full disk is no success.
. "${0%/*}/lib.sh"

expect_exit 0 2000 "$target" --help
expect_output '^  --portal \[NAME=\]ADDR:PORT\[,TAG\]$'
expect_output '^Exit status$'
expect_exit 0 2000 "$target" -h
expect_exit 0 2000 "$target" --version
expect_output '^iscsispec-target [0-9]+\.[0-9]+\.[0-9]+$'
expect_exit 0 2000 "$target" --list-defects
expect_output '^no-tpgt +'
lines=$(wc -l <"$work/output")
expect_exit 0 2000 "$target" --list-defects=json
[ "$(jq length "$work/output")" -eq $((lines - 1)) ] || fail "$lines lines as a table, $(jq length "$work/output") rows as JSON"
expect_exit 2 2000 "$target" --list-defects=xml
expect_exit 2 2000 "$target" --nonsense
for flag in --help --version --list-defects --list-defects=json; do
    expect_exit 4 2000 sh -c "'$target' $flag >/dev/full"
done
finish
