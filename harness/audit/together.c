/* Rules that tie keys together (RFC 7143, 6.2, 13.14, 13.17, 7.4.1), judged when the login is complete. */
#include "harness/audit/check.h"

/* What a key came out as. */
struct outcome_value {
    uint64_t number;             /* Yes is 1 */
    bool said;                   /* by the initiator or the target */
    bool rejected;               /* the default holds because of Reject */
    bool pointless;              /* Irrelevant */
    bool unknown;                /* neither: cannot be told */
    const struct audit_pair *by; /* the pair that settled it */
};

static bool parse(const struct keys_entry *entry, const struct audit_pair *pair, uint64_t *number)
{
    bool yes;

    if (entry->type != KEYS_BOOL_AND && entry->type != KEYS_BOOL_OR)
        return keys_check_value(entry, pair->value, pair->value_len) == KEYS_VALUE_OK &&
               text_parse_number(pair->value, pair->value_len, number) == TEXT_NUMBER_OK;
    if (!text_parse_bool(pair->value, pair->value_len, &yes))
        return false;
    *number = yes;
    return true;
}

static uint64_t fallback(const struct keys_entry *entry)
{
    size_t len = 0;
    uint64_t number = 0;
    struct audit_pair pair = {.value = entry->fallback};

    while (entry->fallback[len] != '\0')
        len++;
    pair.value_len = len;
    (void)parse(entry, &pair, &number);
    return number;
}

/* The later of offer and answer; without an answer what the offer alone decides; else the default. */
static struct outcome_value value_of(const struct audit_login *login, enum keys_id id)
{
    const struct keys_entry *entry = keys_at((size_t)id);
    const struct audit_key *key = audit_login_known(login, id);
    struct outcome_value value = {.said = key != NULL};
    const struct audit_pair *asked = audit_key_pair(login, key, TRANSCRIPT_INITIATOR);
    const struct audit_pair *told = audit_key_pair(login, key, TRANSCRIPT_TARGET);
    const struct audit_pair *offer;
    const struct audit_pair *answer;
    enum keys_word word;
    uint64_t number;

    if (!key) {
        value.number = fallback(entry);
        return value;
    }
    offer = audit_key_by_initiator(key) ? asked : told;
    answer = offer == asked ? told : asked;
    value.by = answer ? answer : offer;
    if (key->use[TRANSCRIPT_INITIATOR].count > 1 || key->use[TRANSCRIPT_TARGET].count > 1) {
        value.unknown = true;
    } else if (!answer) {
        if (!parse(entry, offer, &number))
            value.unknown = true;
        else
            value.number = keys_answer_required(entry, offer->value, offer->value_len) ? fallback(entry) : number;
    } else if ((word = keys_word(answer->value, answer->value_len)) != KEYS_WORD_VALUE) {
        value.pointless = word == KEYS_WORD_IRRELEVANT;
        value.rejected = !value.pointless;
        value.number = fallback(entry);
    } else if (!parse(entry, answer, &value.number)) {
        value.unknown = true;
    }
    return value;
}

static struct audit_place where(const struct audit_login *login, const struct outcome_value *value)
{
    const struct transcript_pdu *final = login->exchanges[login->final].response;

    return value->by && login->texts[value->by->text].side == TRANSCRIPT_TARGET
               ? audit_at_pair(login, value->by)
               : audit_at_pdu(login, final, 0, final->len);
}

/* Is the outcome of this login one that rules about its keys can be held against? */
static bool judged(const struct audit_login *login)
{
    uint32_t blind = AUDIT_DIRT_TEXTS | AUDIT_DIRT_DUPLICATE | AUDIT_DIRT_KEY_PLACE;

    return login->final != AUDIT_NONE && login->leading && !login->partial &&
           (login->exchanges[login->final].dirt & blind) == 0;
}

/* 13.14: FirstBurstLength is not above MaxBurstLength, values left at their default included. */
static void bursts(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    struct outcome_value first, max, r2t, immediate;
    struct finding *f;

    if (!judged(login) || audit_maybe_discovery(login))
        return;
    first = value_of(login, KEYS_FIRST_BURST_LENGTH);
    max = value_of(login, KEYS_MAX_BURST_LENGTH);
    /* A lowered MaxBurstLength next to a FirstBurstLength that nobody named is tolerated. */
    if (!first.said || first.unknown || max.unknown || first.pointless || max.pointless || first.number <= max.number)
        return;
    r2t = value_of(login, KEYS_INITIAL_R2T);
    immediate = value_of(login, KEYS_IMMEDIATE_DATA);
    if (r2t.unknown || immediate.unknown || (r2t.number == 1 && immediate.number == 0))
        return;
    if (first.rejected)
        rule = AUDIT_NEG_022;
    else if (!max.said)
        rule = AUDIT_KEY_FBL_07;
    f = audit_add(run, rule, where(login, &first));
    audit_was(f, "FirstBurstLength %llu with MaxBurstLength %llu", (unsigned long long)first.number,
              (unsigned long long)max.number);
    audit_allowed(f, "FirstBurstLength at most MaxBurstLength");
}

/* 13.17, 13.19 */
static void one_r2t(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    struct outcome_value level, order, r2t;
    struct finding *f;

    if (!judged(login) || audit_maybe_discovery(login))
        return;
    level = value_of(login, KEYS_ERROR_RECOVERY_LEVEL);
    if (level.unknown || level.number == 0)
        return;
    order = value_of(login, KEYS_DATA_SEQUENCE_IN_ORDER);
    r2t = value_of(login, KEYS_MAX_OUTSTANDING_R2T);
    if (order.unknown || r2t.unknown || r2t.pointless || order.number == 0 || r2t.number <= 1)
        return;
    f = audit_add(run, rule, where(login, &r2t));
    audit_was(f, "MaxOutstandingR2T %llu with ErrorRecoveryLevel %llu and DataSequenceInOrder=Yes",
              (unsigned long long)r2t.number, (unsigned long long)level.number);
    audit_allowed(f, "MaxOutstandingR2T=1");
}

/* 7.4.1 */
static void discovery_level(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    struct outcome_value level;
    struct finding *f;

    if (!judged(login) || !audit_surely_discovery(login))
        return;
    level = value_of(login, KEYS_ERROR_RECOVERY_LEVEL);
    if (level.unknown || level.number == 0)
        return;
    f = audit_add(run, rule, where(login, &level));
    audit_was(f, "ErrorRecoveryLevel %llu in a discovery session", (unsigned long long)level.number);
    audit_allowed(f, "0");
}

static const struct audit_login_check together_checks[] = {
    {AUDIT_KEY_FBL_05, bursts},
    {AUDIT_KEY_R2T_05, one_r2t},
    {AUDIT_KEY_ERL_05, discovery_level},
};

const struct audit_subject audit_together = {NULL, 0, together_checks, AUDIT_COUNT(together_checks)};
