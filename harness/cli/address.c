#include "harness/cli/address.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_PORT 3260u

static int fail(char *err, size_t err_len, const char *text)
{
    snprintf(err, err_len, "%s", text);
    return -1;
}

/* Takes HOST[:PORT] of len bytes apart. */
static int parse_host(const char *text, size_t len, struct address *out, char *err, size_t err_len)
{
    const char *host = text;
    const char *end = text + len;
    const char *colon;
    char port[8];
    char *rest;
    unsigned long number;

    if (len > 0 && *text == '[') {
        const char *shut = memchr(text, ']', len);

        if (shut == NULL) {
            return fail(err, err_len, "the bracket of the IPv6 address is not closed");
        }
        host = text + 1;
        colon = shut + 1 < end && shut[1] == ':' ? shut + 1 : NULL;
        if (colon == NULL && shut + 1 != end) {
            return fail(err, err_len, "what follows ] is not :PORT");
        }
        len = (size_t)(shut - host);
    } else {
        colon = memchr(text, ':', len);
        len = colon != NULL ? (size_t)(colon - text) : len;
        if (colon != NULL && memchr(colon + 1, ':', (size_t)(end - colon - 1)) != NULL) {
            return fail(err, err_len, "an IPv6 address has to stand in brackets: [::1]:3260");
        }
    }
    if (len == 0 || len >= sizeof(out->host)) {
        return fail(err, err_len, "the host is missing or too long");
    }
    snprintf(out->host, sizeof(out->host), "%.*s", (int)len, host);
    out->port = 0;
    if (colon == NULL) {
        return 0;
    }
    snprintf(port, sizeof(port), "%.*s", (int)(end - colon - 1), colon + 1);
    number = strtoul(port, &rest, 10);
    if (port[0] < '0' || port[0] > '9' || *rest != '\0' || number < 1 || number > 65535 || end - colon > 6) {
        return fail(err, err_len, "the port is not a number from 1 to 65535");
    }
    out->port = (uint16_t)number;
    return 0;
}

int address_parse_portal(const char *text, struct address *out, char *err, size_t err_len)
{
    const char *equals = strchr(text, '=');
    size_t name = equals != NULL ? (size_t)(equals - text) : 0;

    memset(out, 0, sizeof(*out));
    if (equals != NULL && (name == 0 || name >= sizeof(out->name))) {
        return fail(err, err_len, "the name before = is missing or too long");
    }
    snprintf(out->name, sizeof(out->name), "%.*s", (int)name, text);
    text = equals != NULL ? equals + 1 : text;
    if (parse_host(text, strlen(text), out, err, err_len) != 0) {
        return -1;
    }
    return out->port != 0 ? 0 : fail(err, err_len, "the port is missing: [NAME=]HOST:PORT");
}

int address_parse_url(const char *text, struct address *out, char *err, size_t err_len)
{
    const char *slash;

    memset(out, 0, sizeof(*out));
    if (strncmp(text, "iscsi://", 8) != 0) {
        return fail(err, err_len, "it has to look like iscsi://HOST[:PORT]/TARGET-NAME");
    }
    text += 8;
    slash = strchr(text, '/');
    if (slash == NULL) {
        slash = text + strlen(text); /* the target is to be asked for its name */
    }
    if (strlen(slash) > sizeof(out->name)) {
        return fail(err, err_len, "the target name is too long: iscsi://HOST[:PORT][/TARGET-NAME]");
    }
    if (slash[0] != '\0' && strchr(slash + 1, '/') != NULL) {
        return fail(err, err_len, "nothing may follow the target name (no LUN is needed)");
    }
    if (memchr(text, '@', (size_t)(slash - text)) != NULL) {
        return fail(err, err_len, "no credentials in the URL: use --user and --secret-file");
    }
    snprintf(out->name, sizeof(out->name), "%s", slash[0] != '\0' ? slash + 1 : "");
    if (parse_host(text, (size_t)(slash - text), out, err, err_len) != 0) {
        return -1;
    }
    out->port = out->port != 0 ? out->port : (uint16_t)DEFAULT_PORT;
    return 0;
}

int address_read_secret(const char *path, char *out, size_t out_len, char *err, size_t err_len)
{
    const char *variable = getenv("ISCSISPEC_SECRET");
    FILE *file;

    out[0] = '\0';
    if (path == NULL) {
        snprintf(out, out_len, "%s", variable != NULL ? variable : "");
        return 0;
    }
    file = fopen(path, "re");
    if (file == NULL || fgets(out, (int)out_len, file) == NULL) {
        snprintf(err, err_len, "%s", file == NULL ? strerror(errno) : "the file is empty");
        if (file != NULL) {
            fclose(file);
        }
        return -1;
    }
    fclose(file);
    out[strcspn(out, "\r\n")] = '\0';
    return 0;
}
