/*
 * Login Responses and the defects of their form; see response.h.
 */
#include "response.h"

#include <string.h>

#include "discovery.h"
#include "sessions.h"
#include "wire/bytes.h"
#include "wire/digest.h"
#include "wire/status.h"

struct response_cause {
    uint16_t status;
    const char *section;
    const char *text;
};

#define CAUSES_ROW(suffix, status, section, text) [CAUSE_##suffix] = { status, section, text },
static const struct response_cause response_causes[CAUSE_COUNT] = { CAUSES_TABLE(CAUSES_ROW) };
#undef CAUSES_ROW

/* Defects that answer one cause with the code of another. */
static const struct response_swap {
    enum defect defect;
    enum cause first, last;         /* causes concerned, inclusive */
    uint16_t status;
} response_swaps[] = {
    { DEFECT_REDIRECT_TEMPORARY_AS_PERMANENT, CAUSE_MOVED_TEMPORARILY, CAUSE_MOVED_TEMPORARILY, 0x0102 },
    { DEFECT_REDIRECT_PERMANENT_AS_TEMPORARY, CAUSE_MOVED_PERMANENTLY, CAUSE_MOVED_PERMANENTLY, 0x0101 },
    { DEFECT_MOVED_AS_NOT_FOUND, CAUSE_MOVED_TEMPORARILY, CAUSE_MOVED_PERMANENTLY, 0x0203 },
    { DEFECT_CHAP_FAILURE_AS_INITIATOR_ERROR, CAUSE_CHAP_FAILED, CAUSE_CHAP_FAILED, 0x0200 },
    { DEFECT_UNAUTHENTICATED_AS_TARGET_ERROR, CAUSE_UNAUTHENTICATED, CAUSE_UNAUTHENTICATED, 0x0300 },
    { DEFECT_DENIED_AS_UNAVAILABLE, CAUSE_DENIED, CAUSE_DENIED, 0x0301 },
    { DEFECT_DENIED_AS_MISSING_PARAMETER, CAUSE_DENIED, CAUSE_DENIED, 0x0207 },
    { DEFECT_UNKNOWN_TARGET_AS_UNAVAILABLE, CAUSE_UNKNOWN_TARGET, CAUSE_UNKNOWN_TARGET, 0x0301 },
    { DEFECT_UNKNOWN_TARGET_AS_TARGET_ERROR, CAUSE_UNKNOWN_TARGET, CAUSE_UNKNOWN_TARGET, 0x0300 },
    { DEFECT_REMOVED_AS_UNAVAILABLE, CAUSE_REMOVED, CAUSE_REMOVED, 0x0302 },
    { DEFECT_REMOVED_AS_MOVED, CAUSE_REMOVED, CAUSE_REMOVED, 0x0102 },
    { DEFECT_UNSUPPORTED_VERSION_AS_TARGET_ERROR, CAUSE_VERSION, CAUSE_VERSION, 0x0300 },
    { DEFECT_UNSUPPORTED_VERSION_AS_INITIATOR_ERROR, CAUSE_VERSION, CAUSE_VERSION, 0x0200 },
    { DEFECT_TOO_MANY_CONNECTIONS_AS_TARGET_ERROR, CAUSE_CONNECTIONS, CAUSE_CONNECTIONS, 0x0300 },
    { DEFECT_TOO_MANY_CONNECTIONS_AS_UNAVAILABLE, CAUSE_CONNECTIONS, CAUSE_CONNECTIONS, 0x0301 },
    { DEFECT_TOO_MANY_CONNECTIONS_AS_RESOURCES, CAUSE_CONNECTIONS, CAUSE_CONNECTIONS, 0x0302 },
    { DEFECT_MISSING_NAME_AS_TARGET_ERROR, CAUSE_NO_INITIATOR_NAME, CAUSE_NO_TARGET_NAME, 0x0300 },
    { DEFECT_MISSING_NAME_AS_NOT_FOUND, CAUSE_NO_INITIATOR_NAME, CAUSE_NO_TARGET_NAME, 0x0203 },
    { DEFECT_MISSING_CHAP_R_AS_TARGET_ERROR, CAUSE_CHAP_R_MISSING, CAUSE_CHAP_R_MISSING, 0x0300 },
    { DEFECT_OTHER_GROUP_AS_TARGET_ERROR, CAUSE_OTHER_GROUP, CAUSE_OTHER_GROUP, 0x0300 },
    { DEFECT_SESSION_TYPE_AS_MISSING_PARAMETER, CAUSE_SESSION_TYPE, CAUSE_SESSION_TYPE, 0x0207 },
    { DEFECT_SESSION_TYPE_AS_TARGET_ERROR, CAUSE_SESSION_TYPE, CAUSE_SESSION_TYPE, 0x0300 },
    { DEFECT_UNKNOWN_TSIH_AS_NOT_FOUND, CAUSE_NO_SESSION, CAUSE_NO_SESSION, 0x0203 },
    { DEFECT_UNKNOWN_TSIH_AS_TARGET_ERROR, CAUSE_NO_SESSION, CAUSE_NO_SESSION, 0x0300 },
    { DEFECT_PDU_IN_LOGIN_AS_TARGET_ERROR, CAUSE_OTHER_PDU, CAUSE_OTHER_PDU, 0x0300 },
    { DEFECT_STORE_FAULT_AS_INITIATOR_ERROR, CAUSE_STORE, CAUSE_STORE, 0x0200 },
    { DEFECT_STORE_FAULT_AS_NOT_FOUND, CAUSE_STORE, CAUSE_STORE, 0x0203 },
    { DEFECT_DRAIN_AS_INITIATOR_ERROR, CAUSE_DRAIN, CAUSE_DRAIN, 0x0200 },
    { DEFECT_DRAIN_AS_MISSING_PARAMETER, CAUSE_DRAIN, CAUSE_DRAIN, 0x0207 },
    { DEFECT_SESSION_LIMIT_AS_INITIATOR_ERROR, CAUSE_SESSIONS, CAUSE_SESSIONS, 0x0200 },
    { DEFECT_SESSION_LIMIT_AS_NOT_FOUND, CAUSE_SESSIONS, CAUSE_SESSIONS, 0x0203 },
    { DEFECT_CHANGED_HEADER_AS_TARGET_ERROR, CAUSE_CHANGED, CAUSE_CHANGED, 0x0300 },
    { DEFECT_LONG_NAME_AS_TARGET_ERROR, CAUSE_BAD_NAME, CAUSE_BAD_NAME, 0x0300 },
    { DEFECT_CHAP_MD5_ALONE, CAUSE_CHAP_ALGORITHM, CAUSE_CHAP_ALGORITHM, 0x0300 }
};

