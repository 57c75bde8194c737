#include "harness/capture_ng.h"

#include "wire/bytes.h"

#include <pcap/dlt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_HEAD     8u /* type and length */
#define BLOCK_TAIL     4u /* the length again */
#define BLOCK_MAX      (16u << 20)
#define INTERFACES_MAX 65536u
#define ERROR_MAX      160u

#define ORDER_MAGIC  0x1a2b3c4du
#define LINKTYPE_RAW 101u /* the one number that differs from its DLT */

#define OPTION_RESOLUTION 9u
#define OPTION_OFFSET     14u

#define MICRO INT64_C(1000000)

enum block {
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 2, /* of old */
    BLOCK_SIMPLE = 3,
    BLOCK_ENHANCED = 6,
    BLOCK_SECTION = 0x0a0d0d0a /* the same in both byte orders */
};

struct interface {
    int link;
    uint32_t snaplen;   /* 0: none */
    uint8_t resolution; /* of times: 10^-n seconds, or 2^-n with the upper bit set */
    int64_t offset;     /* seconds */
};

struct capture_ng {
    FILE *file;
    bool big; /* byte order of the section */
    uint8_t *block;
    size_t block_capacity;
    struct interface *interfaces;
    size_t interface_count, interface_capacity;
    int64_t last_us;
    char error[ERROR_MAX];
};

bool capture_ng_is(FILE *file)
{
    int first = getc(file);

    if (first != EOF)
        ungetc(first, file);
    return first == (BLOCK_SECTION & 0xff);
}

struct capture_ng *capture_ng_new(FILE *file)
{
    struct capture_ng *ng = calloc(1, sizeof *ng);

    if (ng)
        ng->file = file;
    return ng;
}

void capture_ng_free(struct capture_ng *ng)
{
    if (!ng)
        return;
    free(ng->block);
    free(ng->interfaces);
    free(ng);
}

const char *capture_ng_error(const struct capture_ng *ng)
{
    return ng->error;
}

