#!/bin/sh
# Nothing hangs on names: with other case ids and another initiator name, each case has the same verdict and the same
# findings, with no defect and under some of every subject.
. "${0%/*}/lib.sh"

# Ids that say nothing: c1, c2 and so on; what a matrix appends stays.
mkdir "$work/cases"
for folder in "$source"/cases/*/; do
    case $folder in */profiles/ | */waivers/) ;; *) cp -r "$folder" "$work/cases" ;; esac
done
find "$work/cases" -name '*.yaml' | sort >"$work/files"
xargs awk -v table="$work/ids" '
    /^- id: / { print $3 " c" ++n >table; $0 = "- id: c" n }
    { print >FILENAME ".new" }' <"$work/files" || fail "the cases cannot be renamed"
while read -r file; do mv "$file.new" "$file"; done <"$work/files"
[ "$(wc -l <"$work/ids")" -ge 300 ] || fail "only $(wc -l <"$work/ids") ids were renamed"
sort -u -k 1,1 "$work/ids" | wc -l >"$work/count"

# verdicts DIR: "ID VERDICT RULES", a line for each case
verdicts()
{
    sed 1d "$1/results.jsonl" |
        jq -r 'select(.id) | [.id, .verdict, ([.findings[]? | "\(.rule)/\(.conn)/\(.side)"] | sort | join(","))] | @tsv'
}

# same NAME SELECT STATUS EXTRA: runs it under both sets of names. The first argument names the run.
same()
{
    "$iscsispec" run --quiet --select "$2" --extra "$3" --out "$work/$1/known" >"$work/output" 2>&1
    known=$?
    ids=$(verdicts "$work/$1/known" | cut -f1 | sed 's/\.[^.]*=.*//' | sort -u)
    set -- "$1" "$3"
    renamed=$(echo "$ids" | awk 'NR == FNR { new[$1] = $2; next } { print new[$1] "," new[$1] ".*" }' "$work/ids" - | paste -sd,)
    "$iscsispec" run --quiet --cases "$work/cases" --initiator iqn.1999-12.net.example.other:host-77 --select "$renamed" \
        --extra "$2" --out "$work/$1/renamed" >"$work/output" 2>&1
    status=$?
    [ $status -eq $known ] || { fail "$1: exit $known, and $status under other names"; sed 's/^/    /' "$work/output" | head -n 5; }
    verdicts "$work/$1/known" | awk -F'\t' -v OFS='\t' 'NR == FNR { split($0, w, " "); new[w[1]] = w[2]; next }
        { base = $1; tail = ""
          if (match(base, /\.[^.=]*=.*/)) { tail = substr(base, RSTART); base = substr(base, 1, RSTART - 1) }
          $1 = new[base] tail; print }' "$work/ids" - | sort >"$work/first"
    verdicts "$work/$1/renamed" | sort >"$work/second"
    [ -s "$work/first" ] || fail "$1: no case"
    diff "$work/first" "$work/second" >"$work/differs" ||
        { fail "$1: other names, other verdicts"; head -n 10 "$work/differs"; }
    echo "$1: $(wc -l <"$work/first") cases, $(grep -vc 'PASS' "$work/first") not PASS, under both sets of names"
}

same plain '*' ''
for defect in wrong-itt no-tpgt accept-duplicate-key accept-any-chap-response tsih-zero-in-final accept-any-version; do
    # where a mutation lands in a text hangs on the length of the name
    same "$defect" "defect:$defect,!fuzz.*" "--defect $defect"
    grep -q FAIL "$work/first" || fail "$defect: nothing fails"
done
finish
