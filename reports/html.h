/*
 * One self-contained HTML page from one run or several: coverage, matrix, rules, and every case with the ladder of both
 * sides. What a peer sent goes into it as data only, never as HTML.
 */
#ifndef REPORTS_HTML_H
#define REPORTS_HTML_H

#include "harness/catalogue.h"
#include "harness/result.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

struct html_run {
    const struct results *run;
    const char *dir;      /* where the run's evidence lies, for the ladders; NULL: the page has none */
    const char *evidence; /* what links to evidence begin with, "" or "DIR/"; NULL: no links */
};

/* Writes the page. rules may be NULL: their words are then missing. Returns 0 or -1. */
int html_write(FILE *out, const struct html_run *runs, size_t count, const struct catalogue *rules);

/* What the page draws from. Caller decrefs; NULL: no memory. */
json_t *html_data(const struct html_run *runs, size_t count, const struct catalogue *rules);

#endif
