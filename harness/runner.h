/*
 * Runs cases against one target: starts it, arms its conditions, lets workers run the cases side by side, restarts it
 * when one kills it, and collects what results.jsonl holds. The parent alone writes results.
 */
#ifndef HARNESS_RUNNER_H
#define HARNESS_RUNNER_H

#include "harness/catalogue.h"
#include "harness/hooks.h"
#include "harness/killtable.h"
#include "harness/result.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the runner tells while it runs. All may be NULL. */
struct runner_listener {
    /* A case came to its final verdict; done of total. */
    void (*finished)(void *user, const char *id, enum verdict v, const char *reason, size_t done, size_t total);
    /* Something a person may want to know: the target was restarted, cases run again, ... */
    void (*remark)(void *user, const char *text);
    void *user;
};

struct runner_options {
    struct hooks *hooks; /* initialised, not started; borrowed. As many as there are instances */
    size_t instances;    /* of the target, each with hooks and a profile of its own; 0 counts as 1 */
    const struct case_list *cases;
    const struct catalogue *rules;
    const struct killtable *kills;
    const char *const *select; /* expressions of case_selected(); none: all */
    size_t select_count;
    struct rule_floor floor; /* cases that prove no rule that counts are not selected, and other findings do not count */
    const char *out;       /* directory of the run; made when missing */
    const char *initiator; /* NULL: RUNNER_INITIATOR */
    const char *again;     /* the command line without what selects cases, for reproducers; NULL unknown */
    int jobs;              /* cases at a time; 0: from the number of cores, or of instances */
    int timeout_ms;        /* 0: of the profile, else calibrated */
    bool shuffle;
    uint64_t seed;
    bool safe;           /* cases that would disturb a live target are left out */
    int shard, shards;   /* only part `shard` of so many, from 1; shards 0: all */
    int repeat;          /* so many times each case; 0: once */
    bool fail_fast;      /* ends with the first failure */
    int64_t max_time_ms; /* ends after that; 0: never */
    bool no_rerun;       /* a FAIL by silence is not run again */
    bool no_decoder;     /* the decoder column is not measured */
    json_t *waivers;     /* entries of waivers.h for the head; borrowed, NULL none */
    struct runner_listener listener;
};

#define RUNNER_INITIATOR "iqn.2024-01.org.iscsispec:initiator"

/*
 * The whole run. results: initialised by the caller, filled also when the run ends early. Returns EXIT_ALL_PASSED when
 * it went through (whatever the verdicts are), EXIT_INTERRUPTED, or EXIT_USAGE, EXIT_NOTHING, EXIT_UNREACHABLE,
 * EXIT_FAULT with the reason in err. The signals are blocked by it (process.h) and stay so.
 */
enum results_exit runner_run(const struct runner_options *options, struct results *results, char *err, size_t err_len);

/* The number of workers that `jobs` 0 means. */
int runner_default_jobs(void);

#endif
