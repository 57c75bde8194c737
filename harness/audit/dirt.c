/*
 * In which points the initiator itself deviated, request by request. Only what a rule of the auditor depends on is
 * looked for; reserved bits are not among it, since a target has to ignore them (RFC 7143, 11).
 */
#include "harness/audit/login.h"

#include <string.h>

/* Fields of the first request that all others repeat (11.12.4 to 11.12.8, 6.3). */
static uint32_t changed_fields(const struct pdu_login_request *first, const struct pdu_login_request *now)
{
    uint32_t dirt = 0;

    if (now->itt != first->itt)
        dirt |= AUDIT_DIRT_ITT;
    if (memcmp(now->isid, first->isid, PDU_ISID_LEN) != 0)
        dirt |= AUDIT_DIRT_ISID;
    if (now->tsih != first->tsih)
        dirt |= AUDIT_DIRT_TSIH;
    if (now->cid != first->cid)
        dirt |= AUDIT_DIRT_CID;
    if (now->version_min != first->version_min || now->version_max != first->version_max)
        dirt |= AUDIT_DIRT_VERSION;
    if (first->tsih == 0 && now->cmd_sn != first->cmd_sn)
        dirt |= AUDIT_DIRT_CMD_SN;
    return dirt;
}

static uint32_t bad_fields(const struct pdu_login_request *req)
{
    uint32_t dirt = 0;

    if (!req->immediate)
        dirt |= AUDIT_DIRT_IMMEDIATE;
    if (req->itt == PDU_NO_TAG)
        dirt |= AUDIT_DIRT_ITT;
    if (req->isid[0] >> 6 == 3)
        dirt |= AUDIT_DIRT_ISID;
    if (req->version_min > PDU_VERSION || req->version_max < req->version_min)
        dirt |= AUDIT_DIRT_VERSION;
    if (req->transit && req->cont)
        dirt |= AUDIT_DIRT_T_AND_C;
    if (req->total_ahs_len != 0)
        dirt |= AUDIT_DIRT_AHS;
    if (req->data_len > PDU_DEFAULT_MAX_RECV)
        dirt |= AUDIT_DIRT_LENGTH;
    return dirt;
}

/* 11.12.3: 0 or 1 now; from 0 to 1 or 3, from 1 to 3; the stage both agreed on. */
static bool stage_fits(const struct audit_exchange *x, bool first)
{
    const struct pdu_login_request *req = &x->req;

    if (req->csg > PDU_STAGE_OPERATIONAL || (!first && req->csg != x->stage))
        return false;
    return !req->transit || (req->nsg > req->csg && req->nsg != PDU_STAGE_RESERVED);
}

/* The stage behind an exchange: the transition counts only if both sides asked for it (6.3). */
static uint8_t stage_after(const struct audit_exchange *x)
{
    if (x->success && x->login_request && x->req.transit && x->rsp.transit)
        return x->rsp.nsg;
    return x->stage;
}

static bool key_in_place(const struct keys_entry *entry, uint8_t csg)
{
    uint8_t bit = csg == PDU_STAGE_SECURITY ? KEYS_STAGE_SECURITY : KEYS_STAGE_OPERATIONAL;

    return (entry->stages & bit) != 0 && (entry->senders & KEYS_FROM_INITIATOR) != 0;
}

/* Faults of a complete text of the initiator. */
static uint32_t bad_text(const struct audit_login *login, const struct audit_text *text, uint8_t csg)
{
    uint32_t dirt = text->form == TEXT_END ? 0 : (uint32_t)AUDIT_DIRT_TEXT;

    for (size_t i = text->pair_first; i < text->pair_first + text->pair_count; i++) {
        const struct audit_pair *pair = &login->pairs[i];
        const struct audit_key *key = &login->keys[pair->key_index];

        if (key->use[TRANSCRIPT_INITIATOR].first != i)
            dirt |= AUDIT_DIRT_DUPLICATE;
        if (!text_key_valid(pair->key, pair->key_len))
            dirt |= AUDIT_DIRT_TEXT;
        /* NotUnderstood is a legal reply to any key of the target's (6.2). */
        if (key->entry && !key_in_place(key->entry, csg) && keys_word(pair->value, pair->value_len) == KEYS_WORD_VALUE)
            dirt |= AUDIT_DIRT_KEY_PLACE;
    }
    return dirt;
}

/* 6.3: InitiatorName always, TargetName unless it is a discovery session, both with a value. */
static bool names_complete(const struct audit_login *login, size_t text)
{
    const struct audit_pair *initiator = audit_text_find(login, text, KEYS_INITIATOR_NAME);
    const struct audit_pair *target = audit_text_find(login, text, KEYS_TARGET_NAME);

    return initiator && initiator->value_len > 0 && (login->discovery || (target && target->value_len > 0));
}

static uint32_t request_dirt(const struct audit_login *login, size_t index)
{
    const struct audit_exchange *x = &login->exchanges[index];
    const struct audit_exchange *before = index > 0 ? &login->exchanges[index - 1] : NULL;
    uint32_t dirt = x->pipelined ? (uint32_t)AUDIT_DIRT_PIPELINE : 0;

    if (!x->login_request)
        return dirt | AUDIT_DIRT_OPCODE;
    dirt |= bad_fields(&x->req);
    if (index > 0)
        dirt |= changed_fields(&login->exchanges[0].req, &x->req);
    if (!stage_fits(x, index == 0))
        dirt |= AUDIT_DIRT_STAGE;
    if (before && before->success && before->rsp.cont && x->req.data_len > 0)
        dirt |= AUDIT_DIRT_CHAIN;
    if (x->request_text != AUDIT_NONE) {
        dirt |= bad_text(login, &login->texts[x->request_text], x->req.csg);
        if (x->request_text == login->first_text && !names_complete(login, x->request_text))
            dirt |= AUDIT_DIRT_NAMES;
    }
    return dirt;
}

void audit_dirt_mark(struct audit_login *login)
{
    uint32_t dirt = 0;
    bool early = false;

    for (size_t i = 0; i < login->count; i++) {
        struct audit_exchange *x = &login->exchanges[i];

        x->stage = i == 0 ? x->req.csg : stage_after(x - 1);
        if (x->request) {
            x->own = request_dirt(login, i);
        } else if (login->tail_request) {
            /* It may be the answer to the PDU that never became complete. */
            x->own = AUDIT_DIRT_INCOMPLETE;
        }
        dirt |= x->own;
        x->dirt = dirt;
        early = early || (x->login_request && x->req.cont && x->success && x->rsp.data_len > 0);
        x->early = early;
    }
}
