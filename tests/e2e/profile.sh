#!/bin/sh
# Profiles written by following docs/profiles.md alone, and everything that can go wrong with one.
. "${0%/*}/lib.sh"
small=$build/tests/small_target

# profile NAME: from standard input, below what all have in common
profile()
{
    {
        printf 'profile: %s\ntitle: A target that the suite does not know\n' "$1"
        printf 'conditions: { open: { target: iqn.2026-01.example:disk, portal: main } }\n'
        cat
    } >"$work/$1.yaml"
}

# run NAME STATUS LIMIT-MS [OPTION...]
run()
{
    name=$1 status=$2 limit=$3
    shift 3
    expect_exit "$status" "$limit" "$iscsispec" run --profile "$work/$name.yaml" --out "$work/$name" \
        --select status.success.plain "$@"
}

# A target of others, in ten lines.
profile known <<END
start: exec $small \${port:main}
portals: { main: { address: 127.0.0.1, port: 0, tag: 1 } }
version: echo small 1.0
not-offered: { removed: it forgets nothing }
require-codes: [0x0000]
END
run known 0 20000
sed -n 1p "$work/known/results.jsonl" | jq -e 'select(.target_version == "small 1.0")' >/dev/null || fail "no version"

# A code that is required and does not come.
sed 's/^require-codes.*/require-codes: [0x0000, 0x0203]/' "$work/known.yaml" >"$work/required.yaml"
expect_exit 1 30000 "$iscsispec" run --profile "$work/required.yaml" --out "$work/required" \
    --select status.success.plain,names.target.unknown
expect_output '^required and not seen: 0x0203 Not found'
# What is known to fail is not asked for, as long as it is only a part of the cases that runs.
printf -- '- case: names.target.unknown\n  reason: it takes any name\n  until: 2199-12-31\n' >"$work/known-waiver.yaml"
expect_exit 0 30000 "$iscsispec" run --profile "$work/required.yaml" --out "$work/required" \
    --select status.success.plain,names.target.unknown --waivers "$work/known-waiver.yaml"

# One that needs its time.
profile slow <<END
start: exec $small \${port:main} --ready-after 10000
portals: { main: { address: 127.0.0.1, port: 0, tag: 1 } }
timeouts: { ready: 20s }
END
run slow 0 40000
sed 's/ready: 20s/ready: 300ms/' "$work/slow.yaml" >"$work/impatient.yaml"
run impatient 4 10000
expect_output 'the target was not ready within 300 ms'

# Started wrong; a port that somebody else has.
profile wrong <<END
start: exec $small-that-is-not-there \${port:main}
portals: { main: { address: 127.0.0.1, port: 0, tag: 1 } }
END
run wrong 4 10000
expect_output 'the target ended with status 127 before it was ready'
expect_output 'not found'
start_bad silent
profile taken <<END
start: exec $small \${port:main}
portals: { main: { address: 127.0.0.1, port: $bad_port, tag: 1 } }
END
run taken 4 10000
expect_output "portal main: 127.0.0.1 port $bad_port is taken"

# Hooks that hang and fail.
profile hangs <<END
start: exec $small \${port:main}
portals: { main: { address: 127.0.0.1, port: 0, tag: 1 } }
setup: echo busy; sleep 60
timeouts: { setup: 500ms }
END
run hangs 5 10000
expect_output 'setup did not end within 500 ms: busy'
sed 's/^setup: .*/setup: echo no disk; exit 3/' "$work/hangs.yaml" >"$work/fails.yaml"
run fails 5 10000
expect_output 'setup failed with status 3: no disk'
# Cases that need a half-close, and cases that would disturb, are left out where they are not wanted.
cat >"$work/half.yaml" <<'END'
- id: test.half-close
  title: A login whose header breaks off ends with the connection
  proves: [L-BHS-004]
  needs: [open]
  caught-by: [answer-pdu-before-login]
  steps:
    - login: { base: plain }
    - truncate: { pdu: 1, to: 20, then: half-close }
    - expect: { any: [close] }
END
profile closed <<END
start: exec $small \${port:main}
portals: { main: { address: 127.0.0.1, port: 0, tag: 1 } }
half-close: no
END
expect_exit 3 10000 "$iscsispec" run --profile "$work/closed.yaml" --out "$work/closed" --cases "$work/half.yaml"
expect_output 'left out 1: the target takes a half-close for the end of the connection'
expect_exit 3 10000 "$iscsispec" run --profile "$work/required.yaml" --out "$work/safe" --safe \
    --select 'sessions.reinstatement.same-isid,sessions.reinstatement.after-logout'
