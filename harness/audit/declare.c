/* What the target says of its own: portal group tag, addresses, proposals (RFC 7143, 6.3.1, 13.8, 13.9, 11.13.6). */
#include "harness/audit/check.h"

#include "wire/status.h"

static void add(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                const struct audit_pair *pair, const char *allowed)
{
    struct finding *f = audit_add(run, rule, audit_at_pair(login, pair));

    audit_was_pair(f, pair);
    audit_allowed(f, "%s", allowed);
}

/* The response in which the tag is due: the first behind the first request with C=0 (6.3.1). */
static bool tag_due_here(const struct audit_login *login, const struct audit_exchange *x)
{
    size_t index = (size_t)(x - login->exchanges);
    const struct audit_text *text;

    if (login->first_text == AUDIT_NONE || x->response_text == AUDIT_NONE)
        return false;
    text = &login->texts[x->response_text];
    return text->first <= login->texts[login->first_text].last && index >= login->texts[login->first_text].last;
}

static void tag_declared(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                         const struct audit_exchange *x)
{
    bool named = audit_login_said(login, KEYS_TARGET_NAME, TRANSCRIPT_INITIATOR) != NULL;
    struct finding *f;

    if (!named || !tag_due_here(login, x) || login->partial ||
        audit_text_find(login, x->response_text, KEYS_TARGET_PORTAL_GROUP_TAG))
        return;
    /* Too early, in answer to C=1: that has its own rule. */
    for (size_t i = 0; i < (size_t)(x - login->exchanges) && i < login->texts[login->first_text].last; i++) {
        const struct audit_exchange *before = &login->exchanges[i];

        if (before->response_text != AUDIT_NONE &&
            audit_text_find(login, before->response_text, KEYS_TARGET_PORTAL_GROUP_TAG))
            return;
    }
    if (login->discovery)
        rule = AUDIT_TPGT_007;
    else if (!login->leading)
        rule = AUDIT_TPGT_008;
    else if (x->login_request && x->req.csg == PDU_STAGE_SECURITY)
        rule = AUDIT_TPGT_005;
    f = audit_add(run, rule, audit_at_pdu(login, x->response, 0, x->response->len));
    audit_was(f, "no TargetPortalGroupTag");
    audit_allowed(f, "TargetPortalGroupTag in this response");
}

/* 13.9: a 16-bit binary value; decimal is how everyone writes it. */
static bool tag_valid(const struct audit_pair *pair)
{
    uint8_t bytes[8];
    size_t len;
    uint64_t number;

    if (text_parse_number(pair->value, pair->value_len, &number) == TEXT_NUMBER_OK)
        return number <= UINT16_MAX;
    return text_decode_binary(pair->value, pair->value_len, bytes, sizeof bytes, &len) == TEXT_BINARY_OK && len <= 2;
}

/* 13.8: host[:port] and, but for a redirect, a tag. */
static void address(struct audit_run *run, const struct audit_login *login, const struct audit_exchange *x,
                    const struct audit_pair *pair)
{
    struct text_address parsed;
    const struct audit_key *send = audit_login_known(login, KEYS_SEND_TARGETS);
    enum text_address_error error;

    if (status_class(x->rsp.status) != STATUS_CLASS_REDIRECTION) {
        add(run, send ? AUDIT_KST_005 : AUDIT_RED_010, login, pair, "TargetAddress only in a redirect (class 1)");
        return;
    }
    error = text_parse_address(pair->value, pair->value_len, &parsed);
    if (error == TEXT_ADDRESS_BAD_TAG || (error == TEXT_ADDRESS_OK && parsed.has_tag))
        add(run, AUDIT_RED_003, login, pair, "an address without ',tag'");
    else if (error != TEXT_ADDRESS_OK)
        add(run, AUDIT_RED_004, login, pair, text_address_error_name(error));
}

/* 6.2: an answer word for a key that the initiator has not said. */
static bool answers_nothing(const struct audit_key *key, const struct audit_pair *pair)
{
    bool said = key->use[TRANSCRIPT_INITIATOR].count > 0 && audit_key_by_initiator(key);

    return !said && keys_word(pair->value, pair->value_len) != KEYS_WORD_VALUE &&
           (!key->entry || key->entry->type != KEYS_TEXT);
}

static bool is_number(const struct keys_entry *entry)
{
    return entry->type == KEYS_NUMBER || entry->type == KEYS_NUMBER_MIN || entry->type == KEYS_NUMBER_MAX;
}

