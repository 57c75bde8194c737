/* Units of a mutated input: cutting, splicing, and what keeps lengths right. See mutate_parts.h. */
#include "harness/mutate_parts.h"

uint64_t mutate_random(struct mutate_work *w)
{
    uint64_t z = (w->random += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

size_t mutate_below(struct mutate_work *w, size_t bound)
{
    return bound == 0 ? 0 : (size_t)(mutate_random(w) % bound);
}

bool mutate_one_in(struct mutate_work *w, size_t n)
{
    return mutate_below(w, n) == 0;
}

/* ---- cutting ---- */

static size_t cut_session(const uint8_t *bytes, size_t len, struct mutate_unit units[MUTATE_UNITS])
{
    const uint8_t *p = bytes, *end = bytes + len;
    struct session_input_record record;
    size_t count = 0;

    while (count < MUTATE_UNITS) {
        size_t at = (size_t)(p - bytes);

        if (!session_input_next(&p, end, &record))
            break;
        units[count++] = (struct mutate_unit){.at = at,
                                              .head = record.kind == SESSION_INPUT_DATA ? SESSION_INPUT_HEAD : 1,
                                              .len = (size_t)(p - bytes) - at};
    }
    return count;
}

static size_t cut_stream(const uint8_t *bytes, size_t len, struct mutate_unit units[MUTATE_UNITS])
{
    size_t at = 0, count = 0;

    while (at < len && count < MUTATE_UNITS) {
        size_t rest = len - at, total = rest;

        if (rest >= PDU_BHS_LEN)
            total = pdu_total_len(bytes + at, false, false);
        if (total > rest)
            total = rest;
        units[count++] = (struct mutate_unit){.at = at, .len = total};
        at += total;
    }
    return count;
}

size_t mutate_cut(const struct mutate_options *options, const uint8_t *bytes, size_t len,
                  struct mutate_unit units[MUTATE_UNITS])
{
    if (options->format == MUTATE_SESSION)
        return cut_session(bytes, len, units);
    if (options->format == MUTATE_STREAM)
        return cut_stream(bytes, len, units);
    units[0] = (struct mutate_unit){.len = len};
    return 1;
}

void mutate_refresh(struct mutate_work *w)
{
    w->unit_count = mutate_cut(w->options, w->bytes, w->len, w->units);
}

/* ---- splicing ---- */

bool mutate_splice(struct mutate_work *w, size_t at, size_t old_len, const void *bytes, size_t len)
{
    if (at > w->len || old_len > w->len - at || (len > old_len && len - old_len > w->cap - w->len))
        return false;
    memmove(w->bytes + at + len, w->bytes + at + old_len, w->len - at - old_len);
    if (bytes != NULL && len > 0)
        memcpy(w->bytes + at, bytes, len);
    w->len = w->len - old_len + len;
    return true;
}

bool mutate_splice_body(struct mutate_work *w, size_t unit, size_t at, size_t old_len, const void *bytes, size_t len)
{
    struct mutate_unit *u = &w->units[unit];
    size_t body = u->len - u->head, grown = body - old_len + len;

    if (u->head == 1 || (u->head == SESSION_INPUT_HEAD && grown > SESSION_INPUT_DATA_MAX) ||
        !mutate_splice(w, u->at + u->head + at, old_len, bytes, len))
        return false;
    u->len = u->head + grown;
    if (u->head == SESSION_INPUT_HEAD) {
        w->bytes[u->at + 1] = (uint8_t)(grown & 0xffU);
        w->bytes[u->at + 2] = (uint8_t)(grown >> 8);
    }
    for (size_t i = unit + 1; i < w->unit_count; i++)
        w->units[i].at = w->units[i].at - old_len + len;
    return true;
}

bool mutate_insert(struct mutate_work *w, size_t before, const uint8_t *bytes, size_t len)
{
    size_t at = before < w->unit_count ? w->units[before].at : w->len;

    if (len == 0 || !mutate_splice(w, at, 0, bytes, len))
        return false;
    mutate_refresh(w);
    return true;
}

bool mutate_remove(struct mutate_work *w, size_t unit)
{
    if (unit >= w->unit_count || !mutate_splice(w, w->units[unit].at, w->units[unit].len, NULL, 0))
        return false;
    mutate_refresh(w);
    return true;
}

/* ---- PDUs ---- */

uint8_t *mutate_bhs(struct mutate_work *w, size_t unit)
{
    const struct mutate_unit *u = &w->units[unit];

    if (w->options->format == MUTATE_TEXT || u->head == 1 || u->len - u->head < PDU_BHS_LEN)
        return NULL;
    return w->bytes + u->at + u->head;
}

struct mutate_span mutate_text_of(struct mutate_work *w, size_t unit)
{
    const uint8_t *bhs = mutate_bhs(w, unit);
    size_t body = w->units[unit].len - w->units[unit].head;

    if (w->options->format == MUTATE_TEXT)
        return (struct mutate_span){.at = 0, .len = body};
    if (bhs == NULL)
        return (struct mutate_span){.at = body, .len = 0};
    size_t at = PDU_BHS_LEN + pdu_ahs_len(bhs), len = pdu_data_len(bhs);

    if (at > body)
        at = body;
    return (struct mutate_span){.at = at, .len = len < body - at ? len : body - at};
}

static bool has_text(const uint8_t *bhs)
{
    switch (pdu_opcode(bhs)) {
    case PDU_LOGIN_REQUEST:
    case PDU_LOGIN_RESPONSE:
    case PDU_TEXT_REQUEST:
    case PDU_TEXT_RESPONSE:
        return true;
    default:
        return false;
    }
}

/* Starts at a random unit and takes the first that fits. */
static size_t pick(struct mutate_work *w, bool text, size_t min)
{
    size_t start = mutate_below(w, w->unit_count);

    for (size_t i = 0; i < w->unit_count; i++) {
        size_t unit = (start + i) % w->unit_count;
        const uint8_t *bhs = mutate_bhs(w, unit);

        if (bhs != NULL && (!text || (has_text(bhs) && mutate_text_of(w, unit).len >= min)))
            return unit;
    }
    return w->unit_count;
}

size_t mutate_pick_pdu(struct mutate_work *w)
{
    return pick(w, false, 0);
}

size_t mutate_pick_text(struct mutate_work *w, size_t min)
{
    if (w->options->format == MUTATE_TEXT)
        return w->len >= min ? 0 : w->unit_count;
    return pick(w, true, min);
}

bool mutate_splice_text(struct mutate_work *w, size_t unit, size_t at, size_t old_len, const void *bytes, size_t len)
{
    static const uint8_t zero[4];
    struct mutate_span span = mutate_text_of(w, unit);
    size_t body = w->units[unit].len - w->units[unit].head;
    size_t grown = span.len - old_len + len;

    if (w->options->format == MUTATE_TEXT)
        return mutate_splice_body(w, unit, at, old_len, bytes, len);
    size_t behind = body - span.at - span.len;
    bool padded = behind == pdu_padding(span.len);

    if (mutate_bhs(w, unit) == NULL || grown > PDU_MAX_DATA_LEN || w->cap - w->len < 4 ||
        !mutate_splice_body(w, unit, span.at + at, old_len, bytes, len))
        return false;
    pdu_set_data_len(mutate_bhs(w, unit), grown);
    if (padded)
        mutate_splice_body(w, unit, span.at + grown, behind, zero, pdu_padding(grown));
    return true;
}

size_t mutate_pair_count(struct mutate_work *w, size_t unit)
{
    struct mutate_span span = mutate_text_of(w, unit);
    struct text_cursor cursor;
    struct text_pair pair;
    size_t count = 0;

    text_cursor_init(&cursor, w->bytes + w->units[unit].at + w->units[unit].head + span.at, span.len);
    while (text_next(&cursor, &pair) != TEXT_END)
        count++;
    return count;
}

bool mutate_pair(struct mutate_work *w, size_t unit, size_t number, struct text_pair *pair)
{
    struct mutate_span span = mutate_text_of(w, unit);
    struct text_cursor cursor;

    text_cursor_init(&cursor, w->bytes + w->units[unit].at + w->units[unit].head + span.at, span.len);
    for (size_t i = 0; text_next(&cursor, pair) != TEXT_END; i++)
        if (i == number)
            return true;
    return false;
}

void mutate_set_live(struct mutate_work *w, size_t unit, unsigned live)
{
    if (w->options->format == MUTATE_SESSION && !w->options->no_live && w->units[unit].head == SESSION_INPUT_HEAD)
        w->bytes[w->units[unit].at] |= (uint8_t)(live & SESSION_INPUT_LIVE_ALL);
}
