/* The login phase of the engine: stages, statuses with their natural causes, text in parts, garbage. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_peer.h"
#include "wire/bytes.h"
#include "wire/status.h"

#define NAMES(target) "InitiatorName=" PEER_INITIATOR "\0" "TargetName=iqn.2024-01.org.example:" target "\0"

static struct world world;
static struct peer peer, second;

static void refused(struct peer *who, unsigned status)
{
    assert_true(peer_receive(who));
    assert_int_equal(pdu_opcode(who->bhs), PDU_LOGIN_RESPONSE);
    assert_int_equal(who->response.status, status);
    assert_false(who->response.transit);
    assert_int_equal(who->response.stat_sn, 0);
    assert_int_equal(who->response.exp_cmd_sn, 0);
    assert_int_equal(who->response.max_cmd_sn, 0);
    assert_int_equal(who->response.itt, who->header.itt);
    assert_false(peer_receive(who));
    assert_int_equal(conn_action(who->conn), CONN_CLOSE);
    if (status_class(status) != 1)
        assert_int_equal(who->length, 0);
}

static void test_one_pdu(void **state)
{
    (void)state;
    world_open(&world, NULL);
    peer_open(&world, PORTAL_A, &peer);
    assert_true(peer_login_whole(&peer, TARGET_OPEN, TEXT("HeaderDigest=None")));
    assert_int_equal(peer.response.csg, 1);
    assert_int_not_equal(peer.response.tsih, 0);
    assert_int_equal(peer.response.version_max, 0);
    assert_int_equal(peer.response.exp_cmd_sn, 0x1000);
    assert_memory_equal(peer.response.isid, peer.header.isid, 6);
    assert_true(peer_has(&peer, "TargetPortalGroupTag", "1"));
    assert_true(peer_has(&peer, "HeaderDigest", "None"));
    assert_true(peer_has(&peer, "MaxRecvDataSegmentLength", "262144"));
    uint32_t stat_sn = peer.response.stat_sn;
    assert_true(peer_alive(&peer));
    assert_int_equal(bytes_get_be32(peer.bhs + 24), stat_sn + 1);
    world_close(&world);
}

static void test_two_stages_and_rounds(void **state)
{
    char text[4096];

    (void)state;
    world_open(&world, NULL);
    peer_open(&world, PORTAL_A, &peer);
    peer_login(&peer, 0x81, text, peer_names(text, sizeof(text), TARGET_OPEN, TEXT("AuthMethod=CHAP,None")));
    assert_true(peer_receive(&peer));
    assert_int_equal(peer.bhs[1], 0x81);
    assert_int_equal(peer.response.tsih, 0);
    assert_true(peer_has(&peer, "AuthMethod", "None"));
    assert_true(peer_has(&peer, "TargetPortalGroupTag", "1"));
    uint32_t stat_sn = peer.response.stat_sn;
    for (unsigned round = 1; round <= 3; round++) {
        peer_login(&peer, 0x04, "", 0);
        assert_true(peer_receive(&peer));
        assert_int_equal(peer.bhs[1], 0x04);
        assert_int_equal(peer.response.stat_sn, stat_sn + round);
        assert_false(peer_has(&peer, "TargetPortalGroupTag", NULL));
    }
    peer_login(&peer, 0x87, "", 0);
    assert_true(peer_receive(&peer));
    assert_int_equal(peer.bhs[1], 0x87);
    assert_int_not_equal(peer.response.tsih, 0);
    world_close(&world);
}

/* One request on a fresh connection, and the status it must get. */
struct row {
    size_t portal;
    unsigned flags;
    const char *text;
    size_t length;
    unsigned status;
};

