/* Seeds: genuine logins of libiscsi and the cases' bytes, driven once through the tap. See netfuzz_campaign.h. */
#include "harness/capture_read.h"
#include "harness/netfuzz_campaign.h"
#include "harness/netfuzz_seed.h"
#include "harness/process.h"
#include "harness/runner.h"
#include "harness/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CASE_TIMEOUT_MS = 250, /* for one answer: what a case waits for in vain says nothing here */
    CASE_GRACE_MS = 20,
    CASES_MS = 60000, /* all of them together; a slow target gives fewer seeds */
    OF_FAMILY = 2,    /* cases of one matrix */
    LOGIN_MS = 5000,
    WAIT_MAX_MS = 50,
};

/* A genuine login for each way into a target. */
static const struct {
    const char *name;
    const char *condition;
    enum case_base base;
} ways[] = {
    {"plain", "open", CASE_BASE_PLAIN},
    {"security", "open", CASE_BASE_SECURITY},
    {"discovery", "discovery", CASE_BASE_DISCOVERY},
    {"chap", "chap", CASE_BASE_CHAP},
    {"mutual-chap", "mutual-chap", CASE_BASE_MUTUAL_CHAP},
};

static struct scenario_env env_of(const struct netfuzz *f, int timeout_ms)
{
    return (struct scenario_env){
        .profile = f->options->hooks->profile,
        .initiator = f->options->initiator ? f->options->initiator : RUNNER_INITIATOR,
        .seed = f->options->seed,
        .timeout_ms = timeout_ms,
        .close_grace_ms = CASE_GRACE_MS,
    };
}

/*
 * Plays a seed once and keeps it when it shows something new, or when it has to be kept. False: f->err, or trouble with
 * the target that could not be mended.
 */
static bool take_seed(struct netfuzz *f, const struct netfuzz_input *in, bool keep)
{
    const struct netfuzz_input *one[] = {in};
    struct netfuzz_shown shown;
    struct netfuzz_facts facts;
    struct netfuzz_exec x = {0};
    bool good = netfuzz_alone(f, one, 1, NETFUZZ_QUICK, &shown), added;

    if (good && (shown.gone || shown.alarmed || shown.hung)) {
        struct netfuzz_slot *slot = &f->slots[0];

        netfuzz_input_free(&slot->input);
        good = netfuzz_input_copy(&slot->input, in);
        slot->started = slot->finished = slot->odd = true;
        slot->end_us = process_now_us();
        slot->reach = shown.reach | NETFUZZ_CONNECTED;
        f->trouble_kind = shown.hung ? NETFUZZ_HANG : NETFUZZ_CRASH;
        netfuzz_handle_trouble(f);
        netfuzz_input_free(&slot->input);
        memset(slot, 0, sizeof(*slot));
        good = good && !f->lost;
    } else if (good && shown.transcript) {
        x.transcript = shown.transcript;
        x.reach = shown.reach;
        netfuzz_facts_of(&x, &shown.findings, &facts);
        if (netfuzz_states_add(&f->states, &facts) > 0 || keep)
            good = netfuzz_corpus_add(&f->corpus, in, NETFUZZ_SEED_EXEC, shown.reach, &added, f->err, sizeof(f->err));
    }
    netfuzz_shown_free(&shown);
    return good;
}

/* What the initiator said in it, as a seed. */
static bool take_transcript(struct netfuzz *f, const struct transcript *t, enum netfuzz_seed_names names, bool keep)
{
    struct netfuzz_input in;
    bool good = netfuzz_seed_transcript(t, names, &in) && (in.count == 0 || take_seed(f, &in, keep));

    netfuzz_input_free(&in);
    return good;
}

/* Runs a case for its bytes alone. */
static bool seed_case(struct netfuzz *f, const struct case_def *def, int timeout_ms, bool keep)
{
    struct scenario_env env = env_of(f, timeout_ms);
    struct transcript *t = transcript_new();
    struct scenario_result result = {0};
    bool good = t && scenario_run(def, &env, t, &result) == 0;

    json_decref(result.seen);
    if (good && result.verdict != VERDICT_SKIP && result.verdict != VERDICT_ERROR)
        good = take_transcript(f, t, NETFUZZ_SEED_OWN, keep);
    transcript_free(t);
    return good;
}

static bool offers(const struct netfuzz *f, const char *condition)
{
    return profile_condition_find(f->options->hooks->profile, condition) != NULL;
}

