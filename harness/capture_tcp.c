/*
 * Putting the bytes of a TCP connection in order (RFC 9293, 3.4 and 3.10). The first copy of a byte wins. A segment
 * also waits for what its sender had received before it, as its acknowledgement says: so the order of both directions
 * is right even where the capture has it wrong. Gaps are told when too much waits or the connection is over.
 */
#include "harness/capture_flow.h"

#include <stdlib.h>
#include <string.h>

/* More than this is not waited with: what is missing is then a gap. */
#define HELD_SEGMENTS_MAX 1024u
#define HELD_BYTES_MAX    (512u << 10)
/* No gap is larger: the numbers make no sense any more, or far too much is lost. */
#define GAP_MAX (1u << 20)
/* How much of such a gap is marked in the transcript. */
#define LOST_MARK 4096u

/* Sequence numbers live on a circle. */
static int32_t distance(uint32_t from, uint32_t to)
{
    return (int32_t)(to - from);
}

static unsigned side_of(const struct capture_flow *f, unsigned end)
{
    return end ^ (f->turned ? 1u : 0u);
}

/* ---- taking in order ---- */

static void take(struct capture_flow *f, unsigned end, const struct capture_source *from, const uint8_t *bytes,
                 size_t have, size_t len)
{
    struct capture_direction *d = &f->direction[end];

    if (f->taking.conn) {
        if (have > 0)
            capture_take_bytes(&f->taking, side_of(f, end), from, bytes, have);
        if (len > have) {
            f->taking.conn->cut_bytes += len - have;
            capture_take_gap(&f->taking, side_of(f, end), from, len - have);
        }
    }
    d->next += (uint32_t)len;
    d->taken += len;
}

static void take_gap(struct capture_flow *f, unsigned end, const struct capture_source *from, size_t len)
{
    struct capture_direction *d = &f->direction[end];
    size_t mark = len;

    if (len > GAP_MAX) {
        d->lost = true;
        mark = LOST_MARK;
    }
    if (f->taking.conn) {
        capture_take_gap(&f->taking, side_of(f, end), from, mark);
        f->taking.conn->missing_bytes += len - mark;
    }
    d->next += (uint32_t)len;
    d->taken += len;
}

/* Takes bytes that are due, or leaves out of them what was taken before. */
static void take_due(struct capture_flow *f, unsigned end, const struct capture_source *from, uint32_t seq,
                     const uint8_t *bytes, size_t have, size_t len)
{
    struct capture_direction *d = &f->direction[end];
    size_t old = (size_t)(uint32_t)distance(seq, d->next);
    size_t again = old < len ? old : len;
    size_t seen = again < have ? again : have;

    /* A keep-alive repeats the last byte, or invents one (RFC 9293, 3.8.4). */
    if (seen > 0 && !(len == 1 && old == 1) && f->taking.conn && d->taken >= old)
        capture_take_again(&f->taking, side_of(f, end), from, d->taken - old, bytes, seen);
    if (old < len)
        take(f, end, from, bytes + seen, have - seen, len - old);
}

/* ---- waiting ---- */

static void drop_first(struct capture_flow *f, struct capture_direction *d)
{
    struct capture_held *held = d->held;

    d->held = held->next;
    f->held_count--;
    f->held_bytes -= held->have;
    free(held);
}

void capture_tcp_free(struct capture_flow *f)
{
    for (unsigned end = 0; end < 2; end++)
        while (f->direction[end].held)
            drop_first(f, &f->direction[end]);
}

/* Puts a part of a segment before *place. */
static void hold(struct capture_flow *f, struct capture_held **place, const struct capture_packet *p,
                 const struct capture_source *from, size_t skip, size_t len)
{
    size_t have = p->have > skip ? p->have - skip : 0;
    struct capture_held *held;

    if (have > len)
        have = len;
    held = malloc(sizeof *held + have);
    if (!held) {
        f->taking.no_memory = true;
        return;
    }
    held->seq = p->seq + (uint32_t)skip;
    held->ack = p->ack;
    held->has_ack = (p->flags & CAPTURE_PACKET_ACK) != 0;
    held->len = len;
    held->have = have;
    held->from = *from;
    if (have > 0)
        memcpy(held->bytes, p->data + skip, have);
    held->next = *place;
    *place = held;
    f->held_count++;
    f->held_bytes += have;
}

