/*
 * The target's answer to each negotiated key, against what was offered (RFC 7143, 6.2, 12.1, 13). An offer that is
 * itself out of order (said twice, in the wrong stage, a leading-only key on an added connection, one of the answer
 * words) is not judged here.
 */
#include "harness/audit/check.h"

#include <stdio.h>
#include <string.h>

/* Unanswered keys named for one response; more say nothing new. */
#define MISSED_MAX 8u

/* A key that the initiator brought up, and what the target said to it. */
struct offer {
    const struct audit_key *key;
    const struct keys_entry *entry;
    const struct audit_pair *made;
    const struct audit_pair *answer; /* NULL: none yet */
    bool admissible;
    uint8_t csg; /* of the request */
};

/* The entry of the catalogue that a key's own result has, for those keys that have one. */
static const struct key_rule {
    enum keys_id key;
    enum audit_rule_id rule;
} key_rules[] = {
    {KEYS_MAX_CONNECTIONS, AUDIT_KEY_MC_01},         {KEYS_MAX_BURST_LENGTH, AUDIT_KEY_MBL_01},
    {KEYS_FIRST_BURST_LENGTH, AUDIT_KEY_FBL_01},     {KEYS_DEFAULT_TIME2WAIT, AUDIT_KEY_T2W_01},
    {KEYS_DEFAULT_TIME2RETAIN, AUDIT_KEY_T2R_01},    {KEYS_MAX_OUTSTANDING_R2T, AUDIT_KEY_R2T_01},
    {KEYS_ERROR_RECOVERY_LEVEL, AUDIT_KEY_ERL_01},   {KEYS_INITIAL_R2T, AUDIT_KEY_IR2T_01},
    {KEYS_IMMEDIATE_DATA, AUDIT_KEY_IMM_01},         {KEYS_DATA_PDU_IN_ORDER, AUDIT_KEY_DPO_01},
    {KEYS_DATA_SEQUENCE_IN_ORDER, AUDIT_KEY_DSO_01},
};

static enum audit_rule_id rule_of_key(enum keys_id key, enum audit_rule_id otherwise)
{
    for (size_t i = 0; i < AUDIT_COUNT(key_rules); i++)
        if (key_rules[i].key == key)
            return key_rules[i].rule;
    return otherwise;
}

static void add(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                const struct offer *offer, const char *allowed)
{
    struct finding *f = audit_add(run, rule, audit_at_pair(login, offer->answer));
    char value[72];

    audit_was_pair(f, offer->answer);
    audit_allowed(f, "%s, offered was %s", allowed,
                  audit_quote(value, sizeof value, offer->made->value, offer->made->value_len));
}

/* The same where the catalogue tolerates it. */
static void add_tolerated(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                          const struct offer *offer, const char *allowed)
{
    size_t before = run->out->count;

    add(run, rule, login, offer, allowed);
    if (run->out->count > before)
        run->out->items[run->out->count - 1].tolerated = true;
}

/* Has the target, or the initiator, said so? */
static bool says(const struct audit_login *login, enum keys_id id, enum transcript_side side, const char *value)
{
    const struct audit_pair *pair = audit_login_said(login, id, side);

    return pair && text_equals(pair->value, pair->value_len, value);
}

static bool told(const struct audit_login *login, enum keys_id id, const char *value)
{
    return says(login, id, TRANSCRIPT_TARGET, value);
}

static bool said(const struct audit_login *login, enum keys_id id, const char *value)
{
    return says(login, id, TRANSCRIPT_INITIATOR, value);
}

/* Is this key an offer of the initiator's that can be judged? */
static bool offer_take(const struct audit_login *login, const struct audit_key *key, struct offer *offer)
{
    const struct audit_exchange *x;
    uint8_t bit;

    if (!audit_key_by_initiator(key) || key->use[TRANSCRIPT_INITIATOR].count != 1)
        return false;
    *offer = (struct offer){.key = key, .entry = key->entry};
    offer->made = audit_key_pair(login, key, TRANSCRIPT_INITIATOR);
    offer->answer = audit_key_pair(login, key, TRANSCRIPT_TARGET);
    x = &login->exchanges[key->use[TRANSCRIPT_INITIATOR].exchange];
    offer->csg = x->req.csg;
    if (!key->entry)
        return keys_word(offer->made->value, offer->made->value_len) == KEYS_WORD_VALUE;
    bit = offer->csg == PDU_STAGE_SECURITY ? KEYS_STAGE_SECURITY : KEYS_STAGE_OPERATIONAL;
    if ((key->entry->stages & bit) == 0 || (key->entry->senders & KEYS_FROM_INITIATOR) == 0)
        return false;
    if (!login->leading && key->entry->use == KEYS_LO)
        return false;
    if ((key->entry->flags & KEYS_AUTHENTICATION) != 0 && key->entry->id != KEYS_AUTH_METHOD)
        return false;
    offer->admissible = keys_check_value(key->entry, offer->made->value, offer->made->value_len) == KEYS_VALUE_OK;
    return key->entry->type == KEYS_TEXT || keys_word(offer->made->value, offer->made->value_len) == KEYS_WORD_VALUE;
}

