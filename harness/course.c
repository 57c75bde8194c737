/* The course of a login: see course.h. */
#include "harness/course.h"

#include "wire/bytes.h"
#include "wire/chap.h"
#include "wire/pdu.h"
#include "wire/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What an answer owes to a request that holds a key. */
static const struct debt {
    const char *asked, *due;
} debts[] = {
    {"AuthMethod", "AuthMethod"}, {"CHAP_A", "CHAP_A"}, {"CHAP_A", "CHAP_I"},
    {"CHAP_A", "CHAP_C"},         {"CHAP_C", "CHAP_N"}, {"CHAP_C", "CHAP_R"},
};

static bool holds(const void *text, size_t len, const char *key)
{
    struct text_pair pair;

    return text_find(text, len, key, &pair);
}

/* Keys that go ahead of what they answer. */
static bool strays_ahead(const struct course_exchange *x, char *out, size_t cap)
{
    for (size_t i = 0; i < sizeof(debts) / sizeof(debts[0]); i++)
        if (strcmp(debts[i].due, "CHAP_N") != 0 && !holds(x->asked, x->asked_len, debts[i].asked) &&
            holds(x->said, x->said_len, debts[i].due)) {
            snprintf(out, cap, "sent %s unasked", debts[i].due);
            return true;
        }
    return false;
}

static bool owes(const struct course_exchange *x, const struct debt *debt)
{
    return holds(x->asked, x->asked_len, debt->asked) && !holds(x->said, x->said_len, debt->due);
}

/* The first method of the list that libiscsi can go through: CHAP or None. */
static bool first_method(const struct text_pair *list, const char **word)
{
    const char *p = list->value, *end = p + list->value_len;

    while (p < end) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        size_t len = comma ? (size_t)(comma - p) : (size_t)(end - p);

        if (text_equals(p, len, "CHAP") || text_equals(p, len, "None")) {
            *word = *p == 'C' ? "CHAP" : "None";
            return true;
        }
        p += len + 1;
    }
    return false;
}

static bool says(const struct course_exchange *x, const char *key, const char *value)
{
    struct text_pair pair;

    return text_find(x->said, x->said_len, key, &pair) && text_equals(pair.value, pair.value_len, value);
}

static bool strays_in_method(const struct course_exchange *x, char *out, size_t cap)
{
    struct text_pair list, chosen;
    const char *due;

    if (!text_find(x->asked, x->asked_len, "AuthMethod", &list) || !first_method(&list, &due) ||
        says(x, "AuthMethod", due) || !text_find(x->said, x->said_len, "AuthMethod", &chosen))
        return false;
    snprintf(out, cap, "answered AuthMethod=%.*s to AuthMethod=%.*s",
             (int)(chosen.value_len < 40 ? chosen.value_len : 40), chosen.value,
             (int)(list.value_len < 40 ? list.value_len : 40), list.value);
    return true;
}

/* A challenge that no initiator could answer. */
static bool strays_in_challenge(const struct course_exchange *x, char *out, size_t cap)
{
    uint8_t challenge[CHAP_MAX_BINARY];
    struct text_pair pair;
    uint64_t number;
    size_t len = 0;

    if (text_find(x->said, x->said_len, "CHAP_I", &pair) &&
        (text_parse_number(pair.value, pair.value_len, &number) != TEXT_NUMBER_OK || number > 255)) {
        snprintf(out, cap, "sent a CHAP_I that is no number up to 255");
        return true;
    }
    if (!text_find(x->said, x->said_len, "CHAP_C", &pair) ||
        (text_decode_binary(pair.value, pair.value_len, challenge, sizeof(challenge), &len) == TEXT_BINARY_OK && len))
        return false;
    snprintf(out, cap, "sent a CHAP_C that is no challenge of 1 to %zu bytes", sizeof(challenge));
    return true;
}

