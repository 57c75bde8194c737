/*
 * pdu.c - raw header accessors, names, and the typed header structs.
 *
 * See pdu.h. Nothing is allocated and nothing kept.
 */
#include "wire/pdu.h"

#include <string.h>

#include "wire/bytes.h"

/* Offsets shared by all PDUs or by all PDUs of one direction (11.2.1). */
enum {
    AT_FLAGS = 1,
    AT_AHS_LEN = 4,
    AT_DATA_LEN = 5,
    AT_LUN = 8,
    AT_ISID = 8,
    AT_TSIH = 14,
    AT_ITT = 16,
    AT_WORD20 = 20,
    AT_WORD24 = 24, /* CmdSN or StatSN */
    AT_WORD28 = 28, /* ExpStatSN or ExpCmdSN */
    AT_WORD32 = 32, /* MaxCmdSN, or start of the request's tail */
    AT_WORD36 = 36,
    AT_WORD40 = 40,
    AT_WORD44 = 44
};

struct named_code {
    uint8_t code;
    const char *name;
};

static const struct named_code opcodes[] = {
    {PDU_NOP_OUT, "NOP-Out"},
    {PDU_SCSI_COMMAND, "SCSI Command"},
    {PDU_TASK_MANAGEMENT_REQUEST, "Task Management Function Request"},
    {PDU_LOGIN_REQUEST, "Login Request"},
    {PDU_TEXT_REQUEST, "Text Request"},
    {PDU_DATA_OUT, "SCSI Data-Out"},
    {PDU_LOGOUT_REQUEST, "Logout Request"},
    {PDU_SNACK_REQUEST, "SNACK Request"},
    {PDU_NOP_IN, "NOP-In"},
    {PDU_SCSI_RESPONSE, "SCSI Response"},
    {PDU_TASK_MANAGEMENT_RESPONSE, "Task Management Function Response"},
    {PDU_LOGIN_RESPONSE, "Login Response"},
    {PDU_TEXT_RESPONSE, "Text Response"},
    {PDU_DATA_IN, "SCSI Data-In"},
    {PDU_LOGOUT_RESPONSE, "Logout Response"},
    {PDU_R2T, "Ready To Transfer"},
    {PDU_ASYNC_MESSAGE, "Asynchronous Message"},
    {PDU_REJECT, "Reject"},
};

static const struct named_code reject_reasons[] = {
    {0x01, "Reserved"},
    {PDU_REJECT_DATA_DIGEST, "Data digest error"},
    {PDU_REJECT_SNACK, "SNACK reject"},
    {PDU_REJECT_PROTOCOL_ERROR, "Protocol error"},
    {PDU_REJECT_NOT_SUPPORTED, "Command not supported"},
    {PDU_REJECT_TOO_MANY_IMMEDIATE, "Too many immediate commands"},
    {PDU_REJECT_TASK_IN_PROGRESS, "Task in progress"},
    {PDU_REJECT_INVALID_DATA_ACK, "Invalid data ack"},
    {PDU_REJECT_INVALID_FIELD, "Invalid PDU field"},
    {PDU_REJECT_LONG_OPERATION, "Long operation reject"},
    {PDU_REJECT_NEGOTIATION_RESET, "Negotiation reset (deprecated)"},
    {PDU_REJECT_WAITING_FOR_LOGOUT, "Waiting for logout"},
};

static const struct named_code logout_reasons[] = {
    {PDU_LOGOUT_CLOSE_SESSION, "close the session"},
    {PDU_LOGOUT_CLOSE_CONNECTION, "close the connection"},
    {PDU_LOGOUT_REMOVE_FOR_RECOVERY, "remove the connection for recovery"},
};

static const struct named_code async_events[] = {
    {PDU_ASYNC_SCSI, "SCSI asynchronous event"},
    {PDU_ASYNC_LOGOUT_REQUEST, "target requests logout"},
    {PDU_ASYNC_CONNECTION_DROP, "target will drop a connection"},
    {PDU_ASYNC_SESSION_DROP, "target will drop all connections"},
    {PDU_ASYNC_NEGOTIATION_REQUEST, "target requests parameter negotiation"},
    {PDU_ASYNC_TASKS_TERMINATED, "tasks terminated"},
    {PDU_ASYNC_VENDOR, "vendor-specific event"},
};

