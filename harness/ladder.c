/* The ladder: what is printed, in which order. How a PDU looks is ladder_pdu.c. */
#include "harness/ladder.h"
#include "harness/ladder_pdu.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A flood is not read line by line: beyond this many PDUs of a connection only their number is told. */
#define PDU_MAX 2000u

/* One connection while it is printed. */
struct rung {
    struct ladder_out out;
    const struct transcript_conn *conn;
    size_t index;
    struct transcript_pdu *pdus;
    size_t pdu_count;
    size_t printed;
    size_t *notes; /* events that are notes on a PDU, by side, PDU, and then as recorded */
    size_t note_count;
    const struct finding **findings; /* of this connection, by side and PDU */
    size_t finding_count;
    size_t *done_at;    /* per PDU: event with which it was complete */
    unsigned *segments; /* per PDU: events that carried it */
};

static void print_time(struct ladder_out *out, int64_t at_us, enum transcript_side side)
{
    fprintf(out->file, "%6" PRId64 ".%06" PRId64 "  %s  ", at_us / 1000000, at_us < 0 ? 0 : at_us % 1000000,
            side == TRANSCRIPT_INITIATOR ? "-->" : "<--");
}

static void print_note(struct ladder_out *out, const struct transcript_event *e)
{
    static const char *const marks[] = {
        [TRANSCRIPT_EDIT] = "~ edit: ",
        [TRANSCRIPT_REPAIR] = "+ repair: ",
        [TRANSCRIPT_SHOWN] = "= shown to the initiator library: ",
        [TRANSCRIPT_INFO] = "# ",
    };

    fprintf(out->file, "              %s", marks[e->note]);
    if (e->text)
        ladder_escape(out, e->text, strlen(e->text));
    fputc('\n', out->file);
}

static void print_finding(struct ladder_out *out, const struct finding *f, const struct transcript_pdu *pdu,
                          const uint8_t *stream)
{
    fprintf(out->file, "              ! %s", f->rule);
    if (f->tolerated)
        fputs(" (tolerated)", out->file);
    fputs(": was ", out->file);
    ladder_escape(out, f->was, strlen(f->was));
    fputs("; allowed: ", out->file);
    ladder_escape(out, f->allowed, strlen(f->allowed));
    fputc('\n', out->file);
    if (!pdu || f->len == 0 || f->offset >= pdu->len || f->len > pdu->len - f->offset)
        return;
    fprintf(out->file, "                bytes %zu to %zu:\n", f->offset, f->offset + f->len - 1);
    ladder_hex(out, stream + pdu->offset + f->offset, f->len);
}

/* Findings by side and PDU, and then as they were found. */
static int by_pdu(const void *a, const void *b)
{
    const struct finding *x = *(const struct finding *const *)a;
    const struct finding *y = *(const struct finding *const *)b;

    if (x->side != y->side)
        return x->side < y->side ? -1 : 1;
    if (x->pdu != y->pdu)
        return x->pdu < y->pdu ? -1 : 1;
    return x < y ? -1 : x > y;
}

static bool same_pdu(const struct transcript_pdu *pdu, enum transcript_side side, uint32_t number)
{
    return pdu->side == side && pdu->number == number;
}

static bool before_pdu(const struct transcript_pdu *pdu, enum transcript_side side, uint32_t number)
{
    return side != pdu->side ? side < pdu->side : number < pdu->number;
}

static void print_notes(struct rung *r, const struct transcript_pdu *pdu)
{
    size_t low = 0;
    size_t high = r->note_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct transcript_event *e = &r->conn->events[r->notes[middle]];

        if (before_pdu(pdu, e->side, e->pdu))
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < r->note_count; low++) {
        const struct transcript_event *e = &r->conn->events[r->notes[low]];

        if (!same_pdu(pdu, e->side, e->pdu))
            break;
        print_note(&r->out, e);
    }
}

static void print_pdu(struct rung *r, size_t index)
{
    const struct transcript_pdu *pdu = &r->pdus[index];

    if (r->printed++ >= PDU_MAX)
        return;
    print_time(&r->out, pdu->at_us, pdu->side);
    ladder_pdu(&r->out, pdu, r->conn->stream[pdu->side].bytes + pdu->offset, r->segments[index]);
    print_notes(r, pdu);
    for (size_t i = 0; i < r->finding_count; i++) /* few: the auditor gives AUDIT_FINDING_MAX at most */
        if (same_pdu(pdu, r->findings[i]->side, r->findings[i]->pdu))
            print_finding(&r->out, r->findings[i], pdu, r->conn->stream[pdu->side].bytes);
    fputc('\n', r->out.file);
}

