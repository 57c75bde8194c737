/* iscsispec report: the reports of a run again, shards become one run, several runs a matrix. */
#include "harness/cli/cli.h"
#include "harness/folder.h"
#include "harness/merge.h"
#include "reports/html.h"
#include "reports/matrix.h"
#include "reports/reports.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What was read: run i came from words i. */
struct given {
    struct results *runs;
    size_t count;
    const char *const *dirs;
    const struct catalogue *rules;
};

static int close_file(FILE *file, int rc, const char *path)
{
    if (file == NULL || fclose(file) != 0 || rc != 0) {
        return cli_fail(EXIT_FAULT, "%s: %s", path, errno != 0 ? strerror(errno) : "could not be written");
    }
    printf("written: %s\n", path);
    return 0;
}

static int make_out(const char *out)
{
    return folder_make(out) == 0 ? 0 : cli_fail(EXIT_USAGE, "--out %s: %s", out, strerror(errno));
}

static int write_single(const struct options *o, const struct given *g)
{
    const char *out = o->out != NULL ? o->out : g->dirs[0];
    char err[PATH_MAX + 256];
    FILE *file;

    if (make_out(out) != 0) {
        return EXIT_USAGE;
    }
    if (reports_write_all(out, g->dirs[0], g->runs, g->rules, err, sizeof(err)) != 0) {
        return cli_fail(EXIT_FAULT, "%s", err);
    }
    markdown_table(stdout, g->runs);
    if (o->published == NULL) {
        return 0;
    }
    file = fopen(o->published, "we");
    return close_file(file, file != NULL ? markdown_write(file, g->runs, g->rules, true) : -1, o->published);
}

static int write_matrix_html(const char *path, const struct given *g)
{
    struct html_run *runs = calloc(g->count, sizeof(*runs));
    FILE *file = fopen(path, "we");
    int rc = -1;

    for (size_t i = 0; runs != NULL && i < g->count; i++) {
        runs[i] = (struct html_run){&g->runs[i], g->dirs[i], NULL};
    }
    if (runs != NULL && file != NULL) {
        rc = html_write(file, runs, g->count, g->rules);
    }
    free(runs);
    return close_file(file, rc, path);
}

static int write_matrix(const char *out, const struct given *g)
{
    char path[PATH_MAX];
    json_t *root;
    FILE *file;
    int status;

    snprintf(path, sizeof(path), "%s/matrix.md", out);
    file = fopen(path, "we");
    status = close_file(file, file != NULL ? matrix_write_all(file, g->runs, g->count, g->rules) : -1, path);
    snprintf(path, sizeof(path), "%s/matrix.json", out);
    root = matrix_json(g->runs, g->count, g->rules);
    file = fopen(path, "we");
    if (status == 0) {
        status = close_file(
            file, file != NULL && root != NULL ? json_dumpf(root, file, JSON_INDENT(1) | JSON_PRESERVE_ORDER) : -1,
            path);
    } else if (file != NULL) {
        fclose(file);
    }
    json_decref(root);
    snprintf(path, sizeof(path), "%s/matrix.html", out);
    return status != 0 ? status : write_matrix_html(path, g);
}

static const char *profile_of(const struct results *r)
{
    const char *name = json_string_value(json_object_get(r->head, "profile"));

    return name != NULL ? name : "?";
}

/* Runs of one profile are told apart by their directories. */
static void label_runs(const struct given *g)
{
    for (size_t i = 0; i < g->count; i++) {
        bool alone = true;
        char label[PATH_MAX + 64];

        for (size_t k = 0; k < g->count; k++) {
            alone = alone && (k == i || strcmp(profile_of(&g->runs[i]), profile_of(&g->runs[k])) != 0);
        }
        if (!alone) {
            const char *slash = strrchr(g->dirs[i], '/');

            snprintf(label, sizeof(label), "%s (%s)", profile_of(&g->runs[i]),
                     slash != NULL && slash[1] != '\0' ? slash + 1 : g->dirs[i]);
            json_object_set_new(g->runs[i].head, "label", result_text(label));
        }
    }
}

static int write_several(const struct options *o, const struct given *g)
{
    char err[PATH_MAX + 256];

    for (size_t i = 0; i < g->count; i++) {
        if (reports_write_all(g->dirs[i], g->dirs[i], &g->runs[i], g->rules, err, sizeof(err)) != 0) {
            return cli_fail(EXIT_FAULT, "%s", err);
        }
    }
    label_runs(g);
    if (matrix_write(stdout, g->runs, g->count) != 0) {
        return cli_fail(EXIT_USAGE, "too many runs for one table");
    }
    if (o->out == NULL) {
        puts("--out DIR writes matrix.md, matrix.json and matrix.html");
        return 0;
    }
    return make_out(o->out) != 0 ? EXIT_USAGE : write_matrix(o->out, g);
}

/* Shards of one run become that run, with its evidence, in --out. */
static int merge(const struct options *o, struct given *g)
{
    char err[PATH_MAX + 512];
    struct results whole;
    struct given one = {&whole, 1, &o->out, g->rules};
    int status;

    if (o->out == NULL) {
        return cli_fail(EXIT_USAGE, "these are shards of one run; --out DIR says where the whole goes");
    }
    if (make_out(o->out) != 0) {
        return EXIT_USAGE;
    }
    if (merge_shards(g->runs, g->dirs, g->count, o->out, &whole, err, sizeof(err)) != 0) {
        return cli_fail(EXIT_USAGE, "%s", err);
    }
    status = write_single(o, &one);
    if (status == 0) {
        struct results_policy policy = {.interrupted = json_is_true(json_object_get(whole.head, "interrupted"))};

        printf("merged %zu shards: %zu cases, the run would exit %d\n", g->count, json_array_size(whole.cases),
               (int)results_exit_status(&whole, &policy));
    }
    results_free(&whole);
    return status;
}

int cli_report(struct cli *cli)
{
    const struct options *o = &cli->options;
    struct given g = {.dirs = o->words.items};
    char err[PATH_MAX + 512];
    int status = cli_load_rules(cli);

    if (status != 0) {
        return status;
    }
    if (o->words.count == 0) {
        return cli_fail(EXIT_USAGE, "report: which run? Give the --out directory of one or more");
    }
    g.rules = cli->rules;
    g.runs = calloc(o->words.count, sizeof(*g.runs));
    if (g.runs == NULL) {
        return cli_fail(EXIT_FAULT, "out of memory");
    }
    while (status == 0 && g.count < o->words.count) {
        if (results_read(o->words.items[g.count], &g.runs[g.count], err, sizeof(err)) != 0) {
            status = cli_fail(EXIT_USAGE, "%s", err);
        } else {
            g.count++;
        }
    }
    if (status == 0 && o->published != NULL && g.count > 1 && !merge_are_shards(g.runs, g.count)) {
        status = cli_fail(EXIT_USAGE, "--published %s: it is of one run", o->published);
    }
    if (status == 0) {
        status = g.count == 1                        ? write_single(o, &g)
                 : merge_are_shards(g.runs, g.count) ? merge(o, &g)
                                                     : write_several(o, &g);
    }
    for (size_t i = 0; i < g.count; i++) {
        results_free(&g.runs[i]);
    }
    free(g.runs);
    return status;
}
