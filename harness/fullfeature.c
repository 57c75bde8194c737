/* After the login: see fullfeature.h. */
#include "harness/fullfeature.h"

#include "harness/initiator.h"
#include "harness/raw.h"
#include "wire/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_PARTS_MAX = 1024 };

/* Sends one request of ours. */
static bool send_request(struct conn *c, const uint8_t *bhs, const void *data, size_t data_len, bool deviating)
{
    uint8_t header[PDU_BHS_LEN], *pdu;
    size_t len = 0;
    bool good;

    memcpy(header, bhs, PDU_BHS_LEN);
    pdu_set_data_len(header, data_len);
    pdu = raw_frame(c, header, data, data_len, &len);
    good = pdu && conn_send(c, pdu, len, deviating);
    raw_sent(c, header);
    free(pdu);
    return good;
}

/* A NOP-In that wants an answer: the Target Transfer Tag goes back (11.18, 11.19). */
static void answer_ping(struct conn *c, const uint8_t *bhs)
{
    uint8_t nop[PDU_BHS_LEN];

    raw_header(c, PDU_NOP_OUT, nop);
    memcpy(nop + 8, bhs + 8, 8);
    bytes_put_be32(nop + 16, PDU_NO_TAG);
    memcpy(nop + 20, bhs + 20, 4);
    send_request(c, nop, NULL, 0, false);
}

void fullfeature_serve(struct conn *c)
{
    struct link_pdu pdu;
    const char *why;

    while (c->ffp && c->link && c->link->fd >= 0 && link_take(c->link, &pdu, &why) == LINK_TAKEN) {
        uint8_t opcode = pdu_opcode(pdu.bhs), bhs[PDU_BHS_LEN];
        bool ping = opcode == PDU_NOP_IN && pdu_itt(pdu.bhs) == PDU_NO_TAG;

        memcpy(bhs, pdu.bhs, sizeof(bhs));
        conn_answered(c, &pdu, 0);
        /* a ping and an R2T show the next StatSN but do not use it up (11.8, 11.19) */
        if (!ping && opcode != PDU_R2T && (opcode != PDU_DATA_IN || bhs[1] & PDU_FLAG_STATUS))
            c->live.exp_stat_sn = bytes_get_be32(bhs + 24) + 1;
        if (opcode == PDU_TEXT_RESPONSE)
            c->live.ttt = bytes_get_be32(bhs + 20);
        if (ping && bytes_get_be32(bhs + 20) != PDU_NO_TAG && !c->link->we_ended)
            answer_ping(c, bhs);
    }
}

/* Waits for the answer to the request with this tag, or a Reject. NULL: c->end tells what came instead. */
static const struct conn_answer *await_answer(struct conn *c, uint32_t itt, size_t from, int64_t deadline)
{
    const char *why;
    struct link_pdu pdu;

    for (;;) {
        fullfeature_serve(c);
        for (; from < c->answer_count; from++) {
            struct conn_answer *a = &c->answers[from];

            if (a->opcode == PDU_ASYNC_MESSAGE || (a->opcode == PDU_NOP_IN && a->itt == PDU_NO_TAG))
                continue;
            if (a->itt == itt || a->opcode == PDU_REJECT) {
                a->to = c->sent;
                return a;
            }
        }
        if (c->link->fd < 0) {
            conn_finish(c, CONN_CUT, "was ended by the case");
            return NULL;
        }
        if (link_take(c->link, &pdu, &why) == LINK_MALFORMED) {
            conn_finish(c, CONN_GARBAGE, "sent %s", why);
            return NULL;
        }
        if (c->link->peer_ended) {
            conn_finish(c, link_rest(c->link) ? CONN_GARBAGE : CONN_CLOSED, "%s the connection%s",
                        c->link->peer_end == TRANSCRIPT_RST ? "reset" : "closed",
                        link_rest(c->link) ? " in the middle of a PDU" : " without an answer");
            return NULL;
        }
        if (!net_turn(&c->drive->net, deadline)) {
            conn_finish(c, CONN_SILENT, "sent no answer for %d ms", c->drive->env->timeout_ms);
            return NULL;
        }
    }
}

