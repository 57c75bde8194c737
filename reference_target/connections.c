/* TCP connections of initiators; see connections.h. */
#include "connections.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"

enum {
    PIECE_MAX = 64 * 1024,
    TICK_MS = 25,               /* how late a deadline may be noticed */
    ANSWER_DELAY_MS = 60,       /* of the switches slow-answers and refusal-closed-late */
    CLOSE_DELAY_MS = 150
};

enum connection_state {
    CONNECTION_OPEN,        /* the engine decides */
    CONNECTION_ENDING,      /* the engine wants it closed, output is still unsent */
    CONNECTION_LINGERING,   /* our FIN is out and the engine has let go; waits for the peer's */
    CONNECTION_CLOSING      /* handles are being closed */
};

struct connection {
    uv_tcp_t tcp;
    uv_write_t write;
    struct connections *hub;
    struct connection *previous, *next;
    struct connection *timed_previous, *timed_next; /* those with a deadline */
    struct conn *conn;                  /* NULL from CONNECTION_LINGERING on */
    uint8_t *piece;                     /* output that the kernel did not take at once, NULL: none */
    size_t portal;
    uint64_t deadline;                  /* or NODE_NO_DEADLINE */
    uint64_t hold;                      /* a switch sends or closes then, 0: nothing is held back */
    enum connection_state state;
    bool reading;
    bool eof;
    struct sockaddr_storage peer;
};

bool connections_open(struct connections *hub)
{
    hub->first = hub->timed = NULL;
    hub->count = 0;
    hub->linger = true;
    hub->buffer = malloc(CONNECTIONS_READ_SIZE);
    if (hub->buffer == NULL)
        return false;
    uv_timer_init(hub->loop, &hub->timer);
    hub->timer.data = hub;
    return true;
}

void connections_close(struct connections *hub)
{
    free(hub->buffer);
    hub->buffer = NULL;
}

static void on_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;

    free(connection->piece);
    free(connection);
}

static void on_tick(uv_timer_t *timer);

/* All connections share one timer: it ticks while any of them has a deadline, and none pays for a timer of its own. */
static void set_deadline(struct connection *connection, uint64_t deadline)
{
    struct connections *hub = connection->hub;
    bool before = connection->deadline != NODE_NO_DEADLINE, after = deadline != NODE_NO_DEADLINE;

    connection->deadline = deadline;
    if (before == after)
        return;
    if (after) {
        connection->timed_previous = NULL;
        connection->timed_next = hub->timed;
        if (hub->timed != NULL)
            hub->timed->timed_previous = connection;
        hub->timed = connection;
        if (!uv_is_active((uv_handle_t *)&hub->timer))
            uv_timer_start(&hub->timer, on_tick, TICK_MS, TICK_MS);
        return;
    }
    if (connection->timed_previous != NULL)
        connection->timed_previous->timed_next = connection->timed_next;
    else
        hub->timed = connection->timed_next;
    if (connection->timed_next != NULL)
        connection->timed_next->timed_previous = connection->timed_previous;
}

/* Lets the engine's part go, takes the connection off the list and closes it; with a RST when reset. */
static void drop(struct connection *connection, bool reset)
{
    struct connections *hub = connection->hub;

    if (connection->state == CONNECTION_CLOSING)
        return;
    connection->state = CONNECTION_CLOSING;
    if (connection->conn != NULL)
        conn_free(connection->conn);
    connection->conn = NULL;
    set_deadline(connection, NODE_NO_DEADLINE);
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        hub->first = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    hub->count--;
    if (!reset || uv_tcp_close_reset(&connection->tcp, on_closed) != 0)
        uv_close((uv_handle_t *)&connection->tcp, on_closed);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct connection *connection = handle->data;

    (void)suggested;
    buffer->base = connection->hub->buffer;
    buffer->len = CONNECTIONS_READ_SIZE;
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer);

static void set_reading(struct connection *connection, bool reading)
{
    if (reading == connection->reading || (reading && connection->eof))
        return;
    connection->reading = reading;
    if (reading)
        uv_read_start((uv_stream_t *)&connection->tcp, on_allocate, on_read);
    else
        uv_read_stop((uv_stream_t *)&connection->tcp);
}

static void update(struct connection *connection);

static void on_written(uv_write_t *request, int status)
{
    struct connection *connection = request->data;

    free(connection->piece);
    connection->piece = NULL;
    if (connection->state == CONNECTION_CLOSING)
        return;
    if (status < 0)
        drop(connection, false);
    else
        update(connection);
    connections_settle(connection->hub);
}

