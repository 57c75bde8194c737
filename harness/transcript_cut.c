/*
 * Cutting of a connection's two byte streams into PDUs. The events are replayed in the order in which they were
 * recorded, so that it is known for each PDU whether it began before or after the login was complete, which decides
 * about digests (RFC 7143, 11.2.3 and 13.1: login PDUs carry none, whatever was agreed).
 *
 * What an initiator sends without waiting for the final Login Response stands behind the login in its stream, and so
 * the target reads it with the digests that it then agrees on. These are not known when the bytes pass by; where it
 * matters the connection is cut a second time, with the outcome of the first.
 */
#include "harness/transcript.h"
#include "wire/pdu.h"
#include "wire/text.h"

#include <stdlib.h>
#include <string.h>

/* Login text gathered over PDUs with C=1; what is longer is not looked at for digests. */
#define LOGIN_TEXT_MAX (1u << 16)

enum digest_kind { DIGEST_HEADER, DIGEST_DATA, DIGEST_KINDS };

static const char *const digest_keys[DIGEST_KINDS] = {"HeaderDigest", "DataDigest"};

struct cut_side {
    size_t pos;       /* where the next PDU begins */
    size_t available; /* bytes of the stream that the replay has reached */
    size_t gap_event; /* first GAP event of this side that may still matter */
    uint32_t number;
    int64_t first_us;
    int64_t last_us;   /* time of the last bytes that came */
    bool begun;        /* the first byte of the next PDU has come */
    bool full_feature; /* ... after the login was complete */
    bool stopped;
    char *text; /* pending login text */
    size_t text_len;
};

struct cut {
    const struct transcript_conn *conn;
    struct cut_side side[2];
    bool offered[DIGEST_KINDS][2]; /* by this side, and not answered yet */
    bool agreed[DIGEST_KINDS];
    bool complete;                /* the final Login Response has come */
    uint32_t requests, responses; /* of the login, so far */
    uint32_t final;               /* the request that the final Login Response answers; 0: not known yet */
    bool outrun;                  /* the initiator went on before that response */
    struct transcript_pdu *pdus;
    size_t count, capacity;
    bool no_memory;
};

/* HeaderDigest and DataDigest of one side's finished login text. The second to speak decides (6.2). */
static void take_digests(struct cut *cut, enum transcript_side side, const char *text, size_t len)
{
    for (int kind = 0; kind < DIGEST_KINDS; kind++) {
        struct text_pair pair;

        if (!text_find(text, len, digest_keys[kind], &pair))
            continue;
        if (cut->offered[kind][!side]) {
            cut->offered[kind][!side] = false;
            cut->agreed[kind] = text_equals(pair.value, pair.value_len, "CRC32C");
        } else {
            cut->offered[kind][side] = true;
        }
    }
}

static void take_login_text(struct cut *cut, const struct transcript_pdu *pdu)
{
    struct cut_side *s = &cut->side[pdu->side];
    bool more = (pdu->bhs[1] & PDU_FLAG_CONTINUE) != 0;

    if (cut->final != 0) /* the second time: all is known */
        return;
    if (s->text_len == 0 && !more) {
        if (pdu->data)
            take_digests(cut, pdu->side, (const char *)pdu->data, pdu->data_len);
        return;
    }
    if (pdu->data && pdu->data_len <= LOGIN_TEXT_MAX - s->text_len) {
        if (!s->text)
            s->text = malloc(LOGIN_TEXT_MAX);
        if (!s->text) {
            cut->no_memory = true;
            return;
        }
        memcpy(s->text + s->text_len, pdu->data, pdu->data_len);
        s->text_len += pdu->data_len;
    }
    if (!more) {
        take_digests(cut, pdu->side, s->text, s->text_len);
        s->text_len = 0;
    }
}

/* Each Login Request has one Login Response (11.13), so counting says which request was the last. */
static void complete(struct cut *cut)
{
    cut->complete = true;
    cut->outrun = cut->side[TRANSCRIPT_INITIATOR].number > cut->responses || cut->side[TRANSCRIPT_INITIATOR].begun;
    if (cut->final == 0)
        cut->final = cut->responses;
}

static void take_login(struct cut *cut, const struct transcript_pdu *pdu)
{
    uint8_t opcode;
    struct pdu_login_response response;

    if (cut->complete || !pdu->bhs || !pdu->whole || pdu->gap)
        return;
    opcode = pdu_opcode(pdu->bhs);
    if (pdu->side == TRANSCRIPT_INITIATOR && opcode == PDU_LOGIN_REQUEST) {
        cut->requests++;
        take_login_text(cut, pdu);
    }
    if (pdu->side != TRANSCRIPT_TARGET || opcode != PDU_LOGIN_RESPONSE || pdu_login_status(pdu->bhs) != 0)
        return;
    cut->responses++;
    take_login_text(cut, pdu);
    pdu_login_response_decode(&response, pdu->bhs);
    if (response.transit && !response.cont && response.nsg == PDU_STAGE_FULL_FEATURE)
        complete(cut);
}

/* Does [from, to) of this side touch a gap? PDUs are asked for in ascending order. */
static bool touches_gap(struct cut *cut, enum transcript_side side, size_t from, size_t to)
{
    struct cut_side *s = &cut->side[side];
    const struct transcript_event *events = cut->conn->events;

    for (; s->gap_event < cut->conn->event_count; s->gap_event++) {
        const struct transcript_event *e = &events[s->gap_event];

        if (e->kind != TRANSCRIPT_GAP || e->side != side || e->offset + e->len <= from)
            continue;
        return e->offset < to;
    }
    return false;
}

