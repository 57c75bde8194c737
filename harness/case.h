/*
 * Cases: one scripted scenario each, read from YAML (docs/cases.md is the language). A case is data: genuine libiscsi
 * logins with exact edits, and what is expected. The loader checks everything that can be checked without a target.
 */
#ifndef HARNESS_CASE_H
#define HARNESS_CASE_H

#include "harness/catalogue.h"
#include "harness/position.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum case_base {
    CASE_BASE_PLAIN,       /* straight to the operational stage */
    CASE_BASE_SECURITY,    /* security stage with AuthMethod=None, then operational */
    CASE_BASE_CHAP,        /* security stage with one-way CHAP */
    CASE_BASE_MUTUAL_CHAP, /* security stage with CHAP both ways */
    CASE_BASE_DISCOVERY,   /* a discovery session */
    CASE_BASE_JOIN,        /* added connection of the session of connection `of` */
    CASE_BASE_RAW,         /* TCP only: the case sends every byte itself */
};

/* The word for it in a case file. Static. */
const char *case_base_name(enum case_base base);

/* When an inserted or repeated PDU goes out, relative to the PDU it follows. */
enum case_when {
    CASE_WHEN_SENT,     /* right behind it, without waiting */
    CASE_WHEN_ANSWERED, /* after its answer has come */
};

struct case_strings {
    char **items; /* may hold live values in braces: "{target}" */
    size_t count;
};

struct case_field_edit {
    char *name;  /* of wire/pdu's field table */
    char *value; /* number, or live value */
    struct position at;
};

struct case_bytes_edit {
    size_t offset; /* into the PDU as it will go out */
    uint8_t *bytes;
    size_t len;
    struct position at;
};

/* One deviation of one PDU. Applied in the order of the members: keys, size, padding and length, header, bytes. */
struct case_edit {
    int pdu;                 /* number as libiscsi made them, from 1; 0: the one PDU that holds the key, or the first */
    struct case_strings set; /* "Key=Value": the key must be there */
    struct case_strings add; /* "Key=Value": appended */
    struct case_strings prepend; /* "Key=Value": put before the others */
    struct case_strings drop;    /* "Key": must be there; "*": all keys */
    char *text;                  /* whole data segment, with \0 and \xNN escapes and live values; NULL: no */
    size_t text_len;             /* length before live values are filled in */
    size_t grow;                 /* X- keys are appended until the text has so many bytes; 0: no */
    uint8_t *pad;                /* pad bytes instead of zeros */
    size_t pad_len;
    bool pad_filled; /* pad[0] stands in each pad byte that is due */
    struct case_field_edit *header;
    size_t header_count;
    struct case_bytes_edit *bytes;
    size_t bytes_count;
    unsigned mutate; /* mutation of this number, instead of all others; 0: none */
    struct position at;
};

/* A digest of a PDU of the case's own that does not fit, where digests were agreed on (13.1). */
enum case_digest { CASE_DIGEST_RIGHT, CASE_DIGEST_WRONG_HEADER, CASE_DIGEST_WRONG_DATA };

/* A PDU made by the case itself (insert, raw, after login). Exactly one of opcode >= 0 and hex is used. */
struct case_pdu {
    int opcode; /* enum pdu_opcode; sensible defaults for all fields; -1: hex */
    struct case_strings keys;
    char *text; /* the whole data segment instead of keys, with live values; NULL: no */
    size_t text_len;
    struct case_field_edit *header;
    size_t header_count;
    uint8_t *hex;
    size_t hex_len;
    enum case_digest digest;
    struct position at;
};

enum case_shape_kind {
    CASE_SHAPE_INSERT,   /* pdu after PDU `after` (0: before the first) */
    CASE_SHAPE_REPEAT,   /* PDU `pdu_number` again */
    CASE_SHAPE_SPLIT,    /* PDU in several TCP segments */
    CASE_SHAPE_CONTINUE, /* text of the PDU over several PDUs with C=1 */
    CASE_SHAPE_TRUNCATE, /* PDU breaks off */
};

enum case_cut { CASE_CUT_HALF_CLOSE, CASE_CUT_RESET, CASE_CUT_HOLD };

struct case_shape {
    enum case_shape_kind kind;
    int pdu_number;      /* the PDU it speaks of */
    enum case_when when; /* INSERT, REPEAT */
    struct case_pdu pdu; /* INSERT */
    size_t *offsets;     /* SPLIT, CONTINUE: ascending cut points; SPLIT: of the PDU; CONTINUE: of its text */
    size_t offset_count;
    char **marks;      /* CONTINUE: cut right behind this text, instead of offsets; may hold NUL bytes */
    size_t *mark_lens; /* CONTINUE: lengths of the marks */
    size_t mark_count;
    size_t every;      /* SPLIT: segments of this size; 0: offsets */
    int delay_ms;      /* SPLIT: pause between segments */
    size_t length;     /* TRUNCATE: bytes that go out */
    enum case_cut cut; /* TRUNCATE */
    struct position at;
};

struct case_login {
    char as[32];
    enum case_base base;
    char of[32];         /* JOIN; or whose ISID/TSIH are meant */
    enum case_base via;  /* JOIN: how the login goes: PLAIN (default), SECURITY, CHAP */
    char *portal;        /* name of a profile portal or condition, NULL: the condition's */
    char *target;        /* NULL: the condition's; may hold live values */
    char *initiator;     /* NULL: the run's name; may hold live values */
    char *user, *secret; /* NULL: the condition's credentials */
    char isid_of[32];    /* take the ISID of this connection; "" fresh */
    char role[8];        /* needs of this role ("a", "b"), "" the only one */
    int stop_pdu;        /* stop after this PDU (0: run to the end) */
    enum case_when stop_when;
    struct case_edit *edits;
    size_t edit_count;
    struct case_shape *shapes;
    size_t shape_count;
};

