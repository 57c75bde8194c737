/*
 * The pcap writer. Each connection is a small TCP model: two sequence numbers, who has ended. Events of all
 * connections are written in the order of their times, since readers expect that of a capture.
 */
#include "harness/capture.h"

#include "wire/bytes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SNAPLEN      65535
#define ETHERNET_LEN 14u
#define IPV4_LEN     20u
#define IPV6_LEN     40u
#define TCP_LEN      20u
#define MSS_LEN      4u
#define HEADERS_MAX  (ETHERNET_LEN + IPV6_LEN + TCP_LEN + MSS_LEN)
#define ETHERTYPE_V4 0x0800u
#define ETHERTYPE_V6 0x86ddu
#define PROTOCOL_TCP 6u
#define HOP_LIMIT    64u
#define WINDOW       65535u
#define FIRST_PORT   49152u /* RFC 6335: dynamic ports begin here */
#define ISCSI_PORT   3260u

/* A transcript has no date. One that nobody takes for the time of the run: 2000-01-01 00:00:01 UTC. */
#define EPOCH_S 946684801

enum tcp_flag { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_PSH = 0x08, TCP_ACK = 0x10 };

/* One end of a modelled connection. */
struct endpoint {
    uint8_t address[16];
    uint16_t port;
    uint32_t next; /* sequence number of its next byte */
    uint32_t lost; /* bytes of a gap that nobody acknowledges before what follows them */
    bool ended;
};

struct flow {
    bool v6;
    bool opened; /* the handshake is written */
    bool reset;
    struct endpoint end[2]; /* enum transcript_side */
};

struct writer {
    pcap_dumper_t *dump;
    struct flow *flows;
    int64_t last_us; /* of the frame before: readers expect times that do not go back */
    uint8_t frame[HEADERS_MAX + CAPTURE_SEGMENT_MAX];
};

/* An event in the order of all connections. */
struct slot {
    int64_t at_us;
    size_t conn;
    size_t event;
};

static uint32_t sum_bytes(uint32_t sum, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += bytes_get_be16(bytes + i);
    if (len % 2)
        sum += (uint32_t)bytes[len - 1] << 8;
    return (sum & 0xffffu) + (sum >> 16);
}

static uint16_t sum_finish(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffffu) + (sum >> 16);
    return (uint16_t)~sum;
}

static size_t put_ethernet(uint8_t *p, const struct flow *flow, enum transcript_side from)
{
    static const uint8_t macs[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}}; /* locally administered */

    memcpy(p, macs[!from], 6);
    memcpy(p + 6, macs[from], 6);
    bytes_put_be16(p + 12, flow->v6 ? ETHERTYPE_V6 : ETHERTYPE_V4);
    return ETHERNET_LEN;
}

static size_t put_ip(uint8_t *p, const struct flow *flow, enum transcript_side from, size_t payload)
{
    if (flow->v6) {
        memset(p, 0, IPV6_LEN);
        p[0] = 0x60;
        bytes_put_be16(p + 4, (uint16_t)payload);
        p[6] = PROTOCOL_TCP;
        p[7] = HOP_LIMIT;
        memcpy(p + 8, flow->end[from].address, 16);
        memcpy(p + 24, flow->end[!from].address, 16);
        return IPV6_LEN;
    }
    memset(p, 0, IPV4_LEN);
    p[0] = 0x45;
    bytes_put_be16(p + 2, (uint16_t)(IPV4_LEN + payload));
    p[6] = 0x40; /* don't fragment */
    p[8] = HOP_LIMIT;
    p[9] = PROTOCOL_TCP;
    memcpy(p + 12, flow->end[from].address, 4);
    memcpy(p + 16, flow->end[!from].address, 4);
    bytes_put_be16(p + 10, sum_finish(sum_bytes(0, p, IPV4_LEN)));
    return IPV4_LEN;
}

