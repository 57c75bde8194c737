#!/bin/sh
# The short form of benign.sh: the switches in groups that go together, so that a false alarm shows in the short lane.
. "${0%/*}/lib.sh"

together()
{
    expect_exit 0 60000 "$iscsispec" run --quiet --out "$work/run" --extra "--benign $1"
    wrong=$(sed 1d "$work/run/results.jsonl" | jq -r 'select(.verdict != "PASS") | "\(.id): \(.verdict) \(.reason)"' |
        head -n 5)
    [ -z "$wrong" ] || fail "$1: $wrong"
    tried="$tried $(echo "$1" | tr , ' ')"
}

tried=
together one-byte-segments,statsn-wraps,tag-65535,narrow-window,keys-reversed,chap-base64
together ping-behind-final,tsih-from-the-top,refusal-with-numbers,proposes-keys,proposes-digests,numbers-in-hex,chap-upper-hex,chap-long-challenge
together nop-in-behind-final,async-behind-final,statsn-zero,reluctant-transit,offers-private-key,answers-in-parts,text-response-in-parts,declares-nothing
together close-instead-of-answer,tag-zero,wide-window,optional-answers-left-out,discovery-negotiates,small-values,insists-on-r2t,long-alias,chap-short-challenge
together refusal-closed-by-reset,large-wait,all-task-reporting,protocol-level-two,numbers-in-upper-hex,alias-everywhere

# Slow ones and the one without digests are for benign.sh; no other is forgotten.
for name in $("$target" --list-benign=json | jq -r '.[].name'); do
    case " $tried slow-answers refusal-closed-late no-digests " in
    *" $name "*) ;;
    *) fail "$name is in no group" ;;
    esac
done
finish
