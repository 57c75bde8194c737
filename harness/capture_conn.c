#include "harness/capture_conn.h"

#include "wire/pdu.h"
#include "wire/text.h"

#include <stdlib.h>
#include <string.h>

/* A stream that says nothing of iSCSI in so many bytes, with silence on the other side, is something else. */
#define SILENT_MAX 4096u

bool capture_taking_start(struct capture_taking *t, size_t behind)
{
    memset(t, 0, sizeof *t);
    t->behind = behind;
    t->limit[0] = t->limit[1] = SIZE_MAX;
    t->conn = calloc(1, sizeof *t->conn);
    if (!t->conn)
        return false;
    t->conn->transcript = transcript_new();
    t->conn->conn = t->conn->transcript ? transcript_add_conn(t->conn->transcript, "") : NULL;
    if (t->conn->conn)
        return true;
    capture_taking_free(t);
    return false;
}

void capture_taking_free(struct capture_taking *t)
{
    capture_conn_free(t->conn);
    t->conn = NULL;
}

void capture_conn_free(struct capture_conn *conn)
{
    if (!conn)
        return;
    transcript_free(conn->transcript);
    free(conn->pieces[0].items);
    free(conn->pieces[1].items);
    free(conn);
}

static struct capture_piece *piece_add(struct capture_pieces *list)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 8;
        struct capture_piece *items = realloc(list->items, capacity * sizeof *items);

        if (!items)
            return NULL;
        list->items = items;
        list->capacity = capacity;
    }
    return &list->items[list->count++];
}

/* A piece in the list, for bytes and for gaps (frame 0). False when out of memory. */
static bool note_piece(struct capture_conn *conn, unsigned side, uint64_t frame, uint64_t arrived, size_t offset,
                       size_t len)
{
    struct capture_pieces *list = &conn->pieces[side];
    uint64_t before = list->count > 0 ? list->items[list->count - 1].shown : 0;
    struct capture_piece *piece = piece_add(list);

    if (!piece)
        return false;
    *piece = (struct capture_piece){offset, len, frame, arrived > before ? arrived : before};
    return true;
}

/* Login Responses end the login; behind it only so much is kept. */
static void track_pdu(struct capture_taking *t, unsigned side, const uint8_t *bhs)
{
    struct pdu_login_response rsp;

    if (t->complete || pdu_opcode(bhs) != PDU_LOGIN_RESPONSE || pdu_login_status(bhs) != 0)
        return;
    pdu_login_response_decode(&rsp, bhs);
    if (!rsp.transit || rsp.cont || rsp.nsg != PDU_STAGE_FULL_FEATURE)
        return;
    t->complete = true;
    for (unsigned i = 0; i < 2; i++) {
        /* All of this response is login. */
        size_t login = i == side ? t->pdu_at[i] + pdu_total_len(bhs, false, false) : t->conn->conn->stream[i].len;

        t->limit[i] = t->behind > SIZE_MAX / 2 ? SIZE_MAX : login + t->behind;
    }
}

static void track(struct capture_taking *t, unsigned side)
{
    const struct transcript_stream *s = &t->conn->conn->stream[side];

    while (!t->untracked[side] && !t->complete && s->len >= t->pdu_at[side] &&
           s->len - t->pdu_at[side] >= PDU_BHS_LEN) {
        const uint8_t *bhs = s->bytes + t->pdu_at[side];

        track_pdu(t, side, bhs);
        t->pdu_at[side] += pdu_total_len(bhs, false, false);
    }
}

/* How many of len bytes are still kept. */
static size_t room(struct capture_taking *t, unsigned side, size_t len)
{
    struct transcript_conn *c = t->conn->conn;
    size_t most = t->limit[side] < TRANSCRIPT_STREAM_MAX ? t->limit[side] : TRANSCRIPT_STREAM_MAX;
    size_t left = c->stream[side].len < most ? most - c->stream[side].len : 0;

    if (t->full[side])
        left = 0;
    if (len <= left)
        return len;
    if (!t->full[side]) {
        t->full[side] = true;
        c->overflow = true;
    }
    t->conn->skipped[side] += len - left;
    return left;
}

/* Marks a side full when a record of it could not be kept. */
static void lose(struct capture_taking *t, unsigned side)
{
    t->full[side] = true;
    t->no_memory = true;
    t->conn->conn->overflow = true;
}

