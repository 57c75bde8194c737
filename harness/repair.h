/*
 * Repairs keep libiscsi an honest initiator: what libiscsi 1.19 would send against the RFC, or cannot send at all, is
 * put right in its PDUs before the case's edits are applied, so that a target is never blamed for libiscsi's limits.
 *
 * - keys that this connection has sent already are dropped (libiscsi repeats all keys after a T=0 answer; 6.3);
 * - Leading-Only keys are dropped on an added connection (13.x, use LO);
 * - the target's own proposals are answered by the key's result function (6.2), or NotUnderstood;
 * - CHAP_R is computed here when libiscsi cannot (other algorithms than MD5, base64; 12.1.3);
 * - ITT and CmdSN stay those of the first request (libiscsi draws them anew after T=0 in the security stage; 11.12.6);
 * - T is cleared while a proposal of the target is unanswered, NSG is 0 without T (11.12.2, 11.12.3).
 * No I/O. The struct owns its memory.
 */
#ifndef HARNESS_REPAIR_H
#define HARNESS_REPAIR_H

#include "harness/edit.h"
#include "harness/live.h"
#include "wire/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct repair {
    struct text_buf seen;               /* "Key=" of each key that libiscsi made or that went out */
    struct text_buf offered;            /* "Key=" of each key that went out */
    struct text_buf open;               /* "Key=offer" of the target's proposals that want an answer */
    const char *secret, *mutual_secret; /* NULL none; not owned */
    uint64_t algorithm;                 /* CHAP_A as the target chose, 0 none yet */
    char own_i[32];                     /* mutual CHAP: CHAP_I and CHAP_C as libiscsi made them ... */
    char own_c[LIVE_BINARY_MAX];
    char wire_i[32]; /* ... and as they went out */
    char wire_c[LIVE_BINARY_MAX];
};

void repair_init(struct repair *r, const char *secret, const char *mutual_secret);
void repair_free(struct repair *r);

/* Puts one PDU of libiscsi right. `added`: the connection joins a session. False when out of memory. */
bool repair_apply(struct repair *r, struct edit_pdu *p, const struct live_values *live, bool first, bool added,
                  const struct edit_log *log);

/* Remembers what went out (after the edits). */
void repair_sent(struct repair *r, const void *text, size_t len);

/* Learns from the whole text of one answer: challenge and algorithm, the target's proposals. */
void repair_learn(struct repair *r, struct live_values *live, const void *text, size_t len);

/*
 * The text of an answer in the form in which libiscsi takes it. Returns true when it differs from what came: *shown is
 * then filled (the caller frees it with text_buf_free).
 */
bool repair_show(const struct repair *r, const void *text, size_t len, struct text_buf *shown);

#endif
