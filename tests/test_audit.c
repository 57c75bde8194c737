/*
 * The auditor: conforming logins give no finding; each row of the tables below changes one thing in one of them and
 * names the rule that has to wake, and no other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/audit.h"
#include "wire/bytes.h"
#include "wire/chap.h"
#include "wire/digest.h"
#include "wire/pdu.h"
#include "wire/text.h"

#define NAMES  "InitiatorName=iqn.2001-04.com.example:host\nTargetName=iqn.2001-04.com.example:disk\n"
#define SECRET "a secret of good length"
#define MUTUAL "another secret of theirs"
#define ITT    0xa1b2c3d4u
#define CMD_SN 0xfffffff0u

enum base {
    PLAIN,  /* straight to the operational stage, all keys, a ping */
    ROUNDS, /* both stages, a C-bit chain, a round of T=0 */
    MUTUAL_CHAP,
    ONE_WAY, /* CHAP of the initiator only */
    DISCOVERY,
    LISTING, /* SendTargets in a normal session */
    JOIN,    /* a second connection */
    REFUSED,
    MOVED,
    MANY, /* four connections that end behind the challenge */
    DIGESTS,
    LONG_ANSWER, /* an answer spread over two PDUs with C=1 */
    PROPOSAL,    /* the target proposes, the initiator answers */
    BASE_COUNT
};

/* One PDU of a script. */
struct message {
    int conn;
    enum transcript_side side;
    uint8_t bhs[PDU_BHS_LEN];
    char text[12000];
    size_t len;
    int lost_pad; /* pad bytes left out */
    uint8_t pad;  /* value of the pad bytes */
    bool digests;
    bool bad_digest;
    size_t ahs; /* bytes of AHS before the text, not counted in the data segment */
    bool removed;
    bool twice;
};

struct script {
    struct message m[24];
    size_t count;
    struct transcript_context context;
    bool target_stays; /* does not close behind a refusal */
    int64_t step_us;
};

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

#define CHALLENGE     "0123456789abcdef"
#define CHALLENGE_HEX "0x30313233343536373839616263646566"
#define OWN           "fedcba9876543210"
#define OWN_HEX       "0x66656463626139383736353433323130"

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

static struct script *build(enum base base)
{
    struct script *s = calloc(1, sizeof *s);

    assert_non_null(s);
    s->context.portal_tag = 1;
    s->context.live = true;
    s->context.close_grace_ms = 2000;
    s->step_us = 1000;
    switch (base) {
    case PLAIN:
        base_plain(s);
        break;
    case ROUNDS:
        base_rounds(s);
        break;
    case MUTUAL_CHAP:
        chap(s, true);
        break;
    case ONE_WAY:
        chap(s, false);
        break;
    case DISCOVERY:
        base_discovery(s);
        break;
    case LISTING:
        base_listing(s);
        break;
    case JOIN:
        base_join(s);
        break;
    case REFUSED:
        ask(s, 0, 1, 3, "T", 0, NAMES);
        tell(s, 0, 0, 0, "", 0, 0x0203, "");
        break;
    case MOVED:
        ask(s, 0, 1, 3, "T", 0, NAMES);
        tell(s, 0, 0, 0, "", 0, 0x0101, "TargetAddress=127.0.0.2:3261\nTargetAddress=[::1]\n");
        break;
    case MANY:
        base_many(s);
        break;
    case DIGESTS:
        base_digests(s);
        break;
    case LONG_ANSWER:
        base_long_answer(s);
        break;
    case PROPOSAL:
        base_proposal(s);
        break;
    case BASE_COUNT:
        break;
    }
    return s;
}

static void put_digest(uint8_t *wire, size_t *len, size_t from, bool bad)
{
    digest_put(wire + *len, digest_crc32c(wire + from, *len - from) ^ bad);
    *len += PDU_DIGEST_LEN;
}

static size_t encode(const struct message *m, uint8_t *wire)
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

static struct transcript *record(const struct script *s)
{
    static const char *const names[] = {"A", "B", "C", "D"};
    struct transcript *t = transcript_new();
    int64_t now = 0;

