/* Tests of wire/pdu: layout, field table, typed structs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/bytes.h"
#include "wire/pdu.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t all_opcodes[] = {
    PDU_NOP_OUT,       PDU_SCSI_COMMAND,  PDU_TASK_MANAGEMENT_REQUEST,  PDU_LOGIN_REQUEST,
    PDU_TEXT_REQUEST,  PDU_DATA_OUT,      PDU_LOGOUT_REQUEST,           PDU_SNACK_REQUEST,
    PDU_NOP_IN,        PDU_SCSI_RESPONSE, PDU_TASK_MANAGEMENT_RESPONSE, PDU_LOGIN_RESPONSE,
    PDU_TEXT_RESPONSE, PDU_DATA_IN,       PDU_LOGOUT_RESPONSE,          PDU_R2T,
    PDU_ASYNC_MESSAGE, PDU_REJECT,
};

/* A login request and a login response as they stand on the wire. */
static const uint8_t request_bytes[PDU_BHS_LEN] = {
    0x43, 0x87, 0x01, 0x00, 0x00, 0x00, 0x01, 0x2d, 0x80, 0x12, 0x34, 0x56, 0x00, 0x01, 0xab, 0xcd,
    0x11, 0x22, 0x33, 0x44, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x7b, 0xde, 0xad, 0xbe, 0xef,
};
static const uint8_t response_bytes[PDU_BHS_LEN] = {
    0x23, 0x44, 0x02, 0x01, 0x00, 0x01, 0x02, 0x03, 0x80, 0x12, 0x34, 0x56, 0x00, 0x01, 0x00, 0x07, 0x11, 0x22, 0x33,
    0x44, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x7b, 0x00, 0x00, 0x00, 0x9a, 0x02, 0x0b,
};

static void bytes_are_big_endian(void **state)
{
    uint8_t mem[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t out[8] = {0};

    (void)state;
    assert_int_equal(bytes_get_be16(mem), 0x0102);
    assert_int_equal(bytes_get_be24(mem), 0x010203);
    assert_int_equal(bytes_get_be32(mem), 0x01020304);
    assert_true(bytes_get_be64(mem) == 0x0102030405060708u);
    assert_true(bytes_get_be(mem, 0) == 0);
    bytes_put_be64(out, 0x0102030405060708u);
    assert_memory_equal(out, mem, 8);
    bytes_put_be24(out, 0xffaabbcc);
    assert_memory_equal(out, "\xaa\xbb\xcc\x04", 4);
    bytes_put_be16(out, 0x1234);
    assert_memory_equal(out, "\x12\x34\xcc\x04", 4);
    bytes_put_be32(out, 0xfedcba98);
    assert_memory_equal(out, "\xfe\xdc\xba\x98\x05", 5);
}

static void opcodes_have_names(void **state)
{
    size_t known = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(all_opcodes); i++) {
        assert_true(pdu_opcode_known(all_opcodes[i]));
        assert_string_not_equal(pdu_opcode_name(all_opcodes[i]), "Unassigned");
    }
    for (unsigned i = 0; i < 64; i++)
        known += pdu_opcode_known((uint8_t)i);
    assert_int_equal(known, COUNT(all_opcodes));
    assert_string_equal(pdu_opcode_name(0x03), "Login Request");
    assert_string_equal(pdu_opcode_name(0x43), "Login Request");
    assert_string_equal(pdu_opcode_name(0x1c), "Vendor-specific");
    assert_string_equal(pdu_opcode_name(0x3e), "Vendor-specific");
    assert_string_equal(pdu_opcode_name(0x1f), "Unassigned");
    assert_string_equal(pdu_opcode_name(0x3b), "Unassigned");
    assert_false(pdu_opcode_known(0x1c));
    assert_true(pdu_opcode_from_target(PDU_REJECT));
    assert_false(pdu_opcode_from_target(PDU_SNACK_REQUEST));
}

static void codes_have_names(void **state)
{
    (void)state;
    assert_string_equal(pdu_stage_name(0), "SecurityNegotiation");
    assert_string_equal(pdu_stage_name(2), "Reserved");
    assert_string_equal(pdu_stage_name(3), "FullFeaturePhase");
    assert_string_equal(pdu_stage_name(4), "Reserved");
    assert_string_equal(pdu_reject_reason_name(0x04), "Protocol error");
    assert_string_equal(pdu_reject_reason_name(0x0d), "Unassigned");
    assert_string_equal(pdu_logout_reason_name(0), "close the session");
    assert_string_equal(pdu_logout_reason_name(3), "Reserved");
    assert_string_equal(pdu_async_event_name(255), "vendor-specific event");
    assert_string_equal(pdu_async_event_name(6), "Reserved");
}

