/*
 * Faults of the initiator that a target may not take for a valid request: what must not come of each (RFC 7143, 6.3,
 * 4.2.4, 11.12.4). Each is judged only where it is the one fault of the login.
 */
#include "harness/audit/check.h"

#include <string.h>

static bool grants_full_feature(const struct audit_login *login, const struct audit_exchange *x)
{
    return login->final == (size_t)(x - login->exchanges) && x->req.transit;
}

static struct finding *add(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                           const struct audit_exchange *x)
{
    return audit_add(run, rule, audit_at_pdu(login, x->response, 0, x->response->len));
}

/* 11.13.2: a range without a version that exists. */
static void version_accepted(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                             const struct audit_exchange *x)
{
    struct finding *f;

    if (x != login->exchanges || x->req.version_min == PDU_VERSION)
        return;
    if (x->req.version_max < x->req.version_min)
        rule = AUDIT_VER_005;
    f = add(run, rule, login, x);
    audit_was(f, "success for versions 0x%02x to 0x%02x", x->req.version_min, x->req.version_max);
    audit_allowed(f, "status 0x0205");
}

static bool has_value(const struct audit_login *login, enum keys_id id)
{
    const struct audit_pair *pair = audit_text_find(login, login->first_text, id);

    return pair && pair->value_len > 0;
}

/* 6.3: full feature phase though a name was not in the first text. */
static void names_missing(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                          const struct audit_exchange *x)
{
    struct finding *f;
    bool initiator;
    bool empty;

    if (!grants_full_feature(login, x) || login->first_text == AUDIT_NONE || (x->dirt & AUDIT_DIRT_NAMES) == 0 ||
        (x->dirt & ~(uint32_t)AUDIT_DIRT_NAMES) != 0 || login->partial)
        return;
    initiator = has_value(login, KEYS_INITIATOR_NAME);
    /* A TargetName that comes late is tolerated. */
    if (initiator && audit_login_said(login, KEYS_TARGET_NAME, TRANSCRIPT_INITIATOR) && login->leading &&
        !has_value(login, KEYS_TARGET_NAME) && !audit_text_find(login, login->first_text, KEYS_TARGET_NAME))
        return;
    if (!initiator)
        rule = login->discovery ? AUDIT_NAME_003 : login->leading ? AUDIT_NAME_001 : AUDIT_NAME_002;
    else
        rule = login->leading ? AUDIT_NAME_004 : AUDIT_NAME_025;
    /* There, but without a character in it. */
    empty = audit_text_find(login, login->first_text, initiator ? KEYS_TARGET_NAME : KEYS_INITIATOR_NAME) != NULL;
    if (empty)
        rule = initiator ? AUDIT_NAME_016 : AUDIT_NAME_015;
    f = add(run, rule, login, x);
    audit_was(f, "full feature phase with %s %s", empty ? "an empty" : "no",
              initiator ? "TargetName" : "InitiatorName");
    audit_allowed(f, "status 0x0207");
}

/* 6.3: a key negotiated twice ends the login. Which entry says so depends on where and how it was repeated. */
static void repeated_key_accepted(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                                  const struct audit_exchange *x)
{
    if (!grants_full_feature(login, x) || (x->dirt & ~(uint32_t)AUDIT_DIRT_DUPLICATE) != 0 ||
        (x->dirt & AUDIT_DIRT_DUPLICATE) == 0 || login->partial)
        return;
    for (size_t i = 0; i < login->pair_count; i++) {
        const struct audit_pair *pair = &login->pairs[i];
        const struct audit_key *key = &login->keys[pair->key_index];
        const struct audit_pair *first = audit_key_pair(login, key, TRANSCRIPT_INITIATOR);
        struct finding *f;

        /* What was sent behind this request the target had not seen. */
        if (login->texts[pair->text].side != TRANSCRIPT_INITIATOR || pair == first || !key->entry ||
            login->texts[pair->text].last > (size_t)(x - login->exchanges) ||
            (key->entry->flags & KEYS_DECLARATIVE) != 0 || !audit_key_by_initiator(key))
            continue;
        if (pair->text != first->text)
            rule = AUDIT_DUP_003;
        else if (pair->value_len != first->value_len || memcmp(pair->value, first->value, pair->value_len) != 0)
            rule = AUDIT_DUP_002;
        f = add(run, rule, login, x);
        audit_was(f, "full feature phase though %s was negotiated twice", key->entry->name);
        audit_allowed(f, "status 0x0200");
        return;
    }
}

