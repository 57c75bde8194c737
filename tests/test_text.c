/* Tests of wire/text: pairs and the builder; test_text_value.c has the values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exact.h"
#include "wire/text.h"

/* ---- pairs ---- */

static void cursor_results(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        enum text_result results[4]; /* up to and with TEXT_END */
    } rows[] = {
        {BYTES(""), {TEXT_END}},
        {BYTES("A=b\0"), {TEXT_PAIR, TEXT_END}},
        {BYTES("A=\0B==\0"), {TEXT_PAIR, TEXT_PAIR, TEXT_END}},
        {BYTES("A=b"), {TEXT_NO_NULL, TEXT_END}},
        {BYTES("A"), {TEXT_NO_NULL, TEXT_END}},
        {BYTES("A=b\0C"), {TEXT_PAIR, TEXT_NO_NULL, TEXT_END}},
        {BYTES("\0"), {TEXT_EMPTY_STRING, TEXT_END}},
        {BYTES("A=b\0\0C=d\0"), {TEXT_PAIR, TEXT_EMPTY_STRING, TEXT_PAIR, TEXT_END}},
        {BYTES("A=b\0\0"), {TEXT_PAIR, TEXT_EMPTY_STRING, TEXT_END}},
        {BYTES("AB\0C=d\0"), {TEXT_NO_EQUALS, TEXT_PAIR, TEXT_END}},
        {BYTES("=b\0"), {TEXT_EMPTY_KEY, TEXT_END}},
        {BYTES("=\0"), {TEXT_EMPTY_KEY, TEXT_END}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *copy = exact(rows[i].text, rows[i].len);
        struct text_cursor cursor;
        struct text_pair pair;
        size_t n = 0;

        text_cursor_init(&cursor, copy, rows[i].len);
        do {
            assert_int_equal(text_next(&cursor, &pair), rows[i].results[n]);
        } while (rows[i].results[n++] != TEXT_END);
        assert_int_equal(text_next(&cursor, &pair), TEXT_END);
        assert_int_equal(pair.len, 0);
        free(copy);
    }
}

static void cursor_pairs(void **state)
{
    static const char text[] = "TargetName=iqn.x\0CHAP_C=0bAA==\0Alias=\0";
    struct text_cursor cursor;
    struct text_pair pair;

    (void)state;
    text_cursor_init(&cursor, text, sizeof(text) - 1);
    assert_int_equal(text_next(&cursor, &pair), TEXT_PAIR);
    assert_true(text_pair_is(&pair, "TargetName"));
    assert_false(text_pair_is(&pair, "TargetNam"));
    assert_false(text_pair_is(&pair, "TargetNames"));
    assert_true(text_equals(pair.value, pair.value_len, "iqn.x"));
    assert_int_equal(pair.offset, 0);
    assert_int_equal(pair.len, 17);
    assert_int_equal(text_next(&cursor, &pair), TEXT_PAIR);
    assert_true(text_equals(pair.value, pair.value_len, "0bAA=="));
    assert_int_equal(pair.offset, 17);
    assert_ptr_equal(pair.key, text + 17);
    assert_int_equal(text_next(&cursor, &pair), TEXT_PAIR);
    assert_int_equal(pair.value_len, 0);
    assert_int_equal(text_next(&cursor, &pair), TEXT_END);
    text_cursor_init(&cursor, NULL, 0);
    assert_int_equal(text_next(&cursor, &pair), TEXT_END);
}

static void long_keys(void **state)
{
    char text[80];
    struct text_pair pair;

    (void)state;
    memset(text, 'K', sizeof(text));
    memcpy(text + 63, "=v", 3);
    assert_int_equal(text_check(text, 66, NULL), TEXT_END);
    memset(text, 'K', sizeof(text));
    memcpy(text + 64, "=v", 3);
    assert_int_equal(text_check(text, 67, &pair), TEXT_KEY_TOO_LONG);
    assert_int_equal(pair.key_len, 64);
    assert_int_equal(text_count(text, 67, NULL), 0);
}

/* Every text of up to 6 bytes over an alphabet with all special characters: the
 * strings add up to the text, and all pointers stay inside it. */
static void cursor_takes_anything(void **state)
{
    static const char alphabet[] = {'\0', '=', 'A', ','};

    (void)state;
    for (size_t len = 0; len <= 6; len++) {
        size_t total = (size_t)1 << (2 * len);

        for (size_t n = 0; n < total; n++) {
            char *text = malloc(len > 0 ? len : 1);
            struct text_cursor cursor;
            struct text_pair pair;
            size_t sum = 0;

            assert_non_null(text);
            for (size_t i = 0; i < len; i++)
                text[i] = alphabet[n >> (2 * i) & 3];
            text_cursor_init(&cursor, text, len);
            while (text_next(&cursor, &pair) != TEXT_END) {
                assert_int_equal(pair.offset, sum);
                assert_true(pair.len > 0);
                assert_true(pair.key_len + pair.value_len <= pair.len);
                assert_true(pair.value + pair.value_len <= text + len);
                sum += pair.len;
            }
            assert_int_equal(sum, len);
            free(text);
        }
    }
}

