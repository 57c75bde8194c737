/* Workers in flight: their pipes, their deadlines, how each ended. Internal to the runner. */
#ifndef HARNESS_POOL_H
#define HARNESS_POOL_H

#include "harness/worker.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct pool_slot {
    pid_t pid;           /* 0: no worker */
    int task_fd;         /* where it takes its tasks from */
    int answer_fd;       /* where its answers come */
    void *job;           /* NULL: idle */
    int64_t deadline_ms; /* of process_now_ms() */
    char *text;          /* what came of the answer, its head too */
    size_t len;
};

struct pool {
    struct pool_slot *slots;
    size_t size;
    size_t busy;
    char *chunk;      /* what one read takes, POOL_CHUNK bytes */
    int64_t until_ms; /* of process_now_ms(): pool_wait() waits no longer; 0: no limit */
    int signal_fd;    /* readable when SIGINT or SIGTERM is pending */
};

enum pool_event {
    POOL_FINISHED,
    POOL_INTERRUPTED,
    POOL_IDLE,      /* nothing in flight */
    POOL_TIME_OVER, /* until_ms has come */
};

struct pool_outcome {
    void *job;
    char *text;       /* worker_text; NULL: the worker gave none; the receiver frees */
    char reason[128]; /* why there is none */
};

bool pool_init(struct pool *p, size_t size);
/* Kills what is in flight. */
void pool_free(struct pool *p);
/* Lets the idle workers go, because what they saw of this process when they were started is out of date. */
void pool_renew(struct pool *p);
/* Gives the task to a worker, a new one if need be. job must not be NULL. False with errno. */
bool pool_start(struct pool *p, const struct worker_task *task, void *job);
/* Waits for the next worker to be done or to end, for a deadline, or for Ctrl-C. */
enum pool_event pool_wait(struct pool *p, struct pool_outcome *out);
/* Calls see() for every job in flight. */
void pool_each(const struct pool *p, void (*see)(void *user, void *job), void *user);

#endif
