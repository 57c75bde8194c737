/*
 * Header, task tag and command window of each PDU of full feature phase, whatever it carries (RFC 7143, 11, 11.1, 11.2,
 * 4.2.2.1).
 */
#include "harness/audit/check.h"
#include "harness/audit/ffp.h"

#include <inttypes.h>

/* How full a flood may make the list of findings: each rule says a thing once for each opcode. */
struct once {
    uint64_t said; /* bit of each opcode */
};

static bool once(struct once *once, uint8_t opcode)
{
    uint64_t bit = UINT64_C(1) << (opcode & PDU_OPCODE_MASK);
    bool first = (once->said & bit) == 0;

    once->said |= bit;
    return first;
}

static const struct pdu_field *reserved_set(const struct transcript_pdu *pdu)
{
    size_t count;
    const struct pdu_field *fields = pdu_fields(pdu->bhs[0], &count);

    for (size_t i = 0; i < count; i++)
        if ((fields[i].flags & PDU_FIELD_RESERVED) != 0 && pdu_field_get(&fields[i], pdu->bhs) != 0)
            return &fields[i];
    return NULL;
}

/* 11: a sender sets to 0 what is reserved. */
static void reserved_zero(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    const struct transcript_pdu *pdu;
    struct once said = {0};
    size_t at = 0;

    if (!audit_ffp_judged(login))
        return;
    while ((pdu = audit_ffp_next(login, &at)) != NULL) {
        const struct pdu_field *field = reserved_set(pdu);
        struct finding *f;

        if (!field || pdu_opcode(pdu->bhs) == PDU_LOGIN_RESPONSE || !once(&said, pdu->bhs[0]))
            continue;
        f = audit_add(run, rule, audit_at_pdu(login, pdu, field->byte, field->width));
        audit_was(f, "%s: reserved field at byte %u = 0x%" PRIx64, pdu_opcode_name(pdu->bhs[0]), field->byte,
                  pdu_field_get(field, pdu->bhs));
        audit_allowed(f, "0");
    }
}

/* Opcodes whose F bit is a constant 1 in the figures of section 11. */
static bool final_always(uint8_t opcode)
{
    static const uint8_t opcodes[] = {PDU_NOP_IN,          PDU_SCSI_RESPONSE, PDU_TASK_MANAGEMENT_RESPONSE,
                                      PDU_LOGOUT_RESPONSE, PDU_R2T,           PDU_ASYNC_MESSAGE,
                                      PDU_REJECT};

    for (size_t i = 0; i < AUDIT_COUNT(opcodes); i++)
        if (opcodes[i] == opcode)
            return true;
    return false;
}

static void final_bit(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    const struct transcript_pdu *pdu;
    struct once said = {0};
    size_t at = 0;

    if (!audit_ffp_judged(login))
        return;
    while ((pdu = audit_ffp_next(login, &at)) != NULL) {
        struct finding *f;

        if (!final_always(pdu_opcode(pdu->bhs)) || (pdu->bhs[1] & PDU_FLAG_FINAL) != 0 || !once(&said, pdu->bhs[0]))
            continue;
        f = audit_add(run, rule, audit_at_field(login, pdu, "F"));
        audit_was(f, "%s with F=0", pdu_opcode_name(pdu->bhs[0]));
        audit_allowed(f, "F=1, which this PDU always has");
    }
}

/* 11.2: no AHS in responses. */
static void no_ahs(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    const struct transcript_pdu *pdu;
    size_t at = 0;

    if (!audit_ffp_judged(login))
        return;
    while ((pdu = audit_ffp_next(login, &at)) != NULL) {
        struct finding *f;

        if (pdu_ahs_len(pdu->bhs) == 0 || pdu_opcode(pdu->bhs) == PDU_LOGIN_RESPONSE)
            continue;
        f = audit_add(run, rule, audit_at_field(login, pdu, "TotalAHSLength"));
        audit_was(f, "%s with %zu bytes of AHS", pdu_opcode_name(pdu->bhs[0]), pdu_ahs_len(pdu->bhs));
        audit_allowed(f, "none in a response");
        return;
    }
}

/* Which rule says that a response has the tag of a request that waits for it. */
static enum audit_rule_id tag_rule(uint8_t opcode, enum audit_rule_id otherwise)
{
    switch (opcode) {
    case PDU_NOP_IN:
        return AUDIT_FFP_001;
    case PDU_TEXT_RESPONSE:
        return AUDIT_FFP_010;
    case PDU_LOGOUT_RESPONSE:
        return AUDIT_FFP_020;
    default:
        return otherwise;
    }
}

/* 11.2.1.8, 11.19, 11.11.3: who answers repeats the tag of the request, and answers it once. */
static void task_tags(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    const struct transcript_pdu *pdu;
    struct once said = {0};
    size_t at = 0;

    if (!audit_ffp_judged(login))
        return;
    while ((pdu = audit_ffp_next(login, &at)) != NULL) {
        struct finding *f;

        if (login->asked[pdu - login->pdus] != AUDIT_NOT_ASKED || !once(&said, pdu->bhs[0]))
            continue;
        f = audit_add(run, tag_rule(pdu_opcode(pdu->bhs), rule), audit_at_field(login, pdu, "ITT"));
        audit_was(f, "%s with Initiator Task Tag 0x%08x, which no request waits with", pdu_opcode_name(pdu->bhs[0]),
                  (unsigned)pdu_itt(pdu->bhs));
        audit_allowed(f, "the tag of the request that is answered, and one answer");
    }
}

