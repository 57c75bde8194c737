/*
 * The listening sockets of all portals.
 *
 * They are polled, not listened to by libuv: one accept4() brings a connection with the address of its peer, and none
 * is spent on finding out that no other one waits.
 */
#ifndef ISCSISPEC_LISTENERS_H
#define ISCSISPEC_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "config.h"
#include "connections.h"

struct listener {
    uv_poll_t poll;
    struct listeners *all;
    int descriptor;                     /* -1: not open */
    bool polled;                        /* the handle is initialised */
    bool waiting;                       /* a connection was not taken for want of room */
};

struct listeners {
    struct connections *hub;
    struct listener *list;              /* one a portal, owned */
    size_t count;
    uv_timer_t retry;                   /* looks again for descriptors that others in this process may have freed */
    uint64_t complained;                /* when want of room was last logged */
};

/*
 * Binds every portal of the config and fills its address. Nothing is accepted before listeners_start(). False: *bad is
 * the portal and *code the libuv error. listeners_close() is due in both cases.
 */
bool listeners_bind(struct listeners *listeners, struct connections *hub, uv_loop_t *loop, struct config *config,
                    size_t *bad, int *code);

/* Listens on all portals; errors as above (an address in use may show here). */
bool listeners_start(struct listeners *listeners, size_t *bad, int *code);

/* Takes connections that waited, when there is room again. */
void listeners_resume(struct listeners *listeners);

/* Closes all; listeners_free() when the loop has ended. */
void listeners_close(struct listeners *listeners);
void listeners_free(struct listeners *listeners);

#endif
