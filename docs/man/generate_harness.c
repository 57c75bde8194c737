/*
 * Writes the manual page or the completion of iscsispec from its own tables of commands, options and exit statuses.
 *
 * usage: generate_harness man DATE, or generate_harness bash
 */
#include "harness/cli/commands.h"
#include "harness/cli/options.h"

#include "page.h"
#include "shell.h"

#include <string.h>

#define PREFIX "_iscsispec"

static void write_option(FILE *out, const struct options_about *option)
{
    page_flag(out, option->name, " ", option->value != NULL ? option->value : "");
    page_text(out, option->help);
}

/* The options that belong to one command alone or with others; those of all commands stand once. */
static void write_options(FILE *out, unsigned command)
{
    struct options_about option;
    bool begun = false;

    for (size_t i = 0; options_describe(i, &option); i++) {
        if ((option.commands & command) == 0)
            continue;
        if (!begun)
            page_list_begin(out);
        begun = true;
        write_option(out, &option);
    }
    if (begun)
        page_list_end(out);
}

static void write_synopsis(FILE *out)
{
    page_section(out, "SYNOPSIS");
    for (size_t i = 0; commands_at(i) != NULL; i++) {
        fprintf(out, ".Nm\n.Cm %s\n.Op Ar OPTION ...\n", commands_at(i)->name);
        if (commands_at(i)->arguments[0] != '\0')
            fprintf(out, ".Ar %s\n", commands_at(i)->arguments);
    }
    fputs(".Nm\n.Fl \\-help | Fl \\-version\n", out);
}

/* Lines indented by two blanks in the table. */
static void write_lines(FILE *out, const char *lines)
{
    page_lines_begin(out);
    while (*lines != '\0') {
        size_t blanks = strspn(lines, " ");
        size_t length = strcspn(lines, "\n");
        size_t skip = blanks < 2 ? blanks : 2;
        page_line(out, lines + skip, length - skip);
        lines += length;
        lines += *lines == '\n';
    }
    page_lines_end(out);
}

static void write_commands(FILE *out)
{
    page_section(out, "COMMANDS");
    for (size_t i = 0; commands_at(i) != NULL; i++) {
        const struct commands_row *row = commands_at(i);
        char title[128];
        snprintf(title, sizeof title, "%s%s%s", row->name, row->arguments[0] != '\0' ? " " : "", row->arguments);
        page_subsection(out, title);
        page_text(out, row->summary);
        write_options(out, row->bit);
    }
    page_subsection(out, "without a command");
    write_options(out, OPTIONS_NONE);
}

static void write_exits(FILE *out)
{
    page_section(out, "EXIT STATUS");
    page_text(out, "Of run, the first of these that applies. The other commands: 0 nothing found, 1 findings, 2 to 5 "
                   "and 130 as here.");
    page_list_begin(out);
    for (size_t i = 0; commands_exit_at(i) != NULL; i++) {
        char status[8];
        snprintf(status, sizeof status, "%d", commands_exit_at(i)->status);
        page_item(out, status, "");
        page_text(out, commands_exit_at(i)->meaning);
    }
    page_list_end(out);
}

static void write_table(FILE *out, const char *title, const char *const (*rows)[2])
{
    page_section(out, title);
    page_list_begin(out);
    for (; (*rows)[0] != NULL; rows++) {
        page_item(out, (*rows)[0], "");
        page_text(out, (*rows)[1]);
    }
    page_list_end(out);
}

static void write_man(FILE *out, const char *date)
{
    static const char *const variables[][2] = {
        {"ISCSISPEC_DATA", "A folder with cases/requirements.yaml, instead of the installed data."},
        {"ISCSISPEC_SECRET", "The CHAP secret of --user, when there is no --secret-file."},
        {"NO_COLOR", "When set, progress is shown without colours."},
        {NULL, NULL},
    };
    static const char *const files[][2] = {
        {"DIR/results.jsonl", "The run, a line a case; every report is made from it alone. DIR is that of --out."},
        {"DIR/coverage.md", "The table of the 18 status codes, as it is printed, and what to do next."},
        {"DIR/coverage.json", "The same for programs."},
        {"DIR/junit.xml", "The cases for a CI system."},
        {"DIR/evidence/CASE.txt", "What was said in a case, both ways, for reading."},
        {"DIR/evidence/CASE.pcap", "The same bytes for Wireshark."},
        {NULL, NULL},
    };

    page_begin(out, "iscsispec", 1, date, "conformance test suite for the login phase of iSCSI targets");
    write_synopsis(out);
    page_section(out, "DESCRIPTION");
    page_text(out,
              "Points genuine iSCSI logins, each with one deliberate deviation, at a target and tells by the bytes "
              "that come back which of the 18 status codes and which rules of RFC 7143 the target gets right.\n\n"
              "Without a target it starts its own, iscsispec-target, on which every status code can be brought "
              "about. A profile tells how another target is started, reached and brought into the conditions that "
              "cases need; with --target alone runs what needs none.");
    write_commands(out);
    write_table(out, "ENVIRONMENT", variables);
    write_table(out, "FILES", files);
    write_exits(out);
    page_section(out, "EXAMPLES");
    for (size_t i = 0; commands_at(i) != NULL; i++)
        write_lines(out, commands_at(i)->examples);
    fputs(".Sh SEE ALSO\n.Xr iscsispec-target 8\n.Pp\nRFC 7143, Internet Small Computer System Interface (iSCSI) "
          "Protocol\n",
          out);
}

