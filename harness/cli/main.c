/* iscsispec: the command line of the suite. */
#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/suggest.h"
#include "harness/version.h"

#include <stdio.h>
#include <string.h>

static void print_exits(FILE *out)
{
    fputs("\nExit status of run, the highest that applies:\n", out);
    for (size_t i = 0; commands_exit_at(i) != NULL; i++) {
        fprintf(out, "  %3d  %s\n", commands_exit_at(i)->status, commands_exit_at(i)->meaning);
    }
}

static void print_overview(FILE *out)
{
    fputs("iscsispec: is this iSCSI target right in the login phase of RFC 7143?\n\nExamples:\n", out);
    for (size_t i = 0; i < 3; i++) {
        fputs(commands_at(i)->examples, out);
    }
    fputs("\nCommands (each has --help):\n", out);
    for (size_t i = 0; commands_at(i) != NULL; i++) {
        fprintf(out, "  %-15s %s\n", commands_at(i)->name, commands_at(i)->summary);
    }
    print_exits(out);
    fputs("\nOptions:\n", out);
    options_print(out, OPTIONS_NONE);
}

static void print_command(FILE *out, const struct commands_row *command)
{
    fprintf(out, "iscsispec %s: %s\n\nExamples:\n%s\n", command->name, command->summary, command->examples);
    fprintf(out, "Usage: iscsispec %s [OPTION]... %s\n\nOptions:\n", command->name, command->arguments);
    options_print(out, command->bit);
    if (command->bit == OPTIONS_RUN) {
        print_exits(out);
    }
}

static const struct commands_row *find_command(const char *name)
{
    for (size_t i = 0; commands_at(i) != NULL; i++) {
        if (strcmp(commands_at(i)->name, name) == 0) {
            return commands_at(i);
        }
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *names[COMMANDS_MAX];
    const char *best;
    size_t count = 0;

    for (; commands_at(count) != NULL && count < COMMANDS_MAX; count++) {
        names[count] = commands_at(count)->name;
    }
    best = suggest_nearest(name, names, count);
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
    const struct commands_row *command;
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
