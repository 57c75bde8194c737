/*
 * Executions of the network fuzzer: inputs played to the target over TCP, many at a time, in one thread on a libuv
 * loop. Each gives a transcript. Bytes wait for the answer to what went before unless the input says otherwise; what
 * stands half-sent at the end of an input is reset soon, and nothing is half-closed unless the input asks for it, so
 * that an end without an answer is the target's own doing.
 */
#ifndef HARNESS_NETFUZZ_EXEC_H
#define HARNESS_NETFUZZ_EXEC_H

#include "harness/netfuzz_input.h"
#include "harness/session_live.h"
#include "harness/transcript.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

/* More than this from the target on one connection is an endless stream: it is cut off. */
#define NETFUZZ_ANSWER_MAX (1u << 20)

/* How far an execution came, as bits. */
enum netfuzz_reach {
    NETFUZZ_CONNECTED = 1,   /* TCP was established */
    NETFUZZ_SECURITY = 2,    /* an answer with status 0 in the security stage */
    NETFUZZ_CHALLENGED = 4,  /* a CHAP challenge came */
    NETFUZZ_OPERATIONAL = 8, /* an answer with status 0 in the operational stage */
    NETFUZZ_FULL = 16,       /* a login completed */
    NETFUZZ_REFUSED = 32,    /* an answer with a status, or a Reject */
};

enum netfuzz_fate {
    NETFUZZ_PLAYED,      /* to its end, or as far as the target let it */
    NETFUZZ_UNREACHABLE, /* TCP could not be opened */
    NETFUZZ_NO_MEMORY,
};

/* Where and how. Borrowed by the player; must not change while something is in flight. */
struct netfuzz_site {
    struct sockaddr_storage address;
    char host[64]; /* numeric */
    uint16_t port;
    struct session_live_names names;   /* of live values; the ISID is drawn for each execution */
    struct transcript_context context; /* of the transcripts */
    int answer_ms;                     /* silence: no answer to a whole request for so long */
    int other_ms;                      /* the same where none need come: other PDUs than Login Requests, half ones */
    int close_ms;                      /* how long the target may take to close behind a refusal */
};

struct netfuzz_exec {
    const struct netfuzz_input *input; /* borrowed until done() */
    uint64_t number;                   /* the caller's */
    void *user;                        /* the caller's */
    /* filled in when done */
    enum netfuzz_fate fate;
    unsigned reach;                /* enum netfuzz_reach */
    bool silent;                   /* a whole Login Request was not answered in time */
    bool flooded;                  /* NETFUZZ_ANSWER_MAX was reached */
    uint32_t conns;                /* TCP connections that were opened: each is a session, as the target sees it */
    uint32_t sent, answers;        /* PDUs */
    int64_t us;                    /* how long it took */
    struct transcript *transcript; /* done() may take it and leave NULL; freed behind it otherwise */
};

struct netfuzz_player; /* opaque */

/* done: called once for each execution that was started, from the loop; may start the next. */
struct netfuzz_player *netfuzz_player_new(uv_loop_t *loop, const struct netfuzz_site *site, size_t slots,
                                          void (*done)(void *user, struct netfuzz_exec *exec), void *user);
/* Drops what is in flight without done(), and lets the loop close its handles. */
void netfuzz_player_free(struct netfuzz_player *p);

/* Starts one. drawn: decides the fresh ISIDs. False: all slots are in use, or no memory. */
bool netfuzz_player_start(struct netfuzz_player *p, const struct netfuzz_input *input, uint64_t number, uint64_t drawn,
                          void *user);

size_t netfuzz_player_busy(const struct netfuzz_player *p);

/* Another done() from here on, for whoever borrows the player while nothing is in flight. */
void netfuzz_player_listen(struct netfuzz_player *p, void (*done)(void *user, struct netfuzz_exec *exec), void *user);

#endif
