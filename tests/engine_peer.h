/*
 * An initiator in the same process, for tests of the engine: a node with the targets and portals that the tests need,
 * and connections to it that speak by bytes.
 */
#ifndef ISCSISPEC_TESTS_ENGINE_PEER_H
#define ISCSISPEC_TESTS_ENGINE_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reference_target/node.h"
#include "wire/pdu.h"

/* Portals of the world, in this order. A and B share tag 1. */
enum { PORTAL_A, PORTAL_B, PORTAL_OTHER_TAG, PORTAL_NORMAL_ONLY, PORTAL_LIMITED, PORTAL_DRAINED, PORTAL_COUNT };

/* Targets of the world, in this order. */
enum {
    TARGET_OPEN, TARGET_CHAP, TARGET_MUTUAL, TARGET_DENIED, TARGET_TEMPORARY, TARGET_PERMANENT, TARGET_REMOVED,
    TARGET_FAULT, TARGET_SINGLE, TARGET_ON_B, TARGET_FILE, TARGET_SAME_SECRET, TARGET_COUNT
};

#define PEER_INITIATOR "iqn.2024-01.org.example:initiator"
#define PEER_USER "user-one"
#define PEER_SECRET "secret-of-one-12"
#define PEER_TARGET_USER "target-user"
#define PEER_TARGET_SECRET "secret-of-target"

enum { WORLD_STORE_SIZE = 16384 };

struct world {
    struct config config;
    struct config_portal portals[PORTAL_COUNT];
    struct config_target targets[TARGET_COUNT];
    struct node *node;
    uint64_t now;
    uint64_t random;        /* state of the generator: always the same sequence */
    size_t allocations;
    size_t live;            /* blocks that are not released */
    size_t fail_at;         /* the allocation with this number fails; 0: none */
    bool store_gone;        /* the file of TARGET_FILE vanished */
    bool store_fails;       /* it cannot be read or written */
    uint8_t store[WORLD_STORE_SIZE];    /* what stands in it */
    bool random_fails;
    char log[512];          /* last line */
};

/* One connection, and the header fields of its next request. */
struct peer {
    struct world *world;
    struct conn *conn;
    struct pdu_login_request header;
    uint32_t cmd_sn;
    size_t read;            /* bytes of the output taken so far */
    uint8_t bhs[PDU_BHS_LEN];       /* last PDU received */
    struct pdu_login_response response;     /* the same, as a Login Response */
    uint8_t data[1 << 16];
    size_t length;
    unsigned ahs;
};

/* The configuration without a node, to be changed before world_start(). */
void world_init(struct world *world);
void world_start(struct world *world);
/* Both; defect may be NULL. */
void world_open(struct world *world, const char *defect);
/* Frees everything and checks that nothing leaked. When the environment variable ISCSISPEC_TRANSITIONS names a folder,
 * the counters of the login table are added to a file there first: tests/tools/transitions sums them. */
void world_close(struct world *world);

const char *world_target_name(size_t target);

/* A new connection with a fresh ISID. */
void peer_open(struct world *world, size_t portal, struct peer *peer);
/* The TCP connection goes away. */
void peer_close(struct peer *peer);

/* Sends a Login Request: flags of byte 1, text of length bytes. peer->header gives the rest. */
void peer_login(struct peer *peer, unsigned flags, const char *text, size_t length);
/* Sends any PDU of the full feature phase; bhs is complete but for DataSegmentLength. */
void peer_send(struct peer *peer, uint8_t *bhs, const void *data, size_t length);

/* Takes the next PDU of the target. False: there is none. */
bool peer_receive(struct peer *peer);

/* Does the last PDU hold this pair, or (value NULL) this key? */
bool peer_has(const struct peer *peer, const char *key, const char *value);

/* The text of the last PDU has this value for the key; NULL when it is not there. Static. */
const char *peer_value(const struct peer *peer, const char *key);

/* "InitiatorName=...", "TargetName=...", "SessionType=Normal" in out; returns the length. extra is more text with its
 * nulls, of extra_length bytes. */
size_t peer_names(char *out, size_t size, size_t target, const char *extra, size_t extra_length);

/* Names of the open target and as many unknown keys as fit into size bytes, in *text, which is static. The length. */
size_t peer_many_keys(const char **text, size_t size);

/* A whole login in one PDU; true: full feature phase. */
bool peer_login_whole(struct peer *peer, size_t target, const char *extra, size_t extra_length);

/* CHAP up to and including CHAP_R; flags are those of the last request. challenge: CHAP_C of our own, or NULL. */
void peer_chap_with(struct peer *peer, size_t target, unsigned algorithm, const char *user, const char *secret,
                    const char *challenge, unsigned flags);
/* The same with T of the last request set. */
void peer_chap(struct peer *peer, size_t target, unsigned algorithm, const char *user, const char *secret,
               const char *challenge);

/* A NOP-Out ping that is answered: is the session alive? */
bool peer_alive(struct peer *peer);

#define TEXT(literal) (literal), sizeof(literal)

#endif
