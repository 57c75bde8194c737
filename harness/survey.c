#include "harness/survey.h"

#include "harness/probe.h"
#include "harness/scenario.h"
#include "wire/pdu.h"
#include "wire/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct survey {
    struct hooks *hooks;
    const char *initiator;
    const char *name;
    int timeout_ms;
    uint64_t seed;
    json_t *found;
};

static char connection[] = "A";

static void prepare(struct case_step *step, enum case_step_kind kind)
{
    memset(step, 0, sizeof(*step));
    step->kind = kind;
    snprintf(step->on, sizeof(step->on), "%s", connection);
}

/* Runs the steps as a case that expects nothing. What came is in *result (the caller decrefs seen) and in *t. */
static bool run_steps(struct survey *s, struct case_step *steps, size_t count, struct transcript **t,
                      struct scenario_result *result)
{
    static char id[] = "survey", open_name[] = "open";
    static char *conditions[] = {open_name};
    struct case_need need = {.conditions = {conditions, 1}};
    struct case_def def = {.id = id, .code = -1, .needs = &need, .need_count = 1, .steps = steps, .step_count = count};
    struct scenario_env env = {
        .profile = s->hooks->profile,
        .initiator = s->initiator,
        .seed = s->seed++,
        .timeout_ms = s->timeout_ms,
        .close_grace_ms = 0,
    };

    *t = transcript_new();
    if (*t == NULL) {
        return false;
    }
    scenario_run(&def, &env, *t, result);
    return true;
}

/* Letters, digits and what else may stand in a name or an address: nothing that could mean something in a file. */
static bool is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c != '\0' && strchr(".:-[],_", c) != NULL))) {
            return false;
        }
    }
    return len > 0 && len <= TEXT_NAME_MAX;
}

/* Names and addresses of one Text Response. */
static void take_list(json_t *listed, const struct transcript_pdu *pdu)
{
    struct text_cursor cursor;
    struct text_pair pair;
    enum text_result result;

    text_cursor_init(&cursor, pdu->data, pdu->data_len);
    while ((result = text_next(&cursor, &pair)) != TEXT_END) {
        json_t *last = json_array_get(listed, json_array_size(listed) - 1);

        if (result != TEXT_PAIR || !is_plain(pair.value, pair.value_len)) {
            continue;
        }
        if (text_pair_is(&pair, "TargetName") && json_array_size(listed) < SURVEY_TARGETS_MAX) {
            json_array_append_new(listed, json_pack("{s:s%, s:[]}", "name", pair.value, pair.value_len, "address"));
        } else if (text_pair_is(&pair, "TargetAddress") && last != NULL) {
            json_array_append_new(json_object_get(last, "address"), json_stringn(pair.value, pair.value_len));
        }
    }
}

static void take_lists(json_t *listed, const struct transcript *t)
{
    for (size_t i = 0; i < t->conn_count; i++) {
        struct transcript_pdu *pdus = NULL;
        long count = transcript_cut(t->conns[i], &pdus);

        for (long k = 0; k < count; k++) {
            if (pdus[k].side == TRANSCRIPT_TARGET && pdus[k].whole && pdus[k].data != NULL &&
                pdu_opcode(pdus[k].bhs) == PDU_TEXT_RESPONSE) {
                take_list(listed, &pdus[k]);
            }
        }
        free(pdus);
    }
}

static const json_t *first_seen(const struct scenario_result *result)
{
    return json_array_get(result->seen, 0);
}

static void ask_for_targets(struct survey *s)
{
    static char pair[] = "SendTargets=All";
    static char *pairs[] = {pair};
    struct scenario_result result = {.verdict = VERDICT_PASS};
    struct transcript *t;
    struct case_step steps[2];
    json_t *listed = json_array();
    const char *offered = "none";

    prepare(&steps[0], CASE_STEP_LOGIN);
    snprintf(steps[0].login.as, sizeof(steps[0].login.as), "%s", connection);
    steps[0].login.base = CASE_BASE_DISCOVERY;
    prepare(&steps[1], CASE_STEP_TEXT);
    steps[1].keys = (struct case_strings){pairs, 1};
    if (run_steps(s, steps, 2, &t, &result)) {
        const json_t *status = json_object_get(first_seen(&result), "status");
        const char *code = json_string_value(json_array_get(status, json_array_size(status) - 1));

        if (json_is_true(json_object_get(first_seen(&result), "ffp"))) {
            offered = "open";
            take_lists(listed, t);
        } else if (code != NULL && strcmp(code, "0x0201") == 0) {
            offered = "chap";
        }
        json_decref(result.seen);
        transcript_free(t);
    }
    json_object_set_new(s->found, "discovery", json_string(offered));
    json_object_set_new(s->found, "listed", listed);
}

/* A login that offers CHAP and None and goes no further than the choice. */
static void ask_for_method(struct survey *s, const char *name, json_t *out)
{
    static char offer[] = "AuthMethod=CHAP,None";
    static char *set[] = {offer};
    char target[TEXT_NAME_MAX + 1];
    struct case_edit edit = {.pdu = 1, .set = {set, 1}};
    struct scenario_result result = {.verdict = VERDICT_PASS};
    struct case_step step;
    struct transcript *t;

    snprintf(target, sizeof(target), "%s", name);
    prepare(&step, CASE_STEP_LOGIN);
    snprintf(step.login.as, sizeof(step.login.as), "%s", connection);
    step.login.base = CASE_BASE_SECURITY;
    step.login.target = target;
    step.login.edits = &edit;
    step.login.edit_count = 1;
    step.login.stop_pdu = 1;
    step.login.stop_when = CASE_WHEN_ANSWERED;
    if (run_steps(s, &step, 1, &t, &result)) {
        const json_t *keys = json_object_get(first_seen(&result), "keys");
        const char *method = json_string_value(json_object_get(keys, "AuthMethod"));

        if (method != NULL && strcmp(method, "CHAP") == 0) {
            json_object_set_new(out, "login", json_string("chap"));
        }
        json_decref(result.seen);
        transcript_free(t);
    }
}

