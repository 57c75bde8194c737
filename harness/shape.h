/*
 * Shapes: how the PDUs of a login go out, beyond what stands in them: in segments, spread over several PDUs with C=1,
 * cut off, twice, with another PDU between.
 */
#ifndef HARNESS_SHAPE_H
#define HARNESS_SHAPE_H

#include "harness/conn.h"
#include "harness/edit.h"

enum shape_sent {
    SHAPE_SENT,  /* its answer is due */
    SHAPE_OVER,  /* the exchange ended meanwhile: conn.end tells how */
    SHAPE_UNMET, /* the PDU is not what the case counts on: drive.error tells */
    SHAPE_ERROR, /* fault of the suite: drive.error tells */
};

/*
 * Sends PDU `number` as libiscsi counted it, in the shape the case asks for. `deviating`: edits have changed it. used[]
 * has a flag for each shape of the login, set when it took effect.
 */
enum shape_sent shape_send(struct conn *c, struct edit_pdu *p, int number, bool deviating, bool *used);

/* Sends inserted and repeated PDUs that are due behind PDU `number` at this point. *count is how many answers are due.
 */
enum shape_sent shape_follow(struct conn *c, const struct edit_pdu *p, int number, enum case_when when, bool *used,
                             unsigned *count);

#endif