/* Counts what a segment brings that waits already. */
static void compare_held(struct capture_flow *f, const struct capture_held *held, const struct capture_packet *p,
                         const struct capture_source *from, uint32_t seq, size_t len)
{
    size_t differing = 0;

    if (!f->taking.conn)
        return;
    f->taking.conn->repeated_bytes += len;
    for (size_t i = 0; i < len; i++) {
        size_t mine = (uint32_t)(seq - p->seq) + i;
        size_t theirs = (uint32_t)(seq - held->seq) + i;

        if (mine < p->have && theirs < held->have)
            differing += p->data[mine] != held->bytes[theirs];
    }
    f->taking.conn->differing_bytes += differing;
    if (differing > 0 && f->taking.conn->first_differing == 0)
        f->taking.conn->first_differing = from->frame;
}

/* Lets a segment wait: those parts of it that do not wait already. */
static void hold_segment(struct capture_flow *f, unsigned end, const struct capture_packet *p,
                         const struct capture_source *from)
{
    struct capture_held **place = &f->direction[end].held;
    size_t done = 0;

    while (done < p->len) {
        uint32_t seq = p->seq + (uint32_t)done;
        size_t left = p->len - done;

        while (*place && distance(seq, (*place)->seq + (uint32_t)(*place)->len) <= 0)
            place = &(*place)->next;
        if (*place && distance(seq, (*place)->seq) <= 0) {
            size_t covered = (size_t)distance(seq, (*place)->seq + (uint32_t)(*place)->len);

            if (covered > left)
                covered = left;
            compare_held(f, *place, p, from, seq, covered);
            done += covered;
            continue;
        }
        if (*place && (size_t)distance(seq, (*place)->seq) < left)
            left = (size_t)distance(seq, (*place)->seq);
        hold(f, place, p, from, done, left);
        if (f->taking.no_memory)
            return;
        done += left;
    }
}

/* Had the sender of this received more of the other direction than was taken so far? */
static bool ahead(const struct capture_flow *f, unsigned end, bool has_ack, uint32_t ack)
{
    const struct capture_direction *other = &f->direction[!end];
    int32_t more = distance(other->next, ack);

    if (!has_ack || !other->based || other->lost || more <= 0)
        return false;
    if (other->fin && other->fin_seq == other->next && more == 1)
        return false;
    return (uint32_t)more <= GAP_MAX;
}

/* Can the first waiting segment of this end be taken? */
static bool ready(const struct capture_flow *f, unsigned end)
{
    const struct capture_direction *d = &f->direction[end];

    return d->held && distance(d->next, d->held->seq) <= 0 && !ahead(f, end, d->held->has_ack, d->held->ack);
}

static void take_held(struct capture_flow *f, unsigned end)
{
    struct capture_direction *d = &f->direction[end];
    struct capture_held *held = d->held;

    take_due(f, end, &held->from, held->seq, held->bytes, held->have, held->len);
    drop_first(f, d);
}

static void take_endings(struct capture_flow *f)
{
    for (unsigned end = 0; end < 2; end++) {
        struct capture_direction *d = &f->direction[end];
        bool due = d->rst ? f->held_count == 0 : d->fin && (d->lost || d->fin_seq == d->next);

        if (d->ended || !due)
            continue;
        d->ended = true;
        if (f->taking.conn)
            capture_take_end(&f->taking, side_of(f, end), &d->end_from, d->rst);
    }
}

/* Takes everything that is due, in the order of the frames. */
static void pump(struct capture_flow *f)
{
    for (;;) {
        bool first = ready(f, 0);
        bool second = ready(f, 1);

        if (!first && !second)
            break;
        if (first && second)
            first = f->direction[0].held->from.frame < f->direction[1].held->from.frame;
        take_held(f, first ? 0 : 1);
    }
    take_endings(f);
}

/* Tells the one gap that holds everything up. There is something that waits. */
static void give_up(struct capture_flow *f)
{
    unsigned end = f->direction[0].held ? 0 : 1;
    struct capture_direction *d;
    const struct capture_held *held;

    /* Where both wait, the older segment decides. */
    if (f->direction[0].held && f->direction[1].held &&
        f->direction[1].held->from.frame < f->direction[0].held->from.frame)
        end = 1;
    d = &f->direction[end];
    held = d->held;
    if (distance(d->next, held->seq) > 0) {
        take_gap(f, end, &held->from, (uint32_t)distance(d->next, held->seq));
        if (d->lost)
            while (d->held)
                drop_first(f, d);
    } else {
        /* It waits for bytes of the other end that never came. */
        struct capture_direction *other = &f->direction[!end];
        uint32_t missing = (uint32_t)distance(other->next, held->ack);
        int32_t hole = other->held ? distance(other->next, other->held->seq) : (int32_t)missing;

        /* Each waits for the other, which cannot be; or what is missing is one number, and rather a FIN than a byte. */
        if (hole <= 0 || (missing == 1 && !other->held))
            take_held(f, end);
        else
            take_gap(f, !end, &held->from, (uint32_t)hole < missing ? (uint32_t)hole : missing);
    }
    pump(f);
}

