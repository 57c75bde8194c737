/*
 * What the target answers to each key; see negotiate.h.
 *
 * Answers stand in the order of the offers. What a key results in is computed by wire/keys from the offer and the
 * target's own wish; the table below says where the result is kept.
 */
#include "negotiate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discovery.h"
#include "engine.h"
#include "login.h"

enum {
    NEGOTIATE_VALUE_MAX = 64,       /* no result of ours is longer */
    NEGOTIATE_UNKNOWN_MAX = 256     /* keys we do not know that are watched for repetition */
};

#define NEGOTIATE_PRIVATE_KEY "X-com.example.benign"

/* Where a result is kept. */
static const struct negotiate_slot {
    enum keys_id id;
    size_t offset;
} negotiate_slots[] = {
    { KEYS_MAX_CONNECTIONS, offsetof(struct negotiate_params, max_connections) },
    { KEYS_INITIAL_R2T, offsetof(struct negotiate_params, initial_r2t) },
    { KEYS_IMMEDIATE_DATA, offsetof(struct negotiate_params, immediate_data) },
    { KEYS_MAX_BURST_LENGTH, offsetof(struct negotiate_params, max_burst_length) },
    { KEYS_FIRST_BURST_LENGTH, offsetof(struct negotiate_params, first_burst_length) },
    { KEYS_DEFAULT_TIME2WAIT, offsetof(struct negotiate_params, default_time2wait) },
    { KEYS_DEFAULT_TIME2RETAIN, offsetof(struct negotiate_params, default_time2retain) },
    { KEYS_MAX_OUTSTANDING_R2T, offsetof(struct negotiate_params, max_outstanding_r2t) },
    { KEYS_DATA_PDU_IN_ORDER, offsetof(struct negotiate_params, data_pdu_in_order) },
    { KEYS_DATA_SEQUENCE_IN_ORDER, offsetof(struct negotiate_params, data_sequence_in_order) },
    { KEYS_ERROR_RECOVERY_LEVEL, offsetof(struct negotiate_params, error_recovery_level) },
    { KEYS_HEADER_DIGEST, offsetof(struct negotiate_params, header_digest) },
    { KEYS_DATA_DIGEST, offsetof(struct negotiate_params, data_digest) }
};

static uint64_t key_bit(enum keys_id id)
{
    return UINT64_C(1) << (unsigned)id;
}

static uint32_t *negotiate_slot(struct negotiate *negotiate, enum keys_id id)
{
    for (size_t i = 0; i < sizeof(negotiate_slots) / sizeof(negotiate_slots[0]); i++) {
        if (negotiate_slots[i].id == id)
            return (uint32_t *)(void *)((char *)&negotiate->params + negotiate_slots[i].offset);
    }
    return NULL;
}

void negotiate_init(struct negotiate *negotiate)
{
    memset(negotiate, 0, sizeof(*negotiate));
    for (size_t i = 0; i < sizeof(negotiate_slots) / sizeof(negotiate_slots[0]); i++) {
        const struct keys_entry *key = keys_at(negotiate_slots[i].id);
        uint32_t *slot = negotiate_slot(negotiate, key->id);
        uint64_t number;
        bool yes;

        if (text_parse_bool(key->fallback, strlen(key->fallback), &yes))
            *slot = yes;
        else if (text_parse_number(key->fallback, strlen(key->fallback), &number) == TEXT_NUMBER_OK)
            *slot = (uint32_t)number;
    }
    negotiate->params.max_send = PDU_DEFAULT_MAX_RECV;
}

/* ---- reading ---- */

/* Names that a conforming but careless initiator repeats; an identical repetition does no harm (keys.md: libiscsi does
 * so after AuthMethod=None). */
static bool negotiate_repeats_name(const struct conn *conn, enum keys_id id, const struct text_pair *pair)
{
    const struct login_identity *identity = &conn->login->identity;
    const char *before;

    if (conn->node->config->strict_redeclare)
        return false;
    switch (id) {
    case KEYS_INITIATOR_NAME: before = identity->initiator; break;
    case KEYS_TARGET_NAME: before = identity->target_name; break;
    case KEYS_SESSION_TYPE: before = identity->session_type; break;
    default: return false;
    }
    return text_equals(pair->value, pair->value_len, before);
}

/* Keys we do not know, of one text. */
struct unknown_keys {
    struct text_pair pairs[NEGOTIATE_UNKNOWN_MAX];
    size_t count;
};

static bool negotiate_unknown_again(struct unknown_keys *unknown, const struct text_pair *pair)
{
    for (size_t i = 0; i < unknown->count; i++) {
        if (unknown->pairs[i].key_len == pair->key_len &&
            memcmp(unknown->pairs[i].key, pair->key, pair->key_len) == 0)
            return true;
    }
    if (unknown->count < NEGOTIATE_UNKNOWN_MAX)
        unknown->pairs[unknown->count++] = *pair;
    return false;
}

