/*
 * capture_variants FOLDER: writes FOLDER/LINK.pcap for each link type, with one connection for each variant of what can
 * befall a login in a capture, and FOLDER/variants: "PORT NAME" for each, the initiator's port. The target's is 13260.
 */
#include "wire/bytes.h"
#include "wire/pdu.h"

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TARGET_PORT  13260u
#define FIRST_PORT   40001u
#define STREAM_MAX   4096u
#define FRAMES_MAX   8192u
#define FRAME_MAX    2048u
#define OUT_SEGMENT  90u
#define BACK_SEGMENT 70u

enum twist {
    V6 = 1u << 0,
    OPTIONS = 1u << 1,  /* IPv4 options, IPv6 extension headers */
    SWAPPED = 1u << 2,  /* each two segments of data change places */
    REVERSED = 1u << 3, /* the segments of each PDU come from the last to the first */
    OVERLAP = 1u << 4,  /* each segment begins with the end of the one before */
    OTHER = 1u << 5,    /* ... with other bytes */
    AGAIN = 1u << 6,    /* each segment twice */
    JOINED = 1u << 7,   /* two segments come once more as one */
    ALIVE = 1u << 8,    /* keep-alives between all */
    WRAP = 1u << 9,     /* sequence numbers pass 2^32 in the middle */
    MIDDLE = 1u << 10,  /* the capture began after the handshake */
    GAP = 1u << 11,     /* a segment of the last request is missing */
    CUT = 1u << 12,     /* frames of the last request are cut in its header */
    REUSE = 1u << 13,   /* the same ports are used for a second connection */
    BYTES = 1u << 14,   /* segments of one byte */
    MANY = 1u << 15,    /* all PDUs of a side in one segment */
    PADDED = 1u << 16,  /* bytes behind the IP packet */
    FIN_FIRST = 1u << 17,
    SUMS = 1u << 18,    /* checksums as offloading leaves them */
    OFFLOAD = 1u << 19, /* IP length 0 */
    RESET = 1u << 20,
    CROSSED = 1u << 21, /* the answer is captured before the end of the request */
    SYN_TWICE = 1u << 22,
    FRAGMENTS = 1u << 23, /* the last request comes in fragments of IP */
    ON_SYN = 1u << 24,    /* the first bytes come with the SYN (RFC 7413) */
    URGENT = 1u << 25,    /* URG in every segment of data */
    PROBES = 1u << 26,    /* the first byte that a closed window does not let through, again and again */
    STAMPS = 1u << 27,    /* TCP timestamps */
};

struct variant {
    const char *name;
    unsigned twists;
};

