/* Sessions: joining, reinstatement, limits, discovery, and the full feature phase around them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "engine_peer.h"
#include "wire/bytes.h"
#include "wire/text.h"

#define TWO "MaxConnections=2"

static struct world world;
static struct peer a, b, c;

/* b as one more connection of the session of a. */
static void aim(struct peer *peer, const struct peer *at)
{
    memcpy(peer->header.isid, at->header.isid, sizeof(peer->header.isid));
    peer->header.tsih = at->header.tsih;
    peer->header.cid = (uint16_t)(at->header.cid + 1);
}

static void start(const char *extra, size_t length)
{
    world_open(&world, NULL);
    peer_open(&world, PORTAL_A, &a);
    assert_true(peer_login_whole(&a, TARGET_OPEN, extra, length));
}

static void test_join(void **state)
{
    (void)state;
    start(TEXT(TWO));
    for (size_t portal = PORTAL_A; portal <= PORTAL_B; portal++) {
        peer_open(&world, portal, &b);
        aim(&b, &a);
        assert_true(peer_login_whole(&b, TARGET_OPEN, TEXT("HeaderDigest=None")));
        assert_int_equal(b.response.tsih, a.header.tsih);
        assert_true(peer_has(&b, "TargetPortalGroupTag", "1"));
        assert_true(peer_alive(&a));
        assert_true(peer_alive(&b));
        assert_int_equal(node_count_sessions(world.node), 1);
        peer_close(&b);
    }
    world_close(&world);
}

static void test_join_refused(void **state)
{
    static const struct { int what; unsigned status; } rows[] = {
        { 0, 0x0208 }, { 1, 0x020a }, { 2, 0x020a }, { 3, 0x020a }, { 4, 0x0200 }, { 5, 0x0207 }
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[1024];
        size_t length = peer_names(text, sizeof(text), rows[i].what == 3 ? TARGET_SINGLE : TARGET_OPEN, "", 0);

        start(TEXT(TWO));
        peer_open(&world, rows[i].what == 0 ? PORTAL_OTHER_TAG : PORTAL_A, &b);
        aim(&b, &a);
        if (rows[i].what == 1)
            b.header.tsih ^= 0x5555;
        if (rows[i].what == 2)
            b.header.isid[5] ^= 1;
        if (rows[i].what == 4)
            length = peer_names(text, sizeof(text), TARGET_OPEN, TEXT("MaxConnections=4"));
        if (rows[i].what == 5)
            length = (size_t)snprintf(text, sizeof(text), "InitiatorName=%s", PEER_INITIATOR) + 1;
        peer_login(&b, 0x87, text, length);
        assert_true(peer_receive(&b));
        if (b.response.status != rows[i].status)
            fail_msg("row %zu: 0x%04x", i, (unsigned)b.response.status);
        assert_int_equal(b.response.tsih, b.header.tsih);
        assert_true(peer_alive(&a));
        world_close(&world);
    }
}

static void test_too_many_connections(void **state)
{
    (void)state;
    start("", 0);
    peer_open(&world, PORTAL_A, &b);
    aim(&b, &a);
    assert_false(peer_login_whole(&b, TARGET_OPEN, "", 0));
    assert_int_equal(b.response.status, 0x0206);
    assert_true(peer_alive(&a));
    world_close(&world);
}

static void test_session_reinstatement(void **state)
{
    char text[1024];

    (void)state;
    start(TEXT(TWO));
    peer_open(&world, PORTAL_A, &b);
    aim(&b, &a);
    assert_true(peer_login_whole(&b, TARGET_OPEN, "", 0));
    peer_open(&world, PORTAL_A, &c);
    memcpy(c.header.isid, a.header.isid, sizeof(c.header.isid));
    peer_login(&c, 0x04, text, peer_names(text, sizeof(text), TARGET_OPEN, "", 0));
    assert_true(peer_receive(&c));
    assert_true(peer_alive(&a));
    peer_login(&c, 0x87, "", 0);
    assert_true(peer_receive(&c));
    assert_int_equal(c.bhs[1], 0x87);
    assert_int_equal(conn_action(a.conn), CONN_CLOSE);
    assert_int_equal(conn_action(b.conn), CONN_CLOSE);
    assert_true(peer_alive(&c));
    assert_int_equal(node_count_sessions(world.node), 1);
    unsigned dirty = 0;
    while (node_next_dirty(world.node) != NULL)
        dirty++;
    assert_int_equal(dirty, 3);
    world_close(&world);
}

