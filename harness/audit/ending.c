/* What comes behind a refusal (RFC 7143, 11.13.5): nothing, and then the end of the connection. */
#include "harness/audit/check.h"

#include "wire/status.h"

/* The first PDU of the target behind the refusal. One that no request asked for falls under another entry (6.3). */
static void nothing_processed(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    if (login->refusal == AUDIT_NONE)
        return;
    for (size_t i = login->refusal + 1; i < login->count; i++) {
        const struct audit_exchange *x = &login->exchanges[i];
        struct finding *f;

        if (!x->response)
            continue;
        f = audit_add(run, x->request ? rule : AUDIT_RSP_016, audit_at_pdu(login, x->response, 0, x->response->len));
        audit_was(f, "%s behind a refused login", pdu_opcode_name(pdu_opcode(x->response->bhs)));
        audit_allowed(f, "no further PDU");
        return;
    }
}

/*
 * The target ends the connection. Only a recording of our own tells: our side stayed open for close_grace_ms, so an
 * end that never came, or came after ours, is the target's omission.
 */
static void closes(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    const struct transcript_context *context = &login->transcript->context;
    const struct transcript_event *target = transcript_ended(login->conn, TRANSCRIPT_TARGET);
    const struct transcript_event *initiator = transcript_ended(login->conn, TRANSCRIPT_INITIATOR);
    const struct audit_exchange *x;
    int64_t grace = (int64_t)context->close_grace_ms * 1000;
    struct finding *f;

    if (login->refusal == AUDIT_NONE || !context->live || grace <= 0)
        return;
    x = &login->exchanges[login->refusal];
    if (target && (!initiator || target->at_us <= initiator->at_us))
        return;
    /* A tenth off: timers are not exact. */
    if (initiator && initiator->at_us - x->response->at_us < grace - grace / 10)
        return;
    if (status_class(x->rsp.status) == STATUS_CLASS_REDIRECTION)
        rule = AUDIT_RED_006;
    f = audit_add(run, rule, audit_at_pdu(login, x->response, 36, 2));
    audit_was(f, "status 0x%04x, and the connection stayed open for %d ms", x->rsp.status, context->close_grace_ms);
    audit_allowed(f, "the target closes the connection");
}

static const struct audit_login_check ending_checks[] = {
    {AUDIT_STAT_002, nothing_processed},
    {AUDIT_STAT_001, closes},
};

const struct audit_subject audit_ending = {NULL, 0, ending_checks, AUDIT_COUNT(ending_checks)};
