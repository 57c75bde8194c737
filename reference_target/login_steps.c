/*
 * The actions of the login table: what a request that is in order leads to.
 *
 * An action collects the answer in login->answer and hands over to login_finish(), which sends it, in parts if it is
 * long, and decides about the transition.
 */
#include <stdio.h>
#include <string.h>

#include "discovery.h"
#include "full.h"
#include "login.h"
#include "response.h"
#include "sessions.h"

enum {
    LOGIN_PART_MAX = 24,        /* of a text under answers-in-parts */
    LOGIN_NO_LIMIT = 0xffffff   /* of a data segment under recv-length-default-unknown */
};

/* TargetPortalGroupTag belongs into the first response after the first complete request, RFC 7143 13.9. */
static void login_declare_tag(struct conn *conn, struct login *login)
{
    unsigned tag = conn->node->config->portals[conn->portal].tag;

    if (conn_has(conn, DEFECT_NO_TPGT) || (login->tag_sent && !conn_has(conn, DEFECT_TPGT_IN_EVERY_RESPONSE)))
        return;
    if (conn_has(conn, DEFECT_TPGT_LATE) && login->responses == 0)
        return;
    if (conn_has(conn, DEFECT_TPGT_WRONG_TAG))
        tag = tag == UINT16_MAX ? 0 : tag + 1;
    if (conn_has(conn, DEFECT_TPGT_OUT_OF_RANGE))
        tag = 65536;
    login->tag_sent = true;
    text_buf_add_number(&login->answer, "TargetPortalGroupTag", tag);
}

static void login_declare(struct conn *conn, struct login *login)
{
    const struct config *config = conn->node->config;
    size_t index = login->identity.target;

    login_declare_tag(conn, login);
    if (index == NODE_ALL || login->alias_sent)
        return;
    const struct config_target *target = &config->targets[index];
    const char *alias = target->alias != NULL ? target->alias : config->alias;
    char space[DISCOVERY_ADDRESS];

    login->alias_sent = true;
    if (alias != NULL)
        text_buf_add(&login->answer, "TargetAlias", alias);
    if (conn_has(conn, DEFECT_SENDS_TARGET_NAME))
        text_buf_add(&login->answer, "TargetName", target->name);
    if (conn_has(conn, DEFECT_REDIRECT_ON_SUCCESS_STATUS) && target->moved != CONFIG_MOVED_NO)
        text_buf_add(&login->answer, "TargetAddress", discovery_moved_address(conn, index, space));
}

/* ---- the end of every step ---- */

/* Is nothing left to do in the stage of the current request? */
static bool login_stage_done(const struct conn *conn, const struct login *login)
{
    switch (login->state) {
    case LOGIN_EXPECT_SECURITY:
        return !auth_required(&login->auth) || conn_has(conn, DEFECT_ACCEPT_UNAUTHENTICATED);
    case LOGIN_EXPECT_SECURITY_END:
    case LOGIN_EXPECT_OPERATIONAL:
        return true;
    default:
        return false;
    }
}

/* The final response and what follows from it. */
static enum cause login_complete(struct conn *conn, struct login *login, const uint8_t *text, size_t length)
{
    login->forced = node_forced(conn->node, login->identity.target, CONFIG_STAGE_FINAL, login->identity.initiator);
    if (login->forced != 0)
        return CAUSE_FORCED;
    enum cause cause = sessions_enter(conn);

    if (cause != CAUSE_NONE)
        return cause;
    const struct negotiate_params *params = &login->negotiate.params;