/* Sum over the pseudo header, RFC 9293 3.1 and RFC 8200 8.1. */
static uint32_t pseudo_sum(const struct flow *flow, size_t payload)
{
    size_t len = flow->v6 ? 16 : 4;
    uint32_t sum = PROTOCOL_TCP + (uint32_t)payload;

    sum = sum_bytes(sum, flow->end[0].address, len);
    return sum_bytes(sum, flow->end[1].address, len);
}

static size_t put_tcp(uint8_t *p, const struct flow *flow, enum transcript_side from, unsigned flags, const void *data,
                      size_t len)
{
    const struct endpoint *me = &flow->end[from];
    const struct endpoint *peer = &flow->end[!from];
    size_t header = TCP_LEN + (flags & TCP_SYN ? MSS_LEN : 0);

    memset(p, 0, header);
    bytes_put_be16(p, me->port);
    bytes_put_be16(p + 2, peer->port);
    bytes_put_be32(p + 4, me->next);
    if (flags & TCP_ACK)
        bytes_put_be32(p + 8, peer->next - peer->lost);
    p[12] = (uint8_t)(header / 4 << 4);
    p[13] = (uint8_t)flags;
    bytes_put_be16(p + 14, WINDOW);
    if (flags & TCP_SYN) {
        p[TCP_LEN] = 2; /* maximum segment size */
        p[TCP_LEN + 1] = MSS_LEN;
        bytes_put_be16(p + TCP_LEN + 2, CAPTURE_SEGMENT_MAX);
    }
    if (len > 0)
        memcpy(p + header, data, len);
    bytes_put_be16(p + 16, sum_finish(sum_bytes(pseudo_sum(flow, header + len), p, header + len)));
    return header + len;
}

/* Writes one frame and moves the sender's sequence number on. */
static void put_frame(struct writer *w, struct flow *flow, enum transcript_side from, int64_t at_us, unsigned flags,
                      const void *data, size_t len)
{
    size_t tcp_len = TCP_LEN + (flags & TCP_SYN ? MSS_LEN : 0) + len;
    size_t used = put_ethernet(w->frame, flow, from);
    struct pcap_pkthdr header = {.caplen = 0};

    if (at_us > w->last_us)
        w->last_us = at_us;
    header.ts.tv_sec = EPOCH_S + w->last_us / 1000000;
    header.ts.tv_usec = w->last_us % 1000000;
    if (header.ts.tv_usec < 0) {
        header.ts.tv_sec--;
        header.ts.tv_usec += 1000000;
    }
    used += put_ip(w->frame + used, flow, from, tcp_len);
    used += put_tcp(w->frame + used, flow, from, flags, data, len);
    header.caplen = header.len = (bpf_u_int32)used;
    pcap_dump((u_char *)w->dump, &header, w->frame);
    flow->end[from].next += (uint32_t)len + (flags & (TCP_SYN | TCP_FIN) ? 1u : 0u);
}

/* Three packets before the first event; a target that refused TCP answers with RST. */
static void put_handshake(struct writer *w, struct flow *flow, const struct transcript_conn *c, int64_t at_us)
{
    flow->opened = true;
    put_frame(w, flow, TRANSCRIPT_INITIATOR, at_us - 3, TCP_SYN, NULL, 0);
    if (!c->connected && c->stream[0].len == 0 && c->stream[1].len == 0) {
        flow->end[TRANSCRIPT_TARGET].next = 0; /* an RST to a SYN has no number of its own */
        return;
    }
    put_frame(w, flow, TRANSCRIPT_TARGET, at_us - 2, TCP_SYN | TCP_ACK, NULL, 0);
    put_frame(w, flow, TRANSCRIPT_INITIATOR, at_us - 1, TCP_ACK, NULL, 0);
}