void capture_take_bytes(struct capture_taking *t, unsigned side, const struct capture_source *from,
                        const uint8_t *bytes, size_t len)
{
    struct transcript_conn *c = t->conn->conn;
    size_t offset = c->stream[side].len;
    size_t take = room(t, side, len);

    if (take == 0)
        return;
    if (!transcript_bytes(c, (enum transcript_side)side, from->at_us, bytes, take) ||
        !note_piece(t->conn, side, from->frame, from->frame, offset, c->stream[side].len - offset)) {
        lose(t, side);
        return;
    }
    track(t, side);
}

void capture_take_gap(struct capture_taking *t, unsigned side, const struct capture_source *from, size_t len)
{
    struct transcript_conn *c = t->conn->conn;
    size_t offset = c->stream[side].len;
    size_t take;

    t->conn->missing_bytes += len;
    if (t->conn->first_missing == 0)
        t->conn->first_missing = from->frame;
    take = room(t, side, len);
    if (take == 0)
        return;
    if (t->pdu_at[side] < offset + take && t->pdu_at[side] + PDU_BHS_LEN > offset)
        t->untracked[side] = true;
    if (!transcript_gap(c, (enum transcript_side)side, from->at_us, take) ||
        !note_piece(t->conn, side, 0, from->frame, offset, c->stream[side].len - offset))
        lose(t, side);
}

void capture_take_end(struct capture_taking *t, unsigned side, const struct capture_source *from, bool reset)
{
    if (t->conn->end_frame[side] != 0)
        return;
    t->conn->end_frame[side] = from->frame;
    transcript_end(t->conn->conn, (enum transcript_side)side, from->at_us, reset ? TRANSCRIPT_RST : TRANSCRIPT_FIN);
}

void capture_take_again(struct capture_taking *t, unsigned side, const struct capture_source *from, size_t offset,
                        const uint8_t *bytes, size_t len)
{
    const struct transcript_stream *s = &t->conn->conn->stream[side];
    size_t differing = 0;

    t->conn->repeated_bytes += len;
    for (size_t i = 0; i < len && offset + i < s->len; i++)
        differing += s->bytes[offset + i] != bytes[i];
    if (differing == 0)
        return;
    /* Zeros of a gap are not bytes that were there. */
    if (capture_frame(t->conn, (enum transcript_side)side, offset) == 0)
        return;
    t->conn->differing_bytes += differing;
    if (t->conn->first_differing == 0)
        t->conn->first_differing = from->frame;
}

size_t capture_conn_size(const struct capture_conn *conn)
{
    const struct transcript_conn *c = conn->conn;

    return sizeof *conn + sizeof *conn->transcript + sizeof *c + c->stream[0].capacity + c->stream[1].capacity +
           c->event_capacity * sizeof *c->events +
           (conn->pieces[0].capacity + conn->pieces[1].capacity) * sizeof(struct capture_piece);
}

/* ---- what it is ---- */

static bool all_zero(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i] != 0)
            return false;
    return true;
}

/* Does the text behind a header begin with a key of the standard? */
static bool begins_with_key(const struct transcript_stream *s, size_t at)
{
    size_t len = 0;

    while (at + len < s->len && len <= TEXT_KEY_MAX && s->bytes[at + len] != '=')
        len++;
    return at + len < s->len && s->bytes[at + len] == '=' && len > 0 &&
           text_key_valid((const char *)s->bytes + at, len);
}

/*
 * A Login Request or Response by its form (RFC 7143, 11.12 and 11.13): one or the other reserved area is zero, and text
 * is text where there is any. Deviations in single fields do not hide it.
 */
static bool is_login(const struct transcript_stream *s, uint8_t opcode)
{
    const uint8_t *bhs = s->bytes;
    size_t data_at = PDU_BHS_LEN + pdu_ahs_len(bhs);
    size_t reserved = opcode == PDU_LOGIN_REQUEST ? 32 : 38;
    bool text;

    if (pdu_opcode(bhs) != opcode || (bhs[0] & 0x80u) != 0)
        return false;
    text = pdu_data_len(bhs) > 0 && begins_with_key(s, data_at);
    if (text && (bhs[1] & 0x30u) == 0)
        return true;
    return all_zero(bhs + reserved, PDU_BHS_LEN - reserved) && (bhs[1] & 0x30u) == 0 && bhs[2] <= 1 && bhs[3] <= 1 &&
           (pdu_data_len(bhs) == 0 || s->len <= data_at || text);
}

