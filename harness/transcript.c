/* Recording of transcripts. Cutting them into PDUs is transcript_cut.c. */
#include "harness/transcript.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Kept free below TRANSCRIPT_EVENT_MAX, so that endings and the remark on an overflow always find room. */
#define EVENT_RESERVE 64u

/* The most bytes of a stream, and events, whose memory transcript_clear() keeps. */
#define STREAM_KEPT_MAX 65536u
#define EVENT_KEPT_MAX  1024u

struct transcript *transcript_new(void)
{
    struct transcript *t = calloc(1, sizeof *t);

    if (t)
        t->context.portal_tag = -1;
    return t;
}

static void notes_free(struct transcript_conn *c)
{
    for (size_t i = 0; i < c->event_count; i++)
        if (c->events[i].kind == TRANSCRIPT_NOTE) {
            free(c->events[i].text);
            free(c->events[i].data);
        }
}

static void conn_free(struct transcript_conn *c)
{
    notes_free(c);
    free(c->events);
    free(c->stream[0].bytes);
    free(c->stream[1].bytes);
    free(c);
}

void transcript_free(struct transcript *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->conn_count + t->conn_spare; i++)
        conn_free(t->conns[i]);
    free(t->conns);
    free(t);
}

/* What was big is not kept: one long exchange is not to be paid for by all that follow. */
static void conn_empty(struct transcript_conn *c)
{
    struct transcript_stream streams[2] = {c->stream[0], c->stream[1]};
    struct transcript_event *events = c->events;
    size_t event_capacity = c->event_capacity;

    notes_free(c);
    if (event_capacity > EVENT_KEPT_MAX) {
        free(events);
        events = NULL;
        event_capacity = 0;
    }
    for (int side = 0; side < 2; side++) {
        streams[side].len = 0;
        if (streams[side].capacity <= STREAM_KEPT_MAX)
            continue;
        free(streams[side].bytes);
        streams[side] = (struct transcript_stream){.bytes = NULL};
    }
    *c = (struct transcript_conn){
        .stream = {streams[0], streams[1]}, .events = events, .event_capacity = event_capacity};
}

void transcript_clear(struct transcript *t)
{
    for (size_t i = 0; i < t->conn_count; i++)
        conn_empty(t->conns[i]);
    t->conn_spare += t->conn_count;
    t->conn_count = 0;
}

/* Room for one connection more. */
static bool conns_reserve(struct transcript *t)
{
    size_t capacity = t->conn_capacity ? 2 * t->conn_capacity : 4;
    struct transcript_conn **conns;

    if (t->conn_count >= TRANSCRIPT_CONN_MAX)
        return false;
    if (t->conn_count + t->conn_spare < t->conn_capacity)
        return true;
    conns = realloc(t->conns, capacity * sizeof *conns);
    if (!conns)
        return false;
    t->conns = conns;
    t->conn_capacity = capacity;
    return true;
}

struct transcript_conn *transcript_add_conn(struct transcript *t, const char *name)
{
    struct transcript_conn *c;

    if (t->conn_spare > 0) {
        t->conn_spare--;
        c = t->conns[t->conn_count];
    } else {
        if (!conns_reserve(t))
            return NULL;
        c = calloc(1, sizeof *c);
        if (!c)
            return NULL;
        t->conns[t->conn_count] = c;
    }
    t->conn_count++;
    if (name)
        snprintf(c->name, sizeof c->name, "%s", name);
    return c;
}

bool transcript_move_conn(struct transcript *to, struct transcript *from)
{
    if (from->conn_count == 0 || !conns_reserve(to))
        return false;
    to->conns[to->conn_count + to->conn_spare] = to->conns[to->conn_count];
    to->conns[to->conn_count++] = from->conns[0];
    from->conn_count--;
    memmove(from->conns, from->conns + 1, (from->conn_count + from->conn_spare) * sizeof *from->conns);
    return true;
}

struct transcript_conn *transcript_find_conn(const struct transcript *t, const char *name)
{
    for (size_t i = 0; i < t->conn_count; i++)
        if (strcmp(t->conns[i]->name, name) == 0)
            return t->conns[i];
    return NULL;
}

/* A zeroed event at the end of the list, or NULL. `limit` is the most events there may be before it. */
static struct transcript_event *event_add(struct transcript_conn *c, size_t limit)
{
    struct transcript_event *e;

    if (c->event_count >= limit)
        return NULL;
    if (c->event_count == c->event_capacity) {
        size_t capacity = c->event_capacity ? 2 * c->event_capacity : 16;
        struct transcript_event *events = realloc(c->events, capacity * sizeof *events);

        if (!events)
            return NULL;
        c->events = events;
        c->event_capacity = capacity;
    }
    e = &c->events[c->event_count++];
    memset(e, 0, sizeof *e);
    return e;
}

