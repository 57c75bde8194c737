/*
 * Every defect shows on the wire: a set of scripted exchanges gives other bytes, or another end, with it than without.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "engine_peer.h"
#include "wire/bytes.h"
#include "wire/chap.h"
#include "wire/status.h"
#include "wire/text.h"

#define I "InitiatorName=" PEER_INITIATOR "\0"
#define N(target) I "TargetName=iqn.2024-01.org.example:" target "\0"
#define P(literal) { literal, sizeof(literal) }

static struct world world;
static struct peer a, b;
static uint64_t hash;

static void mix(const void *bytes, size_t length)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ p[i]) * UINT64_C(1099511628211);
}

/* Everything the target has said on this connection so far, and what it wants done. */
static void watch(struct peer *peer)
{
    const uint8_t *bytes;
    size_t length = conn_output(peer->conn, &bytes);
    uint8_t state[3] = { (uint8_t)conn_action(peer->conn), (uint8_t)conn_logged_in(peer->conn, NULL),
                     (uint8_t)node_count_sessions(world.node) };

    mix(bytes, length);
    mix(state, sizeof(state));
    conn_output_consumed(peer->conn, length);
}

/* ---- requests in a row on one connection ---- */

struct text {
    const char *bytes;
    size_t length;
};

struct script {
    size_t portal;
    struct {
        unsigned flags;
        struct text text;
    } steps[4];
};

