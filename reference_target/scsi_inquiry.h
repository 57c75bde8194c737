/*
 * Commands that answer with a few bytes: what kind of device this is (SPC-4, SBC-3).
 */
#ifndef ISCSISPEC_SCSI_INQUIRY_H
#define ISCSISPEC_SCSI_INQUIRY_H

#include "engine.h"

enum { SCSI_REPLY_MAX = 512 };

enum scsi_status { SCSI_GOOD = 0x00, SCSI_CHECK_CONDITION = 0x02 };

/* Sense key << 16 | additional sense code << 8 | qualifier. */
enum scsi_sense {
    SCSI_SENSE_NONE = 0,
    SCSI_SENSE_MEDIUM_ERROR = 0x031100,
    SCSI_SENSE_WRITE_ERROR = 0x030c00,
    SCSI_SENSE_INVALID_OPCODE = 0x052000,
    SCSI_SENSE_LBA_OUT_OF_RANGE = 0x052100,
    SCSI_SENSE_INVALID_FIELD = 0x052400,
    SCSI_SENSE_NO_SUCH_UNIT = 0x052500,
    SCSI_SENSE_UNEXPECTED_DATA = 0x0b0c0c
};

/* What a command comes to. */
struct scsi_reply {
    enum scsi_sense sense;          /* not NONE: CHECK CONDITION */
    size_t length;                  /* of bytes, cut to the allocation length */
    uint8_t bytes[SCSI_REPLY_MAX];
    bool transfer;                  /* blocks instead of bytes */
    bool write;
    uint64_t offset;                /* of the transfer on the disk, bytes */
    uint64_t transfer_length;       /* bytes */
};

/* A command as its handlers see it. */
struct scsi_request {
    struct node *node;
    size_t target;
    uint64_t lun;                   /* as on the wire; 0 is the only one there is */
    const uint8_t *cdb;             /* 16 bytes */
};

typedef void scsi_handler(const struct scsi_request *request, struct scsi_reply *reply);

scsi_handler scsi_do_inquiry, scsi_do_report_luns, scsi_do_request_sense, scsi_do_mode_sense6, scsi_do_mode_sense10,
    scsi_do_read_capacity10, scsi_do_service_action_in;

/* Fixed-format sense data, 18 bytes. */
void scsi_put_sense(uint8_t *bytes, enum scsi_sense sense);

#endif
