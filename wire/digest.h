/*
 * digest.h - CRC32C header and data digests (RFC 7143 11.2.3 and 13.1).
 *
 * Login PDUs carry no digests; they start with the first full feature phase
 * PDU of each direction. No state, no allocation.
 */
#ifndef ISCSISPEC_WIRE_DIGEST_H
#define ISCSISPEC_WIRE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_LEN 4u

/* CRC32C of the bytes (header with AHS, or data with its padding), as a number
 * in host order. Any length; data may be NULL when len is 0. */
uint32_t digest_crc32c(const void *data, size_t len);

/*
 * Running form for data in pieces: start with DIGEST_START, feed the pieces in
 * order, take digest_finish of the result.
 */
#define DIGEST_START 0xffffffffu
uint32_t digest_update(uint32_t state, const void *data, size_t len);
static inline uint32_t digest_finish(uint32_t state)
{
    return ~state;
}

/* Writes / reads the 4 bytes that stand on the wire for a CRC32C value: the
 * digest goes out least significant byte first. */
void digest_put(uint8_t *wire, uint32_t crc);
uint32_t digest_get(const uint8_t *wire);

/* True when the 4 bytes at `wire` are the digest of data[0..len). */
bool digest_check(const void *data, size_t len, const uint8_t *wire);

#endif
