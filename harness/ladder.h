/*
 * The readable evidence of an exchange: each PDU of each connection in the order of the recording, with its header
 * fields and keys, what the case did to it, what the auditor found in it, and how each direction ended.
 */
#ifndef HARNESS_LADDER_H
#define HARNESS_LADDER_H

#include "harness/audit.h"
#include "harness/transcript.h"

#include <stddef.h>
#include <stdio.h>

/* What is written above the ladder. Each may be NULL. The strings belong to the caller. */
struct ladder_head {
    const char *id; /* of the case */
    const char *title;
    const char *verdict; /* "FAIL" */
    const char *reason;
};

/*
 * Writes to a stream. head and findings may be NULL. What came from a peer is escaped: nothing but printable ASCII
 * and newlines goes out. Secrets of the context are masked wherever they would stand. Returns 0; -1 when out of
 * memory, or when the stream has an error.
 */
int ladder_write(FILE *out, const struct transcript *t, const struct ladder_head *head,
                 const struct finding_list *findings);

/* The same to a file, all or nothing. Returns 0, or -1 with the reason in err. */
int ladder_save(const struct transcript *t, const struct ladder_head *head, const struct finding_list *findings,
                const char *path, char *err, size_t err_len);

/* ladder_save without head and findings. */
int ladder_write_file(const struct transcript *t, const char *path, char *err, size_t err_len);

#endif
