/* Live values of a case: see live.h. */
#include "harness/live.h"

#include "harness/live_chap.h"
#include "wire/bytes.h"
#include "wire/chap.h"
#include "wire/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct live_word {
    const char *name;
    /* Writes the value as text into out; false with the reason in err. arg is what stood behind the first colon, or
     * NULL. */
    bool (*write)(const struct live_values *v, const char *arg, char *out, size_t cap, char *err, size_t err_len);
    bool of_conn; /* the part behind the colon names a connection */
};

static bool put(char *out, size_t cap, const char *text)
{
    int n = snprintf(out, cap, "%s", text);

    return n >= 0 && (size_t)n < cap;
}

static void learn(const void *text, size_t len, const char *key, char *out, size_t cap)
{
    struct text_pair pair;

    if (text_find(text, len, key, &pair) && pair.value_len < cap) {
        memcpy(out, pair.value, pair.value_len);
        out[pair.value_len] = '\0';
    }
}

void live_learn(struct live_values *live, const void *text, size_t len)
{
    char number[32] = "";

    learn(text, len, "CHAP_A", number, sizeof(number));
    if (*number && text_parse_number(number, strlen(number), &live->chap_a) != TEXT_NUMBER_OK)
        live->chap_a = 0;
    learn(text, len, "CHAP_I", live->chap_i, sizeof(live->chap_i));
    learn(text, len, "CHAP_C", live->chap_c, sizeof(live->chap_c));
}

static bool write_target(const struct live_values *v, const char *arg, char *out, size_t cap, char *err, size_t err_len)
{
    (void)arg, (void)err, (void)err_len;
    return put(out, cap, v->target);
}

/* A name no target has: the real one with another end, within the limit of 4.2.7.1. */
static bool write_absent(const struct live_values *v, const char *arg, char *out, size_t cap, char *err, size_t err_len)
{
    (void)arg, (void)err, (void)err_len;
    return snprintf(out, cap, "%.*s-absent", (int)(TEXT_NAME_MAX - 7), v->target) > 0;
}

static bool write_initiator(const struct live_values *v, const char *arg, char *out, size_t cap, char *err,
                            size_t err_len)
{
    (void)arg, (void)err, (void)err_len;
    return put(out, cap, v->initiator);
}

static bool write_user(const struct live_values *v, const char *arg, char *out, size_t cap, char *err, size_t err_len)
{
    (void)arg;
    if (!v->user || !*v->user)
        snprintf(err, err_len, "the condition names no user");
    return v->user && *v->user && put(out, cap, v->user);
}

static bool write_isid(const struct live_values *v, const char *arg, char *out, size_t cap, char *err, size_t err_len)
{
    (void)arg, (void)err, (void)err_len;
    return snprintf(out, cap, "0x%012llx", (unsigned long long)bytes_get_be(v->isid, PDU_ISID_LEN)) > 0;
}

static bool write_tsih(const struct live_values *v, const char *arg, char *out, size_t cap, char *err, size_t err_len)
{
    (void)arg, (void)err, (void)err_len;
    return snprintf(out, cap, "%u", (unsigned)v->tsih) > 0;
}

static bool write_cid(const struct live_values *v, const char *arg, char *out, size_t cap, char *err, size_t err_len)
{
    (void)arg, (void)err, (void)err_len;
    return snprintf(out, cap, "%u", (unsigned)v->cid) > 0;
}

static bool write_itt(const struct live_values *v, const char *arg, char *out, size_t cap, char *err, size_t err_len)
{
    (void)arg, (void)err, (void)err_len;
    return snprintf(out, cap, "%lu", (unsigned long)v->itt) > 0;
}

static bool write_cmdsn(const struct live_values *v, const char *arg, char *out, size_t cap, char *err, size_t err_len)
{
    (void)arg, (void)err, (void)err_len;
    return snprintf(out, cap, "%lu", (unsigned long)v->cmd_sn) > 0;
}

static bool write_expstatsn(const struct live_values *v, const char *arg, char *out, size_t cap, char *err,
                            size_t err_len)
{
    (void)arg, (void)err, (void)err_len;
    return snprintf(out, cap, "%lu", (unsigned long)v->exp_stat_sn) > 0;
}

