#include "harness/cli/address.h"
#include "harness/cli/cli.h"
#include "harness/cli/progress.h"
#include "harness/cli/suggest.h"
#include "harness/cli/waived.h"
#include "harness/folder.h"
#include "harness/instances.h"
#include "harness/killtable.h"
#include "harness/process.h"
#include "harness/runner.h"
#include "reports/coverage.h"
#include "reports/reports.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

uint64_t cli_seed(const struct options *o)
{
    uint64_t seed = o->seed;

    if (!o->has_seed && getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
        seed = (uint64_t)process_now_us();
    }
    return o->has_seed ? seed : seed >> 32; /* short enough to type */
}

static int write_published(const char *path, const struct results *r, const struct catalogue *rules)
{
    FILE *file = fopen(path, "we");
    int rc = file != NULL ? markdown_write(file, r, rules, true) : -1;

    if (file == NULL || fclose(file) != 0 || rc != 0) {
        return cli_fail(EXIT_FAULT, "--published %s: %s", path, strerror(errno));
    }
    return 0;
}

/* Left out, and why: each reason once. */
static void print_skipped(const struct results *r)
{
    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        const json_t *line = json_array_get(r->cases, i);
        const char *reason = json_string_value(json_object_get(line, "reason"));
        size_t same = 0;
        bool first = true;

        if (result_verdict(line) != VERDICT_SKIP || reason == NULL) {
            continue;
        }
        for (size_t k = 0; k < json_array_size(r->cases); k++) {
            const json_t *other = json_array_get(r->cases, k);
            const char *theirs = json_string_value(json_object_get(other, "reason"));

            if (result_verdict(other) == VERDICT_SKIP && theirs != NULL && strcmp(theirs, reason) == 0) {
                first = first && k >= i;
                same++;
            }
        }
        if (first) {
            printf("left out %zu: %s\n", same, reason);
        }
    }
}

/* Reports of what was done, and what a person reads at the end. */
static int report(const struct cli *cli, const char *out, const struct results *r, const struct progress *progress,
                  int64_t ms)
{
    const struct options *o = &cli->options;
    char err[PATH_MAX + 256];

    if (reports_write_all(out, out, r, cli->rules, err, sizeof(err)) != 0) {
        return cli_fail(EXIT_FAULT, "%s", err);
    }
    if (o->published != NULL && write_published(o->published, r, cli->rules) != 0) {
        return EXIT_FAULT;
    }
    markdown_table(stdout, r);
    progress_summary(progress, r, ms);
    print_skipped(r);
    waived_print(r);
    if (o->update_waivers && waived_update(out, r) != 0) {
        return EXIT_FAULT;
    }
    printf("report: %s/report.html (coverage.md, junit.xml, results.sarif, results.tap), "
           "evidence of each case: %s/evidence/\n",
           out, out);
    return 0;
}

/* Every case that the target offers conditions for has its verdict. */
static bool is_whole(const struct options *o, const struct results *r)
{
    return json_array_size(json_object_get(r->head, "selection")) == 0 && !o->safe && o->shard == NULL &&
           o->cases.count == 0 && json_object_get(r->head, "stopped") == NULL;
}

/* Codes that the profile requires: each has to be seen; when only a part of the cases ran, where one for it failed that
 * is not known to. */
static int check_required(const struct options *o, const struct results *r)
{
    const json_t *required = json_object_get(r->head, "require_codes");
    struct coverage coverage;
    int missing = 0;

    coverage_compute(&coverage, r);
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        const struct coverage_row *row = &coverage.rows[i];
        char code[8];

        snprintf(code, sizeof(code), "0x%04x", (unsigned)row->status->code);
        for (size_t k = 0; k < json_array_size(required); k++) {
            if (strcmp(json_string_value(json_array_get(required, k)), code) == 0 && row->server != COVERAGE_SEEN &&
                (row->failed > row->waived || is_whole(o, r))) {
                printf("required and not seen: %s %s\n", code, row->status->name);
                missing++;
            }
        }
    }
    return missing;
}

