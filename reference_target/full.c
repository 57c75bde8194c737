/* Full feature phase; see full.h. */
#include "full.h"

#include <string.h>

#include "discovery.h"
#include "scsi.h"
#include "sessions.h"
#include "wire/bytes.h"
#include "wire/keys.h"

enum { FULL_PING_TAG = 0x70696e67, FULL_TEXT_PART = 32, FULL_TEXT_MAX = 64 * 1024, FULL_ANSWER_MAX = 16 << 20 };

void full_number(struct conn *conn, struct pdu_response *response, bool count)
{
    uint32_t exp_cmd_sn = conn->session->exp_cmd_sn;

    response->stat_sn = conn->stat_sn;
    if (count)
        conn->stat_sn++;
    response->exp_cmd_sn = exp_cmd_sn;
    response->max_cmd_sn = node_max_cmd_sn(conn->node, exp_cmd_sn);
    if (conn_has(conn, DEFECT_EXPCMDSN_GOES_BACK))
        response->exp_cmd_sn -= conn->stat_sn & 1;
    if (conn_has(conn, DEFECT_MAXCMDSN_GOES_BACK))
        response->max_cmd_sn -= conn->stat_sn & 1;
    if (conn_has(conn, DEFECT_MAXCMDSN_DROPS_AFTER_LOGIN))
        response->max_cmd_sn -= 8;
}

/* Defects of any PDU but Data-In and R2T. */
static void full_spoil(const struct conn *conn, struct pdu_response *response)
{
    bool answers = response->opcode != PDU_NOP_IN && response->opcode != PDU_REJECT;

    if (response->opcode != PDU_TEXT_RESPONSE && conn_has(conn, DEFECT_FULL_FEATURE_FINAL_LOST))
        response->flags &= (uint8_t)~PDU_FLAG_FINAL;
    if (answers && conn_has(conn, DEFECT_FULL_FEATURE_WRONG_ITT))
        response->itt ^= 0x5a5a5a5aU;
    if ((response->opcode == PDU_NOP_IN || response->opcode == PDU_TEXT_RESPONSE) && response->word20 == PDU_NO_TAG &&
        conn_has(conn, DEFECT_LUN_WITHOUT_TAG))
        response->lun = UINT64_C(1) << 48;
    if (response->opcode == PDU_REJECT && conn_has(conn, DEFECT_REJECT_WITH_DATA_SN))
        response->word36 = 1;
    if (response->opcode == PDU_REJECT && conn_has(conn, DEFECT_REJECT_FOR_DIGEST))
        response->byte2 = PDU_REJECT_DATA_DIGEST;
}

void full_send(struct conn *conn, struct pdu_response *response, const void *data, size_t length)
{
    uint8_t bhs[PDU_BHS_LEN];

    /* A NOP-In of our own shows the next StatSN and does not use it up, 11.19.2. */
    full_number(conn, response, response->opcode != PDU_NOP_IN || response->itt != PDU_NO_TAG);
    full_spoil(conn, response);
    pdu_response_encode(response, bhs);
    if (conn_has(conn, DEFECT_FULL_FEATURE_RESERVED_SET))
        bhs[1] |= 0x20;
    conn_send(conn, bhs, data, length);
}

void full_reject(struct conn *conn, const uint8_t *bhs, uint8_t reason)
{
    struct pdu_response response = { .opcode = PDU_REJECT, .flags = PDU_FLAG_FINAL, .byte2 = reason,
                                 .itt = PDU_NO_TAG };

    node_log(conn->node, conn, NODE_LOG_INFO, "rejected %s: %s", pdu_opcode_name(bhs[0]),
             pdu_reject_reason_name(reason));
    if (conn_has(conn, DEFECT_REJECT_WITH_ITT))
        response.itt = pdu_itt(bhs);
    if (conn_has(conn, DEFECT_REJECT_DEPRECATED_REASON))
        response.byte2 = PDU_REJECT_NEGOTIATION_RESET;
    full_send(conn, &response, bhs, conn_has(conn, DEFECT_REJECT_WITHOUT_HEADER) ? 0 : PDU_BHS_LEN);
}

/* ---- NOP ---- */

