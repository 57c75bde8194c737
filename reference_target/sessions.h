/*
 * Sessions of a node: TSIH, joining, reinstatement, ending (RFC 7143 4.4.3, 6.3.1, 6.3.4, 6.3.5).
 */
#ifndef ISCSISPEC_SESSIONS_H
#define ISCSISPEC_SESSIONS_H

#include "engine.h"
#include "login.h"

/* Makes the tables of a node without sessions. False: no memory. */
bool sessions_init(struct node *node);

/* Session of a TSIH, NULL when there is none. */
struct session *sessions_find(const struct node *node, uint16_t tsih);

/* What becomes of a request with this TSIH (not 0); the session in *session when it can be joined. */
enum login_join sessions_join(const struct conn *conn, struct session **session);

/* The session that a leading login with these names would reinstate, NULL: none. */
struct session *sessions_reinstated(const struct conn *conn);

/* The connection of the session that has this CID, NULL: none. */
struct conn *sessions_connection(const struct session *session, uint16_t cid);

/* Completes the login of conn: makes or joins its session, ends what it reinstates. On CAUSE_NONE conn->session is
 * set. */
enum cause sessions_enter(struct conn *conn);

/* Has the portal room for one more session that reinstates none? */
bool sessions_portal_full(const struct conn *conn);

/* Takes conn out of its session. What becomes of a session without connections: wait true: it waits for
 * Time2Wait + Time2Retain, false: it ends. */
void sessions_detach(struct conn *conn, bool wait);

/* Ends the session and closes its connections. */
void sessions_end(struct session *session, struct node *node);

/* Ends waiting sessions whose time is over and finds the next deadline. */
void sessions_tick(struct node *node);

/* Ends all sessions of a target. */
void sessions_end_target(struct node *node, size_t target);

/* Ends all sessions whose leading connection came through the portal. */
void sessions_end_portal(struct node *node, size_t portal);

/* Frees all sessions without telling anybody, and the tables. */
void sessions_free(struct node *node);

/* A TSIH that no session has, never 0. */
uint16_t sessions_new_tsih(struct node *node);

#endif
