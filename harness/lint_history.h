/*
 * What only several logins in a row tell: of initiators that repeat what was refused, redirections and whether they are
 * followed, sessions that never come back, challenges used twice. Keeps a bounded number of the initiators and targets
 * that were active last.
 */
#ifndef HARNESS_LINT_HISTORY_H
#define HARNESS_LINT_HISTORY_H

#include "harness/lint.h"

struct lint_history;

/* Takes a finding; its strings live for the call only. False stops. */
typedef bool lint_history_fn(void *context, const struct lint_finding *finding);

struct lint_history *lint_history_new(lint_history_fn *report, void *context);
void lint_history_free(struct lint_history *h);
/* Takes a connection, in the order of first frames. group: connections of one are compared by the auditor. */
bool lint_history_take(struct lint_history *h, const struct lint_conn *conn, uint64_t group);
/* The capture ends: says what is left to say. last_us: its last frame. */
bool lint_history_end(struct lint_history *h, int64_t last_us);

#endif