static void negotiate_note(const struct conn *conn, const struct negotiate *negotiate, const struct text_pair *pair,
                           struct negotiate_request *request, struct unknown_keys *unknown)
{
    const struct keys_entry *key = keys_find(pair->key, pair->key_len);

    if (key == NULL) {
        if (negotiate_unknown_again(unknown, pair) && !conn_has(conn, DEFECT_UNKNOWN_KEY_TWICE))
            request->duplicate = true;
        return;
    }
    if (negotiate_present(request, key->id)) {
        const struct text_pair *before = &request->pairs[key->id];

        if ((key->flags & KEYS_REPEATABLE) == 0 &&
            !(conn->login != NULL && !conn->node->config->strict_redeclare && key->id <= KEYS_SESSION_TYPE &&
              before->value_len == pair->value_len && memcmp(before->value, pair->value, pair->value_len) == 0))
            request->duplicate = true;
    } else if ((negotiate->seen & key_bit(key->id)) != 0 && (negotiate->proposed & key_bit(key->id)) == 0 &&
               (key->flags & KEYS_REPEATABLE) == 0 && !negotiate_repeats_name(conn, key->id, pair)) {
        request->duplicate = true;
    }
    request->present |= key_bit(key->id);
    request->pairs[key->id] = *pair;
}

void negotiate_parse(const struct conn *conn, const struct negotiate *negotiate, const void *text, size_t length,
                     struct negotiate_request *request)
{
    struct unknown_keys unknown;
    struct text_cursor cursor;
    struct text_pair pair;
    enum text_result result;

    unknown.count = 0;          /* the rest of it is large and needs no zeros */
    request->present = 0;
    request->malformed = false;
    request->duplicate = false;
    text_cursor_init(&cursor, text, length);
    while ((result = text_next(&cursor, &pair)) != TEXT_END) {
        if (result == TEXT_PAIR)
            negotiate_note(conn, negotiate, &pair, request, &unknown);
        else if (result != TEXT_EMPTY_STRING)   /* stray nulls carry nothing */
            request->malformed = true;
    }
}

void negotiate_remember(struct negotiate *negotiate, const struct negotiate_request *request)
{
    negotiate->seen |= request->present;
}

/* ---- own wishes ---- */

/* Copies one of the short words of this file; value has NEGOTIATE_VALUE_MAX bytes. */
static void negotiate_put(char *value, const char *word)
{
    memcpy(value, word, strlen(word) + 1);
}

static const char *negotiate_bool(bool value)
{
    return value ? "Yes" : "No";
}

static const char *negotiate_digest(bool possible, bool required)
{
    return !possible ? "None" : required ? "CRC32C" : "CRC32C,None";
}

/* What the target itself would have of a key, as text; value has NEGOTIATE_VALUE_MAX bytes. */
static void negotiate_own(const struct conn *conn, const struct negotiate *negotiate, enum keys_id id, char *value)
{
    const struct config_params *params = &conn->node->config->params;
    const char *text = NULL;
    uint32_t number = 0;

    switch (id) {
    case KEYS_HEADER_DIGEST: text = negotiate_digest(params->header_digest, params->header_digest_required); break;
    case KEYS_DATA_DIGEST: text = negotiate_digest(params->data_digest, params->data_digest_required); break;
    case KEYS_INITIAL_R2T: text = negotiate_bool(params->initial_r2t); break;
    case KEYS_IMMEDIATE_DATA: text = negotiate_bool(params->immediate_data); break;
    case KEYS_DATA_PDU_IN_ORDER:
    case KEYS_DATA_SEQUENCE_IN_ORDER: text = "Yes"; break;
    case KEYS_TASK_REPORTING:
        text = conn_benign(conn, BENIGN_ALL_TASK_REPORTING) ? "FastAbort,ResponseFence,RFC3720" : "RFC3720";
        break;
    case KEYS_RDMA_EXTENSIONS: text = "No"; break;
    case KEYS_MAX_CONNECTIONS: number = negotiate->own_max_connections; break;
    case KEYS_MAX_BURST_LENGTH: number = params->max_burst_length; break;
    case KEYS_FIRST_BURST_LENGTH: number = params->first_burst_length; break;
    case KEYS_DEFAULT_TIME2WAIT: number = params->default_time2wait; break;
    case KEYS_DEFAULT_TIME2RETAIN: number = params->default_time2retain; break;
    case KEYS_MAX_OUTSTANDING_R2T: number = params->max_outstanding_r2t; break;
    case KEYS_ISCSI_PROTOCOL_LEVEL: number = conn_benign(conn, BENIGN_PROTOCOL_LEVEL_TWO) ? 2 : 1; break;
    case KEYS_ERROR_RECOVERY_LEVEL: number = conn_has(conn, DEFECT_DISCOVERY_RECOVERY_LEVEL_TWO) &&
                                             negotiate->discovery ? 2 : 0; break;
    default: break;
    }
    if (text != NULL)
        negotiate_put(value, text);
    else
        text_format_number(value, number);
}

