/* Form of the target's text, and keys that have no place in it (RFC 7143, 6.1, 6.3, 13). */
#include "harness/audit/check.h"

/* 6.1: every string is key=value and ends in one null byte. */
static void well_formed(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                        const struct audit_exchange *x)
{
    const struct audit_text *text;
    struct finding *f;
    char quoted[80];

    if (x->response_text == AUDIT_NONE)
        return;
    text = &login->texts[x->response_text];
    if (text->form == TEXT_END)
        return;
    /* The refusal came before all of it was fetched (C=1): the last string never ended. */
    if (text->form == TEXT_NO_NULL && !x->success && text->first < text->last)
        return;
    /* A key that the initiator got wrong is answered by its wrong name. */
    if ((x->dirt & AUDIT_DIRT_TEXT) != 0 && (text->form == TEXT_KEY_TOO_LONG || text->form == TEXT_EMPTY_KEY))
        return;
    f = audit_add(run, rule, audit_at_text(login, text, text->bad.offset, text->bad.len));
    audit_was(f, "%s: %s", text_result_name(text->form),
              audit_quote(quoted, sizeof quoted, text->bytes + text->bad.offset, text->bad.len));
    audit_allowed(f, "key=value strings, each with one null byte");
}

/* 6.1: standard-label, and simple values of at most 255 bytes where the key does not say otherwise. */
static void names_and_lengths(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                              const struct audit_pair *pair)
{
    const struct audit_key *key = &login->keys[pair->key_index];
    struct finding *f;

    if (key->use[TRANSCRIPT_INITIATOR].count == 0 && !text_key_valid(pair->key, pair->key_len)) {
        f = audit_add(run, rule, audit_at_pair(login, pair));
        audit_was_pair(f, pair);
        audit_allowed(f, "a key name of 1 to 63 of the characters in 6.1");
    } else if (!key->entry && pair->value_len > TEXT_VALUE_MAX) {
        f = audit_add(run, rule, audit_at_pair(login, pair));
        audit_was(f, "a value of %zu bytes", pair->value_len);
        audit_allowed(f, "at most %u", TEXT_VALUE_MAX);
    }
}

/* 6.3: no key twice in a login. Repetitions by the initiator may be answered each. */
static void not_repeated(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                         const struct audit_pair *pair, size_t index)
{
    const struct audit_key *key = &login->keys[pair->key_index];
    struct finding *f;

    if (key->use[TRANSCRIPT_TARGET].first == index || key->use[TRANSCRIPT_INITIATOR].count > 1 ||
        (key->entry && (key->entry->flags & KEYS_REPEATABLE) != 0))
        return;
    if (audit_pair_turns_down(key, pair) ||
        audit_pair_turns_down(key, &login->pairs[key->use[TRANSCRIPT_TARGET].first]))
        return;
    if (key->entry && key->entry->id == KEYS_TARGET_PORTAL_GROUP_TAG)
        rule = AUDIT_TPGT_004;
    /* A second challenge has a rule of its own, but for a key twice in one text. */
    if (key->entry && login->pairs[key->use[TRANSCRIPT_TARGET].first].text != pair->text &&
        (key->entry->id == KEYS_CHAP_A || key->entry->id == KEYS_CHAP_I || key->entry->id == KEYS_CHAP_C))
        return;
    f = audit_add(run, rule, audit_at_pair(login, pair));
    audit_was_pair(f, pair);
    audit_allowed(f, "each key once in a login");
}

/* 6.3, 12, 13: the stage of the key. What the initiator brought into the wrong stage is not the target's. */
static void in_stage(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                     const struct audit_pair *pair, uint8_t csg)
{
    const struct audit_key *key = &login->keys[pair->key_index];
    uint8_t bit = csg == PDU_STAGE_SECURITY ? KEYS_STAGE_SECURITY : KEYS_STAGE_OPERATIONAL;
    struct finding *f;

    if (!key->entry || key->entry->stages == 0 || (key->entry->stages & bit) != 0 || audit_key_by_initiator(key))
        return;
    f = audit_add(run, rule, audit_at_pair(login, pair));
    audit_was(f, "%s in the stage %s", key->entry->name, pdu_stage_name(csg));
    audit_allowed(f, "keys of that stage");
}

