/* Connections and sessions of a replay under way. Internal to it. */
#ifndef HARNESS_REPLAY_CONN_H
#define HARNESS_REPLAY_CONN_H

#include "harness/link.h"
#include "harness/replay.h"

/* A session of the recording, by its ISID, and the one that is played for it. */
struct replay_session {
    uint8_t recorded[PDU_ISID_LEN], live[PDU_ISID_LEN];
    uint32_t itt_delta, cmd_delta; /* the latter less what was withheld */
    uint16_t tsih_recorded, tsih_live;
};

/* A PDU of the live target. */
struct replay_came {
    size_t offset, len, data_at, data_len;
    uint32_t number;
    bool used; /* it was held against a recorded one */
    bool ping; /* nobody asked for it */
};

/* Requests whose answers are told from those of an earlier one with the same tag. */
#define REPLAY_SENT_MAX 256u

struct replay_conn {
    const struct replay_source *source;
    struct replay_played *played;
    size_t index; /* of the recording */
    struct link *link;
    struct replay_session *session;
    struct replay_came *came;
    size_t came_count, came_capacity;
    size_t came_first; /* all before it are used */
    struct {
        uint32_t tag;
        size_t came; /* how many PDUs had come when it was sent */
    } sent[REPLAY_SENT_MAX];
    size_t sent_count; /* of all; the last REPLAY_SENT_MAX are kept */
    struct replay_chap chap;
    struct text_buf asked; /* text of the requests with C=1 under way, adapted */
    size_t asked_at;       /* how much of it has gone out */
    bool chained;          /* more of it is to come */
    bool acknowledges;
    uint32_t recorded_next, live_next, first_stat_sn[2];
    uint32_t ttt_from, ttt_to;
    uint64_t lun_to;
    uint32_t *withheld; /* tags of requests that were not sent, as recorded */
    size_t withheld_count, withheld_capacity;
    bool withheld_last; /* the last request was one of them */
    struct replay_digests digests;
    bool full_feature; /* of the live connection */
    bool counted;      /* first_stat_sn is filled */
    bool stopped;
    bool late;           /* an answer did not come in time: the next ones are not waited for as long */
    bool unanswered;     /* nothing was recorded behind the last request */
    int64_t sent_us;     /* recorded time of the last request */
    const char *garbage; /* what came is no PDU */
};

/* Takes what has come, answers the target's pings. Never waits. False when out of memory. */
bool replay_conn_take(struct net *net, struct replay_conn *c);

/* One of the live target's PDUs in the form in which PDUs are compared. */
void replay_conn_view(const struct replay_conn *c, const struct replay_came *came, struct transcript_pdu *out);

/* Remembers that a request with this tag goes out now. */
void replay_conn_sent(struct replay_conn *c, uint32_t tag);

/* Does an answer with this header use up a StatSN? */
bool replay_conn_counts(const uint8_t *bhs);

/*
 * The live counterpart of a recorded answer. NULL: it has not come (yet); *never: and will not, since the command it
 * belongs to is done.
 */
struct replay_came *replay_conn_find(struct replay_conn *c, const struct transcript_pdu *recorded, bool *never);

/* The rest of the connection is not played. incomplete: not for the target's fault. */
void replay_conn_stop(struct replay_conn *c, bool incomplete, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void replay_conn_free(struct replay_conn *c);

#endif