    login->tsih = conn->session->tsih;
    response_send(conn, true, PDU_STAGE_FULL_FEATURE, false, text, length);
    conn->cid = login->first.cid;
    conn->max_send = params->max_send;
    if (conn_has(conn, DEFECT_RECV_LENGTH_DEFAULT_UNKNOWN) &&
        (login->negotiate.seen >> (unsigned)KEYS_MAX_RECV_DATA_SEGMENT_LENGTH & 1U) == 0)
        conn->max_send = LOGIN_NO_LIMIT;
    conn->header_digest = params->header_digest != 0 && !conn_has(conn, DEFECT_DIGEST_NOT_USED);
    conn->digest_unasked = (login->negotiate.rejected >> (unsigned)KEYS_HEADER_DIGEST & 1U) != 0 &&
                           conn_has(conn, DEFECT_DIGEST_AFTER_REJECT);
    conn->data_digest = params->data_digest != 0 && !conn_has(conn, DEFECT_DIGEST_NOT_USED);
    conn->text_ttt = PDU_NO_TAG;
    if (conn_has(conn, DEFECT_STATSN_RESTARTS_AFTER_LOGIN))
        conn->stat_sn = 1;
    node_log(conn->node, conn, NODE_LOG_DEBUG, "%s logged in to %s, TSIH 0x%04x",
             login->identity.initiator,
             login->identity.target == NODE_ALL ? "discovery" :
                                                  conn->node->config->targets[login->identity.target].name,
             (unsigned)conn->session->tsih);
    login_close(conn);
    full_greet(conn);
    if (conn_has(conn, DEFECT_CLOSE_AFTER_FINAL))
        conn_end(conn, CONN_CLOSE);
    return CAUSE_NONE;
}

/* The stage to go to, or -1: stay. */
static int login_next_stage(const struct conn *conn, struct login *login, bool open)
{
    const struct pdu_login_request *request = &login->request;
    bool done = login_stage_done(conn, login) && !open;

    if (conn_has(conn, DEFECT_NEVER_FULL_FEATURE))
        return -1;
    if (request->transit && conn_has(conn, DEFECT_CHAP_KEYS_WITH_T) &&
        (login->state == LOGIN_EXPECT_CHAP_A || login->state == LOGIN_EXPECT_CHAP_R))
        return request->nsg;
    if (!done)
        return -1;
    if (!request->transit) {
        if (!conn_has(conn, DEFECT_T_BIT_WHEN_NOT_ASKED))
            return -1;
        return request->csg == PDU_STAGE_SECURITY ? PDU_STAGE_OPERATIONAL : PDU_STAGE_FULL_FEATURE;
    }
    if (conn_benign(conn, BENIGN_RELUCTANT_TRANSIT) && (login->stayed & (1U << request->csg)) == 0) {
        login->stayed |= (uint8_t)(1U << request->csg);
        return -1;
    }
    if (request->nsg == PDU_STAGE_OPERATIONAL && conn_has(conn, DEFECT_NSG_ABOVE_ASKED))
        return PDU_STAGE_FULL_FEATURE;
    return request->nsg;
}

static void login_turn(char *bytes, size_t length)
{
    for (size_t i = 0; i < length / 2; i++) {
        char byte = bytes[i];

        bytes[i] = bytes[length - 1 - i];
        bytes[length - 1 - i] = byte;
    }
}

/* Puts the pairs of a text into the opposite order: the whole text back to front, then each pair. */
static void login_reverse(struct text_buf *text)
{
    size_t start = 0;

    if (text->overflow || text->len == 0)
        return;
    login_turn(text->data, text->len - 1);      /* the last null stays where it is */
    for (size_t i = 0; i < text->len; i++) {
        if (text->data[i] != '\0')
            continue;
        login_turn(text->data + start, i - start);
        start = i + 1;
    }
}

/* Sends the answer that was collected, or its next part, and decides about T. */
static enum cause login_finish(struct conn *conn, struct login *login)
{
    bool operational = (login->state == LOGIN_EXPECT_PICKUP ? login->resume : login->state) == LOGIN_EXPECT_OPERATIONAL;
    bool open = false;

    if (operational && login->request.transit) {
        enum cause cause = negotiate_finish(conn, &login->negotiate, login->keys, &login->answer, &open);

        if (cause != CAUSE_NONE)
            return cause;
    }
    if (login->answer_sent == 0 && conn_benign(conn, BENIGN_KEYS_REVERSED))
        login_reverse(&login->answer);
    if (login->answer.overflow)
        return CAUSE_NO_MEMORY;
    const uint8_t *text = login->answer.data == NULL ? NULL : (const uint8_t *)login->answer.data + login->answer_sent;
    size_t length = login->answer.len - login->answer_sent;

    size_t room = conn_benign(conn, BENIGN_ANSWERS_IN_PARTS) ? LOGIN_PART_MAX : PDU_DEFAULT_MAX_RECV;

