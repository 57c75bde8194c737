/* What a running target says of itself as JSON: the ready file, the first line of output, the verb portals. */
#ifndef ISCSISPEC_READY_H
#define ISCSISPEC_READY_H

#include <stdbool.h>

#include "config.h"

/*
 * One line without a newline: {"pid": N, "portals": {NAME: {"address": HOST, "port": N, "tag": N}, ...}, "targets":
 * [NAME, ...], "control": PATH or null}. All portals have to be bound. The caller frees it. NULL: no memory.
 */
char *ready_text(const struct config *config, const char *control_path);

/* Only the portals object. The caller frees it. */
char *ready_portals_text(const struct config *config);

/* Writes text and a newline to path so that a reader sees all or nothing. False: errno says why. */
bool ready_write(const char *path, const char *text);

#endif
