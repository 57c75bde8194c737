/*
 * Which target, portal and credentials of today stand for those of a recording. What the user says comes first; a
 * target name that the profile knows stays what it is; any other stands for the target of the condition that the login
 * shows: open, chap or mutual-chap. No I/O.
 */
#ifndef HARNESS_REPLAY_ROUTING_H
#define HARNESS_REPLAY_ROUTING_H

#include "harness/profile.h"
#include "harness/replay.h"

#include <stdbool.h>
#include <stddef.h>

struct replay_routing {
    struct replay_names names;   /* for struct replay_options */
    struct replay_route *routes; /* by index of the recorded connection */
    char **owned;                /* strings that both point to */
    size_t owned_count;
};

/*
 * maps: OLD=NEW, of names (initiator, target, CHAP user) and portals (HOST:PORT). profile: its portals have addresses.
 * Returns 0, or -1 with the reason and the way out in err. Release with replay_routing_free(), also then. Borrows from
 * profile and script.
 */
int replay_routing_make(const struct replay_script *script, const struct profile *profile, const char *const *maps,
                        size_t map_count, struct replay_routing *out, char *err, size_t err_len);
void replay_routing_free(struct replay_routing *routing);

/* The condition of the profile that a login shows, NULL: the profile has none for it. */
const struct profile_condition *replay_routing_condition(const struct profile *profile,
                                                         const struct login_facts *facts);

#endif