static const struct script scripts[] = {
    { PORTAL_A, { { 0x87, P(N("open") "SessionType=Normal\0HeaderDigest=None,CRC32C\0DataDigest=CRC32C\0"
                            "InitialR2T=Yes\0"
                            "ImmediateData=No\0MaxBurstLength=65536\0FirstBurstLength=8192\0DefaultTime2Wait=5\0"
                            "DefaultTime2Retain=7\0MaxOutstandingR2T=8\0ErrorRecoveryLevel=2\0MaxConnections=2\0"
                            "IFMarker=No\0DataPDUInOrder=Yes\0InitiatorAlias=x\0X-com.example.k=v") } } },
    { PORTAL_A, { { 0x87, P(N("open") "MaxBurstLength=0x10000\0DefaultTime2Wait=4294967300") } } },
    { PORTAL_A, { { 0x87, P(N("open") "MaxBurstLength=0100000\0MaxOutstandingR2T=0") } } },
    { PORTAL_A, { { 0x87, P(N("open")) } } },
    { PORTAL_A, { { 0x04, P(N("open")) }, { 0x04, P("") }, { 0x04, { "", 0 } }, { 0x87, { "", 0 } } } },
    { PORTAL_A, { { 0x81, P(N("open") "AuthMethod=CHAP,None") }, { 0x87, P("HeaderDigest=None") } } },
    { PORTAL_A, { { 0x81, P(N("open") "AuthMethod=FOO,None") }, { 0x87, P("HeaderDigest=None") } } },
    { PORTAL_A, { { 0x44, { N("open") "MaxBurst", sizeof(N("open") "MaxBurst") - 1 } },
                  { 0x87, P("Length=4096\0FirstBurstLength=512") } } },
    { PORTAL_A, { { 0x44, P(N("open") "HeaderDigest=None") }, { 0x87, P("DataDigest=None") } } },
    { PORTAL_A, { { 0x87, P(N("open") "MaxBurstLength=64k\0ImmediateData=yes\0TaskReporting=ResponseFence,RFC3720\0ErrorRecoveryLevel=") } } },
    { PORTAL_A, { { 0x87, P(N("open") "MaxBurstLength=512\0MaxBurstLength=512") } } },
    { PORTAL_A, { { 0x04, P(N("open") "ErrorRecoveryLevel=0") }, { 0x87, P("ErrorRecoveryLevel=0") } } },
    { PORTAL_A, { { 0x8b, P(N("open")) } } },
    { PORTAL_A, { { 0x04, P(N("open")) }, { 0x81, { "", 0 } }, { 0x87, { "", 0 } } } },
    { PORTAL_A, { { 0x85, P(N("open")) } } },
    { PORTAL_A, { { 0x8f, P(N("open")) } } },
    { PORTAL_A, { { 0xc7, P(N("open")) } } },
    { PORTAL_A, { { 0x81, P(N("open") "MaxBurstLength=4096") } } },
    { PORTAL_A, { { 0x87, P(N("open") "SendTargets=All") } } },
    { PORTAL_A, { { 0x87, P(N("open") "MaxBurstLength=512\0FirstBurstLength=4096") } } },
    { PORTAL_A, { { 0x87, P(N("open") "MaxRecvDataSegmentLength=1") } } },
    { PORTAL_A, { { 0x87, P(N("open") "MaxBurstLength=Irrelevant") } } },
    { PORTAL_A, { { 0x87, P(N("open") "NoEquals") } } },
    { PORTAL_A, { { 0x00, P(N("open")) }, { 0x87, { "", 0 } } } },
    { PORTAL_A, { { 0x87, P(N("chap")) } } },
    { PORTAL_A, { { 0x81, P(N("chap") "AuthMethod=None") } } },
    { PORTAL_A, { { 0x81, P(N("chap") "AuthMethod=KRB5") } } },
    { PORTAL_A, { { 0x81, P(N("chap") "AuthMethod=CHAP,None") }, { 0x01, P("CHAP_A=200") } } },
    { PORTAL_A, { { 0x81, P(N("chap") "AuthMethod=CHAP") }, { 0x01, P("CHAP_A=7,5") },
                  { 0x81, P("CHAP_N=user-one") } } },
    { PORTAL_A, { { 0x81, P(N("chap") "AuthMethod=CHAP") }, { 0x81, P("CHAP_N=user-one\0CHAP_R=0x00") } } },
    { PORTAL_A, { { 0x00, P(N("open")) }, { 0x81, P("AuthMethod=None") } } },
    { PORTAL_A, { { 0x81, P(N("open") "AuthMethod=CHAP") } } },
    { PORTAL_A, { { 0x81, P(N("open") "AuthMethod=Reject") } } },
    { PORTAL_A, { { 0x87, P(N("denied")) } } },
    { PORTAL_A, { { 0x87, P(N("nowhere")) } } },
    { PORTAL_A, { { 0x87, P(N("open1")) } } },
    { PORTAL_A, { { 0x87, P(N("on-b")) } } },
    { PORTAL_A, { { 0x87, P(N("removed")) } } },
    { PORTAL_A, { { 0x87, P(N("temporary")) } } },
    { PORTAL_A, { { 0x87, P(N("permanent")) } } },
    { PORTAL_A, { { 0x87, P(N("fault")) } } },
    { PORTAL_A, { { 0x87, P(I) } } },
    { PORTAL_A, { { 0x87, P("TargetName=iqn.2024-01.org.example:open") } } },
    { PORTAL_A, { { 0x87, P(N("open") "SessionType=Foo") } } },
    { PORTAL_NORMAL_ONLY, { { 0x87, P(I "SessionType=Discovery") } } },
    { PORTAL_DRAINED, { { 0x87, P(N("open")) } } },
    { PORTAL_A, { { 0x87, P(I "SessionType=Discovery\0ErrorRecoveryLevel=2\0MaxConnections=4") } } },
    { PORTAL_A, { { 0x87, P(N("nowhere")) }, { 0x87, P(N("open")) } } }
};

enum { SCRIPTS = sizeof(scripts) / sizeof(scripts[0]) };

static void run_script(const struct script *script)
{
    peer_open(&world, script->portal, &a);
    for (size_t i = 0; i < 4 && script->steps[i].text.bytes != NULL; i++) {
        peer_login(&a, script->steps[i].flags, script->steps[i].text.bytes, script->steps[i].text.length);
        watch(&a);
    }
}

/* ---- exchanges that need more than fixed bytes ---- */

static void ping(struct peer *peer)
{
    uint8_t bhs[PDU_BHS_LEN];
    struct pdu_request nop = { .opcode = PDU_NOP_OUT, .flags = PDU_FLAG_FINAL, .itt = 0x77, .word20 = PDU_NO_TAG,
                           .cmd_sn = peer->cmd_sn++ };

    pdu_request_encode(&nop, bhs);
    peer_send(peer, bhs, "ping", 4);
    watch(peer);
}

