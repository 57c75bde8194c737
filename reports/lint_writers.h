/* The writers of lint: each makes one report out of what lint gives it, as it comes. */
#ifndef REPORTS_LINT_WRITERS_H
#define REPORTS_LINT_WRITERS_H

#include "harness/lint.h"

#include <jansson.h>

#include <stdbool.h>
#include <stdio.h>

/* State of a writer; zeroed by its function. */
struct lint_writer {
    FILE *out; /* of the caller */
    bool brief;
    const struct catalogue *rules;
    bool later; /* something stands before: a comma is due */
    uint64_t connections;
};

/*
 * Each fills *sink; *w has to live as long. The text is for a terminal: brief leaves out steps and keys. JSON is one
 * object, SARIF a log of version 2.1.0, HTML one page without anything from elsewhere.
 */
void lint_text(struct lint_writer *w, FILE *out, bool brief, struct lint_sink *sink);
void lint_json(struct lint_writer *w, FILE *out, struct lint_sink *sink);
void lint_sarif(struct lint_writer *w, FILE *out, struct lint_sink *sink);
void lint_html(struct lint_writer *w, FILE *out, struct lint_sink *sink);

/* One more item of the JSON array that is being written; takes the reference. False: not written. */
bool lint_writer_put(struct lint_writer *w, json_t *item);

/* Formats by name: "text", "json", "sarif", "html". False: there is none of that name. */
bool lint_writer_open(struct lint_writer *w, const char *format, FILE *out, bool brief, struct lint_sink *sink);

#endif
