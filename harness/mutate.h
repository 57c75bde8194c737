/*
 * The structure-aware mutator of login inputs: one plain function, no state but its arguments. libFuzzer
 * (fuzz/mutator_libfuzzer.h), AFL++ (libiscsispec-mutator.so) and the network fuzzer call the same one.
 *
 * It knows PDUs, header fields (wire/pdu), keys with the type of their values (wire/keys), C-bit texts, CHAP, and how
 * connections belong to a session. It keeps what it does not mean to change right: lengths, padding, record lengths.
 */
#ifndef HARNESS_MUTATE_H
#define HARNESS_MUTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mutate_format {
    MUTATE_SESSION, /* records of harness/session_input.h: several connections, live values */
    MUTATE_STREAM,  /* the PDUs of one initiator as they stand on the wire */
    MUTATE_TEXT,    /* one data segment: key=value strings, each with its null byte */
};

struct mutate_options {
    enum mutate_format format;
    unsigned rounds_max;     /* at most so many changes a call; 0: the default, 6 */
    bool no_live;            /* do not use tokens and live flags, though the format has them */
    bool plain;              /* bytes only, without knowledge of the structure: for comparison */
    const char *secret;      /* MUTATE_STREAM: makes CHAP_R right for chap_*; NULL: cannot */
    unsigned chap_algorithm; /* of the lines below; 0: MD5 */
    unsigned chap_id;        /* MUTATE_STREAM: identifier and challenge of a target with fixed random numbers */
    const uint8_t *challenge;
    size_t challenge_len;
};

#define MUTATE_ROUNDS_DEFAULT 6u

/*
 * Writes a changed copy of in to out and returns its length, at most cap (a longer input is cut to cap first). The
 * same arguments give the same bytes on every machine. other is a second input for cross-over, of the same format; NULL
 * when there is none. in, other and out must not overlap. Any bytes are taken; an empty input becomes a plain login.
 * The result may in rare cases equal the input. options NULL: a session with defaults.
 */
size_t mutate(const struct mutate_options *options, uint64_t seed, const uint8_t *in, size_t in_len,
              const uint8_t *other, size_t other_len, uint8_t *out, size_t cap);

/* The kinds of change, by index: their names for statistics and docs; NULL at the end. */
const char *mutate_name(size_t index);

/* As mutate(), but exactly one change, of the kind index. False: it does not apply to this input; *out_len is then the
 * length of a plain copy. */
bool mutate_once(const struct mutate_options *options, size_t index, uint64_t seed, const uint8_t *in, size_t in_len,
                 const uint8_t *other, size_t other_len, uint8_t *out, size_t cap, size_t *out_len);

#endif
