/* What the engine answers to the keys of the operational stage. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "engine_peer.h"
#include "wire/digest.h"

static struct world world;
static struct peer peer;

struct row {
    const char *offer;      /* without its null */
    const char *answer;     /* value; NULL: the key is not answered */
};

static const struct row normal[] = {
    { "MaxBurstLength=65536", "65536" }, { "MaxBurstLength=16777215", "262144" }, { "MaxBurstLength=0x10000", "65536" },
    { "MaxBurstLength=0X1aBcD", "109517" }, { "MaxBurstLength=065536", "Reject" }, { "MaxBurstLength=511", "Reject" },
    { "MaxBurstLength=16777216", "Reject" }, { "MaxBurstLength=-1", "Reject" }, { "MaxBurstLength=", "Reject" },
    { "MaxBurstLength=4096~65536", "Reject" }, { "MaxBurstLength=18446744073709617152", "Reject" },
    { "MaxBurstLength=4294967808", "Reject" }, { "FirstBurstLength=8192", "8192" },
    { "FirstBurstLength=16777215", "65536" }, { "FirstBurstLength=511", "Reject" },
    { "DefaultTime2Wait=0", "2" }, { "DefaultTime2Wait=3600", "3600" }, { "DefaultTime2Wait=3601", "Reject" },
    { "DefaultTime2Retain=0", "0" }, { "DefaultTime2Retain=3600", "20" }, { "MaxOutstandingR2T=0", "Reject" },
    { "MaxOutstandingR2T=65535", "1" }, { "MaxConnections=1", "1" }, { "MaxConnections=65535", "4" },
    { "ErrorRecoveryLevel=2", "0" }, { "ErrorRecoveryLevel=3", "Reject" }, { "InitialR2T=No", "No" },
    { "InitialR2T=Yes", "Yes" }, { "InitialR2T=1", "Reject" }, { "ImmediateData=Yes", "Yes" },
    { "ImmediateData=No", "No" }, { "ImmediateData=yes", "Reject" }, { "DataPDUInOrder=No", "Yes" },
    { "DataSequenceInOrder=Yes", "Yes" }, { "HeaderDigest=CRC32C,None", "CRC32C" },
    { "HeaderDigest=None,CRC32C", "None" }, { "HeaderDigest=Y-x,None", "None" }, { "HeaderDigest=Y-x", "Reject" },
    { "DataDigest=CRC32C", "CRC32C" }, { "HeaderDigest=", "Reject" }, { "IFMarker=No", "Reject" },
    { "OFMarkInt=2048~8192", "Reject" }, { "TaskReporting=RFC3720,FastAbort", "RFC3720" },
    { "iSCSIProtocolLevel=2", "1" }, { "RDMAExtensions=Yes", "No" }, { "X-com.example.k=v", "NotUnderstood" },
    { "FooBarBaz=17", "NotUnderstood" }, { "X-com.example.empty=", "NotUnderstood" },
    { "HEADERDIGEST=None", "NotUnderstood" }, { "InitiatorAlias=a=b=c", NULL }, { "X#NodeArchitecture=a/1", NULL },
    { "MaxRecvDataSegmentLength=512", "262144" }
};

static const struct row discovery[] = {
    { "MaxConnections=4", "Irrelevant" }, { "InitialR2T=No", "Irrelevant" }, { "MaxBurstLength=65536", "Irrelevant" },
    { "FirstBurstLength=8192", "Irrelevant" }, { "DefaultTime2Wait=5", "5" }, { "ErrorRecoveryLevel=2", "0" },
    { "HeaderDigest=CRC32C,None", "CRC32C" }, { "X-com.example.k=v", "NotUnderstood" }
};

static void check(const struct row *row, size_t target)
{
    char key[128];
    const char *equals = strchr(row->offer, '=');

    snprintf(key, sizeof(key), "%.*s", (int)(equals - row->offer), row->offer);
    world_open(&world, NULL);
    peer_open(&world, PORTAL_A, &peer);
    assert_true(peer_login_whole(&peer, target, row->offer, strlen(row->offer) + 1));
    const char *value = peer_value(&peer, key);

    if (row->answer == NULL)
        assert_null(value);
    else if (value == NULL)
        fail_msg("%s: no answer", row->offer);
    else if (strcmp(value, row->answer) != 0)
        fail_msg("%s: answered %s, not %s", row->offer, value, row->answer);
    world_close(&world);
}

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(normal) / sizeof(normal[0]); i++)
        check(&normal[i], TARGET_OPEN);
    for (size_t i = 0; i < sizeof(discovery) / sizeof(discovery[0]); i++)
        check(&discovery[i], NODE_ALL);
}

