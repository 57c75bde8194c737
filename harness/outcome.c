/* One outcome against what came out: see outcome.h. */
#include "harness/outcome.h"

#include "wire/keys.h"
#include "wire/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum outcome_met met(bool yes)
{
    return yes ? OUTCOME_MET : OUTCOME_NOT_MET;
}

/* Is it "[low..high]", span characters long, and the value a number in it? */
static bool in_range(const char *range, size_t span, const char *value, size_t len)
{
    const char *dots = span > 4 && range[0] == '[' && range[span - 1] == ']' ? memmem(range, span, "..", 2) : NULL;
    uint64_t low, high, number;

    return dots && text_parse_number(range + 1, (size_t)(dots - range - 1), &low) == TEXT_NUMBER_OK &&
           text_parse_number(dots + 2, span - (size_t)(dots + 2 - range) - 1, &high) == TEXT_NUMBER_OK &&
           text_parse_number(value, len, &number) == TEXT_NUMBER_OK && number >= low && number <= high;
}

static bool is_admissible(const char *key, const char *value, size_t len)
{
    const struct keys_entry *entry = keys_find(key, strlen(key));

    return entry && keys_check_value(entry, value, len) == KEYS_VALUE_OK;
}

/* The same number in another way of writing (6.1): decimal or hexadecimal. */
static bool same_number(const char *wanted, size_t span, const char *value, size_t len)
{
    uint64_t a, b;

    return text_parse_number(wanted, span, &a) == TEXT_NUMBER_OK &&
           text_parse_number(value, len, &b) == TEXT_NUMBER_OK && a == b;
}

bool outcome_value_matches(const char *key, const char *wanted, const char *value, size_t len)
{
    for (;;) {
        size_t span = strcspn(wanted, "|");

        if ((span == 1 && *wanted == '*') || (span == len && memcmp(wanted, value, len) == 0) ||
            in_range(wanted, span, value, len) || same_number(wanted, span, value, len))
            return true;
        if (text_equals(wanted, span, "admissible") && is_admissible(key, value, len))
            return true;
        if (wanted[span] == '\0')
            return false;
        wanted += span + 1;
    }
}

bool outcome_text_has(const char *text, size_t len, const char *key, const char *wanted)
{
    struct text_cursor cursor;
    struct text_pair pair;
    enum text_result result;

    text_cursor_init(&cursor, text, len);
    while ((result = text_next(&cursor, &pair)) != TEXT_END) {
        if (result != TEXT_PAIR || !text_pair_is(&pair, key))
            continue;
        if (!wanted || outcome_value_matches(key, wanted, pair.value, pair.value_len))
            return true;
    }
    return false;
}

bool outcome_text_answers(const char *text, size_t len, const char *key)
{
    const struct keys_entry *entry = keys_find(key, strlen(key));
    bool list = entry && entry->type == KEYS_LIST;
    struct text_cursor cursor;
    struct text_pair pair;
    enum text_result result;

    text_cursor_init(&cursor, text, len);
    while ((result = text_next(&cursor, &pair)) != TEXT_END)
        if (result == TEXT_PAIR && text_pair_is(&pair, key) && !(list && memchr(pair.value, ',', pair.value_len)))
            return true;
    return false;
}

static enum outcome_met status_meets(const struct outcome *o, const struct outcome_view *v)
{
    if (!o->any && !o->whole_class && o->code == STATUS_SUCCESS)
        return met(v->answer && pdu_login_status(v->answer) == STATUS_SUCCESS);
    if (v->end != CONN_STATUS)
        return OUTCOME_NOT_MET;
    if (o->any)
        return OUTCOME_MET;
    return met(o->whole_class ? status_class(o->code) == status_class(v->status) : o->code == v->status);
}

static enum outcome_met key_meets(const struct outcome *o, const struct outcome_view *v)
{
    const char *key = strcmp(o->key, "*") == 0 ? v->stimulus : o->key;
    bool refused = v->end != CONN_FFP && v->end != CONN_LEFT && v->end != CONN_GAVE_UP && v->end != CONN_ANSWERED;

    if (!key)
        return OUTCOME_UNDECIDED;
    if (o->kind == OUTCOME_NO_ANSWER)
        return met(!refused && !outcome_text_answers(v->text, v->text_len, key));
    return met(outcome_text_has(v->text, v->text_len, key, o->value));
}

/* One number of a set "{1, 3}". */
static bool in_set(const char *set, uint64_t value)
{
    const char *p = set + 1;

    while (*p && *p != '}') {
        size_t len = strcspn(p, ", }");
        uint64_t item;

        if (len && text_parse_number(p, len, &item) == TEXT_NUMBER_OK && item == value)
            return true;
        p += len;
        p += strspn(p, ", ");
    }
    return false;
}

static enum outcome_met field_meets(const struct outcome *o, const struct outcome_view *v)
{
    const struct pdu_field *field = pdu_field_find(PDU_LOGIN_RESPONSE, o->key), *asked;
    uint64_t value, limit;

