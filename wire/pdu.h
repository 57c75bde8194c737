/*
 * pdu.h - layout of iSCSI PDUs (RFC 7143 section 11).
 *
 * Everything works on a raw 48-byte Basic Header Segment in wire order; all
 * values in structs and arguments are in host order. No function allocates,
 * keeps a pointer or holds state, so all are safe from any thread.
 *
 * There are three ways to look at a header, from typed to generic:
 *   - pdu_login_request / pdu_login_response: the PDUs this project is about;
 *   - pdu_request / pdu_response: one shape that fits every other PDU;
 *   - the field table: every field of every PDU by its RFC name.
 */
#ifndef ISCSISPEC_WIRE_PDU_H
#define ISCSISPEC_WIRE_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PDU_BHS_LEN          48u         /* 11.2.1 */
#define PDU_DIGEST_LEN       4u          /* 11.2.3, CRC32C */
#define PDU_NO_TAG           0xffffffffu /* reserved ITT and TTT, 11.2.1.8 */
#define PDU_DEFAULT_MAX_RECV 8192u       /* MaxRecvDataSegmentLength default, 13.12 */
#define PDU_MAX_DATA_LEN     0xffffffu   /* largest DataSegmentLength a header can say */
#define PDU_ISID_LEN         6u          /* 11.12.5 */
#define PDU_VERSION          0x00u       /* the only version number there is, 11.12.4 */

/* Opcodes, 11.2.1.2. Values are the six low bits of byte 0. */
enum pdu_opcode {
    PDU_NOP_OUT = 0x00,
    PDU_SCSI_COMMAND = 0x01,
    PDU_TASK_MANAGEMENT_REQUEST = 0x02,
    PDU_LOGIN_REQUEST = 0x03,
    PDU_TEXT_REQUEST = 0x04,
    PDU_DATA_OUT = 0x05,
    PDU_LOGOUT_REQUEST = 0x06,
    PDU_SNACK_REQUEST = 0x10,
    PDU_NOP_IN = 0x20,
    PDU_SCSI_RESPONSE = 0x21,
    PDU_TASK_MANAGEMENT_RESPONSE = 0x22,
    PDU_LOGIN_RESPONSE = 0x23,
    PDU_TEXT_RESPONSE = 0x24,
    PDU_DATA_IN = 0x25,
    PDU_LOGOUT_RESPONSE = 0x26,
    PDU_R2T = 0x31,
    PDU_ASYNC_MESSAGE = 0x32,
    PDU_REJECT = 0x3f
};

/* Stage codes of CSG and NSG, 11.12.3. */
enum pdu_stage {
    PDU_STAGE_SECURITY = 0,
    PDU_STAGE_OPERATIONAL = 1,
    PDU_STAGE_RESERVED = 2,
    PDU_STAGE_FULL_FEATURE = 3
};

/* Bits of byte 0. */
#define PDU_IMMEDIATE   0x40u
#define PDU_OPCODE_MASK 0x3fu

/* Bits of byte 1. The meaning of each depends on the opcode. */
#define PDU_FLAG_FINAL       0x80u /* F: everything but login */
#define PDU_FLAG_TRANSIT     0x80u /* T: login */
#define PDU_FLAG_CONTINUE    0x40u /* C: login, text */
#define PDU_FLAG_READ        0x40u /* R: SCSI Command */
#define PDU_FLAG_WRITE       0x20u /* W: SCSI Command */
#define PDU_FLAG_ACKNOWLEDGE 0x40u /* A: Data-In */
#define PDU_FLAG_OVERFLOW    0x04u /* O: SCSI Response, Data-In */
#define PDU_FLAG_UNDERFLOW   0x02u /* U: SCSI Response, Data-In */
#define PDU_FLAG_STATUS      0x01u /* S: Data-In */

/* Reasons in byte 1 of a Logout Request (7 bits), 11.14.1. */
enum pdu_logout_reason {
    PDU_LOGOUT_CLOSE_SESSION = 0,
    PDU_LOGOUT_CLOSE_CONNECTION = 1,
    PDU_LOGOUT_REMOVE_FOR_RECOVERY = 2
};

