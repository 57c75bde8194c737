/*
 * A whole capture in memory, as one transcript: for what looks at connections beside each other, and at all of them
 * more than once.
 */
#ifndef HARNESS_RECORDING_H
#define HARNESS_RECORDING_H

#include "harness/capture_read.h"
#include "harness/transcript.h"

#include <stdbool.h>
#include <stddef.h>

/* More than this is no capture to be played again: a filter has to choose. */
#define RECORDING_BYTES_MAX ((size_t)256 << 20)

struct recording {
    struct transcript *transcript; /* connections by the time of their first frame, named as Wireshark's tcp.stream */
    struct capture_conn **conns;   /* of the same index; their own transcripts are empty */
    size_t count;
    struct capture_counts counts;
    char damaged[512]; /* where the file could not be read on, "" it could */
};

enum recording_result {
    RECORDING_READ,        /* as far as it goes: see damaged */
    RECORDING_UNREADABLE,  /* no capture, a bad filter, too large: the reason in err */
    RECORDING_INTERRUPTED, /* `interrupted` said so */
    RECORDING_NO_MEMORY,
};

/*
 * Reads a capture file ("-": standard input). filter: pcap-filter(7), NULL none. interrupted: asked from time to time,
 * NULL never. Release with recording_free(), whatever is returned.
 */
enum recording_result recording_read(const char *path, const char *filter, bool (*interrupted)(void),
                                     struct recording *out, char *err, size_t err_len);
void recording_free(struct recording *r);

/* Frame in which Wireshark shows PDU bytes [offset, offset + len) of a side, 0 unknown. */
uint64_t recording_frame(const struct recording *r, size_t conn, enum transcript_side side, size_t offset, size_t len);

#endif
