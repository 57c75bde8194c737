/* Changes of key=value text: see mutate_parts.h. Lengths and padding follow the text. */
#include "harness/mutate_parts.h"

enum { PAIR_MAX = MUTATE_VALUE_MAX + 80, FLAGS_AT = 1 };

/* A random pair of a random text. False: there is none. */
static bool pick_pair(struct mutate_work *w, size_t *unit, struct text_pair *pair)
{
    *unit = mutate_pick_text(w, 2);
    if (*unit == w->unit_count)
        return false;
    return mutate_pair(w, *unit, mutate_below(w, mutate_pair_count(w, *unit)), pair);
}

/* Tokens are filled in only where the record says so. */
static void note_tokens(struct mutate_work *w, size_t unit, const uint8_t *bytes, size_t len)
{
    if (memchr(bytes, '{', len) != NULL)
        mutate_set_live(w, unit, SESSION_INPUT_LIVE_TEXT);
}

static bool splice_noted(struct mutate_work *w, size_t unit, size_t at, size_t old_len, const uint8_t *bytes,
                         size_t len)
{
    if (!mutate_splice_text(w, unit, at, old_len, bytes, len))
        return false;
    note_tokens(w, unit, bytes, len);
    return true;
}

/* Another value of the key that is there, by the type of its table row. */
bool mutate_text_value(struct mutate_work *w)
{
    uint8_t value[MUTATE_VALUE_MAX];
    struct text_pair pair;
    size_t unit;

    if (!pick_pair(w, &unit, &pair))
        return false;
    const struct keys_entry *key = keys_find(pair.key, pair.key_len);
    size_t len = mutate_value(w, key != NULL ? key : mutate_key(w), value);
    size_t at = pair.offset + (pair.value_len > 0 ? (size_t)(pair.value - pair.key) : pair.key_len);

    if (pair.value_len == 0 && pair.key_len < pair.len) /* an '=' or the null byte stands behind the key */
        at += pair.key[pair.key_len] == '=';
    if (len == pair.value_len && memcmp(value, pair.value, len) == 0)
        return false;
    return splice_noted(w, unit, at, pair.value_len, value, len);
}

static size_t make_pair(struct mutate_work *w, uint8_t out[PAIR_MAX])
{
    static const char *const names[] = {"X-com.example.key", "x",           "X#NodeArchitecture", "iSERHelloRequired",
                                        "initiatorname",     "TargetName ", "AuthMethod\t",       "K"};
    uint8_t value[MUTATE_VALUE_MAX];
    const struct keys_entry *key = mutate_key(w);
    const char *name = mutate_one_in(w, 12) ? names[mutate_below(w, sizeof(names) / sizeof(names[0]))] : key->name;
    size_t name_len = strlen(name), len = mutate_value(w, key, value);

    memcpy(out, name, name_len);
    out[name_len] = '=';
    memcpy(out + name_len + 1, value, len);
    out[name_len + 1 + len] = 0;
    return name_len + len + 2;
}

/* Adds a pair of the table at the start, between pairs, or at the end. */
bool mutate_text_add(struct mutate_work *w)
{
    uint8_t pair[PAIR_MAX];
    struct text_pair before;
    size_t unit = mutate_pick_text(w, 0);

    if (unit == w->unit_count)
        return false;
    size_t at = mutate_text_of(w, unit).len, len = make_pair(w, pair);

    if (mutate_one_in(w, 2) && mutate_pair(w, unit, mutate_below(w, mutate_pair_count(w, unit)), &before))
        at = before.offset;
    return splice_noted(w, unit, at, 0, pair, len);
}

bool mutate_text_rename(struct mutate_work *w)
{
    struct text_pair pair;
    size_t unit;

    if (!pick_pair(w, &unit, &pair))
        return false;
    const struct keys_entry *key = mutate_key(w);

    return mutate_splice_text(w, unit, pair.offset, pair.key_len, key->name, key->name_len);
}

bool mutate_text_drop(struct mutate_work *w)
{
    struct text_pair pair;
    size_t unit;

    return pick_pair(w, &unit, &pair) && mutate_splice_text(w, unit, pair.offset, pair.len, NULL, 0);
}

