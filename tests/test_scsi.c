/* SCSI behind the login: every command and page, residuals, what writes may not do, task management, lost stores. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "engine_peer.h"
#include "wire/bytes.h"

enum { READ = 0xc0, WRITE = 0xa0, NONE = 0x80, UNFINISHED = 0x20 };
enum { ILLEGAL = 5, GOOD = 0, ANY_CODE = 0xffff };

static struct world world;
static struct peer peer;
static uint8_t block[65536];

/* What a command came to. */
struct outcome {
    bool rejected;
    uint8_t reason;
    uint8_t status;
    uint32_t sense; /* key << 16 | code << 8 | qualifier */
    uint8_t flags;
    uint32_t residual;
    size_t length;
    uint8_t data[65536];
};

static struct outcome outcome;

static void start(size_t target, const char *extra, size_t length)
{
    world_open(&world, NULL);
    peer_open(&world, PORTAL_A, &peer);
    assert_true(peer_login_whole(&peer, target, extra, length));
}

static void command(uint64_t lun, const uint8_t *cdb, size_t cdb_length, unsigned flags, uint32_t expected,
                    const void *data, size_t length)
{
    uint8_t bhs[PDU_BHS_LEN];
    struct pdu_request request = {.opcode = PDU_SCSI_COMMAND,
                                  .flags = (uint8_t)flags,
                                  .lun = lun,
                                  .itt = peer.cmd_sn,
                                  .word20 = expected,
                                  .cmd_sn = peer.cmd_sn};

    memcpy(request.tail, cdb, cdb_length);
    peer.cmd_sn++;
    pdu_request_encode(&request, bhs);
    peer_send(&peer, bhs, data, length);
}

/* Takes Data-In PDUs and the status. False: there is none. */
static bool collect(void)
{
    memset(&outcome, 0, sizeof(outcome));
    while (peer_receive(&peer)) {
        struct pdu_response response;

        pdu_response_decode(&response, peer.bhs);
        if (response.opcode == PDU_REJECT) {
            outcome.rejected = true;
            outcome.reason = response.byte2;
            return true;
        }
        outcome.flags = response.flags;
        outcome.residual = response.word44;
        if (response.opcode == PDU_DATA_IN) {
            assert_int_equal(response.word40, outcome.length);
            assert_true(outcome.length + peer.length <= sizeof(outcome.data));
            memcpy(outcome.data + outcome.length, peer.data, peer.length);
            outcome.length += peer.length;
            if ((response.flags & PDU_FLAG_STATUS) != 0)
                return true;
            continue;
        }
        if (response.opcode != PDU_SCSI_RESPONSE)
            return false;
        outcome.status = response.byte3;
        if (peer.length >= 20)
            outcome.sense = (uint32_t)peer.data[4] << 16 | (uint32_t)peer.data[14] << 8 | peer.data[15];
        return true;
    }
    return false;
}

/* A command without data out, and its outcome. */
static void run(uint64_t lun, const uint8_t *cdb, size_t cdb_length, unsigned flags, uint32_t expected)
{
    command(lun, cdb, cdb_length, flags, expected, NULL, 0);
    assert_true(collect());
}

#define LUN_1 (UINT64_C(1) << 48)
#define CDB(...)                                                                                                       \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

