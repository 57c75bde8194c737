/*
 * What came out of an exchange, held against one outcome of an accept set. Pure: works on a view, so that it can be
 * tested without a connection.
 */
#ifndef HARNESS_OUTCOME_H
#define HARNESS_OUTCOME_H

#include "harness/catalogue.h"
#include "harness/conn.h"
#include "wire/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The judged part of an exchange. Pointers are into the transcript or the case. */
struct outcome_view {
    enum conn_end end;
    uint16_t status;        /* CONN_STATUS */
    uint8_t reason;         /* CONN_REJECTED */
    const uint8_t *answer;  /* header of the judged Login Response, NULL: none came */
    const uint8_t *request; /* header of the PDU it answers, as it went out; NULL: none */
    const char *text;       /* text of the judged answer and those after it */
    size_t text_len;
    const char *stimulus; /* the key that "*" stands for, NULL: no single one */
};

enum outcome_met { OUTCOME_NOT_MET, OUTCOME_MET, OUTCOME_UNDECIDED };

enum outcome_met outcome_meets(const struct outcome *o, const struct outcome_view *v);

/* Is `value` one of the alternatives of "A|[a..b]|admissible": a word, a range, legal for the key; "*" is anything. */
bool outcome_value_matches(const char *key, const char *wanted, const char *value, size_t len);

/* True when the text answers this key. Several items of a list are an offer of the target's own and no answer: that is
 * one item (RFC 7143 6.2.1). */
bool outcome_text_answers(const char *text, size_t len, const char *key);

/* True when a pair of this key in the text has a matching value; wanted NULL: any value. */
bool outcome_text_has(const char *text, size_t len, const char *key, const char *wanted);

/* "0x0201 Authentication failure", "a close without an answer", ... Returns out. */
const char *outcome_describe(const struct outcome *o, char *out, size_t cap);

/* All of them, joined by " or " / " and ". */
void outcome_describe_list(const struct outcome_list *list, bool all, bool tolerated, char *out, size_t cap);

#endif