/* Marks the connection, and says why once. Returns false for the caller to return. */
static bool overflow(struct transcript_conn *c, enum transcript_side side, int64_t at_us, const char *why)
{
    struct transcript_event *e;

    if (c->overflow)
        return false;
    c->overflow = true;
    e = event_add(c, TRANSCRIPT_EVENT_MAX);
    if (!e)
        return false;
    e->kind = TRANSCRIPT_NOTE;
    e->note = TRANSCRIPT_INFO;
    e->side = side;
    e->at_us = at_us;
    e->text = strdup(why);
    if (!e->text)
        c->event_count--;
    return false;
}

/* Makes room for len more bytes of a stream, which is below the limit by then. */
static bool stream_reserve(struct transcript_stream *s, size_t len)
{
    size_t capacity = s->capacity ? s->capacity : 1024;
    uint8_t *bytes;

    while (capacity - s->len < len)
        capacity *= 2;
    if (capacity == s->capacity)
        return true;
    bytes = realloc(s->bytes, capacity);
    if (!bytes)
        return false;
    s->bytes = bytes;
    s->capacity = capacity;
    return true;
}

/* BYTES, or GAP when bytes is NULL (zeros then stand in the stream). */
static bool stream_event(struct transcript_conn *c, enum transcript_side side, int64_t at_us, const void *bytes,
                         size_t len)
{
    struct transcript_stream *s = &c->stream[side];
    size_t room = TRANSCRIPT_STREAM_MAX - s->len;
    size_t take = len < room ? len : room;
    struct transcript_event *e;

    if (len == 0)
        return true;
    if (take == 0)
        return overflow(c, side, at_us, "more bytes than a transcript holds: the rest is not recorded");
    if (!stream_reserve(s, take))
        return overflow(c, side, at_us, "out of memory: the rest is not recorded");
    e = event_add(c, TRANSCRIPT_EVENT_MAX - EVENT_RESERVE);
    if (!e)
        return overflow(c, side, at_us, "more events than a transcript holds: the rest is not recorded");
    e->kind = bytes ? TRANSCRIPT_BYTES : TRANSCRIPT_GAP;
    e->side = side;
    e->at_us = at_us;
    e->offset = s->len;
    e->len = take;
    if (bytes)
        memcpy(s->bytes + s->len, bytes, take);
    else
        memset(s->bytes + s->len, 0, take);
    s->len += take;
    if (take < len)
        return overflow(c, side, at_us, "more bytes than a transcript holds: the rest is not recorded");
    return true;
}

bool transcript_bytes(struct transcript_conn *c, enum transcript_side side, int64_t at_us, const void *bytes,
                      size_t len)
{
    return stream_event(c, side, at_us, len ? bytes : "", len);
}

bool transcript_gap(struct transcript_conn *c, enum transcript_side side, int64_t at_us, size_t len)
{
    return stream_event(c, side, at_us, NULL, len);
}

bool transcript_end(struct transcript_conn *c, enum transcript_side side, int64_t at_us, enum transcript_end end)
{
    struct transcript_event *e = event_add(c, TRANSCRIPT_EVENT_MAX);

    if (!e)
        return overflow(c, side, at_us, "more events than a transcript holds: the rest is not recorded");
    e->kind = TRANSCRIPT_END;
    e->side = side;
    e->at_us = at_us;
    e->end = end;
    return true;
}

bool transcript_note(struct transcript_conn *c, enum transcript_side side, int64_t at_us, enum transcript_note note,
                     uint32_t pdu, const void *data, size_t len, const char *format, ...)
{
    struct transcript_event *e;
    char *text = NULL;
    uint8_t *copy = NULL;
    va_list args;
    int n;

    va_start(args, format);
    n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0)
        return overflow(c, side, at_us, "out of memory: a note is missing");
    if (!data)
        len = 0;
    if (len > TRANSCRIPT_STREAM_MAX || (size_t)n > TRANSCRIPT_STREAM_MAX ||
        c->note_bytes + (size_t)n + len > TRANSCRIPT_STREAM_MAX) {
        free(text);
        return overflow(c, side, at_us, "more notes than a transcript holds: the rest is not recorded");
    }
    if (len && (copy = malloc(len)) != NULL)
        memcpy(copy, data, len);
    e = len && !copy ? NULL : event_add(c, TRANSCRIPT_EVENT_MAX - EVENT_RESERVE);
    if (!e) {
        free(text);
        free(copy);
        return overflow(c, side, at_us, "more notes than a transcript holds: the rest is not recorded");
    }
    e->kind = TRANSCRIPT_NOTE;
    e->note = note;
    e->side = side;
    e->at_us = at_us;
    e->pdu = pdu;
    e->text = text;
    e->data = copy;
    e->len = len;
    c->note_bytes += (size_t)n + len;
    return true;
}

const struct transcript_event *transcript_ended(const struct transcript_conn *c, enum transcript_side side)
{
    for (size_t i = 0; i < c->event_count; i++)
        if (c->events[i].kind == TRANSCRIPT_END && c->events[i].side == side)
            return &c->events[i];
    return NULL;
}