/* 6.2: all keys of the document are understood. */
static void not_understood(struct audit_run *run, const struct audit_login *login, const struct offer *offer)
{
    enum audit_rule_id rule = AUDIT_NEG_015;

    if ((offer->entry->flags & KEYS_MUST_UNDERSTAND) == 0)
        return;
    if (offer->entry->id == KEYS_IF_MARKER || offer->entry->id == KEYS_OF_MARKER)
        rule = AUDIT_OBS_001;
    else if (offer->entry->flags & KEYS_OBSOLETE)
        rule = AUDIT_OBS_002;
    else if (offer->entry->id == KEYS_MAX_RECV_DATA_SEGMENT_LENGTH)
        rule = AUDIT_KEY_MRD_01;
    add(run, rule, login, offer, "never NotUnderstood");
}

static bool digest(const struct keys_entry *entry)
{
    return entry->id == KEYS_HEADER_DIGEST || entry->id == KEYS_DATA_DIGEST;
}

/* Irrelevant is for keys that another choice made pointless; in discovery sessions for many (13.21). */
static void irrelevant(struct audit_run *run, const struct audit_login *login, const struct offer *offer)
{
    const struct audit_key *rdma = audit_login_known(login, KEYS_RDMA_EXTENSIONS);

    if (offer->entry->flags & KEYS_OBSOLETE) {
        add_tolerated(run,
                      offer->entry->id == KEYS_IF_MARKER || offer->entry->id == KEYS_OF_MARKER ? AUDIT_OBS_001
                                                                                               : AUDIT_OBS_002,
                      login, offer, "Reject");
        return;
    }
    if (offer->entry->id == KEYS_MAX_RECV_DATA_SEGMENT_LENGTH) {
        add(run, AUDIT_KEY_MRD_01, login, offer, "the target's own length");
        return;
    }
    if (audit_maybe_discovery(login))
        return;
    if (offer->entry->id == KEYS_FIRST_BURST_LENGTH) {
        /* 13.14: without unsolicited data there is no first burst. */
        if (offer->admissible &&
            ((told(login, KEYS_IMMEDIATE_DATA, "Yes") && !said(login, KEYS_IMMEDIATE_DATA, "No")) ||
             (told(login, KEYS_INITIAL_R2T, "No") && !said(login, KEYS_INITIAL_R2T, "Yes"))))
            add_tolerated(run, AUDIT_KEY_FBL_01, login, offer, "a length, for there is unsolicited data");
        return;
    }
    if (offer->entry->id == KEYS_AUTH_METHOD)
        add(run, AUDIT_AUTH_001, login, offer, "a method of the offer, or Reject");
    else if (digest(offer->entry) && !rdma)
        add(run, AUDIT_NEG_032, login, offer, "a value of the offer, or Reject");
    else if (rule_of_key(offer->entry->id, AUDIT_RULE_COUNT) != AUDIT_RULE_COUNT && offer->admissible)
        add(run, rule_of_key(offer->entry->id, AUDIT_NEG_014), login, offer, "an admissible value");
}

/* A digest list that leaves no reason for Reject: every implementation has both of its values (13.1). */
static bool offers_both(const struct offer *offer)
{
    return digest(offer->entry) && text_list_has(offer->made->value, offer->made->value_len, "None", 4) &&
           text_list_has(offer->made->value, offer->made->value_len, "CRC32C", 6);
}

/* Is the proposal above a MaxBurstLength of either side (13.14)? Then Reject may say so; whether it may stay so is
 * judged by the outcome. */