/* MaxBurstLength as it will be once the whole request is answered. */
static uint32_t negotiate_burst_bound(const struct conn *conn, const struct negotiate *negotiate,
                                      const struct negotiate_request *request)
{
    const struct keys_entry *key = keys_at(KEYS_MAX_BURST_LENGTH);
    const struct text_pair *pair = &request->pairs[KEYS_MAX_BURST_LENGTH];
    char own[NEGOTIATE_VALUE_MAX], value[NEGOTIATE_VALUE_MAX];
    uint64_t number;

    if (!negotiate_present(request, KEYS_MAX_BURST_LENGTH))
        return negotiate->params.max_burst_length;
    negotiate_own(conn, negotiate, KEYS_MAX_BURST_LENGTH, own);
    size_t length = keys_result(key, pair->value, pair->value_len, own, value, sizeof(value));

    if (text_parse_number(value, length, &number) != TEXT_NUMBER_OK)
        return negotiate->params.max_burst_length;
    return (uint32_t)number;
}

/* ---- results ---- */

/* Defects that read a number wrongly: the number they see, as text in value. */
static bool negotiate_misread(const struct conn *conn, const struct keys_entry *key, const struct text_pair *pair,
                              char *value)
{
    uint64_t number;
    char digits[32];

    if (conn_flawless(conn) || (key->type != KEYS_NUMBER_MIN && key->type != KEYS_NUMBER_MAX))
        return false;
    if (conn_has(conn, DEFECT_NUMBER_CUT_TO_32_BITS) &&
        text_parse_number(pair->value, pair->value_len, &number) == TEXT_NUMBER_OK && number > UINT32_MAX) {
        snprintf(value, NEGOTIATE_VALUE_MAX, "%u", (unsigned)(number & UINT32_MAX));
        return true;
    }
    if (conn_has(conn, DEFECT_OCTAL_NUMBERS) && pair->value_len > 1 && pair->value_len < sizeof(digits) &&
        pair->value[0] == '0' && pair->value[1] >= '0' && pair->value[1] <= '7') {
        memcpy(digits, pair->value, pair->value_len);
        digits[pair->value_len] = '\0';
        snprintf(value, NEGOTIATE_VALUE_MAX, "%llu", strtoull(digits, NULL, 8));
        return true;
    }
    return false;
}

/* Defects of result functions. True: value is the answer. */
static bool negotiate_misjudge(const struct conn *conn, const struct keys_entry *key, const struct text_pair *pair,
                               char *value)
{
    if (conn_flawless(conn))
        return false;
    uint64_t number = 0;
    bool numeric = key->type == KEYS_NUMBER_MIN || key->type == KEYS_NUMBER_MAX;
    bool parsed = numeric && text_parse_number(pair->value, pair->value_len, &number) == TEXT_NUMBER_OK;

    if (numeric && conn_has(conn, DEFECT_HEX_NUMBERS_REFUSED) && pair->value_len > 1 && pair->value[0] == '0' &&
        (pair->value[1] | 0x20) == 'x') {
        snprintf(value, NEGOTIATE_VALUE_MAX, "Reject");
    } else if (parsed && conn_has(conn, DEFECT_REFUSE_RANGE_ENDS) && (number == key->min || number == key->max)) {
        snprintf(value, NEGOTIATE_VALUE_MAX, "Reject");
    } else if ((key->type == KEYS_BOOL_AND || key->type == KEYS_BOOL_OR) && conn_has(conn, DEFECT_BOOLEAN_ECHOED) &&
               !text_equals(pair->value, pair->value_len, "Yes") && !text_equals(pair->value, pair->value_len, "No") &&
               pair->value_len < NEGOTIATE_VALUE_MAX) {
        snprintf(value, NEGOTIATE_VALUE_MAX, "%.*s", (int)pair->value_len, pair->value);
    } else if (parsed && conn_has(conn, DEFECT_RESULT_OUT_OF_RANGE) && (number < key->min || number > key->max)) {
        snprintf(value, NEGOTIATE_VALUE_MAX, "%llu", (unsigned long long)number);
    } else if (parsed && key->type == KEYS_NUMBER_MIN && number < key->max && number >= key->min &&
               conn_has(conn, DEFECT_MIN_KEY_TAKES_MAX)) {
        snprintf(value, NEGOTIATE_VALUE_MAX, "%llu", (unsigned long long)number + 1);
    } else if (parsed && key->type == KEYS_NUMBER_MAX && number > key->min && number <= key->max &&
               conn_has(conn, DEFECT_MAX_KEY_TAKES_MIN)) {
        snprintf(value, NEGOTIATE_VALUE_MAX, "%llu", (unsigned long long)number - 1);
    } else if (key->type == KEYS_BOOL_AND && text_pair_is(pair, "ImmediateData") &&
               text_equals(pair->value, pair->value_len, "No") && conn_has(conn, DEFECT_AND_KEY_TAKES_OR)) {
        snprintf(value, NEGOTIATE_VALUE_MAX, "Yes");
    } else if (key->type == KEYS_BOOL_OR && text_equals(pair->value, pair->value_len, "Yes") &&
               conn_has(conn, DEFECT_OR_KEY_TAKES_AND)) {
        snprintf(value, NEGOTIATE_VALUE_MAX, "No");
    } else {
        return false;
    }
    return true;
}