/* Response codes of a Logout Response (byte 2), 11.15.1. */
enum pdu_logout_response_code {
    PDU_LOGOUT_DONE = 0,
    PDU_LOGOUT_CID_NOT_FOUND = 1,
    PDU_LOGOUT_NO_RECOVERY = 2,
    PDU_LOGOUT_CLEANUP_FAILED = 3
};

/* Reasons of a Reject (byte 2), 11.17.1. */
enum pdu_reject_reason {
    PDU_REJECT_DATA_DIGEST = 0x02,
    PDU_REJECT_SNACK = 0x03,
    PDU_REJECT_PROTOCOL_ERROR = 0x04,
    PDU_REJECT_NOT_SUPPORTED = 0x05,
    PDU_REJECT_TOO_MANY_IMMEDIATE = 0x06,
    PDU_REJECT_TASK_IN_PROGRESS = 0x07,
    PDU_REJECT_INVALID_DATA_ACK = 0x08,
    PDU_REJECT_INVALID_FIELD = 0x09,
    PDU_REJECT_LONG_OPERATION = 0x0a,
    PDU_REJECT_NEGOTIATION_RESET = 0x0b, /* deprecated: must not be sent */
    PDU_REJECT_WAITING_FOR_LOGOUT = 0x0c
};

/* Events of an Asynchronous Message (byte 36), 11.9.1. */
enum pdu_async_event {
    PDU_ASYNC_SCSI = 0,
    PDU_ASYNC_LOGOUT_REQUEST = 1,
    PDU_ASYNC_CONNECTION_DROP = 2,
    PDU_ASYNC_SESSION_DROP = 3,
    PDU_ASYNC_NEGOTIATION_REQUEST = 4,
    PDU_ASYNC_TASKS_TERMINATED = 5,
    PDU_ASYNC_VENDOR = 255
};

/*
 * The RFC's name of an opcode ("Login Request"), "Vendor-specific" for
 * 0x1c-0x1e and 0x3c-0x3e, "Unassigned" otherwise. Bits above the six are
 * ignored. Static string, never NULL.
 */
const char *pdu_opcode_name(uint8_t opcode);

/* True for the opcodes RFC 7143 assigns, vendor-specific ones not included. */
bool pdu_opcode_known(uint8_t opcode);

/* True when the opcode is in the target's half (0x20-0x3f). */
static inline bool pdu_opcode_from_target(uint8_t opcode)
{
    return (opcode & 0x20u) != 0;
}

/* Does a PDU of an initiator with this opcode carry a CmdSN in bytes 24 to 27 (RFC 7143, 4.2.2.1)? */
static inline bool pdu_has_cmd_sn(uint8_t opcode)
{
    return opcode != PDU_DATA_OUT && opcode != PDU_SNACK_REQUEST && pdu_opcode_known(opcode) &&
           !pdu_opcode_from_target(opcode);
}

/* "SecurityNegotiation", "LoginOperationalNegotiation", "FullFeaturePhase" or
 * "Reserved" (2 and anything above 3). Static string, never NULL. */
const char *pdu_stage_name(unsigned stage);

/* Names of the codes above for people; "Reserved" or "Unassigned" for others. */
const char *pdu_reject_reason_name(uint8_t reason);
const char *pdu_logout_reason_name(uint8_t reason);
const char *pdu_async_event_name(uint8_t event);

/* ---- raw header accessors; bhs is PDU_BHS_LEN bytes ---- */

/* Opcode without the I bit and without the reserved top bit. */
uint8_t pdu_opcode(const uint8_t *bhs);
bool pdu_immediate(const uint8_t *bhs);
/* TotalAHSLength in bytes (the header counts 4-byte words), 0 to 1020. */
size_t pdu_ahs_len(const uint8_t *bhs);
/* DataSegmentLength in bytes, without padding. */
size_t pdu_data_len(const uint8_t *bhs);
void pdu_set_data_len(uint8_t *bhs, size_t len);
uint32_t pdu_itt(const uint8_t *bhs);
/* Bytes 36 and 37 of a Login Response as one 16-bit code, class first. */
uint16_t pdu_login_status(const uint8_t *bhs);

