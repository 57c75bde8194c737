/*
 * One connection: bytes into PDUs, PDUs into bytes.
 */
#include <string.h>

#include "engine.h"
#include "full.h"
#include "login.h"
#include "scsi.h"
#include "sessions.h"
#include "wire/digest.h"

static void conn_copy(char *out, size_t size, const char *text)
{
    size_t length = text == NULL ? 0 : strlen(text);

    if (length >= size)
        length = size - 1;
    if (length > 0)
        memcpy(out, text, length);
    out[length] = '\0';
}

struct conn *conn_open(struct node *node, size_t portal, const char *peer, const char *local)
{
    if (portal >= node->config->portal_count)
        return NULL;
    struct conn *conn = node_allocate(node, sizeof(*conn));

    if (conn == NULL)
        return NULL;
    conn->node = node;
    conn->portal = portal;
    conn->deadline = NODE_NO_DEADLINE;
    conn->max_send = PDU_DEFAULT_MAX_RECV;
    conn->text_ttt = PDU_NO_TAG;
    conn_copy(conn->peer, sizeof(conn->peer), peer);
    conn_copy(conn->local, sizeof(conn->local), local);
    if (!node->env.random(node->env.context, (uint8_t *)&conn->stat_sn, sizeof(conn->stat_sn)) ||
        !login_open(conn)) {
        node_release(node, conn);
        return NULL;
    }
    if (conn_benign(conn, BENIGN_STATSN_WRAPS))
        conn->stat_sn = UINT32_MAX;
    if (conn_benign(conn, BENIGN_STATSN_ZERO))
        conn->stat_sn = 0;
    conn->next = node->conns;
    if (node->conns != NULL)
        node->conns->previous = conn;
    node->conns = conn;
    node->conn_count++;
    conn_mark(conn);                /* its deadline is new */
    return conn;
}

/* ---- input ---- */

/* Checks the digests of a complete full feature PDU at bhs. False: the connection is not usable any more. */
static bool conn_check_digests(struct conn *conn, const uint8_t *bhs, bool *data_wrong)
{
    size_t header = PDU_BHS_LEN + pdu_ahs_len(bhs);
    size_t data = pdu_padded_len(pdu_data_len(bhs));
    const uint8_t *at = bhs + header;

    *data_wrong = false;
    if (conn->header_digest) {
        if (!digest_check(bhs, header, at) && !conn_has(conn, DEFECT_HEADER_DIGEST_UNCHECKED)) {
            node_log(conn->node, conn, NODE_LOG_WARNING, "wrong header digest");
            return false;
        }
        at += DIGEST_LEN;
    }
    if (conn->data_digest && data > 0)
        *data_wrong = !digest_check(at, data, at + data) && !conn_has(conn, DEFECT_DATA_DIGEST_UNCHECKED);
    return true;
}

/* Bytes of the PDU at the start of the input, of which at least the header came; 0: it is not complete. */
static size_t conn_complete(struct conn *conn, const uint8_t *bhs, size_t length)
{
    if (conn->login != NULL && login_header_decides(conn, bhs))
        return PDU_BHS_LEN;
    if (conn->login != NULL && conn_has(conn, DEFECT_AHS_IGNORED)) {
        size_t alone = PDU_BHS_LEN + pdu_padded_len(pdu_data_len(bhs));

        return length < alone ? 0 : alone;
    }
    bool full = conn->login == NULL;
    size_t total = pdu_total_len(bhs, full && conn->header_digest, full && conn->data_digest);

    return length < total ? 0 : total;
}

/* Works off one PDU. False: it stays where it is. */
static bool conn_take(struct conn *conn, const uint8_t *bhs, size_t total)
{
    size_t at = PDU_BHS_LEN + pdu_ahs_len(bhs);
    bool data_wrong;

    if (conn->login != NULL) {
        bool alone = total == PDU_BHS_LEN;

        if (conn_has(conn, DEFECT_AHS_IGNORED))
            at = PDU_BHS_LEN;
        login_pdu(conn, bhs, alone ? NULL : bhs + at, alone ? 0 : pdu_data_len(bhs));
        return true;
    }
    if (conn->session == NULL)
        return true;
    if (!conn_check_digests(conn, bhs, &data_wrong)) {
        conn_end(conn, CONN_CLOSE);     /* 7.8: ErrorRecoveryLevel 0 */
        return true;
    }
    if (data_wrong) {
        full_reject(conn, bhs, conn_has(conn, DEFECT_DATA_DIGEST_WRONG_REASON) ? PDU_REJECT_PROTOCOL_ERROR
                                                                               : PDU_REJECT_DATA_DIGEST);
        conn_end(conn, CONN_CLOSE);
        return true;
    }
    if (conn->header_digest)
        at += DIGEST_LEN;
    return full_pdu(conn, bhs, bhs + at, pdu_data_len(bhs));
}