bool fullfeature_text(struct conn *c, const void *text, size_t len, bool await)
{
    uint8_t bhs[PDU_BHS_LEN];
    uint32_t itt;

    raw_header(c, PDU_TEXT_REQUEST, bhs);
    itt = pdu_itt(bhs);
    text_buf_clear(&c->text_answer);
    for (int i = 0; i < TEXT_PARTS_MAX; i++) {
        const struct conn_answer *a;
        const uint8_t *came;
        size_t from = c->answer_count;

        send_request(c, bhs, i ? NULL : text, i ? 0 : len, false);
        if (!await)
            return true;
        a = await_answer(c, itt, from, conn_deadline(c));
        if (!a)
            return false;
        came = conn_answer_bhs(c, a);
        if (a->opcode != PDU_TEXT_RESPONSE)
            return conn_finish(c, a->opcode == PDU_REJECT ? CONN_REJECTED : CONN_OTHER, "sent a %s PDU instead of a %s",
                               pdu_opcode_name(a->opcode), pdu_opcode_name(PDU_TEXT_RESPONSE));
        if (a->data_len)
            text_buf_add_raw(&c->text_answer, conn_answer_data(c, a), a->data_len);
        if (came[1] & PDU_FLAG_FINAL || bytes_get_be32(came + 20) == PDU_NO_TAG)
            break;
        /* not final: an empty request under the target's tag asks for the rest (11.10.4) */
        memcpy(bhs + 8, came + 8, 8);
        memcpy(bhs + 20, came + 20, 4);
        bytes_put_be32(bhs + 28, c->live.exp_stat_sn);
    }
    return true;
}

bool fullfeature_alive(struct conn *c)
{
    static const char all[] = "SendTargets=All";
    uint8_t bhs[PDU_BHS_LEN];
    const struct conn_answer *a;
    size_t from = c->answer_count;

    if (!c->ffp || !c->link || c->link->fd < 0)
        return false;
    if (c->session->discovery)
        return fullfeature_text(c, all, sizeof(all), true);
    raw_header(c, PDU_NOP_OUT, bhs);
    send_request(c, bhs, NULL, 0, false);
    a = await_answer(c, pdu_itt(bhs), from, conn_deadline(c));
    if (a && a->opcode != PDU_NOP_IN)
        return conn_finish(c, a->opcode == PDU_REJECT ? CONN_REJECTED : CONN_OTHER, "answered a NOP-Out with a %s PDU",
                           pdu_opcode_name(a->opcode));
    return a != NULL;
}

/*
 * After a Logout Response both ends close the connections it speaks of (11.15), the target as the first. False: one of
 * them was still open at the end of the time of grace.
 */
static bool close_after_logout(struct conn *c, bool session, int grace_ms)
{
    struct drive *d = c->drive;
    int64_t until = net_now(&d->net) + (int64_t)grace_ms * 1000;
    bool closed = true;

    for (size_t i = 0; i < d->conn_count; i++) {
        struct conn *other = d->conns[i];

        if (other != c && !(session && other->session == c->session && other->ffp && other->link))
            continue;
        other->logged_out = true;
        if (grace_ms && other->link->fd >= 0)
            other->left_open = !link_wait_end(&d->net, other->link, until);
        closed &= !other->left_open;
        link_half_close(&d->net, other->link);
    }
    return closed;
}

enum logout_end fullfeature_logout(struct conn *c, bool session, bool await, int64_t deadline_us, int grace_ms)
{
    uint8_t bhs[PDU_BHS_LEN];
    const struct conn_answer *a;
    size_t from = c->answer_count;