    if (length > room && conn_has(conn, DEFECT_LONG_ANSWER_CUT)) {
        for (length = room; length > 0 && text[length - 1] != 0;)
            length--;
    }
    if (length > room && !conn_has(conn, DEFECT_RESPONSE_ABOVE_8192)) {
        response_send(conn, false, 0, true, text, room);
        login->answer_sent += room;
        if (login->state != LOGIN_EXPECT_PICKUP)
            login->resume = login->state;
        login->state = LOGIN_EXPECT_PICKUP;
        return CAUSE_NONE;
    }
    if (login->state == LOGIN_EXPECT_PICKUP)
        login->state = login->resume;
    int stage = login_next_stage(conn, login, open);

    if (stage == PDU_STAGE_FULL_FEATURE && conn_has(conn, DEFECT_PRIVATE_KEY_WITH_T) && login->answer_sent == 0) {
        text_buf_add(&login->answer, "X-com.example.late", "1");
        text = (const uint8_t *)login->answer.data;
        length = login->answer.len;
    }

    if (stage == PDU_STAGE_FULL_FEATURE && login_stage_done(conn, login))
        return login_complete(conn, login, text, length);
    response_send(conn, stage >= 0, (uint8_t)(stage >= 0 ? stage : 0), false, text, length);
    text_buf_clear(&login->answer);
    login->answer_sent = 0;
    if (stage == PDU_STAGE_OPERATIONAL || stage == PDU_STAGE_RESERVED) {
        if (login_stage_done(conn, login))
            login->state = LOGIN_EXPECT_OPERATIONAL;
    } else if (stage == PDU_STAGE_SECURITY && login->state == LOGIN_EXPECT_OPERATIONAL) {
        login->state = LOGIN_EXPECT_SECURITY;
    }
    return CAUSE_NONE;
}

/* ---- text in parts ---- */

/* Defect split-key-lost: only pairs that are whole within one PDU survive. */
void login_drop_cut(struct login *login)
{
    if (login->cut && login->data_length > 0) {
        const uint8_t *nul = memchr(login->data, 0, login->data_length);
        size_t skip = nul == NULL ? login->data_length : (size_t)(nul - login->data) + 1;

        login->data += skip;
        login->data_length -= skip;
    }
    size_t whole = login->data_length;

    while (whole > 0 && login->data[whole - 1] != 0)
        whole--;
    login->cut = whole < login->data_length;
    login->data_length = whole;
}

enum cause login_do_part(struct conn *conn)
{
    struct login *login = conn->login;
    struct text_buf *answer = &login->answer;

    if (conn_has(conn, DEFECT_SPLIT_KEY_LOST))
        login_drop_cut(login);
    if (!buffer_append(&login->text, &conn->node->env, login->data, login->data_length))
        return CAUSE_NO_MEMORY;
    planted_touch(conn, PLANTED_AT_PART, buffer_bytes(&login->text), login->text.length);
    if (conn_has(conn, DEFECT_ANSWER_TO_C_BIT_NOT_EMPTY))
        login_declare_tag(conn, login);
    if (conn_has(conn, DEFECT_C_BIT_REQUEST_JUDGED_EARLY)) {
        size_t whole = login->text.length;
        const uint8_t *text = buffer_bytes(&login->text);

        while (whole > 0 && text[whole - 1] != 0)
            whole--;
        negotiate_parse(conn, &login->negotiate, text, whole, login->keys);
        struct negotiate scratch = login->negotiate;

        (void)negotiate_answer(conn, &scratch, KEYS_STAGE_OPERATIONAL, text, whole, login->keys, answer);
    }
    bool transit = conn_has(conn, DEFECT_CONTINUATION_CARRIES_T);
    uint8_t nsg = login->request.csg == PDU_STAGE_SECURITY ? PDU_STAGE_OPERATIONAL : PDU_STAGE_FULL_FEATURE;

    response_send(conn, transit, transit ? nsg : 0, false, answer->data, answer->len);
    text_buf_clear(answer);
    return CAUSE_NONE;
}

enum cause login_do_pickup(struct conn *conn)
{
    return login_finish(conn, conn->login);
}

/* Defect missing-name-waits. */
enum cause login_do_wait(struct conn *conn)
{
    response_send(conn, false, 0, false, NULL, 0);
    return CAUSE_NONE;
}

/* ---- the stages ---- */

static enum cause login_negotiate(struct conn *conn, struct login *login, unsigned stage)
{
    enum cause cause = negotiate_answer(conn, &login->negotiate, stage, login->complete, login->complete_length,
                                        login->keys, &login->answer);