uint16_t response_status(const struct conn *conn, enum cause cause)
{
    uint16_t status = cause == CAUSE_FORCED ? conn->login->forced : response_causes[cause].status;

    for (size_t i = 0; i < sizeof(response_swaps) / sizeof(response_swaps[0]); i++) {
        const struct response_swap *swap = &response_swaps[i];

        if (cause >= swap->first && cause <= swap->last && conn_has(conn, swap->defect))
            return swap->status;
    }
    if (status == STATUS_INITIATOR_ERROR && conn_has(conn, DEFECT_INITIATOR_ERROR_AS_TARGET_ERROR))
        return STATUS_TARGET_ERROR;
    return status;
}

const char *response_cause_text(enum cause cause)
{
    return cause > CAUSE_SILENT && cause < CAUSE_COUNT ? response_causes[cause].text : "no answer";
}

/* ---- form ---- */

/* Defects of the flags byte. */
static void response_spoil_flags(const struct conn *conn, struct pdu_login_response *response)
{
    if (conn_flawless(conn))
        return;
    if (response->transit && conn_has(conn, DEFECT_C_BIT_WITH_T_BIT))
        response->cont = true;
    if (!response->transit && conn_has(conn, DEFECT_C_BIT_ALWAYS))
        response->cont = true;
    if (conn_has(conn, DEFECT_CSG_NOT_ECHOED))
        response->csg ^= 1;
    if (response->nsg == PDU_STAGE_FULL_FEATURE && response->transit && conn_has(conn, DEFECT_CSG_THREE))
        response->csg = PDU_STAGE_FULL_FEATURE;
    if (response->transit && conn_has(conn, DEFECT_NSG_TWO))
        response->nsg = PDU_STAGE_RESERVED;
    if (!response->transit && conn_has(conn, DEFECT_NSG_WITHOUT_T))
        response->nsg = PDU_STAGE_FULL_FEATURE;
}

