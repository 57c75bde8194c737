#include "audit_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/chap.h"
#include "wire/digest.h"
#include "wire/text.h"

/* key=value lines, '\n' for the null byte. */
static void set_text(struct message *m, const char *text)
{
    m->len = strlen(text);
    assert_true(m->len < sizeof m->text);
    for (size_t i = 0; i < m->len; i++)
        m->text[i] = text[i] == '\n' ? '\0' : text[i];
    pdu_set_data_len(m->bhs, m->len);
}

static struct message *message(struct script *s, int conn, enum transcript_side side, const char *text)
{
    struct message *m = &s->m[s->count++];

    memset(m, 0, sizeof *m);
    m->conn = conn;
    m->side = side;
    set_text(m, text);
    return m;
}

/* flags: "T", "C" or "". */
static void ask(struct script *s, int conn, int csg, int nsg, const char *flags, uint16_t tsih, const char *text)
{
    struct message *m = message(s, conn, TRANSCRIPT_INITIATOR, text);
    struct pdu_login_request req = {.immediate = true, .itt = ITT, .cmd_sn = CMD_SN, .cid = 1, .tsih = tsih};

    req.transit = strchr(flags, 'T') != NULL;
    req.cont = strchr(flags, 'C') != NULL;
    req.csg = (uint8_t)csg;
    req.nsg = (uint8_t)nsg;
    req.isid[0] = 0x80;
    req.data_len = (uint32_t)m->len;
    pdu_login_request_encode(&req, m->bhs);
}

static void tell(struct script *s, int conn, int csg, int nsg, const char *flags, uint16_t tsih, uint16_t status,
                 const char *text)
{
    struct message *m = message(s, conn, TRANSCRIPT_TARGET, text);
    struct pdu_login_response rsp = {.itt = ITT, .exp_cmd_sn = CMD_SN, .max_cmd_sn = CMD_SN + 31, .tsih = tsih};
    uint32_t stat_sn = 0xfffffffeu;

    for (size_t i = 0; i + 1 < s->count; i++)
        stat_sn += s->m[i].conn == conn && s->m[i].side == TRANSCRIPT_TARGET;
    rsp.stat_sn = status == 0 ? stat_sn : 0;
    rsp.transit = strchr(flags, 'T') != NULL;
    rsp.cont = strchr(flags, 'C') != NULL;
    rsp.csg = (uint8_t)csg;
    rsp.nsg = (uint8_t)nsg;
    rsp.isid[0] = 0x80;
    rsp.status = status;
    if (status)
        rsp.exp_cmd_sn = rsp.max_cmd_sn = 0;
    rsp.data_len = (uint32_t)m->len;
    pdu_login_response_encode(&rsp, m->bhs);
}

static void request(struct script *s, uint8_t opcode, const char *text)
{
    struct message *m = message(s, 0, TRANSCRIPT_INITIATOR, text);
    struct pdu_request req = {.opcode = opcode, .immediate = true, .flags = PDU_FLAG_FINAL, .itt = 77};

    req.word20 = opcode == PDU_LOGOUT_REQUEST ? 1u << 16 : PDU_NO_TAG;
    req.cmd_sn = CMD_SN;
    req.data_len = (uint32_t)m->len;
    pdu_request_encode(&req, m->bhs);
}

static void response(struct script *s, uint8_t opcode, const char *text)
{
    struct message *m = message(s, 0, TRANSCRIPT_TARGET, text);
    struct pdu_response rsp = {.opcode = opcode, .flags = PDU_FLAG_FINAL, .itt = 77, .exp_cmd_sn = CMD_SN};

    rsp.stat_sn = 0xfffffffeu;
    for (size_t i = 0; i + 1 < s->count; i++)
        rsp.stat_sn += s->m[i].side == TRANSCRIPT_TARGET;
    rsp.word20 = opcode == PDU_NOP_IN || opcode == PDU_TEXT_RESPONSE ? PDU_NO_TAG : 0;
    rsp.max_cmd_sn = CMD_SN + 31;
    rsp.data_len = (uint32_t)m->len;
    pdu_response_encode(&rsp, m->bhs);
}