    assert_non_null(t);
    t->context = s->context;
    for (size_t i = 0; i < s->count; i++) {
        const struct message *m = &s->m[i];
        uint8_t wire[sizeof m->text + PDU_BHS_LEN + 16];
        size_t len = encode(m, wire);

        while ((size_t)m->conn >= t->conn_count) {
            struct transcript_conn *c = transcript_add_conn(t, names[t->conn_count]);

            assert_non_null(c);
            snprintf(c->remote, sizeof c->remote, "127.0.0.1");
            c->remote_port = 3260;
            c->connected = true;
        }
        now += s->step_us;
        for (int k = 0; k < (m->removed ? 0 : m->twice ? 2 : 1); k++)
            assert_true(transcript_bytes(t->conns[m->conn], m->side, now, wire, len));
    }
    for (size_t i = 0; i < t->conn_count; i++) {
        if (!s->target_stays)
            transcript_end(t->conns[i], TRANSCRIPT_TARGET, now + 1000, TRANSCRIPT_FIN);
        transcript_end(t->conns[i], TRANSCRIPT_INITIATOR, now + 3000000, TRANSCRIPT_FIN);
    }
    return t;
}

/* ---- one change to a script ---- */

enum change_kind {
    NOTHING,
    FIELD,   /* field of message n = value */
    BYTE,    /* byte at `value >> 8` = value & 0xff */
    SET,     /* a pair: replaced, or added when the key is not there */
    ADD,     /* a pair more */
    DROP,    /* a key out of the text */
    TEXT,    /* the whole text */
    REMOVE,  /* the message is not sent */
    TWICE,   /* the message is sent twice */
    NO_PAD,  /* the padding is left out */
    PAD,     /* value of the pad bytes */
    STAYS,   /* the target does not close */
    DEMAND,  /* CHAP is demanded */
    CAPTURE, /* nothing is known beyond the bytes */
    CUT,     /* the script ends before this message */
    AHS,     /* four bytes of AHS, announced */
    FILL,    /* `value` unknown keys offered in the message before and answered in this one */
    BLOW,    /* the text is `value` bytes of 'x' */
    NO_DIGEST,
    BAD_DIGEST,
    SLOW, /* a second between messages */
};

struct change {
    enum change_kind kind;
    int message;
    const char *name; /* field, pair or key */
    uint64_t value;
};

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

static void apply(struct script *s, const struct change *change)
{
    struct message *m = &s->m[change->message];
    const struct pdu_field *field;

    switch (change->kind) {
    case NOTHING:
        break;
    case FIELD:
        field = pdu_field_find(m->bhs[0], change->name);
        assert_non_null(field);
        assert_true(pdu_field_set(field, m->bhs, change->value));
        break;
    case BYTE:
        m->bhs[change->value >> 8] = (uint8_t)change->value;
        break;
    case SET:
        change_pair(m, change->name, false);
        break;
    case ADD:
        change_pair(m, change->name, true);
        break;
    case DROP:
        drop_pair(m, change->name);
        break;
    case TEXT:
        set_text(m, change->name);
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
    case STAYS:
        s->target_stays = true;
        break;
    case DEMAND:
        s->context.requires_chap = true;
        break;
    case CAPTURE:
        memset(&s->context, 0, sizeof s->context);
        s->context.portal_tag = -1;
        break;
    case CUT:
        s->count = (size_t)change->message;
        break;
    case AHS:
        m->ahs = 4;
        m->bhs[4] = 1;
        break;
    case FILL:
        fill(m - 1, m, change->value);
        break;
    case BLOW:
        m->len = change->value;
        memset(m->text, 'x', m->len);
        pdu_set_data_len(m->bhs, m->len);
        break;
    case NO_DIGEST:
        m->digests = false;
        break;
    case BAD_DIGEST:
        m->bad_digest = true;
        break;
    case SLOW:
        s->step_us = 1000000;
        break;
    }
}

struct row {
    const char *rule; /* NULL: no finding */
    enum base base;
    struct change change[6];
    const char *also; /* a second rule that the change cannot but break too */
    bool tolerated;
};

