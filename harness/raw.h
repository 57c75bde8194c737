/* PDUs that are made by the harness and not by libiscsi: inserted ones, those after the login, those of `base: raw`. */
#ifndef HARNESS_RAW_H
#define HARNESS_RAW_H

#include "harness/conn.h"

/* A PDU of the case's own, with sensible values in all fields that it does not set. 0, or -1 with text in err. The
 * caller frees *out. Digests are added where they were agreed on, but not to hex. */
int raw_build(struct conn *c, const struct case_pdu *pdu, uint8_t **out, size_t *len, char *err, size_t err_len);

/* The same for a header that is filled in already. NULL when out of memory. */
uint8_t *raw_frame(const struct conn *c, const uint8_t *bhs, const void *data, size_t data_len, size_t *len);

/* The header of a request with the connection's numbers and a fresh ITT. */
void raw_header(struct conn *c, uint8_t opcode, uint8_t *bhs);

/* Counts the command that was just sent: CmdSN goes up behind commands that are not immediate. */
void raw_sent(struct conn *c, const uint8_t *bhs);

#endif
