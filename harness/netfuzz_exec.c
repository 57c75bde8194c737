/* Playing inputs to the target: see netfuzz_exec.h. */
#include "harness/netfuzz_exec.h"

#include "wire/bytes.h"
#include "wire/text.h"

#include <stdlib.h>
#include <string.h>

enum { READ_AT_ONCE = 65536, TICK_MS = 5, PLAY_MAX_MS = 20000 };

/* What an execution waits for; a later one is the more patient. */
enum wait { WAIT_NOTHING, WAIT_CLOSE, WAIT_OTHER, WAIT_ANSWER, WAIT_CONNECT };

enum step { STEP_ON, STEP_WAIT, STEP_OVER };

struct talk;

/* One TCP connection. Freed when libuv has closed it, which may be later than its talk ends. */
struct wire {
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_shutdown_t shutdown;
    struct talk *talk; /* NULL: the execution is over */
    unsigned index;
    struct transcript_conn *log; /* of the execution's transcript */
    bool connected, closing, peer_ended, we_ended, reset_seen, refused, full, garbage;
    uint8_t head[PDU_BHS_LEN]; /* of the PDU that is going out */
    size_t head_len;
    size_t body_left;    /* bytes of it that are still to go out */
    uint32_t due, other; /* answers that are due: to Login Requests, to other PDUs */
    size_t taken;        /* bytes of the target's stream that were cut into PDUs */
};

/* One execution in its slot. */
struct talk {
    struct netfuzz_exec exec;
    struct netfuzz_player *player;
    bool busy;
    struct wire *wires[NETFUZZ_CONNS];
    struct session_live_names names;
    struct session_live live;
    size_t next; /* record */
    int64_t start_us, deadline_us, last_us;
    enum wait waiting;
    bool expired;
};

struct netfuzz_player {
    uv_loop_t *loop;
    const struct netfuzz_site *site;
    uv_timer_t timer;
    struct talk *talks;
    size_t slots, busy;
    void (*done)(void *user, struct netfuzz_exec *exec);
    void *user;
    size_t open; /* handles that libuv still has */
    uint8_t in[READ_AT_ONCE];
    uint8_t out[NETFUZZ_RECORD_MAX + SESSION_LIVE_VALUE];
};

static void advance(struct talk *t);

static int64_t now_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

static int64_t talk_us(const struct talk *t)
{
    return now_us() - t->start_us;
}

/* ---- one connection ---- */

static void on_closed(uv_handle_t *handle)
{
    struct wire *w = (struct wire *)handle;

    ((struct netfuzz_player *)handle->data)->open--;
    free(w);
}

/* Ends our side for good: by RST, or by FIN where everything has been read and the target has ended already. */
static void wire_close(struct wire *w)
{
    bool fin = w->peer_ended && !w->reset_seen;

    if (w->closing)
        return;
    w->closing = true;
    if (w->log && w->connected && !w->we_ended)
        transcript_end(w->log, TRANSCRIPT_INITIATOR, talk_us(w->talk), fin ? TRANSCRIPT_FIN : TRANSCRIPT_RST);
    w->we_ended = true;
    w->talk = NULL;
    w->log = NULL;
    if (fin || !w->connected || uv_tcp_close_reset(&w->tcp, on_closed) != 0)
        uv_close((uv_handle_t *)&w->tcp, on_closed);
}

static void peer_ended(struct wire *w, enum transcript_end end)
{
    if (w->peer_ended)
        return;
    w->peer_ended = true;
    w->reset_seen |= end == TRANSCRIPT_RST;
    w->due = w->other = 0;
    transcript_end(w->log, TRANSCRIPT_TARGET, talk_us(w->talk), end);
    uv_read_stop((uv_stream_t *)&w->tcp);
}

