/* States of the target: see netfuzz_state.h. */
#include "harness/netfuzz_state.h"

#include "wire/keys.h"
#include "wire/text.h"

#include <stdlib.h>
#include <string.h>

enum { STATES_FIRST = 1024 };

enum fact { FACT_ANSWER = 1, FACT_KEY, FACT_END, FACT_RULE, FACT_OTHER, FACT_SILENT, FACT_FLOOD, FACT_CONNS };

/* splitmix64's last step over the parts of a fact. Never 0. */
static uint64_t fact_make(enum fact kind, uint64_t a, uint64_t b)
{
    uint64_t z = ((uint64_t)kind << 56) ^ (a * 0x9e3779b97f4a7c15u) ^ (b << 17) ^ b >> 47;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return z ? z : 1;
}

static void facts_add(struct netfuzz_facts *f, uint64_t fact)
{
    size_t at = 0;

    while (at < f->count && f->items[at] < fact)
        at++;
    if (f->count == NETFUZZ_FACTS_MAX || (at < f->count && f->items[at] == fact))
        return;
    memmove(&f->items[at + 1], &f->items[at], (f->count - at) * sizeof(f->items[0]));
    f->items[at] = fact;
    f->count++;
}

/* Keys of one answer: which, in which stage, ordinary or a reserved word. Private keys all count as one. */
static void add_keys(struct netfuzz_facts *f, unsigned stage, const uint8_t *data, size_t len)
{
    struct text_cursor cursor;
    struct text_pair pair;
    enum text_result result;

    text_cursor_init(&cursor, data, len);
    while ((result = text_next(&cursor, &pair)) != TEXT_END) {
        const struct keys_entry *key;

        if (result != TEXT_PAIR) {
            facts_add(f, fact_make(FACT_KEY, 0xfffe, (uint64_t)result));
            break;
        }
        key = keys_find(pair.key, pair.key_len);
        facts_add(f, fact_make(FACT_KEY, key ? (uint64_t)key->id : 0xffff,
                               stage << 4 | (uint64_t)keys_word(pair.value, pair.value_len)));
    }
}

/* One PDU of the target; returns what it is, for the place of the next. */
static uint64_t add_answer(struct netfuzz_facts *f, const struct transcript_pdu *p, uint64_t before)
{
    uint8_t opcode = pdu_opcode(p->bhs);
    uint64_t now;

    if (opcode == PDU_LOGIN_RESPONSE) {
        now = (uint64_t)opcode << 32 | (uint64_t)p->bhs[1] << 16 | pdu_login_status(p->bhs);
        if (p->data)
            add_keys(f, p->bhs[1] >> 2 & 3u, p->data, p->data_len);
    } else {
        now = (uint64_t)opcode << 32 | (opcode == PDU_REJECT ? p->bhs[2] : 0u);
        facts_add(f, fact_make(FACT_OTHER, now, p->full_feature));
    }
    facts_add(f, fact_make(FACT_ANSWER, now, before));
    return now;
}

static void add_conn(struct netfuzz_facts *f, const struct transcript_conn *c)
{
    const struct transcript_event *target = transcript_ended(c, TRANSCRIPT_TARGET);
    const struct transcript_event *initiator = transcript_ended(c, TRANSCRIPT_INITIATOR);
    struct transcript_pdu *pdus = NULL;
    long count = transcript_cut(c, &pdus);
    uint64_t last = 0;
    unsigned end = 0;

    for (long i = 0; i < count; i++)
        if (pdus[i].side == TRANSCRIPT_TARGET && pdus[i].bhs && pdus[i].whole)
            last = add_answer(f, &pdus[i], last);
    free(pdus);
    if (target)
        end = target->end == TRANSCRIPT_RST ? 2u : 1u;
    if (target && initiator && initiator->at_us < target->at_us)
        end |= 4u; /* ours came first: it is no decision of the target */
    facts_add(f, fact_make(FACT_END, last, end));
}

void netfuzz_facts_of(const struct netfuzz_exec *x, const struct finding_list *findings, struct netfuzz_facts *out)
{
    size_t conns = x->transcript->conn_count;

    out->count = 0;
    for (size_t i = 0; i < conns; i++)
        add_conn(out, x->transcript->conns[i]);
    if (conns > 1)
        facts_add(out, fact_make(FACT_CONNS, conns, x->reach));
    if (x->silent)
        facts_add(out, fact_make(FACT_SILENT, x->reach, 0));
    if (x->flooded)
        facts_add(out, fact_make(FACT_FLOOD, x->reach, 0));
    for (size_t i = 0; findings && i < findings->count; i++) {
        uint64_t hash = 0xcbf29ce484222325u;

        for (const char *p = findings->items[i].rule; *p; p++)
            hash = (hash ^ (uint8_t)*p) * 0x100000001b3u;
        facts_add(out, fact_make(FACT_RULE, hash, 0));
    }
}

static size_t slot_of(const struct netfuzz_states *s, uint64_t fact)
{
    size_t at = (size_t)(fact & (s->capacity - 1));

    while (s->slots[at] && s->slots[at] != fact)
        at = (at + 1) & (s->capacity - 1);
    return at;
}

bool netfuzz_states_has(const struct netfuzz_states *s, uint64_t fact)
{
    return s->capacity > 0 && s->slots[slot_of(s, fact)] == fact;
}

static bool grow(struct netfuzz_states *s)
{
    struct netfuzz_states bigger = {.capacity = s->capacity ? s->capacity * 2 : STATES_FIRST, .count = s->count};

    if (s->count * 2 < s->capacity)
        return true;
    if (bigger.capacity > NETFUZZ_STATES_MAX)
        return s->count + 1 < s->capacity;
    bigger.slots = calloc(bigger.capacity, sizeof(*bigger.slots));
    if (!bigger.slots)
        return false;
    for (size_t i = 0; i < s->capacity; i++)
        if (s->slots[i])
            bigger.slots[slot_of(&bigger, s->slots[i])] = s->slots[i];
    free(s->slots);
    *s = bigger;
    return true;
}

size_t netfuzz_states_add(struct netfuzz_states *s, const struct netfuzz_facts *facts)
{
    size_t fresh = 0;

    for (size_t i = 0; i < facts->count; i++) {
        size_t at;

        if (!grow(s))
            break;
        at = slot_of(s, facts->items[i]);
        fresh += !s->slots[at];
        s->count += !s->slots[at];
        s->slots[at] = facts->items[i];
    }
    return fresh;
}

bool netfuzz_states_new(const struct netfuzz_states *s, const struct netfuzz_facts *facts)
{
    for (size_t i = 0; i < facts->count; i++)
        if (!netfuzz_states_has(s, facts->items[i]))
            return true;
    return false;
}

void netfuzz_states_free(struct netfuzz_states *s)
{
    free(s->slots);
    memset(s, 0, sizeof(*s));
}