/* A data segment above what we declared can never be taken (13.12). */
static bool conn_is_too_long(const struct conn *conn, const uint8_t *bhs)
{
    return conn->login == NULL &&
           pdu_data_len(bhs) > conn->node->config->params.max_recv_data_segment_length &&
           pdu_data_len(bhs) > PDU_DEFAULT_MAX_RECV;
}

/* A connection whose commands wait for others that never come is given up. */
static void conn_watch_held(struct conn *conn)
{
    if (conn->login != NULL || conn->action != CONN_KEEP)
        return;
    if (!conn->held)
        conn->deadline = NODE_NO_DEADLINE;
    else if (conn->deadline == NODE_NO_DEADLINE)
        conn->deadline = node_now(conn->node) + ENGINE_HELD_MS;
    else
        return;
    conn_mark(conn);
}

void conn_process(struct conn *conn)
{
    if (conn->busy)
        return;
    bool was_held = conn->held;

    conn->busy = true;
    conn->held = false;
    while (conn->action == CONN_KEEP && !conn->held && conn->in.length >= PDU_BHS_LEN &&
           conn->out.length < ENGINE_OUTPUT_HIGH) {
        const uint8_t *bhs = buffer_bytes(&conn->in);

        if (conn_is_too_long(conn, bhs)) {
            full_reject(conn, bhs, PDU_REJECT_PROTOCOL_ERROR);
            conn_end(conn, CONN_CLOSE);
            break;
        }
        size_t total = conn_complete(conn, bhs, conn->in.length);

        if (total == 0)
            break;
        conn->held = !conn_take(conn, bhs, total);
        if (!conn->held)
            buffer_consume(&conn->in, total);
    }
    if (conn->action != CONN_KEEP)
        buffer_free(&conn->in, &conn->node->env);
    conn->busy = false;
    if (conn->held != was_held)
        conn_watch_held(conn);
}

/* One whole PDU always fits; more only waits behind a held command or a peer that does not read. */
static size_t conn_input_max(const struct conn *conn)
{
    return (size_t)ENGINE_INPUT_MAX + conn->node->config->params.max_recv_data_segment_length;
}

void conn_input(struct conn *conn, const uint8_t *bytes, size_t length)
{
    if (conn->action != CONN_KEEP)
        return;
    if (!buffer_append(&conn->in, &conn->node->env, bytes, length) || conn->in.length > conn_input_max(conn) + length) {
        conn_end(conn, CONN_RESET);
        buffer_free(&conn->in, &conn->node->env);
        return;
    }
    conn_process(conn);
    if (conn->in.length == 0)       /* idle connections hold no memory */
        buffer_free(&conn->in, &conn->node->env);
}

void conn_eof(struct conn *conn)
{
    if (conn->action != CONN_KEEP)
        return;
    if (conn->login != NULL)
        login_event(conn, LOGIN_END);
    else
        conn_end(conn, CONN_CLOSE);
}

/* ---- output ---- */

void conn_send_raw(struct conn *conn, const void *bytes, size_t length)
{
    if (!buffer_append(&conn->out, &conn->node->env, bytes, length))
        conn->output_lost = true;
    conn_mark(conn);
}

static void conn_send_digest(struct conn *conn, uint32_t crc)
{
    uint8_t wire[DIGEST_LEN];

    digest_put(wire, conn_has(conn, DEFECT_DIGEST_WRONG) ? ~crc : crc);
    conn_send_raw(conn, wire, sizeof(wire));
}

void conn_send(struct conn *conn, uint8_t *bhs, const void *data, size_t length)
{
    static const uint8_t zero[4];
    bool full = conn->login == NULL;
    size_t padding = pdu_padding(length);

    pdu_set_data_len(bhs, length);
    conn_send_raw(conn, bhs, PDU_BHS_LEN);
    if (full && (conn->header_digest || conn->digest_unasked || conn_has(conn, DEFECT_DIGEST_NOT_AGREED)))
        conn_send_digest(conn, digest_crc32c(bhs, PDU_BHS_LEN));
    if (length == 0)
        return;
    conn_send_raw(conn, data, length);
    conn_send_raw(conn, zero, padding);
    if (full && conn->data_digest) {
        uint32_t state = digest_update(DIGEST_START, data, length);

        conn_send_digest(conn, digest_finish(digest_update(state, zero, padding)));
    }
}

