/*
 * The login phase as a table of transitions (RFC 7143 6.3).
 *
 * The driver takes the first row whose state, event and guard fit. A row either refuses, for its cause, or runs its
 * action, whose return value is a cause as well. Every refusal goes through response_refuse(), and nothing else does.
 */
#include "login.h"

#include <string.h>

#include "response.h"
#include "wire/status.h"

#define IN(state) (1U << LOGIN_##state)

enum {
    NEW = IN(EXPECT_FIRST),
    BEGIN = IN(EXPECT_FIRST) | IN(EXPECT_FIRST_REST),
    CHAP = IN(EXPECT_CHAP_A) | IN(EXPECT_CHAP_R),
    SECURITY = IN(EXPECT_SECURITY) | CHAP | IN(EXPECT_SECURITY_END),
    BEGUN = IN(EXPECT_FIRST_REST) | SECURITY | IN(EXPECT_OPERATIONAL) | IN(EXPECT_PICKUP),
    OPEN = NEW | BEGUN,
    REFUSED = IN(REFUSED),
    OTHER = 1U << LOGIN_OTHER_PDU,
    PART = 1U << LOGIN_PART,
    TEXT = 1U << LOGIN_TEXT,
    REQUEST = PART | TEXT,
    END = 1U << LOGIN_END,
    TIMEOUT = 1U << LOGIN_TIMEOUT
};

struct login_row {
    unsigned states;
    unsigned events;
    login_guard *guard;             /* NULL: always */
    login_action *action;           /* NULL: refuse for cause */
    enum login_state next;          /* after the action */
    enum cause cause;
    const char *section;            /* RFC 7143 */
    const char *text;
};

#define REFUSE(states, events, guard, cause, section, text) \
    { states, events, guard, NULL, LOGIN_REFUSED, cause, section, text }
#define GO(states, events, guard, action, next, section, text) \
    { states, events, guard, action, next, CAUSE_NONE, section, text }

