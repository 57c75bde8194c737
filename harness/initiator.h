/*
 * One login: libiscsi makes the PDUs, the case's edits and shapes deviate from them, repairs keep all else honest, the
 * target's answers end it. What came out stands in the struct conn.
 */
#ifndef HARNESS_INITIATOR_H
#define HARNESS_INITIATOR_H

#include "harness/conn.h"

/*
 * Opens the connection and runs the login to its end or its `stop`. c->login, access, session, names and credentials
 * are set. For base raw only TCP is opened. Returns 0, also when the target refused; -1 with drive.error filled when
 * the case or the suite is at fault.
 */
int initiator_login(struct conn *c);

/*
 * Waits for one answer in the login phase. True: a Login Response with status 0 has come and is the newest of
 * c->answers. False: c->end tells how the login ended; after a refusal the target's close has been waited for.
 */
bool initiator_await(struct conn *c, uint32_t to);

/* The login is complete: from here on PDUs are the harness's own, with the digests that were agreed on. */
void initiator_enter_full_feature(struct conn *c);

#endif