/* The same ISID of another initiator, at another target, in another portal group: sessions of their own. */
static void test_isid_is_not_alone(void **state)
{
    char text[1024];

    (void)state;
    start("", 0);
    peer_open(&world, PORTAL_OTHER_TAG, &b);
    memcpy(b.header.isid, a.header.isid, sizeof(b.header.isid));
    assert_true(peer_login_whole(&b, TARGET_OPEN, "", 0));
    peer_open(&world, PORTAL_A, &b);
    memcpy(b.header.isid, a.header.isid, sizeof(b.header.isid));
    assert_true(peer_login_whole(&b, TARGET_SINGLE, "", 0));
    peer_open(&world, PORTAL_A, &b);
    memcpy(b.header.isid, a.header.isid, sizeof(b.header.isid));
    size_t length = (size_t)snprintf(text, sizeof(text), "InitiatorName=iqn.2024-01.org.example:two%cTargetName=%s", 0,
                                     world_target_name(TARGET_OPEN)) + 1;
    peer_login(&b, 0x87, text, length);
    assert_true(peer_receive(&b));
    assert_int_equal(b.bhs[1], 0x87);
    assert_true(peer_alive(&a));
    assert_int_equal(node_count_sessions(world.node), 4);
    world_close(&world);
}

static void test_connection_reinstatement(void **state)
{
    (void)state;
    start("", 0);
    peer_open(&world, PORTAL_A, &b);
    aim(&b, &a);
    b.header.cid = a.header.cid;
    assert_true(peer_login_whole(&b, TARGET_OPEN, "", 0));
    assert_int_equal(b.response.tsih, a.header.tsih);
    assert_int_equal(conn_action(a.conn), CONN_CLOSE);
    assert_true(peer_alive(&b));
    world_close(&world);
}

static void test_identity_of_join(void **state)
{
    (void)state;
    world_open(&world, NULL);
    peer_open(&world, PORTAL_A, &a);
    peer_chap(&a, TARGET_CHAP, 5, PEER_USER, PEER_SECRET, NULL);
    peer_login(&a, 0x87, TEXT(TWO));
    assert_true(peer_receive(&a));
    assert_int_equal(a.bhs[1], 0x87);
    a.header.tsih = a.response.tsih;
    peer_open(&world, PORTAL_A, &b);
    aim(&b, &a);
    assert_false(peer_login_whole(&b, TARGET_CHAP, "", 0));
    assert_int_equal(b.response.status, 0x0201);
    peer_open(&world, PORTAL_A, &b);
    aim(&b, &a);
    peer_chap(&b, TARGET_CHAP, 5, PEER_USER, PEER_SECRET, NULL);
    peer_login(&b, 0x87, "", 0);
    assert_true(peer_receive(&b));
    assert_int_equal(b.bhs[1], 0x87);
    world_close(&world);
}

static void test_session_limit(void **state)
{
    (void)state;
    world_open(&world, NULL);
    peer_open(&world, PORTAL_LIMITED, &a);
    assert_true(peer_login_whole(&a, TARGET_OPEN, TEXT("DefaultTime2Retain=0")));
    peer_open(&world, PORTAL_LIMITED, &b);
    assert_false(peer_login_whole(&b, TARGET_OPEN, "", 0));
    assert_int_equal(b.response.status, 0x0302);
    /* a reinstatement takes no place of its own */
    peer_open(&world, PORTAL_LIMITED, &b);
    memcpy(b.header.isid, a.header.isid, sizeof(b.header.isid));
    assert_true(peer_login_whole(&b, TARGET_OPEN, TEXT("DefaultTime2Retain=0")));
    peer_close(&b);
    assert_int_equal(node_count_sessions(world.node), 0);
    peer_open(&world, PORTAL_LIMITED, &b);
    assert_true(peer_login_whole(&b, TARGET_OPEN, "", 0));
    world_close(&world);
}

/* More sessions than the tables have room for at first: all are found, and all go. */
static void test_many_sessions(void **state)
{
    enum { MANY = 100 };
    static struct peer peers[MANY];
    struct peer join;

    (void)state;
    world_open(&world, NULL);
    for (size_t i = 0; i < MANY; i++) {
        peer_open(&world, PORTAL_A, &peers[i]);
        assert_true(peer_login_whole(&peers[i], TARGET_OPEN, TEXT("MaxConnections=2")));
    }
    assert_int_equal(node_count_sessions(world.node), MANY);
    for (size_t i = 0; i < MANY; i++) {
        peer_open(&world, PORTAL_A, &join);
        aim(&join, &peers[i]);
        assert_true(peer_login_whole(&join, TARGET_OPEN, NULL, 0));
        peer_close(&join);
        if (i % 2 == 0)
            peer_close(&peers[i]);
    }
    world.now += UINT64_C(1) << 40;
    node_tick(world.node);
    assert_int_equal(node_count_sessions(world.node), MANY / 2);
    assert_true(peer_alive(&peers[1]));
    world_close(&world);
}

