/* What the driver of the command line (options.c) and its table (options_table.c) share; not for others. */
#ifndef ISCSISPEC_OPTIONS_PARSE_H
#define ISCSISPEC_OPTIONS_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "options.h"

struct options_parse;

/* A value that names portals: looked up when all flags are read. */
struct options_late {
    const struct options_row *row;
    size_t target;
    const char *value;                  /* in argv */
    bool (*resolve)(struct options_parse *parse, struct config_target *target, const char *value);
};

struct options_parse {
    struct options *options;
    const struct options_row *row;      /* the flag being applied */
    struct options_late *late;          /* owned by the driver */
    size_t late_count;
    char *error;                        /* OPTIONS_ERROR_MAX bytes */
};

/* Writes "--flag 'value': reason" (without the value when it is NULL) and returns false. */
bool options_reject(struct options_parse *parse, const char *value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes that memory is out and returns false. */
bool options_no_memory(struct options_parse *parse);

#endif