bool netfuzz_collect_logins(struct netfuzz *f)
{
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        char condition[32], id[64];
        char *conditions[] = {condition};
        struct case_need need = {.conditions = {conditions, 1}};
        struct case_step step = {.kind = CASE_STEP_LOGIN, .login = {.as = "A", .base = ways[i].base}};
        struct case_def def = {.id = id, .needs = &need, .need_count = 1, .steps = &step, .step_count = 1};

        snprintf(condition, sizeof(condition), "%s", ways[i].condition);
        snprintf(id, sizeof(id), "seed.%s", ways[i].name);
        if (offers(f, condition) && !seed_case(f, &def, LOGIN_MS, true))
            return false;
        if (i == 0 && (f->corpus.count == 0 || !(f->corpus.entries[0].reach & NETFUZZ_FULL))) {
            snprintf(f->err, sizeof(f->err),
                     "a plain login does not succeed, so that nothing can be fuzzed; look at it with `iscsispec run "
                     "--select status.success.plain`");
            return false;
        }
    }
    return true;
}

/* A case that needs no arming, takes no time and does nothing but talk. */
static bool case_fits(const struct netfuzz *f, const struct case_def *c)
{
    const struct profile *p = f->options->hooks->profile;

    if (!c->safe)
        return false;
    for (size_t i = 0; i < c->need_count; i++)
        for (size_t k = 0; k < c->needs[i].conditions.count; k++) {
            const struct profile_condition *condition = profile_condition_find(p, c->needs[i].conditions.items[k]);

            if (!condition || condition->arm || condition->exclusive)
                return false;
        }
    for (size_t i = 0; i < c->step_count; i++)
        if (c->steps[i].kind == CASE_STEP_CONTROL || c->steps[i].wait_ms > WAIT_MAX_MS)
            return false;
    return true;
}

/* Length of what the cases of one matrix share in their ids; 0: it is of none. */
static size_t family_len(const char *id)
{
    size_t len = strcspn(id, "=");

    if (id[len] == '\0')
        return 0;
    while (len > 0 && id[len - 1] != '.')
        len--;
    return len;
}

/* Cases are ordered by id: true for the first ones of each family. */
static bool early_in_family(const struct case_list *cases, size_t i)
{
    size_t len = family_len(cases->cases[i].id), before = 0;

    while (len > 0 && before < i && strncmp(cases->cases[i - before - 1].id, cases->cases[i].id, len) == 0)
        before++;
    return before < OF_FAMILY;
}

static bool collect_cases(struct netfuzz *f)
{
    const struct case_list *cases = f->options->cases;
    int64_t until = process_now_ms() + CASES_MS;

    for (size_t i = 0; cases && i < cases->count && !netfuzz_stopped(f); i++) {
        if (process_now_ms() >= until) {
            netfuzz_remark(f, "the target is slow: seeds of %zu of %zu cases", i, cases->count);
            break;
        }
        if (early_in_family(cases, i) && case_fits(f, &cases->cases[i]) &&
            !seed_case(f, &cases->cases[i], CASE_TIMEOUT_MS, false))
            return false;
        netfuzz_show(f, "collecting seeds");
    }
    return true;
}

/* What initiators said in a capture, each connection by itself, in the order in which they end. */
static bool take_capture(struct netfuzz *f, const char *path)
{
    struct capture *capture = capture_open(path, &(struct capture_options){0}, f->err, sizeof(f->err));
    int64_t until = process_now_ms() + CASES_MS;
    enum capture_result result = CAPTURE_PAUSE;
    bool good = capture != NULL;

    while (good && !netfuzz_stopped(f) && result != CAPTURE_END && result != CAPTURE_DAMAGED) {
        struct capture_conn *conn = NULL;

        if (process_now_ms() >= until) {
            netfuzz_remark(f, "%s: no more seeds out of it after %d s", path, CASES_MS / 1000);
            break;
        }
        result = capture_next(capture, &conn);
        if (result == CAPTURE_CONN) {
            good = take_transcript(f, conn->transcript, NETFUZZ_SEED_FOREIGN, false);
            capture_conn_free(conn);
        }
        netfuzz_show(f, "collecting seeds");
    }
    if (good && result == CAPTURE_DAMAGED)
        netfuzz_remark(f, "%s", capture_error(capture));
    if (capture)
        capture_close(capture);
    return good;
}

static bool take_file(void *user, const char *path, const struct netfuzz_input *in)
{
    struct netfuzz *f = user;

    if (netfuzz_stopped(f))
        return true;
    if (capture_is(path))
        return take_capture(f, path);
    return in->count == 0 || take_seed(f, in, false);
}

bool netfuzz_collect(struct netfuzz *f)
{
    if (!netfuzz_collect_logins(f))
        return false;
    netfuzz_calibrate(f);
    if (!collect_cases(f))
        return false;
    for (size_t i = 0; i < f->options->corpus_count; i++)
        if (!netfuzz_corpus_read(f->options->corpus[i], take_file, f, f->err, sizeof(f->err)))
            return false;
    f->stats->seeds = f->first_entries = f->corpus.count;
    return true;
}