static void hex_response(char *out, size_t cap, uint8_t id, const char *secret, const char *challenge)
{
    uint8_t hash[CHAP_MAX_HASH_LEN];
    size_t len;

    assert_int_equal(chap_response(chap_algorithm_find(CHAP_MD5), id, secret, strlen(secret), challenge,
                                   strlen(challenge), hash, sizeof hash, &len),
                     CHAP_OK);
    assert_true(text_encode_hex(hash, len, out, cap) > 0);
}

static void base_plain(struct script *s)
{
    ask(s, 0, 1, 3, "T", 0,
        NAMES "SessionType=Normal\nInitiatorAlias=me\nHeaderDigest=CRC32C,None\nDataDigest=None\nMaxConnections=4\n"
              "InitialR2T=No\nImmediateData=Yes\nMaxRecvDataSegmentLength=65536\nMaxBurstLength=262144\n"
              "FirstBurstLength=65536\nDefaultTime2Wait=2\nDefaultTime2Retain=20\nMaxOutstandingR2T=8\n"
              "DataPDUInOrder=No\nDataSequenceInOrder=No\nErrorRecoveryLevel=2\nX-com.example.a=1\nFooBar=2\n"
              "TaskReporting=RFC3720,ResponseFence\niSCSIProtocolLevel=1\nIFMarker=No\nOFMarker=Yes\n"
              "OFMarkInt=2048~8192\n");
    tell(s, 0, 1, 3, "T", 0x1234, 0,
         "TargetPortalGroupTag=1\nTargetAlias=a disk\nHeaderDigest=None\nDataDigest=None\nMaxConnections=1\n"
         "InitialR2T=Yes\nImmediateData=No\nMaxRecvDataSegmentLength=8192\nMaxBurstLength=16384\n"
         "FirstBurstLength=Irrelevant\nDefaultTime2Wait=5\nDefaultTime2Retain=0\nMaxOutstandingR2T=1\n"
         "DataPDUInOrder=Yes\nDataSequenceInOrder=Yes\nErrorRecoveryLevel=0\nX-com.example.a=NotUnderstood\n"
         "FooBar=NotUnderstood\nTaskReporting=RFC3720\niSCSIProtocolLevel=1\nOFMarker=Reject\nOFMarkInt=Reject\n");
    request(s, PDU_NOP_OUT, "ping");
    response(s, PDU_NOP_IN, "ping");
}

static void base_rounds(struct script *s)
{
    ask(s, 0, 0, 1, "T", 0, NAMES "AuthMethod=None\n");
    tell(s, 0, 0, 1, "T", 0, 0, "AuthMethod=None\nTargetPortalGroupTag=0x1\n");
    ask(s, 0, 1, 0, "C", 0, "MaxBurst");
    tell(s, 0, 1, 0, "", 0, 0, "");
    ask(s, 0, 1, 3, "", 0, "Length=0x10000\nFirstBurstLength=65536\nInitialR2T=No\n");
    tell(s, 0, 1, 0, "", 0, 0, "MaxBurstLength=0x0ffff\nFirstBurstLength=512\nInitialR2T=No\n");
    ask(s, 0, 1, 3, "T", 0, "");
    tell(s, 0, 1, 3, "T", 0xffff, 0, "");
}

