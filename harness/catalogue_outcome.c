/*
 * Outcome tokens: the vocabulary at the head of the catalogue. A token counts only when nothing is left over; a word of
 * the vocabulary followed by other words is for a person. Strings of an outcome are cut out of one block.
 */
#include "harness/catalogue_outcome.h"
#include "wire/keys.h"
#include "wire/pdu.h"
#include "wire/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* What a parser of one token made of it. */
enum parsed { PARSED, NOT_MINE, MALFORMED };

/* `rest` is what stands behind the token's word, in a block that the parser may cut. */
typedef enum parsed parse_fn(char *rest, struct outcome *out);

static bool ends(const char *rest)
{
    return *rest == '\0';
}

/* status:0xCCDD, status:classN, status:any; "then close" behind it adds nothing (L-STAT-001). */
static enum parsed parse_status(char *rest, struct outcome *out)
{
    size_t len = strcspn(rest, " ");
    const char *behind = rest + len;
    uint64_t value;

    if (len == 3 && strncmp(rest, "any", 3) == 0) {
        out->any = true;
    } else if (len == 6 && strncmp(rest, "class", 5) == 0) {
        char digits[4] = {'0', 'x', rest[5], '\0'};

        if (text_parse_number(digits, 3, &value) != TEXT_NUMBER_OK)
            return MALFORMED;
        out->whole_class = true;
        out->code = (uint16_t)(value << 8);
    } else if (len == 6 && strncmp(rest, "0x", 2) == 0 && text_parse_number(rest, len, &value) == TEXT_NUMBER_OK) {
        out->code = (uint16_t)value;
    } else {
        return MALFORMED;
    }
    out->kind = OUTCOME_STATUS;
    return ends(behind) || strcmp(behind, " then close") == 0 ? PARSED : NOT_MINE;
}

static enum parsed parse_reject(char *rest, struct outcome *out)
{
    size_t len = strcspn(rest, " ");
    uint64_t value;

    if (len == 3 && strncmp(rest, "any", 3) == 0)
        out->any = true;
    else if (len == 4 && strncmp(rest, "0x", 2) == 0 && text_parse_number(rest, len, &value) == TEXT_NUMBER_OK)
        out->code = (uint16_t)value;
    else
        return MALFORMED;
    out->kind = OUTCOME_REJECT_PDU;
    return ends(rest + len) ? PARSED : NOT_MINE;
}

/* "[a..b]" and nothing behind it, a and b numbers. */
static bool is_range(const char *text, uint64_t *low, uint64_t *high)
{
    size_t len = strlen(text);
    const char *dots = strstr(text, "..");

    if (len < 6 || text[0] != '[' || text[len - 1] != ']' || !dots)
        return false;
    return text_parse_number(text + 1, (size_t)(dots - text - 1), low) == TEXT_NUMBER_OK &&
           text_parse_number(dots + 2, (size_t)(text + len - 1 - (dots + 2)), high) == TEXT_NUMBER_OK && *low <= *high;
}

/* The name of a key, legal or not: rules speak of "HEADERDIGEST" and "X#Foo" too. */
static bool is_key(const char *key, size_t len)
{
    static const char others[] = ".-+@_#";

    if (len == 0 || len > TEXT_KEY_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)key[i]) && !memchr(others, key[i], sizeof others - 1))
            return false;
    return isalpha((unsigned char)key[0]) != 0;
}

/* Cuts the key off; afterwards *rest is what follows it. "<key>" is another way to write "*". */
static char *cut_key(char **rest)
{
    char *key = *rest;
    size_t len = strcspn(key, "= !<>,");

    if (strncmp(key, "<key>", 5) == 0 && (key[5] == '=' || key[5] == '\0' || key[5] == ' ')) {
        *rest = key + 5;
        key[0] = '*';
        key[1] = '\0';
        return key;
    }
    if (!(len == 1 && key[0] == '*') && !is_key(key, len))
        return NULL;
    *rest = key + len;
    return key;
}

/* " in [a..b]", " admissible", "=value", or nothing; NULL when it is something else. Ends the key, too. */
static char *cut_value(char *rest)
{
    uint64_t low, high;
    char *value = NULL;

    if (ends(rest))
        return rest;
    if (strcmp(rest, " admissible") == 0) {
        value = rest + 1;
    } else if (strncmp(rest, " in ", 4) == 0 && is_range(rest + 4, &low, &high)) {
        value = rest + 4;
    } else if (*rest == '=') {
        value = rest + 1;
        if (strncmp(value, "in ", 3) == 0 && is_range(value + 3, &low, &high))
            value += 3;
        if (ends(value) || strpbrk(value, " <>") || strcmp(value, "value") == 0 || strcmp(value, "inadmissible") == 0)
            return NULL;
        if (value[0] == '[' && !is_range(value, &low, &high))
            return NULL;
    }
    if (value)
        *rest = '\0';
    return value;
}

