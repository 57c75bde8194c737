/*
 * The corpus of the network fuzzer: inputs that showed something new, in the order in which they did. Only grows, so
 * that "the corpus as it was after execution N" is a prefix of it. Each entry is a file in DIR, whose name tells
 * number, execution and reach.
 */
#ifndef HARNESS_NETFUZZ_CORPUS_H
#define HARNESS_NETFUZZ_CORPUS_H

#include "harness/netfuzz_input.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETFUZZ_SEED_EXEC UINT64_MAX /* found_by of a seed */

struct netfuzz_entry {
    struct netfuzz_input input;
    uint64_t found_by; /* number of the execution, or NETFUZZ_SEED_EXEC */
    unsigned reach;    /* enum netfuzz_reach */
    uint64_t hash;
};

struct netfuzz_corpus {
    struct netfuzz_entry *entries;
    size_t count, capacity;
    const char *dir; /* borrowed; NULL: in memory only */
};

#define NETFUZZ_CORPUS_MAX 100000u

/* Adds a copy and writes its file. False with text in err; an input that is there already is no error: *added tells. */
bool netfuzz_corpus_add(struct netfuzz_corpus *c, const struct netfuzz_input *in, uint64_t found_by, unsigned reach,
                        bool *added, char *err, size_t err_len);

/* Reads the files that a run left in c->dir; those of executions from `before` on are removed. False with err. */
bool netfuzz_corpus_resume(struct netfuzz_corpus *c, uint64_t before, char *err, size_t err_len);

/* Reads a file, or every file of a directory, as an input; capped at NETFUZZ_INPUT_MAX bytes each. Calls each for it.
 */
bool netfuzz_corpus_read(const char *path, bool (*each)(void *user, const char *path, const struct netfuzz_input *in),
                         void *user, char *err, size_t err_len);

void netfuzz_corpus_free(struct netfuzz_corpus *c);

/* Reads one file. False with text in err. */
bool netfuzz_corpus_load(const char *path, struct netfuzz_input *out, char *err, size_t err_len);
bool netfuzz_corpus_save(const char *path, const struct netfuzz_input *in, char *err, size_t err_len);

#endif