/* Commands that answer bytes: length that comes, and one byte of it. */
static void test_answers(void **state)
{
    static const struct {
        const char *name;
        uint64_t lun;
        uint8_t cdb[16];
        uint32_t expected;
        size_t length;
        size_t at;
        uint8_t byte;
    } rows[] = {{"test unit ready", 0, CDB(0), 0, 0, 0, 0},
                {"request sense", 0, CDB(0x03, 0, 0, 0, 252), 252, 18, 0, 0x70},
                {"request sense of no unit", LUN_1, CDB(0x03, 0, 0, 0, 252), 252, 18, 12, 0x25},
                {"request sense, cut", 0, CDB(0x03, 0, 0, 0, 8), 252, 8, 0, 0x70},
                {"inquiry", 0, CDB(0x12, 0, 0, 0, 255), 255, 96, 0, 0x00},
                {"inquiry, cut", 0, CDB(0x12, 0, 0, 0, 36), 36, 36, 8, 'I'},
                {"inquiry of no unit", LUN_1, CDB(0x12, 0, 0, 0, 36), 36, 36, 0, 0x7f},
                {"page 00", 0, CDB(0x12, 1, 0x00, 0, 255), 255, 9, 5, 0x80},
                {"page 80", 0, CDB(0x12, 1, 0x80, 0, 255), 255, 20, 1, 0x80},
                {"page 83", 0, CDB(0x12, 1, 0x83, 0, 255), 255, 72, 4, 0x01},
                {"page b0", 0, CDB(0x12, 1, 0xb0, 0, 255), 255, 64, 1, 0xb0},
                {"page b1", 0, CDB(0x12, 1, 0xb1, 0, 255), 255, 64, 5, 0x01},
                {"page 00 of no unit", LUN_1, CDB(0x12, 1, 0x00, 0, 255), 255, 9, 0, 0x7f},
                {"report luns", 0, CDB(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64), 64, 16, 3, 8},
                {"report luns, well-known", 0, CDB(0xa0, 0, 1, 0, 0, 0, 0, 0, 0, 64), 64, 8, 3, 0},
                {"report luns of no unit", LUN_1, CDB(0xa0, 0, 2, 0, 0, 0, 0, 0, 0, 64), 64, 16, 3, 8},
                {"read capacity 10", 0, CDB(0x25), 8, 8, 6, 2},
                {"read capacity 16", 0, CDB(0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32), 32, 32, 10, 2},
                {"mode sense 6, all", 0, CDB(0x1a, 0, 0x3f, 0, 255), 255, 36, 4, 0x08},
                {"mode sense 6, caching", 0, CDB(0x1a, 0, 0x08, 0, 255), 255, 24, 4, 0x08},
                {"mode sense 6, control", 0, CDB(0x1a, 0, 0x0a, 0, 255), 255, 16, 4, 0x0a},
                {"mode sense 6, all subpages", 0, CDB(0x1a, 0, 0x3f, 0xff, 255), 255, 36, 4, 0x08},
                {"mode sense 10, all", 0, CDB(0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 255), 255, 40, 8, 0x08},
                {"mode sense 10, cut", 0, CDB(0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 8), 255, 8, 1, 38},
                {"synchronize cache 10", 0, CDB(0x35), 0, 0, 0, 0},
                {"synchronize cache 16", 0, CDB(0x91), 0, 0, 0, 0},
                {"read 10", 0, CDB(0x28, 0, 0, 0, 0, 1, 0, 0, 1), 512, 512, 0, 0},
                {"read 12", 0, CDB(0xa8, 0, 0, 0, 0, 1, 0, 0, 0, 2), 1024, 1024, 0, 0},
                {"read 16", 0, CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 3), 1536, 1536, 0, 0},
                {"read of nothing", 0, CDB(0x28, 0, 0, 0, 0, 1, 0, 0, 0), 0, 0, 0, 0}};

    (void)state;
    for (size_t target = 0; target < 2; target++) {
        start(target == 0 ? TARGET_OPEN : TARGET_FILE, "", 0);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            run(rows[i].lun, rows[i].cdb, 16, rows[i].expected > 0 ? READ : NONE, rows[i].expected);
            if (outcome.rejected || outcome.status != GOOD || outcome.length % 4096 != rows[i].length ||
                (outcome.length > 0 && outcome.data[rows[i].at] != rows[i].byte))
                fail_msg("%s: status %u, sense %06x, %zu bytes, byte %zu is %02x", rows[i].name, outcome.status,
                         (unsigned)outcome.sense, outcome.length, rows[i].at, outcome.data[rows[i].at]);
            if (rows[i].expected > outcome.length)
                assert_int_equal(outcome.residual, rows[i].expected - outcome.length);
        }
        assert_true(peer_alive(&peer));
        world_close(&world);
    }
}

