/* iscsispec compare: what changed between two runs. */
#include "harness/cli/cli.h"
#include "reports/compare.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static int tell(const struct options *o, const json_t *comparison)
{
    if (o->format == NULL || strcmp(o->format, "text") == 0) {
        compare_print(stdout, comparison);
    } else if (strcmp(o->format, "json") == 0) {
        json_dumpf(comparison, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
        putchar('\n');
    } else {
        return cli_fail(EXIT_USAGE, "--format %s: it is text or json", o->format);
    }
    return compare_regressions(comparison) > 0 ? EXIT_FINDINGS : EXIT_ALL_PASSED;
}

int cli_compare(struct cli *cli)
{
    const struct options *o = &cli->options;
    struct results before, after;
    char err[PATH_MAX + 512];
    json_t *comparison;
    int status;

    if (o->words.count != 2) {
        return cli_fail(EXIT_USAGE, "compare: give two runs, the old one and the new one: iscsispec compare OLD NEW");
    }
    if (results_read(o->words.items[0], &before, err, sizeof(err)) != 0) {
        return cli_fail(EXIT_USAGE, "%s", err);
    }
    if (results_read(o->words.items[1], &after, err, sizeof(err)) != 0) {
        results_free(&before);
        return cli_fail(EXIT_USAGE, "%s", err);
    }
    comparison = compare_runs(&before, &after);
    status = comparison != NULL ? tell(o, comparison) : cli_fail(EXIT_FAULT, "out of memory");
    json_decref(comparison);
    results_free(&before);
    results_free(&after);
    return status;
}
