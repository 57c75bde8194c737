/*
 * A PDU of libiscsi changed by the mutator (harness/mutate), for `login: {mutate: N}`. What the number picks is the
 * same in every run and on every target: names, ISID, tags and CHAP values are put in behind the mutator, as
 * harness/session_live.h does for all fuzz inputs. One PDU may become several, none whole, or break off.
 */
#ifndef HARNESS_MUTATED_H
#define HARNESS_MUTATED_H

#include "harness/conn.h"
#include "harness/edit.h"
#include "harness/shape.h"

/* How our direction ends behind the bytes. */
enum mutated_end { MUTATED_STAYS_OPEN, MUTATED_HALF_CLOSE, MUTATED_RESET };

struct mutated {
    uint8_t *bytes; /* what goes out; NULL: nothing was mutated */
    size_t len;
    enum mutated_end end;
    unsigned number;
    uint64_t hash; /* of the mutator's output: the same in every run and on every target */
};

/*
 * Mutates PDU p of the login by mutation `number`. Asserts that it came out changed: a mutation that leaves the bytes
 * as they were is drawn again. False: out of memory. Release with mutated_free().
 */
bool mutated_make(struct conn *c, const struct edit_pdu *p, unsigned number, struct mutated *out);
void mutated_free(struct mutated *m);

/*
 * Puts it on the wire, PDU by PDU: behind each but the last, an answer is awaited, and so is it before a half-close: a
 * target may drop what was on its way then, or not, as the moment has it. What is less than a PDU is followed by a
 * half-close, so that the target need not wait for more. SHAPE_SENT: the answer to the last one is due.
 */
enum shape_sent mutated_send(struct conn *c, const struct mutated *m);

#endif