#define LOOK_UP(table, code) look_up((table), sizeof(table) / sizeof((table)[0]), (code))

static const char *look_up(const struct named_code *table, size_t count, uint8_t code)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].code == code)
            return table[i].name;
    return NULL;
}

bool pdu_opcode_known(uint8_t opcode)
{
    return LOOK_UP(opcodes, opcode & PDU_OPCODE_MASK) != NULL;
}

const char *pdu_opcode_name(uint8_t opcode)
{
    uint8_t code = opcode & PDU_OPCODE_MASK;
    const char *name = LOOK_UP(opcodes, code);

    if (name != NULL)
        return name;
    /* 0x1c-0x1e and 0x3c-0x3e: the direction bit aside they are the same. */
    if ((code & 0x1fu) >= 0x1c && (code & 0x1fu) <= 0x1e)
        return "Vendor-specific";
    return "Unassigned";
}

const char *pdu_stage_name(unsigned stage)
{
    switch (stage) {
    case PDU_STAGE_SECURITY:
        return "SecurityNegotiation";
    case PDU_STAGE_OPERATIONAL:
        return "LoginOperationalNegotiation";
    case PDU_STAGE_FULL_FEATURE:
        return "FullFeaturePhase";
    default:
        return "Reserved";
    }
}

const char *pdu_reject_reason_name(uint8_t reason)
{
    const char *name = LOOK_UP(reject_reasons, reason);

    return name != NULL ? name : "Unassigned";
}

const char *pdu_logout_reason_name(uint8_t reason)
{
    const char *name = LOOK_UP(logout_reasons, reason);

    return name != NULL ? name : "Reserved";
}

const char *pdu_async_event_name(uint8_t event)
{
    const char *name = LOOK_UP(async_events, event);

    return name != NULL ? name : "Reserved";
}

uint8_t pdu_opcode(const uint8_t *bhs)
{
    return bhs[0] & PDU_OPCODE_MASK;
}

bool pdu_immediate(const uint8_t *bhs)
{
    return (bhs[0] & PDU_IMMEDIATE) != 0;
}

size_t pdu_ahs_len(const uint8_t *bhs)
{
    return (size_t)bhs[AT_AHS_LEN] * 4u;
}

size_t pdu_data_len(const uint8_t *bhs)
{
    return bytes_get_be24(bhs + AT_DATA_LEN);
}

void pdu_set_data_len(uint8_t *bhs, size_t len)
{
    bytes_put_be24(bhs + AT_DATA_LEN, (uint32_t)(len & PDU_MAX_DATA_LEN));
}

uint32_t pdu_itt(const uint8_t *bhs)
{
    return bytes_get_be32(bhs + AT_ITT);
}

uint16_t pdu_login_status(const uint8_t *bhs)
{
    return bytes_get_be16(bhs + AT_WORD36);
}

size_t pdu_total_len(const uint8_t *bhs, bool header_digest, bool data_digest)
{
    size_t data_len = pdu_data_len(bhs);
    size_t total = PDU_BHS_LEN + pdu_ahs_len(bhs) + pdu_padded_len(data_len);

    if (header_digest)
        total += PDU_DIGEST_LEN;
    if (data_digest && data_len > 0)
        total += PDU_DIGEST_LEN;
    return total;
}

/* Byte 1 of both login PDUs: |T|C|.|.|CSG|NSG|. */
static uint8_t login_flags(bool transit, bool cont, uint8_t csg, uint8_t nsg)
{
    unsigned flags = (unsigned)(csg & 3u) << 2 | (nsg & 3u);

    if (transit)
        flags |= PDU_FLAG_TRANSIT;
    if (cont)
        flags |= PDU_FLAG_CONTINUE;
    return (uint8_t)flags;
}

