/*
 * The command line of iscsispec-target: one table of flags, from which getopt's array, --help and the man page are made.
 *
 * Flags have three levels. Those of the process may stand anywhere; those of a portal or a target apply to the last
 * --portal or --target before them.
 */
#ifndef ISCSISPEC_OPTIONS_H
#define ISCSISPEC_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "node.h"

enum {
    OPTIONS_ERROR_MAX = 1024,           /* room for the text of an error */
    OPTIONS_DRAIN_TIMEOUT_MS = 5000
};

#define OPTIONS_DEFAULT_TARGET "iqn.2026-01.example.iscsispec:open"

enum options_level {
    OPTIONS_PROCESS,
    OPTIONS_PORTAL,
    OPTIONS_TARGET,
    OPTIONS_TARGET_OR_ALL               /* before the first --target it is for every target */
};

enum options_argument { OPTIONS_NO_ARGUMENT, OPTIONS_ARGUMENT, OPTIONS_ARGUMENT_OPTIONAL };

enum options_action {
    OPTIONS_SERVE,
    OPTIONS_HELP,
    OPTIONS_VERSION,
    OPTIONS_LIST_DEFECTS,
    OPTIONS_LIST_DEFECTS_JSON,
    OPTIONS_LIST_BENIGN,
    OPTIONS_LIST_BENIGN_JSON,
    OPTIONS_CONTROL                     /* client of a running target: --ctl PATH VERB [ARG]... */
};

struct options {
    enum options_action action;
    struct config config;               /* portals and targets have their defaults filled in */
    char *ready_file;                   /* NULL: none */
    char *control_path;                 /* --control, or --ctl for OPTIONS_CONTROL; NULL: none */
    char *control_line;                 /* OPTIONS_CONTROL: the verb and its arguments, blanks between */
    uint32_t drain_timeout_ms;
    enum node_log_level log_level;      /* what is below is not logged */
};

struct options_parse;

/* One flag. */
struct options_row {
    const char *name;                   /* without the dashes */
    enum options_level level;
    enum options_argument argument;
    const char *placeholder;            /* what --help writes for the argument; "" without one */
    const char *help;                   /* one or more sentences, no newline */
    bool (*apply)(struct options_parse *parse, const char *value);
};

/* The flags in the order of --help; NULL behind the last. */
const struct options_row *options_at(size_t index);

/*
 * Fills *options from the arguments. False: error (OPTIONS_ERROR_MAX bytes) names the flag, its value, the reason and
 * the way out. options_free() is due in both cases. Files named by flags are read here.
 */
bool options_parse(struct options *options, int argc, char **argv, char *error);

/* Frees all that options owns. */
void options_free(struct options *options);

#endif