/* Defects of tags and numbers. */
static void response_spoil_numbers(const struct conn *conn, struct pdu_login_response *response)
{
    const struct login *login = conn->login;
    bool join = login->first.tsih != 0;

    if (conn_flawless(conn))
        return;
    if (conn_has(conn, DEFECT_WRONG_ITT))
        response->itt ^= 0x5a5a5a5aU;
    if (conn_has(conn, DEFECT_ISID_NOT_ECHOED))
        memset(response->isid, 0, sizeof(response->isid));
    if (join && conn_has(conn, DEFECT_TSIH_ECHO_LOST_IN_JOIN))
        response->tsih = 0;
    if (join && conn_has(conn, DEFECT_TSIH_CHANGES_ON_JOIN))
        response->tsih = response->tsih == UINT16_MAX ? 1 : (uint16_t)(response->tsih + 1);
    if (!join && conn_has(conn, DEFECT_TSIH_ZERO_IN_FINAL))
        response->tsih = 0;
    if (response->status == STATUS_SUCCESS) {
        if (conn_has(conn, DEFECT_EXPCMDSN_ADVANCED_BY_LOGIN))
            response->exp_cmd_sn++;
        if (conn_has(conn, DEFECT_EXPCMDSN_ZERO))
            response->exp_cmd_sn = 0;
        if (conn_has(conn, DEFECT_MAXCMDSN_BELOW_EXPCMDSN_MINUS_ONE))
            response->max_cmd_sn = response->exp_cmd_sn - 2;
        if (conn_has(conn, DEFECT_SUCCESS_DETAIL_SET))
            response->status = 0x0001;
    }
    if (conn_has(conn, DEFECT_VERSION_MAX_NONZERO))
        response->version_max = 1;
    if (conn_has(conn, DEFECT_VERSION_ACTIVE_NONZERO))
        response->version_active = 1;
    if (conn_has(conn, DEFECT_VERSION_CHANGES) && login->responses > 0)
        response->version_max = 1;
}

static uint32_t response_swapped(uint32_t value)
{
    return value << 24 | (value & 0xff00U) << 8 | (value >> 8 & 0xff00U) | value >> 24;
}

/* Defects of the encoded header. */
static void response_spoil_header(const struct conn *conn, uint8_t *bhs)
{
    if (conn_flawless(conn))
        return;
    if (conn_has(conn, DEFECT_FLAGS_RESERVED_SET))
        bhs[1] |= 0x30;
    if (conn_has(conn, DEFECT_OPCODE_WITH_IMMEDIATE_BIT))
        bhs[0] |= PDU_IMMEDIATE;
    if (conn_has(conn, DEFECT_RESERVED_BYTES_SET)) {
        memset(bhs + 20, 0xa5, 4);
        memset(bhs + 38, 0xa5, 10);
    }
    if (conn_has(conn, DEFECT_HEADER_LITTLE_ENDIAN)) {
        bytes_put_be32(bhs + 24, response_swapped(bytes_get_be32(bhs + 24)));
        bytes_put_be32(bhs + 28, response_swapped(bytes_get_be32(bhs + 28)));
    }
}