/* Which entry speaks of a PDU of this kind in the middle of a login. */
static enum audit_rule_id stray_rule(uint8_t opcode)
{
    static const struct {
        uint8_t opcode;
        enum audit_rule_id rule;
    } rows[] = {
        {PDU_NOP_OUT, AUDIT_PDU_001},
        {PDU_SCSI_COMMAND, AUDIT_PDU_002},
        {PDU_TASK_MANAGEMENT_REQUEST, AUDIT_PDU_003},
        {PDU_TEXT_REQUEST, AUDIT_PDU_004},
        {PDU_DATA_OUT, AUDIT_PDU_005},
        {PDU_LOGOUT_REQUEST, AUDIT_PDU_006},
        {PDU_SNACK_REQUEST, AUDIT_PDU_007},
    };

    for (size_t i = 0; i < AUDIT_COUNT(rows); i++)
        if (rows[i].opcode == opcode)
            return rows[i].rule;
    if (pdu_opcode_from_target(opcode))
        return AUDIT_PDU_010;
    return opcode >= 0x1c && opcode <= 0x1e ? AUDIT_PDU_008 : AUDIT_PDU_009;
}

/* 4.2.4: a PDU that is no Login Request ends the login; it is not answered with success, nor passed over. */
static void stray_accepted(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                           const struct audit_exchange *x)
{
    struct finding *f;
    uint8_t opcode;

    if (!x->request || x->login_request || x == login->exchanges ||
        ((x - 1)->dirt & (AUDIT_DIRT_OPCODE | AUDIT_DIRT_PIPELINE)) != 0 || x->pipelined)
        return;
    opcode = pdu_opcode(x->request->bhs);
    rule = stray_rule(opcode);
    f = add(run, rule, login, x);
    audit_was(f, "the login goes on behind %s (0x%02x)", pdu_opcode_name(opcode), opcode);
    audit_allowed(f, "status 0x020b");
}

/* 4.2.4: no second login on a connection; and nothing of the first one behind its end (6.3). */
static void second_login(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    bool asked = false;

    if (login->final == AUDIT_NONE)
        return;
    for (size_t i = 0; i < login->pdu_count; i++) {
        const struct transcript_pdu *pdu = &login->pdus[i];
        struct finding *f;

        if (pdu->gap || !pdu->bhs)
            return;
        if (!pdu->full_feature)
            continue;
        if (pdu->side == TRANSCRIPT_INITIATOR) {
            asked = asked || pdu_opcode(pdu->bhs) == PDU_LOGIN_REQUEST;
            continue;
        }
        if (pdu->bhs[0] != PDU_LOGIN_RESPONSE || (asked && pdu_login_status(pdu->bhs) != 0))
            continue;
        f = audit_add(run, asked ? rule : AUDIT_RSP_016, audit_at_pdu(login, pdu, 0, pdu->len));
        audit_was(f, "a Login Response in full feature phase%s", asked ? ", of success" : " that no request asked for");
        audit_allowed(f, asked ? "Reject, or the end of the connection" : "one response to one request");
        return;
    }
}

static const struct audit_exchange_check request_checks[] = {
    {AUDIT_VER_002, AUDIT_SUCCESS, true, ~(uint32_t)AUDIT_DIRT_VERSION, version_accepted},
    {AUDIT_NAME_001, AUDIT_SUCCESS, true, 0, names_missing},
    {AUDIT_DUP_001, AUDIT_SUCCESS, true, 0, repeated_key_accepted},
    {AUDIT_PDU_001, AUDIT_SUCCESS, false, 0, stray_accepted},
};

static const struct audit_login_check request_login_checks[] = {
    {AUDIT_PDU_011, second_login},
};

const struct audit_subject audit_request = {request_checks, AUDIT_COUNT(request_checks), request_login_checks,
                                            AUDIT_COUNT(request_login_checks)};
