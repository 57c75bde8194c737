/*
 * The auditor: the one judge of bytes. It takes a transcript from wherever it comes and gives findings: rules of the
 * catalogue that are broken at one place. It holds invariants (true of any transcript) and reactions (follow from the
 * request that was really sent), never expectations of a case.
 */
#ifndef HARNESS_AUDIT_H
#define HARNESS_AUDIT_H

#include "harness/catalogue.h"
#include "harness/transcript.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct finding {
    const char *rule; /* catalogue id; static, or of the rule table */
    size_t conn;      /* index of the connection in the transcript */
    enum transcript_side side;
    uint32_t pdu;       /* number of the PDU of that side, 0: the connection as a whole */
    size_t offset, len; /* byte range inside the PDU */
    bool tolerated;     /* the catalogue names it as tolerated: a warning whatever the severity of the rule */
    char was[160];      /* what was there */
    char allowed[160];  /* what was allowed */
};

#define AUDIT_JUDGED_WORDS 8u /* room for 512 rules */

struct finding_list {
    struct finding *items;
    size_t count;
    size_t capacity;
    bool truncated; /* more than AUDIT_FINDING_MAX */
    uint64_t judged[AUDIT_JUDGED_WORDS]; /* a bit for each rule, in the order of audit_rules(): it was looked at */
};

#define AUDIT_FINDING_MAX 256u

/* One rule of the auditor, for `list rules` and the rules table. */
struct audit_rule {
    const char *id;      /* of the catalogue */
    const char *subject; /* file of harness/audit/ */
};

/* All rules, each id once. */
const struct audit_rule *audit_rules(size_t *count);

/* Was the rule of this index in audit_rules() looked at? */
static inline bool audit_was_judged(const struct finding_list *list, size_t index)
{
    return (list->judged[index / 64] >> index % 64 & 1) != 0;
}

/* Judges the whole transcript. Returns false only when out of memory. */
bool audit_transcript(const struct transcript *t, struct finding_list *out);

/* What an auditor that judges many transcripts one after the other keeps of its memory. All zero at first. */
struct audit_desk {
    struct audit_login *logins;
    size_t count;
};
bool audit_transcript_at(struct audit_desk *desk, const struct transcript *t, struct finding_list *out);
void audit_desk_free(struct audit_desk *desk);
void finding_list_free(struct finding_list *list);

#endif