static void lengths(void **state)
{
    static const struct {
        uint8_t ahs_words;
        size_t data;
        bool header_digest;
        bool data_digest;
        size_t total;
    } rows[] = {
        {0, 0, false, false, 48},
        {0, 0, true, true, 52},
        {0, 1, false, false, 52},
        {0, 4, false, false, 52},
        {0, 5, true, true, 64},
        {2, 3, true, false, 64},
        {255, 0xffffff, true, true, 48 + 1020 + 0x1000000 + 8},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bhs[PDU_BHS_LEN] = {0};

        bhs[4] = rows[i].ahs_words;
        pdu_set_data_len(bhs, rows[i].data);
        assert_int_equal(bhs[4], rows[i].ahs_words);
        assert_int_equal(pdu_data_len(bhs), rows[i].data);
        assert_int_equal(pdu_ahs_len(bhs), rows[i].ahs_words * 4u);
        assert_int_equal(pdu_total_len(bhs, rows[i].header_digest, rows[i].data_digest), rows[i].total);
    }
    assert_int_equal(pdu_padding(0), 0);
    assert_int_equal(pdu_padding(1), 3);
    assert_int_equal(pdu_padding(3), 1);
    assert_int_equal(pdu_padding(8), 0);
}

/* Fields without parts cover each bit once; parts lie on bits already seen. */
static void fields_cover_each_bit_once(void **state)
{
    (void)state;
    for (unsigned opcode = 0; opcode < 64; opcode++) {
        uint8_t once[PDU_BHS_LEN] = {0};
        uint8_t full[PDU_BHS_LEN];
        size_t count;
        const struct pdu_field *fields = pdu_fields((uint8_t)opcode, &count);

        for (size_t i = 0; i < count; i++) {
            const struct pdu_field *field = &fields[i];
            uint8_t alone[PDU_BHS_LEN] = {0};

            assert_in_range(field->width, 1, 8);
            assert_true(field->byte + field->width <= (int)PDU_BHS_LEN);
            assert_true(field->shift + field->bits <= 8 * field->width);
            assert_ptr_equal(pdu_field_find((uint8_t)opcode, field->name), field);
            assert_int_equal(strncmp(field->name, "Reserved", 8) == 0, (field->flags & PDU_FIELD_RESERVED) != 0);
            if ((field->flags & PDU_FIELD_PART) != 0)
                continue;
            assert_true(pdu_field_set(field, alone, pdu_field_max(field)));
            for (size_t at = 0; at < PDU_BHS_LEN; at++) {
                assert_int_equal(once[at] & alone[at], 0);
                once[at] |= alone[at];
            }
        }
        memset(full, 0xff, sizeof(full));
        assert_memory_equal(once, full, sizeof(full));
    }
}

static void fields_set_only_their_bits(void **state)
{
    (void)state;
    for (size_t o = 0; o < COUNT(all_opcodes); o++) {
        size_t count;
        const struct pdu_field *fields = pdu_fields(all_opcodes[o], &count);

        for (size_t i = 0; i < count; i++) {
            const struct pdu_field *field = &fields[i];
            uint64_t max = pdu_field_max(field);
            uint8_t bhs[PDU_BHS_LEN];
            uint8_t before[PDU_BHS_LEN];
            uint8_t ones[PDU_BHS_LEN];

            memset(ones, 0xff, sizeof(ones));
            memset(bhs, 0xff, sizeof(bhs));
            assert_true(pdu_field_get(field, bhs) == max);
            assert_true(pdu_field_set(field, bhs, 0));
            assert_true(pdu_field_get(field, bhs) == 0);
            assert_memory_not_equal(bhs, ones, sizeof(bhs));
            assert_true(pdu_field_set(field, bhs, max));
            assert_memory_equal(bhs, ones, sizeof(bhs));
            memcpy(before, bhs, sizeof(bhs));
            if (max != UINT64_MAX) {
                assert_false(pdu_field_set(field, bhs, max + 1));
                assert_false(pdu_field_set(field, bhs, UINT64_MAX));
            }
            assert_memory_equal(bhs, before, sizeof(bhs));
        }
    }
}

