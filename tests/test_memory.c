/* Whole lives of connections with each allocation of the engine failing in turn: nothing crashes, nothing leaks, and
 * the next one is served. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "engine_peer.h"

static struct world world;
static struct peer peer;

static bool keeps(void)
{
    return peer.conn != NULL && conn_action(peer.conn) == CONN_KEEP;
}

static void drain_output(void)
{
    while (peer.conn != NULL && peer_receive(&peer))
        ;
}

static void request(uint8_t opcode, unsigned flags, const uint8_t *cdb, uint32_t word20, const char *data,
                    size_t length)
{
    uint8_t bhs[PDU_BHS_LEN];
    struct pdu_request pdu = {.opcode = opcode,
                              .flags = (uint8_t)flags,
                              .itt = 0x1000U + peer.cmd_sn,
                              .word20 = word20,
                              .cmd_sn = peer.cmd_sn};

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
    size_t length = peer_many_keys(&text, 8192);

    peer_login(&peer, 0x87, text, length);
    for (unsigned i = 0; keeps() && peer_receive(&peer) && peer.response.cont; i++)
        peer_login(&peer, 0x87, "", 0);
}

static void live_disk(void)
{
    static const uint8_t write[16] = {0x2a, 0, 0, 0, 0, 8, 0, 0, 2}, read[16] = {0x28, 0, 0, 0, 0, 8, 0, 0, 2};
    static const char block[1024];

    if (!peer_login_whole(&peer, TARGET_OPEN, TEXT("InitialR2T=Yes")))
        return;
    request(PDU_SCSI_COMMAND, 0xa0, write, 1024, block, 1024);
    drain_output();
    request(PDU_SCSI_COMMAND, 0xa0, write, 1024, NULL, 0); /* R2T, and no data: goes with the connection */
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
    peer.cmd_sn--; /* the same task */
    if (keeps()) {
        uint8_t bhs[PDU_BHS_LEN];
        struct pdu_request pdu = {.opcode = PDU_TEXT_REQUEST,
                                  .flags = PDU_FLAG_FINAL,
                                  .itt = 0x1000U + peer.cmd_sn,
                                  .word20 = 0x1000U + peer.cmd_sn,
                                  .cmd_sn = peer.cmd_sn + 1};

        pdu_request_encode(&pdu, bhs);
        peer_send(&peer, bhs, rest, sizeof(rest));
    }
    drain_output();
}

/* Verbs, and two sessions of which the second takes the place of the first. */
static void live_verbs(void)
{
    char glob[] = "iqn.*";
    struct config_force force = {.status = 0x0302, .stage = CONFIG_STAGE_FINAL, .initiators = glob};
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
    static void (*const lives[])(void) = {live_login,     live_long_answer, live_disk,
                                          live_discovery, live_verbs,       live_refusal};

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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_memory)};

    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
