#!/bin/bash
# The manual pages and the completions that the build makes, held against what the programs themselves say.
. "${0%/*}/lib.sh"

made=$build/docs/man
target_page=$made/iscsispec-target.8
harness_page=$made/iscsispec.1

# --- the pages are clean, by both formatters
for page in "$target_page" "$harness_page"; do
    # The pages refer to each other, and need not be installed.
    mandoc -Tlint -W style "$page" 2>&1 | grep -v 'referenced manual not found' >"$work/output"
    [ ! -s "$work/output" ] || fail "mandoc has something to say about ${page##*/}"
    expect_exit 0 10000 groff -ww -z -mdoc "$page"
    [ ! -s "$work/output" ] || fail "groff has something to say about ${page##*/}"
done

# show PAGE: as a reader sees it, without bold
show()
{
    mandoc -Tascii -O width=200 "$1" | sed 's/.\x08//g'
}

# section TITLE <TEXT: one section of a page that is shown
section()
{
    awk -v title="$1" '/^[A-Z]/ { inside = $0 == title; next } inside'
}

# items <TEXT: the heads of the items of the list in a section, first word
items()
{
    awk '/^$/ { list = 1 } list' | sed -n 's/^     \([^ ][^ ]*\).*/\1/p'
}

# flags <TEXT: the flags that stand at the head of an item, of --help or of a page
flags()
{
    sed -n 's/^ \{2,5\}--\([a-z-]*\).*/\1/p' | sort
}

# same WHAT A B: two lists, a word a line
same()
{
    [ -s "$2" ] || fail "$1: the first list is empty"
    cmp -s "$2" "$3" || {
        fail "$1: not the same on both sides"
        diff "$2" "$3" | head -n 10
    }
}

show "$target_page" >"$work/target.txt"
show "$harness_page" >"$work/harness.txt"

# --- iscsispec-target(8): flags, defects, verbs, exit statuses, codes
"$target" --help >"$work/target.help"
flags <"$work/target.help" >"$work/a"
section FLAGS <"$work/target.txt" | flags >"$work/b"
same "flags of iscsispec-target" "$work/a" "$work/b"
"$target" --list-defects=json | jq -r '.[].name' | sort >"$work/a"
section DEFECTS <"$work/target.txt" | items | sort >"$work/b"
same "defects" "$work/a" "$work/b"
start_target t --control "$work/control" --portal 127.0.0.1:0
"$target" --ctl "$work/control" help | sed 's/ - .*//' | sort >"$work/a"
section 'CONTROL VERBS' <"$work/target.txt" | awk '/^$/ { list = 1 } list' | sed -n 's/^     \([a-z].*\)/\1/p' |
    sed 's/  .*//' | sort >"$work/b"
same "control verbs" "$work/a" "$work/b"
"$iscsispec" list codes | sed 's/^0x\(....\).*/\1/' >"$work/a"
section 'STATUS CODES' <"$work/target.txt" | items >"$work/b"
same "status codes" "$work/a" "$work/b"
sed -n '/^Exit status/,$p' "$work/target.help" | sed -n 's/^  \([0-9]*\)  .*/\1/p' >"$work/a"
section 'EXIT STATUS' <"$work/target.txt" | items >"$work/b"
same "exit statuses of iscsispec-target" "$work/a" "$work/b"

# --- iscsispec(1): commands, the options of each, exit statuses
"$iscsispec" --help >"$work/help"
sed -n '/^Commands/,/^$/p' "$work/help" | sed -n 's/^  \([a-z-]*\) .*/\1/p' >"$work/commands"
section COMMANDS <"$work/harness.txt" | sed -n 's/^   \([a-z][a-z-]*\).*/\1/p' | grep -v '^without$' >"$work/b"
same "commands of iscsispec" "$work/commands" "$work/b"
while read -r command; do
    "$iscsispec" "$command" --help | sed -n '/^Options/,$p' | flags >"$work/a"
    section COMMANDS <"$work/harness.txt" | awk -v command="$command" '/^   [a-z]/ { inside = $1 == command } inside' |
        flags >"$work/b"
    same "options of iscsispec $command" "$work/a" "$work/b"
done <"$work/commands"
sed -n '/^Exit status/,/^$/p' "$work/help" | sed -n 's/^ *\([0-9]*\)  .*/\1/p' >"$work/a"
section 'EXIT STATUS' <"$work/harness.txt" | items >"$work/b"
same "exit statuses of iscsispec" "$work/a" "$work/b"

# --- the comparison itself notices a page that lacks a flag, and one that has a flag too many
flags <"$work/target.help" >"$work/a"
for edit in '/--drain-timeout/d' 's/^     --drain-timeout/     --drain-timeouts/'; do
    section FLAGS <"$work/target.txt" | sed -e "$edit" | flags >"$work/b"
    (failures=0; same probe "$work/a" "$work/b" >"$work/output"; [ "$failures" -eq 1 ]) || fail "a changed page went unnoticed: $edit"
done

# --- completion: what bash offers for a line
# shellcheck disable=SC1090,SC1091
. "$made/completions/iscsispec-target"
# shellcheck disable=SC1090,SC1091
. "$made/completions/iscsispec"

