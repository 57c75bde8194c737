/*
 * Control verbs: one line of text in, lines of data and then ok or error: REASON out. No I/O.
 */
#ifndef ISCSISPEC_VERBS_H
#define ISCSISPEC_VERBS_H

#include <stdbool.h>
#include <stddef.h>

#include "connections.h"
#include "node.h"

enum { VERBS_LINE_MAX = 1024 };         /* bytes of a line without its newline */

/* What verbs act on. */
struct verbs_context {
    struct node *node;
    const struct config *config;
    const struct connections *hub;
    void (*quit)(void *context);        /* ends the server soon after */
    void *context;
};

struct verbs_arguments;

struct verbs_row {
    const char *name;
    const char *placeholder;            /* of the arguments; "" without any */
    const char *help;
    size_t least, most;                 /* number of arguments */
    bool (*run)(const struct verbs_context *context, const struct verbs_arguments *arguments);
};

/* The verbs in the order of help; NULL behind the last. */
const struct verbs_row *verbs_at(size_t index);

/*
 * Carries out a line of length bytes, not NUL-terminated and of any content. The answer ends with a newline; the caller
 * frees it. NULL: no memory. *good tells ok from error.
 */
char *verbs_run(const struct verbs_context *context, const char *line, size_t length, size_t *answer_length,
                bool *good);

#endif
