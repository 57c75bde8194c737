/*
 * What the network fuzzer sends: a talk over up to four connections, as a list of records. In a file it is the format
 * of session_input.h, so that inputs go to and fro between the fuzzers.
 *
 * An input owns its bytes. Every file is read as some input: what is too much is cut off.
 */
#ifndef HARNESS_NETFUZZ_INPUT_H
#define HARNESS_NETFUZZ_INPUT_H

#include "harness/session_input.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NETFUZZ_CONNS = SESSION_INPUT_CONNS,
    NETFUZZ_RECORDS_MAX = 64,
    NETFUZZ_RECORD_MAX = SESSION_INPUT_DATA_MAX,
    NETFUZZ_INPUT_MAX = 256 * 1024, /* bytes of all of them */
};

enum netfuzz_kind {
    NETFUZZ_DATA = 0,  /* bytes of the initiator */
    NETFUZZ_EOF = 1,   /* it ends its direction */
    NETFUZZ_RESET = 2, /* it resets the connection */
    NETFUZZ_TIME = 3,  /* some time goes by */
};

struct netfuzz_record {
    unsigned conn; /* 0 to NETFUZZ_CONNS - 1 */
    enum netfuzz_kind kind;
    unsigned live;  /* SESSION_INPUT_LIVE_*: what is put in when it goes out */
    uint8_t *bytes; /* of malloc, NULL when there are none */
    size_t len;
};

struct netfuzz_input {
    struct netfuzz_record *records;
    size_t count;
};

/* Appends a record; bytes are copied. False: out of memory, or one of the limits is reached. */
bool netfuzz_input_add(struct netfuzz_input *in, unsigned conn, enum netfuzz_kind kind, unsigned live,
                       const uint8_t *bytes, size_t len);
void netfuzz_input_free(struct netfuzz_input *in);
bool netfuzz_input_copy(struct netfuzz_input *out, const struct netfuzz_input *in);

/* Takes record `at` out. */
void netfuzz_input_remove(struct netfuzz_input *in, size_t at);

/* Replaces the bytes of a record by a copy of these. False: no memory or too long; the record stays as it was. */
bool netfuzz_input_replace(struct netfuzz_input *in, size_t at, const uint8_t *bytes, size_t len);

/* Bytes of all records. */
size_t netfuzz_input_size(const struct netfuzz_input *in);

/* The file format. Encode: malloc'ed, the caller frees; NULL no memory. Decode: false only without memory. */
uint8_t *netfuzz_input_encode(const struct netfuzz_input *in, size_t *len);
bool netfuzz_input_decode(struct netfuzz_input *out, const uint8_t *bytes, size_t len);

/* FNV-1a 64 of the file format: names files, tells inputs apart. */
uint64_t netfuzz_input_hash(const struct netfuzz_input *in);

#endif