static bool bursts_at_odds(const struct audit_login *login, uint64_t first)
{
    for (int side = 0; side < 2; side++) {
        const struct audit_pair *max = audit_login_said(login, KEYS_MAX_BURST_LENGTH, (enum transcript_side)side);
        uint64_t limit;

        if (max && (text_parse_number(max->value, max->value_len, &limit) != TEXT_NUMBER_OK || first > limit))
            return true;
    }
    return false;
}

/* 6.2.2: Reject is for what is not admissible, and for lists without a usable value. */
static void rejected(struct audit_run *run, const struct audit_login *login, const struct offer *offer)
{
    uint64_t number = UINT64_MAX;

    if (offer->admissible && offer->entry->id == KEYS_MAX_RECV_DATA_SEGMENT_LENGTH) {
        add(run, AUDIT_KEY_MRD_01, login, offer, "the target's own length");
        return;
    }
    if (!offer->admissible || audit_maybe_discovery(login))
        return;
    (void)text_parse_number(offer->made->value, offer->made->value_len, &number);
    /* Rules across keys may make these unacceptable (13.13, 13.14). */
    if ((offer->entry->id == KEYS_FIRST_BURST_LENGTH && bursts_at_odds(login, number)) ||
        (offer->entry->id == KEYS_MAX_BURST_LENGTH && number < 65536))
        return;
    if (offers_both(offer)) {
        add_tolerated(run, AUDIT_NEG_032, login, offer, "a value of the offer");
        return;
    }
    if (rule_of_key(offer->entry->id, AUDIT_RULE_COUNT) != AUDIT_RULE_COUNT)
        add(run, rule_of_key(offer->entry->id, AUDIT_NEG_014), login, offer, "an admissible value");
}

/* A value of the list that nobody offered. Which entry says so depends on the list. */
static void not_offered(struct audit_run *run, const struct audit_login *login, const struct offer *offer)
{
    const struct audit_pair *made = offer->made;
    const char *known = offer->entry->values;
    bool single = text_list_count(made->value, made->value_len) == 1;
    bool usable = false;
    struct text_list list;
    const char *item;
    size_t len;

    if (!offer->admissible)
        return;
    text_list_init(&list, made->value, made->value_len);
    while (known && text_list_next(&list, &item, &len))
        usable = usable || text_list_has(known, strlen(known), item, len);
    if (offer->entry->id == KEYS_AUTH_METHOD)
        add(run,
            !usable  ? AUDIT_AUTH_006
            : single ? AUDIT_AUTH_007
                     : AUDIT_AUTH_001,
            login, offer, "a method of the offer, or Reject");
    else if (offer->entry->id == KEYS_TASK_REPORTING)
        add(run, AUDIT_KEY_TR_01, login, offer, "one value of the offer");
    else if (!usable)
        add(run, AUDIT_NEG_004, login, offer, "Reject, for a list without a usable value");
    else
        add(run, single ? AUDIT_NEG_005 : AUDIT_NEG_032, login, offer, "one value of the offer, or Reject");
}

/* 13.25: markers are gone. Targets of RFC 3720 still have them. */
static void obsolete(struct audit_run *run, const struct audit_login *login, const struct offer *offer)
{
    bool marker = offer->entry->id == KEYS_IF_MARKER || offer->entry->id == KEYS_OF_MARKER;
    bool no = text_equals(offer->answer->value, offer->answer->value_len, "No");
    uint64_t number;

    if (login->transcript->context.rfc3720)
        return;
    if (marker && !no)
        add(run, AUDIT_OBS_001, login, offer, "Reject or No");
    if (!marker && text_parse_number(offer->answer->value, offer->answer->value_len, &number) != TEXT_NUMBER_OK)
        add(run, AUDIT_OBS_002, login, offer, "Reject");
}

#ifdef PLANTED_FAULTS
/* Takes for granted that nobody answers with a long list. */
static void planted_items(const struct audit_pair *answer)
{
    volatile size_t lengths[12];
    struct text_list list;
    const char *item;
    size_t count = 0, len;

    text_list_init(&list, answer->value, answer->value_len);
    while (text_list_next(&list, &item, &len))
        lengths[count++] = len;
}
#endif