/* Defects of the text as a whole. False: none, or no memory; send it as it is. */
static bool response_spoil_text(const struct conn *conn, struct buffer *out, const uint8_t *text, size_t length)
{
    const struct node_env *env = &conn->node->env;

    if (conn_flawless(conn) || !buffer_append(out, env, text, length))
        return false;
    if (length > 0 && conn_has(conn, DEFECT_TEXT_WITH_EMPTY_PAIR)) {
        const uint8_t *nul = memchr(text, 0, length);
        size_t first = nul == NULL ? length : (size_t)(nul - text) + 1;

        buffer_clear(out);
        if (!buffer_append(out, env, text, first) || !buffer_append(out, env, "", 1) ||
            !buffer_append(out, env, text + first, length - first))
            return false;
    }
    if (out->length > 0 && conn_has(conn, DEFECT_TEXT_WITHOUT_FINAL_NUL) && !conn->login->request.cont)
        out->length--;
    return true;
}

/* Encodes one response and puts it out; responses never carry digests, RFC 7143 13.1. */
static void response_emit(struct conn *conn, struct pdu_login_response *response, const uint8_t *text, size_t length)
{
    static const uint8_t zero[4];
    static const uint8_t junk[4] = { 0xff, 0xff, 0xff, 0xff };
    struct buffer spoiled = { .bytes = NULL };
    uint8_t bhs[PDU_BHS_LEN];

    if (response_spoil_text(conn, &spoiled, text, length)) {
        text = buffer_bytes(&spoiled);
        length = spoiled.length;
    }
    response->data_len = (uint32_t)length;
    if (conn_has(conn, DEFECT_DATA_LENGTH_COUNTS_PADDING))
        response->data_len = (uint32_t)pdu_padded_len(length);
    if (conn_has(conn, DEFECT_AHS_IN_RESPONSE))
        response->total_ahs_len = 1;
    pdu_login_response_encode(response, bhs);
    response_spoil_header(conn, bhs);
    conn_send_raw(conn, bhs, sizeof(bhs));
    if (conn_has(conn, DEFECT_AHS_IN_RESPONSE))
        conn_send_raw(conn, zero, sizeof(zero));
    if (conn_has(conn, DEFECT_DIGEST_IN_LOGIN) && response->transit && response->nsg == PDU_STAGE_FULL_FEATURE &&
        conn->login->negotiate.params.header_digest != 0) {
        uint8_t digest[DIGEST_LEN];

        digest_put(digest, digest_crc32c(bhs, sizeof(bhs)));
        conn_send_raw(conn, digest, sizeof(digest));
    }
    conn_send_raw(conn, text, length);
    if (!conn_has(conn, DEFECT_PADDING_LEFT_OUT))
        conn_send_raw(conn, conn_has(conn, DEFECT_PADDING_NOT_ZERO) ? junk : zero, pdu_padding(length));
    buffer_free(&spoiled, &conn->node->env);
}

void response_send(struct conn *conn, bool transit, uint8_t nsg, bool more, const void *text, size_t length)
{
    struct login *login = conn->login;
    const struct pdu_login_request *request = &login->request;
    uint32_t exp_cmd_sn = login->first.cmd_sn;
    struct session *session = conn->session;

    if (login->join == LOGIN_JOIN_OK && !conn_has(conn, DEFECT_JOIN_TAKES_CMDSN) &&
        (session != NULL || sessions_join(conn, &session) == LOGIN_JOIN_OK))
        exp_cmd_sn = session->exp_cmd_sn;
    if (conn_has(conn, DEFECT_TSIH_IN_EVERY_RESPONSE) && login->tsih == 0 && login->first.tsih == 0)
        login->tsih = sessions_new_tsih(conn->node);
    struct pdu_login_response response = {
        .transit = transit,
        .cont = more,
        .csg = request->csg,
        .nsg = nsg,
        .version_max = PDU_VERSION,
        .version_active = PDU_VERSION,
        .tsih = login->join == LOGIN_JOIN_OK || login->tsih == 0 ? login->first.tsih : login->tsih,
        .itt = request->itt,
        .stat_sn = conn->stat_sn,
        .exp_cmd_sn = exp_cmd_sn,
        .max_cmd_sn = node_max_cmd_sn(conn->node, exp_cmd_sn),
        .status = STATUS_SUCCESS
    };

    memcpy(response.isid, request->isid, sizeof(response.isid));
    response_spoil_flags(conn, &response);
    response_spoil_numbers(conn, &response);
    response_emit(conn, &response, text, length);
    if (conn_has(conn, DEFECT_ANSWER_TWICE))
        response_emit(conn, &response, text, length);
    if (!conn_has(conn, DEFECT_STATSN_NOT_ADVANCED))
        conn->stat_sn += conn_has(conn, DEFECT_STATSN_SKIPS) ? 2 : 1;
    login->responses++;
}

