/* The listening sockets of all portals; see listeners.h. */
#include "listeners.h"

#include <stdlib.h>
#include <string.h>

#include "address.h"

enum { BACKLOG = 4096 };    /* the kernel caps it at net.core.somaxconn */

/* At most once a second: this happens when there is much else to do. */
static void complain_of_room(struct listeners *all)
{
    uint64_t now = uv_now(all->hub->loop);

    if (all->complained != 0 && now - all->complained < 1000)
        return;
    all->complained = now;
    log_write(all->hub->log, NODE_LOG_WARNING, "%zu connections are open, no room for more: new ones wait",
              all->hub->count);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct listener *listener = stream->data;
    struct listeners *all = listener->all;

    if (status < 0) {
        log_write(all->hub->log, NODE_LOG_WARNING, "a connection could not be accepted: %s", uv_strerror(status));
        return;
    }
    /* What is not taken stays with libuv, which stops polling this socket until it is taken: others wait in the
     * kernel's queue, nothing spins. */
    if (!connections_accept(all->hub, stream, (size_t)(listener - all->list))) {
        listener->waiting = true;
        complain_of_room(all);
    }
    connections_settle(all->hub);
}

static int bind_one(struct listener *listener, struct config_portal *portal)
{
    struct sockaddr_storage address;
    char text[ADDRESS_TEXT_MAX];
    int size = sizeof address, code;

    if (!address_parse(portal->host, portal->port, &address))
        return UV_EINVAL;
    code = uv_tcp_bind(&listener->tcp, (const struct sockaddr *)&address,
                       address.ss_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0);
    if (code == 0)
        code = uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&address, &size);
    if (code != 0)
        return code;
    /* Accepted sockets inherit it on Linux: one call for all. */
    uv_tcp_nodelay(&listener->tcp, 1);
    address_format(&address, text);
    free(portal->address);
    portal->address = strdup(text);
    return portal->address != NULL ? 0 : UV_ENOMEM;
}

bool listeners_bind(struct listeners *listeners, struct connections *hub, uv_loop_t *loop, struct config *config,
                    size_t *bad, int *code)
{
    listeners->hub = hub;
    listeners->count = 0;
    listeners->list = calloc(config->portal_count, sizeof *listeners->list);
    *bad = 0;
    *code = UV_ENOMEM;
    if (listeners->list == NULL)
        return false;
    for (size_t i = 0; i < config->portal_count; i++) {
        struct listener *listener = &listeners->list[i];
        *bad = i;
        *code = uv_tcp_init(loop, &listener->tcp);
        if (*code != 0)
            return false;
        listener->tcp.data = listener;
        listener->all = listeners;
        listeners->count++;
        *code = bind_one(listener, &config->portals[i]);
        if (*code != 0)
            return false;
    }
    return true;
}

bool listeners_start(struct listeners *listeners, size_t *bad, int *code)
{
    for (size_t i = 0; i < listeners->count; i++) {
        *bad = i;
        *code = uv_listen((uv_stream_t *)&listeners->list[i].tcp, BACKLOG, on_connection);
        if (*code != 0)
            return false;
    }
    return true;
}

void listeners_resume(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        struct listener *listener = &listeners->list[i];
        if (listener->waiting && !uv_is_closing((uv_handle_t *)&listener->tcp))
            listener->waiting = !connections_accept(listeners->hub, (uv_stream_t *)&listener->tcp, i);
    }
}

void listeners_close(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++)
        if (!uv_is_closing((uv_handle_t *)&listeners->list[i].tcp))
            uv_close((uv_handle_t *)&listeners->list[i].tcp, NULL);
}

void listeners_free(struct listeners *listeners)
{
    free(listeners->list);
    listeners->list = NULL;
    listeners->count = 0;
}