static const struct row rows[] = {
    { PORTAL_A, 0x87, TEXT(NAMES("open") "MaxBurstLength=512\0MaxBurstLength=512"), 0x0200 },
    { PORTAL_A, 0x8f, TEXT(NAMES("open") "SessionType=Normal"), 0x0200 },
    { PORTAL_A, 0x8b, TEXT(NAMES("open") "SessionType=Normal"), 0x0200 },
    { PORTAL_A, 0x85, TEXT(NAMES("open") "SessionType=Normal"), 0x0200 },
    { PORTAL_A, 0x84, TEXT(NAMES("open") "SessionType=Normal"), 0x0200 },
    { PORTAL_A, 0x80, TEXT(NAMES("open") "SessionType=Normal"), 0x0200 },
    { PORTAL_A, 0x86, TEXT(NAMES("open") "SessionType=Normal"), 0x0200 },
    { PORTAL_A, 0xc7, TEXT(NAMES("open") "SessionType=Normal"), 0x0200 },
    { PORTAL_A, 0x87, TEXT(NAMES("open") "NoEquals"), 0x0200 },
    { PORTAL_A, 0x87, TEXT(NAMES("open") "SendTargets=All"), 0x0200 },
    { PORTAL_A, 0x87, TEXT(NAMES("open") "MaxRecvDataSegmentLength=511"), 0x0200 },
    { PORTAL_A, 0x87, TEXT(NAMES("open") "AuthMethod=None"), 0x0200 },
    { PORTAL_A, 0x81, TEXT(NAMES("open") "MaxBurstLength=512"), 0x0200 },
    { PORTAL_A, 0x87, TEXT(NAMES("open") "MaxBurstLength=Irrelevant"), 0x0200 },
    { PORTAL_A, 0x87, TEXT(NAMES("chap") "SessionType=Normal"), 0x0201 },
    { PORTAL_A, 0x81, TEXT(NAMES("chap") "AuthMethod=None"), 0x0201 },
    { PORTAL_A, 0x81, TEXT(NAMES("chap") "AuthMethod=KRB5,SRP"), 0x0201 },
    { PORTAL_A, 0x81, TEXT(NAMES("chap") "SessionType=Normal"), 0x0201 },
    { PORTAL_A, 0x87, TEXT(NAMES("denied") "SessionType=Normal"), 0x0202 },
    { PORTAL_A, 0x87, TEXT(NAMES("nowhere") "SessionType=Normal"), 0x0203 },
    { PORTAL_A, 0x87, TEXT(NAMES("on-b") "SessionType=Normal"), 0x0203 },
    { PORTAL_A, 0x87, TEXT(NAMES("removed") "SessionType=Normal"), 0x0204 },
    { PORTAL_A, 0x87, TEXT("TargetName=iqn.2024-01.org.example:open"), 0x0207 },
    { PORTAL_A, 0x87, TEXT("InitiatorName=" PEER_INITIATOR), 0x0207 },
    { PORTAL_A, 0x87, "", 0, 0x0207 },
    { PORTAL_A, 0x87, TEXT(NAMES("open") "SessionType=Foo"), 0x0209 },
    { PORTAL_NORMAL_ONLY, 0x87, TEXT("InitiatorName=" PEER_INITIATOR "\0SessionType=Discovery"), 0x0209 },
    { PORTAL_A, 0x87, TEXT(NAMES("fault") "SessionType=Normal"), 0x0300 },
    { PORTAL_DRAINED, 0x87, TEXT(NAMES("open") "SessionType=Normal"), 0x0301 }
};

static void test_natural_causes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        world_open(&world, NULL);
        peer_open(&world, rows[i].portal, &peer);
        peer_login(&peer, rows[i].flags, rows[i].text, rows[i].length);
        refused(&peer, rows[i].status);
        world_close(&world);
    }
}

