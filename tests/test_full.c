/* Full feature phase apart from SCSI: pings, text negotiation, discovery, the command window, what is rejected. */
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
static struct pdu_response response;

static void start_with(size_t target, const char *extra, size_t length, const char *defect)
{
    world_open(&world, defect);
    peer_open(&world, PORTAL_A, &peer);
    assert_true(peer_login_whole(&peer, target, extra, length));
}

static void start(size_t target)
{
    start_with(target, "", 0, NULL);
}

/* One immediate request; true: an answer came, in response. */
static bool ask(uint8_t opcode, unsigned flags, uint32_t itt, uint32_t word20, const void *data, size_t length)
{
    uint8_t bhs[PDU_BHS_LEN];
    struct pdu_request request = {.opcode = opcode,
                                  .immediate = true,
                                  .flags = (uint8_t)flags,
                                  .itt = itt,
                                  .word20 = word20,
                                  .cmd_sn = peer.cmd_sn};

    pdu_request_encode(&request, bhs);
    peer_send(&peer, bhs, data, length);
    if (!peer_receive(&peer))
        return false;
    pdu_response_decode(&response, peer.bhs);
    return true;
}

static void expect_reject(unsigned reason)
{
    assert_int_equal(response.opcode, PDU_REJECT);
    assert_int_equal(response.byte2, reason);
    assert_int_equal(peer.length, PDU_BHS_LEN);
}

static void test_nop(void **state)
{
    static char data[4096];

    (void)state;
    start_with(TARGET_OPEN, TEXT("MaxRecvDataSegmentLength=1024"), NULL);
    assert_false(ask(PDU_NOP_OUT, 0x80, PDU_NO_TAG, PDU_NO_TAG, NULL, 0));
    assert_true(ask(PDU_NOP_OUT, 0x80, 7, PDU_NO_TAG, data, sizeof(data)));
    assert_int_equal(response.opcode, PDU_NOP_IN);
    assert_int_equal(peer.length, 1024);
    world_close(&world);
}

static void test_rejects(void **state)
{
    static const struct {
        uint8_t opcode;
        unsigned reason;
    } rows[] = {{PDU_SNACK_REQUEST, PDU_REJECT_SNACK},
                {PDU_LOGIN_REQUEST, PDU_REJECT_PROTOCOL_ERROR},
                {0x1c, PDU_REJECT_NOT_SUPPORTED},
                {PDU_SCSI_RESPONSE, PDU_REJECT_NOT_SUPPORTED}};

    (void)state;
    start(TARGET_OPEN);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(ask(rows[i].opcode, 0x80, 9, 0, NULL, 0));
        expect_reject(rows[i].reason);
    }
    assert_true(peer_alive(&peer));
    world_close(&world);
    /* a discovery session takes SendTargets and the logout */
    start(NODE_ALL);
    assert_true(ask(PDU_NOP_OUT, 0x80, 9, PDU_NO_TAG, NULL, 0));
    expect_reject(PDU_REJECT_PROTOCOL_ERROR);
    assert_true(ask(PDU_SCSI_COMMAND, 0x80, 9, 0, NULL, 0));
    expect_reject(PDU_REJECT_PROTOCOL_ERROR);
    assert_true(ask(PDU_TASK_MANAGEMENT_REQUEST, 0x81, 9, 0, NULL, 0));
    expect_reject(PDU_REJECT_PROTOCOL_ERROR);
    world_close(&world);
}

