/* What `iscsispec fuzz` shows while it runs: a screen on a terminal, a line now and then elsewhere. On stderr. */
#ifndef CLI_FUZZ_SCREEN_H
#define CLI_FUZZ_SCREEN_H

#include "harness/netfuzz_stats.h"

#include <stdbool.h>
#include <stdint.h>

enum { FUZZ_SCREEN_REMARKS = 6, FUZZ_SCREEN_WIDTH = 79 };

struct fuzz_screen {
    bool quiet, live; /* live: stderr is a terminal */
    bool drawn;       /* the screen has been cleared once */
    int64_t line_ms;  /* when the last line was written, without a terminal */
    int64_t time_ms;  /* limits, for the screen; 0 none */
    uint64_t execs;
    char remarks[FUZZ_SCREEN_REMARKS][200]; /* the last ones, oldest first */
    int remark_count;
};

void fuzz_screen_init(struct fuzz_screen *s, bool quiet, int64_t time_ms, uint64_t execs);
/* Listeners of struct netfuzz_listener; user: the struct fuzz_screen. */
void fuzz_screen_progress(void *user, const struct netfuzz_stats *stats);
void fuzz_screen_remark(void *user, const char *text);
/* Leaves the last picture on the terminal. */
void fuzz_screen_end(struct fuzz_screen *s);

/* The outcome for a person, on stdout. */
void fuzz_screen_summary(const struct netfuzz_stats *stats, const char *out);

#endif
