/*
 * Waivers: what is known to be wrong with a target, why, and until when. A waived FAIL is XFAIL; a waiver that nothing
 * needs any more makes XPASS; one that has ended counts no longer and is named. The format stands in docs/waivers.md.
 *
 * Entries are JSON, as they stand in the head of results.jsonl, so that runs can be merged from their results alone:
 *   {file, line, case: [glob], rule: [glob], reason, link, until | target_version, crash, state, why}
 * state: "active" while the run goes on, then "used", "passed" (XPASS), "idle" (could not be told), "ended" (see why).
 */
#ifndef HARNESS_WAIVERS_H
#define HARNESS_WAIVERS_H

#include "harness/case.h"
#include "harness/catalogue.h"
#include "harness/result.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define WAIVERS_DATE_LEN 11u /* YYYY-MM-DD and its NUL */

/*
 * Reads a file and appends its entries. Each glob has to match a case or a rule there is; cases NULL: ids are not
 * checked. Returns 0, or -1 with file, line, column, value and reason in err.
 */
int waivers_load(const char *path, const struct case_list *cases, const struct catalogue *rules, json_t *entries,
                 struct load_error *err);

/* Decides which entries still count: today as YYYY-MM-DD, the version as the target told it ("" none). */
void waivers_open(json_t *entries, const char *today, const char *target_version);

/* Makes a FAIL or CRASH an XFAIL when active entries cover all that was wrong. Returns whether it did. */
bool waivers_excuse(const json_t *entries, json_t *line);

/* The end of a run: XPASS, and what became of each entry of the head. Repeatable, also after a merge. */
void waivers_close(struct results *r);

/* How many entries of the head are in this state. */
size_t waivers_count(const struct results *r, const char *state);

/*
 * Writes a waiver file for review: what still counts, and an entry for each FAIL that nothing covers, with what was
 * seen as reason. Ended when the version changes or, when there is none, 90 days from today. Returns 0 or -1.
 */
int waivers_update(FILE *out, const struct results *r, const char *today);

/* Today, UTC. */
void waivers_today(char out[WAIVERS_DATE_LEN]);

/* JSON schema of a waiver file. Caller decrefs; NULL: no memory. */
json_t *waivers_schema(void);

#endif
