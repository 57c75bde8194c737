/* Fields of one target PDU of the login (RFC 7143, 11.13), and that it is a Login Response at all. */
#include "harness/audit/check.h"

#include "wire/bytes.h"
#include "wire/status.h"

#include <string.h>

/* A refusal that comes later than this behind the last answer may be the target's time-out (6.2, 8.1.2). */
#define STALL_US 500000

/* 4.2.4, 11.2.1.2: in the login a target sends nothing but Login Responses. Which entry says so depends on what came.
 */
static void only_login_responses(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                                 const struct audit_exchange *x)
{
    uint8_t opcode = pdu_opcode(x->response->bhs);
    struct finding *f;

    if (x->response->bhs[0] == PDU_LOGIN_RESPONSE)
        return;
    if (opcode == PDU_NOP_IN || opcode == PDU_ASYNC_MESSAGE || opcode == PDU_REJECT)
        rule = AUDIT_PDU_012;
    else if (opcode == PDU_SCSI_RESPONSE || opcode == PDU_DATA_IN || opcode == PDU_R2T)
        rule = AUDIT_STG_017;
    f = audit_add(run, rule, audit_at_pdu(login, x->response, 0, 1));
    audit_was(f, "byte 0 = 0x%02x, %s", x->response->bhs[0], pdu_opcode_name(opcode));
    audit_allowed(f, "0x23, Login Response");
}

/* Had a PDU of the initiator begun by then, and was not whole? A target may refuse what its header says. */
static bool half_sent(const struct audit_login *login, const struct transcript_pdu *response)
{
    for (size_t i = login->pdu_count; i > 0 && &login->pdus[i - 1] != response; i--) {
        const struct transcript_pdu *pdu = &login->pdus[i - 1];

        if (pdu->side == TRANSCRIPT_INITIATOR && pdu->first_us <= response->first_us)
            return true;
    }
    return false;
}

/* 6.3: one request, one response. */
static void one_response(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                         const struct audit_exchange *x)
{
    size_t index = (size_t)(x - login->exchanges);
    const struct audit_exchange *before = index > 0 ? x - 1 : NULL;
    struct finding *f;

    if (x->request || login->tail_request || !x->login_response)
        return;
    if (!x->success && (!before || !before->response || x->response->at_us - before->response->at_us >= STALL_US ||
                        half_sent(login, x->response)))
        return;
    f = audit_add(run, rule, audit_at_pdu(login, x->response, 0, x->response->len));
    audit_was(f, "a Login Response that no request asked for");
    audit_allowed(f, "one response to one request");
}

/* 11: reserved bits and bytes are sent as zero. Byte 0 is judged by its own rule. */
static void reserved_zero(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                          const struct audit_exchange *x)
{
    static const struct {
        uint8_t byte, width;
        uint32_t mask;
    } areas[] = {{1, 1, 0x30}, {20, 4, UINT32_MAX}, {38, 2, UINT16_MAX}, {40, 4, UINT32_MAX}, {44, 4, UINT32_MAX}};

    for (size_t i = 0; i < AUDIT_COUNT(areas); i++) {
        uint32_t value = (uint32_t)bytes_get_be(x->response->bhs + areas[i].byte, areas[i].width) & areas[i].mask;
        struct finding *f;

        if (value == 0)
            continue;
        f = audit_add(run, rule, audit_at_pdu(login, x->response, areas[i].byte, areas[i].width));
        audit_was(f, "reserved bytes %u to %u = 0x%x", areas[i].byte, areas[i].byte + areas[i].width - 1u,
                  (unsigned)value);
        audit_allowed(f, "0");
    }
}

/* 11.2: no AHS in responses. */
static void no_ahs(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                   const struct audit_exchange *x)
{
    struct finding *f;

    if (x->rsp.total_ahs_len == 0)
        return;
    f = audit_add(run, rule, audit_at_field(login, x->response, "TotalAHSLength"));
    audit_was(f, "TotalAHSLength %u", x->rsp.total_ahs_len);
    audit_allowed(f, "0");
}

/* 6.3, 13.12: 8192 bytes at most in the login, whatever was declared. */
static void short_data(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                       const struct audit_exchange *x)
{
    struct finding *f;

    if (x->rsp.data_len <= PDU_DEFAULT_MAX_RECV)
        return;
    f = audit_add(run, rule, audit_at_field(login, x->response, "DataSegmentLength"));
    audit_was(f, "DataSegmentLength %u", (unsigned)x->rsp.data_len);
    audit_allowed(f, "at most %u", PDU_DEFAULT_MAX_RECV);
}

