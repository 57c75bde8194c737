/* Genuine libiscsi on a leash: see tap.h. */
#include "harness/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <iscsi/iscsi.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TAP_SERVICE_TURNS = 64, TAP_PDU_MAX = 1 << 18 };

struct tap {
    struct iscsi_context *iscsi;
    int below;    /* libiscsi's end of the socketpair: the number it believes to be TCP */
    int end;      /* our end */
    bool dead;    /* iscsi_service() gave up: it must not be called again */
    bool logged;  /* the login callback was called */
    int status;   /* what it was called with */
    uint8_t *out; /* what libiscsi has written and nobody has taken yet */
    size_t out_len, out_cap, out_taken;
    char words[300];
};

static void tap_logged(struct iscsi_context *iscsi, int status, void *data, void *user)
{
    struct tap *t = user;

    (void)iscsi;
    (void)data;
    if (!t->logged) {
        t->logged = true;
        t->status = status;
    }
}

static void tap_connected(struct iscsi_context *iscsi, int status, void *data, void *user)
{
    struct tap *t = user;

    (void)data;
    if (status != 0 || iscsi_login_async(iscsi, tap_logged, t))
        t->dead = true;
}

static int tap_configure(struct iscsi_context *iscsi, const struct tap_config *c)
{
    iscsi_set_log_level(iscsi, 0); /* whatever LIBISCSI_DEBUG says: stderr is the program's own */
    iscsi_set_noautoreconnect(iscsi, 1);
    if (iscsi_set_session_type(iscsi, c->discovery ? ISCSI_SESSION_DISCOVERY : ISCSI_SESSION_NORMAL) ||
        iscsi_set_header_digest(iscsi, ISCSI_HEADER_DIGEST_NONE) ||
        iscsi_set_isid_random(iscsi, c->isid_random, c->isid_qualifier))
        return -1;
    if (c->target && iscsi_set_targetname(iscsi, c->target))
        return -1;
    if (c->user && iscsi_set_initiator_username_pwd(iscsi, c->user, c->secret ? c->secret : ""))
        return -1;
    if (c->mutual_user &&
        iscsi_set_target_username_pwd(iscsi, c->mutual_user, c->mutual_secret ? c->mutual_secret : ""))
        return -1;
    return 0;
}

/* Takes the TCP descriptor away from libiscsi. Returns it, or -1. */
static int tap_swap(struct tap *t)
{
    int pair[2], real;

    t->below = iscsi_get_fd(t->iscsi);
    real = fcntl(t->below, F_DUPFD_CLOEXEC, 3);
    if (real < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair)) {
        close(real);
        return -1;
    }
    if (dup3(pair[0], t->below, O_CLOEXEC) < 0) {
        close(real);
        real = -1;
    }
    close(pair[0]);
    t->end = pair[1];
    return real;
}

struct tap *tap_open(const struct tap_config *config, const char *portal, int *real, char *err, size_t err_len)
{
    struct tap *t = calloc(1, sizeof(*t));

    if (!t || !(t->iscsi = iscsi_create_context(config->initiator))) {
        snprintf(err, err_len, "libiscsi made no context for initiator \"%s\"", config->initiator);
        free(t);
        return NULL;
    }
    t->end = -1;
    if (tap_configure(t->iscsi, config)) {
        snprintf(err, err_len, "libiscsi: %s", iscsi_get_error(t->iscsi));
    } else if (iscsi_connect_async(t->iscsi, portal, tap_connected, t)) {
        snprintf(err, err_len, "%s: %s", portal, iscsi_get_error(t->iscsi));
    } else if ((*real = tap_swap(t)) < 0) {
        snprintf(err, err_len, "no descriptor left for the tap: %s", strerror(errno));
    } else {
        return t;
    }
    tap_close(t);
    return NULL;
}

void tap_close(struct tap *t)
{
    if (!t)
        return;
    iscsi_destroy_context(t->iscsi); /* closes its end of the pair, never the TCP connection */
    if (t->end >= 0)
        close(t->end);
    free(t->out);
    free(t);
}

/* One call of libiscsi's engine, only while it still uses the descriptor that we put under it. */
static bool tap_service(struct tap *t, int events)
{
    if (t->dead || iscsi_get_fd(t->iscsi) != t->below)
        return false;
    if (iscsi_service(t->iscsi, events))
        t->dead = true;
    return !t->dead;
}

/* Drains what libiscsi has written into t->out. */
static void tap_drain(struct tap *t)
{
    for (;;) {
        ssize_t got;

        if (t->out_cap - t->out_len < 4096) {
            size_t cap = t->out_cap + 16384;
            uint8_t *bigger = cap <= 4u * TAP_PDU_MAX ? realloc(t->out, cap) : NULL;

            if (!bigger)
                return;
            t->out = bigger;
            t->out_cap = cap;
        }
        got = recv(t->end, t->out + t->out_len, t->out_cap - t->out_len, MSG_DONTWAIT);
        if (got <= 0)
            return;
        t->out_len += (size_t)got;
    }
}

static size_t tap_whole(const struct tap *t)
{
    size_t need;

    if (t->out_len < PDU_BHS_LEN)
        return 0;
    need = pdu_total_len(t->out, false, false);
    return t->out_len >= need ? need : 0;
}

size_t tap_take(struct tap *t, const uint8_t **pdu)
{
    if (t->out_taken) {
        memmove(t->out, t->out + t->out_taken, t->out_len - t->out_taken);
        t->out_len -= t->out_taken;
        t->out_taken = 0;
    }
    for (int i = 0; i < TAP_SERVICE_TURNS && !tap_whole(t); i++) {
        if (!t->dead && !(iscsi_which_events(t->iscsi) & POLLOUT))
            break;
        if (!tap_service(t, POLLOUT))
            break;
        tap_drain(t);
    }
    tap_drain(t); /* what it wrote before it gave up */
    t->out_taken = tap_whole(t);
    *pdu = t->out;
    return t->out_taken;
}

bool tap_give(struct tap *t, const uint8_t *pdu, size_t len)
{
    size_t done = 0;
    int waiting = 0;

    for (int i = 0; i < TAP_SERVICE_TURNS && !t->dead; i++) {
        if (done < len) {
            ssize_t sent = send(t->end, pdu + done, len - done, MSG_NOSIGNAL | MSG_DONTWAIT);

            if (sent > 0)
                done += (size_t)sent;
        }
        if (ioctl(t->below, FIONREAD, &waiting) || (waiting == 0 && done == len))
            break;
        /* POLLIN alone: with POLLHUP or POLLERR libiscsi throws away what it has not read yet */
        if (!tap_service(t, POLLIN))
            break;
    }
    return done == len && waiting == 0;
}

bool tap_finished(const struct tap *t, int *status)
{
    *status = t->status;
    return t->logged;
}

const char *tap_error(struct tap *t)
{
    const char *text = iscsi_get_error(t->iscsi);

    snprintf(t->words, sizeof(t->words), "%s", text ? text : "");
    t->words[strcspn(t->words, "\n")] = '\0'; /* some of its texts end in a line feed */
    return t->words;
}

const char *tap_target_address(struct tap *t)
{
    const char *text = iscsi_get_target_address(t->iscsi);

    return text ? text : "";
}
