/*
 * text_value.c - numbers, booleans, ranges, lists (RFC 7143 6.1).
 *
 * Written out instead of strtoull and friends: those skip blanks, take signs
 * and octal, and need a terminator.
 */
#include "wire/text.h"

#include <string.h>

/* Value of a digit in the base (10 or 16), -1 when it is none. */
static int digit_value(char c, unsigned base)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (base == 16 && c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (base == 16 && c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

enum text_number_error text_parse_number(const char *value, size_t len, uint64_t *out)
{
    unsigned base = 10;
    uint64_t limit = UINT64_MAX / 10; /* of what can be multiplied by base */
    uint64_t number = 0;
    bool too_large = false;

    if (len == 0)
        return TEXT_NUMBER_EMPTY;
    if (len >= 2 && value[0] == '0' && (value[1] == 'x' || value[1] == 'X')) {
        base = 16;
        limit = UINT64_MAX / 16;
        value += 2;
        len -= 2;
        if (len == 0)
            return TEXT_NUMBER_NO_DIGITS;
    }
    for (size_t i = 0; i < len; i++) {
        int digit = digit_value(value[i], base);

        if (digit < 0)
            return TEXT_NUMBER_BAD_DIGIT;
        if (number > limit || number * base > UINT64_MAX - (uint64_t)digit)
            too_large = true; /* a bad digit further on comes first */
        else
            number = number * base + (uint64_t)digit;
    }
    if (base == 10 && len > 1 && value[0] == '0')
        return TEXT_NUMBER_LEADING_ZERO;
    if (too_large)
        return TEXT_NUMBER_TOO_LARGE;
    *out = number;
    return TEXT_NUMBER_OK;
}

enum text_number_error text_parse_range(const char *value, size_t len, uint64_t *low, uint64_t *high)
{
    const char *tilde = len > 0 ? memchr(value, '~', len) : NULL;
    enum text_number_error error;
    uint64_t left;
    uint64_t right;
    size_t left_len;

    if (len == 0)
        return TEXT_NUMBER_EMPTY;
    if (tilde == NULL)
        return TEXT_NUMBER_NO_TILDE;
    left_len = (size_t)(tilde - value);
    error = text_parse_number(value, left_len, &left);
    if (error == TEXT_NUMBER_OK)
        error = text_parse_number(tilde + 1, len - left_len - 1, &right);
    if (error != TEXT_NUMBER_OK)
        return error;
    if (right < left)
        return TEXT_NUMBER_UPSIDE_DOWN;
    *low = left;
    *high = right;
    return TEXT_NUMBER_OK;
}

const char *text_number_error_name(enum text_number_error error)
{
    switch (error) {
    case TEXT_NUMBER_OK:
        return "a number";
    case TEXT_NUMBER_EMPTY:
        return "empty";
    case TEXT_NUMBER_LEADING_ZERO:
        return "decimal with a leading zero";
    case TEXT_NUMBER_BAD_DIGIT:
        return "not all digits";
    case TEXT_NUMBER_NO_DIGITS:
        return "0x without digits";
    case TEXT_NUMBER_TOO_LARGE:
        return "2**64 or more";
    case TEXT_NUMBER_NO_TILDE:
        return "no tilde in a range";
    case TEXT_NUMBER_UPSIDE_DOWN:
        return "range with its ends reversed";
    }
    return "unknown";
}

size_t text_format_number(char *out, uint64_t number)
{
    char digits[TEXT_NUMBER_MAX];
    size_t at = sizeof(digits);
    size_t len;

    digits[--at] = '\0';
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    len = sizeof(digits) - at;
    memcpy(out, digits + at, len);
    return len - 1;
}

bool text_parse_bool(const char *value, size_t len, bool *out)
{
    if (text_equals(value, len, "Yes"))
        *out = true;
    else if (text_equals(value, len, "No"))
        *out = false;
    else
        return false;
    return true;
}

void text_list_init(struct text_list *list, const char *value, size_t len)
{
    list->next = value;
    list->end = len > 0 ? value + len : value;
    list->more = len > 0;
}

bool text_list_next(struct text_list *list, const char **item, size_t *item_len)
{
    size_t rest;
    const char *comma;

    if (!list->more)
        return false;
    rest = (size_t)(list->end - list->next);
    comma = rest > 0 ? memchr(list->next, ',', rest) : NULL;
    *item = list->next;
    *item_len = comma != NULL ? (size_t)(comma - list->next) : rest;
    list->more = comma != NULL;
    list->next = comma != NULL ? comma + 1 : list->end;
    return true;
}

size_t text_list_count(const char *value, size_t len)
{
    struct text_list list;
    const char *item;
    size_t item_len;
    size_t count = 0;

    text_list_init(&list, value, len);
    while (text_list_next(&list, &item, &item_len))
        count++;
    return count;
}

bool text_list_has(const char *value, size_t len, const char *item, size_t item_len)
{
    struct text_list list;
    const char *here;
    size_t here_len;

    text_list_init(&list, value, len);
    while (text_list_next(&list, &here, &here_len))
        if (here_len == item_len && (item_len == 0 || memcmp(here, item, item_len) == 0))
            return true;
    return false;
}

bool text_list_has_number(const char *value, size_t len, uint64_t number)
{
    struct text_list list;
    const char *item;
    size_t item_len;
    uint64_t here;

    text_list_init(&list, value, len);
    while (text_list_next(&list, &item, &item_len))
        if (text_parse_number(item, item_len, &here) == TEXT_NUMBER_OK && here == number)
            return true;
    return false;
}