static void say(struct peer *peer, struct pdu_request request, const void *data, size_t length)
{
    uint8_t bhs[PDU_BHS_LEN];

    request.cmd_sn = peer->cmd_sn;
    request.immediate = true;
    pdu_request_encode(&request, bhs);
    peer_send(peer, bhs, data, length);
    watch(peer);
}

static void ask(struct peer *peer, const char *text, size_t length)
{
    say(peer, (struct pdu_request){ .opcode = PDU_TEXT_REQUEST, .flags = PDU_FLAG_FINAL, .itt = 5,
                                    .word20 = PDU_NO_TAG }, text, length);
}

static void leave(struct peer *peer, unsigned reason)
{
    say(peer, (struct pdu_request){ .opcode = PDU_LOGOUT_REQUEST, .flags = (uint8_t)(PDU_FLAG_FINAL | reason),
                                    .itt = 6, .word20 = (uint32_t)peer->header.cid << 16 }, NULL, 0);
}

static void enter(struct peer *peer, size_t portal, size_t target, const char *extra, size_t length)
{
    peer_open(&world, portal, peer);
    peer_login_whole(peer, target, extra, length);
    mix(peer->bhs, sizeof(peer->bhs));
    watch(peer);
}

/* b tries to get into the session of a. */
static void join(size_t portal, size_t target, const char *extra, size_t length)
{
    peer_open(&world, portal, &b);
    memcpy(b.header.isid, a.header.isid, sizeof(b.header.isid));
    b.header.tsih = a.header.tsih;
    b.header.cid = (uint16_t)(a.header.cid + 1);
    peer_login_whole(&b, target, extra, length);
    mix(b.bhs, sizeof(b.bhs));
    watch(&b);
    watch(&a);
}

static void do_full_feature(void)
{
    static char big[9000] = "big";

    enter(&a, PORTAL_A, TARGET_OPEN, TEXT("MaxRecvDataSegmentLength=512"));
    ping(&a);
    ping(&a);
    say(&a, (struct pdu_request){ .opcode = PDU_NOP_OUT, .flags = PDU_FLAG_FINAL, .itt = 8, .word20 = PDU_NO_TAG },
        big, 4000);
    peer_login(&a, 0x87, TEXT(N("open")));
    watch(&a);
    ask(&a, TEXT("SendTargets=All"));
    ask(&a, TEXT("SendTargets="));
    leave(&a, 1);
    ping(&a);
}

static void do_full_feature_parts(void)
{
    uint8_t bhs[PDU_BHS_LEN];

    enter(&a, PORTAL_A, TARGET_OPEN, "", 0);
    say(&a, (struct pdu_request){ .opcode = PDU_NOP_OUT, .flags = PDU_FLAG_FINAL, .itt = PDU_NO_TAG,
                                  .word20 = PDU_NO_TAG }, TEXT("data"));
    pdu_request_encode(&(struct pdu_request){ .opcode = PDU_NOP_OUT, .flags = PDU_FLAG_FINAL, .itt = 8,
                                              .word20 = PDU_NO_TAG, .cmd_sn = a.cmd_sn }, bhs);
    peer_send(&a, bhs, NULL, 0);
    watch(&a);
    say(&a, (struct pdu_request){ .opcode = PDU_SNACK_REQUEST, .flags = PDU_FLAG_FINAL, .itt = 9 }, NULL, 0);
    say(&a, (struct pdu_request){ .opcode = PDU_TEXT_REQUEST, .itt = 5, .word20 = PDU_NO_TAG },
        TEXT("SendTargets="));
    say(&a, (struct pdu_request){ .opcode = PDU_TEXT_REQUEST, .flags = PDU_FLAG_CONTINUE, .itt = 6,
                                  .word20 = PDU_NO_TAG }, TEXT("SendTargets="));
    leave(&a, 0);
}

