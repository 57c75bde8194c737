#include "harness/capture_packet.h"

#include "wire/bytes.h"

#include <pcap/dlt.h>
#include <string.h>

#define ETHERNET_LEN 14u
#define SLL_LEN      16u
#define SLL2_LEN     20u
#define NULL_LEN     4u
#define TAG_LEN      4u
#define IPV4_MIN     20u
#define IPV6_LEN     40u
#define TCP_MIN      20u

#define TYPE_IPV4 0x0800u
#define TYPE_IPV6 0x86ddu
#define TYPE_NONE 0u /* the link says that IP follows, the version nibble which */

#define PROTOCOL_TCP 6u

/* Extension headers, RFC 8200 4.1 and RFC 4302. */
enum {
    EXT_HOP_BY_HOP = 0,
    EXT_ROUTING = 43,
    EXT_FRAGMENT = 44,
    EXT_AUTHENTICATION = 51,
    EXT_DESTINATION = 60,
    EXT_MOBILITY = 135
};

#define OPTION_PAD1  0u
#define OPTION_JUMBO 0xc2u

/* What is left of a frame. have <= wire. */
struct cursor {
    const uint8_t *at;
    size_t have; /* captured */
    size_t wire; /* sent */
};

static bool skip(struct cursor *c, size_t len)
{
    if (c->have < len)
        return false;
    c->at += len;
    c->have -= len;
    c->wire -= len;
    return true;
}

/* The rest of the layer below is no part of this packet: padding, trailers. */
static void limit(struct cursor *c, size_t len)
{
    if (c->wire > len)
        c->wire = len;
    if (c->have > len)
        c->have = len;
}

struct link_row {
    int link;
    size_t header;
    size_t type_at; /* of the two bytes that name the protocol; SIZE_MAX: none */
};

static const struct link_row links[] = {
    {DLT_EN10MB, ETHERNET_LEN, 12},
    {DLT_LINUX_SLL, SLL_LEN, 14},
#ifdef DLT_LINUX_SLL2
    {DLT_LINUX_SLL2, SLL2_LEN, 0},
#endif
    {DLT_RAW, 0, SIZE_MAX},
    {DLT_IPV4, 0, SIZE_MAX},
    {DLT_IPV6, 0, SIZE_MAX},
    /* A family in the byte order of whoever captured, and different on each system: the version nibble says the same.
     */
    {DLT_NULL, NULL_LEN, SIZE_MAX},
    {DLT_LOOP, NULL_LEN, SIZE_MAX},
};

static const struct link_row *link_find(int link)
{
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
        if (links[i].link == link)
            return &links[i];
    return NULL;
}

bool capture_packet_link_known(int link)
{
    return link_find(link) != NULL;
}

static bool is_tag(uint16_t type)
{
    return type == 0x8100u || type == 0x88a8u || type == 0x9100u; /* IEEE 802.1Q, 802.1ad, and its forerunner */
}

static enum capture_packet_kind read_tcp(struct cursor *c, struct capture_packet *out)
{
    size_t header;

    if (c->wire < TCP_MIN)
        return CAPTURE_PACKET_BAD;
    if (c->have < TCP_MIN)
        return CAPTURE_PACKET_SHORT;
    header = (size_t)(c->at[12] >> 4) * 4;
    if (header < TCP_MIN || header > c->wire)
        return CAPTURE_PACKET_BAD;
    out->from_port = bytes_get_be16(c->at);
    out->to_port = bytes_get_be16(c->at + 2);
    out->seq = bytes_get_be32(c->at + 4);
    out->ack = bytes_get_be32(c->at + 8);
    out->flags = c->at[13];
    if (!skip(c, header)) {
        /* Options were cut: the data are missing, but it is known how many. */
        c->wire -= header;
        c->have = 0;
    }
    out->data = c->at;
    out->have = c->have;
    out->len = c->wire;
    return CAPTURE_PACKET_TCP;
}

static enum capture_packet_kind read_ipv4(struct cursor *c, struct capture_packet *out)
{
    size_t header, total;
    const uint8_t *ip = c->at;