static bool write_ttt(const struct live_values *v, const char *arg, char *out, size_t cap, char *err, size_t err_len)
{
    (void)arg, (void)err, (void)err_len;
    return snprintf(out, cap, "%lu", (unsigned long)v->ttt) > 0;
}

static bool write_portal(const struct live_values *v, const char *arg, char *out, size_t cap, char *err, size_t err_len)
{
    (void)arg, (void)err, (void)err_len;
    return put(out, cap, v->portal);
}

static bool write_chap_i(const struct live_values *v, const char *arg, char *out, size_t cap, char *err, size_t err_len)
{
    (void)arg;
    if (!*v->chap_i)
        snprintf(err, err_len, "no CHAP_I has come yet");
    return *v->chap_i && put(out, cap, v->chap_i);
}

static bool write_chap_c(const struct live_values *v, const char *arg, char *out, size_t cap, char *err, size_t err_len)
{
    (void)arg;
    if (!*v->chap_c)
        snprintf(err, err_len, "no CHAP_C has come yet");
    return *v->chap_c && put(out, cap, v->chap_c);
}

/* {chap_r:ALG:SECRET:FORM}; without a secret that of the connection. */
static bool write_chap_r(const struct live_values *v, const char *arg, char *out, size_t cap, char *err, size_t err_len)
{
    const struct chap_algorithm *algorithm;
    const char *secret;
    struct live_chap chap;
    uint8_t challenge[CHAP_MAX_BINARY], hash[CHAP_MAX_HASH_LEN];
    uint64_t id = 0;
    size_t challenge_len = 0, hash_len = 0;

    if (!live_chap_parse(arg ? arg : "", arg ? strlen(arg) : 0, &chap)) {
        snprintf(err, err_len, "{chap_r:%s}: unknown algorithm or form", arg ? arg : "");
        return false;
    }
    algorithm = chap_algorithm_find(chap.algorithm ? chap.algorithm : v->chap_a);
    if (!algorithm) {
        snprintf(err, err_len, "{chap_r:%s}: no algorithm was agreed on", arg);
        return false;
    }
    secret = *chap.secret ? chap.secret : v->secret;
    if (text_parse_number(v->chap_i, strlen(v->chap_i), &id) || id > 255 ||
        text_decode_binary(v->chap_c, strlen(v->chap_c), challenge, sizeof(challenge), &challenge_len)) {
        snprintf(err, err_len, "{chap_r}: no challenge of use has come");
        return false;
    }
    if (chap_response(algorithm, (uint8_t)id, secret, strlen(secret), challenge, challenge_len, hash, sizeof(hash),
                      &hash_len)) {
        snprintf(err, err_len, "{chap_r}: %s is not available here", algorithm->name);
        return false;
    }
    return chap.encode(hash, hash_len, out, cap) > 0;
}

/* {chap_old:A}: the response that was right on connection A, for a replay. */
static bool write_chap_old(const struct live_values *v, const char *arg, char *out, size_t cap, char *err,
                           size_t err_len)
{
    (void)arg;
    return write_chap_r(v, "agreed", out, cap, err, err_len);
}

/* Bytes that count up, so that no two of a value's parts are the same. The loader has checked the length. */
static size_t pattern(const char *arg, uint8_t *bytes, size_t cap)
{
    uint64_t len = 0;

    if (!arg || text_parse_number(arg, strlen(arg), &len) != TEXT_NUMBER_OK || len > cap)
        return SIZE_MAX;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 7u + (i >> 8));
    return (size_t)len;
}

static bool write_hex(const struct live_values *v, const char *arg, char *out, size_t cap, char *err, size_t err_len)
{
    uint8_t bytes[LIVE_LENGTH_MAX];
    size_t len = pattern(arg, bytes, sizeof(bytes));

    (void)v, (void)err, (void)err_len;
    return len != SIZE_MAX && text_encode_hex(bytes, len, out, cap) > 0;
}

static bool write_base64(const struct live_values *v, const char *arg, char *out, size_t cap, char *err, size_t err_len)
{
    uint8_t bytes[LIVE_LENGTH_MAX];
    size_t len = pattern(arg, bytes, sizeof(bytes));

    (void)v, (void)err, (void)err_len;
    return len != SIZE_MAX && text_encode_base64(bytes, len, out, cap) > 0;
}

