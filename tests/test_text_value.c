/* Tests of wire/text: numbers, lists, binary values, names, addresses. */
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

/* ---- values ---- */

static void numbers(void **state)
{
    static const struct {
        const char *text;
        enum text_number_error error;
        uint64_t number;
    } rows[] = {
        {"0", TEXT_NUMBER_OK, 0},
        {"1", TEXT_NUMBER_OK, 1},
        {"18446744073709551615", TEXT_NUMBER_OK, UINT64_MAX},
        {"18446744073709551616", TEXT_NUMBER_TOO_LARGE, 0},
        {"99999999999999999999999", TEXT_NUMBER_TOO_LARGE, 0},
        {"0x0", TEXT_NUMBER_OK, 0},
        {"0XfF", TEXT_NUMBER_OK, 255},
        {"0x00000000000000000000001", TEXT_NUMBER_OK, 1},
        {"0xffffffffffffffff", TEXT_NUMBER_OK, UINT64_MAX},
        {"0x10000000000000000", TEXT_NUMBER_TOO_LARGE, 0},
        {"", TEXT_NUMBER_EMPTY, 0},
        {"00", TEXT_NUMBER_LEADING_ZERO, 0},
        {"0123", TEXT_NUMBER_LEADING_ZERO, 0},
        {"0x", TEXT_NUMBER_NO_DIGITS, 0},
        {"0xg", TEXT_NUMBER_BAD_DIGIT, 0},
        {"12a", TEXT_NUMBER_BAD_DIGIT, 0},
        {"a", TEXT_NUMBER_BAD_DIGIT, 0},
        {"+1", TEXT_NUMBER_BAD_DIGIT, 0},
        {"-1", TEXT_NUMBER_BAD_DIGIT, 0},
        {" 1", TEXT_NUMBER_BAD_DIGIT, 0},
        {"1 ", TEXT_NUMBER_BAD_DIGIT, 0},
        {"1.0", TEXT_NUMBER_BAD_DIGIT, 0},
        {"0b01", TEXT_NUMBER_BAD_DIGIT, 0},
        {"x1", TEXT_NUMBER_BAD_DIGIT, 0},
        {"1e3", TEXT_NUMBER_BAD_DIGIT, 0},
        {"99999999999999999999x", TEXT_NUMBER_BAD_DIGIT, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = exact(rows[i].text, strlen(rows[i].text));
        uint64_t number = 4711;
        enum text_number_error error = text_parse_number(text, strlen(rows[i].text), &number);

        free(text);
        if (error != rows[i].error)
            fail_msg("%s: %s", rows[i].text, text_number_error_name(error));
        assert_true(number == (error == TEXT_NUMBER_OK ? rows[i].number : 4711));
    }
}

static void ranges(void **state)
{
    static const struct {
        const char *text;
        enum text_number_error error;
    } rows[] = {
        {"1~65535", TEXT_NUMBER_OK},
        {"5~5", TEXT_NUMBER_OK},
        {"0x1~0xA", TEXT_NUMBER_OK},
        {"2~1", TEXT_NUMBER_UPSIDE_DOWN},
        {"2048", TEXT_NUMBER_NO_TILDE},
        {"~1", TEXT_NUMBER_EMPTY},
        {"1~", TEXT_NUMBER_EMPTY},
        {"~", TEXT_NUMBER_EMPTY},
        {"", TEXT_NUMBER_EMPTY},
        {"1~2~3", TEXT_NUMBER_BAD_DIGIT},
        {"01~2", TEXT_NUMBER_LEADING_ZERO},
    };
    uint64_t low = 0;
    uint64_t high = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(text_parse_range(rows[i].text, strlen(rows[i].text), &low, &high), rows[i].error);
    assert_int_equal(text_parse_range("3~0x10", 6, &low, &high), TEXT_NUMBER_OK);
    assert_true(low == 3 && high == 16);
}

static void booleans(void **state)
{
    static const char *const wrong[] = {"", "yes", "no", "YES", "Yes ", " No", "Ye", "1", "True", "Noo"};
    bool value = false;

    (void)state;
    assert_true(text_parse_bool("Yes", 3, &value) && value);
    assert_true(text_parse_bool("No", 2, &value) && !value);
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_false(text_parse_bool(wrong[i], strlen(wrong[i]), &value));
}

static void lists(void **state)
{
    static const struct {
        const char *text;
        const char *items; /* joined with '|' */
    } rows[] = {
        {"", ""},      {"a", "a|"},   {"a,b", "a|b|"},   {",", "||"},
        {"a,", "a||"}, {",a", "|a|"}, {"a,,b", "a||b|"}, {"a, b", "a| b|"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = strlen(rows[i].text);
        char *text = exact(rows[i].text, len);
        char joined[32] = "";
        struct text_list list;
        const char *item;
        size_t item_len;
        size_t count = 0;

        text_list_init(&list, text, len);
        while (text_list_next(&list, &item, &item_len)) {
            strncat(joined, item, item_len);
            strncat(joined, "|", 2);
            count++;
        }
        assert_false(text_list_next(&list, &item, &item_len));
        assert_string_equal(joined, rows[i].items);
        assert_int_equal(text_list_count(text, len), count);
        free(text);
    }
    assert_true(text_list_has(BYTES("CHAP,None"), BYTES("None")));
    assert_false(text_list_has(BYTES("CHAP,None"), BYTES("Non")));
    assert_false(text_list_has(BYTES("CHAP,None"), BYTES("CHAP,None")));
    assert_false(text_list_has(BYTES(""), BYTES("")));
    assert_true(text_list_has(BYTES("a,,b"), NULL, 0));
    assert_true(text_equals(NULL, 0, ""));
    assert_true(text_list_has_number(BYTES("7,0x5"), 5));
    assert_false(text_list_has_number(BYTES("7,05,x"), 5));
}

/* ---- binary ---- */

static const struct {
    const char *text;
    enum text_binary_error error;
    const char *bytes;
    size_t len;
} binary_rows[] = {
    {"0x00", TEXT_BINARY_OK, BYTES("\0")},
    {"0xaBcD", TEXT_BINARY_OK, BYTES("\xab\xcd")},
    {"0Xf", TEXT_BINARY_OK, BYTES("\x0f")},
    {"0x123", TEXT_BINARY_OK, BYTES("\x01\x23")},
    {"0x0012345", TEXT_BINARY_OK, BYTES("\0\x01\x23\x45")},
    {"0bAA==", TEXT_BINARY_OK, BYTES("\0")},
    {"0BZm9v", TEXT_BINARY_OK, BYTES("foo")},
    {"0bZm9vYg==", TEXT_BINARY_OK, BYTES("foob")},
    {"0bZm9vYmE=", TEXT_BINARY_OK, BYTES("fooba")},
    {"0b+/+/", TEXT_BINARY_OK, BYTES("\xfb\xff\xbf")},
    {"", TEXT_BINARY_NO_PREFIX, BYTES("")},
    {"0", TEXT_BINARY_NO_PREFIX, BYTES("")},
    {"12", TEXT_BINARY_NO_PREFIX, BYTES("")},
    {"xab", TEXT_BINARY_NO_PREFIX, BYTES("")},
    {"1x00", TEXT_BINARY_NO_PREFIX, BYTES("")},
    {"0x", TEXT_BINARY_EMPTY, BYTES("")},
    {"0b", TEXT_BINARY_EMPTY, BYTES("")},
    {"0xg", TEXT_BINARY_BAD_DIGIT, BYTES("")},
    {"0x12 ", TEXT_BINARY_BAD_DIGIT, BYTES("")},
    {"0x0x12", TEXT_BINARY_BAD_DIGIT, BYTES("")},
    {"0bZm9*", TEXT_BINARY_BAD_DIGIT, BYTES("")},
    {"0bZm-_", TEXT_BINARY_BAD_DIGIT, BYTES("")},
    {"0bZm9", TEXT_BINARY_BAD_LENGTH, BYTES("")},
    {"0bZ", TEXT_BINARY_BAD_LENGTH, BYTES("")},
    {"0bZm9vYg", TEXT_BINARY_BAD_LENGTH, BYTES("")},
    {"0bAA=", TEXT_BINARY_BAD_LENGTH, BYTES("")},
    {"0bA===", TEXT_BINARY_BAD_PADDING, BYTES("")},
    {"0b====", TEXT_BINARY_BAD_PADDING, BYTES("")},
    {"0bAA==AA==", TEXT_BINARY_BAD_PADDING, BYTES("")},
    {"0b=AAA", TEXT_BINARY_BAD_PADDING, BYTES("")},
    {"0bAB==", TEXT_BINARY_STRAY_BITS, BYTES("")},
    {"0bAAB=", TEXT_BINARY_STRAY_BITS, BYTES("")},
    {"0x0102030405060708090a", TEXT_BINARY_TOO_LONG, BYTES("1234567890")},
    {"0bAAAAAAAAAAAA", TEXT_BINARY_TOO_LONG, BYTES("123456789")},
    {"0x0102030405060708090g", TEXT_BINARY_BAD_DIGIT, BYTES("")},
};

static void binaries(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(binary_rows); i++) {
        char *text = exact(binary_rows[i].text, strlen(binary_rows[i].text));
        uint8_t out[8];
        size_t out_len = 99;
        enum text_binary_error error =
            text_decode_binary(text, strlen(binary_rows[i].text), out, sizeof(out), &out_len);

        free(text);
        if (error != binary_rows[i].error)
            fail_msg("%s: %s", binary_rows[i].text, text_binary_error_name(error));
        assert_int_equal(out_len, binary_rows[i].len);
        if (error == TEXT_BINARY_OK)
            assert_memory_equal(out, binary_rows[i].bytes, out_len);
    }
}

static void encode_and_back(void **state)
{
    uint8_t data[48];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(0xf0 + 5 * i);
    for (size_t len = 1; len <= sizeof(data); len++) {
        char text[TEXT_HEX_SIZE(sizeof(data))];
        uint8_t back[sizeof(data)];
        size_t text_len = text_encode_hex(data, len, text, TEXT_HEX_SIZE(len));
        size_t back_len;

        assert_int_equal(text_len, TEXT_HEX_SIZE(len) - 1);
        assert_int_equal(text_len, strlen(text));
        assert_int_equal(text_decode_binary(text, text_len, back, len, &back_len), TEXT_BINARY_OK);
        assert_int_equal(back_len, len);
        assert_memory_equal(back, data, len);
        assert_int_equal(text_encode_hex(data, len, text, TEXT_HEX_SIZE(len) - 1), 0);
        assert_int_equal(text_decode_binary(text, text_len, back, len - 1, &back_len), TEXT_BINARY_TOO_LONG);
        assert_int_equal(back_len, len);

        text_len = text_encode_base64(data, len, text, TEXT_BASE64_SIZE(len));
        assert_int_equal(text_len, TEXT_BASE64_SIZE(len) - 1);
        assert_int_equal(text_len, strlen(text));
        assert_int_equal(text_decode_binary(text, text_len, back, len, &back_len), TEXT_BINARY_OK);
        assert_int_equal(back_len, len);
        assert_memory_equal(back, data, len);
        assert_int_equal(text_encode_base64(data, len, text, TEXT_BASE64_SIZE(len) - 1), 0);
    }
}

static void encode_limits(void **state)
{
    char out[8] = "";

    (void)state;
    assert_int_equal(text_encode_hex(NULL, 0, out, sizeof(out)), 2);
    assert_string_equal(out, "0x");
    assert_int_equal(text_encode_base64(NULL, 0, out, sizeof(out)), 2);
    assert_string_equal(out, "0b");
    assert_int_equal(text_encode_hex((const uint8_t *)"a", SIZE_MAX, out, sizeof(out)), 0);
    assert_int_equal(text_encode_base64((const uint8_t *)"a", SIZE_MAX, out, sizeof(out)), 0);
    assert_int_equal(text_encode_hex((const uint8_t *)"a", 1, out, 0), 0);
    assert_int_equal(text_encode_base64((const uint8_t *)"a", 1, out, 2), 0);
}

static void utf8(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        bool valid;
    } rows[] = {
        {BYTES(""), true},
        {BYTES("abc"), true},
        {BYTES("\xc3\xa9"), true},
        {BYTES("\xe2\x82\xac"), true},
        {BYTES("\xf0\x9f\x98\x80"), true},
        {BYTES("\xf4\x8f\xbf\xbf"), true},
        {BYTES("a\0b"), false},
        {BYTES("\x80"), false},
        {BYTES("\xc3"), false},
        {BYTES("\xc3("), false},
        {BYTES("\xc0\x80"), false},
        {BYTES("\xc1\xbf"), false},
        {BYTES("\xe0\x9f\xbf"), false},
        {BYTES("\xed\xa0\x80"), false},
        {BYTES("\xe2\x82"), false},
        {BYTES("\xf0\x8f\xbf\xbf"), false},
        {BYTES("\xf4\x90\x80\x80"), false},
        {BYTES("\xf5\x80\x80\x80"), false},
        {BYTES("\xff"), false},
        {BYTES("\xf0\x9f\x98("), false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = exact(rows[i].text, rows[i].len);

        assert_int_equal(text_utf8_valid(text, rows[i].len), rows[i].valid);
        free(text);
    }
}

/* ---- names and addresses ---- */

static void iscsi_names(void **state)
{
    static const struct {
        const char *name;
        enum text_name_error error;
    } rows[] = {
        {"iqn.2001-04.com.example", TEXT_NAME_OK},
        {"iqn.2001-04.com.example:storage:diskarrays-sn-a8675309", TEXT_NAME_OK},
        {"iqn.2001-12.com.example:", TEXT_NAME_OK},
        {"iqn.2001-04.com.ex\xc3\xa4mple:\xe6\x97\xa5", TEXT_NAME_OK},
        {"eui.02004567A425678D", TEXT_NAME_OK},
        {"naa.52004567BA64678D", TEXT_NAME_OK},
        {"naa.62004567BA64678D0123456789abcdef", TEXT_NAME_OK},
        {"", TEXT_NAME_EMPTY},
        {"iqn", TEXT_NAME_BAD_TYPE},
        {"foo.2001-04.com.example", TEXT_NAME_BAD_TYPE},
        {"IQN.2001-04.com.example", TEXT_NAME_BAD_TYPE},
        {"iqn.", TEXT_NAME_BAD_DATE},
        {"iqn.2001-04", TEXT_NAME_BAD_DATE},
        {"iqn.2001-00.com", TEXT_NAME_BAD_DATE},
        {"iqn.2001-13.com", TEXT_NAME_BAD_DATE},
        {"iqn.2001-20.com", TEXT_NAME_BAD_DATE},
        {"iqn.2001.04.com", TEXT_NAME_BAD_DATE},
        {"iqn.201-04.com.x", TEXT_NAME_BAD_DATE},
        {"iqn.20o1-04.com", TEXT_NAME_BAD_DATE},
        {"iqn.2001-04.", TEXT_NAME_BAD_AUTHORITY},
        {"iqn.2001-04.:disk", TEXT_NAME_BAD_AUTHORITY},
        {"iqn.2001-04.com..example", TEXT_NAME_BAD_AUTHORITY},
        {"iqn.2001-04.com.example.", TEXT_NAME_BAD_AUTHORITY},
        {"iqn.2001-04.com.Example", TEXT_NAME_UPPER_CASE},
        {"iqn.2001-04.com.example:a b", TEXT_NAME_BAD_CHAR},
        {"iqn.2001-04.com.example:a_b", TEXT_NAME_BAD_CHAR},
        {"iqn.2001-04.com.example:a\n", TEXT_NAME_BAD_CHAR},
        {"iqn.2001-04.com.example:\xff", TEXT_NAME_BAD_CHAR},
        {"eui.02004567A425678", TEXT_NAME_BAD_HEX},
        {"eui.02004567A425678Dd", TEXT_NAME_BAD_HEX},
        {"eui.02004567A425678G", TEXT_NAME_BAD_HEX},
        {"eui.", TEXT_NAME_BAD_HEX},
        {"naa.52004567BA64678D01", TEXT_NAME_BAD_HEX},
    };
    char longest[TEXT_NAME_MAX + 1];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = strlen(rows[i].name);
        char *name = exact(rows[i].name, len);
        enum text_name_error error = text_check_iscsi_name(name, len);

        free(name);
        if (error != rows[i].error)
            fail_msg("%s: %s", rows[i].name, text_name_error_name(error));
    }
    memset(longest, 'a', sizeof(longest));
    memcpy(longest, "iqn.2001-04.", 12);
    assert_int_equal(text_check_iscsi_name(longest, TEXT_NAME_MAX), TEXT_NAME_OK);
    assert_int_equal(text_check_iscsi_name(longest, TEXT_NAME_MAX + 1), TEXT_NAME_TOO_LONG);
    longest[50] = '\0';
    assert_int_equal(text_check_iscsi_name(longest, TEXT_NAME_MAX), TEXT_NAME_BAD_CHAR);
}

