/* Parts of one run (--shard I/N) put together again: results and evidence, as if it had been run at once. */
#ifndef HARNESS_MERGE_H
#define HARNESS_MERGE_H

#include "harness/result.h"

#include <stdbool.h>
#include <stddef.h>

/* Do all runs say that they are a shard of something? */
bool merge_are_shards(const struct results *runs, size_t count);

/*
 * Puts the shards of one run together: every I of N has to be there once, of the same profile and catalogue. Evidence
 * of dirs[i] is linked or copied to out, results.jsonl is written there. Waivers are judged anew. Returns 0, or -1 with
 * the reason in err.
 */
int merge_shards(const struct results *runs, const char *const *dirs, size_t count, const char *out,
                 struct results *whole, char *err, size_t err_len);

#endif
