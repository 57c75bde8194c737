/* Cross-over with a second input: see mutate_parts.h. */
#include "harness/mutate_parts.h"

enum { TEXT_COPY_MAX = 8192 };

/* The units of the other input. */
static size_t cut_other(const struct mutate_work *w, struct mutate_unit units[MUTATE_UNITS])
{
    return w->other.bytes == NULL ? 0 : mutate_cut(w->options, w->other.bytes, w->other.len, units);
}

/* A PDU of the other one is put in, or takes the place of one. */
bool mutate_cross_unit(struct mutate_work *w)
{
    struct mutate_unit units[MUTATE_UNITS];
    size_t count = cut_other(w, units);

    if (count == 0 || w->options->format == MUTATE_TEXT)
        return false;
    const struct mutate_unit *u = &units[mutate_below(w, count)];
    size_t at = mutate_below(w, w->unit_count + 1);

    if (mutate_one_in(w, 2) && at < w->unit_count)
        mutate_remove(w, at);
    return mutate_insert(w, at, w->other.bytes + u->at, u->len);
}

/* Begins as this one and ends as the other. */
bool mutate_cross_tail(struct mutate_work *w)
{
    struct mutate_unit units[MUTATE_UNITS];
    size_t count = cut_other(w, units);

    if (count == 0 || w->unit_count == 0 || w->options->format == MUTATE_TEXT)
        return false;
    size_t keep = w->units[mutate_below(w, w->unit_count)].at, from = units[mutate_below(w, count)].at;
    size_t tail = w->other.len - from;

    if (tail > w->cap - keep)
        tail = w->cap - keep;
    memcpy(w->bytes + keep, w->other.bytes + from, tail);
    w->len = keep + tail;
    mutate_refresh(w);
    return true;
}

/* A unit of the other one that has text (or a header at least). */
static const uint8_t *other_pdu(struct mutate_work *w, size_t *len)
{
    struct mutate_unit units[MUTATE_UNITS];
    size_t count = cut_other(w, units), start = mutate_below(w, count);

    for (size_t i = 0; i < count; i++) {
        const struct mutate_unit *u = &units[(start + i) % count];

        if (u->head != 1 && u->len - u->head >= PDU_BHS_LEN) {
            *len = u->len - u->head;
            return w->other.bytes + u->at + u->head;
        }
    }
    return NULL;
}

/* A pair of the other one. */
bool mutate_cross_text(struct mutate_work *w)
{
    const uint8_t *text = w->other.bytes;
    size_t len = w->other.len, unit = mutate_pick_text(w, 0), count = 0;
    struct text_cursor cursor;
    struct text_pair pair = {0}, chosen = {0};

    if (text == NULL || unit == w->unit_count)
        return false;
    if (w->options->format != MUTATE_TEXT) {
        text = other_pdu(w, &len);
        if (text == NULL)
            return false;
        size_t said = pdu_data_len(text);

        text += PDU_BHS_LEN;
        len -= PDU_BHS_LEN;
        len = said < len ? said : len;
    }
    text_cursor_init(&cursor, text, len);
    while (text_next(&cursor, &pair) != TEXT_END)
        if (mutate_one_in(w, ++count))
            chosen = pair;
    if (chosen.len == 0 || chosen.len > TEXT_COPY_MAX)
        return false;
    size_t at = mutate_text_of(w, unit).len;

    if (mutate_pair(w, unit, mutate_below(w, mutate_pair_count(w, unit)), &pair) && mutate_one_in(w, 2))
        at = pair.offset;
    if (!mutate_splice_text(w, unit, at, 0, chosen.key, chosen.len))
        return false;
    mutate_set_live(w, unit, SESSION_INPUT_LIVE_TEXT);
    return true;
}

/* A header field of the other one, of a PDU with the same opcode. */
bool mutate_cross_header(struct mutate_work *w)
{
    size_t len, unit = mutate_pick_pdu(w), count;
    const uint8_t *from = w->options->format == MUTATE_TEXT ? NULL : other_pdu(w, &len);

    if (from == NULL || unit == w->unit_count)
        return false;
    uint8_t *bhs = mutate_bhs(w, unit);
    const struct pdu_field *fields = pdu_fields(pdu_opcode(bhs), &count), *field = &fields[mutate_below(w, count)];
    uint64_t old = pdu_field_get(field, bhs), value = pdu_field_get(field, from);

    return old != value && pdu_field_set(field, bhs, value);
}