static void print_findings(const struct finding_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        print_error("  %s conn %zu side %d pdu %u @%zu+%zu: was %s, allowed %s\n", list->items[i].rule,
                    list->items[i].conn, list->items[i].side, list->items[i].pdu, list->items[i].offset,
                    list->items[i].len, list->items[i].was, list->items[i].allowed);
}

static bool known_rule(const char *id)
{
    size_t count;
    const struct audit_rule *rules = audit_rules(&count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(rules[i].id, id) == 0)
            return true;
    return false;
}

static bool row_holds(const struct row *row)
{
    struct script *s = build(row->base);
    struct transcript *t;
    struct finding_list list;
    bool fine;

    for (size_t i = 0; i < 6; i++)
        apply(s, &row->change[i]);
    t = record(s);
    assert_true(audit_transcript(t, &list));
    fine = row->rule ? list.count > 0 : list.count == 0;
    if (row->rule) {
        bool woke = false;

        for (size_t i = 0; i < list.count; i++)
            woke = woke || strcmp(list.items[i].rule, row->rule) == 0;
        fine = fine && woke;
    }
    for (size_t i = 0; i < list.count; i++)
        fine =
            fine && known_rule(list.items[i].rule) &&
            (strcmp(list.items[i].rule, row->rule) == 0 || (row->also && strcmp(list.items[i].rule, row->also) == 0)) &&
            list.items[i].tolerated == row->tolerated && list.items[i].was[0] && list.items[i].allowed[0] &&
            (list.items[i].pdu == 0 || list.items[i].side == TRANSCRIPT_TARGET);
    if (!fine) {
        print_error("%s on base %d (%s): %zu findings\n", row->rule ? row->rule : "nothing", row->base,
                    row->change[0].name ? row->change[0].name : "", list.count);
        print_findings(&list);
    }
    finding_list_free(&list);
    transcript_free(t);
    free(s);
    return fine;
}

static void check_rows(const struct row *rows, size_t count)
{
    size_t failed = 0;

    for (size_t i = 0; i < count; i++)
        failed += !row_holds(&rows[i]);
    assert_int_equal(failed, 0);
}

#define F(message, name, value)                                                                                        \
    {                                                                                                                  \
        FIELD, message, name, value                                                                                    \
    }
#define B(message, offset, value)                                                                                      \
    {                                                                                                                  \
        BYTE, message, NULL, (offset) << 8 | (value)                                                                   \
    }
#define S(message, pair)                                                                                               \
    {                                                                                                                  \
        SET, message, pair, 0                                                                                          \
    }
#define A(message, pair)                                                                                               \
    {                                                                                                                  \
        ADD, message, pair, 0                                                                                          \
    }
#define D(message, key)                                                                                                \
    {                                                                                                                  \
        DROP, message, key, 0                                                                                          \
    }
#define X(message, text)                                                                                               \
    {                                                                                                                  \
        TEXT, message, text, 0                                                                                         \
    }
#define C(message)                                                                                                     \
    {                                                                                                                  \
        CUT, message, NULL, 0                                                                                          \
    }
#define K(kind, message)                                                                                               \
    {                                                                                                                  \
        kind, message, NULL, 0                                                                                         \
    }

#include "audit_rows.h"

static void conforming_logins_give_nothing(void **state)
{
    (void)state;
    for (int base = 0; base < BASE_COUNT; base++) {
        struct row live = {NULL, (enum base)base, {{NOTHING, 0, NULL, 0}}, NULL, false};
        struct row capture = {NULL, (enum base)base, {{CAPTURE, 0, NULL, 0}}, NULL, false};

        assert_true(row_holds(&live));
        assert_true(row_holds(&capture));
    }
}

static void each_rule_wakes(void **state)
{
    (void)state;
    check_rows(broken, sizeof broken / sizeof broken[0]);
}

static void freedom_and_faults_of_the_initiator_are_no_findings(void **state)
{
    (void)state;
    check_rows(innocent, sizeof innocent / sizeof innocent[0]);
}

/* Every rule of the list has a row that breaks it. */
static void every_rule_has_a_row(void **state)
{
    size_t count;
    const struct audit_rule *rules = audit_rules(&count);
    size_t missing = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        bool found = false;

        for (size_t j = 0; j < sizeof broken / sizeof broken[0]; j++)
            found = found || strcmp(broken[j].rule, rules[i].id) == 0;
        if (!found)
            print_error("no row breaks %s\n", rules[i].id);
        missing += !found;
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(rules[i].id, rules[j].id);
    }
    assert_int_equal(missing, 0);
}

