#!/bin/sh
# What CI calls: the script with its environment, and the very commands of the GitHub action and the GitLab template.
. "${0%/*}/lib.sh"

script=$source/scripts/ci
printf -- '- case: names.initiator.*\n  reason: known\n  until: 2199-01-01\n' >"$work/known.yaml"
sed 's/^profile: .*/profile: mine/' "$source/cases/profiles/reference.yaml" >"$work/mine.yaml"

# All that the environment can say; a summary and outputs as GitHub wants them.
ISCSISPEC_SELECT='names.initiator.*
code:0x0203' ISCSISPEC_PROFILE=$work/mine.yaml ISCSISPEC_OUT=$work/out ISCSISPEC_ARGUMENTS='--quiet  --jobs 2' \
    GITHUB_STEP_SUMMARY=$work/summary GITHUB_OUTPUT=$work/outputs
export ISCSISPEC_SELECT ISCSISPEC_PROFILE ISCSISPEC_OUT ISCSISPEC_ARGUMENTS GITHUB_STEP_SUMMARY GITHUB_OUTPUT
expect_exit 0 30000 "$script" --iscsispec "$iscsispec"
[ "$(sed -n 1p "$work/out/results.jsonl" | jq -c '[.profile, .selection]')" = '["mine",["names.initiator.*","code:0x0203"]]' ] ||
    fail "the run was another one: $(sed -n 1p "$work/out/results.jsonl" | jq -c '[.profile, .selection]')"
grep -q '^| 0x0203 ' "$work/summary" || fail "no table in the summary"
grep -qx "report=$work/out" "$work/outputs" && grep -qx status=0 "$work/outputs" || fail "outputs: $(cat "$work/outputs")"

# A failure is the script's exit status; a waiver of the environment makes it known.
expect_exit 1 30000 "$script" --iscsispec "$iscsispec" --extra '--defect wrong-itt'
grep -qx status=1 "$work/outputs" || fail "no status=1 in the outputs"
ISCSISPEC_SELECT='names.initiator.*' ISCSISPEC_WAIVERS=$work/known.yaml
export ISCSISPEC_WAIVERS
expect_exit 0 30000 "$script" --iscsispec "$iscsispec" --extra '--defect wrong-itt'
ISCSISPEC_WAIVERS=$work/nowhere.yaml
expect_exit 2 10000 "$script" --iscsispec "$iscsispec"
unset ISCSISPEC_WAIVERS
expect_exit 2 10000 "$script" --iscsispec
expect_exit 0 5000 "$script" --help

# The action: every input has its variable, and its command is the script.
for input in profile waivers select out arguments; do
    name=ISCSISPEC_$(echo $input | tr a-z A-Z)
    grep -qx "        $name: \${{ inputs.$input }}" "$source/action.yml" || fail "action.yml does not pass on $input"
    grep -q "^  $name " "$script" || "$script" --help | grep -q "^  $name " || fail "scripts/ci does not tell of $name"
done
mkdir -p "$work/action/scripts"
printf '#!/bin/sh\nexec "%s" --iscsispec "%s"\n' "$script" "$iscsispec" >"$work/action/scripts/ci"
chmod +x "$work/action/scripts/ci"
sed -n '/^      run: |$/,$p' "$source/action.yml" | sed 1d >"$work/step.sh"
GITHUB_ACTION_PATH=$work/action expect_exit 0 30000 bash --noprofile --norc -eo pipefail "$work/step.sh"

# The GitLab job: the same, from a checkout.
sed -n '/^  script:$/,/^  artifacts:$/s/^    - //p' "$source/scripts/gitlab-ci.yml" >"$work/job.sh"
ln -s action "$work/.iscsispec"
(cd "$work" && timeout 60 sh -e ./job.sh >"$work/output" 2>&1) || fail "the GitLab job: $(tail -n 3 "$work/output")"
finish
