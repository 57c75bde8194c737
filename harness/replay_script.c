/* The steps of a replay: see replay_script.h. */
#include "harness/replay_script.h"

#include "wire/bytes.h"
#include "wire/pdu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* SCSI operation codes that do no more than read (SPC-4, SBC-3). */
static const uint8_t harmless_commands[] = {
    0x00, /* TEST UNIT READY */
    0x03, /* REQUEST SENSE */
    0x08, /* READ (6) */
    0x12, /* INQUIRY */
    0x1a, /* MODE SENSE (6) */
    0x25, /* READ CAPACITY (10) */
    0x28, /* READ (10) */
    0x34, /* PRE-FETCH (10) */
    0x37, /* READ DEFECT DATA (10) */
    0x4d, /* LOG SENSE */
    0x5a, /* MODE SENSE (10) */
    0x5e, /* PERSISTENT RESERVE IN */
    0x88, /* READ (16) */
    0x90, /* PRE-FETCH (16) */
    0x9e, /* SERVICE ACTION IN (16): READ CAPACITY (16), GET LBA STATUS */
    0xa0, /* REPORT LUNS */
    0xa3, /* MAINTENANCE IN */
    0xa8, /* READ (12) */
};

enum { TASK_ABORT = 1, TASK_ABORT_SET = 2 };

bool replay_script_harms(const uint8_t *bhs)
{
    uint8_t function = bhs[1] & 0x7f;

    switch (pdu_opcode(bhs)) {
    case PDU_LOGIN_REQUEST:
    case PDU_NOP_OUT:
    case PDU_TEXT_REQUEST:
    case PDU_LOGOUT_REQUEST:
        return false;
    case PDU_TASK_MANAGEMENT_REQUEST:
        return function != TASK_ABORT && function != TASK_ABORT_SET;
    case PDU_SCSI_COMMAND:
        return bhs[1] & PDU_FLAG_WRITE || !memchr(harmless_commands, bhs[32], sizeof(harmless_commands));
    case PDU_DATA_OUT: /* of a command that is withheld */
    case PDU_SNACK_REQUEST:
        return true;
    default: /* in the login phase it is refused, and nobody knows what it does later */
        return false;
    }
}

static bool add_step(struct replay_script *s, struct replay_step step)
{
    if (s->step_count == s->step_capacity) {
        size_t capacity = s->step_capacity ? 2 * s->step_capacity : 64;
        struct replay_step *steps = realloc(s->steps, capacity * sizeof(*steps));

        if (!steps)
            return false;
        s->steps = steps;
        s->step_capacity = capacity;
    }
    s->steps[s->step_count++] = step;
    return true;
}

/* Answers and pings that nobody asked for: the replay answers the pings of the live target instead. */
static bool is_ping(const struct transcript_pdu *p)
{
    uint8_t opcode = pdu_opcode(p->bhs);

    return p->full_feature && (opcode == PDU_NOP_IN || opcode == PDU_NOP_OUT) && pdu_itt(p->bhs) == PDU_NO_TAG;
}

static enum replay_action action_of(const struct transcript_pdu *p)
{
    if (p->side == TRANSCRIPT_TARGET)
        return REPLAY_AWAIT;
    return p->full_feature && p->bhs && replay_script_harms(p->bhs) ? REPLAY_WITHHOLD : REPLAY_SEND;
}

/* Can it be played, and how far? */
static void judge_source(struct replay_source *source)
{
    const struct transcript_conn *c = source->conn;

    if (source->facts.missing == LOGIN_MISSING_BEGINNING)
        snprintf(source->skipped, sizeof(source->skipped), "the recording begins in the middle of it");
    else if (source->facts.missing == LOGIN_MISSING_BYTES)
        snprintf(source->skipped, sizeof(source->skipped), "bytes of its login are missing in the recording");
    else if (c->stream[TRANSCRIPT_INITIATOR].len == 0)
        snprintf(source->skipped, sizeof(source->skipped), "the initiator sent nothing");
    source->cut_short = c->overflow;
}