/* The last item of the offer that is in own. */
static void negotiate_last(const struct text_pair *pair, const char *own, char *value)
{
    struct text_list list;
    const char *item;
    size_t length;

    text_list_init(&list, pair->value, pair->value_len);
    while (text_list_next(&list, &item, &length)) {
        if (length > 0 && length < NEGOTIATE_VALUE_MAX && text_list_has(own, strlen(own), item, length)) {
            memcpy(value, item, length);
            value[length] = '\0';
        }
    }
}

/* Defects of lists. True: value is the answer. */
static bool negotiate_mislist(const struct conn *conn, const struct keys_entry *key, const struct text_pair *pair,
                              const char *own, char *value)
{
    if (conn_flawless(conn))
        return false;
    value[0] = '\0';
    if (key->id == KEYS_TASK_REPORTING && conn_has(conn, DEFECT_LIST_ECHOED) && pair->value_len < NEGOTIATE_VALUE_MAX)
        return snprintf(value, NEGOTIATE_VALUE_MAX, "%.*s", (int)pair->value_len, pair->value) > 0;
    if (key->id != KEYS_HEADER_DIGEST && key->id != KEYS_DATA_DIGEST)
        return false;
    if (conn_has(conn, DEFECT_DIGEST_NOT_OFFERED) && !text_list_has(pair->value, pair->value_len, "None", 4))
        snprintf(value, NEGOTIATE_VALUE_MAX, "None");
    else if (conn_has(conn, DEFECT_DIGEST_LIST_ECHOED) && pair->value_len < NEGOTIATE_VALUE_MAX)
        snprintf(value, NEGOTIATE_VALUE_MAX, "%.*s", (int)pair->value_len, pair->value);
    else if (conn_has(conn, DEFECT_LIST_PICKS_LAST))
        negotiate_last(pair, own, value);
    return value[0] != '\0';
}

/* Keeps a result. */
static void negotiate_keep(struct negotiate *negotiate, const struct keys_entry *key, const char *value)
{
    uint32_t *slot = negotiate_slot(negotiate, key->id);
    size_t length = strlen(value);
    enum keys_word word = keys_word(value, length);
    uint64_t number;
    bool yes;

    negotiate->settled |= key_bit(key->id);
    negotiate->proposed &= ~key_bit(key->id);
    if (word == KEYS_WORD_REJECT)
        negotiate->rejected |= key_bit(key->id);
    if (slot == NULL || word != KEYS_WORD_VALUE)
        return;         /* Reject and Irrelevant leave it as it was */
    if (key->type == KEYS_LIST)
        *slot = text_equals(value, length, "CRC32C");
    else if (text_parse_bool(value, length, &yes))
        *slot = yes;
    else if (text_parse_number(value, length, &number) == TEXT_NUMBER_OK && number <= UINT32_MAX)
        *slot = (uint32_t)number;
}

/* The answer to a negotiated key, in value. */
static void negotiate_result(const struct conn *conn, struct negotiate *negotiate,
                             const struct negotiate_request *request, const struct keys_entry *key,
                             const struct text_pair *pair, char *value)
{
    char own[NEGOTIATE_VALUE_MAX];

    negotiate_own(conn, negotiate, key->id, own);
    if (key->type == KEYS_NUMBER_MIN || key->type == KEYS_NUMBER_MAX)
        planted_touch(conn, PLANTED_AT_NUMBER, pair->value, pair->value_len);
    if (key->id == KEYS_FIRST_BURST_LENGTH && !conn_has(conn, DEFECT_ACCEPT_FIRST_BURST_ABOVE_MAX)) {
        uint32_t bound = negotiate_burst_bound(conn, negotiate, request);
        uint32_t wish = conn->node->config->params.first_burst_length;

        text_format_number(own, wish < bound ? wish : bound);
    } else if (key->id == KEYS_FIRST_BURST_LENGTH) {
        text_format_number(own, key->max);
    }
    if (negotiate_misjudge(conn, key, pair, value) || negotiate_mislist(conn, key, pair, own, value))
        return;
    char read[NEGOTIATE_VALUE_MAX];
    const char *offer = pair->value;
    size_t length = pair->value_len;

    if (negotiate_misread(conn, key, pair, read)) {
        offer = read;
        length = strlen(read);
    }
    if (keys_result(key, offer, length, own, value, NEGOTIATE_VALUE_MAX) == 0)
        negotiate_put(value, "Reject");
}