void full_greet(struct conn *conn)
{
    if (conn->session->target == NODE_ALL)
        return;                 /* a discovery session knows text and logout alone, 4.3 */
    if (conn_benign(conn, BENIGN_ASYNC_BEHIND_FINAL)) {
        struct pdu_response event = { .opcode = PDU_ASYNC_MESSAGE, .flags = PDU_FLAG_FINAL, .itt = PDU_NO_TAG,
                                      .word36 = UINT32_C(255) << 24 };  /* AsyncEvent 255: vendor-specific */

        full_send(conn, &event, NULL, 0);
    }
    if (conn_benign(conn, BENIGN_NOP_IN_BEHIND_FINAL) || conn_benign(conn, BENIGN_PING_BEHIND_FINAL)) {
        bool ping = conn_benign(conn, BENIGN_PING_BEHIND_FINAL);
        struct pdu_response nop = { .opcode = PDU_NOP_IN, .flags = PDU_FLAG_FINAL, .itt = PDU_NO_TAG,
                                    .word20 = ping ? FULL_PING_TAG : PDU_NO_TAG };

        full_send(conn, &nop, NULL, 0);
    }
}

static void full_nop(struct conn *conn, const uint8_t *bhs, const uint8_t *data, size_t length)
{
    struct pdu_request request;

    pdu_request_decode(&request, bhs);
    if ((request.itt == PDU_NO_TAG && !conn_has(conn, DEFECT_NOP_IN_UNASKED_WITH_DATA)) ||
        conn_has(conn, DEFECT_NOP_NO_ANSWER))
        return;                 /* an answer to a ping of ours, or just an acknowledgement */
    struct pdu_response response = { .opcode = PDU_NOP_IN, .flags = PDU_FLAG_FINAL, .lun = request.lun,
                                 .itt = request.itt, .word20 = PDU_NO_TAG };

    if (conn_has(conn, DEFECT_NOP_IN_WRONG_TTT))
        response.word20 = 1;
    if (conn_has(conn, DEFECT_NOP_IN_WRONG_ITT))
        response.itt ^= 0x5a5a5a5aU;
    if (conn_has(conn, DEFECT_NOP_IN_DATA_LOST))
        length = 0;
    if (length > conn->max_send && !conn_has(conn, DEFECT_RECV_LENGTH_IGNORED))
        length = conn->max_send;        /* 11.19.4 */
    full_send(conn, &response, data, length);
}

/* ---- text ---- */

/* Defects of the header of a Text Response. */
static void full_text_spoil(const struct conn *conn, struct pdu_response *response)
{
    if (conn_has(conn, DEFECT_TEXT_RESPONSE_WRONG_TTT) && response->word20 == PDU_NO_TAG)
        response->word20 = 1;
    if (conn_has(conn, DEFECT_TEXT_RESPONSE_NOT_FINAL))
        response->flags &= (uint8_t)~PDU_FLAG_FINAL;
    if (conn_has(conn, DEFECT_TEXT_RESPONSE_C_WITH_F) && response->flags == PDU_FLAG_FINAL)
        response->flags |= PDU_FLAG_CONTINUE;
}

/* Defect send-targets-cut: the last whole pairs that fit, and no word of the rest. */
static void full_send_cut(struct conn *conn, const struct pdu_request *request, size_t room)
{
    struct pdu_response response = { .opcode = PDU_TEXT_RESPONSE, .flags = PDU_FLAG_FINAL, .lun = request->lun,
                                     .itt = request->itt, .word20 = PDU_NO_TAG };
    const uint8_t *text = buffer_bytes(&conn->text_out);

    size_t from = conn->text_out.length - room;

    while (from < conn->text_out.length && text[from - 1] != 0)
        from++;
    conn->text_ttt = PDU_NO_TAG;
    full_send(conn, &response, text + from, conn->text_out.length - from);
    buffer_free(&conn->text_out, &conn->node->env);
}

