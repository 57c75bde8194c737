/* One run while it goes on: shared by runner.c (before and after) and schedule.c (which case when). Internal. */
#ifndef HARNESS_SCHEDULE_H
#define HARNESS_SCHEDULE_H

#include "harness/plan.h"
#include "harness/pool.h"
#include "harness/runner.h"

#include <stdio.h>

/* One running copy of the target, and what goes on at it. */
struct schedule_lane {
    struct hooks *hooks; /* borrowed */
    size_t busy;         /* cases in flight */
    uint64_t held;       /* exclusive conditions in use */
    bool down;           /* it is gone and has to be restarted */
};

struct runner {
    const struct runner_options *options;
    struct hooks *hooks;         /* of the first instance */
    struct schedule_lane *lanes; /* by instance */
    size_t lane_count;
    size_t lane_limit; /* cases at a time on one of them */
    struct plan plan;
    struct pool pool;
    struct results *results;
    FILE *journal;
    int timeout_ms;
    int close_grace_ms;
    size_t done;
    size_t crashes;
    bool down; /* of some lane */
    bool lost; /* one of them is gone for good */
    bool interrupted;
    char fault[512]; /* a fault of ours that ends the run; "" none */
};

/* Runs every case of the plan to its verdict, as far as the target, faults of ours and Ctrl-C let it. */
void schedule_run(struct runner *r);

/* Tells the listener. */
void runner_remark(const struct runner *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *runner_initiator(const struct runner_options *options);

#endif