/* Answers that are values. */
static void value_answered(struct audit_run *run, const struct audit_login *login, const struct offer *offer,
                           enum keys_answer answer)
{
    enum keys_id id = offer->entry->id;
    bool and = offer->entry->type == KEYS_BOOL_AND;
    bool number = offer->entry->type == KEYS_NUMBER_MIN || offer->entry->type == KEYS_NUMBER_MAX;

#ifdef PLANTED_FAULTS
    planted_items(offer->answer);
#endif
    if (offer->entry->flags & KEYS_OBSOLETE) {
        obsolete(run, login, offer);
    } else if (answer == KEYS_ANSWER_ABOVE_OFFER) {
        add(run, id == KEYS_ISCSI_PROTOCOL_LEVEL ? AUDIT_KEY_PL_02 : AUDIT_NEG_012, login, offer,
            "not above the offer");
    } else if (answer == KEYS_ANSWER_BELOW_OFFER) {
        add(run, AUDIT_NEG_013, login, offer, "not below the offer");
    } else if (answer == KEYS_ANSWER_WRONG_BOOL && !audit_maybe_discovery(login)) {
        add(run, and? AUDIT_NEG_009 : AUDIT_NEG_011, login, offer, and? "No" : "Yes");
    } else if (answer == KEYS_ANSWER_NOT_OFFERED) {
        not_offered(run, login, offer);
    } else if (answer == KEYS_ANSWER_OUT_OF_RANGE || (answer == KEYS_ANSWER_SYNTAX && !number)) {
        /* The form of numbers has its own rule, in textform.c. */
        enum audit_rule_id rule = offer->entry->type == KEYS_LIST ? AUDIT_NEG_032 : rule_of_key(id, AUDIT_NEG_014);

        if (id == KEYS_AUTH_METHOD)
            rule = AUDIT_AUTH_001;
        add(run, offer->admissible ? rule : AUDIT_NEG_014, login, offer, "an admissible value");
    }
}

/* 6.2: a public key that is in no document cannot be known. Of a private one nobody can tell. */
static void unknown_key(struct audit_run *run, const struct audit_login *login, const struct offer *offer)
{
    if (keys_word(offer->answer->value, offer->answer->value_len) != KEYS_WORD_NOT_UNDERSTOOD &&
        !keys_is_private(offer->key->name, offer->key->len) && text_key_valid(offer->key->name, offer->key->len))
        add(run, AUDIT_NEG_017, login, offer, "NotUnderstood");
}

/* 6.3.2, 13: an operational key that the initiator said in the security stage is not negotiated there. */
static void wrong_stage(struct audit_run *run, const struct audit_login *login, const struct audit_pair *pair)
{
    const struct audit_key *key = &login->keys[pair->key_index];
    const struct audit_exchange *x;
    struct finding *f;

    if (!key->entry || !audit_key_by_initiator(key) || (key->entry->flags & KEYS_DECLARATIVE) != 0 ||
        key->entry->stages != KEYS_STAGE_OPERATIONAL)
        return;
    x = &login->exchanges[key->use[TRANSCRIPT_INITIATOR].exchange];
    if (x->req.csg != PDU_STAGE_SECURITY || keys_word(pair->value, pair->value_len) != KEYS_WORD_VALUE)
        return;
    f = audit_add(run, AUDIT_KST_001, audit_at_pair(login, pair));
    audit_was_pair(f, pair);
    audit_allowed(f, "a refusal, or NotUnderstood");
}

static void answers(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                    const struct audit_exchange *x)
{
    const struct audit_text *text;

    (void)rule;
    if (x->response_text == AUDIT_NONE || !audit_keys_judged(x))
        return;
    text = &login->texts[x->response_text];
    for (size_t i = text->pair_first; i < text->pair_first + text->pair_count; i++) {
        const struct audit_pair *pair = &login->pairs[i];
        const struct audit_key *key = &login->keys[pair->key_index];
        enum keys_answer answer;
        struct offer offer;

        wrong_stage(run, login, pair);
        if (key->use[TRANSCRIPT_TARGET].first != i || !offer_take(login, key, &offer))
            continue;
        if (!offer.entry) {
            unknown_key(run, login, &offer);
            continue;
        }
        answer = keys_check_answer(offer.entry, offer.made->value, offer.made->value_len, pair->value, pair->value_len);
        if (answer == KEYS_ANSWER_NOT_UNDERSTOOD)
            not_understood(run, login, &offer);
        else if (answer == KEYS_ANSWER_IRRELEVANT)
            irrelevant(run, login, &offer);
        else if (answer == KEYS_ANSWER_REJECT)
            rejected(run, login, &offer);
        else
            value_answered(run, login, &offer, answer);
    }
}

