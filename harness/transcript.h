/*
 * The transcript: what was said on one or more connections. It is the one currency of the project: a live run
 * records one, a capture is read into one, a fuzz input is one; everything downstream (audit, evidence, reports)
 * takes transcripts and nothing else.
 *
 * Ground truth are the two byte streams of a connection and the events that put them in order of time. PDUs are a
 * view that transcript_cut() derives. A transcript owns all its memory; one thread uses it at a time.
 */
#ifndef HARNESS_TRANSCRIPT_H
#define HARNESS_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum transcript_side {
    TRANSCRIPT_INITIATOR = 0,
    TRANSCRIPT_TARGET = 1,
};

enum transcript_kind {
    TRANSCRIPT_BYTES, /* side sent len bytes, at stream[side] + offset */
    TRANSCRIPT_END,   /* side ended its direction, by FIN or RST */
    TRANSCRIPT_GAP,   /* len bytes of side at offset are missing (captures only); the stream holds zeros there */
    TRANSCRIPT_NOTE,  /* a remark on what was done to the bytes */
};

enum transcript_end {
    TRANSCRIPT_FIN,
    TRANSCRIPT_RST,
};

/* What a note tells. Edits are the deviations that a case asked for; repairs keep libiscsi an honest initiator. */
enum transcript_note {
    TRANSCRIPT_EDIT,
    TRANSCRIPT_REPAIR,
    TRANSCRIPT_SHOWN, /* the initiator library was shown something else than what came; data = those bytes */
    TRANSCRIPT_INFO,
};

struct transcript_event {
    enum transcript_kind kind;
    enum transcript_side side; /* who sent, ended or is annotated */
    int64_t at_us;             /* microseconds since the start of the exchange */
    size_t offset;             /* BYTES, GAP: into stream[side] */
    size_t len;                /* BYTES, GAP: bytes; NOTE: length of data */
    enum transcript_end end;   /* END */
    enum transcript_note note; /* NOTE */
    uint32_t pdu;              /* NOTE: number of the PDU of side on this connection, from 1; 0: the connection */
    char *text;                /* NOTE: one line for a person, NUL-terminated */
    uint8_t *data;             /* NOTE: bytes it speaks of, or NULL */
};

struct transcript_stream {
    uint8_t *bytes;
    size_t len;
    size_t capacity;
};

struct transcript_conn {
    char name[32];       /* the case's name for it: "A" */
    char local[64];      /* address of the initiator's end, numeric, IPv6 without brackets */
    char remote[64];     /* address of the target's end */
    uint16_t local_port; /* host order */
    uint16_t remote_port;
    bool connected; /* TCP was established */
    struct transcript_stream stream[2];
    struct transcript_event *events;
    size_t event_count;
    size_t event_capacity;
    size_t note_bytes; /* held by the notes of this connection, bounded like a stream */
    bool overflow;     /* a limit was reached; the rest was dropped, and said so in a note */
};

/* Bounded memory whatever a peer does. */
#define TRANSCRIPT_STREAM_MAX (4u << 20)
#define TRANSCRIPT_CONN_MAX   1024u
#define TRANSCRIPT_EVENT_MAX  (1u << 18)

/* What a rule may know beyond the bytes. All empty for a capture. */
struct transcript_context {
    bool live;           /* recorded by us: endings and times are exact */
    bool rfc3720;        /* judge by RFC 3720 where it differs */
    char target[256];    /* name under test, "" unknown */
    int portal_tag;      /* portal group tag of the portal used first, -1 unknown */
    bool requires_chap;  /* the target demands CHAP of this initiator */
    char chap_user[256]; /* credentials the initiator used, "" unknown */
    char chap_secret[256];
    char mutual_user[256];
    char mutual_secret[256];
    bool secrets_known; /* no account of the target has another secret than these two */
    int close_grace_ms; /* how long we kept our direction open after a refusal */
};

struct transcript {
    struct transcript_conn **conns;
    size_t conn_count;
    size_t conn_spare; /* behind them in conns: connections that transcript_clear() has kept for their memory */
    size_t conn_capacity;
    struct transcript_context context;
};

struct transcript *transcript_new(void);
void transcript_free(struct transcript *t);
/* Forgets all connections, keeps the context, and memory for the next exchange of about that size. */
void transcript_clear(struct transcript *t);

/* Adds a connection; NULL when out of memory or above TRANSCRIPT_CONN_MAX. The transcript owns it. */
struct transcript_conn *transcript_add_conn(struct transcript *t, const char *name);
/* Takes the first connection of `from` over. False when there is none, out of memory, or above the limit. */
bool transcript_move_conn(struct transcript *to, struct transcript *from);
struct transcript_conn *transcript_find_conn(const struct transcript *t, const char *name);

/* Recording. Each returns false when out of memory or a limit was reached (overflow is then set). */
bool transcript_bytes(struct transcript_conn *c, enum transcript_side side, int64_t at_us, const void *bytes,
                      size_t len);
bool transcript_end(struct transcript_conn *c, enum transcript_side side, int64_t at_us, enum transcript_end end);
bool transcript_gap(struct transcript_conn *c, enum transcript_side side, int64_t at_us, size_t len);
bool transcript_note(struct transcript_conn *c, enum transcript_side side, int64_t at_us, enum transcript_note note,
                     uint32_t pdu, const void *data, size_t len, const char *format, ...)
    __attribute__((format(printf, 8, 9)));

/* First end event of a side, or NULL. */
const struct transcript_event *transcript_ended(const struct transcript_conn *c, enum transcript_side side);

/* One PDU of a stream, as it stood on the wire. Points into the connection's streams: valid until more is recorded. */
struct transcript_pdu {
    enum transcript_side side;
    uint32_t number;     /* from 1, per side */
    int64_t first_us;    /* when its first byte came */
    int64_t at_us;       /* when its last byte came */
    size_t offset;       /* into stream[side] */
    size_t len;          /* bytes on the wire, with AHS, digests and padding */
    const uint8_t *bhs;  /* 48 bytes, NULL when fewer came */
    const uint8_t *data; /* data segment, NULL when none or incomplete */
    size_t data_len;
    bool whole;        /* false: the stream ended inside it, len is what came */
    bool gap;          /* touches a gap of the capture: do not judge */
    bool full_feature; /* sent after this connection's login had completed */
};

/*
 * Cuts both streams of a connection into PDUs, in the order in which they were complete on the wire. Digests are
 * expected after a login that agreed on them (RFC 7143, 13.1). Cutting of a side stops at the first PDU that cannot
 * be measured. *pdus is malloc'ed, the caller frees it. Returns the number, -1 when out of memory.
 */
long transcript_cut(const struct transcript_conn *c, struct transcript_pdu **pdus);
/* The same into an array that the caller has: *pdus, malloc'ed or NULL, with room for *capacity; it may move. */
long transcript_cut_again(const struct transcript_conn *c, struct transcript_pdu **pdus, size_t *capacity);

#endif