static void test_text_rejected(void **state)
{
    static const struct {
        const char *name;
        size_t target;
        unsigned flags;
        uint32_t itt, tag;
        const char *text;
        size_t length;
    } rows[] = {{"no pair", TARGET_OPEN, 0x80, 0x33, PDU_NO_TAG, TEXT("SendTargets")},
                {"no null", TARGET_OPEN, 0x80, 0x33, PDU_NO_TAG, "SendTargets=All", 15},
                {"C with F", TARGET_OPEN, 0xc0, 0x33, PDU_NO_TAG, TEXT("SendTargets=All")},
                {"the reserved tag", TARGET_OPEN, 0x80, PDU_NO_TAG, PDU_NO_TAG, TEXT("SendTargets=All")},
                {"a tag that was not given", TARGET_OPEN, 0x80, 0x33, 0x1234, TEXT("SendTargets=All")},
                {"two keys in discovery", NODE_ALL, 0x80, 0x33, PDU_NO_TAG, TEXT("SendTargets=All\0X-a=1")},
                {"another key in discovery", NODE_ALL, 0x80, 0x33, PDU_NO_TAG, TEXT("X-a=1")},
                {"SendTargets twice", NODE_ALL, 0x80, 0x33, PDU_NO_TAG, TEXT("SendTargets=All\0SendTargets=All")}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        start(rows[i].target);
        assert_true(ask(PDU_TEXT_REQUEST, rows[i].flags, rows[i].itt, rows[i].tag, rows[i].text, rows[i].length));
        if (response.opcode != PDU_REJECT)
            fail_msg("%s: opcode 0x%02x", rows[i].name, response.opcode);
        /* the next one is answered */
        assert_true(ask(PDU_TEXT_REQUEST, 0x80, 0x34, PDU_NO_TAG, TEXT("SendTargets=")));
        assert_int_equal(response.opcode, PDU_TEXT_RESPONSE);
        world_close(&world);
    }
}

/* Each key in a text request of a normal session. */
static void test_text_keys(void **state)
{
    static const struct {
        const char *offer;
        const char *key, *answer;
    } rows[] = {{"MaxRecvDataSegmentLength=4096", "MaxRecvDataSegmentLength", NULL},
                {"MaxRecvDataSegmentLength=511", "MaxRecvDataSegmentLength", "Reject"},
                {"MaxRecvDataSegmentLength=16777216", "MaxRecvDataSegmentLength", "Reject"},
                {"MaxRecvDataSegmentLength=x", "MaxRecvDataSegmentLength", "Reject"},
                {"InitiatorName=iqn.2024-01.a:b", "InitiatorName", "Reject"},
                {"AuthMethod=None", "AuthMethod", "Reject"},
                {"MaxConnections=2", "MaxConnections", "Reject"},
                {"InitiatorAlias=me", "InitiatorAlias", NULL},
                {"X-key=1", "X-key", "NotUnderstood"},
                {"SendTargets=All", "SendTargets", "Reject"},
                {"SendTargets=iqn.2024-01.org.example:chap", "SendTargets", "Reject"},
                {"SendTargets=iqn.2024-01.org.example:open", "TargetName", "iqn.2024-01.org.example:open"}};

    (void)state;
    start(TARGET_OPEN);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *answer;

        assert_true(ask(PDU_TEXT_REQUEST, 0x80, 0x40, PDU_NO_TAG, rows[i].offer, strlen(rows[i].offer) + 1));
        assert_int_equal(response.opcode, PDU_TEXT_RESPONSE);
        answer = peer_value(&peer, rows[i].key);
        if (rows[i].answer == NULL ? answer != NULL : answer == NULL || strcmp(answer, rows[i].answer) != 0)
            fail_msg("%s: %s", rows[i].offer, answer == NULL ? "no answer" : answer);
    }
    world_close(&world);
}

