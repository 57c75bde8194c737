/* Edits and live values: exact bytes in, exact bytes out, and each edit has to change something. */
#include "harness/edit.h"

#include "wire/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char text[] = "InitiatorName=iqn.a\0SessionType=Normals\0MaxConnections=1";

static struct live_values values = {
    .target = "iqn.t",
    .initiator = "iqn.a",
    .secret = "secret-of-user",
    .portal = "127.0.0.1:3260",
    .isid = {0x80, 1, 2, 3, 4, 5},
    .tsih = 7,
    .cid = 2,
    .itt = 0x01020304,
    .cmd_sn = 9,
    .exp_stat_sn = 10,
    .chap_i = "5",
    .chap_c = "0x0102",
};

static struct live_values other = {.target = "iqn.o", .initiator = "iqn.b", .secret = "", .tsih = 0x1234};

static const struct live_values *find(void *user, const char *name)
{
    (void)user;
    return strcmp(name, "B") == 0 ? &other : NULL;
}

static const struct live_scope scope = {&values, find, NULL};

static void load(struct edit_pdu *p)
{
    uint8_t pdu[PDU_BHS_LEN + sizeof(text)] = {0x43, 0x87};

    pdu_set_data_len(pdu, sizeof(text));
    memcpy(pdu + PDU_BHS_LEN, text, sizeof(text));
    assert_true(edit_load(p, pdu, sizeof(pdu)));
    assert_true(edit_render(p));
}

/* Applies one edit; the result is left in p. */
static int apply(struct edit_pdu *p, const struct case_edit *e, char *err, size_t len)
{
    load(p);
    return edit_apply(p, e, &scope, NULL, err, len);
}

static void test_keys(void **state)
{
    char set[] = "MaxConnections={tsih:B}", add[] = "X-a={target}", front[] = "A=1", drop[] = "SessionType";
    char *sets[] = {set}, *adds[] = {add}, *fronts[] = {front}, *drops[] = {drop};
    const struct case_edit e = {.set = {sets, 1}, .add = {adds, 1}, .prepend = {fronts, 1}, .drop = {drops, 1}};
    static const char expected[] = "A=1\0InitiatorName=iqn.a\0MaxConnections=4660\0X-a=iqn.t";
    struct edit_pdu p;
    char err[200];

    (void)state;
    assert_int_equal(apply(&p, &e, err, sizeof(err)), 0);
    assert_int_equal(p.text.len, sizeof(expected));
    assert_memory_equal(p.text.data, expected, sizeof(expected));
    assert_int_equal(pdu_data_len(p.wire), sizeof(expected));
    assert_int_equal(p.wire_len, PDU_BHS_LEN + pdu_padded_len(sizeof(expected)));
    edit_free(&p);
}

static void test_order_and_length(void **state)
{
    char name[] = "DataSegmentLength", value[] = "0xffff", t[] = "T", zero[] = "0";
    struct case_field_edit fields[] = {{.name = name, .value = value}, {.name = t, .value = zero}};
    uint8_t pad[] = {0xff, 0xff, 0xff, 0xff, 0xff}, raw[] = {0xaa, 0xbb};
    struct case_bytes_edit bytes[] = {{.offset = 47, .bytes = raw, .len = 2}};
    const struct case_edit e = {
        .pad = pad, .pad_len = sizeof(pad), .header = fields, .header_count = 2, .bytes = bytes, .bytes_count = 1};
    struct edit_pdu p;
    char err[200];

    (void)state;
    assert_int_equal(apply(&p, &e, err, sizeof(err)), 0);
    assert_int_equal(pdu_data_len(p.wire), 0xffff);
    assert_int_equal(p.wire[1], 0x07);
    assert_int_equal(p.wire[47], 0xaa);
    assert_int_equal(p.wire[48], 0xbb);
    assert_int_equal(p.wire_len, PDU_BHS_LEN + sizeof(text) + sizeof(pad));
    assert_int_equal(p.wire[p.wire_len - 1], 0xff);
    edit_free(&p);
}

static void test_whole_text(void **state)
{
    char whole[] = "InitiatorName={initiator}\0=x\0\\";
    const struct case_edit e = {.text = whole, .text_len = sizeof(whole) - 1};
    struct edit_pdu p;
    char err[200];

    (void)state;
    assert_int_equal(apply(&p, &e, err, sizeof(err)), 0);
    assert_memory_equal(p.text.data, "InitiatorName=iqn.a\0=x\0\\", p.text.len);
    edit_free(&p);
}

