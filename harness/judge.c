/* Expectations against what happened: see judge.h. */
#include "harness/judge.h"

#include "harness/fullfeature.h"
#include "harness/live.h"
#include "wire/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the view ---- */

static const struct conn_answer *answer_to(const struct conn *c, uint32_t number)
{
    for (size_t i = 0; i < c->answer_count; i++)
        if (c->answers[i].to == number && number)
            return &c->answers[i];
    return NULL;
}

/* The PDU that ends an answer spread over several with the C bit: its header speaks for the whole. */
static const struct conn_answer *answer_whole(const struct conn *c, const struct conn_answer *a)
{
    const struct conn_answer *end = c->answers + c->answer_count;

    while (a + 1 < end && a->opcode == PDU_LOGIN_RESPONSE && a[1].opcode == PDU_LOGIN_RESPONSE &&
           conn_answer_bhs(c, a)[1] & PDU_FLAG_CONTINUE)
        a++;
    return a;
}

static const struct conn_answer *last_login_answer(const struct conn *c)
{
    for (size_t i = c->answer_count; i > 0; i--)
        if (c->answers[i - 1].opcode == PDU_LOGIN_RESPONSE)
            return &c->answers[i - 1];
    return NULL;
}

/* The key that the case deviates in, for outcomes that speak of "*". */
static const char *stimulus_key(const struct conn *c, char *out, size_t cap)
{
    *out = '\0';
    for (size_t i = 0; c->login && i < c->login->edit_count; i++) {
        const struct case_edit *e = &c->login->edits[i];
        const struct case_strings *lists[] = {&e->set, &e->add, &e->prepend, &e->drop};

        for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++)
            if (lists[k]->count) {
                snprintf(out, cap, "%.*s", (int)strcspn(lists[k]->items[0], "="), lists[k]->items[0]);
                return out;
            }
        if (e->text) {
            snprintf(out, cap, "%.*s", (int)strcspn(e->text, "="), e->text);
            return out;
        }
    }
    return NULL;
}

/* How the exchange looks when only the answer to one PDU counts. */
static void view_single(const struct conn *c, const struct conn_answer *a, struct outcome_view *v)
{
    const uint8_t *bhs = conn_answer_bhs(c, a);

    if (a->opcode == PDU_REJECT) {
        v->end = CONN_REJECTED;
        v->reason = bhs[2];
    } else if (a->opcode != PDU_LOGIN_RESPONSE) {
        v->end = c->end == CONN_ANSWERED ? CONN_ANSWERED : CONN_OTHER;
    } else if (pdu_login_status(bhs)) {
        v->end = CONN_STATUS;
        v->status = pdu_login_status(bhs);
    } else if ((bhs[1] & (PDU_FLAG_TRANSIT | 3u)) == (PDU_FLAG_TRANSIT | 3u)) {
        v->end = CONN_FFP;
    } else {
        v->end = CONN_LEFT;
    }
}

void judge_view(struct conn *c, int pdu, struct outcome_view *v, struct text_buf *text, char *stimulus, size_t cap)
{
    const struct conn_answer *a;

    memset(v, 0, sizeof(*v));
    text_buf_init_growing(text, 4u << 20, NULL, NULL);
    v->end = c->end;
    v->status = c->status;
    v->reason = c->reason;
    v->stimulus = stimulus_key(c, stimulus, cap);
    a = answer_to(c, pdu ? conn_wire_number(c, (uint32_t)pdu) : c->deviating);
    if (pdu && a)
        view_single(c, answer_whole(c, a), v);
    if (!pdu && !c->deviating)
        a = last_login_answer(c);
    if (a && a->opcode == PDU_LOGIN_RESPONSE)
        v->answer = conn_answer_bhs(c, answer_whole(c, a));
    if (c->deviating)
        v->request = c->deviant;
    else if (c->sent)
        v->request = c->last;
    for (; a && a < c->answers + c->answer_count; a++) {
        if ((a->opcode == PDU_LOGIN_RESPONSE || a->opcode == PDU_TEXT_RESPONSE) && a->data_len)
            text_buf_add_raw(text, conn_answer_data(c, a), a->data_len);
        if (pdu && !(conn_answer_bhs(c, a)[1] & PDU_FLAG_CONTINUE))
            break;
    }
    v->text = text->data;
    v->text_len = text->len;
}

/* ---- verdicts ---- */

