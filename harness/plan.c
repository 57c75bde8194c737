#include "harness/plan.h"

#include "harness/version.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char *text_new(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *text_new(const char *format, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0) {
        text = NULL;
    }
    va_end(args);
    return text;
}

static size_t condition_index(const struct profile *p, const char *name)
{
    for (size_t i = 0; i < p->condition_count; i++) {
        if (strcmp(p->conditions[i].name, name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* A portal that was not given with --portal, or that the target left out of its ready file, has no port. */
static bool portal_is_missing(const struct hooks *h, const char *name)
{
    const struct profile_portal *portal = name != NULL ? profile_portal_find(h->profile, name) : NULL;

    return portal != NULL && portal->port == 0 &&
           (h->external || h->profile->start == NULL || (portal->optional && h->told));
}

static const char *portal_lack(const struct hooks *h, const char *name)
{
    const struct profile_portal *portal = profile_portal_find(h->profile, name);

    return portal != NULL && portal->optional && !h->external ? "was left out by the target" : "was not given";
}

static char *why_not_condition(const struct hooks *h, const char *name, struct plan_job *job)
{
    size_t index = condition_index(h->profile, name);
    const struct profile_condition *c;

    if (index == SIZE_MAX || index >= PLAN_CONDITIONS_MAX) {
        return NULL; /* profile_resolve has its say */
    }
    c = &h->profile->conditions[index];
    if (c->arm != NULL && h->external) {
        return text_new("'%s' has to be armed, and a target given by --portal is left as it is", name);
    }
    if (portal_is_missing(h, c->portal)) {
        return text_new("'%s' is at the portal '%s', which %s", name, c->portal, portal_lack(h, c->portal));
    }
    job->arms |= c->arm != NULL ? UINT64_C(1) << index : 0;
    job->group |= c->arm != NULL && c->exclusive ? UINT64_C(1) << index : 0;
    job->locks |= c->exclusive ? UINT64_C(1) << index : 0;
    return NULL;
}

static bool has_control(const struct hooks *h, const char *verb)
{
    for (size_t i = 0; i < h->profile->control_count; i++) {
        if (strcmp(h->profile->controls[i].name, verb) == 0) {
            return !h->external;
        }
    }
    return false;
}

static char *why_not_steps(const struct hooks *h, const struct case_def *c)
{
    for (size_t i = 0; i < c->step_count; i++) {
        const struct case_step *step = &c->steps[i];

        if (step->kind == CASE_STEP_CONTROL && !has_control(h, step->control_do)) {
            return text_new("needs the control '%s', which %s", step->control_do,
                            h->external ? "a target given by --portal does not have" : "the profile does not have");
        }
        if (step->kind == CASE_STEP_LOGIN && portal_is_missing(h, step->login.portal)) {
            return text_new("needs the portal '%s', which %s", step->login.portal, portal_lack(h, step->login.portal));
        }
    }
    return NULL;
}

/*
 * What would disturb a live target: cases that say so themselves, those that take over a session that is there, those
 * that work at a limit or take away what others use.
 */
static bool disturbs(const struct case_def *c)
{
    static const char *const disturbing[] = {"drained",       "limited-connections", "removed",
                                             "session-limit", "store-fault",         NULL};

    for (size_t i = 0; i < c->step_count; i++) {
        if (c->steps[i].kind == CASE_STEP_CONTROL ||
            (c->steps[i].kind == CASE_STEP_LOGIN && c->steps[i].login.isid_of[0] != '\0')) {
            return true;
        }
    }
    for (size_t i = 0; i < c->need_count; i++) {
        for (size_t k = 0; k < c->needs[i].conditions.count; k++) {
            for (const char *const *name = disturbing; *name != NULL; name++) {
                if (strcmp(*name, c->needs[i].conditions.items[k]) == 0) {
                    return true;
                }
            }
        }
    }
    return !c->safe;
}

/* Does a step end our direction of a connection and wait for what still comes? */
static bool half_closes(const struct case_def *c)
{
    for (size_t i = 0; i < c->step_count; i++) {
        const struct case_step *step = &c->steps[i];

        if (step->kind == CASE_STEP_HALF_CLOSE) {
            return true;
        }
        for (size_t k = 0; k < step->login.shape_count; k++) {
            const struct case_shape *shape = &step->login.shapes[k];

            if (shape->kind == CASE_SHAPE_TRUNCATE && shape->cut == CASE_CUT_HALF_CLOSE) {
                return true;
            }
        }
    }
    return false;
}

/* The first condition that the profile does not offer, and why. */
static char *unmet_condition(const struct hooks *h, const struct case_need *need, const char *told)
{
    for (size_t i = 0; i < need->conditions.count; i++) {
        struct case_need single = {.conditions = {.items = &need->conditions.items[i], .count = 1}};
        const char *name = need->conditions.items[i];
        struct profile_access access;

        if (profile_resolve(h->profile, &single, &access) != NULL && strstr(told, name) == NULL) {
            return text_new("%s: %s", name, told);
        }
    }
    return text_new("%s", told);
}

/* Why the case cannot run against this target; NULL: it can. malloc'ed. Fills what has to be armed and locked. */
static char *why_not(const struct hooks *h, struct plan_job *job)
{
    const struct case_def *c = job->c;
    const char *left_out = profile_left_out_reason(h->profile, c->id);
    char *reason = NULL;

    if (left_out != NULL) {
        return text_new("%s", left_out);
    }
    if (job->options->safe && disturbs(c)) {
        return text_new("it would disturb a live target (--safe)");
    }
    if (h->profile->no_half_close && half_closes(c)) {
        return text_new("the target takes a half-close for the end of the connection (half-close: no)");
    }
    for (size_t i = 0; i < c->need_count && reason == NULL; i++) {
        struct profile_access access;
        const char *told = profile_resolve(h->profile, &c->needs[i], &access);

        if (told != NULL) {
            return unmet_condition(h, &c->needs[i], told);
        }
        if (portal_is_missing(h, access.portal)) {
            return text_new("the portal '%s' %s", access.portal, portal_lack(h, access.portal));
        }
        for (size_t k = 0; k < c->needs[i].conditions.count && reason == NULL; k++) {
            reason = why_not_condition(h, c->needs[i].conditions.items[k], job);
        }
    }
    return reason != NULL ? reason : why_not_steps(h, c);
}

/* xorshift64*: order only, nothing that has to be hard to guess. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static void shuffle(struct plan *plan, uint64_t seed)
{
    uint64_t state = seed * 2 + 1;

    for (size_t i = plan->count; i > 1; i--) {
        size_t k = (size_t)(next_random(&state) % i);
        struct plan_job job = plan->jobs[i - 1];

        plan->jobs[i - 1] = plan->jobs[k];
        plan->jobs[k] = job;
    }
}

/* How long a case is likely to take, for the order: waits first, then those that others have to wait for. */
static int weight(const struct plan_job *job)
{
    int sum = job->locks != 0 ? 200 : 0;

    for (size_t i = 0; i < job->c->step_count; i++) {
        const struct case_step *step = &job->c->steps[i];

        sum += step->wait_ms + (step->kind == CASE_STEP_CONTROL ? 50 : 0);
        for (size_t k = 0; k < step->login.shape_count; k++) {
            sum += step->login.shapes[k].kind == CASE_SHAPE_SPLIT ? 100 : 0;
        }
    }
    return sum;
}

static int compare_jobs(const void *a, const void *b)
{
    const struct plan_job *left = a;
    const struct plan_job *right = b;
    int order = left->round != right->round ? left->round - right->round : weight(right) - weight(left);

    return order != 0 ? order : strcmp(left->c->id, right->c->id);
}

static int compare_case_ids(const void *a, const void *b)
{
    return strcmp(((const struct plan_job *)a)->c->id, ((const struct plan_job *)b)->c->id);
}

/* Every shards-th case in the order of ids: which part a case is in depends on what was selected alone. */
static void keep_shard(struct plan *plan, int shard, int shards)
{
    size_t kept = 0;

    qsort(plan->jobs, plan->count, sizeof(*plan->jobs), compare_case_ids);
    for (size_t i = 0; i < plan->count; i++) {
        if (i % (size_t)shards == (size_t)shard - 1) {
            plan->jobs[kept++] = plan->jobs[i];
        } else {
            free(plan->jobs[i].skip);
        }
    }
    plan->count = kept;
}

/* What is left out is told once. False: no memory. */
static bool repeat_jobs(struct plan *plan, int rounds)
{
    size_t once = plan->count;
    struct plan_job *jobs = realloc(plan->jobs, (once * (size_t)rounds + 1) * sizeof(*jobs));

    if (jobs == NULL) {
        return false;
    }
    plan->jobs = jobs;
    for (int round = 1; round < rounds; round++) {
        for (size_t i = 0; i < once; i++) {
            if (jobs[i].skip == NULL) {
                jobs[plan->count] = jobs[i];
                jobs[plan->count++].round = round;
            }
        }
    }
    return true;
}

enum results_exit plan_make(struct plan *plan, const struct runner_options *options, char *err, size_t err_len)
{
    const struct case_list *cases = options->cases;

    memset(plan, 0, sizeof(*plan));
    plan->jobs = calloc(cases->count + 1, sizeof(*plan->jobs));
    if (plan->jobs == NULL || options->hooks->profile->condition_count > PLAN_CONDITIONS_MAX) {
        snprintf(err, err_len, plan->jobs == NULL ? "out of memory" : "the profile has more than 64 conditions");
        return EXIT_FAULT;
    }
    for (size_t i = 0; i < cases->count; i++) {
        struct load_error problem = {""};
        int taken = case_selected(&cases->cases[i], options->rules, options->select, options->select_count, &problem);

        if (taken < 0) {
            snprintf(err, err_len, "%s", problem.text);
            return EXIT_USAGE;
        }
        if (taken > 0 && case_counts(&cases->cases[i], options->rules, &options->floor)) {
            struct plan_job *job = &plan->jobs[plan->count++];

            job->options = options;
            job->c = &cases->cases[i];
            job->skip = why_not(options->hooks, job);
        }
    }
    if (options->shards > 0) {
        keep_shard(plan, options->shard, options->shards);
    }
    plan->case_count = plan->count;
    if (options->repeat > 1 && !repeat_jobs(plan, options->repeat)) {
        snprintf(err, err_len, "out of memory");
        return EXIT_FAULT;
    }
    if (plan->count == 0) {
        snprintf(err, err_len, "nothing was selected; `iscsispec list cases` shows what there is");
        return EXIT_NOTHING;
    }
    qsort(plan->jobs, plan->count, sizeof(*plan->jobs), compare_jobs);
    if (options->shuffle) {
        shuffle(plan, options->seed);
    }
    return EXIT_ALL_PASSED;
}

void plan_look_again(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->jobs[i].skip == NULL) {
            plan->jobs[i].skip = why_not(plan->jobs[i].options->hooks, &plan->jobs[i]);
        }
    }
}

void plan_free(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->jobs[i].text);
        free(plan->jobs[i].skip);
    }
    free(plan->jobs);
    memset(plan, 0, sizeof(*plan));
}