/* Defects of the way a value is written. */
static void negotiate_write(const struct conn *conn, const char *name, const char *value, struct text_buf *answer)
{
    bool number = value[0] >= '0' && value[0] <= '9';
    bool upper = conn_benign(conn, BENIGN_NUMBERS_IN_UPPER_HEX);

    if (number && conn_has(conn, DEFECT_NO_ANSWER_TO_KEY))
        return;
    if (number && (upper || conn_benign(conn, BENIGN_NUMBERS_IN_HEX)))
        text_buf_addf(answer, name, upper ? "0X%lX" : "0x%lx", strtoul(value, NULL, 10));
    else if (number && conn_has(conn, DEFECT_NUMBER_WITH_LEADING_ZERO))
        text_buf_addf(answer, name, "0%s", value);
    else if (conn_has(conn, DEFECT_BOOLEAN_LOWER_CASE) && strcmp(value, "Yes") == 0)
        text_buf_add(answer, name, "yes");
    else if (conn_has(conn, DEFECT_BOOLEAN_LOWER_CASE) && strcmp(value, "No") == 0)
        text_buf_add(answer, name, "no");
    else if (conn_has(conn, DEFECT_TEXT_SPACE_AROUND_EQUALS))
        text_buf_addf(answer, name, " %s", value);
    else
        text_buf_add(answer, name, value);
    if (conn_has(conn, DEFECT_ANSWERS_ONE_KEY_TWICE))
        text_buf_add(answer, name, value);
}

/* ---- one pair ---- */

static void negotiate_unknown(const struct conn *conn, const struct text_pair *pair, struct text_buf *answer)
{
    char name[TEXT_KEY_MAX + 1];

    if (pair->key_len > TEXT_KEY_MAX || conn_has(conn, DEFECT_UNKNOWN_KEY_IGNORED))
        return;
    memcpy(name, pair->key, pair->key_len);
    name[pair->key_len] = '\0';
    if (conn_has(conn, DEFECT_UNKNOWN_KEY_ACCEPTED))
        text_buf_add_n(answer, name, pair->value, pair->value_len);
    else
        text_buf_add(answer, name, conn_has(conn, DEFECT_UNKNOWN_KEY_AS_REJECT) ? "Reject" : "NotUnderstood");
}

/* A declaration: nothing is answered. */
static enum cause negotiate_declaration(const struct conn *conn, struct negotiate *negotiate,
                                        const struct keys_entry *key, const struct text_pair *pair,
                                        struct text_buf *answer)
{
    uint64_t number;

    if (conn_has(conn, DEFECT_DECLARES_ANSWERED) &&
        (key->id == KEYS_INITIATOR_ALIAS || key->id == KEYS_INITIATOR_NAME))
        text_buf_add_n(answer, key->name, pair->value, pair->value_len);
    if (key->id != KEYS_MAX_RECV_DATA_SEGMENT_LENGTH)
        return CAUSE_NONE;
    if (text_parse_number(pair->value, pair->value_len, &number) != TEXT_NUMBER_OK || number < key->min ||
        number > key->max)
        return conn_has(conn, DEFECT_ACCEPT_BAD_RECV_LENGTH) ? CAUSE_NONE : CAUSE_VALUE;
    if (conn_has(conn, DEFECT_REFUSE_RECV_LENGTH_ENDS) && (number == key->min || number == key->max))
        return CAUSE_INVENTED_INITIATOR_ERROR;
    negotiate->params.max_send = (uint32_t)number;
    if (conn_has(conn, DEFECT_RECV_LENGTH_ECHOED))
        text_buf_add(answer, key->name, "Reject");
    return CAUSE_NONE;
}

/* What we propose for a key. */
static void negotiate_offer(const struct conn *conn, const struct negotiate *negotiate, const struct keys_entry *key,
                            char *offer)
{
    if (key->id == KEYS_FIRST_BURST_LENGTH && negotiate->first_burst_proposal != 0)
        text_format_number(offer, negotiate->first_burst_proposal);
    else if (key->id == KEYS_HEADER_DIGEST || key->id == KEYS_DATA_DIGEST)
        negotiate_put(offer, "None,CRC32C");
    else
        negotiate_own(conn, negotiate, key->id, offer);
}

