#include "harness/runner.h"

#include "harness/audited.h"
#include "harness/folder.h"
#include "harness/probe.h"
#include "harness/process.h"
#include "harness/rounds.h"
#include "harness/schedule.h"
#include "harness/waivers.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RUNNER_FLOOR_MS = 1000,    /* answer time-out: not below */
    RUNNER_CEILING_MS = 10000, /* and not above, unless the profile or the user says so */
    RUNNER_FACTOR = 8,         /* times the measured login */
    RUNNER_LOGIN_MS = 5000,    /* the login that is measured */
    RUNNER_DECODER_MS = 20000, /* 18 logins without a network */
    RUNNER_GRACE_MS = 2000,    /* close-grace when the profile has none */
    RUNNER_JOBS_PER_CORE = 4,
    RUNNER_JOBS_MAX = 64,
};

void runner_remark(const struct runner *r, const char *format, ...)
{
    const struct runner_listener *listener = &r->options->listener;
    char text[4096];
    va_list args;

    if (listener->remark == NULL) {
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    listener->remark(listener->user, text);
}

const char *runner_initiator(const struct runner_options *options)
{
    return options->initiator != NULL ? options->initiator : RUNNER_INITIATOR;
}

int runner_default_jobs(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    cores = cores < 1 ? 1 : cores;
    return cores * RUNNER_JOBS_PER_CORE < RUNNER_JOBS_MAX ? (int)cores * RUNNER_JOBS_PER_CORE : RUNNER_JOBS_MAX;
}

static size_t instances_of(const struct runner_options *options)
{
    return options->instances > 0 ? options->instances : 1;
}

/* Several instances are there because one is slow: each is to be busy, however few cores there are. */
static int jobs_of(const struct runner_options *options)
{
    int instances = (int)instances_of(options);
    int cap = options->hooks->profile->parallel * instances;
    int jobs = options->jobs > 0 ? options->jobs : runner_default_jobs();

    if (options->jobs <= 0 && instances > 1) {
        jobs = cap > 0 ? cap : (jobs > instances ? jobs : instances);
    }
    return cap > 0 && jobs > cap ? cap : jobs;
}

static bool make_lanes(struct runner *r)
{
    int limit = r->options->hooks->profile->parallel;

    r->lane_count = instances_of(r->options);
    r->lane_limit = limit > 0 ? (size_t)limit : SIZE_MAX;
    r->lanes = calloc(r->lane_count, sizeof(*r->lanes));
    for (size_t i = 0; r->lanes != NULL && i < r->lane_count; i++) {
        r->lanes[i].hooks = &r->options->hooks[i];
    }
    return r->lanes != NULL;
}

/* Sets the answer time-out: what the user or the profile says, else from a measured login. */
static void calibrate(struct runner *r)
{
    const struct profile *p = r->hooks->profile;
    json_t *head = r->results->head;
    int64_t rtt_us = 0;
    char err[512];
    int patience;

    r->close_grace_ms = p->close_grace_ms > 0 ? p->close_grace_ms : RUNNER_GRACE_MS;
    r->timeout_ms = r->options->timeout_ms > 0 ? r->options->timeout_ms : p->timeout_ms;
    patience = r->timeout_ms > 0 ? r->timeout_ms * SCHEDULE_PATIENCE : RUNNER_LOGIN_MS;
    r->served =
        probe_login(r->hooks, runner_initiator(r->options), r->options->seed, patience, &rtt_us, err, sizeof(err));
    if (r->served) {
        json_object_set_new(head, "login_us", json_integer(rtt_us));
    } else {
        runner_remark(r, "a plain login does not succeed: %s", err);
    }
    if (r->timeout_ms <= 0) {
        int64_t wanted = r->served ? rtt_us * RUNNER_FACTOR / 1000 : 0;

        r->timeout_ms =
            wanted < RUNNER_FLOOR_MS ? RUNNER_FLOOR_MS : (wanted > RUNNER_CEILING_MS ? RUNNER_CEILING_MS : (int)wanted);
    }
    json_object_set_new(head, "timeout_ms", json_integer(r->timeout_ms));
    json_object_set_new(head, "close_grace_ms", json_integer(r->close_grace_ms));
}

/* Evidence of an earlier run would stand beside ours as if it were of this one. */
static int make_folders(const char *out, char *err, size_t err_len)
{
    static const char *const ours[] = {".pcap", ".txt", ".json", NULL};
    char evidence[PATH_MAX];

    snprintf(evidence, sizeof(evidence), "%s/evidence", out);
    if (folder_make(evidence) != 0 || folder_clear(evidence, ours) != 0) {
        snprintf(err, err_len, "--out %s: %s; give a directory that can be written", out, strerror(errno));
        return -1;
    }
    return 0;
}

static enum results_exit open_journal(struct runner *r, char *err, size_t err_len)
{
    char path[PATH_MAX];

    if (make_folders(r->options->out, err, err_len) != 0) {
        return EXIT_USAGE;
    }
    snprintf(path, sizeof(path), "%s/%s", r->options->out, RESULTS_FILE);
    r->journal = fopen(path, "we");
    if (r->journal == NULL) {
        snprintf(err, err_len, "--out %s: %s; give a directory that can be written", r->options->out, strerror(errno));
        return EXIT_USAGE;
    }
    return EXIT_ALL_PASSED;
}

static void measure_decoder(struct runner *r)
{
    json_t *decoder = probe_decoder(RUNNER_DECODER_MS);

    if (decoder == NULL && !process_interrupted()) {
        runner_remark(r, "the decoder of the initiator library could not be measured");
    }
    json_object_set_new(r->results->head, "decoder", decoder != NULL ? decoder : json_null());
}

static json_t *portals_json(const struct profile *p)
{
    json_t *portals = json_object();

    for (size_t i = 0; i < p->portal_count; i++) {
        if (p->portals[i].port != 0) {
            json_object_set_new(portals, p->portals[i].name,
                                json_pack("{s:o, s:i, s:i}", "address", result_text(p->portals[i].address), "port",
                                          (int)p->portals[i].port, "tag", p->portals[i].tag));
        }
    }
    return portals;
}

static enum results_exit start_target(struct runner *r, char *err, size_t err_len)
{
    enum hooks_status status = HOOKS_OK;
    char version[256];

    for (size_t i = 0; i < r->lane_count && status == HOOKS_OK; i++) {
        status = hooks_start(r->lanes[i].hooks, err, err_len);
    }

    switch (status) {
    case HOOKS_OK:
        break;
    case HOOKS_UNREACHABLE:
        return EXIT_UNREACHABLE;
    case HOOKS_FAULT:
        return EXIT_FAULT;
    case HOOKS_INTERRUPTED:
        return EXIT_INTERRUPTED;
    }
    json_object_set_new(r->results->head, "portals", portals_json(r->hooks->profile));
    json_object_set_new(r->results->head, "forced",
                        r->hooks->forced != NULL ? json_incref(r->hooks->forced) : json_array());
    if (hooks_version(r->hooks, version, sizeof(version), err, err_len) == HOOKS_INTERRUPTED) {
        return EXIT_INTERRUPTED;
    }
    if (version[0] == '\0' && r->hooks->profile->version != NULL) {
        runner_remark(r, "the version of the target is not known: %s", err);
        json_object_set_new(r->results->head, "version_trouble", result_text(err));
    }
    json_object_set_new(r->results->head, "target_version", result_text(version));
    return EXIT_ALL_PASSED;
}

/* From here on it is known which waivers count. */
static void open_waivers(struct runner *r)
{
    const char *version = json_string_value(json_object_get(r->results->head, "target_version"));
    char today[WAIVERS_DATE_LEN];

    waivers_today(today);
    waivers_open(r->options->waivers, today, version != NULL ? version : "");
    json_object_set(r->results->head, "waivers", r->options->waivers);
}

static void write_head(struct runner *r)
{
    if (json_dumpf(r->results->head, r->journal, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9)) != 0 ||
        fputc('\n', r->journal) == EOF || fflush(r->journal) != 0) {
        snprintf(r->fault, sizeof(r->fault), "%s/%s: %s", r->options->out, RESULTS_FILE, strerror(errno));
    }
}

