/* Requests of a replay: see replay_send.h. */
#include "harness/replay_send.h"

#include "wire/pdu.h"

#include <stdlib.h>
#include <string.h>

static struct replay_numbers numbers_of(const struct replay_conn *c)
{
    const struct replay_session *s = c->session;
    struct replay_numbers n = {
        .tsih_from = s->tsih_recorded,
        .tsih_to = s->tsih_live,
        .itt_delta = s->itt_delta,
        .cmd_delta = s->cmd_delta,
        .acknowledges = c->acknowledges,
        .recorded_next = c->recorded_next,
        .live_next = c->live_next,
        .ttt_from = c->ttt_from,
        .ttt_to = c->ttt_to,
        .lun_to = c->lun_to,
    };

    memcpy(n.isid, s->live, PDU_ISID_LEN);
    return n;
}

static bool is_text(const struct transcript_pdu *p)
{
    return p->bhs && p->whole && (pdu_opcode(p->bhs) == PDU_LOGIN_REQUEST || pdu_opcode(p->bhs) == PDU_TEXT_REQUEST);
}

/* The text that begins in this PDU, over all PDUs with C=1, adapted. */
static enum replay_text join_text(struct replay_play *p, struct replay_conn *c, size_t pdu)
{
    text_buf_clear(&c->asked);
    c->asked_at = 0;
    for (size_t i = pdu; i < c->source->count; i++) {
        const struct transcript_pdu *part = &c->source->pdus[i];

        if (part->side != TRANSCRIPT_INITIATOR || !is_text(part))
            continue;
        if (part->data_len && !text_buf_add_raw(&c->asked, part->data, part->data_len))
            return REPLAY_TEXT_NO_MEMORY;
        if (!(part->bhs[1] & PDU_FLAG_CONTINUE))
            break;
    }
    return replay_adapt_text(&c->asked, p->options->names, &c->chap);
}

/* The part of the text that this PDU carries: as much as the recorded one, the last one what is left. */
static size_t next_part(struct replay_conn *c, const struct transcript_pdu *pdu)
{
    size_t left = c->asked.len - c->asked_at;
    bool more = (pdu->bhs[1] & PDU_FLAG_CONTINUE) != 0;

    return more && pdu->data_len < left ? pdu->data_len : left;
}

static void say_text_problem(struct replay_play *p, struct replay_conn *c, enum replay_text problem, uint32_t number)
{
    const struct login_facts *f = &c->source->facts;

    if (problem == REPLAY_TEXT_NO_SECRET)
        replay_conn_stop(
            c, true,
            "PDU %u of the initiator answers a CHAP challenge, and the secret of user %s is missing: give --user "
            "and --secret-file",
            number, *f->user ? f->user : "(none named)");
    else if (problem == REPLAY_TEXT_NO_CHALLENGE)
        replay_conn_stop(
            c, false, "PDU %u of the initiator answers a CHAP challenge, and the target has sent none of use", number);
    else
        p->no_memory = true;
}

/* This tag belongs to a request that is sent, again. */
static void forget_withheld(struct replay_conn *c, uint32_t tag)
{
    for (size_t i = 0; i < c->withheld_count; i++)
        if (c->withheld[i] == tag)
            c->withheld[i--] = c->withheld[--c->withheld_count];
}

void replay_send_pdu(struct replay_play *p, struct replay_conn *c, const struct transcript_pdu *pdu, size_t index)
{
    const struct replay_numbers numbers = numbers_of(c);
    const struct transcript_stream *stream = &c->source->conn->stream[TRANSCRIPT_INITIATOR];
    struct replay_digests digests = c->full_feature ? c->digests : (struct replay_digests){false, false};
    uint8_t bhs[PDU_BHS_LEN] = {0}, *out;
    const void *data = NULL;
    size_t data_len = 0, len;
    bool sent;

    if (pdu->bhs) {
        memcpy(bhs, pdu->bhs, sizeof(bhs));
        replay_adapt_header(bhs, &numbers);
    }
    if (is_text(pdu)) {
        enum replay_text rc = c->chained ? REPLAY_TEXT_READY : join_text(p, c, index);

        if (rc != REPLAY_TEXT_READY) {
            say_text_problem(p, c, rc, pdu->number);
            return;
        }
        c->chained = (pdu->bhs[1] & PDU_FLAG_CONTINUE) != 0;
        data_len = next_part(c, pdu);
        data = data_len ? c->asked.data + c->asked_at : "";
        c->asked_at += data_len;
    }
    out = replay_adapt_pdu(pdu, stream->bytes + pdu->offset, bhs, data, data_len, digests, &len);
    if (!out) {
        p->no_memory = true;
        return;
    }
    replay_conn_sent(c, pdu->bhs ? pdu_itt(bhs) : PDU_NO_TAG);
    sent = link_send(&p->net, c->link, out, len, net_now(&p->net) + (int64_t)p->options->timeout_ms * 1000);
    free(out);
    if (pdu->bhs)
        forget_withheld(c, pdu_itt(pdu->bhs));
    c->withheld_last = false;
    c->unanswered = true;
    c->sent_us = pdu->at_us;
    if (!sent && !c->link->peer_ended && !c->link->send_failed)
        replay_conn_stop(c, false, "the target does not take PDU %u", pdu->number);
}

/* It is not sent: what the numbers of the session would have counted for it is taken off. */
void replay_send_withhold(struct replay_play *p, struct replay_conn *c, const struct transcript_pdu *pdu)
{
    if (c->withheld_count == c->withheld_capacity) {
        size_t capacity = c->withheld_capacity ? 2 * c->withheld_capacity : 16;
        uint32_t *bigger = realloc(c->withheld, capacity * sizeof(*bigger));

        if (!bigger) {
            p->no_memory = true;
            return;
        }
        c->withheld = bigger;
        c->withheld_capacity = capacity;
    }
    c->withheld[c->withheld_count++] = pdu_itt(pdu->bhs);
    if (pdu_opcode(pdu->bhs) == PDU_SCSI_COMMAND || pdu_opcode(pdu->bhs) == PDU_TASK_MANAGEMENT_REQUEST)
        c->session->cmd_delta -= !pdu_immediate(pdu->bhs);
    c->withheld_last = true;
    p->result->withheld++;
}

/* Does this answer belong to a request that was not sent? A Reject holds the header of what it rejects (11.17). */
bool replay_send_is_withheld(const struct replay_conn *c, const struct transcript_pdu *pdu)
{
    const uint8_t *of = pdu->bhs;

    if (of && pdu_opcode(of) == PDU_REJECT)
        of = pdu->data_len >= PDU_BHS_LEN ? pdu->data : NULL;
    for (size_t i = 0; of && pdu->full_feature && i < c->withheld_count; i++)
        if (c->withheld[i] == pdu_itt(of))
            return true;
    return false;
}