/* What a PDU of the target tells about the state of the login. */
static void learn(struct wire *w, const uint8_t *bhs)
{
    struct netfuzz_exec *x = &w->talk->exec;
    uint8_t opcode = pdu_opcode(bhs);

    x->answers++;
    if (opcode == PDU_LOGIN_RESPONSE) {
        unsigned csg = bhs[1] >> 2 & 3u;

        w->due -= w->due > 0;
        w->refused = pdu_login_status(bhs) != 0;
        if (w->refused)
            x->reach |= NETFUZZ_REFUSED;
        else
            x->reach |= csg == PDU_STAGE_SECURITY ? NETFUZZ_SECURITY : NETFUZZ_OPERATIONAL;
        if (!w->refused && (bhs[1] & PDU_FLAG_TRANSIT) && (bhs[1] & 3u) == PDU_STAGE_FULL_FEATURE) {
            x->reach |= NETFUZZ_FULL;
            w->full = true;
        }
        if (w->talk->live.conns[w->index].chap_c_len > 0)
            x->reach |= NETFUZZ_CHALLENGED;
        return;
    }
    if (opcode == PDU_REJECT) {
        x->reach |= NETFUZZ_REFUSED;
        w->refused = !w->full;
        w->due = w->other = 0;
    } else if (opcode != PDU_ASYNC_MESSAGE && !(opcode == PDU_NOP_IN && pdu_itt(bhs) == PDU_NO_TAG)) {
        w->other -= w->other > 0;
    }
}

/* Cuts off whole PDUs. Digests are not looked for: behind them nothing is awaited any more. */
static void cut(struct wire *w)
{
    const struct transcript_stream *s = &w->log->stream[TRANSCRIPT_TARGET];

    while (!w->garbage && s->len - w->taken >= PDU_BHS_LEN) {
        const uint8_t *at = s->bytes + w->taken;
        size_t need = pdu_total_len(at, false, false);

        if (!pdu_opcode_known(pdu_opcode(at)) || !pdu_opcode_from_target(pdu_opcode(at)) || need > NETFUZZ_ANSWER_MAX) {
            w->garbage = true;
            w->due = w->other = 0;
            return;
        }
        if (s->len - w->taken < need)
            return;
        w->taken += need;
        learn(w, at);
    }
    /* less than a header, but no PDU of a target begins like this */
    if (s->len > w->taken && !pdu_opcode_from_target(pdu_opcode(s->bytes + w->taken))) {
        w->garbage = true;
        w->due = w->other = 0;
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct netfuzz_player *p = handle->data;

    (void)suggested;
    *buf = uv_buf_init((char *)p->in, sizeof(p->in));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct wire *w = (struct wire *)stream;
    struct talk *t = w->talk;

    if (!t || got == 0)
        return;
    if (got > 0) {
        size_t held = w->log->stream[TRANSCRIPT_TARGET].len, len = (size_t)got;

        if (held + len >= NETFUZZ_ANSWER_MAX) {
            t->exec.flooded = true;
            len = NETFUZZ_ANSWER_MAX - held;
            uv_read_stop(stream);
            w->garbage = true;
            w->due = w->other = 0;
        }
        if (!transcript_bytes(w->log, TRANSCRIPT_TARGET, talk_us(t), buf->base, len))
            t->exec.fate = NETFUZZ_NO_MEMORY;
        session_live_answer(&t->live, w->index, (const uint8_t *)buf->base, len);
        cut(w);
    } else {
        peer_ended(w, got == UV_EOF && !w->reset_seen ? TRANSCRIPT_FIN : TRANSCRIPT_RST);
    }
    advance(t);
}

static void on_connected(uv_connect_t *request, int status)
{
    struct wire *w = request->data;
    struct talk *t = w->talk;

    if (!t)
        return;
    /* a reset speaks of a connection that was there; a SYN that is refused gives ECONNREFUSED */
    if (status != 0 && status != UV_ECONNRESET && status != UV_EPIPE) {
        t->exec.fate = NETFUZZ_UNREACHABLE;
        advance(t);
        return;
    }
    w->connected = w->log->connected = true;
    t->exec.reach |= NETFUZZ_CONNECTED;
    t->exec.conns++;
    if (status != 0)
        peer_ended(w, TRANSCRIPT_RST);
    else
        uv_read_start((uv_stream_t *)&w->tcp, on_alloc, on_read);
    advance(t);
}

static struct wire *wire_open(struct talk *t, unsigned index)
{
    static const char *const names[NETFUZZ_CONNS] = {"A", "B", "C", "D"};
    struct netfuzz_player *p = t->player;
    struct wire *w = calloc(1, sizeof(*w));

    if (!w || !(w->log = transcript_add_conn(t->exec.transcript, names[index])) ||
        uv_tcp_init_ex(p->loop, &w->tcp, p->site->address.ss_family) != 0) {
        free(w);
        t->exec.fate = NETFUZZ_NO_MEMORY;
        return NULL;
    }
    memcpy(w->log->remote, p->site->host, sizeof(w->log->remote));
    w->log->remote_port = p->site->port;
    w->log->local_port = (uint16_t)(49152 + t->exec.number % 4096 * NETFUZZ_CONNS + index);
    w->talk = t;
    w->index = index;
    w->tcp.data = p;
    w->connect.data = w;
    p->open++;
    uv_tcp_nodelay(&w->tcp, 1);
    t->wires[index] = w;
    session_live_open(&t->live, index);
    if (uv_tcp_connect(&w->connect, &w->tcp, (const struct sockaddr *)&p->site->address, on_connected) != 0) {
        t->exec.fate = NETFUZZ_UNREACHABLE;
        return NULL;
    }
    return w;
}

/* ---- sending ---- */

/* A whole PDU has gone out: is an answer due? */
static void account_pdu(struct wire *w)
{
    uint8_t opcode = pdu_opcode(w->head);

    w->talk->exec.sent++;
    if (opcode == PDU_LOGIN_REQUEST && !w->full)
        w->due++;
    else if (!w->full || (opcode != PDU_DATA_OUT && opcode != PDU_SNACK_REQUEST &&
                          !(opcode == PDU_NOP_OUT && pdu_itt(w->head) == PDU_NO_TAG)))
        w->other++;
    w->head_len = 0;
}

/* Keeps count of the PDUs in what goes out, however it is cut into records. */
static void account(struct wire *w, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        size_t part;

        if (w->head_len < PDU_BHS_LEN) {
            part = PDU_BHS_LEN - w->head_len < len ? PDU_BHS_LEN - w->head_len : len;
            memcpy(w->head + w->head_len, bytes, part);
            w->head_len += part;
            if (w->head_len == PDU_BHS_LEN)
                w->body_left = pdu_total_len(w->head, false, false) - PDU_BHS_LEN;
        } else {
            part = w->body_left < len ? w->body_left : len;
            w->body_left -= part;
        }
        bytes += part;
        len -= part;
        if (w->head_len == PDU_BHS_LEN && w->body_left == 0)
            account_pdu(w);
    }
}