/* The plain login: open, or the code that refuses it. */
static void ask_target(struct survey *s, const char *name)
{
    char target[TEXT_NAME_MAX + 1];
    struct scenario_result result = {.verdict = VERDICT_PASS};
    json_t *out = json_pack("{s:s, s:s}", "name", name, "login", "none");
    struct case_step step;
    struct transcript *t;

    snprintf(target, sizeof(target), "%s", name);
    prepare(&step, CASE_STEP_LOGIN);
    snprintf(step.login.as, sizeof(step.login.as), "%s", connection);
    step.login.target = target;
    if (run_steps(s, &step, 1, &t, &result)) {
        const json_t *seen = first_seen(&result);
        const json_t *status = json_object_get(seen, "status");
        const char *code = json_string_value(json_array_get(status, json_array_size(status) - 1));
        const char *tag = json_string_value(json_object_get(json_object_get(seen, "keys"), "TargetPortalGroupTag"));

        if (json_is_true(json_object_get(seen, "ffp"))) {
            json_object_set_new(out, "login", json_string("open"));
        } else if (code != NULL) {
            json_object_set_new(out, "login", json_string(code));
        }
        if (tag != NULL && strspn(tag, "0123456789") == strlen(tag) && strlen(tag) <= 5) {
            json_object_set_new(out, "tag", json_integer(strtol(tag, NULL, 10)));
        }
        if (json_object_get(json_object_get(seen, "keys"), "TargetAlias") != NULL) {
            json_object_set_new(out, "alias", json_true());
        }
        json_decref(result.seen);
        transcript_free(t);
    }
    if (strncmp(json_string_value(json_object_get(out, "login")), "0x", 2) == 0) {
        ask_for_method(s, name, out);
    }
    json_array_append_new(json_object_get(s->found, "targets"), out);
}

static json_t *measure(const void *user)
{
    struct survey s = *(const struct survey *)user;
    const json_t *listed;

    s.found = json_pack("{s:[]}", "targets");
    ask_for_targets(&s);
    listed = json_object_get(s.found, "listed");
    if (s.name != NULL) {
        ask_target(&s, s.name);
    }
    for (size_t i = 0; i < json_array_size(listed); i++) {
        const char *name = json_string_value(json_object_get(json_array_get(listed, i), "name"));

        if (s.name == NULL || strcmp(s.name, name) != 0) {
            ask_target(&s, name);
        }
    }
    return s.found;
}

json_t *survey_target(struct hooks *hooks, const char *initiator, const char *name, int timeout_ms)
{
    struct survey s = {.hooks = hooks, .initiator = initiator, .name = name, .timeout_ms = timeout_ms, .seed = 1};

    return probe_in_child(measure, &s, timeout_ms * 4 * ((int)SURVEY_TARGETS_MAX + 2));
}

/* How a login of this condition goes. */
static void set_condition(const struct survey *s, struct case_step *step)
{
    const struct case_condition *known = case_condition_find(s->name);
    const struct profile_condition *c = profile_condition_find(s->hooks->profile, s->name);

    if (strcmp(s->name, "discovery") == 0 || strcmp(s->name, "no-discovery") == 0) {
        step->login.base = CASE_BASE_DISCOVERY;
    } else if (c != NULL && c->user != NULL) {
        step->login.base = c->mutual_user != NULL ? CASE_BASE_MUTUAL_CHAP : CASE_BASE_CHAP;
    }
    if (known != NULL && known->beside && c != NULL) {
        step->login.portal = c->portal;
        step->login.target = c->target;
    }
}

static json_t *measure_condition(const void *user)
{
    static char id[] = "survey";
    struct survey s = *(const struct survey *)user;
    char name[64];
    char *conditions[] = {name};
    struct case_need need = {.conditions = {conditions, 1}};
    struct case_step step;
    struct case_def def = {.id = id, .code = -1, .needs = &need, .need_count = 1, .steps = &step, .step_count = 1};
    struct scenario_env env = {.profile = s.hooks->profile,
                               .initiator = s.initiator,
                               .seed = s.seed,
                               .timeout_ms = s.timeout_ms,
                               .close_grace_ms = 0};
    struct scenario_result result = {.verdict = VERDICT_PASS};
    struct transcript *t = transcript_new();
    const json_t *seen, *status;
    json_t *answer;

    snprintf(name, sizeof(name), "%s", s.name);
    prepare(&step, CASE_STEP_LOGIN);
    snprintf(step.login.as, sizeof(step.login.as), "%s", connection);
    set_condition(&s, &step);
    if (t == NULL) {
        return NULL;
    }
    scenario_run(&def, &env, t, &result);
    seen = first_seen(&result);
    status = json_object_get(seen, "status");
    answer = json_pack("{s:b, s:O*, s:O*}", "ffp", json_is_true(json_object_get(seen, "ffp")), "end",
                       json_object_get(seen, "end"), "status", json_array_get(status, json_array_size(status) - 1));
    json_decref(result.seen);
    transcript_free(t);
    return answer;
}

json_t *survey_condition(struct hooks *hooks, const char *initiator, const char *condition, int timeout_ms)
{
    struct survey s = {.hooks = hooks, .initiator = initiator, .name = condition, .timeout_ms = timeout_ms, .seed = 1};

    return probe_in_child(measure_condition, &s, timeout_ms * 6 + 2000);
}
