/*
 * The pcapng format, block by block. libpcap reads it too, but refuses files whose interfaces differ in link type or
 * snapshot length, as captures on several interfaces and merged ones do.
 */
#ifndef HARNESS_CAPTURE_NG_H
#define HARNESS_CAPTURE_NG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The year 10000. A damaged file may say anything: a time beyond it counts as that year. */
#define CAPTURE_SECONDS_MAX INT64_C(253402300800)

/* One captured frame. */
struct capture_frame {
    int link;             /* DLT_... */
    int64_t us;           /* since 1970 */
    const uint8_t *bytes; /* valid until the next one is read */
    size_t have;          /* captured */
    size_t wire;          /* sent */
};

struct capture_ng;

/* Does the file begin as pcapng does? Reads nothing. */
bool capture_ng_is(FILE *file);
/* The file stays the caller's. NULL when out of memory. */
struct capture_ng *capture_ng_new(FILE *file);
void capture_ng_free(struct capture_ng *ng);

enum capture_ng_result {
    CAPTURE_NG_FRAME,
    CAPTURE_NG_END,
    CAPTURE_NG_DAMAGED, /* capture_ng_error */
};

/* Reads the section header, with which a file begins. Never a frame. */
enum capture_ng_result capture_ng_begin(struct capture_ng *ng);
enum capture_ng_result capture_ng_next(struct capture_ng *ng, struct capture_frame *out);
const char *capture_ng_error(const struct capture_ng *ng);

#endif
