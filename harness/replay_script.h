/*
 * What is to be done to play a recording again, step by step, in the order in which it happened on all its connections:
 * open, send, await, end. Pure: no I/O.
 */
#ifndef HARNESS_REPLAY_SCRIPT_H
#define HARNESS_REPLAY_SCRIPT_H

#include "harness/login_facts.h"
#include "harness/transcript.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum replay_action {
    REPLAY_OPEN,
    REPLAY_SEND,      /* PDU `pdu` of the initiator */
    REPLAY_WITHHOLD,  /* the same, but it is not to go out: it would change what is stored on the target */
    REPLAY_AWAIT,     /* PDU `pdu` of the target */
    REPLAY_END,       /* the initiator ends its direction */
    REPLAY_AWAIT_END, /* the target does, as the first of both */
};

struct replay_step {
    int64_t at_us;
    size_t conn;
    enum replay_action action;
    size_t pdu; /* index into the connection's PDUs */
    enum transcript_end end;
};

/* One connection of the recording. */
struct replay_source {
    const struct transcript_conn *conn;
    struct transcript_pdu *pdus; /* owned */
    size_t count;
    struct login_facts facts;
    char skipped[160]; /* why it is not played; "" it is */
    bool cut_short;    /* played only up to a gap, or to the end of what was recorded */
};

struct replay_script {
    struct replay_source *sources; /* by index of the recorded connection */
    size_t source_count;
    struct replay_step *steps;
    size_t step_count;
    size_t step_capacity;
    size_t withheld; /* REPLAY_WITHHOLD steps */
};

/* The recording has to outlive the script. False when out of memory; free it also then. */
bool replay_script_make(const struct transcript *recorded, struct replay_script *out);
void replay_script_free(struct replay_script *script);

/*
 * Would this request change what the target stores, or disturb others who use it? Only SCSI commands that are known to
 * do no more than read are harmless.
 */
bool replay_script_harms(const uint8_t *bhs);

#endif
