/* Plays a recording: see replay.h. */
#include "harness/replay.h"

#include "harness/replay_conn.h"
#include "harness/replay_send.h"
#include "wire/bytes.h"
#include "wire/pdu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLICE_US = 200000,  /* between two looks whether we are interrupted */
    LATE_MS = 300,      /* for an answer, once one has not come in time */
    SILENCE_MS = 1000,  /* how long a recorded silence is listened to at most */
    STRAGGLERS_MS = 20, /* for answers that were not recorded, before a connection is ended */
};

/* splitmix64 */
static uint64_t draw(struct replay_play *p)
{
    uint64_t z = p->random += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static bool is_interrupted(struct replay_play *p)
{
    if (!p->result->interrupted && p->options->interrupted)
        p->result->interrupted = p->options->interrupted();
    return p->result->interrupted;
}

static bool take_all(struct replay_play *p)
{
    for (size_t i = 0; i < p->script->source_count; i++)
        if (p->conns[i].link && !replay_conn_take(&p->net, &p->conns[i]))
            p->no_memory = true;
    return !p->no_memory;
}

/* One turn of all connections. False at the deadline, when interrupted, or without memory. */
static bool turn(struct replay_play *p, int64_t deadline)
{
    int64_t now = net_now(&p->net), slice = now + SLICE_US < deadline ? now + SLICE_US : deadline;

    if (now >= deadline || is_interrupted(p))
        return false;
    net_turn(&p->net, slice);
    return take_all(p);
}

static void wait_until(struct replay_play *p, int64_t deadline)
{
    while (turn(p, deadline))
        ;
}

/* ---- rows ---- */

static struct replay_row *add_row(struct replay_play *p, const struct replay_conn *c, enum replay_verdict verdict)
{
    struct replay_result *r = p->result;
    struct replay_row *row;

    if (r->row_count == r->row_capacity) {
        size_t capacity = r->row_capacity ? 2 * r->row_capacity : 32;
        struct replay_row *rows = realloc(r->rows, capacity * sizeof(*rows));

        if (!rows) {
            p->no_memory = true;
            return NULL;
        }
        r->rows = rows;
        r->row_capacity = capacity;
    }
    row = &r->rows[r->row_count++];
    memset(row, 0, sizeof(*row));
    row->conn = c->index;
    row->verdict = verdict;
    r->by_verdict[verdict]++;
    return row;
}

static void name_answer(struct replay_row *row, const uint8_t *bhs)
{
    snprintf(row->answer, sizeof(row->answer), "%s", bhs ? pdu_opcode_name(pdu_opcode(bhs)) : "piece of a PDU");
}

/* ---- opening ---- */

/* The session of this ISID; a new one when it has not been seen. */
static struct replay_session *session_of(struct replay_play *p, const uint8_t *isid)
{
    struct replay_session *s;

    for (size_t i = 0; i < p->session_count; i++)
        if (memcmp(p->sessions[i].recorded, isid, PDU_ISID_LEN) == 0)
            return &p->sessions[i];
    s = &p->sessions[p->session_count++]; /* there is one for each connection */
    memcpy(s->recorded, isid, PDU_ISID_LEN);
    memcpy(s->live, isid, PDU_ISID_LEN);
    bytes_put_be16(s->live + 4, (uint16_t)draw(p)); /* the qualifier, in every format of ISID (11.12.5) */
    if (isid[0] >> 6 == 2)                          /* random: B and C may be drawn as well */
        bytes_put_be(s->live + 1, 3, draw(p));
    s->itt_delta = (uint32_t)draw(p) & 0x7fffffffu;
    s->cmd_delta = (uint32_t)draw(p) & 0x7fffffffu;
    return s;
}

static void unreachable(struct replay_play *p, struct replay_conn *c, const char *why)
{
    struct replay_row *row = add_row(p, c, REPLAY_MISSING);

    if (row) {
        row->ending = true;
        snprintf(row->what, sizeof(row->what), "no connection: %.500s", why);
    }
    if (!*p->result->unreachable)
        snprintf(p->result->unreachable, sizeof(p->result->unreachable), "%.299s", why);
    replay_conn_stop(c, false, "no connection: %s", why);
}

static void open_conn(struct replay_play *p, struct replay_conn *c)
{
    const struct replay_route *route = &p->options->routes[c->index];
    char err[256], why[600];

    p->result->tried++;
    c->link = net_connect(&p->net, c->source->conn->name, route->host, route->port, err, sizeof(err));
    if (!c->link || !link_wait_connected(&p->net, c->link, net_now(&p->net) + (int64_t)p->options->timeout_ms * 1000,
                                         err, sizeof(err))) {
        snprintf(why, sizeof(why), "%.255s port %u: %s", route->host, (unsigned)route->port, err);
        unreachable(p, c, why);
        return;
    }
    p->result->opened++;
    c->played->live = p->net.transcript->conn_count - 1;
    c->session = session_of(p, c->source->facts.isid);
}

/* ---- answers ---- */

static void take_recorded(struct replay_conn *c, const struct transcript_pdu *recorded)
{
    c->unanswered = false;
    if (!recorded->bhs || !replay_conn_counts(recorded->bhs))
        return;
    c->recorded_next = bytes_get_be32(recorded->bhs + 24) + 1;
    if (!replay_send_is_withheld(c, recorded))
        c->acknowledges = true;
}

static void fill_view(struct replay_play *p, const struct replay_conn *c, struct replay_view *v)
{
    memset(v, 0, sizeof(*v));
    memcpy(v->isid[0], c->session->recorded, PDU_ISID_LEN);
    memcpy(v->isid[1], c->session->live, PDU_ISID_LEN);
    v->itt_delta = c->session->itt_delta;
    v->cmd_delta = c->session->cmd_delta;
    memcpy(v->first_stat_sn, c->first_stat_sn, sizeof(v->first_stat_sn));
    v->names = p->options->names;
}

/* What the rest of the recording needs to know of two answers that belong together. */
static void relate(struct replay_conn *c, const struct transcript_pdu *recorded, const struct transcript_pdu *live)
{
    uint8_t opcode = pdu_opcode(recorded->bhs);

    if (opcode == PDU_LOGIN_RESPONSE && bytes_get_be16(recorded->bhs + 14)) {
        c->session->tsih_recorded = bytes_get_be16(recorded->bhs + 14);
        c->session->tsih_live = bytes_get_be16(live->bhs + 14);
    }
    if (opcode == PDU_TEXT_RESPONSE || opcode == PDU_R2T) {
        c->ttt_from = bytes_get_be32(recorded->bhs + 20);
        c->ttt_to = bytes_get_be32(live->bhs + 20);
        c->lun_to = bytes_get_be64(live->bhs + 8);
    }
}

/* Nothing but the end of the connection follows then, whatever the status is. */
static bool both_refuse(const struct transcript_pdu *recorded, const struct transcript_pdu *live)
{
    return recorded->bhs && pdu_opcode(recorded->bhs) == PDU_LOGIN_RESPONSE && pdu_login_status(recorded->bhs) != 0 &&
           pdu_opcode(live->bhs) == PDU_LOGIN_RESPONSE && pdu_login_status(live->bhs) != 0;
}

static void hold_against(struct replay_play *p, struct replay_conn *c, const struct transcript_pdu *recorded,
                         struct replay_came *came)
{
    struct transcript_pdu live;
    struct replay_view view;
    struct replay_row *row = add_row(p, c, REPLAY_SAME);
    bool login = recorded->bhs && pdu_opcode(recorded->bhs) == PDU_LOGIN_RESPONSE;

    if (!row)
        return;
    came->used = true;
    replay_conn_view(c, came, &live);
    if (login && !c->counted && pdu_opcode(live.bhs) == PDU_LOGIN_RESPONSE) {
        c->counted = true;
        c->first_stat_sn[0] = bytes_get_be32(recorded->bhs + 24);
        c->first_stat_sn[1] = bytes_get_be32(live.bhs + 24);
    }
    fill_view(p, c, &view);
    view.counted = login && c->counted;
    row->recorded = recorded->number;
    row->live = live.number;
    name_answer(row, recorded->bhs);
    p->result->by_verdict[row->verdict]--;
    row->verdict = replay_compare(recorded, &live, &view, row->what, sizeof(row->what));
    p->result->by_verdict[row->verdict]++;
    if (recorded->bhs && pdu_opcode(recorded->bhs) == pdu_opcode(live.bhs))
        relate(c, recorded, &live);
    if (!recorded->full_feature && !both_refuse(recorded, &live) && !replay_same_course(recorded, &live))
        replay_conn_stop(c, false, "behind answer %u the login goes another way", recorded->number);
}

static void missing(struct replay_play *p, struct replay_conn *c, const struct transcript_pdu *recorded,
                    const char *why)
{
    struct replay_row *row = add_row(p, c, REPLAY_MISSING);

    if (!row)
        return;
    row->recorded = recorded->number;
    name_answer(row, recorded->bhs);
    snprintf(row->what, sizeof(row->what), "%s", why);
    if (!recorded->full_feature || c->link->peer_ended || c->garbage)
        replay_conn_stop(c, false, "answer %u did not come: %s", recorded->number, why);
}

static void await_answer(struct replay_play *p, struct replay_conn *c, const struct transcript_pdu *recorded)
{
    int limit_ms = c->late ? LATE_MS : p->options->timeout_ms;
    int64_t deadline = net_now(&p->net) + (int64_t)limit_ms * 1000;
    struct replay_came *came;
    char why[120];
    bool never;

    if (replay_send_is_withheld(c, recorded)) {
        c->played->not_compared++;
        take_recorded(c, recorded);
        return;
    }
    while (!(came = replay_conn_find(c, recorded, &never)) && !never && !c->garbage && !c->link->peer_ended)
        if (!turn(p, deadline))
            break;
    take_recorded(c, recorded);
    if (p->result->interrupted || p->no_memory)
        return;
    if (came) {
        hold_against(p, c, recorded, came);
        return;
    }
    if (c->garbage)
        snprintf(why, sizeof(why), "the target sent %s", c->garbage);
    else if (c->link->peer_ended)
        snprintf(why, sizeof(why), "the target %s the connection instead",
                 c->link->peer_end == TRANSCRIPT_RST ? "reset" : "closed");
    else if (never)
        snprintf(why, sizeof(why), "the target was done with the command before");
    else
        snprintf(why, sizeof(why), "nothing came for %d ms", limit_ms);
    c->late |= !never;
    missing(p, c, recorded, why);
}

/* ---- endings ---- */

/* What came and was not recorded. */
static void tell_extras(struct replay_play *p, struct replay_conn *c)
{
    for (size_t i = 0; i < c->came_count && !c->stopped; i++) {
        struct transcript_pdu live;
        struct replay_row *row;

        if (c->came[i].used || c->came[i].ping || !(row = add_row(p, c, REPLAY_EXTRA)))
            continue;
        c->came[i].used = true;
        replay_conn_view(c, &c->came[i], &live);
        row->live = live.number;
        name_answer(row, live.bhs);
        snprintf(row->what, sizeof(row->what), "the capture has no such answer");
    }
}

/* Where the recorded target was silent, this one is listened to for a while. */
static void listen(struct replay_play *p, struct replay_conn *c, int64_t until_us)
{
    int64_t silence = until_us - c->sent_us;
    int64_t limit = c->unanswered ? SILENCE_MS * 1000 : STRAGGLERS_MS * 1000;

    wait_until(p, net_now(&p->net) + (silence < limit ? silence : limit));
}

static void end_conn(struct replay_play *p, struct replay_conn *c, const struct replay_step *step)
{
    if (!c->stopped)
        listen(p, c, step->at_us);
    tell_extras(p, c);
    if (step->end == TRANSCRIPT_RST)
        link_reset(&p->net, c->link);
    else
        link_half_close(&p->net, c->link);
}

static const char *end_name(enum transcript_end end)
{
    return end == TRANSCRIPT_RST ? "reset" : "closed";
}

static void await_end(struct replay_play *p, struct replay_conn *c, const struct replay_step *step)
{
    int64_t deadline = net_now(&p->net) + (int64_t)p->options->close_grace_ms * 1000;
    struct replay_row *row;

    if (c->withheld_last) { /* it may be what the target ended the connection for */
        c->played->not_compared++;
        return;
    }
    while (!c->link->peer_ended && !c->garbage && turn(p, deadline))
        ;
    if (p->result->interrupted)
        return;
    tell_extras(p, c);
    row = add_row(p, c, c->link->peer_ended && c->link->peer_end == step->end ? REPLAY_SAME : REPLAY_DIFFERENT);
    if (!row)
        return;
    row->ending = true;
    if (!c->link->peer_ended)
        snprintf(row->what, sizeof(row->what), "%s by the target -> still open %d ms later", end_name(step->end),
                 p->options->close_grace_ms);
    else if (row->verdict == REPLAY_DIFFERENT)
        snprintf(row->what, sizeof(row->what), "%s by the target -> %s", end_name(step->end),
                 end_name(c->link->peer_end));
    else
        snprintf(row->what, sizeof(row->what), "%s by the target", end_name(step->end));
}

/* ---- the whole ---- */

static void keep_pace(struct replay_play *p, const struct replay_step *step)
{
    if (p->options->original_pace && step->action != REPLAY_AWAIT && step->action != REPLAY_AWAIT_END)
        wait_until(p, step->at_us - p->first_us);
}

static void play_step(struct replay_play *p, const struct replay_step *step)
{
    struct replay_conn *c = &p->conns[step->conn];
    const struct transcript_pdu *pdu = &c->source->pdus[step->pdu];

    if (step->action != REPLAY_OPEN && c->stopped && step->action != REPLAY_END) {
        c->played->not_compared += step->action == REPLAY_AWAIT || step->action == REPLAY_AWAIT_END;
        return;
    }
    keep_pace(p, step);
    if (p->result->interrupted || (step->action != REPLAY_OPEN && !c->link))
        return;
    switch (step->action) {
    case REPLAY_OPEN:
        open_conn(p, c);
        break;
    case REPLAY_SEND:
        take_all(p);
        replay_send_pdu(p, c, pdu, step->pdu);
        break;
    case REPLAY_WITHHOLD:
        replay_send_withhold(p, c, pdu);
        break;
    case REPLAY_AWAIT:
        await_answer(p, c, pdu);
        break;
    case REPLAY_END:
        end_conn(p, c, step);
        break;
    case REPLAY_AWAIT_END:
        await_end(p, c, step);
        break;
    }
}

static bool start(struct replay_play *p)
{
    size_t count = p->script->source_count;

    p->conns = calloc(count + 1, sizeof(*p->conns));
    p->sessions = calloc(count + 1, sizeof(*p->sessions));
    p->result->played = calloc(count + 1, sizeof(*p->result->played));
    if (!p->conns || !p->sessions || !p->result->played)
        return false;
    p->result->played_count = count;
    for (size_t i = 0; i < count; i++) {
        struct replay_conn *c = &p->conns[i];

        c->source = &p->script->sources[i];
        c->played = &p->result->played[i];
        c->index = i;
        c->chap.secret = p->options->routes[i].secret;
        c->chap.wrong = c->chap.secret && c->source->facts.end != LOGIN_COMPLETE &&
                        login_facts_check_secret(&c->source->facts, c->chap.secret) == LOGIN_CHAP_WRONG;
        text_buf_init_growing(&c->asked, 1u << 24, NULL, NULL);
        c->played->live = SIZE_MAX;
    }
    p->first_us = p->script->step_count ? p->script->steps[0].at_us : 0;
    return true;
}

/* What the recording left open. */
static void finish(struct replay_play *p)
{
    for (size_t i = 0; p->conns && i < p->script->source_count; i++) {
        struct replay_conn *c = &p->conns[i];

        if (c->link && c->link->fd >= 0 && !c->link->we_ended && !p->result->interrupted) {
            wait_until(p, net_now(&p->net) + STRAGGLERS_MS * 1000);
            tell_extras(p, c);
        }
        if (c->source->cut_short && !c->stopped)
            replay_conn_stop(c, true, "the rest of it is missing in the capture");
    }
    net_free(&p->net);
    for (size_t i = 0; p->conns && i < p->script->source_count; i++)
        replay_conn_free(&p->conns[i]);
    free(p->conns);
    free(p->sessions);
}

int replay_run(const struct replay_script *script, const struct replay_options *options, struct transcript *live,
               struct replay_result *out)
{
    struct replay_play p = {.script = script, .options = options, .result = out, .random = options->seed};

    memset(out, 0, sizeof(*out));
    net_init(&p.net, live);
    p.no_memory = !start(&p);
    for (size_t i = 0; i < script->step_count && !p.no_memory && !is_interrupted(&p); i++) {
        play_step(&p, &script->steps[i]);
        if (options->progress)
            options->progress(options->user, i + 1, script->step_count);
    }
    finish(&p);
    return p.no_memory ? -1 : 0;
}

void replay_result_free(struct replay_result *result)
{
    free(result->rows);
    free(result->played);
    memset(result, 0, sizeof(*result));
}
