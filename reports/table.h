/* A table in Markdown whose columns line up on a terminal too. */
#ifndef REPORTS_TABLE_H
#define REPORTS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 32u

struct table {
    size_t columns;
    char **cells; /* row by row; the first row is the head; owned */
    size_t count; /* of cells */
    size_t room;
    bool failed; /* out of memory; sticky */
};

/* columns is cut to TABLE_COLUMNS_MAX. */
void table_init(struct table *t, size_t columns);
/* Adds the next cell; | and line ends are made harmless. */
void table_add(struct table *t, const char *text);
/* A row with text in its first cell only. */
void table_add_heading(struct table *t, const char *text);
/* Returns 0, -1 when something failed. */
int table_write(const struct table *t, FILE *out);
void table_free(struct table *t);

/* Columns that UTF-8 text takes on a terminal. */
size_t table_width(const char *text);

#endif