/* Letters and digits that are legal in names, values and labels alike. */
static bool write_letters(const struct live_values *v, const char *arg, char *out, size_t cap, char *err,
                          size_t err_len)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    uint8_t bytes[LIVE_LENGTH_MAX];
    size_t len = pattern(arg, bytes, sizeof(bytes));

    (void)v, (void)err, (void)err_len;
    if (len >= cap)
        return false;
    for (size_t i = 0; i < len; i++)
        out[i] = letters[i % (sizeof(letters) - 1)];
    out[len] = '\0';
    return true;
}

static const struct live_word words[] = {
    {"target", write_target, true},
    {"absent_target", write_absent, true},
    {"initiator", write_initiator, true},
    {"user", write_user, true},
    {"isid", write_isid, true},
    {"tsih", write_tsih, true},
    {"cid", write_cid, true},
    {"itt", write_itt, true},
    {"cmdsn", write_cmdsn, true},
    {"expstatsn", write_expstatsn, true},
    {"ttt", write_ttt, true},
    {"portal", write_portal, true},
    {"chap_i", write_chap_i, true},
    {"chap_c", write_chap_c, true},
    {"chap_r", write_chap_r, false},
    {"chap_old", write_chap_old, true},
    {"hex", write_hex, false},
    {"base64", write_base64, false},
    {"letters", write_letters, false},
};

/* One word without its braces. */
static bool live_word(const char *word, const struct live_scope *scope, char *out, size_t cap, char *err,
                      size_t err_len)
{
    const char *colon = strchr(word, ':');
    size_t name_len = colon ? (size_t)(colon - word) : strlen(word);

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const struct live_values *values = scope->own;

        if (strlen(words[i].name) != name_len || memcmp(words[i].name, word, name_len) != 0)
            continue;
        if (colon && words[i].of_conn) {
            values = scope->find ? scope->find(scope->user, colon + 1) : NULL;
            if (!values) {
                snprintf(err, err_len, "{%s}: no connection of that name", word);
                return false;
            }
        }
        if (words[i].write(values, colon ? colon + 1 : NULL, out, cap, err, err_len))
            return true;
        if (!*err)
            snprintf(err, err_len, "{%s}: the value is too long", word);
        return false;
    }
    snprintf(err, err_len, "{%s}: no such live value", word);
    return false;
}

/* Length of the word that opens at text, braces included; 0 when there is none. */
static size_t word_span(const char *text, size_t len)
{
    const char *close = len > 1 && islower((unsigned char)text[1]) ? memchr(text, '}', len) : NULL;

    return close ? (size_t)(close - text) + 1 : 0;
}

char *live_expand(const char *text, size_t len, const struct live_scope *scope, size_t *out_len, char *err,
                  size_t err_len)
{
    struct text_buf out;
    char *result = NULL;
    bool good = true;

    text_buf_init_growing(&out, 1u << 20, NULL, NULL);
    *err = '\0';
    for (size_t i = 0; i < len && good;) {
        size_t span = text[i] == '{' ? word_span(text + i, len - i) : 0;
        char word[600], value[LIVE_BINARY_MAX];

        if (span == 0) {
            good = text_buf_add_raw(&out, text + i++, 1);
            continue;
        }
        if (span - 2 >= sizeof(word)) {
            snprintf(err, err_len, "a live value of %zu characters", span);
            good = false;
            break;
        }
        memcpy(word, text + i + 1, span - 2);
        word[span - 2] = '\0';
        good =
            live_word(word, scope, value, sizeof(value), err, err_len) && text_buf_add_raw(&out, value, strlen(value));
        i += span;
    }
    if (good && (result = malloc(out.len + 1))) {
        if (out.len)
            memcpy(result, out.data, out.len);
        result[out.len] = '\0';
        *out_len = out.len;
    } else if (!*err) {
        snprintf(err, err_len, "out of memory");
    }
    text_buf_free(&out);
    return result;
}

bool live_number(const char *text, const struct live_scope *scope, uint64_t *out, char *err, size_t err_len)
{
    size_t len = 0;
    char *value = live_expand(text, strlen(text), scope, &len, err, err_len);
    bool good = value && text_parse_number(value, len, out) == TEXT_NUMBER_OK;

    if (value && !good)
        snprintf(err, err_len, "\"%s\" is no number", value);
    free(value);
    return good;
}