/* Sends the next part of the answer that waits in text_out. */
static void full_text_part(struct conn *conn, const struct pdu_request *request)
{
    size_t left = conn->text_out.length;
    size_t part = left;
    bool final = (request->flags & PDU_FLAG_FINAL) != 0;
    struct pdu_response response = { .opcode = PDU_TEXT_RESPONSE, .lun = request->lun, .itt = request->itt };

    size_t room = conn_benign(conn, BENIGN_TEXT_RESPONSE_IN_PARTS) ? FULL_TEXT_PART : conn->max_send;

    if (left > room && conn_has(conn, DEFECT_SEND_TARGETS_CUT)) {
        full_send_cut(conn, request, room);
        return;
    }
    if (left > room && !conn_has(conn, DEFECT_RECV_LENGTH_IGNORED)) {
        part = room;
        response.flags = PDU_FLAG_CONTINUE;
    } else if (final || conn_has(conn, DEFECT_TEXT_RESPONSE_FINAL_TOO_EARLY)) {
        response.flags = PDU_FLAG_FINAL;
    }
    conn->text_itt = request->itt;
    conn->text_ttt = response.flags == PDU_FLAG_FINAL ? PDU_NO_TAG : request->itt == 0 ? 1 : request->itt;
    response.word20 = conn->text_ttt;
    full_text_spoil(conn, &response);
    bool cut = part > 0 && part == left && conn_has(conn, DEFECT_TEXT_RESPONSE_WITHOUT_FINAL_NUL);

    full_send(conn, &response, buffer_bytes(&conn->text_out), cut ? part - 1 : part);
    buffer_consume(&conn->text_out, part);
    if (conn->text_ttt == PDU_NO_TAG)
        buffer_free(&conn->text_out, &conn->node->env);
}

/* Answers one key of a text negotiation in full feature phase. */
static void full_text_key(struct conn *conn, const struct text_pair *pair, struct text_buf *answer)
{
    const struct keys_entry *key = keys_find(pair->key, pair->key_len);
    char name[TEXT_KEY_MAX + 1];
    uint64_t number;

    if ((key != NULL && key->id == KEYS_SEND_TARGETS) ||
        (key == NULL && conn_has(conn, DEFECT_SEND_TARGETS_ANY_KEY))) {
        if (!discovery_send_targets(conn, pair->value, pair->value_len, answer))
            text_buf_add(answer, "SendTargets", "Reject");
        else if (answer->len > 0 && conn_has(conn, DEFECT_SEND_TARGETS_LIST_REJECTED))
            text_buf_add(answer, "SendTargets", "Reject");
        return;
    }
    memcpy(name, pair->key, pair->key_len);
    name[pair->key_len] = '\0';
    if (key == NULL) {
        if (!conn_has(conn, DEFECT_TEXT_UNKNOWN_KEY_IGNORED))
            text_buf_add(answer, name, "NotUnderstood");
    } else if (key->id == KEYS_MAX_RECV_DATA_SEGMENT_LENGTH) {
        if (text_parse_number(pair->value, pair->value_len, &number) == TEXT_NUMBER_OK && number >= key->min &&
            number <= key->max)
            conn->max_send = conn_has(conn, DEFECT_TEXT_RECV_LENGTH_IGNORED) ? conn->max_send : (uint32_t)number;
        else
            text_buf_add(answer, name, "Reject");
    } else if ((key->flags & KEYS_DECLARATIVE) == 0 || key->use != KEYS_ALL) {
        if (conn_has(conn, DEFECT_TEXT_LOGIN_KEY_UNANSWERED))
            return;
        if (conn_has(conn, DEFECT_TEXT_KNOWN_KEY_NOT_UNDERSTOOD))
            text_buf_add(answer, name, "NotUnderstood");
        else if (conn_has(conn, DEFECT_TEXT_LOGIN_KEY_TAKEN))
            text_buf_add_n(answer, name, pair->value, pair->value_len);
        else
            text_buf_add(answer, name, "Reject");   /* has its place in login only */
    }
}

