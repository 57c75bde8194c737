/* CHAP one way and mutual: what gets in, what does not, and in which step. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "engine_peer.h"
#include "wire/chap.h"
#include "wire/text.h"

#define NAMES(target) "InitiatorName=" PEER_INITIATOR "\0" "TargetName=iqn.2024-01.org.example:" target "\0"

static struct world world;
static struct peer peer;

static void finish(void)
{
    peer_login(&peer, 0x87, "", 0);
    assert_true(peer_receive(&peer));
    assert_int_equal(peer.bhs[1], 0x87);
    assert_int_equal(peer.response.status, 0);
}

static void test_right(void **state)
{
    (void)state;
    for (unsigned algorithm = 5; algorithm <= 8; algorithm++) {
        world_open(&world, NULL);
        peer_open(&world, PORTAL_A, &peer);
        peer_chap(&peer, TARGET_CHAP, algorithm, PEER_USER, PEER_SECRET, NULL);
        assert_int_equal(peer.response.status, 0);
        assert_int_equal(peer.bhs[1], 0x81);
        assert_int_equal(peer.length, 0);
        finish();
        world_close(&world);
    }
}

static void test_wrong(void **state)
{
    static const struct { const char *user, *secret; } rows[] = {
        { PEER_USER, "secret-of-one-13" }, { PEER_USER "x", PEER_SECRET }, { "user", PEER_SECRET }, { PEER_USER, "" }
    };

    (void)state;
    world_open(&world, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        peer_open(&world, PORTAL_A, &peer);
        peer_chap(&peer, TARGET_CHAP, 5, rows[i].user, rows[i].secret, NULL);
        assert_int_equal(peer.response.status, 0x0201);
        assert_int_equal(conn_action(peer.conn), CONN_CLOSE);
    }
    peer_open(&world, PORTAL_A, &peer);
    peer_chap(&peer, TARGET_CHAP, 200, PEER_USER, PEER_SECRET, NULL);
    assert_int_equal(peer.response.status, 0x0201);
    world_close(&world);
}

static void test_mutual(void **state)
{
    static const uint8_t challenge[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    uint8_t expected[CHAP_MAX_HASH_LEN], received[CHAP_MAX_HASH_LEN];
    size_t expected_length, received_length;

    (void)state;
    for (unsigned algorithm = 5; algorithm <= 8; algorithm++) {
        world_open(&world, NULL);
        peer_open(&world, PORTAL_A, &peer);
        peer_chap(&peer, TARGET_MUTUAL, algorithm, PEER_USER, PEER_SECRET,
                  algorithm == 5 ? "0b" "AQIDBAUGBwg=" : "0x0102030405060708");
        assert_int_equal(peer.response.status, 0);
        assert_true(peer_has(&peer, "CHAP_N", PEER_TARGET_USER));
        const char *value = peer_value(&peer, "CHAP_R");
        assert_non_null(value);
        chap_response(chap_algorithm_find(algorithm), 7, PEER_TARGET_SECRET, strlen(PEER_TARGET_SECRET), challenge,
                      sizeof(challenge), expected, sizeof(expected), &expected_length);
        assert_int_equal(text_decode_binary(value, strlen(value), received, sizeof(received), &received_length), 0);
        assert_int_equal(received_length, expected_length);
        assert_memory_equal(received, expected, expected_length);
        finish();
        world_close(&world);
    }
}

static void test_mutual_refused(void **state)
{
    (void)state;
    world_open(&world, NULL);
    peer_open(&world, PORTAL_A, &peer);
    peer_chap(&peer, TARGET_CHAP, 5, PEER_USER, PEER_SECRET, "0x0102");
    assert_int_equal(peer.response.status, 0x0201);
    assert_int_equal(peer.length, 0);
    peer_open(&world, PORTAL_A, &peer);
    peer_chap(&peer, TARGET_SAME_SECRET, 5, PEER_USER, PEER_SECRET, "0x0102");
    assert_int_equal(peer.response.status, 0x0201);
    peer_open(&world, PORTAL_A, &peer);
    peer_chap(&peer, TARGET_MUTUAL, 5, PEER_USER, "wrong-secret-000", "0x0102");
    assert_int_equal(peer.response.status, 0x0201);
    peer_open(&world, PORTAL_A, &peer);
    peer_chap(&peer, TARGET_MUTUAL, 5, PEER_USER, PEER_SECRET, "0x");
    assert_int_equal(peer.response.status, 0x0200);
    world_close(&world);
}

/* The keys of a step, after `before` requests that are right. */
static void test_steps(void **state)
{
    static const struct { unsigned before; const char *text; size_t length; unsigned status; } rows[] = {
        { 0, TEXT(NAMES("chap") "AuthMethod=CHAP\0CHAP_A=5"), 0x0200 },
        { 1, "", 0, 0x0207 },
        { 1, TEXT("CHAP_N=user-one\0CHAP_R=0x00"), 0x0207 },
        { 1, TEXT("CHAP_A=5\0CHAP_N=user-one"), 0x0200 },
        { 1, TEXT("AuthMethod=CHAP\0CHAP_A=5"), 0x0200 },
        { 1, TEXT("CHAP_A=200"), 0x0201 },
        { 1, TEXT("CHAP_A="), 0x0201 },
        { 2, TEXT("CHAP_A=5"), 0x0200 },
        { 2, TEXT("CHAP_N=user-one"), 0x0207 },
        { 2, TEXT("CHAP_R=0x00112233445566778899aabbccddeeff"), 0x0207 },
        { 2, TEXT("CHAP_N=user-one\0CHAP_R=12345"), 0x0200 },
        { 2, TEXT("CHAP_N=user-one\0CHAP_R=0x"), 0x0200 },
        { 2, TEXT("CHAP_N=user-one\0CHAP_R=0x00112233445566778899aabbccddee"), 0x0201 },
        { 2, TEXT("CHAP_N=user-one\0CHAP_R=0x00\0CHAP_I=1"), 0x0207 },
        { 2, TEXT("CHAP_N=user-one\0CHAP_R=0x00\0MaxBurstLength=512"), 0x0201 }
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        world_open(&world, NULL);
        peer_open(&world, PORTAL_A, &peer);
        if (rows[i].before > 0) {
            peer_login(&peer, 0x81, TEXT(NAMES("chap") "AuthMethod=CHAP"));
            assert_true(peer_receive(&peer));
            assert_int_equal(peer.bhs[1], 0);
            assert_true(peer_has(&peer, "AuthMethod", "CHAP"));
        }
        if (rows[i].before > 1) {
            peer_login(&peer, 0x00, TEXT("CHAP_A=200,5"));
            assert_true(peer_receive(&peer));
            assert_true(peer_has(&peer, "CHAP_A", "5"));
            assert_true(peer_has(&peer, "CHAP_C", NULL));
        }
        peer_login(&peer, 0x01, rows[i].text, rows[i].length);
        assert_true(peer_receive(&peer));
        if (peer.response.status != rows[i].status)
            fail_msg("row %zu: 0x%04x, not 0x%04x", i, (unsigned)peer.response.status, rows[i].status);
        world_close(&world);
    }
}

