#!/bin/sh
# scripts/fuzz-tgt: Debian's tgtd fuzzed from within for a minute. It reaches code behind the login, is steady enough to be
# guided, and a fault put into the login code (a crash behind a right CHAP_R) is found, and is not there without it.
# Needs the package archive (the source of tgt).
. "${0%/*}/lib.sh"
dir=$build/fuzz-tgt-test
timeout 1500 "$source/scripts/fuzz-tgt" --time 60s "$dir" >"$work/output" 2>&1
status=$?
cat "$work/output"
[ $status -le 1 ] || { fail "exit $status"; finish; }
stat() { sed -n "s/^$1 *: \([0-9]*\).*/\1/p" "$dir/work/default/fuzzer_stats"; }
[ "$(stat edges_found)" -ge 600 ] || fail "only $(stat edges_found) edges"
[ "$(stat stability)" -ge 80 ] || fail "stability $(stat stability) %"
grep -q '^| AddressSanitizer | [0-9]' "$dir/report.md" || fail "the report has no run with the sanitizer"

# --- a fault of ours, behind the check of CHAP_R
broken=$work/broken
mkdir "$broken" && cp -r "$dir/source" "$dir/source.version" "$broken/"
# shellcheck disable=SC2016
awk '/memcmp\(our_digest, his_digest, digest_len\)/ { print "\tif (!memcmp(our_digest, his_digest, digest_len))\n\t\tabort();" } { print }' \
    "$dir/source/usr/iscsi/chap.c" >"$broken/source/usr/iscsi/chap.c"
if cmp -s "$dir/source/usr/iscsi/chap.c" "$broken/source/usr/iscsi/chap.c"; then
    fail "the source has no place for the fault"
else
    timeout 1200 "$source/scripts/fuzz-tgt" --time 40s "$broken" >"$work/output" 2>&1
    [ $? -eq 1 ] || fail "the fault was not found"
    tail -n 3 "$work/output"
    grep -q "chap_initiator_auth_check_response" "$broken/report.md" || fail "the report does not name the place"
fi
finish
