/* CHAP credentials from files: a line each, USER:SECRET, or USER, a tab and SECRET for names with a colon. */
#ifndef ISCSISPEC_CREDENTIALS_H
#define ISCSISPEC_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

/*
 * Adds the credentials of a file to auth->users. Blank lines and lines that begin with # are skipped. False: reason
 * holds file, line and what is wrong, and auth has what came before.
 */
bool credentials_load(const char *path, struct config_auth *auth, char *reason, size_t reason_size);

/* Adds USER:SECRET. Returns NULL, or why not (static text). */
const char *credentials_add(struct config_auth *auth, const char *text, char separator);

/* Wipes and frees one credential. */
void credentials_clear(struct config_credential *credential);

#endif
