/*
 * Log lines on standard error that never hold up the server: a reader that does not read costs lines, not time.
 */
#ifndef ISCSISPEC_LOG_H
#define ISCSISPEC_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "node.h"

struct log {
    int descriptor;
    enum node_log_level level;      /* what is below is left out */
    uint64_t dropped;               /* lines that found no room since the last that did */
};

/* Writes one line: level, text. Bytes outside printable ASCII come out as ?, long lines are cut. */
void log_write(struct log *log, enum node_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
