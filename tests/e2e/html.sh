#!/bin/sh
# The HTML page in headless Chromium: tables, filter, search, ladders, light and dark, 360 px, no error, no network.
# ISCSISPEC_SHOTS=DIR keeps pictures.
. "${0%/*}/lib.sh"

run()
{
    expect_exit "$1" 60000 "$iscsispec" run --quiet --out "$work/$2" --select 'names.*,status.*,keys.duplicate.*,text.form.*' --extra "$3"
}
run 1 one '--defect wrong-itt'
run 0 two ''
failing=$(sed 1d "$work/one/results.jsonl" | jq -r 'select(.verdict == "FAIL") | .id' | grep '^names' | head -n 1)
rule=$(sed 1d "$work/one/results.jsonl" | jq -r "select(.id == \"$failing\") | .findings[0].rule")

# Whatever a peer says stays text, in the ladder too.
evil='</script><script>window.intruder = 1</script><b class=intruder>'
sed "s|\"title\":\"[^\"]*\"|\"title\":\"$evil\"|; s|\"was\":\"|&$evil|" "$work/one/results.jsonl" >"$work/evil"
mv "$work/evil" "$work/one/results.jsonl"
sed "s|\"text goes on|\"$evil|; s|\"values drawn|\"$evil|" "$work/one/evidence/$failing.json" >"$work/evil"
mv "$work/evil" "$work/one/evidence/$failing.json"
jq -e . "$work/one/results.jsonl" "$work/one/evidence/$failing.json" >/dev/null || fail "the test's own files are broken"
expect_exit 0 20000 "$iscsispec" report "$work/one" --out "$work/one"
expect_exit 0 20000 "$iscsispec" report "$work/one" "$work/two" --out "$work/both"
grep -c '</script>' "$work/one/report.html" | grep -qx 2 || fail "more script elements than the page has"
# Results that somebody else made: whatever kinds their fields are of, the page draws.
mkdir "$work/odd"
cat >"$work/odd/results.jsonl" <<'JSON'
{"schema":"iscsispec-results/1","waivers":[1,{"case":5}],"title":7,"decoder":[],"audited":3,"forced":{}}
{"id":"a","verdict":"FAIL","findings":[1,{"rule":5}],"seen":[1,{"status":5}],"proves":[7],"waived_by":["x",99],"code":"x","needs":1,"ms":"y"}
{"id":"b","verdict":"XFAIL","waived_by":[99],"findings":5,"evidence":{"json":7}}
JSON
expect_exit 0 20000 "$iscsispec" report "$work/odd"
size=$(wc -c <"$work/one/report.html")
[ "$size" -lt 8000000 ] || fail "report.html has $size bytes"

timeout 90 node "${0%/*}/html.mjs" "$work/one/report.html" "$work/both/matrix.html" "$failing" "$rule" "$work/odd/report.html" ${ISCSISPEC_SHOTS:-} || fail "the page"
finish
