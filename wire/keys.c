/*
 * keys.c - checks of offers and answers, and the result functions (RFC 7143 6.2).
 *
 * Pure functions over the key table; nothing is kept.
 */
#include "wire/keys.h"

#include <string.h>

#include "wire/text.h"

bool keys_is_private(const char *name, size_t len)
{
    return len >= 2 && name[0] == 'X' && name[1] == '-';
}

enum keys_word keys_word(const char *value, size_t len)
{
    if (text_equals(value, len, "NotUnderstood"))
        return KEYS_WORD_NOT_UNDERSTOOD;
    if (text_equals(value, len, "Irrelevant"))
        return KEYS_WORD_IRRELEVANT;
    if (text_equals(value, len, "Reject"))
        return KEYS_WORD_REJECT;
    return KEYS_WORD_VALUE;
}

/* ---- values ---- */

/* Characters of a text-value (6.1). '#' is none of them, but stood in the names
 * of the public extensions of RFC 3720 (Y#..., Z#...). */
static bool is_text_value(const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = value[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c != '\0' && strchr(".-+@_/[]:#", c) != NULL)))
            return false;
    }
    return true;
}

static enum keys_check check_range(const struct keys_entry *key, uint64_t number)
{
    bool hole = key->id == KEYS_MAX_OUTSTANDING_UNEXPECTED_PDUS || key->id == KEYS_MAX_AHS_LENGTH;

    if (number < key->min || number > key->max)
        return KEYS_VALUE_OUT_OF_RANGE;
    return hole && number == 1 ? KEYS_VALUE_OUT_OF_RANGE : KEYS_VALUE_OK;
}

/* A number beyond 2**64 is out of range rather than malformed. */
static enum keys_check check_number_error(enum text_number_error error)
{
    if (error == TEXT_NUMBER_OK)
        return KEYS_VALUE_OK;
    return error == TEXT_NUMBER_TOO_LARGE ? KEYS_VALUE_OUT_OF_RANGE : KEYS_VALUE_SYNTAX;
}

static enum keys_check check_number(const struct keys_entry *key, const char *value, size_t len)
{
    uint64_t number = 0;
    enum keys_check check = check_number_error(text_parse_number(value, len, &number));

    return check != KEYS_VALUE_OK ? check : check_range(key, number);
}

static enum keys_check check_number_range(const struct keys_entry *key, const char *value, size_t len)
{
    uint64_t low = 0;
    uint64_t high = 0;
    enum keys_check check = check_number_error(text_parse_range(value, len, &low, &high));

    if (check == KEYS_VALUE_OK)
        check = check_range(key, low);
    return check != KEYS_VALUE_OK ? check : check_range(key, high);
}

static enum keys_check check_list(const struct keys_entry *key, const char *value, size_t len)
{
    struct text_list list;
    const char *item;
    size_t item_len;

    text_list_init(&list, value, len);
    while (text_list_next(&list, &item, &item_len)) {
        enum keys_check check = KEYS_VALUE_OK;

        if (item_len > TEXT_VALUE_MAX)
            return KEYS_VALUE_TOO_LONG;
        if (item_len == 0 || !is_text_value(item, item_len))
            return KEYS_VALUE_SYNTAX;
        if (key->type == KEYS_NUMBER_LIST)
            check = check_number(key, item, item_len);
        if (check != KEYS_VALUE_OK)
            return check;
    }
    return KEYS_VALUE_OK;
}

static enum keys_check check_name(const char *value, size_t len)
{
    switch (text_check_iscsi_name(value, len)) {
    case TEXT_NAME_OK:
        return KEYS_VALUE_OK;
    case TEXT_NAME_EMPTY:
        return KEYS_VALUE_EMPTY;
    case TEXT_NAME_TOO_LONG:
        return KEYS_VALUE_TOO_LONG;
    default:
        return KEYS_VALUE_SYNTAX;
    }
}

static enum keys_check check_binary(const struct keys_entry *key, const char *value, size_t len)
{
    size_t decoded_len;
    /* Without room nothing is decoded; the length and the form come out. */
    enum text_binary_error error = text_decode_binary(value, len, NULL, 0, &decoded_len);

    if (error == TEXT_BINARY_EMPTY)
        return KEYS_VALUE_EMPTY;
    if (error != TEXT_BINARY_OK && error != TEXT_BINARY_TOO_LONG)
        return KEYS_VALUE_SYNTAX;
    return decoded_len > key->max_len ? KEYS_VALUE_TOO_LONG : KEYS_VALUE_OK;
}

/* The part of keys_check_value that depends on the type; len is above 0. */
static enum keys_check check_by_type(const struct keys_entry *key, const char *value, size_t len)
{
    struct text_address address;
    bool yes;