static const struct {
    const char *text;
    enum text_address_error error;
    const char *host;
    int port; /* -1: none */
    int tag;
} address_rows[] = {
    {"10.0.0.1", TEXT_ADDRESS_OK, "10.0.0.1", -1, -1},
    {"10.0.0.1:5003,1", TEXT_ADDRESS_OK, "10.0.0.1", 5003, 1},
    {"[1080:0:0:0:8:800:200C:417A],65", TEXT_ADDRESS_OK, "1080:0:0:0:8:800:200C:417A", -1, 65},
    {"[1080::8:800:200C:417A]:5003,1", TEXT_ADDRESS_OK, "1080::8:800:200C:417A", 5003, 1},
    {"[::ffff:10.0.0.1]:3260", TEXT_ADDRESS_OK, "::ffff:10.0.0.1", 3260, -1},
    {"[::]", TEXT_ADDRESS_OK, "::", -1, -1},
    {"computingcenter.example.com,23", TEXT_ADDRESS_OK, "computingcenter.example.com", -1, 23},
    {"h:0x10,0x0", TEXT_ADDRESS_OK, "h", 16, 0},
    {"", TEXT_ADDRESS_EMPTY_HOST, NULL, 0, 0},
    {":3260", TEXT_ADDRESS_EMPTY_HOST, NULL, 0, 0},
    {",1", TEXT_ADDRESS_EMPTY_HOST, NULL, 0, 0},
    {"ho st", TEXT_ADDRESS_BAD_HOST, NULL, 0, 0},
    {"host/", TEXT_ADDRESS_BAD_HOST, NULL, 0, 0},
    {"[::1", TEXT_ADDRESS_BAD_IPV6, NULL, 0, 0},
    {"[]:1", TEXT_ADDRESS_BAD_IPV6, NULL, 0, 0},
    {"[10.0.0.1]", TEXT_ADDRESS_BAD_IPV6, NULL, 0, 0},
    {"[::1]x", TEXT_ADDRESS_BAD_IPV6, NULL, 0, 0},
    {"[12345::1]", TEXT_ADDRESS_BAD_IPV6, NULL, 0, 0},
    {"[::g]", TEXT_ADDRESS_BAD_IPV6, NULL, 0, 0},
    {"[::1.2:3]", TEXT_ADDRESS_BAD_IPV6, NULL, 0, 0},
    {"::1", TEXT_ADDRESS_EMPTY_HOST, NULL, 0, 0},
    {"h:", TEXT_ADDRESS_BAD_PORT, NULL, 0, 0},
    {"h:0", TEXT_ADDRESS_BAD_PORT, NULL, 0, 0},
    {"h:65536", TEXT_ADDRESS_BAD_PORT, NULL, 0, 0},
    {"h:03260", TEXT_ADDRESS_BAD_PORT, NULL, 0, 0},
    {"h:1:2", TEXT_ADDRESS_BAD_PORT, NULL, 0, 0},
    {"h:,1", TEXT_ADDRESS_BAD_PORT, NULL, 0, 0},
    {"h,", TEXT_ADDRESS_BAD_TAG, NULL, 0, 0},
    {"h:1,65536", TEXT_ADDRESS_BAD_TAG, NULL, 0, 0},
    {"h:1,1,1", TEXT_ADDRESS_BAD_TAG, NULL, 0, 0},
    {"h:1,-1", TEXT_ADDRESS_BAD_TAG, NULL, 0, 0},
};