static void test_header_causes(void **state)
{
    char text[4096];
    size_t length = peer_names(text, sizeof(text), TARGET_OPEN, "", 0);

    (void)state;
    world_open(&world, NULL);
    peer_open(&world, PORTAL_A, &peer);
    peer.header.version_min = 1;
    peer.header.version_max = 1;
    peer_login(&peer, 0x87, text, length);
    refused(&peer, 0x0205);
    peer_open(&world, PORTAL_A, &peer);
    peer.header.version_max = 1;
    peer_login(&peer, 0x87, text, length);
    assert_true(peer_receive(&peer));
    assert_int_equal(peer.response.status, 0);
    peer_open(&world, PORTAL_A, &peer);
    peer.header.total_ahs_len = 1;
    peer_login(&peer, 0x87, text, length);
    refused(&peer, 0x0200);
    static char big[8196];
    peer_open(&world, PORTAL_A, &peer);
    peer_login(&peer, 0x87, big, sizeof(big));
    refused(&peer, 0x0200);
    peer_open(&world, PORTAL_A, &peer);
    peer.header.itt = PDU_NO_TAG;
    peer_login(&peer, 0x87, text, length);
    refused(&peer, 0x0200);
    for (int field = 0; field < 4; field++) {
        peer_open(&world, PORTAL_A, &peer);
        peer_login(&peer, 0x04, text, length);
        assert_true(peer_receive(&peer));
        switch (field) {
        case 0: peer.header.itt++; break;
        case 1: peer.header.tsih++; break;
        case 2: peer.header.cid++; break;
        default: peer.header.isid[5] ^= 1; break;
        }
        peer_login(&peer, 0x87, "", 0);
        refused(&peer, 0x0200);
    }
    world_close(&world);
}

static void test_moved(void **state)
{
    (void)state;
    world_open(&world, NULL);
    peer_open(&world, PORTAL_A, &peer);
    assert_false(peer_login_whole(&peer, TARGET_TEMPORARY, "", 0));
    assert_int_equal(peer.response.status, 0x0101);
    assert_true(peer_has(&peer, "TargetAddress", "127.0.0.2:3260"));
    assert_int_equal(conn_action(peer.conn), CONN_CLOSE);
    peer_open(&world, PORTAL_A, &peer);
    assert_false(peer_login_whole(&peer, TARGET_PERMANENT, "", 0));
    assert_int_equal(peer.response.status, 0x0102);
    assert_true(peer_has(&peer, "TargetAddress", "192.0.2.7:3261"));
    world_close(&world);
}

static void test_other_pdu(void **state)
{
    char text[4096];
    uint8_t bhs[PDU_BHS_LEN] = { 0x40, 0x80 };

    (void)state;
    for (unsigned opcode = 0; opcode < 0x40; opcode++) {
        if (opcode == PDU_LOGIN_REQUEST)
            continue;
        bhs[0] = (uint8_t)opcode;
        world_open(&world, NULL);
        peer_open(&world, PORTAL_A, &peer);
        peer_send(&peer, bhs, NULL, 0);
        assert_false(peer_receive(&peer));
        assert_int_equal(conn_action(peer.conn), CONN_CLOSE);
        peer_open(&world, PORTAL_A, &peer);
        peer_login(&peer, 0x04, text, peer_names(text, sizeof(text), TARGET_OPEN, "", 0));
        assert_true(peer_receive(&peer));
        peer_send(&peer, bhs, NULL, 0);
        refused(&peer, 0x020b);
        world_close(&world);
    }
}

