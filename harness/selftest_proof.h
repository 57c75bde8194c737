/*
 * What a run with a defect proves about the rules: which entries of the catalogue it has woken, and whether any has
 * woken that the defect has nothing to do with.
 */
#ifndef HARNESS_SELFTEST_PROOF_H
#define HARNESS_SELFTEST_PROOF_H

#include "harness/case.h"
#include "harness/wakes.h"

#include <jansson.h>
#include <stdbool.h>

struct selftest_proof {
    const struct catalogue *rules;
    const struct wakes *wakes; /* NULL: strays are not looked for */
    bool *woken;               /* by index of the catalogue */
};

/* False: no memory. */
bool selftest_proof_init(struct selftest_proof *proof, const struct catalogue *rules, const struct wakes *wakes);
void selftest_proof_free(struct selftest_proof *proof);

/* Takes the result line of a case that ran with a defect; findings that do not belong to it go to `stray` of
 * the report, a defect that cases/defects.yaml does not name to `undeclared`. */
void selftest_proof_take(struct selftest_proof *proof, const char *defect, const struct case_def *c, const json_t *line,
                         json_t *report);

/* Puts `rules` and `asleep` into the report (selftest.h). */
void selftest_proof_note(const struct selftest_proof *proof, json_t *report);

/*
 * Is this WARN red enough to prove a case? Only what a rule itself gave counts: a finding, or an expectation whose rule
 * has no worse verdict to give. An answer that a rule of severity fail merely tolerates proves nothing.
 */
bool selftest_warn_counts(const json_t *line, const struct catalogue *rules);

#endif