static void do_logout_and_back(void)
{
    enter(&a, PORTAL_LIMITED, TARGET_OPEN, "", 0);
    leave(&a, 0);
    join(PORTAL_LIMITED, TARGET_OPEN, "", 0);
    enter(&b, PORTAL_LIMITED, TARGET_OPEN, "", 0);
}

static void do_session_limit(void)
{
    enter(&a, PORTAL_LIMITED, TARGET_OPEN, "", 0);
    enter(&b, PORTAL_LIMITED, TARGET_OPEN, "", 0);
}

static void do_drain(void)
{
    enter(&a, PORTAL_A, TARGET_OPEN, "", 0);
    node_drain(world.node, PORTAL_A);
    enter(&b, PORTAL_A, TARGET_OPEN, "", 0);
    watch(&a);
}

static void do_join(void)
{
    enter(&a, PORTAL_A, TARGET_OPEN, TEXT("MaxConnections=2"));
    join(PORTAL_A, TARGET_OPEN, "", 0);
}

static void do_join_too_many(void)
{
    enter(&a, PORTAL_A, TARGET_OPEN, "", 0);
    join(PORTAL_A, TARGET_OPEN, "", 0);
    join(PORTAL_A, TARGET_OPEN, "", 0);
}

static void do_join_other_group(void)
{
    enter(&a, PORTAL_A, TARGET_OPEN, TEXT("MaxConnections=2"));
    join(PORTAL_OTHER_TAG, TARGET_OPEN, "", 0);
}

static void do_join_wrong(void)
{
    for (int what = 0; what < 3; what++) {
        enter(&a, PORTAL_A, TARGET_OPEN, TEXT("MaxConnections=3"));
        peer_open(&world, PORTAL_A, &b);
        memcpy(b.header.isid, a.header.isid, sizeof(b.header.isid));
        b.header.tsih = what == 0 ? a.header.tsih ^ 0x5555 : a.header.tsih;
        b.header.cid = 9;
        b.header.isid[4] ^= what == 1;
        peer_login_whole(&b, what == 2 ? TARGET_SINGLE : TARGET_OPEN, "", 0);
        mix(b.bhs, sizeof(b.bhs));
        watch(&b);
        watch(&a);
    }
}

static void do_reinstatement(void)
{
    enter(&a, PORTAL_A, TARGET_OPEN, "", 0);
    peer_open(&world, PORTAL_A, &b);
    memcpy(b.header.isid, a.header.isid, sizeof(b.header.isid));
    peer_login(&b, 0x04, TEXT(N("open")));
    watch(&b);
    watch(&a);
    peer_login(&b, 0x87, "", 0);
    watch(&b);
    watch(&a);
}

static void do_same_isid(void)
{
    enter(&a, PORTAL_A, TARGET_OPEN, "", 0);
    peer_open(&world, PORTAL_A, &b);
    memcpy(b.header.isid, a.header.isid, sizeof(b.header.isid));
    peer_login_whole(&b, TARGET_SINGLE, "", 0);
    watch(&a);
}

static void do_connection_reinstatement(void)
{
    enter(&a, PORTAL_A, TARGET_OPEN, TEXT("MaxConnections=2"));
    peer_open(&world, PORTAL_A, &b);
    b.header = a.header;
    peer_login_whole(&b, TARGET_OPEN, "", 0);
    watch(&b);
    watch(&a);
}

static void do_discovery(void)
{
    static const uint8_t ready[16];
    struct pdu_request command = { .opcode = PDU_SCSI_COMMAND, .flags = PDU_FLAG_FINAL, .itt = 9 };

    enter(&a, PORTAL_A, NODE_ALL, "", 0);
    ask(&a, TEXT("SendTargets=All"));
    ask(&a, TEXT("SendTargets=iqn.2024-01.org.example:single"));
    memcpy(command.tail, ready, sizeof(ready));
    say(&a, command, NULL, 0);
}

static void do_versions(void)
{
    for (uint8_t min = 0; min < 2; min++) {
        peer_open(&world, PORTAL_A, &a);
        a.header.version_min = min;
        a.header.version_max = 1;
        peer_login(&a, 0x87, TEXT(N("open")));
        watch(&a);
    }
}

