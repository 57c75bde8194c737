/* Small answers; see scsi_inquiry.h. */
#include "scsi_inquiry.h"

#include <stdio.h>
#include <string.h>

#include "scsi_disk.h"
#include "wire/bytes.h"

enum { SENSE_LENGTH = 18, STANDARD_LENGTH = 96, DESCRIPTOR_NAA = 0x03, DESCRIPTOR_NAME = 0x08 };

void scsi_put_sense(uint8_t *bytes, enum scsi_sense sense)
{
    memset(bytes, 0, SENSE_LENGTH);
    bytes[0] = 0x70;                        /* current, fixed format */
    bytes[2] = (uint8_t)((unsigned)sense >> 16);
    bytes[7] = SENSE_LENGTH - 8;
    bytes[12] = (uint8_t)((unsigned)sense >> 8);
    bytes[13] = (uint8_t)sense;
}

/* Never more than the allocation length of the command. */
static void scsi_cut(struct scsi_reply *reply, size_t allocation)
{
    if (reply->length > allocation)
        reply->length = allocation;
}

/* ---- INQUIRY ---- */

/* A number that stays the same for a target name: FNV-1a. */
static uint64_t scsi_identity(const struct scsi_request *request)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (const char *p = request->node->config->targets[request->target].name; *p != '\0'; p++)
        hash = (hash ^ (uint8_t)*p) * UINT64_C(1099511628211);
    return hash;
}

static void scsi_standard_inquiry(const struct scsi_request *request, struct scsi_reply *reply)
{
    uint8_t *bytes = reply->bytes;

    bytes[0] = request->lun == 0 ? 0x00 : 0x7f;     /* disk, or no such unit */
    bytes[2] = 0x06;                                /* SPC-4 */
    bytes[3] = 0x12;                                /* HiSup, response format 2 */
    bytes[4] = STANDARD_LENGTH - 5;
    bytes[7] = 0x02;                                /* CmdQue */
    memcpy(bytes + 8, "ISCSPEC ", 8);
    memcpy(bytes + 16, "Reference disk  ", 16);
    memcpy(bytes + 32, "0001", 4);
    bytes_put_be16(bytes + 58, 0x0960);             /* iSCSI */
    bytes_put_be16(bytes + 60, 0x0460);             /* SPC-4 */
    bytes_put_be16(bytes + 62, 0x04c0);             /* SBC-3 */
    reply->length = STANDARD_LENGTH;
}

/* Device identification: an NAA number of our own and the iSCSI name of the unit. */
static size_t scsi_page_83(const struct scsi_request *request, uint8_t *bytes)
{
    size_t length = 12;

    bytes[0] = 0x01;
    bytes[1] = DESCRIPTOR_NAA;
    bytes[3] = 8;
    bytes_put_be64(bytes + 4, (scsi_identity(request) >> 4) | UINT64_C(3) << 60);
    char name[TEXT_NAME_MAX + 32];
    int used = snprintf(name, sizeof(name), "%s,L,0x0000000000000000",
                        request->node->config->targets[request->target].name);
    size_t padded = ((size_t)used + 4) / 4 * 4;     /* ends with at least one null */

    bytes[length] = 0x53;                           /* iSCSI, UTF-8 */
    bytes[length + 1] = 0x80 | DESCRIPTOR_NAME;
    if (used < (int)sizeof(name) && padded < 256) {
        bytes[length + 3] = (uint8_t)padded;
        memcpy(bytes + length + 4, name, (size_t)used);
        length += 4 + padded;
    }
    return length;
}

static size_t scsi_page_b0(uint8_t *bytes)
{
    bytes_put_be32(bytes + 4, 16384);               /* maximum transfer length, blocks */
    return 60;
}

/* Block device characteristics: nothing that rotates. */
static size_t scsi_page_b1(uint8_t *bytes)
{
    bytes_put_be16(bytes, 1);
    return 60;
}

static void scsi_vital_page(const struct scsi_request *request, struct scsi_reply *reply)
{
    static const uint8_t pages[] = { 0x00, 0x80, 0x83, 0xb0, 0xb1 };
    uint8_t *bytes = reply->bytes;
    size_t length = 0;
    char serial[17];

    bytes[0] = request->lun == 0 ? 0x00 : 0x7f;
    bytes[1] = request->cdb[2];
    switch (request->cdb[2]) {
    case 0x00:
        memcpy(bytes + 4, pages, sizeof(pages));
        length = sizeof(pages);
        break;
    case 0x80:
        snprintf(serial, sizeof(serial), "%016llx", (unsigned long long)scsi_identity(request));
        memcpy(bytes + 4, serial, 16);
        length = 16;
        break;
    case 0x83:
        length = scsi_page_83(request, bytes + 4);
        break;
    case 0xb0:
        length = scsi_page_b0(bytes + 4);
        break;
    case 0xb1:
        length = scsi_page_b1(bytes + 4);
        break;
    default:
        reply->sense = SCSI_SENSE_INVALID_FIELD;
        return;
    }
    bytes_put_be16(bytes + 2, (uint16_t)length);
    reply->length = length + 4;
}

