/* TCP connections under one clock and one poll loop: see link.h. */
#include "harness/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { READ_AT_ONCE = 65536 };

static int64_t clock_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void net_init(struct net *n, struct transcript *t)
{
    memset(n, 0, sizeof(*n));
    n->transcript = t;
    n->origin_us = clock_us();
}

int64_t net_now(const struct net *n)
{
    return clock_us() - n->origin_us;
}

struct link *net_add(struct net *n, const char *name, int fd)
{
    struct link *l = calloc(1, sizeof(*l));
    struct link **links = realloc(n->links, (n->count + 1) * sizeof(struct link *));
    int one = 1;

    if (links)
        n->links = links;
    if (!l || !links || !(l->log = transcript_add_conn(n->transcript, name))) {
        free(l);
        close(fd);
        return NULL;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    l->fd = fd;
    l->limit = TRANSCRIPT_STREAM_MAX;
    n->links[n->count++] = l;
    return l;
}

struct link *net_connect(struct net *n, const char *name, const char *host, uint16_t port, char *err, size_t err_len)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *list = NULL;
    char service[8];
    int fd, rc;

    snprintf(service, sizeof(service), "%u", (unsigned)port);
    rc = getaddrinfo(host, service, &hints, &list);
    if (rc) {
        snprintf(err, err_len, "%s: %s", host, gai_strerror(rc));
        return NULL;
    }
    fd = socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || (connect(fd, list->ai_addr, list->ai_addrlen) && errno != EINPROGRESS)) {
        snprintf(err, err_len, "%s port %u: %s", host, (unsigned)port, strerror(errno));
        if (fd >= 0)
            close(fd);
        freeaddrinfo(list);
        return NULL;
    }
    freeaddrinfo(list);
    return net_add(n, name, fd);
}

static void link_peer_ended(struct net *n, struct link *l, enum transcript_end end)
{
    l->peer_ended = true;
    l->peer_first = !l->we_ended;
    l->peer_end = end;
    l->peer_end_us = net_now(n);
    transcript_end(l->log, TRANSCRIPT_TARGET, l->peer_end_us, end);
}

/* Reads once. Ends are recorded only when the receive buffer is empty, so an RST undoes nothing that arrived. */
static void link_read(struct net *n, struct link *l)
{
    uint8_t buf[READ_AT_ONCE];
    ssize_t got = recv(l->fd, buf, sizeof(buf), MSG_DONTWAIT);

    if (got > 0) {
        size_t held = l->log->stream[TRANSCRIPT_TARGET].len;
        size_t room = l->limit > held ? l->limit - held : 0;

        if ((size_t)got > room) {
            l->flooded = true;
            got = (ssize_t)room;
        }
        if (got > 0 && !transcript_bytes(l->log, TRANSCRIPT_TARGET, net_now(n), buf, (size_t)got))
            l->flooded = true;
        return;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR))
        link_peer_ended(n, l, got == 0 && !l->reset_seen ? TRANSCRIPT_FIN : TRANSCRIPT_RST);
}

static bool link_readable(const struct link *l)
{
    return l->fd >= 0 && l->connected && !l->peer_ended && !l->flooded;
}

static bool links_serve(struct net *n, struct pollfd *fds, struct link **polled, size_t count)
{
    bool happened = false;

    for (size_t i = 0; i < count; i++) {
        if (!fds[i].revents)
            continue;
        happened = true;
        if (link_readable(polled[i]) && fds[i].revents & (POLLIN | POLLHUP | POLLERR)) {
            link_read(n, polled[i]);
            if (n->arrived)
                n->arrived(n->user, polled[i]);
        }
    }
    return happened;
}

bool net_turn(struct net *n, int64_t deadline_us)
{
    struct pollfd *fds = calloc(n->count + 1, sizeof(*fds));
    struct link **polled = calloc(n->count + 1, sizeof(struct link *));
    size_t count = 0;
    int64_t left = deadline_us - net_now(n);
    struct timespec limit;
    bool happened = false;

    if (!fds || !polled)
        left = 0;
    for (size_t i = 0; fds && polled && i < n->count; i++) {
        struct link *l = n->links[i];
        short events = (short)((link_readable(l) ? POLLIN : 0) | (l->want_out ? POLLOUT : 0));

        if (l->fd < 0 || !events)
            continue;
        fds[count] = (struct pollfd){.fd = l->fd, .events = events};
        polled[count++] = l;
    }
    if (left < 0)
        left = 0;
    limit = (struct timespec){.tv_sec = left / 1000000, .tv_nsec = left % 1000000 * 1000};
    if (ppoll(fds, count, &limit, NULL) > 0)
        happened = links_serve(n, fds, polled, count);
    free(fds);
    free(polled);
    return happened || net_now(n) < deadline_us;
}

static void link_name_end(const struct sockaddr_storage *a, char *host, size_t host_len, uint16_t *port)
{
    if (a->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)a;

        inet_ntop(AF_INET, &in->sin_addr, host, (socklen_t)host_len);
        *port = ntohs(in->sin_port);
    } else if (a->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)a;

        inet_ntop(AF_INET6, &in->sin6_addr, host, (socklen_t)host_len);
        *port = ntohs(in->sin6_port);
    }
}

static void link_established(struct link *l)
{
    struct sockaddr_storage a = {0};
    socklen_t len = sizeof(a);

    l->connected = true;
    l->log->connected = true;
    if (getsockname(l->fd, (struct sockaddr *)&a, &len) == 0)
        link_name_end(&a, l->log->local, sizeof(l->log->local), &l->log->local_port);
    len = sizeof(a);
    if (getpeername(l->fd, (struct sockaddr *)&a, &len) == 0)
        link_name_end(&a, l->log->remote, sizeof(l->log->remote), &l->log->remote_port);
}

