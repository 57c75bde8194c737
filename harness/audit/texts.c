/*
 * Logical texts: the data segments of a chain of login PDUs with C=1 and of the one that ends it (RFC 7143, 6.1), cut
 * into pairs, and the table of all keys of a login.
 */
#include "harness/audit/login.h"

#include <stdlib.h>
#include <string.h>

static uint32_t hash_name(const char *name, size_t len)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)name[i]) * 16777619u;
    return hash;
}

/* Slot of the name, or the empty slot where it belongs. The table is never full. */
static size_t slot_find(const struct audit_login *login, const char *name, size_t len, uint32_t hash)
{
    size_t slot = hash & (login->slot_count - 1);

    while (login->slots[slot] != 0) {
        const struct audit_key *key = &login->keys[login->slots[slot] - 1];

        if (key->hash == hash && key->len == len && memcmp(key->name, name, len) == 0)
            break;
        slot = (slot + 1) & (login->slot_count - 1);
    }
    return slot;
}

/* Keeps the hash table at most half full. */
static bool slots_grow(struct audit_login *login)
{
    size_t count = login->slot_count ? 2 * login->slot_count : 64;
    size_t *slots;

    if (2 * (login->key_count + 1) <= login->slot_count)
        return true;
    slots = calloc(count, sizeof *slots);
    if (!slots)
        return false;
    free(login->slots);
    login->slots = slots;
    login->slot_count = count;
    for (size_t i = 0; i < login->key_count; i++) {
        const struct audit_key *key = &login->keys[i];

        if (!key->entry)
            slots[slot_find(login, key->name, key->len, key->hash)] = i + 1;
    }
    return true;
}

/* A new key at the end of the list. Its index; AUDIT_NONE when out of memory. */
static size_t key_add(struct audit_login *login, const char *name, size_t len)
{
    struct audit_key *key;

    if (login->key_count == login->key_capacity) {
        size_t capacity = login->key_capacity ? 2 * login->key_capacity : 32;
        struct audit_key *keys = realloc(login->keys, capacity * sizeof *keys);

        if (!keys)
            return AUDIT_NONE;
        login->keys = keys;
        login->key_capacity = capacity;
    }
    key = &login->keys[login->key_count++];
    memset(key, 0, sizeof *key);
    key->name = name;
    key->len = len;
    return login->key_count - 1;
}

static size_t known_take(struct audit_login *login, const struct keys_entry *entry, const char *name, size_t len)
{
    size_t index;

    if (login->known[entry->id] != 0)
        return login->known[entry->id] - 1;
    index = key_add(login, name, len);
    if (index != AUDIT_NONE) {
        login->keys[index].entry = entry;
        login->known[entry->id] = index + 1;
    }
    return index;
}

static size_t unknown_take(struct audit_login *login, const char *name, size_t len)
{
    uint32_t hash = hash_name(name, len);
    size_t slot, index;

    if (!slots_grow(login))
        return AUDIT_NONE;
    slot = slot_find(login, name, len, hash);
    if (login->slots[slot] != 0)
        return login->slots[slot] - 1;
    index = key_add(login, name, len);
    if (index != AUDIT_NONE) {
        login->keys[index].hash = hash;
        login->slots[slot] = index + 1;
    }
    return index;
}

/* Index of the key, made when it is new. AUDIT_NONE when out of memory. */
static size_t key_take(struct audit_login *login, const char *name, size_t len)
{
    const struct keys_entry *entry = keys_find(name, len);

    return entry ? known_take(login, entry, name, len) : unknown_take(login, name, len);
}

static bool pair_add(struct audit_login *login, size_t text, const struct text_pair *from)
{
    const struct audit_text *t = &login->texts[text];
    struct audit_pair *pair;
    struct audit_key *key;
    size_t index;

    if (login->pair_count == login->pair_capacity) {
        size_t capacity = login->pair_capacity ? 2 * login->pair_capacity : 64;
        struct audit_pair *pairs = realloc(login->pairs, capacity * sizeof *pairs);

        if (!pairs)
            return false;
        login->pairs = pairs;
        login->pair_capacity = capacity;
    }
    index = key_take(login, from->key, from->key_len);
    if (index == AUDIT_NONE)
        return false;
    key = &login->keys[index];
    if (key->use[t->side].count++ == 0) {
        key->use[t->side].first = login->pair_count;
        key->use[t->side].exchange = t->last;
    }
    pair = &login->pairs[login->pair_count++];
    *pair = (struct audit_pair){from->key, from->value,  from->key_len, from->value_len,
                                text,      from->offset, from->len,     index};
    return true;
}

/* Cuts a text into pairs. A last string without its null still counts as a pair: receivers may take it. */
static bool text_cut(struct audit_login *login, size_t index)
{
    struct audit_text *text = &login->texts[index];
    struct text_cursor cursor;
    struct text_pair pair;
    enum text_result result;

    text->form = TEXT_END;
    text->pair_first = login->pair_count;
    text_cursor_init(&cursor, text->bytes, text->len);
    while ((result = text_next(&cursor, &pair)) != TEXT_END) {
        if (result != TEXT_PAIR && text->form == TEXT_END) {
            text->form = result;
            text->bad = pair;
        }
        if (result != TEXT_PAIR && !(result == TEXT_NO_NULL && pair.key_len > 0 && pair.key_len < pair.len))
            continue;
        if (login->pair_count >= AUDIT_PAIR_MAX) {
            login->partial = true;
            break;
        }
        if (!pair_add(login, index, &pair))
            return false;
    }
    text->pair_count = login->pair_count - text->pair_first;
    return true;
}

