/*
 * Whole scripted exchanges with the engine: a table of logins for the rows that single-PDU tests do not reach, and the
 * lives of connections with each allocation failing in turn.
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
#include "wire/text.h"

static struct world world;
static struct peer peer;

/* ---- login ---- */

/* Text of length bytes in *text: names of the open target and as many unknown keys as fit, in a static buffer. */
static size_t many_keys(const char **text, size_t size)
{
    static char space[8192];
    size_t length = peer_names(space, sizeof(space), TARGET_OPEN, "", 0);

    for (unsigned i = 0; length + 16 < size; i++)
        length += (size_t)snprintf(space + length, size - length, "X-%u=1", i) + 1;
    *text = space;
    return length;
}

static void expect_refusal(unsigned status)
{
    assert_true(peer_receive(&peer));
    assert_int_equal(peer.response.status, status);
    assert_int_equal(conn_action(peer.conn), CONN_CLOSE);
}

/* An answer that fills more than one PDU is fetched by empty requests only. */
static void test_pickup_refused(void **state)
{
    static const struct { unsigned flags; const char *text; size_t length; } rows[] = {
        { 0x44, TEXT("X-more=1") },     /* C */
        { 0x87, TEXT("X-more=1") },     /* keys */
        { 0x44, "", 0 }                 /* C without keys */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *text;
        size_t length = many_keys(&text, 8192);

        world_open(&world, NULL);
        peer_open(&world, PORTAL_A, &peer);
        peer_login(&peer, 0x87, text, length);
        assert_true(peer_receive(&peer));
        assert_true(peer.response.cont);
        peer_login(&peer, rows[i].flags, rows[i].text, rows[i].length);
        expect_refusal(0x0200);
        world_close(&world);
    }
}

/* Any number of C=1 requests does not make a text that fills the memory. */
static void test_text_above_room(void **state)
{
    static char part[8000];
    unsigned sent = 0;

    (void)state;
    memset(part, 'x', sizeof(part));
    world_open(&world, NULL);
    peer_open(&world, PORTAL_A, &peer);
    do {
        peer_login(&peer, 0x44, part, sizeof(part));
        assert_true(peer_receive(&peer));
    } while (peer.response.status == 0 && ++sent < 100);
    assert_int_equal(peer.response.status, 0x0302);
    assert_true(sent >= 2);
    world_close(&world);
}

static void test_long_names(void **state)
{
    char name[TEXT_NAME_MAX + 2], text[1024];
    struct text_buf out;

    (void)state;
    memset(name, 'a', sizeof(name));
    memcpy(name, "iqn.2024-01.a:", 14);
    for (size_t over = 0; over < 2; over++) {
        name[TEXT_NAME_MAX + over] = '\0';
        for (size_t which = 0; which < 2; which++) {
            world_open(&world, NULL);
            peer_open(&world, PORTAL_A, &peer);
            text_buf_init_fixed(&out, text, sizeof(text));
            text_buf_add(&out, "InitiatorName", which == 0 ? name : PEER_INITIATOR);
            text_buf_add(&out, "TargetName", which == 1 ? name : world_target_name(TARGET_OPEN));
            peer_login(&peer, 0x87, text, out.len);
            assert_true(peer_receive(&peer));
            /* An initiator's name within the limit is good; a target's name of either length is not there. */
            if (which == 0)
                assert_int_equal(peer.response.status, over ? 0x0200 : 0);
            else
                assert_true(peer.response.status == 0x0203 || peer.response.status == 0x0200);
            world_close(&world);
        }
        name[TEXT_NAME_MAX] = 'a';
    }
}

/* A forced code waits for its stage. */
static void test_forced_stage(void **state)
{
    static const struct { enum config_stage stage; unsigned refused; } rows[] = {
        { CONFIG_STAGE_FIRST, 1 }, { CONFIG_STAGE_SECURITY, 1 }, { CONFIG_STAGE_OPERATIONAL, 2 },
        { CONFIG_STAGE_FINAL, 2 }
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config_force force = { .status = 0x0302, .stage = rows[i].stage };
        char text[1024];

        world_open(&world, NULL);
        assert_true(node_force(world.node, TARGET_OPEN, &force));
        peer_open(&world, PORTAL_A, &peer);
        peer_login(&peer, 0x81, text, peer_names(text, sizeof(text), TARGET_OPEN, "", 0));
        assert_true(peer_receive(&peer));
        assert_int_equal(peer.response.status, rows[i].refused == 1 ? 0x0302 : 0);
        if (rows[i].refused == 2) {
            peer_login(&peer, 0x87, "", 0);
            expect_refusal(0x0302);
        }
        world_close(&world);
    }
}

