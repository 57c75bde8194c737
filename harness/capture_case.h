/*
 * A case made of a recorded login: it does what the recorded initiator did, and expects what the recorded target did.
 * It is written as a login of libiscsi with edits where that says it all, else byte by byte (`base: raw`) with live
 * values.
 */
#ifndef HARNESS_CAPTURE_CASE_H
#define HARNESS_CAPTURE_CASE_H

#include "harness/replay_script.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum capture_case_form {
    CAPTURE_CASE_NONE, /* no case can be made: see why */
    CAPTURE_CASE_EDITS,
    CAPTURE_CASE_RAW,
};

struct capture_case {
    enum capture_case_form form;
    char id[121];
    char why[200];
    const char *condition; /* what the case needs; static */
    size_t edits;          /* CAPTURE_CASE_EDITS */
};

/* What is known of the recording beside the login. */
struct capture_case_about {
    const char *id_prefix; /* "captured.field" */
    const char *file;      /* name of the capture, for the remark above the case */
    const char *verdict;   /* the auditor's on the target, for the same: "PASS" */
    const char *secret;    /* of the CHAP user, NULL unknown */
};

/*
 * Writes the case of one recorded connection to out, as an item of a list of cases. Nothing is written when none can be
 * made. Returns 0, -1 when out of memory.
 */
int capture_case_write(FILE *out, const struct replay_script *script, size_t conn,
                       const struct capture_case_about *about, struct capture_case *made);

/* captured.NAME of the file's name: what an id may hold. */
void capture_case_prefix(const char *file, char *out, size_t cap);

/* The condition under which the target behaved like this, as far as the login shows it. Static. */
const char *capture_case_condition(const struct login_facts *facts);

#endif
