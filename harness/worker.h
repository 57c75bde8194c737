/*
 * Cases in a process of their own, one at a time: drives it, audits the transcript, writes the evidence, hands the
 * result line to the parent through a pipe. Whatever happens in it costs one verdict.
 *
 * A worker serves many cases, since a fork for each costs more than most cases do. It sees the parent's memory as it
 * was when it was started, so what a task points to must not have changed since; else start another one.
 */
#ifndef HARNESS_WORKER_H
#define HARNESS_WORKER_H

#include "harness/catalogue.h"
#include "harness/hooks.h"
#include "harness/scenario.h"

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

struct worker_task {
    const struct case_def *c;
    const struct catalogue *rules;
    struct hooks *hooks; /* for control verbs and the profile */
    const char *out;     /* the run's directory */
    const char *initiator;
    struct rule_floor floor; /* findings of rules below do not count */
    uint64_t seed;
    int timeout_ms;
    int close_grace_ms;
    int attempt;
    const char *rerun; /* why it runs again; NULL: it is the first time */
    int round; /* of --repeat, from 0: evidence of each has a name of its own */
    /* Adds to the finished line what only the caller knows; runs in the worker. May be NULL. */
    void (*complete)(void *user, json_t *line);
    void *user;
};

/* What the parent has to know at once; the line itself it need not take apart while the run goes on. */
struct worker_brief {
    enum verdict verdict;
    bool silence;
    bool unreachable;
    bool hung_up;
};

/* The brief and the line as one text: "VERDICT SILENCE UNREACHABLE HUNG-UP\n{...}". malloc'ed; NULL: no memory. */
char *worker_text_make(const json_t *line);
/* Takes such a text apart; *line points into it. False: it is none. */
bool worker_text_read(const char *text, struct worker_brief *brief, const char **line);

/* What goes before each worker_text on the answer pipe: its length in bytes, host order. */
struct worker_answer_head {
    uint32_t len;
};

/*
 * Forks a worker. *task_fd takes whole struct worker_task, one for each case; on *answer_fd comes a worker_answer_head
 * and a worker_text for each. The worker ends when either pipe breaks. Returns the pid, -1 with errno.
 */
pid_t worker_start(int *task_fd, int *answer_fd);

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
