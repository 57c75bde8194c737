/*
 * The mutator (harness/mutate) as a custom mutator library of AFL++, for this project's entries and for any other login
 * parser: libiscsispec-mutator.so, docs/fuzzing.md. Settings come from the environment:
 *
 *   ISCSISPEC_MUTATOR_FORMAT     stream (default): the PDUs of one initiator; text: one data segment of key=value
 *                                strings; session: the records of harness/session_input.h
 *   ISCSISPEC_MUTATOR_SECRET     with a target whose random numbers are fixed: makes CHAP_R right for
 *   ISCSISPEC_MUTATOR_CHALLENGE  this CHAP_C (0x... or 0b...),
 *   ISCSISPEC_MUTATOR_CHAP_I     this CHAP_I (default 0) and
 *   ISCSISPEC_MUTATOR_CHAP_A     this algorithm (default 5, MD5)
 *   ISCSISPEC_MUTATOR_SHARE      one call in so many is left to a random change of bytes (default 16)
 *   ISCSISPEC_FUZZ_FIXED         hands out the inputs of this file in turn, unchanged: to measure (scripts/bench-fuzz)
 */
#include "fuzz/fixed_list.h"
#include "harness/mutate.h"
#include "wire/chap.h"
#include "wire/text.h"

#include <stdio.h>
#include <stdlib.h>

/* AFL++ 4.x, docs/custom_mutators.md; afl_state_t is opaque here. */
void *afl_custom_init(void *afl, unsigned int seed);
size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t buf_size, uint8_t **out_buf, uint8_t *add_buf,
                       size_t add_buf_size, size_t max_size);
const char *afl_custom_describe(void *data, size_t max_description_len);
void afl_custom_deinit(void *data);

struct mutator {
    struct mutate_options options;
    struct mutate_options plain;
    uint64_t seed;
    uint64_t share;
    uint8_t challenge[CHAP_MAX_BINARY];
    const char *fixed_path;
    struct fixed_list fixed;
    uint8_t *out;
    size_t cap;
};

/* A number of the environment; fallback when it is not there. False, told on stderr: it is none. */
static bool number_of(const char *name, uint64_t fallback, uint64_t max, uint64_t *out)
{
    const char *value = getenv(name);

    *out = fallback;
    if (value == NULL)
        return true;
    if (text_parse_number(value, strlen(value), out) == TEXT_NUMBER_OK && *out <= max)
        return true;
    fprintf(stderr, "libiscsispec-mutator: %s=%s: not a number up to %llu\n", name, value, (unsigned long long)max);
    return false;
}

static bool format_of(enum mutate_format *format)
{
    static const char *const names[] = {
        [MUTATE_SESSION] = "session", [MUTATE_STREAM] = "stream", [MUTATE_TEXT] = "text"};
    const char *value = getenv("ISCSISPEC_MUTATOR_FORMAT");

    *format = MUTATE_STREAM;
    if (value == NULL)
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(value, names[i]) == 0) {
            *format = (enum mutate_format)i;
            return true;
        }
    fprintf(stderr, "libiscsispec-mutator: ISCSISPEC_MUTATOR_FORMAT=%s: one of session, stream, text\n", value);
    return false;
}

static bool read_settings(struct mutator *m)
{
    const char *challenge = getenv("ISCSISPEC_MUTATOR_CHALLENGE");
    uint64_t id, algorithm;

    if (!format_of(&m->options.format) || !number_of("ISCSISPEC_MUTATOR_CHAP_I", 0, UINT8_MAX, &id) ||
        !number_of("ISCSISPEC_MUTATOR_CHAP_A", CHAP_MD5, UINT8_MAX, &algorithm) ||
        !number_of("ISCSISPEC_MUTATOR_SHARE", 16, UINT32_MAX, &m->share))
        return false;
    m->options.chap_id = (unsigned)id;
    m->options.chap_algorithm = (unsigned)algorithm;
    m->options.secret = getenv("ISCSISPEC_MUTATOR_SECRET");
    m->options.challenge = m->challenge;
    m->fixed_path = getenv("ISCSISPEC_FUZZ_FIXED");
    m->plain = m->options;
    m->plain.plain = true;
    if (challenge == NULL || text_decode_binary(challenge, strlen(challenge), m->challenge, sizeof(m->challenge),
                                                &m->options.challenge_len) == TEXT_BINARY_OK)
        return true;
    fprintf(stderr, "libiscsispec-mutator: ISCSISPEC_MUTATOR_CHALLENGE=%s: not a binary value as 0x0123 or 0bQUJD\n",
            challenge);
    return false;
}

void *afl_custom_init(void *afl, unsigned int seed)
{
    struct mutator *m = calloc(1, sizeof *m);

    (void)afl;
    if (m == NULL || !read_settings(m)) {
        free(m);
        exit(2); /* the reason is told; AFL++ 4.04 would call a mutator that could not be made */
    }
    m->seed = (uint64_t)seed << 32;
    return m;
}

size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t buf_size, uint8_t **out_buf, uint8_t *add_buf,
                       size_t add_buf_size, size_t max_size)
{
    struct mutator *m = data;
    uint64_t seed = m->seed++;

    if (m->cap < max_size) {
        uint8_t *bigger = realloc(m->out, max_size);

        if (bigger == NULL) {
            *out_buf = buf;
            return buf_size;
        }
        m->out = bigger;
        m->cap = max_size;
    }
    *out_buf = m->out;
    if (fixed_list_get(&m->fixed, m->fixed_path))
        return fixed_list_next(&m->fixed, m->out, max_size);
    return mutate(m->share > 0 && seed % m->share == 0 ? &m->plain : &m->options, seed, buf, buf_size, add_buf,
                  add_buf != NULL ? add_buf_size : 0, m->out, max_size);
}

const char *afl_custom_describe(void *data, size_t max_description_len)
{
    (void)data;
    (void)max_description_len;
    return "iscsispec";
}

void afl_custom_deinit(void *data)
{
    struct mutator *m = data;

    free(m->fixed.bytes);
    free(m->out);
    free(m);
}
