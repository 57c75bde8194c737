/* The listening sockets of all portals; see listeners.h. */
#include "listeners.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"

enum {
    BACKLOG = 4096,     /* the kernel caps it at net.core.somaxconn */
    RETRY_MS = 1000
};

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

static void on_retry(uv_timer_t *timer)
{
    listeners_resume(timer->data);
}

/* Stops looking: others wait in the kernel's queue, nothing spins. */
static void pause_listener(struct listener *listener)
{
    struct listeners *all = listener->all;

    uv_poll_stop(&listener->poll);
    listener->waiting = true;
    complain_of_room(all);
    uv_timer_start(&all->retry, on_retry, RETRY_MS, 0);
}

/* One connection each time: while there are more, the socket stays readable. */
static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct listener *listener = poll->data;
    struct listeners *all = listener->all;
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;

    (void)events;
    if (status < 0 || all->hub->count >= all->hub->limit) {
        pause_listener(listener);
        return;
    }
    int descriptor = accept4(listener->descriptor, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
        connections_accept(all->hub, descriptor, &peer, (size_t)(listener - all->list));
        connections_settle(all->hub);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        pause_listener(listener);
    } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
        log_write(all->hub->log, NODE_LOG_WARNING, "a connection could not be accepted: %s", strerror(errno));
    }
}

/* Socket options of a listening socket. Accepted sockets inherit TCP_NODELAY on Linux: one call for all. */
static bool set_options(int descriptor, sa_family_t family)
{
    const int on = 1;

    return setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
           setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
           (family != AF_INET6 || setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0);
}

/* 0 or a libuv error. */
static int bind_one(struct listener *listener, uv_loop_t *loop, struct config_portal *portal)
{
    struct sockaddr_storage address;
    char text[ADDRESS_TEXT_MAX];
    socklen_t size;
    int code;

    if (!address_parse(portal->host, portal->port, &address))
        return UV_EINVAL;
    size = address.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    listener->descriptor = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->descriptor < 0 || !set_options(listener->descriptor, address.ss_family) ||
        bind(listener->descriptor, (struct sockaddr *)&address, size) != 0)
        return uv_translate_sys_error(errno);
    size = sizeof address;
    if (getsockname(listener->descriptor, (struct sockaddr *)&address, &size) != 0)
        return uv_translate_sys_error(errno);
    code = uv_poll_init(loop, &listener->poll, listener->descriptor);
    if (code != 0)
        return code;
    listener->polled = true;
    address_format(&address, text);
    free(portal->address);
    portal->address = strdup(text);
    return portal->address != NULL ? 0 : UV_ENOMEM;
}

bool listeners_bind(struct listeners *listeners, struct connections *hub, uv_loop_t *loop, struct config *config,
                    size_t *bad, int *code)
{
    uv_timer_init(loop, &listeners->retry);
    listeners->retry.data = listeners;
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
        listener->poll.data = listener;
        listener->all = listeners;
        listener->descriptor = -1;
        listeners->count++;
        *code = bind_one(listener, loop, &config->portals[i]);
        if (*code != 0)
            return false;
    }
    return true;
}

bool listeners_start(struct listeners *listeners, size_t *bad, int *code)
{
    for (size_t i = 0; i < listeners->count; i++) {
        struct listener *listener = &listeners->list[i];
        *bad = i;
        *code = listen(listener->descriptor, BACKLOG) != 0
                    ? uv_translate_sys_error(errno)
                    : uv_poll_start(&listener->poll, UV_READABLE, on_connection);
        if (*code != 0)
            return false;
    }
    return true;
}

void listeners_resume(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        struct listener *listener = &listeners->list[i];
        if (listener->waiting && !uv_is_closing((uv_handle_t *)&listener->poll))
            listener->waiting = uv_poll_start(&listener->poll, UV_READABLE, on_connection) != 0;
    }
}

void listeners_close(struct listeners *listeners)
{
    if (listeners->hub == NULL)
        return;
    if (!uv_is_closing((uv_handle_t *)&listeners->retry))
        uv_close((uv_handle_t *)&listeners->retry, NULL);
    for (size_t i = 0; i < listeners->count; i++) {
        struct listener *listener = &listeners->list[i];
        if (listener->polled && !uv_is_closing((uv_handle_t *)&listener->poll))
            uv_close((uv_handle_t *)&listener->poll, NULL);
        if (listener->descriptor >= 0)
            close(listener->descriptor);
        listener->descriptor = -1;
    }
}

void listeners_free(struct listeners *listeners)
{
    free(listeners->list);
    listeners->list = NULL;
    listeners->count = 0;
}
