/*
 * The requirement catalogue (cases/requirements.yaml): the one source of what is right. Each rule stands in it once;
 * cases, auditor, lint and reports refer to it by id.
 */
#ifndef HARNESS_CATALOGUE_H
#define HARNESS_CATALOGUE_H

#include "harness/position.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rule_level { RULE_MUST, RULE_MUST_NOT, RULE_SHOULD, RULE_SHOULD_NOT, RULE_MAY, RULE_NO_LEVEL };
/* How strongly a level binds. A rule without a level of its own follows from the text and counts like a SHOULD. */
enum rule_strength { RULE_STRENGTH_MAY, RULE_STRENGTH_SHOULD, RULE_STRENGTH_MUST };
/* What an entry can be judged by: any transcript, what was really sent, knowledge outside of the bytes, nobody. */
enum rule_kind { RULE_KIND_UNSAID, RULE_KIND_INVARIANT, RULE_KIND_REACTION, RULE_KIND_STIMULUS, RULE_KIND_MANUAL };
enum rule_severity { RULE_INFO, RULE_WARN, RULE_FAIL };
enum rule_party { RULE_TARGET, RULE_INITIATOR };

/* One acceptable (tolerated, forbidden) outcome, parsed from the token vocabulary at the head of the catalogue. */
enum outcome_kind {
    OUTCOME_STATUS,     /* code, or class when whole_class; any non-zero when any */
    OUTCOME_CLOSE,      /* TCP ended without an answer to the deviating PDU */
    OUTCOME_ACCEPT,     /* the login goes on as if the deviation were not there */
    OUTCOME_STAY,       /* success response with T=0 */
    OUTCOME_FFP,        /* login completes */
    OUTCOME_ANSWER,     /* key=value in a Login Response; key may be "*" (the key of the stimulus);
                           value may be "A|B", "[a..b]", "*" (whatever) or "admissible" (what the key table allows) */
    OUTCOME_NO_ANSWER,  /* key absent from the response; key may be "*" as above */
    OUTCOME_DECLARE,    /* declaration by the target: key[=value] */
    OUTCOME_FIELD,      /* condition on a response header field: name op value; the name is one of wire/pdu's Login
                           Response; value: a number, "{a,b}" for op in, or "request NAME": that field of the request */
    OUTCOME_REJECT_PDU, /* Reject PDU with this reason, or any */
    OUTCOME_SILENCE,    /* no response until the login time-out, then close */
    OUTCOME_TEXT,       /* words for a person: not decidable by machine */
};

struct outcome {
    enum outcome_kind kind;
    uint16_t code;     /* STATUS; REJECT_PDU: reason */
    bool whole_class;  /* STATUS: class of code matters only */
    bool any;          /* STATUS, REJECT_PDU: whatever code */
    const char *key;   /* ANSWER, NO_ANSWER, DECLARE, FIELD */
    const char *op;    /* FIELD: == != < > <= >= in, NULL otherwise */
    const char *value; /* ANSWER, DECLARE (may be NULL), FIELD */
    char *text;        /* as written */
    bool tolerated;    /* a case's own outcome of level tolerated */
};

struct outcome_list {
    struct outcome *items;
    size_t count;
};

struct rule {
    char *id;
    char *subject; /* the group in the id: "TSIH" */
    char *section;
    enum rule_level level;
    char *level_text;
    enum rule_party party;
    char *text; /* the rule in words */
    char *stimulus;
    struct outcome_list expected, tolerated, forbidden;
    struct outcome_list expected3720; /* what RFC 3720 expects, where that differs; empty: the same */
    enum rule_kind kind;
    bool match_all; /* every item of expected has to hold */
    int status;     /* code this entry can exercise, -1 none */
    char **needs;
    size_t needs_count;
    enum rule_severity severity;
    char *rfc3720, *notes, *doubt;
    char *unproven; /* why no defect can prove the entry; NULL: one has to (iscsispec selftest) */
    int confirmed; /* 0 text of the RFC, 1 inferred from it, 2 not seen there */
    struct position at;
};

struct catalogue {
    struct rule *rules; /* sorted by id for rule_find */
    size_t count;
    char hash[17]; /* of the file's bytes, hex */
    void *storage; /* private: all memory of the rules */
};

/* Loads and checks the file against the schema. Returns NULL with err filled. */
struct catalogue *catalogue_load(const char *path, struct load_error *err);
void catalogue_free(struct catalogue *c);
const struct rule *catalogue_find(const struct catalogue *c, const char *id);

/*
 * Parses one token. Unknown words become OUTCOME_TEXT; a malformed known token ("status:0x02zz") is an error. All
 * strings of the outcome stand in the one block out->text: release it with outcome_free, or a malloc'ed list of them
 * with outcome_list_free. Outcomes of a catalogue or a case list belong to that.
 */
int outcome_parse(const char *token, struct outcome *out, const struct position *at, struct load_error *err);
void outcome_free(struct outcome *out);
void outcome_list_free(struct outcome_list *list);
/*
 * True when everything that a matches is matched by b too (accept set of a case against the catalogue's). Words for a
 * person that begin with a's token ("stay, then ffp") cover it: the case is then the machine's reading of the words.
 */
bool outcome_covered(const struct outcome *a, const struct outcome *b);
/* True when a machine can decide the outcome: everything but OUTCOME_TEXT. */
bool outcome_decidable(const struct outcome *o);

/* Judges by RFC 3720 from here on: its accept sets take the place of those of RFC 7143 where the two differ. */
void catalogue_use_rfc3720(struct catalogue *c);

/* What a person asked for with --level and --severity: rules below do not count. All zero: every rule counts. */
struct rule_floor {
    enum rule_strength level;
    enum rule_severity severity;
};
bool rule_counts(const struct rule *rule, const struct rule_floor *floor);
/* "must", "should", "may". False: no such word. */
bool rule_strength_parse(const char *word, enum rule_strength *out);
bool rule_severity_parse(const char *word, enum rule_severity *out);
const char *rule_kind_name(enum rule_kind kind); /* "" when nothing is said */

const char *rule_level_name(enum rule_level level);
const char *rule_severity_name(enum rule_severity severity);
const char *rule_party_name(enum rule_party party);

/* JSON schema of the catalogue's file, from the loader's own field table. Caller decrefs. */
json_t *catalogue_schema(void);

#endif
