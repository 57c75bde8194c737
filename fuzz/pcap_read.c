/*
 * Fuzz entry: the reader of captures on an arbitrary file: pcap, pcapng or gzip, whatever it holds. Every connection
 * that comes out is cut into PDUs, and what is told of it must fit together. A finding aborts.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include "fuzz/entry.h"
#include "harness/capture_packet.h"
#include "harness/capture_read.h"

#include <pcap/dlt.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void require(bool fine, const char *what)
{
    if (fine)
        return;
    fprintf(stderr, "finding: %s\n", what);
    abort();
}

/* Pieces lie one behind the other and cover the stream; frames exist; Wireshark's view never goes back. */
static void check_pieces(const struct capture_conn *conn, enum transcript_side side,
                         const struct capture_counts *counts)
{
    const struct capture_pieces *list = &conn->pieces[side];
    size_t end = 0;
    uint64_t shown = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct capture_piece *p = &list->items[i];

        require(p->offset == end && p->len > 0, "pieces of a stream with a hole between them");
        require(p->frame <= counts->frames && p->shown >= shown && p->shown >= p->frame, "a frame that cannot be");
        end += p->len;
        shown = p->shown;
    }
    require(end == conn->conn->stream[side].len, "a stream with bytes that came from nowhere");
}

static void check(const struct capture_conn *conn, const struct capture_counts *counts)
{
    struct transcript_pdu *pdus;
    long count = transcript_cut(conn->conn, &pdus);

    require(count >= 0, "out of memory on a small input");
    for (int side = 0; side < 2; side++)
        check_pieces(conn, (enum transcript_side)side, counts);
    for (long i = 0; i < count; i++)
        require(capture_shown(conn, pdus[i].side, pdus[i].offset + pdus[i].len) > 0, "a PDU in no frame");
    require(conn->first_frame <= conn->last_frame && conn->last_frame <= counts->frames,
            "a connection beyond the file");
    require(capture_conn_size(conn) < (64u << 20), "a connection larger than anything in the file");
    free(pdus);
}

/* The input as one frame of each link type, so that a read behind its end is seen: libpcap's buffer is larger than
 * that. */
static void read_frame(const uint8_t *data, size_t size)
{
    static const int links[] = {DLT_EN10MB, DLT_RAW, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_NULL, DLT_LOOP};

    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        struct capture_packet packet;

        if (capture_packet_read(links[i], data, size, size + size % 5, &packet) == CAPTURE_PACKET_TCP)
            require(packet.have <= packet.len &&
                        (packet.have == 0 || (packet.data >= data && packet.data + packet.have <= data + size)),
                    "data outside the frame");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const filters[] = {NULL, "tcp", "port 13260", "ip6"};
    struct capture_options options = {
        .filter = filters[size % 4], .memory = size % 3 == 0 ? 1 << 16 : 0, .behind = 200};
    int fd = memfd_create("capture", MFD_CLOEXEC);
    char path[32], err[512] = "";
    struct capture_conn *conn;
    enum capture_result result;
    struct capture *capture;

    if (size < 2048)
        read_frame(data, size);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    capture = capture_open(path, &options, err, sizeof err);
    require(capture || err[0] != '\0', "a file is refused without a reason");
    while (capture && ((result = capture_next(capture, &conn)) == CAPTURE_CONN || result == CAPTURE_PAUSE)) {
        if (result == CAPTURE_PAUSE)
            continue;
        check(conn, capture_counts(capture));
        capture_conn_free(conn);
    }
    capture_close(capture);
    close(fd);
    return 0;
}
