/* What a person sees of a run while it runs: on a terminal a line that moves, elsewhere only what matters. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "harness/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
    bool quiet;
    bool live;   /* stderr is a terminal */
    bool colour; /* and NO_COLOR is not set */
    bool drawn;  /* a line is there that has to be taken away first */
    int64_t start_ms, drawn_ms;
    size_t failed, warned;
};

void progress_init(struct progress *p, bool quiet);
/* For runner_listener and selftest_options. */
void progress_finished(void *progress, const char *id, enum verdict v, const char *reason, size_t done, size_t total);
void progress_remark(void *progress, const char *text);
void progress_defect(void *progress, const char *defect, size_t done, size_t total);
/* Takes the moving line away. */
void progress_end(struct progress *p);

/* What it came to, on stdout: what failed, what is flaky, verdicts, time. */
void progress_summary(const struct progress *p, const struct results *r, int64_t ms);

#endif
