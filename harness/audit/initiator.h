/*
 * The rules of the catalogue on initiators. They judge recordings of others: in a run of our own the initiator deviates
 * on purpose. Rules that need several logins in a row are not here but with who sees them (lint).
 */
#ifndef HARNESS_AUDIT_INITIATOR_H
#define HARNESS_AUDIT_INITIATOR_H

#include "harness/audit.h"
#include "harness/audit/login.h"

/* All rules on initiators that can be judged from bytes, each id once. */
const struct audit_rule *audit_initiator_rules(size_t *count);

/*
 * Judges the initiator's side of connections of which logins[i] is the view of number i of t. until_us[i] is how long
 * connection i was watched, on the clock of its transcript: silence before that counts, after it nobody knows. NULL:
 * until its last event. Appends to *out, which the caller has zeroed or judged before. False when out of memory.
 */
bool audit_initiator(const struct transcript *t, const struct audit_login *logins, const int64_t *until_us,
                     struct finding_list *out);

#endif
