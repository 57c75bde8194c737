/*
 * bytes.h - big-endian integers in byte buffers.
 *
 * Every iSCSI header field is in network byte order (RFC 7143 11.2). These
 * helpers never assume alignment. The caller guarantees that the buffer holds
 * the 2, 3, 4, 6 or 8 bytes that are read or written; nothing is checked here.
 */
#ifndef ISCSISPEC_WIRE_BYTES_H
#define ISCSISPEC_WIRE_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* Reads `width` bytes (0 to 8) at p, most significant first. */
static inline uint64_t bytes_get_be(const uint8_t *p, size_t width)
{
    uint64_t value = 0;

    for (size_t i = 0; i < width; i++)
        value = (value << 8) | p[i];
    return value;
}

/* Writes the low `width` bytes (0 to 8) of value at p, most significant first. */
static inline void bytes_put_be(uint8_t *p, size_t width, uint64_t value)
{
    for (size_t i = width; i > 0; i--) {
        p[i - 1] = (uint8_t)(value & 0xff);
        value >>= 8;
    }
}

static inline uint16_t bytes_get_be16(const uint8_t *p)
{
    return (uint16_t)bytes_get_be(p, 2);
}

/* 24-bit read, as for DataSegmentLength; the result is below 2**24. */
static inline uint32_t bytes_get_be24(const uint8_t *p)
{
    return (uint32_t)bytes_get_be(p, 3);
}

static inline uint32_t bytes_get_be32(const uint8_t *p)
{
    return (uint32_t)bytes_get_be(p, 4);
}

static inline uint64_t bytes_get_be64(const uint8_t *p)
{
    return bytes_get_be(p, 8);
}

static inline void bytes_put_be16(uint8_t *p, uint16_t value)
{
    bytes_put_be(p, 2, value);
}

/* 24-bit write; the top byte of value is dropped. */
static inline void bytes_put_be24(uint8_t *p, uint32_t value)
{
    bytes_put_be(p, 3, value);
}

static inline void bytes_put_be32(uint8_t *p, uint32_t value)
{
    bytes_put_be(p, 4, value);
}

static inline void bytes_put_be64(uint8_t *p, uint64_t value)
{
    bytes_put_be(p, 8, value);
}

#endif
