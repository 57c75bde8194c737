/*
 * A hash of what was said, for "no two cases put the same bytes on the wire": values that are drawn anew in every run
 * (ISID, tags, sequence numbers, challenges, names of the run) count by what they are, not by their bytes. Segments
 * inside a PDU and the endings that the case made itself count too; what happens after the verdict does not.
 */
#include "harness/conn.h"
#include "harness/scenario.h"

#include "wire/bytes.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HASH_NEAR = 4096, HASH_TSIH_MAX = 256 };

struct drawn {
    uint8_t isid[PDU_ISID_LEN];
    uint32_t itt, cmd_sn, tag;
    char initiator[256];
    bool known;
};

struct hasher {
    const struct transcript *t;
    uint64_t hash;
    struct drawn *drawn;          /* one a connection */
    uint16_t tsih[HASH_TSIH_MAX]; /* as the target gave them */
    size_t tsih_count;
};

static void mix(struct hasher *h, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < len; i++)
        h->hash = (h->hash ^ p[i]) * 0x100000001b3u;
}

static void mix_number(struct hasher *h, const char *what, uint64_t value)
{
    mix(h, what, strlen(what) + 1);
    mix(h, &value, sizeof(value));
}

static uint64_t drawn_number(const struct transcript_event *e, const char *key)
{
    struct text_pair pair;
    uint64_t value = 0;

    if (text_find(e->data, e->len, key, &pair))
        text_parse_number(pair.value, pair.value_len, &value);
    return value;
}

static void read_drawn(const struct transcript_conn *c, struct drawn *d)
{
    for (size_t i = 0; i < c->event_count; i++) {
        const struct transcript_event *e = &c->events[i];
        struct text_pair pair;

        if (e->kind != TRANSCRIPT_NOTE || e->note != TRANSCRIPT_INFO || !e->data ||
            !text_find(e->data, e->len, "ISID", &pair))
            continue;
        bytes_put_be(d->isid, PDU_ISID_LEN, drawn_number(e, "ISID"));
        d->itt = (uint32_t)drawn_number(e, "ITT");
        d->cmd_sn = (uint32_t)drawn_number(e, "CmdSN");
        d->tag = (uint32_t)drawn_number(e, "Tag");
        if (text_find(e->data, e->len, "InitiatorName", &pair))
            snprintf(d->initiator, sizeof(d->initiator), "%.*s", (int)pair.value_len, pair.value);
        d->known = true;
        return;
    }
}

/* How much of each stream belongs to the case, and whether a side had ended by then. */
struct extent {
    size_t len[2];
    bool ended[2];
    enum transcript_end end[2];
};

static void find_extent(const struct transcript_conn *c, struct extent *x)
{
    memset(x, 0, sizeof(*x));
    for (size_t i = 0; i < c->event_count; i++) {
        const struct transcript_event *e = &c->events[i];

        if (e->kind == TRANSCRIPT_NOTE && e->text && strcmp(e->text, CONN_OVER_NOTE) == 0)
            return;
        if (e->kind == TRANSCRIPT_BYTES)
            x->len[e->side] = e->offset + e->len;
        if (e->kind == TRANSCRIPT_END && !x->ended[e->side]) {
            x->ended[e->side] = true;
            x->end[e->side] = e->end;
        }
    }
}

/* A number that counts from a drawn one: by its distance when that is small, else as it is. */
static void mix_relative(struct hasher *h, const char *what, uint32_t value, uint32_t base)
{
    uint32_t distance = value - base;

    if (distance < HASH_NEAR || distance > UINT32_MAX - HASH_NEAR)
        mix_number(h, what, distance);
    else
        mix_number(h, "as it is", value);
}

static void mix_isid(struct hasher *h, const uint8_t *isid)
{
    for (size_t i = 0; i < h->t->conn_count; i++)
        if (h->drawn[i].known && memcmp(h->drawn[i].isid, isid, PDU_ISID_LEN) == 0) {
            mix_number(h, "ISID of", i);
            return;
        }
    mix(h, isid, PDU_ISID_LEN);
}