static json_t *code_json(int code)
{
    char text[16];

    snprintf(text, sizeof(text), "0x%04x", (unsigned)code);
    return json_string(text);
}

static json_t *not_offered_json(const struct profile *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->not_offered_count; i++) {
        const struct profile_not_offered *item = &p->not_offered[i];
        json_t *entry = json_pack("{s:o}", "reason", result_text(item->reason != NULL ? item->reason : ""));

        if (item->condition != NULL) {
            json_object_set_new(entry, "condition", json_string(item->condition));
        }
        if (item->code >= 0) {
            json_object_set_new(entry, "code", code_json(item->code));
        }
        json_array_append_new(list, entry);
    }
    return list;
}

static json_t *code_notes_json(const struct profile *p)
{
    json_t *notes = json_object();
    char key[16];

    for (size_t i = 0; i < p->code_note_count; i++) {
        const struct profile_code_note *note = &p->code_notes[i];

        snprintf(key, sizeof(key), "0x%04x", (unsigned)note->code);
        json_object_set_new(notes, key,
                            json_pack("{s:s, s:s}", "source", note->source != NULL ? note->source : "", "note",
                                      note->note != NULL ? note->note : ""));
    }
    return notes;
}

static json_t *required_json(const struct profile *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->required_count; i++) {
        json_array_append_new(list, code_json(p->required[i]));
    }
    return list;
}

