/*
 * Runs one case against a target that is up and in the needed condition: drives libiscsi through the tap (or a raw
 * connection), records the transcript, judges each expectation. No processes, no files: that is the runner's.
 */
#ifndef HARNESS_SCENARIO_H
#define HARNESS_SCENARIO_H

#include "harness/case.h"
#include "harness/profile.h"
#include "harness/result.h"
#include "harness/transcript.h"

struct scenario_env {
    const struct profile *profile; /* portals with real addresses and ports */
    const char *initiator;         /* initiator name of the run */
    uint64_t seed;                 /* ISIDs, tags and challenges are drawn from it */
    int timeout_ms;                /* for one answer */
    int close_grace_ms;            /* how long the target may take to close after a refusal */
    /* Runs a control verb of the profile; NULL when the profile has none. Returns 0 or -1 with text in err. */
    int (*control)(void *user, const char *verb, char *err, size_t err_len);
    void *user;
};

/* What the expectations came to, before the audit. */
struct scenario_result {
    enum verdict verdict; /* PASS, WARN, FAIL, ERROR, SKIP */
    char reason[512];     /* the one thing that differed */
    char expected[512];
    const char *rule; /* of the expectation that was not met; of the case, NULL: it names none, or all were met */
    bool silence;     /* the verdict rests on nothing having come */
    bool hung_up;     /* the target ended a connection in place of an answer to a Logout of the suite */
    bool unreachable; /* TCP could not be opened: target gone? */
    json_t *seen;     /* array as in result.h; owned */
};

/* t is filled as far as the case got. Returns 0; the verdict tells everything else. */
int scenario_run(const struct case_def *c, const struct scenario_env *env, struct transcript *t,
                 struct scenario_result *out);

/*
 * A genuine libiscsi login to the profile's `open` condition, to measure the answer time (microseconds) and whether the
 * target serves at all. Returns 0 when it logged in, -1 otherwise with text in err.
 */
int scenario_plain_login(const struct scenario_env *env, int64_t *rtt_us, char *err, size_t err_len);

/* FNV-1a 64 over the transcript with live values (ISID, tags, sequence numbers, ports, challenges, names) normalised.
 */
uint64_t scenario_wire_hash(const struct transcript *t);

#endif