/* A key twice: with the same value or another, next to it or at the end; seldom hundreds of times. */
bool mutate_text_repeat(struct mutate_work *w)
{
    uint8_t copy[PAIR_MAX];
    struct text_pair pair;
    size_t unit, times = mutate_one_in(w, 30) ? 1 + mutate_below(w, 200) : 1;
    bool done = false;

    if (!pick_pair(w, &unit, &pair) || pair.len > sizeof(copy))
        return false;
    size_t len = pair.len, at = mutate_one_in(w, 2) ? pair.offset : mutate_text_of(w, unit).len;

    memcpy(copy, pair.key, len);
    while (times-- > 0 && mutate_splice_text(w, unit, at, 0, copy, len))
        done = true;
    return done;
}

/* Two pairs change places. */
bool mutate_text_swap(struct mutate_work *w)
{
    uint8_t copy[PAIR_MAX];
    struct text_pair pair, other;
    size_t unit;

    if (!pick_pair(w, &unit, &pair) || pair.len > sizeof(copy))
        return false;
    size_t len = pair.len, offset = pair.offset;

    memcpy(copy, pair.key, len);
    if (!mutate_splice_text(w, unit, offset, len, NULL, 0) ||
        !mutate_pair(w, unit, mutate_below(w, mutate_pair_count(w, unit)), &other))
        return false;
    return mutate_splice_text(w, unit, mutate_one_in(w, 4) ? mutate_text_of(w, unit).len : other.offset, 0, copy, len);
}

/* Breaks the form: null bytes, '=', key lengths around the limit, control bytes. */
bool mutate_text_form(struct mutate_work *w)
{
    static const uint8_t stray[] = {0, '\n', 0xff, 0x80, ' ', ','};
    uint8_t name[TEXT_KEY_MAX + 3];
    struct text_pair pair;
    size_t unit, at;

    if (!pick_pair(w, &unit, &pair))
        return false;
    at = pair.offset + pair.len - 1;
    switch (mutate_below(w, 7)) {
    case 0: /* two pairs run together, or the last one has no end */
        return mutate_splice_text(w, unit, at, 1, NULL, 0);
    case 1:
        return mutate_splice_text(w, unit, at, 0, "\0\0\0", 1 + mutate_below(w, 3));
    case 2:
        return pair.key_len < pair.len && mutate_splice_text(w, unit, pair.offset + pair.key_len, 1, NULL, 0);
    case 3:
        return mutate_splice_text(w, unit, pair.offset + pair.key_len, 0, "=", 1);
    case 4: /* a key of nothing but a value */
        return mutate_splice_text(w, unit, pair.offset, pair.key_len, NULL, 0);
    case 5:
        memset(name, 'K', sizeof(name));
        return mutate_splice_text(w, unit, pair.offset, pair.key_len, name, TEXT_KEY_MAX - 1 + mutate_below(w, 4));
    default:
        return mutate_splice_text(w, unit, pair.offset + mutate_below(w, pair.len), 0,
                                  &stray[mutate_below(w, sizeof(stray))], 1);
    }
}

/* An item more or less in a value with commas, or one twice. */
bool mutate_text_list(struct mutate_work *w)
{
    static const char *const items[] = {"None,", "CHAP,", "CRC32C,", ",", "5,", "7,", "x,", "Reject,", "KRB5,"};
    struct text_pair pair;
    size_t unit;

    if (!pick_pair(w, &unit, &pair) || pair.value_len == 0)
        return false;
    const char *comma = memchr(pair.value, ',', pair.value_len);
    size_t at = pair.offset + pair.key_len + 1;
    const char *item = items[mutate_below(w, sizeof(items) / sizeof(items[0]))];

    if (comma != NULL && mutate_one_in(w, 2))
        return mutate_splice_text(w, unit, at, (size_t)(comma - pair.value) + 1, NULL, 0);
    return mutate_splice_text(w, unit,
                              comma != NULL && mutate_one_in(w, 2) ? at + (size_t)(comma - pair.value) + 1 : at, 0,
                              item, strlen(item));
}