/* Rounds a length up to whole 4-byte words (11.1). len must be < SIZE_MAX - 3. */
static inline size_t pdu_padded_len(size_t len)
{
    return (len + 3u) & ~(size_t)3u;
}

/* Padding bytes that follow a segment of `len` bytes: 0 to 3. */
static inline size_t pdu_padding(size_t len)
{
    return pdu_padded_len(len) - len;
}

/*
 * Length of the whole PDU on the wire: header, AHS, header digest, padded data
 * and data digest. There is no data digest without data (11.2.3). Login PDUs
 * never carry digests, whatever was negotiated so far: pass false.
 */
size_t pdu_total_len(const uint8_t *bhs, bool header_digest, bool data_digest);

/* ---- login, 11.12 and 11.13 ---- */

struct pdu_login_request {
    bool immediate; /* I, always 1 in a correct request */
    bool transit;   /* T */
    bool cont;      /* C */
    uint8_t csg;    /* enum pdu_stage, 0 to 3 */
    uint8_t nsg;
    uint8_t version_max;
    uint8_t version_min;
    uint8_t total_ahs_len; /* in 4-byte words, as on the wire */
    uint32_t data_len;     /* 24 bits */
    uint8_t isid[PDU_ISID_LEN];
    uint16_t tsih;
    uint32_t itt;
    uint16_t cid;
    uint32_t cmd_sn;
    uint32_t exp_stat_sn;
};

struct pdu_login_response {
    bool transit; /* T */
    bool cont;    /* C */
    uint8_t csg;
    uint8_t nsg;
    uint8_t version_max;
    uint8_t version_active;
    uint8_t total_ahs_len; /* must be 0 in a correct response */
    uint32_t data_len;
    uint8_t isid[PDU_ISID_LEN];
    uint16_t tsih;
    uint32_t itt;
    uint32_t stat_sn;
    uint32_t exp_cmd_sn;
    uint32_t max_cmd_sn;
    uint16_t status; /* class << 8 | detail, see wire/status.h */
};

/*
 * Decode 48 bytes / encode to 48 bytes. Decoding never fails and does not look
 * at the opcode: judging the header is the caller's work. Encoding writes all
 * 48 bytes, the opcode included, with reserved bits and bytes zero; bits that
 * do not fit (csg above 3, data_len above 24 bits) are cut off.
 */
void pdu_login_request_decode(struct pdu_login_request *out, const uint8_t *bhs);
void pdu_login_request_encode(const struct pdu_login_request *in, uint8_t *bhs);
void pdu_login_response_decode(struct pdu_login_response *out, const uint8_t *bhs);
void pdu_login_response_encode(const struct pdu_login_response *in, uint8_t *bhs);

/* ---- every other PDU ---- */

/*
 * One shape for all initiator PDUs: NOP-Out, SCSI Command, Task Management,
 * Text, Data-Out, Logout, SNACK.
 *
 *              flags (byte 1)         word20                   tail (32-47)
 * NOP-Out      F                      Target Transfer Tag      reserved
 * SCSI Command F R W ATTR             Expected Data Transfer   CDB
 *                                     Length
 * Task Mgmt    F + Function           Referenced Task Tag      RefCmdSN, ExpDataSN
 * Text         F C                    Target Transfer Tag      reserved
 * Data-Out     F                      Target Transfer Tag      -, DataSN, Buffer Offset
 * Logout       F + Reason             CID in the high 16 bits  reserved
 *
 * Data-Out and SNACK have no CmdSN; cmd_sn is then bytes 24-27 as they are.
 */
struct pdu_request {
    uint8_t opcode;
    bool immediate;
    uint8_t flags;
    uint8_t total_ahs_len; /* 4-byte words */
    uint32_t data_len;
    uint64_t lun; /* bytes 8-15 */
    uint32_t itt;
    uint32_t word20;
    uint32_t cmd_sn;
    uint32_t exp_stat_sn;
    uint8_t tail[16]; /* bytes 32-47 */
};