static const struct variant variants[] = {
    {"plain", 0},
    {"v6", V6},
    {"options", OPTIONS},
    {"v6-extension-headers", V6 | OPTIONS},
    {"swapped", SWAPPED},
    {"reversed", REVERSED},
    {"overlap", OVERLAP},
    {"overlap-other", OVERLAP | OTHER},
    {"again", AGAIN},
    {"again-other", AGAIN | OTHER},
    {"joined", JOINED},
    {"alive", ALIVE},
    {"wrap", WRAP},
    {"middle", MIDDLE},
    {"gap", GAP},
    {"cut", CUT},
    {"reuse", REUSE},
    {"bytes", BYTES},
    {"many", MANY},
    {"padded", PADDED},
    {"fin-first", FIN_FIRST},
    {"sums", SUMS},
    {"offload", OFFLOAD},
    {"reset", RESET},
    {"crossed", CROSSED},
    {"syn-twice", SYN_TWICE},
    {"fragments", FRAGMENTS},
    {"v6-swapped-wrap", V6 | SWAPPED | WRAP},
    {"v6-options-bytes", V6 | OPTIONS | BYTES},
    {"reversed-wrap-overlap", REVERSED | WRAP | OVERLAP},
    {"swapped-overlap-other", SWAPPED | OVERLAP | OTHER},
    {"reversed-bytes", REVERSED | BYTES},
    {"bytes-padded-alive", BYTES | PADDED | ALIVE},
    {"again-swapped", AGAIN | SWAPPED},
    {"joined-reversed-v6", JOINED | REVERSED | V6},
    {"middle-wrap-again", MIDDLE | WRAP | AGAIN},
    {"reuse-wrap-reset", REUSE | WRAP | RESET},
    {"many-padded-sums", MANY | PADDED | SUMS},
    {"gap-wrap-again", GAP | WRAP | AGAIN},
    {"cut-v6", CUT | V6},
    {"fin-first-swapped", FIN_FIRST | SWAPPED},
    {"on-syn", ON_SYN},
    {"urgent", URGENT},
    {"probes", PROBES},
    {"stamps", STAMPS},
    {"v6-on-syn-wrap", V6 | ON_SYN | WRAP},
    {"v6-reversed-overlap", V6 | REVERSED | OVERLAP},
    {"v6-options-again-other", V6 | OPTIONS | AGAIN | OTHER},
    {"v6-gap-options", V6 | GAP | OPTIONS},
    {"v6-reuse-stamps", V6 | REUSE | STAMPS},
    {"v6-middle-bytes", V6 | MIDDLE | BYTES},
    {"v6-crossed-wrap-sums", V6 | CROSSED | WRAP | SUMS},
    {"v6-many-stamps-reset", V6 | MANY | STAMPS | RESET},
    {"options-stamps-padded", OPTIONS | STAMPS | PADDED},
    {"options-offload-many", OPTIONS | OFFLOAD | MANY},
    {"wrap-bytes-swapped", WRAP | BYTES | SWAPPED},
    {"wrap-joined-reversed", WRAP | JOINED | REVERSED},
    {"wrap-fragments", WRAP | FRAGMENTS},
    {"again-reversed-stamps", AGAIN | REVERSED | STAMPS},
    {"overlap-again-bytes", OVERLAP | AGAIN | BYTES},
    {"crossed-fin-first", CROSSED | FIN_FIRST},
    {"syn-twice-reuse-swapped", SYN_TWICE | REUSE | SWAPPED},
    {"probes-alive-urgent", PROBES | ALIVE | URGENT},
    {"cut-stamps-wrap", CUT | STAMPS | WRAP},
    {"gap-reversed", GAP | REVERSED},
    {"gap-middle-v6-wrap", GAP | MIDDLE | V6 | WRAP},
    {"reset-swapped-overlap", RESET | SWAPPED | OVERLAP},
    {"reuse-bytes-padded-v6", REUSE | BYTES | PADDED | V6},
    {"all-at-once", V6 | OPTIONS | SWAPPED | OVERLAP | AGAIN | ALIVE | WRAP | PADDED | SUMS},
};

struct link_type {
    const char *name;
    int dlt;
    size_t header;
};

static const struct link_type link_types[] = {
    {"ethernet", DLT_EN10MB, 14}, {"vlan", DLT_EN10MB, 18},     {"qinq", DLT_EN10MB, 22}, {"raw", DLT_RAW, 0},
    {"sll", DLT_LINUX_SLL, 16},   {"sll2", DLT_LINUX_SLL2, 20}, {"null", DLT_NULL, 4},    {"loop", DLT_LOOP, 4},
};

enum flag { FIN = 1, SYN = 2, RST = 4, ACK = 16, URG = 32 };

struct frame {
    unsigned side;
    uint32_t at;  /* in the stream of the side; SYN stands at -1 */
    uint32_t ack; /* bytes of the other side */
    size_t len;
    unsigned flags;
    bool other; /* the bytes differ from the stream's */
    bool last;  /* of the last request */
};

/* One conversation while it is made. */
struct talk {
    const struct variant *v;
    uint8_t stream[2][STREAM_MAX];
    size_t len[2];
    size_t last_from, last_to; /* the last request in stream[0] */
    struct frame frames[FRAMES_MAX];
    size_t count;
    uint32_t isn[2];
    uint16_t port;
};

struct writer {
    const struct link_type *link;
    pcap_dumper_t *dump;
    uint32_t clock_us;
    uint16_t id;
    uint8_t host; /* another one for each link type, so that all can go into one file */
};

static bool has(const struct talk *t, unsigned twists)
{
    return (t->v->twists & twists) != 0;
}

/* ---- what is said ---- */

