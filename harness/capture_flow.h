/*
 * TCP connections of a capture: the table of flows. Each segment goes to its flow, which puts the bytes of both
 * directions in order, decides by content whether it is iSCSI, and gives the connection out when it has ended. The
 * putting in order is capture_tcp.c.
 */
#ifndef HARNESS_CAPTURE_FLOW_H
#define HARNESS_CAPTURE_FLOW_H

#include "harness/capture_conn.h"
#include "harness/capture_packet.h"

/* A segment that waits for what comes before it. */
struct capture_held {
    struct capture_held *next;
    uint32_t seq, ack;
    bool has_ack;
    size_t len, have; /* bytes sent; bytes captured */
    struct capture_source from;
    uint8_t bytes[];
};

/* One direction of a flow. */
struct capture_direction {
    bool based;    /* the sequence number of its first byte is known */
    uint32_t next; /* of the byte that is due */
    size_t taken;  /* bytes before that */
    bool acked;    /* the other end has said how far it got: */
    uint32_t ack;
    struct capture_held *held; /* by sequence number */
    bool fin, rst, ended;
    uint32_t fin_seq;
    struct capture_source end_from;
    bool lost; /* nothing more can be put in order */
};

enum capture_flow_state { CAPTURE_FLOW_UNDECIDED, CAPTURE_FLOW_ISCSI, CAPTURE_FLOW_IGNORED };

/* The lists that a flow is in, one at a time; each from the least to the most recently used. */
enum capture_flow_list { CAPTURE_LIST_ACTIVE, CAPTURE_LIST_CLOSING, CAPTURE_LIST_IGNORED, CAPTURE_LISTS };

struct capture_flow {
    struct capture_flow *chain;          /* of the hash table */
    struct capture_flow *before, *after; /* in its list */
    enum capture_flow_list list;
    enum capture_flow_state state;
    bool v6;
    uint8_t address[2][16];
    uint16_t port[2];
    bool opened; /* a SYN was seen */
    bool turned; /* end 1 is the initiator */
    struct capture_direction direction[2];
    size_t held_count, held_bytes;
    struct capture_taking taking; /* .conn NULL: nothing is recorded */
    uint32_t stream;
    uint64_t first_frame, last_frame;
    int64_t first_us, last_us;
    size_t size; /* of memory, as the table counts it */
};

/* A segment comes in; end is the end that sent it. */
void capture_tcp_segment(struct capture_flow *f, unsigned end, const struct capture_packet *packet,
                         const struct capture_source *from);
/* Nothing more will come: what waits is taken, with gaps where something is missing. */
void capture_tcp_finish(struct capture_flow *f, const struct capture_source *from);
/* Drops what waits. */
void capture_tcp_free(struct capture_flow *f);

struct capture_flows;

/* NULL when out of memory. */
struct capture_flows *capture_flows_new(size_t memory, size_t behind);
void capture_flows_free(struct capture_flows *flows);
/* Takes a segment. False when out of memory. */
bool capture_flows_take(struct capture_flows *flows, const struct capture_packet *packet,
                        const struct capture_source *from);
/* The capture is over: all connections become due. */
void capture_flows_finish(struct capture_flows *flows, const struct capture_source *last);
/* The next connection that is due, NULL none. The caller owns it. */
struct capture_conn *capture_flows_pop(struct capture_flows *flows);
/* Connections of TCP so far. */
uint64_t capture_flows_count(const struct capture_flows *flows);

#endif
