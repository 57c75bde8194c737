/* Changes of the order of PDUs, of segments, connections and endings: see mutate_parts.h. */
#include "harness/mutate_parts.h"

#include "wire/bytes.h"

enum { COPY_MAX = 16384, TSIH_AT = 14, CID_AT = 20, TEMPLATE_MAX = 4096 };

static unsigned conn_of(const struct mutate_work *w, size_t unit)
{
    return w->options->format == MUTATE_SESSION && unit < w->unit_count ? w->bytes[w->units[unit].at] & 3U : 0;
}

/* Puts one of the ready-made PDUs somewhere. */
bool mutate_pdu_template(struct mutate_work *w)
{
    uint8_t made[TEMPLATE_MAX];
    size_t before = mutate_below(w, w->unit_count + 1);
    unsigned conn = conn_of(w, before > 0 ? before - 1 : 0);

    return mutate_insert(w, before, made, mutate_template(w, conn, false, made, sizeof(made)));
}

bool mutate_pdu_drop(struct mutate_work *w)
{
    return w->unit_count > 1 && mutate_remove(w, mutate_below(w, w->unit_count));
}

/* Copies a unit into space. Its length, 0: it is too long. */
static size_t copy_unit(const struct mutate_work *w, size_t unit, uint8_t space[COPY_MAX])
{
    size_t len = w->units[unit].len;

    if (len > COPY_MAX)
        return 0;
    memcpy(space, w->bytes + w->units[unit].at, len);
    return len;
}

/* A PDU again: at once, later, or many times. */
bool mutate_pdu_repeat(struct mutate_work *w)
{
    uint8_t copy[COPY_MAX];
    size_t times = mutate_one_in(w, 20) ? 1 + mutate_below(w, 40) : 1;
    bool done = false;

    if (w->unit_count == 0 || w->options->format == MUTATE_TEXT)
        return false;
    size_t unit = mutate_below(w, w->unit_count), len = copy_unit(w, unit, copy);
    size_t before = mutate_one_in(w, 2) ? unit : unit + 1 + mutate_below(w, w->unit_count - unit);

    while (times-- > 0 && mutate_insert(w, before, copy, len))
        done = true;
    return done;
}

/* A PDU moves to another place. */
bool mutate_pdu_swap(struct mutate_work *w)
{
    uint8_t copy[COPY_MAX];

    if (w->unit_count < 2)
        return false;
    size_t count = w->unit_count, unit = mutate_below(w, count), len = copy_unit(w, unit, copy);
    size_t before = (unit + 1 + mutate_below(w, count - 1)) % count;

    return len > 0 && mutate_remove(w, unit) && mutate_insert(w, before, copy, len);
}

/* A record, or all from it on, goes over another connection. */
bool mutate_pdu_move(struct mutate_work *w)
{
    if (w->options->format != MUTATE_SESSION || w->unit_count == 0)
        return false;
    size_t unit = mutate_below(w, w->unit_count), last = mutate_one_in(w, 2) ? unit + 1 : w->unit_count;
    unsigned by = 1U + (unsigned)mutate_below(w, SESSION_INPUT_CONNS - 1);

    for (; unit < last; unit++) {
        uint8_t *head = &w->bytes[w->units[unit].at];

        *head = (uint8_t)((*head & ~3U) | ((*head + by) & 3U));
    }
    return true;
}