static void fields_read_the_wire(void **state)
{
    static const struct {
        const char *name;
        uint64_t value;
    } rows[] =
        {
            {"I", 1},
            {"Opcode", 3},
            {"T", 1},
            {"C", 0},
            {"CSG", 1},
            {"NSG", 3},
            {"VersionMax", 1},
            {"VersionMin", 0},
            {"TotalAHSLength", 0},
            {"DataSegmentLength", 0x12d},
            {"ISID", 0x801234560001},
            {"ISIDT", 2},
            {"ISIDA", 0},
            {"ISIDB", 0x1234},
            {"ISIDC", 0x56},
            {"ISIDD", 1},
            {"TSIH", 0xabcd},
            {"ITT", 0x11223344},
            {"CID", 5},
            {"CmdSN", 0x7b},
            {"ExpStatSN", 0xdeadbeef},
            {"Flags", 0x87},
            {"Reserved5", 0},
        },
      answers[] = {
          {"Status", 0x020b},   {"StatusClass", 2}, {"StatusDetail", 11},
          {"StatSN", 9},        {"ExpCmdSN", 0x7b}, {"MaxCmdSN", 0x9a},
          {"VersionActive", 1}, {"Opcode", 0x23},   {"DataSegmentLength", 0x010203},
      };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct pdu_field *field = pdu_field_find(PDU_LOGIN_REQUEST, rows[i].name);

        assert_non_null(field);
        assert_true(pdu_field_get(field, request_bytes) == rows[i].value);
    }
    for (size_t i = 0; i < COUNT(answers); i++) {
        const struct pdu_field *field = pdu_field_find(PDU_LOGIN_RESPONSE, answers[i].name);

        assert_non_null(field);
        assert_true(pdu_field_get(field, response_bytes) == answers[i].value);
    }
}

static void fields_unknown(void **state)
{
    (void)state;
    assert_null(pdu_field_find(PDU_LOGIN_REQUEST, "StatSN"));
    assert_null(pdu_field_find(PDU_LOGIN_REQUEST, "itt"));
    assert_null(pdu_field_find(PDU_LOGIN_REQUEST, ""));
    assert_null(pdu_field_find(PDU_LOGIN_RESPONSE, "CID"));
    assert_null(pdu_field_find(PDU_LOGIN_RESPONSE, "I"));
    assert_non_null(pdu_field_find(0x1f, "Opcode"));
    assert_null(pdu_field_find(0x1f, "CID"));
}

static void login_request_both_ways(void **state)
{
    struct pdu_login_request request;
    uint8_t bhs[PDU_BHS_LEN];

    (void)state;
    pdu_login_request_decode(&request, request_bytes);
    assert_true(request.immediate && request.transit && !request.cont);
    assert_int_equal(request.csg, PDU_STAGE_OPERATIONAL);
    assert_int_equal(request.nsg, PDU_STAGE_FULL_FEATURE);
    assert_int_equal(request.version_max, 1);
    assert_int_equal(request.data_len, 0x12d);
    assert_int_equal(request.tsih, 0xabcd);
    assert_int_equal(request.cid, 5);
    assert_int_equal(request.exp_stat_sn, 0xdeadbeef);
    memset(bhs, 0xee, sizeof(bhs));
    pdu_login_request_encode(&request, bhs);
    assert_memory_equal(bhs, request_bytes, sizeof(bhs));
    assert_int_equal(pdu_opcode(bhs), PDU_LOGIN_REQUEST);
    assert_true(pdu_immediate(bhs));
    assert_int_equal(pdu_itt(bhs), 0x11223344);
}

static void login_response_both_ways(void **state)
{
    struct pdu_login_response response;
    uint8_t bhs[PDU_BHS_LEN];

    (void)state;
    pdu_login_response_decode(&response, response_bytes);
    assert_true(!response.transit && response.cont);
    assert_int_equal(response.csg, PDU_STAGE_OPERATIONAL);
    assert_int_equal(response.version_active, 1);
    assert_int_equal(response.tsih, 7);
    assert_int_equal(response.stat_sn, 9);
    assert_int_equal(response.max_cmd_sn, 0x9a);
    assert_int_equal(response.status, 0x020b);
    assert_int_equal(pdu_login_status(response_bytes), 0x020b);
    memset(bhs, 0xee, sizeof(bhs));
    pdu_login_response_encode(&response, bhs);
    assert_memory_equal(bhs, response_bytes, sizeof(bhs));
}

/* Values too wide for their field must not spill into the neighbours. */
static void login_encode_cuts(void **state)
{
    struct pdu_login_request request = {.csg = 0xff, .nsg = 0xff, .data_len = 0xffffffff};
    uint8_t bhs[PDU_BHS_LEN];
    struct pdu_login_request back;

    (void)state;
    pdu_login_request_encode(&request, bhs);
    pdu_login_request_decode(&back, bhs);
    assert_false(back.transit || back.cont || back.immediate);
    assert_int_equal(bhs[1], 0x0f);
    assert_int_equal(back.total_ahs_len, 0);
    assert_int_equal(back.data_len, 0xffffff);
}

