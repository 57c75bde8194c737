/*
 * The control socket: a Unix socket that takes a verb a line. Bounded in clients, line length and unsent answers; what
 * a client sends while its answer is unsent waits in the kernel.
 */
#ifndef ISCSISPEC_CONTROL_H
#define ISCSISPEC_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "connections.h"
#include "verbs.h"

enum { CONTROL_CLIENTS_MAX = 16 };      /* one more takes the place of the one that was silent for longest */

struct control_client;

struct control {
    uv_pipe_t pipe;
    uv_pipe_t spare;                    /* for a client that there is no memory for */
    bool open;
    bool refusing;                      /* spare is in use */
    bool waiting;                       /* another such client waits for it */
    struct connections *hub;            /* told after each verb that the engine may have changed */
    struct verbs_context verbs;
    struct control_client *first;
    size_t count;
};

/* Listens on path; a dead socket file there is replaced. verbs is copied, hub borrowed. Returns NULL, or why not. */
const char *control_open(struct control *control, uv_loop_t *loop, const char *path, struct connections *hub,
                         const struct verbs_context *verbs);

/* Closes the socket and all clients; libuv removes the file. Harmless when it is not open. */
void control_close(struct control *control);

#endif
