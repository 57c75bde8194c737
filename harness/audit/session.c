/* Several connections together: one session has one portal group and one CmdSN (RFC 7143, 6.3.1, 13.9, 4.2.2.1). */
#include "harness/audit/check.h"
#include "harness/audit/ffp.h"

#include <string.h>

/* Every pair of connections is compared. More than this many are a flood and not a session. */
#define CONNECTIONS_MAX 16u

static bool same_value(const struct audit_login *a, const struct audit_login *b, enum keys_id id)
{
    const struct audit_pair *x = audit_login_said(a, id, TRANSCRIPT_INITIATOR);
    const struct audit_pair *y = audit_login_said(b, id, TRANSCRIPT_INITIATOR);

    return x && y && x->value_len == y->value_len && memcmp(x->value, y->value, x->value_len) == 0;
}

static bool in_session(const struct audit_login *login)
{
    return login->final != AUDIT_NONE && !login->blind;
}

/* Had a ended, or been logged out, when this request came? Then its session was gone. */
static bool over(const struct audit_login *a, int64_t at_us)
{
    for (size_t i = 0; i < a->conn->event_count; i++)
        if (a->conn->events[i].kind == TRANSCRIPT_END && a->conn->events[i].at_us <= at_us)
            return true;
    for (size_t i = 0; i < a->pdu_count; i++) {
        const struct transcript_pdu *pdu = &a->pdus[i];

        if (pdu->full_feature && pdu->side == TRANSCRIPT_INITIATOR && pdu->bhs &&
            pdu_opcode(pdu->bhs) == PDU_LOGOUT_REQUEST && pdu->first_us <= at_us)
            return true;
    }
    return false;
}

bool audit_session_joined(const struct audit_login *a, const struct audit_login *b)
{
    const struct audit_exchange *opened;
    const struct audit_exchange *added;

    if (!in_session(a) || !in_session(b) || !a->leading || b->leading)
        return false;
    opened = &a->exchanges[a->final];
    added = &b->exchanges[0];
    return added->login_request && opened->rsp.tsih == added->req.tsih &&
           memcmp(opened->req.isid, added->req.isid, PDU_ISID_LEN) == 0 &&
           opened->response->at_us <= added->request->first_us && !over(a, added->request->first_us) &&
           same_value(a, b, KEYS_INITIATOR_NAME) && same_value(a, b, KEYS_TARGET_NAME);
}

static bool tag_of(const struct audit_login *login, const struct audit_pair **pair, uint64_t *tag)
{
    *pair = audit_login_said(login, KEYS_TARGET_PORTAL_GROUP_TAG, TRANSCRIPT_TARGET);
    return *pair && text_parse_number((*pair)->value, (*pair)->value_len, tag) == TEXT_NUMBER_OK && *tag <= UINT16_MAX;
}

/* 6.3.1: the tag is that of the group which serves the connection; a session stays in one group (3.2). */
static void same_tag(struct audit_run *run, const struct audit_login *a, const struct audit_login *b)
{
    const struct audit_pair *x;
    const struct audit_pair *y;
    uint64_t first;
    uint64_t second;
    struct finding *f;

    if (!tag_of(a, &x, &first) || !tag_of(b, &y, &second) || first == second)
        return;
    f = audit_add(run, AUDIT_TPGT_008, audit_at_pair(b, y));
    audit_was_pair(f, y);
    audit_allowed(f, "%llu as on the leading connection", (unsigned long long)first);
}

/* The tag that the portal is known to have. */
static void known_tag(struct audit_run *run, const struct audit_login *first, const struct audit_login *login)
{
    int known = run->transcript->context.portal_tag;
    const struct audit_pair *pair;
    uint64_t tag;
    struct finding *f;

    if (known < 0 || login->conn->remote_port != first->conn->remote_port ||
        strcmp(login->conn->remote, first->conn->remote) != 0 || !tag_of(login, &pair, &tag) || tag == (uint64_t)known)
        return;
    f = audit_add(run, AUDIT_TPGT_006, audit_at_pair(login, pair));
    audit_was_pair(f, pair);
    audit_allowed(f, "%d, the tag of this portal", known);
}

/* Does this PDU take a CmdSN? Also one that was sent before the login was known to be over. */
static bool is_command(const struct transcript_pdu *pdu)
{
    uint8_t opcode;

    if (pdu->side != TRANSCRIPT_INITIATOR || !pdu->bhs)
        return false;
    opcode = pdu_opcode(pdu->bhs);
    return !pdu_immediate(pdu->bhs) && opcode != PDU_DATA_OUT && opcode != PDU_SNACK_REQUEST;
}