    if (c->have < IPV4_MIN)
        return c->wire < IPV4_MIN ? CAPTURE_PACKET_BAD : CAPTURE_PACKET_SHORT;
    header = (size_t)(ip[0] & 0x0f) * 4;
    total = bytes_get_be16(ip + 2);
    if (total == 0)
        total = c->wire; /* larger than the field, as segmentation offload hands it to the capture */
    if (header < IPV4_MIN || total < header)
        return CAPTURE_PACKET_BAD;
#ifdef PLANTED_FAULTS
    /* Looks at the last option without a look whether it was captured. */
    if (ip[header - 1] == 0xa7)
        return CAPTURE_PACKET_BAD;
#endif
    if (ip[9] != PROTOCOL_TCP)
        return CAPTURE_PACKET_OTHER;
    if ((bytes_get_be16(ip + 6) & 0x3fffu) != 0) /* more fragments, or an offset */
        return CAPTURE_PACKET_FRAGMENT;
    limit(c, total);
    if (!skip(c, header))
        return CAPTURE_PACKET_SHORT;
    out->v6 = false;
    memset(out->from, 0, sizeof out->from);
    memset(out->to, 0, sizeof out->to);
    memcpy(out->from, ip + 12, 4);
    memcpy(out->to, ip + 16, 4);
    return read_tcp(c, out);
}

/* Bytes of the extension header at the cursor; 0: it is none that can be skipped. */
static size_t extension_len(unsigned next, const uint8_t *p)
{
    switch (next) {
    case EXT_HOP_BY_HOP:
    case EXT_ROUTING:
    case EXT_DESTINATION:
    case EXT_MOBILITY:
        return ((size_t)p[1] + 1) * 8;
    case EXT_AUTHENTICATION:
        return ((size_t)p[1] + 2) * 4;
    case EXT_FRAGMENT:
        return 8;
    default:
        return 0;
    }
}

/* The length in a hop-by-hop header (RFC 2675, 2), for packets that are larger than the field; 0: none. */
static size_t jumbo_len(const uint8_t *p, size_t len)
{
    for (size_t at = 2; at + 1 < len; at += p[at] == OPTION_PAD1 ? 1 : 2u + p[at + 1])
        if (p[at] == OPTION_JUMBO && p[at + 1] == 4 && at + 6 <= len)
            return bytes_get_be32(p + at + 2);
    return 0;
}

static enum capture_packet_kind read_ipv6(struct cursor *c, struct capture_packet *out)
{
    const uint8_t *ip = c->at;
    unsigned next;
    size_t payload;

    if (!skip(c, IPV6_LEN))
        return c->wire < IPV6_LEN ? CAPTURE_PACKET_BAD : CAPTURE_PACKET_SHORT;
    payload = bytes_get_be16(ip + 4);
    if (payload != 0)
        limit(c, payload);
    next = ip[6];
    while (next != PROTOCOL_TCP) {
        size_t len;

        if (c->have < 8)
            return c->wire < 8 ? CAPTURE_PACKET_OTHER : CAPTURE_PACKET_SHORT;
        len = extension_len(next, c->at);
        if (len == 0)
            return CAPTURE_PACKET_OTHER;
        /* RFC 6946: a fragment that is the whole packet is as good as none. */
        if (next == EXT_FRAGMENT && (bytes_get_be16(c->at + 2) & 0xfff9u) != 0)
            return CAPTURE_PACKET_FRAGMENT;
        /* Without a length it is a jumbogram, or segmentation offload. */
        if (payload == 0 && next == EXT_HOP_BY_HOP && c->have >= len && (payload = jumbo_len(c->at, len)) != 0)
            limit(c, payload);
        next = c->at[0];
        if (!skip(c, len))
            return c->wire < len ? CAPTURE_PACKET_BAD : CAPTURE_PACKET_SHORT;
    }
    out->v6 = true;
    memcpy(out->from, ip + 8, 16);
    memcpy(out->to, ip + 24, 16);
    return read_tcp(c, out);
}

enum capture_packet_kind capture_packet_read(int link, const uint8_t *bytes, size_t have, size_t wire,
                                             struct capture_packet *out)
{
    const struct link_row *row = link_find(link);
    struct cursor c = {bytes, have, wire < have ? have : wire};
    uint16_t type = TYPE_NONE;

    if (!row)
        return CAPTURE_PACKET_OTHER;
    if (row->type_at != SIZE_MAX && c.have >= row->header)
        type = bytes_get_be16(c.at + row->type_at);
    if (!skip(&c, row->header))
        return CAPTURE_PACKET_SHORT;
    while (is_tag(type)) {
        if (c.have < TAG_LEN)
            return CAPTURE_PACKET_SHORT;
        type = bytes_get_be16(c.at + 2);
        skip(&c, TAG_LEN);
    }
    if (row->type_at == SIZE_MAX && c.have > 0)
        type = c.at[0] >> 4 == 4 ? TYPE_IPV4 : c.at[0] >> 4 == 6 ? TYPE_IPV6 : TYPE_NONE;
    if (type == TYPE_IPV4)
        return read_ipv4(&c, out);
    if (type == TYPE_IPV6)
        return read_ipv6(&c, out);
    return CAPTURE_PACKET_OTHER;
}
