/*
 * The login phase of one connection: states, the table of transitions, refusals (RFC 7143 6.3, 11.12, 11.13).
 *
 * Private to the engine. A login lives from conn_open() to the final Login Response or the refusal.
 */
#ifndef ISCSISPEC_LOGIN_H
#define ISCSISPEC_LOGIN_H

#include "auth.h"
#include "engine.h"

/* Named by what is expected next. */
enum login_state {
    LOGIN_EXPECT_FIRST,             /* nothing came yet */
    LOGIN_EXPECT_FIRST_REST,        /* the first text is not complete (C=1) */
    LOGIN_EXPECT_SECURITY,          /* security stage, no method is being carried out */
    LOGIN_EXPECT_CHAP_A,
    LOGIN_EXPECT_CHAP_R,
    LOGIN_EXPECT_SECURITY_END,      /* authenticated, the wish to go on is missing */
    LOGIN_EXPECT_OPERATIONAL,
    LOGIN_EXPECT_PICKUP,            /* an empty request that fetches more of a long answer */
    LOGIN_REFUSED,                  /* the refusal is out */
    LOGIN_STATE_COUNT,
    LOGIN_BY_ACTION                 /* in the table: the action has set the state */
};

enum login_event {
    LOGIN_OTHER_PDU,                /* any other opcode */
    LOGIN_PART,                     /* Login Request with C=1 */
    LOGIN_TEXT,                     /* Login Request with C=0: the text is complete */
    LOGIN_END,                      /* the peer ended its direction */
    LOGIN_TIMEOUT,
    LOGIN_EVENT_COUNT
};

/* Who logs in, to what: found once from the first complete text. */
struct login_identity {
    bool has_initiator;
    bool has_target;
    bool type_known;                /* SessionType has a value that exists */
    bool discovery;
    bool name_too_long;
    size_t target;                  /* NODE_ALL: discovery, or not found */
    size_t named;                   /* TargetName of a discovery session */
    char initiator[TEXT_NAME_MAX + 1];
    char target_name[TEXT_NAME_MAX + 1];
    char session_type[16];
};

/* Why a TSIH cannot be joined. */
enum login_join { LOGIN_JOIN_NONE, LOGIN_JOIN_OK, LOGIN_JOIN_NO_SESSION, LOGIN_JOIN_OTHER_GROUP, LOGIN_JOIN_FULL };

struct login {
    enum login_state state;
    enum login_state resume;                /* to go on with after LOGIN_EXPECT_PICKUP */
    struct pdu_login_request first;         /* header of the first request */
    struct pdu_login_request request;       /* of the current one */
    uint8_t bhs[PDU_BHS_LEN];               /* of the current PDU, whatever it is */
    const uint8_t *data;                    /* data segment of the current PDU */
    size_t data_length;
    struct buffer text;                     /* request text of C=1 parts */
    bool cut;                               /* defect split-key-lost: the last part ended within a pair */
    const uint8_t *complete;                /* the whole text of the current request */
    size_t complete_length;
    struct negotiate_request *keys;         /* what stands in it; of the node, one request is worked off at a time */
    struct text_buf answer;
    size_t answer_sent;                     /* bytes of the answer that went out with C=1 */
    struct login_identity identity;
    struct negotiate negotiate;
    struct auth auth;
    enum login_join join;
    bool tag_sent;                          /* TargetPortalGroupTag */
    bool alias_sent;
    uint8_t stayed;                         /* bits by CSG: reluctant-transit has stayed there once */
    unsigned responses;                     /* that were sent in this login */
    uint16_t forced;                        /* status of CAUSE_FORCED */
    uint16_t tsih;                          /* of the session, once there is one to tell */
#ifdef PLANTED_FAULTS
    const uint8_t *planted;                 /* see planted.h */
#endif
};

/* Starts a login on a new connection. False: no memory. */
bool login_open(struct conn *conn);

/* Frees the login of the connection, if there is one. */
void login_close(struct conn *conn);

/* True when this header decides by itself, so that the rest of the PDU is not waited for. */
bool login_header_decides(const struct conn *conn, const uint8_t *bhs);

/* One PDU of the login phase; data may be missing when login_header_decides(). Afterwards conn->login may be NULL:
 * in full feature phase, or the connection ends. */
void login_pdu(struct conn *conn, const uint8_t *bhs, const uint8_t *data, size_t length);

/* LOGIN_END and LOGIN_TIMEOUT. */
void login_event(struct conn *conn, enum login_event event);

/* ---- guards: true when the row applies (login_guards.c) ---- */
struct login_row;
typedef bool login_guard(struct conn *conn);
typedef enum cause login_action(struct conn *conn);

/* Finds out who logs in to what, before the guards of a first complete request are asked. */
void login_identify(struct conn *conn);

login_guard login_is_ahs, login_is_too_long, login_is_bad_version, login_is_changed, login_is_other_stage,
    login_leaves_stage, login_is_reserved_itt, login_is_reserved_isid, login_is_c_and_t, login_is_bad_stage,
    login_is_security, login_is_operational, login_is_unauthenticated, login_is_bad_transition, login_is_malformed, login_is_duplicate, login_is_not_empty,
    login_is_text_above_room, login_lacks_initiator, login_lacks_target, login_has_long_name, login_is_unknown_type,
    login_is_type_not_served, login_is_drained, login_is_unknown_target, login_is_removed, login_is_moved_temporarily,
    login_is_moved_permanently, login_is_denied, login_is_store_lost, login_is_no_session, login_lost_session,
    login_is_other_group,
    login_is_session_full, login_is_portal_full, login_is_forced_first, login_is_forced_stage;
/* of defects */
login_guard login_answers_before_login, login_tolerates_other_pdu, login_has_reserved_bits, login_refuses_c_bit,
    login_refuses_reinstatement, login_waits_for_names, login_refuses_default_type, login_refuses_security,
    login_refuses_empty, login_refuses_join, login_refuses_unknown_key, login_is_held_against, login_is_piled_up,
    login_is_sixth, login_dislikes_alias, login_fails_at_alias, login_rejects_header, login_executes;

/* Defects that remember: what a refusal or the loss of a connection in login leaves behind (login_grudges.c). */
void login_hold_grudge(struct conn *conn);

/* Defect newline-separates: the text of the request, its line feeds made nulls. False: no memory. */
bool login_cut_lines(struct conn *conn);

/* Defect split-key-lost: takes what is cut off the current data segment. */
void login_drop_cut(struct login *login);

/* ---- actions (login_steps.c): CAUSE_NONE, or why the login is refused ---- */
login_action login_do_other_pdu, login_do_part, login_do_wait, login_do_pickup, login_do_security, login_do_chap_a,
    login_do_chap_r, login_do_security_end, login_do_operational;

#endif
