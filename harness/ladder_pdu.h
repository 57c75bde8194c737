/* How one PDU looks in the ladder, and the escaping of what peers sent. */
#ifndef HARNESS_LADDER_PDU_H
#define HARNESS_LADDER_PDU_H

#include "harness/transcript.h"

#include <stdint.h>
#include <stdio.h>

struct ladder_out {
    FILE *file;
    const char *secrets[2]; /* masked wherever they would stand; "" none */
};

/* Length of the secret that stands at p, 0 when none does. */
size_t ladder_secret_at(const struct ladder_out *out, const char *p, size_t len);

/* Printable ASCII as it is, everything else as \xNN, secrets as (secret). */
void ladder_escape(struct ladder_out *out, const void *bytes, size_t len);

/* Lines of 16 bytes in hex with offsets; long runs are cut and their length told. */
void ladder_hex(struct ladder_out *out, const uint8_t *bytes, size_t len);

/* Name, fields, status and keys of a PDU, from the first line's end on. wire: its len bytes. */
void ladder_pdu(struct ladder_out *out, const struct transcript_pdu *pdu, const uint8_t *wire, unsigned segments);

#endif
