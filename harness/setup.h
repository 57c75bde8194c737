/* Fills in a new connection: whom it speaks to, under which names and credentials, in which session. */
#ifndef HARNESS_SETUP_H
#define HARNESS_SETUP_H

#include "harness/conn.h"

enum setup_result {
    SETUP_READY,
    SETUP_SKIP,  /* the target does not offer what is needed: reason in text */
    SETUP_FAIL,  /* the target is at fault: reason in text */
    SETUP_ERROR, /* the case or the profile is at fault: drive.error tells */
};

/* portal: where to go instead of where the login says; NULL: there. *out is a connection of d. */
enum setup_result setup_conn(struct drive *d, const struct case_login *login, const struct profile_portal *portal,
                             struct conn **out, char *text, size_t cap);

/* The profile's portal that a TargetAddress of connection `from` names. NULL with the reason in text. */
const struct profile_portal *setup_redirect(struct drive *d, const char *from, char *text, size_t cap);

#endif