void pdu_login_request_decode(struct pdu_login_request *out, const uint8_t *bhs)
{
    uint8_t flags = bhs[AT_FLAGS];

    out->immediate = pdu_immediate(bhs);
    out->transit = (flags & PDU_FLAG_TRANSIT) != 0;
    out->cont = (flags & PDU_FLAG_CONTINUE) != 0;
    out->csg = flags >> 2 & 3u;
    out->nsg = flags & 3u;
    out->version_max = bhs[2];
    out->version_min = bhs[3];
    out->total_ahs_len = bhs[AT_AHS_LEN];
    out->data_len = bytes_get_be24(bhs + AT_DATA_LEN);
    memcpy(out->isid, bhs + AT_ISID, PDU_ISID_LEN);
    out->tsih = bytes_get_be16(bhs + AT_TSIH);
    out->itt = bytes_get_be32(bhs + AT_ITT);
    out->cid = bytes_get_be16(bhs + AT_WORD20);
    out->cmd_sn = bytes_get_be32(bhs + AT_WORD24);
    out->exp_stat_sn = bytes_get_be32(bhs + AT_WORD28);
}

void pdu_login_request_encode(const struct pdu_login_request *in, uint8_t *bhs)
{
    memset(bhs, 0, PDU_BHS_LEN);
    bhs[0] = PDU_LOGIN_REQUEST;
    if (in->immediate)
        bhs[0] |= PDU_IMMEDIATE;
    bhs[AT_FLAGS] = login_flags(in->transit, in->cont, in->csg, in->nsg);
    bhs[2] = in->version_max;
    bhs[3] = in->version_min;
    bhs[AT_AHS_LEN] = in->total_ahs_len;
    bytes_put_be24(bhs + AT_DATA_LEN, in->data_len);
    memcpy(bhs + AT_ISID, in->isid, PDU_ISID_LEN);
    bytes_put_be16(bhs + AT_TSIH, in->tsih);
    bytes_put_be32(bhs + AT_ITT, in->itt);
    bytes_put_be16(bhs + AT_WORD20, in->cid);
    bytes_put_be32(bhs + AT_WORD24, in->cmd_sn);
    bytes_put_be32(bhs + AT_WORD28, in->exp_stat_sn);
}

void pdu_login_response_decode(struct pdu_login_response *out, const uint8_t *bhs)
{
    uint8_t flags = bhs[AT_FLAGS];

    out->transit = (flags & PDU_FLAG_TRANSIT) != 0;
    out->cont = (flags & PDU_FLAG_CONTINUE) != 0;
    out->csg = flags >> 2 & 3u;
    out->nsg = flags & 3u;
    out->version_max = bhs[2];
    out->version_active = bhs[3];
    out->total_ahs_len = bhs[AT_AHS_LEN];
    out->data_len = bytes_get_be24(bhs + AT_DATA_LEN);
    memcpy(out->isid, bhs + AT_ISID, PDU_ISID_LEN);
    out->tsih = bytes_get_be16(bhs + AT_TSIH);
    out->itt = bytes_get_be32(bhs + AT_ITT);
    out->stat_sn = bytes_get_be32(bhs + AT_WORD24);
    out->exp_cmd_sn = bytes_get_be32(bhs + AT_WORD28);
    out->max_cmd_sn = bytes_get_be32(bhs + AT_WORD32);
    out->status = pdu_login_status(bhs);
}

void pdu_login_response_encode(const struct pdu_login_response *in, uint8_t *bhs)
{
    memset(bhs, 0, PDU_BHS_LEN);
    bhs[0] = PDU_LOGIN_RESPONSE;
    bhs[AT_FLAGS] = login_flags(in->transit, in->cont, in->csg, in->nsg);
    bhs[2] = in->version_max;
    bhs[3] = in->version_active;
    bhs[AT_AHS_LEN] = in->total_ahs_len;
    bytes_put_be24(bhs + AT_DATA_LEN, in->data_len);
    memcpy(bhs + AT_ISID, in->isid, PDU_ISID_LEN);
    bytes_put_be16(bhs + AT_TSIH, in->tsih);
    bytes_put_be32(bhs + AT_ITT, in->itt);
    bytes_put_be32(bhs + AT_WORD24, in->stat_sn);
    bytes_put_be32(bhs + AT_WORD28, in->exp_cmd_sn);
    bytes_put_be32(bhs + AT_WORD32, in->max_cmd_sn);
    bytes_put_be16(bhs + AT_WORD36, in->status);
}

