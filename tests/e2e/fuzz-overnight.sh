#!/bin/sh
# A very short night: it runs, is interrupted by nothing, finds nothing and leaves a whole report; then a broken target is
# found, with exit 1 and a reproducer that fails again.
set -eu
bin=$1 src=$2
dir=$bin/overnight-test
fail() { echo "$1"; exit 1; }
"$src/scripts/fuzz-overnight" --hours 0.008 --jobs 2 --fresh "$dir" >"$dir.log" 2>&1 || { tail -n 40 "$dir.log"; fail "a short night failed"; }
report=$dir/report/report.md
for what in 'Begun: 20' 'Ended: 20' '| AFL++ afl1 | login_session | [0-9]' '| libFuzzer | login_session | [0-9]' \
    '| libFuzzer | text_keys | [0-9]' 'login_steps.c' 'None.'; do
    grep -q -- "$what" "$report" || { cat "$report"; fail "the report has no '$what'"; }
done
[ -s "$dir/report/coverage/index.html" ] || fail "no coverage as HTML"
before=$(find "$dir/work/login_session/corpus" -type f | wc -l)
status=0
ISCSISPEC_FUZZ_DEFECTS=accept-any-version "$src/scripts/fuzz-overnight" --hours 0.008 --jobs 2 "$dir" >"$dir.log" 2>&1 || status=$?
[ $status -eq 1 ] || { tail -n 40 "$dir.log"; fail "findings: exit $status instead of 1"; }
[ "$(find "$dir/work/login_session/corpus" -type f | wc -l)" -ge "$before" ] || fail "the second run began anew"
reproducer=$(find "$dir/report/findings/login_session" -name reproducer | head -n 1)
[ -s "$reproducer" ] || fail "no reproducer"
if ISCSISPEC_FUZZ_DEFECTS=accept-any-version "$dir/libfuzzer/fuzz/fuzz_login_session" "$reproducer" >/dev/null 2>&1; then
    fail "the reproducer does not fail"
fi
"$dir/libfuzzer/fuzz/fuzz_login_session" "$reproducer" >/dev/null 2>&1 || fail "the reproducer fails without the defect"
echo "fine: $(sed -n '3,7p' "$report" | tr '\n' ' ')"
