#!/bin/sh
# Waivers, end to end: what is known to fail is XFAIL, what is not known fails the run, what ended or passes is named.
. "${0%/*}/lib.sh"

select='names.initiator.*,keys.duplicate.*'
defect='--defect accept-duplicate-key'
run()
{
    expected=$1 out=$2
    shift 2
    expect_exit "$expected" 30000 "$iscsispec" run --quiet --select "$select" --out "$work/$out" "$@"
}
verdict()
{
    sed 1d "$work/$1/results.jsonl" | jq -r "select(.id == \"$2\") | .verdict"
}

# Nothing is waived: the run fails. The file for review covers it.
run 1 plain --extra "$defect" --update-waivers
known=$work/plain/waivers.yaml
[ -s "$known" ] || fail "no waivers.yaml"
first=$(sed -n 's/^- case: "\(.*\)"$/\1/p' "$known" | head -n 1)
[ -n "$first" ] || fail "no case in $(cat "$known")"
grep -A1 "\"$first\"" "$known" | grep -q 'seen: .* is due' || fail "the reason does not say what was seen"
grep -q 'target-version: "iscsispec-target ' "$known" || fail "not bound to the version"
run 0 known --extra "$defect" --waivers "$known"
[ "$(verdict known "$first")" = XFAIL ] || fail "$first: $(verdict known "$first") where XFAIL is due"
grep -q "not ok .* - $first # TODO seen: " "$work/known/results.tap" || fail "results.tap does not tell of $first"

# Live, a failure that is known is no news; without its waiver it is, and is named.
expect_exit 2 10000 "$iscsispec" run --select "$select" --out "$work/less" --waivers "$work/less.yaml"
expect_output 'less.yaml: cannot be read: No such file'
awk -v id="$first" 'index($0, "- case: \"" id "\"") { skip = 1; next } /^- / { skip = 0 } !skip' "$known" >"$work/less.yaml"
expect_exit 1 30000 "$iscsispec" run --select "$select" --out "$work/less" --extra "$defect" --waivers "$work/less.yaml"
expect_output "^FAIL  $first: "
[ "$(grep '^FAIL ' "$work/output" | sort -u | wc -l)" -eq 1 ] || fail "more than one failure is told"

# Ended by date and by version: named, counts no longer, exit 1.
sed 's/^  while: .*/  until: 2020-02-29/' "$known" >"$work/late.yaml"
run 1 late --extra "$defect" --waivers "$work/late.yaml"
expect_output "late.yaml:[0-9]+: the waiver of .*$first.* has ended: it counted until 2020-02-29"
[ "$(verdict late "$first")" = FAIL ] || fail "an ended waiver still counts"
sed 's/target-version: "[^"]*"/target-version: "iscsispec-target 0.0.*"/' "$known" >"$work/version.yaml"
run 1 version --extra "$defect" --waivers "$work/version.yaml"
expect_output 'has ended: it is for target version iscsispec-target 0.0.\*, this one is iscsispec-target '

# Mended: XPASS, named, exit 1.
run 1 mended --waivers "$known"
expect_output "the waiver of .*$first.* is not needed"
[ "$(verdict mended "$first")" = XPASS ] || fail "$first: $(verdict mended "$first") where XPASS is due"
run 0 mended --waivers "$known" --exit-zero

# The profile names its own, beside itself.
mkdir "$work/profiles"
sed 's/^parallel: .*//; $a waivers: [known.yaml]' "$source/cases/profiles/reference.yaml" >"$work/profiles/mine.yaml"
cp "$known" "$work/profiles/known.yaml"
run 0 profile --profile "$work/profiles/mine.yaml" --extra "$defect"

# A version that cannot be told ends what hangs on it: why is said, and not a hundred times.
sed 's/^version: .*/version: echo no such package; exit 1/' "$work/profiles/mine.yaml" >"$work/profiles/unversioned.yaml"
run 1 unversioned --profile "$work/profiles/unversioned.yaml" --extra "$defect"
expect_output 'the version of the target is not known: version failed with status 1: no such package'
entries=$(grep -c '^- ' "$known")
ended=$(grep -c ' has ended: ' "$work/output")
[ "$entries" -gt 5 ] || fail "only $entries waivers: nothing to sum up"
[ "$ended" -eq 5 ] || fail "$ended of $entries ended waivers are named in full"
expect_output "^$((entries - 5)) more waivers have ended for the same reason"

# Files with faults: exit 2, file, line, column, value, reason.
for file in "$source"/tests/bad/waivers/*.yaml; do
    expect_exit 2 10000 "$iscsispec" run --waivers "$file" --out "$work/bad"
    message="$file:$(sed -n 's/^# error: //p' "$file")"
    grep -Fq -- "$message" "$work/output" || fail "no '$message' in: $(head -n 2 "$work/output")"
done

# The schema for editors agrees with the loader on what was written for review.
expect_exit 0 10000 "$iscsispec" schema waivers
jq -e '.items.properties | has("case") and has("while")' "$work/output" >/dev/null || fail "schema waivers"
finish
