/*
 * The server; see server.h. One thread, one loop. The start goes stepwise (struct server tells what is open) so that a
 * failure of any step and the ordinary end leave through the same door.
 */
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include <uv.h>

#include "address.h"
#include "connections.h"
#include "control.h"
#include "listeners.h"
#include "log.h"
#include "ready.h"
#include "store.h"

enum {
    DESCRIPTORS_KEPT = 64,      /* for everything that is no connection of an initiator */
    CONNECTIONS_MAX = 65536     /* TSIHs are 16 bits wide */
};

struct server {
    struct options *options;
    struct log log;
    uv_loop_t loop;
    uv_timer_t node_timer;      /* sessions that wait without a connection */
    uv_timer_t end_timer;       /* the end of the drain */
    uv_signal_t terminate, interrupt;
    struct node *node;
    struct store *store;
    struct connections hub;
    struct listeners listeners;
    struct control control;
    uint64_t node_deadline;
    size_t random_left;         /* bytes at the end of random that were not handed out */
    uint8_t random[256];
    bool draining;
    bool ended;
};

/* What the engine needs from outside. */

static uint64_t env_now(void *context)
{
    struct server *server = context;

    return uv_now(&server->loop);
}

/* One call of the kernel serves many small requests; what was handed out is wiped from the pool. */
static bool env_random(void *context, uint8_t *bytes, size_t length)
{
    struct server *server = context;

    while (length > 0) {
        size_t part = length < server->random_left ? length : server->random_left;
        uint8_t *from = server->random + sizeof server->random - server->random_left;
        memcpy(bytes, from, part);
        memset(from, 0, part);
        server->random_left -= part;
        bytes += part;
        length -= part;
        if (server->random_left > 0)
            continue;
        /* Up to 256 bytes come whole and are not interrupted. */
        if (getrandom(server->random, sizeof server->random, 0) != (ssize_t)sizeof server->random)
            return false;
        server->random_left = sizeof server->random;
    }
    return true;
}

static void *env_allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void env_release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static void env_log(void *context, enum node_log_level level, const char *text)
{
    struct server *server = context;

    log_write(&server->log, level, "%s", text);
}

static void env_peer(void *context, void *user, char *text)
{
    _Static_assert((int)ADDRESS_TEXT_MAX <= (int)NODE_PEER_MAX, "every address fits");
    (void)context;
    connections_peer(user, text);
}

static bool env_store_ok(void *context, size_t target)
{
    struct server *server = context;

    return store_ok(server->store, target);
}

static bool env_store_read(void *context, size_t target, uint64_t offset, uint8_t *bytes, size_t length)
{
    struct server *server = context;

    return store_read(server->store, target, offset, bytes, length);
}

static bool env_store_write(void *context, size_t target, uint64_t offset, const uint8_t *bytes, size_t length)
{
    struct server *server = context;

    return store_write(server->store, target, offset, bytes, length);
}

static bool env_store_flush(void *context, size_t target)
{
    struct server *server = context;

    return store_flush(server->store, target);
}

/* The end. */

/* Closes every handle that was opened; the loop then runs out. */
static void end(struct server *server)
{
    if (server->ended)
        return;
    server->ended = true;
    server->hub.linger = false;
    listeners_close(&server->listeners);
    connections_drop_all(&server->hub);
    control_close(&server->control);
    uv_close((uv_handle_t *)&server->node_timer, NULL);
    uv_close((uv_handle_t *)&server->end_timer, NULL);
    uv_close((uv_handle_t *)&server->terminate, NULL);
    uv_close((uv_handle_t *)&server->interrupt, NULL);
}

static void on_end(uv_timer_t *timer)
{
    struct server *server = timer->data;

    if (server->draining && node_count_connections(server->node) > 0)
        log_write(&server->log, NODE_LOG_WARNING, "the drain timed out with %zu connections open",
                  node_count_connections(server->node));
    end(server);
}