# offer FUNCTION PROGRAM LINE: the words offered at the end of the line, sorted, in $work/offer
offer()
{
    COMP_LINE=$3 COMP_POINT=${#3}
    read -ra COMP_WORDS <<<"$3"
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    case $3 in *' ') COMP_CWORD=$((COMP_CWORD + 1)) COMP_WORDS+=("") ;; esac
    COMPREPLY=()
    "$1" "$2" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    printf '%s\n' "${COMPREPLY[@]}" | sort >"$work/offer"
}
of_target() { offer _iscsispec_target_complete "$target" "iscsispec-target $1"; }
of_harness() { offer _iscsispec_complete "$iscsispec" "iscsispec $1"; }
# offered WORD...: exactly these
offered()
{
    printf '%s\n' "$@" | sort >"$work/expected"
    same "completion of '$COMP_LINE'" "$work/expected" "$work/offer"
}

of_target --
flags <"$work/target.help" | sed 's/^/--/' >"$work/a"
grep -v = "$work/offer" >"$work/b"
same "flags offered" "$work/a" "$work/b"
of_target "--port"
offered --portal
of_target "--defect "
"$target" --list-defects=json | jq -r '.[].name' | sort >"$work/a"
same "defects offered" "$work/a" "$work/offer"
of_target "--defect no-tpgt,ignore-mo"
offered no-tpgt,ignore-moved
of_target "--defect=ignore-mo"
offered ignore-moved
of_target "--log-level "
offered debug info warning
of_target "--codes 0203,030"
offered 0203,0300 0203,0301 0203,0302
of_target "--ctl $work/control dr"
offered drain
of_target "--ctl $work/cont"
offered "$work/control"
of_target "--ctl $work/control drain "
offered ''
of_target "--list-defects"
offered --list-defects --list-defects=json
of_harness ""
sort "$work/commands" >"$work/a"
same "commands offered" "$work/a" "$work/offer"
while read -r command; do
    "$iscsispec" "$command" --help | sed -n '/^Options/,$p' | flags | sed 's/^/--/' >"$work/a"
    of_harness "$command --"
    same "options of $command offered" "$work/a" "$work/offer"
done <"$work/commands"
of_harness "list "
offered cases codes conditions profiles rules
of_harness "run --profile "
"$iscsispec" list profiles | sed 's/ .*//' | sort >"$work/a"
same "profiles offered" "$work/a" "$work/offer"
of_harness "run --profile=ref"
offered reference
of_harness "run --profile $work/target.h"
offered "$work/target.help"
"$iscsispec" list cases 2>"$work/output" | sed 's/^........//; s/ .*//' | sort >"$work/cases"
grep "^$(wc -l <"$work/cases") of" "$work/output" >/dev/null || fail "list cases is read wrongly"
of_harness "run --quiet --select "
grep -v -e ^code: -e ^rule: "$work/offer" >"$work/b"
same "cases offered" "$work/cases" "$work/b"
of_harness "explain status."
grep '^status\.' "$work/cases" >"$work/a"
same "cases of explain offered" "$work/a" "$work/offer"
of_harness "run --select code:0x030"
offered 0x0300 0x0301 0x0302

# --- a word that the shell cuts at = is put together again
cat >"$work/fake" <<'END'
#!/bin/sh
echo '        keys.burst=1                                 one'
echo '0x0200  keys.burst=22                                two'
END
chmod +x "$work/fake"
offer _iscsispec_complete "$work/fake" 'iscsispec run --select keys.burst='
offered 1 22
offer _iscsispec_complete "$work/fake" 'iscsispec run --select keys.b'
offered keys.burst=1 keys.burst=22

# --- all of it is installed, where man and the shells look
cmake --install "$build" --prefix "$work/usr" >"$work/output" 2>&1 || fail "cmake --install failed"
for file in man/man8/iscsispec-target.8 man/man1/iscsispec.1 bash-completion/completions/iscsispec \
    bash-completion/completions/iscsispec-target zsh/site-functions/_iscsispec zsh/site-functions/_iscsispec-target; do
    [ -s "$work/usr/share/$file" ] || fail "share/$file is not installed"
done

# --- zsh offers the same, through the files that are installed
cat >"$work/.zshrc" <<'END'
fpath=($ZDOTDIR/usr/share/zsh/site-functions $fpath)
path=($ZDOTDIR/usr/bin $path)
autoload -Uz compinit
compinit -u -D
show() { print -r -- "$BUFFER" >>$ZDOTDIR/lines; BUFFER= }
zle -N show
bindkey '^X' show
print ready >>$ZDOTDIR/lines
END
cat >"$work/drive" <<'END'
wait_lines() { repeat 200; do [[ -f $ZDOTDIR/lines && $(wc -l <$ZDOTDIR/lines) -ge $1 ]] && return; sleep 0.05; done }
zmodload zsh/zpty
zpty shell zsh -i
wait_lines 1
sleep 0.3
count=1
for line in 'iscsispec-target --drain-t' 'iscsispec-target --defect=no-tpgt,ignore-mo' \
    'iscsispec explain status.denied.pl' 'iscsispec lis'; do
    zpty -n -w shell "$line"$'\t\C-x'
    wait_lines $((++count))
done
END
ZDOTDIR=$work timeout 60 zsh -f "$work/drive" >/dev/null 2>&1
sed 1d "$work/lines" | sed 's/ $//' >"$work/a"
printf '%s\n' 'iscsispec-target --drain-timeout' 'iscsispec-target --defect=no-tpgt,ignore-moved' \
    'iscsispec explain status.denied.plain' 'iscsispec list' >"$work/b"
same "lines completed by zsh" "$work/a" "$work/b"
finish
