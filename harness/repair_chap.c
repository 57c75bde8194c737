/* The CHAP part of the repairs: see repair_chap.h. */
#include "harness/repair_chap.h"

#include "wire/chap.h"

#include <stdio.h>
#include <string.h>

static bool copy_value(const void *text, size_t len, const char *key, char *out, size_t cap)
{
    struct text_pair pair;

    if (!text_find(text, len, key, &pair) || pair.value_len >= cap)
        return false;
    memcpy(out, pair.value, pair.value_len);
    out[pair.value_len] = '\0';
    return true;
}

/* The response to a challenge given as text. Its length, 0 when it cannot be computed. */
static size_t response_to(uint64_t number, const char *i, const char *c, const char *secret,
                          uint8_t hash[CHAP_MAX_HASH_LEN])
{
    const struct chap_algorithm *algorithm = chap_algorithm_find(number);
    uint8_t challenge[CHAP_MAX_BINARY];
    size_t challenge_len = 0, hash_len = 0;
    uint64_t id = 0;

    if (!algorithm || !secret || text_parse_number(i, strlen(i), &id) || id > 255 ||
        text_decode_binary(c, strlen(c), challenge, sizeof(challenge), &challenge_len) ||
        chap_response(algorithm, (uint8_t)id, secret, strlen(secret), challenge, challenge_len, hash, CHAP_MAX_HASH_LEN,
                      &hash_len))
        return 0;
    return hash_len;
}

void repair_chap_learn(struct repair *r, struct live_values *live, const void *text, size_t len)
{
    live_learn(live, text, len);
    r->algorithm = live->chap_a;
}

void repair_chap_apply(struct repair *r, struct edit_pdu *p, const struct live_values *live, const struct edit_log *log)
{
    uint8_t right[CHAP_MAX_HASH_LEN], made[CHAP_MAX_HASH_LEN];
    char value[TEXT_HEX_SIZE(CHAP_MAX_HASH_LEN)];
    struct text_pair pair;
    size_t right_len, made_len = 0;

    copy_value(p->text.data, p->text.len, "CHAP_I", r->own_i, sizeof(r->own_i));
    copy_value(p->text.data, p->text.len, "CHAP_C", r->own_c, sizeof(r->own_c));
    if (!text_find(p->text.data, p->text.len, "CHAP_R", &pair))
        return;
    right_len = response_to(r->algorithm, live->chap_i, live->chap_c, r->secret, right);
    if (right_len == 0)
        return;
    if (text_decode_binary(pair.value, pair.value_len, made, sizeof(made), &made_len) == TEXT_BINARY_OK &&
        chap_equal(made, made_len, right, right_len))
        return;
    if (text_encode_hex(right, right_len, value, sizeof(value)) && text_buf_replace(&p->text, "CHAP_R", value) > 0)
        log->note(log->user, "CHAP_R computed by the harness: libiscsi cannot answer this challenge");
}

/* Does CHAP_R of the target answer the challenge that went out? */
static bool mutual_verifies(const struct repair *r, const struct text_buf *text)
{
    char value[LIVE_BINARY_MAX];
    uint8_t came[CHAP_MAX_HASH_LEN], right[CHAP_MAX_HASH_LEN];
    size_t came_len = 0, right_len = response_to(r->algorithm, r->wire_i, r->wire_c, r->mutual_secret, right);

    return right_len > 0 && copy_value(text->data, text->len, "CHAP_R", value, sizeof(value)) &&
           text_decode_binary(value, strlen(value), came, sizeof(came), &came_len) == TEXT_BINARY_OK &&
           chap_equal(came, came_len, right, right_len);
}

static void show_mutual(const struct repair *r, struct text_buf *shown)
{
    uint8_t hash[CHAP_MAX_HASH_LEN];
    char value[TEXT_HEX_SIZE(CHAP_MAX_HASH_LEN)];
    size_t hash_len;

    if (!*r->wire_c || !mutual_verifies(r, shown))
        return;
    hash_len = response_to(CHAP_MD5, r->own_i, r->own_c, r->mutual_secret, hash);
    if (hash_len && text_encode_hex(hash, hash_len, value, sizeof(value)))
        text_buf_replace(shown, "CHAP_R", value);
}

void repair_chap_show(const struct repair *r, struct text_buf *shown)
{
    char value[LIVE_BINARY_MAX], plain[TEXT_HEX_SIZE(CHAP_MAX_BINARY)];
    uint8_t challenge[CHAP_MAX_BINARY];
    size_t challenge_len = 0;
    uint64_t number = 0;

    if (copy_value(shown->data, shown->len, "CHAP_A", value, sizeof(value)) && strcmp(value, "5") != 0 &&
        chap_algorithm_find(r->algorithm))
        text_buf_replace(shown, "CHAP_A", "5");
    if (copy_value(shown->data, shown->len, "CHAP_I", value, sizeof(value)) &&
        text_parse_number(value, strlen(value), &number) == TEXT_NUMBER_OK) {
        snprintf(plain, sizeof(plain), "%llu", (unsigned long long)number);
        if (strcmp(plain, value) != 0)
            text_buf_replace(shown, "CHAP_I", plain);
    }
    if (copy_value(shown->data, shown->len, "CHAP_C", value, sizeof(value)) &&
        text_decode_binary(value, strlen(value), challenge, sizeof(challenge), &challenge_len) == TEXT_BINARY_OK &&
        text_encode_hex(challenge, challenge_len, plain, sizeof(plain)) &&
        (strncmp(value, "0x", 2) != 0 || strcasecmp(plain, value) != 0))
        text_buf_replace(shown, "CHAP_C", plain);
    show_mutual(r, shown);
}
