/*
 * The reference target as the login-session entry has it: portals and targets of the reference profile (same names,
 * same secrets, so that recorded cases mean the same here), a clock that stands still, random numbers that are always
 * the same, and counted memory.
 */
#ifndef FUZZ_SESSION_TARGET_H
#define FUZZ_SESSION_TARGET_H

#include "fuzz/arena.h"
#include "harness/session_live.h"
#include "reference_target/node.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which portal the connections of an input come to: 0 and 1 the first, 2 another group, 3 one with limits. */
enum { SESSION_TARGET_PORTALS = 3 };

struct session_target {
    struct config config;
    struct node *node;
    uint64_t now_ms;
    uint32_t random;
    struct arena arena;
    size_t allocated; /* blocks that the engine has not given back */
};

/* The configuration, with the defects named in defects (comma-separated, NULL: none). plain_malloc: the engine's memory
 * comes from malloc and not from an arena. False: no memory, or an unknown name, which is told on stderr. */
bool session_target_configure(struct session_target *target, const char *defects, bool plain_malloc);

/* A node for one input, and its end. False: no memory. */
bool session_target_start(struct session_target *target);
void session_target_stop(struct session_target *target);

/* Portal of a connection of the input. */
size_t session_target_portal(unsigned conn);

/* The names behind the tokens of an input. */
const struct session_live_names *session_target_names(void);

/* Must an initiator prove who it is to log in to this target? */
bool session_target_asks(const struct session_target *target, size_t index);

void session_target_free(struct session_target *target);

#endif
