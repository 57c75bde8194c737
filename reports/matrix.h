/* Several runs side by side: targets x codes and targets x rules by subject. */
#ifndef REPORTS_MATRIX_H
#define REPORTS_MATRIX_H

#include "harness/catalogue.h"
#include "harness/result.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

/* Targets x codes. Returns 0; -1: no run, more than fit in a table, or no memory. */
int matrix_write(FILE *out, const struct results *runs, size_t count);

/* matrix.md: both tables, and what each target broke. rules NULL: codes only. Returns 0 or -1. */
int matrix_write_all(FILE *out, const struct results *runs, size_t count, const struct catalogue *rules);

/* matrix.json as a value, schema iscsispec-matrix/1. Caller decrefs; NULL: no memory. */
json_t *matrix_json(const struct results *runs, size_t count, const struct catalogue *rules);

#endif