static struct transcript_pdu *add_pdu(struct cut *cut)
{
    if (cut->count == cut->capacity) {
        size_t capacity = cut->capacity ? 2 * cut->capacity : 16;
        struct transcript_pdu *pdus = realloc(cut->pdus, capacity * sizeof *pdus);

        if (!pdus) {
            cut->no_memory = true;
            return NULL;
        }
        cut->pdus = pdus;
        cut->capacity = capacity;
    }
    memset(&cut->pdus[cut->count], 0, sizeof cut->pdus[0]);
    return &cut->pdus[cut->count++];
}

static bool expects_digest(const struct cut *cut, const struct cut_side *s, enum digest_kind kind)
{
    bool behind = s == &cut->side[TRANSCRIPT_INITIATOR] && cut->final != 0 && cut->requests >= cut->final;

    return (s->full_feature || behind) && cut->agreed[kind];
}

/* Adds the PDU of `len` bytes at the position of the side; `whole` is false when the stream ends inside it. */
static void emit(struct cut *cut, enum transcript_side side, size_t len, bool whole)
{
    struct cut_side *s = &cut->side[side];
    const uint8_t *base = cut->conn->stream[side].bytes + s->pos;
    struct transcript_pdu *pdu = add_pdu(cut);

    if (!pdu)
        return;
    pdu->side = side;
    pdu->number = ++s->number;
    pdu->first_us = s->first_us;
    pdu->at_us = s->last_us;
    pdu->offset = s->pos;
    pdu->len = len;
    pdu->whole = whole;
    pdu->full_feature = s->full_feature;
    pdu->gap = touches_gap(cut, side, s->pos, s->pos + len);
    if (len >= PDU_BHS_LEN) {
        size_t skip = PDU_BHS_LEN + pdu_ahs_len(base);

        if (expects_digest(cut, s, DIGEST_HEADER))
            skip += PDU_DIGEST_LEN;
        pdu->bhs = base;
        if (pdu_data_len(base) > 0 && len >= skip && len - skip >= pdu_data_len(base)) {
            pdu->data = base + skip;
            pdu->data_len = pdu_data_len(base);
        }
    }
    take_login(cut, pdu);
    s->pos += len;
    s->begun = false;
}

/* Cuts what has become complete on one side. */
static void advance(struct cut *cut, enum transcript_side side, int64_t at_us)
{
    struct cut_side *s = &cut->side[side];
    const uint8_t *bytes = cut->conn->stream[side].bytes;

    s->last_us = at_us;
    while (!cut->no_memory && !s->stopped && s->available > s->pos) {
        size_t have = s->available - s->pos;
        size_t need;

        if (!s->begun) {
            s->begun = true;
            s->first_us = at_us;
            s->full_feature = cut->complete;
        }
        if (have < PDU_BHS_LEN)
            return;
        if (touches_gap(cut, side, s->pos, s->pos + PDU_BHS_LEN)) {
            /* Nobody knows how long it is: the rest of the side stays one piece. */
            s->stopped = true;
            return;
        }
        need =
            pdu_total_len(bytes + s->pos, expects_digest(cut, s, DIGEST_HEADER), expects_digest(cut, s, DIGEST_DATA));
        if (have < need)
            return;
        emit(cut, side, need, true);
    }
}

/* What is left over of both sides, the one whose last byte is older first. */
static void emit_rest(struct cut *cut)
{
    enum transcript_side first = cut->side[TRANSCRIPT_TARGET].last_us < cut->side[TRANSCRIPT_INITIATOR].last_us
                                     ? TRANSCRIPT_TARGET
                                     : TRANSCRIPT_INITIATOR;

    for (int i = 0; i < 2; i++) {
        enum transcript_side side = i == 0 ? first : !first;
        struct cut_side *s = &cut->side[side];

        if (s->available > s->pos && !cut->no_memory)
            emit(cut, side, s->available - s->pos, false);
    }
}

static void cut_both(struct cut *cut)
{
    for (size_t i = 0; i < cut->conn->event_count && !cut->no_memory; i++) {
        const struct transcript_event *e = &cut->conn->events[i];

        if (e->kind != TRANSCRIPT_BYTES && e->kind != TRANSCRIPT_GAP)
            continue;
        cut->side[e->side].available = e->offset + e->len;
        advance(cut, e->side, e->at_us);
    }
    emit_rest(cut);
    free(cut->side[0].text);
    free(cut->side[1].text);
}

long transcript_cut_again(const struct transcript_conn *c, struct transcript_pdu **pdus, size_t *capacity)
{
    struct cut cut = {.conn = c, .pdus = *pdus, .capacity = *capacity};

    cut_both(&cut);
    if (cut.outrun && (cut.agreed[DIGEST_HEADER] || cut.agreed[DIGEST_DATA]) && !cut.no_memory) {
        struct cut again = {.conn = c, .final = cut.final, .pdus = cut.pdus, .capacity = cut.capacity};

        memcpy(again.agreed, cut.agreed, sizeof again.agreed);
        cut = again;
        cut_both(&cut);
    }
    *pdus = cut.pdus;
    *capacity = cut.capacity;
    return cut.no_memory ? -1 : (long)cut.count;
}

long transcript_cut(const struct transcript_conn *c, struct transcript_pdu **pdus)
{
    size_t capacity = 0;

    *pdus = NULL;
    long count = transcript_cut_again(c, pdus, &capacity);

    if (count < 0) {
        free(*pdus);
        *pdus = NULL;
    }
    return count;
}
