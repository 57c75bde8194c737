/* Recorded text with live values in the place of what belongs to the recorded run. */
#ifndef HARNESS_CASE_LIVE_TEXT_H
#define HARNESS_CASE_LIVE_TEXT_H

#include "harness/login_facts.h"
#include "wire/text.h"

#include <stdbool.h>
#include <stddef.h>

/* Did the recorded initiator answer the challenge wrongly? secret: NULL unknown; then a refusal speaks for it. */
bool case_live_chap_wrong(const struct login_facts *facts, const char *secret);

/* {chap_r:...} for a recorded CHAP_R, in its form. */
void case_live_response(const struct text_pair *recorded, bool wrong, char *out, size_t cap);

/* Writes the text of one PDU with {initiator}, {target}, {user}, {chap_r:...}. False when out of memory. */
bool case_live_text(const void *text, size_t len, const struct login_facts *facts, const char *secret,
                    struct text_buf *out);

#endif