static void print_end(struct rung *r, size_t event)
{
    const struct transcript_event *e = &r->conn->events[event];
    bool first = true;

    for (size_t i = 0; i < event; i++)
        first = first && r->conn->events[i].kind != TRANSCRIPT_END;
    print_time(&r->out, e->at_us, e->side);
    fprintf(r->out.file, "the %s ends its direction by %s, %s\n\n",
            e->side == TRANSCRIPT_INITIATOR ? "initiator" : "target", e->end == TRANSCRIPT_RST ? "RST" : "FIN",
            first ? "as the first" : "after the other end did");
}

static void print_event(struct rung *r, size_t event)
{
    const struct transcript_event *e = &r->conn->events[event];

    switch (e->kind) {
    case TRANSCRIPT_BYTES:
        break;
    case TRANSCRIPT_END:
        print_end(r, event);
        break;
    case TRANSCRIPT_GAP:
        print_time(&r->out, e->at_us, e->side);
        fprintf(r->out.file, "%zu bytes are missing\n\n", e->len);
        break;
    case TRANSCRIPT_NOTE:
        if (e->pdu == 0) {
            print_note(&r->out, e);
            fputc('\n', r->out.file);
        }
        break;
    }
}

/* With which event each PDU was complete, and how many carried it. PDUs of one side stand in order of their offset. */
static void place_pdus(struct rung *r)
{
    for (unsigned side = 0; side < 2; side++) {
        size_t event = 0;

        for (size_t i = 0; i < r->pdu_count; i++) {
            const struct transcript_pdu *pdu = &r->pdus[i];
            size_t end = pdu->offset + pdu->len;

            if (pdu->side != (enum transcript_side)side)
                continue;
            for (size_t e = event; e < r->conn->event_count; e++) {
                const struct transcript_event *at = &r->conn->events[e];

                if ((at->kind != TRANSCRIPT_BYTES && at->kind != TRANSCRIPT_GAP) || at->side != pdu->side ||
                    at->offset + at->len <= pdu->offset)
                    continue;
                if (at->offset >= end)
                    break;
                r->segments[i]++;
                r->done_at[i] = e;
                event = e;
                if (at->offset + at->len >= end)
                    break;
            }
        }
    }
}

/* Indices of events that are notes: by side, PDU, and then as recorded. */
static int by_note(const void *a, const void *b, void *context)
{
    const struct transcript_event *events = context;
    size_t i = *(const size_t *)a;
    size_t j = *(const size_t *)b;

    if (events[i].side != events[j].side)
        return events[i].side < events[j].side ? -1 : 1;
    if (events[i].pdu != events[j].pdu)
        return events[i].pdu < events[j].pdu ? -1 : 1;
    return i < j ? -1 : i > j;
}

static void collect(struct rung *r, const struct finding_list *findings)
{
    for (size_t e = 0; e < r->conn->event_count; e++)
        if (r->conn->events[e].kind == TRANSCRIPT_NOTE && r->conn->events[e].pdu != 0)
            r->notes[r->note_count++] = e;
    qsort_r(r->notes, r->note_count, sizeof *r->notes, by_note, r->conn->events);
    for (size_t i = 0; findings && i < findings->count; i++)
        if (findings->items[i].conn == r->index)
            r->findings[r->finding_count++] = &findings->items[i];
    qsort(r->findings, r->finding_count, sizeof *r->findings, by_pdu);
}

static bool rung_init(struct rung *r, const struct finding_list *findings)
{
    long count = transcript_cut(r->conn, &r->pdus);
    size_t found = findings ? findings->count : 0;

    if (count < 0)
        return false;
    r->pdu_count = (size_t)count;
    r->notes = calloc(r->conn->event_count + 1, sizeof *r->notes);
    r->findings = calloc(found + 1, sizeof *r->findings);
    r->done_at = calloc(r->pdu_count + 1, sizeof *r->done_at);
    r->segments = calloc(r->pdu_count + 1, sizeof *r->segments);
    if (!r->notes || !r->findings || !r->done_at || !r->segments)
        return false;
    collect(r, findings);
    place_pdus(r);
    return true;
}

static void rung_free(struct rung *r)
{
    free(r->pdus);
    free(r->notes);
    free(r->findings);
    free(r->done_at);
    free(r->segments);
}

/* What is left of a side when it ends in the middle of a PDU; transcript_cut puts such fragments last. */
static void print_fragment(struct rung *r, size_t first, enum transcript_side side, bool *told)
{
    for (size_t i = first; i < r->pdu_count; i++) {
        if (r->pdus[i].side == side && !told[side]) {
            told[side] = true;
            print_pdu(r, i);
        }
    }
}