static enum capture_ng_result damaged(struct capture_ng *ng, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum capture_ng_result damaged(struct capture_ng *ng, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(ng->error, sizeof ng->error, format, args);
    va_end(args);
    return CAPTURE_NG_DAMAGED;
}

static uint16_t get16(const struct capture_ng *ng, const uint8_t *p)
{
    return (uint16_t)(ng->big ? bytes_get_be16(p) : p[0] | p[1] << 8);
}

static uint32_t get32(const struct capture_ng *ng, const uint8_t *p)
{
    return ng->big ? bytes_get_be32(p) : (uint32_t)get16(ng, p) | (uint32_t)get16(ng, p + 2) << 16;
}

/* ---- blocks ---- */

static bool is_read(uint32_t type)
{
    return type == BLOCK_SECTION || type == BLOCK_INTERFACE || type == BLOCK_PACKET || type == BLOCK_SIMPLE ||
           type == BLOCK_ENHANCED;
}

static enum capture_ng_result cut_short(struct capture_ng *ng, size_t got, size_t due)
{
    if (ferror(ng->file))
        return damaged(ng, "it cannot be read further");
    return damaged(ng, "truncated in a block: %zu bytes of %zu are there", got, due);
}

/* Bytes of a block of a sort that says nothing of packets. */
static enum capture_ng_result pass_over(struct capture_ng *ng, size_t len)
{
    uint8_t waste[4096];
    size_t done = 0;

    while (done < len) {
        size_t part = len - done < sizeof waste ? len - done : sizeof waste;
        size_t got = fread(waste, 1, part, ng->file);

        done += got;
        if (got < part)
            return cut_short(ng, done, len);
    }
    return CAPTURE_NG_FRAME;
}

static bool make_room(struct capture_ng *ng, size_t len)
{
    size_t capacity = len > 2 * ng->block_capacity ? len : 2 * ng->block_capacity;
    uint8_t *block;

    if (len <= ng->block_capacity)
        return true;
    block = realloc(ng->block, capacity);
    if (!block)
        return false;
    ng->block = block;
    ng->block_capacity = capacity;
    return true;
}

/* A section header says in which order its own length stands. The four bytes that tell it are read here. */
static bool learn_order(struct capture_ng *ng, uint8_t *magic)
{
    if (fread(magic, 1, 4, ng->file) != 4)
        return false;
    ng->big = bytes_get_be32(magic) == ORDER_MAGIC;
    return ng->big || get32(ng, magic) == ORDER_MAGIC;
}

/* The next block that is of interest: its body goes to ng->block. CAPTURE_NG_FRAME: there is one, frame or not. */
static enum capture_ng_result read_block(struct capture_ng *ng, uint32_t *type, size_t *len)
{
    for (;;) {
        uint8_t head[BLOCK_HEAD], magic[4];
        size_t got = fread(head, 1, sizeof head, ng->file);
        size_t early = 0, rest;
        uint32_t total;

        if (got == 0 && !ferror(ng->file))
            return CAPTURE_NG_END;
        if (got < sizeof head)
            return cut_short(ng, got, sizeof head);
        *type = get32(ng, head);
        if (*type == BLOCK_SECTION) {
            if (!learn_order(ng, magic))
                return damaged(ng, "a section header without the mark of its byte order");
            early = sizeof magic;
        }
        total = get32(ng, head + 4);
        if (total < BLOCK_HEAD + early + BLOCK_TAIL || total % 4 != 0)
            return damaged(ng, "a block of %u bytes", total);
        rest = total - BLOCK_HEAD;
        if (!is_read(*type)) {
            if (pass_over(ng, rest) != CAPTURE_NG_FRAME)
                return CAPTURE_NG_DAMAGED;
            continue;
        }
        if (total > BLOCK_MAX)
            return damaged(ng, "a block of %u bytes, larger than any packet", total);
        if (!make_room(ng, rest))
            return damaged(ng, "out of memory");
        memcpy(ng->block, magic, early);
        got = fread(ng->block + early, 1, rest - early, ng->file);
        if (got < rest - early)
            return cut_short(ng, got + early, rest);
        *len = rest - BLOCK_TAIL;
        if (get32(ng, ng->block + *len) != total)
            return damaged(ng, "a block whose two lengths differ: %u and %u", total, get32(ng, ng->block + *len));
        return CAPTURE_NG_FRAME;
    }
}

/* ---- sections and interfaces ---- */

static enum capture_ng_result begin_section(struct capture_ng *ng, size_t len)
{
    if (len < 16)
        return damaged(ng, "a section header of %zu bytes", len);
    if (get16(ng, ng->block + 4) != 1)
        return damaged(ng, "version %u of the format is not known", get16(ng, ng->block + 4));
    ng->interface_count = 0;
    return CAPTURE_NG_FRAME;
}

static void read_options(const struct capture_ng *ng, struct interface *out, const uint8_t *p, size_t len)
{
    size_t at = 0;

    while (len - at >= 4) {
        unsigned code = get16(ng, p + at);
        size_t size = get16(ng, p + at + 2);
        const uint8_t *value = p + at + 4;

        if (code == 0 || len - at - 4 < size)
            return;
        if (code == OPTION_RESOLUTION && size >= 1)
            out->resolution = value[0];
        if (code == OPTION_OFFSET && size >= 8) {
            uint64_t low = get32(ng, ng->big ? value + 4 : value);
            uint64_t high = get32(ng, ng->big ? value : value + 4);

            out->offset = (int64_t)(high << 32 | low);
        }
        size = (size + 3) / 4 * 4;
        if (len - at - 4 < size)
            return;
        at += 4 + size;
    }
}

static enum capture_ng_result add_interface(struct capture_ng *ng, size_t len)
{
    struct interface *added;

    if (len < 8)
        return damaged(ng, "a description of an interface in %zu bytes", len);
    if (ng->interface_count == INTERFACES_MAX)
        return damaged(ng, "more than %u interfaces", INTERFACES_MAX);
    if (ng->interface_count == ng->interface_capacity) {
        size_t capacity = ng->interface_capacity ? 2 * ng->interface_capacity : 4;
        struct interface *items = realloc(ng->interfaces, capacity * sizeof *items);

        if (!items)
            return damaged(ng, "out of memory");
        ng->interfaces = items;
        ng->interface_capacity = capacity;
    }
    added = &ng->interfaces[ng->interface_count++];
    *added = (struct interface){.link = get16(ng, ng->block), .snaplen = get32(ng, ng->block + 4), .resolution = 6};
    if (added->link == LINKTYPE_RAW)
        added->link = DLT_RAW;
    read_options(ng, added, ng->block + 8, len - 8);
    return CAPTURE_NG_FRAME;
}

/* ---- packets ---- */

static uint64_t power_of_ten(unsigned n)
{
    uint64_t power = 1;

    while (n-- > 0)
        power *= 10;
    return power;
}

static int64_t time_of(const struct interface *in, uint64_t ticks)
{
    unsigned n = in->resolution & 0x7fu;
    uint64_t seconds, micro;
    int64_t offset = in->offset < -CAPTURE_SECONDS_MAX  ? -CAPTURE_SECONDS_MAX
                     : in->offset > CAPTURE_SECONDS_MAX ? CAPTURE_SECONDS_MAX
                                                        : in->offset;

    if (in->resolution & 0x80u) {
        uint64_t part = n == 0 ? 0 : n < 64 ? ticks & ((UINT64_C(1) << n) - 1) : ticks;

        seconds = n < 64 ? ticks >> n : 0;
        /* 43 bits of a second are enough, and leave room for the product. */
        micro = n <= 43 ? part * (uint64_t)MICRO >> n : n < 107 ? (part >> (n - 43)) * (uint64_t)MICRO >> 43 : 0;
    } else if (n <= 19) {
        seconds = ticks / power_of_ten(n);
        micro = ticks % power_of_ten(n);
        micro = n <= 6 ? micro * power_of_ten(6 - n) : micro / power_of_ten(n - 6);
    } else {
        seconds = micro = 0;
    }
    if (seconds > (uint64_t)CAPTURE_SECONDS_MAX)
        seconds = (uint64_t)CAPTURE_SECONDS_MAX;
    return ((int64_t)seconds + offset) * MICRO + (int64_t)micro;
}

/* NULL: the error is told. */
static const struct interface *find_interface(struct capture_ng *ng, uint32_t number)
{
    if (number < ng->interface_count)
        return &ng->interfaces[number];
    damaged(ng, "a packet of interface %u, which is not described", number);
    return NULL;
}

/* Enhanced packets and those of old differ in how the number of the interface is written. */
static enum capture_ng_result take_packet(struct capture_ng *ng, uint32_t type, size_t len, struct capture_frame *out)
{
    const uint8_t *p = ng->block;
    const struct interface *in;

    if (len < 20)
        return damaged(ng, "a packet in a block of %zu bytes", len);
    in = find_interface(ng, type == BLOCK_PACKET ? get16(ng, p) : get32(ng, p));
    if (!in)
        return CAPTURE_NG_DAMAGED;
    out->link = in->link;
    out->us = ng->last_us = time_of(in, (uint64_t)get32(ng, p + 4) << 32 | get32(ng, p + 8));
    out->bytes = p + 20;
    out->have = get32(ng, p + 12);
    out->wire = get32(ng, p + 16);
    if (out->have > len - 20)
        return damaged(ng, "a packet of %zu bytes in a block of %zu", out->have, len);
    return CAPTURE_NG_FRAME;
}

/* A simple packet has no time, and says how long it was, not how much of it is there. */
static enum capture_ng_result take_simple(struct capture_ng *ng, size_t len, struct capture_frame *out)
{
    const struct interface *in;

    if (len < 4)
        return damaged(ng, "a packet in a block of %zu bytes", len);
    in = find_interface(ng, 0);
    if (!in)
        return CAPTURE_NG_DAMAGED;
    out->link = in->link;
    out->us = ng->last_us;
    out->bytes = ng->block + 4;
    out->wire = get32(ng, ng->block);
    out->have = in->snaplen > 0 && out->wire > in->snaplen ? in->snaplen : out->wire;
    if (out->have > len - 4)
        return damaged(ng, "a packet of %zu bytes in a block of %zu", out->have, len);
    return CAPTURE_NG_FRAME;
}

enum capture_ng_result capture_ng_begin(struct capture_ng *ng)
{
    uint32_t type;
    size_t len;
    enum capture_ng_result result = read_block(ng, &type, &len);

    if (result != CAPTURE_NG_FRAME)
        return result == CAPTURE_NG_END ? damaged(ng, "no section header") : result;
    return type == BLOCK_SECTION ? begin_section(ng, len) : damaged(ng, "it does not begin with a section header");
}

enum capture_ng_result capture_ng_next(struct capture_ng *ng, struct capture_frame *out)
{
    enum capture_ng_result result;
    uint32_t type;
    size_t len;

    while ((result = read_block(ng, &type, &len)) == CAPTURE_NG_FRAME) {
        if (type == BLOCK_SIMPLE)
            return take_simple(ng, len, out);
        if (type != BLOCK_SECTION && type != BLOCK_INTERFACE)
            return take_packet(ng, type, len, out);
        result = type == BLOCK_SECTION ? begin_section(ng, len) : add_interface(ng, len);
        if (result != CAPTURE_NG_FRAME)
            break;
    }
    return result;
}
