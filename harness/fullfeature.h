/* What a case does on a connection after its login, or on one that it drives byte by byte (`base: raw`). */
#ifndef HARNESS_FULLFEATURE_H
#define HARNESS_FULLFEATURE_H

#include "harness/conn.h"

/* Takes what has come on a connection in full feature phase and answers the target's pings. Never waits. */
void fullfeature_serve(struct conn *c);

/* Is the session alive? A NOP-Out is answered by a NOP-In with its ITT (discovery: SendTargets=All by a Text Response).
 */
bool fullfeature_alive(struct conn *c);

/* One Text Request; its whole answer, over several PDUs if need be, is in c->text_answer. False: c->end tells. */
bool fullfeature_text(struct conn *c, const void *text, size_t len, bool await);

enum logout_end {
    LOGOUT_DONE,
    LOGOUT_UNANSWERED, /* no Logout Response came in time: c->end tells */
    LOGOUT_DENIED,     /* a response other than 0 */
    LOGOUT_LEFT_OPEN,  /* the target did not end a connection that is logged out */
};

/*
 * Logout of the session or of this connection. The target ends the connections behind its response (11.14): that is
 * waited for up to grace_ms, 0: not at all. Then our direction of them is ended.
 */
enum logout_end fullfeature_logout(struct conn *c, bool session, bool await, int64_t deadline_us, int grace_ms);

/* Sends a PDU of the case's own, in whatever phase the connection is. c->end becomes what came of it. 0, or -1 with
 * drive.error filled. */
int fullfeature_send(struct conn *c, const struct case_pdu *pdu, bool await);

#endif
