/*
 * A file of inputs that are run as they are, for measurements: each is its length (four bytes, big-endian) and its
 * bytes. A mutator that hands them out in turn makes a fuzzer run exactly this list, with all that it does around an
 * execution.
 */
#ifndef FUZZ_FIXED_LIST_H
#define FUZZ_FIXED_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fixed_list {
    uint8_t *bytes;
    size_t len;
    size_t at;
};

/* Reads the file at the first call. False: path is NULL. Ends the process with a message when it cannot be used: nobody
 * is to take the figures of something else for a measurement. */
bool fixed_list_get(struct fixed_list *list, const char *path);

/* The next input, from the first again after the last; at most cap bytes. */
size_t fixed_list_next(struct fixed_list *list, uint8_t *out, size_t cap);

/* The same without a copy: *bytes point into the list. */
size_t fixed_list_view(struct fixed_list *list, const uint8_t **bytes);

#endif
