/* Runs the steps of a case: see scenario.h. All waiting serves all connections. */
#include "harness/scenario.h"

#include "harness/conn.h"
#include "harness/fullfeature.h"
#include "harness/initiator.h"
#include "harness/judge.h"
#include "harness/seen.h"
#include "harness/setup.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLEAN_UP_MS = 500 };

/* One case under way, with what it came to so far. */
struct scenario {
    struct drive drive;
    struct scenario_result *result;
    const struct case_step **armed; /* control steps whose undo is due */
    size_t armed_count;
    bool over; /* no further step runs */
};

static void settle(struct scenario *s, enum verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The first verdict that is not PASS counts, except that FAIL and ERROR beat WARN; they end the case. */
static void settle(struct scenario *s, enum verdict verdict, const char *format, ...)
{
    bool better = s->result->verdict == VERDICT_PASS || (s->result->verdict == VERDICT_WARN && verdict != VERDICT_WARN);
    va_list args;

    if (verdict != VERDICT_PASS && verdict != VERDICT_WARN)
        s->over = true;
    if (!better || (verdict == VERDICT_PASS && *s->result->reason))
        return;
    s->result->verdict = verdict;
    va_start(args, format);
    vsnprintf(s->result->reason, sizeof(s->result->reason), format, args);
    va_end(args);
}

static void settle_error(struct scenario *s)
{
    settle(s, VERDICT_ERROR, "%.500s", *s->drive.error ? s->drive.error : "out of memory");
}

/* Bytes came on a connection: pings of live ones are answered whatever the case is waiting for. */
static void on_arrival(void *user, struct link *l)
{
    struct drive *d = user;

    for (size_t i = 0; i < d->conn_count; i++)
        if (d->conns[i]->link == l && d->conns[i]->ffp)
            fullfeature_serve(d->conns[i]);
}

/* ---- steps ---- */

static void step_login(struct scenario *s, const struct case_step *step)
{
    const struct case_login *login = &step->login;
    const struct profile_portal *portal = NULL;
    const struct conn *of;
    struct conn *c = NULL;
    char text[400] = "";

    if (step->kind == CASE_STEP_FOLLOW && !(portal = setup_redirect(&s->drive, login->of, text, sizeof(text)))) {
        settle(s, VERDICT_FAIL, "%s", text);
        return;
    }
    of = login->base == CASE_BASE_JOIN ? conn_find(&s->drive, login->of) : NULL;
    if (of && !of->was_ffp) {
        settle(s, VERDICT_FAIL, "%s cannot join: %s %s", login->as, of->name, of->why);
        return;
    }
    switch (setup_conn(&s->drive, login, portal, &c, text, sizeof(text))) {
    case SETUP_SKIP:
        settle(s, VERDICT_SKIP, "%s", text);
        return;
    case SETUP_FAIL:
        settle(s, VERDICT_FAIL, "%s", text);
        return;
    case SETUP_ERROR:
        settle_error(s);
        return;
    case SETUP_READY:
        break;
    }
    if (initiator_login(c))
        settle_error(s);
    fullfeature_serve(c); /* what came right behind the last answer */
    if (c->end == CONN_UNREACHABLE) {
        s->result->unreachable = true;
        settle(s, VERDICT_FAIL, "the target %s", c->why);
    }
}

static void step_expect(struct scenario *s, struct conn *c, const struct case_step *step)
{
    struct judgement j;
    bool several = s->drive.conn_count > 1;
    enum verdict before = s->result->verdict;

    judge_expect(c, &step->expect, &j);
    if (!*s->result->expected || j.verdict == VERDICT_FAIL)
        snprintf(s->result->expected, sizeof(s->result->expected), "%s", j.expected);
    s->result->silence |= j.silence && j.verdict == VERDICT_FAIL;
    if (*j.reason || j.verdict != VERDICT_PASS)
        settle(s, j.verdict, several ? "%s: %.470s" : "%.0s%s", c->name, j.reason);
    if (s->result->verdict != before)
        s->result->rule = step->expect.rule;
}

/* A request of the harness that any target in full feature phase has to answer. */
static void step_must(struct scenario *s, struct conn *c, bool good, const char *what)
{
    if (good)
        return;
    s->result->silence |= c->end == CONN_SILENT;
    settle(s, VERDICT_FAIL, "%s: no answer to the %s: it %s", c->name, what, c->why);
}

static void step_logout(struct scenario *s, struct conn *c, const struct case_step *step)
{
    bool session = !step->reason || strcmp(step->reason, "connection") != 0, asked = step->then == CASE_END_CLOSED;
    int grace_ms = asked ? s->drive.env->close_grace_ms : 0;
    enum logout_end end = fullfeature_logout(c, session, !step->no_answer, conn_deadline(c), grace_ms);

    step_must(s, c, end != LOGOUT_UNANSWERED, "Logout");
    s->result->hung_up |= end == LOGOUT_UNANSWERED && c->end != CONN_SILENT;
    if (end == LOGOUT_DENIED && asked)
        settle(s, VERDICT_FAIL, "%s: the Logout was answered, but not with response 0", c->name);
    for (size_t i = 0; i < s->drive.conn_count; i++)
        if (s->drive.conns[i]->left_open)
            settle(s, VERDICT_FAIL, "%s: still open %d ms after the Logout Response (RFC 7143 11.14)",
                   s->drive.conns[i]->name, grace_ms);
}

static void step_text(struct scenario *s, struct conn *c, const struct case_step *step)
{
    const struct live_scope scope = conn_scope(c);
    struct text_buf text;
    char err[200];

    text_buf_init_growing(&text, 1u << 20, NULL, NULL);
    for (size_t i = 0; i < step->keys.count; i++) {
        size_t len = 0;
        char *pair = live_expand(step->keys.items[i], strlen(step->keys.items[i]), &scope, &len, err, sizeof(err));

        if (!pair)
            settle(s, VERDICT_ERROR, "text on %s: %s", c->name, err);
        else
            text_buf_add_raw(&text, pair, len + 1);
        free(pair);
    }
    if (!s->over && fullfeature_text(c, text.data, text.len, !step->no_answer)) {
        if (!step->no_answer)
            conn_finish(c, CONN_ANSWERED, "answered the Text Request");
    } else if (!s->over) {
        /* What is expected may stand in the part that came. A close or a Reject at once is left to the expectations. */
        step_must(s, c, c->end != CONN_SILENT && c->text_answer.len == 0, "Text Request");
    }
    text_buf_free(&text);
}

static void step_control(struct scenario *s, const struct case_step *step)
{
    const struct scenario_env *env = s->drive.env;
    char err[300] = "the profile has no controls";
    const struct case_step **armed = realloc(s->armed, (s->armed_count + 1) * sizeof(*armed));

    if (!armed) {
        settle_error(s);
        return;
    }
    s->armed = armed;
    if (step->control_do && (!env->control || env->control(env->user, step->control_do, err, sizeof(err))))
        settle(s, VERDICT_ERROR, "control %s: %s", step->control_do, err);
    if (step->control_undo && env->control)
        s->armed[s->armed_count++] = step; /* also after a do that failed half-way */
}

static void wait_ms(struct scenario *s, int ms)
{
    int64_t until = net_now(&s->drive.net) + (int64_t)ms * 1000;

    while (net_turn(&s->drive.net, until))
        ;
}

/* Steps that need a connection that is open, and those that need one in full feature phase. */
static bool usable(struct scenario *s, struct conn *c, bool full_feature)
{
    if (!c->link || c->link->fd < 0) {
        settle(s, VERDICT_FAIL, "%s is not open any more: it %s", c->name, c->why);
        return false;
    }
    if (full_feature && !c->ffp) {
        settle(s, VERDICT_FAIL, "%s is not in full feature phase: the target %s", c->name, c->why);
        return false;
    }
    return true;
}

static void step_on_conn(struct scenario *s, struct conn *c, const struct case_step *step)
{
    struct net *n = &s->drive.net;

    switch (step->kind) {
    case CASE_STEP_EXPECT:
        step_expect(s, c, step);
        break;
    case CASE_STEP_SEND:
        if (fullfeature_send(c, &step->pdu, !step->no_answer))
            settle_error(s);
        s->result->hung_up |= step->pdu.opcode == PDU_LOGOUT_REQUEST && !step->no_answer && c->end == CONN_CLOSED;
        break;
    case CASE_STEP_NOP:
        if (usable(s, c, true))
            step_must(s, c, fullfeature_alive(c), "ping");
        break;
    case CASE_STEP_TEXT:
        if (usable(s, c, true))
            step_text(s, c, step);
        break;
    case CASE_STEP_LOGOUT:
        if (usable(s, c, true))
            step_logout(s, c, step);
        break;
    case CASE_STEP_CLOSE:
        if (usable(s, c, false))
            link_close(n, c->link);
        break;
    case CASE_STEP_RESET:
        if (usable(s, c, false))
            link_reset(n, c->link);
        break;
    case CASE_STEP_HALF_CLOSE:
        if (usable(s, c, false))
            link_half_close(n, c->link);
        break;
    default:
        break;
    }
}

static void run_step(struct scenario *s, const struct case_step *step)
{
    struct conn *c;

    switch (step->kind) {
    case CASE_STEP_LOGIN:
    case CASE_STEP_FOLLOW:
        step_login(s, step);
        return;
    case CASE_STEP_WAIT:
        wait_ms(s, step->wait_ms);
        return;
    case CASE_STEP_CONTROL:
        step_control(s, step);
        return;
    default:
        break;
    }
    c = conn_find(&s->drive, step->kind == CASE_STEP_EXPECT && *step->expect.on ? step->expect.on : step->on);
    if (c)
        step_on_conn(s, c, step);
    else
        settle(s, VERDICT_ERROR, "%s:%d:%d: no connection %s", step->at.file ? step->at.file : "case", step->at.line,
               step->at.column, step->on);
}

/* ---- the end ---- */

/* Sessions do not pile up on the target: each that still lives is logged out on one of its connections. */
static void log_out(struct scenario *s)
{
    struct net *n = &s->drive.net;

    for (size_t i = 0; i < s->drive.conn_count; i++) {
        struct conn *c = s->drive.conns[i];

        if (!c->ffp || !c->link || c->link->fd < 0 || c->link->peer_ended || c->link->we_ended || c->logged_out ||
            c->session->ended)
            continue;
        conn_note(c, TRANSCRIPT_INFO, 0, CONN_OVER_NOTE);
        s->result->hung_up |=
            fullfeature_logout(c, true, true, net_now(n) + CLEAN_UP_MS * 1000, 0) == LOGOUT_UNANSWERED &&
            c->link->peer_ended;
    }
}

static void undo_controls(struct scenario *s)
{
    const struct scenario_env *env = s->drive.env;

    while (s->armed_count > 0) {
        const struct case_step *step = s->armed[--s->armed_count];
        char err[300] = "";

        if (env->control(env->user, step->control_undo, err, sizeof(err)))
            settle(s, VERDICT_ERROR, "control %s: %s", step->control_undo, err);
    }
    free(s->armed);
}

int scenario_run(const struct case_def *c, const struct scenario_env *env, struct transcript *t,
                 struct scenario_result *out)
{
    struct scenario s = {.result = out};

    memset(out, 0, sizeof(*out));
    out->verdict = VERDICT_PASS;
    drive_init(&s.drive, c, env, t);
    s.drive.net.arrived = on_arrival;
    s.drive.net.user = &s.drive;
    for (size_t i = 0; i < c->step_count && !s.over; i++)
        run_step(&s, &c->steps[i]);
    out->seen = seen_list(&s.drive); /* before the clean-up ends the connections */
    log_out(&s);
    undo_controls(&s);
    if (!out->seen)
        settle(&s, VERDICT_ERROR, "out of memory");
    drive_free(&s.drive);
    return 0;
}

int scenario_plain_login(const struct scenario_env *env, int64_t *rtt_us, char *err, size_t err_len)
{
    static char open_name[] = "open", id[] = "probe";
    static char *conditions[] = {open_name};
    struct case_need need = {.conditions = {conditions, 1}};
    struct case_def def = {.id = id, .needs = &need, .need_count = 1};
    struct case_step step = {.kind = CASE_STEP_LOGIN, .login = {.as = "A", .base = CASE_BASE_PLAIN}};
    struct transcript *t = transcript_new();
    struct scenario_result result = {.verdict = VERDICT_PASS};
    struct scenario s = {.result = &result};
    const struct conn *c;
    int64_t from;
    bool good;

    if (!t)
        return -1;
    drive_init(&s.drive, &def, env, t);
    s.drive.net.arrived = on_arrival;
    s.drive.net.user = &s.drive;
    from = net_now(&s.drive.net);
    step_login(&s, &step);
    *rtt_us = net_now(&s.drive.net) - from;
    c = conn_find(&s.drive, "A");
    good = c && c->ffp;
    if (!good)
        snprintf(err, err_len, "%s", *result.reason ? result.reason : c ? c->why : "no login");
    log_out(&s);
    drive_free(&s.drive);
    transcript_free(t);
    return good ? 0 : -1;
}