static size_t put_pdu(struct talk *t, bool request, bool last, const char *text, size_t text_len)
{
    unsigned side = request ? 0 : 1;
    uint8_t *at = t->stream[side] + t->len[side];
    static const uint8_t isid[6] = {0x80, 1, 2, 3, 4, 5};

    if (request) {
        struct pdu_login_request req = {.immediate = true, .transit = true, .csg = last, .nsg = last ? 3 : 1, .itt = 7};

        memcpy(req.isid, isid, sizeof isid);
        req.isid[5] = (uint8_t)t->port;
        req.data_len = (uint32_t)text_len;
        pdu_login_request_encode(&req, at);
    } else {
        struct pdu_login_response rsp = {.transit = true, .csg = last, .nsg = last ? 3 : 1, .itt = 7};

        memcpy(rsp.isid, isid, sizeof isid);
        rsp.isid[5] = (uint8_t)t->port;
        rsp.tsih = last ? (uint16_t)(t->port + 1u) : 0;
        rsp.stat_sn = last;
        rsp.data_len = (uint32_t)text_len;
        pdu_login_response_encode(&rsp, at);
    }
    memset(at + PDU_BHS_LEN, 0, pdu_padded_len(text_len));
    memcpy(at + PDU_BHS_LEN, text, text_len);
    t->len[side] += PDU_BHS_LEN + pdu_padded_len(text_len);
    return t->len[side];
}

static void add(struct talk *t, unsigned side, size_t at, size_t len, unsigned flags, size_t ack)
{
    struct frame *f;

    if (t->count == FRAMES_MAX)
        abort();
    f = &t->frames[t->count++];
    *f = (struct frame){side, (uint32_t)at, (uint32_t)ack, len, flags, false, false};
    f->last = side == 0 && at >= t->last_from && at < t->last_to && len > 0;
}

/* Bytes of a side up to `to`, as the twists want it. */
static void say(struct talk *t, unsigned side, size_t from, size_t to, size_t ack)
{
    size_t size = has(t, MANY) ? STREAM_MAX : side == 0 ? OUT_SEGMENT : BACK_SEGMENT;
    size_t first = t->count;
    size_t len;

    for (size_t at = from; at < to; at += len) {
        /* Byte by byte through the header and some text. */
        size_t most = has(t, BYTES) && at < from + 60 ? 1 : size;
        size_t lead = has(t, OVERLAP) && at >= from + 10 ? 10 : 0;

        len = to - at < most ? to - at : most;
        add(t, side, at - lead, len + lead, ACK, ack);
        t->frames[t->count - 1].other = lead > 0 && has(t, OTHER);
        if (has(t, AGAIN)) {
            add(t, side, at, len, ACK, ack);
            t->frames[t->count - 1].other = has(t, OTHER);
        }
        if (has(t, JOINED) && at > from)
            add(t, side, at - size, size + len, ACK, ack);
        for (unsigned i = 0; has(t, PROBES) && i < 3 && at + len < to; i++) {
            add(t, !side, ack, 0, ACK, at + len);
            add(t, side, at + len, 1, ACK, ack);
        }
        if (has(t, ALIVE)) {
            add(t, side, at + len - 1, 0, ACK, ack);
            add(t, side, at + len - 1, 1, ACK, ack);
        }
    }
    for (size_t i = first; has(t, REVERSED) && i < first + (t->count - first) / 2; i++) {
        struct frame swap = t->frames[i];

        t->frames[i] = t->frames[t->count - 1 - (i - first)];
        t->frames[t->count - 1 - (i - first)] = swap;
    }
    for (size_t i = first; has(t, SWAPPED) && i + 1 < t->count; i += 2) {
        struct frame swap = t->frames[i];

        t->frames[i] = t->frames[i + 1];
        t->frames[i + 1] = swap;
    }
    add(t, !side, ack, 0, ACK, to);
}

static void remove_frame(struct talk *t, size_t index)
{
    memmove(&t->frames[index], &t->frames[index + 1], (t->count - index - 1) * sizeof t->frames[0]);
    t->count--;
}

/* A segment of the last request is not there, in no copy. */
static void make_gap(struct talk *t)
{
    uint32_t at = (uint32_t)t->last_from + OUT_SEGMENT;

    for (size_t i = t->count; i > 0; i--)
        if (t->frames[i - 1].side == 0 && t->frames[i - 1].len > 0 && t->frames[i - 1].at == at)
            remove_frame(t, i - 1);
}

/* The last segment of each request changes places with the first of its answer. */
static void cross(struct talk *t)
{
    for (size_t i = 0; i + 2 < t->count; i++) {
        struct frame *f = t->frames + i;

        if (f[0].side == 0 && f[0].len > 0 && f[1].side == 1 && f[1].len == 0 && f[2].side == 1 && f[2].len > 0) {
            struct frame swap = f[0];

            f[0] = f[2];
            f[2] = swap;
            i += 2;
        }
    }
}

