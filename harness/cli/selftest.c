#include "harness/selftest.h"

#include "harness/cli/cli.h"
#include "harness/cli/progress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int compare_by_defect(const void *a, const void *b)
{
    const json_t *left = *(const json_t *const *)a;
    const json_t *right = *(const json_t *const *)b;
    int order = strcmp(result_string(left, "defect"), result_string(right, "defect"));

    return order != 0 ? order : strcmp(result_string(left, "case"), result_string(right, "case"));
}

/* Kills and survivors, by defect. */
static void print_table(const struct killtable *kills, const json_t *report)
{
    const json_t *survived = json_object_get(report, "survived");
    size_t killed = json_array_size(kills->entries);
    size_t count = killed + json_array_size(survived);
    const json_t **rows = calloc(count + 1, sizeof(*rows));

    for (size_t i = 0; rows != NULL && i < count; i++) {
        rows[i] = i < killed ? json_array_get(kills->entries, i) : json_array_get(survived, i - killed);
    }
    if (rows != NULL) {
        qsort(rows, count, sizeof(*rows), compare_by_defect);
    }
    for (size_t i = 0; rows != NULL && i < count; i++) {
        bool kill = json_object_get(rows[i], "defect_hash") != NULL;

        printf("%-8s %-5s %-36s %s%s%s\n", kill ? "killed" : "SURVIVED", result_string(rows[i], "verdict"),
               result_string(rows[i], "defect"), result_string(rows[i], "case"),
               kill || result_string(rows[i], "reason")[0] == '\0' ? "" : ": ",
               kill ? "" : result_string(rows[i], "reason"));
    }
    free(rows);
}

static void print_list(const json_t *report, const char *key, const char *title)
{
    const json_t *list = json_object_get(report, key);

    if (json_array_size(list) > 0) {
        printf("\n%s:\n", title);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);

        if (json_is_string(item)) {
            printf("  %s\n", json_string_value(item));
        } else {
            printf("  %s %s %s %s\n", result_string(item, "case"), result_string(item, "defect"),
                   result_string(item, "verdict"), result_string(item, "reason"));
        }
    }
}

static void print_rules(const json_t *rules)
{
    static const char *const severities[] = {"fail", "warn"};

    for (size_t i = 0; i < 2 && rules != NULL; i++) {
        const json_t *one = json_object_get(rules, severities[i]);

        long long proven = json_integer_value(json_object_get(one, "proven"));
        long long total = json_integer_value(json_object_get(one, "total"));
        long long excused = json_integer_value(json_object_get(one, "excused"));

        printf("%srules of severity %s on targets: %lld of %lld proven by a defect (%.1f%%), %lld not, for a reason\n",
               i == 0 ? "\n" : "", severities[i], proven, total,
               total > 0 ? 100.0 * (double)proven / (double)total : 0.0, excused);
    }
}

static void print_report(const struct killtable *kills, const json_t *report)
{
    print_table(kills, report);
    print_list(report, "unnamed", "Defects that no case names");
    print_list(report, "not_green", "Not green without a defect");
    print_list(report, "broken", "Runs that failed");
    print_list(report, "unknown", "Defects that the reference target does not have");
    print_list(report, "unproven", "Cases that no defect turns red");
    print_list(report, "stray", "Findings that do not belong to the defect (cases/defects.yaml)");
    print_list(report, "undeclared", "Defects that cases/defects.yaml does not name, and a rule that each woke");
    print_list(report, "excused", "Rules that a defect wakes although the catalogue says why none can");
    print_list(report, "asleep", "Rules of severity fail and warn that no defect wakes, and no reason is given");
    print_rules(json_object_get(report, "rules"));
    printf("\n%zu killed, %zu survived, %zu cases not green without a defect, %zu unproven, %zu defects unnamed\n",
           json_array_size(kills->entries), json_array_size(json_object_get(report, "survived")),
           json_array_size(json_object_get(report, "not_green")), json_array_size(json_object_get(report, "unproven")),
           json_array_size(json_object_get(report, "unnamed")));
}