/* A request in parts, an answer in parts, and breaking off. */
static void test_text_parts(void **state)
{
    static char part[8000];

    (void)state;
    start_with(TARGET_OPEN, TEXT("MaxRecvDataSegmentLength=512"), NULL);
    assert_true(ask(PDU_TEXT_REQUEST, 0x40, 0, PDU_NO_TAG, "SendTar", 7));
    assert_int_equal(response.opcode, PDU_TEXT_RESPONSE);
    assert_int_equal(peer.length, 0);
    assert_int_not_equal(response.word20, PDU_NO_TAG);
    assert_true(ask(PDU_TEXT_REQUEST, 0x80, 1, response.word20, TEXT("gets="))); /* another task */
    expect_reject(PDU_REJECT_PROTOCOL_ERROR);
    /* a request that asks for more rounds gets them */
    assert_true(ask(PDU_TEXT_REQUEST, 0x00, 3, PDU_NO_TAG, TEXT("X-a=1")));
    assert_int_equal(response.flags, 0);
    assert_int_not_equal(response.word20, PDU_NO_TAG);
    assert_true(ask(PDU_TEXT_REQUEST, 0x80, 3, response.word20, TEXT("X-b=1")));
    assert_int_equal(response.flags, PDU_FLAG_FINAL);
    assert_true(peer_has(&peer, "X-b", "NotUnderstood"));
    /* text without end */
    memset(part, 'x', sizeof(part));
    unsigned sent = 0;
    uint32_t tag = PDU_NO_TAG;
    do {
        assert_true(ask(PDU_TEXT_REQUEST, 0x40, 5, tag, part, sizeof(part)));
        tag = response.word20;
    } while (response.opcode == PDU_TEXT_RESPONSE && ++sent < 100);
    expect_reject(PDU_REJECT_PROTOCOL_ERROR);
    assert_true(sent >= 2);
    assert_true(peer_alive(&peer));
    world_close(&world);
    /* an answer in parts */
    start_with(NODE_ALL, TEXT("MaxRecvDataSegmentLength=512"), NULL);
    assert_true(ask(PDU_TEXT_REQUEST, 0x80, 4, PDU_NO_TAG, TEXT("SendTargets=All")));
    assert_int_equal(response.flags, PDU_FLAG_CONTINUE);
    assert_int_equal(peer.length, 512);
    /* a new request ends the old one */
    assert_true(ask(PDU_TEXT_REQUEST, 0x80, 5, PDU_NO_TAG, TEXT("SendTargets=iqn.2024-01.org.example:open")));
    assert_int_equal(response.flags, PDU_FLAG_FINAL);
    world_close(&world);
}

/* Portals bound to every address are told as the one the initiator came to. */
static void test_wildcard_portals(void **state)
{
    static char any[] = "0.0.0.0", any6[] = "::", name[] = "0.0.0.0:3260", name6[] = "[::]:3261",
                name_too[] = "0.0.0.0:3999";
    static const struct {
        const char *local;
        bool six;
    } rows[] = {{"192.0.2.1:3260", false}, {"[2001:db8::1]:3261", true}, {NULL, false}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        world_init(&world);
        world.portals[PORTAL_A].host = any;
        world.portals[PORTAL_A].address = name;
        world.portals[PORTAL_B].host = any6;
        world.portals[PORTAL_B].address = name6;
        world.portals[PORTAL_LIMITED].host = any;
        world.portals[PORTAL_LIMITED].address = name_too;
        world.portals[PORTAL_OTHER_TAG].host = NULL;
        world.portals[PORTAL_OTHER_TAG].address = NULL;
        world_start(&world);
        peer_open(&world, rows[i].six ? PORTAL_B : PORTAL_A, &peer);
        conn_free(peer.conn);
        peer.conn = conn_open(world.node, rows[i].six ? PORTAL_B : PORTAL_A, "peer", rows[i].local);
        assert_true(peer_login_whole(&peer, NODE_ALL, "", 0));
        assert_true(ask(PDU_TEXT_REQUEST, 0x80, 4, PDU_NO_TAG, TEXT("SendTargets=iqn.2024-01.org.example:open")));
        char whole[sizeof(peer.data) + 1];
        for (size_t at = 0; at < peer.length; at++)
            whole[at] = peer.data[at] == 0 ? ' ' : (char)peer.data[at];
        whole[peer.length] = '\0';
        if (rows[i].local != NULL) {
            char expected[64];

            snprintf(expected, sizeof(expected), "TargetAddress=%s,1 ", rows[i].local);
            if (strstr(whole, expected) == NULL)
                fail_msg("no %sin: %s", expected, whole);
            assert_int_equal(strstr(whole, "TargetAddress=192.0.2.1:3999,1 ") != NULL, !rows[i].six);
            assert_null(strstr(whole, rows[i].six ? "=0.0.0.0:" : "=[::]:"));
        }
        world_close(&world);
    }
}

