/*
 * Lint: what the logins of captures show. Every connection goes through the auditor, both roles; connections of one
 * session are judged together; what only many logins in a row tell is judged across them. Results are given out one by
 * one, so that memory stays bounded whatever the size of a capture.
 */
#ifndef HARNESS_LINT_H
#define HARNESS_LINT_H

#include "harness/audit.h"
#include "harness/audit/login.h"
#include "harness/capture_read.h"
#include "harness/catalogue.h"
#include "wire/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A finding with its place in the capture. Strings live as long as the call that hands it out. */
struct lint_finding {
    const char *id;              /* of the catalogue, or "lint...." for what only captures show */
    const struct rule *rule;     /* NULL for the latter */
    enum rule_severity severity; /* at most warn where the catalogue tolerates it */
    enum rule_party party;       /* whose fault it is */
    uint32_t stream;
    enum transcript_side side; /* who sent the PDU */
    uint32_t pdu;              /* number of the PDU of that side, 0: the connection as a whole */
    size_t offset, len;        /* bytes in the PDU */
    uint64_t frame;            /* where Wireshark shows the PDU; of the connection: its first; 0 unknown */
    const char *was, *allowed;
};

enum lint_outcome {
    LINT_LOGGED_IN,
    LINT_REFUSED,   /* status has the code */
    LINT_MOVED,     /* a redirection */
    LINT_BROKEN,    /* ended before it was decided */
    LINT_UNDECIDED, /* hidden from the capture, or not over when it ends */
    LINT_NO_LOGIN,  /* there is none in the capture */
    LINT_OUTCOMES
};

#define LINT_UNJUDGED_MAX 10u

/* One connection, judged. */
struct lint_conn {
    const char *file;
    const struct capture_conn *capture;
    const struct audit_login *login;
    enum lint_outcome outcome;
    uint16_t status; /* of LINT_REFUSED and LINT_MOVED */
    const struct lint_finding *findings;
    size_t finding_count;
    bool more_findings; /* than were kept */
    size_t unjudged_count;
    char unjudged[LINT_UNJUDGED_MAX][200]; /* what could not be judged, and why */
};

/* Where a code was seen first, and how often. */
struct lint_code {
    uint16_t code;
    uint64_t count;
    const char *file;
    uint32_t stream;
    uint64_t frame;
};

#define LINT_CODES_MAX 64u

struct lint_totals {
    uint64_t files, unreadable; /* unreadable: not at all, or not to their end */
    uint64_t connections;
    uint64_t outcomes[LINT_OUTCOMES];
    uint64_t findings[3];                   /* by enum rule_severity */
    uint64_t across[3];                     /* of them across connections */
    uint64_t incomplete;                    /* connections with something that could not be judged */
    struct lint_code codes[LINT_CODES_MAX]; /* the 18 first, in order, then others as they came */
    size_t code_count;
    uint64_t other_codes; /* for which there was no room */
    uint64_t *rule_hits;  /* for each rule of the catalogue */
    bool interrupted;
};

/* Who takes the results. Each may be NULL. False: it failed, and lint stops. */
struct lint_sink {
    void *context;
    bool (*begin)(void *context, const struct catalogue *rules);
    bool (*conn)(void *context, const struct lint_conn *conn);
    bool (*across)(void *context, const char *file, const struct lint_finding *finding);
    /* A file is done. error: what is wrong with it, "" nothing. counts: NULL when it could not be opened. */
    bool (*file)(void *context, const char *file, const struct capture_counts *counts, const char *error);
    bool (*end)(void *context, const struct lint_totals *totals, const struct catalogue *rules);
};

struct lint_options {
    const struct catalogue *rules;
    const char *filter; /* NULL: everything */
    const struct lint_sink *sinks;
    size_t sink_count;
    /* Called between frames; true: stop here and report what was read. May be NULL. */
    bool (*stop)(void *context, const char *file, const struct capture *capture);
    void *stop_context;
};

enum lint_result {
    LINT_DONE,
    LINT_NOT_READ,    /* a file is none, or damaged; all others were read */
    LINT_INTERRUPTED, /* what was read is reported */
    LINT_FAILED,      /* out of memory, or a sink failed */
};

/*
 * Reads all files and gives the results to the sinks. *totals has what was found, until lint_totals_free. err has the
 * reason of LINT_FAILED. The order of connections is that of their first frames, as far as those that were open at the
 * same time allow.
 */
enum lint_result lint_files(const char *const *paths, size_t count, const struct lint_options *options,
                            struct lint_totals *totals, char *err, size_t err_len);
void lint_totals_free(struct lint_totals *totals);

/* "logged in", "refused", "moved", "broken off", "undecided", "no login". */
const char *lint_outcome_name(enum lint_outcome outcome);

/* Value of a key as its side said it first, quoted for a person; "" when it did not. Returns out. */
const char *lint_value(const struct audit_login *login, enum keys_id id, enum transcript_side side, char *out,
                       size_t cap);

#endif