static const struct login_row login_rows[] = {
    /* PDUs that are no Login Requests, and the end */
    GO(NEW, OTHER, login_answers_before_login, login_do_other_pdu, LOGIN_EXPECT_FIRST, "4.2.4", "defect"),
    REFUSE(NEW, OTHER, NULL, CAUSE_SILENT, "4.2.4", "another PDU before any Login Request"),
    GO(REFUSED, OTHER, login_executes, login_do_other_pdu, LOGIN_BY_ACTION, "4.2.4", "defect"),
    GO(BEGUN, OTHER, login_tolerates_other_pdu, login_do_other_pdu, LOGIN_BY_ACTION, "4.2.4", "defect"),
    REFUSE(BEGUN, OTHER, NULL, CAUSE_OTHER_PDU, "4.2.4", "another PDU during login"),
    REFUSE(OPEN | REFUSED, END, NULL, CAUSE_SILENT, "6.3", "the initiator hung up"),
    REFUSE(OPEN | REFUSED, TIMEOUT, NULL, CAUSE_SILENT, "6.3", "the login took too long"),

    /* header of a Login Request */
    GO(OPEN, REQUEST, login_rejects_header, login_do_other_pdu, LOGIN_BY_ACTION, "11.12", "defect"),
    REFUSE(OPEN, REQUEST, login_is_ahs, CAUSE_AHS, "11.12", "AHS"),
    REFUSE(OPEN, REQUEST, login_is_too_long, CAUSE_TOO_LONG, "6.3", "data segment too long"),
    REFUSE(OPEN, REQUEST, login_is_bad_version, CAUSE_VERSION, "11.12.4", "version"),
    REFUSE(OPEN, REQUEST, login_has_reserved_bits, CAUSE_INVENTED_INITIATOR_ERROR, "11", "defect"),
    REFUSE(BEGUN, REQUEST, login_is_changed, CAUSE_CHANGED, "11.12", "header changed"),
    REFUSE(IN(EXPECT_FIRST_REST), REQUEST, login_is_other_stage, CAUSE_CHANGED, "6.2", "stage changed within a text"),
    REFUSE(BEGIN, REQUEST, login_is_reserved_isid, CAUSE_ISID, "11.12.5", "reserved ISID format"),
    REFUSE(OPEN, REQUEST, login_is_reserved_itt, CAUSE_ITT, "11.2.1.8", "reserved ITT"),
    REFUSE(OPEN, REQUEST, login_is_c_and_t, CAUSE_C_AND_T, "11.12.2", "C with T"),
    REFUSE(OPEN, REQUEST, login_is_bad_stage, CAUSE_STAGE, "11.12.3", "CSG 2 or 3"),
    REFUSE(IN(EXPECT_OPERATIONAL), REQUEST, login_is_security, CAUSE_BACKWARD, "6.3", "back to security"),
    REFUSE(IN(EXPECT_PICKUP), REQUEST, login_leaves_stage, CAUSE_CHANGED, "6.2", "stage changed within an answer"),
    REFUSE(SECURITY, REQUEST, login_is_unauthenticated, CAUSE_UNAUTHENTICATED, "6.3.1", "security left out"),
    REFUSE(SECURITY, REQUEST, login_is_operational, CAUSE_JUMP, "6.3", "operational stage not agreed"),
    REFUSE(OPEN, REQUEST, login_is_bad_transition, CAUSE_TRANSITION, "11.12.3", "NSG"),

    /* text that is not complete, in either direction */
    REFUSE(OPEN, PART, login_refuses_c_bit, CAUSE_INVENTED_TARGET_ERROR, "6.2", "defect"),
    REFUSE(IN(EXPECT_PICKUP), PART, NULL, CAUSE_NOT_EMPTY, "6.2", "C while an answer is fetched"),
    REFUSE(IN(EXPECT_PICKUP), TEXT, login_is_not_empty, CAUSE_NOT_EMPTY, "6.2", "keys while an answer is fetched"),
    GO(IN(EXPECT_PICKUP), TEXT, NULL, login_do_pickup, LOGIN_BY_ACTION, "6.2", "more of an answer"),
    REFUSE(OPEN, REQUEST, login_is_text_above_room, CAUSE_TEXT_ROOM, "6.1", "text above the limit"),
    GO(BEGIN, PART, NULL, login_do_part, LOGIN_EXPECT_FIRST_REST, "6.2", "first text, part"),
    GO(SECURITY | IN(EXPECT_OPERATIONAL), PART, NULL, login_do_part, LOGIN_BY_ACTION, "6.2", "part"),

    /* complete text */
    REFUSE(OPEN, TEXT, login_is_malformed, CAUSE_TEXT, "6.1", "malformed"),
    REFUSE(OPEN, TEXT, login_is_duplicate, CAUSE_DUPLICATE, "6.3", "key sent twice"),
    REFUSE(OPEN, TEXT, login_refuses_unknown_key, CAUSE_INVENTED_INITIATOR_ERROR, "6.2", "defect"),

    /* what only a defect holds against it */
    REFUSE(BEGIN, TEXT, login_is_held_against, CAUSE_INVENTED_TARGET_ERROR, "11.13.5", "defect"),
    REFUSE(BEGIN, TEXT, login_is_piled_up, CAUSE_SESSIONS, "7.14", "defect"),
    REFUSE(BEGUN, TEXT, login_is_sixth, CAUSE_INVENTED_TARGET_ERROR, "6.2", "defect"),
    REFUSE(OPEN, TEXT, login_dislikes_alias, CAUSE_INVENTED_INITIATOR_ERROR, "6.1", "defect"),
    REFUSE(OPEN, TEXT, login_fails_at_alias, CAUSE_INVENTED_TARGET_ERROR, "6.1", "defect"),

    /* the first one: who, to what, and into which session */
    REFUSE(BEGIN, TEXT, login_is_drained, CAUSE_DRAIN, "11.13.5", "drain"),
    GO(BEGIN, TEXT, login_waits_for_names, login_do_wait, LOGIN_EXPECT_FIRST_REST, "13.5", "defect"),
    REFUSE(BEGIN, TEXT, login_lacks_initiator, CAUSE_NO_INITIATOR_NAME, "13.5", "no InitiatorName"),
    REFUSE(BEGIN, TEXT, login_has_long_name, CAUSE_BAD_NAME, "4.2.7.1", "name too long"),
    REFUSE(BEGIN, TEXT, login_is_unknown_type, CAUSE_SESSION_TYPE, "13.21", "unknown SessionType"),
    REFUSE(BEGIN, TEXT, login_refuses_default_type, CAUSE_INVENTED_MISSING_PARAMETER, "13.21", "defect"),
    REFUSE(BEGIN, TEXT, login_is_type_not_served, CAUSE_SESSION_TYPE, "11.13.5", "session type not served"),
    REFUSE(BEGIN, TEXT, login_lacks_target, CAUSE_NO_TARGET_NAME, "13.4", "no TargetName"),
    REFUSE(BEGIN, TEXT, login_is_unknown_target, CAUSE_UNKNOWN_TARGET, "11.13.5", "unknown target"),
    REFUSE(BEGIN, TEXT, login_is_removed, CAUSE_REMOVED, "11.13.5", "removed target"),
    REFUSE(BEGIN, TEXT, login_is_denied, CAUSE_DENIED, "11.13.5", "initiator not allowed"),
    REFUSE(BEGIN, TEXT, login_is_moved_temporarily, CAUSE_MOVED_TEMPORARILY, "11.13.5", "moved for a time"),
    REFUSE(BEGIN, TEXT, login_is_moved_permanently, CAUSE_MOVED_PERMANENTLY, "11.13.5", "moved for good"),
    REFUSE(BEGIN, TEXT, login_is_forced_first, CAUSE_FORCED, "11.13.5", "forced"),
    REFUSE(BEGIN, TEXT, login_is_store_lost, CAUSE_STORE, "11.13.5", "store failed"),
    REFUSE(BEGIN, TEXT, login_is_no_session, CAUSE_NO_SESSION, "6.3.1", "no such session"),
    REFUSE(BEGIN, TEXT, login_is_other_group, CAUSE_OTHER_GROUP, "4.4.3.1", "other portal group"),
    REFUSE(BEGIN, TEXT, login_is_session_full, CAUSE_CONNECTIONS, "13.2", "session full"),
    REFUSE(BEGIN, TEXT, login_refuses_join, CAUSE_INVENTED_TARGET_ERROR, "6.3.1", "defect"),
    REFUSE(BEGIN, TEXT, login_refuses_reinstatement, CAUSE_REINSTATEMENT, "6.3.5", "defect"),
    REFUSE(BEGIN, TEXT, login_is_portal_full, CAUSE_SESSIONS, "11.13.5", "portal full"),
    REFUSE(BEGIN, TEXT, login_is_unauthenticated, CAUSE_UNAUTHENTICATED, "6.3.1", "security left out"),
    REFUSE(BEGIN, TEXT, login_refuses_security, CAUSE_INVENTED_INITIATOR_ERROR, "6.3.1", "defect"),

    /* every one: negotiation */
    REFUSE(SECURITY | IN(EXPECT_OPERATIONAL), TEXT, login_lost_session, CAUSE_NO_SESSION, "8.1.2", "session gone"),
    REFUSE(OPEN, TEXT, login_is_forced_stage, CAUSE_FORCED, "11.13.5", "forced at a stage"),
    REFUSE(BEGUN, TEXT, login_refuses_empty, CAUSE_INVENTED_INITIATOR_ERROR, "6.3", "defect"),
    GO(BEGIN, TEXT, login_is_security, login_do_security, LOGIN_BY_ACTION, "6.3.2", "first, security"),
    GO(BEGIN, TEXT, NULL, login_do_operational, LOGIN_BY_ACTION, "6.3.3", "first, operational"),
    GO(IN(EXPECT_SECURITY), TEXT, NULL, login_do_security, LOGIN_BY_ACTION, "6.3.2", "security"),
    GO(IN(EXPECT_CHAP_A), TEXT, NULL, login_do_chap_a, LOGIN_BY_ACTION, "12.1.3", "CHAP_A"),
    GO(IN(EXPECT_CHAP_R), TEXT, NULL, login_do_chap_r, LOGIN_BY_ACTION, "12.1.3", "CHAP_N, CHAP_R"),
    GO(IN(EXPECT_SECURITY_END), TEXT, NULL, login_do_security_end, LOGIN_BY_ACTION, "6.3.2", "end of security"),
    GO(IN(EXPECT_OPERATIONAL), TEXT, NULL, login_do_operational, LOGIN_BY_ACTION, "6.3.3", "operational")
};

