/* The texts that iscsispec-target prints and exits; see help.h. */
#include "help.h"

#include <string.h>

#include <jansson.h>

#include "benign.h"
#include "defects.h"
#include "options.h"
#include "server.h"
#include "verbs.h"

enum { HELP_WIDTH = 100, HELP_INDENT = 8 };

static const char *const examples[] = {
    "A target on a free port; the first line printed tells which:",
    "    iscsispec-target --portal 127.0.0.1:0",
    "Two targets, the second behind CHAP and on the second portal only:",
    "    iscsispec-target --portal main=127.0.0.1:3260 --portal side=[::1]:3260,2 \\",
    "        --target iqn.2026-01.example:open \\",
    "        --target iqn.2026-01.example:safe --on side --chap-file secrets",
    "A target that has moved to the other portal:",
    "    iscsispec-target --portal a=127.0.0.1:3260 --portal b=127.0.0.1:3261 \\",
    "        --target iqn.2026-01.example:disk --on a --moved-temporarily @b",
    "Shut down softly from outside:",
    "    iscsispec-target --control /run/t.sock &   iscsispec-target --ctl /run/t.sock drain main",
};

const char *help_example(size_t index)
{
    return index < sizeof examples / sizeof examples[0] ? examples[index] : NULL;
}

static const struct help_exit exits[] = {
    {SERVER_OK, "served and ended by a signal or quit; with --ctl: the verb was carried out"},
    {SERVER_REFUSED, "a control verb was answered by an error"},
    {SERVER_USAGE, "wrong use"},
    {SERVER_UNREACHABLE, "an address, file or socket cannot be used"},
};

const struct help_exit *help_exit_at(size_t index)
{
    return index < sizeof exits / sizeof exits[0] ? &exits[index] : NULL;
}

/* Prints words of text, broken at HELP_WIDTH, each line indented. */
static void print_wrapped(FILE *out, const char *text)
{
    size_t column = 0;

    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        if (column > 0 && column + 1 + length > HELP_WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        if (column == 0) {
            fprintf(out, "%*s", HELP_INDENT, "");
            column = HELP_INDENT;
        } else {
            fputc(' ', out);
            column++;
        }
        fwrite(text, 1, length, out);
        column += length;
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

static void print_row(FILE *out, const struct options_row *row)
{
    const char *gap = row->argument == OPTIONS_ARGUMENT ? " " : "";

    if (row->argument == OPTIONS_ARGUMENT_OPTIONAL)
        fprintf(out, "  --%s[%s]\n", row->name, row->placeholder);
    else
        fprintf(out, "  --%s%s%s\n", row->name, gap, row->placeholder);
    print_wrapped(out, row->help);
}

static void print_level(FILE *out, const char *title, enum options_level level)
{
    fprintf(out, "\n%s\n", title);
    for (size_t i = 0; options_at(i) != NULL; i++)
        if (options_at(i)->level == level)
            print_row(out, options_at(i));
}

static void print_verbs(FILE *out)
{
    fputs("\nControl verbs, a line each, answered by lines of data and then ok or error: REASON\n", out);
    for (size_t i = 0; verbs_at(i) != NULL; i++) {
        const struct verbs_row *row = verbs_at(i);
        fprintf(out, "  %s%s%s\n", row->name, row->placeholder[0] != '\0' ? " " : "", row->placeholder);
        print_wrapped(out, row->help);
    }
}

void help_print(FILE *out)
{
    fputs("Usage: iscsispec-target [FLAG]... [--portal [NAME=]ADDR:PORT[,TAG] [FLAG]...]... [--target NAME [FLAG]...]...\n"
          "       iscsispec-target --ctl PATH VERB [ARG]...\n"
          "\n"
          "An iSCSI target that is right by the letter of RFC 7143, or wrong in exactly the way it is told.\n"
          "Flags of a portal or a target apply to the last --portal or --target before them.\n",
          out);
    print_level(out, "Flags of the process", OPTIONS_PROCESS);
    print_level(out, "Flags of a portal, behind its --portal", OPTIONS_PORTAL);
    print_level(out, "Flags of a target, behind its --target", OPTIONS_TARGET);
    print_level(out, "Flags of a target, or of all when no --target stands before", OPTIONS_TARGET_OR_ALL);
    print_verbs(out);
    fputs("\nExamples\n", out);
    for (size_t i = 0; help_example(i) != NULL; i++)
        fprintf(out, "  %s\n", help_example(i));
    fputs("\nExit status\n", out);
    for (size_t i = 0; help_exit_at(i) != NULL; i++)
        fprintf(out, "  %d  %s\n", help_exit_at(i)->status, help_exit_at(i)->meaning);
}

static const char *code_text(const struct defects_entry *entry, char *text, size_t size)
{
    if (entry->code == DEFECTS_NO_CODE)
        return NULL;
    snprintf(text, size, "0x%04x", entry->code);
    return text;
}

void help_print_defects(FILE *out)
{
    char text[8];
    size_t width = 0;

    for (int i = 0; i < (int)DEFECT_COUNT; i++) {
        size_t length = strlen(defects_entry((enum defect)i)->name);
        width = length > width ? length : width;
    }
    fprintf(out, "%-*s  %-6s  %-11s  %s\n", (int)width, "DEFECT", "CODE", "RFC 7143", "THE TARGET");
    for (int i = 0; i < (int)DEFECT_COUNT; i++) {
        const struct defects_entry *entry = defects_entry((enum defect)i);
        const char *code = code_text(entry, text, sizeof text);
        fprintf(out, "%-*s  %-6s  %-11s  %s\n", (int)width, entry->name, code != NULL ? code : "-", entry->section,
                entry->what);
    }
}

bool help_print_defects_json(FILE *out)
{
    char text[8];
    json_t *array = json_array();
    bool good = array != NULL;

    for (int i = 0; good && i < (int)DEFECT_COUNT; i++) {
        const struct defects_entry *entry = defects_entry((enum defect)i);
        json_t *row = json_pack("{s:s, s:s?, s:s, s:s}", "name", entry->name, "code",
                                code_text(entry, text, sizeof text), "section", entry->section, "what", entry->what);
        good = row != NULL && json_array_append_new(array, row) == 0;
    }
    good = good && json_dumpf(array, out, JSON_INDENT(1)) == 0 && fputc('\n', out) != EOF;
    json_decref(array);
    return good;
}

void help_print_benign(FILE *out)
{
    size_t width = 0;

    for (int i = 0; i < (int)BENIGN_COUNT; i++) {
        size_t length = strlen(benign_entry((enum benign)i)->name);
        width = length > width ? length : width;
    }
    fprintf(out, "%-*s  %-8s  %s\n", (int)width, "SWITCH", "RFC 7143", "THE TARGET");
    for (int i = 0; i < (int)BENIGN_COUNT; i++) {
        const struct benign_entry *entry = benign_entry((enum benign)i);
        fprintf(out, "%-*s  %-8s  %s\n", (int)width, entry->name, entry->section, entry->what);
    }
}

bool help_print_benign_json(FILE *out)
{
    json_t *array = json_array();
    bool good = array != NULL;

    for (int i = 0; good && i < (int)BENIGN_COUNT; i++) {
        const struct benign_entry *entry = benign_entry((enum benign)i);
        json_t *row = json_pack("{s:s, s:s, s:s}", "name", entry->name, "section", entry->section, "what", entry->what);
        good = row != NULL && json_array_append_new(array, row) == 0;
    }
    good = good && json_dumpf(array, out, JSON_INDENT(1)) == 0 && fputc('\n', out) != EOF;
    json_decref(array);
    return good;
}