static void test_jump_after_method(void **state)
{
    (void)state;
    world_open(&world, NULL);
    peer_open(&world, PORTAL_A, &peer);
    peer_login(&peer, 0x81, TEXT(NAMES("chap") "AuthMethod=CHAP"));
    assert_true(peer_receive(&peer));
    peer_login(&peer, 0x87, "", 0);
    assert_true(peer_receive(&peer));
    assert_int_equal(peer.response.status, 0x0201);
    world_close(&world);
}

static void test_challenges_differ(void **state)
{
    char before[2100] = "";

    (void)state;
    world_open(&world, NULL);
    for (int i = 0; i < 50; i++) {
        peer_open(&world, PORTAL_A, &peer);
        peer_login(&peer, 0x81, TEXT(NAMES("chap") "AuthMethod=CHAP"));
        assert_true(peer_receive(&peer));
        peer_login(&peer, 0x00, TEXT("CHAP_A=5"));
        assert_true(peer_receive(&peer));
        const char *value = peer_value(&peer, "CHAP_C");
        assert_non_null(value);
        assert_string_not_equal(value, before);
        snprintf(before, sizeof(before), "%s", value);
    }
    world_close(&world);
}

static void test_discovery_credentials(void **state)
{
    (void)state;
    world_init(&world);
    world.config.discovery = world.targets[TARGET_CHAP].auth;
    world_start(&world);
    peer_open(&world, PORTAL_A, &peer);
    assert_false(peer_login_whole(&peer, NODE_ALL, "", 0));
    assert_int_equal(peer.response.status, 0x0201);
    peer_open(&world, PORTAL_A, &peer);
    peer_chap(&peer, NODE_ALL, 5, PEER_USER, PEER_SECRET, NULL);
    assert_int_equal(peer.response.status, 0);
    finish();
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_mutual),
        cmocka_unit_test(test_mutual_refused),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_jump_after_method),
        cmocka_unit_test(test_challenges_differ),
        cmocka_unit_test(test_discovery_credentials)
    };

    return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