/* The initiator's answer to what we proposed. */
static enum cause negotiate_take_answer(const struct conn *conn, struct negotiate *negotiate,
                                        const struct keys_entry *key, const struct text_pair *pair)
{
    char offer[NEGOTIATE_VALUE_MAX], value[NEGOTIATE_VALUE_MAX];
    enum keys_answer verdict;

    negotiate_offer(conn, negotiate, key, offer);
    verdict = keys_check_answer(key, offer, strlen(offer), pair->value, pair->value_len);
    /* Without an answer in words the default stays; only our FirstBurstLength had a reason (13.14). */
    if (key->id != KEYS_FIRST_BURST_LENGTH && (verdict == KEYS_ANSWER_REJECT || verdict == KEYS_ANSWER_IRRELEVANT ||
                                               verdict == KEYS_ANSWER_NOT_UNDERSTOOD))
        verdict = KEYS_ANSWER_OK;
    if (verdict != KEYS_ANSWER_OK || pair->value_len >= sizeof(value))
        return CAUSE_VALUE;
    memcpy(value, pair->value, pair->value_len);
    value[pair->value_len] = '\0';
    negotiate_keep(negotiate, key, value);
    return CAUSE_NONE;
}

/* Has the key a place in this request at all? */
static bool negotiate_out_of_place(const struct conn *conn, const struct negotiate *negotiate, unsigned stage,
                                   const struct keys_entry *key)
{
    if ((key->senders & KEYS_FROM_INITIATOR) == 0)
        return true;
    if ((key->stages & stage) == 0)
        return !(stage == KEYS_STAGE_SECURITY && key->stages == KEYS_STAGE_OPERATIONAL &&
                 conn_has(conn, DEFECT_ACCEPT_OPERATIONAL_KEY_IN_SECURITY));
    return negotiate->join && key->use == KEYS_LO && key->id != KEYS_SESSION_TYPE &&
           !conn_has(conn, DEFECT_ACCEPT_LEADING_ONLY_IN_JOIN);
}

/* Defects that say Reject where a value has to be chosen. */
static bool negotiate_is_misrejected(const struct conn *conn, const struct keys_entry *key)
{
    if (conn_flawless(conn))
        return false;
    bool digest = key->id == KEYS_HEADER_DIGEST || key->id == KEYS_DATA_DIGEST;
    bool simple = key->id == KEYS_INITIAL_R2T || key->id == KEYS_MAX_CONNECTIONS ||
                  key->id == KEYS_MAX_OUTSTANDING_R2T;

    return (digest && conn_has(conn, DEFECT_DIGEST_LIST_REJECTED)) ||
           (simple && conn_has(conn, DEFECT_REJECT_ADMISSIBLE_VALUE));
}

/* Keys that are answered in a way of their own. NULL: by their result function. */
static const char *negotiate_fixed(const struct conn *conn, const struct negotiate *negotiate,
                                   const struct keys_entry *key)
{
    if ((key->flags & KEYS_OBSOLETE) != 0 && key->type == KEYS_BOOL_AND && conn_has(conn, DEFECT_MARKERS_IRRELEVANT))
        return "Irrelevant";
    if (negotiate_is_misrejected(conn, key))
        return "Reject";
    if (!negotiate->discovery && conn_has(conn, DEFECT_IRRELEVANT_IN_NORMAL_SESSION) &&
        (key->id == KEYS_ERROR_RECOVERY_LEVEL || key->id == KEYS_FIRST_BURST_LENGTH))
        return "Irrelevant";
    if ((key->flags & KEYS_OBSOLETE) != 0 && key->type != KEYS_BOOL_AND &&
        conn_has(conn, DEFECT_OBSOLETE_NOT_UNDERSTOOD))
        return "NotUnderstood";
    if ((key->flags & KEYS_OBSOLETE) != 0)          /* 13.25 */
        return conn_has(conn, DEFECT_MARKERS_ACCEPTED) && key->type == KEYS_BOOL_AND ? "Yes" : "Reject";
    if (negotiate->discovery && (key->flags & KEYS_IRRELEVANT_IN_DISCOVERY) != 0 &&
        !conn_benign(conn, BENIGN_DISCOVERY_NEGOTIATES))
        return "Irrelevant";
    if (key->id > KEYS_RDMA_EXTENSIONS && key->id < KEYS_COUNT)
        return "Irrelevant";                    /* without RDMAExtensions=Yes, RFC 7145 6 */
    if ((key->id == KEYS_DATA_PDU_IN_ORDER || key->id == KEYS_DATA_SEQUENCE_IN_ORDER) &&
        conn_has(conn, DEFECT_NOT_UNDERSTOOD_FOR_KNOWN_KEY))
        return "NotUnderstood";
    return NULL;
}

/* Defects of answers that are no value. False: nothing is answered. */
static bool negotiate_misname(const struct conn *conn, char *value)
{
    if (conn_flawless(conn))
        return true;
    bool reject = strcmp(value, "Reject") == 0;
    bool irrelevant = strcmp(value, "Irrelevant") == 0;

    if ((reject && conn_has(conn, DEFECT_INADMISSIBLE_UNANSWERED)) ||
        (irrelevant && conn_has(conn, DEFECT_IRRELEVANT_UNANSWERED)))
        return false;
    if ((reject && conn_has(conn, DEFECT_INADMISSIBLE_AS_NOT_UNDERSTOOD)) ||
        (irrelevant && conn_has(conn, DEFECT_IRRELEVANT_AS_NOT_UNDERSTOOD)))
        negotiate_put(value, "NotUnderstood");
    return true;
}