static void open_and_close(struct talk *t, bool opening)
{
    if (opening) {
        add(t, 0, has(t, ON_SYN) ? 0 : (size_t)-1, has(t, ON_SYN) ? OUT_SEGMENT : 0, SYN, 0);
        if (has(t, SYN_TWICE))
            add(t, 0, (size_t)-1, 0, SYN, 0);
        add(t, 1, (size_t)-1, 0, SYN | ACK, 0);
        if (has(t, SYN_TWICE))
            add(t, 1, (size_t)-1, 0, SYN | ACK, 0);
        add(t, 0, has(t, ON_SYN) ? OUT_SEGMENT : 0, 0, ACK, 0);
        return;
    }
    add(t, 0, t->len[0], 0, has(t, RESET) ? RST | ACK : FIN | ACK, t->len[1]);
    if (has(t, RESET))
        return;
    add(t, 1, t->len[1], 0, FIN | ACK, t->len[0] + 1);
    add(t, 0, t->len[0] + 1, 0, ACK, t->len[1] + 1);
}

static void make_talk(struct talk *t, const struct variant *v, uint16_t port, unsigned round)
{
    static const char asked[] =
        "InitiatorName=iqn.2001-04.com.example:initiator\0TargetName=iqn.2001-04.com.example:disk\0"
        "SessionType=Normal\0AuthMethod=None\0InitiatorAlias=an alias that makes it longer";
    static const char told[] = "TargetPortalGroupTag=1\0TargetAlias=another alias, of the target\0AuthMethod=None";
    static const char asked_then[] =
        "HeaderDigest=None\0DataDigest=None\0MaxRecvDataSegmentLength=262144\0InitialR2T=No\0"
        "ImmediateData=Yes\0MaxBurstLength=262144\0FirstBurstLength=65536";
    static const char told_then[] =
        "HeaderDigest=None\0DataDigest=None\0MaxRecvDataSegmentLength=65536\0InitialR2T=No\0"
        "ImmediateData=Yes\0MaxBurstLength=262144\0FirstBurstLength=65536";
    size_t out, back;

    memset(t, 0, sizeof *t);
    t->v = v;
    t->port = port;
    t->isn[0] = 1000u + round * 777777u;
    t->isn[1] = 5000000u + round * 777777u;
    t->last_from = SIZE_MAX;
    out = put_pdu(t, true, false, asked, sizeof asked);
    back = put_pdu(t, false, false, told, sizeof told);
    put_pdu(t, true, true, asked_then, sizeof asked_then);
    put_pdu(t, false, true, told_then, sizeof told_then);
    t->last_from = out;
    t->last_to = t->len[0];
    if (has(t, WRAP)) {
        t->isn[0] = 0u - (uint32_t)out - 200u;
        t->isn[1] = 0u - (uint32_t)back - 100u;
    }
    if (!has(t, MIDDLE))
        open_and_close(t, true);
    if (has(t, MANY)) {
        say(t, 0, 0, t->len[0], 0);
        say(t, 1, 0, t->len[1], t->len[0]);
    } else {
        say(t, 0, has(t, ON_SYN) ? OUT_SEGMENT : 0, out, 0);
        say(t, 1, 0, back, out);
        say(t, 0, out, t->len[0], back);
        say(t, 1, back, t->len[1], t->len[0]);
    }
    open_and_close(t, false);
    if (has(t, CROSSED))
        cross(t);
    if (has(t, GAP))
        make_gap(t);
    if (has(t, FIN_FIRST)) {
        /* The FIN of the target is captured before the last segment of its data. */
        for (size_t i = 1; i < t->count; i++)
            if (t->frames[i].side == 1 && (t->frames[i].flags & FIN) != 0) {
                struct frame fin = t->frames[i];

                memmove(&t->frames[i - 2], &t->frames[i - 3], 3 * sizeof fin);
                t->frames[i - 3] = fin;
                break;
            }
    }
}

/* ---- how it looks ---- */