static void do_reserved_bits(void)
{
    peer_open(&world, PORTAL_A, &a);
    peer_login(&a, 0xb7, TEXT(N("open")));
    watch(&a);
}

static void do_other_pdu(void)
{
    uint8_t bhs[PDU_BHS_LEN] = { 0x40, 0x80 };

    bytes_put_be32(bhs + 20, PDU_NO_TAG);
    peer_open(&world, PORTAL_A, &a);
    peer_send(&a, bhs, NULL, 0);
    watch(&a);
    peer_open(&world, PORTAL_A, &a);
    peer_login(&a, 0x04, TEXT(N("open")));
    watch(&a);
    peer_send(&a, bhs, NULL, 0);
    watch(&a);
}

static void do_digests(void)
{
    const uint8_t *bytes;

    enter(&a, PORTAL_A, TARGET_OPEN, TEXT("HeaderDigest=CRC32C"));
    node_request_logout(world.node);
    mix(bytes, conn_output(a.conn, &bytes));
    watch(&a);
}

static void do_long_answer(void)
{
    static char text[8192];
    size_t length = peer_names(text, sizeof(text), TARGET_OPEN, "", 0);

    for (unsigned i = 0; length + 16 < sizeof(text); i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "X-%u=1", i) + 1;
    peer_open(&world, PORTAL_A, &a);
    peer_login(&a, 0x87, text, length);
    watch(&a);
}

/* A challenge and its right answer in a given encoding, cut to bytes; with a challenge of our own unless identifier is
 * NULL. A challenge of NULL is the one that came. */
static void chap_variant(size_t target, int encoding, size_t bytes, const char *identifier_sent, const char *own)
{
    uint8_t challenge[2048], answer[CHAP_MAX_HASH_LEN];
    size_t length = 0, answer_length = 0;
    char text[8192], value[256];
    struct text_buf out;

    peer_open(&world, PORTAL_A, &a);
    peer_login(&a, 0x81, text, peer_names(text, sizeof(text), target, TEXT("AuthMethod=CHAP")));
    watch(&a);
    peer_login(&a, 0x00, TEXT("CHAP_A=5"));
    if (!peer_receive(&a) || !peer_has(&a, "CHAP_C", NULL))
        return;
    const char *encoded = peer_value(&a, "CHAP_C");

    text_buf_init_fixed(&out, text, sizeof(text));
    (void)text_decode_binary(encoded, strlen(encoded), challenge, sizeof(challenge), &length);
    text_buf_add(&out, "CHAP_N", PEER_USER);
    if (identifier_sent != NULL) {
        text_buf_add(&out, "CHAP_I", identifier_sent);
        text_buf_add(&out, "CHAP_C", own != NULL ? own : encoded);
    }
    const char *identifier = peer_value(&a, "CHAP_I");
    unsigned number = 0;

    for (const char *p = identifier; p != NULL && *p != '\0'; p++)
        number = number * 10 + (unsigned)(*p - '0');
    chap_response(chap_algorithm_find(5), (uint8_t)number, PEER_SECRET, strlen(PEER_SECRET), challenge, length, answer,
                  sizeof(answer), &answer_length);
    if (encoding == 1)
        text_encode_base64(answer, bytes, value, sizeof(value));
    else
        text_encode_hex(answer, bytes, value, sizeof(value));
    if (encoding == 2)
        value[1] = 'X';
    text_buf_add(&out, "CHAP_R", value);
    peer_login(&a, 0x81, text, out.len);
    watch(&a);
}

static void do_chap_forms(void)
{
    for (int encoding = 0; encoding < 3; encoding++)
        chap_variant(TARGET_CHAP, encoding, 16, NULL, NULL);
    chap_variant(TARGET_CHAP, 0, 8, NULL, NULL);
    chap_variant(TARGET_MUTUAL, 0, 16, "1", NULL);
}

