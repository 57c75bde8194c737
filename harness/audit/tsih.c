/* The session handle (RFC 7143, 11.13.3, 4.4.3, 6.3.2). */
#include "harness/audit/check.h"

static struct finding *add(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                           const struct audit_exchange *x)
{
    struct finding *f = audit_add(run, rule, audit_at_field(login, x->response, "TSIH"));

    audit_was(f, "TSIH 0x%04x", x->rsp.tsih);
    return f;
}

static bool is_final(const struct audit_login *login, const struct audit_exchange *x)
{
    return login->final == (size_t)(x - login->exchanges);
}

/* A new session gets its handle in the final response. The entry depends on the way that led there. */
static void handle_given(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                         const struct audit_exchange *x)
{
    if (!login->leading || !is_final(login, x) || x->rsp.tsih != 0)
        return;
    if (login->discovery)
        rule = AUDIT_DISC_012;
    else if (x->req.csg == PDU_STAGE_SECURITY)
        rule = AUDIT_TSIH_014;
    audit_allowed(add(run, rule, login, x), "not 0 in the final response of a new session");
}

/* ... and only there. What is no handle at all before is tolerated. */
static void handle_not_early(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                             const struct audit_exchange *x)
{
    const struct audit_exchange *final = login->final == AUDIT_NONE ? NULL : &login->exchanges[login->final];
    struct finding *f;

    /* One that is final but for a C bit or a wrong NSG is meant as the final one. */
    if (!login->leading || is_final(login, x) || x->rsp.tsih == 0 ||
        (x->rsp.transit && x->rsp.nsg >= PDU_STAGE_RESERVED))
        return;
    f = add(run, rule, login, x);
    f->tolerated = !final || final->rsp.tsih != x->rsp.tsih;
    audit_allowed(f, "0 before the final response");
}

/* An added or reinstated connection is told the handle that it gave. */
static void handle_repeated(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                            const struct audit_exchange *x)
{
    struct finding *f;

    if (login->leading || x->rsp.tsih == x->req.tsih)
        return;
    f = add(run, rule, login, x);
    f->tolerated = x->rsp.tsih == 0 && !is_final(login, x);
    audit_allowed(f, "0x%04x as in the request", x->req.tsih);
}

static void handle_not_in_refusal(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                                  const struct audit_exchange *x)
{
    if (login->leading && x->rsp.tsih != 0)
        audit_allowed(add(run, rule, login, x), "0 when a leading login is refused");
}

/* 11.13.3: it should be that of the request. */
static void handle_in_refused_join(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                                   const struct audit_exchange *x)
{
    struct finding *f;

    if (login->leading || x->rsp.tsih == x->req.tsih)
        return;
    f = add(run, rule, login, x);
    f->tolerated = true;
    audit_allowed(f, "0x%04x as in the request", x->req.tsih);
}

#define ODD (AUDIT_DIRT_TSIH | AUDIT_DIRT_OPCODE)

static const struct audit_exchange_check tsih_checks[] = {
    {AUDIT_TSIH_002, AUDIT_SUCCESS, true, ODD, handle_given},
    {AUDIT_TSIH_003, AUDIT_SUCCESS, true, ODD, handle_not_early},
    {AUDIT_TSIH_004, AUDIT_SUCCESS, true, ODD, handle_repeated},
    {AUDIT_TSIH_013, AUDIT_REFUSAL, true, ODD, handle_not_in_refusal},
    {AUDIT_TSIH_004, AUDIT_REFUSAL, true, ODD, handle_in_refused_join},
};

const struct audit_subject audit_tsih = {tsih_checks, AUDIT_COUNT(tsih_checks), NULL, 0};
