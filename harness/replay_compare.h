/*
 * Two answers of targets to the same request, one recorded and one of today: the same, the same but for values that
 * belong to the session, or different, and in what. Pure: no I/O.
 */
#ifndef HARNESS_REPLAY_COMPARE_H
#define HARNESS_REPLAY_COMPARE_H

#include "harness/replay_adapt.h"
#include "harness/transcript.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum replay_verdict {
    REPLAY_SAME,     /* byte for byte */
    REPLAY_SAME_BUT, /* but for live values */
    REPLAY_DIFFERENT,
    REPLAY_MISSING,      /* recorded, and did not come */
    REPLAY_EXTRA,        /* came, and was not recorded */
    REPLAY_NOT_COMPARED, /* the request that it answers was not played */
};

/* "same", "same but for live values", "different", ... Static. */
const char *replay_verdict_name(enum replay_verdict verdict);
/* True when answers with this verdict do not agree. */
bool replay_verdict_differs(enum replay_verdict verdict);

/* What is known of the connection both answers belong to. */
struct replay_view {
    uint8_t isid[2][PDU_ISID_LEN]; /* recorded, live */
    uint32_t itt_delta, cmd_delta;
    bool counted;              /* StatSN of both are to be held against these: */
    uint32_t first_stat_sn[2]; /* of the first answer of each */
    bool moved;                /* an answer before this one differed in whether it counts */
    const struct replay_names *names;
};

#define REPLAY_WHAT_MAX 600u

/* what: the differences in words, or the live values; "" when they are the same. */
enum replay_verdict replay_compare(const struct transcript_pdu *recorded, const struct transcript_pdu *live,
                                   const struct replay_view *view, char *what, size_t cap);

/*
 * Does the login go on as it did? False when status, T, C or a stage differ, or the way of authentication: what the
 * initiator sent next makes no sense then.
 */
bool replay_same_course(const struct transcript_pdu *recorded, const struct transcript_pdu *live);

#endif
