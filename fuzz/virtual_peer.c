/* The initiator inside a server under test: see virtual_peer.h. */
#include "fuzz/virtual_peer.h"

#include <string.h>

static void conn_reset(struct virtual_peer_conn *conn)
{
    conn->state = VIRTUAL_PEER_NONE;
    conn->interest = (struct virtual_peer_interest){.in = false};
    conn->end = conn->reset = conn->reset_told = conn->told = false;
    conn->idle = 0;
    conn->at = conn->len = 0;
}

void virtual_peer_start(struct virtual_peer *peer, const struct session_live_names *names, const uint8_t *bytes,
                        size_t len)
{
    session_live_init(&peer->live, names);
    peer->at = bytes;
    peer->end = bytes + len;
    peer->ending = false;
    peer->steps = 0;
    peer->last = 0;
    for (unsigned i = 0; i < SESSION_INPUT_CONNS; i++)
        conn_reset(&peer->conns[i]);
}

static void add_bytes(struct virtual_peer_conn *conn, const uint8_t *bytes, size_t len)
{
    if (conn->at == conn->len)
        conn->at = conn->len = 0;
    if (len > sizeof(conn->bytes) - conn->len)
        len = sizeof(conn->bytes) - conn->len;
    if (len > 0)
        memcpy(conn->bytes + conn->len, bytes, len);
    conn->len += len;
    conn->told = false;
}

static void play_record(struct virtual_peer *peer, const struct session_input_record *record)
{
    struct virtual_peer_conn *conn = &peer->conns[record->conn];
    const uint8_t *bytes;

    if (record->kind == SESSION_INPUT_TIME)
        return;
    if (record->kind == SESSION_INPUT_RESET) {
        if (conn->state == VIRTUAL_PEER_OPEN)
            conn->end = conn->reset = true, conn->told = false;
        else
            conn_reset(conn);
        return;
    }
    if (conn->state == VIRTUAL_PEER_CLOSED || conn->end)
        return;
    if (conn->state == VIRTUAL_PEER_NONE) {
        conn_reset(conn);
        conn->state = VIRTUAL_PEER_WAITS;
        session_live_open(&peer->live, record->conn);
    }
    if (record->kind == SESSION_INPUT_EOF) {
        conn->end = true;
        conn->told = false;
        return;
    }
    size_t len = session_live_render(&peer->live, record, peer->out, sizeof(peer->out), &bytes);
    add_bytes(conn, bytes, len);
}

static bool can_read(const struct virtual_peer_conn *conn)
{
    return conn->interest.in && (conn->at < conn->len || conn->end) && !(conn->interest.edge && conn->told);
}

static bool can_write(const struct virtual_peer_conn *conn)
{
    return conn->interest.out && conn->idle < VIRTUAL_PEER_IDLE_MAX && !(conn->interest.edge && conn->idle > 0);
}

/* The next connection that can go on. */
static bool find_io(struct virtual_peer *peer, struct virtual_peer_event *event)
{
    for (unsigned n = 1; n <= SESSION_INPUT_CONNS; n++) {
        unsigned i = (peer->last + n) % SESSION_INPUT_CONNS;
        struct virtual_peer_conn *conn = &peer->conns[i];

        if (conn->state != VIRTUAL_PEER_OPEN)
            continue;
        event->in = can_read(conn);
        event->out = can_write(conn);
        if (!event->in && !event->out)
            continue;
        event->what = VIRTUAL_PEER_IO;
        event->conn = i;
        event->reset = conn->reset;
        conn->told = conn->told || event->in;
        conn->idle += event->out;
        peer->last = i;
        return true;
    }
    return false;
}

static bool find_waiting(const struct virtual_peer *peer)
{
    for (unsigned i = 0; i < SESSION_INPUT_CONNS; i++)
        if (peer->conns[i].state == VIRTUAL_PEER_WAITS)
            return true;
    return false;
}

/* The input is over: every connection ends, so that the server lets go of what it keeps for it. */
static void end_all(struct virtual_peer *peer)
{
    peer->ending = true;
    for (unsigned i = 0; i < SESSION_INPUT_CONNS; i++) {
        peer->conns[i].end = true;
        peer->conns[i].told = false;
        peer->conns[i].idle = 0;
    }
}

struct virtual_peer_event virtual_peer_poll(struct virtual_peer *peer)
{
    struct virtual_peer_event event = {.what = VIRTUAL_PEER_QUIET};
    struct session_input_record record;

    for (;;) {
        if (find_waiting(peer)) {
            event.what = VIRTUAL_PEER_ACCEPT;
            return event;
        }
        if (peer->ending && ++peer->steps > VIRTUAL_PEER_END_MAX)
            return event;
        if (find_io(peer, &event))
            return event;
        if (peer->ending)
            return event;
        if (session_input_next(&peer->at, peer->end, &record))
            play_record(peer, &record);
        else
            end_all(peer);
    }
}

int virtual_peer_accept(struct virtual_peer *peer)
{
    for (unsigned i = 0; i < SESSION_INPUT_CONNS; i++)
        if (peer->conns[i].state == VIRTUAL_PEER_WAITS) {
            peer->conns[i].state = VIRTUAL_PEER_OPEN;
            return (int)i;
        }
    return -1;
}

long virtual_peer_read(struct virtual_peer *peer, unsigned conn, uint8_t *bytes, size_t len, bool *would_block)
{
    struct virtual_peer_conn *c = &peer->conns[conn];
    size_t take = c->len - c->at < len ? c->len - c->at : len;

    *would_block = false;
    if (c->reset) { /* told once, as the kernel does; from then on it is at its end */
        take = 0;
        if (!c->reset_told) {
            c->reset_told = true;
            return -1;
        }
    }
    if (take == 0 && len > 0 && !c->end) {
        *would_block = true;
        return -1;
    }
    if (take > 0)
        memcpy(bytes, c->bytes + c->at, take);
    c->at += take;
    return (long)take;
}

void virtual_peer_write(struct virtual_peer *peer, unsigned conn, const uint8_t *bytes, size_t len)
{
    peer->conns[conn].idle = 0;
    session_live_answer(&peer->live, conn, bytes, len);
}

void virtual_peer_close(struct virtual_peer *peer, unsigned conn)
{
    bool reset = peer->conns[conn].reset;

    conn_reset(&peer->conns[conn]);
    if (!reset) /* after a reset of the initiator the number may be used again */
        peer->conns[conn].state = VIRTUAL_PEER_CLOSED;
}
