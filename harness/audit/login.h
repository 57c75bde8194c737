/*
 * What the auditor knows of one connection before any rule looks at it: the login cut into pairs of request and
 * response, the logical texts of both sides (joined over C-bit chains), every key with who said it first, and in
 * which points the initiator itself went astray. Rules never blame the target for what follows from that.
 */
#ifndef HARNESS_AUDIT_LOGIN_H
#define HARNESS_AUDIT_LOGIN_H

#include "harness/transcript.h"
#include "wire/keys.h"
#include "wire/pdu.h"
#include "wire/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Deviations of the initiator. They add up over a login: what follows a bad request is no longer ordinary. */
enum audit_dirt {
    AUDIT_DIRT_OPCODE = 1u << 0,      /* no Login Request */
    AUDIT_DIRT_IMMEDIATE = 1u << 1,   /* I bit clear */
    AUDIT_DIRT_ITT = 1u << 2,         /* reserved value, or changed in the login */
    AUDIT_DIRT_ISID = 1u << 3,        /* changed, or of the reserved type */
    AUDIT_DIRT_TSIH = 1u << 4,        /* changed */
    AUDIT_DIRT_CID = 1u << 5,         /* changed */
    AUDIT_DIRT_VERSION = 1u << 6,     /* changed, upside down, or without version 0 */
    AUDIT_DIRT_CMD_SN = 1u << 7,      /* changed */
    AUDIT_DIRT_STAGE = 1u << 8,       /* CSG or NSG that the table of 11.12.3 does not have at this point */
    AUDIT_DIRT_T_AND_C = 1u << 9,     /* both bits */
    AUDIT_DIRT_AHS = 1u << 10,        /* additional header segment */
    AUDIT_DIRT_LENGTH = 1u << 11,     /* data segment over 8192 bytes */
    AUDIT_DIRT_TEXT = 1u << 12,       /* not key=value text */
    AUDIT_DIRT_DUPLICATE = 1u << 13,  /* a key said twice */
    AUDIT_DIRT_KEY_PLACE = 1u << 14,  /* a key in the wrong stage, or one that only targets send */
    AUDIT_DIRT_NAMES = 1u << 15,      /* first text without the names it must have */
    AUDIT_DIRT_PIPELINE = 1u << 16,   /* sent before the last request was answered */
    AUDIT_DIRT_CHAIN = 1u << 17,      /* no empty request after a response with C=1 */
    AUDIT_DIRT_INCOMPLETE = 1u << 18, /* the initiator's stream ends inside a PDU */
};

#define AUDIT_NONE SIZE_MAX

/* One key=value of a logical text. */
struct audit_pair {
    const char *key, *value; /* into the text's bytes */
    size_t key_len, value_len;
    size_t text;      /* index of the text */
    size_t at, len;   /* place in the text, with the final null */
    size_t key_index; /* of login->keys */
};

/* The data segments of a run of PDUs with C=1 and of the PDU that ends it. */
struct audit_text {
    enum transcript_side side;
    size_t first, last; /* exchanges */
    const char *bytes;
    size_t len;
    char *joined; /* owned, when more than one PDU has data */
    size_t pair_first, pair_count;
    enum text_result form; /* TEXT_END: well-formed */
    struct text_pair bad;  /* the first malformed string otherwise */
};

/* One key name of a login, and how each side used it. */
struct audit_key {
    const char *name;
    size_t len;
    const struct keys_entry *entry; /* NULL: not in the table */
    uint32_t hash;                  /* of a name that is not */
    struct {
        uint32_t count;
        size_t first;    /* pair */
        size_t exchange; /* where the text that holds it was complete */
    } use[2];
};

struct audit_exchange {
    const struct transcript_pdu *request;  /* NULL: the response came unasked */
    const struct transcript_pdu *response; /* NULL: not answered */
    struct pdu_login_request req;          /* valid when login_request */
    struct pdu_login_response rsp;         /* valid when login_response */
    bool login_request;
    bool login_response;
    bool success;         /* login_response of class 0 */
    bool early;           /* the target has answered keys of an unfinished C-bit chain, here or before */
    bool pipelined;       /* the request came before the last one was answered */
    uint8_t stage;        /* the stage agreed on before */
    uint32_t own;         /* enum audit_dirt of this request */
    uint32_t dirt;        /* ... of this and all earlier ones */
    size_t request_text;  /* text that this request completes, AUDIT_NONE when none */
    size_t response_text; /* the same for the response */
    size_t request_at;    /* where the request's data stand in the logical text they belong to */
    size_t response_at;
};

