/*
 * Making an input smaller while it still shows the same: whole records first, then pairs of the texts, then bytes. See
 * netfuzz_campaign.h.
 */
#include "harness/netfuzz_campaign.h"
#include "harness/process.h"
#include "wire/text.h"

#include <stdlib.h>
#include <string.h>

struct minimising {
    struct netfuzz_input *input;
    bool (*shows)(void *user, const struct netfuzz_input *candidate);
    void *user;
    size_t tries, max;
    int64_t until_ms; /* of process_now_ms() */
};

/* Takes the candidate for the input when it shows the same; else drops it. */
static bool try_candidate(struct minimising *m, struct netfuzz_input *candidate)
{
    bool good = m->tries < m->max && process_now_ms() < m->until_ms;

    if (good) {
        m->tries++;
        good = m->shows(m->user, candidate);
    }
    if (good) {
        struct netfuzz_input old = *m->input;

        *m->input = *candidate;
        *candidate = old;
    }
    netfuzz_input_free(candidate);
    return good;
}

static bool drop_records(struct minimising *m)
{
    bool any = false;

    for (size_t i = m->input->count; i-- > 0 && m->input->count > 1;) {
        struct netfuzz_input candidate;

        if (!netfuzz_input_copy(&candidate, m->input))
            return any;
        netfuzz_input_remove(&candidate, i);
        any |= try_candidate(m, &candidate);
    }
    return any;
}

/* The text of a record whose lengths are right; 0 when there is none. */
static size_t text_of(const struct netfuzz_record *r)
{
    size_t len;

    if (r->kind != NETFUZZ_DATA || r->len <= PDU_BHS_LEN || pdu_ahs_len(r->bytes) > 0)
        return 0;
    len = pdu_data_len(r->bytes);
    return PDU_BHS_LEN + pdu_padded_len(len) == r->len ? len : 0;
}

/* Replaces part of the text by nothing, lengths kept right. */
static bool cut_text(struct minimising *m, size_t at, size_t from, size_t len)
{
    const struct netfuzz_record *r = &m->input->records[at];
    size_t text = text_of(r);
    struct netfuzz_input candidate;
    uint8_t *bytes = calloc(1, r->len + 4);
    bool good;

    if (!bytes || from + len > text || !netfuzz_input_copy(&candidate, m->input)) {
        free(bytes);
        return false;
    }
    memcpy(bytes, r->bytes, PDU_BHS_LEN + from);
    memcpy(bytes + PDU_BHS_LEN + from, r->bytes + PDU_BHS_LEN + from + len, text - from - len);
    pdu_set_data_len(bytes, text - len);
    good = netfuzz_input_replace(&candidate, at, bytes, PDU_BHS_LEN + pdu_padded_len(text - len));
    free(bytes);
    if (!good) {
        netfuzz_input_free(&candidate);
        return false;
    }
    return try_candidate(m, &candidate);
}

/* Start of the string in which `from` lies, and its length with the null byte. */
static size_t string_at(const struct netfuzz_record *r, size_t from)
{
    const uint8_t *text = r->bytes + PDU_BHS_LEN;
    const uint8_t *end = memchr(text + from, 0, text_of(r) - from);

    return end ? (size_t)(end - text) + 1 - from : text_of(r) - from;
}

static bool drop_keys(struct minimising *m, size_t at)
{
    bool any = false;
    size_t from = 0;

    while (from < text_of(&m->input->records[at])) {
        size_t len = string_at(&m->input->records[at], from);

        if (cut_text(m, at, from, len))
            any = true;
        else
            from += len;
    }
    return any;
}

/* Long values become shorter, by halves. */
static bool shorten_values(struct minimising *m, size_t at)
{
    bool any = false;
    size_t from = 0;

    while (from < text_of(&m->input->records[at])) {
        size_t len = string_at(&m->input->records[at], from);
        const uint8_t *sign = memchr(m->input->records[at].bytes + PDU_BHS_LEN + from, '=', len);
        size_t value = sign ? (size_t)(sign - m->input->records[at].bytes) - PDU_BHS_LEN + 1 : from;
        size_t value_len = from + len - value;

        for (size_t part = value_len / 2; part > 0; part /= 2)
            while (value_len > part + 1 && cut_text(m, at, value, part)) {
                any = true;
                value_len -= part;
            }
        from = value + value_len > from ? value + value_len : from + len;
    }
    return any;
}

/* Bytes become zero, except the first and the lengths; runs of them at once as long as that goes. */
static bool zero_bytes(struct minimising *m, size_t at)
{
    bool any = false;

    for (size_t run = 16; run > 0; run /= 4)
        for (size_t from = 1; from < m->input->records[at].len && from < PDU_BHS_LEN; from += run) {
            struct netfuzz_input candidate;
            bool changed = false;

            if (!netfuzz_input_copy(&candidate, m->input))
                return any;
            for (size_t i = from; i < from + run && i < candidate.records[at].len && i < PDU_BHS_LEN; i++) {
                if (i >= 4 && i <= 7)
                    continue;
                changed |= candidate.records[at].bytes[i] != 0;
                candidate.records[at].bytes[i] = 0;
            }
            if (changed)
                any |= try_candidate(m, &candidate);
            else
                netfuzz_input_free(&candidate);
        }
    return any;
}

size_t netfuzz_minimise(struct netfuzz_input *input, bool (*shows)(void *user, const struct netfuzz_input *candidate),
                        void *user, size_t tries_max, int limit_ms)
{
    struct minimising m = {input, shows, user, 0, tries_max, process_now_ms() + limit_ms};
    bool any = true;

    while (any && m.tries < m.max && process_now_ms() < m.until_ms) {
        any = drop_records(&m);
        for (size_t i = 0; i < m.input->count; i++)
            any |= drop_keys(&m, i);
        for (size_t i = 0; i < m.input->count && !any; i++) {
            any |= shorten_values(&m, i);
            any |= zero_bytes(&m, i);
        }
    }
    return m.tries;
}