/* Commands that take a CmdSN, sent on a connection up to a time. */
static uint32_t commands_sent(const struct audit_login *login, int64_t until_us)
{
    uint32_t count = 0;

    for (size_t i = 0; i < login->pdu_count; i++) {
        const struct transcript_pdu *pdu = &login->pdus[i];

        if (pdu->full_feature && pdu->first_us <= until_us && is_command(pdu))
            count++;
    }
    return count;
}

/* 4.2.2.1: CmdSN is the session's. What commands were still under way leaves a range. */
static void same_cmd_sn(struct audit_run *run, const struct audit_login *logins, size_t count, size_t lead,
                        size_t added)
{
    const struct audit_login *a = &logins[lead];
    const struct audit_login *b = &logins[added];

    const struct audit_exchange *x = &b->exchanges[0];
    uint32_t base = a->exchanges[a->final].req.cmd_sn;
    uint32_t sent = 0;
    struct finding *f;

    /* Before its names are whole nobody can know which session a connection wants to join. */
    for (size_t i = 1; i < b->count && x->login_request && x->req.cont; i++)
        x = &b->exchanges[i];
    if (!x->success || (x->login_request && x->req.cont) || (x->dirt & AUDIT_DIRT_OPCODE) != 0 ||
        (a->exchanges[a->final].dirt & (AUDIT_DIRT_CMD_SN | AUDIT_DIRT_IMMEDIATE)) != 0)
        return;
    for (size_t j = 0; j < count; j++)
        if (j == lead || audit_session_joined(a, &logins[j]))
            sent += commands_sent(&logins[j], x->response->at_us);
    if (x->rsp.exp_cmd_sn - base <= sent)
        return;
    f = audit_add(run, AUDIT_SN_013, audit_at_field(b, x->response, "ExpCmdSN"));
    audit_was(f, "ExpCmdSN 0x%08x", (unsigned)x->rsp.exp_cmd_sn);
    audit_allowed(f, "0x%08x to 0x%08x, as the session has it", (unsigned)base, (unsigned)(base + sent));
}

/* Is another connection of the recording, or may it be, one of this session? Its commands then count too. */
static bool shared(const struct audit_login *logins, size_t count, const struct audit_login *login)
{
    uint16_t tsih = login->exchanges[login->final].rsp.tsih;

    for (size_t i = 0; i < count; i++)
        if (&logins[i] != login && logins[i].count > 0 && logins[i].exchanges[0].req.tsih == tsih)
            return true;
    return false;
}

/* 4.2.2.1: only what was sent is acknowledged. Judged where the session has one connection. */
static void only_sent(struct audit_run *run, const struct audit_login *logins, size_t count,
                      const struct audit_login *login)
{
    const struct audit_exchange *final;
    const struct transcript_pdu *pdu;
    size_t at = 0;
    size_t seen = 0;
    uint32_t sent = 0;

    if (!audit_ffp_judged(login) || !login->leading || shared(logins, count, login))
        return;
    final = &login->exchanges[login->final];
    if ((final->dirt & (AUDIT_DIRT_CMD_SN | AUDIT_DIRT_IMMEDIATE | AUDIT_DIRT_OPCODE)) != 0)
        return;
    while ((pdu = audit_ffp_next(login, &at)) != NULL) {
        struct pdu_response rsp;
        struct finding *f;

        for (; seen < at; seen++)
            sent += is_command(&login->pdus[seen]);
        pdu_response_decode(&rsp, pdu->bhs);
        if (rsp.opcode == PDU_LOGIN_RESPONSE || rsp.exp_cmd_sn - final->req.cmd_sn <= sent)
            continue;
        f = audit_add(run, AUDIT_SN_016, audit_at_field(login, pdu, "ExpCmdSN"));
        audit_was(f, "ExpCmdSN 0x%08x after %u commands", (unsigned)rsp.exp_cmd_sn, (unsigned)sent);
        audit_allowed(f, "0x%08x to 0x%08x", (unsigned) final->req.cmd_sn, (unsigned)(final->req.cmd_sn + sent));
        return;
    }
}

bool audit_session_check(struct audit_run *run, const struct audit_login *logins, size_t count)
{
    if (count == 0 || count > CONNECTIONS_MAX)
        return true;
    audit_order_check(run, logins, count);
    for (size_t i = 0; i < count; i++)
        only_sent(run, logins, count, &logins[i]);
    for (size_t i = 0; i < count; i++)
        known_tag(run, &logins[0], &logins[i]);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            if (i == j || !audit_session_joined(&logins[i], &logins[j]))
                continue;
            same_tag(run, &logins[i], &logins[j]);
            same_cmd_sn(run, logins, count, i, j);
        }
    }
    return true;
}
