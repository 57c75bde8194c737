/* StatSN, ExpCmdSN and MaxCmdSN of success responses (RFC 7143, 11.12.8, 11.13.4, 4.2.2). Refusals are not judged. */
#include "harness/audit/check.h"

/* 11.13.4: one more with each response of the connection. */
static void stat_sn_rises(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                          const struct audit_exchange *x)
{
    const struct audit_exchange *before = x > login->exchanges ? x - 1 : NULL;
    struct finding *f;

    /* What came unasked has its own finding, and the one behind it is counted from the last that was due. */
    while (before && !before->request && before > login->exchanges)
        before--;
    if (!before || !before->success || x->rsp.stat_sn == (uint32_t)(before->rsp.stat_sn + 1))
        return;
    /* The empty answers of a C-bit chain have an entry of their own. */
    if (x->login_request && x->req.cont)
        rule = AUDIT_CBIT_021;
    f = audit_add(run, rule, audit_at_field(login, x->response, "StatSN"));
    audit_was(f, "StatSN 0x%08x behind 0x%08x", (unsigned)x->rsp.stat_sn, (unsigned)before->rsp.stat_sn);
    audit_allowed(f, "0x%08x", (unsigned)(uint32_t)(before->rsp.stat_sn + 1));
}

/* 11.12.8: a leading login sets the number, and login requests, being immediate, never advance it. */
static void exp_cmd_sn_stays(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                             const struct audit_exchange *x)
{
    struct finding *f;

    if (!login->leading || x->rsp.exp_cmd_sn == x->req.cmd_sn)
        return;
    f = audit_add(run, x == login->exchanges ? rule : AUDIT_SN_015, audit_at_field(login, x->response, "ExpCmdSN"));
    audit_was(f, "ExpCmdSN 0x%08x", (unsigned)x->rsp.exp_cmd_sn);
    audit_allowed(f, "0x%08x, the CmdSN of the login", (unsigned)x->req.cmd_sn);
}

/* 4.2.2.1, in serial arithmetic. */
static void window_not_negative(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                                const struct audit_exchange *x)
{
    uint32_t window = x->rsp.max_cmd_sn - x->rsp.exp_cmd_sn + 1;
    struct finding *f;

    if (window < UINT32_C(0x80000000))
        return;
    f = audit_add(run, rule, audit_at_field(login, x->response, "MaxCmdSN"));
    audit_was(f, "MaxCmdSN 0x%08x with ExpCmdSN 0x%08x", (unsigned)x->rsp.max_cmd_sn, (unsigned)x->rsp.exp_cmd_sn);
    audit_allowed(f, "MaxCmdSN at least ExpCmdSN-1");
}

static const struct audit_exchange_check serial_checks[] = {
    {AUDIT_SN_006, AUDIT_SUCCESS, false, 0, stat_sn_rises},
    {AUDIT_SN_001, AUDIT_SUCCESS, true, AUDIT_DIRT_CMD_SN | AUDIT_DIRT_IMMEDIATE | AUDIT_DIRT_OPCODE | AUDIT_DIRT_TSIH,
     exp_cmd_sn_stays},
    {AUDIT_SN_004, AUDIT_SUCCESS, false, 0, window_not_negative},
};

const struct audit_subject audit_serial = {serial_checks, AUDIT_COUNT(serial_checks), NULL, 0};
