/* The texts that iscsispec-target prints and exits: help and the lists of defects and benign switches. */
#ifndef ISCSISPEC_HELP_H
#define ISCSISPEC_HELP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* An exit status and when it comes. */
struct help_exit {
    int status;
    const char *meaning;
};

/* The exit statuses in the order of --help; NULL behind the last. */
const struct help_exit *help_exit_at(size_t index);

/* The lines of the examples in the order of --help, what to type behind four blanks; NULL behind the last. */
const char *help_example(size_t index);

/* Everything there is to know to use the program: flags by level, control verbs, examples, exit statuses. */
void help_print(FILE *out);

/* A line each: name, status code concerned, section, what is wrong. */
void help_print_defects(FILE *out);

/* The same as a JSON array of objects: name, what, section, code ("0x0203", null when none). False: no memory. */
bool help_print_defects_json(FILE *out);

/* The switches of --benign, a line each: name, section, what the target does. */
void help_print_benign(FILE *out);

/* The same as a JSON array of objects: name, what, section. False: no memory. */
bool help_print_benign_json(FILE *out);

#endif
