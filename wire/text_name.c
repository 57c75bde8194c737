/*
 * text_name.c - iSCSI names (RFC 7143 4.2.7) and TargetAddress values (13.8).
 */
#include "wire/text.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* Bytes of multi-byte UTF-8 characters. */
static bool is_beyond_ascii(char c)
{
    return ((unsigned char)c & 0x80u) != 0;
}

static bool starts_with(const char *text, size_t len, const char *prefix)
{
    size_t prefix_len = strlen(prefix);

    return len >= prefix_len && memcmp(text, prefix, prefix_len) == 0;
}

static bool all_hex(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!is_hex(text[i]))
            return false;
    return true;
}

/* The part behind "iqn.": yyyy-mm.authority[:anything]. */
static enum text_name_error check_iqn(const char *rest, size_t len)
{
    const char *colon;
    size_t label = 0;

    if (len < 8 || rest[4] != '-' || rest[7] != '.')
        return TEXT_NAME_BAD_DATE;
    for (size_t i = 0; i < 7; i++)
        if (i != 4 && !is_digit(rest[i]))
            return TEXT_NAME_BAD_DATE;
    if ((rest[5] == '0' && rest[6] == '0') || rest[5] > '1' || (rest[5] == '1' && rest[6] > '2'))
        return TEXT_NAME_BAD_DATE;
    rest += 8;
    len -= 8;
    colon = len > 0 ? memchr(rest, ':', len) : NULL;
    if (colon != NULL)
        len = (size_t)(colon - rest);
    for (size_t i = 0; i < len; i++) {
        if (rest[i] != '.')
            label++;
        else if (label == 0)
            return TEXT_NAME_BAD_AUTHORITY;
        else
            label = 0;
    }
    return label > 0 ? TEXT_NAME_OK : TEXT_NAME_BAD_AUTHORITY;
}

/* Characters that may stand in any name; stringprep (RFC 3722) takes the rest of
 * ASCII out and folds capitals. */
static enum text_name_error check_characters(const char *name, size_t len)
{
    enum text_name_error error = TEXT_NAME_OK;

    if (!text_utf8_valid(name, len))
        return TEXT_NAME_BAD_CHAR;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];

        if (is_upper(c))
            error = TEXT_NAME_UPPER_CASE;
        else if (!is_lower(c) && !is_digit(c) && c != '-' && c != '.' && c != ':' && !is_beyond_ascii(c))
            return TEXT_NAME_BAD_CHAR;
    }
    return error;
}

enum text_name_error text_check_iscsi_name(const char *name, size_t len)
{
    enum text_name_error characters;
    enum text_name_error form;

    if (len == 0)
        return TEXT_NAME_EMPTY;
    if (len > TEXT_NAME_MAX)
        return TEXT_NAME_TOO_LONG;
    characters = check_characters(name, len);
    if (characters == TEXT_NAME_BAD_CHAR)
        return characters;
    if (starts_with(name, len, "eui."))
        return len == 4 + 16 && all_hex(name + 4, len - 4) ? TEXT_NAME_OK : TEXT_NAME_BAD_HEX;
    if (starts_with(name, len, "naa."))
        return (len == 4 + 16 || len == 4 + 32) && all_hex(name + 4, len - 4) ? TEXT_NAME_OK : TEXT_NAME_BAD_HEX;
    if (!starts_with(name, len, "iqn."))
        return TEXT_NAME_BAD_TYPE;
    form = check_iqn(name + 4, len - 4);
    return form != TEXT_NAME_OK ? form : characters;
}

const char *text_name_error_name(enum text_name_error error)
{
    switch (error) {
    case TEXT_NAME_OK:
        return "an iSCSI name";
    case TEXT_NAME_EMPTY:
        return "empty";
    case TEXT_NAME_TOO_LONG:
        return "longer than 223 bytes";
    case TEXT_NAME_BAD_TYPE:
        return "starts with none of iqn. eui. naa.";
    case TEXT_NAME_BAD_CHAR:
        return "character that no iSCSI name has";
    case TEXT_NAME_UPPER_CASE:
        return "upper-case letter";
    case TEXT_NAME_BAD_DATE:
        return "no yyyy-mm. behind iqn.";
    case TEXT_NAME_BAD_AUTHORITY:
        return "no reversed domain name behind the date";
    case TEXT_NAME_BAD_HEX:
        return "wrong number or kind of hex digits";
    }
    return "unknown";
}

