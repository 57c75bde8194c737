/*
 * The initiator inside a server under test: plays a session input (harness/session_input.h) on connections that exist
 * only here. fuzz/preload_socket.c puts it in the place of the sockets of an epoll server; what is in here makes no
 * system call, so that it can be tested by itself.
 *
 * The server goes in steps: virtual_peer_poll says what it is to be told next, as epoll_wait would, and the server then
 * accepts, reads, writes and closes. A record of the input is played when the server has nothing left to do with the
 * one before, so that what it answered is known by then (TSIH, a challenge).
 */
#ifndef FUZZ_VIRTUAL_PEER_H
#define FUZZ_VIRTUAL_PEER_H

#include "harness/session_live.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VIRTUAL_PEER_PENDING = 1 << 18, /* bytes a server has not read yet; more are lost */
    VIRTUAL_PEER_IDLE_MAX = 64,     /* times it is told that it may write without writing */
    VIRTUAL_PEER_END_MAX = 256,     /* steps it has to close what is open at the end of an input */
};

enum virtual_peer_state {
    VIRTUAL_PEER_NONE,   /* no connection, or one that is over */
    VIRTUAL_PEER_WAITS,  /* made, not accepted yet */
    VIRTUAL_PEER_OPEN,   /* accepted */
    VIRTUAL_PEER_CLOSED, /* by the server: what is sent afterwards is lost */
};

/* What a server wants to be told of: the bits of EPOLLIN and EPOLLOUT, whatever their values are, are the caller's. */
struct virtual_peer_interest {
    bool in, out, edge;
};

struct virtual_peer_conn {
    enum virtual_peer_state state;
    struct virtual_peer_interest interest;
    bool end, reset, reset_told;
    bool told; /* an edge-triggered server has heard of what there is to read */
    unsigned idle;
    size_t at, len;
    uint8_t bytes[VIRTUAL_PEER_PENDING];
};

enum virtual_peer_what {
    VIRTUAL_PEER_ACCEPT, /* the listening socket has a connection */
    VIRTUAL_PEER_IO,     /* a connection can be read or written */
    VIRTUAL_PEER_QUIET,  /* nothing more can happen in this input: it wants the next one */
};

struct virtual_peer_event {
    enum virtual_peer_what what;
    unsigned conn;
    bool in, out, reset;
};

struct virtual_peer {
    struct session_live live;
    const uint8_t *at, *end; /* of the input, borrowed */
    bool ending;
    unsigned steps;
    unsigned last; /* the connection that was told of something last: they take turns */
    struct virtual_peer_conn conns[SESSION_INPUT_CONNS];
    uint8_t out[1 << 16];
};

/* Begins an input. names and bytes are borrowed. Connections that a server has left open are over. */
void virtual_peer_start(struct virtual_peer *peer, const struct session_live_names *names, const uint8_t *bytes,
                        size_t len);

/* What the server is to be told next; plays records until there is something. */
struct virtual_peer_event virtual_peer_poll(struct virtual_peer *peer);

/* The number of the connection that waits, now accepted; -1: none does. */
int virtual_peer_accept(struct virtual_peer *peer);

/* As read(): 0 at the end, -1 with *would_block or a reset connection. */
long virtual_peer_read(struct virtual_peer *peer, unsigned conn, uint8_t *bytes, size_t len, bool *would_block);

/* What the server sends: all of it is taken. */
void virtual_peer_write(struct virtual_peer *peer, unsigned conn, const uint8_t *bytes, size_t len);

/* The server closed its end. */
void virtual_peer_close(struct virtual_peer *peer, unsigned conn);

#endif
