/* How the PDUs of a login go out: see shape.h. */
#include "harness/shape.h"
#include "harness/initiator.h"
#include "harness/raw.h"

#include "wire/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum shape_sent shape_unmet(struct conn *c, const struct case_shape *s, const char *what)
{
    snprintf(c->drive->error, sizeof(c->drive->error), "%s:%d:%d: %s", s->at.file ? s->at.file : "case", s->at.line,
             s->at.column, what);
    return SHAPE_UNMET;
}

static enum shape_sent shape_no_memory(struct conn *c)
{
    snprintf(c->drive->error, sizeof(c->drive->error), "out of memory");
    return SHAPE_ERROR;
}

static const struct case_shape *shape_find(const struct conn *c, enum case_shape_kind kind, int number, bool *used)
{
    for (size_t i = 0; i < c->login->shape_count; i++) {
        const struct case_shape *s = &c->login->shapes[i];

        if (s->kind == kind && s->pdu_number == number) {
            used[i] = true;
            return s;
        }
    }
    return NULL;
}

static enum shape_sent shape_truncate(struct conn *c, const struct case_shape *s, const struct edit_pdu *p)
{
    char text[80];

    if (s->length >= p->wire_len)
        return shape_unmet(c, s, "truncate changed nothing: the PDU is not longer than that");
    snprintf(text, sizeof(text), "cut off behind %zu of %zu bytes", s->length, p->wire_len);
    conn_note(c, TRANSCRIPT_EDIT, c->sent + 1, text);
    if (s->length)
        conn_send(c, p->wire, s->length, true);
    if (s->cut == CASE_CUT_RESET) {
        link_reset(&c->drive->net, c->link);
        conn_finish(c, CONN_CUT, "reset by the case in the middle of a PDU");
        return SHAPE_OVER;
    }
    if (s->cut == CASE_CUT_HALF_CLOSE)
        link_half_close(&c->drive->net, c->link);
    return SHAPE_SENT;
}

static void pause_ms(struct conn *c, int ms)
{
    int64_t until = net_now(&c->drive->net) + (int64_t)ms * 1000;

    while (ms > 0 && net_turn(&c->drive->net, until))
        ;
}

static enum shape_sent shape_split(struct conn *c, const struct case_shape *s, const struct edit_pdu *p)
{
    size_t from = 0, cut = 0;
    char text[80];
    int pieces = 0;

    /* counted as one PDU by hand: conn_send() would count each segment */
    c->sent++;
    memcpy(c->last, p->wire, p->wire_len < PDU_BHS_LEN ? p->wire_len : PDU_BHS_LEN);
    c->deviating = c->sent;
    memcpy(c->deviant, c->last, PDU_BHS_LEN);
    while (from < p->wire_len) {
        size_t to = p->wire_len;

        if (s->every)
            to = from + s->every;
        else if (cut < s->offset_count)
            to = s->offsets[cut++];
        if (to > p->wire_len)
            to = p->wire_len;
        if (to <= from)
            continue;
        if (!link_send(&c->drive->net, c->link, p->wire + from, to - from, conn_deadline(c)))
            break; /* the answer, if one came, is still to be read */
        from = to;
        pieces++;
        if (from < p->wire_len)
            pause_ms(c, s->delay_ms);
    }
    if (pieces == 1 && from == p->wire_len)
        return shape_unmet(c, s, "split changed nothing: all went out in one segment");
    snprintf(text, sizeof(text), "sent in %d segments", pieces);
    conn_note(c, TRANSCRIPT_EDIT, c->sent, text);
    return SHAPE_SENT;
}

/* Where the text is cut: given offsets, or right behind given words. Returns how many cuts, -1 on a word not there. */
static long cut_points(const struct case_shape *s, const struct text_buf *text, size_t *cuts, size_t cap)
{
    size_t count = 0;

    for (size_t i = 0; i < s->offset_count && count < cap; i++)
        cuts[count++] = s->offsets[i];
    for (size_t i = 0; i < s->mark_count && count < cap; i++) {
        size_t mark_len = s->mark_lens[i]; /* a mark may hold NUL bytes */
        const char *found = text->len ? memmem(text->data, text->len, s->marks[i], mark_len) : NULL;

        if (!found)
            return -1;
        cuts[count++] = (size_t)(found - text->data) + mark_len;
    }
    return (long)count;
}