static uint32_t sum_bytes(uint32_t sum, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += bytes_get_be16(p + i);
    if (len % 2)
        sum += (uint32_t)p[len - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static size_t put_link(const struct link_type *link, uint8_t *p, bool v6)
{
    uint16_t type = v6 ? 0x86dd : 0x0800;

    memset(p, 0, 32);
    if (link->dlt == DLT_EN10MB) {
        memcpy(p, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
        if (link->header == 22)
            bytes_put_be32(p + 12, 0x88a80064u);
        if (link->header >= 18)
            bytes_put_be32(p + link->header - 6, 0x81000065u);
        bytes_put_be16(p + link->header - 2, type);
    } else if (link->dlt == DLT_LINUX_SLL) {
        bytes_put_be16(p + 2, 1);
        bytes_put_be16(p + 4, 6);
        bytes_put_be16(p + 14, type);
    } else if (link->dlt == DLT_LINUX_SLL2) {
        bytes_put_be16(p, type);
        bytes_put_be32(p + 4, 2);
        bytes_put_be16(p + 8, 1);
        p[11] = 6;
    } else if (link->dlt == DLT_NULL) {
        uint32_t family = v6 ? 30 : 2; /* in host order */

        memcpy(p, &family, sizeof family);
    } else if (link->dlt == DLT_LOOP) {
        bytes_put_be32(p, v6 ? 30 : 2);
    }
    return link->header;
}

static size_t put_tcp(const struct talk *t, const struct frame *f, uint8_t *p, const uint8_t *pseudo, size_t pseudo_len)
{
    uint32_t before = (f->flags & SYN) && f->len > 0 ? 1 : 0; /* the SYN, with data behind it */
    size_t header = has(t, STAMPS) ? 32 : 20;
    uint32_t sum;

    memset(p, 0, header);
    bytes_put_be16(p, f->side == 0 ? t->port : TARGET_PORT);
    bytes_put_be16(p + 2, f->side == 0 ? TARGET_PORT : t->port);
    bytes_put_be32(p + 4, t->isn[f->side] + 1 + f->at - before);
    if (f->flags & ACK)
        bytes_put_be32(p + 8, t->isn[!f->side] + 1 + f->ack);
    p[12] = (uint8_t)(header << 2);
    p[13] = (uint8_t)f->flags;
    bytes_put_be16(p + 14, has(t, PROBES) && f->len == 0 && (f->flags & (SYN | FIN)) == 0 ? 0 : 65535);
    if (has(t, STAMPS))
        memcpy(p + 20, "\1\1\x08\x0a\0\0\0\1\0\0\0\2", 12);
    if (has(t, URGENT) && f->len > 0) {
        p[13] |= URG;
        bytes_put_be16(p + 18, 1);
    }
    if (f->len > 0)
        memcpy(p + header, t->stream[f->side] + f->at, f->len);
    for (size_t i = 0; f->other && i < (f->len < 10 || has(t, AGAIN) ? f->len : 10); i++)
        p[header + i] ^= 0x15;
    if (has(t, SUMS))
        return header + f->len;
    sum = sum_bytes(6 + (uint32_t)(header + f->len), pseudo, pseudo_len);
    bytes_put_be16(p + 16, (uint16_t)~sum_bytes(sum, p, header + f->len));
    return header + f->len;
}

static size_t put_v4(const struct talk *t, const struct frame *f, uint8_t *p, uint16_t id, uint8_t host)
{
    size_t header = has(t, OPTIONS) ? 28 : 20;
    size_t len;

    memset(p, 0, header);
    memset(p + 20, 1, header - 20); /* no operation */
    p[0] = (uint8_t)(0x40 | header / 4);
    bytes_put_be16(p + 4, id);
    p[8] = 64;
    p[9] = 6;
    memcpy(p + (f->side == 0 ? 12 : 16), "\xc0\x00\x02\x01", 4);
    memcpy(p + (f->side == 0 ? 16 : 12), "\xc0\x00\x02\x02", 4);
    p[14] = p[18] = host;
    len = header + put_tcp(t, f, p + header, p + 12, 8);
    bytes_put_be16(p + 2, has(t, OFFLOAD) ? 0 : (uint16_t)len);
    bytes_put_be16(p + 10, (uint16_t)~sum_bytes(0, p, header));
    return len;
}

static size_t put_v6(const struct talk *t, const struct frame *f, uint8_t *p, uint8_t host)
{
    size_t at = 40;
    size_t len;

    memset(p, 0, 72);
    p[0] = 0x60;
    p[6] = 6;
    p[7] = 64;
    memcpy(p + 8, "\x20\x01\x0d\xb8", 4);
    memcpy(p + 24, "\x20\x01\x0d\xb8", 4);
    p[22] = p[38] = host;
    p[23] = f->side == 0 ? 1 : 2;
    p[39] = f->side == 0 ? 2 : 1;
    if (has(t, OPTIONS)) {
        static const uint8_t headers[] = {60, 0, 1, 4, 0, 0, 0, 0, /* hop-by-hop */
                                          44, 0, 1, 4, 0, 0, 0, 0, /* destination */
                                          6,  0, 0, 0, 0, 0, 0, 9 /* an atomic fragment */};

        p[6] = 0;
        memcpy(p + 40, headers, sizeof headers);
        at += sizeof headers;
    }
    len = at + put_tcp(t, f, p + at, p + 8, 32);
    bytes_put_be16(p + 4, has(t, OFFLOAD) ? 0 : (uint16_t)(len - 40));
    return len;
}

static void dump(struct writer *w, const uint8_t *bytes, size_t len, size_t caplen)
{
    struct pcap_pkthdr header = {.caplen = (bpf_u_int32)caplen, .len = (bpf_u_int32)len};

    w->clock_us += 100;
    header.ts.tv_sec = 1000000000 + w->clock_us / 1000000;
    header.ts.tv_usec = w->clock_us % 1000000;
    pcap_dump((u_char *)w->dump, &header, bytes);
}

/* One IPv4 packet as two fragments, the first with the TCP header and 32 bytes. */
static void dump_fragments(struct writer *w, uint8_t *frame, size_t link, size_t len)
{
    uint8_t second[FRAME_MAX];
    uint8_t *ip = frame + link;
    size_t first = 20 + 32;

    memcpy(second, frame, link + 20);
    memcpy(second + link + 20, ip + first, len - link - first);
    bytes_put_be16(ip + 2, (uint16_t)first);
    bytes_put_be16(ip + 6, 0x2000);
    bytes_put_be16(ip + 10, 0);
    bytes_put_be16(ip + 10, (uint16_t)~sum_bytes(0, ip, 20));
    dump(w, frame, link + first, link + first);
    ip = second + link;
    bytes_put_be16(ip + 2, (uint16_t)(len - link - first + 20));
    bytes_put_be16(ip + 6, 32 / 8);
    bytes_put_be16(ip + 10, 0);
    bytes_put_be16(ip + 10, (uint16_t)~sum_bytes(0, ip, 20));
    dump(w, second, len - first + 20, len - first + 20);
}

static void write_talk(struct writer *w, const struct talk *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct frame *f = &t->frames[i];
        uint8_t bytes[FRAME_MAX];
        size_t link = put_link(w->link, bytes, has(t, V6));
        size_t cut, len = link;
        len += has(t, V6) ? put_v6(t, f, bytes + link, w->host) : put_v4(t, f, bytes + link, ++w->id, w->host);
        if (has(t, FRAGMENTS) && f->last && f->len > 40) {
            dump_fragments(w, bytes, link, len);
            continue;
        }
        if (has(t, PADDED)) {
            memset(bytes + len, 0x5a, 7);
            len += len < 60 ? (60 - len > 7 ? 7 : 60 - len) : 3;
        }
        cut = link + (has(t, STAMPS) ? 94 : 82);
        dump(w, bytes, len, has(t, CUT) && f->last && len > cut ? cut : len);
    }
}

static int write_link(const char *folder, const struct link_type *link, FILE *names)
{
    static struct talk talk; /* too large for a stack */
    struct writer w = {.link = link, .host = (uint8_t)(2 + (link - link_types))};
    pcap_t *pcap = pcap_open_dead(link->dlt, 65535);
    char path[512];

    snprintf(path, sizeof path, "%s/%s.pcap", folder, link->name);
    w.dump = pcap ? pcap_dump_open(pcap, path) : NULL;
    if (!w.dump) {
        fprintf(stderr, "%s: cannot be written\n", path);
        return 1;
    }
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        make_talk(&talk, &variants[i], (uint16_t)(FIRST_PORT + i), 0);
        write_talk(&w, &talk);
        if (names)
            fprintf(names, "%u %s\n", (unsigned)(FIRST_PORT + i), variants[i].name);
        if (variants[i].twists & REUSE) {
            make_talk(&talk, &variants[i], (uint16_t)(FIRST_PORT + i), 1);
            write_talk(&w, &talk);
        }
    }
    pcap_dump_close(w.dump);
    pcap_close(pcap);
    return 0;
}

int main(int argc, char **argv)
{
    char path[512];
    FILE *names;
    int status = 0;

    if (argc != 2) {
        fputs("usage: capture_variants FOLDER\n", stderr);
        return 2;
    }
    snprintf(path, sizeof path, "%s/variants", argv[1]);
    names = fopen(path, "w");
    if (!names) {
        perror(path);
        return 1;
    }
    for (size_t i = 0; i < sizeof link_types / sizeof link_types[0]; i++)
        status |= write_link(argv[1], &link_types[i], i == 0 ? names : NULL);
    return fclose(names) != 0 || status;
}
