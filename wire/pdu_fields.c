/*
 * pdu_fields.c - the field table: every header field of every PDU.
 *
 * One array per opcode, transcribed from the figures of RFC 7143 section 11 in
 * wire order. tests/test_pdu.c checks that the fields of each array, parts left
 * out, cover each of the 384 bits exactly once. All data is constant.
 */
#include "wire/pdu.h"

#include <string.h>

#include "wire/bytes.h"

/* clang-format off */
#define BYTES(name, byte, width) { name, byte, width, 0, 8 * (width), 0 }
#define BITS(name, byte, shift, bits) { name, byte, 1, shift, bits, 0 }
#define RESERVED(n, byte, width) \
    { "Reserved" #n, byte, width, 0, 8 * (width), PDU_FIELD_RESERVED }
#define RESERVED_BITS(n, byte, shift, bits) \
    { "Reserved" #n, byte, 1, shift, bits, PDU_FIELD_RESERVED }
#define PART(name, byte, width) { name, byte, width, 0, 8 * (width), PDU_FIELD_PART }
#define PART_BITS(name, byte, shift, bits) { name, byte, 1, shift, bits, PDU_FIELD_PART }

/* Byte 0 of requests, and of PDUs in which the I bit is reserved as well. */
#define HEAD_I RESERVED_BITS(1, 0, 7, 1), BITS("I", 0, 6, 1), BITS("Opcode", 0, 0, 6)
#define HEAD RESERVED_BITS(1, 0, 6, 2), BITS("Opcode", 0, 0, 6)
#define FLAGS PART("Flags", 1, 1)
#define LENGTHS BYTES("TotalAHSLength", 4, 1), BYTES("DataSegmentLength", 5, 3)
#define LUN_ITT BYTES("LUN", 8, 8), BYTES("ITT", 16, 4)
#define REQUEST_NUMBERS BYTES("CmdSN", 24, 4), BYTES("ExpStatSN", 28, 4)
#define RESPONSE_NUMBERS \
    BYTES("StatSN", 24, 4), BYTES("ExpCmdSN", 28, 4), BYTES("MaxCmdSN", 32, 4)
/* Byte 1 and the ISID of both login PDUs (11.12, 11.12.5). */
#define LOGIN_FLAGS \
    FLAGS, BITS("T", 1, 7, 1), BITS("C", 1, 6, 1), RESERVED_BITS(2, 1, 4, 2), \
    BITS("CSG", 1, 2, 2), BITS("NSG", 1, 0, 2)
#define LOGIN_ISID \
    BYTES("ISID", 8, 6), PART_BITS("ISIDT", 8, 6, 2), PART_BITS("ISIDA", 8, 0, 6), \
    PART("ISIDB", 9, 2), PART("ISIDC", 11, 1), PART("ISIDD", 12, 2)

/* 11.18 */
static const struct pdu_field nop_out[] = {
    HEAD_I, FLAGS, BITS("F", 1, 7, 1), RESERVED_BITS(2, 1, 0, 7), RESERVED(3, 2, 2),
    LENGTHS, LUN_ITT, BYTES("TTT", 20, 4), REQUEST_NUMBERS,
    RESERVED(4, 32, 8), RESERVED(5, 40, 8),
};

/* 11.3. The CDB is longer than 8 bytes, hence two fields named by first byte. */
static const struct pdu_field scsi_command[] = {
    HEAD_I, FLAGS, BITS("F", 1, 7, 1), BITS("R", 1, 6, 1), BITS("W", 1, 5, 1),
    RESERVED_BITS(2, 1, 3, 2), BITS("ATTR", 1, 0, 3), RESERVED(3, 2, 2),
    LENGTHS, LUN_ITT, BYTES("ExpectedDataTransferLength", 20, 4), REQUEST_NUMBERS,
    BYTES("CDB0", 32, 8), BYTES("CDB8", 40, 8),
};

/* 11.5 */
static const struct pdu_field task_management_request[] = {
    HEAD_I, FLAGS, BITS("F", 1, 7, 1), BITS("Function", 1, 0, 7), RESERVED(2, 2, 2),
    LENGTHS, LUN_ITT, BYTES("ReferencedTaskTag", 20, 4), REQUEST_NUMBERS,
    BYTES("RefCmdSN", 32, 4), BYTES("ExpDataSN", 36, 4), RESERVED(3, 40, 8),
};

/* 11.12 */
static const struct pdu_field login_request[] = {
    HEAD_I, LOGIN_FLAGS, BYTES("VersionMax", 2, 1), BYTES("VersionMin", 3, 1),
    LENGTHS, LOGIN_ISID, BYTES("TSIH", 14, 2), BYTES("ITT", 16, 4),
    BYTES("CID", 20, 2), RESERVED(3, 22, 2), REQUEST_NUMBERS,
    RESERVED(4, 32, 8), RESERVED(5, 40, 8),
};

/* 11.10 */
static const struct pdu_field text_request[] = {
    HEAD_I, FLAGS, BITS("F", 1, 7, 1), BITS("C", 1, 6, 1), RESERVED_BITS(2, 1, 0, 6),
    RESERVED(3, 2, 2), LENGTHS, LUN_ITT, BYTES("TTT", 20, 4), REQUEST_NUMBERS,
    RESERVED(4, 32, 8), RESERVED(5, 40, 8),
};

/* 11.7 */
static const struct pdu_field data_out[] = {
    HEAD, FLAGS, BITS("F", 1, 7, 1), RESERVED_BITS(2, 1, 0, 7), RESERVED(3, 2, 2),
    LENGTHS, LUN_ITT, BYTES("TTT", 20, 4), RESERVED(4, 24, 4),
    BYTES("ExpStatSN", 28, 4), RESERVED(5, 32, 4), BYTES("DataSN", 36, 4),
    BYTES("BufferOffset", 40, 4), RESERVED(6, 44, 4),
};

/* 11.14 */
static const struct pdu_field logout_request[] = {
    HEAD_I, FLAGS, BITS("F", 1, 7, 1), BITS("Reason", 1, 0, 7), RESERVED(2, 2, 2),
    LENGTHS, RESERVED(3, 8, 8), BYTES("ITT", 16, 4), BYTES("CID", 20, 2),
    RESERVED(4, 22, 2), REQUEST_NUMBERS, RESERVED(5, 32, 8), RESERVED(6, 40, 8),
};

/* 11.16 */
static const struct pdu_field snack_request[] = {
    HEAD, FLAGS, BITS("F", 1, 7, 1), RESERVED_BITS(2, 1, 4, 3), BITS("Type", 1, 0, 4),
    RESERVED(3, 2, 2), LENGTHS, LUN_ITT, BYTES("TTT", 20, 4), RESERVED(4, 24, 4),
    BYTES("ExpStatSN", 28, 4), RESERVED(5, 32, 8), BYTES("BegRun", 40, 4),
    BYTES("RunLength", 44, 4),
};

/* 11.19 */
static const struct pdu_field nop_in[] = {
    HEAD, FLAGS, BITS("F", 1, 7, 1), RESERVED_BITS(2, 1, 0, 7), RESERVED(3, 2, 2),
    LENGTHS, LUN_ITT, BYTES("TTT", 20, 4), RESPONSE_NUMBERS,
    RESERVED(4, 36, 4), RESERVED(5, 40, 8),
};

/* 11.4 */
static const struct pdu_field scsi_response[] = {
    HEAD, FLAGS, BITS("F", 1, 7, 1), RESERVED_BITS(2, 1, 5, 2), BITS("o", 1, 4, 1),
    BITS("u", 1, 3, 1), BITS("O", 1, 2, 1), BITS("U", 1, 1, 1),
    RESERVED_BITS(3, 1, 0, 1), BYTES("Response", 2, 1), BYTES("Status", 3, 1),
    LENGTHS, RESERVED(4, 8, 8), BYTES("ITT", 16, 4), BYTES("SNACKTag", 20, 4),
    RESPONSE_NUMBERS, BYTES("ExpDataSN", 36, 4),
    BYTES("BidirectionalReadResidualCount", 40, 4), BYTES("ResidualCount", 44, 4),
};

/* 11.6 */
static const struct pdu_field task_management_response[] = {
    HEAD, FLAGS, BITS("F", 1, 7, 1), RESERVED_BITS(2, 1, 0, 7),
    BYTES("Response", 2, 1), RESERVED(3, 3, 1), LENGTHS, RESERVED(4, 8, 8),
    BYTES("ITT", 16, 4), RESERVED(5, 20, 4), RESPONSE_NUMBERS,
    RESERVED(6, 36, 4), RESERVED(7, 40, 8),
};

/* 11.13 */
static const struct pdu_field login_response[] = {
    HEAD, LOGIN_FLAGS, BYTES("VersionMax", 2, 1), BYTES("VersionActive", 3, 1),
    LENGTHS, LOGIN_ISID, BYTES("TSIH", 14, 2), BYTES("ITT", 16, 4),
    RESERVED(3, 20, 4), RESPONSE_NUMBERS, BYTES("Status", 36, 2),
    PART("StatusClass", 36, 1), PART("StatusDetail", 37, 1), RESERVED(4, 38, 2),
    RESERVED(5, 40, 8),
};

/* 11.11 */
static const struct pdu_field text_response[] = {
    HEAD, FLAGS, BITS("F", 1, 7, 1), BITS("C", 1, 6, 1), RESERVED_BITS(2, 1, 0, 6),
    RESERVED(3, 2, 2), LENGTHS, LUN_ITT, BYTES("TTT", 20, 4), RESPONSE_NUMBERS,
    RESERVED(4, 36, 4), RESERVED(5, 40, 8),
};

/* 11.7 */
static const struct pdu_field data_in[] = {
    HEAD, FLAGS, BITS("F", 1, 7, 1), BITS("A", 1, 6, 1), RESERVED_BITS(2, 1, 3, 3),
    BITS("O", 1, 2, 1), BITS("U", 1, 1, 1), BITS("S", 1, 0, 1), RESERVED(3, 2, 1),
    BYTES("Status", 3, 1), LENGTHS, LUN_ITT, BYTES("TTT", 20, 4), RESPONSE_NUMBERS,
    BYTES("DataSN", 36, 4), BYTES("BufferOffset", 40, 4), BYTES("ResidualCount", 44, 4),
};

/* 11.15 */
static const struct pdu_field logout_response[] = {
    HEAD, FLAGS, BITS("F", 1, 7, 1), RESERVED_BITS(2, 1, 0, 7),
    BYTES("Response", 2, 1), RESERVED(3, 3, 1), LENGTHS, RESERVED(4, 8, 8),
    BYTES("ITT", 16, 4), RESERVED(5, 20, 4), RESPONSE_NUMBERS, RESERVED(6, 36, 4),
    BYTES("Time2Wait", 40, 2), BYTES("Time2Retain", 42, 2), RESERVED(7, 44, 4),
};

/* 11.8 */
static const struct pdu_field r2t[] = {
    HEAD, FLAGS, BITS("F", 1, 7, 1), RESERVED_BITS(2, 1, 0, 7), RESERVED(3, 2, 2),
    LENGTHS, LUN_ITT, BYTES("TTT", 20, 4), RESPONSE_NUMBERS, BYTES("R2TSN", 36, 4),
    BYTES("BufferOffset", 40, 4), BYTES("DesiredDataTransferLength", 44, 4),
};

/* 11.9 */
static const struct pdu_field async_message[] = {
    HEAD, FLAGS, BITS("F", 1, 7, 1), RESERVED_BITS(2, 1, 0, 7), RESERVED(3, 2, 2),
    LENGTHS, LUN_ITT, RESERVED(4, 20, 4), RESPONSE_NUMBERS,
    BYTES("AsyncEvent", 36, 1), BYTES("AsyncVCode", 37, 1), BYTES("Parameter1", 38, 2),
    BYTES("Parameter2", 40, 2), BYTES("Parameter3", 42, 2), RESERVED(5, 44, 4),
};

/* 11.17 */
static const struct pdu_field reject[] = {
    HEAD, FLAGS, BITS("F", 1, 7, 1), RESERVED_BITS(2, 1, 0, 7), BYTES("Reason", 2, 1),
    RESERVED(3, 3, 1), LENGTHS, RESERVED(4, 8, 8), BYTES("ITT", 16, 4),
    RESERVED(5, 20, 4), RESPONSE_NUMBERS, BYTES("DataSN", 36, 4),
    RESERVED(6, 40, 4), RESERVED(7, 44, 4),
};

/* 11.2.1: all that can be said of an opcode nobody assigned. */
static const struct pdu_field unassigned[] = {
    HEAD_I, FLAGS, BITS("F", 1, 7, 1), BITS("Specific1", 1, 0, 7), BYTES("Specific2", 2, 2),
    LENGTHS, LUN_ITT, BYTES("Specific3", 20, 4), BYTES("Specific4", 24, 4),
    BYTES("Specific5", 28, 4), BYTES("Specific6", 32, 8), BYTES("Specific7", 40, 8),
};
/* clang-format on */

#define LAYOUT(opcode, fields)                                                                                         \
    {                                                                                                                  \
        opcode, fields, sizeof(fields) / sizeof((fields)[0])                                                           \
    }

static const struct layout {
    uint8_t opcode;
    const struct pdu_field *fields;
    size_t count;
} layouts[] = {
    LAYOUT(PDU_LOGIN_REQUEST, login_request),
    LAYOUT(PDU_LOGIN_RESPONSE, login_response),
    LAYOUT(PDU_NOP_OUT, nop_out),
    LAYOUT(PDU_SCSI_COMMAND, scsi_command),
    LAYOUT(PDU_TASK_MANAGEMENT_REQUEST, task_management_request),
    LAYOUT(PDU_TEXT_REQUEST, text_request),
    LAYOUT(PDU_DATA_OUT, data_out),
    LAYOUT(PDU_LOGOUT_REQUEST, logout_request),
    LAYOUT(PDU_SNACK_REQUEST, snack_request),
    LAYOUT(PDU_NOP_IN, nop_in),
    LAYOUT(PDU_SCSI_RESPONSE, scsi_response),
    LAYOUT(PDU_TASK_MANAGEMENT_RESPONSE, task_management_response),
    LAYOUT(PDU_TEXT_RESPONSE, text_response),
    LAYOUT(PDU_DATA_IN, data_in),
    LAYOUT(PDU_LOGOUT_RESPONSE, logout_response),
    LAYOUT(PDU_R2T, r2t),
    LAYOUT(PDU_ASYNC_MESSAGE, async_message),
    LAYOUT(PDU_REJECT, reject),
};

const struct pdu_field *pdu_fields(uint8_t opcode, size_t *count)
{
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        if (layouts[i].opcode == (opcode & PDU_OPCODE_MASK)) {
            *count = layouts[i].count;
            return layouts[i].fields;
        }
    }
    *count = sizeof(unassigned) / sizeof(unassigned[0]);
    return unassigned;
}

const struct pdu_field *pdu_field_find(uint8_t opcode, const char *name)
{
    size_t count;
    const struct pdu_field *fields = pdu_fields(opcode, &count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

uint64_t pdu_field_max(const struct pdu_field *field)
{
    return UINT64_MAX >> (64u - field->bits);
}

uint64_t pdu_field_get(const struct pdu_field *field, const uint8_t *bhs)
{
    uint64_t number = bytes_get_be(bhs + field->byte, field->width);

    return number >> field->shift & pdu_field_max(field);
}

bool pdu_field_set(const struct pdu_field *field, uint8_t *bhs, uint64_t value)
{
    uint64_t max = pdu_field_max(field);
    uint64_t number;

    if (value > max)
        return false;
    number = bytes_get_be(bhs + field->byte, field->width);
    number &= ~(max << field->shift);
    number |= value << field->shift;
    bytes_put_be(bhs + field->byte, field->width, number);
    return true;
}
