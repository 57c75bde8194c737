/*
 * keys_table.c - one row for every key of RFC 7143 sections 12 and 13, of
 * RFC 7144 and of RFC 7145.
 *
 * Rows stand at the index of their enum keys_id. All data is constant.
 */
#include "wire/keys.h"

#include "wire/chap.h"
#include "wire/text.h"

#define SECURITY     KEYS_STAGE_SECURITY
#define OPERATIONAL  KEYS_STAGE_OPERATIONAL
#define ANY_STAGE    KEYS_STAGE_ANY
#define KNOWN        KEYS_MUST_UNDERSTAND
#define DECL         KEYS_DECLARATIVE
#define NO_DISCOVERY KEYS_IRRELEVANT_IN_DISCOVERY
#define AUTH         KEYS_AUTHENTICATION

#define MAX_SEGMENT 16777215u /* 2**24 - 1, the width of DataSegmentLength */
#define MAX_SRP     1024u     /* 12.1.2 */
#define MAX_KRB     65536u    /* 12.1.1 */
#define MAX_16      65535u
#define MAX_32      4294967295u

/* clang-format off */
/* Row head: index, name, type, use, scope, stages, senders. */
#define ROW(key_id, key_name, key_type, key_use, key_scope, key_stages, key_senders) \
    .name = key_name, .name_len = sizeof(key_name) - 1, .id = key_id, .type = key_type, .use = key_use, \
    .scope = key_scope, .stages = key_stages, .senders = KEYS_FROM_##key_senders

/* Session-wide, Leading Only, operational, sent by both: what most of section 13
 * looks like. */
#define LEADING(key_id, key_name, key_type) \
    ROW(key_id, key_name, key_type, KEYS_LO, KEYS_SESSION_WIDE, OPERATIONAL, BOTH)

/* Section 12 keys: connection-wide, security stage only. */
#define SECURE(key_id, key_name, key_type, key_senders) \
    ROW(key_id, key_name, key_type, KEYS_IO, KEYS_CONNECTION_ONLY, SECURITY, key_senders)

/* The binary items of SRP, all alike. */
#define SRP_BINARY(key_id, key_name, key_senders) \
    { SECURE(key_id, key_name, KEYS_BINARY, key_senders), .flags = DECL | AUTH, \
      .max_len = MAX_SRP, .section = "12.1.2" }