/* X- keys of legal size up to exactly the length that is asked for. */
static void test_grow(void **state)
{
    static const size_t sizes[] = {sizeof(text) + 14,
                                   sizeof(text) + 268,
                                   sizeof(text) + 269,
                                   sizeof(text) + 281,
                                   sizeof(text) + 282,
                                   sizeof(text) + 283,
                                   1021,
                                   8192};
    struct edit_pdu p;
    char err[200];

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const struct case_edit e = {.grow = sizes[i]};
        struct text_cursor cursor;
        struct text_pair pair;
        enum text_result result;

        assert_int_equal(apply(&p, &e, err, sizeof(err)), 0);
        assert_int_equal(p.text.len, sizes[i]);
        assert_int_equal(pdu_data_len(p.wire), sizes[i]);
        assert_memory_equal(p.text.data, text, sizeof(text));
        text_cursor_init(&cursor, p.text.data, p.text.len);
        while ((result = text_next(&cursor, &pair)) == TEXT_PAIR)
            assert_in_range(pair.value_len, 1, 255);
        assert_int_equal(result, TEXT_END);
        edit_free(&p);
    }
}

static void test_pad_filled(void **state)
{
    uint8_t fill[] = {0x41};

    (void)state;
    for (size_t due = 1; due < 4; due++) {
        const struct case_edit e = {.grow = 200 - due, .pad = fill, .pad_len = 1, .pad_filled = true};
        struct edit_pdu p;
        char err[200];

        assert_int_equal(apply(&p, &e, err, sizeof(err)), 0);
        assert_int_equal(pdu_data_len(p.wire), 200 - due);
        assert_int_equal(p.wire_len, PDU_BHS_LEN + 200);
        for (size_t i = 0; i < due; i++)
            assert_int_equal(p.wire[p.wire_len - 1 - i], 0x41);
        assert_int_equal(p.wire[p.wire_len - 1 - due], 0);
        edit_free(&p);
    }
}

static void test_nothing_changed(void **state)
{
    char same[] = "MaxConnections=1", absent[] = "NoKey=1", gone[] = "NoKey", unknown[] = "MaxConnections={nonsense}";
    char field[] = "CSG", one[] = "1", no_field[] = "NoField", big[] = "9";
    char *sames[] = {same}, *absents[] = {absent}, *gones[] = {gone}, *unknowns[] = {unknown};
    struct case_field_edit same_field = {.name = field, .value = one}, bad_field = {.name = no_field, .value = one};
    struct case_field_edit too_big = {.name = field, .value = big};
    uint8_t zeros[4] = {0}, first[] = {0x43};
    struct case_bytes_edit same_bytes = {.offset = 0, .bytes = first, .len = 1};
    struct case_bytes_edit far_bytes = {.offset = 5000, .bytes = first, .len = 1};
    const struct {
        struct case_edit e;
        const char *reason;
    } rows[] = {
        {{.set = {sames, 1}}, "changed nothing"},
        {{.set = {absents, 1}}, "matches no PDU"},
        {{.set = {unknowns, 1}}, "no such live value"},
        {{.drop = {gones, 1}}, "matches no PDU"},
        {{.header = &same_field, .header_count = 1}, "changed nothing"},
        {{.header = &bad_field, .header_count = 1}, "no field"},
        {{.header = &too_big, .header_count = 1}, "does not fit"},
        {{.pad = zeros, .pad_len = pdu_padding(sizeof(text))}, "changed nothing"},
        {{.grow = sizeof(text) + 1}, "grown are at least"},
        {{.grow = 200, .pad = first, .pad_len = 1, .pad_filled = true}, "no padding is due"},
        {{.bytes = &same_bytes, .bytes_count = 1}, "changed nothing"},
        {{.bytes = &far_bytes, .bytes_count = 1}, "lies behind"},
        {{.text = (char *)(uintptr_t)text, .text_len = sizeof(text)}, "changed nothing"},
    };

    (void)state;
    assert_true(pdu_padding(sizeof(text)) > 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct edit_pdu p;
        char err[300] = "";

        if (apply(&p, &rows[i].e, err, sizeof(err)) != -1 || !strstr(err, rows[i].reason))
            fail_msg("row %zu: %s", i, err);
        edit_free(&p);
    }
}

