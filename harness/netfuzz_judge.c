/*
 * Which findings of the auditor the network fuzzer takes up: those of an initiator that deviated in one point at most.
 * What a target does with input that is wrong in several ways is its own affair as long as it lives. See
 * netfuzz_campaign.h.
 */
#include "harness/audit/login.h"
#include "harness/netfuzz_campaign.h"

static bool one_at_most(uint32_t dirt)
{
    return (dirt & (dirt - 1)) == 0;
}

/* Requests behind the login that a well-behaved initiator could have sent, one by one. */
static bool full_feature_clear(const struct audit_login *login)
{
    for (size_t i = 0; i < login->pdu_count; i++) {
        const struct transcript_pdu *p = &login->pdus[i];

        if (p->side != TRANSCRIPT_INITIATOR || !p->full_feature)
            continue;
        if (!p->bhs || !p->whole || !pdu_opcode_known(pdu_opcode(p->bhs)) ||
            pdu_opcode_from_target(pdu_opcode(p->bhs)) || pdu_ahs_len(p->bhs) > 0)
            return false;
        for (size_t k = 0; k < i; k++) { /* a tag belongs to one request */
            const struct transcript_pdu *before = &login->pdus[k];

            if (before->side == TRANSCRIPT_INITIATOR && before->full_feature && before->bhs &&
                pdu_itt(before->bhs) == pdu_itt(p->bhs))
                return false;
        }
    }
    return true;
}

static bool conn_clear(const struct audit_login *login, const struct finding *x)
{
    uint32_t last = 0;

    for (size_t i = 0; i < login->count; i++) {
        const struct audit_exchange *e = &login->exchanges[i];

        last = e->dirt;
        if (x->pdu > 0 && e->response && e->response->number == x->pdu && !e->response->full_feature)
            return one_at_most(e->dirt);
    }
    for (size_t i = 0; i < login->pdu_count; i++)
        if (login->pdus[i].side == x->side && login->pdus[i].number == x->pdu && login->pdus[i].full_feature)
            return last == 0 && full_feature_clear(login);
    return one_at_most(last);
}

bool netfuzz_counts(const struct netfuzz *f, const struct transcript *t, const struct finding *x)
{
    const struct rule *rule = catalogue_find(f->options->rules, x->rule);
    struct audit_login login;
    bool clear;

    if (!rule || rule->severity != RULE_FAIL || rule->party != RULE_TARGET || x->tolerated || x->conn >= t->conn_count)
        return false;
    clear = audit_login_build(&login, t, x->conn) && conn_clear(&login, x);
    audit_login_free(&login);
    return clear;
}