static void settle(struct judgement *out, enum verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A worse verdict replaces a better one, with its reason; the first reason of a verdict stays. */
static void settle(struct judgement *out, enum verdict verdict, const char *format, ...)
{
    static const int rank[] = {[VERDICT_PASS] = 0, [VERDICT_WARN] = 1, [VERDICT_FAIL] = 2, [VERDICT_ERROR] = 3};
    va_list args;

    if (rank[verdict] < rank[out->verdict] || (rank[verdict] == rank[out->verdict] && *out->reason))
        return;
    out->verdict = verdict;
    va_start(args, format);
    vsnprintf(out->reason, sizeof(out->reason), format, args);
    va_end(args);
}

static enum verdict by_severity(const struct rule *rule)
{
    if (!rule || rule->severity == RULE_FAIL)
        return VERDICT_FAIL;
    return rule->severity == RULE_WARN ? VERDICT_WARN : VERDICT_PASS;
}

struct tally {
    size_t decided, met;
};

static struct tally count_met(const struct outcome_list *list, const struct outcome_view *v, bool tolerated)
{
    struct tally t = {0, 0};

    for (size_t i = 0; list && i < list->count; i++) {
        enum outcome_met m;

        if (list->items[i].tolerated != tolerated)
            continue;
        m = outcome_meets(&list->items[i], v);
        t.decided += m != OUTCOME_UNDECIDED;
        t.met += m == OUTCOME_MET;
    }
    return t;
}

/* The first outcome of the list that was decided against, for the sentence. */
static void first_unmet(const struct outcome_list *list, const struct outcome_view *v, char *out, size_t cap)
{
    for (size_t i = 0; i < list->count; i++)
        if (!list->items[i].tolerated && outcome_meets(&list->items[i], v) == OUTCOME_NOT_MET) {
            outcome_describe(&list->items[i], out, cap);
            return;
        }
}

void judge_outcome(const struct outcome_view *v, const struct outcome_list *any, const struct rule *rule,
                   const char *what, struct judgement *out)
{
    bool own = any && any->count, all = !own && rule && rule->match_all;
    const struct outcome_list *accepted = own ? any : &rule->expected;
    struct tally expected = count_met(accepted, v, false);
    struct tally tolerated = own ? count_met(any, v, true) : count_met(&rule->tolerated, v, false);
    char due[300];

    outcome_describe_list(accepted, all, false, out->expected, sizeof(out->expected));
    snprintf(due, sizeof(due), "%.299s", out->expected);
    if (v->end == CONN_GARBAGE) {
        settle(out, VERDICT_FAIL, "%s where %s is due", what, due);
    } else if (expected.decided == 0 && tolerated.decided == 0) {
        settle(out, VERDICT_ERROR, "nothing of %s can be decided by a machine here",
               rule ? rule->id : "the accept set");
    } else if (all ? expected.decided && expected.met == expected.decided : expected.met > 0) {
        settle(out, VERDICT_PASS, "%s", "");
    } else if (tolerated.met > 0) {
        settle(out, VERDICT_WARN, "%s where %s is due (tolerated)", what, due);
    } else if (rule && count_met(&rule->forbidden, v, false).met > 0) {
        settle(out, VERDICT_FAIL, "%s where %s is due; the rule forbids it", what, due);
    } else {
        enum verdict verdict = by_severity(rule);

        if (all)
            first_unmet(accepted, v, due, sizeof(due));
        settle(out, verdict, verdict == VERDICT_PASS ? "observed: %s (%s was listed)" : "%s where %s is due", what,
               due);
        out->silence |= verdict == VERDICT_FAIL && v->end == CONN_SILENT;
    }
}

/* ---- the other parts of an expectation ---- */

static void judge_keys(struct conn *c, const struct case_expect *e, struct judgement *out)
{
    const struct live_scope scope = conn_scope(c);
    struct outcome_view v;
    struct text_buf picked, all;
    char stimulus[TEXT_KEY_MAX + 1], err[200];

    judge_view(c, e->pdu, &v, &picked, stimulus, sizeof(stimulus));
    text_buf_init_growing(&all, 4u << 20, NULL, NULL);
    for (size_t i = 0; i < c->answer_count; i++)
        if (c->answers[i].data_len &&
            (c->answers[i].opcode == PDU_LOGIN_RESPONSE || c->answers[i].opcode == PDU_TEXT_RESPONSE))
            text_buf_add_raw(&all, conn_answer_data(c, &c->answers[i]), c->answers[i].data_len);
    for (size_t i = 0; i < e->keys.count; i++) {
        const struct text_buf *in = e->pdu ? &picked : &all;
        size_t len = 0;
        char *want = live_expand(e->keys.items[i], strlen(e->keys.items[i]), &scope, &len, err, sizeof(err));
        char *equals = want ? strchr(want, '=') : NULL;
        struct text_pair pair;

        if (!want) {
            settle(out, VERDICT_ERROR, "expect keys: %s", err);
            continue;
        }
        if (equals)
            *equals = '\0';
        if (want[0] == '!') {
            if (outcome_text_answers(in->data, in->len, want + 1) && text_find(in->data, in->len, want + 1, &pair))
                settle(out, by_severity(e->entry), "the answer holds %s=%.*s, which should not be there", want + 1,
                       (int)(pair.value_len < 100 ? pair.value_len : 100), pair.value);
        } else if (!text_find(in->data, in->len, want, &pair)) {
            settle(out, by_severity(e->entry), "no %s in the answer", want);
        } else if (equals && !outcome_text_has(in->data, in->len, want, equals + 1)) {
            settle(out, by_severity(e->entry), "answered %s=%.*s where %s is due", want,
                   (int)(pair.value_len < 100 ? pair.value_len : 100), pair.value, equals + 1);
        }
        free(want);
    }
    text_buf_free(&picked);
    text_buf_free(&all);
}

/*
 * The answer that ends the rounds which a target that was not ready to go over has made of this one: what is expected
 * of a header may be true of either.
 */
static const uint8_t *settled_answer(const struct conn *c, const struct outcome_view *v)
{
    size_t i = 0;

    while (i < c->answer_count && conn_answer_bhs(c, &c->answers[i]) != v->answer)
        i++;
    while (i + 1 < c->answer_count && c->answers[i + 1].to && conn_is_round(c, c->answers[i + 1].to))
        i++;
    return i < c->answer_count && c->answers[i].opcode == PDU_LOGIN_RESPONSE ? conn_answer_bhs(c, &c->answers[i])
                                                                             : v->answer;
}

static void judge_header(struct conn *c, const struct case_expect *e, const struct outcome_view *v,
                         struct judgement *out)
{
    const struct live_scope scope = conn_scope(c);
    char err[200];

    for (size_t i = 0; i < e->header_count; i++) {
        const struct pdu_field *field = pdu_field_find(PDU_LOGIN_RESPONSE, e->header[i].name);
        uint64_t want, got;

        if (!field || !live_number(e->header[i].value, &scope, &want, err, sizeof(err))) {
            settle(out, VERDICT_ERROR, "expect header %s: %s", e->header[i].name, field ? err : "no such field");
        } else if (!v->answer) {
            settle(out, by_severity(e->entry), "no Login Response came in which %s could be looked at",
                   e->header[i].name);
        } else if ((got = pdu_field_get(field, v->answer)) != want &&
                   pdu_field_get(field, settled_answer(c, v)) != want) {
            settle(out, by_severity(e->entry), "answered with %s=0x%llx where 0x%llx is due", e->header[i].name,
                   (unsigned long long)got, (unsigned long long)want);
        }
    }
}

/* L-STAT-001: after a refusal the target closes, by itself. */
static void judge_then_closed(const struct conn *c, struct judgement *out)
{
    struct net *n = &c->drive->net;

    if (c->end != CONN_STATUS && c->end != CONN_REJECTED)
        return; /* accepted, or ended already: the accept set decides */
    if (c->ffp) /* in the login phase it has been waited for */
        link_wait_end(n, c->link, net_now(n) + (int64_t)c->drive->env->close_grace_ms * 1000);
    if (!c->link->peer_ended || !c->link->peer_first)
        settle(out, VERDICT_FAIL, "still open %d ms after the refusal (L-STAT-001)", c->drive->env->close_grace_ms);
}

static void judge_alive(struct conn *c, int wanted, const struct rule *rule, struct judgement *out)
{
    struct net *n = &c->drive->net;
    struct conn before = *c; /* a ping does not change how the login is judged */
    bool gone;

    if (wanted) {
        if (!fullfeature_alive(c)) {
            bool silent = c->end == CONN_SILENT;

            settle(out, by_severity(rule), "not alive: it %s",
                   c->ffp ? c->why : "never reached the full feature phase");
            out->silence |= silent;
        }
    } else if (c->link) {
        gone = link_wait_end(n, c->link, net_now(n) + (int64_t)c->drive->env->close_grace_ms * 1000);
        if (!gone || (!c->link->peer_first && !c->logged_out))
            settle(out, by_severity(rule), "the connection is still open %d ms later", c->drive->env->close_grace_ms);
    }
    c->end = before.end;
    c->status = before.status;
    c->reason = before.reason;
    c->opcode = before.opcode;
    memcpy(c->why, before.why, sizeof(c->why));
}

static bool lists_target(const struct conn *c, const char *name)
{
    return outcome_text_has(c->text_answer.data, c->text_answer.len, "TargetName", name);
}

static void judge_list(struct conn *c, const char *name, bool wanted, const struct rule *rule, struct judgement *out)
{
    const struct live_scope scope = conn_scope(c);
    char err[200];
    size_t len = 0;
    char *target = live_expand(name, strlen(name), &scope, &len, err, sizeof(err));

    if (!target)
        settle(out, VERDICT_ERROR, "expect lists: %s", err);
    else if (lists_target(c, target) != wanted)
        settle(out, by_severity(rule), wanted ? "SendTargets does not list %s" : "SendTargets lists %s", target);
    free(target);
}

static void judge_counts(struct conn *c, const struct case_expect *e, struct judgement *out)
{
    int responses = 0;

    for (size_t i = 0; i < c->answer_count; i++)
        responses += c->answers[i].opcode == PDU_LOGIN_RESPONSE;
    responses -= (int)c->rounds < responses ? (int)c->rounds : responses; /* one each, which no case counts on */
    if (e->responses >= 0 && responses != e->responses)
        settle(out, by_severity(e->entry), "%d Login Responses came where %d are due", responses, e->responses);
    if (e->same_as) {
        const struct conn *other = conn_find(c->drive, e->same_as);

        if (!other)
            settle(out, VERDICT_ERROR, "expect same-as: no connection %s", e->same_as);
        else if (other->end != c->end || (c->end == CONN_STATUS && other->status != c->status))
            settle(out, by_severity(e->entry), "%s %s, %s %s: not the same", c->name, c->why, other->name, other->why);
    }
}

static bool has_other_checks(const struct case_expect *e)
{
    return e->ffp || e->then != CASE_END_NOT_ASKED || e->alive >= 0 || e->keys.count || e->header_count ||
           e->responses >= 0 || e->lists || e->lists_not || e->same_as;
}

static bool rule_is_decidable(const struct rule *rule)
{
    for (size_t i = 0; rule && i < rule->expected.count; i++)
        if (rule->expected.items[i].kind != OUTCOME_TEXT)
            return true;
    return false;
}

/* Exchanges that no accept set can excuse. */
static bool judge_failed_exchange(struct conn *c, struct judgement *out)
{
    if (*c->early)
        settle(out, VERDICT_FAIL, "%s", c->early);
    else if (c->end == CONN_UNREACHABLE || c->end == CONN_GARBAGE)
        settle(out, VERDICT_FAIL, "%s", c->why);
    else
        return false;
    return true;
}

void judge_expect(struct conn *c, const struct case_expect *e, struct judgement *out)
{
    struct outcome_view v;
    struct text_buf text;
    char stimulus[TEXT_KEY_MAX + 1];
    bool set = e->any.count || (e->rule && (rule_is_decidable(e->entry) || !has_other_checks(e)));

    memset(out, 0, sizeof(*out));
    out->verdict = VERDICT_PASS;
    judge_view(c, e->pdu, &v, &text, stimulus, sizeof(stimulus));
    if (set && (e->any.count || e->entry))
        outcome_describe_list(e->any.count ? &e->any : &e->entry->expected, false, false, out->expected,
                              sizeof(out->expected));
    else if (e->ffp)
        snprintf(out->expected, sizeof(out->expected), "a completed login");
    if (!judge_failed_exchange(c, out)) {
        if (set && (e->any.count || e->entry))
            judge_outcome(&v, &e->any, e->entry, c->why, out);
        if (e->ffp && !c->was_ffp) {
            settle(out, by_severity(e->entry), "%s where a completed login is due", c->why);
            out->silence |= c->end == CONN_SILENT;
        }
        if (e->then == CASE_END_CLOSED && c->link)
            judge_then_closed(c, out);
        if (e->keys.count)
            judge_keys(c, e, out);
        judge_header(c, e, &v, out);
        judge_counts(c, e, out);
        if (e->lists)
            judge_list(c, e->lists, true, e->entry, out);
        if (e->lists_not)
            judge_list(c, e->lists_not, false, e->entry, out);
        if (e->alive >= 0)
            judge_alive(c, e->alive, e->entry, out);
    }
    text_buf_free(&text);
}