/*
 * One shape for all target PDUs: NOP-In, SCSI Response, Task Management
 * Response, Text Response, Data-In, Logout Response, R2T, Async, Reject.
 *
 *               byte2      byte3    word20      word36          word40          word44
 * NOP-In        -          -        TTT         -               -               -
 * SCSI Response Response   Status   SNACK Tag   ExpDataSN       Bidi Residual   Residual Count
 * Task Mgmt     Response   -        -           -               -               -
 * Text          -          -        TTT         -               -               -
 * Data-In       -          Status   TTT         DataSN          Buffer Offset   Residual Count
 * Logout        Response   -        -           -               Time2Wait <<16  -
 *                                                               | Time2Retain
 * R2T           -          -        TTT         R2TSN           Buffer Offset   Desired Length
 * Async         -          -        -           event <<24      Parameter2 <<16 -
 *                                               | vcode <<16    | Parameter3
 *                                               | Parameter1
 * Reject        Reason     -        -           DataSN/R2TSN    -               -
 */
struct pdu_response {
    uint8_t opcode;
    uint8_t flags;
    uint8_t byte2;
    uint8_t byte3;
    uint32_t data_len;
    uint64_t lun;
    uint32_t itt;
    uint32_t word20;
    uint32_t stat_sn;
    uint32_t exp_cmd_sn;
    uint32_t max_cmd_sn;
    uint32_t word36;
    uint32_t word40;
    uint32_t word44;
};

/* As for login: decoding never fails, encoding writes all 48 bytes. The opcode
 * is taken from and put into the struct; encoding keeps only its six bits. */
void pdu_request_decode(struct pdu_request *out, const uint8_t *bhs);
void pdu_request_encode(const struct pdu_request *in, uint8_t *bhs);
void pdu_response_decode(struct pdu_response *out, const uint8_t *bhs);
void pdu_response_encode(const struct pdu_response *in, uint8_t *bhs);

/* ---- the field table ---- */

enum pdu_field_flag {
    PDU_FIELD_RESERVED = 1, /* the RFC assigns no meaning; senders put 0 */
    PDU_FIELD_PART = 2      /* lies inside another field of the table */
};

/*
 * One field of one PDU, named as in the RFC without blanks and hyphens:
 * I Opcode T C CSG NSG VersionMax VersionMin VersionActive TotalAHSLength
 * DataSegmentLength ISID TSIH ITT CID CmdSN ExpStatSN StatSN ExpCmdSN MaxCmdSN
 * Status StatusClass StatusDetail F TTT LUN Reason Response ... Reserved areas
 * are Reserved1, Reserved2, ... in wire order, counted per PDU; no field is longer
 * than 8 bytes, so longer areas are several fields (a CDB is CDB0 and CDB8).
 *
 * Fields without PDU_FIELD_PART cover each of the 384 bits exactly once. Parts
 * are a second look at the same bits: StatusClass and StatusDetail in Status,
 * ISIDT ISIDA ISIDB ISIDC ISIDD in ISID, Flags (the whole of byte 1).
 */
struct pdu_field {
    const char *name;
    uint8_t byte;  /* offset of the first byte */
    uint8_t width; /* bytes, 1 to 8, big-endian */
    uint8_t shift; /* right shift of the big-endian number ... */
    uint8_t bits;  /* ... and how many bits are left of it, 1 to 64 */
    uint8_t flags; /* enum pdu_field_flag */
};

/*
 * The fields of an opcode in wire order and their number in *count. For opcodes
 * that are not in the RFC it is the generic layout (I Opcode F
 * TotalAHSLength DataSegmentLength LUN ITT, and Specific1, ...). Never NULL.
 */
const struct pdu_field *pdu_fields(uint8_t opcode, size_t *count);

/* Field by exact name, NULL when this PDU has none of that name. */
const struct pdu_field *pdu_field_find(uint8_t opcode, const char *name);

/* Largest value the field can hold. */
uint64_t pdu_field_max(const struct pdu_field *field);

/* Value of the field in a header, in host order. */
uint64_t pdu_field_get(const struct pdu_field *field, const uint8_t *bhs);

/* Sets the field and no bit beside it. False, and nothing written, when the
 * value does not fit. */
bool pdu_field_set(const struct pdu_field *field, uint8_t *bhs, uint64_t value);

#endif