/* An ordered request. */
static void ordered(uint32_t cmd_sn)
{
    uint8_t bhs[PDU_BHS_LEN];
    struct pdu_request nop = {
        .opcode = PDU_NOP_OUT, .flags = PDU_FLAG_FINAL, .itt = cmd_sn, .word20 = PDU_NO_TAG, .cmd_sn = cmd_sn};

    pdu_request_encode(&nop, bhs);
    peer_send(&peer, bhs, NULL, 0);
}

static void test_command_window(void **state)
{
    (void)state;
    start(TARGET_OPEN);
    ordered(peer.cmd_sn - 1);      /* an old one */
    ordered(peer.cmd_sn + 100000); /* far ahead */
    assert_false(peer_receive(&peer));
    assert_non_null(strstr(world.log, "window"));
    ordered(peer.cmd_sn);
    assert_true(peer_receive(&peer));
    /* one that waits for another that never comes */
    ordered(peer.cmd_sn + 5);
    assert_false(peer_receive(&peer));
    assert_true(conn_deadline(peer.conn) != NODE_NO_DEADLINE);
    world.now = conn_deadline(peer.conn);
    conn_tick(peer.conn);
    assert_int_equal(conn_action(peer.conn), CONN_CLOSE);
    assert_int_equal(conn_deadline(peer.conn), NODE_NO_DEADLINE);
    conn_tick(peer.conn);
    conn_eof(peer.conn);
    world_close(&world);
}

/* A peer that asks and does not read: output is held back, then input. */
static void test_peer_that_does_not_read(void **state)
{
    static const uint8_t read[16] = {0x28, 0, 0, 0, 0, 8, 0, 0, 128};
    uint8_t bhs[PDU_BHS_LEN];
    const uint8_t *bytes;
    unsigned sent = 0;

    (void)state;
    start(TARGET_OPEN);
    while (conn_wants_input(peer.conn) && sent < 10000) {
        struct pdu_request request = {.opcode = PDU_SCSI_COMMAND,
                                      .immediate = true,
                                      .flags = 0xc0,
                                      .itt = sent++,
                                      .word20 = 65536,
                                      .cmd_sn = peer.cmd_sn};

        memcpy(request.tail, read, sizeof(read));
        pdu_request_encode(&request, bhs);
        peer_send(&peer, bhs, NULL, 0);
    }
    assert_true(sent < 10000);
    /* It goes on pushing all the same. */
    for (unsigned i = 0; i < 10000 && conn_action(peer.conn) == CONN_KEEP; i++)
        conn_input(peer.conn, bhs, sizeof(bhs));
    size_t length = conn_output(peer.conn, &bytes);
    assert_true(length < (64 << 20));
    while (conn_action(peer.conn) != CONN_RESET && (length = conn_output(peer.conn, &bytes)) > 0)
        conn_output_consumed(peer.conn, length);
    assert_true(conn_action(peer.conn) != CONN_KEEP || conn_wants_input(peer.conn));
    world_close(&world);
}

/* Draining tells the sessions; a discovery session cannot be told. */
static void test_drain_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        start(i == 0 ? TARGET_OPEN : NODE_ALL);
        node_request_logout(world.node);
        assert_int_equal(peer_receive(&peer), i == 0);
        if (i == 0)
            assert_int_equal(pdu_opcode(peer.bhs), PDU_ASYNC_MESSAGE);
        world_close(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nop),
                                       cmocka_unit_test(test_rejects),
                                       cmocka_unit_test(test_text_rejected),
                                       cmocka_unit_test(test_text_keys),
                                       cmocka_unit_test(test_text_parts),
                                       cmocka_unit_test(test_wildcard_portals),
                                       cmocka_unit_test(test_command_window),
                                       cmocka_unit_test(test_peer_that_does_not_read),
                                       cmocka_unit_test(test_drain_message)};

    return cmocka_run_group_tests_name("full", tests, NULL, NULL);
}
