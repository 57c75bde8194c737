/*
 * The store of a target: a RAM disk whose parts come into being when they are written, or a file behind node_env.
 */
#ifndef ISCSISPEC_SCSI_DISK_H
#define ISCSISPEC_SCSI_DISK_H

#include "engine.h"

enum { SCSI_BLOCK = 512, SCSI_DISK_DEFAULT = 16 << 20 };

/* Bytes, a multiple of SCSI_BLOCK. */
uint64_t scsi_disk_size(const struct node *node, size_t target);

/* Moves bytes that lie within the size. False: the store failed. */
bool scsi_disk_read(struct node *node, size_t target, uint64_t offset, uint8_t *bytes, size_t length);
bool scsi_disk_write(struct node *node, size_t target, uint64_t offset, const uint8_t *bytes, size_t length);
bool scsi_disk_flush(struct node *node, size_t target);

/* Frees a RAM disk; NULL is allowed. */
void scsi_disk_free(const struct node *node, struct disk *disk);

#endif