/* Hands a piece of the output that the kernel has no room for to libuv. */
static bool queue_piece(struct connection *connection)
{
    const uint8_t *bytes;
    size_t length = conn_output(connection->conn, &bytes);
    uv_buf_t buffer;

    length = length < PIECE_MAX ? length : PIECE_MAX;
    connection->piece = malloc(length);
    if (connection->piece == NULL)
        return false;
    memcpy(connection->piece, bytes, length);
    conn_output_consumed(connection->conn, length);
    buffer = uv_buf_init((char *)connection->piece, (unsigned)length);
    if (uv_write(&connection->write, (uv_stream_t *)&connection->tcp, &buffer, 1, on_written) == 0)
        return true;
    free(connection->piece);
    connection->piece = NULL;
    return false;
}

/* Sends what the engine has. False: the connection is of no use any more. */
static bool flush(struct connection *connection)
{
    while (connection->piece == NULL) {
        const uint8_t *bytes;
        size_t length = conn_output(connection->conn, &bytes);
        uv_buf_t buffer;
        int sent;
        if (length == 0)
            return true;
        buffer = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)(length < INT32_MAX ? length : INT32_MAX));
        if (benign_has(&connection->hub->config->benigns, BENIGN_ONE_BYTE_SEGMENTS))
            buffer.len = 1;
        sent = uv_try_write((uv_stream_t *)&connection->tcp, &buffer, 1);
        if (sent < 0 && sent != UV_EAGAIN)
            return false;
        if (sent > 0)
            conn_output_consumed(connection->conn, (size_t)sent);
        if ((sent < 0 || (size_t)sent < buffer.len) && !queue_piece(connection))
            return false;
    }
    return true;
}

/* How long a peer may take to end its side. When descriptors run short that is not long. */
static uint64_t linger_time(const struct connections *hub)
{
    return hub->count < hub->limit / 4 * 3 ? CONNECTIONS_LINGER_MS : CONNECTIONS_LINGER_CROWDED_MS;
}

/* The engine's close, when all is sent: FIN, then the peer has some time to send its own. */
static void finish(struct connection *connection)
{
    uv_os_fd_t descriptor;

    if (connection->eof || !connection->hub->linger || uv_fileno((uv_handle_t *)&connection->tcp, &descriptor) != 0 ||
        shutdown(descriptor, SHUT_WR) != 0) {
        drop(connection, false);
        return;
    }
    conn_free(connection->conn);
    connection->conn = NULL;
    connection->state = CONNECTION_LINGERING;
    set_reading(connection, true);
    set_deadline(connection, uv_now(connection->hub->loop) + linger_time(connection->hub));
}

/* Switches that answer or close later. True: not yet, a deadline is set. */
static bool held_back(struct connection *connection)
{
    const struct benigns *benigns = &connection->hub->config->benigns;
    uint64_t now = uv_now(connection->hub->loop), wait = 0;
    const uint8_t *bytes;

    if (connection->state != CONNECTION_OPEN)
        return false;
    if (conn_output(connection->conn, &bytes) > 0) {
        if (benign_has(benigns, BENIGN_SLOW_ANSWERS))
            wait = ANSWER_DELAY_MS;
    } else if (conn_action(connection->conn) == CONN_CLOSE && benign_has(benigns, BENIGN_REFUSAL_CLOSED_LATE)) {
        wait = CLOSE_DELAY_MS;
    }
    if (wait == 0)
        return false;
    if (connection->hold == 0)
        connection->hold = now + wait;
    if (now >= connection->hold) {
        if (wait == ANSWER_DELAY_MS)    /* the next answer waits anew, a close comes once */
            connection->hold = 0;
        return false;
    }
    set_reading(connection, false);
    set_deadline(connection, connection->hold);
    return true;
}

