/*
 * The rules of the catalogue in a run: which were proven kept, checked without a finding, broken, or
 * not reached. Computed from results and catalogue alone.
 */
#ifndef REPORTS_RULEBOOK_H
#define REPORTS_RULEBOOK_H

#include "harness/catalogue.h"
#include "harness/result.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum rulebook_state {
    RULEBOOK_NOT_REACHED,
    RULEBOOK_CHECKED, /* the auditor looked for it and found nothing; no case of its own passed */
    RULEBOOK_PROVEN,  /* a case for it passed, which the kill table knows to fail when the rule is broken */
    RULEBOOK_BROKEN,
    RULEBOOK_STATES,
};

struct rulebook_row {
    const struct rule *rule;
    enum rulebook_state state;
    size_t broken_in;       /* cases */
    const json_t *shown_by; /* line of a case that broke it, or that proves it; NULL none */
    const json_t *finding;  /* what was found there; NULL: an expectation of the case */
};

struct rulebook {
    struct rulebook_row *rows; /* rules that bind the target, by id; owned */
    size_t count;
};

/* Everything in out points into r and the catalogue. False: no memory. */
bool rulebook_compute(struct rulebook *out, const struct results *r, const struct catalogue *rules);
void rulebook_free(struct rulebook *book);

/* Rows of one subject, counted by state; the subject of the row at `first`. Returns the first row behind them. */
size_t rulebook_count_subject(const struct rulebook *book, size_t first, size_t counts[RULEBOOK_STATES]);

/* "broken" */
const char *rulebook_state_name(enum rulebook_state state);

/* Does a finding count: not about the initiator, not of severity info, not taken out by the case? */
bool rulebook_finding_counts(const json_t *finding);

#endif