/* 13.8 gives port and tag the format of TargetPortalGroupTag: a 16-bit number,
 * decimal or hex. */
static bool parse_16_bit(const char *text, size_t len, uint16_t *out)
{
    uint64_t number;

    if (text_parse_number(text, len, &number) != TEXT_NUMBER_OK || number > UINT16_MAX)
        return false;
    *out = (uint16_t)number;
    return true;
}

/* Shape of an IPv6 address, not its exact grammar: hex groups of up to four
 * digits, colons, and dots for an embedded IPv4 address. */
static bool looks_like_ipv6(const char *text, size_t len)
{
    size_t colons = 0;
    size_t group = 0;
    bool dotted = false;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == ':') {
            colons++;
            group = 0;
            if (dotted)
                return false;
        } else if (text[i] == '.') {
            dotted = true;
            group = 0;
        } else if (!is_hex(text[i]) || ++group > 4) {
            return false;
        }
    }
    return colons >= 2 && colons <= 8;
}

static bool host_char(char c)
{
    return is_lower(c) || is_upper(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
}

/* Takes the host off the front of [*p, end). */
static enum text_address_error take_host(const char **p, const char *end, struct text_address *address)
{
    const char *start = *p;

    if (start < end && *start == '[') {
        const char *close = memchr(start, ']', (size_t)(end - start));

        if (close == NULL || !looks_like_ipv6(start + 1, (size_t)(close - start - 1)))
            return TEXT_ADDRESS_BAD_IPV6;
        address->ipv6 = true;
        address->host = start + 1;
        address->host_len = (size_t)(close - start - 1);
        *p = close + 1;
        /* Nothing but a port or a tag may follow the bracket. */
        return *p == end || **p == ':' || **p == ',' ? TEXT_ADDRESS_OK : TEXT_ADDRESS_BAD_IPV6;
    }
    while (*p < end && **p != ':' && **p != ',') {
        if (!host_char(**p))
            return TEXT_ADDRESS_BAD_HOST;
        ++*p;
    }
    address->host = start;
    address->host_len = (size_t)(*p - start);
    return address->host_len > 0 ? TEXT_ADDRESS_OK : TEXT_ADDRESS_EMPTY_HOST;
}

enum text_address_error text_parse_address(const char *value, size_t len, struct text_address *out)
{
    struct text_address address = {.port = TEXT_DEFAULT_PORT};
    const char *p = value;
    const char *end = len > 0 ? value + len : value;
    enum text_address_error error = take_host(&p, end, &address);

    if (error != TEXT_ADDRESS_OK)
        return error;
    if (p < end && *p == ':') {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        const char *stop = comma != NULL ? comma : end;

        if (!parse_16_bit(p + 1, (size_t)(stop - p - 1), &address.port) || address.port == 0)
            return TEXT_ADDRESS_BAD_PORT;
        address.has_port = true;
        p = stop;
    }
    if (p < end) {
        if (!parse_16_bit(p + 1, (size_t)(end - p - 1), &address.tag))
            return TEXT_ADDRESS_BAD_TAG;
        address.has_tag = true;
    }
    *out = address;
    return TEXT_ADDRESS_OK;
}

const char *text_address_error_name(enum text_address_error error)
{
    switch (error) {
    case TEXT_ADDRESS_OK:
        return "an address";
    case TEXT_ADDRESS_EMPTY_HOST:
        return "no host";
    case TEXT_ADDRESS_BAD_HOST:
        return "character that no host name has";
    case TEXT_ADDRESS_BAD_IPV6:
        return "no IPv6 address in brackets";
    case TEXT_ADDRESS_BAD_PORT:
        return "port not in 1..65535";
    case TEXT_ADDRESS_BAD_TAG:
        return "portal group tag not in 0..65535";
    }
    return "unknown";
}