/* A complete request text. False: it is to be rejected. */
static bool full_text_answer(struct conn *conn, const void *text, size_t length)
{
    bool discovery = conn->session->target == NODE_ALL;
    struct text_cursor cursor;
    struct text_pair pair;
    struct text_buf answer;

    if (text_check(text, length, NULL) != TEXT_END)
        return false;
    if (discovery && !conn_has(conn, DEFECT_SEND_TARGETS_ANY_KEY) &&
        (text_count(text, length, "SendTargets") != 1 || text_count(text, length, NULL) != 1))
        return false;           /* a discovery session does nothing else, 4.3 */
    text_buf_init_growing(&answer, FULL_ANSWER_MAX, buffer_resize, &conn->node->env);
    text_cursor_init(&cursor, text, length);
    while (text_next(&cursor, &pair) == TEXT_PAIR)
        full_text_key(conn, &pair, &answer);
    buffer_clear(&conn->text_out);
    bool fits = !answer.overflow &&
                buffer_append(&conn->text_out, &conn->node->env, answer.data, answer.len);

    text_buf_free(&answer);
    return fits;
}

static void full_text(struct conn *conn, const uint8_t *bhs, const uint8_t *data, size_t length)
{
    struct pdu_request request;

    pdu_request_decode(&request, bhs);
    bool more = (request.flags & PDU_FLAG_CONTINUE) != 0 &&
                ((request.flags & PDU_FLAG_FINAL) == 0 || !conn_has(conn, DEFECT_TEXT_FINAL_AND_MORE_TAKEN));
    bool going_on = request.word20 != PDU_NO_TAG;

    if (request.itt == PDU_NO_TAG) {    /* 11.2.1.8 */
        full_reject(conn, bhs, PDU_REJECT_INVALID_FIELD);
        return;
    }
    if (going_on && conn_has(conn, DEFECT_TEXT_ANY_TAG))
        going_on = false;
    if (going_on && (request.word20 != conn->text_ttt || request.itt != conn->text_itt)) {
        full_reject(conn, bhs, PDU_REJECT_PROTOCOL_ERROR);
        return;
    }
    if (!going_on) {                /* a new one ends what was open, 11.10.4 */
        buffer_clear(&conn->text_in);
        buffer_clear(&conn->text_out);
    }
    if (going_on && conn->text_out.length > 0 && length == 0 && !more) {
        if (conn_has(conn, DEFECT_TEXT_REST_UNANSWERED))
            return;
        full_text_part(conn, &request);
        return;
    }
    /* C=1 speaks of a request that goes on: not while an answer is being fetched. */
    if (conn->text_in.length + length > FULL_TEXT_MAX ||
        (more && ((request.flags & PDU_FLAG_FINAL) != 0 || conn->text_out.length > 0 ||
                  conn_has(conn, DEFECT_TEXT_C_BIT_REJECTED))) ||
        !buffer_append(&conn->text_in, &conn->node->env, data, length)) {
        full_reject(conn, bhs, PDU_REJECT_PROTOCOL_ERROR);
        return;
    }
    if (!more && !full_text_answer(conn, buffer_bytes(&conn->text_in), conn->text_in.length)) {
        buffer_clear(&conn->text_in);
        if (!conn_has(conn, DEFECT_TEXT_MALFORMED_IGNORED))
            full_reject(conn, bhs, PDU_REJECT_PROTOCOL_ERROR);
        return;
    }
    if (!more || conn_has(conn, DEFECT_TEXT_PART_FORGOTTEN))
        buffer_free(&conn->text_in, &conn->node->env);
    else if (conn_has(conn, DEFECT_TEXT_RESPONSE_TO_C_BIT_NOT_EMPTY))
        (void)buffer_append(&conn->text_out, &conn->node->env, "X-early=1", sizeof("X-early=1"));
    full_text_part(conn, &request);
}

/* ---- logout ---- */

static void full_logout_answer(struct conn *conn, const struct pdu_request *request, uint8_t code)
{
    const struct negotiate_params *params = &conn->session->params;
    struct pdu_response response = { .opcode = PDU_LOGOUT_RESPONSE, .flags = PDU_FLAG_FINAL, .byte2 = code,
                                 .itt = request->itt,
                                 .word40 = params->default_time2wait << 16 | params->default_time2retain };

    if (conn_has(conn, DEFECT_LOGOUT_WRONG_RESPONSE) && code == PDU_LOGOUT_DONE)
        response.byte2 = PDU_LOGOUT_CID_NOT_FOUND;
    if (!conn_has(conn, DEFECT_LOGOUT_NO_RESPONSE))
        full_send(conn, &response, "bye", conn_has(conn, DEFECT_LOGOUT_RESPONSE_WITH_DATA) ? 3 : 0);
    if (conn_has(conn, DEFECT_LOGOUT_RESPONSE_NOT_LAST)) {
        struct pdu_response more = { .opcode = PDU_NOP_IN, .flags = PDU_FLAG_FINAL, .itt = PDU_NO_TAG,
                                     .word20 = PDU_NO_TAG };

        full_send(conn, &more, NULL, 0);
    }
}

