/*
 * One frame of a capture down to its TCP segment: link layer, VLAN tags, IPv4 or IPv6 with extension headers, TCP.
 * Pure functions on bytes; nothing is allocated and nothing behind the captured bytes is read.
 */
#ifndef HARNESS_CAPTURE_PACKET_H
#define HARNESS_CAPTURE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum capture_packet_kind {
    CAPTURE_PACKET_TCP,
    CAPTURE_PACKET_OTHER,    /* no TCP over IP */
    CAPTURE_PACKET_FRAGMENT, /* a piece of an IP packet: such are told, not put together */
    CAPTURE_PACKET_SHORT,    /* the snapshot length cut the headers off */
    CAPTURE_PACKET_BAD,      /* lengths in the headers contradict each other */
};

enum capture_packet_flag {
    CAPTURE_PACKET_FIN = 0x01,
    CAPTURE_PACKET_SYN = 0x02,
    CAPTURE_PACKET_RST = 0x04,
    CAPTURE_PACKET_ACK = 0x10,
};

/* A TCP segment. Numbers in host order; addresses as on the wire, IPv4 in the first four bytes and zeros behind. */
struct capture_packet {
    bool v6;
    uint8_t from[16], to[16];
    uint16_t from_port, to_port;
    uint32_t seq, ack;
    uint8_t flags;       /* enum capture_packet_flag */
    const uint8_t *data; /* into the frame */
    size_t have;         /* bytes of data that were captured */
    size_t len;          /* bytes of data that were sent: have <= len */
};

/* Can frames of this link type (DLT_*) be read? */
bool capture_packet_link_known(int link);

/*
 * Reads a frame of which `have` bytes were captured and `wire` bytes sent. *out is complete for CAPTURE_PACKET_TCP
 * only. Padding behind the IP packet is no data; checksums are not looked at, since offloading leaves them unset (RFC
 * 9293 3.1, RFC 791 3.1, RFC 8200 4).
 */
enum capture_packet_kind capture_packet_read(int link, const uint8_t *bytes, size_t have, size_t wire,
                                             struct capture_packet *out);

#endif
