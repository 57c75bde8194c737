/*
 * keys.h - the table of text keys (RFC 7143 sections 12 and 13, RFC 7144, 7145).
 *
 * One row a key, with everything that both sides and the auditor need to know
 * about it. Everything is static and constant; the functions are pure.
 */
#ifndef ISCSISPEC_WIRE_KEYS_H
#define ISCSISPEC_WIRE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The index of each key in the table. */
enum keys_id {
    /* names, addresses, session */
    KEYS_INITIATOR_NAME,
    KEYS_TARGET_NAME,
    KEYS_SESSION_TYPE,
    KEYS_INITIATOR_ALIAS,
    KEYS_TARGET_ALIAS,
    KEYS_TARGET_ADDRESS,
    KEYS_TARGET_PORTAL_GROUP_TAG,
    KEYS_SEND_TARGETS,
    /* authentication */
    KEYS_AUTH_METHOD,
    KEYS_CHAP_A,
    KEYS_CHAP_I,
    KEYS_CHAP_C,
    KEYS_CHAP_N,
    KEYS_CHAP_R,
    KEYS_SRP_U,
    KEYS_TARGET_AUTH,
    KEYS_SRP_GROUP,
    KEYS_SRP_S,
    KEYS_SRP_A,
    KEYS_SRP_B,
    KEYS_SRP_M,
    KEYS_SRP_HM,
    KEYS_KRB_AP_REQ,
    KEYS_KRB_AP_REP,
    /* operational */
    KEYS_HEADER_DIGEST,
    KEYS_DATA_DIGEST,
    KEYS_MAX_CONNECTIONS,
    KEYS_INITIAL_R2T,
    KEYS_IMMEDIATE_DATA,
    KEYS_MAX_RECV_DATA_SEGMENT_LENGTH,
    KEYS_MAX_BURST_LENGTH,
    KEYS_FIRST_BURST_LENGTH,
    KEYS_DEFAULT_TIME2WAIT,
    KEYS_DEFAULT_TIME2RETAIN,
    KEYS_MAX_OUTSTANDING_R2T,
    KEYS_DATA_PDU_IN_ORDER,
    KEYS_DATA_SEQUENCE_IN_ORDER,
    KEYS_ERROR_RECOVERY_LEVEL,
    /* later, private, obsolete */
    KEYS_TASK_REPORTING,
    KEYS_ISCSI_PROTOCOL_LEVEL,
    KEYS_NODE_ARCHITECTURE,
    KEYS_IF_MARKER,
    KEYS_OF_MARKER,
    KEYS_IF_MARK_INT,
    KEYS_OF_MARK_INT,
    /* iSER, RFC 7145 */
    KEYS_RDMA_EXTENSIONS,
    KEYS_INITIATOR_RECV_DATA_SEGMENT_LENGTH,
    KEYS_TARGET_RECV_DATA_SEGMENT_LENGTH,
    KEYS_MAX_OUTSTANDING_UNEXPECTED_PDUS,
    KEYS_MAX_AHS_LENGTH,
    KEYS_TAGGED_BUFFER_FOR_SOLICITED_DATA_ONLY,
    KEYS_ISER_HELLO_REQUIRED,
    KEYS_COUNT
};

/* Form of the value and, for negotiated keys, the result function (6.2). */
enum keys_type {
    KEYS_BOOL_AND,    /* Yes only if both say Yes */
    KEYS_BOOL_OR,     /* Yes if one says Yes */
    KEYS_BOOL,        /* declared Yes or No */
    KEYS_NUMBER_MIN,  /* the smaller of both, min..max */
    KEYS_NUMBER_MAX,  /* the larger of both, min..max */
    KEYS_NUMBER,      /* declared number, min..max */
    KEYS_RANGE,       /* low~high offered, one number answered */
    KEYS_LIST,        /* first usable item of the proposer's list */
    KEYS_NUMBER_LIST, /* the same with numbers as items (CHAP_A) */
    KEYS_ENUM,        /* declared, one of `values` */
    KEYS_NAME,        /* iSCSI name */
    KEYS_TEXT,        /* free UTF-8 */
    KEYS_ADDRESS,     /* TargetAddress */
    KEYS_BINARY,      /* hex or base64, at most max_len bytes decoded */
    KEYS_SEND         /* SendTargets: All, a name, or empty */
};

/* When the key may be used. */
enum keys_use {
    KEYS_IO,   /* Initialize Only: any login */
    KEYS_LO,   /* Leading Only: login of a session's first connection */
    KEYS_FFPO, /* full feature phase only */
    KEYS_ALL   /* login and full feature phase */
};

enum keys_scope { KEYS_SESSION_WIDE, KEYS_CONNECTION_ONLY };

/* Bits of keys_entry.stages: login stages in which the key may stand. */
#define KEYS_STAGE_SECURITY    1u
#define KEYS_STAGE_OPERATIONAL 2u
#define KEYS_STAGE_ANY         3u

/* Bits of keys_entry.senders. */
#define KEYS_FROM_INITIATOR 1u
#define KEYS_FROM_TARGET    2u
#define KEYS_FROM_BOTH      3u

enum keys_flag {
    KEYS_DECLARATIVE = 1,             /* one way; only NotUnderstood may come back */
    KEYS_REPEATABLE = 2,              /* may stand several times (TargetAddress) */
    KEYS_IRRELEVANT_IN_DISCOVERY = 4, /* 13.21 and the key's own section */
    KEYS_MUST_UNDERSTAND = 8,         /* NotUnderstood is never right (11.12.10) */
    KEYS_OBSOLETE = 16,               /* 13.25: answer Reject (or No) */
    KEYS_AUTHENTICATION = 32          /* section 12 */
};