    switch (key->type) {
    case KEYS_BOOL_AND:
    case KEYS_BOOL_OR:
    case KEYS_BOOL:
        return text_parse_bool(value, len, &yes) ? KEYS_VALUE_OK : KEYS_VALUE_SYNTAX;
    case KEYS_NUMBER_MIN:
    case KEYS_NUMBER_MAX:
    case KEYS_NUMBER:
        return check_number(key, value, len);
    case KEYS_RANGE:
        return check_number_range(key, value, len);
    case KEYS_LIST:
    case KEYS_NUMBER_LIST:
        return check_list(key, value, len);
    case KEYS_ENUM:
        return text_list_has(key->values, strlen(key->values), value, len) ? KEYS_VALUE_OK : KEYS_VALUE_UNKNOWN;
    case KEYS_NAME:
        return check_name(value, len);
    case KEYS_TEXT:
        if (len > key->max_len)
            return KEYS_VALUE_TOO_LONG;
        return text_utf8_valid(value, len) ? KEYS_VALUE_OK : KEYS_VALUE_SYNTAX;
    case KEYS_ADDRESS:
        if (len > key->max_len)
            return KEYS_VALUE_TOO_LONG;
        return text_parse_address(value, len, &address) == TEXT_ADDRESS_OK ? KEYS_VALUE_OK : KEYS_VALUE_SYNTAX;
    case KEYS_BINARY:
        return check_binary(key, value, len);
    case KEYS_SEND:
        return text_equals(value, len, "All") ? KEYS_VALUE_OK : check_name(value, len);
    }
    return KEYS_VALUE_SYNTAX;
}

enum keys_check keys_check_value(const struct keys_entry *key, const char *value, size_t len)
{
    if (len == 0) {
        /* Empty SendTargets: the target of this session; an alias may be empty. */
        if (key->type == KEYS_SEND || (key->type == KEYS_TEXT && (key->flags & KEYS_AUTHENTICATION) == 0))
            return KEYS_VALUE_OK;
        return KEYS_VALUE_EMPTY;
    }
    /* Free text may happen to be one of the words. */
    if (key->type != KEYS_TEXT && keys_word(value, len) != KEYS_WORD_VALUE)
        return KEYS_VALUE_RESERVED_WORD;
    return check_by_type(key, value, len);
}

const char *keys_check_name(enum keys_check check)
{
    switch (check) {
    case KEYS_VALUE_OK:
        return "admissible";
    case KEYS_VALUE_EMPTY:
        return "empty";
    case KEYS_VALUE_TOO_LONG:
        return "too long";
    case KEYS_VALUE_SYNTAX:
        return "malformed";
    case KEYS_VALUE_OUT_OF_RANGE:
        return "out of range";
    case KEYS_VALUE_UNKNOWN:
        return "none of the values of the key";
    case KEYS_VALUE_RESERVED_WORD:
        return "a word reserved for answers";
    }
    return "unknown";
}

/* ---- answers ---- */

static enum keys_answer answer_from_check(enum keys_check check)
{
    switch (check) {
    case KEYS_VALUE_OK:
        return KEYS_ANSWER_OK;
    case KEYS_VALUE_OUT_OF_RANGE:
        return KEYS_ANSWER_OUT_OF_RANGE;
    default:
        return KEYS_ANSWER_SYNTAX;
    }
}

static enum keys_answer check_bool_answer(const struct keys_entry *key, const char *offer, size_t offer_len,
                                          const char *answer, size_t answer_len)
{
    bool offered;
    bool answered;

    if (!text_parse_bool(answer, answer_len, &answered))
        return KEYS_ANSWER_SYNTAX;
    if (!text_parse_bool(offer, offer_len, &offered) || answered == offered)
        return KEYS_ANSWER_OK;
    /* What differs from the offer must be what the other side can force. */
    return answered == (key->type == KEYS_BOOL_OR) ? KEYS_ANSWER_OK : KEYS_ANSWER_WRONG_BOOL;
}

static enum keys_answer check_number_answer(const struct keys_entry *key, const char *offer, size_t offer_len,
                                            const char *answer, size_t answer_len)
{
    uint64_t offered = 0;
    uint64_t answered = 0;
    enum keys_check check = check_number(key, answer, answer_len);

    if (check != KEYS_VALUE_OK || check_number(key, offer, offer_len) != KEYS_VALUE_OK)
        return answer_from_check(check);
    (void)text_parse_number(offer, offer_len, &offered);
    (void)text_parse_number(answer, answer_len, &answered);
    if (key->type == KEYS_NUMBER_MIN && answered > offered)
        return KEYS_ANSWER_ABOVE_OFFER;
    if (key->type == KEYS_NUMBER_MAX && answered < offered)
        return KEYS_ANSWER_BELOW_OFFER;
    return KEYS_ANSWER_OK;
}