static void chap(struct script *s, bool mutual)
{
    char step3[512];
    char step4[256];
    char r[80];

    snprintf(s->context.chap_user, sizeof s->context.chap_user, "user");
    snprintf(s->context.chap_secret, sizeof s->context.chap_secret, SECRET);
    snprintf(s->context.mutual_secret, sizeof s->context.mutual_secret, MUTUAL);
    s->context.requires_chap = true;
    hex_response(r, sizeof r, 200, SECRET, CHALLENGE);
    snprintf(step3, sizeof step3, "CHAP_N=user\nCHAP_R=%s\n%s", r, mutual ? "CHAP_I=7\nCHAP_C=" OWN_HEX "\n" : "");
    hex_response(r, sizeof r, 7, MUTUAL, OWN);
    snprintf(step4, sizeof step4, "CHAP_N=target\nCHAP_R=%s\n", r);
    ask(s, 0, 0, 1, "", 0, NAMES "AuthMethod=CHAP,None\n");
    tell(s, 0, 0, 0, "", 0, 0, "TargetPortalGroupTag=1\nAuthMethod=CHAP\n");
    ask(s, 0, 0, 1, "", 0, "CHAP_A=7,5\n");
    tell(s, 0, 0, 0, "", 0, 0, "CHAP_A=5\nCHAP_I=200\nCHAP_C=" CHALLENGE_HEX "\n");
    ask(s, 0, 0, 1, "T", 0, step3);
    tell(s, 0, 0, 1, "T", 0, 0, mutual ? step4 : "");
    ask(s, 0, 1, 3, "T", 0, "HeaderDigest=None\n");
    tell(s, 0, 1, 3, "T", 9, 0, "HeaderDigest=None\n");
}

static void base_discovery(struct script *s)
{
    ask(s, 0, 1, 3, "T", 0,
        "InitiatorName=iqn.2001-04.com.example:host\nSessionType=Discovery\nErrorRecoveryLevel=1\n");
    tell(s, 0, 1, 3, "T", 3, 0, "ErrorRecoveryLevel=0\n");
    request(s, PDU_TEXT_REQUEST, "SendTargets=All\n");
    response(s, PDU_TEXT_RESPONSE,
             "TargetName=iqn.2001-04.com.example:disk\nTargetAddress=127.0.0.1:3260,1\n"
             "TargetAddress=[::1],65535\nTargetName=iqn.2001-04.com.example:tape\nTargetAddress=h.example,2\n");
    request(s, PDU_LOGOUT_REQUEST, "");
    response(s, PDU_LOGOUT_RESPONSE, "");
}

static void base_listing(struct script *s)
{
    ask(s, 0, 1, 3, "T", 0, NAMES);
    tell(s, 0, 1, 3, "T", 3, 0, "TargetPortalGroupTag=1\n");
    request(s, PDU_TEXT_REQUEST, "SendTargets=\n");
    response(s, PDU_TEXT_RESPONSE, "TargetName=iqn.2001-04.com.example:disk\nTargetAddress=127.0.0.1:3260,1\n");
}

static void base_join(struct script *s)
{
    ask(s, 0, 1, 3, "T", 0, NAMES "MaxConnections=2\n");
    tell(s, 0, 1, 3, "T", 0x1234, 0, "TargetPortalGroupTag=1\nMaxConnections=2\n");
    ask(s, 1, 1, 1, "", 0x1234, NAMES);
    tell(s, 1, 1, 0, "", 0x1234, 0, "TargetPortalGroupTag=1\n");
    ask(s, 1, 1, 3, "T", 0x1234, "HeaderDigest=None\n");
    tell(s, 1, 1, 3, "T", 0x1234, 0, "HeaderDigest=None\n");
}

static void base_many(struct script *s)
{
    static const char *const steps[4] = {
        "CHAP_A=5\nCHAP_I=1\nCHAP_C=0x0011223344556677\n", "CHAP_A=5\nCHAP_I=2\nCHAP_C=0x0011223344556678\n",
        "CHAP_A=5\nCHAP_I=1\nCHAP_C=0b/////////w==\n", "CHAP_A=5\nCHAP_I=1\nCHAP_C=0x01\n"};

    for (int i = 0; i < 4; i++) {
        ask(s, i, 0, 1, "", 0, NAMES "AuthMethod=CHAP\n");
        tell(s, i, 0, 0, "", 0, 0, "TargetPortalGroupTag=1\nAuthMethod=CHAP\n");
        ask(s, i, 0, 1, "", 0, "CHAP_A=5\n");
        tell(s, i, 0, 0, "", 0, 0, steps[i]);
    }
}