    if (!field || !o->op || !o->value)
        return OUTCOME_UNDECIDED;
    if (!v->answer)
        return OUTCOME_NOT_MET;
    value = pdu_field_get(field, v->answer);
    if (strcmp(o->op, "in") == 0)
        return met(in_set(o->value, value));
    if (strncmp(o->value, "request ", 8) == 0) {
        asked = pdu_field_find(PDU_LOGIN_REQUEST, o->value + 8);
        if (!asked || !v->request)
            return OUTCOME_UNDECIDED;
        limit = pdu_field_get(asked, v->request);
    } else if (text_parse_number(o->value, strlen(o->value), &limit) != TEXT_NUMBER_OK) {
        return OUTCOME_UNDECIDED;
    }
    switch (o->op[0]) {
    case '=':
        return met(value == limit);
    case '!':
        return met(value != limit);
    case '<':
        return met(o->op[1] == '=' ? value <= limit : value < limit);
    case '>':
        return met(o->op[1] == '=' ? value >= limit : value > limit);
    default:
        return OUTCOME_UNDECIDED;
    }
}

enum outcome_met outcome_meets(const struct outcome *o, const struct outcome_view *v)
{
    bool good = v->answer && pdu_login_status(v->answer) == STATUS_SUCCESS;

    switch (o->kind) {
    case OUTCOME_STATUS:
        return status_meets(o, v);
    case OUTCOME_CLOSE:
        return met(v->end == CONN_CLOSED);
    case OUTCOME_ACCEPT:
        return met(v->end == CONN_FFP || v->end == CONN_ANSWERED || (v->end == CONN_LEFT && good));
    case OUTCOME_STAY:
        return met(good && !(v->answer[1] & PDU_FLAG_TRANSIT));
    case OUTCOME_FFP:
        return met(v->end == CONN_FFP);
    case OUTCOME_ANSWER:
    case OUTCOME_NO_ANSWER:
    case OUTCOME_DECLARE:
        return key_meets(o, v);
    case OUTCOME_FIELD:
        return field_meets(o, v);
    case OUTCOME_REJECT_PDU:
        return met(v->end == CONN_REJECTED && (o->any || o->code == v->reason));
    case OUTCOME_SILENCE:
        return met(v->end == CONN_SILENT);
    case OUTCOME_TEXT:
        break;
    }
    return OUTCOME_UNDECIDED;
}

const char *outcome_describe(const struct outcome *o, char *out, size_t cap)
{
    switch (o->kind) {
    case OUTCOME_STATUS:
        if (o->any)
            snprintf(out, cap, "any status but success");
        else if (o->whole_class)
            snprintf(out, cap, "a status of class %u (%s)", status_class(o->code),
                     status_class_name(status_class(o->code)));
        else
            snprintf(out, cap, "0x%04x %s", o->code, status_name_or_class(o->code));
        break;
    case OUTCOME_CLOSE:
        snprintf(out, cap, "a close without an answer");
        break;
    case OUTCOME_ACCEPT:
        snprintf(out, cap, "acceptance");
        break;
    case OUTCOME_STAY:
        snprintf(out, cap, "success with T=0");
        break;
    case OUTCOME_FFP:
        snprintf(out, cap, "a completed login");
        break;
    case OUTCOME_ANSWER:
    case OUTCOME_DECLARE:
        if (o->value && strcmp(o->value, "*") != 0)
            snprintf(out, cap, "%s=%s", o->key, o->value);
        else
            snprintf(out, cap, "%s in the answer", o->key);
        break;
    case OUTCOME_NO_ANSWER:
        snprintf(out, cap, "no %s in the answer", o->key);
        break;
    case OUTCOME_FIELD:
        snprintf(out, cap, "%s %s %s", o->key, o->op, o->value);
        break;
    case OUTCOME_REJECT_PDU:
        if (o->any)
            snprintf(out, cap, "a Reject PDU");
        else
            snprintf(out, cap, "a Reject PDU with reason 0x%02x", o->code);
        break;
    case OUTCOME_SILENCE:
        snprintf(out, cap, "silence until the target's time-out");
        break;
    case OUTCOME_TEXT:
        snprintf(out, cap, "%s", o->text ? o->text : "");
        break;
    }
    return out;
}

void outcome_describe_list(const struct outcome_list *list, bool all, bool tolerated, char *out, size_t cap)
{
    size_t used = 0;

    *out = '\0';
    for (size_t i = 0; i < list->count && used + 1 < cap; i++) {
        char one[200];
        int n;

        if (list->items[i].tolerated != tolerated || list->items[i].kind == OUTCOME_TEXT)
            continue;
        n = snprintf(out + used, cap - used, "%s%s", used ? all ? " and " : " or " : "",
                     outcome_describe(&list->items[i], one, sizeof(one)));
        used += n > 0 ? (size_t)n : 0;
    }
}