/* ---- refusals ---- */

/* The text of a refusal: TargetAddress with class 1, else nothing. */
static void response_refusal_text(const struct conn *conn, uint16_t status, enum cause cause, struct text_buf *text)
{
    const struct login *login = conn->login;

    if (status_class(status) == STATUS_CLASS_REDIRECTION && !conn_has(conn, DEFECT_REDIRECT_WITHOUT_ADDRESS) &&
        cause != CAUSE_REMOVED) {
        char space[DISCOVERY_ADDRESS];
        const char *address = discovery_moved_address(conn, login->identity.target, space);

        if (conn_has(conn, DEFECT_REDIRECT_WRONG_ADDRESS))
            address = discovery_own_address(conn);
        if (conn_has(conn, DEFECT_REDIRECT_ADDRESS_WITH_TAG))
            text_buf_addf(text, "TargetAddress", "%s,%u", address,
                          (unsigned)conn->node->config->portals[conn->portal].tag);
        else
            text_buf_add(text, "TargetAddress", address);
    }
    if (conn_has(conn, DEFECT_KEYS_IN_REFUSAL)) {
        text_buf_add(text, "MaxRecvDataSegmentLength", "8192");
        text_buf_add(text, "HeaderDigest", "None");
    }
}

static void response_refuse_pdu(struct conn *conn, uint16_t status, enum cause cause)
{
    const struct login *login = conn->login;
    bool wrong_pdu = pdu_opcode(login->bhs) != PDU_LOGIN_REQUEST;
    const struct pdu_login_request *request = wrong_pdu ? &login->first : &login->request;
    char memory[1024];
    struct text_buf text;
    struct pdu_login_response response = { .version_max = PDU_VERSION, .version_active = PDU_VERSION,
                                       .tsih = request->tsih, .itt = request->itt, .status = status };

    text_buf_init_fixed(&text, memory, sizeof(memory));
    memcpy(response.isid, request->isid, sizeof(response.isid));
    if (cause == CAUSE_VERSION && conn_has(conn, DEFECT_VERSION_REJECT_WRONG_ACTIVE))
        response.version_active = request->version_min;
    if (conn_has(conn, DEFECT_TSIH_IN_REFUSAL) && response.tsih == 0)
        response.tsih = sessions_new_tsih(conn->node);
    if (conn_has(conn, DEFECT_ISID_OTHER_IN_REFUSAL))
        response.isid[5] ^= 1;
    if (conn_has(conn, DEFECT_TSIH_OTHER_IN_REFUSED_JOIN) && response.tsih != 0)
        response.tsih ^= 0x8000U;
    if (conn_has(conn, DEFECT_STATUS_DETAIL_LOST))
        response.status &= 0xff00U;
    if (conn_has(conn, DEFECT_STATUS_BYTES_SWAPPED))
        response.status = (uint16_t)(status >> 8 | (status & 0xffU) << 8);
    if (conn_benign(conn, BENIGN_REFUSAL_WITH_NUMBERS)) {
        response.stat_sn = conn->stat_sn;
        response.exp_cmd_sn = login->first.cmd_sn;
        response.max_cmd_sn = node_max_cmd_sn(conn->node, response.exp_cmd_sn);
    }
    if (conn_has(conn, DEFECT_REFUSAL_WITH_STAGE)) {
        response.transit = true;
        response.csg = PDU_STAGE_OPERATIONAL;
        response.nsg = PDU_STAGE_FULL_FEATURE;
    }
    if (conn_has(conn, DEFECT_REFUSAL_WRONG_VERSION))
        response.version_max = response.version_active = 2;
    response_refusal_text(conn, status, cause, &text);
    response_spoil_numbers(conn, &response);
    if (conn_has(conn, DEFECT_REFUSAL_AS_REJECT_PDU)) {
        uint8_t bhs[PDU_BHS_LEN];
        struct pdu_response reject = { .opcode = PDU_REJECT, .flags = PDU_FLAG_FINAL,
                                   .byte2 = PDU_REJECT_PROTOCOL_ERROR, .itt = PDU_NO_TAG,
                                   .stat_sn = conn->stat_sn };

        pdu_response_encode(&reject, bhs);
        conn_send(conn, bhs, login->bhs, PDU_BHS_LEN);
        return;
    }
    response_emit(conn, &response, (const uint8_t *)text.data, text.len);
    if (conn_has(conn, DEFECT_ANSWER_TWICE))
        response_emit(conn, &response, (const uint8_t *)text.data, text.len);
}

