/*
 * One case in a process of its own: drives it, audits the transcript, writes the evidence, hands the result line to
 * the parent through a pipe. Whatever happens in it costs one verdict.
 */
#ifndef HARNESS_WORKER_H
#define HARNESS_WORKER_H

#include "harness/catalogue.h"
#include "harness/hooks.h"
#include "harness/scenario.h"

#include <jansson.h>
#include <sys/types.h>

struct worker_task {
    const struct case_def *c;
    const struct catalogue *rules;
    struct hooks *hooks; /* for control verbs and the profile */
    const char *out;     /* the run's directory */
    const char *initiator;
    uint64_t seed;
    int timeout_ms;
    int close_grace_ms;
    int attempt;
};

/* Forks. *fd: read end of the pipe on which one line comes. Returns the pid, -1 with errno. */
pid_t worker_start(const struct worker_task *task, int *fd);

/* The work itself, in this process: the result line. Caller decrefs; NULL: no memory. */
json_t *worker_run(const struct worker_task *task);

/*
 * A bound for the whole case, milliseconds: what its steps may take at most and then some. A worker that takes longer
 * hangs.
 */
int worker_deadline_ms(const struct worker_task *task);

/* File name of a case's evidence without suffix: what is no letter, digit or one of . _ = , + - becomes _. */
void worker_evidence_name(const char *id, char *out, size_t out_len);

#endif
