/*
 * The first steps behind the login: numbering goes on, digests as agreed, segment lengths as declared, and what a
 * discovery session may carry (RFC 7143, 11.13.4, 13.1, 13.12, 4.3, 7.4.3).
 */
#include "harness/audit/check.h"
#include "harness/audit/ffp.h"

#include "wire/bytes.h"
#include "wire/digest.h"

enum { CDB_AT = 32 }; /* of a SCSI Command (11.3) */

/* 4.2.2.2, 11.13.4: StatSN goes on where the login left it. */
static void numbering(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    const struct transcript_pdu *pdu;
    bool first = true;
    uint32_t due;
    size_t at = 0;

    if (!audit_ffp_judged(login))
        return;
    due = login->exchanges[login->final].rsp.stat_sn + 1;
    while ((pdu = audit_ffp_next(login, &at)) != NULL && pdu->whole) {
        uint8_t opcode = pdu_opcode(pdu->bhs);
        struct pdu_response rsp;
        struct finding *f;

        pdu_response_decode(&rsp, pdu->bhs);
        if (opcode == PDU_LOGIN_RESPONSE)
            return;
        /* Data-In without status has no StatSN; R2T only shows the next one (11.7.4, 11.8.3). */
        if (opcode == PDU_DATA_IN && !(rsp.flags & PDU_FLAG_STATUS))
            continue;
        if (rsp.stat_sn != due) {
            f = audit_add(run, first ? rule : AUDIT_SN_006, audit_at_field(login, pdu, "StatSN"));
            audit_was(f, "StatSN 0x%08x", (unsigned)rsp.stat_sn);
            audit_allowed(f, "0x%08x", (unsigned)due);
            return;
        }
        first = false;
        if (opcode != PDU_R2T && !(opcode == PDU_NOP_IN && rsp.itt == PDU_NO_TAG))
            due++;
    }
}

static void digest_finding(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                           const struct transcript_pdu *pdu, size_t offset, const char *which)
{
    struct finding *f = audit_add(run, rule, audit_at_pdu(login, pdu, offset, PDU_DIGEST_LEN));

    if (offset < pdu->len)
        audit_was(f, "%s digest 0x%08x", which, (unsigned)digest_get(pdu->bhs + offset));
    else
        audit_was(f, "no %s digest", which);
    audit_allowed(f, "the CRC32C of what it covers");
}

/* 13.1: agreed digests are on every PDU, and right. */
static void digests(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    bool header = audit_ffp_digest(login, KEYS_HEADER_DIGEST);
    bool data = audit_ffp_digest(login, KEYS_DATA_DIGEST);
    const struct transcript_event *end = transcript_ended(login->conn, TRANSCRIPT_TARGET);
    const struct transcript_pdu *pdu;
    size_t at = 0;

    if (!audit_ffp_judged(login) || (!header && !data))
        return;
    while ((pdu = audit_ffp_next(login, &at)) != NULL) {
        size_t head = PDU_BHS_LEN + pdu_ahs_len(pdu->bhs);
        size_t total = pdu_total_len(pdu->bhs, header, data);
        size_t segment = pdu_padded_len(pdu_data_len(pdu->bhs));
        size_t start = head + (header ? PDU_DIGEST_LEN : 0);

        if (!pdu->whole) {
            /* Ended where it would without digests: they were left out. */
            if (pdu->len == pdu_total_len(pdu->bhs, false, false) &&
                (login->transcript->context.live || (end && end->end == TRANSCRIPT_FIN)))
                digest_finding(run, rule, login, pdu, pdu->len, header ? "header" : "data");
            return;
        }
        if (pdu->len != total)
            return;
        if (header && !digest_check(pdu->bhs, head, pdu->bhs + head)) {
            digest_finding(run, rule, login, pdu, head, "header");
            return;
        }
        if (data && segment > 0 && !digest_check(pdu->bhs + start, segment, pdu->bhs + start + segment)) {
            digest_finding(run, rule, login, pdu, start + segment, "data");
            return;
        }
    }
}