static void test_matches(void **state)
{
    char set[] = "SessionType=x", drop[] = "NoKey", all[] = "*", t[] = "T", one[] = "1";
    char *sets[] = {set}, *drops[] = {drop}, *alls[] = {all};
    struct case_field_edit field = {.name = t, .value = one};
    const struct case_edit by_set = {.set = {sets, 1}}, by_drop = {.drop = {drops, 1}}, by_all = {.drop = {alls, 1}};
    const struct case_edit by_header = {.header = &field, .header_count = 1};
    struct edit_pdu p;

    (void)state;
    load(&p);
    assert_true(edit_matches(&by_set, &p, false));
    assert_false(edit_matches(&by_drop, &p, true));
    assert_true(edit_matches(&by_all, &p, true) && !edit_matches(&by_all, &p, false));
    assert_true(edit_matches(&by_header, &p, true) && !edit_matches(&by_header, &p, false));
    edit_free(&p);
}

static void test_live_values(void **state)
{
    static const struct {
        const char *in, *out; /* NULL: an error */
    } rows[] = {
        {"{target}/{initiator}", "iqn.t/iqn.a"},
        {"{absent_target}", "iqn.t-absent"},
        {"{isid} {tsih} {cid}", "0x800102030405 7 2"},
        {"{itt} {cmdsn} {expstatsn}", "16909060 9 10"},
        {"{portal} {chap_i} {chap_c}", "127.0.0.1:3260 5 0x0102"},
        {"{target:B}{tsih:B}", "iqn.o4660"},
        {"{tsih:C}", NULL},
        {"{nonsense}", NULL},
        {"{chap_r:99:x}", NULL},
        {"{chap_r:5:x:y}", NULL},
        {"{Not a word} {", "{Not a word} {"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char err[200];
        size_t len = 99;
        char *out = live_expand(rows[i].in, strlen(rows[i].in), &scope, &len, err, sizeof(err));

        if (!rows[i].out) {
            assert_null(out);
            assert_true(strlen(err) > 0);
        } else {
            assert_non_null(out);
            assert_int_equal(len, strlen(rows[i].out));
            assert_string_equal(out, rows[i].out);
        }
        free(out);
    }
}

/* RFC 1994: MD5 over the identifier, the secret and the challenge. */
static void test_live_response(void **state)
{
    char err[200];
    size_t len = 0;
    char *own = live_expand("{chap_r:5}", 10, &scope, &len, err, sizeof(err));
    char *named = live_expand("{chap_r:5:secret-of-user}", 25, &scope, &len, err, sizeof(err));
    char *wrong = live_expand("{chap_r:5:x}", 12, &scope, &len, err, sizeof(err));

    (void)state;
    assert_string_equal(own, named);
    assert_string_not_equal(own, wrong);
    free(own);
    free(named);
    free(wrong);
}

/* The same response in each form that it can be written in. */
static void test_live_response_forms(void **state)
{
    static const char *const forms[] = {"{chap_r:5}", "{chap_r:5::hex}", "{chap_r:5::upper}", "{chap_r:5::base64}",
                                        "{chap_r:5:secret-of-user:prefix}"};
    char *out[5], err[200];
    uint8_t bytes[5][64];
    size_t lens[5], len = 0;

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        out[i] = live_expand(forms[i], strlen(forms[i]), &scope, &len, err, sizeof(err));
        assert_non_null(out[i]);
        assert_int_equal(text_decode_binary(out[i], len, bytes[i], sizeof(bytes[i]), &lens[i]), TEXT_BINARY_OK);
    }
    assert_string_equal(out[0], out[1]);
    assert_memory_equal(out[2], "0X", 2);
    assert_int_equal(strcspn(out[2], "abcdefx"), strlen(out[2]));
    assert_memory_equal(out[3], "0b", 2);
    for (size_t i = 1; i < 5; i++) {
        assert_int_equal(lens[i], i == 4 ? 8 : 16);
        assert_memory_equal(bytes[i], bytes[0], lens[i]);
    }
    for (size_t i = 0; i < 5; i++)
        free(out[i]);
}

static void test_no_pdu(void **state)
{
    uint8_t pdu[PDU_BHS_LEN] = {0x43};
    struct edit_pdu p;

    (void)state;
    assert_false(edit_load(&p, pdu, 20));
    edit_free(&p);
    pdu_set_data_len(pdu, 100);
    assert_false(edit_load(&p, pdu, sizeof(pdu)));
    edit_free(&p);
    pdu_set_data_len(pdu, 0);
    pdu[4] = 1;
    assert_false(edit_load(&p, pdu, sizeof(pdu)));
    edit_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_order_and_length),
        cmocka_unit_test(test_whole_text),
        cmocka_unit_test(test_nothing_changed),
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_live_values),
        cmocka_unit_test(test_live_response),
        cmocka_unit_test(test_no_pdu),
        cmocka_unit_test(test_grow),
        cmocka_unit_test(test_pad_filled),
        cmocka_unit_test(test_live_response_forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
