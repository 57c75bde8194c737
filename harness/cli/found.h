/* A profile for a target that has none: from its address and what it shows of itself. */
#ifndef CLI_FOUND_H
#define CLI_FOUND_H

#include "harness/cli/address.h"
#include "harness/cli/cli.h"

/*
 * Asks the target and makes a profile of the answers; writes it to --write-profile too. secret: of --user, NULL none.
 * The caller frees it with profile_free. NULL with *status and a message on stderr.
 */
struct profile *found_profile(const struct cli *cli, const struct address *address, const char *secret, int *status);

#endif
