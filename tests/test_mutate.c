/* The mutator and the live values of a session input. */
#include "harness/mutate.h"
#include "harness/session_input.h"
#include "harness/session_live.h"
#include "wire/bytes.h"
#include "wire/chap.h"
#include "wire/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { CAP = 32768, ROUNDS = 20000 };

static const struct mutate_options session_options = {.format = MUTATE_SESSION};

/* A plain login, made by the mutator itself from nothing. */
static size_t plain_login(enum mutate_format format, uint64_t seed, uint8_t *out)
{
    const struct mutate_options options = {.format = format};

    return mutate(&options, seed, NULL, 0, NULL, 0, out, CAP);
}

static void test_same_seed_same_bytes(void **state)
{
    static uint8_t in[CAP], a[CAP], b[CAP];
    size_t len = plain_login(MUTATE_SESSION, 3, in), changed = 0;

    (void)state;
    assert_true(len > 0);
    for (uint64_t seed = 0; seed < 500; seed++) {
        size_t a_len = mutate(&session_options, seed, in, len, in, len, a, CAP);
        size_t b_len = mutate(&session_options, seed, in, len, in, len, b, CAP);

        assert_int_equal(a_len, b_len);
        assert_memory_equal(a, b, a_len);
        changed += a_len != len || memcmp(a, in, len) != 0;
    }
    assert_true(changed > 490);
}

/* Buffers of exact size, so that a sanitizer sees every byte too far. */
static void hammer(enum mutate_format format, size_t cap)
{
    const struct mutate_options options = {
        .format = format, .secret = "secret", .challenge = (const uint8_t *)"x", .challenge_len = 1};
    uint8_t *seed = malloc(CAP), *in = malloc(cap), *out = malloc(cap), *other = malloc(cap);
    size_t len = plain_login(format, 1, seed), other_len;

    if (len > cap)
        len = cap;
    memcpy(in, seed, len);
    memcpy(other, seed, len);
    other_len = len;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        size_t out_len = mutate(&options, i, in, len, i % 3 == 0 ? NULL : other, other_len, out, cap);
        uint8_t *swap = out;

        assert_true(out_len <= cap);
        if (i % 50 == 49) { /* begin anew from a login now and then */
            len = plain_login(format, i, seed);
            len = len > cap ? cap : len;
            memcpy(in, seed, len);
            continue;
        }
        out = i % 2 == 0 ? in : other;
        *(i % 2 == 0 ? &in : &other) = swap;
        *(i % 2 == 0 ? &len : &other_len) = out_len;
    }
    free(seed);
    free(in);
    free(out);
    free(other);
}

static void test_any_bytes(void **state)
{
    (void)state;
    hammer(MUTATE_SESSION, CAP);
    hammer(MUTATE_SESSION, 700);
    hammer(MUTATE_STREAM, CAP);
    hammer(MUTATE_STREAM, 60);
    hammer(MUTATE_TEXT, CAP);
    hammer(MUTATE_TEXT, 5);
    hammer(MUTATE_SESSION, 1);
}

/* Each kind of change applies to some login of CHAP and then really changes it. */
static void test_each_change(void **state)
{
    static uint8_t in[CAP], other[CAP], out[CAP];
    size_t len, other_len = plain_login(MUTATE_SESSION, 1, other), out_len;

    (void)state;
    for (size_t index = 0; mutate_name(index) != NULL; index++) {
        size_t applied = 0, differs = 0;

        for (uint64_t seed = 0; seed < 300; seed++) {
            len = plain_login(MUTATE_SESSION, seed % 20, in);
            if (!mutate_once(&session_options, index, seed, in, len, other, other_len, out, CAP, &out_len))
                continue;
            applied++;
            differs += out_len != len || memcmp(in, out, len) != 0;
        }
        if (applied < 20 || differs * 10 < applied * 8)
            fail_msg("%s: applied %zu of 300, differs %zu", mutate_name(index), applied, differs);
    }
}

static size_t change_named(const char *name)
{
    size_t index = 0;

    while (mutate_name(index) != NULL && strcmp(mutate_name(index), name) != 0)
        index++;
    assert_non_null(mutate_name(index));
    return index;
}

