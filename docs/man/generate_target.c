/*
 * Writes the manual page or the completion of iscsispec-target from its own tables: of flags, defects, control verbs,
 * exit statuses and status codes.
 *
 * usage: generate_target man DATE, or generate_target bash
 */
#include "reference_target/defects.h"
#include "reference_target/help.h"
#include "reference_target/options.h"
#include "reference_target/verbs.h"
#include "wire/status.h"

#include "page.h"
#include "shell.h"

#include <string.h>

#define PREFIX "_iscsispec_target"

static void write_synopsis(FILE *out)
{
    fputs(".Sh SYNOPSIS\n"
          ".Nm\n"
          ".Op Ar FLAG ...\n"
          ".Op Fl \\-portal Oo Ar NAME Ns = Oc Ns Ar ADDR : Ns Ar PORT Ns Oo , Ns Ar TAG Oc Op Ar FLAG ...\n"
          ".Op Fl \\-target Ar NAME Op Ar FLAG ...\n"
          ".Nm\n"
          ".Fl \\-ctl Ar PATH VERB\n"
          ".Op Ar ARG ...\n",
          out);
}

static void write_level(FILE *out, const char *title, enum options_level level)
{
    page_subsection(out, title);
    page_list_begin(out);
    for (size_t i = 0; options_at(i) != NULL; i++) {
        const struct options_row *row = options_at(i);
        if (row->level != level)
            continue;
        page_flag(out, row->name, row->argument == OPTIONS_ARGUMENT ? " " : "", row->placeholder);
        page_text(out, row->help);
    }
    page_list_end(out);
}

static void write_flags(FILE *out)
{
    page_section(out, "FLAGS");
    page_text(out, "Flags of a portal or a target apply to the last --portal or --target before them.");
    write_level(out, "Flags of the process", OPTIONS_PROCESS);
    write_level(out, "Flags of a portal, behind its --portal", OPTIONS_PORTAL);
    write_level(out, "Flags of a target, behind its --target", OPTIONS_TARGET);
    write_level(out, "Flags of a target, or of all when no --target stands before", OPTIONS_TARGET_OR_ALL);
}

static void write_verbs(FILE *out)
{
    page_section(out, "CONTROL VERBS");
    page_text(out,
              "The socket of --control takes a verb a line, up to 1024 bytes. It answers lines of data, then a line "
              "ok or error: REASON. With --ctl the program is the client of another one.");
    page_list_begin(out);
    for (size_t i = 0; verbs_at(i) != NULL; i++) {
        page_item(out, verbs_at(i)->name, verbs_at(i)->placeholder);
        page_text(out, verbs_at(i)->help);
    }
    page_list_end(out);
}

static void write_codes(FILE *out)
{
    page_section(out, "STATUS CODES");
    page_text(out, "What --codes and --force take: the number, as in 0203 or 0x0203, or the name.");
    page_list_begin(out);
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        char code[8];
        snprintf(code, sizeof code, "%04x", status_at(i)->code);
        page_item(out, code, status_at(i)->name);
        page_text(out, status_at(i)->meaning);
    }
    page_list_end(out);
}

static void write_defects(FILE *out)
{
    page_section(out, "DEFECTS");
    page_text(out, "What --defect takes: each breaks one rule on purpose, so that a test suite can be shown to notice. "
                   "Behind the name stand the status code that it is about, when it is about one, and the section of "
                   "RFC 7143.");
    page_list_begin(out);
    for (int i = 0; i < (int)DEFECT_COUNT; i++) {
        const struct defects_entry *entry = defects_entry((enum defect)i);
        char text[64];
        if (entry->code == DEFECTS_NO_CODE)
            snprintf(text, sizeof text, "%s", entry->section);
        else
            snprintf(text, sizeof text, "%04x, %s", entry->code, entry->section);
        page_item(out, entry->name, text);
        page_text(out, entry->what);
    }
    page_list_end(out);
}

static void write_files(FILE *out)
{
    page_section(out, "FILES");
    page_list_begin(out);
    page_item(out, "ready file", "");
    page_text(out, "One line of JSON: pid, portals by name with address, port and tag, targets. It is there as soon as "
                   "all portals listen, and only then: whoever waits for it can connect.");
    page_item(out, "credentials", "");
    page_text(out, "A line USER:SECRET or USER, tab, SECRET for each user. It should be readable by its owner only.");
    page_item(out, "control socket", "");
    page_text(out, "Made at the start, taken away at the end. A socket that a dead process left behind is replaced.");
    page_list_end(out);
}

