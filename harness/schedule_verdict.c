/* The verdicts of a run on their way from a worker into results.jsonl. */
#include "harness/schedule.h"
#include "harness/waivers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void schedule_keep(struct runner *r, struct plan_job *job, char *text)
{
    const char *line;

    free(job->text);
    job->text = text;
    if (!worker_text_read(text, &job->brief, &line)) {
        snprintf(r->fault, sizeof(r->fault), "%s: no result, out of memory", job->c->id);
    }
}

void schedule_keep_verdict(struct runner *r, struct plan_job *job, enum verdict v, const char *reason)
{
    json_t *line = result_new(job->c->id, v, reason);

    plan_complete_line(r->options, job, line);
    schedule_keep(r, job, worker_text_make(line));
    json_decref(line);
}

void schedule_change_verdict(struct runner *r, struct plan_job *job, enum verdict v, const char *reason)
{
    struct worker_brief brief;
    const char *text;
    json_t *line = worker_text_read(job->text, &brief, &text) ? json_loads(text, 0, NULL) : NULL;

    if (line == NULL) {
        schedule_keep_verdict(r, job, v, reason);
        return;
    }
    json_object_set_new(line, "verdict", json_string(verdict_name(v)));
    json_object_set_new(line, "reason", result_text(reason));
    schedule_retitle(r, line);
    schedule_keep(r, job, worker_text_make(line));
    json_decref(line);
}

static void tell_finished(const struct runner *r, const struct plan_job *job, const char *text)
{
    const struct runner_listener *listener = &r->options->listener;
    json_t *line = NULL;
    const char *reason;

    if (listener->finished == NULL) {
        return;
    }
    /* A green line need not be taken apart. */
    if (job->brief.verdict != VERDICT_PASS) {
        line = json_loads(text, 0, NULL);
    }
    reason = json_string_value(json_object_get(line, "reason"));
    listener->finished(listener->user, job->c->id, job->brief.verdict, reason != NULL ? reason : "", r->done,
                       r->plan.count);
    json_decref(line);
}

/* What is known to be wrong is no news. */
static void excuse(struct runner *r, struct plan_job *job)
{
    struct worker_brief brief;
    const char *text;
    json_t *line;

    if ((job->brief.verdict != VERDICT_FAIL && job->brief.verdict != VERDICT_CRASH) || r->options->waivers == NULL ||
        !worker_text_read(job->text, &brief, &text)) {
        return;
    }
    line = json_loads(text, 0, NULL);
    if (line != NULL && waivers_excuse(r->options->waivers, line)) {
        schedule_keep(r, job, worker_text_make(line));
    }
    json_decref(line);
}

void schedule_finalize(struct runner *r, struct plan_job *job)
{
    const char *line;

    excuse(r, job);
    if (!worker_text_read(job->text, &job->brief, &line)) {
        return; /* schedule_keep() has told */
    }
    job->state = PLAN_DONE;
    r->done++;
    if (fprintf(r->journal, "%s\n", line) < 0 || fflush(r->journal) != 0) {
        snprintf(r->fault, sizeof(r->fault), "%s/%s: %s", r->options->out, RESULTS_FILE, strerror(errno));
    }
    tell_finished(r, job, line);
    if (r->options->fail_fast && r->stopped[0] == '\0' &&
        (job->brief.verdict == VERDICT_FAIL || job->brief.verdict == VERDICT_CRASH ||
         job->brief.verdict == VERDICT_ERROR)) {
        snprintf(r->stopped, sizeof(r->stopped), "--fail-fast, at %.200s", job->c->id);
    }
}

void schedule_finalize_with(struct runner *r, struct plan_job *job, enum verdict v, const char *reason)
{
    schedule_keep_verdict(r, job, v, reason);
    schedule_finalize(r, job);
}

void schedule_collect(struct runner *r)
{
    for (size_t i = 0; i < r->plan.count; i++) {
        const struct plan_job *job = &r->plan.jobs[i];
        struct worker_brief brief;
        const char *text;

        if (job->state == PLAN_DONE && worker_text_read(job->text, &brief, &text) &&
            json_array_append_new(r->results->cases, json_loads(text, 0, NULL)) != 0) {
            snprintf(r->fault, sizeof(r->fault), "%s: its result cannot be read back", job->c->id);
        }
    }
}
