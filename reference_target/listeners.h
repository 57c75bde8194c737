/* The listening sockets of all portals. */
#ifndef ISCSISPEC_LISTENERS_H
#define ISCSISPEC_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "config.h"
#include "connections.h"

struct listener {
    uv_tcp_t tcp;
    struct listeners *all;
    bool waiting;                       /* a connection was not taken for want of room */
};

struct listeners {
    struct connections *hub;
    struct listener *list;              /* one a portal, owned */
    size_t count;
    uint64_t complained;                /* when want of room was last logged */
};

/*
 * Binds every portal of the config and fills its address. Nothing is accepted before listeners_start(). False: *bad is
 * the portal and *code the libuv error. listeners_close() is due in both cases.
 */
bool listeners_bind(struct listeners *listeners, struct connections *hub, uv_loop_t *loop, struct config *config,
                    size_t *bad, int *code);

/* Listens on all portals; errors as above (an address in use shows here). */
bool listeners_start(struct listeners *listeners, size_t *bad, int *code);

/* Takes connections that waited, when there is room again. */
void listeners_resume(struct listeners *listeners);

/* Closes all; listeners_free() when the loop has ended. */
void listeners_close(struct listeners *listeners);
void listeners_free(struct listeners *listeners);

#endif
