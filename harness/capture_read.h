/*
 * Reading captures: pcap and pcapng, also compressed by gzip, into transcripts of one iSCSI connection each.
 * Connections are given out as they end, so that memory stays bounded whatever the size of the file. iSCSI is found by
 * content on any port. What the capture does not hold is told as a gap, never filled (RFC 9293 for TCP; RFC 7143 for
 * what it carries).
 */
#ifndef HARNESS_CAPTURE_READ_H
#define HARNESS_CAPTURE_READ_H

#include "harness/transcript.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that all connections in progress may hold together, unless the options say otherwise. */
#define CAPTURE_MEMORY_DEFAULT (48u << 20)
/* Bytes of each side that are kept behind the end of the login, unless the options say otherwise. */
#define CAPTURE_BEHIND_DEFAULT (64u << 10)

struct capture_options {
    const char *filter; /* in the syntax of pcap-filter(7); NULL: everything */
    size_t memory;      /* 0: CAPTURE_MEMORY_DEFAULT */
    size_t behind;      /* 0: CAPTURE_BEHIND_DEFAULT; SIZE_MAX: all that a transcript holds */
};

/* Bytes [offset, offset + len) of one side came in one frame. */
struct capture_piece {
    size_t offset, len;
    uint64_t frame; /* number of the frame in the file, from 1, as Wireshark counts */
    uint64_t shown; /* the frame in which these and all bytes before them were there */
};

struct capture_pieces {
    struct capture_piece *items;
    size_t count, capacity;
};

/* One iSCSI connection of a capture. Times of its transcript count from the first frame of the capture. */
struct capture_conn {
    struct transcript *transcript; /* of this one connection */
    struct transcript_conn *conn;  /* transcript->conns[0] */
    struct capture_pieces pieces[2];
    uint64_t end_frame[2]; /* frame of the FIN or RST of each side, 0 none */
    uint64_t first_frame;
    uint64_t last_frame;
    uint32_t stream;           /* number of the TCP connection in the capture, from 0: Wireshark's tcp.stream */
    int64_t first_us, last_us; /* since the first frame of the capture */
    bool opened;               /* a SYN of it is in the capture; else it began before */
    bool recognised;           /* by its content; else only its port speaks for iSCSI */
    bool early;                /* given out before its end, to save memory: what came later is not here */
    /* What TCP did. */
    uint64_t repeated_bytes;  /* seen more than once */
    uint64_t differing_bytes; /* ... and not the same the second time: the first copy stands */
    uint64_t first_differing; /* frame, 0 none */
    uint64_t missing_bytes;   /* in gaps */
    uint64_t first_missing;   /* frame behind the first gap, 0 none */
    uint64_t cut_bytes;       /* ... of them lost to the snapshot length */
    uint64_t late_segments;   /* came out of order */
    uint64_t skipped[2];      /* bytes of each side that were not kept, since they stand behind the login */
};

/* What else was in the file. */
struct capture_counts {
    uint64_t frames;         /* all; the number of the last one read */
    uint64_t filtered;       /* left out by the filter */
    uint64_t tcp;            /* TCP segments */
    uint64_t other;          /* no TCP over IP */
    uint64_t unread;         /* of interfaces whose link type is not known */
    int unread_link;         /* ... the last of these: DLT_... */
    uint64_t fragments;      /* IP fragments: not put together */
    uint64_t first_fragment; /* frame, 0 none */
    uint64_t short_headers;  /* headers cut off by the snapshot length */
    uint64_t bad_headers;    /* headers that contradict themselves */
    uint64_t first_bad;      /* frame, 0 none */
    uint64_t connections;    /* of TCP */
    uint64_t iscsi;          /* connections given out */
    uint64_t early;          /* ... of them before their end */
};

struct capture;

/* Does the file begin like a capture: pcap, pcapng, or either of them compressed? False also when it cannot be read. */
bool capture_is(const char *path);

/*
 * Opens a file; "-" is standard input. Returns NULL with one line in err that names the file and what is wrong. The
 * caller closes it.
 */
struct capture *capture_open(const char *path, const struct capture_options *options, char *err, size_t err_len);
void capture_close(struct capture *c);

enum capture_result {
    CAPTURE_CONN,    /* *out is a connection: release it with capture_conn_free */
    CAPTURE_PAUSE,   /* some frames were read and no connection is due yet: ask again */
    CAPTURE_END,     /* the file was read to its end */
    CAPTURE_DAMAGED, /* ... or to where it is damaged: capture_error; all connections before that were given out */
};

/*
 * The next connection: in the order in which they end; those that never do come last, by their first frame. Reads a
 * bounded number of frames, so that the caller can show progress and be interrupted.
 */
enum capture_result capture_next(struct capture *c, struct capture_conn **out);
/* Reads no further: the connections that are open now are given out as they stand, and then CAPTURE_END. */
void capture_stop(struct capture *c);
void capture_conn_free(struct capture_conn *conn);

/* What is wrong with the file, one line; "" nothing. */
const char *capture_error(const struct capture *c);
const struct capture_counts *capture_counts(const struct capture *c);
/* Time of the first frame, microseconds since 1970; 0 before there is one. */
int64_t capture_start_us(const struct capture *c);
/* Time of the last frame read, microseconds since the first one. */
int64_t capture_last_us(const struct capture *c);
/* Bytes of memory that a connection holds. */
size_t capture_conn_size(const struct capture_conn *conn);
/* Bytes of the file that were read, and in all; *total 0: not known. */
void capture_progress(const struct capture *c, uint64_t *done, uint64_t *total);

/* Frame that carried this byte of a side; 0: none did (a gap, or behind the end). */
uint64_t capture_frame(const struct capture_conn *conn, enum transcript_side side, size_t offset);
/*
 * Frame at which Wireshark shows a PDU that ends before `end`: the one with which all its bytes were there; 0 none.
 */
uint64_t capture_shown(const struct capture_conn *conn, enum transcript_side side, size_t end);

#endif
