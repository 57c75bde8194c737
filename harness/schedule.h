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
    bool unusual;        /* something happened that asks for a plain login at the end */
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
    size_t hangups; /* cases that ran again since the target hung up on a Logout */
    bool served;    /* a plain login succeeded before the first case */
    bool down;      /* of some lane */
    bool lost;      /* one of them is gone for good */
    bool interrupted;
    char stopped[320]; /* why no more cases are run, by the user's wish; "" they are */
    char fault[512];   /* a fault of ours that ends the run; "" none */
};

/* Runs every case of the plan to its verdict, as far as the target, faults of ours and Ctrl-C let it. */
void schedule_run(struct runner *r);

enum {
    SCHEDULE_PATIENCE = 5,        /* a rerun after silence has so many times the limits */
    SCHEDULE_SETTLE_MS = 300,     /* so long after its end a case is suspected when the target dies */
    SCHEDULE_DYING_MS = 30,       /* from the end of its connections to that of a process */
    SCHEDULE_HANGUP_ATTEMPTS = 4, /* of a case: where one Logout in a hundred is lost, two in a row are no rarity */
    SCHEDULE_HANGUPS_MAX = 64,    /* more than that: it is the way of the target, and no answer was lost */
};

/* Has the instance that the case ran on died of it, or of one beside it? how: in words. */
bool schedule_target_is_gone(struct runner *r, const struct plan_job *job, char *how, size_t how_len);

/* A plain login shows that an instance still serves. */
bool schedule_still_serves(struct runner *r, size_t lane);

/* What is told of a case that the target died of: how, the last that was sent, the line that does it again. */
void schedule_crash_reason(const struct runner *r, const struct plan_job *job, const char *how, char *out,
                           size_t out_len);

/* The evidence of a result says the same verdict as its line. */
void schedule_retitle(const struct runner *r, const json_t *line);

/* Keeps the result of a job's last run. Takes text. */
void schedule_keep(struct runner *r, struct plan_job *job, char *text);
/* Keeps a result that no worker made. */
void schedule_keep_verdict(struct runner *r, struct plan_job *job, enum verdict v, const char *reason);
/* What a worker made becomes another verdict, its evidence stays. */
void schedule_change_verdict(struct runner *r, struct plan_job *job, enum verdict v, const char *reason);
/* The verdict that is kept stands: it goes to the journal, and the listener hears of it. */
void schedule_finalize(struct runner *r, struct plan_job *job);
void schedule_finalize_with(struct runner *r, struct plan_job *job, enum verdict v, const char *reason);
/* Only now are the lines taken apart: while workers share our memory each page of it that changes is copied. */
void schedule_collect(struct runner *r);

/* Tells the listener. */
void runner_remark(const struct runner *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *runner_initiator(const struct runner_options *options);

#endif