static enum parsed parse_key_value(char *rest, struct outcome *out, enum outcome_kind kind)
{
    char *key = cut_key(&rest);
    char *value = key ? cut_value(rest) : NULL;

    if (!value)
        return NOT_MINE;
    out->kind = kind;
    out->key = key;
    out->value = *value ? value : NULL;
    return PARSED;
}

static enum parsed parse_answer(char *rest, struct outcome *out)
{
    if (parse_key_value(rest, out, OUTCOME_ANSWER) != PARSED)
        return NOT_MINE;
    if (!out->value)
        out->value = "*";
    return PARSED;
}

static enum parsed parse_declare(char *rest, struct outcome *out)
{
    return parse_key_value(rest, out, OUTCOME_DECLARE);
}

static enum parsed parse_no_answer(char *rest, struct outcome *out)
{
    char *key = cut_key(&rest);

    if (!key || !ends(rest))
        return NOT_MINE;
    out->kind = OUTCOME_NO_ANSWER;
    out->key = key;
    return PARSED;
}

static bool is_field_value(const char *value)
{
    uint64_t number;

    if (strncmp(value, "request ", 8) == 0)
        return pdu_field_find(PDU_LOGIN_REQUEST, value + 8) != NULL;
    return text_parse_number(value, strlen(value), &number) == TEXT_NUMBER_OK;
}

static bool is_field_set(const char *value)
{
    size_t len = strlen(value);

    return len >= 3 && value[0] == '{' && value[len - 1] == '}' && strspn(value + 1, "0123456789abcdefx, ") == len - 2;
}

/* NAME op VALUE; the operator is cut out by moving the value one byte behind it. */
static enum parsed parse_field(char *rest, struct outcome *out)
{
    static const char *const operators[] = {"==", "!=", "<=", ">=", "<", ">", NULL};
    size_t len = strcspn(rest, "=!<> ,");
    char *op = rest + len;

    out->key = rest;
    if (strncmp(op, " in {", 5) == 0 && is_field_set(op + 4)) {
        out->op = "in";
        out->value = op + 4;
    } else {
        size_t i = 0;

        while (operators[i] && strncmp(op, operators[i], strlen(operators[i])) != 0)
            i++;
        if (!operators[i] || !is_field_value(op + strlen(operators[i])))
            return NOT_MINE;
        out->op = operators[i];
        out->value = op + strlen(operators[i]);
    }
    *op = '\0';
    out->kind = OUTCOME_FIELD;
    return pdu_field_find(PDU_LOGIN_RESPONSE, out->key) ? PARSED : NOT_MINE;
}

static const struct {
    const char *word;
    enum outcome_kind kind; /* when parse is NULL */
    parse_fn *parse;
} vocabulary[] = {
    {"status:", OUTCOME_STATUS, parse_status},
    {"reject-pdu:", OUTCOME_REJECT_PDU, parse_reject},
    {"answer:", OUTCOME_ANSWER, parse_answer},
    {"noanswer:", OUTCOME_NO_ANSWER, parse_no_answer},
    {"declare:", OUTCOME_DECLARE, parse_declare},
    {"field:", OUTCOME_FIELD, parse_field},
    {"close", OUTCOME_CLOSE, NULL},
    {"accept", OUTCOME_ACCEPT, NULL},
    {"stay", OUTCOME_STAY, NULL},
    {"ffp", OUTCOME_FFP, NULL},
    {"no-response until login timeout then close", OUTCOME_SILENCE, NULL},
    {"no-response", OUTCOME_SILENCE, NULL},
};

/* `block` has room for the token twice, each with a NUL: as written, and to be cut. */
static int parse_into(char *block, const char *token, struct outcome *out, const struct position *at,
                      struct load_error *err)
{
    size_t len = strlen(token);
    char *work = block + len + 1;

    memset(out, 0, sizeof *out);
    memcpy(block, token, len + 1);
    memcpy(work, token, len + 1);
    for (size_t i = 0; i < sizeof vocabulary / sizeof vocabulary[0]; i++) {
        const char *word = vocabulary[i].word;
        enum parsed parsed = PARSED;

        if (!vocabulary[i].parse && strcmp(token, word) != 0)
            continue;
        if (strncmp(token, word, strlen(word)) != 0)
            continue;
        if (vocabulary[i].parse)
            parsed = vocabulary[i].parse(work + strlen(word), out);
        if (parsed == MALFORMED)
            return load_error_set(err, at, "%.80s: malformed; write %s", token,
                                  vocabulary[i].kind == OUTCOME_STATUS
                                      ? "status:0xCCDD with four hex digits, status:class2 or status:any"
                                      : "reject-pdu:0xRR with two hex digits or reject-pdu:any");
        if (parsed == NOT_MINE)
            break;
        out->kind = vocabulary[i].kind;
        out->text = block;
        return 0;
    }
    memset(out, 0, sizeof *out);
    out->kind = OUTCOME_TEXT;
    out->text = block;
    return 0;
}

