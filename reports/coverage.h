/*
 * The status-code coverage of a run, computed from results.jsonl alone. There is no way to set a cell by hand.
 */
#ifndef REPORTS_COVERAGE_H
#define REPORTS_COVERAGE_H

#include "harness/result.h"
#include "wire/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum coverage_server {
    COVERAGE_NOT_OFFERED, /* no case for the code ran */
    COVERAGE_SEEN,        /* came from this target by a natural cause */
    COVERAGE_FORCED,      /* came only because it was forced */
    COVERAGE_OTHER,       /* a rightful other answer came */
    COVERAGE_WRONG,       /* armed, and a wrong answer or none came */
};

enum coverage_test {
    COVERAGE_NOT_RUN,  /* no case for the code reached a verdict */
    COVERAGE_UNPROVEN, /* one that did is not vouched for by the kill table */
    COVERAGE_PROVEN,
};

/* How a target can be made to send a code, for the next steps. */
enum coverage_reach { COVERAGE_BY_WIRE, COVERAGE_BY_CONFIGURATION, COVERAGE_BY_FEATURE };

struct coverage_row {
    const struct status_entry *status;
    const json_t *decoder; /* of the measurement: {ok, reported}; NULL: not measured */
    bool decoded;
    enum coverage_server server;
    char other[24]; /* OTHER, WRONG: "0203", "close", "login", "nothing" */
    enum coverage_test test;
    size_t ran, failed, unproven; /* cases for the code that reached a verdict */
    size_t waived;                /* of failed: known to fail */
    const json_t *shown_by;       /* line of the case that shows the code, NULL none */
    const json_t *missed_by;      /* line of a case that ran and did not get it, NULL none */
    const char *reason;           /* NOT_OFFERED: why, never NULL */
    const char *told;             /* what the profile says of a code that is not offered, "" nothing */
    const char *source, *note;    /* of the profile, "" none */
    enum coverage_reach reach;
    const char *advice; /* what would make a target send it */
};

struct coverage {
    struct coverage_row rows[STATUS_COUNT];
    size_t decoded, seen, proven;
};

/* Everything in out points into r, which has to live as long. */
void coverage_compute(struct coverage *out, const struct results *r);

/* The cells as they stand in the table. Static, or written to buf. */
const char *coverage_decoder_cell(const struct coverage_row *row);
const char *coverage_server_cell(const struct coverage_row *row, char *buf, size_t buf_len);
const char *coverage_test_cell(const struct coverage_row *row, char *buf, size_t buf_len);

/* Whole per cent, rounded to the nearest. */
unsigned coverage_percent(size_t part);

/* "libiscsi 1.19.0", or "not measured". Written to buf. */
const char *coverage_decoder_name(const struct results *r, char *buf, size_t buf_len);

const char *coverage_server_name(enum coverage_server server);
const char *coverage_test_name(enum coverage_test test);
const char *coverage_reach_name(enum coverage_reach reach);

#endif
