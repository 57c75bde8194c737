/*
 * Which commands of a session may be served, and when: the numbers of its connections together (RFC 7143, 4.2.2.1).
 * Only what the initiator sent and the widest window that it was told of count, and not what the target says of
 * ExpCmdSN.
 */
#include "harness/audit/check.h"
#include "harness/audit/ffp.h"

#include <string.h>

/* A session with more commands than this is not judged: it is no login any more. */
#define COMMANDS_MAX 512u

struct command {
    uint32_t number; /* CmdSN, counted from that of the login */
    uint32_t itt;
    int64_t sent_us;
    bool perhaps; /* it has a number that may not count */
};

struct session {
    const struct audit_login *lead;
    uint32_t base;   /* CmdSN of the login */
    uint32_t window; /* the highest MaxCmdSN that was told, counted from the base */
    struct command commands[COMMANDS_MAX];
    size_t count;
};

/* A request that takes its turn by its number. */
static bool numbered(const struct transcript_pdu *pdu)
{
    if (pdu->side != TRANSCRIPT_INITIATOR || !pdu->bhs || pdu_immediate(pdu->bhs))
        return false;
    return pdu_has_cmd_sn(pdu_opcode(pdu->bhs)) && pdu_opcode(pdu->bhs) != PDU_LOGIN_REQUEST;
}

/* A Login Request behind the login that is not immediate: it has no turn to take, but a target may give it one. */
static bool perhaps_numbered(const struct transcript_pdu *pdu)
{
    return pdu->side == TRANSCRIPT_INITIATOR && pdu->bhs && pdu->full_feature && !pdu_immediate(pdu->bhs) &&
           pdu_opcode(pdu->bhs) == PDU_LOGIN_REQUEST;
}

static uint32_t number_of(const struct session *session, const struct transcript_pdu *request)
{
    struct pdu_request req;

    pdu_request_decode(&req, request->bhs);
    return req.cmd_sn - session->base;
}

/* Below zero in serial arithmetic. */
static bool before_base(uint32_t number)
{
    return number >= UINT32_C(0x80000000);
}

static void widen(struct session *session, uint32_t max_cmd_sn)
{
    uint32_t told = max_cmd_sn - session->base;

    if (!before_base(told) && told > session->window)
        session->window = told;
}

/* Adds the commands of a connection, and what it was told of the window. False: there are too many to judge. */
static bool take_commands(struct session *session, const struct audit_login *login)
{
    const struct transcript_pdu *pdu;
    size_t at = 0;

    widen(session, login->exchanges[login->final].rsp.max_cmd_sn);
    while ((pdu = audit_ffp_next(login, &at)) != NULL) {
        struct pdu_response rsp;

        pdu_response_decode(&rsp, pdu->bhs);
        widen(session, rsp.max_cmd_sn);
    }
    for (size_t i = 0; i < login->pdu_count; i++) {
        bool perhaps = perhaps_numbered(&login->pdus[i]);

        if (!perhaps && !numbered(&login->pdus[i]))
            continue;
        if (session->count == COMMANDS_MAX)
            return false;
        session->commands[session->count++] = (struct command){
            number_of(session, &login->pdus[i]), pdu_itt(login->pdus[i].bhs), login->pdus[i].first_us, perhaps};
    }
    return true;
}

/* Was this number sent before, with another tag? With the same one it may be a retry, of which nothing is said. */
static bool is_duplicate(const struct session *session, uint32_t number, const struct transcript_pdu *request)
{
    bool other = false;

    for (size_t i = 0; i < session->count; i++) {
        const struct command *command = &session->commands[i];

        if (command->perhaps || command->number != number || command->sent_us > request->first_us)
            continue;
        if (command->itt == pdu_itt(request->bhs) && command->sent_us < request->first_us)
            return false;
        other |= command->itt != pdu_itt(request->bhs) && command->sent_us < request->first_us;
    }
    return other;
}