static void base_digests(struct script *s)
{
    ask(s, 0, 1, 3, "T", 0, NAMES "HeaderDigest=CRC32C\nDataDigest=CRC32C\n");
    tell(s, 0, 1, 3, "T", 1, 0, "TargetPortalGroupTag=1\nHeaderDigest=CRC32C\nDataDigest=CRC32C\n");
    request(s, PDU_NOP_OUT, "ping!");
    response(s, PDU_NOP_IN, "ping!");
    s->m[2].digests = s->m[3].digests = true;
}

static void base_long_answer(struct script *s)
{
    ask(s, 0, 1, 3, "T", 0, NAMES "X-a=1\nX-b=2\n");
    tell(s, 0, 1, 0, "C", 0, 0, "TargetPortalGroupTag=1\nX-a=NotUnd");
    ask(s, 0, 1, 3, "T", 0, "");
    tell(s, 0, 1, 3, "T", 1, 0, "erstood\nX-b=NotUnderstood\n");
}

static void base_proposal(struct script *s)
{
    ask(s, 0, 1, 3, "T", 0, NAMES);
    tell(s, 0, 1, 0, "", 0, 0, "TargetPortalGroupTag=1\nMaxBurstLength=1024\nFirstBurstLength=512\n");
    ask(s, 0, 1, 3, "T", 0, "MaxBurstLength=1024\nFirstBurstLength=512\n");
    tell(s, 0, 1, 3, "T", 1, 0, "DataPDUInOrder=Yes\n");
}

static void base_logout(struct script *s)
{
    ask(s, 0, 1, 3, "T", 0, NAMES);
    tell(s, 0, 1, 3, "T", 1, 0, "TargetPortalGroupTag=1\n");
    request(s, PDU_LOGOUT_REQUEST, "");
    response(s, PDU_LOGOUT_RESPONSE, "");
}

static void base_rejected(struct script *s)
{
    struct message *m;

    ask(s, 0, 1, 3, "T", 0, NAMES);
    tell(s, 0, 1, 3, "T", 1, 0, "TargetPortalGroupTag=1\n");
    request(s, PDU_SNACK_REQUEST, "");
    response(s, PDU_REJECT, "");
    m = &s->m[s->count - 1];
    m->bhs[2] = PDU_REJECT_SNACK;
    memset(m->bhs + 16, 0xff, 4);
    m->len = PDU_BHS_LEN;
    memcpy(m->text, m[-1].bhs, PDU_BHS_LEN);
    pdu_set_data_len(m->bhs, m->len);
}

static void base_mutual(struct script *s)
{
    chap(s, true);
}

static void base_one_way(struct script *s)
{
    chap(s, false);
}

static void base_refused(struct script *s)
{
    ask(s, 0, 1, 3, "T", 0, NAMES);
    tell(s, 0, 0, 0, "", 0, 0x0203, "");
}

static void base_moved(struct script *s)
{
    ask(s, 0, 1, 3, "T", 0, NAMES);
    tell(s, 0, 0, 0, "", 0, 0x0101, "TargetAddress=127.0.0.2:3261\nTargetAddress=[::1]\n");
}

static void (*const bases[BASE_COUNT])(struct script *s) = {
    [PLAIN] = base_plain,       [ROUNDS] = base_rounds,   [MUTUAL_CHAP] = base_mutual,
    [ONE_WAY] = base_one_way,   [LISTING] = base_listing, [DISCOVERY] = base_discovery,
    [JOIN] = base_join,         [REFUSED] = base_refused, [MOVED] = base_moved,
    [MANY] = base_many,         [DIGESTS] = base_digests, [LONG_ANSWER] = base_long_answer,
    [PROPOSAL] = base_proposal, [LOGOUT] = base_logout,   [REJECTED] = base_rejected,
};