/* Was a digest offered, and the offer rejected? */
static bool was_rejected(const struct audit_login *login, enum keys_id id)
{
    const struct audit_pair *told = audit_key_pair(login, audit_login_known(login, id), TRANSCRIPT_TARGET);

    return told != NULL && keys_word(told->value, told->value_len) == KEYS_WORD_REJECT;
}

/* 13.1: without agreement there is none. Nothing behind can be judged then. */
static void unagreed(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    const struct transcript_pdu *pdu;
    struct finding *f;

    if (!audit_ffp_judged(login) || login->unagreed == AUDIT_NONE)
        return;
    if (was_rejected(login, KEYS_HEADER_DIGEST) || was_rejected(login, KEYS_DATA_DIGEST))
        rule = AUDIT_NEG_028; /* 6.2: the default holds */
    pdu = &login->pdus[login->unagreed];
    f = audit_add(run, rule, audit_at_pdu(login, pdu, PDU_BHS_LEN, pdu->len));
    audit_was(f, "a CRC32C digest behind the header or the data");
    audit_allowed(f, "no digest, for none was agreed on");
}

static bool says_no(const struct audit_login *login, enum keys_id id)
{
    const struct audit_key *key = audit_login_known(login, id);
    const struct audit_pair *asked = audit_key_pair(login, key, TRANSCRIPT_INITIATOR);
    const struct audit_pair *told = audit_key_pair(login, key, TRANSCRIPT_TARGET);

    return (asked != NULL && text_equals(asked->value, asked->value_len, "No")) ||
           (told != NULL && text_equals(told->value, told->value_len, "No"));
}

/* Does the command write a block (SBC: WRITE 6, 10, 12 and 16)? Of another one the data may be ignored. */
static bool writes_blocks(const uint8_t *bhs)
{
    const uint8_t *cdb = bhs + CDB_AT;

    switch (cdb[0]) {
    case 0x0a:
        return true; /* a length of 0 means 256 */
    case 0x2a:
        return bytes_get_be16(cdb + 7) > 0;
    case 0x8a:
        return bytes_get_be32(cdb + 10) > 0;
    case 0xaa:
        return bytes_get_be32(cdb + 6) > 0;
    default:
        return false;
    }
}

/* 13.11: No of either side rules immediate data out, so that a write which brings some cannot end well. */
static void immediate_data(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    const struct transcript_pdu *pdu;
    size_t at = 0;

    if (!audit_ffp_judged(login) || !login->leading || login->partial || !says_no(login, KEYS_IMMEDIATE_DATA))
        return;
    while ((pdu = audit_ffp_next(login, &at)) != NULL) {
        const struct transcript_pdu *request = audit_ffp_request(login, pdu);
        struct finding *f;

        if (pdu_opcode(pdu->bhs) != PDU_SCSI_RESPONSE || request == NULL || pdu->bhs[2] != 0 || pdu->bhs[3] != 0 ||
            pdu_opcode(request->bhs) != PDU_SCSI_COMMAND || (request->bhs[1] & PDU_FLAG_WRITE) == 0 ||
            pdu_data_len(request->bhs) == 0 || !writes_blocks(request->bhs))
            continue;
        f = audit_add(run, rule, audit_at_field(login, pdu, "Status"));
        audit_was(f, "status GOOD for a write with %zu bytes of immediate data", (size_t)pdu_data_len(request->bhs));
        audit_allowed(f, "CHECK CONDITION, a Reject, or a close: ImmediateData=No");
        return;
    }
}

