/*
 * The copies of a target that a run starts (`instances` in its profile), each with a profile of its own, since ports
 * and addresses differ.
 */
#ifndef HARNESS_INSTANCES_H
#define HARNESS_INSTANCES_H

#include "harness/hooks.h"

struct instances {
    struct hooks *hooks;       /* by number; the first has the caller's profile */
    struct profile **profiles; /* copies of ours, NULL for the first */
    size_t count;
};

/*
 * Prepares as many as the profile says, one when it is not ours to start. log: where the output of the first goes, the
 * others get -2, -3, ... before its suffix. Nothing is started. The profile stays the caller's and has to outlive it.
 * False: no memory, no directory, or the profile cannot be read again; err says.
 */
bool instances_init(struct instances *in, struct profile *profile, bool external, const char *log, char *err,
                    size_t err_len);

/* Stops what still runs. */
void instances_free(struct instances *in);

#endif