/* Which entry says that this offer has to be answered; AUDIT_RULE_COUNT when none does. */
static enum audit_rule_id answer_due(const struct audit_login *login, const struct offer *offer)
{
    if (!offer->entry) {
        /* Private keys are for normal sessions, and neither kind has a place in the security stage (13.22, 12). */
        if (offer->csg == PDU_STAGE_SECURITY)
            return AUDIT_RULE_COUNT;
        if (!keys_is_private(offer->key->name, offer->key->len))
            return AUDIT_NEG_017;
        return audit_maybe_discovery(login) ? AUDIT_RULE_COUNT : AUDIT_NEG_016;
    }
    if (!keys_answer_required(offer->entry, offer->made->value, offer->made->value_len))
        return AUDIT_RULE_COUNT;
    if (offer->entry->id == KEYS_IF_MARKER || offer->entry->id == KEYS_OF_MARKER)
        return AUDIT_OBS_001;
    return offer->entry->flags & KEYS_OBSOLETE ? AUDIT_OBS_002 : AUDIT_RSP_011;
}

/* 6.2, 6.2.2: a stage does not end before every offer has its answer. */
static void all_answered(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                         const struct audit_exchange *x)
{
    size_t index = (size_t)(x - login->exchanges);
    unsigned missed = 0;

    if (!audit_keys_judged(x) || x->response_text == AUDIT_NONE || !x->rsp.transit || x->rsp.cont || !x->req.transit ||
        x->rsp.nsg <= x->req.csg || login->partial)
        return;
    for (size_t i = 0; i < login->key_count; i++) {
        const struct audit_key *key = &login->keys[i];
        struct offer offer;
        struct finding *f;
        char name[72];

        if ((key->use[TRANSCRIPT_TARGET].count > 0 && key->use[TRANSCRIPT_TARGET].exchange <= index) ||
            (key->entry && (key->entry->flags & KEYS_DECLARATIVE) != 0))
            continue;
        if (key->use[TRANSCRIPT_INITIATOR].exchange > index || !offer_take(login, key, &offer))
            continue;
        /* Already missed when the security stage ended. */
        if (offer.csg == PDU_STAGE_SECURITY && x->req.csg != PDU_STAGE_SECURITY)
            continue;
        rule = answer_due(login, &offer);
        if (rule == AUDIT_RULE_COUNT)
            continue;
        if (++missed > MISSED_MAX)
            break;
        f = audit_add(run, rule, audit_at_pdu(login, x->response, 0, x->response->len));
        audit_was(f, "%s has no answer, and the stage ends", audit_quote(name, sizeof name, key->name, key->len));
        audit_allowed(f, "%s=%s", name, offer.entry ? "a result, or Reject" : "NotUnderstood");
    }
}

/* 6.2: an empty response, though a key of this request waits for an answer. */
static void not_empty(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                      const struct audit_exchange *x)
{
    const struct audit_text *asked;

    if (!audit_keys_judged(x) || x->request_text == AUDIT_NONE || x->response_text == AUDIT_NONE || x->rsp.transit ||
        login->texts[x->response_text].len > 0 || login->partial)
        return;
    asked = &login->texts[x->request_text];
    for (size_t i = asked->pair_first; i < asked->pair_first + asked->pair_count; i++) {
        struct offer offer;
        struct finding *f;

        if (!offer_take(login, &login->keys[login->pairs[i].key_index], &offer) ||
            answer_due(login, &offer) == AUDIT_RULE_COUNT)
            continue;
        f = audit_add(run, rule, audit_at_field(login, x->response, "DataSegmentLength"));
        audit_was(f, "an empty response");
        audit_allowed(f, "the answers to the keys of the request");
        return;
    }
}

static const struct audit_exchange_check answers_checks[] = {
    {AUDIT_NEG_014, AUDIT_SUCCESS, true, AUDIT_DIRT_OPCODE | AUDIT_DIRT_CHAIN, answers},
    {AUDIT_RSP_011, AUDIT_SUCCESS, true, AUDIT_DIRT_TEXTS | AUDIT_DIRT_STAGE, all_answered},
    {AUDIT_RSP_010, AUDIT_SUCCESS, true,
     AUDIT_DIRT_TEXTS | AUDIT_DIRT_STAGE | AUDIT_DIRT_DUPLICATE | AUDIT_DIRT_KEY_PLACE, not_empty},
};

const struct audit_subject audit_answers = {answers_checks, AUDIT_COUNT(answers_checks), NULL, 0};