/* The endings of a connection, in their place among its PDUs. */
static bool add_endings(struct replay_script *s, size_t conn, size_t *event, int64_t until, bool *over)
{
    const struct transcript_conn *c = s->sources[conn].conn;

    for (; *event < c->event_count && c->events[*event].at_us <= until; (*event)++) {
        const struct transcript_event *e = &c->events[*event];
        struct replay_step step = {.at_us = e->at_us, .conn = conn, .end = e->end};

        if (e->kind != TRANSCRIPT_END || *over)
            continue;
        step.action = e->side == TRANSCRIPT_INITIATOR ? REPLAY_END : REPLAY_AWAIT_END;
        *over = e->side == TRANSCRIPT_INITIATOR; /* what the target does then is no answer any more */
        if (!add_step(s, step))
            return false;
    }
    return true;
}

/* Until when both sides are recorded: behind that, answers stand without their requests, or the other way round. */
static int64_t recorded_until(const struct transcript_conn *c)
{
    int64_t until = INT64_MAX;

    for (int side = 0; side < 2 && c->overflow; side++) {
        int64_t last = 0;

        for (size_t i = 0; i < c->event_count; i++)
            if (c->events[i].kind == TRANSCRIPT_BYTES && (int)c->events[i].side == side)
                last = c->events[i].at_us;
        if (c->stream[side].len >= TRANSCRIPT_STREAM_MAX && last < until)
            until = last;
    }
    return until;
}

static bool add_conn(struct replay_script *s, size_t conn)
{
    struct replay_source *source = &s->sources[conn];
    const struct transcript_conn *c = source->conn;
    struct replay_step step = {.at_us = c->event_count ? c->events[0].at_us : 0, .conn = conn, .action = REPLAY_OPEN};
    size_t event = 0;
    int64_t until = recorded_until(c);
    bool over = false, good = add_step(s, step);

    for (size_t i = 0; i < source->count && good; i++) {
        const struct transcript_pdu *p = &source->pdus[i];

        if (p->gap || p->at_us >= until) {
            source->cut_short = true;
            return true;
        }
        good = add_endings(s, conn, &event, p->at_us - 1, &over);
        if (over && p->side == TRANSCRIPT_TARGET)
            continue;
        if (p->bhs && is_ping(p))
            continue;
        step = (struct replay_step){.at_us = p->at_us, .conn = conn, .action = action_of(p), .pdu = i};
        s->withheld += step.action == REPLAY_WITHHOLD;
        good = good && add_step(s, step);
    }
    return good && add_endings(s, conn, &event, INT64_MAX, &over);
}

/* By time; steps of one connection, or of one moment, stay in the order in which they were found. */
static void merge(struct replay_step *to, const struct replay_step *from, size_t left, size_t middle, size_t right)
{
    size_t a = left, b = middle;

    for (size_t i = left; i < right; i++)
        to[i] = a < middle && (b == right || from[a].at_us <= from[b].at_us) ? from[a++] : from[b++];
}

static bool sort_steps(struct replay_script *s)
{
    struct replay_step *other = malloc((s->step_count + 1) * sizeof(*other));

    if (!other)
        return false;
    for (size_t width = 1; width < s->step_count; width *= 2) {
        struct replay_step *swap = s->steps;

        for (size_t left = 0; left < s->step_count; left += 2 * width) {
            size_t middle = left + width < s->step_count ? left + width : s->step_count;
            size_t right = middle + width < s->step_count ? middle + width : s->step_count;

            merge(other, s->steps, left, middle, right);
        }
        s->steps = other;
        other = swap;
    }
    free(other);
    return true;
}

bool replay_script_make(const struct transcript *recorded, struct replay_script *out)
{
    memset(out, 0, sizeof(*out));
    out->sources = calloc(recorded->conn_count + 1, sizeof(*out->sources));
    if (!out->sources)
        return false;
    out->source_count = recorded->conn_count;
    for (size_t i = 0; i < recorded->conn_count; i++) {
        struct replay_source *source = &out->sources[i];
        long count;

        source->conn = recorded->conns[i];
        count = transcript_cut(source->conn, &source->pdus);
        source->count = count > 0 ? (size_t)count : 0;
        if (count < 0 || !login_facts_read(source->conn, source->pdus, source->count, &source->facts))
            return false;
        judge_source(source);
        if (!*source->skipped && !add_conn(out, i))
            return false;
    }
    return sort_steps(out);
}

void replay_script_free(struct replay_script *script)
{
    for (size_t i = 0; i < script->source_count; i++) {
        free(script->sources[i].pdus);
        login_facts_free(&script->sources[i].facts);
    }
    free(script->sources);
    free(script->steps);
    memset(script, 0, sizeof(*script));
}
