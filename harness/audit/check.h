/*
 * How rules are held: rows of a table. A row has the rule that it reports, the deviations of the initiator that make
 * it blind, and a function. Rows of the first kind look at one answered request, those of the second at a connection,
 * those of the third at all connections together.
 */
#ifndef HARNESS_AUDIT_CHECK_H
#define HARNESS_AUDIT_CHECK_H

#include "harness/audit/login.h"
#include "harness/audit/report.h"

/* What has to be true of the answer for the row to look at it. */
enum audit_when {
    AUDIT_ANY,     /* any PDU of the target in the login */
    AUDIT_LOGIN,   /* a Login Response */
    AUDIT_SUCCESS, /* a Login Response of status class 0 */
    AUDIT_REFUSAL, /* a Login Response of another class */
};

typedef void audit_exchange_fn(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                               const struct audit_exchange *x);
typedef void audit_login_fn(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login);

struct audit_exchange_check {
    enum audit_rule_id rule; /* the one it reports; functions with several name the others themselves */
    enum audit_when when;
    bool asked;     /* only for answers to a Login Request */
    uint32_t blind; /* enum audit_dirt: not judged when the initiator has deviated so */
    audit_exchange_fn *check;
};

struct audit_login_check {
    enum audit_rule_id rule;
    audit_login_fn *check;
};

struct audit_subject {
    const struct audit_exchange_check *exchange;
    size_t exchange_count;
    const struct audit_login_check *login;
    size_t login_count;
};

extern const struct audit_subject audit_header, audit_stage, audit_serial, audit_tsih, audit_textform, audit_answers,
    audit_together, audit_declare, audit_chap, audit_ending, audit_request, audit_fullfeature, audit_ffheader,
    audit_ping, audit_textanswer, audit_logout, audit_reject, audit_sendtargets;

/* Rules across connections: session.c, and the challenges of chap.c. False when out of memory. */
bool audit_session_check(struct audit_run *run, const struct audit_login *logins, size_t count);
/* order.c: the commands of all connections of a session. */
void audit_order_check(struct audit_run *run, const struct audit_login *logins, size_t count);
bool audit_chap_check_all(struct audit_run *run, const struct audit_login *logins, size_t count);

/* Did the connection of b join the session that a opened? */
bool audit_session_joined(const struct audit_login *a, const struct audit_login *b);

/* A target that answered before a text was complete is out of step with the keys: that is one finding and not many. */
static inline bool audit_keys_judged(const struct audit_exchange *x)
{
    return !x->early;
}

/* May the target take it for a discovery session? What only a normal one asks of it is not judged then. */
static inline bool audit_maybe_discovery(const struct audit_login *login)
{
    return login->discovery || login->retyped;
}

/* Must it? What only a discovery session forbids is judged then. */
static inline bool audit_surely_discovery(const struct audit_login *login)
{
    return login->discovery && !login->retyped;
}

/* Bits with which the text and the state of a login are no longer what a rule about keys can rely on. */
#define AUDIT_DIRT_TEXTS                                                                                               \
    (AUDIT_DIRT_OPCODE | AUDIT_DIRT_T_AND_C | AUDIT_DIRT_AHS | AUDIT_DIRT_LENGTH | AUDIT_DIRT_TEXT |                   \
     AUDIT_DIRT_CHAIN | AUDIT_DIRT_INCOMPLETE | AUDIT_DIRT_PIPELINE)

#define AUDIT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
