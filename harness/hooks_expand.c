/* Placeholders of a profile's commands. */
#include "harness/hooks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPANDED_MAX (64u << 10)

struct text {
    char *bytes;
    size_t len;
    size_t room;
};

static bool text_put(struct text *t, const char *bytes, size_t len)
{
    if (t->len + len + 1 > t->room) {
        size_t room = (t->len + len + 1) * 2;
        char *more = room > EXPANDED_MAX ? NULL : realloc(t->bytes, room);

        if (more == NULL) {
            return false;
        }
        t->bytes = more;
        t->room = room;
    }
    memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
    t->bytes[t->len] = '\0';
    return true;
}

/* In single quotes, so that blanks and $ in a path are safe. */
static bool text_put_quoted(struct text *t, const char *word)
{
    bool good = text_put(t, "'", 1);

    for (; good && *word != '\0'; word++) {
        good = *word == '\'' ? text_put(t, "'\\''", 4) : text_put(t, word, 1);
    }
    return good && text_put(t, "'", 1);
}

static bool put_portal(const struct hooks *h, struct text *t, const char *name, bool port)
{
    const struct profile_portal *portal = profile_portal_find(h->profile, name);
    char number[8];

    if (portal == NULL) {
        return false;
    }
    if (!port) {
        return text_put(t, portal->address, strlen(portal->address));
    }
    snprintf(number, sizeof(number), "%u", (unsigned)portal->port);
    return text_put(t, number, strlen(number));
}

/* The folder of the profile, as an absolute path. */
static bool put_folder(const struct hooks *h, struct text *t)
{
    char path[PATH_MAX];
    char *slash;

    if (h->profile->at.file == NULL || realpath(h->profile->at.file, path) == NULL) {
        return false;
    }
    slash = strrchr(path, '/');
    *slash = '\0';
    return text_put_quoted(t, path);
}

static bool put_placeholder(const struct hooks *h, struct text *t, const char *name)
{
    char number[16];

    if (strcmp(name, "dir") == 0) {
        return text_put(t, h->dir, strlen(h->dir));
    }
    if (strcmp(name, "iscsispec-target") == 0) {
        return h->binary[0] != '\0' && text_put_quoted(t, h->binary);
    }
    if (strcmp(name, "instance") == 0) {
        snprintf(number, sizeof(number), "%d", h->number);
        return text_put(t, number, strlen(number));
    }
    if (strcmp(name, "here") == 0) {
        return put_folder(h, t);
    }
    if (strcmp(name, "extra") == 0) {
        return text_put(t, h->extra, strlen(h->extra));
    }
    if (strncmp(name, "port:", 5) == 0) {
        return put_portal(h, t, name + 5, true);
    }
    if (strncmp(name, "address:", 8) == 0) {
        return put_portal(h, t, name + 8, false);
    }
    return false;
}

/* Names of ours: dir, extra, here, instance, iscsispec-target, port:..., address:...; all else is the shell's business.
 */
static bool is_ours(const char *name)
{
    return strcmp(name, "dir") == 0 || strcmp(name, "extra") == 0 || strcmp(name, "here") == 0 ||
           strcmp(name, "instance") == 0 || strcmp(name, "iscsispec-target") == 0 || strncmp(name, "port:", 5) == 0 ||
           strncmp(name, "address:", 8) == 0;
}

static char *fail(struct text *t, char *err, size_t err_len, const char *name)
{
    free(t->bytes);
    if (strcmp(name, "iscsispec-target") == 0) {
        snprintf(err, err_len,
                 "iscsispec-target was found neither beside iscsispec nor on PATH; "
                 "say where it is with --target-binary PATH");
    } else {
        snprintf(err, err_len, "${%s}: the profile has no such portal, or the command is too long", name);
    }
    return NULL;
}

char *hooks_expand(const struct hooks *h, const char *command, char *err, size_t err_len)
{
    struct text t = {0};
    const char *at = command;
    char name[128];

    while (*at != '\0') {
        const char *open = strstr(at, "${");
        const char *shut = open != NULL ? strchr(open, '}') : NULL;
        size_t plain = shut != NULL ? (size_t)(open - at) : strlen(at);

        if (!text_put(&t, at, plain)) {
            return fail(&t, err, err_len, "...");
        }
        at += plain;
        if (shut == NULL) {
            break;
        }
        snprintf(name, sizeof(name), "%.*s", (int)(shut - open - 2), open + 2);
        if (is_ours(name) ? !put_placeholder(h, &t, name) : !text_put(&t, open, (size_t)(shut + 1 - open))) {
            return fail(&t, err, err_len, name);
        }
        at = shut + 1;
    }
    if (!text_put(&t, "", 0)) {
        return fail(&t, err, err_len, "...");
    }
    return t.bytes;
}
