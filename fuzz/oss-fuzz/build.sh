#!/bin/bash -eu
# Builds the fuzz entries as OSS-Fuzz wants them: from $SRC/iscsispec into $OUT, with $CC, $CFLAGS and $LIB_FUZZING_ENGINE
# as given, everything beside libc linked in statically where there is a static library. Also runs by hand:
#
#   OUT=/tmp/out fuzz/oss-fuzz/build.sh
: "${OUT:?where to put the programs}" "${CC:=clang}" "${LIB_FUZZING_ENGINE:=-fsanitize=fuzzer}"
: "${CFLAGS:=-O1 -fno-omit-frame-pointer -gline-tables-only -fsanitize=address -fsanitize=fuzzer-no-link}"
source=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
work=${WORK:-$OUT/work}
mkdir -p "$OUT" "$work"
export CC CFLAGS

cmake -S "$source" -B "$work/build" -G Ninja -DBUILD_TESTING=OFF -DISCSISPEC_FUZZ=ON -DCMAKE_BUILD_TYPE=None \
    -DISCSISPEC_FUZZ_ENGINE="$LIB_FUZZING_ENGINE"
entries=$(sed -n 's/^iscsispec_fuzz(\([a-z_]*\) .*/\1/p' "$source/fuzz/CMakeLists.txt" | grep -v '^empty$')
for entry in $entries; do
    cmake --build "$work/build" --target "fuzz_$entry"
    cp "$work/build/fuzz/fuzz_$entry" "$OUT/$entry"
    if [ -d "$source/corpora/$entry" ]; then
        (cd "$source/corpora" && find "$entry" "regressions/$entry" -type f 2>/dev/null | sort >"$work/$entry.files")
        rm -f "$OUT/${entry}_seed_corpus.zip"
        (cd "$source/corpora" && zip -q "$OUT/${entry}_seed_corpus.zip" -@ <"$work/$entry.files")
    fi
    printf '[libfuzzer]\nmax_len = 20000\nentropic = 0\nreduce_inputs = 0\n' >"$OUT/$entry.options"
done
for entry in login_session transcript_audit text_keys chap_values; do
    cp "$source/corpora/iscsi-login.dict" "$OUT/$entry.dict"
done
# the catalogue that case_yaml checks against lies beside the program
cp "$source/cases/requirements.yaml" "$OUT/"
[ "$work" != "$OUT/work" ] || rm -rf "$work"
