/* One run while it goes on: shared by runner.c (before and after) and schedule.c (which case when). Internal. */
#ifndef HARNESS_SCHEDULE_H
#define HARNESS_SCHEDULE_H

#include "harness/plan.h"
#include "harness/pool.h"
#include "harness/runner.h"

#include <stdio.h>

struct runner {
    const struct runner_options *options;
    struct hooks *hooks;
    struct plan plan;
    struct pool pool;
    struct results *results;
    FILE *journal;
    int timeout_ms;
    int close_grace_ms;
    uint64_t held; /* exclusive conditions in use */
    size_t done;
    size_t crashes;
    bool down; /* the target is gone and has to be restarted */
    bool lost; /* it is gone for good */
    bool interrupted;
    char fault[512]; /* a fault of ours that ends the run; "" none */
};

/* Runs every case of the plan to its verdict, as far as the target, faults of ours and Ctrl-C let it. */
void schedule_run(struct runner *r);

/* Tells the listener. */
void runner_remark(const struct runner *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *runner_initiator(const struct runner_options *options);

#endif
