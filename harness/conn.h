/*
 * The connections and sessions of one case while it runs, and how they ended: what initiator, full feature phase and
 * judge share. All of it lives as long as its struct drive. One thread.
 */
#ifndef HARNESS_CONN_H
#define HARNESS_CONN_H

#include "harness/case.h"
#include "harness/link.h"
#include "harness/live.h"
#include "harness/profile.h"
#include "harness/scenario.h"
#include "wire/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One iSCSI session (I_T nexus); several connections may belong to it. */
struct session {
    uint8_t isid[PDU_ISID_LEN];
    uint16_t tsih;     /* 0 until the target gave one */
    uint16_t next_cid; /* of the next added connection */
    uint32_t cmd_sn;   /* of the next command that is not immediate */
    bool discovery;
    bool ended; /* logged out */
};

/* How the exchange on a connection came out, as far as it is judged. */
enum conn_end {
    CONN_NOT_RUN,
    CONN_FFP,         /* the login completed */
    CONN_LEFT,        /* the case left the login at its `stop`; all answers so far were status 0 */
    CONN_STATUS,      /* refused with a status */
    CONN_CLOSED,      /* ended by the target without an answer */
    CONN_REJECTED,    /* Reject PDU */
    CONN_OTHER,       /* another PDU than is due */
    CONN_ANSWERED,    /* a PDU of the case's own got its answer */
    CONN_SILENT,      /* nothing until the deadline */
    CONN_GARBAGE,     /* malformed or endless bytes */
    CONN_GAVE_UP,     /* libiscsi or an honest initiator cannot go on */
    CONN_CUT,         /* the case cut it off itself */
    CONN_UNREACHABLE, /* TCP could not be opened */
};

/* A PDU of the target that was taken as an answer. */
struct conn_answer {
    uint32_t to;        /* number of the PDU as sent, 0: unasked */
    uint32_t number;    /* of the target's PDUs */
    size_t offset, len; /* in the target's stream */
    size_t data_at;     /* of the data segment in the stream */
    size_t data_len;
    uint32_t itt;
    uint8_t opcode;
};

#define CONN_ANSWER_MAX 4096u

enum { CONN_ROUND_WORDS = 1024 }; /* bits for the first 8192 PDUs */

/* Text of the note behind which nothing on a connection belongs to the case any more. */
#define CONN_OVER_NOTE "clean-up after the verdict"

struct conn {
    char name[32];
    struct drive *drive;
    struct link *link; /* NULL: no TCP connection was made */
    struct session *session;
    const struct case_login *login; /* NULL: none */
    struct live_values live;
    char target[256], initiator[256];
    char user[256], secret[256], mutual_user[256], mutual_secret[256];
    const struct profile_portal *portal; /* where it goes */
    bool has_secret, has_mutual;
    bool ffp;        /* in full feature phase */
    bool logged_out; /* we asked for a logout */
    uint32_t sent;   /* PDUs put on the wire */
    uint32_t rounds; /* of them those of the tap's own, see conn_send_round() */
    uint8_t round_bits[CONN_ROUND_WORDS];
    uint32_t deviating;           /* number of the last one with a deviation, 0 none */
    uint32_t next_tag;            /* ITTs of PDUs of our own */
    uint8_t last[PDU_BHS_LEN];    /* header of the last PDU sent */
    uint8_t deviant[PDU_BHS_LEN]; /* header of the last deviating PDU */
    struct conn_answer *answers;
    size_t answer_count, answer_cap;
    enum conn_end end;
    uint16_t status;   /* CONN_STATUS */
    uint8_t opcode;    /* CONN_OTHER, CONN_ANSWERED */
    uint8_t reason;    /* CONN_REJECTED */
    char why[200];     /* words on the end, for a person */
    char strayed[160]; /* how the target took the login another way than the one asked for (course.h); "" it did not */
    char early[480];   /* a deviation that could not be sent because of that, or since the login ended; "" none */
    bool left_open;    /* the target did not end it in time after its logout */
    bool was_ffp;      /* the login had completed at some time */
    bool mutated;    /* PDUs of the mutator went out: that nothing comes says nothing */
    bool header_digest, data_digest;
    struct text_buf text_answer; /* text of the last Text exchange */
};

/* One case under way. */
struct drive {
    const struct case_def *def;
    const struct scenario_env *env;
    struct net net;
    struct conn **conns;
    size_t conn_count;
    struct session **sessions;
    size_t session_count;
    uint64_t random; /* state of the generator */
    char error[512]; /* fault of the case or the suite: verdict ERROR */
};

void drive_init(struct drive *d, const struct case_def *def, const struct scenario_env *env, struct transcript *t);
void drive_free(struct drive *d);
uint64_t drive_random(struct drive *d);

struct conn *conn_new(struct drive *d, const char *name);
struct conn *conn_find(const struct drive *d, const char *name);
struct session *session_new(struct drive *d);

/* For live_expand(): the values of the case's connections. */
struct live_scope conn_scope(struct conn *c);

/* Remembers an answer. */
void conn_answered(struct conn *c, const struct link_pdu *pdu, uint32_t to);
const uint8_t *conn_answer_bhs(const struct conn *c, const struct conn_answer *a);
const uint8_t *conn_answer_data(const struct conn *c, const struct conn_answer *a);

/* Ends the exchange under judgement. Format gives `why`. Always returns false, for use in a return statement. */
bool conn_finish(struct conn *c, enum conn_end end, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts one PDU on the wire and counts it. `deviating`: it differs from what an honest initiator sends. */
bool conn_send(struct conn *c, const uint8_t *pdu, size_t len, bool deviating);

/*
 * The same for a Login Request that the target's way of answering makes necessary: it fetches more of a text, or goes
 * on where the target is not ready yet. It is not counted when a case numbers PDUs.
 */
bool conn_send_round(struct conn *c, const uint8_t *pdu, size_t len);

/* Was the PDU with this number on the wire such a one? */
bool conn_is_round(const struct conn *c, uint32_t wire);

/* The number on the wire of the PDU that a case calls `number`, both from 1. */
uint32_t conn_wire_number(const struct conn *c, uint32_t number);

void conn_note(struct conn *c, enum transcript_note note, uint32_t pdu, const char *text);

/* Time by which an answer to what is sent now has to be there. */
int64_t conn_deadline(const struct conn *c);

/* Was the exchange ended by the target refusing it? */
bool conn_refused(const struct conn *c);

#endif
