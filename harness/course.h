/*
 * The course of a login: what a target that goes along says to a Login Request, and whether an answer is that. A case
 * counts on the PDUs that libiscsi makes in an ordinary login; when the target takes the login another way, it is not
 * the case's fault that an edit finds nothing to change. Bytes in, words out; no I/O.
 */
#ifndef HARNESS_COURSE_H
#define HARNESS_COURSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A Login Request as it went out and the whole answer to it. Headers have PDU_BHS_LEN bytes; texts may be empty. */
struct course_exchange {
    const uint8_t *request;
    const void *asked;
    size_t asked_len;
    const uint8_t *response; /* of a Login Response with status 0 */
    const void *said;
    size_t said_len;
};

/*
 * Did the target go another way than the one asked for: malformed text (6.1), T or a stage that is not
 * the one asked for, no TSIH at the end (11.12, 11.13),
 * another AuthMethod than the first of the list (6.3.2), CHAP keys that are not due, or due and not there
 * or of no use (12.1.3)?
 * Then true, and out says what it did ("answered T=0 to T=1").
 */
bool course_strays(const struct course_exchange *x, char *out, size_t cap);

/* The answer in words: "T=1, CSG=0, NSG=1 and no keys (CHAP_N, CHAP_R missing)". */
void course_describe(const struct course_exchange *x, char *out, size_t cap);

#endif