/* Commands that are refused, and with which sense. */
static void test_refusals(void **state)
{
    static const struct {
        const char *name;
        uint64_t lun;
        uint8_t cdb[16];
        unsigned code;
    } rows[] = {
        {"no unit", LUN_1, CDB(0), 0x25},
        {"unknown command", 0, CDB(0xff), 0x20},
        {"unknown command of no unit", LUN_1, CDB(0xff), 0x25},
        {"page of inquiry without EVPD", 0, CDB(0x12, 0, 0x80, 0, 255), 0x24},
        {"CmdDt", 0, CDB(0x12, 2, 0, 0, 255), 0x24},
        {"unknown page", 0, CDB(0x12, 1, 0xc0, 0, 255), 0x24},
        {"select report 3", 0, CDB(0xa0, 0, 3, 0, 0, 0, 0, 0, 0, 64), 0x24},
        {"mode page", 0, CDB(0x1a, 0, 0x1c, 0, 255), 0x24},
        {"mode subpage", 0, CDB(0x1a, 0, 0x08, 1, 255), 0x24},
        {"saved mode page", 0, CDB(0x1a, 0, 0xff, 0, 255), ANY_CODE},
        {"capacity behind a block", 0, CDB(0x25, 0, 0, 0, 0, 1), 0x24},
        {"service action", 0, CDB(0x9e, 0x1f), ANY_CODE},
        {"protection", 0, CDB(0x28, 0x20, 0, 0, 0, 0, 0, 0, 1), 0x24},
        {"first block behind the end", 0, CDB(0x28, 0, 0xff, 0, 0, 0, 0, 0, 1), 0x21},
        {"last block behind the end", 0, CDB(0x28, 0, 0, 0, 0x7f, 0xff, 0, 0, 2), 0x21},
        {"block number that wraps", 0, CDB(0x88, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1), 0x21},
        {"transfer without end", 0, CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff), 0x24},
        {"write behind the end", 0, CDB(0x2a, 0, 0xff, 0, 0, 0, 0, 0, 1), 0x21}};

    (void)state;
    start(TARGET_OPEN, "", 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run(rows[i].lun, rows[i].cdb, 16, READ, 4096);
        if (outcome.status != 2 || outcome.sense >> 16 != ILLEGAL ||
            (rows[i].code != ANY_CODE && (outcome.sense >> 8 & 0xff) != rows[i].code))
            fail_msg("%s: status %u, sense %06x", rows[i].name, outcome.status, (unsigned)outcome.sense);
        assert_int_equal(outcome.length, 0);
    }
    assert_true(peer_alive(&peer));
    world_close(&world);
}

static const uint8_t read_two[16] = CDB(0x28, 0, 0, 0, 0, 1, 0, 0, 2);
static const uint8_t write_two[16] = CDB(0x2a, 0, 0, 0, 0, 1, 0, 0, 2);

static void test_residuals(void **state)
{
    (void)state;
    start(TARGET_OPEN, "", 0);
    run(0, read_two, 16, READ, 512);
    assert_int_equal(outcome.length, 512);
    assert_true((outcome.flags & PDU_FLAG_OVERFLOW) != 0);
    assert_int_equal(outcome.residual, 512);
    run(0, read_two, 16, READ, 2048);
    assert_int_equal(outcome.length, 1024);
    assert_true((outcome.flags & PDU_FLAG_UNDERFLOW) != 0);
    assert_int_equal(outcome.residual, 1024);
    run(0, read_two, 16, NONE, 0); /* a read that expects nothing */
    assert_int_equal(outcome.length, 0);
    assert_true((outcome.flags & PDU_FLAG_OVERFLOW) != 0);
    assert_int_equal(outcome.residual, 1024);
    run(0, read_two, 16, WRITE, 1024); /* a read that says it is a write */
    assert_int_equal(outcome.length, 0);
    command(0, write_two, 16, WRITE, 512, block, 512);
    assert_true(collect());
    assert_int_equal(outcome.status, GOOD);
    assert_true((outcome.flags & PDU_FLAG_OVERFLOW) != 0);
    assert_int_equal(outcome.residual, 512);
    command(0, write_two, 16, WRITE, 2048, block, 2048);
    assert_true(collect());
    assert_true((outcome.flags & PDU_FLAG_UNDERFLOW) != 0);
    assert_int_equal(outcome.residual, 1024);
    command(0, write_two, 16, NONE, 0, NULL, 0);
    assert_true(collect());
    assert_true((outcome.flags & PDU_FLAG_OVERFLOW) != 0);
    assert_true(peer_alive(&peer));
    world_close(&world);
}

