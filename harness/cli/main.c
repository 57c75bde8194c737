/* iscsispec: the command line of the suite. */
#include "harness/cli/cli.h"
#include "harness/cli/suggest.h"
#include "harness/version.h"

#include <stdio.h>
#include <string.h>

struct command {
    const char *name, *arguments;
    unsigned bit;
    int (*run)(struct cli *cli);
    const char *summary;
    const char *examples;
};

static const struct command commands[] = {
    {"run", "", OPTIONS_RUN, cli_run, "run cases against a target and write the reports",
     "  iscsispec run                                  the reference target, started for you\n"
     "  iscsispec run --profile tgt --out report-tgt   tgtd, started and armed by its profile\n"
     "  iscsispec run --target iscsi://192.0.2.7/iqn.2020-01.com.example:disk\n"
     "                                                 a target that runs: what needs no arming\n"
     "  iscsispec run --profile my.yaml --portal 127.0.0.1:3260\n"
     "                                                 the profile's target, running already or behind a relay\n"
     "  iscsispec run --select code:0x0203 --select 'chap.*'\n"},
    {"list", "cases|codes|profiles|rules|conditions", OPTIONS_LIST, cli_list, "what there is",
     "  iscsispec list codes\n"
     "  iscsispec list cases --select subject:chap\n"},
    {"explain", "CODE|CASE|RULE", OPTIONS_EXPLAIN, cli_explain, "what a status code, case or rule means",
     "  iscsispec explain 0x0203\n"
     "  iscsispec explain 515                          the same, as libiscsi prints it\n"
     "  iscsispec explain L-TSIH-003\n"
     "  iscsispec explain status.denied.plain\n"},
    {"report", "DIR...", OPTIONS_REPORT, cli_report, "make the reports of runs again; several: a matrix of targets",
     "  iscsispec report iscsispec-report\n"
     "  iscsispec report report-reference report-tgt --out matrix\n"},
    {"selftest", "", OPTIONS_SELFTEST, cli_selftest,
     "show that each case can fail: every defect of the reference target",
     "  iscsispec selftest\n"
     "  iscsispec selftest --select no-tpgt\n"},
    {"schema", "case|profile", OPTIONS_SCHEMA, cli_schema, "JSON schema of a file format, for editors",
     "  iscsispec schema case > case.schema.json\n"},
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static const char exit_table[] = "Exit status of run, the highest that applies:\n"
                                 "  130  interrupted; the report of what was done is complete\n"
                                 "    2  wrong use, or a bad case, profile or waiver file\n"
                                 "    4  the target could not be started or reached\n"
                                 "    5  a fault of the suite or its set-up\n"
                                 "    1  a case failed, or the target crashed\n"
                                 "    3  nothing was selected, or everything was skipped\n"
                                 "    0  all selected cases passed\n";

static void print_overview(FILE *out)
{
    fputs("iscsispec: is this iSCSI target right in the login phase of RFC 7143?\n\nExamples:\n", out);
    for (size_t i = 0; i < 3; i++) {
        fputs(commands[i].examples, out);
    }
    fputs("\nCommands (each has --help):\n", out);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    }
    fprintf(out, "\n%s\nOptions:\n", exit_table);
    options_print(out, OPTIONS_NONE);
}

static void print_command(FILE *out, const struct command *command)
{
    fprintf(out, "iscsispec %s: %s\n\nExamples:\n%s\n", command->name, command->summary, command->examples);
    fprintf(out, "Usage: iscsispec %s [OPTION]... %s\n\nOptions:\n", command->name, command->arguments);
    options_print(out, command->bit);
    if (command->bit == OPTIONS_RUN) {
        fprintf(out, "\n%s", exit_table);
    }
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *names[COMMAND_COUNT];
    const char *best;

    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        names[i] = commands[i].name;
    }
    best = suggest_nearest(name, names, COMMAND_COUNT);
    return cli_fail(EXIT_USAGE, "%s: no such command; %s%s", name,
                    best != NULL ? "did you mean " : "see iscsispec --help", best != NULL ? best : "");
}

static int without_command(int argc, char **argv)
{
    struct options options;

    if (options_parse(argc, argv, OPTIONS_NONE, &options) != 0) {
        return EXIT_USAGE;
    }
    if (options.version) {
        printf("iscsispec %s\nlibiscsi %s\n", ISCSISPEC_VERSION, ISCSISPEC_LIBISCSI_VERSION);
        return 0;
    }
    print_overview(options.help ? stdout : stderr);
    return options.help ? 0 : EXIT_USAGE;
}

static int finish(int status)
{
    /* A full disk shows only here when stdout is a file. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("iscsispec: standard output");
        return status == 0 ? EXIT_FAULT : status;
    }
    return status;
}

int main(int argc, char **argv)
{
    const struct command *command;
    struct cli cli;
    int status;

    memset(&cli, 0, sizeof(cli));
    if (argc < 2 || argv[1][0] == '-') {
        return finish(without_command(argc, argv));
    }
    command = find_command(argv[1]);
    if (command == NULL) {
        return unknown_command(argv[1]);
    }
    if (options_parse(argc - 1, argv + 1, command->bit, &cli.options) != 0) {
        return EXIT_USAGE;
    }
    if (cli.options.help) {
        print_command(stdout, command);
        return finish(0);
    }
    status = command->run(&cli);
    cli_free(&cli);
    return finish(status);
}