/* Adds up the text of all login PDUs; checks that every record is one PDU with right lengths. */
static size_t all_text(const uint8_t *input, size_t len, uint8_t *text, size_t *pdus)
{
    const uint8_t *p = input, *end = input + len;
    struct session_input_record record;
    size_t total = 0;

    *pdus = 0;
    while (session_input_next(&p, end, &record)) {
        assert_true(record.len >= PDU_BHS_LEN);
        assert_int_equal(record.len, pdu_total_len(record.bytes, false, false));
        memcpy(text + total, record.bytes + PDU_BHS_LEN, pdu_data_len(record.bytes));
        total += pdu_data_len(record.bytes);
        (*pdus)++;
    }
    return total;
}

static void test_split_keeps_the_text(void **state)
{
    static uint8_t in[CAP], out[CAP], before[CAP], after[CAP];
    size_t index = change_named("split with the C bit"), pdus, more, out_len, done = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 500; seed++) {
        size_t len = plain_login(MUTATE_SESSION, seed % 20, in);
        size_t text = all_text(in, len, before, &pdus);

        if (!mutate_once(&session_options, index, seed, in, len, NULL, 0, out, CAP, &out_len))
            continue;
        assert_int_equal(all_text(out, out_len, after, &more), text);
        assert_memory_equal(before, after, text);
        assert_int_equal(more, pdus + 1);
        done++;
    }
    assert_true(done > 400);
}

/* Changes of text leave a well-formed stream: lengths and padding follow. */
static void test_lengths_follow(void **state)
{
    static const char *const names[] = {
        "value by type", "add a key",   "drop a key",     "repeat a key", "grow a value", "break the form of a pair",
        "list item",     "mutual CHAP", "join two texts", "insert a PDU"};
    static uint8_t in[CAP], out[CAP], text[CAP * 2];
    size_t pdus, out_len;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        for (uint64_t seed = 0; seed < 300; seed++) {
            size_t len = plain_login(MUTATE_SESSION, seed % 20, in);

            if (mutate_once(&session_options, change_named(names[i]), seed, in, len, NULL, 0, out, CAP, &out_len))
                all_text(out, out_len, text, &pdus);
        }
}

/* ---- live values ---- */

static const struct session_live_names names = {.target = "iqn.x:t",
                                                .chap_target = "iqn.x:chap",
                                                .initiator = "iqn.x:i",
                                                .user = "user",
                                                .secret = (const uint8_t *)"secret",
                                                .secret_len = 6,
                                                .isid = {0x80, 1, 2, 3, 4, 0x10}};

static size_t answer_pdu(uint8_t *out, uint8_t flags, uint16_t tsih, const char *text, size_t text_len)
{
    struct pdu_login_response response = {.transit = (flags & 0x80) != 0,
                                          .csg = flags >> 2 & 3,
                                          .nsg = flags & 3,
                                          .data_len = (uint32_t)text_len,
                                          .tsih = tsih,
                                          .stat_sn = 41};

    pdu_login_response_encode(&response, out);
    memcpy(out + PDU_BHS_LEN, text, text_len);
    memset(out + PDU_BHS_LEN + text_len, 0, pdu_padding(text_len));
    return PDU_BHS_LEN + pdu_padded_len(text_len);
}

static size_t request_pdu(uint8_t *out, const char *text, size_t text_len)
{
    struct pdu_login_request request = {.immediate = true, .data_len = (uint32_t)text_len, .isid = {0, 0, 0, 0, 0, 5}};

    pdu_login_request_encode(&request, out);
    memcpy(out + PDU_BHS_LEN, text, text_len);
    memset(out + PDU_BHS_LEN + text_len, 0, pdu_padding(text_len));
    return PDU_BHS_LEN + pdu_padded_len(text_len);
}

#define TEXT(literal) (literal), sizeof(literal)

