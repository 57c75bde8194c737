/* Connections and sessions of a running case: see conn.h. */
#include "harness/conn.h"

#include "wire/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* splitmix64: small, good enough for tags and ISIDs, the same on every machine. */
uint64_t drive_random(struct drive *d)
{
    uint64_t z = d->random += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint64_t hash_text(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
    return hash;
}

void drive_init(struct drive *d, const struct case_def *def, const struct scenario_env *env, struct transcript *t)
{
    memset(d, 0, sizeof(*d));
    d->def = def;
    d->env = env;
    /* Mixed first: a seed that was made from the id in the same way would cancel out, and neighbours share an ISID. */
    d->random = env->seed;
    d->random = drive_random(d) ^ hash_text(def && def->id ? def->id : "");
    net_init(&d->net, t);
}

void drive_free(struct drive *d)
{
    for (size_t i = 0; i < d->conn_count; i++)
        if (d->conns[i]->link && d->conns[i]->link->fd >= 0)
            conn_note(d->conns[i], TRANSCRIPT_INFO, 0, CONN_OVER_NOTE);
    net_free(&d->net);
    for (size_t i = 0; i < d->conn_count; i++) {
        text_buf_free(&d->conns[i]->text_answer);
        free(d->conns[i]->answers);
        free(d->conns[i]);
    }
    for (size_t i = 0; i < d->session_count; i++)
        free(d->sessions[i]);
    free(d->conns);
    free(d->sessions);
}

struct conn *conn_new(struct drive *d, const char *name)
{
    struct conn *c = calloc(1, sizeof(*c));
    struct conn **conns = realloc(d->conns, (d->conn_count + 1) * sizeof(struct conn *));

    if (conns)
        d->conns = conns;
    if (!c || !conns) {
        free(c);
        snprintf(d->error, sizeof(d->error), "out of memory");
        return NULL;
    }
    snprintf(c->name, sizeof(c->name), "%s", name);
    c->drive = d;
    c->next_tag = (uint32_t)drive_random(d) | 1u;
    text_buf_init_growing(&c->text_answer, 1u << 20, NULL, NULL);
    c->live.target = c->target;
    c->live.initiator = c->initiator;
    c->live.user = c->user;
    c->live.secret = c->secret;
    d->conns[d->conn_count++] = c;
    return c;
}

struct conn *conn_find(const struct drive *d, const char *name)
{
    for (size_t i = d->conn_count; i > 0; i--)
        if (!*name || strcmp(d->conns[i - 1]->name, name) == 0)
            return d->conns[i - 1];
    return NULL;
}

struct session *session_new(struct drive *d)
{
    struct session *s = calloc(1, sizeof(*s));
    struct session **sessions = realloc(d->sessions, (d->session_count + 1) * sizeof(struct session *));

    if (sessions)
        d->sessions = sessions;
    if (!s || !sessions) {
        free(s);
        snprintf(d->error, sizeof(d->error), "out of memory");
        return NULL;
    }
    s->isid[0] = 0x80; /* random format, as libiscsi makes it (11.12.5) */
    bytes_put_be(s->isid + 1, 5, drive_random(d));
    s->next_cid = 1;
    s->cmd_sn = (uint32_t)drive_random(d);
    d->sessions[d->session_count++] = s;
    return s;
}

static const struct live_values *find_values(void *user, const char *name)
{
    const struct conn *c = conn_find(user, name);

    return c && *name ? &c->live : NULL;
}

struct live_scope conn_scope(struct conn *c)
{
    return (struct live_scope){&c->live, find_values, c->drive};
}

void conn_answered(struct conn *c, const struct link_pdu *pdu, uint32_t to)
{
    struct conn_answer *a;

    if (c->answer_count == CONN_ANSWER_MAX)
        return;
    if (c->answer_count == c->answer_cap) {
        size_t cap = c->answer_cap ? c->answer_cap * 2 : 8;
        struct conn_answer *bigger = realloc(c->answers, cap * sizeof(*bigger));

        if (!bigger)
            return;
        c->answers = bigger;
        c->answer_cap = cap;
    }
    a = &c->answers[c->answer_count++];
    *a = (struct conn_answer){
        .to = to,
        .number = pdu->number,
        .offset = pdu->offset,
        .len = pdu->len,
        .data_at = pdu->data ? pdu->offset + (size_t)(pdu->data - pdu->bhs) : 0,
        .data_len = pdu->data ? pdu->data_len : 0,
        .itt = pdu_itt(pdu->bhs),
        .opcode = pdu_opcode(pdu->bhs),
    };
}

const uint8_t *conn_answer_bhs(const struct conn *c, const struct conn_answer *a)
{
    return c->link->log->stream[TRANSCRIPT_TARGET].bytes + a->offset;
}

const uint8_t *conn_answer_data(const struct conn *c, const struct conn_answer *a)
{
    return a->data_len ? c->link->log->stream[TRANSCRIPT_TARGET].bytes + a->data_at : NULL;
}

bool conn_finish(struct conn *c, enum conn_end end, const char *format, ...)
{
    va_list args;

    c->end = end;
    va_start(args, format);
    vsnprintf(c->why, sizeof(c->why), format, args);
    va_end(args);
    return false;
}

void conn_note(struct conn *c, enum transcript_note note, uint32_t pdu, const char *text)
{
    if (c->link)
        transcript_note(c->link->log, TRANSCRIPT_INITIATOR, net_now(&c->drive->net), note, pdu, NULL, 0, "%s", text);
}

int64_t conn_deadline(const struct conn *c)
{
    int64_t ms = c->mutated ? c->drive->env->timeout_ms / 2 : c->drive->env->timeout_ms;

    return net_now(&c->drive->net) + ms * 1000;
}

bool conn_send(struct conn *c, const uint8_t *pdu, size_t len, bool deviating)
{
    size_t kept = len < PDU_BHS_LEN ? len : PDU_BHS_LEN;

    c->sent++;
    memcpy(c->last, pdu, kept);
    if (deviating) {
        c->deviating = c->sent;
        memset(c->deviant, 0, sizeof(c->deviant));
        memcpy(c->deviant, pdu, kept);
    }
    return link_send(&c->drive->net, c->link, pdu, len, conn_deadline(c));
}

bool conn_send_round(struct conn *c, const uint8_t *pdu, size_t len)
{
    c->rounds++;
    if (c->sent / 8 < CONN_ROUND_WORDS)
        c->round_bits[c->sent / 8] |= (uint8_t)(1u << c->sent % 8);
    return conn_send(c, pdu, len, false);
}

bool conn_is_round(const struct conn *c, uint32_t wire)
{
    return wire > 0 && (wire - 1) / 8 < CONN_ROUND_WORDS &&
           (c->round_bits[(wire - 1) / 8] & (1u << (wire - 1) % 8)) != 0;
}

uint32_t conn_wire_number(const struct conn *c, uint32_t number)
{
    uint32_t wire = 0;

    while (number > 0) {
        wire++;
        number -= !conn_is_round(c, wire);
    }
    return wire;
}

bool conn_refused(const struct conn *c)
{
    return c->end == CONN_STATUS || c->end == CONN_CLOSED || c->end == CONN_REJECTED;
}