/* A chain that is being joined. */
struct chain {
    enum transcript_side side;
    size_t first;
    bool open;
    const uint8_t *only; /* the data while there is one segment */
    size_t len;
    char *joined;
    size_t capacity;
};

static bool chain_append(struct chain *chain, const struct transcript_pdu *pdu)
{
    if (pdu->data_len == 0 || !pdu->data)
        return true;
    if (chain->len == 0) {
        chain->only = pdu->data;
        chain->len = pdu->data_len;
        return true;
    }
    if (chain->capacity - chain->len < pdu->data_len || !chain->joined) {
        size_t capacity = 2 * (chain->len + pdu->data_len);
        char *joined = realloc(chain->joined, capacity);

        if (!joined)
            return false;
        if (!chain->joined)
            memcpy(joined, chain->only, chain->len);
        chain->joined = joined;
        chain->capacity = capacity;
    }
    memcpy(chain->joined + chain->len, pdu->data, pdu->data_len);
    chain->len += pdu->data_len;
    return true;
}

/* Makes a text of the chain; *index is its number. */
static bool chain_end(struct audit_login *login, struct chain *chain, size_t last, size_t *index)
{
    struct audit_text *text;

    if (login->text_count == login->text_capacity) {
        size_t capacity = login->text_capacity ? 2 * login->text_capacity : 8;
        struct audit_text *texts = realloc(login->texts, capacity * sizeof *texts);

        if (!texts)
            return false;
        login->texts = texts;
        login->text_capacity = capacity;
    }
    text = &login->texts[login->text_count];
    memset(text, 0, sizeof *text);
    text->side = chain->side;
    text->first = chain->first;
    text->last = last;
    text->joined = chain->joined;
    text->bytes = chain->joined ? chain->joined : (const char *)chain->only;
    text->len = chain->len;
    *index = login->text_count++;
    *chain = (struct chain){.side = chain->side};
    return text_cut(login, *index);
}

static bool chain_take(struct audit_login *login, struct chain *chain, const struct transcript_pdu *pdu,
                       size_t exchange, bool more, size_t *index)
{
    if (!chain->open) {
        chain->open = true;
        chain->first = exchange;
    }
    if (!chain_append(chain, pdu))
        return false;
    return more || chain_end(login, chain, exchange, index);
}

bool audit_texts_build(struct audit_login *login)
{
    struct chain asked = {.side = TRANSCRIPT_INITIATOR};
    struct chain told = {.side = TRANSCRIPT_TARGET};
    bool fine = true;

    for (size_t i = 0; i < login->count && fine; i++) {
        struct audit_exchange *x = &login->exchanges[i];

        x->request_at = asked.len;
        x->response_at = told.len;
        if (x->login_request)
            fine = chain_take(login, &asked, x->request, i, x->req.cont, &x->request_text);
        /* A refusal ends the matter: its text stands for itself. What came unasked says nothing. */
        if (fine && x->login_response && (x->request || login->tail_request) && login->digested != i)
            fine = chain_take(login, &told, x->response, i, x->success && x->rsp.cont, &x->response_text);
    }
    free(asked.joined);
    free(told.joined);
    return fine;
}

const struct audit_key *audit_login_known(const struct audit_login *login, enum keys_id id)
{
    return login->known[id] == 0 ? NULL : &login->keys[login->known[id] - 1];
}

const struct audit_pair *audit_key_pair(const struct audit_login *login, const struct audit_key *key,
                                        enum transcript_side side)
{
    return key && key->use[side].count > 0 ? &login->pairs[key->use[side].first] : NULL;
}

const struct audit_pair *audit_login_said(const struct audit_login *login, enum keys_id id, enum transcript_side side)
{
    return audit_key_pair(login, audit_login_known(login, id), side);
}

bool audit_key_by_initiator(const struct audit_key *key)
{
    return key->use[TRANSCRIPT_INITIATOR].count > 0 &&
           (key->use[TRANSCRIPT_TARGET].count == 0 ||
            key->use[TRANSCRIPT_INITIATOR].exchange <= key->use[TRANSCRIPT_TARGET].exchange);
}

bool audit_pair_turns_down(const struct audit_key *key, const struct audit_pair *pair)
{
    return key->entry && (key->entry->senders & KEYS_FROM_INITIATOR) == 0 && audit_key_by_initiator(key) &&
           keys_word(pair->value, pair->value_len) != KEYS_WORD_VALUE;
}

const struct audit_pair *audit_text_find(const struct audit_login *login, size_t text, enum keys_id id)
{
    const struct audit_text *t = &login->texts[text];
    const struct audit_key *key = audit_login_known(login, id);
    size_t first, end = t->pair_first + t->pair_count;

    if (!key || key->use[t->side].count == 0)
        return NULL;
    first = key->use[t->side].first;
    if (first < t->pair_first) /* said in an earlier text, perhaps again */
        for (first = t->pair_first; first < end && &login->keys[login->pairs[first].key_index] != key;)
            first++;
    return first < end ? &login->pairs[first] : NULL;
}
