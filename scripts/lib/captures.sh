# Sourced by what makes the captures of corpora/captures and what plays them again: a tgtd with targets of the same names
# and credentials as in the profile tgt. Needs scripts/lib/tgtd.sh.
# shellcheck shell=sh disable=SC2034

captures_prefix=iqn.2026-01.example.iscsispec
captures_user=initiator
captures_secret=initiator-secret

# captures_tgtd DIR: targets open, chap and moved-temporarily, each with a disk of zeros. Sets $tgtd_pid and $tgtd_port.
captures_tgtd()
{
    truncate -s 8M "$1/disk"
    tgtd_start "$1" "$captures_prefix:open" "$1/disk" || return 1
    tgtd_admin --mode account --op new --user $captures_user --password $captures_secret
    captures_tid=1
    for captures_name in chap moved-temporarily; do
        captures_tid=$((captures_tid + 1))
        tgtd_admin --mode target --op new --tid $captures_tid --targetname "$captures_prefix:$captures_name"
        tgtd_admin --mode logicalunit --op new --tid $captures_tid --lun 1 --bstype null --backing-store /dev/null
        tgtd_admin --mode target --op bind --tid $captures_tid --initiator-address ALL
    done
    tgtd_admin --mode account --op bind --tid 2 --user $captures_user
    for captures_set in RedirectAddress=192.0.2.1 RedirectPort=3260 RedirectReason=Temporary; do
        tgtd_admin --mode target --op update --tid 3 --name "${captures_set%%=*}" --value "${captures_set#*=}"
    done
}
