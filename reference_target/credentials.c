/* CHAP credentials from files; see credentials.h. */
#include "credentials.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "values.h"

enum { LINE_MAX_BYTES = 2 * VALUES_SECRET_MAX + 3, USERS_MAX = 65536 };

void credentials_clear(struct config_credential *credential)
{
    if (credential->secret != NULL)
        OPENSSL_cleanse(credential->secret, credential->secret_length);
    free(credential->secret);
    free(credential->user);
    *credential = (struct config_credential){0};
}

const char *credentials_add(struct config_auth *auth, const char *text, char separator)
{
    struct config_credential credential = {0};
    const char *reason = values_credential(text, separator, &credential);
    struct config_credential *users;

    if (reason != NULL)
        return reason;
    for (size_t i = 0; i < auth->user_count; i++)
        if (strcmp(auth->users[i].user, credential.user) == 0) {
            credentials_clear(&credential);
            return "this user was given before; give each user once";
        }
    users = auth->user_count < USERS_MAX ? realloc(auth->users, (auth->user_count + 1) * sizeof *users) : NULL;
    if (users == NULL) {
        credentials_clear(&credential);
        return "out of memory";
    }
    auth->users = users;
    users[auth->user_count++] = credential;
    return NULL;
}

/* Reads all lines; returns NULL or the reason, *number is the line it is about. */
static const char *load_lines(FILE *file, struct config_auth *auth, char *line, unsigned *number)
{
    const char *reason;

    for (*number = 1; fgets(line, LINE_MAX_BYTES, file) != NULL; (*number)++) {
        size_t length = strcspn(line, "\r\n");
        if (line[length] == '\0' && !feof(file))
            return "the line is too long or holds a NUL; user and secret have at most 255 bytes each";
        line[length] = '\0';
        if (length == 0 || line[0] == '#')
            continue;
        reason = credentials_add(auth, line, strchr(line, '\t') != NULL ? '\t' : ':');
        if (reason != NULL)
            return reason;
    }
    return ferror(file) ? strerror(errno) : NULL;
}

bool credentials_load(const char *path, struct config_auth *auth, char *reason, size_t reason_size)
{
    char line[LINE_MAX_BYTES];
    size_t before = auth->user_count;
    unsigned number = 0;
    FILE *file = fopen(path, "re");
    const char *problem;

    if (file == NULL) {
        snprintf(reason, reason_size, "cannot be opened: %s", strerror(errno));
        return false;
    }
    problem = load_lines(file, auth, line, &number);
    fclose(file);
    OPENSSL_cleanse(line, sizeof line);
    if (problem != NULL)
        snprintf(reason, reason_size, "line %u: %s", number, problem);
    else if (auth->user_count == before)
        snprintf(reason, reason_size, "there is no USER:SECRET line in it");
    else
        return true;
    return false;
}