size_t conn_output(const struct conn *conn, const uint8_t **bytes)
{
    *bytes = buffer_bytes(&conn->out);
    return conn->action == CONN_RESET || conn->output_lost ? 0 : conn->out.length;
}

void conn_output_consumed(struct conn *conn, size_t length)
{
    buffer_consume(&conn->out, length);
    if (conn->out.length == 0)
        buffer_free(&conn->out, &conn->node->env);
    if (conn->action == CONN_KEEP && conn->in.length >= PDU_BHS_LEN && !conn->held)
        conn_process(conn);     /* it stopped while too much output waited */
}

bool conn_wants_input(const struct conn *conn)
{
    return conn->action == CONN_KEEP && conn->out.length < ENGINE_OUTPUT_HIGH && conn->in.length < conn_input_max(conn);
}

bool conn_refused(const struct conn *conn)
{
    return conn->refused;
}

enum conn_action conn_action(const struct conn *conn)
{
    return conn->output_lost ? CONN_RESET : conn->action;
}

/* ---- time, end ---- */

uint64_t conn_deadline(const struct conn *conn)
{
    return conn->action == CONN_KEEP ? conn->deadline : NODE_NO_DEADLINE;
}

void conn_tick(struct conn *conn)
{
    if (conn->action != CONN_KEEP || node_now(conn->node) < conn->deadline)
        return;
    conn->deadline = NODE_NO_DEADLINE;
    if (conn->login != NULL) {
        node_log(conn->node, conn, NODE_LOG_INFO, "login timed out");
        login_event(conn, LOGIN_TIMEOUT);
    } else if (conn->held) {
        node_log(conn->node, conn, NODE_LOG_WARNING, "commands before this one never came");
        conn_end(conn, CONN_CLOSE);
    }
}

void conn_mark(struct conn *conn)
{
    struct node *node = conn->node;

    if (conn->dirty)
        return;
    conn->dirty = true;
    conn->dirty_next = NULL;
    if (node->dirty_last != NULL)
        node->dirty_last->dirty_next = conn;
    else
        node->dirty_first = conn;
    node->dirty_last = conn;
}

struct conn *node_next_dirty(struct node *node)
{
    struct conn *conn = node->dirty_first;

    if (conn == NULL)
        return NULL;
    node->dirty_first = conn->dirty_next;
    if (node->dirty_first == NULL)
        node->dirty_last = NULL;
    conn->dirty = false;
    conn->dirty_next = NULL;
    return conn;
}

void conn_end(struct conn *conn, enum conn_action action)
{
    if (action > conn->action)
        conn->action = action;
    scsi_abort_all(conn);
    sessions_detach(conn, true);
    login_close(conn);
    conn_mark(conn);
}

/* Takes conn off the list of connections with something new. */
static void conn_unmark(struct conn *conn)
{
    struct node *node = conn->node;
    struct conn **link = &node->dirty_first;
    struct conn *last = NULL;

    if (!conn->dirty)
        return;
    while (*link != conn) {
        last = *link;
        link = &(*link)->dirty_next;
    }
    *link = conn->dirty_next;
    if (node->dirty_last == conn)
        node->dirty_last = last;
}

void conn_free(struct conn *conn)
{
    struct node *node = conn->node;

    conn_end(conn, CONN_CLOSE);
    conn_unmark(conn);
    if (conn->previous != NULL)
        conn->previous->next = conn->next;
    else
        node->conns = conn->next;
    if (conn->next != NULL)
        conn->next->previous = conn->previous;
    node->conn_count--;
    buffer_free(&conn->in, &node->env);
    buffer_free(&conn->out, &node->env);
    buffer_free(&conn->text_in, &node->env);
    buffer_free(&conn->text_out, &node->env);
    node_release(node, conn);
}

void conn_set_user(struct conn *conn, void *user)
{
    conn->user = user;
}

void *conn_user(const struct conn *conn)
{
    return conn->user;
}

bool conn_logged_in(const struct conn *conn, size_t *target)
{
    if (conn->session == NULL)
        return false;
    if (target != NULL)
        *target = conn->session->target;
    return true;
}