static void full_logout_connection(struct conn *conn, const struct pdu_request *request)
{
    struct conn *other = sessions_connection(conn->session, (uint16_t)(request->word20 >> 16));

    full_logout_answer(conn, request,
                       other == NULL && !conn_has(conn, DEFECT_LOGOUT_OF_UNKNOWN_CID_DONE) ? PDU_LOGOUT_CID_NOT_FOUND
                                                                                          : PDU_LOGOUT_DONE);
    if (other == NULL || (other == conn && conn_has(conn, DEFECT_LOGOUT_KEEPS_OPEN)))
        return;
    sessions_detach(other, false);
    conn_end(other, CONN_CLOSE);
}

static void full_logout(struct conn *conn, const uint8_t *bhs)
{
    struct pdu_request request;

    pdu_request_decode(&request, bhs);
    unsigned reason = request.flags & 0x7fU;

    if (conn->session->target == NODE_ALL && reason != PDU_LOGOUT_CLOSE_SESSION) {
        full_reject(conn, bhs, PDU_REJECT_PROTOCOL_ERROR);      /* 4.3 */
        return;
    }
    switch (reason) {
    case PDU_LOGOUT_CLOSE_SESSION:
        full_logout_answer(conn, &request, PDU_LOGOUT_DONE);
        if (!conn_has(conn, DEFECT_LOGOUT_KEEPS_OPEN))
            sessions_end(conn->session, conn->node);
        break;
    case PDU_LOGOUT_CLOSE_CONNECTION:
        full_logout_connection(conn, &request);
        break;
    case PDU_LOGOUT_REMOVE_FOR_RECOVERY:
        full_logout_answer(conn, &request,              /* ErrorRecoveryLevel is 0 */
                           conn_has(conn, DEFECT_LOGOUT_FOR_RECOVERY_DONE) ? PDU_LOGOUT_DONE : PDU_LOGOUT_NO_RECOVERY);
        break;
    default:
        if (conn_has(conn, DEFECT_LOGOUT_ANY_REASON))
            full_logout_answer(conn, &request, PDU_LOGOUT_DONE);
        else
            full_reject(conn, bhs, PDU_REJECT_INVALID_FIELD);
        break;
    }
}

/* ---- dispatch ---- */

/* A discovery session takes SendTargets and a logout and nothing else (4.3). */
static bool full_is_refused_in_discovery(const struct conn *conn, uint8_t opcode)
{
    return conn->session->target == NODE_ALL && opcode != PDU_TEXT_REQUEST && opcode != PDU_LOGOUT_REQUEST &&
           !(conn_has(conn, DEFECT_COMMANDS_IN_DISCOVERY) && opcode == PDU_SCSI_COMMAND);
}

static void full_dispatch(struct conn *conn, const uint8_t *bhs, const uint8_t *data, size_t length)
{
    uint8_t opcode = pdu_opcode(bhs);

    if (full_is_refused_in_discovery(conn, opcode)) {
        full_reject(conn, bhs, PDU_REJECT_PROTOCOL_ERROR);
        return;
    }
    switch (opcode) {
    case PDU_NOP_OUT: full_nop(conn, bhs, data, length); break;
    case PDU_SCSI_COMMAND: scsi_command(conn, bhs, data, length); break;
    case PDU_TASK_MANAGEMENT_REQUEST: scsi_task_management(conn, bhs); break;
    case PDU_TEXT_REQUEST: full_text(conn, bhs, data, length); break;
    case PDU_DATA_OUT: scsi_data_out(conn, bhs, data, length); break;
    case PDU_LOGOUT_REQUEST: full_logout(conn, bhs); break;
    case PDU_SNACK_REQUEST: full_reject(conn, bhs, PDU_REJECT_SNACK); break;
    case PDU_LOGIN_REQUEST: full_reject(conn, bhs, PDU_REJECT_PROTOCOL_ERROR); break;
    default:
        if (conn_has(conn, DEFECT_UNKNOWN_OPCODE_ANSWERED))
            full_nop(conn, bhs, data, length);
        else
            full_reject(conn, bhs, PDU_REJECT_NOT_SUPPORTED);
        break;
    }
}

