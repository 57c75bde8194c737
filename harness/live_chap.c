/* A response of CHAP as a case asks for it: see live_chap.h. */
#include "harness/live_chap.h"

#include "wire/chap.h"
#include "wire/text.h"

#include <ctype.h>
#include <string.h>

static size_t encode_upper(const uint8_t *hash, size_t len, char *out, size_t cap)
{
    size_t used = text_encode_hex(hash, len, out, cap);

    for (size_t i = 0; i < used; i++)
        out[i] = (char)toupper((unsigned char)out[i]);
    return used;
}

static size_t encode_prefix(const uint8_t *hash, size_t len, char *out, size_t cap)
{
    return text_encode_hex(hash, len / 2, out, cap);
}

static const struct {
    const char *name;
    size_t (*encode)(const uint8_t *hash, size_t len, char *out, size_t cap);
} forms[] = {
    {"hex", text_encode_hex},       /* 0x and small digits */
    {"upper", encode_upper},        /* 0X and capital digits */
    {"base64", text_encode_base64}, /* 0b */
    {"prefix", encode_prefix},      /* the first half of the response, in hex */
};

static bool set_form(struct live_chap *out, const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (text_equals(name, len, forms[i].name)) {
            out->encode = forms[i].encode;
            return true;
        }
    return false;
}

bool live_chap_parse(const char *arg, size_t len, struct live_chap *out)
{
    const char *end = arg + len, *colon = memchr(arg, ':', len), *last = colon ? memrchr(arg, ':', len) : NULL;
    const char *secret = colon ? colon + 1 : end, *secret_end = last != colon ? last : end;
    size_t secret_len = (size_t)(secret_end - secret);

    memset(out, 0, sizeof(*out));
    out->encode = forms[0].encode;
    if (secret_len > LIVE_CHAP_SECRET_MAX || (last != colon && !set_form(out, last + 1, (size_t)(end - last - 1))))
        return false;
    memcpy(out->secret, secret, secret_len);
    if (text_equals(arg, colon ? (size_t)(colon - arg) : len, "agreed"))
        return true;
    return text_parse_number(arg, colon ? (size_t)(colon - arg) : len, &out->algorithm) == TEXT_NUMBER_OK &&
           chap_algorithm_find(out->algorithm);
}