static int run_with(struct cli *cli, struct profile *profile, const struct killtable *kills, const char *binary,
                    json_t *waivers)
{
    const struct options *o = &cli->options;
    const char *out = o->out != NULL ? o->out : CLI_DEFAULT_OUT;
    char err[8192] = "", log[PATH_MAX], again[4096];
    struct progress progress;
    struct results results;
    struct instances instances;
    struct runner_options options = {
        .cases = &cli->cases,
        .rules = cli->rules,
        .kills = kills,
        .select = o->select.items,
        .select_count = o->select.count,
        .out = out,
        .initiator = o->initiator,
        .jobs = o->jobs,
        .timeout_ms = o->timeout_ms,
        .shuffle = o->shuffle,
        .seed = cli_seed(o),
        .repeat = o->repeat,
        .fail_fast = o->fail_fast,
        .max_time_ms = (int64_t)o->max_time_ms,
        .waivers = waivers,
        .again = again,
        .safe = o->safe,
        .listener = {progress_finished, progress_remark, &progress},
    };
    int64_t start = process_now_ms();
    int status = cli_floor(o, &options.floor), reported;

    if (status != 0) {
        return status;
    }
    if (options_read_shard(o, &options.shard, &options.shards) != 0) {
        return EXIT_USAGE;
    }
    if (folder_make(out) != 0) {
        return cli_fail(EXIT_USAGE, "--out %s: %s; give a directory that can be written", out, strerror(errno));
    }
    snprintf(log, sizeof(log), "%s/target.log", out);
    options_command(o, OPTIONS_RUN, again, sizeof(again));
    progress_init(&progress, o->quiet);
    if (!results_init(&results) || !instances_init(&instances, profile, o->portals.count > 0, log, err, sizeof(err))) {
        return cli_fail(EXIT_FAULT, "%s", err);
    }
    for (size_t i = 0; i < instances.count; i++) {
        instances.hooks[i].binary = binary;
        instances.hooks[i].extra = o->extra != NULL ? o->extra : "";
    }
    options.hooks = instances.hooks;
    options.instances = instances.count;
    status = (int)runner_run(&options, &results, err, sizeof(err));
    progress_end(&progress);
    instances_free(&instances);
    reported = status == EXIT_ALL_PASSED || status == EXIT_INTERRUPTED || json_array_size(results.cases) > 0
                   ? report(cli, out, &results, &progress, process_now_ms() - start)
                   : 0;
    if (status != EXIT_ALL_PASSED) {
        cli_fail(0, "%s", status == EXIT_INTERRUPTED ? "interrupted; the report is of what was done" : err);
    } else {
        struct results_policy policy = {.fail_on_skip = o->fail_on_skip, .exit_zero = o->exit_zero};

        status = reported != 0 ? reported : (int)results_exit_status(&results, &policy);
        if (check_required(o, &results) > 0 && (status == EXIT_ALL_PASSED || status == EXIT_NOTHING) && !o->exit_zero) {
            status = EXIT_FINDINGS;
        }
    }
    results_free(&results);
    return status;
}

/* --rfc, else what the profile says. Cases are loaded by now: what the kill table vouches for does not change with it.
 */
static void choose_rfc(struct cli *cli, struct profile *profile)
{
    if (cli->options.rfc != NULL) {
        profile->rfc3720 = strcmp(cli->options.rfc, "3720") == 0;
    }
    if (profile->rfc3720) {
        catalogue_use_rfc3720(cli->rules);
    }
}

/* A glob of leave-out that matches nothing is misspelt. Own cases need not have all that a profile speaks of. */
static int check_left_out(const struct cli *cli, const struct profile *profile)
{
    struct load_error err = {""};

    for (size_t i = 0; i < profile->left_out_count && cli->options.cases.count == 0; i++) {
        const struct profile_left_out *item = &profile->left_out[i];
        bool found = false;

        for (size_t k = 0; k < cli->cases.count && !found; k++) {
            found = fnmatch(item->cases, cli->cases.cases[k].id, 0) == 0;
        }
        if (!found) {
            load_error_set(&err, &item->at,
                           "leave-out: %.80s: there is no such case; `iscsispec list cases` shows them", item->cases);
            return cli_fail(EXIT_USAGE, "%s", err.text);
        }
    }
    return 0;
}

int cli_run(struct cli *cli)
{
    struct killtable kills = {0};
    struct profile *profile;
    json_t *waivers;
    char binary[PATH_MAX] = "";
    char err[512];
    int status;

    if (cli->options.words.count > 0) {
        return cli_fail(EXIT_USAGE, "run: '%s' is too much; cases are chosen with --select",
                        cli->options.words.items[0]);
    }
    status = cli_load_cases(cli);
    if (status == 0 && cli->options.rfc != NULL && strcmp(cli->options.rfc, "3720") != 0 &&
        strcmp(cli->options.rfc, "7143") != 0) {
        status = cli_fail(EXIT_USAGE, "--rfc %s: there is no iSCSI in it; write 7143 or 3720", cli->options.rfc);
    }
    if (status == 0 && killtable_load(&kills, cli->data.kill_table, err, sizeof(err)) != 0) {
        status = cli_fail(EXIT_FAULT, "%s; make it anew with iscsispec selftest --write-kill-table", err);
    }
    if (status != 0) {
        return status;
    }
    profile = cli_load_profile(cli, &status);
    if (status == 0 && profile != NULL && cli->options.extra != NULL &&
        (profile->start == NULL || strstr(profile->start, "${extra}") == NULL)) {
        status =
            cli_fail(EXIT_USAGE, "--extra %s: the start command of the profile has no ${extra}", cli->options.extra);
    }
    if (status == 0 && profile != NULL) {
        choose_rfc(cli, profile);
        status = check_left_out(cli, profile);
    }
    if (status == 0 && profile != NULL) {
        status = cli_find_target_binary(cli, binary, sizeof(binary));
    }
    if (status == 0 && profile != NULL) {
        waivers = waived_load(cli, profile);
        status = waivers != NULL ? run_with(cli, profile, &kills, binary, waivers) : EXIT_USAGE;
        json_decref(waivers);
    }
    if (profile != NULL) {
        profile_free(profile);
    }
    killtable_free(&kills);
    return status;
}
