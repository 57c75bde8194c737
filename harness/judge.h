/* Holds what happened on a connection against an expectation of the case. */
#ifndef HARNESS_JUDGE_H
#define HARNESS_JUDGE_H

#include "harness/conn.h"
#include "harness/outcome.h"
#include "harness/result.h"

struct judgement {
    enum verdict verdict; /* PASS, WARN, FAIL, ERROR */
    char reason[512];     /* the one thing that differed, or what was observed; "" */
    char expected[512];   /* what was allowed, in words */
    bool silence;         /* rests on nothing having come */
};

/*
 * Judges one expectation. May use the connection (ping, wait for an end); never longer than the time-outs of the
 * environment allow.
 */
void judge_expect(struct conn *c, const struct case_expect *expect, struct judgement *out);

/*
 * The accept set alone: own outcomes `any`, else those of the rule (either may be missing). Order: expected,
 * tolerated, forbidden, severity. `what` is how the exchange ended, in words that follow "the target".
 */
void judge_outcome(const struct outcome_view *v, const struct outcome_list *any, const struct rule *rule,
                   const char *what, struct judgement *out);

/* The view of what the expectation means: the answer to PDU `pdu` as sent, 0: to the last deviating one, or the last.
 * text is filled and belongs to the caller. */
void judge_view(struct conn *c, int pdu, struct outcome_view *v, struct text_buf *text, char *stimulus, size_t cap);

#endif