struct script *script_build(enum base base)
{
    struct script *s = calloc(1, sizeof *s);

    assert_non_null(s);
    s->context.portal_tag = 1;
    s->context.live = true;
    s->context.close_grace_ms = 2000;
    s->step_us = 1000;
    bases[base](s);
    return s;
}

static void put_digest(uint8_t *wire, size_t *len, size_t from, bool bad)
{
    digest_put(wire + *len, digest_crc32c(wire + from, *len - from) ^ bad);
    *len += PDU_DIGEST_LEN;
}

size_t script_encode(const struct message *m, uint8_t *wire)
{
    size_t pad = pdu_padding(m->len);
    size_t len = PDU_BHS_LEN;

    memcpy(wire, m->bhs, PDU_BHS_LEN);
    memset(wire + len, 0, m->ahs);
    len += m->ahs;
    if (m->digests)
        put_digest(wire, &len, 0, false);
    memcpy(wire + len, m->text, m->len);
    memset(wire + len + m->len, m->pad, pad);
    len += m->len + pad - (size_t)m->lost_pad;
    if (m->digests && m->len > 0)
        put_digest(wire, &len, PDU_BHS_LEN + PDU_DIGEST_LEN, m->bad_digest);
    return len;
}

static void put_head(struct transcript *t, const struct message *m, int64_t now)
{
    uint8_t wire[sizeof m->text + PDU_BHS_LEN + 16];

    script_encode(m, wire);
    assert_true(transcript_bytes(t->conns[m->conn], m->side, now, wire, PDU_BHS_LEN));
}

struct transcript *script_record(const struct script *s)
{
    static const char *const names[] = {"A", "B", "C", "D"};
    struct transcript *t = transcript_new();
    int64_t now = 0;

    assert_non_null(t);
    t->context = s->context;
    for (size_t i = 0; i < s->count; i++) {
        const struct message *m = &s->m[i];
        uint8_t wire[sizeof m->text + PDU_BHS_LEN + 16];
        size_t len = script_encode(m, wire);

        while ((size_t)m->conn >= t->conn_count) {
            struct transcript_conn *c = transcript_add_conn(t, names[t->conn_count]);

            assert_non_null(c);
            snprintf(c->remote, sizeof c->remote, "127.0.0.1");
            c->remote_port = 3260;
            c->connected = true;
        }
        size_t from = m->head_first ? PDU_BHS_LEN : 0;

        now += s->step_us;
        if (i + 1 < s->count && s->m[i + 1].head_first)
            put_head(t, &s->m[i + 1], now);
        for (int k = 0; k < (m->removed ? 0 : m->twice ? 2 : 1); k++)
            assert_true(transcript_bytes(t->conns[m->conn], m->side, now, wire + from, len - from));
    }
    for (size_t i = 0; i < t->conn_count; i++) {
        if (!s->target_stays)
            transcript_end(t->conns[i], TRANSCRIPT_TARGET, now + 1000, TRANSCRIPT_FIN);
        transcript_end(t->conns[i], TRANSCRIPT_INITIATOR, now + 3000000, TRANSCRIPT_FIN);
    }
    return t;
}

static void change_pair(struct message *m, const char *pair, bool add)
{
    char key[80];
    struct text_buf buf;
    char mem[sizeof m->text];

    snprintf(key, sizeof key, "%.*s", (int)strcspn(pair, "="), pair);
    text_buf_init_fixed(&buf, mem, sizeof mem);
    assert_true(text_buf_add_raw(&buf, m->text, m->len));
    if (add)
        assert_true(text_buf_add(&buf, key, pair + strlen(key) + 1));
    else
        assert_true(text_buf_set(&buf, key, pair + strlen(key) + 1));
    memcpy(m->text, buf.data, buf.len);
    m->len = buf.len;
    pdu_set_data_len(m->bhs, m->len);
}

