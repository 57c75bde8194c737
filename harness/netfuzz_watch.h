/*
 * The health of a target under the network fuzzer: is its process there, what has it written (sanitizer reports, words
 * of a crash, patterns of the profile), how much memory does it hold. Cheap; asked several times a second.
 */
#ifndef HARNESS_NETFUZZ_WATCH_H
#define HARNESS_NETFUZZ_WATCH_H

#include "harness/hooks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum netfuzz_trouble {
    NETFUZZ_FINE,
    NETFUZZ_GONE,    /* the process has ended, or the portal refuses connections */
    NETFUZZ_ALARMED, /* its log tells of a fault, though it goes on */
};

struct netfuzz_watch {
    struct hooks *hooks;
    off_t log_at;        /* how far the log has been read */
    char signature[200]; /* of the first report in the log since netfuzz_watch_reset(); "" none */
    char line[300];      /* the line it was taken from */
    bool summary;        /* the signature is of a summary: nothing better can come */
};

void netfuzz_watch_init(struct netfuzz_watch *w, struct hooks *hooks);
/* Behind a restart: what stands in the log so far is of the one before. */
void netfuzz_watch_reset(struct netfuzz_watch *w);

/* Looks once. */
enum netfuzz_trouble netfuzz_watch_look(struct netfuzz_watch *w);

/* Words for how a process ended that is gone: the signature of its log, else its signal or exit status. */
void netfuzz_watch_describe(const struct netfuzz_watch *w, char *out, size_t cap);

/* Resident memory of the target in KiB, 0 unknown (not ours, gone). */
uint64_t netfuzz_watch_memory(const struct netfuzz_watch *w);

/* A signature out of one line of a log; false: the line tells of no fault. Numbers that differ from run to run are
 * left out. *summary: a sanitizer's own last word. */
bool netfuzz_watch_line(const char *line, char *out, size_t cap, bool *summary);

#endif