/* Sends what the kernel takes at once; a target that does not read so much gets no more. */
static void wire_send(struct wire *w, const struct netfuzz_record *r)
{
    struct talk *t = w->talk;
    const struct session_input_record record = {
        .conn = r->conn, .kind = SESSION_INPUT_DATA, .live = r->live, .bytes = r->bytes, .len = r->len};
    const uint8_t *out;
    size_t len = session_live_render(&t->live, &record, t->player->out, sizeof(t->player->out), &out);
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)out, (unsigned)len);
    int done = uv_try_write((uv_stream_t *)&w->tcp, &buf, 1);

    if (done > 0) {
        transcript_bytes(w->log, TRANSCRIPT_INITIATOR, talk_us(t), out, (size_t)done);
        account(w, out, (size_t)done);
    }
    if (done == UV_ECONNRESET || done == UV_EPIPE)
        w->reset_seen = true; /* what arrived before it is still to be read */
    if (done < (int)len)
        t->next = t->exec.input->count;
}

/* ---- the course of an execution ---- */

static enum step wait_for(struct talk *t, enum wait what, int ms)
{
    if (t->waiting != what) {
        t->waiting = what;
        t->expired = false;
        t->deadline_us = now_us() + (int64_t)ms * 1000;
    }
    return t->expired ? STEP_OVER : STEP_WAIT;
}

/* Is an answer due on another connection: the one that tells the TSIH that this one is to join? */
static bool others_due(const struct talk *t, const struct wire *w)
{
    for (size_t i = 0; i < NETFUZZ_CONNS; i++)
        if (t->wires[i] && t->wires[i] != w && t->wires[i]->due > 0 && t->wires[i]->head_len == 0)
            return true;
    return false;
}

