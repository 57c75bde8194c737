#!/bin/sh
# Captures of tgtd, played on targets of other makes: each difference that is shown is there in the bytes, and none that is
# there goes unsaid. With `all` as third argument: all captures, and the kernel's target as well.
. "${0%/*}/lib.sh"

captures=$source/corpora/captures

# check PROFILE NAME: replays NAME-tgtd.pcap* on PROFILE; what it says goes to $work/PROFILE-NAME.out.
check()
{
    dir=$work/$1-$2
    timeout 120 "$iscsispec" replay "$(ls "$captures/$2-tgtd.pcap"*)" --profile "$1" --out "$dir" \
        --map iqn.2026-01.example.iscsispec:moved-permanently=iqn.2026-01.example.iscsispec:elsewhere >"$dir.log" 2>&1
    status=$?
    {
        [ $status -le 1 ] || echo "FAIL: $2 on $1: exit $status: $(tail -n 1 "$dir.log")"
        [ $status -gt 1 ] || python3 "${0%/*}/replayed.py" "$dir" >"$dir.said" || echo "FAIL: $2 on $1: what is said is not so"
        sed 's/^/    /' "$dir.said" 2>/dev/null
    } >"$dir.out"
}

# together PROFILE NAME...: those at once.
together()
{
    profile=$1
    shift
    jobs=
    for name in "$@"; do
        check "$profile" "$name" &
        jobs="$jobs $!"
    done
    # shellcheck disable=SC2086
    wait $jobs
    for name in "$@"; do
        echo "$name on $profile:"
        cat "$work/$profile-$name.out"
        ! grep -q ^FAIL "$work/$profile-$name.out" || failures=$((failures + 1))
    done
}

case ${3:-} in
all)
    some='inq readcapacity ls absent moved chap chap-wrong chap-none test-cu test-cu-write qemu run'
    few='inq absent chap'
    ;;
*)
    some='inq absent ls chap chap-wrong'
    few=
    ;;
esac
# shellcheck disable=SC2086
{
    together reference $some
    together istgt $some
}
for name in $few; do
    together lio "$name"
done

# CHAP goes through with the profile's secret, and with another it does not.
jq -e '.connections[0].stopped == "" and ([.connections[].answers[] | select(.answer == "Login Response")] | length) == 4' \
    "$work/istgt-chap/replay.json" >/dev/null || fail "CHAP on istgt was not played to its end"
printf 'no-secret-of-anybody\n' >"$work/secret"
expect_exit 1 20000 "$iscsispec" replay "$captures/chap-tgtd.pcap" --profile reference --out "$work/wrong" --user initiator \
    --secret-file "$work/secret"
expect_output 'Status 0x0000 Success -> 0x0201 Authentication failure'

# The check turns red when one difference is said otherwise.
for change in 's/NSG 0 -> 1/NSG 0 -> 2/' 's/"verdict": "different"/"verdict": "same"/' 's/0x0000 Success -> 0x0201/0x0000 Success -> 0x0202/'; do
    for dir in "$work/istgt-chap" "$work/wrong"; do
        cp -r "$dir" "$work/doctored"
        sed -i "$change" "$work/doctored/replay.json"
        if cmp -s "$dir/replay.json" "$work/doctored/replay.json"; then
            rm -r "$work/doctored"
            continue
        fi
        python3 "${0%/*}/replayed.py" "$work/doctored" >/dev/null && fail "a report changed with $change is taken as true"
        rm -r "$work/doctored"
        echo "$change" >>"$work/doctored-all"
    done
done
[ "$(sort -u "$work/doctored-all" | wc -l)" -eq 3 ] || fail "not each change was tried"
finish