static void put_data(struct writer *w, struct flow *flow, const struct transcript_conn *c,
                     const struct transcript_event *e, int64_t at_us)
{
    const uint8_t *bytes = c->stream[e->side].bytes + e->offset;
    struct endpoint *me = &flow->end[e->side];

    if (me->ended)
        return;
    for (size_t done = 0; done < e->len;) {
        size_t take = e->len - done < CAPTURE_SEGMENT_MAX ? e->len - done : CAPTURE_SEGMENT_MAX;

        put_frame(w, flow, e->side, at_us, TCP_PSH | TCP_ACK, bytes + done, take);
        done += take;
        /* Nobody acknowledges beyond a hole. */
        if (me->lost > 0)
            me->lost += (uint32_t)take;
        if (!flow->reset && !flow->end[!e->side].ended)
            put_frame(w, flow, !e->side, at_us, TCP_ACK, NULL, 0);
    }
}

static void put_end(struct writer *w, struct flow *flow, const struct transcript_event *e, int64_t at_us)
{
    struct endpoint *me = &flow->end[e->side];

    if (me->ended || flow->reset)
        return;
    me->ended = true;
    if (e->end == TRANSCRIPT_RST) {
        flow->reset = true;
        put_frame(w, flow, e->side, at_us, TCP_RST | TCP_ACK, NULL, 0);
        return;
    }
    put_frame(w, flow, e->side, at_us, TCP_FIN | TCP_ACK, NULL, 0);
    if (me->lost > 0)
        me->lost++;
    put_frame(w, flow, !e->side, at_us, TCP_ACK, NULL, 0);
}

static void put_event(struct writer *w, const struct transcript *t, const struct slot *slot)
{
    const struct transcript_conn *c = t->conns[slot->conn];
    const struct transcript_event *e = &c->events[slot->event];
    struct flow *flow = &w->flows[slot->conn];

    if (!flow->opened)
        put_handshake(w, flow, c, slot->at_us);
    switch (e->kind) {
    case TRANSCRIPT_BYTES:
        put_data(w, flow, c, e, slot->at_us);
        break;
    case TRANSCRIPT_END:
        put_end(w, flow, e, slot->at_us);
        break;
    case TRANSCRIPT_GAP:
        flow->end[e->side].next += (uint32_t)e->len;
        flow->end[e->side].lost += (uint32_t)e->len;
        break;
    case TRANSCRIPT_NOTE:
        break;
    }
}

/* A numeric address of this family; the zone of a link-local one is left out. */
static bool parse_address(int family, const char *text, uint8_t *out)
{
    char bare[64];

    snprintf(bare, sizeof bare, "%s", text);
    bare[strcspn(bare, "%")] = '\0';
    return inet_pton(family, bare, out) == 1;
}

static void flow_init(struct flow *flow, const struct transcript_conn *c, size_t index)
{
    static const uint8_t documentation[2][4] = {{192, 0, 2, 1}, {192, 0, 2, 2}};
    uint8_t local[16] = {0};
    uint8_t remote[16] = {0};

    memset(flow, 0, sizeof *flow);
    flow->v6 = parse_address(AF_INET6, c->local, local) && parse_address(AF_INET6, c->remote, remote);
    if (!flow->v6 && !(parse_address(AF_INET, c->local, local) && parse_address(AF_INET, c->remote, remote))) {
        memcpy(local, documentation[0], 4);
        memcpy(remote, documentation[1], 4);
    }
    memcpy(flow->end[TRANSCRIPT_INITIATOR].address, local, sizeof local);
    memcpy(flow->end[TRANSCRIPT_TARGET].address, remote, sizeof remote);
    flow->end[TRANSCRIPT_INITIATOR].port = c->local_port ? c->local_port : (uint16_t)(FIRST_PORT + index);
    flow->end[TRANSCRIPT_TARGET].port = c->remote_port ? c->remote_port : ISCSI_PORT;
    /* Different for each connection, so that a port used again is a new connection to every reader. */
    flow->end[TRANSCRIPT_INITIATOR].next = 1000u + (uint32_t)index * 0x01000000u;
    flow->end[TRANSCRIPT_TARGET].next = 500000u + (uint32_t)index * 0x01000000u;
}

