#!/bin/sh
# fuzz/oss-fuzz/build.sh into a folder of our own: each entry is there, runs from its seed corpus, and replays a file.
set -eu
bin=$1 src=$2
out=$bin/oss-fuzz
rm -rf "$out" && mkdir -p "$out"
OUT=$out WORK=$bin/oss-fuzz-work "$src/fuzz/oss-fuzz/build.sh" >"$out.log" 2>&1 || { tail -n 30 "$out.log"; exit 1; }
for entry in login_session transcript_audit text_keys chap_values case_yaml profile_yaml; do
    [ -x "$out/$entry" ] && [ -s "$out/${entry}_seed_corpus.zip" ] || { echo "$entry is missing"; exit 1; }
    rm -rf "$out/seeds" && mkdir "$out/seeds"
    (cd "$out/seeds" && python3 -m zipfile -e "$out/${entry}_seed_corpus.zip" .)
    find "$out/seeds" -type f >"$out/files"
    xargs "$out/$entry" <"$out/files" >"$out/run.log" 2>&1 || { tail -n 20 "$out/run.log"; echo "$entry fails on its seeds"; exit 1; }
    "$out/$entry" -runs=100 -max_len=4000 "$out/seeds" >"$out/run.log" 2>&1 || { tail -n 20 "$out/run.log"; exit 1; }
    echo "$entry: $(wc -l <"$out/files") seeds"
done