/* 6.2, 13: a proposal or declaration has a value that the key can have. */
static void own_value(struct audit_run *run, const struct audit_login *login, const struct audit_key *key,
                      const struct audit_pair *pair)
{
    const struct keys_entry *entry = key->entry;
    bool answer = audit_key_by_initiator(key) && !(entry->flags & KEYS_DECLARATIVE);
    enum keys_check check;

    if (answer || (entry->senders & KEYS_FROM_TARGET) == 0 || entry->id == KEYS_TARGET_NAME ||
        entry->id == KEYS_TARGET_ADDRESS ||
        ((entry->flags & KEYS_AUTHENTICATION) != 0 && entry->id != KEYS_AUTH_METHOD))
        return;
    if (entry->id == KEYS_TARGET_PORTAL_GROUP_TAG) {
        if (!tag_valid(pair) && !audit_pair_turns_down(key, pair))
            add(run, AUDIT_TPGT_003, login, pair, "a number from 0 to 65535");
        return;
    }
    check = keys_check_value(entry, pair->value, pair->value_len);
    /* Malformed numbers are a matter of form; the answer words have been looked at. */
    if (check == KEYS_VALUE_OK || check == KEYS_VALUE_RESERVED_WORD ||
        (is_number(entry) && (check == KEYS_VALUE_SYNTAX || check == KEYS_VALUE_EMPTY)))
        return;
    add(run, AUDIT_NEG_029, login, pair, "a value in the range and form of the key");
}

/* 11.13.6: T=1 leaves nothing for the initiator to answer. */
static void no_proposal_with_transit(struct audit_run *run, const struct audit_login *login,
                                     const struct audit_exchange *x, const struct audit_key *key,
                                     const struct audit_pair *pair)
{
    if (!x->rsp.transit || audit_key_by_initiator(key) || key->use[TRANSCRIPT_INITIATOR].count > 0)
        return;
    /* A key that is not of the document waits for an answer too, be it NotUnderstood (6.2). */
    if (key->entry && (((key->entry->flags & KEYS_AUTHENTICATION) != 0 && key->entry->id != KEYS_AUTH_METHOD) ||
                       !keys_answer_required(key->entry, pair->value, pair->value_len)))
        return;
    add(run, AUDIT_STG_019, login, pair, "no proposal that needs an answer together with T=1");
}

static void pairs(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                  const struct audit_exchange *x)
{
    const struct audit_text *text;

    (void)rule;
    if (x->response_text == AUDIT_NONE)
        return;
    text = &login->texts[x->response_text];
    for (size_t i = text->pair_first; i < text->pair_first + text->pair_count; i++) {
        const struct audit_pair *pair = &login->pairs[i];
        const struct audit_key *key = &login->keys[pair->key_index];

        if (answers_nothing(key, pair)) {
            if ((x->dirt & (AUDIT_DIRT_TEXT | AUDIT_DIRT_CHAIN)) == 0 && !login->partial && audit_keys_judged(x))
                add(run, AUDIT_NEG_020, login, pair, "answers only to keys that were said");
            continue;
        }
        if (!key->entry) {
            if (x->success && audit_keys_judged(x) && text_key_valid(pair->key, pair->key_len))
                no_proposal_with_transit(run, login, x, key, pair);
            continue;
        }
        if (key->entry->id == KEYS_TARGET_ADDRESS)
            address(run, login, x, pair);
        if (key->entry->id == KEYS_TARGET_PORTAL_GROUP_TAG && x->success && x->login_request && x->req.cont)
            add(run, AUDIT_CBIT_011, login, pair, "not before the first request with C=0");
        if (!x->success || !audit_keys_judged(x))
            continue;
        own_value(run, login, key, pair);
        no_proposal_with_transit(run, login, x, key, pair);
    }
}

/* 11.13.5, 13.8: a redirect says where to. */
static void redirect_address(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                             const struct audit_exchange *x)
{
    struct finding *f;

    if (status_class(x->rsp.status) != STATUS_CLASS_REDIRECTION || x->response_text == AUDIT_NONE || login->partial ||
        audit_text_find(login, x->response_text, KEYS_TARGET_ADDRESS))
        return;
    if (x->rsp.status == STATUS_MOVED_PERMANENTLY)
        rule = AUDIT_RED_002;
    f = audit_add(run, rule, audit_at_pdu(login, x->response, 0, x->response->len));
    audit_was(f, "status 0x%04x without TargetAddress", x->rsp.status);
    audit_allowed(f, "at least one TargetAddress");
}

static const struct audit_exchange_check declare_checks[] = {
    {AUDIT_TPGT_001, AUDIT_SUCCESS, true, AUDIT_DIRT_TEXTS | AUDIT_DIRT_NAMES | AUDIT_DIRT_STAGE, tag_declared},
    {AUDIT_NEG_029, AUDIT_LOGIN, false, 0, pairs},
    {AUDIT_RED_001, AUDIT_REFUSAL, false, 0, redirect_address},
};

const struct audit_subject audit_declare = {declare_checks, AUDIT_COUNT(declare_checks), NULL, 0};