static void drop_pair(struct message *m, const char *key)
{
    struct text_buf buf;
    char mem[sizeof m->text];

    text_buf_init_fixed(&buf, mem, sizeof mem);
    assert_true(text_buf_add_raw(&buf, m->text, m->len));
    assert_true(text_buf_drop(&buf, key) > 0);
    memcpy(m->text, buf.data, buf.len);
    m->len = buf.len;
    pdu_set_data_len(m->bhs, m->len);
}

static void fill(struct message *asked, struct message *told, uint64_t count)
{
    char pair[48];

    for (uint64_t i = 0; i < count; i++) {
        snprintf(pair, sizeof pair, "X-fill-%03u=1", (unsigned)i);
        change_pair(asked, pair, true);
        snprintf(pair, sizeof pair, "X-fill-%03u=NotUnderstood", (unsigned)i);
        change_pair(told, pair, true);
    }
}

/* Changes of the text. False when it is none of them. */
static bool change_text(struct message *m, const struct change *change)
{
    switch (change->kind) {
    case SET:
    case ADD:
        change_pair(m, change->name, change->kind == ADD);
        return true;
    case DROP:
        drop_pair(m, change->name);
        return true;
    case TEXT:
        set_text(m, change->name);
        return true;
    case FILL:
        fill(m - 1, m, change->value);
        return true;
    case BLOW:
        m->len = change->value;
        memset(m->text, 'x', m->len);
        pdu_set_data_len(m->bhs, m->len);
        return true;
    default:
        return false;
    }
}

/* Changes of the script as a whole. False when it is none of them. */
static bool change_script(struct script *s, const struct change *change)
{
    switch (change->kind) {
    case STAYS:
        s->target_stays = true;
        return true;
    case KNOWN:
        s->context.secrets_known = true;
        return true;
    case DEMAND:
        s->context.requires_chap = true;
        return true;
    case CAPTURE:
        memset(&s->context, 0, sizeof s->context);
        s->context.portal_tag = -1;
        return true;
    case CUT:
        s->count = (size_t)change->message;
        return true;
    case SLOW:
        s->step_us = 1000000;
        return true;
    default:
        return false;
    }
}

static void change_wire(struct message *m, const struct change *change)
{
    const struct pdu_field *field;

    switch (change->kind) {
    case FIELD:
        field = pdu_field_find(m->bhs[0], change->name);
        assert_non_null(field);
        assert_true(pdu_field_set(field, m->bhs, change->value));
        if (strcmp(change->name, "Status") == 0 && change->value > 0xff)
            m->bhs[1] = 0; /* a refusal has no stages */
        break;
    case BYTE:
        m->bhs[change->value >> 8] = (uint8_t)change->value;
        break;
    case REMOVE:
        m->removed = true;
        break;
    case TWICE:
        m->twice = true;
        break;
    case NO_PAD:
        m->lost_pad = (int)pdu_padding(m->len);
        assert_true(m->lost_pad > 0);
        break;
    case PAD:
        m->pad = (uint8_t)change->value;
        break;
    case AHS:
        m->ahs = 4;
        m->bhs[4] = 1;
        break;
    case DIGEST:
    case NO_DIGEST:
        m->digests = change->kind == DIGEST;
        break;
    case BAD_DIGEST:
        m->bad_digest = true;
        break;
    case HEAD_FIRST:
        m->head_first = true;
        break;
    default:
        break;
    }
}

void script_apply(struct script *s, const struct change *change)
{
    struct message *m = &s->m[change->message];

    if (!change_text(m, change) && !change_script(s, change))
        change_wire(m, change);
}