static void find_and_count(void **state)
{
    static const char text[] = "A=1\0\0B\0=x\0A=2\0C=3";
    struct text_pair pair;

    (void)state;
    assert_true(text_find(text, sizeof(text) - 1, "A", &pair));
    assert_true(text_equals(pair.value, pair.value_len, "1"));
    assert_int_equal(text_count(text, sizeof(text) - 1, "A"), 2);
    assert_int_equal(text_count(text, sizeof(text) - 1, NULL), 3);
    /* the last pair lacks its null byte but can be told */
    assert_true(text_find(text, sizeof(text) - 1, "C", &pair));
    assert_int_equal(pair.offset, 14);
    assert_false(text_find(text, sizeof(text) - 1, "B", &pair));
    assert_false(text_find(text, sizeof(text) - 1, "", &pair));
    assert_false(text_find("C", 1, "C", &pair));
    assert_false(text_find(NULL, 0, "A", &pair));
    assert_int_equal(text_check(text, sizeof(text) - 1, &pair), TEXT_EMPTY_STRING);
    assert_int_equal(pair.offset, 4);
    assert_int_equal(text_check(BYTES("A=1\0"), NULL), TEXT_END);
}

static void key_names(void **state)
{
    static const struct {
        const char *name;
        bool valid;
    } rows[] = {
        {"TargetName", true},
        {"X-com.example.a_b+c@d", true},
        {"A", true},
        {"iSCSIProtocolLevel", true},
        {"X#NodeArchitecture", true},
        {"", false},
        {"targetName", false},
        {"1Key", false},
        {"Key Name", false},
        {"Key#", false},
        {"K\xc3\xa9y", false},
        {"Key:", false},
        {"_Key", false},
        {"KKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKK", true},
        {"KKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKK", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(text_key_valid(rows[i].name, strlen(rows[i].name)), rows[i].valid);
    assert_false(text_key_valid("K\0y", 3));
    assert_true(text_key_valid("iSERHelloRequired", 17));
}

/* ---- builder ---- */

static void build_and_edit(struct text_buf *buf)
{
    assert_true(text_buf_add(buf, "A", "1"));
    assert_true(text_buf_addf(buf, "B", "%d~%s", 7, "9"));
    assert_true(text_buf_add_n(buf, "A", "x\0y", 3));
    assert_true(text_buf_add(buf, "C", ""));
    assert_int_equal(buf->len, 19);
    assert_memory_equal(buf->data, "A=1\0B=7~9\0A=x\0y\0C=\0", 19);
    assert_int_equal(text_buf_replace(buf, "A", "long"), 2);
    assert_memory_equal(buf->data, "A=long\0B=7~9\0A=long\0y\0C=\0", buf->len);
    assert_int_equal(text_buf_replace(buf, "A", ""), 2);
    assert_int_equal(text_buf_replace(buf, "Z", "1"), 0);
    assert_memory_equal(buf->data, "A=\0B=7~9\0A=\0y\0C=\0", buf->len);
    assert_int_equal(text_buf_drop(buf, "A"), 2);
    assert_int_equal(text_buf_drop(buf, "A"), 0);
    assert_memory_equal(buf->data, "B=7~9\0y\0C=\0", buf->len);
    assert_true(text_buf_set(buf, "D", "new"));
    assert_true(text_buf_set(buf, "B", "1"));
    assert_int_equal(buf->len, 15);
    assert_memory_equal(buf->data, "B=1\0y\0C=\0D=new\0", 15);
    assert_true(text_buf_add_raw(buf, "B=2", 3));
    assert_true(text_buf_set(buf, "B", "33"));
    assert_memory_equal(buf->data, "B=33\0y\0C=\0D=new\0", buf->len);
    assert_true(text_buf_splice(buf, 0, buf->len, "Q=\0", 3));
    assert_int_equal(buf->len, 3);
    assert_false(buf->overflow);
}

static void fixed_buffer(void **state)
{
    char mem[64];
    struct text_buf buf;

    (void)state;
    text_buf_init_fixed(&buf, mem, sizeof(mem));
    build_and_edit(&buf);
    text_buf_free(&buf); /* must leave the caller's memory alone */
    assert_int_equal(buf.len, 0);
    build_and_edit(&buf);
}

static void growing_buffer(void **state)
{
    struct text_buf buf;

    (void)state;
    text_buf_init_growing(&buf, 70000, NULL, NULL);
    assert_int_equal(text_buf_drop(&buf, "A"), 0);
    assert_true(text_buf_add_raw(&buf, "", 0));
    build_and_edit(&buf);
    text_buf_clear(&buf);
    for (int i = 0; i < 1000; i++)
        assert_true(text_buf_addf(&buf, "Key", "%030d", i));
    assert_int_equal(text_count(buf.data, buf.len, "Key"), 1000);
    assert_int_equal(text_buf_replace(&buf, "Key", "0123456789012345678901234567890123456789"), 1000);
    assert_int_equal(buf.len, 45000);
    text_buf_free(&buf);
    assert_null(buf.data);
}

static void overflow_is_sticky(void **state)
{
    char mem[8];
    struct text_buf buf;

    (void)state;
    text_buf_init_fixed(&buf, mem, sizeof(mem));
    assert_true(text_buf_add(&buf, "A", "1"));
    assert_false(text_buf_add(&buf, "B", "12"));
    assert_true(buf.overflow);
    assert_int_equal(buf.len, 4);
    assert_false(text_buf_add(&buf, "C", "")); /* would fit, but the text has a hole */
    assert_false(text_buf_addf(&buf, "C", "%s", ""));
    assert_int_equal(text_buf_replace(&buf, "A", "2"), 0);
    assert_memory_equal(mem, "A=1\0", 4);
    text_buf_clear(&buf);
    assert_true(text_buf_add(&buf, "A", "12345"));
    assert_int_equal(text_buf_replace(&buf, "A", "123456"), 0);
    assert_memory_equal(mem, "A=12345\0", 8);
    text_buf_clear(&buf);
    assert_false(text_buf_addf(&buf, "A", "%s", "123456"));
    assert_int_equal(buf.len, 0);
    text_buf_init_fixed(&buf, NULL, 0);
    assert_false(text_buf_add(&buf, "A", ""));
}

static void limit_of_a_growing_buffer(void **state)
{
    static const size_t limits[] = {0, 4, 255, 256, 257, 300, 513};

    (void)state;
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct text_buf buf;
        size_t added = 0;

        text_buf_init_growing(&buf, limits[i], NULL, NULL);
        while (text_buf_add(&buf, "A", "1"))
            added++;
        assert_int_equal(added, limits[i] / 4);
        assert_true(buf.cap <= limits[i]);
        text_buf_free(&buf);
    }
}

static void splice_bounds(void **state)
{
    char mem[8];
    struct text_buf buf;

    (void)state;
    text_buf_init_fixed(&buf, mem, sizeof(mem));
    assert_true(text_buf_add_raw(&buf, "abcd", 4));
    assert_false(text_buf_splice(&buf, 5, 0, "x", 1));
    assert_false(text_buf_splice(&buf, 2, 3, "x", 1));
    assert_false(text_buf_splice(&buf, 2, SIZE_MAX, "x", 1));
    assert_false(buf.overflow);
    assert_true(text_buf_splice(&buf, 1, 2, "XYZ", 3));
    assert_memory_equal(mem, "aXYZd", 5);
    assert_true(text_buf_splice(&buf, 5, 0, "!", 1));
    assert_memory_equal(mem, "aXYZd!", 6);
    assert_false(text_buf_splice(&buf, 0, 0, "12345", SIZE_MAX));
    assert_true(buf.overflow);
}

struct failing {
    size_t calls_left;
};

/* Allocator that fails once its calls are used up. */
static void *failing_realloc(void *context, void *old, size_t size)
{
    struct failing *failing = context;

    if (size == 0) {
        free(old);
        return NULL;
    }
    if (failing->calls_left == 0)
        return NULL;
    failing->calls_left--;
    return realloc(old, size);
}

static void allocation_failures(void **state)
{
    (void)state;
    for (size_t calls = 0; calls < 6; calls++) {
        struct failing failing = {calls};
        struct text_buf buf;
        bool done = true;
        size_t pairs;

        text_buf_init_growing(&buf, 8192, failing_realloc, &failing);
        for (int i = 0; i < 200; i++)
            done = text_buf_add(&buf, "Key", "0123456789") && done;
        pairs = text_count(buf.data, buf.len, "Key");
        assert_int_equal(done, calls >= 5); /* 256, 512, 1024, 2048, 4096 */
        assert_int_equal(buf.overflow, !done);
        assert_int_equal(pairs * 15, buf.len);
        text_buf_free(&buf);
    }
}

static void results_have_names(void **state)
{
    (void)state;
    assert_string_equal(text_result_name(TEXT_NO_EQUALS), "string without '='");
    for (int i = TEXT_PAIR; i <= TEXT_NO_NULL; i++)
        assert_string_not_equal(text_result_name((enum text_result)i), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cursor_results),     cmocka_unit_test(cursor_pairs),
        cmocka_unit_test(long_keys),          cmocka_unit_test(cursor_takes_anything),
        cmocka_unit_test(find_and_count),     cmocka_unit_test(key_names),
        cmocka_unit_test(fixed_buffer),       cmocka_unit_test(growing_buffer),
        cmocka_unit_test(overflow_is_sticky), cmocka_unit_test(limit_of_a_growing_buffer),
        cmocka_unit_test(splice_bounds),      cmocka_unit_test(allocation_failures),
        cmocka_unit_test(results_have_names),
    };

    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