static int by_time(const void *a, const void *b)
{
    const struct slot *x = a;
    const struct slot *y = b;

    if (x->at_us != y->at_us)
        return x->at_us < y->at_us ? -1 : 1;
    if (x->conn != y->conn)
        return x->conn < y->conn ? -1 : 1;
    return x->event < y->event ? -1 : x->event > y->event;
}

/* All events in the order of time. Within a connection the order of the recording holds, whatever its clock said. */
static struct slot *slots_new(const struct transcript *t, size_t *count)
{
    size_t total = 0;
    struct slot *slots;

    for (size_t i = 0; i < t->conn_count; i++)
        total += t->conns[i]->event_count;
    slots = calloc(total ? total : 1, sizeof *slots);
    *count = 0;
    for (size_t i = 0; slots && i < t->conn_count; i++) {
        int64_t now = INT64_MIN / 2; /* room for the handshake before */

        for (size_t e = 0; e < t->conns[i]->event_count; e++) {
            if (t->conns[i]->events[e].at_us > now)
                now = t->conns[i]->events[e].at_us;
            slots[(*count)++] = (struct slot){now, i, e};
        }
    }
    if (slots)
        qsort(slots, *count, sizeof *slots, by_time);
    return slots;
}

/* Writes all frames. False when out of memory. */
static bool put_all(struct writer *w, const struct transcript *t)
{
    size_t count;
    struct slot *slots = slots_new(t, &count);

    w->flows = calloc(t->conn_count ? t->conn_count : 1, sizeof *w->flows);
    if (!slots || !w->flows) {
        free(slots);
        free(w->flows);
        return false;
    }
    w->last_us = INT64_MIN;
    for (size_t i = 0; i < t->conn_count; i++)
        flow_init(&w->flows[i], t->conns[i], i);
    for (size_t i = 0; i < count; i++)
        put_event(w, t, &slots[i]);
    /* A connection on which nothing happened was opened all the same. */
    for (size_t i = 0; i < t->conn_count; i++)
        if (!w->flows[i].opened && t->conns[i]->connected)
            put_handshake(w, &w->flows[i], t->conns[i], 0);
    free(slots);
    free(w->flows);
    return true;
}

/* Writes to an open stream, which is closed in any case. Returns 0 or an errno. */
static int write_stream(const struct transcript *t, FILE *file)
{
    pcap_t *pcap = pcap_open_dead(DLT_EN10MB, SNAPLEN);
    struct writer *w = calloc(1, sizeof *w);
    int error = 0;

    if (!pcap || !w || !(w->dump = pcap_dump_fopen(pcap, file))) {
        fclose(file);
        error = ENOMEM;
    } else {
        if (!put_all(w, t))
            error = ENOMEM;
        errno = 0;
        if (pcap_dump_flush(w->dump) != 0 || ferror(pcap_dump_file(w->dump)))
            error = errno ? errno : EIO;
        pcap_dump_close(w->dump);
    }
    if (pcap)
        pcap_close(pcap);
    free(w);
    return error;
}

int capture_write(const struct transcript *t, const char *path, char *err, size_t err_len)
{
    size_t cap = strlen(path) + 32;
    char *temporary = malloc(cap);
    FILE *file;
    int error = 0;

    if (!temporary) {
        snprintf(err, err_len, "%s: out of memory", path);
        return -1;
    }
    snprintf(temporary, cap, "%s.%ld.part", path, (long)getpid());
    file = fopen(temporary, "wb");
    if (!file)
        error = errno;
    else
        error = write_stream(t, file);
    if (error == 0 && rename(temporary, path) != 0)
        error = errno;
    if (error != 0) {
        snprintf(err, err_len, "%s: cannot write the capture: %s", path, strerror(error));
        if (file)
            unlink(temporary);
    }
    free(temporary);
    return error == 0 ? 0 : -1;
}
