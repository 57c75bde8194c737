/*
 * Guards of defects that hold something against a login which has nothing to do with it: another login, an earlier one,
 * how many requests it takes, what its alias looks like. See login.h.
 */
#include <string.h>

#include "login.h"
#include "sessions.h"

enum { LOGIN_UNFINISHED_MAX = 3, LOGIN_EXCHANGES_MAX = 5 };

/* Is another login on the same portal under way? */
static bool login_is_in_the_way(const struct conn *conn)
{
    for (const struct conn *other = conn->node->conns; other != NULL; other = other->next) {
        if (other != conn && other->portal == conn->portal && other->login != NULL && other->login->responses > 0 &&
            other->login->state != LOGIN_REFUSED)
            return true;
    }
    return false;
}

bool login_is_held_against(struct conn *conn)
{
    const struct node_grudge *grudge = &conn->node->grudge;

    if (conn_has(conn, DEFECT_ONE_LOGIN_AT_A_TIME) && login_is_in_the_way(conn))
        return true;
    for (unsigned i = 0; i < ENGINE_GRUDGES && i < grudge->refused; i++) {
        if (conn_has(conn, DEFECT_ISID_KEPT_AFTER_REFUSAL) &&
            memcmp(grudge->isids[i], conn->login->first.isid, PDU_ISID_LEN) == 0)
            return true;
    }
    return false;
}

bool login_is_piled_up(struct conn *conn)
{
    return conn_has(conn, DEFECT_UNFINISHED_LOGINS_PILE_UP) && conn->node->grudge.unfinished >= LOGIN_UNFINISHED_MAX;
}

bool login_is_sixth(struct conn *conn)
{
    return conn_has(conn, DEFECT_GIVES_UP_AT_SIXTH_EXCHANGE) && conn->login->responses >= LOGIN_EXCHANGES_MAX;
}

bool login_rejects_header(struct conn *conn)
{
    return conn_has(conn, DEFECT_NOT_IMMEDIATE_REJECTED) && (conn->login->bhs[0] & PDU_IMMEDIATE) == 0;
}

static const struct text_pair *login_alias(const struct conn *conn)
{
    const struct negotiate_request *keys = conn->login->keys;

    return negotiate_present(keys, KEYS_INITIATOR_ALIAS) ? &keys->pairs[KEYS_INITIATOR_ALIAS] : NULL;
}

bool login_dislikes_alias(struct conn *conn)
{
    const struct text_pair *alias = login_alias(conn);

    return alias != NULL && conn_has(conn, DEFECT_EQUALS_SIGN_REFUSED) &&
           memchr(alias->value, '=', alias->value_len) != NULL;
}

bool login_fails_at_alias(struct conn *conn)
{
    const struct text_pair *alias = login_alias(conn);

    return alias != NULL && conn_has(conn, DEFECT_NOT_UTF8_AS_TARGET_ERROR) &&
           !text_utf8_valid(alias->value, alias->value_len);
}

/* A copy, in the place where parts of a text are joined: what came is not the login's to change. */
bool login_cut_lines(struct conn *conn)
{
    struct login *login = conn->login;
    uint8_t *text;

    if (!conn_has(conn, DEFECT_NEWLINE_SEPARATES) || login->text.length > 0 || login->data_length == 0)
        return true;
    text = buffer_extend(&login->text, &conn->node->env, login->data_length);
    if (text == NULL)
        return false;
    memcpy(text, login->data, login->data_length);
    for (size_t i = 0; i < login->data_length; i++) {
        if (text[i] == '\n')
            text[i] = 0;
    }
    login->complete = text;
    return true;
}

void login_hold_grudge(struct conn *conn)
{
    struct node_grudge *grudge = &conn->node->grudge;
    const struct login *login = conn->login;

    if (conn->session != NULL)
        return;
    if (conn->refused) {
        memcpy(grudge->isids[grudge->refused++ % ENGINE_GRUDGES], login->first.isid, PDU_ISID_LEN);
        return;
    }
    if (login->state == LOGIN_EXPECT_FIRST)
        return;
    grudge->unfinished++;
    if (login->join == LOGIN_JOIN_OK && conn_has(conn, DEFECT_LOST_JOIN_ENDS_SESSION)) {
        struct session *session = sessions_find(conn->node, login->first.tsih);

        if (session != NULL)
            sessions_end(session, conn->node);
    }
}

bool login_executes(struct conn *conn)
{
    return conn_has(conn, DEFECT_COMMAND_IN_LOGIN_EXECUTED) && pdu_opcode(conn->login->bhs) == PDU_SCSI_COMMAND;
}