/* CHAP without T in its last request: security goes on until the initiator wants to leave it. */
static void test_end_of_security(void **state)
{
    static const struct { const char *text; size_t length; unsigned flags, status; } rows[] = {
        { "", 0, 0x81, 0 },
        { TEXT("X-key=1"), 0x81, 0 },
        { TEXT("AuthMethod=None"), 0x81, 0x0200 },
        { TEXT("CHAP_A=5"), 0x81, 0x0200 },
        { "", 0, 0x83, 0 }
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        world_open(&world, NULL);
        peer_open(&world, PORTAL_A, &peer);
        peer_chap_with(&peer, TARGET_CHAP, 5, PEER_USER, PEER_SECRET, NULL, 0x00);
        assert_int_equal(peer.response.status, 0);
        assert_false(peer.response.transit);
        peer_login(&peer, rows[i].flags, rows[i].text, rows[i].length);
        assert_true(peer_receive(&peer));
        if (peer.response.status != rows[i].status)
            fail_msg("row %zu: 0x%04x", i, (unsigned)peer.response.status);
        world_close(&world);
    }
}

/* Without random numbers there is no challenge, no connection and no node. */
static void test_no_random(void **state)
{
    (void)state;
    world_open(&world, NULL);
    peer_open(&world, PORTAL_A, &peer);
    world.random_fails = true;
    peer_chap(&peer, TARGET_CHAP, 5, PEER_USER, PEER_SECRET, NULL);
    assert_int_equal(peer.response.status, 0x0300);
    assert_null(conn_open(world.node, PORTAL_A, "peer", NULL));
    world_close(&world);
    world_init(&world);
    world.random_fails = true;
    world_start(&world);
    assert_null(world.node);
    world_close(&world);
}

/* What is out of range is refused, not followed. */
static void test_bad_indices(void **state)
{
    struct config_force force = { .status = 0x0302 };

    (void)state;
    world_open(&world, NULL);
    assert_null(conn_open(world.node, PORTAL_COUNT, "peer", NULL));
    assert_false(node_drain(world.node, PORTAL_COUNT));
    assert_false(node_remove(world.node, TARGET_COUNT));
    assert_false(node_fault(world.node, TARGET_COUNT));
    assert_false(node_force(world.node, TARGET_COUNT, &force));
    assert_null(node_transition_text(node_transition_count()));
    assert_int_equal(node_transition_hits(world.node, node_transition_count()), 0);
    assert_true(node_drain(world.node, NODE_ALL));
    assert_true(node_resume(world.node, NODE_ALL));
    world_close(&world);
}

/* A peer address of any length has room. */
static void test_long_peer(void **state)
{
    static char name[4096];

    (void)state;
    memset(name, '1', sizeof(name) - 1);
    world_open(&world, NULL);
    struct conn *conn = conn_open(world.node, PORTAL_A, name, name);

    assert_non_null(conn);
    conn_free(conn);
    world_close(&world);
}

/* ---- each allocation fails in turn ---- */

static bool keeps(void)
{
    return peer.conn != NULL && conn_action(peer.conn) == CONN_KEEP;
}

static void drain_output(void)
{
    while (peer.conn != NULL && peer_receive(&peer))
        ;
}

static void request(uint8_t opcode, unsigned flags, const uint8_t *cdb, uint32_t word20, const char *data, size_t length)
{
    uint8_t bhs[PDU_BHS_LEN];
    struct pdu_request pdu = { .opcode = opcode, .flags = (uint8_t)flags, .itt = 0x1000U + peer.cmd_sn,
                               .word20 = word20, .cmd_sn = peer.cmd_sn };

    if (!keeps())
        return;
    if (cdb != NULL)
        memcpy(pdu.tail, cdb, sizeof(pdu.tail));
    peer.cmd_sn++;
    pdu_request_encode(&pdu, bhs);
    peer_send(&peer, bhs, data, length);
}

static void live_login(void)
{
    peer_chap(&peer, TARGET_MUTUAL, 5, PEER_USER, PEER_SECRET, "0x0102030405060708");
    if (keeps())
        peer_login(&peer, 0x47, TEXT("MaxBurst"));
    if (keeps())
        peer_login(&peer, 0x87, TEXT("Length=4096\0MaxConnections=2\0X-vendor=1"));
    drain_output();
}

static void live_long_answer(void)
{
    const char *text;
    size_t length = many_keys(&text, 8192);

    peer_login(&peer, 0x87, text, length);
    for (unsigned i = 0; keeps() && peer_receive(&peer) && peer.response.cont; i++)
        peer_login(&peer, 0x87, "", 0);
}