static enum keys_answer check_range_answer(const struct keys_entry *key, const char *offer, size_t offer_len,
                                           const char *answer, size_t answer_len)
{
    uint64_t low = 0;
    uint64_t high = 0;
    uint64_t answered = 0;
    enum keys_check check = check_number(key, answer, answer_len);

    if (check != KEYS_VALUE_OK || check_number_range(key, offer, offer_len) != KEYS_VALUE_OK)
        return answer_from_check(check);
    (void)text_parse_range(offer, offer_len, &low, &high);
    (void)text_parse_number(answer, answer_len, &answered);
    return answered >= low && answered <= high ? KEYS_ANSWER_OK : KEYS_ANSWER_NOT_OFFERED;
}

static enum keys_answer check_list_answer(const struct keys_entry *key, const char *offer, size_t offer_len,
                                          const char *answer, size_t answer_len)
{
    uint64_t number;

    if (answer_len == 0)
        return KEYS_ANSWER_SYNTAX;
    if (key->type == KEYS_LIST)
        return text_list_has(offer, offer_len, answer, answer_len) ? KEYS_ANSWER_OK : KEYS_ANSWER_NOT_OFFERED;
    if (memchr(answer, ',', answer_len) != NULL)
        return KEYS_ANSWER_NOT_OFFERED;
    if (text_parse_number(answer, answer_len, &number) != TEXT_NUMBER_OK)
        return KEYS_ANSWER_SYNTAX;
    return text_list_has_number(offer, offer_len, number) ? KEYS_ANSWER_OK : KEYS_ANSWER_NOT_OFFERED;
}

enum keys_answer keys_check_answer(const struct keys_entry *key, const char *offer, size_t offer_len,
                                   const char *answer, size_t answer_len)
{
    switch (keys_word(answer, answer_len)) {
    case KEYS_WORD_NOT_UNDERSTOOD:
        return KEYS_ANSWER_NOT_UNDERSTOOD;
    case KEYS_WORD_IRRELEVANT:
        return KEYS_ANSWER_IRRELEVANT;
    case KEYS_WORD_REJECT:
        return KEYS_ANSWER_REJECT;
    case KEYS_WORD_VALUE:
        break;
    }
    if ((key->flags & KEYS_DECLARATIVE) != 0)
        return KEYS_ANSWER_UNEXPECTED;
    switch (key->type) {
    case KEYS_BOOL_AND:
    case KEYS_BOOL_OR:
        return check_bool_answer(key, offer, offer_len, answer, answer_len);
    case KEYS_NUMBER_MIN:
    case KEYS_NUMBER_MAX:
        return check_number_answer(key, offer, offer_len, answer, answer_len);
    case KEYS_RANGE:
        return check_range_answer(key, offer, offer_len, answer, answer_len);
    case KEYS_LIST:
    case KEYS_NUMBER_LIST:
        return check_list_answer(key, offer, offer_len, answer, answer_len);
    default:
        return KEYS_ANSWER_UNEXPECTED; /* SendTargets is not answered by itself */
    }
}

const char *keys_answer_name(enum keys_answer answer)
{
    switch (answer) {
    case KEYS_ANSWER_OK:
        return "a possible answer";
    case KEYS_ANSWER_REJECT:
        return "Reject";
    case KEYS_ANSWER_IRRELEVANT:
        return "Irrelevant";
    case KEYS_ANSWER_NOT_UNDERSTOOD:
        return "NotUnderstood";
    case KEYS_ANSWER_UNEXPECTED:
        return "answer to a key that takes none";
    case KEYS_ANSWER_SYNTAX:
        return "malformed";
    case KEYS_ANSWER_OUT_OF_RANGE:
        return "outside the range of the key";
    case KEYS_ANSWER_ABOVE_OFFER:
        return "above the offer";
    case KEYS_ANSWER_BELOW_OFFER:
        return "below the offer";
    case KEYS_ANSWER_NOT_OFFERED:
        return "not one of the values offered";
    case KEYS_ANSWER_WRONG_BOOL:
        return "not a possible result for this offer";
    }
    return "unknown";
}

bool keys_answer_required(const struct keys_entry *key, const char *offer, size_t offer_len)
{
    bool offered;

    if ((key->flags & KEYS_DECLARATIVE) != 0 || key->type == KEYS_SEND)
        return false;
    if (key->type != KEYS_BOOL_AND && key->type != KEYS_BOOL_OR)
        return true;
    /* AND=No and OR=Yes have one result only (6.2.2). */
    if (!text_parse_bool(offer, offer_len, &offered))
        return true;
    return offered == (key->type == KEYS_BOOL_AND);
}
