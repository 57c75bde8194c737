/*
 * Login Responses: what goes out, in one place for success and in one for refusals (RFC 7143 11.13).
 */
#ifndef ISCSISPEC_RESPONSE_H
#define ISCSISPEC_RESPONSE_H

#include "login.h"

enum {
    LOGIN_TEXT_MAX = 64 * 1024,     /* request text of one negotiation step, RFC 7143 6.1 */
    LOGIN_ANSWER_MAX = 512 * 1024   /* answers to it: NotUnderstood is longer than a short key */
};

/* Sends a success response. transit: grants the wish for nsg. more: C, the answer goes on in the next response. The
 * text belongs to the caller. */
void response_send(struct conn *conn, bool transit, uint8_t nsg, bool more, const void *text, size_t length);

/* The one place where refusals leave: sends the status of the cause, if any, and ends the connection. conn->login is
 * gone afterwards, except under some defects. */
void response_refuse(struct conn *conn, enum cause cause);

/* The status that goes out for a cause, with the defects that swap it, and its text for the log. */
uint16_t response_status(const struct conn *conn, enum cause cause);
const char *response_cause_text(enum cause cause);

#endif