/* Does what the engine wants of one connection. */
static void update(struct connection *connection)
{
    enum conn_action action;

    if (connection->conn == NULL || held_back(connection))
        return;
    action = conn_action(connection->conn);
    if (action == CONN_RESET || !flush(connection)) {
        drop(connection, action == CONN_RESET);
        return;
    }
    /* Output that became free may have changed the engine's mind. */
    action = conn_action(connection->conn);
    if (action == CONN_CLOSE && connection->state == CONNECTION_OPEN && held_back(connection))
        return;
    if (action == CONN_CLOSE && conn_refused(connection->conn) && connection->piece == NULL &&
        benign_has(&connection->hub->config->benigns, BENIGN_REFUSAL_CLOSED_BY_RESET))
        action = CONN_RESET;
    if (action == CONN_RESET) {
        drop(connection, true);
    } else if (action == CONN_CLOSE || connection->eof) {
        if (connection->piece == NULL) {
            finish(connection);
        } else if (connection->state == CONNECTION_OPEN) {
            connection->state = CONNECTION_ENDING;
            set_reading(connection, false);
            set_deadline(connection, uv_now(connection->hub->loop) + linger_time(connection->hub));
        }
    } else {
        set_reading(connection, conn_wants_input(connection->conn));
        set_deadline(connection, conn_deadline(connection->conn));
    }
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct connection *connection = stream->data;
    struct connections *hub = connection->hub;

    if (length == 0 || (length > 0 && connection->conn == NULL))
        return;
    if (length > 0) {
        conn_input(connection->conn, (const uint8_t *)buffer->base, (size_t)length);
    } else if (length == UV_EOF && connection->conn != NULL) {
        connection->eof = true;
        connection->reading = false;
        conn_eof(connection->conn);
        update(connection);
    } else {
        drop(connection, false);
    }
    connections_settle(hub);
}

/* The deadline of a connection has passed. */
static void expire(struct connection *connection)
{
    set_deadline(connection, NODE_NO_DEADLINE);
    if (connection->state == CONNECTION_OPEN) {
        conn_tick(connection->conn);
        update(connection);
    } else {
        drop(connection, connection->state == CONNECTION_ENDING);
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct connections *hub = timer->data;
    uint64_t now = uv_now(hub->loop);
    struct connection *following;

    /* What one does to others is done in connections_settle(), so the one that follows stays. */
    for (struct connection *connection = hub->timed; connection != NULL; connection = following) {
        following = connection->timed_next;
        if (connection->deadline <= now)
            expire(connection);
    }
    if (hub->timed == NULL)
        uv_timer_stop(timer);
    connections_settle(hub);
}

void connections_peer(const struct connection *connection, char *text)
{
    if (!address_format(&connection->peer, text))
        strcpy(text, "unknown");
}

/* Gives the accepted connection to the engine. False: no memory. */
static bool introduce(struct connection *connection)
{
    struct sockaddr_storage address;
    char text[ADDRESS_TEXT_MAX];
    const char *local = connection->hub->config->portals[connection->portal].address;
    int size = sizeof address;

    if (address_is_wildcard(local))
        local = uv_tcp_getsockname(&connection->tcp, (struct sockaddr *)&address, &size) == 0 &&
                        address_format(&address, text)
                    ? text
                    : NULL;
    connection->conn = conn_open(connection->hub->node, connection->portal, NULL, local);
    if (connection->conn == NULL)
        return false;
    conn_set_user(connection->conn, connection);
    return true;
}

void connections_accept(struct connections *hub, int descriptor, const struct sockaddr_storage *peer, size_t portal)
{
    struct connection *connection = calloc(1, sizeof *connection);

    if (connection == NULL) {
        close(descriptor);
        return;
    }
    connection->hub = hub;
    connection->portal = portal;
    connection->peer = *peer;
    connection->deadline = NODE_NO_DEADLINE;
    uv_tcp_init(hub->loop, &connection->tcp);
    if (benign_has(&hub->config->benigns, BENIGN_ONE_BYTE_SEGMENTS))
        uv_tcp_nodelay(&connection->tcp, 1);
    connection->tcp.data = connection->write.data = connection;
    connection->next = hub->first;
    if (hub->first != NULL)
        hub->first->previous = connection;
    hub->first = connection;
    hub->count++;
    if (uv_tcp_open(&connection->tcp, descriptor) != 0) {
        close(descriptor);
        drop(connection, false);
    } else if (!introduce(connection)) {
        drop(connection, false);
    } else {
        update(connection);
    }
}

void connections_settle(struct connections *hub)
{
    struct conn *conn;

    while ((conn = node_next_dirty(hub->node)) != NULL)
        update(conn_user(conn));
    hub->changed(hub->context);
}

void connections_drop_all(struct connections *hub)
{
    while (hub->first != NULL)
        drop(hub->first, false);
    if (hub->buffer != NULL && !uv_is_closing((uv_handle_t *)&hub->timer))
        uv_close((uv_handle_t *)&hub->timer, NULL);
}

void connections_each(const struct connections *hub,
                      void (*visit)(void *context, const struct conn *conn, size_t portal, const char *peer),
                      void *context)
{
    char peer[ADDRESS_TEXT_MAX];

    for (const struct connection *c = hub->first; c != NULL; c = c->next) {
        if (c->conn == NULL)
            continue;
        connections_peer(c, peer);
        visit(context, c->conn, c->portal, peer);
    }
}
