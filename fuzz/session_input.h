/*
 * What the login-session entry reads: records of {who and what, length, bytes}, so that one input can be a talk over
 * several connections. Shared by the entry, the seed maker and (later) the mutator.
 *
 * Record: one byte, low 2 bits the connection, next 2 bits the kind; then for DATA a 16-bit little-endian length and
 * that many bytes (fewer at the end of the input).
 */
#ifndef FUZZ_SESSION_INPUT_H
#define FUZZ_SESSION_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SESSION_INPUT_CONNS = 4 };

enum session_input_kind {
    SESSION_INPUT_DATA = 0,  /* bytes from the initiator */
    SESSION_INPUT_EOF = 1,   /* the initiator ended its direction */
    SESSION_INPUT_RESET = 2, /* the connection is gone */
    SESSION_INPUT_TIME = 3,  /* five seconds go by */
};

struct session_input_record {
    unsigned conn;
    enum session_input_kind kind;
    const uint8_t *bytes;
    size_t len;
};

/* Takes the next record off the cursor. False at the end. */
static inline bool session_input_next(const uint8_t **p, const uint8_t *end, struct session_input_record *record)
{
    if (*p >= end)
        return false;
    uint8_t head = *(*p)++;
    *record = (struct session_input_record){.conn = head & 3U, .kind = (enum session_input_kind)((head >> 2) & 3U)};
    if (record->kind != SESSION_INPUT_DATA)
        return true;
    if (end - *p < 2) {
        *p = end;
        return false;
    }
    size_t len = (size_t)((*p)[0] | (*p)[1] << 8);
    *p += 2;
    if (len > (size_t)(end - *p))
        len = (size_t)(end - *p);
    record->bytes = *p;
    record->len = len;
    *p += len;
    return true;
}

#endif
