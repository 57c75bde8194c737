/*
 * chap.h - the CHAP response hash (RFC 1994 4.1, RFC 7143 12.1.3).
 *
 * Hash only: who must answer what, and when, is for the callers. No state; the
 * OpenSSL contexts used inside live within one call.
 */
#ifndef ISCSISPEC_WIRE_CHAP_H
#define ISCSISPEC_WIRE_CHAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHAP_MAX_HASH_LEN 32u
#define CHAP_MAX_BINARY   1024u /* CHAP_C and CHAP_R decoded, 12.1.3 */
#define CHAP_MIN_SECRET   12u   /* 96 bits, 9.2.1 asks for at least that */

/* Numbers of CHAP_A. 5 must be offered by everyone; the others are in the IANA
 * registry and in the field, not in the RFC. */
enum chap_number { CHAP_MD5 = 5, CHAP_SHA1 = 6, CHAP_SHA256 = 7, CHAP_SHA3_256 = 8 };

struct chap_algorithm {
    unsigned number;      /* enum chap_number */
    const char *name;     /* for people: "MD5", "SHA-1", "SHA-256", "SHA3-256" */
    const char *evp_name; /* OpenSSL's name */
    size_t hash_len;      /* bytes of CHAP_R */
};

enum chap_error {
    CHAP_OK = 0,
    CHAP_UNAVAILABLE, /* libcrypto refuses the hash (policy, FIPS, old version) */
    CHAP_NO_ROOM      /* out_cap below hash_len */
};

/* The algorithm of a CHAP_A number, NULL when unknown. Static. */
const struct chap_algorithm *chap_algorithm_find(uint64_t number);

/* Walks the known ones: 0, 1, ...; NULL at the end. */
const struct chap_algorithm *chap_algorithm_at(size_t index);

/* True when libcrypto offers this hash here and now. */
bool chap_algorithm_available(const struct chap_algorithm *algorithm);

/*
 * out = hash(identifier octet, secret, challenge). `id` is CHAP_I, one octet.
 * secret and challenge may hold any bytes and be of any length. On success
 * *out_len is the hash length; otherwise 0 and out is untouched.
 */
enum chap_error chap_response(const struct chap_algorithm *algorithm, uint8_t id, const void *secret, size_t secret_len,
                              const void *challenge, size_t challenge_len, uint8_t *out, size_t out_cap,
                              size_t *out_len);

/* Compares in a time that depends on the lengths only. */
bool chap_equal(const void *a, size_t a_len, const void *b, size_t b_len);

#endif
