/* Stages and the T and C bits of responses (RFC 7143, 6.3, 11.12.2, 11.12.3, 11.13.6, 11.13.7). */
#include "harness/audit/check.h"

static struct finding *add(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                           const struct audit_exchange *x)
{
    struct finding *f = audit_add(run, rule, audit_at_pdu(login, x->response, 1, 1));

    audit_was(f, "T=%d C=%d CSG=%u NSG=%u to T=%d C=%d CSG=%u NSG=%u", x->rsp.transit, x->rsp.cont, x->rsp.csg,
              x->rsp.nsg, x->req.transit, x->req.cont, x->req.csg, x->req.nsg);
    return f;
}

/* 11.13.6: T only if it was asked for. */
static void transit_asked(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                          const struct audit_exchange *x)
{
    if (x->rsp.transit && !x->req.transit)
        audit_allowed(add(run, rule, login, x), "T=0 in answer to T=0");
}

/* 6.3: the target may choose an earlier stage than was asked for, never a later one. */
static void stage_not_beyond(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                             const struct audit_exchange *x)
{
    if (x->rsp.transit && x->req.transit && x->rsp.nsg > x->req.nsg && x->rsp.nsg != PDU_STAGE_RESERVED)
        audit_allowed(add(run, rule, login, x), "NSG at most %u", x->req.nsg);
}

/* 11.12.3: from 0 to 1 or 3, from 1 to 3. */
static void stage_forward(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                          const struct audit_exchange *x)
{
    if (!x->rsp.transit || !x->req.transit)
        return;
    if (x->rsp.nsg == PDU_STAGE_RESERVED || x->rsp.nsg <= x->req.csg)
        audit_allowed(add(run, rule, login, x), "NSG 1 or 3, and behind CSG");
}

/* 6.3: both sides speak of the same stage. */
static void same_stage(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                       const struct audit_exchange *x)
{
    if (x->rsp.csg != x->req.csg)
        audit_allowed(add(run, rule, login, x), "CSG %u as in the request", x->req.csg);
}

/* 11.12.3: without T there is no next stage; the field is reserved. */
static void no_stage_without_transit(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                                     const struct audit_exchange *x)
{
    if (!x->rsp.transit && x->rsp.nsg != 0)
        audit_allowed(add(run, rule, login, x), "NSG 0 with T=0");
}

/* 6.3.1: in a refusal T, CSG and NSG are reserved. */
static void no_stage_in_refusal(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                                const struct audit_exchange *x)
{
    if (x->rsp.transit || x->rsp.cont || x->rsp.csg != 0 || x->rsp.nsg != 0)
        audit_allowed(add(run, rule, login, x), "T=0, C=0, CSG=0 and NSG=0 in a refusal");
}

/* 11.13.7 */
static void not_both_bits(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                          const struct audit_exchange *x)
{
    if (x->rsp.transit && x->rsp.cont)
        audit_allowed(add(run, rule, login, x), "C=1 never together with T=1");
}

/* 6.2: the text is not complete yet, so there is nothing to say. */
static void empty_to_c(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                       const struct audit_exchange *x)
{
    struct finding *f;

    if (!x->req.cont || (x->rsp.data_len == 0 && !x->rsp.cont))
        return;
    f = audit_add(run, rule, audit_at_field(login, x->response, "DataSegmentLength"));
    audit_was(f, "DataSegmentLength %u, C=%d in answer to C=1", (unsigned)x->rsp.data_len, x->rsp.cont);
    audit_allowed(f, "no data segment and C=0");
}

/* 11.12.2: the request is wrong; a transition is what it cannot bring about. */
static void no_transit_to_c(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                            const struct audit_exchange *x)
{
    if (x->req.cont && x->req.transit && x->rsp.transit)
        audit_allowed(add(run, rule, login, x), "a refusal, or T=0");
}