bool link_wait_connected(struct net *n, struct link *l, int64_t deadline_us, char *err, size_t err_len)
{
    while (!l->connected) {
        struct pollfd p = {.fd = l->fd, .events = POLLOUT};
        int error = 0;
        socklen_t len = sizeof(error);

        if (poll(&p, 1, 0) > 0) {
            if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &len))
                error = errno;
            /* a reset speaks of a connection that was there: a SYN that is refused gives ECONNREFUSED */
            if (error && error != ECONNRESET && error != EPIPE) {
                snprintf(err, err_len, "%s", strerror(error));
                return false;
            }
            link_established(l);
            l->reset_seen = error != 0; /* what arrived before it is still to be read */
            break;
        }
        l->want_out = true;
        if (!net_turn(n, deadline_us)) {
            l->want_out = false;
            snprintf(err, err_len, "no TCP connection in time");
            return false;
        }
    }
    l->want_out = false;
    return true;
}

bool link_send(struct net *n, struct link *l, const uint8_t *bytes, size_t len, int64_t deadline_us)
{
    size_t done = 0;

    while (done < len) {
        ssize_t sent;

        if (l->fd < 0 || l->send_failed || l->flooded)
            return false;
        sent = send(l->fd, bytes + done, len - done, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            transcript_bytes(l->log, TRANSCRIPT_INITIATOR, net_now(n), bytes + done, (size_t)sent);
            done += (size_t)sent;
        } else if (errno == EAGAIN || errno == EINTR) {
            bool in_time;

            l->want_out = true;
            in_time = net_turn(n, deadline_us);
            l->want_out = false;
            if (!in_time)
                return false;
        } else {
            l->send_failed = true; /* what arrived before is still there to be read */
            return false;
        }
    }
    return true;
}

bool link_wait_end(struct net *n, struct link *l, int64_t deadline_us)
{
    while (!l->peer_ended) {
        if (l->fd < 0 || l->flooded || !net_turn(n, deadline_us))
            return false;
    }
    return true;
}

void link_half_close(struct net *n, struct link *l)
{
    if (l->fd < 0 || l->we_ended)
        return;
    shutdown(l->fd, SHUT_WR);
    l->we_ended = true;
    transcript_end(l->log, TRANSCRIPT_INITIATOR, net_now(n), TRANSCRIPT_FIN);
}

static void link_shut(struct net *n, struct link *l, enum transcript_end end)
{
    bool was_open = l->connected && !l->we_ended;

    l->we_ended = true;
    close(l->fd);
    l->fd = -1;
    if (was_open || (end == TRANSCRIPT_RST && l->connected))
        transcript_end(l->log, TRANSCRIPT_INITIATOR, net_now(n), end);
}

void link_reset(struct net *n, struct link *l)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};

    if (l->fd < 0)
        return;
    setsockopt(l->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    link_shut(n, l, TRANSCRIPT_RST);
}

/* Reads what has arrived; nothing when it is closed. */
static void link_drain(struct net *n, struct link *l)
{
    for (int i = 0; i < 16 && link_readable(l); i++) {
        size_t before = l->log->stream[TRANSCRIPT_TARGET].len;

        link_read(n, l);
        if (l->log->stream[TRANSCRIPT_TARGET].len == before)
            break;
    }
}

/* Ends it for good, unread what has not been read. */
static void link_leave(struct net *n, struct link *l)
{
    if (l->flooded) /* unread bytes make the kernel answer with RST anyway: say what goes out */
        link_reset(n, l);
    else
        link_shut(n, l, TRANSCRIPT_FIN);
}

void link_close(struct net *n, struct link *l)
{
    if (l->fd < 0)
        return;
    link_drain(n, l);
    link_leave(n, l);
}

/* What has arrived on any is read before one is closed: that end may make a target answer on another, too late. */
void net_free(struct net *n)
{
    for (size_t i = 0; i < n->count; i++)
        link_drain(n, n->links[i]);
    for (size_t i = 0; i < n->count; i++) {
        if (n->links[i]->fd >= 0)
            link_leave(n, n->links[i]);
        free(n->links[i]);
    }
    free(n->links);
    memset(n, 0, sizeof(*n));
}

size_t link_rest(const struct link *l)
{
    return l->log->stream[TRANSCRIPT_TARGET].len - l->taken;
}

enum link_take link_take(struct link *l, struct link_pdu *out, const char **why)
{
    const uint8_t *bytes = l->log->stream[TRANSCRIPT_TARGET].bytes; /* NULL before anything has come */
    const uint8_t *at = bytes ? bytes + l->taken : NULL;
    size_t rest = link_rest(l), need;

    *why = "more than 1 MiB during the login";
    if (rest > 0 && (!pdu_opcode_known(pdu_opcode(at)) || !pdu_opcode_from_target(pdu_opcode(at)))) {
        *why = "bytes that are no PDU of a target";
        return LINK_MALFORMED;
    }
    if (!at || rest < PDU_BHS_LEN)
        return l->flooded ? LINK_MALFORMED : LINK_NOTHING;
    need = pdu_total_len(at, l->header_digest, l->data_digest);
    if (rest < need) {
        if (need > LINK_LOGIN_MAX)
            *why = "a DataSegmentLength beyond anything agreed on";
        return l->flooded || need > LINK_LOGIN_MAX ? LINK_MALFORMED : LINK_NOTHING;
    }
    out->number = ++l->received;
    out->offset = l->taken;
    out->len = need;
    out->bhs = at;
    out->data_len = pdu_data_len(at);
    out->data = out->data_len ? at + PDU_BHS_LEN + pdu_ahs_len(at) + (l->header_digest ? PDU_DIGEST_LEN : 0) : NULL;
    l->taken += need;
    return LINK_TAKEN;
}
