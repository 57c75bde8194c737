#include "harness/runner.h"

#include "harness/folder.h"
#include "harness/plan.h"
#include "harness/pool.h"
#include "harness/probe.h"
#include "harness/process.h"
#include "harness/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RUNNER_FLOOR_MS = 1000,    /* answer time-out: not below */
    RUNNER_CEILING_MS = 10000, /* and not above, unless the profile or the user says so */
    RUNNER_FACTOR = 8,         /* times the measured login */
    RUNNER_PATIENCE = 5,       /* a rerun after silence has so many times the limits */
    RUNNER_LOGIN_MS = 5000,    /* the login that is measured */
    RUNNER_DECODER_MS = 20000, /* 18 logins without a network */
    RUNNER_GRACE_MS = 2000,    /* close-grace when the profile has none */
    RUNNER_RESTARTS_MAX = 50,
    RUNNER_JOBS_PER_CORE = 4,
    RUNNER_JOBS_MAX = 64,
};

struct runner {
    const struct runner_options *options;
    struct hooks *hooks;
    struct plan plan;
    struct pool pool;
    struct results *results;
    FILE *journal;
    int timeout_ms;
    int close_grace_ms;
    uint64_t held; /* exclusive conditions in use */
    size_t done;
    size_t crashes;
    bool down; /* the target is gone and has to be restarted */
    bool lost; /* it is gone for good */
    bool interrupted;
    char fault[512]; /* a fault of ours that ends the run; "" none */
};

static void remark(const struct runner *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void remark(const struct runner *r, const char *format, ...)
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

int runner_default_jobs(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    cores = cores < 1 ? 1 : cores;
    return cores * RUNNER_JOBS_PER_CORE < RUNNER_JOBS_MAX ? (int)cores * RUNNER_JOBS_PER_CORE : RUNNER_JOBS_MAX;
}

static int jobs_of(const struct runner_options *options)
{
    int jobs = options->jobs > 0 ? options->jobs : runner_default_jobs();
    int cap = options->hooks->profile->parallel;

    return cap > 0 && jobs > cap ? cap : jobs;
}

/* The verdict stands: into the results and the journal. Takes the line. */
static void finalize(struct runner *r, struct plan_job *job, json_t *line)
{
    const struct runner_listener *listener = &r->options->listener;

    if (line == NULL || json_array_append_new(r->results->cases, line) != 0) {
        snprintf(r->fault, sizeof(r->fault), "out of memory");
        return;
    }
    plan_complete_line(r->options, job, line);
    job->state = PLAN_DONE;
    r->done++;
    if (json_dumpf(line, r->journal, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9)) != 0 ||
        fputc('\n', r->journal) == EOF || fflush(r->journal) != 0) {
        snprintf(r->fault, sizeof(r->fault), "%s/%s: %s", r->options->out, RESULTS_FILE, strerror(errno));
    }
    if (listener->finished != NULL) {
        listener->finished(listener->user, line, r->done, r->plan.count);
    }
}

static void finalize_kept(struct runner *r, struct plan_job *job)
{
    json_t *line = job->line;

    job->line = NULL;
    finalize(r, job, line);
}