static void write_end(FILE *out)
{
    page_section(out, "SIGNALS");
    page_text(out, "SIGTERM and SIGINT drain: portals take no more connections, live sessions may end, up to "
                   "--drain-timeout. A second signal ends at once.");
    page_section(out, "EXIT STATUS");
    page_text(out, "Of the server, and of --ctl.");
    page_list_begin(out);
    for (size_t i = 0; help_exit_at(i) != NULL; i++) {
        char status[8];
        snprintf(status, sizeof status, "%d", help_exit_at(i)->status);
        page_item(out, status, "");
        page_text(out, help_exit_at(i)->meaning);
    }
    page_list_end(out);
    page_section(out, "EXAMPLES");
    for (size_t i = 0, code = 0; help_example(i) != NULL; i++) {
        const char *line = help_example(i);
        bool is_code = strncmp(line, "    ", 4) == 0;
        if (is_code && !code)
            page_lines_begin(out);
        if (!is_code && code)
            page_lines_end(out);
        code = is_code;
        if (is_code)
            page_line(out, line + 4, strlen(line + 4));
        else
            page_text(out, line);
        if (code && help_example(i + 1) == NULL)
            page_lines_end(out);
    }
    fputs(".Sh SEE ALSO\n.Xr iscsispec 1\n.Pp\nRFC 7143, Internet Small Computer System Interface (iSCSI) Protocol\n",
          out);
}

static void write_man(FILE *out, const char *date)
{
    page_begin(out, "iscsispec-target", 8, date, "iSCSI target to test initiators and test suites against");
    write_synopsis(out);
    page_section(out, "DESCRIPTION");
    page_text(out,
              "An iSCSI target that is right by the letter of RFC 7143, or wrong in exactly the way it is told. Each "
              "of the 18 status codes of a Login Response has a cause that a flag or a control verb brings about, "
              "and can be forced without one.\n\n"
              "It serves LUN 0 of each target from memory or from a file. It is made for tests, not to keep data.");
    write_flags(out);
    write_verbs(out);
    write_codes(out);
    write_defects(out);
    write_files(out);
    write_end(out);
}

static void write_lists(FILE *out)
{
    fputs(PREFIX "_defects=\"\n", out);
    for (int i = 0; i < (int)DEFECT_COUNT; i++)
        fprintf(out, "%s\n", defects_entry((enum defect)i)->name);
    fputs("\"\n", out);
    fputs(PREFIX "_codes=\"\n", out);
    for (size_t i = 0; i < STATUS_COUNT; i++)
        fprintf(out, "%04x\n", status_at(i)->code);
    fputs("\"\n", out);
    fputs(PREFIX "_verbs=\"\n", out);
    for (size_t i = 0; verbs_at(i) != NULL; i++)
        fprintf(out, "%s\n", verbs_at(i)->name);
    fputs("\"\n", out);
    fputs(PREFIX "_flags=\"\n", out);
    for (size_t i = 0; options_at(i) != NULL; i++) {
        const struct options_row *row = options_at(i);
        fprintf(out, "--%s\n", row->name);
        if (row->argument == OPTIONS_ARGUMENT_OPTIONAL)
            fprintf(out, "--%s%s\n", row->name, row->placeholder);
    }
    fputs("\"\n", out);
}

static void write_bash(FILE *out)
{
    static const struct shell_action actions[] = {
        {"PATH", PREFIX "_files -f"},
        {"PATH VERB [ARG]...", PREFIX "_files -f"},
        {"FILE", PREFIX "_files -f"},
        {"SIZE|FILE", PREFIX "_files -f"},
        {"CODE[,CODE]...", PREFIX "_offer_list \"$" PREFIX "_codes\""},
        {"CODE[@STAGE][:GLOB]", PREFIX "_offer \"$" PREFIX "_codes\""},
        {NULL, NULL},
    };
    static const struct shell_action defects[] = {
        {"NAME[,NAME]...", PREFIX "_offer_list \"$" PREFIX "_defects\""},
        {NULL, NULL},
    };

    shell_begin(out, "iscsispec-target", PREFIX);
    for (size_t i = 0; options_at(i) != NULL; i++) {
        const struct options_row *row = options_at(i);
        if (row->argument == OPTIONS_ARGUMENT)
            shell_value(out, PREFIX, row->name, row->placeholder, strcmp(row->name, "defect") == 0 ? defects : actions);
    }
    fputs("    esac\n"
          "    case $rest in\n"
          "    *[[:space:]]--ctl[[:space:]]*[![:space:]]*)\n"
          "        case ${rest##*[[:space:]]--ctl} in\n"
          "        *[![:space:]][[:space:]]*[![:space:]]*) ;;\n"
          "        *) " PREFIX "_offer \"$" PREFIX "_verbs\" ;;\n"
          "        esac\n"
          "        return 0\n"
          "        ;;\n"
          "    esac\n"
          "    " PREFIX "_offer \"$" PREFIX "_flags\"\n",
          out);
    shell_end(out, "iscsispec-target", PREFIX);
    fputc('\n', out);
    write_lists(out);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "man") == 0) {
        write_man(stdout, argv[2]);
    } else if (argc == 2 && strcmp(argv[1], "bash") == 0) {
        write_bash(stdout);
    } else {
        fputs("usage: generate_target man DATE, or generate_target bash\n", stderr);
        return 2;
    }
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