/* ---- arbitrary bytes ---- */

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* A recording of the bytes of t, with some of them changed and cut at other places. */
static struct transcript *mutate(const struct transcript *t, uint64_t *random)
{
    struct transcript *copy = transcript_new();

    assert_non_null(copy);
    copy->context = t->context;
    for (size_t i = 0; i < t->conn_count; i++) {
        const struct transcript_conn *from = t->conns[i];
        struct transcript_conn *to = transcript_add_conn(copy, from->name);
        size_t sent[2] = {0, 0};
        int64_t now = 0;

        assert_non_null(to);
        for (unsigned side = 0; side < 2; side++) {
            size_t len = from->stream[side].len;
            uint8_t *bytes = from->stream[side].bytes;

            for (uint32_t k = next_random(random) % 8; len > 0 && k > 0; k--)
                bytes[next_random(random) % len] = (uint8_t)(next_random(random) % 3 ? next_random(random) : '=');
        }
        while (sent[0] < from->stream[0].len || sent[1] < from->stream[1].len) {
            unsigned side = next_random(random) % 2;
            size_t left = from->stream[side].len - sent[side];
            size_t take = next_random(random) % 200;

            take = take < left ? take : left;
            if (next_random(random) % 64 == 0)
                transcript_gap(to, (enum transcript_side)side, now, take);
            else
                transcript_bytes(to, (enum transcript_side)side, now, from->stream[side].bytes + sent[side], take);
            sent[side] += take;
            now += next_random(random) % 1000000;
        }
        if (next_random(random) % 2)
            transcript_end(to, next_random(random) % 2, now, next_random(random) % 2);
    }
    return copy;
}

static void arbitrary_bytes_are_survived(void **state)
{
    uint64_t random = 20140401;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct script *s = build((enum base)(round % BASE_COUNT));
        struct transcript *t = record(s);
        struct transcript *hostile = mutate(t, &random);
        struct finding_list list;

        assert_true(audit_transcript(hostile, &list));
        for (size_t i = 0; i < list.count; i++)
            assert_true(known_rule(list.items[i].rule));
        finding_list_free(&list);
        transcript_free(hostile);
        transcript_free(t);
        free(s);
    }
}

/* Text that is all keys and PDUs that are all headers: nothing grows with the square of the input. */
static void floods_are_judged_in_time(void **state)
{
    struct transcript *t = transcript_new();
    struct transcript_conn *c = transcript_add_conn(t, "A");
    struct script *s = build(PLAIN);
    struct finding_list list;
    struct message *m = &s->m[1];

    (void)state;
    m->len = 8192;
    for (size_t i = 0; i < m->len; i++)
        m->text[i] = "A=\0"[i % 3];
    pdu_set_data_len(m->bhs, m->len);
    for (int i = 0; i < 300; i++) {
        uint8_t wire[sizeof m->text + PDU_BHS_LEN];

        transcript_bytes(c, TRANSCRIPT_INITIATOR, i, wire, encode(&s->m[0], wire));
        for (size_t k = 0; k + 2 < m->len; k += 3)
            m->text[k] = (char)('A' + (i + (int)k) % 26);
        transcript_bytes(c, TRANSCRIPT_TARGET, i, wire, encode(m, wire));
    }
    for (int i = 0; i < 50000; i++)
        transcript_bytes(c, i % 2, i, s->m[i % 2].bhs, PDU_BHS_LEN);
    assert_true(audit_transcript(t, &list));
    assert_true(list.truncated);
    finding_list_free(&list);
    transcript_free(t);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conforming_logins_give_nothing),
        cmocka_unit_test(each_rule_wakes),
        cmocka_unit_test(freedom_and_faults_of_the_initiator_are_no_findings),
        cmocka_unit_test(every_rule_has_a_row),
        cmocka_unit_test(arbitrary_bytes_are_survived),
        cmocka_unit_test(floods_are_judged_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
