/*
 * What must hold of any talk with a target, whatever the initiator sends. It records the talk as a transcript; at the
 * end the auditor judges it. A violation is told on stderr as "finding: ..." and aborts, which every fuzzer takes for a
 * crash.
 */
#ifndef FUZZ_SESSION_ORACLE_H
#define FUZZ_SESSION_ORACLE_H

#include "harness/audit.h"
#include "harness/session_input.h"
#include "harness/transcript.h"

struct session_oracle {
    struct transcript *transcript; /* empty between two inputs */
    struct audit_desk desk;
    struct transcript_conn *conns[SESSION_INPUT_CONNS]; /* the open ones */
    size_t sent[SESSION_INPUT_CONNS];                   /* bytes of the target on it */
    int64_t now_us;
    bool show; /* the whole talk on stdout before it is judged */
};

/* Says what is wrong and aborts. */
_Noreturn void session_oracle_finding(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Once, on an oracle that is all zero. user and secret: of the initiators that may log in where CHAP is asked for;
 * mutual_*: of the target. False: no memory. */
bool session_oracle_init(struct session_oracle *oracle, const char *user, const char *secret, const char *mutual_user,
                         const char *mutual_secret);

/* Begins the talk of an input. */
void session_oracle_start(struct session_oracle *oracle);

void session_oracle_open(struct session_oracle *oracle, unsigned conn);
void session_oracle_bytes(struct session_oracle *oracle, unsigned conn, enum transcript_side side, const uint8_t *bytes,
                          size_t len);
void session_oracle_end(struct session_oracle *oracle, unsigned conn, enum transcript_side side,
                        enum transcript_end end);
void session_oracle_time(struct session_oracle *oracle, int64_t us);

/* The connection is in full feature phase on a target that asks for CHAP: was a CHAP_R sent that answers the last
 * challenge, by a user with this secret? Looks at the bytes alone, not at what the target thinks. */
bool session_oracle_proved(const struct session_oracle *oracle, unsigned conn, const char *user, const char *secret);

/* How far the talk came on the connection that came furthest, and how many PDUs the initiators sent. */
enum session_stage {
    SESSION_STAGE_NONE,        /* no answer, or refusals only */
    SESSION_STAGE_SECURITY,    /* a success response in the security stage */
    SESSION_STAGE_CHAP,        /* a challenge */
    SESSION_STAGE_OPERATIONAL, /* a success response in the operational stage */
    SESSION_STAGE_FULL,        /* full feature phase */
    SESSION_STAGE_COUNT,
};
enum session_stage session_oracle_stage(const struct session_oracle *oracle, size_t *pdus);
const char *session_stage_name(enum session_stage stage);

/* The auditor over all of it; forgets the talk and keeps the memory for the next. */
void session_oracle_finish(struct session_oracle *oracle);

#endif
