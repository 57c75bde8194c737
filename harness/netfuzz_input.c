/* Inputs of the network fuzzer: see netfuzz_input.h. */
#include "harness/netfuzz_input.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD_CONN = 3, HEAD_KIND_SHIFT = 2, HEAD_LEN = 3 };

size_t netfuzz_input_size(const struct netfuzz_input *in)
{
    size_t sum = 0;

    for (size_t i = 0; i < in->count; i++)
        sum += in->records[i].len;
    return sum;
}

static bool copy_bytes(uint8_t **out, const uint8_t *bytes, size_t len)
{
    *out = NULL;
    if (len == 0)
        return true;
    *out = malloc(len);
    if (*out)
        memcpy(*out, bytes, len);
    return *out != NULL;
}

bool netfuzz_input_add(struct netfuzz_input *in, unsigned conn, enum netfuzz_kind kind, unsigned live,
                       const uint8_t *bytes, size_t len)
{
    struct netfuzz_record *bigger, *r;

    if (in->count == NETFUZZ_RECORDS_MAX || len > NETFUZZ_RECORD_MAX ||
        netfuzz_input_size(in) + len > NETFUZZ_INPUT_MAX)
        return false;
    bigger = realloc(in->records, (in->count + 1) * sizeof(*bigger));
    if (!bigger)
        return false;
    in->records = bigger;
    r = &in->records[in->count];
    *r = (struct netfuzz_record){
        .conn = conn % NETFUZZ_CONNS, .kind = kind, .live = live & SESSION_INPUT_LIVE_ALL, .len = len};
    if (!copy_bytes(&r->bytes, bytes, len))
        return false;
    in->count++;
    return true;
}

void netfuzz_input_free(struct netfuzz_input *in)
{
    for (size_t i = 0; i < in->count; i++)
        free(in->records[i].bytes);
    free(in->records);
    memset(in, 0, sizeof(*in));
}

bool netfuzz_input_copy(struct netfuzz_input *out, const struct netfuzz_input *in)
{
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < in->count; i++) {
        const struct netfuzz_record *r = &in->records[i];

        if (!netfuzz_input_add(out, r->conn, r->kind, r->live, r->bytes, r->len)) {
            netfuzz_input_free(out);
            return false;
        }
    }
    return true;
}

void netfuzz_input_remove(struct netfuzz_input *in, size_t at)
{
    if (at >= in->count)
        return;
    free(in->records[at].bytes);
    memmove(&in->records[at], &in->records[at + 1], (in->count - at - 1) * sizeof(*in->records));
    in->count--;
}

bool netfuzz_input_replace(struct netfuzz_input *in, size_t at, const uint8_t *bytes, size_t len)
{
    struct netfuzz_record *r = &in->records[at];
    uint8_t *copy;

    if (len > NETFUZZ_RECORD_MAX || netfuzz_input_size(in) - r->len + len > NETFUZZ_INPUT_MAX ||
        !copy_bytes(&copy, bytes, len))
        return false;
    free(r->bytes);
    r->bytes = copy;
    r->len = len;
    return true;
}

uint8_t *netfuzz_input_encode(const struct netfuzz_input *in, size_t *len)
{
    uint8_t *out = malloc(netfuzz_input_size(in) + in->count * HEAD_LEN + 1), *p = out;

    *len = 0;
    if (!out)
        return NULL;
    for (size_t i = 0; i < in->count; i++) {
        const struct netfuzz_record *r = &in->records[i];

        *p++ = (uint8_t)(r->conn | (unsigned)r->kind << HEAD_KIND_SHIFT | r->live);
        if (r->kind != NETFUZZ_DATA)
            continue;
        *p++ = (uint8_t)r->len;
        *p++ = (uint8_t)(r->len >> 8);
        if (r->len > 0)
            memcpy(p, r->bytes, r->len);
        p += r->len;
    }
    *len = (size_t)(p - out);
    return out;
}

bool netfuzz_input_decode(struct netfuzz_input *out, const uint8_t *bytes, size_t len)
{
    const uint8_t *p = bytes, *end = bytes + len;

    memset(out, 0, sizeof(*out));
    while (p < end && out->count < NETFUZZ_RECORDS_MAX) {
        uint8_t head = *p++;
        enum netfuzz_kind kind = (enum netfuzz_kind)(head >> HEAD_KIND_SHIFT & 3u);
        size_t size = 0;

        if (kind == NETFUZZ_DATA) {
            if (end - p < 2)
                break;
            size = (size_t)(p[0] | p[1] << 8);
            p += 2;
            if (size > (size_t)(end - p))
                size = (size_t)(end - p);
        }
        if (netfuzz_input_size(out) + size > NETFUZZ_INPUT_MAX)
            break;
        if (!netfuzz_input_add(out, head & HEAD_CONN, kind, head & SESSION_INPUT_LIVE_ALL, p, size)) {
            netfuzz_input_free(out);
            return false;
        }
        p += size;
    }
    return true;
}

uint64_t netfuzz_input_hash(const struct netfuzz_input *in)
{
    uint64_t hash = 0xcbf29ce484222325u;
    size_t len;
    uint8_t *bytes = netfuzz_input_encode(in, &len);

    for (size_t i = 0; bytes && i < len; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    free(bytes);
    return hash;
}
