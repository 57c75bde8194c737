/*
 * The driver: a pre-pass for each connection, then every subject's rows over every exchange and connection, then what
 * concerns all connections together.
 */
#include "harness/audit.h"

#include "harness/audit/check.h"

#include <stdlib.h>
#include <string.h>

static const struct audit_subject *const subjects[] = {
    &audit_header,  &audit_stage,      &audit_serial, &audit_tsih,    &audit_textform,    &audit_answers,
    &audit_declare, &audit_together,   &audit_chap,   &audit_request, &audit_fullfeature, &audit_ffheader,
    &audit_ping,    &audit_textanswer, &audit_logout, &audit_reject,  &audit_sendtargets, &audit_ending,
};

static bool applies(const struct audit_subject *subject, const struct audit_exchange_check *check,
                    const struct audit_exchange *x)
{
    if ((x->dirt & check->blind) != 0 || (check->asked && !x->login_request))
        return false;
    /* Of what came unasked only that, and its form, are judged. */
    if (!x->request && subject != &audit_header)
        return false;
    switch (check->when) {
    case AUDIT_ANY:
        return true;
    case AUDIT_LOGIN:
        return x->login_response;
    case AUDIT_SUCCESS:
        return x->success;
    case AUDIT_REFUSAL:
        return x->login_response && !x->success;
    }
    return false;
}

/* What a target says behind its own refusal is no login any more: only that it says something is judged then. */
static size_t judged_count(const struct audit_login *login)
{
    return login->refusal == AUDIT_NONE ? login->count : login->refusal + 1;
}

static void check_exchange(struct audit_run *run, const struct audit_subject *subject, const struct audit_login *login,
                           const struct audit_exchange *x)
{
    for (size_t i = 0; i < subject->exchange_count; i++)
        if (applies(subject, &subject->exchange[i], x)) {
            audit_mark(run, subject->exchange[i].rule);
            subject->exchange[i].check(run, subject->exchange[i].rule, login, x);
        }
}

static void check_login(struct audit_run *run, const struct audit_login *login)
{
    size_t count = judged_count(login);

    for (size_t i = 0; i < count && !run->out->truncated; i++) {
        if (!login->exchanges[i].response)
            continue;
        for (size_t s = 0; s < AUDIT_COUNT(subjects); s++)
            check_exchange(run, subjects[s], login, &login->exchanges[i]);
    }
    for (size_t s = 0; s < AUDIT_COUNT(subjects); s++)
        for (size_t i = 0; i < subjects[s]->login_count; i++) {
            audit_mark(run, subjects[s]->login[i].rule);
            subjects[s]->login[i].check(run, subjects[s]->login[i].rule, login);
        }
}

bool audit_judge(const struct transcript *t, const struct audit_login *logins, struct finding_list *out)
{
    struct audit_run run = {.transcript = t, .logins = logins, .out = out};

    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < t->conn_count; i++)
        check_login(&run, &logins[i]);
    return audit_session_check(&run, logins, t->conn_count) && audit_chap_check_all(&run, logins, t->conn_count) &&
           !run.no_memory;
}

/* A view, all zero or built before, for each of so many connections. */
static bool desk_reserve(struct audit_desk *desk, size_t count)
{
    struct audit_login *logins;

    if (count <= desk->count)
        return true;
    logins = realloc(desk->logins, count * sizeof *logins);
    if (!logins)
        return false;
    memset(logins + desk->count, 0, (count - desk->count) * sizeof *logins);
    desk->logins = logins;
    desk->count = count;
    return true;
}

bool audit_transcript_at(struct audit_desk *desk, const struct transcript *t, struct finding_list *out)
{
    memset(out, 0, sizeof *out);
    if (!desk_reserve(desk, t->conn_count))
        return false;
    for (size_t i = 0; i < t->conn_count; i++)
        if (!audit_login_rebuild(&desk->logins[i], t, i))
            return false;
    return t->conn_count == 0 || audit_judge(t, desk->logins, out);
}

void audit_desk_free(struct audit_desk *desk)
{
    for (size_t i = 0; i < desk->count; i++)
        audit_login_free(&desk->logins[i]);
    free(desk->logins);
    *desk = (struct audit_desk){.count = 0};
}

bool audit_transcript(const struct transcript *t, struct finding_list *out)
{
    struct audit_desk desk = {.count = 0};
    bool fine = audit_transcript_at(&desk, t, out);

    audit_desk_free(&desk);
    return fine;
}