/* Defect login-in-full-feature. */
static void full_login_again(struct conn *conn, const uint8_t *bhs)
{
    uint8_t out[PDU_BHS_LEN];
    struct pdu_login_request request;

    pdu_login_request_decode(&request, bhs);
    struct pdu_login_response response = { .transit = true, .csg = request.csg, .nsg = PDU_STAGE_FULL_FEATURE,
                                       .tsih = conn->session->tsih, .itt = request.itt,
                                       .stat_sn = conn->stat_sn++,
                                       .exp_cmd_sn = conn->session->exp_cmd_sn,
                                       .max_cmd_sn = node_max_cmd_sn(conn->node, conn->session->exp_cmd_sn) };

    memcpy(response.isid, request.isid, sizeof(response.isid));
    pdu_login_response_encode(&response, out);
    conn_send(conn, out, NULL, 0);
}

/* Lets connections go on whose next command is now the expected one. */
static void full_wake(struct conn *conn)
{
    bool woke = true;

    while (woke && conn->session != NULL) {
        struct session *session = conn->session;

        woke = false;
        for (struct conn *other = session->conns; other != NULL && !woke; other = other->session_next) {
            if (other == conn || !other->held || other->busy || other->in.length < PDU_BHS_LEN ||
                bytes_get_be32(buffer_bytes(&other->in) + 24) != session->exp_cmd_sn)
                continue;
            woke = true;
            conn_process(other);
            break;
        }
    }
}

/* Defects that serve a command which has to wait, or to be ignored. */
static bool full_is_out_of_turn(const struct conn *conn, bool ordered, uint32_t ahead, bool outside)
{
    if (!ordered || ahead == 0)
        return false;
    if (!outside)
        return conn_has(conn, DEFECT_COMMANDS_OUT_OF_TURN);
    return conn_has(conn, ahead > INT32_MAX ? DEFECT_COMMANDS_TWICE : DEFECT_COMMANDS_BEYOND_WINDOW);
}

bool full_pdu(struct conn *conn, const uint8_t *bhs, const uint8_t *data, size_t length)
{
    struct session *session = conn->session;
    uint8_t opcode = pdu_opcode(bhs);
    bool ordered = pdu_has_cmd_sn(opcode) && !pdu_immediate(bhs);

    if (opcode == PDU_LOGIN_REQUEST && conn_has(conn, DEFECT_LOGIN_IN_FULL_FEATURE)) {
        full_login_again(conn, bhs);
        return true;
    }
    uint32_t ahead = bytes_get_be32(bhs + 24) - session->exp_cmd_sn;
    bool outside = ahead > node_max_cmd_sn(conn->node, 0);

    if (full_is_out_of_turn(conn, ordered, ahead, outside)) {
        full_dispatch(conn, bhs, data, length);
        return true;
    }
    if (pdu_immediate(bhs) && pdu_has_cmd_sn(opcode) && outside &&
        conn_has(conn, DEFECT_IMMEDIATE_IN_WINDOW_ONLY))
        return true;
    if (ordered) {
        if (outside) {
            node_log(conn->node, conn, NODE_LOG_INFO, "ignored %s: CmdSN outside the window",
                     pdu_opcode_name(opcode));
            return true;            /* 4.2.2.1 */
        }
        if (ahead > 0)
            return false;
        session->exp_cmd_sn++;
    }
    bool late = ordered && conn_has(conn, DEFECT_EXPCMDSN_TOO_LATE);

    session->exp_cmd_sn -= late;
    full_dispatch(conn, bhs, data, length);
    if (late && conn->session == session)
        session->exp_cmd_sn++;
    if (ordered)
        full_wake(conn);
    return true;
}
