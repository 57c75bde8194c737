/*
 * keys_result.c - what comes out of an offer and the acceptor's own wish
 * (RFC 7143 6.2.1, 6.2.2).
 */
#include "wire/keys.h"

#include <string.h>

#include "wire/text.h"

uint64_t keys_result_number(const struct keys_entry *key, uint64_t offer, uint64_t own)
{
    if (key->type == KEYS_NUMBER_MIN)
        return offer < own ? offer : own;
    if (key->type == KEYS_NUMBER_MAX)
        return offer > own ? offer : own;
    return own;
}

bool keys_result_bool(const struct keys_entry *key, bool offer, bool own)
{
    if (key->type == KEYS_BOOL_AND)
        return offer && own;
    if (key->type == KEYS_BOOL_OR)
        return offer || own;
    return own;
}

bool keys_result_list(const char *offer, size_t offer_len, const char *own, size_t own_len, const char **item,
                      size_t *item_len)
{
    struct text_list list;
    const char *here;
    size_t here_len;

    text_list_init(&list, offer, offer_len);
    while (text_list_next(&list, &here, &here_len)) {
        if (here_len > 0 && text_list_has(own, own_len, here, here_len)) {
            *item = here;
            *item_len = here_len;
            return true;
        }
    }
    return false;
}

bool keys_result_number_list(const char *offer, size_t offer_len, const char *own, size_t own_len, const char **item,
                             size_t *item_len, uint64_t *number)
{
    struct text_list list;
    const char *here;
    size_t here_len;
    uint64_t value;

    text_list_init(&list, offer, offer_len);
    while (text_list_next(&list, &here, &here_len)) {
        if (text_parse_number(here, here_len, &value) == TEXT_NUMBER_OK && text_list_has_number(own, own_len, value)) {
            *item = here;
            *item_len = here_len;
            *number = value;
            return true;
        }
    }
    return false;
}

/* Copies len bytes and a null byte; the length, or 0 when cap is too small. */
static size_t put(char *out, size_t cap, const char *text, size_t len)
{
    if (len >= cap)
        return 0;
    memcpy(out, text, len);
    out[len] = '\0';
    return len;
}

static size_t put_reject(char *out, size_t cap)
{
    return put(out, cap, "Reject", strlen("Reject"));
}

static size_t put_number(const struct keys_entry *key, const char *offer, size_t offer_len, const char *own, char *out,
                         size_t cap)
{
    char text[TEXT_NUMBER_MAX];
    uint64_t offered;
    uint64_t wished;

    if (text_parse_number(offer, offer_len, &offered) != TEXT_NUMBER_OK ||
        text_parse_number(own, strlen(own), &wished) != TEXT_NUMBER_OK)
        return put_reject(out, cap);
    return put(out, cap, text, text_format_number(text, keys_result_number(key, offered, wished)));
}

static size_t put_bool(const struct keys_entry *key, const char *offer, size_t offer_len, const char *own, char *out,
                       size_t cap)
{
    bool offered;
    bool wished;
    const char *text;

    if (!text_parse_bool(offer, offer_len, &offered) || !text_parse_bool(own, strlen(own), &wished))
        return put_reject(out, cap);
    text = keys_result_bool(key, offered, wished) ? "Yes" : "No";
    return put(out, cap, text, strlen(text));
}

size_t keys_result(const struct keys_entry *key, const char *offer, size_t offer_len, const char *own, char *out,
                   size_t cap)
{
    const char *item;
    size_t item_len;
    uint64_t number;

    if ((key->flags & KEYS_DECLARATIVE) != 0 || key->type == KEYS_SEND)
        return 0;
    if (keys_check_value(key, offer, offer_len) != KEYS_VALUE_OK)
        return put_reject(out, cap);
    switch (key->type) {
    case KEYS_NUMBER_MIN:
    case KEYS_NUMBER_MAX:
        return put_number(key, offer, offer_len, own, out, cap);
    case KEYS_BOOL_AND:
    case KEYS_BOOL_OR:
        return put_bool(key, offer, offer_len, own, out, cap);
    case KEYS_LIST:
        if (keys_result_list(offer, offer_len, own, strlen(own), &item, &item_len))
            return put(out, cap, item, item_len);
        return put_reject(out, cap);
    case KEYS_NUMBER_LIST:
        if (keys_result_number_list(offer, offer_len, own, strlen(own), &item, &item_len, &number))
            return put(out, cap, item, item_len);
        return put_reject(out, cap);
    default:
        return put_reject(out, cap);
    }
}