/* All forms of read and write, over the edge of what a store keeps in one piece. */
static void test_write_read(void **state)
{
    static const struct {
        uint8_t write[16], read[16];
    } rows[] = {
        {CDB(0x2a, 0, 0, 0, 0, 127, 0, 0, 2), CDB(0x28, 0, 0, 0, 0, 127, 0, 0, 2)},
        {CDB(0xaa, 0, 0, 0, 0, 127, 0, 0, 0, 2), CDB(0xa8, 0, 0, 0, 0, 127, 0, 0, 0, 2)},
        {CDB(0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 127, 0, 0, 0, 2), CDB(0x88, 0, 0, 0, 0, 0, 0, 0, 0, 127, 0, 0, 0, 2)}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t at = 0; at < sizeof(block); at++)
            block[at] = (uint8_t)(at * 31 + at / 256 + i);
        start(TARGET_OPEN, "", 0);
        command(0, rows[i].write, 16, WRITE, 1024, block, 1024);
        assert_true(collect());
        assert_int_equal(outcome.status, GOOD);
        run(0, rows[i].read, 16, READ, 1024);
        assert_int_equal(outcome.length, 1024);
        assert_memory_equal(outcome.data, block, 1024);
        world_close(&world);
    }
    start(TARGET_FILE, "", 0);
    command(0, write_two, 16, WRITE, 1024, block, 1024);
    assert_true(collect());
    assert_memory_equal(world.store + 512, block, 1024);
    run(0, read_two, 16, READ, 1024);
    assert_memory_equal(outcome.data, block, 1024);
    world_close(&world);
}

/* One Data-Out. */
static void data_out(uint32_t itt, uint32_t tag, uint32_t data_sn, uint32_t offset, bool final, size_t length)
{
    uint8_t bhs[PDU_BHS_LEN];
    struct pdu_request out = {.opcode = PDU_DATA_OUT, .flags = final ? PDU_FLAG_FINAL : 0, .itt = itt, .word20 = tag};

    bytes_put_be32(out.tail + 4, data_sn);
    bytes_put_be32(out.tail + 8, offset);
    pdu_request_encode(&out, bhs);
    peer_send(&peer, bhs, block, length);
}

/* Data that come without being asked for: good, and wrong in each way. */
static void test_unsolicited_data(void **state)
{
    enum { ABORTED = 0x0b };
    static const struct {
        const char *name;
        uint32_t tag, data_sn, offset;
        size_t length;
        unsigned key; /* of the sense; 0: GOOD */
        bool rejected;
    } rows[] = {{"good", PDU_NO_TAG, 0, 0, 1024, 0, false},
                {"tag", 0x1234, 0, 0, 1024, 0, true},
                {"data number", PDU_NO_TAG, 1, 0, 1024, ABORTED, false},
                {"offset", PDU_NO_TAG, 0, 512, 512, ABORTED, false},
                {"more than the first burst", PDU_NO_TAG, 0, 0, 1536, ABORTED, false}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        start(TARGET_OPEN, TEXT("InitialR2T=No\0FirstBurstLength=1024"));
        command(0, write_two, 16, UNFINISHED, 1024, NULL, 0);
        data_out(peer.cmd_sn - 1, rows[i].tag, rows[i].data_sn, rows[i].offset, true, rows[i].length);
        if (!collect())
            fail_msg("%s: no answer", rows[i].name);
        if (outcome.rejected != rows[i].rejected || outcome.sense >> 16 != rows[i].key)
            fail_msg("%s: rejected %d, sense %06x", rows[i].name, outcome.rejected, (unsigned)outcome.sense);
        assert_true(peer_alive(&peer));
        world_close(&world);
    }
}

static void test_write_misuse(void **state)
{
    uint8_t bhs[PDU_BHS_LEN];

    (void)state;
    /* immediate data where there is none */
    start(TARGET_OPEN, TEXT("ImmediateData=No"));
    command(0, write_two, 16, WRITE, 1024, block, 512);
    assert_true(collect());
    assert_int_equal(outcome.sense >> 16, 0x0b);
    world_close(&world);
    /* more to come without R2T where each wants one */
    start(TARGET_OPEN, TEXT("InitialR2T=Yes"));
    command(0, write_two, 16, UNFINISHED, 1024, NULL, 0);
    assert_true(collect());
    assert_int_equal(outcome.sense >> 16, 0x0b);
    /* data for nobody */
    data_out(0x999, PDU_NO_TAG, 0, 0, true, 512);
    assert_false(peer_receive(&peer));
    /* a tag in use, and the reserved one */
    command(0, write_two, 16, WRITE, 1024, NULL, 0);
    assert_true(peer_receive(&peer));
    assert_int_equal(pdu_opcode(peer.bhs), PDU_R2T);
    struct pdu_request again = {
        .opcode = PDU_SCSI_COMMAND, .flags = READ, .itt = peer.cmd_sn - 1, .cmd_sn = peer.cmd_sn++};
    pdu_request_encode(&again, bhs);
    peer_send(&peer, bhs, NULL, 0);
    assert_true(collect());
    assert_true(outcome.rejected);
    again.itt = PDU_NO_TAG;
    again.cmd_sn = peer.cmd_sn++;
    pdu_request_encode(&again, bhs);
    peer_send(&peer, bhs, NULL, 0);
    assert_true(collect());
    assert_true(outcome.rejected);
    assert_true(peer_alive(&peer));
    world_close(&world);
}

