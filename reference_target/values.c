/* Values of the command line; see values.h. */
#include "values.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "wire/status.h"

static const char no_memory[] = "out of memory";

bool values_number(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
    uint64_t value = 0;

    if (*text == '\0')
        return false;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p < '0' || *p > '9')
            return false;
        uint64_t digit = (uint64_t)(*p - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value < min || value > max)
        return false;
    *number = value;
    return true;
}

bool values_seconds(const char *text, uint32_t *milliseconds)
{
    char whole[8];
    const char *point = strchr(text, '.');
    size_t length = point != NULL ? (size_t)(point - text) : strlen(text);
    uint64_t seconds = 0, decimals = 0;

    if (length >= sizeof whole)
        return false;
    memcpy(whole, text, length);
    whole[length] = '\0';
    if (!values_number(whole, 0, 86400, &seconds))
        return false;
    if (point != NULL) {
        size_t digits = strlen(point + 1);
        if (digits > 3 || !values_number(point + 1, 0, 999, &decimals))
            return false;
        for (; digits < 3; digits++)
            decimals *= 10;
    }
    *milliseconds = (uint32_t)(seconds * 1000 + decimals);
    return true;
}

bool values_size(const char *text, uint64_t *bytes)
{
    static const char units[] = "KMGT";
    char digits[24];
    size_t length = strspn(text, "0123456789");
    unsigned shift = 0;
    uint64_t value = 0;

    if (length == 0 || length >= sizeof digits)
        return false;
    if (text[length] != '\0') {
        const char *unit = strchr(units, toupper((unsigned char)text[length]));
        if (unit == NULL || text[length + 1] != '\0')
            return false;
        shift = 10 * (unsigned)(unit - units + 1);
    }
    memcpy(digits, text, length);
    digits[length] = '\0';
    if (!values_number(digits, 1, UINT64_MAX >> shift, &value))
        return false;
    *bytes = value << shift;
    return true;
}

const char *values_portal_name(const char *text)
{
    size_t length = strlen(text);

    if (length == 0 || length > VALUES_NAME_MAX)
        return "a portal's name has 1 to 63 characters";
    for (const char *p = text; *p != '\0'; p++)
        if (!isalnum((unsigned char)*p) && strchr("-_.", *p) == NULL)
            return "a portal's name is made of letters, digits, '-', '_' and '.'";
    return NULL;
}

/* Splits HOST:PORT or [HOST]:PORT; the host without brackets goes to host[VALUES_HOST_MAX + 1]. */
static const char *split_address(const char *text, char *host, bool *bracketed, uint64_t min_port, uint64_t *port)
{
    const char *begin = text, *end;

    *bracketed = *text == '[';
    if (*bracketed) {
        begin++;
        end = strchr(begin, ']');
        if (end == NULL || end[1] != ':')
            return "an IPv6 address is written in brackets with the port behind, as in [::1]:3260";
    } else {
        end = strrchr(text, ':');
        if (end == NULL)
            return "the port is missing; write it behind a colon, as in 127.0.0.1:3260";
        if (strchr(text, ':') != end)
            return "an IPv6 address is written in brackets, as in [::1]:3260";
    }
    size_t length = (size_t)(end - begin);
    if (length == 0 || length > VALUES_HOST_MAX)
        return "the address is missing or too long; for all addresses write 0.0.0.0:PORT or [::]:PORT";
    memcpy(host, begin, length);
    host[length] = '\0';
    if (!values_number(strrchr(end, ':') + 1, min_port, UINT16_MAX, port))
        return min_port == 0 ? "the port is a number from 0 to 65535 (0: a free one)"
                             : "the port is a number from 1 to 65535";
    return NULL;
}

