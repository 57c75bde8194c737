/*
 * What one recorded connection's login was: who spoke to whom, which way it went, how it came out. It is what a person
 * would say of a capture in one line, and what replaying it or making a case of it starts from. No I/O, no judgement.
 */
#ifndef HARNESS_LOGIN_FACTS_H
#define HARNESS_LOGIN_FACTS_H

#include "harness/transcript.h"
#include "wire/pdu.h"
#include "wire/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum login_end {
    LOGIN_NONE,       /* the initiator's side does not begin with a Login Request */
    LOGIN_COMPLETE,   /* full feature phase */
    LOGIN_REFUSED,    /* a Login Response with a status other than 0 */
    LOGIN_CLOSED,     /* the target ended the connection without an answer */
    LOGIN_OTHER,      /* the target sent another PDU than a Login Response */
    LOGIN_UNFINISHED, /* the recording, or the initiator, ended before the target had decided */
};

enum login_missing {
    LOGIN_MISSING_NOTHING,
    LOGIN_MISSING_BYTES,     /* a gap in the login */
    LOGIN_MISSING_BEGINNING, /* it starts in the middle of a connection */
};

struct login_facts {
    enum login_end end;
    enum login_missing missing;
    uint16_t status;     /* LOGIN_REFUSED */
    uint8_t opcode;      /* LOGIN_OTHER */
    bool security;       /* it went through the security stage */
    bool chap;           /* the target chose CHAP */
    bool mutual;         /* and the initiator sent a challenge of its own */
    bool discovery;      /* SessionType=Discovery */
    bool target_closed;  /* the target was the first to end the connection */
    bool from_initiator; /* the initiator was */
    char initiator[256]; /* InitiatorName, "" none */
    char target[256];    /* TargetName, "" none */
    char user[256];      /* CHAP_N of the initiator, "" none */
    uint8_t isid[PDU_ISID_LEN];
    uint16_t tsih;       /* of the first request */
    uint16_t tsih_given; /* of the final response, 0 none */
    uint16_t cid;
    uint32_t requests;       /* PDUs of the initiator that belong to the login */
    uint32_t responses;      /* PDUs of the target up to the one that decided, included */
    struct text_buf said[2]; /* text of the login by side, all PDUs */
};

/*
 * pdus: of transcript_cut() of c. Returns false when out of memory. Release with login_facts_free(), also then.
 */
bool login_facts_read(const struct transcript_conn *c, const struct transcript_pdu *pdus, size_t count,
                      struct login_facts *out);
void login_facts_free(struct login_facts *facts);

/* How it came out, in words: "0x0203 Not found", "full feature phase". Returns out. */
const char *login_facts_outcome(const struct login_facts *facts, char *out, size_t cap);

enum login_chap {
    LOGIN_CHAP_UNKNOWN, /* no challenge and response to check, or of an algorithm that is not there */
    LOGIN_CHAP_FITS,
    LOGIN_CHAP_WRONG,
};

/* Does the initiator's CHAP_R fit the target's challenge and this secret (RFC 7143, 12.1.3)? */
enum login_chap login_facts_check_secret(const struct login_facts *facts, const char *secret);

#endif