static const struct keys_entry table[KEYS_COUNT] = {
    /* ---- names, addresses, session ---- */
    [KEYS_INITIATOR_NAME] = {
        ROW(KEYS_INITIATOR_NAME, "InitiatorName", KEYS_NAME, KEYS_IO,
            KEYS_SESSION_WIDE, ANY_STAGE, INITIATOR),
        .flags = DECL | KNOWN, .max_len = TEXT_NAME_MAX, .section = "13.5" },
    /* FFPO when the target sends it, in an answer to SendTargets. */
    [KEYS_TARGET_NAME] = {
        ROW(KEYS_TARGET_NAME, "TargetName", KEYS_NAME, KEYS_IO,
            KEYS_SESSION_WIDE, ANY_STAGE, BOTH),
        .flags = DECL | KNOWN, .max_len = TEXT_NAME_MAX, .section = "13.4" },
    [KEYS_SESSION_TYPE] = {
        ROW(KEYS_SESSION_TYPE, "SessionType", KEYS_ENUM, KEYS_LO,
            KEYS_SESSION_WIDE, ANY_STAGE, INITIATOR),
        .flags = DECL | KNOWN, .max_len = TEXT_VALUE_MAX, .fallback = "Normal",
        .values = "Discovery,Normal", .section = "13.21" },
    [KEYS_INITIATOR_ALIAS] = {
        ROW(KEYS_INITIATOR_ALIAS, "InitiatorAlias", KEYS_TEXT, KEYS_ALL,
            KEYS_SESSION_WIDE, ANY_STAGE, INITIATOR),
        .flags = DECL | KNOWN, .max_len = TEXT_VALUE_MAX, .section = "13.7" },
    [KEYS_TARGET_ALIAS] = {
        ROW(KEYS_TARGET_ALIAS, "TargetAlias", KEYS_TEXT, KEYS_ALL,
            KEYS_SESSION_WIDE, ANY_STAGE, TARGET),
        .flags = DECL | KNOWN, .max_len = TEXT_VALUE_MAX, .section = "13.6" },
    [KEYS_TARGET_ADDRESS] = {
        ROW(KEYS_TARGET_ADDRESS, "TargetAddress", KEYS_ADDRESS, KEYS_ALL,
            KEYS_SESSION_WIDE, ANY_STAGE, TARGET),
        .flags = DECL | KNOWN | KEYS_REPEATABLE, .max_len = TEXT_VALUE_MAX,
        .section = "13.8" },
    [KEYS_TARGET_PORTAL_GROUP_TAG] = {
        ROW(KEYS_TARGET_PORTAL_GROUP_TAG, "TargetPortalGroupTag", KEYS_NUMBER, KEYS_IO,
            KEYS_SESSION_WIDE, ANY_STAGE, TARGET),
        .flags = DECL | KNOWN, .max = MAX_16, .section = "13.9" },
    [KEYS_SEND_TARGETS] = {
        ROW(KEYS_SEND_TARGETS, "SendTargets", KEYS_SEND, KEYS_FFPO,
            KEYS_SESSION_WIDE, 0, INITIATOR),
        .flags = KNOWN, .max_len = TEXT_NAME_MAX, .section = "13.3" },

    /* ---- authentication ---- */
    [KEYS_AUTH_METHOD] = {
        SECURE(KEYS_AUTH_METHOD, "AuthMethod", KEYS_LIST, BOTH),
        .flags = AUTH | KNOWN, .values = "CHAP,SRP,KRB5,None", .section = "12.1" },
    [KEYS_CHAP_A] = {
        SECURE(KEYS_CHAP_A, "CHAP_A", KEYS_NUMBER_LIST, BOTH),
        .flags = AUTH | KNOWN, .max = UINT64_MAX, .values = "5,6,7,8",
        .section = "12.1.3" },
    [KEYS_CHAP_I] = {
        SECURE(KEYS_CHAP_I, "CHAP_I", KEYS_NUMBER, BOTH),
        .flags = DECL | AUTH | KNOWN, .max = 255, .section = "12.1.3" },
    [KEYS_CHAP_C] = {
        SECURE(KEYS_CHAP_C, "CHAP_C", KEYS_BINARY, BOTH),
        .flags = DECL | AUTH | KNOWN, .max_len = CHAP_MAX_BINARY, .section = "12.1.3" },
    [KEYS_CHAP_N] = {
        SECURE(KEYS_CHAP_N, "CHAP_N", KEYS_TEXT, BOTH),
        .flags = DECL | AUTH | KNOWN, .max_len = TEXT_VALUE_MAX, .section = "12.1.3" },
    [KEYS_CHAP_R] = {
        SECURE(KEYS_CHAP_R, "CHAP_R", KEYS_BINARY, BOTH),
        .flags = DECL | AUTH | KNOWN, .max_len = CHAP_MAX_BINARY, .section = "12.1.3" },
    [KEYS_SRP_U] = {
        SECURE(KEYS_SRP_U, "SRP_U", KEYS_TEXT, INITIATOR),
        .flags = DECL | AUTH, .max_len = TEXT_VALUE_MAX, .section = "12.1.2" },
    [KEYS_TARGET_AUTH] = {
        SECURE(KEYS_TARGET_AUTH, "TargetAuth", KEYS_BOOL, INITIATOR),
        .flags = DECL | AUTH, .section = "12.1.2" },
    [KEYS_SRP_GROUP] = {
        SECURE(KEYS_SRP_GROUP, "SRP_GROUP", KEYS_LIST, BOTH),
        .flags = AUTH, .values = "SRP-768,SRP-1024,SRP-1280,SRP-1536",
        .section = "12.1.2" },
    [KEYS_SRP_S] = SRP_BINARY(KEYS_SRP_S, "SRP_s", TARGET),
    [KEYS_SRP_A] = SRP_BINARY(KEYS_SRP_A, "SRP_A", INITIATOR),
    [KEYS_SRP_B] = SRP_BINARY(KEYS_SRP_B, "SRP_B", TARGET),
    [KEYS_SRP_M] = SRP_BINARY(KEYS_SRP_M, "SRP_M", INITIATOR),
    [KEYS_SRP_HM] = SRP_BINARY(KEYS_SRP_HM, "SRP_HM", TARGET),
    [KEYS_KRB_AP_REQ] = {
        SECURE(KEYS_KRB_AP_REQ, "KRB_AP_REQ", KEYS_BINARY, INITIATOR),
        .flags = DECL | AUTH, .max_len = MAX_KRB, .section = "12.1.1" },
    [KEYS_KRB_AP_REP] = {
        SECURE(KEYS_KRB_AP_REP, "KRB_AP_REP", KEYS_BINARY, TARGET),
        .flags = DECL | AUTH, .max_len = MAX_KRB, .section = "12.1.1" },

    /* ---- operational ---- */
    [KEYS_HEADER_DIGEST] = {
        ROW(KEYS_HEADER_DIGEST, "HeaderDigest", KEYS_LIST, KEYS_IO,
            KEYS_CONNECTION_ONLY, OPERATIONAL, BOTH),
        .flags = KNOWN, .fallback = "None", .values = "CRC32C,None", .section = "13.1" },
    [KEYS_DATA_DIGEST] = {
        ROW(KEYS_DATA_DIGEST, "DataDigest", KEYS_LIST, KEYS_IO,
            KEYS_CONNECTION_ONLY, OPERATIONAL, BOTH),
        .flags = KNOWN, .fallback = "None", .values = "CRC32C,None", .section = "13.1" },
    [KEYS_MAX_CONNECTIONS] = {
        LEADING(KEYS_MAX_CONNECTIONS, "MaxConnections", KEYS_NUMBER_MIN),
        .flags = KNOWN | NO_DISCOVERY, .min = 1, .max = MAX_16, .fallback = "1",
        .section = "13.2" },
    [KEYS_INITIAL_R2T] = {
        LEADING(KEYS_INITIAL_R2T, "InitialR2T", KEYS_BOOL_OR),
        .flags = KNOWN | NO_DISCOVERY, .fallback = "Yes", .section = "13.10" },
    [KEYS_IMMEDIATE_DATA] = {
        LEADING(KEYS_IMMEDIATE_DATA, "ImmediateData", KEYS_BOOL_AND),
        .flags = KNOWN | NO_DISCOVERY, .fallback = "Yes", .section = "13.11" },
    [KEYS_MAX_RECV_DATA_SEGMENT_LENGTH] = {
        ROW(KEYS_MAX_RECV_DATA_SEGMENT_LENGTH, "MaxRecvDataSegmentLength", KEYS_NUMBER,
            KEYS_ALL, KEYS_CONNECTION_ONLY, OPERATIONAL, BOTH),
        .flags = DECL | KNOWN, .min = 512, .max = MAX_SEGMENT, .fallback = "8192",
        .section = "13.12" },
    [KEYS_MAX_BURST_LENGTH] = {
        LEADING(KEYS_MAX_BURST_LENGTH, "MaxBurstLength", KEYS_NUMBER_MIN),
        .flags = KNOWN | NO_DISCOVERY, .min = 512, .max = MAX_SEGMENT,
        .fallback = "262144", .section = "13.13" },
    [KEYS_FIRST_BURST_LENGTH] = {
        LEADING(KEYS_FIRST_BURST_LENGTH, "FirstBurstLength", KEYS_NUMBER_MIN),
        .flags = KNOWN | NO_DISCOVERY, .min = 512, .max = MAX_SEGMENT,
        .fallback = "65536", .section = "13.14" },
    [KEYS_DEFAULT_TIME2WAIT] = {
        LEADING(KEYS_DEFAULT_TIME2WAIT, "DefaultTime2Wait", KEYS_NUMBER_MAX),
        .flags = KNOWN, .max = 3600, .fallback = "2", .section = "13.15" },
    [KEYS_DEFAULT_TIME2RETAIN] = {
        LEADING(KEYS_DEFAULT_TIME2RETAIN, "DefaultTime2Retain", KEYS_NUMBER_MIN),
        .flags = KNOWN, .max = 3600, .fallback = "20", .section = "13.16" },
    [KEYS_MAX_OUTSTANDING_R2T] = {
        LEADING(KEYS_MAX_OUTSTANDING_R2T, "MaxOutstandingR2T", KEYS_NUMBER_MIN),
        .flags = KNOWN | NO_DISCOVERY, .min = 1, .max = MAX_16, .fallback = "1",
        .section = "13.17" },
    [KEYS_DATA_PDU_IN_ORDER] = {
        LEADING(KEYS_DATA_PDU_IN_ORDER, "DataPDUInOrder", KEYS_BOOL_OR),
        .flags = KNOWN | NO_DISCOVERY, .fallback = "Yes", .section = "13.18" },
    [KEYS_DATA_SEQUENCE_IN_ORDER] = {
        LEADING(KEYS_DATA_SEQUENCE_IN_ORDER, "DataSequenceInOrder", KEYS_BOOL_OR),
        .flags = KNOWN | NO_DISCOVERY, .fallback = "Yes", .section = "13.19" },
    [KEYS_ERROR_RECOVERY_LEVEL] = {
        LEADING(KEYS_ERROR_RECOVERY_LEVEL, "ErrorRecoveryLevel", KEYS_NUMBER_MIN),
        .flags = KNOWN, .max = 2, .fallback = "0", .section = "13.20" },

    /* ---- later, private, obsolete ---- */
    /* Not KNOWN: a target of RFC 3720 rightly answers NotUnderstood. */
    [KEYS_TASK_REPORTING] = {
        LEADING(KEYS_TASK_REPORTING, "TaskReporting", KEYS_LIST),
        .flags = NO_DISCOVERY, .fallback = "RFC3720",
        .values = "RFC3720,ResponseFence,FastAbort", .section = "13.23" },
    [KEYS_ISCSI_PROTOCOL_LEVEL] = {
        LEADING(KEYS_ISCSI_PROTOCOL_LEVEL, "iSCSIProtocolLevel", KEYS_NUMBER_MIN),
        .flags = NO_DISCOVERY, .max = 31, .fallback = "1",
        .section = "13.24, RFC 7144 7.1.1" },
    [KEYS_NODE_ARCHITECTURE] = {
        LEADING(KEYS_NODE_ARCHITECTURE, "X#NodeArchitecture", KEYS_TEXT),
        .flags = DECL, .max_len = 255, .section = "13.26" },
    [KEYS_IF_MARKER] = {
        ROW(KEYS_IF_MARKER, "IFMarker", KEYS_BOOL_AND, KEYS_IO,
            KEYS_CONNECTION_ONLY, OPERATIONAL, BOTH),
        .flags = KNOWN | KEYS_OBSOLETE, .fallback = "No", .section = "13.25" },
    [KEYS_OF_MARKER] = {
        ROW(KEYS_OF_MARKER, "OFMarker", KEYS_BOOL_AND, KEYS_IO,
            KEYS_CONNECTION_ONLY, OPERATIONAL, BOTH),
        .flags = KNOWN | KEYS_OBSOLETE, .fallback = "No", .section = "13.25" },
    [KEYS_IF_MARK_INT] = {
        ROW(KEYS_IF_MARK_INT, "IFMarkInt", KEYS_RANGE, KEYS_IO,
            KEYS_CONNECTION_ONLY, OPERATIONAL, BOTH),
        .flags = KNOWN | KEYS_OBSOLETE, .min = 1, .max = MAX_16, .fallback = "2048",
        .section = "13.25" },
    [KEYS_OF_MARK_INT] = {
        ROW(KEYS_OF_MARK_INT, "OFMarkInt", KEYS_RANGE, KEYS_IO,
            KEYS_CONNECTION_ONLY, OPERATIONAL, BOTH),
        .flags = KNOWN | KEYS_OBSOLETE, .min = 1, .max = MAX_16, .fallback = "2048",
        .section = "13.25" },

    /* ---- iSER ---- */
    [KEYS_RDMA_EXTENSIONS] = {
        LEADING(KEYS_RDMA_EXTENSIONS, "RDMAExtensions", KEYS_BOOL_AND),
        .flags = NO_DISCOVERY, .fallback = "No", .section = "RFC 7145 6.3" },
    [KEYS_INITIATOR_RECV_DATA_SEGMENT_LENGTH] = {
        ROW(KEYS_INITIATOR_RECV_DATA_SEGMENT_LENGTH, "InitiatorRecvDataSegmentLength",
            KEYS_NUMBER_MIN, KEYS_IO, KEYS_CONNECTION_ONLY, OPERATIONAL, BOTH),
        .min = 512, .max = MAX_SEGMENT, .fallback = "8192", .section = "RFC 7145 6.4" },
    [KEYS_TARGET_RECV_DATA_SEGMENT_LENGTH] = {
        ROW(KEYS_TARGET_RECV_DATA_SEGMENT_LENGTH, "TargetRecvDataSegmentLength",
            KEYS_NUMBER_MIN, KEYS_IO, KEYS_CONNECTION_ONLY, OPERATIONAL, BOTH),
        .min = 512, .max = MAX_SEGMENT, .fallback = "8192", .section = "RFC 7145 6.5" },
    [KEYS_MAX_OUTSTANDING_UNEXPECTED_PDUS] = {
        LEADING(KEYS_MAX_OUTSTANDING_UNEXPECTED_PDUS, "MaxOutstandingUnexpectedPDUs",
                KEYS_NUMBER),
        .flags = DECL, .max = MAX_32, .fallback = "0", .section = "RFC 7145 6.7" },
    [KEYS_MAX_AHS_LENGTH] = {
        LEADING(KEYS_MAX_AHS_LENGTH, "MaxAHSLength", KEYS_NUMBER),
        .flags = DECL, .max = MAX_32, .fallback = "256", .section = "RFC 7145 6.8" },
    [KEYS_TAGGED_BUFFER_FOR_SOLICITED_DATA_ONLY] = {
        ROW(KEYS_TAGGED_BUFFER_FOR_SOLICITED_DATA_ONLY,
            "TaggedBufferForSolicitedDataOnly", KEYS_BOOL, KEYS_LO, KEYS_SESSION_WIDE,
            OPERATIONAL, INITIATOR),
        .flags = DECL, .fallback = "No", .section = "RFC 7145 6.9" },
    [KEYS_ISER_HELLO_REQUIRED] = {
        ROW(KEYS_ISER_HELLO_REQUIRED, "iSERHelloRequired", KEYS_BOOL, KEYS_LO,
            KEYS_SESSION_WIDE, OPERATIONAL, INITIATOR),
        .flags = DECL, .fallback = "No", .section = "RFC 7145 6.10" },
};

