#include "harness/capture_flow.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FLOW_MAX    65536u
#define BUCKETS_MIN 64u /* a power of two; as many as there are flows, when they are more */
#define PORTALS_MAX 256u
/* A connection that has ended waits so many frames for segments that come late. */
#define LINGER_FRAMES 256u

#define PORT_ISCSI  3260u /* RFC 7143, 13.8 */
#define PORT_SYSTEM 860u

/* An address at which a target answered. */
struct portal {
    bool v6;
    uint8_t address[16];
    uint16_t port;
};

struct list {
    struct capture_flow *first, *last;
};

struct capture_flows {
    struct capture_flow **buckets;
    size_t bucket_count; /* a power of two */
    struct list lists[CAPTURE_LISTS];
    size_t count;
    uint64_t seed;
    size_t memory, behind;
    size_t total; /* bytes that recorded flows hold */
    struct portal portals[PORTALS_MAX];
    size_t portal_count;
    uint32_t streams;
    struct capture_conn **due; /* a ring */
    size_t due_first, due_count, due_capacity;
    bool no_memory;
};

struct capture_flows *capture_flows_new(size_t memory, size_t behind)
{
    struct capture_flows *flows = calloc(1, sizeof *flows);

    if (!flows)
        return NULL;
    flows->bucket_count = BUCKETS_MIN;
    flows->buckets = calloc(BUCKETS_MIN, sizeof(*flows->buckets));
    if (!flows->buckets) {
        free(flows);
        return NULL;
    }
    flows->memory = memory;
    flows->behind = behind;
    /* Files that were made to fall into one bucket cannot know which one. The order of results does not hang on it. */
    if (getrandom(&flows->seed, sizeof flows->seed, GRND_NONBLOCK) != (ssize_t)sizeof flows->seed)
        flows->seed = (uint64_t)(uintptr_t)flows;
    return flows;
}

/* ---- lists ---- */

static void list_remove(struct capture_flows *flows, struct capture_flow *f)
{
    struct list *list = &flows->lists[f->list];

    *(f->before ? &f->before->after : &list->first) = f->after;
    *(f->after ? &f->after->before : &list->last) = f->before;
}

static void list_append(struct capture_flows *flows, struct capture_flow *f, enum capture_flow_list which)
{
    struct list *list = &flows->lists[which];

    f->list = which;
    f->before = list->last;
    f->after = NULL;
    *(list->last ? &list->last->after : &list->first) = f;
    list->last = f;
}

static void list_move(struct capture_flows *flows, struct capture_flow *f, enum capture_flow_list which)
{
    if (f->list == which && !f->after)
        return;
    list_remove(flows, f);
    list_append(flows, f, which);
}

/* ---- the table ---- */

static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < len; i += 8) {
        uint64_t word = 0;

        memcpy(&word, p + i, len - i < 8 ? len - i : 8);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return hash;
}

/* The same for both directions. */
static size_t bucket_of(const struct capture_flows *flows, const struct capture_packet *p)
{
    size_t len = p->v6 ? 16 : 4;
    uint64_t a = mix(mix(flows->seed, p->from, len), &p->from_port, sizeof p->from_port);
    uint64_t b = mix(mix(flows->seed, p->to, len), &p->to_port, sizeof p->to_port);
    uint64_t both = (a + b) * UINT64_C(0xff51afd7ed558ccd);

    return (size_t)(both >> 40) & (flows->bucket_count - 1);
}

/* What a flow would be found by. */
static struct capture_packet key_of(const struct capture_flow *f)
{
    struct capture_packet key = {.v6 = f->v6, .from_port = f->port[0], .to_port = f->port[1]};

    memcpy(key.from, f->address[0], sizeof key.from);
    memcpy(key.to, f->address[1], sizeof key.to);
    return key;
}

/* Twice as many buckets. Without memory for them it goes on with those that there are. */
static void grow(struct capture_flows *flows)
{
    size_t old_count = flows->bucket_count;
    struct capture_flow **old = flows->buckets;
    struct capture_flow **buckets = calloc(2 * old_count, sizeof(*buckets));

    if (!buckets)
        return;
    flows->buckets = buckets;
    flows->bucket_count = 2 * old_count;
    for (size_t i = 0; i < old_count; i++) {
        for (struct capture_flow *f = old[i], *next; f; f = next) {
            struct capture_packet key = key_of(f);
            struct capture_flow **at = &buckets[bucket_of(flows, &key)];

            next = f->chain;
            f->chain = *at;
            *at = f;
        }
    }
    free(old);
}

