#!/bin/sh
# The reports: valid for those who read them, and telling what the results tell; shards, repeats, early ends, terminal.
. "${0%/*}/lib.sh"

valid()
{
    python3 "${0%/*}/validate.py" "$@" >"$work/output" 2>&1 || fail "not valid: $* $(head -n 5 "$work/output")"
}
invalid()
{
    python3 "${0%/*}/validate.py" "$@" >"$work/output" 2>&1 && fail "valid although broken: $*"
}
results()
{
    sed 1d "$work/$1/results.jsonl"
}

# A run with every kind of verdict that a living target can give.
cat >"$work/known.yaml" <<'YAML'
- case: names.initiator.missing
  reason: known # and told
  link: https://bugs.example/1
  until: 2199-01-01
YAML
sed '/^  discovery: {}/d' "$source/cases/profiles/reference.yaml" >"$work/mine.yaml"
select='names.*,keys.duplicate.*,discovery.session.*'
expect_exit 1 60000 "$iscsispec" run --select "$select" --out "$work/run" --waivers "$work/known.yaml" --seed 7 \
    --profile "$work/mine.yaml" --extra '--defect accept-duplicate-key --defect wrong-itt'
results run | jq -r .verdict | sort | uniq -c >"$work/verdicts"
for verdict in FAIL SKIP XFAIL; do
    grep -q " $verdict$" "$work/verdicts" || fail "no $verdict in the run: $(cat "$work/verdicts")"
done
expect_output "the first alone: iscsispec run --profile .*/mine.yaml --extra '--defect accept-duplicate-key --defect wrong-itt'"

# JUnit: the form that Jenkins and GitLab read, with counts that are right.
xmllint --noout --schema "$source/tests/schema/junit.xsd" "$work/run/junit.xml" >"$work/output" 2>&1 ||
    fail "junit.xml: $(head -n 3 "$work/output")"
sed 's/ classname="[^"]*"//' "$work/run/junit.xml" >"$work/broken.xml"
xmllint --noout --schema "$source/tests/schema/junit.xsd" "$work/broken.xml" >/dev/null 2>&1 && fail "the XSD lets anything through"
count()
{
    xmllint --xpath "$1" "$work/run/junit.xml"
}
[ "$(count 'count(//testcase)')" = "$(results run | jq -s length)" ] || fail "junit.xml: other cases"
[ "$(count 'count(//failure)')" = "$(results run | jq -s '[.[] | select(.verdict == "FAIL")] | length')" ] || fail "junit.xml: other failures"
[ "$(count 'sum(//testsuite/@failures)')" = "$(count 'count(//failure)')" ] || fail "junit.xml: failures do not add up"
[ "$(count 'string(/testsuites/@tests)')" = "$(count 'count(//testcase)')" ] || fail "junit.xml: tests do not add up"

# SARIF: valid, each result of a rule that is described, one for each finding.
valid "$source/tests/schema/sarif-2.1.0.schema.json" "$work/run/results.sarif"
jq 'del(.runs[0].results[0].message)' "$work/run/results.sarif" >"$work/broken.sarif.json"
invalid "$source/tests/schema/sarif-2.1.0.schema.json" "$work/broken.sarif.json"
jq -e '.runs[0] | . as $run | all(.results[]; $run.tool.driver.rules[.ruleIndex].id == .ruleId)' "$work/run/results.sarif" \
    >/dev/null || fail "results.sarif: an index leads to another rule"
found=$(results run | jq -s '[.[].findings // [] | .[] | select(.severity != "info" and (.ignored | not))] | length')
told=$(jq '[.runs[0].results[] | select(.properties.finding)] | length' "$work/run/results.sarif")
[ "$found" -eq "$told" ] && [ "$found" -gt 10 ] || fail "results.sarif: $told results for $found findings"
jq -e '[.runs[0].results[] | select(.suppressions)] | length > 0' "$work/run/results.sarif" >/dev/null || fail "results.sarif: nothing is waived"

# TAP 14, as its classic reader takes it.
sed '1s/14/13/' "$work/run/results.tap" >"$work/results13.tap"
perl -MTAP::Parser -e 'my $p = TAP::Parser->new({source => $ARGV[0]}); 1 while $p->next;
    print join(",", $p->parse_errors), "|", $p->tests_run, "|", scalar($p->failed), "|", scalar($p->todo), "|", scalar($p->skipped), "\n"' \
    "$work/results13.tap" >"$work/tap"
number()
{
    results run | jq -s "[.[] | select(.verdict == \"$1\")] | length"
}
[ "$(cat "$work/tap")" = "|$(results run | jq -s length)|$(number FAIL)|$(number XFAIL)|$(number SKIP)" ] || fail "results.tap: $(cat "$work/tap")"

