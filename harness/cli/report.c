#include "harness/cli/cli.h"
#include "harness/folder.h"
#include "reports/reports.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int write_file(const struct cli *cli, const char *path, const struct results *runs, size_t count, bool published)
{
    FILE *file = fopen(path, "we");
    int rc = file == NULL
                 ? -1
                 : (published ? markdown_write(file, runs, cli->rules, true) : matrix_write(file, runs, count));

    if (file == NULL || fclose(file) != 0 || rc != 0) {
        return cli_fail(EXIT_FAULT, "%s: %s", path, strerror(errno));
    }
    printf("written: %s\n", path);
    return 0;
}

static int write_single(const struct cli *cli, const struct results *run)
{
    const struct options *o = &cli->options;
    const char *out = o->out != NULL ? o->out : o->words.items[0];
    char err[PATH_MAX + 256];

    if (folder_make(out) != 0) {
        return cli_fail(EXIT_USAGE, "--out %s: %s", out, strerror(errno));
    }
    if (reports_write_all(out, run, cli->rules, err, sizeof(err)) != 0) {
        return cli_fail(EXIT_FAULT, "%s", err);
    }
    markdown_table(stdout, run);
    return o->published != NULL ? write_file(cli, o->published, run, 1, true) : 0;
}

static int write_several(const struct cli *cli, const struct results *runs, size_t count)
{
    const struct options *o = &cli->options;
    char path[PATH_MAX], err[PATH_MAX + 256];

    for (size_t i = 0; i < count; i++) {
        if (reports_write_all(o->words.items[i], &runs[i], cli->rules, err, sizeof(err)) != 0) {
            return cli_fail(EXIT_FAULT, "%s", err);
        }
    }
    if (matrix_write(stdout, runs, count) != 0) {
        return cli_fail(EXIT_USAGE, "too many runs for one table");
    }
    if (o->out == NULL) {
        return 0;
    }
    if (folder_make(o->out) != 0) {
        return cli_fail(EXIT_USAGE, "--out %s: %s", o->out, strerror(errno));
    }
    snprintf(path, sizeof(path), "%s/matrix.md", o->out);
    return write_file(cli, path, runs, count, false);
}

int cli_report(struct cli *cli)
{
    const struct options *o = &cli->options;
    struct results *runs;
    size_t count = 0;
    char err[PATH_MAX + 512];
    int status = cli_load_rules(cli);

    if (status != 0) {
        return status;
    }
    if (o->words.count == 0) {
        return cli_fail(EXIT_USAGE, "report: which run? Give the --out directory of one or more");
    }
    if (o->published != NULL && o->words.count > 1) {
        return cli_fail(EXIT_USAGE, "--published %s: it is of one run", o->published);
    }
    runs = calloc(o->words.count, sizeof(*runs));
    if (runs == NULL) {
        return cli_fail(EXIT_FAULT, "out of memory");
    }
    while (status == 0 && count < o->words.count) {
        if (results_read(o->words.items[count], &runs[count], err, sizeof(err)) != 0) {
            status = cli_fail(EXIT_USAGE, "%s", err);
        } else {
            count++;
        }
    }
    if (status == 0) {
        status = count == 1 ? write_single(cli, runs) : write_several(cli, runs, count);
    }
    for (size_t i = 0; i < count; i++) {
        results_free(&runs[i]);
    }
    free(runs);
    return status;
}