static void addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(address_rows); i++) {
        size_t len = strlen(address_rows[i].text);
        char *text = exact(address_rows[i].text, len);
        struct text_address address = {.tag = 4711};
        enum text_address_error error = text_parse_address(text, len, &address);

        if (error != address_rows[i].error)
            fail_msg("%s: %s", address_rows[i].text, text_address_error_name(error));
        if (error != TEXT_ADDRESS_OK) {
            assert_int_equal(address.tag, 4711);
        } else {
            assert_true(text_equals(address.host, address.host_len, address_rows[i].host));
            assert_int_equal(address.ipv6, address_rows[i].text[0] == '[');
            assert_int_equal(address.has_port, address_rows[i].port >= 0);
            assert_int_equal(address.port,
                             address_rows[i].port >= 0 ? (unsigned)address_rows[i].port : TEXT_DEFAULT_PORT);
            assert_int_equal(address.has_tag, address_rows[i].tag >= 0);
            assert_int_equal(address.tag, address_rows[i].tag >= 0 ? address_rows[i].tag : 0);
        }
        free(text);
    }
}

/* Short texts of any bytes through every value parser: no reads outside. */
static void parsers_take_anything(void **state)
{
    static const char alphabet[] = {'0', 'x', 'b',  'A',        '=', ',', '~', '[',
                                    ']', ':', '\0', (char)0xe2, '.', '-', 'i', '1'};

    (void)state;
    for (size_t len = 0; len <= 4; len++) {
        for (size_t n = 0; n < (size_t)1 << (4 * len); n++) {
            char *text = malloc(len > 0 ? len : 1);
            struct text_address address;
            uint8_t out[2];
            size_t out_len;
            uint64_t low;
            uint64_t high;

            assert_non_null(text);
            for (size_t i = 0; i < len; i++)
                text[i] = alphabet[n >> (4 * i) & 15];
            (void)text_parse_number(text, len, &low);
            (void)text_parse_range(text, len, &low, &high);
            (void)text_decode_binary(text, len, out, sizeof(out), &out_len);
            (void)text_check_iscsi_name(text, len);
            (void)text_parse_address(text, len, &address);
            (void)text_list_count(text, len);
            (void)text_utf8_valid(text, len);
            (void)text_key_valid(text, len);
            free(text);
        }
    }
}

