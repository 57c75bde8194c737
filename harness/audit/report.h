/*
 * Writing of findings: where (place), which rule, what was there and what was allowed.
 */
#ifndef HARNESS_AUDIT_REPORT_H
#define HARNESS_AUDIT_REPORT_H

#include "harness/audit.h"
#include "harness/audit/login.h"
#include "harness/audit/rules.h"

struct audit_run {
    const struct transcript *transcript;
    const struct audit_login *logins; /* of all connections of the transcript */
    struct finding_list *out;
    struct finding spare; /* written to when the list is full */
    bool no_memory;
};

/* A byte range of a PDU. */
struct audit_place {
    size_t conn;
    enum transcript_side side;
    uint32_t pdu; /* 0: the connection */
    size_t offset, len;
};

struct audit_place audit_at_conn(const struct audit_login *login);
struct audit_place audit_at_pdu(const struct audit_login *login, const struct transcript_pdu *pdu, size_t offset,
                                size_t len);
/* Field of the table in wire/pdu.h; the whole header when the PDU has none of that name. */
struct audit_place audit_at_field(const struct audit_login *login, const struct transcript_pdu *pdu, const char *field);
/* len bytes of a logical text; cut at the end of the PDU in which they begin. */
struct audit_place audit_at_text(const struct audit_login *login, const struct audit_text *text, size_t at, size_t len);
struct audit_place audit_at_pair(const struct audit_login *login, const struct audit_pair *pair);

/* The rule was looked at, whether or not it was kept. */
static inline void audit_mark(struct audit_run *run, enum audit_rule_id rule)
{
    run->out->judged[(size_t)rule / 64] |= UINT64_C(1) << (size_t)rule % 64;
}

/* Adds a finding with empty texts; never NULL. It is valid until the next one is added. */
struct finding *audit_add(struct audit_run *run, enum audit_rule_id rule, struct audit_place place);
/* The same for a rule that is not of the list in rules.h. id is static. */
struct finding *audit_add_id(struct audit_run *run, const char *id, struct audit_place place);
void audit_was(struct finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));
void audit_allowed(struct finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* `was` = key=value, escaped. */
void audit_was_pair(struct finding *finding, const struct audit_pair *pair);

/* Bytes of a peer in printable form, cut with "..." at cap. Returns out. */
char *audit_quote(char *out, size_t cap, const void *bytes, size_t len);

#endif