static json_t *line_with(const struct plan_job *job, enum verdict v, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static json_t *line_with(const struct plan_job *job, enum verdict v, const char *format, ...)
{
    char reason[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(reason, sizeof(reason), format, args);
    va_end(args);
    return result_new(job->c->id, v, reason);
}

static void set_verdict(json_t *line, enum verdict v, const char *reason)
{
    json_object_set_new(line, "verdict", json_string(verdict_name(v)));
    json_object_set_new(line, "reason", result_text(reason));
}

static uint64_t case_seed(const struct runner *r, const struct plan_job *job)
{
    uint64_t sum = r->options->seed ^ (UINT64_C(0xcbf29ce484222325) * (uint64_t)job->attempt);

    for (const char *at = job->c->id; *at != '\0'; at++) {
        sum = (sum ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    }
    return sum;
}

static const char *initiator_of(const struct runner_options *options)
{
    return options->initiator != NULL ? options->initiator : RUNNER_INITIATOR;
}

static bool start_job(struct runner *r, struct plan_job *job, int patience)
{
    struct worker_task task = {
        .c = job->c,
        .rules = r->options->rules,
        .hooks = r->hooks,
        .out = r->options->out,
        .initiator = initiator_of(r->options),
        .timeout_ms = r->timeout_ms * patience,
        .close_grace_ms = r->close_grace_ms * patience,
    };

    job->attempt++;
    task.attempt = job->attempt;
    task.seed = case_seed(r, job);
    fflush(NULL); /* what is buffered must not be written twice */
    if (!pool_start(&r->pool, &task, job)) {
        snprintf(r->fault, sizeof(r->fault), "no worker could be started: %s", strerror(errno));
        return false;
    }
    job->state = PLAN_RUNNING;
    r->held |= job->locks;
    return true;
}

/* A worker that is gone may have left the target changed. */
static void undo_controls(struct runner *r, const struct case_def *c)
{
    char err[512];

    for (size_t i = 0; i < c->step_count; i++) {
        if (c->steps[i].kind == CASE_STEP_CONTROL && c->steps[i].control_undo != NULL &&
            hooks_control(r->hooks, c->steps[i].control_undo, err, sizeof(err)) != HOOKS_OK) {
            remark(r, "%s: undo: %s", c->id, err);
        }
    }
}

static bool is_flagged(const json_t *line, const char *flag)
{
    return json_is_true(json_object_get(line, flag));
}

/* The result of a worker, kept in the job. */
static void take_outcome(struct runner *r, struct plan_job *job, struct pool_outcome *outcome)
{
    r->held &= ~job->locks;
    json_decref(job->line);
    job->line = outcome->line;
    if (job->line == NULL) {
        job->line = line_with(job, VERDICT_ERROR, "%s", outcome->reason);
        undo_controls(r, job->c);
    }
}

static void suspect(void *user, void *job)
{
    struct plan_job *running = job;

    running->rerun = PLAN_AFTER_CRASH;
    running->crash = ((struct runner *)user)->crashes;
}

static bool target_is_gone(struct runner *r, const json_t *line)
{
    return hooks_is_gone(r->hooks) || (is_flagged(line, "unreachable") && !hooks_alive(r->hooks));
}

/* What becomes of a job whose worker ended while others ran beside it. */
static void judge_beside_others(struct runner *r, struct plan_job *job)
{
    bool silent = result_verdict(job->line) == VERDICT_FAIL && is_flagged(job->line, "silence");

    if (!r->down && target_is_gone(r, job->line)) {
        r->down = true;
        r->crashes++;
        remark(r, "the target is gone (%s, or a case that ran beside it)", job->c->id);
        suspect(r, job);
        pool_each(&r->pool, suspect, r);
    }
    if (job->rerun == PLAN_AFTER_CRASH) {
        job->state = PLAN_ALONE;
    } else if (silent && !r->options->no_rerun) {
        job->rerun = PLAN_AFTER_SILENCE;
        job->state = PLAN_ALONE;
    } else {
        finalize_kept(r, job);
    }
}

static struct plan_job *next_job(struct runner *r, uint64_t group)
{
    for (size_t i = 0; i < r->plan.count; i++) {
        struct plan_job *job = &r->plan.jobs[i];

        if (job->state == PLAN_WAITING && job->group == group && (job->locks & r->held) == 0) {
            return job;
        }
    }
    return NULL;
}

static bool may_go_on(const struct runner *r)
{
    return !r->interrupted && !r->lost && r->fault[0] == '\0';
}

/* Conditions that cannot be armed cost the cases that need them their verdict. Returns those that failed as bits. */
static uint64_t arm_all(struct runner *r, uint64_t conditions)
{
    uint64_t failed = 0;
    char err[1024];

    for (size_t i = 0; i < PLAN_CONDITIONS_MAX && may_go_on(r); i++) {
        enum hooks_status status;

        if ((conditions >> i & 1) == 0) {
            continue;
        }
        status = hooks_arm(r->hooks, i, err, sizeof(err));
        if (status == HOOKS_INTERRUPTED) {
            r->interrupted = true;
        } else if (status != HOOKS_OK) {
            failed |= UINT64_C(1) << i;
            for (size_t k = 0; k < r->plan.count; k++) {
                struct plan_job *job = &r->plan.jobs[k];

                if ((job->arms >> i & 1) != 0 && (job->state == PLAN_WAITING || job->state == PLAN_ALONE)) {
                    finalize(r, job, line_with(job, VERDICT_ERROR, "%s", err));
                }
            }
        }
    }
    return failed;
}

static void disarm_all(struct runner *r, uint64_t conditions)
{
    char err[1024];

    for (size_t i = 0; i < PLAN_CONDITIONS_MAX; i++) {
        if ((conditions >> i & 1) != 0 && hooks_disarm(r->hooks, i, err, sizeof(err)) != HOOKS_OK) {
            remark(r, "%s", err);
        }
    }
}

/* The target died. Up again, or lost. */
static void bring_back(struct runner *r, uint64_t armed)
{
    char err[4096] = "";

    r->down = false;
    if (r->hooks->external || r->hooks->profile->start == NULL) {
        snprintf(err, sizeof(err), "it was not started by this run");
        r->lost = true;
    } else if (r->crashes > RUNNER_RESTARTS_MAX) {
        snprintf(err, sizeof(err), "it died more than %d times", RUNNER_RESTARTS_MAX);
        r->lost = true;
    } else {
        enum hooks_status status = hooks_restart(r->hooks, err, sizeof(err));

        r->interrupted = r->interrupted || status == HOOKS_INTERRUPTED;
        r->lost = status != HOOKS_OK;
    }
    if (r->lost) {
        remark(r, "the target does not come back: %s", err);
    } else {
        remark(r, "the target was restarted");
        arm_all(r, armed);
    }
}

/* All waiting cases of a group, side by side. */
static void run_group(struct runner *r, uint64_t group, size_t limit, uint64_t armed)
{
    struct pool_outcome outcome;

    while (may_go_on(r)) {
        struct plan_job *job;

        while (!r->down && r->pool.busy < limit && (job = next_job(r, group)) != NULL && start_job(r, job, 1)) {
        }
        if (r->pool.busy == 0 && !r->down) {
            break;
        }
        if (r->pool.busy == 0) {
            bring_back(r, armed);
            continue;
        }
        switch (pool_wait(&r->pool, &outcome)) {
        case POOL_FINISHED:
            take_outcome(r, outcome.job, &outcome);
            judge_beside_others(r, outcome.job);
            break;
        case POOL_INTERRUPTED:
            r->interrupted = true;
            break;
        case POOL_IDLE:
            snprintf(r->fault, sizeof(r->fault), "waiting for workers failed: %s", strerror(errno));
            break;
        }
    }
}

/* One case with nothing beside it. What kills the target now is known to kill it. */
static void run_alone(struct runner *r, struct plan_job *job)
{
    int patience = job->rerun == PLAN_AFTER_SILENCE ? RUNNER_PATIENCE : 1;
    struct pool_outcome outcome;
    enum pool_event event;

    if ((arm_all(r, job->arms) & job->arms) != 0 || !may_go_on(r) || !start_job(r, job, patience)) {
        return;
    }
    event = pool_wait(&r->pool, &outcome);
    if (event != POOL_FINISHED) {
        r->interrupted = event == POOL_INTERRUPTED;
        return;
    }
    take_outcome(r, job, &outcome);
    if (target_is_gone(r, job->line)) {
        char reason[256];

        snprintf(reason, sizeof(reason), "the target died of this case, alone (attempt %d); status %d", job->attempt,
                 r->hooks->exit_code);
        set_verdict(job->line, VERDICT_CRASH, reason);
        r->crashes++;
        bring_back(r, 0);
    }
}

static bool is_reproduced(const struct runner *r, size_t crash)
{
    for (size_t i = 0; i < r->plan.count; i++) {
        const struct plan_job *job = &r->plan.jobs[i];

        if (job->crash == crash && job->line != NULL && result_verdict(job->line) == VERDICT_CRASH) {
            return true;
        }
    }
    return false;
}

/* A death that nobody causes alone is still one: all that were in flight share it. */
static void settle_crashes(struct runner *r)
{
    for (size_t crash = 1; crash <= r->crashes; crash++) {
        bool reproduced = is_reproduced(r, crash);

        for (size_t i = 0; i < r->plan.count; i++) {
            struct plan_job *job = &r->plan.jobs[i];

            if (job->crash != crash || job->line == NULL || job->state == PLAN_DONE) {
                continue;
            }
            if (!reproduced) {
                set_verdict(job->line, VERDICT_CRASH,
                            "the target died while this case ran; alone it did not, or could not be tried");
            }
            finalize_kept(r, job);
        }
    }
}

/* A target that does not answer a plain login within five times the limit was not merely slow. */
static bool silence_is_sure(struct runner *r)
{
    int64_t ignored;
    char err[256];

    return !probe_login(r->hooks, initiator_of(r->options), r->options->seed + 1, r->timeout_ms * RUNNER_PATIENCE,
                        &ignored, err, sizeof(err));
}

static void run_again(struct runner *r)
{
    bool asked = false, sure = false;

    for (size_t i = 0; i < r->plan.count && may_go_on(r); i++) {
        struct plan_job *job = &r->plan.jobs[i];

        if (job->state != PLAN_ALONE) {
            continue;
        }
        if (job->rerun == PLAN_AFTER_SILENCE && !asked) {
            asked = true;
            sure = silence_is_sure(r);
            if (sure) {
                remark(r, "a plain login is not answered within %d ms either: silence counts as it is",
                       r->timeout_ms * RUNNER_PATIENCE);
            }
        }
        if (job->rerun != PLAN_AFTER_SILENCE || !sure) {
            run_alone(r, job);
            disarm_all(r, job->group);
        }
        if (job->rerun == PLAN_AFTER_SILENCE && job->line != NULL && job->state != PLAN_DONE && may_go_on(r)) {
            finalize_kept(r, job);
        }
    }
    settle_crashes(r);
}

/* The target is lost: those in flight have their line, the others never ran. */
static void give_up_waiting(struct runner *r)
{
    settle_crashes(r);
    for (size_t i = 0; i < r->plan.count; i++) {
        struct plan_job *job = &r->plan.jobs[i];

        if (job->state == PLAN_DONE) {
            continue;
        }
        if (job->line != NULL) {
            finalize_kept(r, job);
        } else {
            finalize(r, job, line_with(job, VERDICT_SKIP, "not run: the target is gone"));
        }
    }
}

static void run_groups(struct runner *r)
{
    size_t limit = r->pool.size;
    uint64_t shared = 0;

    for (size_t i = 0; i < r->plan.count; i++) {
        shared |= r->plan.jobs[i].skip == NULL ? r->plan.jobs[i].arms & ~r->plan.jobs[i].group : 0;
    }
    arm_all(r, shared);
    run_group(r, 0, limit, shared);
    for (size_t i = 0; i < r->plan.count && may_go_on(r); i++) {
        struct plan_job *job = &r->plan.jobs[i];

        if (job->state == PLAN_WAITING) {
            uint64_t group = job->group;

            if (arm_all(r, group) == 0) {
                run_group(r, group, 1, shared | group);
            }
            disarm_all(r, group);
        }
    }
    run_again(r);
    if (r->lost && !r->interrupted && r->fault[0] == '\0') {
        give_up_waiting(r);
    }
}

/* Sets the answer time-out: what the user or the profile says, else from a measured login. */
static void calibrate(struct runner *r)
{
    const struct profile *p = r->hooks->profile;
    json_t *head = r->results->head;
    int64_t rtt_us = 0;
    char err[512];

    r->close_grace_ms = p->close_grace_ms > 0 ? p->close_grace_ms : RUNNER_GRACE_MS;
    r->timeout_ms = r->options->timeout_ms > 0 ? r->options->timeout_ms : p->timeout_ms;
    if (r->timeout_ms <= 0) {
        r->timeout_ms = RUNNER_FLOOR_MS;
        if (probe_login(r->hooks, initiator_of(r->options), r->options->seed, RUNNER_LOGIN_MS, &rtt_us, err,
                        sizeof(err))) {
            int64_t wanted = rtt_us * RUNNER_FACTOR / 1000;

            r->timeout_ms = wanted < RUNNER_FLOOR_MS ? RUNNER_FLOOR_MS
                                                     : (wanted > RUNNER_CEILING_MS ? RUNNER_CEILING_MS : (int)wanted);
            json_object_set_new(head, "login_us", json_integer(rtt_us));
        } else {
            remark(r, "a plain login does not succeed: %s", err);
        }
    }
    json_object_set_new(head, "timeout_ms", json_integer(r->timeout_ms));
    json_object_set_new(head, "close_grace_ms", json_integer(r->close_grace_ms));
}

static void skip_left_out(struct runner *r)
{
    for (size_t i = 0; i < r->plan.count; i++) {
        struct plan_job *job = &r->plan.jobs[i];

        if (job->skip != NULL) {
            finalize(r, job, line_with(job, VERDICT_SKIP, "%s", job->skip));
        }
    }
}

static int make_folders(const char *out, char *err, size_t err_len)
{
    char evidence[PATH_MAX];

    snprintf(evidence, sizeof(evidence), "%s/evidence", out);
    if (folder_make(evidence) != 0) {
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
        remark(r, "the decoder of the initiator library could not be measured");
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
    enum hooks_status status = hooks_start(r->hooks, err, err_len);
    char version[256];

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
    hooks_version(r->hooks, version, sizeof(version));
    json_object_set_new(r->results->head, "target_version", result_text(version));
    return EXIT_ALL_PASSED;
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

    if (!r->options->no_decoder) {
        measure_decoder(r);
    }
    if (anything_to_run(r)) {
        status = start_target(r, err, err_len);
        if (status == EXIT_ALL_PASSED) {
            calibrate(r);
        }
    }
    write_head(r);
    if (status == EXIT_ALL_PASSED) {
        skip_left_out(r);
        run_groups(r);
    }
    pool_free(&r->pool);
    r->interrupted = process_take_interrupt() || r->interrupted || status == EXIT_INTERRUPTED;
    hooks_stop(r->hooks);
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
    if (status == EXIT_ALL_PASSED &&
        (!plan_head(options, &r.plan, results->head) || !pool_init(&r.pool, (size_t)jobs_of(options)))) {
        snprintf(err, err_len, "out of memory or file descriptors");
        status = EXIT_FAULT;
    }
    if (status == EXIT_ALL_PASSED) {
        status = run_planned(&r, err, err_len);
        json_object_set_new(results->head, "interrupted", json_boolean(r.interrupted));
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
    return status;
}
