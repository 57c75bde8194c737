/* Log lines that never hold up the server; see log.h. */
#include "log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Below PIPE_BUF (4096 on Linux): a pipe that polls writable takes a line of this size whole and at once. */
enum { LINE_SIZE = 2048 };

static const char *const level_names[] = {"debug", "info", "warning"};

static bool writable(int descriptor)
{
    struct pollfd entry = {.fd = descriptor, .events = POLLOUT};

    return poll(&entry, 1, 0) == 1 && (entry.revents & POLLOUT) != 0;
}

static void put(struct log *log, const char *line, size_t length)
{
    ssize_t written;

    if (!writable(log->descriptor)) {
        log->dropped++;
        return;
    }
    do
        written = write(log->descriptor, line, length);
    while (written < 0 && errno == EINTR);
    if (written < 0)
        log->dropped++;
}

void log_write(struct log *log, enum node_log_level level, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    int head, body;
    size_t length;

    if (level < log->level)
        return;
    head = snprintf(line, sizeof line, "iscsispec-target: %s: ", level_names[level]);
    va_start(arguments, format);
    body = vsnprintf(line + head, sizeof line - (size_t)head - 1, format, arguments);
    va_end(arguments);
    length = body < 0 ? (size_t)head : strlen(line);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)line[i] < 0x20 || (unsigned char)line[i] > 0x7e)
            line[i] = '?';
    line[length++] = '\n';
    if (log->dropped > 0 && writable(log->descriptor)) {
        char note[96];
        int size = snprintf(note, sizeof note, "iscsispec-target: warning: %llu log lines were dropped\n",
                            (unsigned long long)log->dropped);
        log->dropped = 0;
        put(log, note, (size_t)size);
    }
    put(log, line, length);
}