void scsi_do_inquiry(const struct scsi_request *request, struct scsi_reply *reply)
{
    bool vital = (request->cdb[1] & 1U) != 0;

    if ((!vital && request->cdb[2] != 0) || (request->cdb[1] & 2U) != 0) {
        reply->sense = SCSI_SENSE_INVALID_FIELD;
        return;
    }
    if (vital)
        scsi_vital_page(request, reply);
    else
        scsi_standard_inquiry(request, reply);
    scsi_cut(reply, bytes_get_be16(request->cdb + 3));
}

/* ---- the others ---- */

void scsi_do_report_luns(const struct scsi_request *request, struct scsi_reply *reply)
{
    if (request->cdb[2] > 2) {
        reply->sense = SCSI_SENSE_INVALID_FIELD;
        return;
    }
    bool none = request->cdb[2] == 1;               /* well-known units only */

    bytes_put_be32(reply->bytes, none ? 0 : 8);
    reply->length = none ? 8 : 16;
    scsi_cut(reply, bytes_get_be32(request->cdb + 6));
}

void scsi_do_request_sense(const struct scsi_request *request, struct scsi_reply *reply)
{
    scsi_put_sense(reply->bytes, request->lun == 0 ? SCSI_SENSE_NONE : SCSI_SENSE_NO_SUCH_UNIT);
    reply->length = SENSE_LENGTH;
    scsi_cut(reply, request->cdb[4]);
}

void scsi_do_read_capacity10(const struct scsi_request *request, struct scsi_reply *reply)
{
    uint64_t last = scsi_disk_size(request->node, request->target) / SCSI_BLOCK - 1;

    if ((request->cdb[8] & 1U) == 0 && bytes_get_be32(request->cdb + 2) != 0) {
        reply->sense = SCSI_SENSE_INVALID_FIELD;
        return;
    }
    bytes_put_be32(reply->bytes, last > UINT32_MAX ? UINT32_MAX : (uint32_t)last);
    bytes_put_be32(reply->bytes + 4, SCSI_BLOCK);
    reply->length = 8;
}

/* READ CAPACITY(16) is the only service action. */
void scsi_do_service_action_in(const struct scsi_request *request, struct scsi_reply *reply)
{
    if ((request->cdb[1] & 0x1fU) != 0x10) {
        reply->sense = SCSI_SENSE_INVALID_OPCODE;
        return;
    }
    bytes_put_be64(reply->bytes, scsi_disk_size(request->node, request->target) / SCSI_BLOCK - 1);
    bytes_put_be32(reply->bytes + 8, SCSI_BLOCK);
    reply->length = 32;
    scsi_cut(reply, bytes_get_be32(request->cdb + 10));
}

/* Pages of MODE SENSE: caching (write-through) and control. Returns the end. */
static size_t scsi_mode_pages(uint8_t page, uint8_t *bytes, size_t at, bool *known)
{
    *known = page == 0x3f || page == 0x08 || page == 0x0a;
    if (page == 0x3f || page == 0x08) {
        bytes[at] = 0x08;
        bytes[at + 1] = 0x12;
        at += 0x14;
    }
    if (page == 0x3f || page == 0x0a) {
        bytes[at] = 0x0a;
        bytes[at + 1] = 0x0a;
        bytes[at + 3] = 0x10;           /* unrestricted reordering */
        at += 0x0c;
    }
    return at;
}

static void scsi_mode_sense(const struct scsi_request *request, struct scsi_reply *reply, size_t header)
{
    const uint8_t *cdb = request->cdb;
    bool known;

    /* Changeable values: none; saved values are not kept. */
    if ((cdb[2] & 0xc0U) == 0xc0U) {
        reply->sense = SCSI_SENSE_INVALID_FIELD;
        return;
    }
    reply->length = scsi_mode_pages(cdb[2] & 0x3fU, reply->bytes, header, &known);
    reply->bytes[header == 4 ? 2 : 3] = 0x10;       /* DPOFUA: writes go through anyway */
    if (!known || (cdb[3] != 0 && cdb[3] != 0xff)) {
        reply->sense = SCSI_SENSE_INVALID_FIELD;
        return;
    }
    if (header == 4) {
        reply->bytes[0] = (uint8_t)(reply->length - 1);
        scsi_cut(reply, cdb[4]);
    } else {
        bytes_put_be16(reply->bytes, (uint16_t)(reply->length - 2));
        scsi_cut(reply, bytes_get_be16(cdb + 7));
    }
}

void scsi_do_mode_sense6(const struct scsi_request *request, struct scsi_reply *reply)
{
    scsi_mode_sense(request, reply, 4);
}

void scsi_do_mode_sense10(const struct scsi_request *request, struct scsi_reply *reply)
{
    scsi_mode_sense(request, reply, 8);
}