/* One record becomes two, or two of a connection one: the same bytes in other segments. */
bool mutate_segments(struct mutate_work *w)
{
    if (w->options->format != MUTATE_SESSION || w->unit_count == 0)
        return false;
    size_t unit = mutate_below(w, w->unit_count);
    const struct mutate_unit u = w->units[unit];
    size_t body = u.len - u.head;

    if (u.head != SESSION_INPUT_HEAD || body < 2)
        return false;
    if (mutate_one_in(w, 2) && unit + 1 < w->unit_count) {
        const struct mutate_unit n = w->units[unit + 1];
        size_t sum = body + n.len - n.head;

        if (n.head != SESSION_INPUT_HEAD || conn_of(w, unit) != conn_of(w, unit + 1) || sum > SESSION_INPUT_DATA_MAX)
            return false;
        mutate_splice(w, n.at, n.head, NULL, 0);
        w->bytes[u.at + 1] = (uint8_t)(sum & 0xffU);
        w->bytes[u.at + 2] = (uint8_t)(sum >> 8);
    } else {
        size_t first = 1 + mutate_below(w, body - 1), second = body - first;
        const uint8_t head[SESSION_INPUT_HEAD] = {w->bytes[u.at] & 3U, (uint8_t)(second & 0xffU),
                                                  (uint8_t)(second >> 8)};

        if (!mutate_splice(w, u.at + u.head + first, 0, head, sizeof(head)))
            return false;
        w->bytes[u.at + 1] = (uint8_t)(first & 0xffU);
        w->bytes[u.at + 2] = (uint8_t)(first >> 8);
    }
    mutate_refresh(w);
    return true;
}

/* End of a direction, a reset, or time between two records. */
bool mutate_ending(struct mutate_work *w)
{
    static const enum session_input_kind kinds[] = {SESSION_INPUT_EOF, SESSION_INPUT_RESET, SESSION_INPUT_TIME};
    size_t before = mutate_below(w, w->unit_count + 1);

    if (w->options->format != MUTATE_SESSION)
        return false;
    const uint8_t head = (uint8_t)(conn_of(w, before > 0 ? before - 1 : 0) |
                                   (unsigned)kinds[mutate_below(w, sizeof(kinds) / sizeof(kinds[0]))] << 2);

    return mutate_insert(w, before, &head, 1);
}

/* Live flags of a record. */
bool mutate_live(struct mutate_work *w)
{
    static const uint8_t bits[] = {SESSION_INPUT_LIVE_TEXT, SESSION_INPUT_LIVE_TSIH, SESSION_INPUT_LIVE_SN,
                                   SESSION_INPUT_LIVE_ISID};

    if (w->options->format != MUTATE_SESSION || w->options->no_live || w->unit_count == 0)
        return false;
    w->bytes[w->units[mutate_below(w, w->unit_count)].at] ^= bits[mutate_below(w, sizeof(bits))];
    return true;
}

/* The first PDUs of a connection once more on another one: joins the session, reinstates it, or opens a second one. */
bool mutate_second_connection(struct mutate_work *w)
{
    uint8_t copy[COPY_MAX];
    size_t unit = mutate_pick_pdu(w);

    if (w->options->format != MUTATE_SESSION || unit == w->unit_count ||
        pdu_opcode(mutate_bhs(w, unit)) != PDU_LOGIN_REQUEST)
        return false;
    size_t len = copy_unit(w, unit, copy);

    if (len < SESSION_INPUT_HEAD + PDU_BHS_LEN)
        return false;
    uint8_t *bhs = copy + SESSION_INPUT_HEAD;

    copy[0] = (uint8_t)((copy[0] & ~3U) | ((copy[0] + 1U + mutate_below(w, 3)) & 3U));
    switch (mutate_below(w, 4)) {
    case 0: /* join */
        copy[0] |= w->options->no_live ? 0 : SESSION_INPUT_LIVE_TSIH;
        bytes_put_be16(bhs + CID_AT, (uint16_t)(bytes_get_be16(bhs + CID_AT) + 1));
        break;
    case 1: /* connection reinstatement: the same CID */
        copy[0] |= w->options->no_live ? 0 : SESSION_INPUT_LIVE_TSIH;
        break;
    case 2: /* session reinstatement: the same ISID, no TSIH */
        bytes_put_be16(bhs + TSIH_AT, 0);
        break;
    default:
        bhs[13] = (uint8_t)mutate_random(w);
        break;
    }
    return mutate_insert(w, mutate_one_in(w, 2) ? w->unit_count : unit + 1, copy, len);
}

/* The end is cut off, in the middle of a PDU. */
bool mutate_truncate(struct mutate_work *w)
{
    if (w->unit_count == 0 || w->len < 2)
        return false;
    w->len -=
        1 + mutate_below(w, w->units[w->unit_count - 1].len < w->len ? w->units[w->unit_count - 1].len : w->len - 1);
    mutate_refresh(w);
    return true;
}