const char *values_portal(const char *text, struct values_portal *portal)
{
    char address[VALUES_HOST_MAX + 16];
    const char *equals = strchr(text, '='), *comma, *reason;
    struct in6_addr ignored;
    uint64_t port = 0, tag = 1;
    bool bracketed;

    memset(portal, 0, sizeof *portal);
    if (equals != NULL) {
        size_t length = (size_t)(equals - text);
        if (length > VALUES_NAME_MAX)
            return "a portal's name has 1 to 63 characters";
        memcpy(portal->name, text, length);
        if ((reason = values_portal_name(portal->name)) != NULL)
            return reason;
        text = equals + 1;
    }
    comma = strchr(text, ',');
    if (comma != NULL && !values_number(comma + 1, 0, UINT16_MAX, &tag))
        return "the portal group tag behind the comma is a number from 0 to 65535";
    size_t length = comma != NULL ? (size_t)(comma - text) : strlen(text);
    if (length >= sizeof address)
        return "the address is too long";
    memcpy(address, text, length);
    address[length] = '\0';
    if ((reason = split_address(address, portal->host, &bracketed, 0, &port)) != NULL)
        return reason;
    if (inet_pton(bracketed ? AF_INET6 : AF_INET, portal->host, &ignored) != 1)
        return "a portal needs a numeric address of this machine, as in 127.0.0.1:3260, [::1]:0 or 0.0.0.0:3260";
    portal->port = (uint16_t)port;
    portal->tag = (uint16_t)tag;
    return NULL;
}

const char *values_address(const char *text)
{
    char host[VALUES_HOST_MAX + 1];
    const char *reason;
    struct in6_addr ignored;
    bool bracketed;
    uint64_t port;

    if (strchr(text, ',') != NULL)
        return "an address to move to has no portal group tag (RFC 7143 13.8); write HOST:PORT";
    if ((reason = split_address(text, host, &bracketed, 1, &port)) != NULL)
        return reason;
    if (bracketed)
        return inet_pton(AF_INET6, host, &ignored) == 1 ? NULL : "what stands in the brackets is no IPv6 address";
    for (const char *p = host; *p != '\0'; p++)
        if (!isalnum((unsigned char)*p) && *p != '-' && *p != '.')
            return "the host is neither an address nor a DNS name";
    return NULL;
}

/* eui. and naa. are followed by hexadecimal digits only. */
static bool is_hex(const char *text, size_t a, size_t b)
{
    size_t length = strspn(text, "0123456789abcdefABCDEF");

    return text[length] == '\0' && (length == a || length == b);
}

const char *values_iscsi_name(const char *text)
{
    size_t length = strlen(text);

    if (length > CONFIG_NAME_MAX)
        return "an iSCSI name has at most 223 bytes (RFC 7143 4.2.7.1)";
    if (strncmp(text, "eui.", 4) == 0)
        return is_hex(text + 4, 16, 16) ? NULL : "behind eui. stand 16 hexadecimal digits (RFC 7143 4.2.7.4)";
    if (strncmp(text, "naa.", 4) == 0)
        return is_hex(text + 4, 16, 32) ? NULL : "behind naa. stand 16 or 32 hexadecimal digits (RFC 7143 4.2.7.5)";
    if (strncmp(text, "iqn.", 4) != 0 || length == 4)
        return "an iSCSI name begins with iqn., eui. or naa., as in iqn.2026-01.example:disk1";
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c < 0x80 && !islower(c) && !isdigit(c) && strchr("-.:", c) == NULL)
            return "an iqn. name is made of lower-case letters, digits, '-', '.' and ':' (RFC 7143 4.2.7.2)";
    }
    return NULL;
}

