/*
 * Fuzz entry: one data segment through the key=value cursor and every value decoder. Beyond crashes: each pair lies
 * inside the segment, and a binary value that decodes survives encoding and decoding again.
 */
#include "fuzz/entry.h"
#include "wire/text.h"

#include <stdlib.h>
#include <string.h>

enum { BINARY_MAX = 1024 };

static void check_binary(const char *value, size_t len)
{
    uint8_t first[BINARY_MAX], second[BINARY_MAX];
    char text[2 * BINARY_MAX + 3];
    size_t first_len, second_len;

    if (text_decode_binary(value, len, first, sizeof first, &first_len) != TEXT_BINARY_OK)
        return;
    size_t text_len = text_encode_hex(first, first_len, text, sizeof text);
    if (text_decode_binary(text, text_len, second, sizeof second, &second_len) != TEXT_BINARY_OK ||
        second_len != first_len || memcmp(first, second, first_len) != 0)
        abort();
    text_len = text_encode_base64(first, first_len, text, sizeof text);
    if (text_decode_binary(text, text_len, second, sizeof second, &second_len) != TEXT_BINARY_OK ||
        second_len != first_len || memcmp(first, second, first_len) != 0)
        abort();
}

static void check_value(const char *value, size_t len)
{
    struct text_address address;
    struct text_list list;
    const char *item;
    uint64_t low, high;
    size_t item_len;
    bool flag;

    text_parse_number(value, len, &low);
    text_parse_range(value, len, &low, &high);
    text_parse_bool(value, len, &flag);
    text_utf8_valid(value, len);
    text_check_iscsi_name(value, len);
    text_parse_address(value, len, &address);
    check_binary(value, len);
    text_list_init(&list, value, len);
    while (text_list_next(&list, &item, &item_len))
        if (item < value || item + item_len > value + len)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text_cursor cursor;
    struct text_pair pair;

    text_cursor_init(&cursor, data, size);
    while (text_next(&cursor, &pair) == TEXT_PAIR) {
        const char *begin = (const char *)data, *end = begin + size;

        if (pair.key < begin || pair.value < begin || pair.key + pair.key_len > end ||
            pair.value + pair.value_len > end)
            abort();
        text_key_valid(pair.key, pair.key_len);
        check_value(pair.value, pair.value_len);
    }
    return 0;
}