static void test_first_burst_follows_max_burst(void **state)
{
    (void)state;
    world_open(&world, NULL);
    peer_open(&world, PORTAL_A, &peer);
    assert_true(peer_login_whole(&peer, TARGET_OPEN, TEXT("FirstBurstLength=262144\0MaxBurstLength=32768")));
    assert_true(peer_has(&peer, "FirstBurstLength", "32768"));
    /* MaxBurstLength below the default of FirstBurstLength: the target proposes one */
    peer_open(&world, PORTAL_A, &peer);
    assert_false(peer_login_whole(&peer, TARGET_OPEN, TEXT("MaxBurstLength=4096")));
    assert_int_equal(peer.bhs[1], 0x04);
    assert_true(peer_has(&peer, "FirstBurstLength", "4096"));
    peer_login(&peer, 0x87, TEXT("FirstBurstLength=2048"));
    assert_true(peer_receive(&peer));
    assert_int_equal(peer.bhs[1], 0x87);
    assert_int_equal(peer.length, 0);
    /* an answer above the proposal, and no answer at all */
    static const char *const bad[] = { "FirstBurstLength=8192", "FirstBurstLength=x" };
    for (size_t i = 0; i < 2; i++) {
        peer_open(&world, PORTAL_A, &peer);
        assert_false(peer_login_whole(&peer, TARGET_OPEN, TEXT("MaxBurstLength=4096")));
        peer_login(&peer, 0x87, bad[i], strlen(bad[i]) + 1);
        assert_true(peer_receive(&peer));
        assert_int_equal(peer.response.status, 0x0200);
    }
    peer_open(&world, PORTAL_A, &peer);
    assert_false(peer_login_whole(&peer, TARGET_OPEN, TEXT("MaxBurstLength=4096")));
    peer_login(&peer, 0x87, "", 0);
    assert_true(peer_receive(&peer));
    assert_int_equal(peer.bhs[1], 0x04);
    peer_login(&peer, 0x87, "", 0);
    assert_true(peer_receive(&peer));
    assert_int_equal(peer.response.status, 0x0200);
    /* irrelevant without unsolicited data */
    peer_open(&world, PORTAL_A, &peer);
    assert_true(peer_login_whole(&peer, TARGET_OPEN, TEXT("MaxBurstLength=4096\0InitialR2T=Yes\0ImmediateData=No")));
    world_close(&world);
}

static void test_later_requests(void **state)
{
    char text[4096];

    (void)state;
    world_open(&world, NULL);
    peer_open(&world, PORTAL_A, &peer);
    peer_login(&peer, 0x04, text, peer_names(text, sizeof(text), TARGET_OPEN, TEXT("ErrorRecoveryLevel=0")));
    assert_true(peer_receive(&peer));
    peer_login(&peer, 0x04, TEXT("ErrorRecoveryLevel=0"));
    assert_true(peer_receive(&peer));
    assert_int_equal(peer.response.status, 0x0200);
    peer_open(&world, PORTAL_A, &peer);
    peer_login(&peer, 0x04, text, peer_names(text, sizeof(text), TARGET_OPEN, TEXT("FirstBurstLength=65536")));
    assert_true(peer_receive(&peer));
    peer_login(&peer, 0x04, TEXT("MaxBurstLength=512"));
    assert_true(peer_receive(&peer));
    assert_int_equal(peer.response.status, 0x0200);
    /* the target's own declaration comes once */
    peer_open(&world, PORTAL_A, &peer);
    peer_login(&peer, 0x04, text, peer_names(text, sizeof(text), TARGET_OPEN, "", 0));
    assert_true(peer_receive(&peer));
    assert_true(peer_has(&peer, "MaxRecvDataSegmentLength", NULL));
    peer_login(&peer, 0x87, TEXT("MaxRecvDataSegmentLength=4096"));
    assert_true(peer_receive(&peer));
    assert_int_equal(peer.bhs[1], 0x87);
    assert_int_equal(peer.length, 0);
    world_close(&world);
}

static void test_digests(void **state)
{
    uint8_t bhs[PDU_BHS_LEN], digest[4];
    const uint8_t *bytes;
    struct pdu_request nop = { .opcode = PDU_NOP_OUT, .immediate = true, .flags = PDU_FLAG_FINAL, .itt = 1,
                           .word20 = PDU_NO_TAG, .cmd_sn = 0x1000 };

    (void)state;
    world_open(&world, NULL);
    peer_open(&world, PORTAL_A, &peer);
    assert_true(peer_login_whole(&peer, TARGET_OPEN, TEXT("HeaderDigest=CRC32C\0DataDigest=CRC32C")));
    pdu_request_encode(&nop, bhs);
    pdu_set_data_len(bhs, 4);
    conn_input(peer.conn, bhs, sizeof(bhs));
    digest_put(digest, digest_crc32c(bhs, sizeof(bhs)));
    conn_input(peer.conn, digest, 4);
    conn_input(peer.conn, (const uint8_t *)"ping", 4);
    digest_put(digest, digest_crc32c("ping", 4));
    conn_input(peer.conn, digest, 4);
    assert_int_equal(conn_output(peer.conn, &bytes), 60);
    assert_int_equal(bytes[0], PDU_NOP_IN);
    assert_true(digest_check(bytes, 48, bytes + 48));
    assert_memory_equal(bytes + 52, "ping", 4);
    assert_true(digest_check(bytes + 52, 4, bytes + 56));
    conn_output_consumed(peer.conn, 60);
    /* a wrong data digest is rejected, a wrong header digest ends the connection */
    conn_input(peer.conn, bhs, sizeof(bhs));
    digest_put(digest, digest_crc32c(bhs, sizeof(bhs)));
    conn_input(peer.conn, digest, 4);
    conn_input(peer.conn, (const uint8_t *)"pingxxxx", 8);
    assert_true(conn_output(peer.conn, &bytes) > 48);
    assert_int_equal(bytes[0], PDU_REJECT);
    assert_int_equal(bytes[2], PDU_REJECT_DATA_DIGEST);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_first_burst_follows_max_burst),
        cmocka_unit_test(test_later_requests),
        cmocka_unit_test(test_digests)
    };

    return cmocka_run_group_tests_name("negotiate", tests, NULL, NULL);
}
