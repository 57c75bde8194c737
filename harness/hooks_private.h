/* Shared by the files of hooks. */
#ifndef HARNESS_HOOKS_PRIVATE_H
#define HARNESS_HOOKS_PRIVATE_H

#include "harness/hooks.h"

enum {
    HOOKS_REACH_MS = 2500, /* a target of others has to accept within */
};

/* Writes the message and returns status. */
enum hooks_status hooks_fail(enum hooks_status status, char *err, size_t err_len, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The end of the target's log, for a message; "" none. */
void hooks_log_tail(const struct hooks *h, char *out, size_t out_len);

/* What stands in the target's log by now is not of the target that is about to be started. */
void hooks_log_skip(struct hooks *h);

/* Reaps the target when it has ended by itself. */
bool hooks_process_is_there(struct hooks *h);

/* Until the target that was started is ready, by whatever the profile goes. */
enum hooks_status hooks_await_ready(struct hooks *h, char *err, size_t err_len);

/* A target of others: names become addresses, and the first portal has to accept. */
enum hooks_status hooks_reach_portals(struct hooks *h, char *err, size_t err_len);

#endif