static enum shape_sent shape_continue(struct conn *c, const struct case_shape *s, const struct edit_pdu *p)
{
    size_t cuts[64], from = 0;
    long count = cut_points(s, &p->text, cuts, sizeof(cuts) / sizeof(cuts[0]));
    int sent = 0;

    if (count < 0)
        return shape_unmet(c, s, "continue: the text to cut behind is not in the PDU");
    for (long i = 0; i <= count; i++) {
        bool last = i == count;
        size_t to = last ? p->text.len : cuts[i], len = 0;
        uint8_t bhs[PDU_BHS_LEN], *pdu;
        bool good;

        if (!last && (to <= from || to >= p->text.len))
            continue;
        memcpy(bhs, p->wire, PDU_BHS_LEN);
        if (!last)
            bhs[1] = (uint8_t)((bhs[1] & 0x0cu) | PDU_FLAG_CONTINUE); /* C with T=0, NSG reserved */
        if (sent)
            bytes_put_be32(bhs + 28, c->live.exp_stat_sn);
        pdu_set_data_len(bhs, to - from);
        pdu = raw_frame(c, bhs, p->text.data + from, to - from, &len);
        if (!pdu)
            return shape_no_memory(c);
        conn_note(c, TRANSCRIPT_EDIT, c->sent + 1,
                  last ? "the last part of a text over several PDUs" : "text goes on: C=1");
        if (last && sent == 0) {
            free(pdu);
            return shape_unmet(c, s, "continue changed nothing: all text went into one PDU");
        }
        good = conn_send(c, pdu, len, true);
        free(pdu);
        sent++;
        from = to;
        /* the empty answer to C=1 is the tap's to take: libiscsi knows nothing of it */
        if (!last && !initiator_await(c, c->sent))
            return SHAPE_OVER;
        (void)good;
    }
    return SHAPE_SENT;
}

enum shape_sent shape_send(struct conn *c, struct edit_pdu *p, int number, bool deviating, bool *used)
{
    const struct case_shape *s;

    if ((s = shape_find(c, CASE_SHAPE_TRUNCATE, number, used)))
        return shape_truncate(c, s, p);
    if ((s = shape_find(c, CASE_SHAPE_CONTINUE, number, used)))
        return shape_continue(c, s, p);
    if ((s = shape_find(c, CASE_SHAPE_SPLIT, number, used)))
        return shape_split(c, s, p);
    conn_send(c, p->wire, p->wire_len, deviating); /* a failure shows as the end of the connection when reading */
    return SHAPE_SENT;
}

enum shape_sent shape_follow(struct conn *c, const struct edit_pdu *p, int number, enum case_when when, bool *used,
                             unsigned *count)
{
    *count = 0;
    for (size_t i = 0; i < c->login->shape_count; i++) {
        const struct case_shape *s = &c->login->shapes[i];
        uint8_t *pdu = NULL;
        size_t len = 0;
        char err[256], text[80];

        if ((s->kind != CASE_SHAPE_INSERT && s->kind != CASE_SHAPE_REPEAT) || s->pdu_number != number ||
            s->when != when || used[i])
            continue;
        used[i] = true;
        if (s->kind == CASE_SHAPE_INSERT) {
            if (raw_build(c, &s->pdu, &pdu, &len, err, sizeof(err)))
                return shape_unmet(c, s, err);
            snprintf(text, sizeof(text), "inserted by the case");
        } else {
            snprintf(text, sizeof(text), "PDU %d of libiscsi once more", number);
        }
        conn_note(c, TRANSCRIPT_EDIT, c->sent + 1, text);
        if (pdu)
            conn_send(c, pdu, len, true);
        else
            conn_send(c, p->wire, p->wire_len, true);
        free(pdu);
        ++*count;
    }
    return SHAPE_SENT;
}