enum { LONGEST_NAME = 32, SAME_LENGTH_MAX = 7 };

/* Rows by the length of the name, those of operations first, as most of what is looked up are these; 0: no more. */
#define ROW_OF(id) (uint8_t)(KEYS_##id + 1)
static const uint8_t of_length[LONGEST_NAME + 1][SAME_LENGTH_MAX + 1] = {
    [5] = {ROW_OF(SRP_U), ROW_OF(SRP_S), ROW_OF(SRP_A), ROW_OF(SRP_B), ROW_OF(SRP_M)},
    [6] = {ROW_OF(CHAP_A), ROW_OF(CHAP_I), ROW_OF(CHAP_C), ROW_OF(CHAP_N), ROW_OF(CHAP_R), ROW_OF(SRP_HM)},
    [8] = {ROW_OF(IF_MARKER), ROW_OF(OF_MARKER)},
    [9] = {ROW_OF(IF_MARK_INT), ROW_OF(OF_MARK_INT), ROW_OF(SRP_GROUP)},
    [10] = {ROW_OF(DATA_DIGEST), ROW_OF(INITIAL_R2T), ROW_OF(TARGET_NAME), ROW_OF(AUTH_METHOD),
            ROW_OF(TARGET_AUTH), ROW_OF(KRB_AP_REQ), ROW_OF(KRB_AP_REP)},
    [11] = {ROW_OF(SESSION_TYPE), ROW_OF(TARGET_ALIAS), ROW_OF(SEND_TARGETS)},
    [12] = {ROW_OF(HEADER_DIGEST), ROW_OF(MAX_AHS_LENGTH)},
    [13] = {ROW_OF(IMMEDIATE_DATA), ROW_OF(TASK_REPORTING), ROW_OF(INITIATOR_NAME), ROW_OF(TARGET_ADDRESS)},
    [14] = {ROW_OF(MAX_CONNECTIONS), ROW_OF(MAX_BURST_LENGTH), ROW_OF(DATA_PDU_IN_ORDER),
            ROW_OF(RDMA_EXTENSIONS), ROW_OF(INITIATOR_ALIAS)},
    [16] = {ROW_OF(FIRST_BURST_LENGTH), ROW_OF(DEFAULT_TIME2WAIT)},
    [17] = {ROW_OF(MAX_OUTSTANDING_R2T), ROW_OF(ISER_HELLO_REQUIRED)},
    [18] = {ROW_OF(DEFAULT_TIME2RETAIN), ROW_OF(ERROR_RECOVERY_LEVEL), ROW_OF(ISCSI_PROTOCOL_LEVEL),
            ROW_OF(NODE_ARCHITECTURE)},
    [19] = {ROW_OF(DATA_SEQUENCE_IN_ORDER)},
    [20] = {ROW_OF(TARGET_PORTAL_GROUP_TAG)},
    [24] = {ROW_OF(MAX_RECV_DATA_SEGMENT_LENGTH)},
    [27] = {ROW_OF(TARGET_RECV_DATA_SEGMENT_LENGTH)},
    [28] = {ROW_OF(MAX_OUTSTANDING_UNEXPECTED_PDUS)},
    [30] = {ROW_OF(INITIATOR_RECV_DATA_SEGMENT_LENGTH)},
    [32] = {ROW_OF(TAGGED_BUFFER_FOR_SOLICITED_DATA_ONLY)},
};
/* clang-format on */

const struct keys_entry *keys_at(size_t index)
{
    return index < KEYS_COUNT ? &table[index] : NULL;
}

const struct keys_entry *keys_find(const char *name, size_t len)
{
    if (len > LONGEST_NAME)
        return NULL;
    for (const uint8_t *row = of_length[len]; *row != 0; row++) {
        const struct keys_entry *key = &table[*row - 1];

        if (key->name[0] == name[0] && memcmp(key->name, name, len) == 0)
            return key;
    }
    return NULL;
}