static void test_verbs(void **state)
{
    (void)state;
    world_open(&world, NULL);
    peer_open(&world, PORTAL_A, &peer);
    assert_true(peer_login_whole(&peer, TARGET_OPEN, "", 0));
    assert_true(node_drain(world.node, PORTAL_A));
    peer_open(&world, PORTAL_A, &second);
    assert_false(peer_login_whole(&second, TARGET_OPEN, "", 0));
    assert_int_equal(second.response.status, 0x0301);
    assert_true(peer_alive(&peer));
    assert_true(node_resume(world.node, NODE_ALL));
    assert_true(node_fault(world.node, TARGET_OPEN));
    peer_open(&world, PORTAL_DRAINED, &second);
    assert_false(peer_login_whole(&second, TARGET_OPEN, "", 0));
    assert_int_equal(second.response.status, 0x0300);
    assert_true(node_mend(world.node, TARGET_OPEN));
    world.store_gone = true;
    peer_open(&world, PORTAL_A, &second);
    assert_false(peer_login_whole(&second, TARGET_FILE, "", 0));
    assert_int_equal(second.response.status, 0x0300);
    assert_true(node_remove(world.node, TARGET_OPEN));
    assert_int_equal(conn_action(peer.conn), CONN_CLOSE);
    peer_open(&world, PORTAL_A, &second);
    assert_false(peer_login_whole(&second, TARGET_OPEN, "", 0));
    assert_int_equal(second.response.status, 0x0204);
    assert_true(node_restore(world.node, TARGET_OPEN));
    struct config_force force = { .status = 0x0302, .stage = CONFIG_STAGE_FINAL };
    assert_true(node_force(world.node, TARGET_OPEN, &force));
    peer_open(&world, PORTAL_A, &second);
    assert_false(peer_login_whole(&second, TARGET_OPEN, "", 0));
    assert_int_equal(second.response.status, 0x0302);
    assert_true(node_force(world.node, NODE_ALL, NULL));
    peer_open(&world, PORTAL_A, &second);
    assert_true(peer_login_whole(&second, TARGET_OPEN, "", 0));
    assert_false(node_fault(world.node, TARGET_COUNT));
    world_close(&world);
}

static void test_forced_glob(void **state)
{
    char match[] = "iqn.2024-01.*:init?ator", other[] = "*:nobody";
    struct config_force force = { .status = 0x0206, .stage = CONFIG_STAGE_FIRST, .initiators = other };

    (void)state;
    world_open(&world, NULL);
    assert_true(node_force(world.node, NODE_ALL, &force));
    peer_open(&world, PORTAL_A, &peer);
    assert_true(peer_login_whole(&peer, TARGET_OPEN, "", 0));
    force.initiators = match;
    assert_true(node_force(world.node, NODE_ALL, &force));
    peer_open(&world, PORTAL_A, &peer);
    assert_false(peer_login_whole(&peer, TARGET_OPEN, "", 0));
    assert_int_equal(peer.response.status, 0x0206);
    world_close(&world);
}

static void test_codes_mask(void **state)
{
    (void)state;
    world_init(&world);
    world.config.codes = config_code_bit(0) | config_code_bit(0x0200);
    world_start(&world);
    peer_open(&world, PORTAL_A, &peer);
    assert_false(peer_login_whole(&peer, TARGET_REMOVED, "", 0));
    assert_int_equal(peer.response.status, 0x0200);
    world_close(&world);
    world_init(&world);
    world.config.codes = config_code_bit(0);
    world_start(&world);
    peer_open(&world, PORTAL_A, &peer);
    assert_false(peer_login_whole(&peer, TARGET_REMOVED, "", 0));
    assert_int_equal(conn_action(peer.conn), CONN_CLOSE);
    world_close(&world);
}

static void test_c_bit(void **state)
{
    char text[4096];
    size_t length = peer_names(text, sizeof(text), TARGET_OPEN, TEXT("MaxBurstLength=4096\0FirstBurstLength=4096"));

    (void)state;
    for (size_t cut = 0; cut <= length; cut++) {
        world_open(&world, NULL);
        peer_open(&world, PORTAL_A, &peer);
        peer_login(&peer, 0x44, text, cut);
        assert_true(peer_receive(&peer));
        assert_int_equal(peer.length, 0);
        assert_int_equal(peer.bhs[1], 0x04);
        assert_int_equal(peer.response.status, 0);
        peer_login(&peer, 0x87, text + cut, length - cut);
        assert_true(peer_receive(&peer));
        assert_int_equal(peer.bhs[1], 0x87);
        assert_true(peer_has(&peer, "MaxBurstLength", "4096"));
        world_close(&world);
    }
}