static void mix_tsih(struct hasher *h, uint16_t tsih, bool from_target)
{
    for (size_t i = 0; tsih && i < h->tsih_count; i++)
        if (h->tsih[i] == tsih) {
            mix_number(h, "TSIH given as", i);
            return;
        }
    if (tsih && from_target && h->tsih_count < HASH_TSIH_MAX) {
        mix_number(h, "TSIH given as", h->tsih_count);
        h->tsih[h->tsih_count++] = tsih;
    } else {
        mix_number(h, "TSIH", tsih);
    }
}

static void mix_itt(struct hasher *h, const struct drawn *d, uint32_t itt)
{
    if (itt == PDU_NO_TAG)
        mix_number(h, "no tag", 0);
    else if (d->known && itt == d->itt)
        mix_number(h, "ITT of the login", 0);
    else
        mix_relative(h, "ITT", itt, d->tag);
}

/* Challenges and responses count by form, length and case of their digits, and whether they are one digit throughout.
 */
static void mix_binary(struct hasher *h, const struct text_pair *pair)
{
    bool constant = true, lower = false, upper = false;

    for (size_t i = 2; i < pair->value_len; i++) {
        constant &= pair->value[i] == pair->value[2];
        lower |= islower((unsigned char)pair->value[i]) != 0;
        upper |= isupper((unsigned char)pair->value[i]) != 0;
    }
    mix(h, pair->value, pair->value_len < 2 ? pair->value_len : 2);
    mix_number(h, constant ? "constant" : "binary", pair->value_len);
    if (!constant)
        mix_number(h, "case of the digits", (uint64_t)lower << 1 | upper);
}

/* A decimal octet is drawn anew in every run; any other way to write an identifier is the case's own. */
static void mix_identifier(struct hasher *h, const struct text_pair *pair)
{
    uint64_t number;
    bool octet = text_parse_number(pair->value, pair->value_len, &number) == TEXT_NUMBER_OK && number <= UINT8_MAX &&
                 (pair->value_len == 1 || pair->value[0] != '0');

    mix_number(h, "CHAP_I", octet);
    if (!octet)
        mix(h, pair->value, pair->value_len);
}

static void mix_value(struct hasher *h, const struct drawn *d, const struct text_pair *pair)
{
    if (text_pair_is(pair, "CHAP_R") || text_pair_is(pair, "CHAP_C"))
        mix_binary(h, pair);
    else if (text_pair_is(pair, "CHAP_I"))
        mix_identifier(h, pair);
    else if (text_pair_is(pair, "TargetAddress"))
        mix_number(h, "an address", 0);
    else if (text_pair_is(pair, "InitiatorName") && text_equals(pair->value, pair->value_len, d->initiator))
        mix_number(h, "the initiator", 0);
    else if (text_pair_is(pair, "TargetName") && *h->t->context.target &&
             text_equals(pair->value, pair->value_len, h->t->context.target))
        mix_number(h, "the target", 0);
    else
        mix(h, pair->value, pair->value_len);
}

static void mix_text(struct hasher *h, const struct drawn *d, const uint8_t *data, size_t len)
{
    struct text_cursor cursor;
    struct text_pair pair;
    enum text_result result;

    text_cursor_init(&cursor, data, len);
    while ((result = text_next(&cursor, &pair)) != TEXT_END) {
        mix_number(h, "string", result);
        mix(h, pair.key, pair.key_len);
        mix_number(h, "=", 0);
        mix_value(h, d, &pair);
    }
}