static bool anything_to_run(const struct runner *r)
{
    for (size_t i = 0; i < r->plan.count; i++) {
        if (r->plan.jobs[i].skip == NULL) {
            return true;
        }
    }
    return false;
}

/* Plan made, folders there: target, workers, verdicts. */
static enum results_exit run_planned(struct runner *r, char *err, size_t err_len)
{
    enum results_exit status = EXIT_ALL_PASSED;

    if (r->options->max_time_ms > 0) {
        r->pool.until_ms = process_now_ms() + r->options->max_time_ms;
    }
    if (!r->options->no_decoder) {
        measure_decoder(r);
    }
    if (anything_to_run(r)) {
        status = start_target(r, err, err_len);
        if (status == EXIT_ALL_PASSED) {
            plan_look_again(&r->plan);
            calibrate(r);
        }
    }
    open_waivers(r);
    write_head(r);
    if (status == EXIT_ALL_PASSED) {
        schedule_run(r);
    }
    pool_free(&r->pool);
    r->interrupted = process_take_interrupt() || r->interrupted || status == EXIT_INTERRUPTED;
    for (size_t i = 0; i < r->lane_count; i++) {
        hooks_quit(r->lanes[i].hooks);
    }
    for (size_t i = 0; i < r->lane_count; i++) {
        hooks_stop(r->lanes[i].hooks);
    }
    if (r->fault[0] != '\0') {
        snprintf(err, err_len, "%s", r->fault);
        status = EXIT_FAULT;
    }
    return r->interrupted ? EXIT_INTERRUPTED : status;
}

enum results_exit runner_run(const struct runner_options *options, struct results *results, char *err, size_t err_len)
{
    struct runner r = {.options = options, .hooks = options->hooks, .results = results};
    enum results_exit status = plan_make(&r.plan, options, err, err_len);
    char problem[512];

    process_block_signals();
    r.pool.signal_fd = -1;
    if (status == EXIT_ALL_PASSED) {
        status = open_journal(&r, err, err_len);
    }
    if (status == EXIT_ALL_PASSED && (!plan_head(options, &r.plan, results->head) || !make_lanes(&r) ||
                                      !pool_init(&r.pool, (size_t)jobs_of(options)))) {
        snprintf(err, err_len, "out of memory or file descriptors");
        status = EXIT_FAULT;
    }
    if (status == EXIT_ALL_PASSED) {
        status = run_planned(&r, err, err_len);
        json_object_set_new(results->head, "interrupted", json_boolean(r.interrupted));
        audited_tally(results);
        rounds_merge(results);
        if (r.stopped[0] != '\0') {
            char text[400];

            snprintf(text, sizeof(text), "%s: %zu of %zu cases came to a verdict", r.stopped,
                     json_array_size(results->cases), r.plan.case_count);
            json_object_set_new(results->head, "stopped", result_text(text));
        }
        waivers_close(results);
        results_sort(results);
        if (results_write(options->out, results, problem, sizeof(problem)) != 0 && status != EXIT_INTERRUPTED) {
            snprintf(err, err_len, "%s", problem);
            status = EXIT_FAULT;
        }
    }
    if (r.journal != NULL) {
        fclose(r.journal);
    }
    pool_free(&r.pool);
    plan_free(&r.plan);
    free(r.lanes);
    return status;
}
