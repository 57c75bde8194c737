/*
 * A target for the tests of replay: a child process that answers with the target's messages of a script, in their
 * order, under the tags and numbers of whoever asks.
 */
#ifndef TESTS_REPLAY_PEER_H
#define TESTS_REPLAY_PEER_H

#include "audit_script.h"

#include <stdint.h>
#include <sys/types.h>

struct replay_peer {
    pid_t pid;
    uint16_t port;
};

enum replay_manner {
    PEER_ANSWERS,
    PEER_MUTE,   /* takes all, says nothing */
    PEER_CLOSES, /* ends the connection behind its first answer */
    PEER_RESETS, /* the same, by RST */
    PEER_STAYS,  /* never ends a connection */
    PEER_PINGS,  /* asks for a ping behind the login, and wants its answer before the next */
};

/* Serves each connection of the script in its order. */
struct replay_peer replay_peer_start(const struct script *script, enum replay_manner manner);
/* Exit status of the child, 0: all went as it should; -1: it still ran and was killed. */
int replay_peer_stop(struct replay_peer *peer);

#endif
