/*
 * States of the target as the network fuzzer sees them: what an execution drew from it, as a set of small facts. A fact
 * is an answer (status, T, C, CSG, NSG) in its place behind the answer before it, a key that was answered in a stage
 * with an ordinary value or one of the reserved words, how a connection ended and who ended it, a rule that the auditor
 * saw broken. Values that change from login to login are no part of it. An input that shows a new fact is kept.
 */
#ifndef HARNESS_NETFUZZ_STATE_H
#define HARNESS_NETFUZZ_STATE_H

#include "harness/audit.h"
#include "harness/netfuzz_exec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NETFUZZ_FACTS_MAX = 256 }; /* of one execution */

struct netfuzz_facts {
    uint64_t items[NETFUZZ_FACTS_MAX]; /* hashes, each once, ascending */
    size_t count;
};

/* What the execution drew from the target; findings may be NULL. */
void netfuzz_facts_of(const struct netfuzz_exec *x, const struct finding_list *findings, struct netfuzz_facts *out);

/* The facts seen so far. Zeroed: none. */
struct netfuzz_states {
    uint64_t *slots; /* open addressing; 0 is free */
    size_t capacity, count;
};

#define NETFUZZ_STATES_MAX (1u << 20)

bool netfuzz_states_has(const struct netfuzz_states *s, uint64_t fact);
/* Adds those that are not there. Returns how many were new. Full or out of memory: 0 for the rest. */
size_t netfuzz_states_add(struct netfuzz_states *s, const struct netfuzz_facts *facts);
/* True when at least one is not there. */
bool netfuzz_states_new(const struct netfuzz_states *s, const struct netfuzz_facts *facts);
void netfuzz_states_free(struct netfuzz_states *s);

#endif
