/* Tests of wire/chap. Expected hashes were computed with Python's hashlib. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/chap.h"
#include "wire/text.h"

static const char secret[] = "a secret of 20 bytes";

static const struct {
    unsigned number;
    const char *name;
    const char *full;  /* id 0x5a, the secret, challenge 00..0f */
    const char *empty; /* id 0, no secret, no challenge */
} rows[] = {
    {CHAP_MD5, "MD5", "0x79e7222b9229ca10f01d698366da79a4", "0x93b885adfe0da089cdf634904fd59f71"},
    {CHAP_SHA1, "SHA-1", "0xa19cb52fbd908256eb17f857b0bd5c36367b04f9", "0x5ba93c9db0cff93f52b521d7420e43f6eda2784f"},
    {CHAP_SHA256, "SHA-256", "0xc4e13c1e2b4a8f97e5a050f3b8d9b05df53c889bdfc7678065fabcd408eecede",
     "0x6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    {CHAP_SHA3_256, "SHA3-256", "0x770699820e31d12e8038c5ba27056c409c1edb35fe32658fd72273eceeeab8c1",
     "0x5d53469f20fef4f8eab52b88044ede69c77a6a68a60728609fc4a65ff531e7d0"},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void algorithms(void **state)
{
    size_t count = 0;

    (void)state;
    while (chap_algorithm_at(count) != NULL) {
        assert_string_equal(chap_algorithm_at(count)->name, rows[count].name);
        assert_true(chap_algorithm_available(chap_algorithm_at(count)));
        assert_true(chap_algorithm_at(count)->hash_len <= CHAP_MAX_HASH_LEN);
        count++;
    }
    assert_int_equal(count, ROWS);
    for (uint64_t number = 0; number < 300; number++)
        assert_int_equal(chap_algorithm_find(number) != NULL, number >= 5 && number <= 8);
    assert_null(chap_algorithm_find((UINT64_C(1) << 32) + 5));
}

static void responses(void **state)
{
    uint8_t challenge[16];
    uint8_t out[CHAP_MAX_HASH_LEN];
    char hex[TEXT_HEX_SIZE(CHAP_MAX_HASH_LEN)];
    size_t out_len;

    (void)state;
    for (size_t i = 0; i < sizeof(challenge); i++)
        challenge[i] = (uint8_t)i;
    for (size_t i = 0; i < ROWS; i++) {
        const struct chap_algorithm *algorithm = chap_algorithm_find(rows[i].number);

        assert_int_equal(chap_response(algorithm, 0x5a, secret, 20 - 1, challenge, 16, out, sizeof(out), &out_len),
                         CHAP_OK);
        assert_int_equal(out_len, algorithm->hash_len);
        assert_int_not_equal(text_encode_hex(out, out_len, hex, sizeof(hex)), 0);
        /* one byte of the secret short: another hash */
        assert_string_not_equal(hex, rows[i].full);
        assert_int_equal(
            chap_response(algorithm, 0x5a, secret, strlen(secret), challenge, 16, out, sizeof(out), &out_len), CHAP_OK);
        assert_int_not_equal(text_encode_hex(out, out_len, hex, sizeof(hex)), 0);
        assert_string_equal(hex, rows[i].full);
        assert_int_equal(chap_response(algorithm, 0, NULL, 0, NULL, 0, out, sizeof(out), &out_len), CHAP_OK);
        assert_int_not_equal(text_encode_hex(out, out_len, hex, sizeof(hex)), 0);
        assert_string_equal(hex, rows[i].empty);
    }
}

static void failures(void **state)
{
    static const struct chap_algorithm unknown = {99, "none", "NO-SUCH-HASH", 16};
    static const struct chap_algorithm wrong = {98, "wrong", "MD5", 20};
    uint8_t out[CHAP_MAX_HASH_LEN];
    uint8_t before[CHAP_MAX_HASH_LEN];
    size_t out_len = 77;

    (void)state;
    memset(out, 0xaa, sizeof(out));
    memcpy(before, out, sizeof(out));
    for (size_t i = 0; i < ROWS; i++) {
        const struct chap_algorithm *algorithm = chap_algorithm_find(rows[i].number);

        assert_int_equal(chap_response(algorithm, 1, "x", 1, "y", 1, out, algorithm->hash_len - 1, &out_len),
                         CHAP_NO_ROOM);
        assert_int_equal(out_len, 0);
    }
    assert_false(chap_algorithm_available(&unknown));
    assert_int_equal(chap_response(&unknown, 1, "x", 1, "y", 1, out, sizeof(out), &out_len), CHAP_UNAVAILABLE);
    assert_int_equal(chap_response(&wrong, 1, "x", 1, "y", 1, out, sizeof(out), &out_len), CHAP_UNAVAILABLE);
    assert_int_equal(out_len, 0);
    assert_memory_equal(out, before, sizeof(out));
}

static void equality(void **state)
{
    (void)state;
    assert_true(chap_equal("abc", 3, "abc", 3));
    assert_true(chap_equal("", 0, "", 0));
    assert_false(chap_equal("abc", 3, "abd", 3));
    assert_false(chap_equal("abc", 3, "ab", 2));
    assert_false(chap_equal("abc", 3, "abcd", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(algorithms),
        cmocka_unit_test(responses),
        cmocka_unit_test(failures),
        cmocka_unit_test(equality),
    };

    return cmocka_run_group_tests_name("chap", tests, NULL, NULL);
}
