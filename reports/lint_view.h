/* What the lint writers show of a connection, in words: its steps, its keys, its end. */
#ifndef REPORTS_LINT_VIEW_H
#define REPORTS_LINT_VIEW_H

#include "harness/lint.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One PDU of the login. */
struct lint_step {
    uint64_t frame; /* where Wireshark shows it */
    int64_t at_us;
    enum transcript_side side;
    const char *opcode;
    bool login; /* a Login Request or Response: what follows is set */
    int status; /* of a response, -1 of a request */
    bool transit, cont;
    unsigned csg, nsg;
    uint16_t tsih;
    size_t keys; /* in the text that it completes */
};

/* Step number index in the order of the login; false behind the last. */
bool lint_view_step(const struct lint_conn *c, size_t index, struct lint_step *out);
/* "SecurityNegotiation, T to LoginOperationalNegotiation" */
const char *lint_view_stage(const struct lint_step *step, char *out, size_t cap);

struct lint_key {
    char name[72];
    char initiator[96], target[96]; /* what each side said first, "" nothing */
    char outcome[112];
};

/* Key number index of the login; false behind the last. */
bool lint_view_key(const struct lint_conn *c, size_t index, struct lint_key *out);

/* "FIN of the target in frame 12, FIN of the initiator in frame 13". */
const char *lint_view_end(const struct lint_conn *c, char *out, size_t cap);
/* "L-RSP-001: what" of a place: "frame 9, PDU 1 of the target, bytes 2 to 3". */
const char *lint_view_place(const struct lint_finding *f, char *out, size_t cap);
/* "192.0.2.1:40000", "[2001:db8::1]:40000". */
const char *lint_view_address(const struct lint_conn *c, enum transcript_side side, char *out, size_t cap);

#endif