# Our own JSON.
valid "$source/reports/schema/results.schema.json" "$work/run/results.jsonl"
valid "$source/reports/schema/coverage.schema.json" "$work/run/coverage.json"
results run | jq -c 'del(.verdict)' >"$work/broken.jsonl"
invalid "$source/reports/schema/results.schema.json" "$work/broken.jsonl"
grep -q '^| Subject ' "$work/run/coverage.md" || fail "coverage.md has no table of rules"
grep -q '^- L-ITT-[0-9]* (MUST' "$work/run/coverage.md" || fail "coverage.md does not name the broken rule"

# Made again from the results alone, all come out the same.
mkdir "$work/again"
for file in coverage.md coverage.json junit.xml results.sarif results.tap report.html; do
    cp "$work/run/$file" "$work/again/"
done
expect_exit 0 20000 "$iscsispec" report "$work/run"
for file in coverage.md coverage.json junit.xml results.sarif results.tap report.html; do
    cmp -s "$work/again/$file" "$work/run/$file" || fail "$file differs when it is made again"
done

# Shards: together they are the run; one alone is not, twice the same neither.
for shard in 1 2 3; do
    expect_exit 0 30000 "$iscsispec" run --quiet --select 'names.*' --out "$work/shard$shard" --shard $shard/3
done
expect_exit 0 30000 "$iscsispec" run --quiet --select 'names.*' --out "$work/whole"
expect_exit 0 20000 "$iscsispec" report "$work/shard3" "$work/shard1" "$work/shard2" --out "$work/merged"
results whole | jq -c '[.id, .verdict]' >"$work/one"
results merged | jq -c '[.id, .verdict]' >"$work/other"
cmp -s "$work/one" "$work/other" || fail "three shards are not the whole: $(diff "$work/one" "$work/other" | head -n 5)"
results merged | jq -r '.evidence // {} | .[]' | while read -r file; do
    [ -s "$work/merged/$file" ] || fail "evidence of a shard is missing: $file"
done
[ "$(results shard1 | jq -s length)" -lt "$(results whole | jq -s length)" ] || fail "a shard is all"
expect_exit 2 10000 "$iscsispec" report "$work/shard1" "$work/shard2" --out "$work/merged"
expect_output 'shard 3/3 is missing'
expect_exit 2 10000 "$iscsispec" run --shard 4/3 --out "$work/none"

# The matrix of two targets.
expect_exit 0 20000 "$iscsispec" report "$work/run" "$work/whole" --out "$work/matrix"
valid "$source/reports/schema/matrix.schema.json" "$work/matrix/matrix.json"
grep -q '^| 0x0203 ' "$work/matrix/matrix.md" || fail "matrix.md has no codes"
grep -q 'Broken by' "$work/matrix/matrix.md" || fail "matrix.md names no broken rule"

# Repeated: evidence of each round; stopped early: at least 1.
expect_exit 0 30000 "$iscsispec" run --quiet --select 'names.initiator.*' --repeat 3 --out "$work/repeat"
results repeat | jq -e -s 'all(.[]; .runs == 3 or .verdict == "SKIP")' >/dev/null || fail "not run three times"
ls "$work/repeat/evidence/"*~3.pcap >/dev/null || fail "the third round has no evidence"
expect_exit 1 30000 "$iscsispec" run --fail-fast --jobs 1 --out "$work/fast" --extra '--defect wrong-itt'
[ "$(results fast | jq -s '[.[] | select(.verdict == "FAIL")] | length')" -le 5 ] || fail "--fail-fast went on"
expect_output '^stopped early: --fail-fast, at '
expect_exit 1 10000 "$iscsispec" run --max-time 1s --jobs 1 --repeat 50 --out "$work/time"
expect_output '^stopped early: --max-time is over: '

# In CI plain lines; on a terminal a line that moves; colours only where they are wanted.
expect_exit 1 30000 "$iscsispec" run --select 'names.initiator.*' --out "$work/plain" --extra '--defect wrong-itt'
grep -q "$(printf '[\033\r]')" "$work/output" && fail "escapes in plain output"
terminal()
{
    env "$@" script -qec "$iscsispec run --select 'names.*' --out $work/tty --extra '--defect wrong-itt'" /dev/null >"$work/tty.out" </dev/null
}
terminal TERM=xterm NO_COLOR=
grep -q "$(printf '\033\\[K\\[')#*\.*\] [0-9]*/[0-9]*" "$work/tty.out" || fail "no line that moves"
grep -q "$(printf '\033\\[31mFAIL')" "$work/tty.out" || fail "no colours on a terminal"
terminal TERM=xterm NO_COLOR=1
grep -q "$(printf '\033\\[3')" "$work/tty.out" && fail "colours in spite of NO_COLOR"
finish