static void test_lost_connection(void **state)
{
    (void)state;
    start(TEXT("DefaultTime2Wait=3\0DefaultTime2Retain=10"));
    peer_close(&a);
    assert_int_equal(node_count_sessions(world.node), 1);
    assert_int_equal(node_deadline(world.node), world.now + 13000);
    peer_open(&world, PORTAL_A, &b);
    aim(&b, &a);
    assert_true(peer_login_whole(&b, TARGET_OPEN, "", 0));
    peer_close(&b);
    world.now += 13000;
    node_tick(world.node);
    assert_int_equal(node_count_sessions(world.node), 0);
    assert_int_equal(node_deadline(world.node), NODE_NO_DEADLINE);
    peer_open(&world, PORTAL_A, &b);
    aim(&b, &a);
    assert_false(peer_login_whole(&b, TARGET_OPEN, "", 0));
    assert_int_equal(b.response.status, 0x020a);
    world_close(&world);
}

static void logout(struct peer *peer, unsigned reason, unsigned cid)
{
    uint8_t bhs[PDU_BHS_LEN];
    struct pdu_request request = { .opcode = PDU_LOGOUT_REQUEST, .immediate = true,
                               .flags = (uint8_t)(PDU_FLAG_FINAL | reason), .itt = 0x99,
                               .word20 = (uint32_t)cid << 16, .cmd_sn = peer->cmd_sn };

    pdu_request_encode(&request, bhs);
    peer_send(peer, bhs, NULL, 0);
    assert_true(peer_receive(peer));
}

static void test_logout(void **state)
{
    (void)state;
    start(TEXT(TWO));
    peer_open(&world, PORTAL_A, &b);
    aim(&b, &a);
    assert_true(peer_login_whole(&b, TARGET_OPEN, "", 0));
    logout(&a, 1, 77);
    assert_int_equal(pdu_opcode(a.bhs), PDU_LOGOUT_RESPONSE);
    assert_int_equal(a.bhs[2], PDU_LOGOUT_CID_NOT_FOUND);
    logout(&a, 2, a.header.cid);
    assert_int_equal(a.bhs[2], PDU_LOGOUT_NO_RECOVERY);
    logout(&a, 9, 0);
    assert_int_equal(pdu_opcode(a.bhs), PDU_REJECT);
    logout(&b, 1, b.header.cid);
    assert_int_equal(b.bhs[2], PDU_LOGOUT_DONE);
    assert_int_equal(conn_action(b.conn), CONN_CLOSE);
    assert_true(peer_alive(&a));
    logout(&a, 0, 0);
    assert_int_equal(pdu_opcode(a.bhs), PDU_LOGOUT_RESPONSE);
    assert_int_equal(a.bhs[2], PDU_LOGOUT_DONE);
    assert_int_equal(conn_action(a.conn), CONN_CLOSE);
    assert_int_equal(node_count_sessions(world.node), 0);
    peer_open(&world, PORTAL_A, &b);
    aim(&b, &a);
    assert_false(peer_login_whole(&b, TARGET_OPEN, "", 0));
    assert_int_equal(b.response.status, 0x020a);
    world_close(&world);
}

/* One Text Request; the whole answer, over all its parts, in answer. Returns how many responses there were. */
static unsigned ask(struct peer *peer, const char *text, size_t length, struct text_buf *answer)
{
    uint8_t bhs[PDU_BHS_LEN];
    struct pdu_request request = { .opcode = PDU_TEXT_REQUEST, .immediate = true, .flags = PDU_FLAG_FINAL,
                               .itt = 0x55, .word20 = PDU_NO_TAG, .cmd_sn = peer->cmd_sn };
    struct pdu_response response;
    unsigned parts = 0;

    do {
        pdu_request_encode(&request, bhs);
        peer_send(peer, bhs, text, length);
        if (!peer_receive(peer))
            return 0;
        pdu_response_decode(&response, peer->bhs);
        if (response.opcode != PDU_TEXT_RESPONSE)
            return 0;
        assert_true(text_buf_add_raw(answer, peer->data, peer->length));
        request.word20 = response.word20;
        length = 0;
        parts++;
    } while (response.word20 != PDU_NO_TAG && parts < 1000);
    assert_int_equal(response.flags, PDU_FLAG_FINAL);
    return parts;
}

