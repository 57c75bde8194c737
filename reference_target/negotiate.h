/*
 * Text negotiation of one connection: what the target answers to each key (RFC 7143 6.2, chapter 13).
 */
#ifndef ISCSISPEC_NEGOTIATE_H
#define ISCSISPEC_NEGOTIATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "causes.h"
#include "wire/keys.h"
#include "wire/text.h"

struct conn;

/* Results in force, defaults of chapter 13 until negotiated. Booleans are 0 and 1. */
struct negotiate_params {
    uint32_t max_connections;
    uint32_t initial_r2t;
    uint32_t immediate_data;
    uint32_t max_burst_length;
    uint32_t first_burst_length;
    uint32_t default_time2wait;
    uint32_t default_time2retain;
    uint32_t max_outstanding_r2t;
    uint32_t data_pdu_in_order;
    uint32_t data_sequence_in_order;
    uint32_t error_recovery_level;
    uint32_t header_digest;
    uint32_t data_digest;
    uint32_t max_send;              /* MaxRecvDataSegmentLength the initiator declared */
};

/* What stands in one complete request text: where each known key is, and what is wrong with the text. */
struct negotiate_request {
    uint64_t present;                       /* bits by enum keys_id */
    struct text_pair pairs[KEYS_COUNT];     /* the last pair of each present key */
    bool malformed;
    bool duplicate;
};

/* The negotiation of one connection over the whole login. */
struct negotiate {
    struct negotiate_params params;
    uint64_t seen;                  /* keys the initiator has sent in this login */
    uint64_t settled;               /* keys with a result */
    uint64_t rejected;              /* those of them whose result is Reject */
    uint64_t proposed;              /* keys the target proposed that are not answered yet */
    uint32_t first_burst_proposal;
    unsigned unanswered;            /* requests that passed an open proposal over */
    bool proposing;                 /* switches that propose keys have done so */
    bool private_open;              /* our private key is not answered yet */
    bool declared;                  /* own MaxRecvDataSegmentLength was sent */
    bool discovery;
    bool join;                      /* Leading Only keys have no place */
    uint32_t own_max_connections;
};

/* Defaults. */
void negotiate_init(struct negotiate *negotiate);

/* Reads a text into *request. Pairs point into text. */
void negotiate_parse(const struct conn *conn, const struct negotiate *negotiate, const void *text, size_t length,
                     struct negotiate_request *request);

/* Answers every pair of the text that is not for the authentication or identification steps; stage is
 * KEYS_STAGE_SECURITY or KEYS_STAGE_OPERATIONAL. */
enum cause negotiate_answer(struct conn *conn, struct negotiate *negotiate, unsigned stage, const void *text,
                            size_t length, const struct negotiate_request *request, struct text_buf *answer);

/* request is the one that wants to end the stage. Adds what the target has to propose before the operational stage can end (RFC 7143 13.14). True: something is
 * still open, so T may not be set. CAUSE_VALUE when the initiator does not answer. */
enum cause negotiate_finish(const struct conn *conn, struct negotiate *negotiate,
                            const struct negotiate_request *request, struct text_buf *answer, bool *open);

/* Remembers the keys of a request as sent. */
void negotiate_remember(struct negotiate *negotiate, const struct negotiate_request *request);

static inline bool negotiate_present(const struct negotiate_request *request, enum keys_id id)
{
    return (request->present >> (unsigned)id & 1U) != 0;
}

#endif
