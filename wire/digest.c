/*
 * digest.c - CRC32C by way of ISA-L.
 *
 * crc32_iscsi computes the bare shift register: it takes and returns the raw
 * state, without the inversions before and after that RFC 7143 13.1 asks for.
 * Those are done here.
 */
#include "wire/digest.h"

#include <isa-l/crc.h>
#include <limits.h>

uint32_t digest_update(uint32_t state, const void *data, size_t len)
{
    const unsigned char *p = data;

    /* ISA-L takes an int length. */
    while (len > 0) {
        int piece = len > INT_MAX ? INT_MAX : (int)len;

        /* The parameter lacks const; the buffer is only read. */
        state = crc32_iscsi((unsigned char *)p, piece, state);
        p += piece;
        len -= (size_t)piece;
    }
    return state;
}

uint32_t digest_crc32c(const void *data, size_t len)
{
    return digest_finish(digest_update(DIGEST_START, data, len));
}

void digest_put(uint8_t *wire, uint32_t crc)
{
    for (size_t i = 0; i < DIGEST_LEN; i++)
        wire[i] = (uint8_t)(crc >> (8 * i) & 0xff);
}

uint32_t digest_get(const uint8_t *wire)
{
    uint32_t crc = 0;

    for (size_t i = 0; i < DIGEST_LEN; i++)
        crc |= (uint32_t)wire[i] << (8 * i);
    return crc;
}

bool digest_check(const void *data, size_t len, const uint8_t *wire)
{
    return digest_get(wire) == digest_crc32c(data, len);
}
