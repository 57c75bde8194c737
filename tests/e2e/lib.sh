# Sourced by the end-to-end tests. They are called as: TEST.sh BUILD-DIR SOURCE-DIR
# shellcheck shell=sh
set -u

build=$1 source=$2
iscsispec=$build/harness/iscsispec
target=$build/reference_target/iscsispec-target
bad_target=$build/tests/bad_target
ISCSISPEC_DATA=$source
export ISCSISPEC_DATA
work=$(mktemp -d "${TMPDIR:-/tmp}/iscsispec-e2e.XXXXXX")
started=
failures=0

cleanup()
{
    for pid in $started; do
        kill -KILL "$pid" 2>/dev/null
    done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

fail()
{
    echo "FAIL: $*"
    failures=$((failures + 1))
}

# finish: the last line of every test.
finish()
{
    [ "$failures" -eq 0 ] || {
        echo "$failures failed"
        exit 1
    }
    echo "all passed"
    exit 0
}

# now_ms: a clock for deadlines.
now_ms()
{
    echo $(($(date +%s%N) / 1000000))
}

# expect_exit STATUS LIMIT-MS COMMAND...: its output goes to $work/output.
expect_exit()
{
    expected=$1 limit=$2
    shift 2
    begin=$(now_ms)
    timeout 120 "$@" >"$work/output" 2>&1 </dev/null
    status=$?
    took=$(($(now_ms) - begin))
    if [ "$status" -ne "$expected" ]; then
        fail "exit $status instead of $expected: $*"
        sed 's/^/    /' "$work/output" | head -n 30
        return 1
    fi
    [ "$took" -le "$limit" ] || fail "took $took ms, allowed $limit: $*"
}

# interrupt PID: Ctrl-C, a second after it has a handler. Earlier it would be lost: what a shell starts in the background
# ignores the signal.
interrupt()
{
    for i in $(seq 300); do
        caught=$(sed -n 's/^SigCgt:[[:space:]]*/0x/p' "/proc/$1/status")
        [ $((${caught:-0} & 2)) -eq 0 ] || break
        sleep 0.1
    done
    sleep 1
    kill -INT "$1"
}

# expect_output REGEX: the last command said so.
expect_output()
{
    grep -Eq -- "$1" "$work/output" || {
        fail "no line like: $1"
        sed 's/^/    /' "$work/output" | head -n 30
    }
}

# start_target NAME ARGUMENT...: a reference target; its ready file is $work/NAME.json, its pid in $work/NAME.pid.
start_target()
{
    name=$1
    shift
    "$target" --ready-file "$work/$name.json" "$@" >"$work/$name.out" 2>&1 &
    echo $! >"$work/$name.pid"
    started="$started $!"
    i=0
    while [ ! -s "$work/$name.json" ]; do
        i=$((i + 1))
        [ $i -lt 200 ] || {
            fail "target $name did not get ready"
            cat "$work/$name.out"
            finish
        }
        sleep 0.05
    done
}

# target_port NAME PORTAL
target_port()
{
    jq -r ".portals.\"$2\".port" "$work/$1.json"
}

# start_bad MODE: a misbehaving target; sets $bad_port.
start_bad()
{
    rm -f "$work/bad-$1.port"
    "$bad_target" "$1" >"$work/bad-$1.port" &
    started="$started $!"
    i=0
    while [ ! -s "$work/bad-$1.port" ] && [ $i -lt 100 ]; do
        i=$((i + 1))
        sleep 0.02
    done
    bad_port=$(cat "$work/bad-$1.port")
}