static unsigned manage(unsigned function, uint64_t lun, uint32_t referenced)
{
    uint8_t bhs[PDU_BHS_LEN];
    struct pdu_request request = {.opcode = PDU_TASK_MANAGEMENT_REQUEST,
                                  .immediate = true,
                                  .lun = lun,
                                  .flags = (uint8_t)(PDU_FLAG_FINAL | function),
                                  .itt = 0x5555,
                                  .word20 = referenced,
                                  .cmd_sn = peer.cmd_sn};

    pdu_request_encode(&request, bhs);
    peer_send(&peer, bhs, NULL, 0);
    assert_true(peer_receive(&peer));
    assert_int_equal(pdu_opcode(peer.bhs), PDU_TASK_MANAGEMENT_RESPONSE);
    assert_int_equal(pdu_itt(peer.bhs), 0x5555);
    return peer.bhs[2];
}

/* A write that waits for its data; returns its tag. */
static uint32_t hang(void)
{
    command(0, write_two, 16, WRITE, 1024, NULL, 0);
    assert_true(peer_receive(&peer));
    assert_int_equal(pdu_opcode(peer.bhs), PDU_R2T);
    return peer.cmd_sn - 1;
}

static void test_task_management(void **state)
{
    enum { ABORT_TASK = 1, ABORT_TASK_SET, CLEAR_ACA, CLEAR_TASK_SET, LUN_RESET, WARM_RESET, COLD_RESET, REASSIGN };
    static const unsigned all[] = {ABORT_TASK_SET, CLEAR_TASK_SET, LUN_RESET, WARM_RESET};
    uint32_t tag, other;

    (void)state;
    start(TARGET_OPEN, TEXT("InitialR2T=Yes"));
    tag = hang();
    other = hang();
    assert_int_equal(manage(ABORT_TASK, 0, 0x888), 1);
    assert_int_equal(manage(ABORT_TASK, LUN_1, tag), 2);
    assert_int_equal(manage(ABORT_TASK, 0, tag), 0);
    assert_int_equal(manage(ABORT_TASK, 0, tag), 1);
    data_out(tag, tag, 0, 0, true, 1024); /* too late: dropped */
    assert_false(peer_receive(&peer));
    data_out(other, other, 0, 0, true, 1024);
    assert_true(collect());
    assert_int_equal(outcome.status, GOOD);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        tag = hang();
        assert_int_equal(manage(all[i], 0, 0), 0);
        data_out(tag, tag, 0, 0, true, 1024);
        assert_false(peer_receive(&peer));
    }
    assert_int_equal(manage(REASSIGN, 0, 0), 4);
    assert_int_equal(manage(CLEAR_ACA, 0, 0), 5);
    assert_int_equal(manage(99, 0, 0), 5);
    assert_true(peer_alive(&peer));
    world_close(&world);
}

/* A store that fails under a live session. */
static void test_lost_store(void **state)
{
    static const uint8_t flush[16] = CDB(0x35);

    (void)state;
    for (size_t target = 0; target < 2; target++) {
        start(target == 0 ? TARGET_OPEN : TARGET_FILE, "", 0);
        world.store_fails = true;
        if (target == 0)
            assert_true(node_fault(world.node, TARGET_OPEN));
        run(0, read_two, 16, READ, 1024);
        assert_int_equal(outcome.sense >> 16, 3);
        command(0, write_two, 16, WRITE, 1024, block, 1024);
        assert_true(collect());
        assert_int_equal(outcome.sense >> 16, 3);
        run(0, flush, 16, NONE, 0);
        assert_int_equal(outcome.sense >> 16, 3);
        assert_true(node_mend(world.node, NODE_ALL));
        world.store_fails = false;
        run(0, read_two, 16, READ, 1024);
        assert_int_equal(outcome.length, 1024);
        world_close(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers),          cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_residuals),        cmocka_unit_test(test_write_read),
                                       cmocka_unit_test(test_unsolicited_data), cmocka_unit_test(test_write_misuse),
                                       cmocka_unit_test(test_task_management),  cmocka_unit_test(test_lost_store)};

    return cmocka_run_group_tests_name("scsi", tests, NULL, NULL);
}
