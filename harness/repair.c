/* Keeping libiscsi an honest initiator: see repair.h. CHAP is in repair_chap.c. */
#include "harness/repair.h"
#include "harness/repair_chap.h"

#include "wire/keys.h"

#include <stdio.h>
#include <string.h>

enum { REPAIR_TEXT_MAX = 1 << 18 };

void repair_init(struct repair *r, const char *secret, const char *mutual_secret)
{
    memset(r, 0, sizeof(*r));
    text_buf_init_growing(&r->seen, REPAIR_TEXT_MAX, NULL, NULL);
    text_buf_init_growing(&r->offered, REPAIR_TEXT_MAX, NULL, NULL);
    text_buf_init_growing(&r->open, REPAIR_TEXT_MAX, NULL, NULL);
    r->secret = secret;
    r->mutual_secret = mutual_secret;
}

void repair_free(struct repair *r)
{
    text_buf_free(&r->seen);
    text_buf_free(&r->offered);
    text_buf_free(&r->open);
}

static void key_copy(char *out, size_t cap, const struct text_pair *pair)
{
    size_t len = pair->key_len < cap - 1 ? pair->key_len : cap - 1;

    memcpy(out, pair->key, len);
    out[len] = '\0';
}

static bool buf_has(const struct text_buf *buf, const char *key)
{
    struct text_pair pair;

    return text_find(buf->data, buf->len, key, &pair);
}

/* Adds the names of all keys of a text to a list. */
static void remember_keys(struct text_buf *list, const void *text, size_t len)
{
    struct text_cursor cursor;
    struct text_pair pair;
    enum text_result result;

    text_cursor_init(&cursor, text, len);
    while ((result = text_next(&cursor, &pair)) != TEXT_END) {
        char key[TEXT_KEY_MAX + 1];

        key_copy(key, sizeof(key), &pair);
        if (result == TEXT_PAIR && !buf_has(list, key))
            text_buf_add(list, key, "");
    }
}

void repair_sent(struct repair *r, const void *text, size_t len)
{
    struct text_cursor cursor;
    struct text_pair pair;
    enum text_result result;

    remember_keys(&r->seen, text, len);
    remember_keys(&r->offered, text, len);
    text_cursor_init(&cursor, text, len);
    while ((result = text_next(&cursor, &pair)) != TEXT_END) {
        char key[TEXT_KEY_MAX + 1];

        if (result != TEXT_PAIR)
            continue;
        key_copy(key, sizeof(key), &pair);
        text_buf_drop(&r->open, key);
        if (strcmp(key, "CHAP_I") == 0)
            snprintf(r->wire_i, sizeof(r->wire_i), "%.*s", (int)pair.value_len, pair.value);
        if (strcmp(key, "CHAP_C") == 0)
            snprintf(r->wire_c, sizeof(r->wire_c), "%.*s", (int)pair.value_len, pair.value);
    }
}

/* Drops each key of p that `unwanted` names; one note for all. */
static void drop_keys(const struct repair *r, struct edit_pdu *p, const struct edit_log *log, const char *why,
                      bool (*unwanted)(const struct repair *r, const char *key))
{
    char dropped[200] = "";
    size_t count = 0;
    struct text_cursor cursor;
    struct text_pair pair;

    text_cursor_init(&cursor, p->text.data, p->text.len);
    while (text_next(&cursor, &pair) != TEXT_END) {
        char key[TEXT_KEY_MAX + 1];
        size_t used = strlen(dropped);

        key_copy(key, sizeof(key), &pair);
        if (!unwanted(r, key) || text_buf_drop(&p->text, key) == 0)
            continue;
        if (used < sizeof(dropped) - TEXT_KEY_MAX - 3)
            snprintf(dropped + used, sizeof(dropped) - used, "%s%s", count ? " " : "", key);
        count++;
        text_cursor_init(&cursor, p->text.data, p->text.len); /* the text has moved */
    }
    if (count) {
        char text[300];

        snprintf(text, sizeof(text), "%zu key%s dropped, %s: %s", count, count == 1 ? "" : "s", why, dropped);
        log->note(log->user, text);
    }
}

static bool is_seen(const struct repair *r, const char *key)
{
    return buf_has(&r->seen, key);
}

static bool is_leading_only(const struct repair *r, const char *key)
{
    const struct keys_entry *entry = keys_find(key, strlen(key));

    (void)r;
    return entry && entry->use == KEYS_LO;
}