static void do_chap_challenges(void)
{
    static char digits[2 * 1025 + 3] = "0x";
    static const size_t lengths[] = { 300, 1025 };

    chap_variant(TARGET_MUTUAL, 0, 16, "0x2a", "0x0102");
    chap_variant(TARGET_MUTUAL, 0, 16, "256", "0x0102");
    chap_variant(TARGET_MUTUAL, 0, 16, "1", "0bAQID");
    chap_variant(TARGET_MUTUAL, 0, 16, "1", "0x");
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        memset(digits + 2, '5', 2 * lengths[i]);
        digits[2 + 2 * lengths[i]] = '\0';
        chap_variant(TARGET_MUTUAL, 0, 16, "1", digits);
    }
}

static void chap(size_t target, unsigned algorithm, const char *user, const char *secret, const char *challenge);

/* A user whose name looks like a number: it is not known, with and without the defect, so the node gets one. */
static void do_chap_name(void)
{
    static char name[] = "0x41";
    static struct config_credential user;

    user = *world.targets[TARGET_CHAP].auth.users;
    user.user = name;
    world.targets[TARGET_CHAP].auth.users = &user;
    chap(TARGET_CHAP, 5, name, PEER_SECRET, NULL);
}

static void do_wrong_digests(void)
{
    uint8_t bhs[PDU_BHS_LEN];
    struct pdu_request nop = { .opcode = PDU_NOP_OUT, .flags = PDU_FLAG_FINAL, .immediate = true, .itt = 8,
                               .word20 = PDU_NO_TAG };

    for (int data = 0; data < 2; data++) {
        uint8_t wire[PDU_BHS_LEN + 4 + 4] = { 0 };
        size_t length = data ? sizeof(wire) : PDU_BHS_LEN + 4;

        enter(&a, PORTAL_A, TARGET_OPEN, data ? "DataDigest=CRC32C" : "HeaderDigest=CRC32C", data ? 18 : 20);
        nop.cmd_sn = a.cmd_sn;
        pdu_request_encode(&nop, bhs);
        pdu_set_data_len(bhs, data ? 4 : 0);
        memcpy(wire, bhs, sizeof(bhs));
        conn_input(a.conn, wire, length);
        watch(&a);
    }
}

static void do_header_ends(void)
{
    static char big[6000] = "InitiatorAlias=";

    memset(big + 15, 'x', 200);
    peer_open(&world, PORTAL_A, &a);
    memset(a.header.isid, 0, sizeof(a.header.isid));
    peer_login(&a, 0x87, TEXT(N("open")));
    watch(&a);
    peer_open(&world, PORTAL_A, &a);
    a.header.isid[0] = 0xc0;
    peer_login(&a, 0x87, TEXT(N("open")));
    watch(&a);
    peer_open(&world, PORTAL_A, &a);
    a.header.cid = UINT16_MAX;
    peer_login(&a, 0x87, TEXT(N("open")));
    watch(&a);
    peer_open(&world, PORTAL_A, &a);
    peer_login(&a, 0x44, TEXT(N("open")));
    watch(&a);
    peer_login(&a, 0x87, big, sizeof(big));
    watch(&a);
}

static void do_join_leading_only(void)
{
    enter(&a, PORTAL_A, TARGET_OPEN, TEXT("MaxConnections=2"));
    join(PORTAL_A, TARGET_OPEN, TEXT("MaxBurstLength=4096"));
}

static char six_address[] = "[::1]:3260";

static void do_discovery_six(void)
{
    world.portals[PORTAL_B].address = six_address;
    enter(&a, PORTAL_A, NODE_ALL, "", 0);
    ask(&a, TEXT("SendTargets=All"));
    ask(&a, TEXT("sendtargets=All"));
    say(&a, (struct pdu_request){ .opcode = 0x07, .flags = PDU_FLAG_FINAL, .itt = 5 }, NULL, 0);
    enter(&b, PORTAL_A, TARGET_OPEN, "", 0);
    say(&b, (struct pdu_request){ .opcode = PDU_TEXT_REQUEST, .flags = PDU_FLAG_FINAL, .itt = 5, .word20 = 7 },
        TEXT("SendTargets="));
    say(&b, (struct pdu_request){ .opcode = 0x07, .flags = PDU_FLAG_FINAL, .itt = 5 }, NULL, 0);
}


