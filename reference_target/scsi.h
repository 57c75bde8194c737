/*
 * SCSI for one logical unit, LUN 0, a disk of 512-byte blocks: enough for initiators' tools (RFC 7143 11.3 to 11.8).
 */
#ifndef ISCSISPEC_SCSI_H
#define ISCSISPEC_SCSI_H

#include "engine.h"

/* A SCSI Command PDU with its immediate data. */
void scsi_command(struct conn *conn, const uint8_t *bhs, const uint8_t *data, size_t length);

/* A Data-Out PDU. */
void scsi_data_out(struct conn *conn, const uint8_t *bhs, const uint8_t *data, size_t length);

/* A Task Management Function Request. */
void scsi_task_management(struct conn *conn, const uint8_t *bhs);

/* Forgets all tasks of a connection. */
void scsi_abort_all(struct conn *conn);

#endif
