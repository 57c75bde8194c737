/* NOP-In: answers to pings, and the target's own (RFC 7143, 11.18, 11.19). */
#include "harness/audit/check.h"
#include "harness/audit/ffp.h"

#include <inttypes.h>
#include <string.h>

#define LIMIT_UNKNOWN UINT64_MAX

/* 11.19, 11.19.1: only a NOP-In that wants an answer has a tag of the target's. */
static void answer_tag(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                       const struct transcript_pdu *pdu)
{
    struct pdu_response rsp;
    struct finding *f;

    pdu_response_decode(&rsp, pdu->bhs);
    if (rsp.word20 == PDU_NO_TAG)
        return;
    f = audit_add(run, rule, audit_at_field(login, pdu, "TTT"));
    audit_was(f, "an answer to a ping with Target Transfer Tag 0x%08x", (unsigned)rsp.word20);
    audit_allowed(f, "0xffffffff");
}

/*
 * 11.18.3, 11.19: the ping's data comes back, or as much of it from its start as the initiator can take. Where that
 * limit is not known, any length is taken for it.
 */
static void ping_data(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                      const struct transcript_pdu *request, const struct transcript_pdu *pdu, uint64_t limit)
{
    bool limited = limit != LIMIT_UNKNOWN;
    size_t sent = pdu_data_len(request->bhs);
    size_t due = limited && sent > limit ? (size_t)limit : sent;
    size_t came = pdu_data_len(pdu->bhs);
    size_t both = came < due ? came : due;
    struct finding *f;

    if (!pdu->whole || !request->whole || request->data_len != sent || pdu->data_len != came)
        return;
    if (came > sent || (limited && came < due)) {
        f = audit_add(run, rule, audit_at_field(login, pdu, "DataSegmentLength"));
        audit_was(f, "%zu bytes in answer to a ping of %zu bytes", came, sent);
        audit_allowed(f, "%zu bytes", due);
        return;
    }
    if (both == 0 || memcmp(pdu->data, request->data, both) == 0)
        return;
    f = audit_add(run, rule, audit_at_pdu(login, pdu, (size_t)(pdu->data - pdu->bhs), came));
    audit_was(f, "other data than that of the ping");
    audit_allowed(f, "the %zu bytes of the ping", due);
}

/* 11.19.3: without a tag of the target's the LUN means nothing; it is that of the ping, or reserved. */
static void answer_lun(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                       const struct transcript_pdu *request, const struct transcript_pdu *pdu)
{
    struct pdu_response rsp;
    struct pdu_request req = {.lun = 0};
    struct finding *f;

    pdu_response_decode(&rsp, pdu->bhs);
    if (request)
        pdu_request_decode(&req, request->bhs);
    if (rsp.word20 != PDU_NO_TAG || rsp.lun == 0 || rsp.lun == req.lun)
        return;
    f = audit_add(run, rule, audit_at_field(login, pdu, "LUN"));
    audit_was(f, "LUN 0x%" PRIx64 " without a Target Transfer Tag", rsp.lun);
    audit_allowed(f, request ? "0, or that of the ping" : "0");
}

/* 11.19: a NOP-In of the target's own carries no data. */
static void own_data(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                     const struct transcript_pdu *pdu)
{
    struct finding *f;

    if (pdu_data_len(pdu->bhs) == 0)
        return;
    f = audit_add(run, rule, audit_at_field(login, pdu, "DataSegmentLength"));
    audit_was(f, "%zu bytes of data in a NOP-In that answers no ping", pdu_data_len(pdu->bhs));
    audit_allowed(f, "0");
}

static void pings(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    const struct transcript_pdu *pdu;
    uint64_t limit;
    bool declared;
    size_t at = 0;

    if (!audit_ffp_judged(login))
        return;
    if (!audit_ffp_limit(login, &limit, &declared))
        limit = LIMIT_UNKNOWN;
    while ((pdu = audit_ffp_next(login, &at)) != NULL && !run->out->truncated) {
        const struct transcript_pdu *request = audit_ffp_request(login, pdu);

        if (limit != LIMIT_UNKNOWN && !audit_ffp_renew(login, pdu, &limit))
            limit = LIMIT_UNKNOWN;
        if (pdu_opcode(pdu->bhs) != PDU_NOP_IN)
            continue;
        if (request) {
            answer_tag(run, rule, login, pdu);
            ping_data(run, AUDIT_FFP_003, login, request, pdu, limit);
            answer_lun(run, AUDIT_FFP_005, login, request, pdu);
        } else if (pdu_itt(pdu->bhs) == PDU_NO_TAG) {
            own_data(run, AUDIT_FFP_004, login, pdu);
            answer_lun(run, AUDIT_FFP_005, login, NULL, pdu);
        }
    }
}

static const struct audit_login_check ping_checks[] = {
    {AUDIT_FFP_002, pings},
};

const struct audit_subject audit_ping = {NULL, 0, ping_checks, AUDIT_COUNT(ping_checks)};
