/*
 * Replay: plays the initiator's side of a recording against a target, adapting what belongs to the recorded session,
 * and holds each answer against the recorded one. Bytes go through the same connections as those of the cases, and are
 * recorded in the same way.
 *
 * Requests that would change what the target stores are never sent. After an answer that takes a login another way the
 * rest of that connection is not played: what the initiator sent then makes no sense any more.
 */
#ifndef HARNESS_REPLAY_H
#define HARNESS_REPLAY_H

#include "harness/replay_adapt.h"
#include "harness/replay_compare.h"
#include "harness/replay_script.h"
#include "harness/transcript.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a connection of the recording is played. */
struct replay_route {
    const char *host; /* numeric or a host name */
    uint16_t port;
    const char *secret; /* of the initiator's CHAP user, NULL: not given */
};

struct replay_options {
    const struct replay_route *routes; /* by index of the recorded connection */
    const struct replay_names *names;  /* names, and portals as a TargetAddress writes them: HOST:PORT */
    bool original_pace;                /* keep the times of the recording, else as fast as the answers come */
    int timeout_ms;                    /* for one answer */
    int close_grace_ms;                /* how long the target may take to close where it did */
    uint64_t seed;                     /* ISIDs and tags are drawn from it */
    bool (*interrupted)(void);         /* asked while waiting; NULL: never */
    void (*progress)(void *user, size_t done, size_t total); /* steps; NULL: nobody */
    void *user;
};

/* One answer of the target, or the end of a connection. */
struct replay_row {
    size_t conn;       /* of the recording */
    uint32_t recorded; /* number of the target's PDU, 0: none */
    uint32_t live;
    bool ending; /* it is about how the connection ended */
    enum replay_verdict verdict;
    char answer[40]; /* "Login Response" */
    char what[REPLAY_WHAT_MAX];
};

/* One connection of the recording, as it was played. */
struct replay_played {
    size_t live;         /* index of the connection in the live transcript, SIZE_MAX: not opened */
    char stopped[320];   /* why it was not played to its end, "" it was */
    bool incomplete;     /* not for the target's fault: part of the recording could not be compared */
    size_t not_compared; /* answers that were not held against anything */
};

struct replay_result {
    struct replay_row *rows;
    size_t row_count, row_capacity;
    struct replay_played *played; /* by index of the recorded connection */
    size_t played_count;
    size_t by_verdict[REPLAY_NOT_COMPARED + 1]; /* rows */
    size_t withheld;                            /* requests that were not sent because they would change data */
    size_t tried, opened;                       /* connections */
    bool interrupted;
    char unreachable[300]; /* why the first connection that failed could not be opened, "" all could */
};

/*
 * Plays the script. live: empty, is filled with what is said; its context is the caller's. Returns 0, or -1 when out of
 * memory; replay_result_free() also then.
 */
int replay_run(const struct replay_script *script, const struct replay_options *options, struct transcript *live,
               struct replay_result *out);
void replay_result_free(struct replay_result *result);

#endif