static void mix_pdu(struct hasher *h, const struct drawn *d, const struct transcript_pdu *p, uint32_t first_stat_sn)
{
    uint8_t opcode = pdu_opcode(p->bhs);
    bool login = opcode == PDU_LOGIN_REQUEST || opcode == PDU_LOGIN_RESPONSE, target = p->side == TRANSCRIPT_TARGET;
    size_t behind = (size_t)(p->data ? (p->data - p->bhs) + (ptrdiff_t)p->data_len : PDU_BHS_LEN);

    mix(h, p->bhs, 5); /* opcode, flags, versions or reasons, AHS length; the text itself stands for its length */
    if (login) {
        mix_isid(h, p->bhs + 8);
        mix_tsih(h, bytes_get_be16(p->bhs + 14), target && pdu_login_status(p->bhs) == 0);
    } else {
        mix(h, p->bhs + 8, 8);
    }
    mix_itt(h, d, pdu_itt(p->bhs));
    if (target) {
        mix_number(h, "TTT", bytes_get_be32(p->bhs + 20) == PDU_NO_TAG);
        mix_relative(h, "StatSN", bytes_get_be32(p->bhs + 24), first_stat_sn);
        mix_relative(h, "ExpCmdSN", bytes_get_be32(p->bhs + 28), d->cmd_sn);
        mix(h, p->bhs + 36, 12); /* MaxCmdSN is the target's free choice */
    } else {
        mix(h, p->bhs + 20, 4);
        mix_relative(h, "CmdSN", bytes_get_be32(p->bhs + 24), d->cmd_sn);
        mix_relative(h, "ExpStatSN", bytes_get_be32(p->bhs + 28), first_stat_sn);
        mix(h, p->bhs + 32, 16);
    }
    if (p->data && (login || opcode == PDU_TEXT_REQUEST || opcode == PDU_TEXT_RESPONSE))
        mix_text(h, d, p->data, p->data_len);
    else if (p->data)
        mix(h, p->data, p->data_len);
    if (!target && p->whole && behind < p->len) /* padding, and what should not be there */
        mix(h, p->bhs + behind, p->len - behind);
}

/* Where one PDU of ours was cut into segments. */
static void mix_segments(struct hasher *h, const struct transcript_conn *c, const struct transcript_pdu *p)
{
    for (size_t i = 0; i < c->event_count; i++) {
        const struct transcript_event *e = &c->events[i];
        size_t end = e->offset + e->len;

        if (e->kind == TRANSCRIPT_BYTES && e->side == TRANSCRIPT_INITIATOR && end > p->offset &&
            end < p->offset + p->len)
            mix_number(h, "segment", end - p->offset);
    }
}

static uint32_t first_stat_sn_of(const struct transcript_pdu *pdus, long count)
{
    for (long i = 0; i < count; i++)
        if (pdus[i].side == TRANSCRIPT_TARGET && pdus[i].bhs)
            return bytes_get_be32(pdus[i].bhs + 24);
    return 0;
}

static void mix_side(struct hasher *h, size_t index, const struct transcript_pdu *pdus, long count,
                     enum transcript_side side, const struct extent *x)
{
    const struct transcript_conn *c = h->t->conns[index];
    uint32_t first_stat_sn = first_stat_sn_of(pdus, count);
    size_t done = 0;

    for (long i = 0; i < count; i++) {
        const struct transcript_pdu *p = &pdus[i];

        if (p->side != side || p->offset >= x->len[side])
            continue;
        mix_number(h, "PDU", p->whole);
        if (p->bhs && p->whole)
            mix_pdu(h, &h->drawn[index], p, first_stat_sn);
        else
            mix_number(h, "piece", p->len);
        if (p->bhs && !p->whole) /* which lengths were announced */
            mix(h, p->bhs, 8);
        if (side == TRANSCRIPT_INITIATOR)
            mix_segments(h, c, p);
        done = p->offset + p->len;
    }
    if (done < x->len[side]) /* bytes that are no PDUs */
        mix(h, c->stream[side].bytes + done, x->len[side] - done);
    if (x->ended[side])
        mix_number(h, "ended", side == TRANSCRIPT_INITIATOR ? x->end[side] : TRANSCRIPT_FIN);
}

uint64_t scenario_wire_hash(const struct transcript *t)
{
    struct hasher h = {.t = t, .hash = 0xcbf29ce484222325u};

    h.drawn = calloc(t->conn_count + 1, sizeof(*h.drawn));
    if (!h.drawn)
        return 0;
    for (size_t i = 0; i < t->conn_count; i++)
        read_drawn(t->conns[i], &h.drawn[i]);
    for (size_t i = 0; i < t->conn_count; i++) {
        struct transcript_pdu *pdus = NULL;
        long count = transcript_cut(t->conns[i], &pdus);
        struct extent x;

        find_extent(t->conns[i], &x);
        mix_number(&h, "connection", i);
        mix_side(&h, i, pdus, count, TRANSCRIPT_TARGET, &x);
        mix_side(&h, i, pdus, count, TRANSCRIPT_INITIATOR, &x);
        free(pdus);
    }
    free(h.drawn);
    return h.hash;
}
