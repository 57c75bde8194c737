/*
 * Fuzzing of a login over the network: starts from what genuine initiators say, changes it, plays it to the target on
 * many connections at once, keeps what shows new states, watches that the target lives, and makes findings of what is
 * wrong: files that show it again. One thread.
 *
 * Execution number N with seed S is made of S, N and the corpus as it was after execution N - NETFUZZ_LAG: so the same
 * seed against a target that answers the same sends the same inputs, however many connections there are and whenever it
 * was interrupted. Outside that are live values of the target (TSIH, StatSN, challenges and what is computed from them)
 * and answers that come too late.
 */
#ifndef HARNESS_NETFUZZ_H
#define HARNESS_NETFUZZ_H

#include "harness/catalogue.h"
#include "harness/hooks.h"
#include "harness/netfuzz_finding.h"
#include "harness/netfuzz_stats.h"
#include "harness/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETFUZZ_LAG 2048u

enum { NETFUZZ_CONNECTIONS_DEFAULT = 16, NETFUZZ_CONNECTIONS_MAX = 1000, NETFUZZ_PATIENCE_DEFAULT = 30 };

/* What the fuzzer tells while it runs. All may be NULL. */
struct netfuzz_listener {
    /* About five times a second. */
    void (*progress)(void *user, const struct netfuzz_stats *stats);
    void (*remark)(void *user, const char *text);
    void *user;
};

struct netfuzz_options {
    struct hooks *hooks;           /* initialised, not started; borrowed */
    const struct case_list *cases; /* whose bytes are seeds; NULL: logins of libiscsi alone */
    const struct catalogue *rules; /* severity of what the auditor finds */
    const char *profile_name;      /* as on the command line; NULL: a target by URL */
    const char *target_url;        /* NULL: a profile */
    const char *initiator;         /* NULL: RUNNER_INITIATOR */
    const char *out;               /* directory of the run: made, or resumed */
    const char *const *corpus;     /* directories of further inputs */
    size_t corpus_count;
    int64_t time_ms; /* 0: no limit */
    uint64_t execs;  /* 0: no limit */
    uint64_t seed;
    size_t connections; /* 0: NETFUZZ_CONNECTIONS_DEFAULT */
    int patience_ms;    /* how long to listen where no answer need come; 0: NETFUZZ_PATIENCE_DEFAULT */
    struct netfuzz_listener listener;
};

/*
 * Fuzzes until time or executions are used up, or Ctrl-C. stats is filled also when it ends early; the files in out are
 * complete whenever it returns. Returns EXIT_ALL_PASSED, EXIT_FINDINGS, EXIT_INTERRUPTED, or EXIT_USAGE,
 * EXIT_UNREACHABLE, EXIT_FAULT with the reason in err.
 */
enum results_exit netfuzz_run(const struct netfuzz_options *options, struct netfuzz_stats *stats, char *err,
                              size_t err_len);

/* The seed of the run that left its state in out. False: there is none. */
bool netfuzz_kept_seed(const char *out, uint64_t *seed);

/* Plays the input or all inputs of the directory once more and tells which still show something. Returns as
 * netfuzz_run(). */
enum results_exit netfuzz_replay(const struct netfuzz_options *options, const char *path, struct netfuzz_stats *stats,
                                 char *err, size_t err_len);

#endif
