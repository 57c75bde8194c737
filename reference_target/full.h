/*
 * Full feature phase: dispatch of PDUs, numbering, NOP, text, logout, reject (RFC 7143 chapter 11).
 */
#ifndef ISCSISPEC_FULL_H
#define ISCSISPEC_FULL_H

#include "engine.h"

/* One complete PDU without digests. False: it has to wait until the commands before it have come. */
bool full_pdu(struct conn *conn, const uint8_t *bhs, const uint8_t *data, size_t length);

/* Fills StatSN (and takes the next one when count is true), ExpCmdSN and MaxCmdSN into a response. */
void full_number(struct conn *conn, struct pdu_response *response, bool count);

/* Encodes, numbers with a StatSN of its own, and sends. */
void full_send(struct conn *conn, struct pdu_response *response, const void *data, size_t length);

/* Rejects a PDU, RFC 7143 11.17. */
/* What the switches send of their own accord as soon as the connection is in full feature phase. */
void full_greet(struct conn *conn);

void full_reject(struct conn *conn, const uint8_t *bhs, uint8_t reason);

#endif