static void test_long_answer(void **state)
{
    static char text[8192];
    size_t length = peer_names(text, sizeof(text), TARGET_OPEN, "", 0);
    size_t answers = 0;

    (void)state;
    for (unsigned i = 0; length + 16 < sizeof(text); i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "X-%u=1", i) + 1;
    world_open(&world, NULL);
    peer_open(&world, PORTAL_A, &peer);
    peer_login(&peer, 0x87, text, length);
    for (unsigned part = 0; part < 10; part++) {
        assert_true(peer_receive(&peer));
        assert_int_equal(peer.response.status, 0);
        assert_true(peer.length <= 8192);
        answers += peer.length;
        if (!peer.response.cont)
            break;
        assert_false(peer.response.transit);
        peer_login(&peer, 0x87, "", 0);
    }
    assert_int_equal(peer.bhs[1], 0x87);
    assert_true(answers > 8192);
    world_close(&world);
}

static void test_stage_order(void **state)
{
    char text[4096];
    size_t length = peer_names(text, sizeof(text), TARGET_OPEN, "", 0);

    (void)state;
    world_open(&world, NULL);
    peer_open(&world, PORTAL_A, &peer);
    peer_login(&peer, 0x04, text, length);
    assert_true(peer_receive(&peer));
    peer_login(&peer, 0x81, "", 0);
    refused(&peer, 0x0200);
    peer_open(&world, PORTAL_A, &peer);
    peer_login(&peer, 0x00, text, length);
    assert_true(peer_receive(&peer));
    peer_login(&peer, 0x87, "", 0);
    refused(&peer, 0x0200);
    /* straight from the security stage to full feature phase */
    peer_open(&world, PORTAL_A, &peer);
    peer_login(&peer, 0x83, text, length);
    assert_true(peer_receive(&peer));
    assert_int_equal(peer.bhs[1], 0x83);
    assert_int_not_equal(peer.response.tsih, 0);
    world_close(&world);
}

static void test_redeclared_names(void **state)
{
    char text[4096];

    (void)state;
    for (int strict = 0; strict < 2; strict++) {
        world_init(&world);
        world.config.strict_redeclare = strict == 1;
        world_start(&world);
        peer_open(&world, PORTAL_A, &peer);
        size_t length = peer_names(text, sizeof(text), TARGET_OPEN, "", 0);
        peer_login(&peer, 0x81, text, length);
        assert_true(peer_receive(&peer));
        peer_login(&peer, 0x87, text, length);
        if (strict == 1) {
            refused(&peer, 0x0200);
        } else {
            assert_true(peer_receive(&peer));
            assert_int_equal(peer.bhs[1], 0x87);
        }
        peer_open(&world, PORTAL_A, &peer);
        peer_login(&peer, 0x81, text, length);
        assert_true(peer_receive(&peer));
        peer_login(&peer, 0x87, TEXT("InitiatorName=iqn.2024-01.org.example:other"));
        refused(&peer, 0x0200);
        world_close(&world);
    }
}

static void test_timeout_and_eof(void **state)
{
    (void)state;
    world_open(&world, NULL);
    peer_open(&world, PORTAL_A, &peer);
    assert_int_equal(conn_deadline(peer.conn), world.now + CONFIG_TIMEOUT_LOGIN_MS);
    world.now += CONFIG_TIMEOUT_LOGIN_MS;
    conn_tick(peer.conn);
    assert_int_equal(conn_action(peer.conn), CONN_CLOSE);
    peer_open(&world, PORTAL_A, &peer);
    conn_eof(peer.conn);
    assert_int_equal(conn_action(peer.conn), CONN_CLOSE);
    peer_open(&world, PORTAL_A, &peer);
    assert_true(peer_login_whole(&peer, TARGET_OPEN, "", 0));
    assert_int_equal(conn_deadline(peer.conn), NODE_NO_DEADLINE);
    conn_eof(peer.conn);
    assert_int_equal(conn_action(peer.conn), CONN_CLOSE);
    assert_ptr_equal(conn_user(peer.conn), NULL);
    world_close(&world);
}

/* A random but reproducible number. */
static uint32_t draw(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1;
    return (uint32_t)(*seed >> 33);
}

