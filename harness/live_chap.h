/*
 * What stands behind the colon of {chap_r:ALG:SECRET:FORM}: loader and run read it with the same function. A secret
 * that holds a colon needs the form behind it.
 */
#ifndef HARNESS_LIVE_CHAP_H
#define HARNESS_LIVE_CHAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIVE_CHAP_SECRET_MAX 255u

struct live_chap {
    uint64_t algorithm;                    /* a number of chap_algorithm_find(); 0: the one agreed on */
    char secret[LIVE_CHAP_SECRET_MAX + 1]; /* "": that of the condition */
    /* Writes a response as text (RFC 7143 6.1), null-terminated. Its length, 0 when it does not fit. */
    size_t (*encode)(const uint8_t *hash, size_t len, char *out, size_t cap);
};

/* False when the algorithm or the form is unknown, or the secret too long. */
bool live_chap_parse(const char *arg, size_t len, struct live_chap *out);

#endif
