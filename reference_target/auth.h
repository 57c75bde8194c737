/*
 * Security negotiation: AuthMethod and CHAP, one way and mutual (RFC 7143 6.3.2, 9.2.1, 12.1; RFC 1994).
 */
#ifndef ISCSISPEC_AUTH_H
#define ISCSISPEC_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "causes.h"
#include "config.h"
#include "negotiate.h"
#include "wire/chap.h"
#include "wire/text.h"

struct conn;

enum { AUTH_CHALLENGE_SHORT = 8 };       /* of the switch chap-short-challenge */
enum { AUTH_CHALLENGE_MAX = CHAP_MAX_BINARY + 1 };      /* one more for the defect chap-challenge-too-long */

/* The authentication of one login. */
struct auth {
    const struct config_auth *config;       /* of the target, or of discovery */
    bool done;                              /* the initiator has proved who it is */
    const struct chap_algorithm *algorithm; /* agreed to, NULL before */
    uint8_t identifier;                     /* CHAP_I sent */
    size_t challenge_length;
    uint8_t challenge[AUTH_CHALLENGE_MAX];  /* CHAP_C sent */
    char user[TEXT_VALUE_MAX + 1];          /* CHAP_N of the initiator, once done */
};

/* What is expected next after an authentication step. */
enum auth_next { AUTH_STAY, AUTH_EXPECT_CHAP_A, AUTH_EXPECT_CHAP_R, AUTH_FINISHED };

/* Must the initiator authenticate itself? */
bool auth_required(const struct auth *auth);

/* Does the request hold authentication keys, AuthMethod included, that no step asks for? */
bool auth_stray(const struct negotiate_request *request);

/* The request of the security stage while no method is carried out: answers AuthMethod if it is there. */
enum cause auth_method(struct conn *conn, struct auth *auth, const struct negotiate_request *request,
                       struct text_buf *answer, enum auth_next *next);

/* The request with CHAP_A: algorithm and challenge. */
enum cause auth_challenge(struct conn *conn, struct auth *auth, const struct negotiate_request *request,
                          struct text_buf *answer, enum auth_next *next);

/* The request with CHAP_N and CHAP_R: verifies it and answers the initiator's own challenge. */
enum cause auth_response(struct conn *conn, struct auth *auth, const struct negotiate_request *request,
                         struct text_buf *answer, enum auth_next *next);

#endif
