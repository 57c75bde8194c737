/* What a replay sends, and what it does not. Internal to it. */
#ifndef HARNESS_REPLAY_SEND_H
#define HARNESS_REPLAY_SEND_H

#include "harness/replay_conn.h"

struct replay_play {
    const struct replay_script *script;
    const struct replay_options *options;
    struct replay_result *result;
    struct net net;
    struct replay_conn *conns; /* by index of the recorded connection */
    struct replay_session *sessions;
    size_t session_count;
    uint64_t random;
    int64_t first_us; /* recorded time of the first step */
    bool no_memory;
};

/* Adapts a recorded request and sends it. `index`: of the PDU in the connection's list. */
void replay_send_pdu(struct replay_play *p, struct replay_conn *c, const struct transcript_pdu *pdu, size_t index);

/* The request is not sent: what the numbers of the session would have counted for it is taken off. */
void replay_send_withhold(struct replay_play *p, struct replay_conn *c, const struct transcript_pdu *pdu);

/* Does this recorded answer belong to a request that was not sent? */
bool replay_send_is_withheld(const struct replay_conn *c, const struct transcript_pdu *pdu);

#endif
