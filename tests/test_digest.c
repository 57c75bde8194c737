/* Tests of wire/digest against the examples of RFC 3720 B.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/digest.h"

static const uint8_t read_command[48] = {
    0x01, 0xc0, 0, 0,    0, 0, 0, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0,
    0,    0,    0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0,    0,
};

/* Fills 32 bytes: start, start + step, ... */
static void fill(uint8_t *out, unsigned start, int step)
{
    for (int i = 0; i < 32; i++)
        out[i] = (uint8_t)((int)start + i * step);
}

static void rfc_examples(void **state)
{
    static const struct {
        unsigned start;
        int step;
        uint8_t wire[DIGEST_LEN];
    } rows[] = {
        {0x00, 0, {0xaa, 0x36, 0x91, 0x8a}},
        {0xff, 0, {0x43, 0xab, 0xa8, 0x62}},
        {0x00, 1, {0x4e, 0x79, 0xdd, 0x46}},
        {0x1f, -1, {0x5c, 0xdb, 0x3f, 0x11}},
    };
    uint8_t data[32];
    uint8_t wire[DIGEST_LEN];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fill(data, rows[i].start, rows[i].step);
        digest_put(wire, digest_crc32c(data, sizeof(data)));
        assert_memory_equal(wire, rows[i].wire, DIGEST_LEN);
        assert_true(digest_check(data, sizeof(data), rows[i].wire));
    }
    assert_true(digest_check(read_command, 48, (const uint8_t *)"\x56\x3a\x96\xd9"));
}

static void known_number(void **state)
{
    (void)state;
    assert_int_equal(digest_crc32c("123456789", 9), 0xe3069283);
    assert_int_equal(digest_crc32c(NULL, 0), 0);
}

/* Every split of the data gives the same digest, whatever its alignment. */
static void pieces(void **state)
{
    uint32_t whole = digest_crc32c(read_command, 48);

    (void)state;
    for (size_t cut = 0; cut <= 48; cut++) {
        uint32_t crc = digest_update(DIGEST_START, read_command, cut);

        crc = digest_update(crc, read_command + cut, 48 - cut);
        assert_int_equal(digest_finish(crc), whole);
    }
}

static void every_flipped_bit_is_seen(void **state)
{
    uint8_t data[48];
    uint8_t wire[DIGEST_LEN];

    (void)state;
    memcpy(data, read_command, sizeof(data));
    digest_put(wire, digest_crc32c(data, sizeof(data)));
    assert_int_equal(digest_get(wire), digest_crc32c(data, sizeof(data)));
    for (size_t bit = 0; bit < 8 * sizeof(data); bit++) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(digest_check(data, sizeof(data), wire));
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * DIGEST_LEN; bit++) {
        wire[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(digest_check(data, sizeof(data), wire));
        wire[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_examples),
        cmocka_unit_test(known_number),
        cmocka_unit_test(pieces),
        cmocka_unit_test(every_flipped_bit_is_seen),
    };

    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
