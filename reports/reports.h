/* The writers: each makes one report from a run's results, with the catalogue for the words of the rules. */
#ifndef REPORTS_REPORTS_H
#define REPORTS_REPORTS_H

#include "harness/catalogue.h"
#include "harness/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The coverage table with its counts, as it stands in coverage.md and on the terminal. Returns 0 or -1. */
int markdown_table(FILE *out, const struct results *r);

/*
 * coverage.md. rules: for the second table, NULL: left out. published: without anything that changes from run to run.
 * Returns 0 or -1.
 */
int markdown_write(FILE *out, const struct results *r, const struct catalogue *rules, bool published);

/* coverage.json as a value. Caller decrefs; NULL: no memory. */
json_t *coverage_json(const struct results *r);

/* JUnit XML into a file. Returns 0 or -1. */
int junit_write(const char *path, const struct results *r);

/* TAP version 14. Returns 0 or -1. */
int tap_write(FILE *out, const struct results *r);

/* SARIF 2.1.0 as a value; rules may be NULL: their words are then missing. Caller decrefs; NULL: no memory. */
json_t *sarif_json(const struct results *r, const struct catalogue *rules);

/*
 * All reports of one run in dir. evidence: the directory of the run, where its ladders lie; links lead there. Returns
 * 0, or -1 with the reason in err.
 */
int reports_write_all(const char *dir, const char *evidence, const struct results *r, const struct catalogue *rules,
                      char *err, size_t err_len);

#endif