/* From a callback that still needs its handle: the end comes with the next turn of the loop. */
static void end_soon(void *context)
{
    struct server *server = context;

    if (!server->ended)
        uv_timer_start(&server->end_timer, on_end, 0, 0);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct server *server = handle->data;

    if (server->draining) {
        log_write(&server->log, NODE_LOG_INFO, "second signal: ending at once");
        server->draining = false;
        end(server);
        return;
    }
    log_write(&server->log, NODE_LOG_INFO, "%s: draining for up to %u ms, %zu connections are open",
              number == SIGINT ? "SIGINT" : "SIGTERM", server->options->drain_timeout_ms,
              node_count_connections(server->node));
    server->draining = true;
    uv_timer_start(&server->end_timer, on_end, server->options->drain_timeout_ms, 0);
    node_drain(server->node, NODE_ALL);
    node_request_logout(server->node);
    connections_settle(&server->hub);
}

static void on_node_timer(uv_timer_t *timer)
{
    struct server *server = timer->data;

    server->node_deadline = NODE_NO_DEADLINE;
    node_tick(server->node);
    connections_settle(&server->hub);
}

/* After each call of the engine. */
static void on_changed(void *context)
{
    struct server *server = context;
    uint64_t deadline, now = uv_now(&server->loop);

    if (server->ended)
        return;
    deadline = node_deadline(server->node);
    if (deadline != server->node_deadline) {
        server->node_deadline = deadline;
        if (deadline == NODE_NO_DEADLINE)
            uv_timer_stop(&server->node_timer);
        else
            uv_timer_start(&server->node_timer, on_node_timer, deadline > now ? deadline - now : 0, 0);
    }
    if (server->draining && node_count_connections(server->node) == 0)
        end_soon(server);
    else if (server->hub.count < server->hub.limit)
        listeners_resume(&server->listeners);
}

/* The start. */

/* As many descriptors as we may have; returns how many connections that allows. */
static size_t raise_descriptor_limit(void)
{
    struct rlimit limit;
    size_t most = CONNECTIONS_MAX + DESCRIPTORS_KEPT, usable;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 256;
    if (limit.rlim_cur < limit.rlim_max && limit.rlim_cur < most) {
        limit.rlim_cur = limit.rlim_max < most ? limit.rlim_max : most;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0 && getrlimit(RLIMIT_NOFILE, &limit) != 0)
            return 256;
    }
    usable = limit.rlim_cur < most ? (size_t)limit.rlim_cur : most;
    return usable > 2 * DESCRIPTORS_KEPT ? usable - DESCRIPTORS_KEPT : usable / 2;
}

static int complain(const char *flag, const char *value, const char *reason, const char *way_out)
{
    fprintf(stderr, "iscsispec-target: --%s '%s': %s; %s\n", flag, value, reason, way_out);
    return SERVER_UNREACHABLE;
}

static void init_timer(struct server *server, uv_timer_t *timer)
{
    uv_timer_init(&server->loop, timer);
    timer->data = server;
}

static void init_signal(struct server *server, uv_signal_t *handle, int number)
{
    uv_signal_init(&server->loop, handle);
    handle->data = server;
    uv_signal_start(handle, on_signal, number);
}

/* The handles that are there from the start to the end. */
static void open_handles(struct server *server)
{
    init_timer(server, &server->node_timer);
    init_timer(server, &server->end_timer);
    init_signal(server, &server->terminate, SIGTERM);
    init_signal(server, &server->interrupt, SIGINT);
}

/* Engine and hub. False: no memory. */
static bool open_core(struct server *server)
{
    const struct node_env env = {
        .context = server,
        .now_ms = env_now,
        .random = env_random,
        .allocate = env_allocate,
        .release = env_release,
        .log = env_log,
        .log_level = server->log.level,
        .peer = env_peer,
        .store_ok = env_store_ok,
        .store_read = env_store_read,
        .store_write = env_store_write,
        .store_flush = env_store_flush,
    };

    server->node = node_new(&server->options->config, &env);
    if (server->node == NULL)
        return false;
    server->hub = (struct connections){.loop = &server->loop,
                                       .node = server->node,
                                       .config = &server->options->config,
                                       .log = &server->log,
                                       .limit = raise_descriptor_limit(),
                                       .changed = on_changed,
                                       .context = server};
    return connections_open(&server->hub);
}

