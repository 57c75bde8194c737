/* The commands of iscsispec: one table, from which they are found, and --help, the man page and the completion are
 * made. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "harness/cli/cli.h"

#include <stddef.h>

#define COMMANDS_MAX 16u /* no more than that many rows */

struct commands_row {
    const char *name;
    const char *arguments; /* what --help writes for them; "" without any */
    unsigned bit;          /* enum options_command */
    int (*run)(struct cli *cli);
    const char *summary;
    const char *examples; /* lines indented by two blanks, as --help prints them */
};

/* The commands in the order of --help; NULL behind the last. */
const struct commands_row *commands_at(size_t index);

/* An exit status of run and when it comes. */
struct commands_exit {
    int status;
    const char *meaning;
};

/* The exit statuses, the one that wins first; NULL behind the last. */
const struct commands_exit *commands_exit_at(size_t index);

#endif