/* 11.13.5: class 0 has detail 0 only. */
static void success_detail(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                           const struct audit_exchange *x)
{
    struct finding *f;

    if (x->rsp.status == STATUS_SUCCESS)
        return;
    f = audit_add(run, rule, audit_at_field(login, x->response, "Status"));
    audit_was(f, "status 0x%04x", x->rsp.status);
    audit_allowed(f, "0x0000 as success");
}

/* 11.13.5: only codes that are allocated. Class 0x0f belongs to vendors (RFC 5048, 11). */
static void known_status(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                         const struct audit_exchange *x)
{
    bool vendor = status_class(x->rsp.status) == STATUS_CLASS_VENDOR;
    struct finding *f;

    if (status_find(x->rsp.status))
        return;
    f = audit_add(run, rule, audit_at_field(login, x->response, "Status"));
    f->tolerated = vendor;
    audit_was(f, "status 0x%04x", x->rsp.status);
    audit_allowed(f, "one of the 18 codes of 11.13.5");
}

/* 11.1: pad bytes should be zero. */
static void zero_padding(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                         const struct audit_exchange *x)
{
    const struct transcript_pdu *pdu = x->response;
    size_t pad = pdu_padding(pdu->data_len);
    size_t start;

    if (!pdu->data || pad == 0 || login->blind)
        return;
    start = (size_t)(pdu->data - pdu->bhs) + pdu->data_len;
    for (size_t i = 0; i < pad && start + i < pdu->len; i++) {
        struct finding *f;

        if (pdu->bhs[start + i] == 0)
            continue;
        f = audit_add(run, rule, audit_at_pdu(login, pdu, start, pad));
        audit_was(f, "pad byte 0x%02x", pdu->bhs[start + i]);
        audit_allowed(f, "0");
        return;
    }
}

/* 11.13: the tag of the request. */
static void same_itt(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                     const struct audit_exchange *x)
{
    struct finding *f;

    if (x->rsp.itt == x->req.itt)
        return;
    f = audit_add(run, rule, audit_at_field(login, x->response, "ITT"));
    audit_was(f, "ITT 0x%08x", (unsigned)x->rsp.itt);
    audit_allowed(f, "0x%08x as in the request", (unsigned)x->req.itt);
}

/* No sentence says it, least of all of refusals; but an ISID that is neither that of the request nor 0 is nobody's. */
static void same_isid(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                      const struct audit_exchange *x)
{
    static const uint8_t none[PDU_ISID_LEN];
    const uint8_t *was = x->rsp.isid;
    const uint8_t *due = x->req.isid;
    struct finding *f;

    if (memcmp(was, due, PDU_ISID_LEN) == 0 || (!x->success && memcmp(was, none, PDU_ISID_LEN) == 0))
        return;
    f = audit_add(run, rule, audit_at_field(login, x->response, "ISID"));
    f->tolerated = !x->success;
    audit_was(f, "ISID %02x%02x%02x%02x%02x%02x", was[0], was[1], was[2], was[3], was[4], was[5]);
    audit_allowed(f, "%02x%02x%02x%02x%02x%02x as in the request", due[0], due[1], due[2], due[3], due[4], due[5]);
}

static void version_fields(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                           const struct audit_exchange *x, bool max_too)
{
    bool max_bad = max_too && x->rsp.version_max != PDU_VERSION;
    struct finding *f;

    if (x->rsp.version_active == PDU_VERSION && !max_bad)
        return;
    f = audit_add(run, rule, audit_at_field(login, x->response, max_bad ? "VersionMax" : "VersionActive"));
    audit_was(f, "Version-max 0x%02x, Version-active 0x%02x", x->rsp.version_max, x->rsp.version_active);
    audit_allowed(f, "0x00, the only version there is");
}

/* 11.13.1, 11.13.2: what a request with Version-min 0 gets; another rule when its range goes beyond 0. */
static void version_served(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                           const struct audit_exchange *x)
{
    version_fields(run, x->req.version_max == PDU_VERSION ? rule : AUDIT_VER_004, login, x, true);
}

/* 11.13.2: the lowest version supported stands in the refusal. */
static void version_refused(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                            const struct audit_exchange *x)
{
    if (x->rsp.status == STATUS_UNSUPPORTED_VERSION)
        version_fields(run, rule, login, x, true);
}

