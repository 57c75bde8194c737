/* Waivers on the command line: which files, what is said of them at the end, and the file for review. */
#ifndef CLI_WAIVED_H
#define CLI_WAIVED_H

#include "harness/cli/cli.h"
#include "harness/profile.h"

/* The entries of the profile's files and of --waivers, in this order. Caller decrefs. NULL after a message. */
json_t *waived_load(const struct cli *cli, const struct profile *profile);

/* Waivers that ended or are not needed: each by name, since they make the run exit 1. */
void waived_print(const struct results *r);

/* OUT/waivers.yaml. Returns 0, or an exit status after a message. */
int waived_update(const char *out, const struct results *r);

#endif
