#include "harness/audit/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULE_ROW(suffix, id, subject) {id, subject},
_Static_assert(AUDIT_RULE_COUNT <= AUDIT_JUDGED_WORDS * 64, "room for a bit of every rule");

static const struct audit_rule rules[AUDIT_RULE_COUNT] = {AUDIT_RULES(RULE_ROW)};
#undef RULE_ROW

const struct audit_rule *audit_rules(size_t *count)
{
    *count = AUDIT_RULE_COUNT;
    return rules;
}

void finding_list_free(struct finding_list *list)
{
    free(list->items);
    memset(list, 0, sizeof *list);
}

struct audit_place audit_at_conn(const struct audit_login *login)
{
    return (struct audit_place){.conn = login->index, .side = TRANSCRIPT_TARGET};
}

struct audit_place audit_at_pdu(const struct audit_login *login, const struct transcript_pdu *pdu, size_t offset,
                                size_t len)
{
    struct audit_place place = {.conn = login->index, .side = pdu->side, .pdu = pdu->number};

    place.offset = offset < pdu->len ? offset : pdu->len;
    place.len = len < pdu->len - place.offset ? len : pdu->len - place.offset;
    return place;
}

struct audit_place audit_at_field(const struct audit_login *login, const struct transcript_pdu *pdu, const char *field)
{
    const struct pdu_field *f = pdu->bhs ? pdu_field_find(pdu->bhs[0], field) : NULL;

    if (!f)
        return audit_at_pdu(login, pdu, 0, PDU_BHS_LEN);
    return audit_at_pdu(login, pdu, f->byte, f->width);
}

struct audit_place audit_at_text(const struct audit_login *login, const struct audit_text *text, size_t at, size_t len)
{
    bool asked = text->side == TRANSCRIPT_INITIATOR;
    size_t low = text->first;
    size_t high = text->last;
    const struct transcript_pdu *pdu;
    size_t within;

    /* The last exchange whose data begin at or before the place: a chain may be very long. */
    while (low < high) {
        size_t middle = high - (high - low) / 2;
        const struct audit_exchange *x = &login->exchanges[middle];

        if ((asked ? x->request_at : x->response_at) <= at)
            low = middle;
        else
            high = middle - 1;
    }
    pdu = asked ? login->exchanges[low].request : login->exchanges[low].response;
    within = at - (asked ? login->exchanges[low].request_at : login->exchanges[low].response_at);
    if (!pdu)
        return audit_at_conn(login);
    if (!pdu->data || within >= pdu->data_len)
        return audit_at_pdu(login, pdu, pdu->len, 0);
    return audit_at_pdu(login, pdu, (size_t)(pdu->data - pdu->bhs) + within,
                        len < pdu->data_len - within ? len : pdu->data_len - within);
}

struct audit_place audit_at_pair(const struct audit_login *login, const struct audit_pair *pair)
{
    return audit_at_text(login, &login->texts[pair->text], pair->at, pair->len);
}

struct finding *audit_add(struct audit_run *run, enum audit_rule_id rule, struct audit_place place)
{
    audit_mark(run, rule);
    return audit_add_id(run, rules[rule].id, place);
}

struct finding *audit_add_id(struct audit_run *run, const char *id, struct audit_place place)
{
    struct finding_list *list = run->out;
    struct finding *f = &run->spare;

    if (list->count >= AUDIT_FINDING_MAX) {
        list->truncated = true;
    } else if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 8;
        struct finding *items = realloc(list->items, capacity * sizeof *items);

        if (!items) {
            run->no_memory = true;
        } else {
            list->items = items;
            list->capacity = capacity;
        }
    }
    if (list->count < AUDIT_FINDING_MAX && list->count < list->capacity)
        f = &list->items[list->count++];
    memset(f, 0, sizeof *f);
    f->rule = id;
    f->conn = place.conn;
    f->side = place.side;
    f->pdu = place.pdu;
    f->offset = place.offset;
    f->len = place.len;
    return f;
}

void audit_was(struct finding *finding, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(finding->was, sizeof finding->was, format, args);
    va_end(args);
}

void audit_allowed(struct finding *finding, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(finding->allowed, sizeof finding->allowed, format, args);
    va_end(args);
}

char *audit_quote(char *out, size_t cap, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    size_t n = 0;

    if (cap == 0)
        return out;
    for (size_t i = 0; i < len; i++) {
        bool plain = p[i] >= 0x20 && p[i] < 0x7f && p[i] != '\\';

        /* Always leave room for "..." and the null byte. */
        if (n + 4 + 4 > cap) {
            if (cap >= 4) {
                memcpy(out + n, "...", 3);
                n += 3;
            }
            break;
        }
        if (plain)
            out[n++] = (char)p[i];
        else
            n += (size_t)snprintf(out + n, cap - n, "\\x%02x", p[i]);
    }
    out[n] = '\0';
    return out;
}

void audit_was_pair(struct finding *finding, const struct audit_pair *pair)
{
    char key[72];
    char value[80];

    audit_was(finding, "%s=%s", audit_quote(key, sizeof key, pair->key, pair->key_len),
              audit_quote(value, sizeof value, pair->value, pair->value_len));
}
