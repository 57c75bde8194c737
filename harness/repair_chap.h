/* The CHAP part of the repairs (RFC 7143, 12.1.3): used by repair.c alone. */
#ifndef HARNESS_REPAIR_CHAP_H
#define HARNESS_REPAIR_CHAP_H

#include "harness/repair.h"

/* Keeps the target's algorithm and challenge. */
void repair_chap_learn(struct repair *r, struct live_values *live, const void *text, size_t len);

/* Puts the right CHAP_R in where libiscsi's differs; keeps libiscsi's own challenge. */
void repair_chap_apply(struct repair *r, struct edit_pdu *p, const struct live_values *live,
                       const struct edit_log *log);

/* Turns challenge, algorithm and mutual response into what libiscsi understands. */
void repair_chap_show(const struct repair *r, struct text_buf *shown);

#endif
