/*
 * Fuzz entry: the values of a CHAP exchange as one data segment (any of CHAP_A, CHAP_I, CHAP_C, CHAP_R, CHAP_N),
 * through the decoders and the hash. Beyond crashes: a response answers its challenge in every form it can be written
 * in and does not answer another, and encoding and decoding agree.
 */
#include "fuzz/entry.h"
#include "wire/chap.h"
#include "wire/keys.h"
#include "wire/text.h"

#include <stdlib.h>

struct values {
    const struct chap_algorithm *algorithm;
    uint64_t id;
    uint8_t challenge[CHAP_MAX_BINARY];
    size_t challenge_len;
    uint8_t response[CHAP_MAX_BINARY];
    size_t response_len;
};

static void check(bool right)
{
    if (!right)
        abort();
}

/* The first algorithm of the list that is known: what a target picks. */
static const struct chap_algorithm *pick(const struct text_pair *pair)
{
    struct text_list list;
    const char *item;
    size_t len;
    uint64_t number;

    text_list_init(&list, pair->value, pair->value_len);
    while (text_list_next(&list, &item, &len))
        if (text_parse_number(item, len, &number) == TEXT_NUMBER_OK && chap_algorithm_find(number) != NULL)
            return chap_algorithm_find(number);
    return chap_algorithm_find(CHAP_MD5);
}

static void read_values(const uint8_t *data, size_t size, struct values *v)
{
    struct text_pair pair;

    v->algorithm = text_find(data, size, "CHAP_A", &pair) ? pick(&pair) : chap_algorithm_find(CHAP_MD5);
    if (text_find(data, size, "CHAP_I", &pair))
        text_parse_number(pair.value, pair.value_len, &v->id);
    if (text_find(data, size, "CHAP_C", &pair) &&
        text_decode_binary(pair.value, pair.value_len, v->challenge, sizeof v->challenge, &v->challenge_len) !=
            TEXT_BINARY_OK)
        v->challenge_len = 0;
    if (text_find(data, size, "CHAP_R", &pair) &&
        text_decode_binary(pair.value, pair.value_len, v->response, sizeof v->response, &v->response_len) !=
            TEXT_BINARY_OK)
        v->response_len = 0;
}

/* Writes the hash as text in both ways, reads it back, and asks keys.h what it thinks of it. */
static void check_forms(const uint8_t *hash, size_t len)
{
    const struct keys_entry *key = keys_at(KEYS_CHAP_R);
    char text[TEXT_HEX_SIZE(CHAP_MAX_HASH_LEN)];
    uint8_t back[CHAP_MAX_HASH_LEN];
    size_t text_len = text_encode_hex(hash, len, text, sizeof text), back_len;

    check(text_decode_binary(text, text_len, back, sizeof back, &back_len) == TEXT_BINARY_OK);
    check(chap_equal(back, back_len, hash, len) && keys_check_value(key, text, text_len) == KEYS_VALUE_OK);
    text_len = text_encode_base64(hash, len, text, sizeof text);
    check(text_decode_binary(text, text_len, back, sizeof back, &back_len) == TEXT_BINARY_OK);
    check(chap_equal(back, back_len, hash, len) && keys_check_value(key, text, text_len) == KEYS_VALUE_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t secret[] = "a secret of 24 characters";
    uint8_t hash[CHAP_MAX_HASH_LEN], other[CHAP_MAX_HASH_LEN];
    struct values v = {.id = 0};
    size_t len, other_len;

    read_values(data, size, &v);
    if (chap_response(v.algorithm, (uint8_t)v.id, secret, sizeof secret, v.challenge, v.challenge_len, hash,
                      sizeof hash, &len) != CHAP_OK)
        return 0;
    check(len == v.algorithm->hash_len);
    check_forms(hash, len);
    check(chap_response(v.algorithm, (uint8_t)(v.id + 1), secret, sizeof secret, v.challenge, v.challenge_len, other,
                        sizeof other, &other_len) == CHAP_OK);
    check(!chap_equal(hash, len, other, other_len));
    /* Nobody finds the response of a secret that is not in the input; a prefix must not do. */
    check(!chap_equal(hash, len, v.response, v.response_len));
    check(!chap_equal(hash, len, hash, len - 1));
    return 0;
}