/* Nothing says that the fields mean nothing in a refusal for another reason; nor does anybody read them. */
static void version_in_refusal(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                               const struct audit_exchange *x)
{
    size_t before = run->out->count;

    /* Behind other responses it is that they differ. */
    if (x->rsp.status != STATUS_UNSUPPORTED_VERSION && x == login->exchanges)
        version_fields(run, rule, login, x, true);
    if (run->out->count > before)
        run->out->items[run->out->count - 1].tolerated = true;
}

/* 11.13.1, 11.13.2: the same in all responses of a login. */
static void version_constant(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                             const struct audit_exchange *x)
{
    const struct audit_exchange *first = &login->exchanges[0];
    struct finding *f;

    if (!first->login_response ||
        (first->rsp.version_max == x->rsp.version_max && first->rsp.version_active == x->rsp.version_active))
        return;
    f = audit_add(run, rule, audit_at_pdu(login, x->response, 2, 2));
    audit_was(f, "Version-max 0x%02x, Version-active 0x%02x", x->rsp.version_max, x->rsp.version_active);
    audit_allowed(f, "0x%02x and 0x%02x as in the first response", first->rsp.version_max, first->rsp.version_active);
}

/* 11.1: the next PDU begins on a word boundary. */
static void padded(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                   const struct audit_exchange *x)
{
    struct finding *f;

    if (login->misaligned != (size_t)(x - login->exchanges))
        return;
    f = audit_add(run, rule, audit_at_pdu(login, x->response, PDU_BHS_LEN, x->response->len));
    audit_was(f, "the PDU does not end %u bytes behind its data", (unsigned)pdu_padding(x->rsp.data_len));
    audit_allowed(f, "data padded to a multiple of 4 bytes");
}

/* 13.1, 11.2.3: digests begin behind the login, whatever it agreed on. */
static void no_digest(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                      const struct audit_exchange *x)
{
    struct finding *f;

    if (login->digested != (size_t)(x - login->exchanges))
        return;
    f = audit_add(run, rule, audit_at_pdu(login, x->response, PDU_BHS_LEN, PDU_DIGEST_LEN));
    audit_was(f, "the CRC32C of the header behind it");
    audit_allowed(f, "no digest on a login PDU");
}

static const struct audit_exchange_check header_checks[] = {
    {AUDIT_PDU_014, AUDIT_LOGIN, false, 0, no_digest},
    {AUDIT_RSP_001, AUDIT_ANY, false, 0, only_login_responses},
    {AUDIT_RSP_016, AUDIT_LOGIN, false, AUDIT_DIRT_OPCODE | AUDIT_DIRT_AHS | AUDIT_DIRT_LENGTH, one_response},
    {AUDIT_RSP_002, AUDIT_LOGIN, false, 0, reserved_zero},
    {AUDIT_RSP_005, AUDIT_LOGIN, false, 0, no_ahs},
    {AUDIT_RSP_006, AUDIT_LOGIN, false, 0, short_data},
    {AUDIT_RSP_007, AUDIT_SUCCESS, false, 0, success_detail},
    {AUDIT_STAT_004, AUDIT_REFUSAL, false, 0, known_status},
    {AUDIT_RSP_008, AUDIT_LOGIN, false, 0, zero_padding},
    {AUDIT_RSP_017, AUDIT_LOGIN, false, 0, padded},
    {AUDIT_ITT_001, AUDIT_LOGIN, true, AUDIT_DIRT_ITT | AUDIT_DIRT_OPCODE | AUDIT_DIRT_PIPELINE, same_itt},
    {AUDIT_ISID_010, AUDIT_LOGIN, true, AUDIT_DIRT_ISID | AUDIT_DIRT_OPCODE, same_isid},
    {AUDIT_VER_001, AUDIT_SUCCESS, true, AUDIT_DIRT_VERSION | AUDIT_DIRT_OPCODE, version_served},
    {AUDIT_VER_001, AUDIT_REFUSAL, true, AUDIT_DIRT_VERSION | AUDIT_DIRT_OPCODE, version_in_refusal},
    {AUDIT_VER_003, AUDIT_REFUSAL, true, 0, version_refused},
    {AUDIT_VER_007, AUDIT_LOGIN, false, AUDIT_DIRT_VERSION, version_constant},
};

const struct audit_subject audit_header = {header_checks, AUDIT_COUNT(header_checks), NULL, 0};