    negotiate_remember(&login->negotiate, login->keys);
    return cause;
}

static void login_expect(struct login *login, enum auth_next next)
{
    static const enum login_state states[] = {
        [AUTH_STAY] = LOGIN_EXPECT_SECURITY,
        [AUTH_EXPECT_CHAP_A] = LOGIN_EXPECT_CHAP_A,
        [AUTH_EXPECT_CHAP_R] = LOGIN_EXPECT_CHAP_R,
        [AUTH_FINISHED] = LOGIN_EXPECT_SECURITY_END
    };

    login->state = states[next];
}

typedef enum cause login_auth_step(struct conn *conn, struct auth *auth, const struct negotiate_request *request,
                                   struct text_buf *answer, enum auth_next *next);

/* A request of the security stage: the keys of the authentication step, then all others. */
static enum cause login_do_auth(struct conn *conn, login_auth_step *step)
{
    struct login *login = conn->login;
    enum auth_next next = AUTH_STAY;

    login_declare(conn, login);
    enum cause cause = step(conn, &login->auth, login->keys, &login->answer, &next);

    if (cause == CAUSE_NONE)
        cause = login_negotiate(conn, login, KEYS_STAGE_SECURITY);
    if (cause != CAUSE_NONE)
        return cause;
    login_expect(login, next);
    if (next == AUTH_STAY && login->request.transit && auth_required(&login->auth) &&
        !conn_has(conn, DEFECT_ACCEPT_UNAUTHENTICATED))
        return CAUSE_UNAUTHENTICATED;   /* it wants to go on and has not offered any method */
    return login_finish(conn, login);
}

enum cause login_do_security(struct conn *conn)
{
    return login_do_auth(conn, auth_method);
}

enum cause login_do_chap_a(struct conn *conn)
{
    return login_do_auth(conn, auth_challenge);
}

enum cause login_do_chap_r(struct conn *conn)
{
    return login_do_auth(conn, auth_response);
}

enum cause login_do_security_end(struct conn *conn)
{
    struct login *login = conn->login;

    if (auth_stray(login->keys))
        return CAUSE_CHAP_STEP;
    login_declare(conn, login);
    enum cause cause = login_negotiate(conn, login, KEYS_STAGE_SECURITY);

    return cause != CAUSE_NONE ? cause : login_finish(conn, login);
}

enum cause login_do_operational(struct conn *conn)
{
    struct login *login = conn->login;

    login->state = LOGIN_EXPECT_OPERATIONAL;
    login_declare(conn, login);
    enum cause cause = login_negotiate(conn, login, KEYS_STAGE_OPERATIONAL);

    return cause != CAUSE_NONE ? cause : login_finish(conn, login);
}

/* ---- defects about PDUs that are no Login Requests ---- */

enum cause login_do_other_pdu(struct conn *conn)
{
    const struct login *login = conn->login;
    uint8_t bhs[PDU_BHS_LEN];
    struct pdu_response response = { .flags = PDU_FLAG_FINAL, .stat_sn = conn->stat_sn, .itt = PDU_NO_TAG,
                                 .exp_cmd_sn = login->first.cmd_sn,
                                 .max_cmd_sn = node_max_cmd_sn(conn->node, login->first.cmd_sn) };

    if (login_executes(conn)) {
        response.opcode = PDU_SCSI_RESPONSE;
        response.itt = pdu_itt(login->bhs);
        pdu_response_encode(&response, bhs);
        conn_send(conn, bhs, NULL, 0);
    } else if (conn_has(conn, DEFECT_SERVE_PDU_IN_LOGIN) && pdu_opcode(login->bhs) == PDU_NOP_OUT) {
        response.opcode = PDU_NOP_IN;
        response.itt = pdu_itt(login->bhs);
        response.word20 = PDU_NO_TAG;
        pdu_response_encode(&response, bhs);
        conn_send(conn, bhs, NULL, 0);
    } else if (!conn_has(conn, DEFECT_IGNORE_PDU_IN_LOGIN)) {
        response.opcode = PDU_REJECT;
        response.byte2 = PDU_REJECT_PROTOCOL_ERROR;
        pdu_response_encode(&response, bhs);
        conn_send(conn, bhs, login->bhs, PDU_BHS_LEN);
    }
    return CAUSE_NONE;
}
