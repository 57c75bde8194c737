/*
 * SendTargets and the addresses that initiators are told (RFC 7143 13.3, 13.8, Appendix C).
 */
#ifndef ISCSISPEC_DISCOVERY_H
#define ISCSISPEC_DISCOVERY_H

#include "engine.h"

/* Answers one SendTargets value in full feature phase. False: Reject is the answer, nothing was added. */
bool discovery_send_targets(const struct conn *conn, const char *value, size_t length, struct text_buf *answer);

enum { DISCOVERY_ADDRESS = 64 };        /* bytes that an address may need */

/* HOST:PORT where a moved target is now; for others the address of this portal. Good as long as the connection and
 * space, DISCOVERY_ADDRESS bytes that the answer may stand in. */
const char *discovery_moved_address(const struct conn *conn, size_t target, char *space);

/* HOST:PORT of the portal of this connection. */
const char *discovery_own_address(const struct conn *conn);

#endif
