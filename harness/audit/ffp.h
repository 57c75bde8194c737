/*
 * Full feature phase as the auditor sees it: the target's PDUs in order, and for each the request that it answers. The
 * view ends where nothing can be judged any more: at a gap of the capture, at an opcode that no target has, and at
 * digests that nobody agreed on.
 */
#ifndef HARNESS_AUDIT_FFP_H
#define HARNESS_AUDIT_FFP_H

#include "harness/audit/login.h"

/* What audit_login.asked holds beside indices of PDUs. */
#define AUDIT_NOT_ASKED  AUDIT_NONE       /* no outstanding request has this task tag */
#define AUDIT_NOT_JUDGED (AUDIT_NONE - 1) /* no PDU of the kind, or too many outstanding requests to tell */

/* Part of audit_login_build: fills asked and unagreed. False when out of memory. */
bool audit_ffp_build(struct audit_login *login);

/* Is there a full feature phase whose beginning is known? */
static inline bool audit_ffp_judged(const struct audit_login *login)
{
    return login->final != AUDIT_NONE && !login->blind;
}

/* Walks the target's PDUs, *at from 0; NULL at the end of the view. A last one may not be whole; it has its header. */
const struct transcript_pdu *audit_ffp_next(const struct audit_login *login, size_t *at);

/* The request that this PDU of login->pdus answers, NULL when none or unknown. */
const struct transcript_pdu *audit_ffp_request(const struct audit_login *login, const struct transcript_pdu *pdu);

/* Did both sides agree on CRC32C for this key? The second to speak decides (RFC 7143, 6.2). */
bool audit_ffp_digest(const struct audit_login *login, enum keys_id id);

/*
 * MaxRecvDataSegmentLength of the initiator as of the login, in *limit; *declared tells whether it said so or the
 * default holds. False when it is not known: declared out of order.
 */
bool audit_ffp_limit(const struct audit_login *login, uint64_t *limit, bool *declared);

/*
 * Takes a declaration of MaxRecvDataSegmentLength into *limit that this PDU, a Text Response, has let stand. False: the
 * limit is not known any more.
 */
bool audit_ffp_renew(const struct audit_login *login, const struct transcript_pdu *pdu, uint64_t *limit);

/* Text of several PDUs, joined. Zeroed before use; free(bytes) after. */
struct audit_joined {
    char *bytes;
    size_t len, capacity;
};

/* Adds the data segment of a PDU, if it has one. False when out of memory. */
bool audit_joined_add(struct audit_joined *joined, const struct transcript_pdu *pdu);

#endif
