/* Reject PDUs of full feature phase (RFC 7143, 11.17). Those of the login break other rules already. */
#include "harness/audit/check.h"
#include "harness/audit/ffp.h"

#include <string.h>

/* 11.17.1: assigned, and not the one that is deprecated. */
static bool reason_known(uint8_t reason)
{
    return reason >= PDU_REJECT_DATA_DIGEST && reason <= PDU_REJECT_WAITING_FOR_LOGOUT &&
           reason != PDU_REJECT_NEGOTIATION_RESET;
}

/* Has the target asked for a logout before (11.9)? */
static bool logout_asked(const struct audit_login *login, const struct transcript_pdu *reject)
{
    for (const struct transcript_pdu *pdu = login->pdus; pdu < reject; pdu++)
        if (pdu->side == TRANSCRIPT_TARGET && pdu->bhs && pdu_opcode(pdu->bhs) == PDU_ASYNC_MESSAGE)
            return true;
    return false;
}

/* Are there data digests, or is that not known: spoken of more than once? */
static bool data_digests(const struct audit_login *login)
{
    const struct audit_key *key = audit_login_known(login, KEYS_DATA_DIGEST);

    return key && (key->use[TRANSCRIPT_INITIATOR].count > 1 || key->use[TRANSCRIPT_TARGET].count > 1 ||
                   audit_ffp_digest(login, KEYS_DATA_DIGEST));
}

/*
 * 11.17.1: why the PDU with this header cannot have been rejected for this reason, NULL when it can. Reasons that only
 * the target can know are believed.
 */
static const char *impossible(const struct audit_login *login, const struct transcript_pdu *reject, uint8_t reason)
{
    const uint8_t *bad = reject->data;

    switch (reason) {
    case PDU_REJECT_DATA_DIGEST:
        return !data_digests(login) ? "another reason: there are no data digests" : NULL;
    case PDU_REJECT_SNACK:
    case PDU_REJECT_INVALID_DATA_ACK:
        return pdu_opcode(bad) != PDU_SNACK_REQUEST ? "another reason: the PDU is no SNACK Request" : NULL;
    case PDU_REJECT_TOO_MANY_IMMEDIATE:
        return !pdu_immediate(bad) ? "another reason: the PDU is not for immediate delivery" : NULL;
    case PDU_REJECT_WAITING_FOR_LOGOUT:
        return !logout_asked(login, reject) ? "another reason: no logout was asked for" : NULL;
    default:
        return NULL;
    }
}

/* 11.17.1, 11.17.2: the reason is one that the PDU can have, and the number is there for a SNACK and reason 4 only. */
static void fits(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                 const struct transcript_pdu *pdu)
{
    const char *due = impossible(login, pdu, pdu->bhs[2]);
    struct pdu_response rsp;
    struct finding *f;

    if (due) {
        f = audit_add(run, rule, audit_at_field(login, pdu, "Reason"));
        audit_was(f, "reason 0x%02x for a %s", pdu->bhs[2], pdu_opcode_name(pdu_opcode(pdu->data)));
        audit_allowed(f, "%s", due);
    }
    pdu_response_decode(&rsp, pdu->bhs);
    if (rsp.word36 == 0 || (pdu_opcode(pdu->data) == PDU_SNACK_REQUEST && pdu->bhs[2] == PDU_REJECT_PROTOCOL_ERROR))
        return;
    f = audit_add(run, AUDIT_FFP_006, audit_at_pdu(login, pdu, 36, 4));
    audit_was(f, "DataSN/R2TSN 0x%08x, reason 0x%02x for a %s", (unsigned)rsp.word36, pdu->bhs[2],
              pdu_opcode_name(pdu_opcode(pdu->data)));
    audit_allowed(f, "0, but for a SNACK Request and reason 0x04");
}

/* Has the initiator sent a PDU with this header before? */
static bool header_sent(const struct audit_login *login, const struct transcript_pdu *reject)
{
    for (const struct transcript_pdu *pdu = login->pdus; pdu < reject; pdu++)
        if (pdu->side == TRANSCRIPT_INITIATOR && pdu->bhs && memcmp(pdu->bhs, reject->data, PDU_BHS_LEN) == 0)
            return true;
    return false;
}

/* Has an initiator's PDU come that is not complete? The rejected one may be that: only its beginning is known then. */
static bool half_sent(const struct audit_login *login)
{
    for (size_t i = 0; i < login->pdu_count; i++)
        if (login->pdus[i].side == TRANSCRIPT_INITIATOR && (!login->pdus[i].whole || login->pdus[i].gap))
            return true;
    return false;
}

/* 11.17.4: the data is the header of the PDU in error, and what the vendor wants to add. True: it is known to be so. */
static bool header_returned(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                            const struct transcript_pdu *pdu)
{
    bool enough = pdu_data_len(pdu->bhs) >= PDU_BHS_LEN;
    struct finding *f;

    if (!pdu->whole)
        return false;
    if (enough && (half_sent(login) || header_sent(login, pdu)))
        return header_sent(login, pdu);
    f = audit_add(run, rule, audit_at_pdu(login, pdu, PDU_BHS_LEN, PDU_BHS_LEN));
    if (enough)
        audit_was(f, "data that is not the header of a PDU of the initiator");
    else
        audit_was(f, "%zu bytes of data", pdu_data_len(pdu->bhs));
    audit_allowed(f, "the complete header of the PDU in error");
    return false;
}

static void rejects(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    const struct transcript_pdu *pdu;
    size_t at = 0;
    size_t seen = 0;

    if (!audit_ffp_judged(login))
        return;
    /* The search for the header makes each one dear: a flood is not worth it. */
    while (seen < 64 && (pdu = audit_ffp_next(login, &at)) != NULL) {
        struct finding *f;

        if (pdu_opcode(pdu->bhs) != PDU_REJECT)
            continue;
        seen++;
        if (pdu_itt(pdu->bhs) != PDU_NO_TAG) {
            f = audit_add(run, rule, audit_at_field(login, pdu, "ITT"));
            audit_was(f, "Reject with Initiator Task Tag 0x%08x", (unsigned)pdu_itt(pdu->bhs));
            audit_allowed(f, "0xffffffff");
        }
        if (!reason_known(pdu->bhs[2])) {
            f = audit_add(run, AUDIT_FFP_031, audit_at_field(login, pdu, "Reason"));
            audit_was(f, "reason 0x%02x", pdu->bhs[2]);
            audit_allowed(f, "one of the reasons 0x02 to 0x0a and 0x0c");
        }
        if (header_returned(run, AUDIT_FFP_032, login, pdu))
            fits(run, AUDIT_FFP_033, login, pdu);
    }
}

static const struct audit_login_check reject_checks[] = {
    {AUDIT_FFP_030, rejects},
};

const struct audit_subject audit_reject = {NULL, 0, reject_checks, AUDIT_COUNT(reject_checks)};