static enum step play_data(struct talk *t, const struct netfuzz_record *r)
{
    const struct netfuzz_site *site = t->player->site;
    struct wire *w = t->wires[r->conn];

    if (!w && !(w = wire_open(t, r->conn)))
        return STEP_OVER;
    if (!w->connected)
        return wait_for(t, WAIT_CONNECT, site->answer_ms);
    if (w->closing || w->peer_ended || w->we_ended || w->garbage)
        return STEP_ON; /* nobody hears it */
    if ((w->due > 0 && w->head_len == 0) || ((r->live & SESSION_INPUT_LIVE_TSIH) != 0 && others_due(t, w)))
        return wait_for(t, WAIT_ANSWER, site->answer_ms);
    if (w->other > 0 && w->head_len == 0 && wait_for(t, WAIT_OTHER, site->other_ms) == STEP_WAIT)
        return STEP_WAIT;
    w->other = 0;
    if (r->len > 0)
        wire_send(w, r);
    return STEP_ON;
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    (void)request;
    (void)status;
}

static enum step play(struct talk *t, const struct netfuzz_record *r)
{
    struct wire *w = t->wires[r->conn];

    switch (r->kind) {
    case NETFUZZ_DATA:
        return play_data(t, r);
    case NETFUZZ_EOF:
        if (w && w->connected && !w->closing && !w->we_ended && !w->peer_ended &&
            uv_shutdown(&w->shutdown, (uv_stream_t *)&w->tcp, on_shutdown) == 0) {
            w->we_ended = true;
            transcript_end(w->log, TRANSCRIPT_INITIATOR, talk_us(t), TRANSCRIPT_FIN);
        }
        return STEP_ON;
    case NETFUZZ_RESET:
        if (w)
            wire_close(w);
        t->wires[r->conn] = NULL; /* what comes behind opens it anew */
        return STEP_ON;
    case NETFUZZ_TIME: /* only in process, where time costs nothing */
        return STEP_ON;
    }
    return STEP_ON;
}

/* What is still awaited when all has been sent. */
static enum wait pending(const struct wire *w)
{
    if (!w || w->closing || w->peer_ended || w->garbage)
        return WAIT_NOTHING;
    if (!w->connected)
        return WAIT_CONNECT;
    if (w->head_len > 0)
        return WAIT_OTHER; /* it hangs in the middle of a PDU: nothing is due */
    if (w->refused)
        return WAIT_CLOSE;
    if (w->due > 0 && !w->we_ended)
        return WAIT_ANSWER;
    return w->due > 0 || w->other > 0 ? WAIT_OTHER : WAIT_NOTHING;
}

static enum step settle(struct talk *t)
{
    const struct netfuzz_site *site = t->player->site;
    enum wait most = WAIT_NOTHING;

    for (size_t i = 0; i < NETFUZZ_CONNS; i++) {
        enum wait w = pending(t->wires[i]);

        most = w > most ? w : most;
    }
    switch (most) {
    case WAIT_NOTHING:
        return STEP_OVER;
    case WAIT_CLOSE:
        return wait_for(t, most, site->close_ms);
    case WAIT_OTHER:
        return wait_for(t, most, site->other_ms);
    case WAIT_ANSWER:
    case WAIT_CONNECT:
        return wait_for(t, most, site->answer_ms);
    }
    return STEP_OVER;
}

static void finish(struct talk *t)
{
    struct netfuzz_player *p = t->player;
    struct netfuzz_exec *x = &t->exec;

    if (t->expired && t->waiting == WAIT_ANSWER)
        x->silent = true;
    if (t->expired && t->waiting == WAIT_CONNECT)
        x->fate = NETFUZZ_UNREACHABLE;
    for (size_t i = 0; i < NETFUZZ_CONNS; i++) {
        if (t->wires[i])
            wire_close(t->wires[i]);
        t->wires[i] = NULL;
    }
    x->us = talk_us(t);
    /* the slot is free before done(), which may start the next in it: it gets what there is by a copy */
    struct netfuzz_exec result = *x;

    x->transcript = NULL;
    t->busy = false;
    p->busy--;
    p->done(p->user, &result);
    transcript_free(result.transcript);
}