static bool is_from(const struct capture_flow *f, unsigned end, const struct capture_packet *p)
{
    size_t len = p->v6 ? 16 : 4;

    return f->v6 == p->v6 && f->port[end] == p->from_port && f->port[!end] == p->to_port &&
           memcmp(f->address[end], p->from, len) == 0 && memcmp(f->address[!end], p->to, len) == 0;
}

static struct capture_flow *find(const struct capture_flows *flows, const struct capture_packet *p, unsigned *end)
{
    for (struct capture_flow *f = flows->buckets[bucket_of(flows, p)]; f; f = f->chain) {
        for (*end = 0; *end < 2; ++*end)
            if (is_from(f, *end, p))
                return f;
    }
    return NULL;
}

/* ---- where targets are ---- */

static bool is_portal(const struct capture_flows *flows, const struct capture_flow *f, unsigned end)
{
    if (f->port[end] == PORT_ISCSI || f->port[end] == PORT_SYSTEM)
        return true;
    for (size_t i = 0; i < flows->portal_count; i++) {
        const struct portal *p = &flows->portals[i];

        if (p->port == f->port[end] && p->v6 == f->v6 && memcmp(p->address, f->address[end], 16) == 0)
            return true;
    }
    return false;
}

static void learn_portal(struct capture_flows *flows, const struct capture_flow *f, unsigned end)
{
    struct portal *p;

    if (is_portal(flows, f, end) || flows->portal_count == PORTALS_MAX)
        return;
    p = &flows->portals[flows->portal_count++];
    p->v6 = f->v6;
    p->port = f->port[end];
    memcpy(p->address, f->address[end], sizeof p->address);
}

/* ---- recording ---- */

static void account(struct capture_flows *flows, struct capture_flow *f)
{
    size_t size = f->held_bytes + f->held_count * sizeof(struct capture_held);

    if (f->taking.conn)
        size += capture_conn_size(f->taking.conn);
    flows->total += size - f->size;
    f->size = size;
}

static bool record(struct capture_flows *flows, struct capture_flow *f)
{
    if (f->taking.conn)
        return true;
    if (!capture_taking_start(&f->taking, flows->behind))
        flows->no_memory = true;
    return f->taking.conn != NULL;
}

static void ignore(struct capture_flows *flows, struct capture_flow *f)
{
    capture_tcp_free(f);
    capture_taking_free(&f->taking);
    f->state = CAPTURE_FLOW_IGNORED;
    account(flows, f);
    list_move(flows, f, CAPTURE_LIST_IGNORED);
}

static void take_as_iscsi(struct capture_flow *f, unsigned initiator)
{
    f->state = CAPTURE_FLOW_ISCSI;
    if (initiator == 1 && !f->turned) {
        capture_taking_turn(&f->taking);
        f->turned = true;
    }
}

/* Looks at what has come so far. */
static void decide(struct capture_flows *flows, struct capture_flow *f)
{
    enum capture_content content;

    if (f->state != CAPTURE_FLOW_UNDECIDED || !f->taking.conn)
        return;
    content = capture_recognise(&f->taking);
    if (content == CAPTURE_CONTENT_0 || content == CAPTURE_CONTENT_1) {
        unsigned initiator = content == CAPTURE_CONTENT_1;

        f->taking.conn->recognised = true;
        take_as_iscsi(f, initiator);
        learn_portal(flows, f, !initiator);
    } else if (content == CAPTURE_CONTENT_NONE) {
        if (is_portal(flows, f, 1))
            take_as_iscsi(f, 0);
        else if (is_portal(flows, f, 0))
            take_as_iscsi(f, 1);
        else
            ignore(flows, f);
    }
}

static bool push(struct capture_flows *flows, struct capture_conn *conn)
{
    if (flows->due_count == flows->due_capacity) {
        size_t capacity = flows->due_capacity ? 2 * flows->due_capacity : 64;
        struct capture_conn **due = malloc(capacity * sizeof(*due));

        if (!due) {
            flows->no_memory = true;
            return false;
        }
        for (size_t i = 0; i < flows->due_count; i++)
            due[i] = flows->due[(flows->due_first + i) % flows->due_capacity];
        free(flows->due);
        flows->due = due;
        flows->due_first = 0;
        flows->due_capacity = capacity;
    }
    flows->due[(flows->due_first + flows->due_count++) % flows->due_capacity] = conn;
    return true;
}

