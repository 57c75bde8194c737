/*
 * The Decoder column: what libiscsi itself makes of each status code, measured without any target. A genuine libiscsi
 * login is answered through the tap with a canned Login Response of that code.
 */
#ifndef HARNESS_DECODER_H
#define HARNESS_DECODER_H

#include "wire/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct decoder_cell {
    uint16_t code;
    bool ok;            /* libiscsi reported what wire/status expects of it */
    char reported[300]; /* "logged in", "redirect to HOST:PORT", or libiscsi's error text */
};

/* For a test: the code `from` becomes `to` between tap and libiscsi. from < 0: nothing is corrupted. */
struct decoder_corruption {
    int from, to;
};

/* Name and version of the library that is measured: "libiscsi 1.19.0". Static. */
const char *decoder_name(void);

/*
 * What libiscsi reports when its login is answered with the code; address is put into TargetAddress (NULL: none).
 * Returns libiscsi's callback status (0 logged in, 257 redirect), -1 when it could not be measured; text says what was
 * reported.
 */
int initiator_decode_status(uint16_t code, const char *address, const struct decoder_corruption *corrupt, char *text,
                            size_t cap);

/*
 * Measures all 18 codes in the order of wire/status. corrupt NULL: the environment variable ISCSISPEC_CORRUPT_DECODER
 * ("0203:0204") may hold one, for tests.
 */
void decoder_measure(struct decoder_cell cells[STATUS_COUNT], const struct decoder_corruption *corrupt);

#endif
