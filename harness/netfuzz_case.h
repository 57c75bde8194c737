/* An input of the network fuzzer as a case that `iscsispec run --cases FILE` plays: raw connections, one step a PDU. */
#ifndef HARNESS_NETFUZZ_CASE_H
#define HARNESS_NETFUZZ_CASE_H

#include "harness/netfuzz_input.h"
#include "harness/session_live.h"

#include <stdbool.h>
#include <stdio.h>

struct netfuzz_case_about {
    const char *id;                         /* "fuzz.crash-001" */
    const char *title;                      /* one line */
    const char *comment;                    /* lines above the case, each without "# "; NULL none */
    const struct session_live_names *names; /* what the tokens of names stand for */
};

/*
 * Writes the case; behind the input a plain login has to succeed, so that a case of a target that died or hangs is red.
 * PDUs whose fields and keys can be named are written so, with live values where the input has them; others in hex.
 * False: the file could not be written.
 */
bool netfuzz_case_write(FILE *out, const struct netfuzz_input *in, const struct netfuzz_case_about *about);

#endif