/* 13.12: the initiator's own declaration, or 8192. */
static void segment_length(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    const struct transcript_pdu *pdu;
    uint64_t limit;
    bool declared, renewed = false;
    size_t at = 0;

    if (!audit_ffp_judged(login) || !audit_ffp_limit(login, &limit, &declared))
        return;
    while ((pdu = audit_ffp_next(login, &at)) != NULL) {
        uint64_t before = limit;
        struct finding *f;

        if (!audit_ffp_renew(login, pdu, &limit))
            return;
        renewed |= limit != before;
        if (pdu_data_len(pdu->bhs) <= limit)
            continue;
        f = audit_add(run,
                      renewed    ? AUDIT_KEY_MRD_06
                      : declared ? rule
                                 : AUDIT_KEY_MRD_05,
                      audit_at_field(login, pdu, "DataSegmentLength"));
        audit_was(f, "DataSegmentLength %zu", pdu_data_len(pdu->bhs));
        audit_allowed(f, "at most %llu", (unsigned long long)limit);
        return;
    }
}

/* 4.3, 7.4.3: a discovery session carries SendTargets and the logout. */
static void discovery(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    const struct transcript_pdu *pdu;
    size_t at = 0;

    if (!audit_ffp_judged(login) || !audit_surely_discovery(login))
        return;
    while ((pdu = audit_ffp_next(login, &at)) != NULL) {
        uint8_t opcode = pdu_opcode(pdu->bhs);
        enum audit_rule_id broken = rule;
        struct finding *f;

        if (opcode == PDU_TEXT_RESPONSE || opcode == PDU_LOGOUT_RESPONSE || opcode == PDU_REJECT ||
            opcode == PDU_LOGIN_RESPONSE || (opcode == PDU_NOP_IN && pdu_itt(pdu->bhs) != PDU_NO_TAG) ||
            (opcode == PDU_TASK_MANAGEMENT_RESPONSE && pdu->bhs[2] != 0))
            continue;
        if (opcode == PDU_NOP_IN || opcode == PDU_ASYNC_MESSAGE)
            broken = AUDIT_DISC_015;
        f = audit_add(run, broken, audit_at_pdu(login, pdu, 0, pdu->len));
        audit_was(f, "%s in a discovery session", pdu_opcode_name(opcode));
        audit_allowed(f, "Text Response, Logout Response, or Reject");
    }
}

/* 4.3, 11.14: closing the session is served. */
static void discovery_logout(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    const struct transcript_pdu *request = NULL;

    if (!audit_ffp_judged(login) || !audit_surely_discovery(login))
        return;
    for (size_t i = 0; i < login->pdu_count; i++) {
        const struct transcript_pdu *pdu = &login->pdus[i];
        struct finding *f;

        if (pdu->gap || !pdu->bhs)
            return;
        if (!pdu->full_feature)
            continue;
        if (pdu->side == TRANSCRIPT_INITIATOR) {
            if (pdu_opcode(pdu->bhs) == PDU_LOGOUT_REQUEST && (pdu->bhs[1] & 0x7f) == PDU_LOGOUT_CLOSE_SESSION)
                request = pdu;
            continue;
        }
        if (!request || pdu_opcode(pdu->bhs) != PDU_LOGOUT_RESPONSE || pdu_itt(pdu->bhs) != pdu_itt(request->bhs) ||
            pdu->bhs[2] == PDU_LOGOUT_DONE)
            continue;
        f = audit_add(run, rule, audit_at_field(login, pdu, "Response"));
        audit_was(f, "Response %u", pdu->bhs[2]);
        audit_allowed(f, "0, the session is closed");
        return;
    }
}

static const struct audit_login_check fullfeature_checks[] = {
    {AUDIT_SN_007, numbering},          {AUDIT_KEY_DIG_03, unagreed},       {AUDIT_KEY_DIG_04, digests},
    {AUDIT_DISC_005, discovery},        {AUDIT_DISC_006, discovery_logout}, {AUDIT_KEY_MRD_02, segment_length},
    {AUDIT_KEY_IMM_04, immediate_data},
};

const struct audit_subject audit_fullfeature = {NULL, 0, fullfeature_checks, AUDIT_COUNT(fullfeature_checks)};
