/* Changes that know CHAP (RFC 7143 12.1.3): see mutate_parts.h. */
#include "harness/mutate_parts.h"

enum { LOGIN_MAX = 4096 };

/* The first unit whose text has the key, beginning at random. */
static size_t find_key(struct mutate_work *w, const char *key, struct text_pair *pair)
{
    size_t start = mutate_below(w, w->unit_count);

    for (size_t i = 0; i < w->unit_count; i++) {
        size_t unit = (start + i) % w->unit_count;
        struct mutate_span span = mutate_text_of(w, unit);

        if (span.len > 0 &&
            text_find(w->bytes + w->units[unit].at + w->units[unit].head + span.at, span.len, key, pair))
            return unit;
    }
    return w->unit_count;
}

static bool replace_value(struct mutate_work *w, size_t unit, const struct text_pair *pair, const uint8_t *value,
                          size_t len)
{
    if ((len == pair->value_len && memcmp(value, pair->value, len) == 0) ||
        !mutate_splice_text(w, unit, pair->offset + pair->key_len + 1, pair->value_len, value, len))
        return false;
    if (memchr(value, '{', len) != NULL)
        mutate_set_live(w, unit, SESSION_INPUT_LIVE_TEXT);
    return true;
}

/* CHAP_R becomes right when it is sent, or right but for its form. */
bool mutate_chap_response(struct mutate_work *w)
{
    uint8_t value[MUTATE_VALUE_MAX];
    struct text_pair pair;
    size_t unit = find_key(w, "CHAP_R", &pair);
    bool live;

    if (unit == w->unit_count)
        return false;
    size_t len = mutate_response(w, value, &live);

    return replace_value(w, unit, &pair, value, len);
}

/* Another value of one of the keys of CHAP. */
bool mutate_chap_value(struct mutate_work *w)
{
    static const enum keys_id keys[] = {KEYS_CHAP_A, KEYS_CHAP_I, KEYS_CHAP_C, KEYS_CHAP_N, KEYS_AUTH_METHOD};
    const struct keys_entry *key = keys_at(keys[mutate_below(w, sizeof(keys) / sizeof(keys[0]))]);
    uint8_t value[MUTATE_VALUE_MAX];
    struct text_pair pair;
    size_t unit = find_key(w, key->name, &pair);

    return unit < w->unit_count && replace_value(w, unit, &pair, value, mutate_value(w, key, value));
}

/* The initiator challenges the target as well: CHAP_I and CHAP_C beside CHAP_R. */
bool mutate_chap_mutual(struct mutate_work *w)
{
    uint8_t text[2 * MUTATE_VALUE_MAX + 16], value[MUTATE_VALUE_MAX];
    struct text_pair pair;
    size_t unit = find_key(w, "CHAP_R", &pair), len = 0;

    if (unit == w->unit_count)
        return false;
    for (enum keys_id id = KEYS_CHAP_I; id <= KEYS_CHAP_C; id++) {
        size_t value_len = mutate_value(w, keys_at(id), value);

        memcpy(text + len, keys_at(id)->name, 6);
        text[len + 6] = '=';
        memcpy(text + len + 7, value, value_len);
        text[len + 7 + value_len] = 0;
        len += value_len + 8;
    }
    if (!mutate_splice_text(w, unit, mutate_text_of(w, unit).len, 0, text, len))
        return false;
    if (memchr(text, '{', len) != NULL)
        mutate_set_live(w, unit, SESSION_INPUT_LIVE_TEXT);
    return true;
}

/* A whole login by CHAP in front, on a connection of its own or the first. */
bool mutate_chap_login(struct mutate_work *w)
{
    uint8_t login[LOGIN_MAX];
    size_t len = mutate_template(w, (unsigned)mutate_below(w, SESSION_INPUT_CONNS), true, login, sizeof(login));

    return mutate_insert(w, mutate_one_in(w, 2) ? 0 : w->unit_count, login, len);
}
