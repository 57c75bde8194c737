/*
 * Scripts of the auditor's tests: conforming logins of every kind as lists of PDUs, one change to them, and the
 * transcript that comes of it.
 */
#ifndef TESTS_AUDIT_SCRIPT_H
#define TESTS_AUDIT_SCRIPT_H

#include "harness/transcript.h"
#include "wire/pdu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAMES  "InitiatorName=iqn.2001-04.com.example:host\nTargetName=iqn.2001-04.com.example:disk\n"
#define SECRET "a secret of good length"
#define MUTUAL "another secret of theirs"
#define ITT    0xa1b2c3d4u
#define CMD_SN 0xfffffff0u

#define CHALLENGE     "0123456789abcdef"
#define CHALLENGE_HEX "0x30313233343536373839616263646566"
#define OWN           "fedcba9876543210"
#define OWN_HEX       "0x66656463626139383736353433323130"

enum base {
    PLAIN,  /* straight to the operational stage, all keys, a ping */
    ROUNDS, /* both stages, a C-bit chain, a round of T=0 */
    MUTUAL_CHAP,
    ONE_WAY, /* CHAP of the initiator only */
    DISCOVERY,
    LISTING, /* SendTargets in a normal session */
    JOIN,    /* a second connection */
    REFUSED,
    MOVED,
    MANY, /* four connections that end behind the challenge */
    DIGESTS,
    LONG_ANSWER, /* an answer spread over two PDUs with C=1 */
    PROPOSAL,    /* the target proposes, the initiator answers */
    LOGOUT,      /* a normal session is logged out */
    REJECTED,    /* a request of full feature phase is rejected */
    BASE_COUNT
};

/* One PDU of a script. */
struct message {
    int conn;
    enum transcript_side side;
    uint8_t bhs[PDU_BHS_LEN];
    char text[12000];
    size_t len;
    int lost_pad; /* pad bytes left out */
    uint8_t pad;  /* value of the pad bytes */
    bool digests;
    bool bad_digest;
    size_t ahs; /* bytes of AHS before the text, not counted in the data segment */
    bool removed;
    bool twice;
    bool head_first; /* its header goes out before the message in front of it */
};

struct script {
    struct message m[24];
    size_t count;
    struct transcript_context context;
    bool target_stays; /* does not close behind a refusal */
    int64_t step_us;
};

/* ---- one change to a script ---- */

enum change_kind {
    NOTHING,
    FIELD,   /* field of message n = value */
    BYTE,    /* byte at `value >> 8` = value & 0xff */
    SET,     /* a pair: replaced, or added when the key is not there */
    ADD,     /* a pair more */
    DROP,    /* a key out of the text */
    TEXT,    /* the whole text */
    REMOVE,  /* the message is not sent */
    TWICE,   /* the message is sent twice */
    NO_PAD,  /* the padding is left out */
    PAD,     /* value of the pad bytes */
    STAYS,   /* the target does not close */
    DEMAND,  /* CHAP is demanded */
    KNOWN,   /* there are no other secrets than those of the script */
    CAPTURE, /* nothing is known beyond the bytes */
    CUT,     /* the script ends before this message */
    AHS,     /* four bytes of AHS, announced */
    FILL,    /* `value` unknown keys offered in the message before and answered in this one */
    BLOW,    /* the text is `value` bytes of 'x' */
    DIGEST,
    NO_DIGEST,
    BAD_DIGEST,
    SLOW,       /* a second between messages */
    HEAD_FIRST, /* the header goes out before the message in front of it, the rest behind that */
};

struct change {
    enum change_kind kind;
    int message;
    const char *name; /* field, pair or key */
    uint64_t value;
};

/* A script of this kind; the caller frees it. */
struct script *script_build(enum base base);
void script_apply(struct script *s, const struct change *change);
/* What would have been recorded of it. */
struct transcript *script_record(const struct script *s);
/* Bytes of a message on the wire, at most sizeof m->text + 128. Returns their number. */
size_t script_encode(const struct message *m, uint8_t *wire);

#endif