static void name_ends(const struct capture_flow *f, struct transcript_conn *c)
{
    int family = f->v6 ? AF_INET6 : AF_INET;
    unsigned initiator = f->turned ? 1 : 0;

    inet_ntop(family, f->address[initiator], c->local, sizeof c->local);
    inet_ntop(family, f->address[!initiator], c->remote, sizeof c->remote);
    c->local_port = f->port[initiator];
    c->remote_port = f->port[!initiator];
    c->connected =
        f->direction[0].based && f->direction[1].based && (c->stream[0].len > 0 || c->stream[1].len > 0 || !f->opened);
    snprintf(c->name, sizeof c->name, "%u", f->stream);
}

/* Gives the recording of a flow out; the flow itself goes on without. */
static void give_out(struct capture_flows *flows, struct capture_flow *f, bool early)
{
    struct capture_source last = {f->last_frame, f->last_us};
    struct capture_conn *conn;

    if (!f->taking.conn)
        return;
    capture_tcp_finish(f, &last);
    decide(flows, f);
    /* Too little to know it by content: its port decides. */
    if (f->state == CAPTURE_FLOW_UNDECIDED) {
        if (is_portal(flows, f, 1))
            take_as_iscsi(f, 0);
        else if (is_portal(flows, f, 0))
            take_as_iscsi(f, 1);
    }
    if (f->state != CAPTURE_FLOW_ISCSI) {
        ignore(flows, f);
        return;
    }
    conn = f->taking.conn;
    f->taking.conn = NULL;
    name_ends(f, conn->conn);
    conn->stream = f->stream;
    conn->first_frame = f->first_frame;
    conn->last_frame = f->last_frame;
    conn->first_us = f->first_us;
    conn->last_us = f->last_us;
    conn->opened = f->opened;
    conn->early = early;
    if (f->taking.no_memory)
        flows->no_memory = true;
    if (!push(flows, conn))
        capture_conn_free(conn);
    ignore(flows, f);
}

static void forget(struct capture_flows *flows, struct capture_flow *f)
{
    struct capture_packet key = key_of(f);
    struct capture_flow **at;

    for (at = &flows->buckets[bucket_of(flows, &key)]; *at != f;)
        at = &(*at)->chain;
    *at = f->chain;
    list_remove(flows, f);
    capture_tcp_free(f);
    capture_taking_free(&f->taking);
    flows->total -= f->size;
    flows->count--;
    free(f);
}

/* ---- segments ---- */

static struct capture_flow *add(struct capture_flows *flows, const struct capture_packet *p,
                                const struct capture_source *from)
{
    bool answers = (p->flags & CAPTURE_PACKET_SYN) != 0 && (p->flags & CAPTURE_PACKET_ACK) != 0;
    struct capture_flow *f = calloc(1, sizeof *f);
    struct capture_flow **bucket;
    unsigned sender;

    if (!f) {
        flows->no_memory = true;
        return NULL;
    }
    /* End 0 is who opens the connection, as far as can be seen. */
    sender = answers ? 1 : 0;
    f->v6 = p->v6;
    memcpy(f->address[sender], p->from, sizeof p->from);
    memcpy(f->address[!sender], p->to, sizeof p->to);
    f->port[sender] = p->from_port;
    f->port[!sender] = p->to_port;
    f->stream = flows->streams++;
    f->first_frame = from->frame;
    f->first_us = from->at_us;
    if (flows->count >= flows->bucket_count)
        grow(flows);
    bucket = &flows->buckets[bucket_of(flows, p)];
    f->chain = *bucket;
    *bucket = f;
    flows->count++;
    list_append(flows, f, CAPTURE_LIST_ACTIVE);
    if (is_portal(flows, f, 0) || is_portal(flows, f, 1))
        record(flows, f);
    return f;
}

/* Is this the beginning of another connection between the same ports? */
static bool begins_anew(const struct capture_flow *f, unsigned end, const struct capture_packet *p)
{
    const struct capture_direction *d = &f->direction[end];

    if ((p->flags & CAPTURE_PACKET_SYN) == 0)
        return false;
    if (f->state == CAPTURE_FLOW_IGNORED)
        return (p->flags & CAPTURE_PACKET_ACK) == 0;
    if (!d->based || p->seq + 1 == d->next - (uint32_t)d->taken)
        return false;
    return d->taken > 0 || d->held || d->ended || f->direction[!end].ended || (p->flags & CAPTURE_PACKET_ACK) == 0;
}

