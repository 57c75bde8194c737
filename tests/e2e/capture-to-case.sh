#!/bin/sh
# Of every login in every capture of the corpus a case is made; it runs, and gives the verdict that the capture shows.
. "${0%/*}/lib.sh"

captures=$source/corpora/captures
tab=$(printf '\t')
listed=0
while IFS="$tab" read -r file profile credentials origin; do
    case $file in '#'*) continue ;; esac
    listed=$((listed + 1))
    [ -n "$origin" ] || fail "$file: the manifest does not say where it comes from"
    printf '%s\n' "${credentials#*:}" >"$work/secret"
    set --
    [ "$credentials" = - ] || set -- --secret-file "$work/secret"
    expect_exit 0 20000 "$iscsispec" capture-to-case "$captures/$file" --format json --out "$work/$profile" "$@"
    jq -c '.[]' "$work/output" >>"$work/made.$profile"
done <"$captures/MANIFEST"
[ "$listed" -eq "$(find "$captures" -name '*.pcap*' | wc -l)" ] || fail "the manifest does not list each capture"

for profile in tgt reference; do
    timeout 100 "$iscsispec" run --quiet --profile $profile --cases "$work/$profile" --out "$work/run-$profile" \
        >"$work/output" 2>&1
    [ -s "$work/run-$profile/results.jsonl" ] || {
        fail "the cases made for $profile do not run"
        cat "$work/output"
        continue
    }
    jq -r 'select(.form != "none") | .id + " " + .verdict' "$work/made.$profile" | sort >"$work/shown"
    sed 1d "$work/run-$profile/results.jsonl" | jq -r '.id + " " + .verdict' | sort >"$work/given"
    cmp -s "$work/shown" "$work/given" || {
        fail "$profile: verdicts are not those of the captures"
        diff "$work/shown" "$work/given"
        sed 1d "$work/run-$profile/results.jsonl" | jq -r 'select(.verdict != "PASS") | .id + ": " + .reason'
    }
    [ "$(wc -l <"$work/shown")" -ge 10 ] || fail "$profile: only $(wc -l <"$work/shown") cases"
    echo "$profile: $(wc -l <"$work/shown") logins, made into cases: $(jq -r .form "$work/made.$profile" | sort | uniq -c | tr '\n' ' ')"
done

# What a login is made into shows: another outcome turns the case red.
expect_exit 0 20000 "$iscsispec" capture-to-case "$captures/absent-tgtd.pcap" --out "$work/changed"
sed -i 's/status: 0x0203/status: 0x0202/' "$work"/changed/*.yaml
expect_exit 1 20000 "$iscsispec" run --quiet --cases "$work/changed" --out "$work/run-changed"

expect_exit 2 5000 "$iscsispec" capture-to-case
expect_exit 2 5000 "$iscsispec" capture-to-case "$0"
expect_exit 3 5000 "$iscsispec" capture-to-case "$captures/absent-tgtd.pcap" --filter 'port 1'
finish