static void chap(size_t target, unsigned algorithm, const char *user, const char *secret, const char *challenge)
{
    peer_open(&world, PORTAL_A, &a);
    peer_chap(&a, target, algorithm, user, secret, challenge);
    mix(a.bhs, sizeof(a.bhs));
    mix(a.data, a.length);
    watch(&a);
}

static void do_chap(void)
{
    chap(TARGET_CHAP, 5, PEER_USER, PEER_SECRET, NULL);
    chap(TARGET_CHAP, 5, PEER_USER, "wrong", NULL);
    chap(TARGET_CHAP, 5, "nobody", PEER_SECRET, NULL);
    chap(TARGET_CHAP, 5, PEER_USER "x", PEER_SECRET, NULL);
    chap(TARGET_CHAP, 8, PEER_USER, PEER_SECRET, NULL);
    chap(TARGET_MUTUAL, 5, PEER_USER, PEER_SECRET, NULL);
    chap(TARGET_MUTUAL, 5, PEER_USER, PEER_SECRET, "0x0102");
    chap(TARGET_MUTUAL, 5, PEER_USER, "wrong", "0x0102");
    chap(TARGET_SAME_SECRET, 5, PEER_USER, PEER_SECRET, "0x0102");
}

#include "defects_course.h"

static void (*const exchanges[])(void) = {
    do_full_feature, do_full_feature_parts, do_logout_and_back, do_session_limit, do_drain, do_join,
    do_join_too_many, do_join_other_group, do_join_wrong, do_reinstatement, do_same_isid,
    do_connection_reinstatement, do_discovery, do_versions, do_reserved_bits, do_other_pdu, do_digests,
    do_long_answer, do_chap_forms, do_chap, do_chap_challenges, do_chap_name, do_wrong_digests, do_header_ends,
    do_join_leading_only, do_discovery_six, do_odd_values, do_changed_header, do_command_in_login,
    do_odd_header, do_left_unfinished, do_foreign_join, do_long_data, do_numbers, do_logouts,
    do_text_parts, do_odd_keys
};

enum { EXCHANGES = sizeof(exchanges) / sizeof(exchanges[0]), ALL = SCRIPTS + EXCHANGES };

/* What each exchange comes to, as a hash. */
static void run_all(const char *defect, uint64_t *results)
{
    for (size_t i = 0; i < ALL; i++) {
        hash = UINT64_C(14695981039346656037);
        world_open(&world, defect);
        if (i < SCRIPTS)
            run_script(&scripts[i]);
        else
            exchanges[i - SCRIPTS]();
        mix(&(uint64_t){ node_count_sessions(world.node) }, sizeof(uint64_t));
        world_close(&world);
        results[i] = hash;
    }
}

static void test_every_defect_shows(void **state)
{
    uint64_t without[ALL], with[ALL];
    unsigned hidden = 0;

    (void)state;
    run_all(NULL, without);
    run_all(NULL, with);
    assert_memory_equal(without, with, sizeof(with));
    for (size_t i = 0; i < DEFECT_COUNT; i++) {
        const char *name = defects_entry((enum defect)i)->name;

        run_all(name, with);
        if (memcmp(without, with, sizeof(with)) == 0) {
            print_error("%s does not show\n", name);
            hidden++;
        }
    }
    assert_int_equal(hidden, 0);
}

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < DEFECT_COUNT; i++) {
        const struct defects_entry *entry = defects_entry((enum defect)i);

        assert_int_equal(defects_find(entry->name), i);
        assert_true(entry->code == DEFECTS_NO_CODE || status_find(entry->code) != NULL);
        assert_true(strlen(entry->what) > 10 && strlen(entry->section) > 0);
    }
    assert_int_equal(defects_find("no-such-defect"), DEFECT_COUNT);
    assert_null(defects_entry(DEFECT_COUNT));
    for (size_t code = 0; code < STATUS_COUNT; code++) {
        bool found = false;

        for (size_t i = 0; i < DEFECT_COUNT; i++)
            found = found || defects_entry((enum defect)i)->code == status_at(code)->code;
        assert_true(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_every_defect_shows)
    };

    return cmocka_run_group_tests_name("defects", tests, NULL, NULL);
}