static int open_portals(struct server *server)
{
    struct config *config = &server->options->config;
    char text[320];
    size_t bad;
    int code;

    if (listeners_bind(&server->listeners, &server->hub, &server->loop, config, &bad, &code) &&
        listeners_start(&server->listeners, &bad, &code))
        return SERVER_OK;
    const struct config_portal *portal = &config->portals[bad];
    bool six = strchr(portal->host, ':') != NULL;
    snprintf(text, sizeof text, "%s=%s%s%s:%u", portal->name, six ? "[" : "", portal->host, six ? "]" : "",
             (unsigned)portal->port);
    return complain("portal", text, uv_strerror(code),
                    code == UV_EADDRINUSE      ? "end the process that listens there, or take another port (0: a free one)"
                    : code == UV_EADDRNOTAVAIL ? "give an address of this machine, as told by ip address"
                    : code == UV_EACCES        ? "take a port from 1024 on, or run as root"
                                               : "give another address");
}

static int open_control(struct server *server)
{
    const char *path = server->options->control_path, *reason;
    const struct verbs_context verbs = {.node = server->node,
                                        .config = &server->options->config,
                                        .hub = &server->hub,
                                        .quit = end_soon,
                                        .context = server};

    if (path == NULL)
        return SERVER_OK;
    reason = control_open(&server->control, &server->loop, path, &server->hub, &verbs);
    return reason == NULL ? SERVER_OK : complain("control", path, reason, "give another path");
}

/* Tells the world that all portals listen. */
static int announce(struct server *server)
{
    const struct options *options = server->options;
    char *text = ready_text(&options->config, options->control_path);
    int result = SERVER_OK;

    if (text == NULL) {
        fputs("iscsispec-target: out of memory\n", stderr);
        return SERVER_UNREACHABLE;
    }
    if (options->ready_file != NULL && !ready_write(options->ready_file, text))
        result = complain("ready-file", options->ready_file, strerror(errno),
                          "give another path");
    if (result == SERVER_OK) {
        /* Nobody has to read it: a closed output is no reason to stop. */
        puts(text);
        fflush(stdout);
    }
    free(text);
    return result;
}

static int open_all(struct server *server)
{
    struct config *config = &server->options->config;
    char reason[256];
    size_t bad = 0;
    int result;

    server->store = store_open(config, &bad, reason, sizeof reason);
    if (server->store == NULL)
        return complain("lun", config->targets[bad].lun_path != NULL ? config->targets[bad].lun_path : "", reason,
                        "give a file that can be read and written, or a size");
    if (!open_core(server)) {
        fputs("iscsispec-target: out of memory\n", stderr);
        return SERVER_UNREACHABLE;
    }
    result = open_portals(server);
    if (result == SERVER_OK)
        result = open_control(server);
    if (result == SERVER_OK)
        result = announce(server);
    return result;
}

int server_run(struct options *options)
{
    struct server *server = calloc(1, sizeof *server);
    int result;

    if (server == NULL || uv_loop_init(&server->loop) != 0) {
        fputs("iscsispec-target: no memory or no descriptors for an event loop\n", stderr);
        free(server);
        return SERVER_UNREACHABLE;
    }
    server->options = options;
    server->log = (struct log){.descriptor = STDERR_FILENO, .level = options->log_level};
    server->node_deadline = NODE_NO_DEADLINE;
    signal(SIGPIPE, SIG_IGN);
    /* A file left by an earlier process must not be taken for ours. */
    if (options->ready_file != NULL)
        unlink(options->ready_file);
    open_handles(server);
    result = open_all(server);
    if (result != SERVER_OK)
        end(server);
    uv_run(&server->loop, UV_RUN_DEFAULT);
    if (server->node != NULL)
        node_free(server->node);
    if (options->ready_file != NULL)
        unlink(options->ready_file);
    connections_close(&server->hub);
    listeners_free(&server->listeners);
    store_close(server->store);
    uv_loop_close(&server->loop);
    free(server);
    return result;
}
