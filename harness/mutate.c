/* The mutator: the table of changes and who is chosen. See mutate.h. */
#include "harness/mutate.h"

#include "harness/mutate_parts.h"

enum {
    SESSION = 1U << MUTATE_SESSION,
    STREAM = 1U << MUTATE_STREAM,
    TEXTS = 1U << MUTATE_TEXT,
    PDUS = SESSION | STREAM,
    ANY = PDUS | TEXTS,
    TRIES = 8, /* to find a change that applies */
};

static const struct change {
    const char *name;
    unsigned formats;
    unsigned weight;
    mutate_change *apply;
} changes[] = {
    {"header field", PDUS, 8, mutate_field},
    {"stage bits", PDUS, 6, mutate_stage},
    {"flag", PDUS, 2, mutate_flags},
    {"lying length", PDUS, 4, mutate_lying_length},
    {"opcode", PDUS, 2, mutate_opcode},
    {"value by type", ANY, 14, mutate_text_value},
    {"add a key", ANY, 7, mutate_text_add},
    {"rename a key", ANY, 3, mutate_text_rename},
    {"drop a key", ANY, 5, mutate_text_drop},
    {"repeat a key", ANY, 4, mutate_text_repeat},
    {"move a key", ANY, 2, mutate_text_swap},
    {"break the form of a pair", ANY, 4, mutate_text_form},
    {"list item", ANY, 3, mutate_text_list},
    {"grow a value", ANY, 3, mutate_text_grow},
    {"split with the C bit", PDUS, 6, mutate_text_split},
    {"join two texts", PDUS, 2, mutate_text_join},
    {"right CHAP_R", PDUS, 5, mutate_chap_response},
    {"CHAP value", PDUS, 5, mutate_chap_value},
    {"mutual CHAP", PDUS, 3, mutate_chap_mutual},
    {"insert a login", PDUS, 2, mutate_chap_login},
    {"insert a PDU", PDUS, 7, mutate_pdu_template},
    {"drop a PDU", PDUS, 4, mutate_pdu_drop},
    {"repeat a PDU", PDUS, 4, mutate_pdu_repeat},
    {"move a PDU", PDUS, 3, mutate_pdu_swap},
    {"other connection", SESSION, 2, mutate_pdu_move},
    {"segments", SESSION, 3, mutate_segments},
    {"ending or time", SESSION, 2, mutate_ending},
    {"live values", SESSION, 2, mutate_live},
    {"second connection", SESSION, 4, mutate_second_connection},
    {"truncate", ANY, 1, mutate_truncate},
    {"PDU of another input", PDUS, 5, mutate_cross_unit},
    {"end of another input", PDUS, 3, mutate_cross_tail},
    {"key of another input", ANY, 4, mutate_cross_text},
    {"header field of another input", PDUS, 2, mutate_cross_header},
    {"bit", ANY, 3, mutate_byte_flip},
    {"byte", ANY, 3, mutate_byte_set},
    {"insert bytes", ANY, 2, mutate_byte_insert},
    {"erase bytes", ANY, 2, mutate_byte_erase},
    {"copy bytes", ANY, 1, mutate_byte_copy},
};

enum { CHANGES = sizeof(changes) / sizeof(changes[0]), PLAIN_CHANGES = 5 /* the last ones */ };

static const struct mutate_options defaults = {.format = MUTATE_SESSION};

const char *mutate_name(size_t index)
{
    return index < CHANGES ? changes[index].name : NULL;
}

static void start(struct mutate_work *w, const struct mutate_options *options, uint64_t seed, const uint8_t *in,
                  size_t in_len, const uint8_t *other, size_t other_len, uint8_t *out, size_t cap)
{
    w->options = options != NULL ? options : &defaults;
    w->random = seed;
    w->bytes = out;
    w->cap = cap;
    w->len = in_len < cap ? in_len : cap;
    w->other = (struct mutate_bytes){.bytes = other_len > 0 ? other : NULL, .len = other_len};
    if (w->len > 0)
        memcpy(out, in, w->len);
    mutate_refresh(w);
}

static const struct change *choose(struct mutate_work *w)
{
    size_t from = w->options->plain ? CHANGES - PLAIN_CHANGES : 0;
    unsigned bit = 1U << w->options->format, total = 0;

    for (size_t i = from; i < CHANGES; i++)
        total += (changes[i].formats & bit) != 0 ? changes[i].weight : 0;
    size_t left = mutate_below(w, total);

    for (size_t i = from; i < CHANGES; i++) {
        size_t weight = (changes[i].formats & bit) != 0 ? changes[i].weight : 0;

        if (left < weight)
            return &changes[i];
        left -= weight;
    }
    return &changes[CHANGES - 1];
}

size_t mutate(const struct mutate_options *options, uint64_t seed, const uint8_t *in, size_t in_len,
              const uint8_t *other, size_t other_len, uint8_t *out, size_t cap)
{
    struct mutate_work w;

    start(&w, options, seed, in, in_len, other, other_len, out, cap);
    if (w.len == 0 && !w.options->plain) {
        w.len = mutate_template(&w, 0, true, out, cap);
        return w.len;
    }
    size_t most = w.options->rounds_max > 0 ? w.options->rounds_max : MUTATE_ROUNDS_DEFAULT;
    size_t rounds = 1;

    while (rounds < most && !mutate_one_in(&w, 2))
        rounds++;
    while (rounds-- > 0)
        for (unsigned i = 0; i < TRIES && !choose(&w)->apply(&w); i++)
            ;
    return w.len;
}

bool mutate_once(const struct mutate_options *options, size_t index, uint64_t seed, const uint8_t *in, size_t in_len,
                 const uint8_t *other, size_t other_len, uint8_t *out, size_t cap, size_t *out_len)
{
    struct mutate_work w;

    start(&w, options, seed, in, in_len, other, other_len, out, cap);
    bool done = index < CHANGES && (changes[index].formats >> w.options->format & 1U) != 0 && changes[index].apply(&w);

    *out_len = w.len;
    return done;
}