/* Decoding and encoding any header loses nothing but reserved bits. */
static void generic_structs_keep_everything(void **state)
{
    uint8_t bhs[PDU_BHS_LEN];
    uint8_t back[PDU_BHS_LEN];
    struct pdu_request request;
    struct pdu_response response;

    (void)state;
    for (size_t i = 0; i < PDU_BHS_LEN; i++)
        bhs[i] = (uint8_t)(0x51 + 7 * i);
    pdu_request_decode(&request, bhs);
    pdu_request_encode(&request, back);
    bhs[0] &= 0x7f;
    bhs[2] = 0; /* reserved in every request but login */
    bhs[3] = 0;
    assert_memory_equal(back, bhs, sizeof(bhs));

    for (size_t i = 0; i < PDU_BHS_LEN; i++)
        bhs[i] = (uint8_t)(0x33 + 11 * i);
    pdu_response_decode(&response, bhs);
    pdu_response_encode(&response, back);
    bhs[0] &= 0x3f;
    bhs[4] = 0; /* responses have no AHS */
    assert_memory_equal(back, bhs, sizeof(bhs));
}

/* The columns of the table in pdu.h against the field table. */
static void generic_structs_agree_with_fields(void **state)
{
    uint8_t bhs[PDU_BHS_LEN];
    struct pdu_request logout = {.opcode = PDU_LOGOUT_REQUEST,
                                 .immediate = true,
                                 .flags = PDU_FLAG_FINAL | PDU_LOGOUT_CLOSE_CONNECTION,
                                 .word20 = 0x1234u << 16};
    struct pdu_response done = {
        .opcode = PDU_LOGOUT_RESPONSE, .flags = PDU_FLAG_FINAL, .byte2 = 3, .word40 = 2u << 16 | 20, .stat_sn = 77};
    struct pdu_response async = {
        .opcode = PDU_ASYNC_MESSAGE, .itt = PDU_NO_TAG, .word36 = 1u << 24 | 2u << 16 | 3, .word40 = 4u << 16 | 5};
    struct pdu_response reject = {.opcode = PDU_REJECT, .byte2 = PDU_REJECT_INVALID_FIELD};

    (void)state;
    pdu_request_encode(&logout, bhs);
    assert_int_equal(pdu_field_get(pdu_field_find(PDU_LOGOUT_REQUEST, "Reason"), bhs), 1);
    assert_int_equal(pdu_field_get(pdu_field_find(PDU_LOGOUT_REQUEST, "CID"), bhs), 0x1234);
    pdu_response_encode(&done, bhs);
    assert_int_equal(pdu_field_get(pdu_field_find(PDU_LOGOUT_RESPONSE, "Response"), bhs), 3);
    assert_int_equal(pdu_field_get(pdu_field_find(PDU_LOGOUT_RESPONSE, "Time2Wait"), bhs), 2);
    assert_int_equal(pdu_field_get(pdu_field_find(PDU_LOGOUT_RESPONSE, "Time2Retain"), bhs), 20);
    assert_int_equal(pdu_field_get(pdu_field_find(PDU_LOGOUT_RESPONSE, "StatSN"), bhs), 77);
    pdu_response_encode(&async, bhs);
    assert_int_equal(pdu_field_get(pdu_field_find(PDU_ASYNC_MESSAGE, "AsyncEvent"), bhs), 1);
    assert_int_equal(pdu_field_get(pdu_field_find(PDU_ASYNC_MESSAGE, "AsyncVCode"), bhs), 2);
    assert_int_equal(pdu_field_get(pdu_field_find(PDU_ASYNC_MESSAGE, "Parameter1"), bhs), 3);
    assert_int_equal(pdu_field_get(pdu_field_find(PDU_ASYNC_MESSAGE, "Parameter2"), bhs), 4);
    assert_int_equal(pdu_field_get(pdu_field_find(PDU_ASYNC_MESSAGE, "Parameter3"), bhs), 5);
    pdu_response_encode(&reject, bhs);
    assert_int_equal(pdu_field_get(pdu_field_find(PDU_REJECT, "Reason"), bhs), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_big_endian),
        cmocka_unit_test(opcodes_have_names),
        cmocka_unit_test(codes_have_names),
        cmocka_unit_test(lengths),
        cmocka_unit_test(fields_cover_each_bit_once),
        cmocka_unit_test(fields_set_only_their_bits),
        cmocka_unit_test(fields_read_the_wire),
        cmocka_unit_test(fields_unknown),
        cmocka_unit_test(login_request_both_ways),
        cmocka_unit_test(login_response_both_ways),
        cmocka_unit_test(login_encode_cuts),
        cmocka_unit_test(generic_structs_keep_everything),
        cmocka_unit_test(generic_structs_agree_with_fields),
    };

    return cmocka_run_group_tests_name("pdu", tests, NULL, NULL);
}