enum { LOGIN_ROWS = sizeof(login_rows) / sizeof(login_rows[0]) };

size_t node_transition_count(void)
{
    return LOGIN_ROWS;
}

uint64_t node_transition_hits(const struct node *node, size_t row)
{
    return row < LOGIN_ROWS ? node->hits[row] : 0;
}

const char *node_transition_text(size_t row)
{
    return row < LOGIN_ROWS ? login_rows[row].text : NULL;
}

bool login_open(struct conn *conn)
{
    struct login *login = node_allocate(conn->node, sizeof(*login));

    if (login == NULL)
        return false;
    conn->login = login;
    login->keys = &conn->node->request;
    login->identity.target = NODE_ALL;
    login->identity.named = NODE_ALL;
    login->negotiate = conn->node->defaults;
    text_buf_init_growing(&login->answer, LOGIN_ANSWER_MAX, buffer_resize, &conn->node->env);
    conn->deadline = node_now(conn->node) + conn->node->config->login_timeout_ms;
    return true;
}

void login_close(struct conn *conn)
{
    struct login *login = conn->login;

    if (login == NULL)
        return;
    login_hold_grudge(conn);
    buffer_free(&login->text, &conn->node->env);
    text_buf_free(&login->answer);
    memset(login->auth.challenge, 0, login->auth.challenge_length);
    node_release(conn->node, login);
    conn->login = NULL;
    conn->deadline = NODE_NO_DEADLINE;
}

