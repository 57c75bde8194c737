/*
 * Memory that is released as a whole: what a loader makes of a file lives in one arena. All memory is zeroed and
 * aligned for any type. Not for data a peer sends: an arena grows until it is freed or its limit is reached.
 */
#ifndef HARNESS_ARENA_H
#define HARNESS_ARENA_H

#include <stddef.h>

struct arena;

/* NULL when out of memory. `limit` is the most bytes it will give, 0: ARENA_LIMIT. */
struct arena *arena_new(size_t limit);
void arena_free(struct arena *a);

#define ARENA_LIMIT ((size_t)512 << 20)

/* Each returns NULL when out of memory or at the limit. count * size may not overflow unnoticed. */
void *arena_alloc(struct arena *a, size_t count, size_t size);
/* Copies len bytes and puts a NUL behind them. */
char *arena_strndup(struct arena *a, const char *text, size_t len);
char *arena_strdup(struct arena *a, const char *text);
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
