#!/bin/sh
# What stands in corpora/ is what can be made: the dictionary is that of the key table, each file has a line in the
# manifest and each line a file, and the list of bench-fuzz is what is promised of it.
set -eu
bin=$1 src=$2
cd "$src"
"$bin/fuzz/make_dictionary" | awk '!seen[$0]++' | cmp - corpora/iscsi-login.dict ||
    { echo "corpora/iscsi-login.dict is not what the key table gives; run scripts/make-corpora"; exit 1; }
find corpora/*/ -type f ! -path 'corpora/captures/*' | sort >"$bin/corpora.files"
sed -n 's/^\(corpora\/[^ ]*\) ..*/\1/p' corpora/MANIFEST | sort >"$bin/corpora.manifest"
comm -23 "$bin/corpora.files" "$bin/corpora.manifest" | sed 's/$/: not in corpora\/MANIFEST/' | grep . && exit 1
comm -13 "$bin/corpora.files" "$bin/corpora.manifest" | grep -v '^corpora/captures/' | sed 's/$/: in corpora\/MANIFEST, but not there/' | grep . && exit 1
ISCSISPEC_FUZZ_STATS=1 "$bin/fuzz/replay_login_session" --list corpora/bench.list |
    awk '/^pdus=/ { split($1, p, "="); pdus += p[2]; n++; full += /full-feature/ }
        END { printf "%d inputs, %d reach full feature phase, %.2f PDUs\n", n, full, pdus / n; exit !(n == 200 && full >= 100 && pdus / n >= 3) }'