void repair_learn(struct repair *r, struct live_values *live, const void *text, size_t len)
{
    struct text_cursor cursor;
    struct text_pair pair;
    enum text_result result;

    repair_chap_learn(r, live, text, len);
    text_cursor_init(&cursor, text, len);
    while ((result = text_next(&cursor, &pair)) != TEXT_END) {
        char key[TEXT_KEY_MAX + 1], value[TEXT_VALUE_MAX + 1];
        const struct keys_entry *entry = keys_find(pair.key, pair.key_len);

        if (result != TEXT_PAIR || pair.value_len > TEXT_VALUE_MAX ||
            keys_word(pair.value, pair.value_len) != KEYS_WORD_VALUE)
            continue;
        key_copy(key, sizeof(key), &pair);
        if (buf_has(&r->offered, key) || buf_has(&r->open, key))
            continue; /* the answer to an offer of ours */
        if (entry && (entry->flags & (KEYS_DECLARATIVE | KEYS_AUTHENTICATION) ||
                      !keys_answer_required(entry, pair.value, pair.value_len)))
            continue;
        snprintf(value, sizeof(value), "%.*s", (int)pair.value_len, pair.value);
        text_buf_add(&r->open, key, value);
    }
}

/* Answers one proposal in p; libiscsi's own wish for the key, if it has one, is what the result is made with. */
static bool answer_one(struct edit_pdu *p, const char *key, const char *offer, bool added, const struct edit_log *log)
{
    const struct keys_entry *entry = keys_find(key, strlen(key));
    char own[TEXT_VALUE_MAX + 1], answer[TEXT_VALUE_MAX + 1] = "NotUnderstood", note[2 * TEXT_VALUE_MAX + 100];
    struct text_pair mine;

    if (entry && !(entry->stages & (p->bhs[1] & 0x0cu ? KEYS_STAGE_OPERATIONAL : KEYS_STAGE_SECURITY)))
        return false;
    if (added && entry && entry->use == KEYS_LO)
        snprintf(own, sizeof(own), "%s", offer); /* the session's value is agreed on already: change nothing */
    else if (text_find(p->text.data, p->text.len, key, &mine))
        snprintf(own, sizeof(own), "%.*s", (int)mine.value_len, mine.value);
    else
        snprintf(own, sizeof(own), "%s", entry && entry->fallback ? entry->fallback : offer);
    if (entry && keys_result(entry, offer, strlen(offer), own, answer, sizeof(answer)) == 0)
        return true; /* takes no answer */
    snprintf(note, sizeof(note), "answered the target's %s=%s with %s", key, offer, answer);
    log->note(log->user, note);
    return text_buf_set(&p->text, key, answer);
}

static void answer_open(struct repair *r, struct edit_pdu *p, bool added, const struct edit_log *log)
{
    struct text_cursor cursor;
    struct text_pair pair;

    text_cursor_init(&cursor, r->open.data, r->open.len);
    while (text_next(&cursor, &pair) != TEXT_END) {
        char key[TEXT_KEY_MAX + 1], offer[TEXT_VALUE_MAX + 1];

        key_copy(key, sizeof(key), &pair);
        snprintf(offer, sizeof(offer), "%.*s", (int)pair.value_len, pair.value);
        if (answer_one(p, key, offer, added, log)) {
            text_buf_drop(&r->open, key);
            text_cursor_init(&cursor, r->open.data, r->open.len);
        }
    }
}

bool repair_apply(struct repair *r, struct edit_pdu *p, const struct live_values *live, bool first, bool added,
                  const struct edit_log *log)
{
    if (added)
        drop_keys(r, p, log, "Leading-Only on an added connection", is_leading_only);
    if (!first)
        drop_keys(r, p, log, "sent before", is_seen);
    answer_open(r, p, added, log);
    repair_chap_apply(r, p, live, log);
    if (r->open.len && p->bhs[1] & PDU_FLAG_TRANSIT) {
        p->bhs[1] &= (uint8_t)~PDU_FLAG_TRANSIT;
        log->note(log->user, "T cleared: a proposal of the target is not answered yet");
    }
    if (!(p->bhs[1] & PDU_FLAG_TRANSIT) && p->bhs[1] & 3u) {
        p->bhs[1] &= (uint8_t)~3u;
        log->note(log->user, "NSG cleared: it is reserved without T");
    }
    remember_keys(&r->seen, p->text.data, p->text.len);
    return !p->text.overflow && edit_render(p);
}

bool repair_show(const struct repair *r, const void *text, size_t len, struct text_buf *shown)
{
    struct text_pair digest;

    text_buf_init_growing(shown, REPAIR_TEXT_MAX, NULL, NULL);
    if (len && !text_buf_add_raw(shown, text, len))
        return false;
    /* libiscsi would put digests into login PDUs as soon as it reads of them */
    if (text_find(text, len, "HeaderDigest", &digest) && !text_equals(digest.value, digest.value_len, "None"))
        text_buf_replace(shown, "HeaderDigest", "None");
    repair_chap_show(r, shown);
    return shown->len != len || (len && memcmp(shown->data, text, len) != 0);
}
