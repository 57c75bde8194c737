/*
 * text_binary.c - binary values in hex and base64 (RFC 7143 6.1, RFC 4648), and
 * UTF-8.
 *
 * The base64 decoder is strict: a lenient one would make two texts out of one
 * value and hide faults of the peer.
 */
#include "wire/text.h"

#include <string.h>

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int text_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static int base64_value(char c)
{
    const char *at = c != '\0' ? strchr(base64_alphabet, c) : NULL;

    return at != NULL ? (int)(at - base64_alphabet) : -1;
}

static enum text_binary_error decode_hex(const char *digits, size_t len, uint8_t *out, size_t cap, size_t *out_len)
{
    size_t size = len / 2 + len % 2;
    size_t odd = len % 2;

    for (size_t i = 0; i < len; i++) {
        int value = text_hex_digit(digits[i]);
        size_t at = (i + odd) / 2;

        if (value < 0)
            return TEXT_BINARY_BAD_DIGIT;
        if (at >= cap)
            continue; /* a bad digit further on comes before the length */
        if ((i + odd) % 2 == 0)
            out[at] = (uint8_t)(value << 4);
        else if (i == 0)
            out[at] = (uint8_t)value; /* odd count: this digit is a byte */
        else
            out[at] = (uint8_t)(out[at] | value);
    }
    *out_len = size;
    return size <= cap ? TEXT_BINARY_OK : TEXT_BINARY_TOO_LONG;
}

/* Alphabet, length and padding of base64 text; the number of '=' in *padding. */
static enum text_binary_error check_base64(const char *text, size_t len, size_t *padding)
{
    size_t end = len;
    bool equals_inside = false;

    while (end > 0 && text[end - 1] == '=')
        end--;
    for (size_t i = 0; i < end; i++) {
        if (text[i] == '=')
            equals_inside = true;
        else if (base64_value(text[i]) < 0)
            return TEXT_BINARY_BAD_DIGIT;
    }
    *padding = len - end;
    if (equals_inside || *padding > 2)
        return TEXT_BINARY_BAD_PADDING;
    if (len % 4 != 0)
        return TEXT_BINARY_BAD_LENGTH;
    return TEXT_BINARY_OK;
}

static enum text_binary_error decode_base64(const char *text, size_t len, uint8_t *out, size_t cap, size_t *out_len)
{
    size_t padding;
    size_t at = 0;
    uint32_t bits = 0;
    unsigned count = 0;
    enum text_binary_error error = check_base64(text, len, &padding);

    if (error != TEXT_BINARY_OK)
        return error;
    for (size_t i = 0; i < len - padding; i++) {
        bits = (bits << 6 | (uint32_t)base64_value(text[i])) & 0xffffu;
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        if (at < cap)
            out[at] = (uint8_t)(bits >> count & 0xffu);
        at++;
    }
    if ((bits & ((1u << count) - 1u)) != 0)
        return TEXT_BINARY_STRAY_BITS;
    *out_len = at;
    return at <= cap ? TEXT_BINARY_OK : TEXT_BINARY_TOO_LONG;
}

enum text_binary_error text_decode_binary(const char *value, size_t len, uint8_t *out, size_t cap, size_t *out_len)
{
    bool hex;

    *out_len = 0;
    if (len < 2 || value[0] != '0')
        return TEXT_BINARY_NO_PREFIX;
    hex = value[1] == 'x' || value[1] == 'X';
    if (!hex && value[1] != 'b' && value[1] != 'B')
        return TEXT_BINARY_NO_PREFIX;
    if (len == 2)
        return TEXT_BINARY_EMPTY;
    if (hex)
        return decode_hex(value + 2, len - 2, out, cap, out_len);
    return decode_base64(value + 2, len - 2, out, cap, out_len);
}

const char *text_binary_error_name(enum text_binary_error error)
{
    switch (error) {
    case TEXT_BINARY_OK:
        return "a binary value";
    case TEXT_BINARY_NO_PREFIX:
        return "neither 0x nor 0b in front";
    case TEXT_BINARY_EMPTY:
        return "prefix without digits";
    case TEXT_BINARY_BAD_DIGIT:
        return "character outside the alphabet";
    case TEXT_BINARY_BAD_LENGTH:
        return "base64 length not a multiple of four";
    case TEXT_BINARY_BAD_PADDING:
        return "base64 padding in a wrong place";
    case TEXT_BINARY_STRAY_BITS:
        return "base64 with unused bits set";
    case TEXT_BINARY_TOO_LONG:
        return "longer than allowed";
    }
    return "unknown";
}

size_t text_encode_hex(const uint8_t *data, size_t len, char *out, size_t cap)
{
    static const char digits[] = "0123456789abcdef";

    /* Written so that a huge len cannot wrap. */
    if (cap < 3 || len > (cap - 3) / 2)
        return 0;
    out[0] = '0';
    out[1] = 'x';
    for (size_t i = 0; i < len; i++) {
        out[2 + 2 * i] = digits[data[i] >> 4];
        out[3 + 2 * i] = digits[data[i] & 0xf];
    }
    out[2 + 2 * len] = '\0';
    return 2 + 2 * len;
}

size_t text_encode_base64(const uint8_t *data, size_t len, char *out, size_t cap)
{
    size_t groups = len / 3 + (len % 3 != 0);
    char *p = out + 2;

    if (cap < 3 || groups > (cap - 3) / 4)
        return 0;
    out[0] = '0';
    out[1] = 'b';
    for (size_t i = 0; i < len; i += 3) {
        size_t have = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)data[i] << 16;

        if (have > 1)
            bits |= (uint32_t)data[i + 1] << 8;
        if (have > 2)
            bits |= data[i + 2];
        *p++ = base64_alphabet[bits >> 18 & 63u];
        *p++ = base64_alphabet[bits >> 12 & 63u];
        *p++ = have > 1 ? base64_alphabet[bits >> 6 & 63u] : '=';
        *p++ = have > 2 ? base64_alphabet[bits & 63u] : '=';
    }
    *p = '\0';
    return (size_t)(p - out);
}

/*
 * Length of the UTF-8 sequence at p (at most `rest` bytes), 0 when it is none.
 * The bounds of the second byte shut out overlong forms, surrogates and
 * everything above U+10FFFF (RFC 3629 section 4).
 */
static size_t utf8_sequence(const unsigned char *p, size_t rest)
{
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t len;

    if (p[0] < 0x80)
        return p[0] != 0;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        len = 2;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        len = 3;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        len = 4;
    else
        return 0;
    if (len > rest)
        return 0;
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xed)
        high = 0x9f;
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4)
        high = 0x8f;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if (p[i] < 0x80 || p[i] > 0xbf)
            return 0;
    return len;
}

bool text_utf8_valid(const char *value, size_t len)
{
    const unsigned char *p = (const unsigned char *)value;

    for (size_t i = 0; i < len;) {
        size_t step = utf8_sequence(p + i, len - i);

        if (step == 0)
            return false;
        i += step;
    }
    return true;
}