static json_t *selection_json(const struct runner_options *options)
{
    json_t *list = json_array();

    for (size_t i = 0; i < options->select_count; i++) {
        json_array_append_new(list, result_text(options->select[i]));
    }
    return list;
}

bool plan_head(const struct runner_options *options, const struct plan *plan, json_t *head)
{
    const struct profile *p = options->hooks->profile;
    char started[32];
    char seed[24];
    time_t now = time(NULL);
    struct tm utc;

    if (options->shards > 0) {
        char shard[24];

        snprintf(shard, sizeof(shard), "%d/%d", options->shard, options->shards);
        json_object_set_new(head, "shard", json_string(shard));
    }
    if (options->repeat > 1) {
        json_object_set_new(head, "repeat", json_integer(options->repeat));
    }
    gmtime_r(&now, &utc);
    strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", &utc);
    snprintf(seed, sizeof(seed), "%" PRIu64, options->seed);
    return json_object_set_new(head, "iscsispec", json_string(ISCSISPEC_VERSION)) == 0 &&
           json_object_set_new(head, "catalogue", json_string(options->rules->hash)) == 0 &&
           json_object_set_new(head, "kill_table", json_string(options->kills->hash)) == 0 &&
           json_object_set_new(head, "profile", json_string(p->name)) == 0 &&
           json_object_set_new(head, "title", result_text(p->title != NULL ? p->title : p->name)) == 0 &&
           json_object_set_new(head, "selection", selection_json(options)) == 0 &&
           json_object_set_new(head, "selected", json_integer((json_int_t)plan->case_count)) == 0 &&
           json_object_set_new(head, "seed", json_string(seed)) == 0 &&
           json_object_set_new(head, "shuffle", json_boolean(options->shuffle)) == 0 &&
           json_object_set_new(head, "started", json_string(started)) == 0 &&
           json_object_set_new(head, "again", result_text(options->again != NULL ? options->again : "")) == 0 &&
           json_object_set_new(head, "require_codes", required_json(p)) == 0 &&
           json_object_set_new(head, "not_offered", not_offered_json(p)) == 0 &&
           json_object_set_new(head, "code_notes", code_notes_json(p)) == 0;
}

