#!/bin/sh
# Targets that die, go deaf or write that they are broken: one CRASH for the case that does it, a second verdict for those
# that were in flight, a target that serves again.
. "${0%/*}/lib.sh"

small=$build/tests/small_target

# profile NAME OPTION...: a small target that misbehaves
profile()
{
    name=$1
    shift
    cat >"$work/$name.yaml" <<END
profile: $name
title: A small target
start: exec $small \${port:main} $*
log: \${dir}/log
crash: 'BUG:|Oops'
portals: { main: { address: 127.0.0.1, port: 0, tag: 1 } }
conditions: { open: { target: iqn.2026-01.example:small } }
timeouts: { answer: 200ms }
END
}

# line NAME CASE FILTER: what jq makes of a case's line
line()
{
    sed 1d "$work/$1/results.jsonl" | jq -r "select(.id == \"$2\") | $3"
}

culprit=pdu.before-login.text
others='status.success.plain,names.alias.*,keys.unknown.*'

# It lives: nothing is unusual.
profile sound
expect_exit 0 20000 "$iscsispec" run --profile "$work/sound.yaml" --out "$work/sound" --select status.success.plain

# It dies of one case, with others beside it.
profile dying --die-on 4
expect_exit 1 30000 "$iscsispec" run --profile "$work/dying.yaml" --out "$work/dying" --jobs 4 --select "$culprit,$others"
[ "$(line dying "$culprit" .verdict)" = CRASH ] || fail "dying: $(line dying "$culprit" .)"
reason=$(line dying "$culprit" .reason)
for part in 'signal 11' 'Text Request (0x04)' "again: iscsispec run --profile $work/dying.yaml --select $culprit"; do
    case $reason in *"$part"*) ;; *) fail "no '$part' in: $reason" ;; esac
done
grep -q '^verdict *CRASH' "$work/dying/evidence/$culprit.txt" || fail "its evidence: $(sed 4q "$work/dying/evidence/$culprit.txt")"
tshark -r "$work/dying/evidence/$culprit.pcap" >/dev/null 2>&1 || fail "its capture cannot be read"
[ "$(sed 1d "$work/dying/results.jsonl" | jq -r 'select(.verdict == "CRASH") | .id')" = "$culprit" ] ||
    fail "more than one CRASH: $(sed 1d "$work/dying/results.jsonl" | jq -r 'select(.verdict == "CRASH") | .id' | tr '\n' ' ')"
[ "$(line dying status.success.plain .verdict)" = PASS ] || fail "dying: $(line dying status.success.plain .)"
[ "$(sed 1d "$work/dying/results.jsonl" | jq -r 'select(.rerun == "crash") | .id' | wc -l)" -ge 1 ] || fail "no rerun"
# The reproducer that was printed does it again.
again=${reason##*again: iscsispec }
# shellcheck disable=SC2086
expect_exit 1 20000 "$iscsispec" $again --out "$work/again"
[ "$(line again "$culprit" .verdict)" = CRASH ] || fail "again: $(line again "$culprit" .)"

# It goes deaf: the case is silent, and a plain login after it is not answered.
profile deaf --deaf-on 4
expect_exit 1 60000 "$iscsispec" run --profile "$work/deaf.yaml" --out "$work/deaf" --jobs 1 --select "$culprit,$others"
[ "$(line deaf "$culprit" .verdict)" = CRASH ] || fail "deaf: $(line deaf "$culprit" .)"
expect_output 'restarted'
[ "$(line deaf status.success.plain .verdict)" = PASS ] || fail "deaf: $(line deaf status.success.plain .)"

# It writes that it is broken, and lives on.
profile oops --log '${dir}/log' --oops-on 4
expect_exit 1 30000 "$iscsispec" run --profile "$work/oops.yaml" --out "$work/oops" --select "$culprit,$others"
[ "$(line oops "$culprit" .verdict)" = CRASH ] || fail "oops: $(line oops "$culprit" .)"
# It loses the answer to every second Logout: the case runs once more, and its second verdict counts.
profile losing --hang-up-on 6
expect_exit 0 30000 "$iscsispec" run --profile "$work/losing.yaml" --out "$work/losing" --jobs 1 --select "status.success.plain,names.alias.*"
[ "$(sed 1d "$work/losing/results.jsonl" | jq -r 'select(.rerun == "hung-up" and .attempt == 2) | .id' | wc -l)" -ge 1 ] ||
    fail "losing: no rerun"
[ "$(sed 1d "$work/losing/results.jsonl" | jq -r 'select(.hung_up or .verdict == "FAIL") | .id' | wc -l)" -eq 0 ] ||
    fail "losing: $(sed 1d "$work/losing/results.jsonl" | jq -c 'select(.hung_up or .verdict == "FAIL")')"
case $(line oops "$culprit" .reason) in *'its log says: BUG: it is broken'*) ;; *) fail "$(line oops "$culprit" .reason)" ;; esac
finish