enum case_end { CASE_END_NOT_ASKED, CASE_END_CLOSED };

struct case_expect {
    char on[32];
    char *rule;               /* catalogue id, NULL: own outcomes only */
    const struct rule *entry; /* resolved */
    struct outcome_list any;  /* own accept set; empty: the rule's */
    int pdu;                  /* answer to the PDU of this number (as sent) is judged; 0: the deviating one */
    bool ffp;
    enum case_end then;             /* after the refusal the target closes */
    int alive;                      /* -1 not asked, 0 must be gone, 1 must answer a NOP */
    struct case_strings keys;       /* "Key=Value", "Key=A|B", "Key=[a..b]", "Key" present, "!Key" absent */
    struct case_field_edit *header; /* of the judged answer */
    size_t header_count;
    int responses; /* number of Login Responses on the connection, -1 not asked */
    char *lists;   /* a discovery answer holds this target, NULL not asked */
    char *lists_not;
    char *same_as; /* outcome equals that of connection X (status and end) */
};

enum case_step_kind {
    CASE_STEP_LOGIN,
    CASE_STEP_EXPECT,
    CASE_STEP_SEND, /* a PDU of the case's own on a connection, the answer is awaited */
    CASE_STEP_NOP,  /* NOP-Out ping, the NOP-In is awaited */
    CASE_STEP_TEXT, /* Text Request in full feature phase */
    CASE_STEP_LOGOUT,
    CASE_STEP_CLOSE,
    CASE_STEP_RESET,
    CASE_STEP_HALF_CLOSE,
    CASE_STEP_WAIT,
    CASE_STEP_CONTROL, /* the profile's do/undo verbs */
    CASE_STEP_FOLLOW,  /* log in at the TargetAddress that connection `from` got */
};

struct case_step {
    enum case_step_kind kind;
    char on[32];                     /* LOGIN: the connection it makes; FOLLOW: the one that was sent on (`from`) */
    struct case_login login;         /* LOGIN; FOLLOW: `of` is that connection too, `as` the new one */
    struct case_expect expect;       /* EXPECT */
    struct case_pdu pdu;             /* SEND */
    struct case_strings keys;        /* TEXT */
    char *reason;                    /* LOGOUT: "session" or "connection" */
    enum case_end then;              /* LOGOUT: the target closes, by itself */
    bool no_answer;                  /* SEND, TEXT, LOGOUT: do not wait */
    int wait_ms;                     /* WAIT */
    char *control_do, *control_undo; /* CONTROL: verbs of the profile; undo always runs */
    struct position at;
};

/* What one target has to offer for this case. */
struct case_need {
    char role[8];                   /* "" when the case needs one target only */
    struct case_strings conditions; /* of the closed list */
};

struct case_ignore {
    char *rule, *why;
};

struct case_def {
    char *id;
    char *title;
    char *subject;              /* name of the folder below cases/ */
    struct case_strings proves; /* rule ids */
    int code;                   /* status it is evidence for, -1 none */
    struct case_need *needs;
    size_t need_count;
    struct case_strings caught_by; /* defects */
    struct case_strings covers;    /* ids of peers' cases */
    bool safe;
    struct case_ignore *ignores;
    size_t ignore_count;
    bool invariants_only; /* of the audit, findings of other rules are recorded and do not count */
    struct case_step *steps;
    size_t step_count;
    char hash[17]; /* of the expanded case: what the kill table vouches for */
    struct position at;
};

struct case_list {
    struct case_def *cases; /* ordered by id */
    size_t count;
    /* private storage of the loader follows */
    void *storage;
};

/* The closed list of conditions, with what each means. NULL-terminated by name. */
struct case_condition {
    const char *name;
    const char *meaning;
    const char *missing; /* reason of the skip when a profile says nothing about it */
    bool beside;         /* stands beside the others: its portal or target counts only where a step names it */
};
extern const struct case_condition case_conditions[];
const struct case_condition *case_condition_find(const char *name);

/*
 * Loads every .yaml below the directories (or single files), expands matrices, checks against the catalogue.
 * Duplicate ids, unknown fields, accept sets wider than the catalogue's and so on are errors with a position.
 * Returns 0, or -1 with err filled. The list keeps a reference to the catalogue.
 */
int case_list_load(struct case_list *list, const char *const *paths, size_t path_count, const struct catalogue *rules,
                   struct load_error *err);
void case_list_free(struct case_list *list);
const struct case_def *case_list_find(const struct case_list *list, const char *id);

/* JSON schema of the case format (draft 2020-12), made from the loader's own field tables. Caller decrefs. */
json_t *case_schema(void);

/*
 * Selection: EXPR is a comma list of globs on ids, or "code:0x0203", "rule:L-TSIH-*", "subject:chap", "defect:NAME",
 * "section:6.3*"; a leading "!" takes away. Several expressions add up. Returns 1 selected, 0 not, -1 bad expression.
 */
int case_selected(const struct case_def *c, const struct catalogue *rules, const char *const *exprs, size_t count,
                  struct load_error *err);

/* Does the case prove a rule that counts? A case that proves none counts only where every rule does. */
bool case_counts(const struct case_def *c, const struct catalogue *rules, const struct rule_floor *floor);

#endif
