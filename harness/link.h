/*
 * TCP connections under one clock and one poll loop, with every byte recorded as it is on the wire.
 *
 * A net is the set of connections of one exchange. All waiting of the drive library is net_turn(): whatever one
 * connection waits for, the others are read, recorded and served meanwhile. One thread; the transcript must outlive
 * the net. Times are microseconds of the monotonic clock since net_init().
 */
#ifndef HARNESS_LINK_H
#define HARNESS_LINK_H

#include "harness/transcript.h"
#include "wire/pdu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than this from a target during a login is an endless stream, not an answer. */
#define LINK_LOGIN_MAX (1u << 20)

struct link {
    struct transcript_conn *log; /* owned by the transcript */
    int fd;                      /* -1 once closed by us */
    bool connected;
    bool want_out;   /* net_turn() also waits until it can be written */
    bool peer_ended; /* the target ended its direction ... */
    bool peer_first; /* ... before we ended or reset ours */
    enum transcript_end peer_end;
    int64_t peer_end_us;
    bool we_ended;                   /* half-closed, reset or closed by us */
    bool reset_seen;                 /* the kernel has told of an RST of which recv() will not tell any more */
    bool send_failed;                /* the target's end no longer takes anything */
    bool flooded;                    /* more came than `limit` allows: reading stopped */
    size_t limit;                    /* bytes of the target's stream that are read */
    size_t taken;                    /* bytes of the target's stream that link_take() has handed out */
    uint32_t received;               /* PDUs handed out */
    bool header_digest, data_digest; /* of PDUs from the target from here on */
};

struct net {
    struct transcript *transcript;
    int64_t origin_us;
    struct link **links;
    size_t count;
    /* Called by net_turn() for each connection that got bytes; may send, must not wait. NULL: nobody. */
    void (*arrived)(void *user, struct link *l);
    void *user;
};

void net_init(struct net *n, struct transcript *t);
/* Closes what is still open and frees all links; the transcript stays. */
void net_free(struct net *n);
int64_t net_now(const struct net *n);

/* Adds a connection that is being opened on fd (taken over). NULL when out of memory or above the limit; fd is closed.
 */
struct link *net_add(struct net *n, const char *name, int fd);

/* Opens a TCP connection of our own, without waiting. NULL with text in err when the address is of no use. */
struct link *net_connect(struct net *n, const char *name, const char *host, uint16_t port, char *err, size_t err_len);

/*
 * Waits until something happened on any connection or the deadline has passed; reads and records what came.
 * Returns false when nothing happened until the deadline.
 */
bool net_turn(struct net *n, int64_t deadline_us);

/* Waits until TCP is established. False with text in err: refused, unreachable or out of time. */
bool link_wait_connected(struct net *n, struct link *l, int64_t deadline_us, char *err, size_t err_len);

/* Sends all bytes as one segment if the kernel takes them so. False when the connection ended or time ran out. */
bool link_send(struct net *n, struct link *l, const uint8_t *bytes, size_t len, int64_t deadline_us);

/* Waits until the target has ended its direction. False: still open at the deadline (or flooding us). */
bool link_wait_end(struct net *n, struct link *l, int64_t deadline_us);

void link_half_close(struct net *n, struct link *l);
void link_reset(struct net *n, struct link *l);
/* Reads what has arrived, then closes. */
void link_close(struct net *n, struct link *l);

struct link_pdu {
    uint32_t number;     /* of the target's PDUs, from 1 */
    size_t offset, len;  /* in the target's stream, digests and padding included */
    const uint8_t *bhs;  /* into the stream: valid until more is recorded */
    const uint8_t *data; /* NULL when there is none */
    size_t data_len;
};

enum link_take {
    LINK_NOTHING,   /* no whole PDU is there yet */
    LINK_TAKEN,     /* *out is filled */
    LINK_MALFORMED, /* what came cannot be a PDU of a target, or too much came; *why says so */
};

/* Cuts the next PDU off what has come. */
enum link_take link_take(struct link *l, struct link_pdu *out, const char **why);

/* Bytes that came after the last whole PDU. */
size_t link_rest(const struct link *l);

#endif
