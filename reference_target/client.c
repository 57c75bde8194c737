/* The client of the control socket; see client.h. */
#include "client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "server.h"
#include "verbs.h"

static int complain(const char *path, const char *reason)
{
    fprintf(stderr, "iscsispec-target: --ctl '%s': %s; is a target running with --control %s?\n", path, reason, path);
    return SERVER_UNREACHABLE;
}

/* A connected socket whose calls end after CLIENT_TIMEOUT_S, -1: errno says why. */
static int connect_to(const char *path)
{
    const struct timeval limit = {.tv_sec = CLIENT_TIMEOUT_S};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (descriptor < 0)
        return -1;
    memcpy(address.sun_path, path, strnlen(path, sizeof address.sun_path - 1));
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 &&
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 &&
        connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0)
        return descriptor;
    int saved = errno;
    close(descriptor);
    errno = saved;
    return -1;
}

static bool send_line(int descriptor, const char *line)
{
    size_t length = strlen(line);
    char text[VERBS_LINE_MAX + 2];

    if (length > VERBS_LINE_MAX) {
        errno = EMSGSIZE;
        return false;
    }
    memcpy(text, line, length);
    text[length++] = '\n';
    for (size_t sent = 0; sent < length;) {
        ssize_t part = send(descriptor, text + sent, length - sent, MSG_NOSIGNAL);
        if (part < 0 && errno != EINTR)
            return false;
        sent += part > 0 ? (size_t)part : 0;
    }
    return true;
}

/* Copies lines until ok or an error; returns the exit status, -1 when the answer breaks off. */
static int copy_answer(FILE *stream)
{
    char *line = NULL;
    size_t size = 0;
    int result = -1;

    errno = 0;
    while (result < 0 && getline(&line, &size, stream) > 0) {
        if (strcmp(line, "ok\n") == 0) {
            result = SERVER_OK;
        } else if (strncmp(line, "error: ", 7) == 0) {
            fprintf(stderr, "iscsispec-target: %s", line);
            result = SERVER_REFUSED;
        } else {
            fputs(line, stdout);
        }
    }
    free(line);
    return result;
}

int client_run(const char *path, const char *line)
{
    int descriptor, result;
    FILE *stream;

    if (strchr(line, '\n') != NULL) {
        fprintf(stderr, "iscsispec-target: --ctl '%s': a verb is one line; call once for each\n", path);
        return SERVER_USAGE;
    }
    descriptor = connect_to(path);
    if (descriptor < 0)
        return complain(path, strerror(errno));
    stream = fdopen(descriptor, "r");
    if (stream == NULL || !send_line(descriptor, line)) {
        result = complain(path, strerror(errno));
    } else {
        result = copy_answer(stream);
        if (result < 0)
            result = complain(path, errno == EAGAIN ? "no answer in time" : "the connection broke off");
    }
    if (stream != NULL)
        fclose(stream);
    else
        close(descriptor);
    return result;
}