/* A value that grows by itself: towards the limits of a value, of a segment, of a text in parts. */
bool mutate_text_grow(struct mutate_work *w)
{
    uint8_t more[1024];
    struct text_pair pair;
    size_t unit, len = 1 + (mutate_random(w) >> mutate_below(w, 64)) % sizeof(more);

    if (!pick_pair(w, &unit, &pair))
        return false;
    memset(more, pair.value_len > 0 ? pair.value[pair.value_len - 1] : 'a', len);
    return mutate_splice_text(w, unit, pair.offset + pair.key_len + (pair.key_len < pair.len ? 1 : 0) + pair.value_len,
                              0, more, len);
}

/* ---- C bit ---- */

/* Where to cut a text of len bytes: anywhere, or near a border of a pair. */
static size_t cut_at(struct mutate_work *w, size_t unit, size_t len)
{
    struct text_pair pair;

    if (mutate_one_in(w, 2) || !mutate_pair(w, unit, mutate_below(w, mutate_pair_count(w, unit)), &pair))
        return mutate_below(w, len + 1);
    const size_t places[] = {pair.offset, pair.offset + pair.key_len, pair.offset + pair.key_len + 1,
                             pair.offset + pair.len - 1, pair.offset + pair.len};
    size_t at = places[mutate_below(w, sizeof(places) / sizeof(places[0]))];

    return at <= len ? at : len;
}

/* One PDU becomes two: the first with C=1 and T=0, the second as it was. */
bool mutate_text_split(struct mutate_work *w)
{
    uint8_t first[SESSION_INPUT_HEAD + PDU_BHS_LEN];
    size_t unit = mutate_pick_text(w, 1);

    if (w->options->format == MUTATE_TEXT || unit == w->unit_count)
        return false;
    struct mutate_span span = mutate_text_of(w, unit);
    size_t head = w->units[unit].head, part = cut_at(w, unit, span.len), from = w->units[unit].at;
    size_t text_at = from + head + span.at, record = PDU_BHS_LEN + pdu_padded_len(part);

    if (span.at != PDU_BHS_LEN || record > SESSION_INPUT_DATA_MAX || head + record > w->cap - w->len)
        return false;
    memcpy(first, w->bytes + from, head + PDU_BHS_LEN);
    if (head > 0) {
        first[1] = (uint8_t)(record & 0xffU);
        first[2] = (uint8_t)(record >> 8);
    }
    uint8_t *bhs = first + head;

    bhs[FLAGS_AT] = (uint8_t)((bhs[FLAGS_AT] & ~(PDU_FLAG_TRANSIT | 3U)) | PDU_FLAG_CONTINUE);
    pdu_set_data_len(bhs, part);
    /* room in front; the part moves over, then the rest closes up */
    mutate_splice(w, from, 0, NULL, head + record);
    memcpy(w->bytes + from, first, head + PDU_BHS_LEN);
    memmove(w->bytes + from + head + PDU_BHS_LEN, w->bytes + text_at + head + record, part);
    memset(w->bytes + from + head + PDU_BHS_LEN + part, 0, pdu_padding(part));
    mutate_refresh(w);
    return unit + 1 < w->unit_count && mutate_splice_text(w, unit + 1, 0, part, NULL, 0);
}

/* The text of a PDU goes behind that of the one before; the PDU itself goes. */
bool mutate_text_join(struct mutate_work *w)
{
    uint8_t text[PAIR_MAX];
    size_t unit = mutate_pick_text(w, 1);

    if (w->options->format == MUTATE_TEXT || unit == w->unit_count || unit + 1 >= w->unit_count)
        return false;
    struct mutate_span next = mutate_text_of(w, unit + 1);

    if (next.len == 0 || next.len > sizeof(text))
        return false;
    memcpy(text, w->bytes + w->units[unit + 1].at + w->units[unit + 1].head + next.at, next.len);
    if (!mutate_splice_text(w, unit, mutate_text_of(w, unit).len, 0, text, next.len))
        return false;
    note_tokens(w, unit, text, next.len);
    return mutate_remove(w, unit + 1);
}