/* The connection after a refusal: closed, RFC 7143 11.13.5. */
static void response_part(struct conn *conn)
{
    if (conn_has(conn, DEFECT_KEEP_OPEN_AFTER_REFUSAL)) {
        login_close(conn);
        if (!login_open(conn))
            conn_end(conn, CONN_CLOSE);
    } else if (conn_has(conn, DEFECT_CLOSE_ONLY_AFTER_INITIATOR) || conn_has(conn, DEFECT_COMMAND_IN_LOGIN_EXECUTED)) {
        conn->login->state = LOGIN_REFUSED;
        conn->deadline = NODE_NO_DEADLINE;
    } else {
        conn_end(conn, CONN_CLOSE);
    }
}

/* Causes for which a close without a Login Response is as good (7.12, 8.1.2). */
static bool response_may_close(enum cause cause)
{
    return cause == CAUSE_TEXT || cause == CAUSE_TOO_LONG || cause == CAUSE_TEXT_ROOM || cause == CAUSE_AHS;
}

void response_refuse(struct conn *conn, enum cause cause)
{
    struct login *login = conn->login;

    if (login->state == LOGIN_REFUSED || cause == CAUSE_SILENT) {
        if (login->state != LOGIN_REFUSED)
            node_log(conn->node, conn, NODE_LOG_INFO, "closed without an answer in login");
        conn_end(conn, CONN_CLOSE);
        return;
    }
    uint16_t status = response_status(conn, cause);
    uint32_t known = conn->node->config->codes;

    if ((known & config_code_bit(status)) == 0)
        status = (known & config_code_bit(STATUS_INITIATOR_ERROR)) != 0 ? STATUS_INITIATOR_ERROR : STATUS_SUCCESS;
    if (conn_has(conn, DEFECT_CLOSE_WITHOUT_ANSWER) ||
        (conn_benign(conn, BENIGN_CLOSE_INSTEAD_OF_ANSWER) && response_may_close(cause)))
        status = STATUS_SUCCESS;
    node_log(conn->node, conn, NODE_LOG_INFO,
             "refused 0x%04x %s, portal %s, initiator %s, target %s: %s (RFC 7143 %s)", (unsigned)status,
             status == STATUS_SUCCESS ? "without an answer" : status_name_or_class(status),
             conn->node->config->portals[conn->portal].name,
             login->identity.initiator[0] != '\0' ? login->identity.initiator : "(none)",
             login->identity.target_name[0] != '\0' ? login->identity.target_name : "(none)",
             response_cause_text(cause), response_causes[cause].section);
    if (conn_has(conn, DEFECT_REFUSAL_ENDS_SESSION)) {
        struct session *session = sessions_find(conn->node, login->first.tsih);

        if (session != NULL)
            sessions_end(session, conn->node);
    }
    if (status == STATUS_SUCCESS) {         /* no code that this target knows fits */
        conn_end(conn, CONN_CLOSE);
        return;
    }
    response_refuse_pdu(conn, status, cause);
    conn->refused = true;
    response_part(conn);
}
