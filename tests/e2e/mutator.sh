#!/bin/sh
# libiscsispec-mutator.so on a program that is not ours: an installed library and plain afl-fuzz find the fault behind a
# right CHAP_R within the time; without the library they do not.
set -eu
bin=$1 src=$2
work=$(mktemp -d "${TMPDIR:-/tmp}/iscsispec-mutator.XXXXXX")

# A child of the fork server that is stopped between two inputs outlives afl-fuzz.
cleanup()
{
    for process in /proc/[0-9]*; do
        [ "$(readlink "$process/exe")" != "$work/other_login" ] || kill -KILL "${process#/proc/}" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap cleanup EXIT
DESTDIR=$work/root cmake --install "$bin" --prefix /usr >"$work/install.log"
library=$(find "$work/root" -name libiscsispec-mutator.so)
[ -n "$library" ] || { echo "not installed"; exit 1; }
AFL_QUIET=1 afl-clang-fast -g -O1 -w -fsanitize=fuzzer -fstack-protector-all "$src/tests/tools/other_login.c" -lcrypto -o "$work/other_login" \
    >"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
mkdir "$work/in"
# one login PDU with CHAP_N=user and a wrong CHAP_R
printf '\103\001\000\000\000\000\000\043\200\000\000\000\000\000\000\000\000\000\000\001\000\000\000\000\000\000\000\001\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000' >"$work/in/login"
printf 'CHAP_N=user\000CHAP_R=0x00112233445566\000\000\000\000' | head -c 36 >>"$work/in/login"

# hunt OUT SECONDS [NAME=VALUE...]: how many crashes
hunt()
{
    out=$work/$1 seconds=$2
    shift 2
    env AFL_QUIET=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
        AFL_BENCH_UNTIL_CRASH=1 AFL_DISABLE_TRIM=1 "$@" \
        timeout $((seconds + 30)) afl-fuzz -s 1 -m none -V "$seconds" -i "$work/in" -o "$out" -- "$work/other_login" \
        >"$out.log" 2>&1 || { tail -n 20 "$out.log"; exit 1; }
    find "$out/default/crashes" -type f ! -name README.txt | wc -l
}
with=$(hunt with 40 AFL_CUSTOM_MUTATOR_LIBRARY="$library" ISCSISPEC_MUTATOR_SECRET=other-peoples-secret \
    ISCSISPEC_MUTATOR_CHALLENGE=0x30313233343536373839616263646566 ISCSISPEC_MUTATOR_CHAP_I=7)
without=$(hunt without 6)
echo "crashes with the library: $with, without: $without"
if [ "$with" -eq 0 ] || [ "$without" -ne 0 ]; then
    grep -E "execs_done|corpus_count|edges_found" "$work"/*/default/fuzzer_stats
    exit 1
fi
# a setting that is wrong is told
if env AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
    AFL_CUSTOM_MUTATOR_LIBRARY="$library" ISCSISPEC_MUTATOR_FORMAT=nonsense \
    timeout 60 afl-fuzz -m none -V 2 -i "$work/in" -o "$work/wrong" -- "$work/other_login" >"$work/wrong.log" 2>&1; then
    echo "a wrong format was accepted"
    exit 1
fi
grep -q 'ISCSISPEC_MUTATOR_FORMAT=nonsense: one of session, stream, text' "$work/wrong.log"