/* Had every command below this number been sent by then? */
static bool is_due(const struct session *session, uint32_t number, int64_t at_us)
{
    bool sent[COMMANDS_MAX] = {false};
    uint32_t count = 0;

    if (number >= COMMANDS_MAX)
        return false;
    for (size_t i = 0; i < session->count; i++) {
        const struct command *command = &session->commands[i];

        if (command->number >= number || command->sent_us > at_us || sent[command->number])
            continue;
        sent[command->number] = true;
        count++;
    }
    return count == number;
}

static void judge(struct audit_run *run, const struct session *session, const struct audit_login *login,
                  const struct transcript_pdu *pdu, const struct transcript_pdu *request)
{
    uint32_t number = number_of(session, request);
    bool outside = before_base(number) || number > session->window;
    bool duplicate = !outside && is_duplicate(session, number, request);
    struct finding *f;

    audit_mark(run, AUDIT_SN_020);
    audit_mark(run, AUDIT_SN_021);
    if (!outside && !duplicate && is_due(session, number, pdu->at_us))
        return;
    f = audit_add(run, outside || duplicate ? AUDIT_SN_020 : AUDIT_SN_021, audit_at_pdu(login, pdu, 0, PDU_BHS_LEN));
    audit_was(f, "an answer to CmdSN 0x%08x", (unsigned)(session->base + number));
    if (outside)
        audit_allowed(f, "none: the window is 0x%08x to 0x%08x at most", (unsigned)session->base,
                      (unsigned)(session->base + session->window));
    else if (duplicate)
        audit_allowed(f, "none: another command had this number");
    else
        audit_allowed(f, "none before the commands below have come");
}

static void judge_connection(struct audit_run *run, const struct session *session, const struct audit_login *login)
{
    const struct transcript_pdu *pdu;
    size_t at = 0;

    while ((pdu = audit_ffp_next(login, &at)) != NULL && !run->out->truncated) {
        const struct transcript_pdu *request = audit_ffp_request(login, pdu);

        if (request && request->full_feature && numbered(request))
            judge(run, session, login, pdu, request);
    }
}

/* Is the final request of this login one that its number can be counted from? */
static bool is_clean(const struct audit_login *login)
{
    return audit_ffp_judged(login) &&
           (login->exchanges[login->final].dirt & (AUDIT_DIRT_CMD_SN | AUDIT_DIRT_IMMEDIATE | AUDIT_DIRT_OPCODE)) == 0;
}

/* Does this connection belong to the session, or may it? */
static bool has_handle(const struct session *session, const struct audit_login *login)
{
    const struct audit_exchange *final = &session->lead->exchanges[session->lead->final];

    return login->count > 0 && login->exchanges[0].login_request && login->exchanges[0].req.tsih == final->rsp.tsih;
}

/* The session that logins[lead] opened. False: it cannot be judged. */
static bool take_session(struct session *session, const struct audit_login *logins, size_t count, size_t lead)
{
    const struct audit_exchange *final = &logins[lead].exchanges[logins[lead].final];

    session->lead = &logins[lead];
    session->base = final->req.cmd_sn;
    session->window = 0;
    session->count = 0;
    /* A window that was shut or upside down from the beginning says nothing. */
    if (before_base(final->rsp.max_cmd_sn - session->base) || !take_commands(session, &logins[lead]))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (i == lead || !has_handle(session, &logins[i]) || logins[i].final == AUDIT_NONE)
            continue;
        if (!audit_session_joined(&logins[lead], &logins[i]) || !is_clean(&logins[i]) ||
            !take_commands(session, &logins[i]))
            return false;
    }
    return true;
}

void audit_order_check(struct audit_run *run, const struct audit_login *logins, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct session session;

        if (!logins[i].leading || !is_clean(&logins[i]) || !take_session(&session, logins, count, i))
            continue;
        for (size_t j = 0; j < count; j++)
            if (j == i || (has_handle(&session, &logins[j]) && logins[j].final != AUDIT_NONE))
                judge_connection(run, &session, &logins[j]);
    }
}