bool login_header_decides(const struct conn *conn, const uint8_t *bhs)
{
    if (pdu_data_len(bhs) > PDU_DEFAULT_MAX_RECV || (pdu_ahs_len(bhs) > 0 && !conn_has(conn, DEFECT_AHS_IGNORED)))
        return true;
    if (pdu_opcode(bhs) == PDU_LOGIN_REQUEST)
        return false;
    return !conn_has(conn, DEFECT_ANSWER_PDU_BEFORE_LOGIN) && !conn_has(conn, DEFECT_IGNORE_PDU_IN_LOGIN) &&
           !conn_has(conn, DEFECT_REJECT_PDU_IN_LOGIN) && !conn_has(conn, DEFECT_SERVE_PDU_IN_LOGIN) &&
           !conn_has(conn, DEFECT_COMMAND_IN_LOGIN_EXECUTED);
}

/* Runs the first row that fits. */
static void login_drive(struct conn *conn, enum login_event event)
{
    struct login *login = conn->login;

    for (size_t i = 0; i < LOGIN_ROWS; i++) {
        const struct login_row *row = &login_rows[i];

        if ((row->states >> login->state & 1U) == 0 || (row->events >> event & 1U) == 0 ||
            (row->guard != NULL && !row->guard(conn)))
            continue;
        conn->node->hits[i]++;
        if (row->action == NULL) {
            response_refuse(conn, row->cause);
            return;
        }
        enum cause cause = row->action(conn);

        if (cause != CAUSE_NONE)
            response_refuse(conn, cause);
        else if (row->next != LOGIN_BY_ACTION && conn->login != NULL)
            conn->login->state = row->next;
        return;
    }
    response_refuse(conn, CAUSE_SILENT);    /* only LOGIN_REFUSED gets here: no PDU after a refusal is looked at */
}

/* Puts the parts of a text together. */
static enum cause login_join_text(struct conn *conn, struct login *login)
{
    if (login->cut)
        login_drop_cut(login);
    login->complete = login->data;
    login->complete_length = login->data_length;
    if (!login_cut_lines(conn))
        return CAUSE_NO_MEMORY;
    if (login->text.length == 0 || login->complete != login->data)
        return CAUSE_NONE;
    if (!buffer_append(&login->text, &conn->node->env, login->data, login->data_length))
        return CAUSE_NO_MEMORY;
    planted_touch(conn, PLANTED_AT_JOINED, NULL, 0);
    login->complete = buffer_bytes(&login->text);
    login->complete_length = login->text.length;
    return CAUSE_NONE;
}

void login_pdu(struct conn *conn, const uint8_t *bhs, const uint8_t *data, size_t length)
{
    struct login *login = conn->login;

    memcpy(login->bhs, bhs, PDU_BHS_LEN);
    login->data = data;
    login->data_length = length;
    if (pdu_opcode(bhs) != PDU_LOGIN_REQUEST) {
        login_drive(conn, LOGIN_OTHER_PDU);
        return;
    }
    pdu_login_request_decode(&login->request, bhs);
    planted_touch(conn, PLANTED_AT_REQUEST, bhs, PDU_BHS_LEN);
    if (login->state == LOGIN_EXPECT_FIRST)
        login->first = login->request;
    if (login->request.cont && !(login->request.transit && conn_has(conn, DEFECT_ACCEPT_C_WITH_T))) {
        login_drive(conn, LOGIN_PART);
        return;
    }
    enum cause cause = login_join_text(conn, login);

    if (cause != CAUSE_NONE) {
        response_refuse(conn, cause);
        return;
    }
    negotiate_parse(conn, &login->negotiate, login->complete, login->complete_length, login->keys);
    if ((BEGIN >> login->state & 1U) != 0)
        login_identify(conn);
    login_drive(conn, LOGIN_TEXT);
    if (conn->login != NULL)
        buffer_clear(&conn->login->text);
}

void login_event(struct conn *conn, enum login_event event)
{
    login_drive(conn, event);
}