void pdu_request_decode(struct pdu_request *out, const uint8_t *bhs)
{
    out->opcode = pdu_opcode(bhs);
    out->immediate = pdu_immediate(bhs);
    out->flags = bhs[AT_FLAGS];
    out->total_ahs_len = bhs[AT_AHS_LEN];
    out->data_len = bytes_get_be24(bhs + AT_DATA_LEN);
    out->lun = bytes_get_be64(bhs + AT_LUN);
    out->itt = bytes_get_be32(bhs + AT_ITT);
    out->word20 = bytes_get_be32(bhs + AT_WORD20);
    out->cmd_sn = bytes_get_be32(bhs + AT_WORD24);
    out->exp_stat_sn = bytes_get_be32(bhs + AT_WORD28);
    memcpy(out->tail, bhs + AT_WORD32, sizeof(out->tail));
}

void pdu_request_encode(const struct pdu_request *in, uint8_t *bhs)
{
    memset(bhs, 0, PDU_BHS_LEN);
    bhs[0] = in->opcode & PDU_OPCODE_MASK;
    if (in->immediate)
        bhs[0] |= PDU_IMMEDIATE;
    bhs[AT_FLAGS] = in->flags;
    bhs[AT_AHS_LEN] = in->total_ahs_len;
    bytes_put_be24(bhs + AT_DATA_LEN, in->data_len);
    bytes_put_be64(bhs + AT_LUN, in->lun);
    bytes_put_be32(bhs + AT_ITT, in->itt);
    bytes_put_be32(bhs + AT_WORD20, in->word20);
    bytes_put_be32(bhs + AT_WORD24, in->cmd_sn);
    bytes_put_be32(bhs + AT_WORD28, in->exp_stat_sn);
    memcpy(bhs + AT_WORD32, in->tail, sizeof(in->tail));
}

void pdu_response_decode(struct pdu_response *out, const uint8_t *bhs)
{
    out->opcode = pdu_opcode(bhs);
    out->flags = bhs[AT_FLAGS];
    out->byte2 = bhs[2];
    out->byte3 = bhs[3];
    out->data_len = bytes_get_be24(bhs + AT_DATA_LEN);
    out->lun = bytes_get_be64(bhs + AT_LUN);
    out->itt = bytes_get_be32(bhs + AT_ITT);
    out->word20 = bytes_get_be32(bhs + AT_WORD20);
    out->stat_sn = bytes_get_be32(bhs + AT_WORD24);
    out->exp_cmd_sn = bytes_get_be32(bhs + AT_WORD28);
    out->max_cmd_sn = bytes_get_be32(bhs + AT_WORD32);
    out->word36 = bytes_get_be32(bhs + AT_WORD36);
    out->word40 = bytes_get_be32(bhs + AT_WORD40);
    out->word44 = bytes_get_be32(bhs + AT_WORD44);
}

void pdu_response_encode(const struct pdu_response *in, uint8_t *bhs)
{
    memset(bhs, 0, PDU_BHS_LEN);
    bhs[0] = in->opcode & PDU_OPCODE_MASK;
    bhs[AT_FLAGS] = in->flags;
    bhs[2] = in->byte2;
    bhs[3] = in->byte3;
    bytes_put_be24(bhs + AT_DATA_LEN, in->data_len);
    bytes_put_be64(bhs + AT_LUN, in->lun);
    bytes_put_be32(bhs + AT_ITT, in->itt);
    bytes_put_be32(bhs + AT_WORD20, in->word20);
    bytes_put_be32(bhs + AT_WORD24, in->stat_sn);
    bytes_put_be32(bhs + AT_WORD28, in->exp_cmd_sn);
    bytes_put_be32(bhs + AT_WORD32, in->max_cmd_sn);
    bytes_put_be32(bhs + AT_WORD36, in->word36);
    bytes_put_be32(bhs + AT_WORD40, in->word40);
    bytes_put_be32(bhs + AT_WORD44, in->word44);
}