struct audit_login {
    const struct transcript *transcript;
    const struct transcript_conn *conn;
    size_t index; /* of the connection */
    struct transcript_pdu *pdus;
    size_t pdu_count, pdu_capacity;
    struct audit_exchange *exchanges;
    size_t count, capacity;
    struct audit_text *texts;
    size_t text_count, text_capacity;
    struct audit_pair *pairs;
    size_t pair_count, pair_capacity;
    struct audit_key *keys;
    size_t key_count, key_capacity;
    size_t *slots; /* hash table of indices into keys + 1 of those not in the table of keys, 0 empty */
    size_t slot_count;
    size_t known[KEYS_COUNT]; /* index into keys + 1 of each key of the table, 0 when nobody said it */
    bool leading;             /* TSIH 0 in the first request */
    bool discovery;           /* SessionType=Discovery, where it was said first */
    bool retyped;             /* SessionType was said again, or late: nobody can tell which a target goes by */
    bool blind;               /* a gap or a misaligned stream: nothing behind the last exchange is known */
    bool partial;             /* more text than is looked at: keys may be missing in the tables */
    size_t first_text;        /* index of the first complete text of the initiator, AUDIT_NONE */
    size_t final;             /* exchange that granted full feature phase, AUDIT_NONE */
    size_t refusal;           /* exchange that refused the login, AUDIT_NONE */
    size_t digested;          /* exchange whose response carries a digest, which 13.1 forbids, AUDIT_NONE */
    size_t misaligned;        /* exchange whose response is wrongly padded, AUDIT_NONE */
    size_t unagreed;          /* PDU of full feature phase with a digest that nobody agreed on, AUDIT_NONE */
    size_t *asked;     /* for each PDU of full feature phase the one it answers, see ffp.h; NULL: none is judged */
    bool tail_request; /* the initiator's stream ends inside a login PDU */
    int64_t tail_us;   /* when that PDU began */
};

/* Bounded memory for hostile text. */
#define AUDIT_PAIR_MAX 65536u

/* Builds the view of connection `index`. False when out of memory; free it in any case. */
bool audit_login_build(struct audit_login *login, const struct transcript *t, size_t index);
/* The same into a view that was built before, or is all zero: its memory is used again. */
bool audit_login_rebuild(struct audit_login *login, const struct transcript *t, size_t index);
void audit_login_free(struct audit_login *login);

/*
 * The part of audit_transcript() behind the building: judges connections of which logins[i] is the view of number i.
 * False when out of memory; *out is to be freed in any case.
 */
struct finding_list;
bool audit_judge(const struct transcript *t, const struct audit_login *logins, struct finding_list *out);

/* Key of the table, NULL when nobody said it. */
const struct audit_key *audit_login_known(const struct audit_login *login, enum keys_id id);

/* The pair with which a side said the key first, NULL when it did not. */
const struct audit_pair *audit_login_said(const struct audit_login *login, enum keys_id id, enum transcript_side side);
const struct audit_pair *audit_key_pair(const struct audit_login *login, const struct audit_key *key,
                                        enum transcript_side side);

/* True when the initiator brought the key up (and the target's use of it is an answer). */
bool audit_key_by_initiator(const struct audit_key *key);

/* True of NotUnderstood, Reject or Irrelevant in answer to a key that is not the initiator's to say: no declaration. */
bool audit_pair_turns_down(const struct audit_key *key, const struct audit_pair *pair);

/* Pair of one text by key, NULL when it has none. */
const struct audit_pair *audit_text_find(const struct audit_login *login, size_t text, enum keys_id id);

/* Parts of audit_login_build: texts.c and dirt.c. */
bool audit_texts_build(struct audit_login *login);
void audit_dirt_mark(struct audit_login *login);

#endif
