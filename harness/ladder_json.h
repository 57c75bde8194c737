/*
 * The ladder for programs: the same rows as the readable one, with the bytes instead of their meaning. The HTML report
 * draws from it; docs/results.md has its shape.
 */
#ifndef HARNESS_LADDER_JSON_H
#define HARNESS_LADDER_JSON_H

#include "harness/transcript.h"

#include <stddef.h>
#include <stdio.h>

/* Bounds of what is written of a peer that floods. */
#define LADDER_JSON_BYTES_MAX 2048u /* of a PDU */
#define LADDER_JSON_PDU_MAX   120u  /* of a connection */
#define LADDER_JSON_CONN_MAX  32u

/* Writes one JSON object and a newline. Secrets of the context are masked with *. Returns 0; -1: no memory, or an
 * error of the stream. */
int ladder_json_write(FILE *out, const struct transcript *t);

/* The same to a file. Returns 0, or -1 with the reason in err. */
int ladder_json_save(const struct transcript *t, const char *path, char *err, size_t err_len);

#endif
