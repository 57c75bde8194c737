/* Two runs held against each other: what got worse, what got better, what came and went. */
#ifndef REPORTS_COMPARE_H
#define REPORTS_COMPARE_H

#include "harness/result.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Compares by case id, code and rule. The value:
 *   {schema: "iscsispec-compare/1", regressions: N, old, new: {profile, target_version, started},
 *    changes: [{kind, what, from, to, reason, regression}]}
 * kind: verdict, code, rule, new-case, gone-case, suite. A regression is a verdict that got worse (a SKIP or an ERROR
 * instead of a verdict is one too), a code that is no longer seen, a rule that is broken now and was not in a case that
 * both ran. Caller decrefs; NULL: no memory.
 */
json_t *compare_runs(const struct results *before, const struct results *after);

/* How many changes are regressions. */
size_t compare_regressions(const json_t *comparison);

/* For a person. Returns 0 or -1. */
int compare_print(FILE *out, const json_t *comparison);

#endif
