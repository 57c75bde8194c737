/*
 * What the parts of the mutator share. A `struct mutate_work` is one call of mutate(): the bytes being changed in
 * place, their units (records or PDUs), the generator. Nothing outlives the call and nothing is allocated.
 */
#ifndef HARNESS_MUTATE_PARTS_H
#define HARNESS_MUTATE_PARTS_H

#include "harness/mutate.h"
#include "harness/session_input.h"
#include "wire/keys.h"
#include "wire/pdu.h"
#include "wire/text.h"

enum {
    MUTATE_UNITS = 128,      /* of an input; what comes behind is carried along unchanged */
    MUTATE_VALUE_MAX = 4200, /* the longest value that is made up */
};

/* One record of a session, one PDU of a stream, or the whole text. */
struct mutate_unit {
    size_t at;   /* offset of the unit */
    size_t head; /* bytes of the record head, 0 without */
    size_t len;  /* of the unit, head included */
};

struct mutate_bytes {
    const uint8_t *bytes;
    size_t len;
};

struct mutate_work {
    const struct mutate_options *options;
    uint64_t random; /* state of the generator */
    uint8_t *bytes;
    size_t len;
    size_t cap;
    struct mutate_bytes other; /* for cross-over; bytes NULL: none */
    struct mutate_unit units[MUTATE_UNITS];
    size_t unit_count;
};

/* ---- the generator (splitmix64): the same on every machine ---- */

uint64_t mutate_random(struct mutate_work *w);
/* 0 to bound - 1; 0 for bound 0. */
size_t mutate_below(struct mutate_work *w, size_t bound);
/* True once in n. */
bool mutate_one_in(struct mutate_work *w, size_t n);

/* May live values stand as tokens in the text? */
static inline bool mutate_tokens(const struct mutate_work *w)
{
    return w->options->format == MUTATE_SESSION && !w->options->no_live;
}

/* ---- units and bytes (mutate_units.c) ---- */

/* Cuts bytes into units of the format. Returns how many, at most MUTATE_UNITS. */
size_t mutate_cut(const struct mutate_options *options, const uint8_t *bytes, size_t len,
                  struct mutate_unit units[MUTATE_UNITS]);

/* Replaces old_len bytes at offset by len others (NULL: they are left as room to be filled). False, nothing changed,
 * when it does not fit. Does not mend lengths; the caller cuts again with mutate_refresh() when units moved. */
bool mutate_splice(struct mutate_work *w, size_t at, size_t old_len, const void *bytes, size_t len);

/* Cuts w's bytes again. */
void mutate_refresh(struct mutate_work *w);

/* Replaces bytes inside the body of a unit (offset within the body) and mends the length of its record. Units are valid
 * afterwards. False: it does not fit. */
bool mutate_splice_body(struct mutate_work *w, size_t unit, size_t at, size_t old_len, const void *bytes, size_t len);

/* A copy of a unit of this or another input, put before unit number `before` (unit_count: at the end). */
bool mutate_insert(struct mutate_work *w, size_t before, const uint8_t *bytes, size_t len);
bool mutate_remove(struct mutate_work *w, size_t unit);

/* A DATA unit with at least a header, chosen at random; unit_count when there is none. */
size_t mutate_pick_pdu(struct mutate_work *w);
/* One whose opcode has text (Login, Text), with at least min bytes of it. MUTATE_TEXT: the unit. */
size_t mutate_pick_text(struct mutate_work *w, size_t min);

/* The header of a unit, NULL when it has none. */
uint8_t *mutate_bhs(struct mutate_work *w, size_t unit);

/* Text of a unit: offset within its body, length. */
struct mutate_span {
    size_t at;
    size_t len;
};
struct mutate_span mutate_text_of(struct mutate_work *w, size_t unit);

/* Replaces part of the text of a unit (offset within the text); DataSegmentLength and padding follow. */
bool mutate_splice_text(struct mutate_work *w, size_t unit, size_t at, size_t old_len, const void *bytes, size_t len);

/* The number-th pair of a unit's text; false: there are fewer. Malformed strings count. */
bool mutate_pair(struct mutate_work *w, size_t unit, size_t number, struct text_pair *pair);
size_t mutate_pair_count(struct mutate_work *w, size_t unit);

/* Sets live bits of a DATA record; nothing in other formats. */
void mutate_set_live(struct mutate_work *w, size_t unit, unsigned live);

/* ---- values (mutate_value.c) ---- */

/* A value for the key, by its type: usual, at a limit, beyond it, or of another form. Returns its length. */
size_t mutate_value(struct mutate_work *w, const struct keys_entry *key, uint8_t out[MUTATE_VALUE_MAX]);
/* A key of the table that an initiator may send, more often one that matters in login. */
const struct keys_entry *mutate_key(struct mutate_work *w);
/* A value of a CHAP_R that is right when it is sent, or nearly. Sets *live when it is a token. */
size_t mutate_response(struct mutate_work *w, uint8_t out[MUTATE_VALUE_MAX], bool *live);

/* ---- ready-made PDUs (mutate_templates.c) ---- */

/* Writes a session or stream of PDUs of one of the templates: a plain login, the steps of CHAP, a ping, ... Returns the
 * length. conn is the connection of the records. whole: only those that are a login from its start. */
size_t mutate_template(struct mutate_work *w, unsigned conn, bool whole, uint8_t *out, size_t cap);

/* ---- the changes: true when something was changed ---- */

typedef bool mutate_change(struct mutate_work *w);

/* mutate_header.c */
mutate_change mutate_field, mutate_stage, mutate_lying_length, mutate_opcode, mutate_flags;
/* mutate_text.c */
mutate_change mutate_text_value, mutate_text_add, mutate_text_rename, mutate_text_drop, mutate_text_repeat,
    mutate_text_swap, mutate_text_form, mutate_text_list, mutate_text_split, mutate_text_join, mutate_text_grow;
/* mutate_chap.c */
mutate_change mutate_chap_response, mutate_chap_value, mutate_chap_login, mutate_chap_mutual;
/* mutate_stream.c */
mutate_change mutate_pdu_template, mutate_pdu_drop, mutate_pdu_repeat, mutate_pdu_swap, mutate_pdu_move,
    mutate_segments, mutate_ending, mutate_live, mutate_second_connection, mutate_truncate;
/* mutate_cross.c */
mutate_change mutate_cross_unit, mutate_cross_tail, mutate_cross_text, mutate_cross_header;
/* mutate_bytes.c */
mutate_change mutate_byte_flip, mutate_byte_set, mutate_byte_insert, mutate_byte_erase, mutate_byte_copy;

#endif