static void advance(struct talk *t)
{
    const struct netfuzz_input *in = t->exec.input;
    enum step step = STEP_ON;

    while (t->exec.fate == NETFUZZ_PLAYED && t->next < in->count && step == STEP_ON) {
        step = play(t, &in->records[t->next]);
        if (step != STEP_ON)
            break;
        if (t->next < in->count)
            t->next++;
        t->waiting = WAIT_NOTHING;
        t->expired = false;
    }
    if (step == STEP_WAIT && t->exec.fate == NETFUZZ_PLAYED)
        return;
    if (step == STEP_ON && t->exec.fate == NETFUZZ_PLAYED && settle(t) == STEP_WAIT)
        return;
    finish(t);
}

static void on_tick(uv_timer_t *timer)
{
    struct netfuzz_player *p = timer->data;
    int64_t now = now_us();

    for (size_t i = 0; i < p->slots; i++) {
        struct talk *t = &p->talks[i];

        if (!t->busy)
            continue;
        if (now >= t->last_us) { /* whatever it waits for: enough */
            t->exec.fate = t->exec.reach ? t->exec.fate : NETFUZZ_UNREACHABLE;
            finish(t);
        } else if (t->waiting != WAIT_NOTHING && now >= t->deadline_us) {
            t->expired = true;
            advance(t);
        }
    }
}

/* ---- the player ---- */

struct netfuzz_player *netfuzz_player_new(uv_loop_t *loop, const struct netfuzz_site *site, size_t slots,
                                          void (*done)(void *user, struct netfuzz_exec *exec), void *user)
{
    struct netfuzz_player *p = calloc(1, sizeof(*p));

    if (!p || !(p->talks = calloc(slots, sizeof(*p->talks))) || uv_timer_init(loop, &p->timer) != 0) {
        if (p)
            free(p->talks);
        free(p);
        return NULL;
    }
    p->loop = loop;
    p->site = site;
    p->slots = slots;
    p->done = done;
    p->user = user;
    p->timer.data = p;
    uv_timer_start(&p->timer, on_tick, TICK_MS, TICK_MS);
    return p;
}

static void on_timer_closed(uv_handle_t *handle)
{
    ((struct netfuzz_player *)handle->data)->open--;
}

void netfuzz_player_free(struct netfuzz_player *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->slots; i++) {
        struct talk *t = &p->talks[i];

        for (size_t k = 0; k < NETFUZZ_CONNS && t->busy; k++)
            if (t->wires[k])
                wire_close(t->wires[k]);
        transcript_free(t->exec.transcript);
    }
    p->open++;
    uv_close((uv_handle_t *)&p->timer, on_timer_closed);
    while (p->open > 0)
        uv_run(p->loop, UV_RUN_ONCE);
    free(p->talks);
    free(p);
}

void netfuzz_player_listen(struct netfuzz_player *p, void (*done)(void *user, struct netfuzz_exec *exec), void *user)
{
    p->done = done;
    p->user = user;
}

size_t netfuzz_player_busy(const struct netfuzz_player *p)
{
    return p->busy;
}

bool netfuzz_player_start(struct netfuzz_player *p, const struct netfuzz_input *input, uint64_t number, uint64_t drawn,
                          void *user)
{
    struct talk *t = NULL;

    for (size_t i = 0; i < p->slots && !t; i++)
        if (!p->talks[i].busy)
            t = &p->talks[i];
    if (!t)
        return false;
    t->exec = (struct netfuzz_exec){.input = input, .number = number, .user = user};
    if (!(t->exec.transcript = transcript_new()))
        return false;
    t->exec.transcript->context = p->site->context;
    t->player = p;
    t->busy = true;
    t->next = 0;
    t->waiting = WAIT_NOTHING;
    t->expired = false;
    t->start_us = now_us();
    t->last_us = t->start_us + (int64_t)PLAY_MAX_MS * 1000;
    memset(t->wires, 0, sizeof(t->wires));
    t->names = p->site->names;
    t->names.isid[0] = 0x80; /* random format (11.12.5) */
    bytes_put_be(t->names.isid + 1, 4, drawn);
    session_live_init(&t->live, &t->names);
    p->busy++;
    advance(t);
    return true;
}