expect_output 'left out 2: it would disturb a live target'

# Cases that a profile leaves out are told with its reason, whoever selects them; a misspelt one is an error.
sed -e '$a leave-out: { names.target.*: it takes any name }' -e '/^require-codes/d' "$work/known.yaml" >"$work/less.yaml"
expect_exit 0 30000 "$iscsispec" run --profile "$work/less.yaml" --out "$work/less" \
    --select status.success.plain,names.target.unknown
expect_output '^left out 1: it takes any name$'
sed -e '$a leave-out: { names.targte.*: it takes any name }' -e '/^require-codes/d' "$work/known.yaml" >"$work/misspelt.yaml"
expect_exit 2 10000 "$iscsispec" run --profile "$work/misspelt.yaml" --out "$work/less" --select status.success.plain
expect_output 'misspelt.yaml:[0-9]+:[0-9]+: leave-out: names.targte.\*: there is no such case'

# profile check: everything in it is tried, and what does not work is named.
expect_exit 0 20000 "$iscsispec" profile check "$work/known.yaml" --out "$work/check"
expect_output '^works  start: ready after'
expect_output '^works  condition open: a login succeeds'
expect_output '^works  version: small 1.0'
cat >"$work/bad.yaml" <<END
profile: bad
start: exec $small \${port:main}
version: exit 1
portals: { main: { address: 127.0.0.1, port: 0, tag: 1 } }
conditions:
  open: { target: iqn.2026-01.example:disk, portal: main }
  denied: { target: iqn.2026-01.example:other, codes: [0x0202] }
  drained: { arm: echo no such portal; exit 9, codes: [0x0301] }
controls: { drain: sleep 60 }
END
expect_exit 5 30000 "$iscsispec" profile check "$work/bad.yaml" --out "$work/check"
expect_output '^FAILS  version: version failed with status 1'
expect_output '^FAILS  condition denied: a login succeeds; its codes say 0x0202'
expect_output "^FAILS  condition drained: arming 'drained' failed with status 9: no such portal"
expect_output "^FAILS  control 'drain' did not end within 5000 ms"
expect_output '^works  plain login at the end'
expect_exit 4 20000 "$iscsispec" profile check "$work/wrong.yaml" --out "$work/check"
expect_exit 2 5000 "$iscsispec" profile check "$work/nowhere.yaml"
expect_exit 2 5000 "$iscsispec" profile "$work/known.yaml"

# Without a profile: the target is asked, and what it says makes a profile that runs.
prefix=iqn.2026-01.example.found
start_target found --portal main=127.0.0.1:0,1 --target $prefix:locked --chap 'initiator:initiator-secret' \
    --target $prefix:open --target $prefix:other
port=$(target_port found main)
expect_exit 0 20000 "$iscsispec" run --target "iscsi://127.0.0.1:$port" --safe --write-profile "$work/found.yaml" \
    --out "$work/found" --select 'status.success.plain,discovery.send-targets.all'
expect_output "discovery: open; targets listed: 3; login to $prefix:open: open"
expect_output "$prefix:locked asks for CHAP"
for line in "open: { target: \"$prefix:open\" }" "second-target: { target: \"$prefix:other\" }" 'discovery: {}' 'tag: 1'; do
    grep -Fq "$line" "$work/found.yaml" || fail "no '$line' in: $(cat "$work/found.yaml")"
done
expect_exit 0 20000 "$iscsispec" run --profile "$work/found.yaml" --out "$work/found" --select status.success.plain
ISCSISPEC_SECRET=initiator-secret
export ISCSISPEC_SECRET
expect_exit 0 20000 "$iscsispec" run --target "iscsi://127.0.0.1:$port/$prefix:locked" --user initiator \
    --write-profile "$work/locked.yaml" --out "$work/found" --select status.success.chap,status.success.plain
grep -q 'env: ISCSISPEC_SECRET' "$work/locked.yaml" || fail "secret: $(cat "$work/locked.yaml")"
grep -q initiator-secret "$work/locked.yaml" && fail "the secret stands in the profile"
expect_exit 4 20000 "$iscsispec" run --target "iscsi://127.0.0.1:$bad_port" --timeout 300 --out "$work/found"
expect_output 'it names no targets'
finish