static void test_send_targets(void **state)
{
    char memory[8192];
    struct text_buf answer;

    (void)state;
    text_buf_init_fixed(&answer, memory, sizeof(memory));
    world_open(&world, NULL);
    peer_open(&world, PORTAL_A, &a);
    assert_true(peer_login_whole(&a, NODE_ALL, TEXT("MaxRecvDataSegmentLength=512")));
    assert_int_not_equal(a.response.tsih, 0);
    assert_true(ask(&a, TEXT("SendTargets=All"), &answer) > 1);
    assert_int_equal(text_count(answer.data, answer.len, "TargetName"), TARGET_COUNT - 2);  /* denied, removed */
    struct text_pair pair;
    assert_true(text_find(answer.data, answer.len, "TargetAddress", &pair));
    assert_true(text_equals(pair.value, pair.value_len, "127.0.0.1:3260,1"));
    text_buf_clear(&answer);
    assert_int_equal(ask(&a, TEXT("SendTargets=iqn.2024-01.org.example:on-b"), &answer), 1);
    assert_int_equal(text_count(answer.data, answer.len, "TargetName"), 1);
    assert_int_equal(text_count(answer.data, answer.len, "TargetAddress"), 1);
    text_buf_clear(&answer);
    assert_int_equal(ask(&a, TEXT("SendTargets=iqn.2024-01.org.example:nowhere"), &answer), 1);
    assert_int_equal(answer.len, 0);
    assert_int_equal(ask(&a, TEXT("InitiatorAlias=x"), &answer), 0);
    assert_int_equal(pdu_opcode(a.bhs), PDU_REJECT);
    assert_false(peer_alive(&a));
    logout(&a, 1, a.header.cid);
    assert_int_equal(pdu_opcode(a.bhs), PDU_REJECT);
    logout(&a, 0, 0);
    assert_int_equal(pdu_opcode(a.bhs), PDU_LOGOUT_RESPONSE);
    /* a normal session learns of its own target only */
    peer_open(&world, PORTAL_A, &a);
    assert_true(peer_login_whole(&a, TARGET_OPEN, "", 0));
    text_buf_clear(&answer);
    assert_int_equal(ask(&a, TEXT("SendTargets="), &answer), 1);
    assert_int_equal(text_count(answer.data, answer.len, "TargetName"), 1);
    text_buf_clear(&answer);
    assert_int_equal(ask(&a, TEXT("SendTargets=All\0X-a=1\0HeaderDigest=None\0MaxRecvDataSegmentLength=600"), &answer),
                     1);
    assert_true(text_find(answer.data, answer.len, "SendTargets", &pair));
    assert_true(text_equals(pair.value, pair.value_len, "Reject"));
    assert_true(text_find(answer.data, answer.len, "X-a", &pair));
    assert_true(text_find(answer.data, answer.len, "HeaderDigest", &pair));
    assert_true(text_equals(pair.value, pair.value_len, "Reject"));
    world_close(&world);
}

static void command(struct peer *peer, const uint8_t *cdb, unsigned flags, uint32_t expected, const void *data,
                    size_t length)
{
    uint8_t bhs[PDU_BHS_LEN];
    struct pdu_request request = { .opcode = PDU_SCSI_COMMAND, .flags = (uint8_t)flags, .itt = peer->cmd_sn,
                               .word20 = expected, .cmd_sn = peer->cmd_sn };

    memcpy(request.tail, cdb, 16);
    peer->cmd_sn++;
    pdu_request_encode(&request, bhs);
    peer_send(peer, bhs, data, length);
}

