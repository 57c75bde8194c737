#!/bin/sh
# Bad targets, bad files, bad arguments: a clear message, the right exit status, in time.
. "${0%/*}/lib.sh"

iqn=iqn.2026-01.example.iscsispec:open

# A port where nobody listens, a name that nobody has.
start_bad close
closed_port=$bad_port
kill -KILL "${started##* }"
expect_exit 4 3000 "$iscsispec" run --target "iscsi://127.0.0.1:$closed_port/$iqn" --out "$work/closed"
expect_output "127.0.0.1.*$closed_port"
expect_exit 4 3000 "$iscsispec" run --target "iscsi://nosuch.invalid:3260/$iqn" --out "$work/unknown"
expect_output 'nosuch.invalid'

# Targets that misbehave: verdicts, never ERROR, and an end.
for mode in silent garbage close reset endless half; do
    start_bad $mode
    expect_exit 1 60000 "$iscsispec" run --target "iscsi://127.0.0.1:$bad_port/$iqn" --out "$work/bad-$mode" \
        --timeout 300 --select 'code:0x0000,code:0x0203'
    sed 1d "$work/bad-$mode/results.jsonl" | jq -r .verdict | sort -u >"$work/verdicts"
    grep -Eqx 'FAIL|CRASH' "$work/verdicts" || fail "$mode: no FAIL"
    grep -Eqx 'ERROR|PASS' "$work/verdicts" && fail "$mode: $(tr '\n' ' ' <"$work/verdicts")"
    kill -KILL "${started##* }"
done

# Case files with faults: exit 2, file, line and column.
count=0
for file in "$source"/tests/bad/cases/*.yaml; do
    message="$(basename "$file"):$(sed -n "s#@#$file#; s/^# error: //p" "$file")"
    expect_exit 2 10000 "$iscsispec" run --cases "$file" --out "$work/bad-case"
    grep -Fq -- "$message" "$work/output" || fail "no '$message' in: $(head -n 2 "$work/output")"
    count=$((count + 1))
done
[ $count -ge 8 ] || fail "only $count bad case files"

# An edit that matches no PDU shows when the PDUs are there: still the case's fault.
cat >"$work/nomatch.yaml" <<'EOF'
- id: test.edit.no-match
  title: The edit speaks of a key that no PDU holds
  proves: [L-NEG-001]
  needs: [open]
  caught-by: [never-full-feature]
  steps:
    - login: { as: A, base: plain, set: ["X-nobody=1"] }
    - expect: { on: A, ffp: true }
EOF
expect_exit 2 10000 "$iscsispec" run --cases "$work/nomatch.yaml" --out "$work/nomatch"
expect_output 'nomatch.yaml:[0-9]+:[0-9]+: '

# Nothing selected; a hook that fails; wrong use.
expect_exit 3 10000 "$iscsispec" run --select no.such.case --out "$work/empty"
cat >"$work/hook.yaml" <<EOF
profile: hook
start: exec $target --ready-file \${dir}/ready.json --portal main=127.0.0.1:0 --target $iqn
ready-file: \${dir}/ready.json
portals:
  main: { address: 127.0.0.1, port: 0 }
conditions:
  open: { target: $iqn, portal: main }
  denied: { target: $iqn, portal: main, arm: "echo no luck >&2; exit 7" }
EOF
expect_exit 5 20000 "$iscsispec" run --profile "$work/hook.yaml" --select 'code:0x0202' --out "$work/hook"
expect_output 'no luck'
expect_exit 2 10000 "$iscsispec" run --no-such-flag
expect_output 'no-such-flag'
expect_exit 2 10000 "$iscsispec" run --profile nosuchprofile --out "$work/noprofile"
expect_output 'nosuchprofile'
expect_exit 2 10000 "$iscsispec" explain 0x02zz
printf 'profile: x\nportals: [\n' >"$work/broken.yaml"
expect_exit 2 10000 "$iscsispec" run --profile "$work/broken.yaml" --out "$work/broken"
expect_output 'broken.yaml:[0-9]+:[0-9]+: '
: >"$work/file"
expect_exit 2 10000 "$iscsispec" run --out "$work/file/run"

# A target that cannot be started.
sed 's/^start: .*/start: echo it broke; exit 3/' "$work/hook.yaml" >"$work/nostart.yaml"
expect_exit 4 20000 "$iscsispec" run --profile "$work/nostart.yaml" --out "$work/nostart"
expect_output 'it broke'

# Ctrl-C: a complete report of what was done.
start_bad silent
"$iscsispec" run --target "iscsi://127.0.0.1:$bad_port/$iqn" --timeout 2000 --jobs 1 --out "$work/int" \
    >"$work/output" 2>&1 &
pid=$!
interrupt $pid
wait $pid
status=$?
[ $status -eq 130 ] || fail "exit $status instead of 130 after SIGINT"
for file in results.jsonl coverage.md coverage.json junit.xml; do
    [ -s "$work/int/$file" ] || fail "interrupted: no $file"
done
jq -e . "$work/int/results.jsonl" >/dev/null || fail "interrupted: results.jsonl is not JSON"

# A code that is corrupted between tap and library: its Decoder cell turns.
ISCSISPEC_CORRUPT_DECODER=0203:0204 "$iscsispec" run --select code:0x0203 --out "$work/corrupt" >"$work/output" 2>&1
grep -E '^\| *(0x)?0203 ' "$work/corrupt/coverage.md" >"$work/row"
awk -F'|' '{ print $4 }' "$work/row" | grep -q '❌' || fail "Decoder of 0203 not red: $(cat "$work/row")"
expect_output 'Decoder: 17/18'
finish