static void make_room(struct capture_flows *flows)
{
    while (flows->total > flows->memory) {
        struct capture_flow *f = flows->lists[CAPTURE_LIST_CLOSING].first;

        if (!f)
            f = flows->lists[CAPTURE_LIST_ACTIVE].first;
        if (!f)
            break;
        give_out(flows, f, f->list == CAPTURE_LIST_ACTIVE);
        if (f->state != CAPTURE_FLOW_IGNORED)
            ignore(flows, f);
    }
    while (flows->count > FLOW_MAX) {
        struct capture_flow *f = flows->lists[CAPTURE_LIST_IGNORED].first;

        if (!f)
            f = flows->lists[CAPTURE_LIST_ACTIVE].first;
        give_out(flows, f, true);
        forget(flows, f);
    }
}

/* Connections that ended long enough ago. */
static void reap(struct capture_flows *flows, uint64_t frame)
{
    struct capture_flow *f;

    while ((f = flows->lists[CAPTURE_LIST_CLOSING].first) != NULL && f->last_frame + LINGER_FRAMES < frame) {
        give_out(flows, f, false);
        forget(flows, f);
    }
}

static bool is_over(const struct capture_flow *f)
{
    const struct capture_direction *d = f->direction;

    return (d[0].ended && d[1].ended) || d[0].rst || d[1].rst;
}

bool capture_flows_take(struct capture_flows *flows, const struct capture_packet *p, const struct capture_source *from)
{
    unsigned end = 0;
    struct capture_flow *f = find(flows, p, &end);

    if (f && begins_anew(f, end, p)) {
        give_out(flows, f, false);
        forget(flows, f);
        f = NULL;
    }
    if (!f) {
        f = add(flows, p, from);
        if (!f)
            return false;
        end = is_from(f, 0, p) ? 0 : 1;
    }
    f->last_frame = from->frame;
    f->last_us = from->at_us;
    if (f->state == CAPTURE_FLOW_IGNORED) {
        list_move(flows, f, CAPTURE_LIST_IGNORED);
        return true;
    }
    f->opened = f->opened || (p->flags & CAPTURE_PACKET_SYN) != 0;
    if (p->len > 0 && !record(flows, f))
        return false;
    capture_tcp_segment(f, end, p, from);
    decide(flows, f);
    account(flows, f);
    if (f->state != CAPTURE_FLOW_IGNORED)
        list_move(flows, f, is_over(f) ? CAPTURE_LIST_CLOSING : CAPTURE_LIST_ACTIVE);
    make_room(flows);
    reap(flows, from->frame);
    return !flows->no_memory;
}

static int by_first_frame(const void *a, const void *b)
{
    const struct capture_flow *x = *(struct capture_flow *const *)a;
    const struct capture_flow *y = *(struct capture_flow *const *)b;

    return x->first_frame < y->first_frame ? -1 : x->first_frame > y->first_frame;
}

void capture_flows_finish(struct capture_flows *flows, const struct capture_source *last)
{
    struct capture_flow **all = malloc((flows->count ? flows->count : 1) * sizeof(*all));
    size_t count = 0;

    reap(flows, last->frame + LINGER_FRAMES + 1);
    if (!all) {
        flows->no_memory = true;
        return;
    }
    for (struct capture_flow *f = flows->lists[CAPTURE_LIST_ACTIVE].first; f; f = f->after)
        all[count++] = f;
    qsort(all, count, sizeof(*all), by_first_frame);
    for (size_t i = 0; i < count; i++) {
        give_out(flows, all[i], false);
        forget(flows, all[i]);
    }
    free(all);
}

struct capture_conn *capture_flows_pop(struct capture_flows *flows)
{
    struct capture_conn *conn;

    if (flows->due_count == 0)
        return NULL;
    conn = flows->due[flows->due_first];
    flows->due_first = (flows->due_first + 1) % flows->due_capacity;
    flows->due_count--;
    return conn;
}

uint64_t capture_flows_count(const struct capture_flows *flows)
{
    return flows->streams;
}

void capture_flows_free(struct capture_flows *flows)
{
    struct capture_conn *conn;

    if (!flows)
        return;
    for (unsigned i = 0; i < CAPTURE_LISTS; i++)
        while (flows->lists[i].first)
            forget(flows, flows->lists[i].first);
    while ((conn = capture_flows_pop(flows)) != NULL)
        capture_conn_free(conn);
    free(flows->due);
    free(flows->buckets);
    free(flows);
}
