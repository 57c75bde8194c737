/* A place in a file that a person wrote, and the error that speaks of it. */
#ifndef HARNESS_POSITION_H
#define HARNESS_POSITION_H

#include <stddef.h>

struct position {
    const char *file; /* owned by whoever loaded the file, lives as long as that */
    int line;         /* from 1; 0: whole file */
    int column;       /* from 1 */
};

/* The first error of a load. text is "FILE:LINE:COLUMN: VALUE: reason; way out". */
struct load_error {
    char text[512];
};

/* Fills err (may be NULL) unless it holds an earlier error. Always returns -1, for use in a return statement. */
int load_error_set(struct load_error *err, const struct position *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