/* Requests with a stage that cannot be: which entry speaks of it, and whether T=0 will do as an answer. */
static const struct stage_fault {
    enum audit_rule_id rule;
    int stage; /* agreed on before, -1 any */
    int csg, nsg;
    bool transit;     /* the request has T=1 */
    bool stay_passes; /* success with T=0 is no fault by this entry */
} stage_faults[] = {
    {AUDIT_STG_012, -1, PDU_STAGE_RESERVED, -1, false, false},
    {AUDIT_STG_014, -1, PDU_STAGE_FULL_FEATURE, -1, false, false},
    {AUDIT_STG_008, PDU_STAGE_OPERATIONAL, PDU_STAGE_SECURITY, -1, false, false},
    {AUDIT_STG_009, -1, PDU_STAGE_SECURITY, PDU_STAGE_SECURITY, true, true},
    {AUDIT_STG_010, -1, PDU_STAGE_OPERATIONAL, PDU_STAGE_SECURITY, true, true},
    {AUDIT_STG_011, -1, PDU_STAGE_OPERATIONAL, PDU_STAGE_OPERATIONAL, true, true},
    {AUDIT_STG_013, -1, -1, PDU_STAGE_RESERVED, true, true},
};

static bool fault_fits(const struct stage_fault *fault, const struct audit_exchange *x)
{
    return (fault->stage < 0 || x->stage == fault->stage) && (fault->csg < 0 || x->req.csg == fault->csg) &&
           (fault->nsg < 0 || x->req.nsg == fault->nsg) && (!fault->transit || x->req.transit);
}

/* 6.3, 11.12.3: a stage out of order is a protocol error. Judged only where it is the one fault of the login. */
static void wrong_stage_accepted(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                                 const struct audit_exchange *x)
{
    if (x->dirt != AUDIT_DIRT_STAGE || x->own != AUDIT_DIRT_STAGE)
        return;
    if (x > login->exchanges && ((x - 1)->dirt & AUDIT_DIRT_STAGE) != 0)
        return;
    for (size_t i = 0; i < AUDIT_COUNT(stage_faults); i++) {
        const struct stage_fault *fault = &stage_faults[i];

        if (!fault_fits(fault, x))
            continue;
        if (fault->stay_passes && !x->rsp.transit)
            return;
        rule = fault->rule;
        /* Straight behind the transition the initiator has missed it; later it has gone back. */
        if (rule == AUDIT_STG_008 && x > login->exchanges && (x - 1)->req.csg == PDU_STAGE_SECURITY)
            rule = AUDIT_STG_015;
        audit_allowed(add(run, rule, login, x), "a refusal of this stage");
        return;
    }
}

#define ODD (AUDIT_DIRT_OPCODE | AUDIT_DIRT_PIPELINE)

static const struct audit_exchange_check stage_checks[] = {
    {AUDIT_STG_005, AUDIT_SUCCESS, true, ODD, transit_asked},
    {AUDIT_STG_004, AUDIT_SUCCESS, true, ODD | AUDIT_DIRT_STAGE, stage_not_beyond},
    {AUDIT_STG_024, AUDIT_SUCCESS, true, ODD | AUDIT_DIRT_STAGE, stage_forward},
    {AUDIT_STG_006, AUDIT_SUCCESS, true, ODD | AUDIT_DIRT_STAGE, same_stage},
    {AUDIT_RSP_003, AUDIT_SUCCESS, false, 0, no_stage_without_transit},
    {AUDIT_RSP_004, AUDIT_REFUSAL, false, 0, no_stage_in_refusal},
    {AUDIT_CBIT_016, AUDIT_SUCCESS, false, 0, not_both_bits},
    {AUDIT_CBIT_002, AUDIT_SUCCESS, true, ODD | AUDIT_DIRT_T_AND_C | AUDIT_DIRT_CHAIN, empty_to_c},
    {AUDIT_CBIT_001, AUDIT_SUCCESS, true, ODD, no_transit_to_c},
    {AUDIT_STG_008, AUDIT_SUCCESS, true, 0, wrong_stage_accepted},
};

const struct audit_subject audit_stage = {stage_checks, AUDIT_COUNT(stage_checks), NULL, 0};