/* The null bytes and equals signs of the text are where libiscsi looks for them. */
static bool strays_in_form(const struct course_exchange *x, char *out, size_t cap)
{
    enum text_result form = text_check(x->said, x->said_len, NULL);

    if (form == TEXT_END || form == TEXT_PAIR)
        return false;
    snprintf(out, cap, "sent a malformed text (%s)", text_result_name(form));
    return true;
}

static bool strays_in_stage(const struct course_exchange *x, char *out, size_t cap)
{
    bool asked = x->request[1] & PDU_FLAG_TRANSIT, said = x->response[1] & PDU_FLAG_TRANSIT;
    unsigned csg = x->request[1] >> 2 & 3u, nsg = x->request[1] & 3u;
    bool chap = csg == PDU_STAGE_SECURITY && (says(x, "AuthMethod", "CHAP") || holds(x->said, x->said_len, "CHAP_A"));

    if (chap && said)
        snprintf(out, cap, "answered T=1 with CHAP under way");
    else if (chap) /* the security stage goes on, whatever was asked for (12.1.3) */
        return false;
    else if (said && nsg == PDU_STAGE_FULL_FEATURE && !bytes_get_be16(x->response + 14))
        snprintf(out, cap, "gave no TSIH");
    else if (asked != said)
        snprintf(out, cap, "answered T=%d to T=%d", said, asked);
    else if ((x->response[1] >> 2 & 3u) != csg)
        snprintf(out, cap, "answered CSG=%u to CSG=%u", x->response[1] >> 2 & 3u, csg);
    else if (said && (x->response[1] & 3u) != nsg)
        snprintf(out, cap, "answered NSG=%u to NSG=%u", x->response[1] & 3u, nsg);
    else
        return false;
    return true;
}

bool course_strays(const struct course_exchange *x, char *out, size_t cap)
{
    *out = '\0';
    for (size_t i = 0; i < sizeof(debts) / sizeof(debts[0]); i++)
        if (owes(x, &debts[i])) {
            snprintf(out, cap, "answered %s without %s", debts[i].asked, debts[i].due);
            return true;
        }
    return strays_in_form(x, out, cap) || strays_ahead(x, out, cap) || strays_in_method(x, out, cap) ||
           strays_in_challenge(x, out, cap) || strays_in_stage(x, out, cap);
}

/* Text that is cut off, not overrun. */
struct words {
    char *out;
    size_t cap, used;
};

static void say(struct words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct words *w, const char *format, ...)
{
    va_list args;
    int n;

    if (w->used + 1 >= w->cap)
        return;
    va_start(args, format);
    n = vsnprintf(w->out + w->used, w->cap - w->used, format, args);
    va_end(args);
    w->used += n > 0 ? (size_t)n : 0;
    if (w->used >= w->cap)
        w->used = w->cap - 1;
}

void course_describe(const struct course_exchange *x, char *out, size_t cap)
{
    struct words w = {out, cap, 0};
    struct text_cursor cursor;
    struct text_pair pair;
    enum text_result result;
    int keys = 0, missing = 0;

    say(&w, "T=%d, CSG=%u, NSG=%u and", (x->response[1] & PDU_FLAG_TRANSIT) != 0, x->response[1] >> 2 & 3u,
        x->response[1] & 3u);
    text_cursor_init(&cursor, x->said, x->said_len);
    while ((result = text_next(&cursor, &pair)) != TEXT_END && keys < 6)
        if (result == TEXT_PAIR)
            say(&w, "%s %.*s", keys++ ? "," : "", (int)(pair.key_len < 24 ? pair.key_len : 24), pair.key);
    if (keys == 0)
        say(&w, " no keys");
    for (size_t i = 0; i < sizeof(debts) / sizeof(debts[0]); i++)
        if (owes(x, &debts[i]))
            say(&w, "%s%s", missing++ ? ", " : " (", debts[i].due);
    if (missing)
        say(&w, " missing)");
}
