/*
 * Child processes of the harness: shell commands of a profile. Each gets a session of its own, so that Ctrl-C on the
 * terminal reaches only us and one kill reaches all it started, and dies with us whatever happens to us.
 */
#ifndef HARNESS_PROCESS_H
#define HARNESS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum process_status {
    PROCESS_DONE,        /* it ended by itself, see code */
    PROCESS_TIMEOUT,     /* it was killed at the deadline */
    PROCESS_INTERRUPTED, /* it was killed because SIGINT or SIGTERM is pending for us */
    PROCESS_FAILED,      /* it could not be started */
};

struct process_result {
    enum process_status status;
    int code;          /* exit status, or 128 + signal */
    char output[4096]; /* the end of what it wrote to stdout and stderr, NUL-terminated */
    char tail[256];    /* the last line of output that says something */
};

/* Milliseconds and microseconds of a clock that only goes forward. */
int64_t process_now_ms(void);
int64_t process_now_us(void);
void process_sleep_ms(int ms);

/* True when SIGINT or SIGTERM waits for us; both are blocked in the parent (process_block_signals). */
bool process_interrupted(void);
/* Takes what is pending, so that cleaning up is not interrupted by the same Ctrl-C. True when there was something. */
bool process_take_interrupt(void);
/* Blocks SIGINT, SIGTERM and SIGCHLD for this process; SIGPIPE is ignored. Undone in each child. */
void process_block_signals(void);
/* What every child of ours does first: a process group of its own, death with the parent, default signals. */
void process_child_setup(pid_t parent);

/*
 * Starts `sh -c command` with stdout and stderr at log_fd. env: NAME=VALUE pairs that are added, NULL-terminated, may
 * be NULL. Returns the pid, which is also the id of its process group; -1 with errno.
 */
pid_t process_start(const char *command, int log_fd, const char *const *env);

/* Runs a command to its end or to the deadline, in milliseconds. */
void process_run(const char *command, const char *const *env, int deadline_ms, struct process_result *out);

/* The last line of text that is not blank, cut to fit. */
void process_last_line(const char *text, char *out, size_t out_len);

#endif