static enum cause negotiate_pair(const struct conn *conn, struct negotiate *negotiate, unsigned stage,
                                 const struct negotiate_request *request, const struct text_pair *pair,
                                 struct text_buf *answer)
{
    const struct keys_entry *key = keys_find(pair->key, pair->key_len);
    char value[NEGOTIATE_VALUE_MAX];

    if (pair->value_len == 0 && conn_has(conn, DEFECT_EMPTY_VALUE_UNANSWERED))
        return CAUSE_NONE;
    if (key == NULL && negotiate->private_open && text_pair_is(pair, NEGOTIATE_PRIVATE_KEY)) {
        negotiate->private_open = false;        /* the answer to ours, whatever it is */
        return conn_has(conn, DEFECT_PRIVATE_KEY_INSISTED) ? CAUSE_INVENTED_INITIATOR_ERROR : CAUSE_NONE;
    }
    if (key == NULL) {
        negotiate_unknown(conn, pair, answer);
        return CAUSE_NONE;
    }
    if (stage == KEYS_STAGE_SECURITY && (key->flags & KEYS_AUTHENTICATION) != 0)
        return CAUSE_NONE;      /* the authentication step has dealt with it */
    if (key->id == KEYS_SEND_TARGETS && conn_has(conn, DEFECT_ACCEPT_SEND_TARGETS_IN_LOGIN)) {
        text_buf_add(answer, key->name, "Reject");
        return CAUSE_NONE;
    }
    if (negotiate_out_of_place(conn, negotiate, stage, key))
        return CAUSE_PLACE;
    if ((key->flags & KEYS_DECLARATIVE) != 0 && key->id < KEYS_RDMA_EXTENSIONS)
        return negotiate_declaration(conn, negotiate, key, pair, answer);
    if ((negotiate->proposed & key_bit(key->id)) != 0)
        return negotiate_take_answer(conn, negotiate, key, pair);
    if (keys_word(pair->value, pair->value_len) != KEYS_WORD_VALUE &&
        !conn_has(conn, DEFECT_ACCEPT_RESERVED_VALUE_OFFER))
        return CAUSE_WORD;
    const char *fixed = negotiate_fixed(conn, negotiate, key);

    if ((negotiate->seen & key_bit(key->id)) != 0 && conn_has(conn, DEFECT_DUPLICATE_KEY_AS_REJECT))
        fixed = "Reject";
    if (fixed != NULL)
        negotiate_put(value, fixed);
    else
        negotiate_result(conn, negotiate, request, key, pair, value);
    negotiate_keep(negotiate, key, value);
    if (conn_benign(conn, BENIGN_OPTIONAL_ANSWERS_LEFT_OUT) &&
        !keys_answer_required(key, pair->value, pair->value_len))
        return CAUSE_NONE;
    if (conn_has(conn, DEFECT_DUPLICATE_KEY_AS_REJECT))
        negotiate->seen |= key_bit(key->id);
    if (negotiate_misname(conn, value))
        negotiate_write(conn, key->name, value, answer);
    return CAUSE_NONE;
}

/* Our own declaration, once, in the first operational response (13.12). */
static void negotiate_declare(const struct conn *conn, struct negotiate *negotiate, unsigned stage,
                              struct text_buf *answer)
{
    if (negotiate->declared ||
        (stage == KEYS_STAGE_SECURITY && !conn_has(conn, DEFECT_OPERATIONAL_KEY_IN_SECURITY)))
        return;
    negotiate->declared = true;
    if (conn_benign(conn, BENIGN_DECLARES_NOTHING))
        return;
    text_buf_add_number(answer, "MaxRecvDataSegmentLength",
                        conn_has(conn, DEFECT_DECLARES_RECV_LENGTH_TOO_SMALL)
                            ? 256
                            : conn->node->config->params.max_recv_data_segment_length);
    if (conn_has(conn, DEFECT_ANSWERS_UNASKED_KEY))
        text_buf_add(answer, "X-com.example.unasked", "Irrelevant");
}

enum cause negotiate_answer(struct conn *conn, struct negotiate *negotiate, unsigned stage, const void *text,
                            size_t length, const struct negotiate_request *request, struct text_buf *answer)
{
    struct text_cursor cursor;
    struct text_pair pair;
    enum text_result result;

    text_cursor_init(&cursor, text, length);
    while ((result = text_next(&cursor, &pair)) != TEXT_END) {
        enum cause cause = CAUSE_NONE;

        if (result == TEXT_PAIR)
            cause = negotiate_pair(conn, negotiate, stage, request, &pair, answer);
        if (cause != CAUSE_NONE)
            return cause;
    }
    negotiate_declare(conn, negotiate, stage, answer);
    const struct negotiate_params *params = &negotiate->params;

    /* 13.14; an offer of MaxBurstLength may undo a FirstBurstLength that was agreed to in an earlier request. */
    if ((negotiate->settled & key_bit(KEYS_FIRST_BURST_LENGTH)) != 0 &&
        params->first_burst_length > params->max_burst_length && !negotiate->discovery &&
        !conn_has(conn, DEFECT_ACCEPT_FIRST_BURST_ABOVE_MAX) && !conn_has(conn, DEFECT_MIN_KEY_TAKES_MAX) &&
        !conn_has(conn, DEFECT_RESULT_OUT_OF_RANGE))
        return CAUSE_VALUE;
    return CAUSE_NONE;
}