static void test_chap_response(void **state)
{
    static struct session_live live;
    static const uint8_t challenge[] = {1, 2, 3, 4};
    uint8_t pdu[512], out[1024], hash[CHAP_MAX_HASH_LEN];
    char expected[TEXT_HEX_SIZE(CHAP_MAX_HASH_LEN)];
    const uint8_t *bytes;
    struct text_pair pair;
    size_t len, hash_len;

    (void)state;
    session_live_init(&live, &names);
    len = answer_pdu(pdu, 0, 0, TEXT("CHAP_A=5\0CHAP_I=9\0CHAP_C=0x01020304"));
    for (size_t i = 0; i < len; i++) /* byte by byte */
        session_live_answer(&live, 1, pdu + i, 1);
    chap_response(chap_algorithm_find(5), 9, "secret", 6, challenge, 4, hash, sizeof(hash), &hash_len);
    text_encode_hex(hash, hash_len, expected, sizeof(expected));

    struct session_input_record record = {
        .conn = 1, .bytes = pdu, .live = SESSION_INPUT_LIVE_TEXT | SESSION_INPUT_LIVE_SN | SESSION_INPUT_LIVE_ISID};
    record.len = request_pdu(pdu, TEXT("CHAP_N={user}\0CHAP_R={chap_r}\0CHAP_C={chap_c}\0X={nosuch}"));
    len = session_live_render(&live, &record, out, sizeof(out), &bytes);
    assert_ptr_equal(bytes, out);
    assert_int_equal(len, pdu_total_len(out, false, false));
    assert_true(text_find(out + PDU_BHS_LEN, pdu_data_len(out), "CHAP_R", &pair));
    assert_int_equal(pair.value_len, strlen(expected));
    assert_memory_equal(pair.value, expected, pair.value_len);
    assert_true(text_find(out + PDU_BHS_LEN, pdu_data_len(out), "CHAP_C", &pair));
    assert_memory_equal(pair.value, "0x01020304", 10);
    assert_true(text_find(out + PDU_BHS_LEN, pdu_data_len(out), "X", &pair));
    assert_memory_equal(pair.value, "{nosuch}", 8);
    assert_int_equal(bytes_get_be32(out + 28), 42);
    assert_int_equal(out[8], 0x80);
    assert_int_equal(out[13], 0x15);
    assert_true(live.conns[1].response_sent);
    record.conn = 0; /* this connection has no challenge */
    len = session_live_render(&live, &record, out, sizeof(out), &bytes);
    assert_true(text_find(out + PDU_BHS_LEN, pdu_data_len(out), "CHAP_R", &pair));
    assert_int_equal(pair.value_len, 0);
    record.live = 0;
    assert_int_equal(session_live_render(&live, &record, out, sizeof(out), &bytes), record.len);
    assert_ptr_equal(bytes, pdu);
}

static void test_join_takes_tsih(void **state)
{
    static struct session_live live;
    uint8_t pdu[256], out[256];
    const uint8_t *bytes;

    (void)state;
    session_live_init(&live, &names);
    session_live_answer(&live, 0, pdu, answer_pdu(pdu, 0x87, 0x1234, TEXT("TargetPortalGroupTag=1")));
    struct session_input_record record = {.conn = 2, .bytes = pdu, .live = SESSION_INPUT_LIVE_TSIH};
    record.len = request_pdu(pdu, TEXT("InitiatorName=x"));
    session_live_render(&live, &record, out, sizeof(out), &bytes);
    assert_int_equal(bytes_get_be16(out + 14), 0x1234);
}

/* A length that lied lies as much after the tokens were filled in. */
static void test_lies_stay(void **state)
{
    static struct session_live live;
    uint8_t pdu[256], out[256];
    const uint8_t *bytes;

    (void)state;
    session_live_init(&live, &names);
    struct session_input_record record = {.bytes = pdu, .live = SESSION_INPUT_LIVE_TEXT};
    record.len = request_pdu(pdu, TEXT("TargetName={target}"));
    size_t said = pdu_data_len(pdu) + 100;
    pdu_set_data_len(pdu, said);
    size_t len = session_live_render(&live, &record, out, sizeof(out), &bytes);
    assert_int_equal(pdu_data_len(out), said - strlen("{target}") + strlen("iqn.x:t"));
    assert_int_equal(len, record.len); /* the padding made up for it */
    assert_int_equal(session_live_render(&live, &record, out, 50, &bytes), 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed_same_bytes), cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_each_change),          cmocka_unit_test(test_split_keeps_the_text),
        cmocka_unit_test(test_lengths_follow),       cmocka_unit_test(test_chap_response),
        cmocka_unit_test(test_join_takes_tsih),      cmocka_unit_test(test_lies_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
