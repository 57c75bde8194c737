/* The last exchange of a transcript in one line, for the report of a target that died of it. */
#ifndef HARNESS_LASTWORD_H
#define HARNESS_LASTWORD_H

#include "harness/transcript.h"

#include <stddef.h>

/*
 * What the initiator sent last and what came after it, as "Logout Request (0x06) of 48 bytes, PDU 1 of connection A;
 * nothing came after it". "" when nothing was sent. Bytes of a peer do not go into it.
 */
void lastword_of(const struct transcript *t, char *out, size_t out_len);

/*
 * Puts another verdict and reason on top of a ladder that is written already (ladder.h), since what a case was can show
 * only after it. Nothing happens when there is no such file.
 */
void lastword_retitle(const char *ladder, const char *verdict, const char *reason);

#endif
