/* Logout Responses and what comes behind them (RFC 7143, 11.14, 11.15). */
#include "harness/audit/check.h"
#include "harness/audit/ffp.h"

#define REASON_MASK 0x7fu

static uint8_t reason_of(const struct transcript_pdu *request)
{
    return request->bhs[1] & REASON_MASK;
}

/* Does the request speak of the connection on which it was sent? */
static bool of_this_connection(const struct audit_login *login, const struct transcript_pdu *request)
{
    struct pdu_request req;

    if (reason_of(request) == PDU_LOGOUT_CLOSE_SESSION)
        return true;
    pdu_request_decode(&req, request->bhs);
    return req.word20 >> 16 == login->exchanges[login->final].req.cid;
}

/* Why this response code does not fit the request, NULL when it does (11.15.1). */
static const char *misfit(const struct audit_login *login, const struct transcript_pdu *request, uint8_t code)
{
    if (code > PDU_LOGOUT_CLEANUP_FAILED)
        return "a code of 0 to 3";
    if (!request)
        return NULL;
    if (code == PDU_LOGOUT_NO_RECOVERY && reason_of(request) != PDU_LOGOUT_REMOVE_FOR_RECOVERY)
        return "another code: 2 is for reason 2, remove the connection for recovery";
    /* In discovery an entry of its own says so (4.3). */
    if (code == PDU_LOGOUT_CID_NOT_FOUND && of_this_connection(login, request) && !audit_maybe_discovery(login))
        return "another code: the connection is there";
    return NULL;
}

/* Is recovery of connections ruled out (13.20)? It takes a 2 of both sides. */
static bool no_recovery(const struct audit_login *login)
{
    bool both = true;

    if (!login->leading || login->partial)
        return false;
    for (int side = 0; side < 2; side++) {
        const struct audit_pair *level = audit_login_said(login, KEYS_ERROR_RECOVERY_LEVEL, (enum transcript_side)side);
        uint64_t number;

        both &= level && text_parse_number(level->value, level->value_len, &number) == TEXT_NUMBER_OK && number >= 2;
    }
    return !both;
}

/*
 * 11.15.1: success claimed of what cannot have been done: a connection for recovery that there is none of, or one that
 * the only connection of the session does not know. What it means to close what is closed is not said: tolerated.
 */
static const char *unearned(const struct audit_login *login, const struct transcript_pdu *request, uint8_t code,
                            enum audit_rule_id *rule)
{
    *rule = AUDIT_FFP_053;
    if (!request || code != PDU_LOGOUT_DONE)
        return NULL;
    if (reason_of(request) > PDU_LOGOUT_REMOVE_FOR_RECOVERY)
        return "a Reject: this reason is reserved";
    if (reason_of(request) == PDU_LOGOUT_REMOVE_FOR_RECOVERY && no_recovery(login)) {
        *rule = AUDIT_FFP_052;
        return "2: there is no recovery of connections";
    }
    if (reason_of(request) == PDU_LOGOUT_CLOSE_CONNECTION && !of_this_connection(login, request) &&
        login->transcript->context.live && login->transcript->conn_count == 1)
        return "1: this CID is not one of the session";
    return NULL;
}

static void codes(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    const struct transcript_pdu *pdu;
    size_t at = 0;

    if (!audit_ffp_judged(login))
        return;
    while ((pdu = audit_ffp_next(login, &at)) != NULL && !run->out->truncated) {
        enum audit_rule_id broken;
        const char *due;
        struct finding *f;

        if (pdu_opcode(pdu->bhs) != PDU_LOGOUT_RESPONSE)
            continue;
        broken = rule;
        due = misfit(login, audit_ffp_request(login, pdu), pdu->bhs[2]);
        if (!due)
            due = unearned(login, audit_ffp_request(login, pdu), pdu->bhs[2], &broken);
        if (due) {
            f = audit_add(run, broken, audit_at_field(login, pdu, "Response"));
            f->tolerated = broken != rule;
            audit_was(f, "Response %u", pdu->bhs[2]);
            audit_allowed(f, "%s", due);
        }
        /* 11.15.2; what an AHS is told by the rule for all responses. */
        if (pdu_data_len(pdu->bhs) > 0) {
            f = audit_add(run, AUDIT_FFP_022, audit_at_field(login, pdu, "DataSegmentLength"));
            audit_was(f, "DataSegmentLength %zu", pdu_data_len(pdu->bhs));
            audit_allowed(f, "0");
        }
    }
}

/* The response with which this connection was logged out, NULL; *at as for audit_ffp_next, behind it. */
static const struct transcript_pdu *logged_out(const struct audit_login *login, size_t *at)
{
    const struct transcript_pdu *pdu;

    while ((pdu = audit_ffp_next(login, at)) != NULL) {
        const struct transcript_pdu *request = audit_ffp_request(login, pdu);

        if (request && pdu_opcode(pdu->bhs) == PDU_LOGOUT_RESPONSE && pdu->bhs[2] == PDU_LOGOUT_DONE &&
            of_this_connection(login, request))
            return pdu;
    }
    return NULL;
}

/*
 * 11.14, 11.15: the target sends its FIN behind the response, and both ends close. As with refusals only a recording
 * of our own tells, in which our side stayed open for the time of grace: a target that waits for us to be the first is
 * not told from one that closes by itself when we half-close at once.
 */
static void closes(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    const struct transcript_context *context = &login->transcript->context;
    const struct transcript_event *target = transcript_ended(login->conn, TRANSCRIPT_TARGET);
    const struct transcript_event *initiator = transcript_ended(login->conn, TRANSCRIPT_INITIATOR);
    int64_t grace = (int64_t)context->close_grace_ms * 1000;
    const struct transcript_pdu *pdu;
    struct finding *f;
    size_t at = 0;

    if (!audit_ffp_judged(login) || !context->live || grace <= 0)
        return;
    pdu = logged_out(login, &at);
    if (!pdu || (target && (!initiator || target->at_us <= initiator->at_us)))
        return;
    /* A tenth off: timers are not exact. */
    if (!initiator || initiator->at_us - pdu->at_us < grace - grace / 10)
        return;
    f = audit_add(run, rule, audit_at_pdu(login, pdu, 0, pdu->len));
    audit_was(f, "logged out, and the connection stayed open for %d ms", context->close_grace_ms);
    audit_allowed(f, "the target half-closes the connection behind its Logout Response");
}

/*
 * 11.14: the connection ends there. What the initiator asked for behind its Logout Request, which it may not, is no
 * fault of the target's: that the connection is still open is one, and has an entry of its own.
 */
static void nothing_behind(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    const struct transcript_pdu *response, *pdu;
    struct finding *f;
    size_t at = 0;

    if (!audit_ffp_judged(login) || (response = logged_out(login, &at)) == NULL)
        return;
    while ((pdu = audit_ffp_next(login, &at)) != NULL) {
        const struct transcript_pdu *request = audit_ffp_request(login, pdu);

        if (pdu_opcode(pdu->bhs) == PDU_REJECT || (request && request > audit_ffp_request(login, response)))
            continue;
        f = audit_add(run, rule, audit_at_pdu(login, pdu, 0, pdu->len));
        audit_was(f, "%s behind the Logout Response", pdu_opcode_name(pdu->bhs[0]));
        audit_allowed(f, "no further PDU");
        return;
    }
}

static const struct audit_login_check logout_checks[] = {
    {AUDIT_FFP_021, codes},
    {AUDIT_FFP_023, closes},
    {AUDIT_FFP_024, nothing_behind},
};

const struct audit_subject audit_logout = {NULL, 0, logout_checks, AUDIT_COUNT(logout_checks)};
