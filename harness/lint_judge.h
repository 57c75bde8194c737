/* Parts of lint: judging the connections of one session, and what could not be judged. */
#ifndef HARNESS_LINT_JUDGE_H
#define HARNESS_LINT_JUDGE_H

#include "harness/lint.h"

struct lint_judged {
    struct lint_conn *conns;
    size_t count;
    struct audit_login *logins;
    struct finding_list found;
    struct lint_finding *findings; /* by connection */
};

/* Judges connections together. last_us: how far the capture was read. False when out of memory; free it in any case. */
bool lint_judge(struct lint_judged *out, struct capture_conn *const *conns, size_t count, const struct catalogue *rules,
                int64_t last_us);
void lint_judged_free(struct lint_judged *judged);

/* Adds the codes that the target of a connection answered. */
void lint_count_codes(struct lint_totals *totals, const struct lint_conn *conn);

/* FNV-1a, to be gone on with. */
uint64_t lint_hash(uint64_t hash, const void *bytes, size_t len);

#endif