/* Switches that propose keys: what the initiator has not brought up itself, once. True: something was proposed. */
static bool negotiate_propose(const struct conn *conn, struct negotiate *negotiate, struct text_buf *answer)
{
    char offer[NEGOTIATE_VALUE_MAX];

    if (negotiate->proposing)
        return false;
    negotiate->proposing = true;
    for (size_t i = KEYS_HEADER_DIGEST; i <= KEYS_ISCSI_PROTOCOL_LEVEL; i++) {
        const struct keys_entry *key = keys_at(i);
        bool digest = key->id == KEYS_HEADER_DIGEST || key->id == KEYS_DATA_DIGEST;

        if (!conn_benign(conn, digest ? BENIGN_PROPOSES_DIGESTS : BENIGN_PROPOSES_KEYS) ||
            (negotiate->seen & key_bit(key->id)) != 0 || (key->flags & KEYS_DECLARATIVE) != 0 ||
            (negotiate->discovery && (key->flags & KEYS_IRRELEVANT_IN_DISCOVERY) != 0) ||
            (negotiate->join && key->use == KEYS_LO))
            continue;
        negotiate_offer(conn, negotiate, key, offer);
        if (key->id == KEYS_FIRST_BURST_LENGTH && negotiate->params.max_burst_length < strtoul(offer, NULL, 10))
            continue;           /* below, with its reason */
        negotiate->proposed |= key_bit(key->id);
        text_buf_add(answer, key->name, offer);
    }
    if ((conn_benign(conn, BENIGN_OFFERS_PRIVATE_KEY) || conn_has(conn, DEFECT_PRIVATE_KEY_INSISTED)) &&
        !negotiate->discovery) {
        negotiate->private_open = true;
        text_buf_add(answer, NEGOTIATE_PRIVATE_KEY, "1");
    }
    return negotiate->proposed != 0 || negotiate->private_open;
}

/* Proposals that a request has passed over and may pass over (6.2.2): settled as proposed. */
static void negotiate_drop_optional(const struct conn *conn, struct negotiate *negotiate,
                                    const struct negotiate_request *request)
{
    char offer[NEGOTIATE_VALUE_MAX];

    for (size_t i = 0; negotiate->proposed != 0 && i < KEYS_COUNT; i++) {
        const struct keys_entry *key = keys_at(i);

        if ((negotiate->proposed & key_bit(key->id)) == 0 || negotiate_present(request, key->id))
            continue;
        negotiate_offer(conn, negotiate, key, offer);
        if (!keys_answer_required(key, offer, strlen(offer)))
            negotiate_keep(negotiate, key, offer);
    }
}

enum cause negotiate_finish(const struct conn *conn, struct negotiate *negotiate,
                            const struct negotiate_request *request, struct text_buf *answer, bool *open)
{
    const struct negotiate_params *params = &negotiate->params;
    bool irrelevant = params->initial_r2t != 0 && params->immediate_data == 0;

    negotiate_drop_optional(conn, negotiate, request);
    *open = negotiate->proposed != 0 || negotiate->private_open;
    if (*open)
        return ++negotiate->unanswered > 1 ? CAUSE_VALUE : CAUSE_NONE;
    *open = negotiate_propose(conn, negotiate, answer);
    if (conn_has(conn, DEFECT_PROPOSAL_WITH_T_BIT) && (negotiate->settled & key_bit(KEYS_MAX_BURST_LENGTH)) == 0)
        text_buf_add(answer, "MaxBurstLength", "65536");
    if (negotiate->discovery || negotiate->join || irrelevant ||
        params->first_burst_length <= params->max_burst_length ||
        (negotiate->settled & key_bit(KEYS_FIRST_BURST_LENGTH)) != 0 ||
        conn_has(conn, DEFECT_ACCEPT_FIRST_BURST_ABOVE_MAX))
        return CAUSE_NONE;
    /* The default of FirstBurstLength lies above the MaxBurstLength just agreed to: propose one that does not. */
    negotiate->first_burst_proposal = params->max_burst_length;
    negotiate->proposed |= key_bit(KEYS_FIRST_BURST_LENGTH);
    text_buf_add_number(answer, "FirstBurstLength", params->max_burst_length);
    *open = true;
    return CAUSE_NONE;
}
