/*
 * The shadow of a recorded login: the same login made by libiscsi, without a network, with the recorded answers given
 * to it; and by which edits the recorded one differs from it. It is how a case of few edits is found for a capture.
 */
#ifndef HARNESS_CASE_SHADOW_H
#define HARNESS_CASE_SHADOW_H

#include "harness/case.h"
#include "harness/replay_script.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct case_shadow {
    enum case_base base, via; /* via: of a discovery session */
    char *edits;              /* YAML, one flow map an edited PDU, "" none; malloc'ed */
    size_t edit_count;        /* changes in all */
    bool stops;               /* the recorded initiator left the login behind PDU `requests` */
};

/*
 * secret: of the CHAP user, NULL unknown. Returns 1 when the login is libiscsi's but for the edits, 0 when it cannot be
 * told in such a way, -1 when out of memory. Free out->edits.
 */
int case_shadow_make(const struct replay_source *source, const char *secret, struct case_shadow *out);

#endif