struct keys_entry {
    const char *name;
    size_t name_len;
    enum keys_id id;
    enum keys_type type;
    enum keys_use use;
    enum keys_scope scope;
    uint8_t stages;  /* KEYS_STAGE_*; 0 for keys that have no place in login */
    uint8_t senders; /* KEYS_FROM_* */
    uint8_t flags;   /* enum keys_flag */
    uint64_t min;    /* numbers */
    uint64_t max;
    size_t max_len;       /* bytes of value (decoded for binary) */
    const char *fallback; /* the default as text, NULL when there is none */
    const char *values;   /* known items of lists and enums, comma-separated, or NULL */
    const char *section;  /* "13.2", or "RFC 7144 7.1.1" */
};

/* Row of a key by exact name, NULL when it is not in the table (private keys
 * are not). The name need not be terminated. */
const struct keys_entry *keys_find(const char *name, size_t len);

/* Row by index, NULL when index >= KEYS_COUNT. */
const struct keys_entry *keys_at(size_t index);

/* True for names that begin with "X-" (13.22). */
bool keys_is_private(const char *name, size_t len);

/* ---- reserved answers, 6.2 ---- */

enum keys_word {
    KEYS_WORD_VALUE, /* none of them: an ordinary value */
    KEYS_WORD_NOT_UNDERSTOOD,
    KEYS_WORD_IRRELEVANT,
    KEYS_WORD_REJECT
};

enum keys_word keys_word(const char *value, size_t len);

/* ---- checks of values ---- */

enum keys_check {
    KEYS_VALUE_OK = 0,
    KEYS_VALUE_EMPTY,
    KEYS_VALUE_TOO_LONG,
    KEYS_VALUE_SYNTAX, /* not of the form the type wants */
    KEYS_VALUE_OUT_OF_RANGE,
    KEYS_VALUE_UNKNOWN,      /* enum: none of the values */
    KEYS_VALUE_RESERVED_WORD /* Reject, Irrelevant, NotUnderstood */
};

/*
 * Is this value admissible as an offer or a declaration of the key? Lists need
 * one non-empty item each but may hold unknown ones. For MaxOutstandingUnexpected-
 * PDUs and MaxAHSLength the hole at 1 is observed.
 */
enum keys_check keys_check_value(const struct keys_entry *key, const char *value, size_t len);

const char *keys_check_name(enum keys_check check);

enum keys_answer {
    KEYS_ANSWER_OK = 0,
    KEYS_ANSWER_REJECT, /* the word Reject; whether rightful is not decided here */
    KEYS_ANSWER_IRRELEVANT,
    KEYS_ANSWER_NOT_UNDERSTOOD,
    KEYS_ANSWER_UNEXPECTED, /* an answer to a declaration */
    KEYS_ANSWER_SYNTAX,
    KEYS_ANSWER_OUT_OF_RANGE,
    KEYS_ANSWER_ABOVE_OFFER, /* MIN key answered above the offer */
    KEYS_ANSWER_BELOW_OFFER, /* MAX key answered below the offer */
    KEYS_ANSWER_NOT_OFFERED, /* list: not an item of the offer, or several items */
    KEYS_ANSWER_WRONG_BOOL   /* AND: Yes to No; OR: No to Yes */
};

/*
 * What kind of answer this is to that offer. An offer that is itself
 * inadmissible puts no bound on the answer beyond the key's own range.
 */
enum keys_answer keys_check_answer(const struct keys_entry *key, const char *offer, size_t offer_len,
                                   const char *answer, size_t answer_len);

const char *keys_answer_name(enum keys_answer answer);

/* Must the peer answer this offer? No for declarations, for AND=No and OR=Yes. */
bool keys_answer_required(const struct keys_entry *key, const char *offer, size_t offer_len);

/* ---- result functions, 6.2.2 ---- */

/* KEYS_NUMBER_MIN and KEYS_NUMBER_MAX; other types give `own` back. */
uint64_t keys_result_number(const struct keys_entry *key, uint64_t offer, uint64_t own);

/* KEYS_BOOL_AND and KEYS_BOOL_OR; other types give `own` back. */
bool keys_result_bool(const struct keys_entry *key, bool offer, bool own);

/* First item of the offer that is also in `own`, compared as text. Points into
 * offer; false when there is none. */
bool keys_result_list(const char *offer, size_t offer_len, const char *own, size_t own_len, const char **item,
                      size_t *item_len);

/* The same for KEYS_NUMBER_LIST keys: items are compared as numbers, so that
 * 0x5 is 5. The value goes to *number. */
bool keys_result_number_list(const char *offer, size_t offer_len, const char *own, size_t own_len, const char **item,
                             size_t *item_len, uint64_t *number);

/*
 * The value to answer to an offer, as text, for an acceptor whose own wish is
 * `own` (a C string of the key's form: number, Yes/No, list in any order). For
 * RANGE keys and inadmissible offers it is "Reject". Returns the length without
 * the null byte, 0 when cap is too small or the key takes no answer.
 */
size_t keys_result(const struct keys_entry *key, const char *offer, size_t offer_len, const char *own, char *out,
                   size_t cap);

#endif
