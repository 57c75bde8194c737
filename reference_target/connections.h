/*
 * TCP connections of initiators: carries bytes between libuv and the engine, and ends connections as the engine says.
 *
 * One hub serves all portals. It reads into one shared buffer, writes at once what the engine answers to one input, and
 * keeps at most one piece of unsent output of its own for each connection: a peer that does not read stops being read.
 */
#ifndef ISCSISPEC_CONNECTIONS_H
#define ISCSISPEC_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <uv.h>

#include "log.h"
#include "node.h"

struct connection;

enum {
    CONNECTIONS_READ_SIZE = 256 * 1024, /* of the shared buffer */
    CONNECTIONS_LINGER_MS = 5000,       /* wait for unsent output and for the peer's FIN after the engine's close */
    CONNECTIONS_LINGER_CROWDED_MS = 250 /* the same when three quarters of the limit are in use */
};

struct connections {
    uv_loop_t *loop;
    struct node *node;
    const struct config *config;
    struct log *log;
    struct connection *first;           /* newest first */
    struct connection *timed;           /* those that have a deadline */
    uv_timer_t timer;                   /* looks at them */
    size_t count;                       /* open descriptors */
    size_t limit;                       /* of count */
    bool linger;                        /* false while the process ends: closes at once */
    void (*changed)(void *context);     /* after each call of the engine: deadlines, counts and room may have changed */
    void *context;
    char *buffer;                       /* CONNECTIONS_READ_SIZE bytes, owned */
};

/* loop, node, config, log, limit, changed and context are set by the caller. False: no memory. */
bool connections_open(struct connections *hub);

/* Frees the buffer; all connections have to be gone (connections_drop_all, then the loop until it has no handles). */
void connections_close(struct connections *hub);

/* Takes over the descriptor of an accepted connection; without memory for it, it is closed. count has to be below
 * limit. */
void connections_accept(struct connections *hub, int descriptor, const struct sockaddr_storage *peer, size_t portal);

/* Does what the engine wants of all connections that changed. After every call of the engine that is not made here. */
void connections_settle(struct connections *hub);

/* Closes every connection now, and the hub's timer: it takes no more of them. */
void connections_drop_all(struct connections *hub);

/* HOST:PORT of the initiator into ADDRESS_TEXT_MAX bytes. */
void connections_peer(const struct connection *connection, char *text);

/* Calls visit for each connection that the engine still knows. */
void connections_each(const struct connections *hub,
                      void (*visit)(void *context, const struct conn *conn, size_t portal, const char *peer),
                      void *context);

#endif
