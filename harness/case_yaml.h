/* Pieces of case files: texts and keys so quoted that the loader reads exactly these bytes again. */
#ifndef HARNESS_CASE_YAML_H
#define HARNESS_CASE_YAML_H

#include "wire/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Can it be written into a case at all? A brace before a small letter would be taken for a live value that is not
 * meant.
 */
bool case_yaml_writable(const void *text, size_t len);

/* Is it a run of well-formed pairs that a list of keys holds without loss: printable, each with its null byte? */
bool case_yaml_is_keys(const void *text, size_t len);

/* ["A=1", "B=2"] */
void case_yaml_keys(FILE *out, const void *text, size_t len);
/* "A=1" */
void case_yaml_pair(FILE *out, const void *pair, size_t len);
/* 'A=1\0B=2\0' */
void case_yaml_text(FILE *out, const void *text, size_t len);

#endif