static void test_garbage(void **state)
{
    uint64_t seed = 20240101;
    char text[4096];
    size_t length = peer_names(text, sizeof(text), TARGET_OPEN, TEXT("AuthMethod=CHAP,None\0HeaderDigest=CRC32C"));

    (void)state;
    world_open(&world, NULL);
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t bytes[600];

        peer_open(&world, draw(&seed) % PORTAL_COUNT, &peer);
        for (unsigned pdu = 0; pdu < 4 && conn_action(peer.conn) == CONN_KEEP; pdu++) {
            peer.header.data_len = (uint32_t)length;
            pdu_login_request_encode(&peer.header, bytes);
            bytes[1] = pdu == 0 ? 0x81 : 0x87;
            memcpy(bytes + PDU_BHS_LEN, text, length);
            size_t total = PDU_BHS_LEN + pdu_padded_len(length);
            for (unsigned hit = draw(&seed) % 4; hit > 0; hit--)
                bytes[draw(&seed) % total] = (uint8_t)draw(&seed);
            for (size_t at = 0; at < total;) {
                size_t run = 1 + draw(&seed) % total;
                if (run > total - at)
                    run = total - at;
                conn_input(peer.conn, bytes + at, run);
                at += run;
            }
            while (peer_receive(&peer))
                ;
        }
        conn_tick(peer.conn);
        while (node_next_dirty(world.node) != NULL)
            ;
        peer_close(&peer);
    }
    assert_int_equal(node_count_connections(world.node), 0);
    peer_open(&world, PORTAL_A, &peer);
    assert_true(peer_login_whole(&peer, TARGET_OPEN, "", 0));
    world_close(&world);
}

/* Every allocation fails once; nothing leaks, nothing crashes. */
static void test_no_memory(void **state)
{
    bool done = false;

    (void)state;
    for (size_t fail = 1; !done && fail < 500; fail++) {
        world_init(&world);
        world.fail_at = fail;
        world_start(&world);
        if (world.node != NULL) {
            peer_open(&world, PORTAL_A, &peer);
            if (peer.conn != NULL) {
                peer_chap(&peer, TARGET_CHAP, 5, PEER_USER, PEER_SECRET, NULL);
                if (conn_action(peer.conn) == CONN_KEEP)
                    peer_login(&peer, 0x47, TEXT("MaxBurst"));
                if (conn_action(peer.conn) == CONN_KEEP)
                    peer_login(&peer, 0x87, TEXT("Length=4096"));
                while (peer_receive(&peer))
                    ;
            }
        }
        done = world.allocations < fail;
        world_close(&world);
    }
    assert_true(done);
}

static void test_transitions(void **state)
{
    (void)state;
    world_open(&world, NULL);
    assert_true(node_transition_count() > 40);
    for (size_t i = 0; i < node_transition_count(); i++) {
        assert_non_null(node_transition_text(i));
        assert_int_equal(node_transition_hits(world.node, i), 0);
    }
    peer_open(&world, PORTAL_A, &peer);
    assert_true(peer_login_whole(&peer, TARGET_OPEN, "", 0));
    uint64_t hits = 0;
    for (size_t i = 0; i < node_transition_count(); i++)
        hits += node_transition_hits(world.node, i);
    assert_int_equal(hits, 1);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_pdu),
        cmocka_unit_test(test_two_stages_and_rounds),
        cmocka_unit_test(test_natural_causes),
        cmocka_unit_test(test_header_causes),
        cmocka_unit_test(test_moved),
        cmocka_unit_test(test_other_pdu),
        cmocka_unit_test(test_verbs),
        cmocka_unit_test(test_forced_glob),
        cmocka_unit_test(test_codes_mask),
        cmocka_unit_test(test_c_bit),
        cmocka_unit_test(test_long_answer),
        cmocka_unit_test(test_stage_order),
        cmocka_unit_test(test_redeclared_names),
        cmocka_unit_test(test_timeout_and_eof),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_transitions)
    };

    return cmocka_run_group_tests_name("login", tests, NULL, NULL);
}