static void errors_have_names(void **state)
{
    (void)state;
    for (int i = 0; i <= TEXT_NUMBER_UPSIDE_DOWN; i++)
        assert_string_not_equal(text_number_error_name((enum text_number_error)i), "unknown");
    for (int i = 0; i <= TEXT_BINARY_TOO_LONG; i++)
        assert_string_not_equal(text_binary_error_name((enum text_binary_error)i), "unknown");
    for (int i = 0; i <= TEXT_NAME_BAD_HEX; i++)
        assert_string_not_equal(text_name_error_name((enum text_name_error)i), "unknown");
    for (int i = 0; i <= TEXT_ADDRESS_BAD_TAG; i++)
        assert_string_not_equal(text_address_error_name((enum text_address_error)i), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(ranges),
        cmocka_unit_test(booleans),
        cmocka_unit_test(lists),
        cmocka_unit_test(binaries),
        cmocka_unit_test(encode_and_back),
        cmocka_unit_test(encode_limits),
        cmocka_unit_test(utf8),
        cmocka_unit_test(iscsi_names),
        cmocka_unit_test(addresses),
        cmocka_unit_test(parsers_take_anything),
        cmocka_unit_test(errors_have_names),
    };

    return cmocka_run_group_tests_name("text_value", tests, NULL, NULL);
}