/* What the program itself is asked for: LIST is a kind of `iscsispec list`, SCRIPT takes the names out of it. */
static void write_lists(FILE *out)
{
    fputs("\n" PREFIX "_list()\n{\n    \"$program\" list \"$1\" 2>/dev/null | sed \"$2\"\n}\n" PREFIX
          "_cases()\n{\n    " PREFIX "_list cases 's/^.\\{8\\}//; s/ .*//'\n}\n" PREFIX "_names()\n{\n    " PREFIX
          "_list \"$1\" 's/ .*//'\n}\n",
          out);
}

static void write_values(FILE *out)
{
    static const struct shell_action actions[] = {
        {"PATH", PREFIX "_files -f"},
        {"FILE", PREFIX "_files -f"},
        {"DIR", PREFIX "_files -d"},
        {"NAME|FILE", PREFIX "_offer \"$(" PREFIX "_names profiles)\"\n"
                             "        [ ${#COMPREPLY[@]} -gt 0 ] || " PREFIX "_files -f"},
        {"EXPR", PREFIX "_offer \"$(" PREFIX "_cases) $(" PREFIX "_names codes | sed s/^/code:/)"
                        " $(" PREFIX "_names rules | sed s/^/rule:/)\""},
        {NULL, NULL},
    };
    struct options_about option;

    for (size_t i = 0; options_describe(i, &option); i++)
        if (option.value != NULL)
            shell_value(out, PREFIX, option.name, option.value, actions);
}

/* The words behind the name of a command. */
static void write_words(FILE *out, const struct commands_row *row)
{
    if (shell_choice(NULL, row->arguments)) {
        fputs("        *) " PREFIX "_offer \"", out);
        shell_choice(out, row->arguments);
        fputs("\" ;;\n", out);
    } else if (strcmp(row->arguments, "CODE|CASE|RULE") == 0) {
        fputs("        *) " PREFIX "_offer \"$(" PREFIX "_names codes) $(" PREFIX "_cases) $(" PREFIX
              "_names rules)\" ;;\n",
              out);
    } else if (strncmp(row->arguments, "DIR", 3) == 0) {
        fputs("        *) " PREFIX "_files -d ;;\n", out);
    }
}

static void write_flags(FILE *out, unsigned command)
{
    struct options_about option;

    fputs(PREFIX "_offer \"", out);
    for (size_t i = 0; options_describe(i, &option); i++)
        if ((option.commands & command) != 0)
            fprintf(out, "--%s ", option.name);
    fputs("\"", out);
}

static void write_bash(FILE *out)
{
    shell_begin(out, "iscsispec", PREFIX);
    write_values(out);
    fputs("    esac\n    case ${COMP_CWORD}:${COMP_WORDS[1]}:$cur in\n    1:*:-*) ", out);
    write_flags(out, OPTIONS_NONE);
    fputs(" ;;\n    1:*) " PREFIX "_offer \"", out);
    for (size_t i = 0; commands_at(i) != NULL; i++)
        fprintf(out, "%s ", commands_at(i)->name);
    fputs("\" ;;\n", out);
    for (size_t i = 0; commands_at(i) != NULL; i++) {
        fprintf(out, "    *:%s:*)\n        case $cur in\n        -*) ", commands_at(i)->name);
        write_flags(out, commands_at(i)->bit);
        fputs(" ;;\n", out);
        write_words(out, commands_at(i));
        fputs("        esac\n        ;;\n", out);
    }
    fputs("    esac\n", out);
    shell_end(out, "iscsispec", PREFIX);
    write_lists(out);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "man") == 0) {
        write_man(stdout, argv[2]);
    } else if (argc == 2 && strcmp(argv[1], "bash") == 0) {
        write_bash(stdout);
    } else {
        fputs("usage: generate_harness man DATE, or generate_harness bash\n", stderr);
        return 2;
    }
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