    raw_header(c, PDU_LOGOUT_REQUEST, bhs);
    bhs[1] = (uint8_t)(PDU_FLAG_FINAL | (session ? PDU_LOGOUT_CLOSE_SESSION : PDU_LOGOUT_CLOSE_CONNECTION));
    if (session)
        bytes_put_be16(bhs + 20, 0); /* the CID says nothing then (11.14.3) */
    c->logged_out = true;
    if (session)
        c->session->ended = true;
    send_request(c, bhs, NULL, 0, false);
    if (!await)
        return LOGOUT_DONE;
    a = await_answer(c, pdu_itt(bhs), from, deadline_us);
    if (a && a->opcode != PDU_LOGOUT_RESPONSE)
        conn_finish(c, a->opcode == PDU_REJECT ? CONN_REJECTED : CONN_OTHER, "answered a Logout with a %s PDU",
                    pdu_opcode_name(a->opcode));
    if (!a || a->opcode != PDU_LOGOUT_RESPONSE)
        return LOGOUT_UNANSWERED;
    if (conn_answer_bhs(c, a)[2] != PDU_LOGOUT_DONE)
        return LOGOUT_DENIED;
    return close_after_logout(c, session, grace_ms) ? LOGOUT_DONE : LOGOUT_LEFT_OPEN;
}

/* What came for a PDU of the case's own in full feature phase. */
static void judge_answer(struct conn *c, uint32_t itt, size_t from, uint8_t request)
{
    const struct conn_answer *a = await_answer(c, itt, from, conn_deadline(c));

    if (!a)
        return;
    if (a->opcode == PDU_REJECT) {
        c->reason = conn_answer_bhs(c, a)[2];
        conn_finish(c, CONN_REJECTED, "sent a Reject PDU, reason 0x%02x", c->reason);
    } else if (a->opcode == PDU_LOGIN_RESPONSE && pdu_login_status(conn_answer_bhs(c, a))) {
        c->status = pdu_login_status(conn_answer_bhs(c, a));
        conn_finish(c, CONN_STATUS, "answered 0x%04x", c->status);
    } else if (a->opcode == (request | 0x20u)) {
        c->opcode = a->opcode;
        conn_finish(c, CONN_ANSWERED, "answered with a %s PDU", pdu_opcode_name(a->opcode));
    } else {
        c->opcode = a->opcode;
        conn_finish(c, CONN_OTHER, "answered with a %s PDU", pdu_opcode_name(a->opcode));
    }
}

/* In the login phase: the answer is a Login Response or an end. */
static void judge_login_answer(struct conn *c)
{
    const struct conn_answer *a;
    const uint8_t *bhs;

    c->end = CONN_NOT_RUN;
    if (!initiator_await(c, c->sent))
        return;
    a = &c->answers[c->answer_count - 1];
    bhs = conn_answer_bhs(c, a);
    live_learn(&c->live, conn_answer_data(c, a), a->data_len);
    if ((bhs[1] & (PDU_FLAG_TRANSIT | 3u)) == (PDU_FLAG_TRANSIT | 3u)) {
        initiator_enter_full_feature(c);
        fullfeature_serve(c);
    } else {
        conn_finish(c, CONN_LEFT, "answered with status 0");
    }
}

int fullfeature_send(struct conn *c, const struct case_pdu *pdu, bool await)
{
    uint8_t *bytes, bhs[PDU_BHS_LEN] = {0};
    size_t len = 0, from;
    char err[256];

    if (!c->link || c->link->fd < 0) {
        if (c->end == CONN_UNREACHABLE || c->end == CONN_GARBAGE)
            return 0; /* judged already */
        snprintf(c->drive->error, sizeof(c->drive->error), "%s:%d:%d: send on %s, which is not open",
                 pdu->at.file ? pdu->at.file : "case", pdu->at.line, pdu->at.column, c->name);
        return -1;
    }
    if (raw_build(c, pdu, &bytes, &len, err, sizeof(err))) {
        snprintf(c->drive->error, sizeof(c->drive->error), "%s:%d:%d: %s", pdu->at.file ? pdu->at.file : "case",
                 pdu->at.line, pdu->at.column, err);
        return -1;
    }
    fullfeature_serve(c);
    from = c->answer_count;
    memcpy(bhs, bytes, len < PDU_BHS_LEN ? len : PDU_BHS_LEN);
    conn_note(c, TRANSCRIPT_EDIT, c->sent + 1, "a PDU of the case's own");
    conn_send(c, bytes, len, true);
    raw_sent(c, bhs);
    free(bytes);
    if (!await)
        return 0;
    if (c->ffp)
        judge_answer(c, pdu_itt(bhs), from, pdu_opcode(bhs));
    else
        judge_login_answer(c);
    return 0;
}