int outcome_parse(const char *token, struct outcome *out, const struct position *at, struct load_error *err)
{
    char *block = malloc(2 * strlen(token) + 2);

    if (!block)
        return load_error_set(err, at, "out of memory");
    if (parse_into(block, token, out, at, err) == 0)
        return 0;
    free(block);
    memset(out, 0, sizeof *out);
    return -1;
}

int outcome_parse_in(struct arena *a, const char *token, struct outcome *out, const struct position *at,
                     struct load_error *err)
{
    char *block = arena_alloc(a, 2, strlen(token) + 1);

    if (!block)
        return load_error_set(err, at, "out of memory");
    return parse_into(block, token, out, at, err);
}

void outcome_free(struct outcome *out)
{
    free(out->text);
    memset(out, 0, sizeof *out);
}

void outcome_list_free(struct outcome_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        outcome_free(&list->items[i]);
    free(list->items);
    memset(list, 0, sizeof *list);
}

bool outcome_decidable(const struct outcome *o)
{
    return o->kind != OUTCOME_TEXT;
}

/* One alternative of a's value against b's whole value. */
static bool item_in_value(const char *item, size_t len, const char *key, const char *b)
{
    uint64_t number, low, high;

    if (is_range(b, &low, &high))
        return text_parse_number(item, len, &number) == TEXT_NUMBER_OK && number >= low && number <= high;
    if (strcmp(b, "admissible") == 0) {
        const struct keys_entry *entry = keys_find(key, strlen(key));

        return entry && keys_check_value(entry, item, len) == KEYS_VALUE_OK;
    }
    while (true) {
        size_t b_len = strcspn(b, "|");

        if (b_len == len && memcmp(b, item, len) == 0)
            return true;
        if (b[b_len] == '\0')
            return false;
        b += b_len + 1;
    }
}

/* Is every value that a allows allowed by b? `key` is a's. NULL (a declaration of any value) is as "*". */
static bool value_covered(const char *key, const char *a, const char *b)
{
    uint64_t a_low, a_high, low, high;

    if (!b || strcmp(b, "*") == 0)
        return true;
    if (!a)
        return false;
    if (strcmp(a, b) == 0)
        return true;
    if (strcmp(a, "*") == 0 || strcmp(a, "admissible") == 0)
        return false;
    if (is_range(a, &a_low, &a_high)) {
        if (is_range(b, &low, &high))
            return low <= a_low && a_high <= high;
        if (strcmp(b, "admissible") == 0) {
            const struct keys_entry *entry = keys_find(key, strlen(key));

            return entry && entry->min <= a_low && a_high <= entry->max;
        }
        return false;
    }
    while (true) {
        size_t len = strcspn(a, "|");

        if (!item_in_value(a, len, key, b))
            return false;
        if (a[len] == '\0')
            return true;
        a += len + 1;
    }
}

static bool key_covered(const char *a, const char *b)
{
    return strcmp(b, "*") == 0 || strcmp(a, b) == 0;
}

static bool status_covered(const struct outcome *a, const struct outcome *b)
{
    if (b->any)
        return a->any || a->code >= 0x0100;
    if (a->any)
        return false;
    if (b->whole_class)
        return a->code >> 8 == b->code >> 8;
    return !a->whole_class && a->code == b->code;
}

/* Words that begin with a's token: a case reads them its way. */
static bool words_cover(const struct outcome *a, const char *words)
{
    size_t len = strlen(a->text);

    return strncmp(words, a->text, len) == 0 && (words[len] == '\0' || strchr(" ,;.(", words[len]));
}

bool outcome_covered(const struct outcome *a, const struct outcome *b)
{
    if (b->kind == OUTCOME_TEXT)
        return words_cover(a, b->text);
    /* A success of whatever sort is a login that goes on. */
    if (b->kind == OUTCOME_ACCEPT)
        return a->kind == OUTCOME_ACCEPT || a->kind == OUTCOME_STAY || a->kind == OUTCOME_FFP ||
               (a->kind == OUTCOME_STATUS && !a->any && !a->whole_class && a->code == 0);
    if (b->kind == OUTCOME_STATUS && !b->any && b->code == 0 && (a->kind == OUTCOME_STAY || a->kind == OUTCOME_FFP))
        return true;
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case OUTCOME_STATUS:
        return status_covered(a, b);
    case OUTCOME_REJECT_PDU:
        return b->any || (!a->any && a->code == b->code);
    case OUTCOME_ANSWER:
    case OUTCOME_DECLARE:
        return key_covered(a->key, b->key) && value_covered(a->key, a->value, b->value);
    case OUTCOME_NO_ANSWER:
        return key_covered(a->key, b->key);
    case OUTCOME_FIELD:
        return strcmp(a->key, b->key) == 0 && strcmp(a->op, b->op) == 0 && strcmp(a->value, b->value) == 0;
    default:
        return true;
    }
}