static void test_scsi(void **state)
{
    static const uint8_t ready[16] = { 0x00 }, inquiry[16] = { 0x12, 0, 0, 0, 96 }, capacity[16] = { 0x25 },
                         unknown[16] = { 0xff }, page83[16] = { 0x12, 1, 0x83, 0, 255 },
                         write[16] = { 0x2a, 0, 0, 0, 0, 8, 0, 0, 16 }, read[16] = { 0x28, 0, 0, 0, 0, 8, 0, 0, 16 },
                         beyond[16] = { 0x28, 0, 0xff, 0, 0, 8, 0, 0, 16 };
    static uint8_t block[8192];
    uint8_t bhs[PDU_BHS_LEN];

    (void)state;
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = (uint8_t)(i * 7 + i / 256);
    start(TEXT("FirstBurstLength=512\0MaxBurstLength=4096\0InitialR2T=Yes\0MaxRecvDataSegmentLength=3000"));
    command(&a, ready, 0x80, 0, NULL, 0);
    assert_true(peer_receive(&a));
    assert_int_equal(pdu_opcode(a.bhs), PDU_SCSI_RESPONSE);
    assert_int_equal(a.bhs[3], 0);
    command(&a, inquiry, 0xc0, 96, NULL, 0);
    assert_true(peer_receive(&a));
    assert_int_equal(pdu_opcode(a.bhs), PDU_DATA_IN);
    assert_int_equal(a.bhs[1], 0x81);
    assert_int_equal(a.length, 96);
    command(&a, page83, 0xc0, 255, NULL, 0);
    assert_true(peer_receive(&a));
    assert_int_equal(a.bhs[1], 0x83);
    command(&a, capacity, 0xc0, 8, NULL, 0);
    assert_true(peer_receive(&a));
    assert_int_equal(bytes_get_be32(a.data), (16u << 20) / 512 - 1);
    command(&a, unknown, 0x80, 0, NULL, 0);
    assert_true(peer_receive(&a));
    assert_int_equal(a.bhs[3], 2);
    assert_int_equal(a.data[2 + 12], 0x20);
    command(&a, beyond, 0xc0, 8192, NULL, 0);
    assert_true(peer_receive(&a));
    assert_int_equal(a.data[2 + 12], 0x21);
    /* 512 bytes at once, the rest in two bursts */
    command(&a, write, 0xa0, 8192, block, 512);
    for (uint32_t at = 512; at < 8192;) {
        struct pdu_response r2t;
        struct pdu_request out = { .opcode = PDU_DATA_OUT, .flags = PDU_FLAG_FINAL, .itt = a.cmd_sn - 1 };

        assert_true(peer_receive(&a));
        pdu_response_decode(&r2t, a.bhs);
        assert_int_equal(r2t.opcode, PDU_R2T);
        assert_int_equal(r2t.word40, at);
        out.word20 = r2t.word20;
        bytes_put_be32(out.tail + 8, at);
        pdu_request_encode(&out, bhs);
        peer_send(&a, bhs, block + at, r2t.word44);
        at += r2t.word44;
    }
    assert_true(peer_receive(&a));
    assert_int_equal(pdu_opcode(a.bhs), PDU_SCSI_RESPONSE);
    assert_int_equal(a.bhs[3], 0);
    command(&a, read, 0xc0, 8192, NULL, 0);
    for (uint32_t at = 0; at < 8192;) {
        assert_true(peer_receive(&a));
        assert_int_equal(pdu_opcode(a.bhs), PDU_DATA_IN);
        assert_true(a.length <= 3000);
        assert_memory_equal(a.data, block + at, a.length);
        at += (uint32_t)a.length;
        assert_int_equal(a.bhs[1] & PDU_FLAG_STATUS, at == 8192 ? 1 : 0);
    }
    assert_true(peer_alive(&a));
    world_close(&world);
}

/* Commands of one session come in CmdSN order over all its connections. */
static void test_command_order(void **state)
{
    static const uint8_t ready[16] = { 0x00 };

    (void)state;
    start(TEXT(TWO));
    peer_open(&world, PORTAL_A, &b);
    aim(&b, &a);
    assert_true(peer_login_whole(&b, TARGET_OPEN, "", 0));
    b.cmd_sn = a.cmd_sn + 1;
    command(&b, ready, 0x80, 0, NULL, 0);
    assert_false(peer_receive(&b));
    command(&a, ready, 0x80, 0, NULL, 0);
    assert_true(peer_receive(&a));
    assert_true(peer_receive(&b));
    assert_int_equal(pdu_opcode(b.bhs), PDU_SCSI_RESPONSE);
    assert_int_equal(bytes_get_be32(b.bhs + 28), a.cmd_sn + 1);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_join_refused),
        cmocka_unit_test(test_too_many_connections),
        cmocka_unit_test(test_session_reinstatement),
        cmocka_unit_test(test_isid_is_not_alone),
        cmocka_unit_test(test_connection_reinstatement),
        cmocka_unit_test(test_identity_of_join),
        cmocka_unit_test(test_session_limit),
        cmocka_unit_test(test_many_sessions),
        cmocka_unit_test(test_lost_connection),
        cmocka_unit_test(test_logout),
        cmocka_unit_test(test_send_targets),
        cmocka_unit_test(test_scsi),
        cmocka_unit_test(test_command_order)
    };

    return cmocka_run_group_tests_name("sessions", tests, NULL, NULL);
}