/* PDUs in the order in which they were complete, and between them what else happened. */
static void print_rung(struct rung *r)
{
    bool told[2] = {false, false};
    size_t whole = 0;
    size_t next = 0;

    while (whole < r->pdu_count && r->pdus[whole].whole)
        whole++;
    for (size_t e = 0; e < r->conn->event_count; e++) {
        while (next < whole && r->done_at[next] <= e)
            print_pdu(r, next++);
        if (r->conn->events[e].kind == TRANSCRIPT_END)
            print_fragment(r, whole, r->conn->events[e].side, told);
        print_event(r, e);
    }
    print_fragment(r, whole, TRANSCRIPT_INITIATOR, told);
    print_fragment(r, whole, TRANSCRIPT_TARGET, told);
    if (r->printed > PDU_MAX)
        fprintf(r->out.file, "... and %zu more PDUs\n\n", r->printed - PDU_MAX);
    for (size_t i = 0; i < r->finding_count; i++)
        if (r->findings[i]->pdu == 0)
            print_finding(&r->out, r->findings[i], NULL, NULL);
    if (!transcript_ended(r->conn, TRANSCRIPT_INITIATOR) && !transcript_ended(r->conn, TRANSCRIPT_TARGET))
        fputs("Neither end closed the connection.\n\n", r->out.file);
}

static void print_conn(struct ladder_out *out, const struct transcript_conn *c)
{
    bool v6 = strchr(c->local, ':') || strchr(c->remote, ':');
    const char *open = v6 ? "[" : "";
    const char *close = v6 ? "]" : "";

    fputs("connection ", out->file);
    ladder_escape(out, c->name, strlen(c->name));
    fprintf(out->file, ": initiator %s%s%s:%u, target %s%s%s:%u%s\n\n", open, c->local, close, c->local_port, open,
            c->remote, close, c->remote_port, c->connected ? "" : ", not connected");
}

static void print_line(struct ladder_out *out, const char *name, const char *value)
{
    if (!value || !value[0])
        return;
    fprintf(out->file, "%-8s ", name);
    ladder_escape(out, value, strlen(value));
    fputc('\n', out->file);
}

static void print_head(struct ladder_out *out, const struct ladder_head *head, const struct finding_list *findings)
{
    if (head) {
        print_line(out, "case", head->id);
        print_line(out, "title", head->title);
        print_line(out, "verdict", head->verdict);
        print_line(out, "reason", head->reason);
    }
    if (findings)
        fprintf(out->file, "findings %zu%s\n", findings->count, findings->truncated ? " and more" : "");
    if (head || findings)
        fputc('\n', out->file);
    fputs("--> initiator   <-- target   ~ edit   + repair   ! finding   times in seconds\n\n", out->file);
}

int ladder_write(FILE *out, const struct transcript *t, const struct ladder_head *head,
                 const struct finding_list *findings)
{
    struct ladder_out to = {.file = out, .secrets = {t->context.chap_secret, t->context.mutual_secret}};
    bool fine = true;

    print_head(&to, head, findings);
    for (size_t i = 0; i < t->conn_count && fine; i++) {
        struct rung r = {.out = to, .conn = t->conns[i], .index = i};

        print_conn(&to, r.conn);
        fine = rung_init(&r, findings);
        if (fine)
            print_rung(&r);
        rung_free(&r);
    }
    return fine && !ferror(out) ? 0 : -1;
}

int ladder_save(const struct transcript *t, const struct ladder_head *head, const struct finding_list *findings,
                const char *path, char *err, size_t err_len)
{
    size_t cap = strlen(path) + 32;
    char *temporary = malloc(cap);
    FILE *file = NULL;
    int error = ENOMEM;

    if (temporary) {
        snprintf(temporary, cap, "%s.%ld.part", path, (long)getpid());
        file = fopen(temporary, "w");
        error = file ? 0 : errno;
    }
    if (file) {
        errno = 0;
        if (ladder_write(file, t, head, findings) != 0)
            error = errno ? errno : ENOMEM;
        if (fclose(file) != 0 && error == 0)
            error = errno;
        if (error == 0 && rename(temporary, path) != 0)
            error = errno;
        if (error != 0)
            unlink(temporary);
    }
    if (error != 0)
        snprintf(err, err_len, "%s: cannot write the ladder: %s", path, strerror(error));
    free(temporary);
    return error == 0 ? 0 : -1;
}

int ladder_write_file(const struct transcript *t, const char *path, char *err, size_t err_len)
{
    return ladder_save(t, NULL, NULL, path, err, err_len);
}