/* 13.3, 13.4, 13.5, 13.7, 13.21: keys that a target does not say in a login. */
static void not_his(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                    const struct audit_pair *pair)
{
    const struct audit_key *key = &login->keys[pair->key_index];
    const struct audit_pair *said = audit_key_pair(login, key, TRANSCRIPT_INITIATOR);
    enum keys_word word = keys_word(pair->value, pair->value_len);
    struct finding *f;

    if (!key->entry || (key->entry->id != KEYS_TARGET_NAME && (key->entry->senders & KEYS_FROM_TARGET) != 0))
        return;
    if (key->entry->flags & KEYS_AUTHENTICATION)
        return;
    /* NotUnderstood to a key of the document, and replies to what the initiator got wrong, are judged elsewhere. */
    if (said && word != KEYS_WORD_VALUE &&
        (word == KEYS_WORD_NOT_UNDERSTOOD || key->entry->stages == 0 ||
         /* RFC 7145, 6: they are irrelevant without RDMAExtensions=Yes, and may be called so */
         (word == KEYS_WORD_IRRELEVANT && key->entry->id > KEYS_RDMA_EXTENSIONS) ||
         keys_check_value(key->entry, said->value, said->value_len) != KEYS_VALUE_OK))
        return;
    if (key->entry->id == KEYS_TARGET_NAME || key->entry->id == KEYS_SEND_TARGETS) {
        const struct audit_key *send = audit_login_known(login, KEYS_SEND_TARGETS);

        rule = send && send->use[TRANSCRIPT_INITIATOR].count > 0 ? AUDIT_KST_005 : AUDIT_RSP_015;
    }
    f = audit_add(run, rule, audit_at_pair(login, pair));
    audit_was_pair(f, pair);
    audit_allowed(f, "not in a Login Response");
}

/* 6.1: numbers are decimal without leading zeros, or 0x and hex digits. */
static void number_form(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                        const struct audit_pair *pair)
{
    const struct keys_entry *entry = login->keys[pair->key_index].entry;
    enum text_number_error error;
    uint64_t number;
    struct finding *f;

    if (!entry || (entry->type != KEYS_NUMBER_MIN && entry->type != KEYS_NUMBER_MAX && entry->type != KEYS_NUMBER))
        return;
    /* The tag is a binary value of 16 bits, with more forms (13.9); declare.c judges it. */
    if (entry->id == KEYS_TARGET_PORTAL_GROUP_TAG || (entry->flags & KEYS_AUTHENTICATION) != 0 ||
        keys_word(pair->value, pair->value_len) != KEYS_WORD_VALUE)
        return;
    error = text_parse_number(pair->value, pair->value_len, &number);
    if (error == TEXT_NUMBER_OK || error == TEXT_NUMBER_TOO_LARGE)
        return;
    f = audit_add(run, rule, audit_at_pair(login, pair));
    audit_was_pair(f, pair);
    audit_allowed(f, "a number (%s)", text_number_error_name(error));
}

/*
 * 6.3.1: parameters are of responses that accept. That the login is refused may be said by Reject or the like, and a
 * redirect has its address.
 */
static void no_negotiation(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                           const struct audit_exchange *x)
{
    static const enum keys_id free_keys[] = {KEYS_TARGET_ADDRESS, KEYS_TARGET_ALIAS, KEYS_TARGET_PORTAL_GROUP_TAG};
    const struct audit_text *text = x->response_text == AUDIT_NONE ? NULL : &login->texts[x->response_text];
    size_t own = x->response->data_len;

    for (size_t i = 0; text && i < text->pair_count; i++) {
        const struct audit_pair *pair = &login->pairs[text->pair_first + i];

        /* What came before, with C=1, was no refusal yet. */
        if (own <= text->len && pair->at + pair->len <= text->len - own)
            continue;
        const struct keys_entry *entry = login->keys[pair->key_index].entry;
        bool parameter = entry && keys_word(pair->value, pair->value_len) == KEYS_WORD_VALUE;
        struct finding *f;

        for (size_t k = 0; parameter && k < AUDIT_COUNT(free_keys); k++)
            parameter = entry->id != free_keys[k];
        if (!parameter)
            continue;
        f = audit_add(run, rule, audit_at_pair(login, pair));
        audit_was_pair(f, pair);
        audit_allowed(f, "no parameter in a refusal");
        return;
    }
}

/* All rules about single pairs of a response, in one walk. */
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

        names_and_lengths(run, AUDIT_RSP_009, login, pair);
        if (audit_keys_judged(x))
            not_repeated(run, AUDIT_RSP_013, login, pair, i);
        if (x->success && (x->dirt & (AUDIT_DIRT_STAGE | AUDIT_DIRT_OPCODE)) == 0 && audit_keys_judged(x))
            in_stage(run, AUDIT_RSP_014, login, pair, x->login_request ? x->req.csg : x->rsp.csg);
        not_his(run, AUDIT_KST_011, login, pair);
        number_form(run, AUDIT_NUM_012, login, pair);
    }
}

static const struct audit_exchange_check textform_checks[] = {
    {AUDIT_RSP_009, AUDIT_LOGIN, false, 0, well_formed},
    {AUDIT_RSP_013, AUDIT_LOGIN, false, 0, pairs},
    {AUDIT_RSP_018, AUDIT_REFUSAL, false, 0, no_negotiation},
};

const struct audit_subject audit_textform = {textform_checks, AUDIT_COUNT(textform_checks), NULL, 0};
