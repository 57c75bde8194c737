/* Completion for bash; see shell.h. */
#include "shell.h"

#include <string.h>

/* PREFIX and PROGRAM stand for what shell_begin() is given. */
static const char preamble[] =
    "# Completion of PROGRAM for bash; zsh takes it through bashcompinit.\n"
    "# Made by the build from the tables of the program.\n"
    "\n"
    "# Puts into COMPREPLY what of the list begins as the current word does. The shell has cut the word at = and :,\n"
    "# so what stands before the last of them is taken off again.\n"
    "PREFIX_offer()\n"
    "{\n"
    "    local IFS=$' \\t\\n' word cut=\n"
    "    case $COMP_WORDBREAKS in *[=:]*) cut=${cur%\"${cur##*[=:]}\"} ;; esac\n"
    "    for word in $1; do\n"
    "        case $head$word in\n"
    "        \"$cur\"*)\n"
    "            word=$head$word\n"
    "            COMPREPLY+=(\"${word#\"$cut\"}\")\n"
    "            ;;\n"
    "        esac\n"
    "    done\n"
    "}\n"
    "\n"
    "# The same for values with commas between: what is there already stays.\n"
    "PREFIX_offer_list()\n"
    "{\n"
    "    case $cur in *,*) head=${cur%\"${cur##*,}\"} ;; esac\n"
    "    PREFIX_offer \"$1\"\n"
    "}\n"
    "\n"
    "# Files (-f) or folders (-d).\n"
    "PREFIX_files()\n"
    "{\n"
    "    local IFS=$'\\n' paths\n"
    "    paths=$(compgen \"$1\" -- \"${cur#\"$head\"}\")\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    COMPREPLY=($paths)\n"
    "}\n"
    "\n"
    "PREFIX_complete()\n"
    "{\n"
    "    local line=${COMP_LINE:0:$COMP_POINT} cur prev rest head= program=${1:-PROGRAM}\n"
    "    cur=${line##*[[:space:]]}\n"
    "    rest=${line%\"$cur\"}\n"
    "    prev=${rest%\"${rest##*[![:space:]]}\"}\n"
    "    prev=${prev##*[[:space:]]}\n"
    "    case $cur in --*=*) prev=${cur%%=*} head=$prev= ;; esac\n"
    "    COMPREPLY=()\n"
    "    case $prev in\n";

/* Writes text with the two words PROGRAM and PREFIX replaced. */
static void expand(FILE *out, const char *text, const char *program, const char *prefix)
{
    while (*text != '\0') {
        if (strncmp(text, "PROGRAM", strlen("PROGRAM")) == 0) {
            fputs(program, out);
            text += strlen("PROGRAM");
        } else if (strncmp(text, "PREFIX", strlen("PREFIX")) == 0) {
            fputs(prefix, out);
            text += strlen("PREFIX");
        } else {
            fputc(*text++, out);
        }
    }
}

void shell_begin(FILE *out, const char *program, const char *prefix)
{
    expand(out, preamble, program, prefix);
}

bool shell_choice(FILE *out, const char *placeholder)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-|";

    if (strchr(placeholder, '|') == NULL || placeholder[strspn(placeholder, letters)] != '\0')
        return false;
    for (const char *p = placeholder; out != NULL && *p != '\0'; p++)
        fputc(*p == '|' ? ' ' : *p, out);
    return true;
}

void shell_value(FILE *out, const char *prefix, const char *flag, const char *placeholder,
                 const struct shell_action *actions)
{
    fprintf(out, "    --%s)\n", flag);
    if (shell_choice(NULL, placeholder)) {
        fprintf(out, "        %s_offer \"", prefix);
        shell_choice(out, placeholder);
        fputs("\"\n", out);
    }
    for (; actions->placeholder != NULL; actions++)
        if (strcmp(actions->placeholder, placeholder) == 0)
            fprintf(out, "        %s\n", actions->call);
    fputs("        return 0\n        ;;\n", out);
}

void shell_end(FILE *out, const char *program, const char *prefix)
{
    fprintf(out, "}\ncomplete -F %s_complete %s\n", prefix, program);
}
