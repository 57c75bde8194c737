/*
 * text.c - reading key=value pairs.
 *
 * The cursor looks at one null-terminated string at a time and never past the
 * end of the segment. All pointers handed out point into the caller's buffer.
 */
#include "wire/text.h"

#include <string.h>

void text_cursor_init(struct text_cursor *cursor, const void *buf, size_t len)
{
    /* A base that is never NULL keeps pointer arithmetic and memchr defined. */
    cursor->base = buf != NULL ? buf : "";
    cursor->len = buf != NULL ? len : 0;
    cursor->pos = 0;
}

enum text_result text_next(struct text_cursor *cursor, struct text_pair *pair)
{
    const char *start = cursor->base + cursor->pos;
    size_t rest = cursor->len - cursor->pos;
    const char *null = memchr(start, '\0', rest);
    size_t string_len = null != NULL ? (size_t)(null - start) : rest;
    const char *equals = memchr(start, '=', string_len);

    pair->offset = cursor->pos;
    pair->len = string_len + (null != NULL ? 1u : 0u);
    pair->key = start;
    pair->key_len = equals != NULL ? (size_t)(equals - start) : string_len;
    pair->value = equals != NULL ? equals + 1 : start + string_len;
    pair->value_len = string_len - pair->key_len - (equals != NULL ? 1u : 0u);
    cursor->pos += pair->len;

    if (rest == 0)
        return TEXT_END;
    if (null == NULL)
        return TEXT_NO_NULL;
    if (string_len == 0)
        return TEXT_EMPTY_STRING;
    if (equals == NULL)
        return TEXT_NO_EQUALS;
    if (pair->key_len == 0)
        return TEXT_EMPTY_KEY;
    if (pair->key_len > TEXT_KEY_MAX)
        return TEXT_KEY_TOO_LONG;
    return TEXT_PAIR;
}

const char *text_result_name(enum text_result result)
{
    switch (result) {
    case TEXT_PAIR:
        return "key=value pair";
    case TEXT_END:
        return "end of text";
    case TEXT_EMPTY_STRING:
        return "null byte without a pair before it";
    case TEXT_NO_EQUALS:
        return "string without '='";
    case TEXT_EMPTY_KEY:
        return "no key before '='";
    case TEXT_KEY_TOO_LONG:
        return "key of more than 63 bytes";
    case TEXT_NO_NULL:
        return "last string without its null byte";
    }
    return "unknown";
}

bool text_pair_is(const struct text_pair *pair, const char *key)
{
    return text_equals(pair->key, pair->key_len, key);
}

/* Key and value can be told apart: what text_find and text_count go by. */
static bool usable(enum text_result result, const struct text_pair *pair)
{
    if (result == TEXT_PAIR)
        return true;
    return result == TEXT_NO_NULL && pair->key_len > 0 && pair->key_len <= TEXT_KEY_MAX && pair->key_len < pair->len;
}

bool text_find(const void *buf, size_t len, const char *key, struct text_pair *pair)
{
    size_t key_len = strlen(key);
    struct text_cursor cursor;

    text_cursor_init(&cursor, buf, len);
    while (cursor.pos < cursor.len) {
        const char *start = cursor.base + cursor.pos;
        size_t rest = cursor.len - cursor.pos;

        /* Only what begins as the key does is worth cutting. */
        if (rest > key_len && start[key_len] == '=' && memcmp(start, key, key_len) == 0) {
            struct text_pair here;

            if (usable(text_next(&cursor, &here), &here) && text_pair_is(&here, key)) {
                *pair = here;
                return true;
            }
        } else {
            const char *null = memchr(start, '\0', rest);

            cursor.pos = null != NULL ? (size_t)(null - cursor.base) + 1 : cursor.len;
        }
    }
    return false;
}

size_t text_count(const void *buf, size_t len, const char *key)
{
    struct text_cursor cursor;
    struct text_pair here;
    enum text_result result;
    size_t count = 0;

    text_cursor_init(&cursor, buf, len);
    while ((result = text_next(&cursor, &here)) != TEXT_END)
        if (usable(result, &here) && (key == NULL || text_pair_is(&here, key)))
            count++;
    return count;
}

enum text_result text_check(const void *buf, size_t len, struct text_pair *pair)
{
    struct text_cursor cursor;
    struct text_pair here;
    enum text_result result;

    text_cursor_init(&cursor, buf, len);
    do {
        result = text_next(&cursor, &here);
    } while (result == TEXT_PAIR);
    if (pair != NULL)
        *pair = here;
    return result;
}

/* ASCII only: the answers of ctype.h depend on the locale. */
static bool label_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr(".-+@_", c) != NULL);
}

bool text_key_valid(const char *key, size_t len)
{
    static const char *const exceptions[] = {"iSCSIProtocolLevel", "iSERHelloRequired", "X#NodeArchitecture"};

    for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++)
        if (text_equals(key, len, exceptions[i]))
            return true;
    if (len == 0 || len > TEXT_KEY_MAX || key[0] < 'A' || key[0] > 'Z')
        return false;
    for (size_t i = 1; i < len; i++)
        if (!label_char(key[i]))
            return false;
    return true;
}