const char *values_credential(const char *text, char separator, struct config_credential *credential)
{
    const char *split = strchr(text, separator);

    if (split == NULL)
        return "user and secret are missing; write USER:SECRET";
    size_t user = (size_t)(split - text), secret = strlen(split + 1);
    if (user == 0 || user > VALUES_SECRET_MAX)
        return "the user name has 1 to 255 bytes";
    if (secret == 0 || secret > VALUES_SECRET_MAX)
        return "the secret has 1 to 255 bytes (RFC 7143 9.2.1 wants at least 12)";
    credential->user = strndup(text, user);
    credential->secret = malloc(secret);
    if (credential->user == NULL || credential->secret == NULL) {
        free(credential->user);
        free(credential->secret);
        *credential = (struct config_credential){0};
        return no_memory;
    }
    memcpy(credential->secret, split + 1, secret);
    credential->secret_length = secret;
    return NULL;
}

const char *values_codes(const char *text, uint32_t *codes)
{
    char word[64];
    uint32_t bits = 0;

    for (const char *p = text;; p++) {
        size_t length = strcspn(p, ",");
        const struct status_entry *status = NULL;
        if (length > 0 && length < sizeof word) {
            memcpy(word, p, length);
            word[length] = '\0';
            status = status_find_text(word);
        }
        if (status == NULL)
            return "write codes of RFC 7143 11.13.5 with commas between, as in 0000,0201,0203";
        bits |= config_code_bit(status->code);
        p += length;
        if (*p == '\0')
            break;
    }
    *codes = bits;
    return NULL;
}

/* Any number of four hexadecimal digits, also one the RFC does not know, or the name of a known one. */
static bool parse_code(const char *text, uint16_t *code)
{
    const char *digits = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? text + 2 : text;
    const struct status_entry *status;

    if (is_hex(digits, 4, 4)) {
        *code = (uint16_t)strtoul(digits, NULL, 16);
        return true;
    }
    if ((status = status_find_text(text)) == NULL)
        return false;
    *code = status->code;
    return true;
}

static bool parse_stage(const char *text, enum config_stage *stage)
{
    static const struct { const char *name; enum config_stage stage; } stages[] = {
        {"first", CONFIG_STAGE_FIRST},
        {"security", CONFIG_STAGE_SECURITY},
        {"operational", CONFIG_STAGE_OPERATIONAL},
        {"final", CONFIG_STAGE_FINAL},
    };

    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        if (strcmp(text, stages[i].name) == 0) {
            *stage = stages[i].stage;
            return true;
        }
    return false;
}

const char *values_force(const char *text, struct config_force *force)
{
    char word[64];
    const char *glob = strchr(text, ':');
    size_t length = glob != NULL ? (size_t)(glob - text) : strlen(text);

    *force = (struct config_force){.stage = CONFIG_STAGE_FIRST};
    if (length == 0 || length >= sizeof word)
        return "write CODE[@STAGE][:INITIATOR-GLOB], as in 0203@final:iqn.*";
    memcpy(word, text, length);
    word[length] = '\0';
    char *at = strchr(word, '@');
    if (at != NULL) {
        *at = '\0';
        if (!parse_stage(at + 1, &force->stage))
            return "the stage behind @ is first, security, operational or final";
    }
    if (!parse_code(word, &force->status))
        return "the code is four hexadecimal digits (class, detail), as in 0203, or a name of RFC 7143 11.13.5";
    if (force->status == STATUS_SUCCESS)
        return "0000 is no refusal; force another code, or none at all";
    if (glob != NULL) {
        if (glob[1] == '\0' || strlen(glob + 1) > CONFIG_NAME_MAX)
            return "the glob behind the colon has 1 to 223 bytes; leave it out for every initiator";
        force->initiators = strdup(glob + 1);
        if (force->initiators == NULL)
            return no_memory;
    }
    return NULL;
}

size_t values_distance(const char *a, const char *b)
{
    enum { MOST = 40 };
    size_t row[MOST + 1], a_length = strlen(a), b_length = strlen(b);

    if (a_length > MOST || b_length > MOST)
        return a_length + b_length;
    for (size_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t change = corner + (a[i - 1] != b[j - 1]);
            size_t gap = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            corner = row[j];
            row[j] = change < gap ? change : gap;
        }
    }
    return row[b_length];
}