/* Byte for byte: the file is written in a fixed order. */
static int check_table(const struct killtable *kills, const char *path)
{
    struct killtable known;
    char err[512];
    bool same;

    if (killtable_load(&known, path, err, sizeof(err)) != 0) {
        return cli_fail(EXIT_USAGE, "--check-kill-table: %s", err);
    }
    same = json_equal(known.entries, kills->entries) == 1;
    killtable_free(&known);
    if (!same) {
        return cli_fail(EXIT_FINDINGS, "%s is stale; make it anew with iscsispec selftest --write-kill-table %s", path,
                        path);
    }
    printf("%s is what was measured\n", path);
    return 0;
}

static int conclude(const struct options *o, const struct killtable *kills, const json_t *report)
{
    char err[512];

    print_report(kills, report);
    if (o->write_kill_table != NULL && killtable_write(kills, o->write_kill_table, err, sizeof(err)) != 0) {
        return cli_fail(EXIT_FAULT, "--write-kill-table %s", err);
    }
    if (o->check_kill_table != NULL && check_table(kills, o->check_kill_table) != 0) {
        return EXIT_FINDINGS;
    }
    return selftest_is_clean(report) ? 0 : EXIT_FINDINGS;
}

/* Cases from elsewhere have no such file, and then strays are not looked for. */
static int load_wakes(const struct cli *cli, struct wakes *wakes, struct load_error *err)
{
    return access(cli->data.defects, R_OK) == 0 ? wakes_load(wakes, cli->data.defects, cli->rules, err) : 0;
}

static int selftest_with(struct cli *cli, struct profile *profile, const char *binary)
{
    const struct options *o = &cli->options;
    struct killtable kills = {.entries = json_array()};
    struct load_error bad = {""};
    struct progress progress;
    struct wakes wakes = {.arena = NULL};
    int loaded = load_wakes(cli, &wakes, &bad);
    struct selftest_options options = {
        .profile = profile,
        .cases = &cli->cases,
        .rules = cli->rules,
        .wakes = wakes.arena != NULL ? &wakes : NULL,
        .binary = binary,
        .out = o->out != NULL ? o->out : "iscsispec-selftest",
        .select = o->select.items,
        .select_count = o->select.count,
        .instances = o->jobs,
        .seed = o->has_seed ? o->seed : 1,
        .finished = progress_defect,
        .user = &progress,
    };
    json_t *report = NULL;
    char err[1024] = "";
    int status;

    if (loaded != 0) {
        wakes_free(&wakes);
        killtable_free(&kills);
        return cli_fail(EXIT_USAGE, "%s", bad.text);
    }
    progress_init(&progress, o->quiet);
    status = (int)selftest_run(&options, &kills, &report, err, sizeof(err));
    progress_end(&progress);
    status = status == EXIT_ALL_PASSED ? conclude(o, &kills, report) : cli_fail(status, "%s", err);
    json_decref(report);
    killtable_free(&kills);
    wakes_free(&wakes);
    return status;
}

int cli_selftest(struct cli *cli)
{
    const struct options *o = &cli->options;
    struct load_error err = {""};
    struct profile *profile;
    char binary[PATH_MAX] = "";
    int status = cli_load_cases(cli);

    if (status != 0) {
        return status;
    }
    if (o->select.count > 0 && (o->write_kill_table != NULL || o->check_kill_table != NULL)) {
        return cli_fail(EXIT_USAGE, "--select: a kill table is of all defects");
    }
    if (o->target_binary != NULL) {
        snprintf(binary, sizeof(binary), "%s", o->target_binary);
    } else if (!datadir_find_binary(&cli->data, "iscsispec-target", binary, sizeof(binary))) {
        return cli_fail(EXIT_UNREACHABLE, "iscsispec-target was found neither beside iscsispec nor on PATH; say where "
                                          "it is with --target-binary PATH");
    }
    profile = profile_load(o->profile != NULL ? o->profile : "reference", cli->data.profiles, &err);
    if (profile == NULL) {
        return cli_fail(EXIT_USAGE, "%s", err.text);
    }
    if (profile->start == NULL || strstr(profile->start, "${extra}") == NULL) {
        status =
            cli_fail(EXIT_USAGE, "--profile %s: its start command has no ${extra}, where --defect goes", profile->name);
    } else {
        status = selftest_with(cli, profile, binary);
    }
    profile_free(profile);
    return status;
}
