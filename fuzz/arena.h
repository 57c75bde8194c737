/*
 * Memory for what lives no longer than one input: blocks stand one behind the other, and all are forgotten at once. Far
 * cheaper than malloc under AddressSanitizer, and not less strict: what lies between blocks, behind the last one and in
 * blocks that were given back is poisoned, and no memory is used twice for the same input. A report calls it
 * use-after-poison; with malloc it tells more (ISCSISPEC_FUZZ_MALLOC, docs/fuzzing.md).
 */
#ifndef FUZZ_ARENA_H
#define FUZZ_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena {
    uint8_t *bytes; /* NULL: every block is malloc's */
    size_t used;
};

/* False: no memory. */
bool arena_init(struct arena *arena);

/* A block; malloc's when the arena is full. NULL: no memory. */
void *arena_take(struct arena *arena, size_t size);

/* Gives a block back, memory may be NULL. */
void arena_give(struct arena *arena, void *memory);

/* Begins anew. What has not been given back must not be used any more; malloc's blocks have to be given back. */
void arena_reset(struct arena *arena);

void arena_free(struct arena *arena);

#endif