/* Is a before b, in serial arithmetic (RFC 1982)? */
static bool before(uint32_t a, uint32_t b)
{
    return a != b && b - a < UINT32_C(0x80000000);
}

/* 4.2.2.1: a command is acknowledged with its response at the latest. */
static void acknowledged(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                         const struct transcript_pdu *pdu, const struct pdu_response *rsp)
{
    const struct transcript_pdu *request = audit_ffp_request(login, pdu);
    struct pdu_request req;
    struct finding *f;

    if (!request || pdu_immediate(request->bhs) || rsp->opcode == PDU_R2T ||
        (rsp->opcode == PDU_DATA_IN && (rsp->flags & PDU_FLAG_STATUS) == 0))
        return;
    pdu_request_decode(&req, request->bhs);
    if (before(req.cmd_sn, rsp->exp_cmd_sn))
        return;
    f = audit_add(run, rule, audit_at_field(login, pdu, "ExpCmdSN"));
    audit_was(f, "ExpCmdSN 0x%08x in the answer to CmdSN 0x%08x", (unsigned)rsp->exp_cmd_sn, (unsigned)req.cmd_sn);
    audit_allowed(f, "a number behind that of the command");
}

static void goes_back(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                      const struct transcript_pdu *pdu, const char *field, uint32_t was, uint32_t now)
{
    struct finding *f;

    if (!before(now, was))
        return;
    f = audit_add(run, rule, audit_at_field(login, pdu, field));
    audit_was(f, "%s 0x%08x behind 0x%08x", field, (unsigned)now, (unsigned)was);
    audit_allowed(f, "0x%08x or more", (unsigned)was);
}

/* Is MaxCmdSN below ExpCmdSN-1? */
static bool negative(uint32_t exp_cmd_sn, uint32_t max_cmd_sn)
{
    return max_cmd_sn - exp_cmd_sn + 1 >= UINT32_C(0x80000000);
}

/* Does the PDU have ExpCmdSN and MaxCmdSN? All that targets send do; a login is judged by its own rules. */
static bool has_window(const struct transcript_pdu *pdu)
{
    uint8_t opcode = pdu_opcode(pdu->bhs);

    return opcode != PDU_LOGIN_RESPONSE && (opcode < 0x3c || opcode > 0x3e);
}

/*
 * 4.2.2.1: the command window, which only moves forward on a connection, up to the first finding. MaxCmdSN begins with
 * the final response of the login; ExpCmdSN and a window that is none are told by rules of their own there.
 */
static void window(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    const struct transcript_pdu *pdu;
    uint32_t exp_cmd_sn = 0, max_cmd_sn;
    bool first = true;
    size_t at = 0;

    if (!audit_ffp_judged(login))
        return;
    max_cmd_sn = login->exchanges[login->final].rsp.max_cmd_sn;
    if (negative(login->exchanges[login->final].rsp.exp_cmd_sn, max_cmd_sn))
        return;
    while ((pdu = audit_ffp_next(login, &at)) != NULL) {
        size_t found = run->out->count;
        struct pdu_response rsp;

        if (!has_window(pdu))
            continue;
        pdu_response_decode(&rsp, pdu->bhs);
        if (negative(rsp.exp_cmd_sn, rsp.max_cmd_sn)) {
            struct finding *f = audit_add(run, AUDIT_SN_004, audit_at_field(login, pdu, "MaxCmdSN"));

            audit_was(f, "MaxCmdSN 0x%08x with ExpCmdSN 0x%08x", (unsigned)rsp.max_cmd_sn, (unsigned)rsp.exp_cmd_sn);
            audit_allowed(f, "MaxCmdSN at least ExpCmdSN-1");
            return;
        }
        acknowledged(run, rule, login, pdu, &rsp);
        if (!first)
            goes_back(run, AUDIT_SN_018, login, pdu, "ExpCmdSN", exp_cmd_sn, rsp.exp_cmd_sn);
        goes_back(run, AUDIT_SN_019, login, pdu, "MaxCmdSN", max_cmd_sn, rsp.max_cmd_sn);
        if (run->out->count > found)
            return;
        first = false;
        exp_cmd_sn = rsp.exp_cmd_sn;
        max_cmd_sn = rsp.max_cmd_sn;
    }
}

/* 11.1: pad bytes should be zero. */
static void zero_padding(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    const struct transcript_pdu *pdu;
    size_t at = 0;

    if (!audit_ffp_judged(login))
        return;
    while ((pdu = audit_ffp_next(login, &at)) != NULL && pdu->whole) {
        size_t pad = pdu_padding(pdu->data_len);
        const uint8_t *bytes = pdu->data ? pdu->data + pdu->data_len : NULL;

        for (size_t i = 0; bytes && i < pad; i++) {
            struct finding *f;

            if (bytes[i] == 0)
                continue;
            f = audit_add(run, rule, audit_at_pdu(login, pdu, (size_t)(bytes - pdu->bhs), pad));
            audit_was(f, "%s with pad byte 0x%02x", pdu_opcode_name(pdu->bhs[0]), bytes[i]);
            audit_allowed(f, "0");
            return;
        }
    }
}

static const struct audit_login_check ffheader_checks[] = {
    {AUDIT_FFP_006, reserved_zero}, {AUDIT_FFP_007, final_bit}, {AUDIT_RSP_005, no_ahs},
    {AUDIT_FFP_008, task_tags},     {AUDIT_SN_017, window},     {AUDIT_RSP_008, zero_padding},
};

const struct audit_subject audit_ffheader = {NULL, 0, ffheader_checks, AUDIT_COUNT(ffheader_checks)};
