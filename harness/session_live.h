/*
 * Live values of a session input: what an input cannot know because the target makes it up (the challenge, TSIH,
 * StatSN) or because it differs from target to target (names). The consumer tells every answer of the target, and asks
 * for each DATA record what really has to be sent. So an input goes past CHAP on any target, and a mutation of what
 * stands around the value is still a mutation.
 *
 * Tokens, only in the text of Login and Text Requests of records with SESSION_INPUT_LIVE_TEXT:
 *
 *   {chap_r}         right response to the last CHAP_A, CHAP_I, CHAP_C of this connection, "0x..."; empty without them
 *   {chap_r:base64}  the same as "0b...";  {chap_r:upper}  as "0X..." with capitals;  {chap_r:raw}  digits without 0x
 *   {chap_r:half}    the first half of it, "0x..."
 *   {chap_i} {chap_c}  what the target sent, as it sent it (a reflected challenge)
 *   {target} {chap_target} {initiator} {user}  names of the consumer, in session_live_names
 *
 * A token grows the segment: DataSegmentLength grows with it, so that a length that lied lies as much as before.
 *
 * The struct belongs to the caller and is all there is: no allocation, no global state.
 */
#ifndef HARNESS_SESSION_LIVE_H
#define HARNESS_SESSION_LIVE_H

#include "harness/session_input.h"
#include "wire/pdu.h"

enum {
    SESSION_LIVE_PART = 8192 + 48, /* of an answer that came in pieces; a longer one is not learned from */
    SESSION_LIVE_VALUE = 2100,     /* CHAP_C as text: 1024 bytes in hex, and some */
};

/* Who the consumer is. Strings belong to the caller; NULL: the token stays as it is. */
struct session_live_names {
    const char *target;      /* open */
    const char *chap_target; /* one that asks for CHAP; may be the same */
    const char *initiator;
    const char *user;
    const uint8_t *secret; /* of user, any bytes */
    size_t secret_len;
    uint8_t isid[PDU_ISID_LEN]; /* for SESSION_INPUT_LIVE_ISID; the last byte is added to that of the input */
};

struct session_live_conn {
    bool deaf;          /* an answer could not be cut: nothing is learned any more */
    bool heard;         /* stat_sn is known */
    bool response_sent; /* a right CHAP_R was filled in on this connection */
    uint32_t stat_sn;   /* of the last answer */
    unsigned algorithm; /* CHAP_A, 0: none so far */
    char chap_i[16];
    size_t chap_c_len;
    char chap_c[SESSION_LIVE_VALUE];
    size_t part_len;
    uint8_t part[SESSION_LIVE_PART];
};

struct session_live {
    const struct session_live_names *names;
    uint16_t tsih[SESSION_INPUT_CONNS]; /* of the session each connection opened, 0: none */
    unsigned last_tsih;                 /* which connection opened one last */
    struct session_live_conn conns[SESSION_INPUT_CONNS];
};

/* Begins an input. names is borrowed. */
void session_live_init(struct session_live *live, const struct session_live_names *names);

/* A connection is opened (anew). Does not forget the TSIH: it is what another connection may join. */
void session_live_open(struct session_live *live, unsigned conn);

/* Bytes that the target sent on a connection, in order, in any pieces. */
void session_live_answer(struct session_live *live, unsigned conn, const uint8_t *bytes, size_t len);

/*
 * The bytes to send for a DATA record. Returns their number, *bytes set: to the record's own bytes when nothing is live
 * in it, else to out. What does not fit into cap is cut off.
 */
size_t session_live_render(struct session_live *live, const struct session_input_record *record, uint8_t *out,
                           size_t cap, const uint8_t **bytes);

#endif
