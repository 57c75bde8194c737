/* How the reader fills a capture_conn: bytes in order, gaps, endings, and what is known of the login meanwhile. */
#ifndef HARNESS_CAPTURE_CONN_H
#define HARNESS_CAPTURE_CONN_H

#include "harness/capture_read.h"

/* A connection while it is read. Sides are ends 0 and 1 of the flow until it is known which one is the initiator. */
struct capture_taking {
    struct capture_conn *conn; /* owned until it is taken out */
    size_t behind;             /* bytes of each side kept behind the login */
    size_t pdu_at[2];          /* where the next PDU of a side begins */
    bool untracked[2];         /* a gap hides where PDUs begin */
    bool complete;             /* the final Login Response has come */
    size_t limit[2];           /* bytes of each side that are kept */
    bool full[2];              /* nothing more of this side is kept */
    bool no_memory;
};

/* False when out of memory. */
bool capture_taking_start(struct capture_taking *t, size_t behind);
void capture_taking_free(struct capture_taking *t);

/* Where a piece came from. */
struct capture_source {
    uint64_t frame;
    int64_t at_us;
};

/* Takes bytes of a side in order. */
void capture_take_bytes(struct capture_taking *t, unsigned side, const struct capture_source *from,
                        const uint8_t *bytes, size_t len);
/* `len` bytes of a side are not in the capture. */
void capture_take_gap(struct capture_taking *t, unsigned side, const struct capture_source *from, size_t len);
void capture_take_end(struct capture_taking *t, unsigned side, const struct capture_source *from, bool reset);
/* Compares bytes that came again with those that stand at `offset`; counts what differs. */
void capture_take_again(struct capture_taking *t, unsigned side, const struct capture_source *from, size_t offset,
                        const uint8_t *bytes, size_t len);
/* What the content says. */
enum capture_content {
    CAPTURE_CONTENT_UNKNOWN, /* too little so far */
    CAPTURE_CONTENT_NONE,    /* no iSCSI login */
    CAPTURE_CONTENT_0,       /* a login, and end 0 is the initiator */
    CAPTURE_CONTENT_1,
};

enum capture_content capture_recognise(const struct capture_taking *t);
/* Says which end is the initiator; from then on side 0 is that one: exchanges both when it is end 1. */
void capture_taking_turn(struct capture_taking *t);

#endif
