/* What a run has to do: the selected cases, what each needs of the target, why some are left out. Internal. */
#ifndef HARNESS_PLAN_H
#define HARNESS_PLAN_H

#include "harness/runner.h"
#include "harness/worker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAN_CONDITIONS_MAX 64u /* conditions of a profile are kept as bits */

enum plan_state {
    PLAN_WAITING,
    PLAN_RUNNING,
    PLAN_SETTLING, /* it ended, and the target may yet turn out to have died of it */
    PLAN_ALONE,    /* to be run again with nothing beside it */
    PLAN_DONE,
};

enum plan_rerun { PLAN_FIRST_RUN, PLAN_AFTER_SILENCE, PLAN_AFTER_CRASH, PLAN_AFTER_HANGUP };

/* As the results have it; NULL for the first run. */
const char *plan_rerun_name(enum plan_rerun rerun);

struct plan_job {
    const struct runner_options *options; /* of the run; borrowed */
    const struct case_def *c;
    uint64_t arms;  /* conditions that have to be armed */
    uint64_t group; /* those of them that change the whole target: nothing else may run meanwhile */
    uint64_t locks; /* conditions that only one case at a time may use */
    size_t lane;    /* the instance of the target that it ran on last */
    enum plan_state state;
    enum plan_rerun rerun;
    size_t crash;              /* AFTER_CRASH: number of the crash, from 1 */
    int64_t ended_ms;          /* SETTLING: since when */
    int round;                 /* of --repeat, from 0 */
    int attempt;               /* of the run that is on or was last */
    char *text;                /* result of the last run as worker_text; owned */
    struct worker_brief brief; /* of text */
    char *skip;                /* why it is left out; NULL: it runs */
};

struct plan {
    struct plan_job *jobs;
    size_t count;
    size_t case_count; /* distinct cases */
};

/* Selects and resolves. Returns EXIT_ALL_PASSED, or EXIT_USAGE / EXIT_NOTHING / EXIT_FAULT with err. */
enum results_exit plan_make(struct plan *plan, const struct runner_options *options, char *err, size_t err_len);
/* Once the target is up: leaves out what it turned out not to have (optional portals of the profile). */
void plan_look_again(struct plan *plan);
void plan_free(struct plan *plan);

/* The head of results.jsonl as far as it is known before the run. */
bool plan_head(const struct runner_options *options, const struct plan *plan, json_t *head);

/* Adds what stands in every line to a result: title, subject, code, proves, needs, proof. */
void plan_complete_line(const struct runner_options *options, const struct plan_job *job, json_t *line);

#endif