/*
 * Does the target's first PDU answer the initiator's, in full feature phase or where a login is due (RFC 7143, 11)?
 * Seen by opcode and task tag of both, and by what is never set in either.
 */
static bool is_dialogue(const struct transcript_stream *asked, const struct transcript_stream *told)
{
    const uint8_t *q = asked->bytes;
    const uint8_t *r = told->bytes;
    uint8_t request, response;

    if ((q[0] & 0x80u) != 0 || (r[0] & 0xc0u) != 0 || pdu_itt(q) != pdu_itt(r) || pdu_itt(q) == PDU_NO_TAG ||
        pdu_ahs_len(r) != 0)
        return false;
    request = pdu_opcode(q);
    response = pdu_opcode(r);
    if (!pdu_opcode_known(request) || pdu_opcode_from_target(request))
        return false;
    return response == (request | 0x20u) ||
           (request == PDU_SCSI_COMMAND && (response == PDU_DATA_IN || response == PDU_R2T));
}

enum capture_content capture_recognise(const struct capture_taking *t)
{
    bool judged[2] = {false, false};

    for (unsigned i = 0; i < 2; i++) {
        const struct transcript_stream *s = &t->conn->conn->stream[i];

        if (s->len < PDU_BHS_LEN)
            continue;
        judged[i] = true;
        if (is_login(s, PDU_LOGIN_REQUEST))
            return i == 0 ? CAPTURE_CONTENT_0 : CAPTURE_CONTENT_1;
        if (is_login(s, PDU_LOGIN_RESPONSE))
            return i == 0 ? CAPTURE_CONTENT_1 : CAPTURE_CONTENT_0;
    }
    if (judged[0] && judged[1]) {
        const struct transcript_stream *s = t->conn->conn->stream;

        if (is_dialogue(&s[0], &s[1]))
            return CAPTURE_CONTENT_0;
        return is_dialogue(&s[1], &s[0]) ? CAPTURE_CONTENT_1 : CAPTURE_CONTENT_NONE;
    }
    for (unsigned i = 0; i < 2; i++)
        if (t->conn->conn->stream[i].len > SILENT_MAX)
            return CAPTURE_CONTENT_NONE;
    return CAPTURE_CONTENT_UNKNOWN;
}

#define SWAP(type, array)                                                                                              \
    do {                                                                                                               \
        type swap_first = (array)[0];                                                                                  \
        (array)[0] = (array)[1];                                                                                       \
        (array)[1] = swap_first;                                                                                       \
    } while (0)

void capture_taking_turn(struct capture_taking *t)
{
    struct transcript_conn *c = t->conn->conn;

    SWAP(struct transcript_stream, c->stream);
    for (size_t i = 0; i < c->event_count; i++)
        c->events[i].side = c->events[i].side == TRANSCRIPT_INITIATOR ? TRANSCRIPT_TARGET : TRANSCRIPT_INITIATOR;
    SWAP(struct capture_pieces, t->conn->pieces);
    SWAP(uint64_t, t->conn->end_frame);
    SWAP(uint64_t, t->conn->skipped);
    SWAP(size_t, t->pdu_at);
    SWAP(bool, t->untracked);
    SWAP(size_t, t->limit);
    SWAP(bool, t->full);
}

/* ---- frames ---- */

/* The piece that holds this byte, NULL none. */
static const struct capture_piece *piece_at(const struct capture_conn *conn, enum transcript_side side, size_t offset)
{
    const struct capture_pieces *list = &conn->pieces[side];
    size_t low = 0;
    size_t high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (list->items[middle].offset + list->items[middle].len <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < list->count && list->items[low].offset <= offset ? &list->items[low] : NULL;
}

uint64_t capture_frame(const struct capture_conn *conn, enum transcript_side side, size_t offset)
{
    const struct capture_piece *piece = piece_at(conn, side, offset);

    return piece ? piece->frame : 0;
}

uint64_t capture_shown(const struct capture_conn *conn, enum transcript_side side, size_t end)
{
    const struct capture_piece *piece = end > 0 ? piece_at(conn, side, end - 1) : NULL;

    return piece ? piece->shown : 0;
}