static json_t *strings_json(const struct case_strings *strings)
{
    json_t *list = json_array();

    for (size_t i = 0; i < strings->count; i++) {
        json_array_append_new(list, result_text(strings->items[i]));
    }
    return list;
}

const char *plan_rerun_name(enum plan_rerun rerun)
{
    static const char *const names[] = {NULL, "silence", "crash", "hung-up"};

    return names[rerun];
}

void plan_complete_line(const struct runner_options *options, const struct plan_job *job, json_t *line)
{
    const struct case_def *c = job->c;
    json_t *needs = json_array();

    for (size_t i = 0; i < c->need_count; i++) {
        json_t *part = strings_json(&c->needs[i].conditions);

        json_array_extend(needs, part);
        json_decref(part);
    }
    json_object_set_new(line, "title", result_text(c->title));
    json_object_set_new(line, "subject", result_text(c->subject != NULL ? c->subject : ""));
    json_object_set_new(line, "code", json_integer(c->code));
    json_object_set_new(line, "proves", strings_json(&c->proves));
    json_object_set_new(line, "needs", needs);
    json_object_set_new(line, "proven", killtable_proof(options->kills, c));
    if (json_object_get(line, "attempt") == NULL) {
        json_object_set_new(line, "attempt", json_integer(job->attempt));
    }
    if (job->rerun != PLAN_FIRST_RUN) {
        json_object_set_new(line, "rerun", json_string(plan_rerun_name(job->rerun)));
    }
}
