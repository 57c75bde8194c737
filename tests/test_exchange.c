/* Whole scripted exchanges with the engine: what tests of a single PDU do not reach. */
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

static void expect_refusal(unsigned status)
{
    assert_true(peer_receive(&peer));
    assert_int_equal(peer.response.status, status);
    assert_int_equal(conn_action(peer.conn), CONN_CLOSE);
}

/* An answer that fills more than one PDU is fetched by empty requests only. */
static void test_pickup_refused(void **state)
{
    static const struct {
        unsigned flags;
        const char *text;
        size_t length;
    } rows[] = {{0x44, TEXT("X-more=1")}, /* C */
                {0x87, TEXT("X-more=1")}, /* keys */
                {0x44, "", 0},            /* C without keys */
                {0x81, "", 0},            /* another stage */
                {0x00, "", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *text;
        size_t length = peer_many_keys(&text, 8192);

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
    static const struct {
        enum config_stage stage;
        unsigned refused;
    } rows[] = {
        {CONFIG_STAGE_FIRST, 1}, {CONFIG_STAGE_SECURITY, 1}, {CONFIG_STAGE_OPERATIONAL, 2}, {CONFIG_STAGE_FINAL, 2}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config_force force = {.status = 0x0302, .stage = rows[i].stage};
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

/* A redirect that has no other address tells the one that the initiator came to: a TargetAddress there must be. */
static void test_forced_redirect(void **state)
{
    (void)state;
    for (unsigned status = 0x0101; status <= 0x0102; status++) {
        struct config_force force = {.status = (uint16_t)status};

        world_open(&world, NULL);
        assert_true(node_force(world.node, NODE_ALL, &force));
        peer_open(&world, PORTAL_A, &peer);
        assert_false(peer_login_whole(&peer, TARGET_OPEN, "", 0));
        assert_int_equal(peer.response.status, status);
        assert_true(peer_has(&peer, "TargetAddress", "127.0.0.1:3260"));
        world_close(&world);
    }
}

/* CHAP without T in its last request: security goes on until the initiator wants to leave it. */
static void test_end_of_security(void **state)
{
    static const struct {
        const char *text;
        size_t length;
        unsigned flags, status;
    } rows[] = {{"", 0, 0x81, 0},
                {TEXT("X-key=1"), 0x81, 0},
                {TEXT("AuthMethod=None"), 0x81, 0x0200},
                {TEXT("CHAP_A=5"), 0x81, 0x0200},
                {TEXT("SRP_U=me"), 0x81, 0x0200},
                {"", 0, 0x83, 0}};

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

/* What one first request comes to; X- keys, RDMA keys, aliases, words that are no values. */
static void test_first_requests(void **state)
{
    static const struct {
        const char *name;
        size_t portal, target;
        unsigned flags;
        const char *extra;
        size_t length;
        unsigned status;
        const char *key, *value; /* in the answer */
    } rows[] = {
        {"unknown key twice", PORTAL_A, TARGET_OPEN, 0x87, TEXT("X-a=1\0X-a=2"), 0x0200, NULL, NULL},
        {"unknown keys", PORTAL_A, TARGET_OPEN, 0x87, TEXT("X-a=1\0X-b=2"), 0, "X-b", "NotUnderstood"},
        {"key of the target", PORTAL_A, TARGET_OPEN, 0x87, TEXT("TargetAlias=me"), 0x0200, NULL, NULL},
        {"tag of the target", PORTAL_A, TARGET_OPEN, 0x87, TEXT("TargetPortalGroupTag=1"), 0x0200, NULL, NULL},
        {"iSER key", PORTAL_A, TARGET_OPEN, 0x87, TEXT("InitiatorRecvDataSegmentLength=4096"), 0,
         "InitiatorRecvDataSegmentLength", "Irrelevant"},
        {"alias", PORTAL_A, TARGET_SINGLE, 0x87, "", 0, 0, "TargetAlias", "one of a kind"},
        {"no alias", PORTAL_A, TARGET_OPEN, 0x87, "", 0, 0, "TargetAlias", NULL},
        {"reserved word as a method", PORTAL_A, TARGET_CHAP, 0x81, TEXT("AuthMethod=Reject"), 0x0200, NULL, NULL},
        {"no method in common", PORTAL_A, TARGET_CHAP, 0x81, TEXT("AuthMethod=SRP,KRB5"), 0x0201, NULL, NULL},
        {"allowed initiator", PORTAL_A, TARGET_DENIED, 0x87, "", 0, 0x0202, NULL, NULL},
        {"moved to the portal that it comes to", PORTAL_B, TARGET_TEMPORARY, 0x87, "", 0, 0, NULL, NULL},
        {"reserved word", PORTAL_A, TARGET_OPEN, 0x87, TEXT("MaxBurstLength=Irrelevant"), 0x0200, NULL, NULL},
        {"number that is none", PORTAL_A, TARGET_OPEN, 0x87, TEXT("MaxBurstLength=many\0FirstBurstLength=512"), 0,
         "MaxBurstLength", "Reject"},
        {"receive length that is none", PORTAL_A, TARGET_OPEN, 0x87, TEXT("MaxRecvDataSegmentLength=many"), 0x0200,
         NULL, NULL},
        {"receive length below", PORTAL_A, TARGET_OPEN, 0x87, TEXT("MaxRecvDataSegmentLength=511"), 0x0200, NULL,
         NULL}};
    static char alias[] = "one of a kind";

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[4096];

        world_init(&world);
        world.targets[TARGET_SINGLE].alias = alias;
        world_start(&world);
        peer_open(&world, rows[i].portal, &peer);
        peer_login(&peer, rows[i].flags, text,
                   peer_names(text, sizeof(text), rows[i].target, rows[i].extra, rows[i].length));
        assert_true(peer_receive(&peer));
        if (peer.response.status != rows[i].status ||
            (rows[i].key != NULL && (rows[i].value == NULL ? peer_has(&peer, rows[i].key, NULL)
                                                           : !peer_has(&peer, rows[i].key, rows[i].value))))
            fail_msg("%s: status 0x%04x, %s", rows[i].name, (unsigned)peer.response.status,
                     rows[i].key != NULL && peer_has(&peer, rows[i].key, NULL) ? peer_value(&peer, rows[i].key) : "-");
        world_close(&world);
    }
}

/* Whoever is on the list of the target may come, named by it whole. */
static void test_allowed(void **state)
{
    static char name[] = PEER_INITIATOR;
    static char *allow[] = {name};

    (void)state;
    world_init(&world);
    world.targets[TARGET_DENIED].allow = allow;
    world_start(&world);
    peer_open(&world, PORTAL_A, &peer);
    assert_true(peer_login_whole(&peer, TARGET_DENIED, "", 0));
    world_close(&world);
}

/* What stands in the third step of CHAP beside the secret's proof. */
static void test_chap_values(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        size_t length;
    } rows[] = {
        {"identifier above a byte", TEXT("CHAP_N=user-one\0CHAP_R=0x00112233445566778899aabbccddeeff\0CHAP_I=256\0"
                                         "CHAP_C=0x0102")},
        {"identifier that is none", TEXT("CHAP_N=user-one\0CHAP_R=0x00112233445566778899aabbccddeeff\0CHAP_I=x\0"
                                         "CHAP_C=0x0102")},
        {"challenge without identifier", TEXT("CHAP_N=user-one\0CHAP_R=0x00112233445566778899aabbccddeeff\0"
                                              "CHAP_C=0x0102")},
        {"key of another step", TEXT("CHAP_N=user-one\0CHAP_R=0x00112233445566778899aabbccddeeff\0SRP_U=me")},
        {"response that is no number", TEXT("CHAP_N=user-one\0CHAP_R=response")},
        {"response of no length", TEXT("CHAP_N=user-one\0CHAP_R=0x")},
        {"no response", TEXT("CHAP_N=user-one")},
        {"no name", TEXT("CHAP_R=0x00112233445566778899aabbccddeeff")}};
    char text[4096], long_name[600];

    (void)state;
    for (size_t i = 0; i <= sizeof(rows) / sizeof(rows[0]); i++) {
        bool table = i < sizeof(rows) / sizeof(rows[0]);
        size_t length;

        world_open(&world, NULL);
        peer_open(&world, PORTAL_A, &peer);
        length = peer_names(text, sizeof(text), TARGET_MUTUAL, TEXT("AuthMethod=CHAP"));
        peer_login(&peer, 0x81, text, length);
        assert_true(peer_receive(&peer));
        peer_login(&peer, 0x00, TEXT("CHAP_A=5"));
        assert_true(peer_receive(&peer));
        memset(long_name, 'n', sizeof(long_name));
        memcpy(long_name, "CHAP_N=", 7);
        length =
            (size_t)snprintf(text, sizeof(text), "%.500s%cCHAP_R=0x00112233445566778899aabbccddeeff", long_name, 0) + 1;
        peer_login(&peer, 0x81, table ? rows[i].text : text, table ? rows[i].length : length);
        assert_true(peer_receive(&peer));
        if (peer.response.status >> 8 != 2)
            fail_msg("%s: status 0x%04x", table ? rows[i].name : "long name", (unsigned)peer.response.status);
        assert_int_equal(conn_action(peer.conn), CONN_CLOSE);
        world_close(&world);
    }
}

/* The session that a login is to join, or the room for it, is gone when it gets to its end. */
static void test_change_meanwhile(void **state)
{
    struct peer first, third;
    char text[1024];

    (void)state;
    for (unsigned what = 0; what < 3; what++) {
        size_t portal = what == 2 ? PORTAL_LIMITED : PORTAL_A;

        world_open(&world, NULL);
        peer_open(&world, PORTAL_A, &first);
        assert_true(peer_login_whole(&first, TARGET_OPEN, TEXT("MaxConnections=2\0DefaultTime2Retain=0")));
        peer_open(&world, portal, &peer);
        if (what < 2) {
            memcpy(peer.header.isid, first.header.isid, sizeof(peer.header.isid));
            peer.header.tsih = first.header.tsih;
            peer.header.cid = 99;
        }
        peer_login(&peer, 0x04, text, peer_names(text, sizeof(text), TARGET_OPEN, "", 0));
        assert_true(peer_receive(&peer));
        assert_int_equal(peer.response.status, 0);
        if (what == 0) { /* the session ends */
            peer_close(&first);
        } else if (what == 1) { /* it fills up */
            peer_open(&world, PORTAL_A, &third);
            memcpy(third.header.isid, first.header.isid, sizeof(third.header.isid));
            third.header.tsih = first.header.tsih;
            third.header.cid = 55;
            assert_true(peer_login_whole(&third, TARGET_OPEN, "", 0));
        } else { /* another takes the portal's last place */
            peer_open(&world, PORTAL_LIMITED, &third);
            assert_true(peer_login_whole(&third, TARGET_OPEN, "", 0));
        }
        peer_login(&peer, 0x87, "", 0);
        expect_refusal(what == 0 ? 0x020a : what == 1 ? 0x0206 : 0x0302);
        world_close(&world);
    }
}

/* Sessions that wait without a connection end each in its time. */
static void test_lost_one_by_one(void **state)
{
    enum { COUNT = 5 };
    uint64_t last = 0;

    (void)state;
    world_open(&world, NULL);
    for (unsigned i = 0; i < COUNT; i++) {
        char text[64];
        size_t length = (size_t)snprintf(text, sizeof(text), "DefaultTime2Retain=%u", 2 + 3 * i) + 1;

        peer_open(&world, PORTAL_A, &peer);
        assert_true(peer_login_whole(&peer, TARGET_OPEN, text, length));
        peer_close(&peer);
    }
    for (size_t left = COUNT; left > 0; left--) {
        assert_int_equal(node_count_sessions(world.node), left);
        assert_true(node_deadline(world.node) > last);
        last = world.now = node_deadline(world.node);
        node_tick(world.node);
        node_tick(world.node);
    }
    assert_int_equal(node_count_sessions(world.node), 0);
    assert_true(node_deadline(world.node) == NODE_NO_DEADLINE);
    /* removed while it waits */
    peer_open(&world, PORTAL_A, &peer);
    assert_true(peer_login_whole(&peer, TARGET_OPEN, "", 0));
    peer_close(&peer);
    assert_int_equal(node_count_sessions(world.node), 1);
    assert_true(node_remove(world.node, TARGET_OPEN));
    assert_int_equal(node_count_sessions(world.node), 0);
    world_close(&world);
}

/* More sessions than the table has places for. */
static void test_many_sessions(void **state)
{
    enum { COUNT = 3000 };
    static struct peer peers[2];

    (void)state;
    world_open(&world, NULL);
    for (unsigned i = 0; i < COUNT; i++) {
        peer_open(&world, PORTAL_A, &peer);
        assert_true(peer_login_whole(&peer, TARGET_OPEN, "", 0));
        if (i == 1 || i == COUNT / 2)
            peers[i != 1] = peer;
    }
    assert_int_equal(node_count_sessions(world.node), COUNT);
    assert_true(peer_alive(&peers[0]));
    assert_true(peer_alive(&peers[1]));
    assert_true(node_remove(world.node, TARGET_OPEN));
    assert_int_equal(node_count_sessions(world.node), 0);
    world_close(&world);
}

/* A glob may end in stars. */
static void test_glob_ends(void **state)
{
    static char globs[][40] = {"iqn.2024-01.org.example:initiator**", "*initiato?", "*:*:*", "iqn.?", "**"};
    static const bool fits[] = {true, true, false, false, true};

    (void)state;
    for (size_t i = 0; i < sizeof(fits) / sizeof(fits[0]); i++) {
        struct config_force force = {.status = 0x0302, .stage = CONFIG_STAGE_FIRST, .initiators = globs[i]};

        world_open(&world, NULL);
        assert_true(node_force(world.node, NODE_ALL, &force));
        peer_open(&world, PORTAL_A, &peer);
        if (peer_login_whole(&peer, TARGET_OPEN, "", 0) == fits[i])
            fail_msg("%s: 0x%04x", globs[i], (unsigned)peer.response.status);
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
    struct config_force force = {.status = 0x0302};

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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pickup_refused),  cmocka_unit_test(test_text_above_room),
                                       cmocka_unit_test(test_long_names),      cmocka_unit_test(test_forced_stage),
                                       cmocka_unit_test(test_forced_redirect), cmocka_unit_test(test_end_of_security),
                                       cmocka_unit_test(test_first_requests),  cmocka_unit_test(test_allowed),
                                       cmocka_unit_test(test_chap_values),     cmocka_unit_test(test_change_meanwhile),
                                       cmocka_unit_test(test_lost_one_by_one), cmocka_unit_test(test_many_sessions),
                                       cmocka_unit_test(test_glob_ends),       cmocka_unit_test(test_no_random),
                                       cmocka_unit_test(test_bad_indices),     cmocka_unit_test(test_long_peer)};

    return cmocka_run_group_tests_name("exchange", tests, NULL, NULL);
}