/* ---- a segment ---- */

/* What the segment says about where both directions stand. */
static void note_numbers(struct capture_flow *f, unsigned end, const struct capture_packet *p)
{
    struct capture_direction *d = &f->direction[end];
    struct capture_direction *other = &f->direction[!end];

    if ((p->flags & CAPTURE_PACKET_SYN) != 0 && !d->held && d->taken == 0) {
        d->based = true;
        d->next = p->seq;
    }
    if (!d->based && (p->flags & CAPTURE_PACKET_RST) == 0) {
        d->based = true;
        d->next = p->seq;
    }
    if ((p->flags & (CAPTURE_PACKET_ACK | CAPTURE_PACKET_RST)) != CAPTURE_PACKET_ACK)
        return;
    if (!other->based) {
        other->based = true;
        other->next = p->ack;
    }
    if (!other->acked || distance(other->ack, p->ack) > 0)
        other->ack = p->ack;
    other->acked = true;
}

static void note_ending(struct capture_direction *d, const struct capture_packet *p, const struct capture_source *from)
{
    if ((p->flags & CAPTURE_PACKET_RST) != 0 && !d->rst && !d->ended) {
        d->rst = true;
        d->end_from = *from;
    } else if ((p->flags & CAPTURE_PACKET_FIN) != 0 && !d->fin) {
        d->fin = true;
        d->fin_seq = p->seq + (uint32_t)p->len;
        if (!d->rst)
            d->end_from = *from;
    }
}

/* Both sides keep nothing more: only the end is of interest. */
static bool settled(const struct capture_flow *f)
{
    return f->taking.conn && f->taking.full[0] && f->taking.full[1];
}

/* Counts the bytes of a segment without looking where they belong. */
static void pass_by(struct capture_flow *f, unsigned end, const struct capture_packet *p)
{
    struct capture_direction *d = &f->direction[end];

    capture_tcp_free(f);
    f->taking.conn->skipped[side_of(f, end)] += p->len;
    d->lost = true;
    f->direction[!end].lost = true;
}

void capture_tcp_segment(struct capture_flow *f, unsigned end, const struct capture_packet *packet,
                         const struct capture_source *from)
{
    struct capture_direction *d = &f->direction[end];
    bool has_ack = (packet->flags & CAPTURE_PACKET_ACK) != 0;
    struct capture_packet placed = *packet; /* seq is that of the first byte */
    const struct capture_packet *p = &placed;

    /* A SYN has the number before it, and may bring bytes along (RFC 7413). */
    if ((packet->flags & CAPTURE_PACKET_SYN) != 0)
        placed.seq++;
    note_numbers(f, end, p);
    note_ending(d, p, from);
    if (settled(f)) {
        pass_by(f, end, p);
    } else if (p->len > 0 && !d->lost && (p->flags & CAPTURE_PACKET_RST) == 0) {
        int32_t early = distance(d->next, p->seq);

        if (early <= 0 && !ahead(f, end, has_ack, p->ack)) {
            take_due(f, end, from, p->seq, p->data, p->have, p->len);
        } else {
            if (early > 0 && f->taking.conn)
                f->taking.conn->late_segments++;
            hold_segment(f, end, p, from);
        }
    }
    pump(f);
    while (f->held_count > HELD_SEGMENTS_MAX || f->held_bytes > HELD_BYTES_MAX)
        give_up(f);
}

void capture_tcp_finish(struct capture_flow *f, const struct capture_source *from)
{
    pump(f);
    while (f->held_count > 0)
        give_up(f);
    for (unsigned end = 0; end < 2; end++) {
        struct capture_direction *d = &f->direction[end];
        int32_t missing = d->fin ? distance(d->next, d->fin_seq) : d->acked ? distance(d->next, d->ack) : 0;

        /* One byte beyond is a FIN that was not captured. */
        if (d->based && !d->lost && missing > (d->fin ? 0 : 1) && (uint32_t)missing <= GAP_MAX)
            take_gap(f, end, from, (size_t)missing);
    }
    pump(f);
    for (unsigned end = 0; end < 2; end++)
        f->direction[end].lost = true;
    take_endings(f);
}