static void live_disk(void)
{
    static const uint8_t write[16] = { 0x2a, 0, 0, 0, 0, 8, 0, 0, 2 }, read[16] = { 0x28, 0, 0, 0, 0, 8, 0, 0, 2 };
    static const char block[1024];

    if (!peer_login_whole(&peer, TARGET_OPEN, TEXT("InitialR2T=Yes")))
        return;
    request(PDU_SCSI_COMMAND, 0xa0, write, 1024, block, 1024);
    drain_output();
    request(PDU_SCSI_COMMAND, 0xa0, write, 1024, NULL, 0);      /* R2T, and no data: goes with the connection */
    request(PDU_SCSI_COMMAND, 0xc0, read, 1024, NULL, 0);
    drain_output();
}

static void live_discovery(void)
{
    static const char part[] = "SendTar", rest[] = "gets=All";

    if (!peer_login_whole(&peer, NODE_ALL, TEXT("MaxRecvDataSegmentLength=512")))
        return;
    request(PDU_TEXT_REQUEST, 0x80, NULL, PDU_NO_TAG, TEXT("SendTargets=All"));
    drain_output();
    request(PDU_TEXT_REQUEST, 0x40, NULL, PDU_NO_TAG, part, sizeof(part) - 1);
    drain_output();
    peer.cmd_sn--;              /* the same task */
    if (keeps()) {
        uint8_t bhs[PDU_BHS_LEN];
        struct pdu_request pdu = { .opcode = PDU_TEXT_REQUEST, .flags = PDU_FLAG_FINAL, .itt = 0x1000U + peer.cmd_sn,
                                   .word20 = 0x1000U + peer.cmd_sn, .cmd_sn = peer.cmd_sn + 1 };

        pdu_request_encode(&pdu, bhs);
        peer_send(&peer, bhs, rest, sizeof(rest));
    }
    drain_output();
}

/* Verbs, and two sessions of which the second takes the place of the first. */
static void live_verbs(void)
{
    char glob[] = "iqn.*";
    struct config_force force = { .status = 0x0302, .stage = CONFIG_STAGE_FINAL, .initiators = glob };
    struct peer other;

    (void)node_force(world.node, TARGET_OPEN, &force);
    (void)node_force(world.node, NODE_ALL, &force);
    (void)node_force(world.node, NODE_ALL, NULL);
    (void)node_force(world.node, TARGET_OPEN, NULL);
    if (!peer_login_whole(&peer, TARGET_OPEN, TEXT("MaxConnections=2")))
        return;
    peer_open(&world, PORTAL_A, &other);
    if (other.conn == NULL)
        return;
    memcpy(other.header.isid, peer.header.isid, sizeof(other.header.isid));
    (void)peer_login_whole(&other, TARGET_OPEN, "", 0);
    peer_close(&other);
}

static void live_refusal(void)
{
    (void)peer_login_whole(&peer, TARGET_TEMPORARY, "", 0);
    drain_output();
}

static void test_no_memory(void **state)
{
    static void (*const lives[])(void) = { live_login, live_long_answer, live_disk, live_discovery, live_verbs,
                                           live_refusal };

    (void)state;
    for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
        bool done = false;

        for (size_t fail = 1; !done && fail < 1000; fail++) {
            world_init(&world);
            world.fail_at = fail;
            world_start(&world);
            if (world.node != NULL) {
                peer_open(&world, PORTAL_A, &peer);
                if (peer.conn != NULL)
                    lives[i]();
                while (node_next_dirty(world.node) != NULL)
                    ;
                if (peer.conn != NULL)
                    peer_close(&peer);
                /* It goes on serving. */
                peer_open(&world, PORTAL_A, &peer);
                if (world.allocations >= fail && peer.conn != NULL) {
                    node_force(world.node, NODE_ALL, NULL);
                    node_force(world.node, TARGET_OPEN, NULL);
                    assert_true(peer_login_whole(&peer, TARGET_OPEN, "", 0));
                }
            }
            done = world.allocations < fail;
            world_close(&world);
        }
        assert_true(done);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pickup_refused),
        cmocka_unit_test(test_text_above_room),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_forced_stage),
        cmocka_unit_test(test_end_of_security),
        cmocka_unit_test(test_no_random),
        cmocka_unit_test(test_bad_indices),
        cmocka_unit_test(test_long_peer),
        cmocka_unit_test(test_no_memory)
    };

    return cmocka_run_group_tests_name("exchange", tests, NULL, NULL);
}
