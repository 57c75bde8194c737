/* The health of a target: see netfuzz_watch.h. */
#include "harness/netfuzz_watch.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_MAX = 65536, SIGNALS = 128 };

/* What a program writes before it dies, or instead. */
static const char *const alarms[] = {
    "ERROR: AddressSanitizer",
    "ERROR: LeakSanitizer",
    "WARNING: MemorySanitizer",
    "WARNING: ThreadSanitizer",
    "runtime error:",
    "Segmentation fault",
    "stack smashing detected",
    "double free or corruption",
    "corrupted size vs",
    "malloc(): ",
    "free(): invalid",
    "munmap_chunk(): invalid",
    "Assertion ",
    "assertion failed",
    "terminate called",
    "panicked at",
    "panic: ",
    "Kernel panic",
    "BUG: ",
    "Oops: ",
    "general protection fault",
    "WARNING: CPU:",
    "INFO: task ",
    "KASAN:",
    "buffer overflow detected",
};

void netfuzz_watch_init(struct netfuzz_watch *w, struct hooks *hooks)
{
    memset(w, 0, sizeof(*w));
    w->hooks = hooks;
}

static int log_open(const struct netfuzz_watch *w)
{
    return w->hooks->log[0] ? open(w->hooks->log, O_RDONLY | O_CLOEXEC) : -1;
}

void netfuzz_watch_reset(struct netfuzz_watch *w)
{
    int fd = log_open(w);

    w->log_at = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
    w->signature[0] = w->line[0] = '\0';
    w->summary = false;
    if (fd >= 0)
        close(fd);
}

/* Copies without addresses, pids and other long numbers. */
static void copy_stable(const char *from, char *out, size_t cap)
{
    size_t used = 0;

    while (*from && *from != '\n' && used + 2 < cap) {
        if (from[0] == '0' && from[1] == 'x') {
            out[used++] = '#';
            for (from += 2; isxdigit((unsigned char)*from); from++)
                ;
        } else if (isdigit((unsigned char)*from)) {
            const char *digits = from;

            while (isdigit((unsigned char)*from))
                from++;
            for (size_t n = (size_t)(from - digits); n < 6 && digits < from && used + 2 < cap; digits++)
                out[used++] = *digits;
            if (digits < from && used + 2 < cap)
                out[used++] = '#';
        } else {
            out[used++] = *from++;
        }
    }
    while (used > 0 && isspace((unsigned char)out[used - 1]))
        used--;
    out[used] = '\0';
}

/* "SUMMARY: AddressSanitizer: KIND /path/file.c:12:3 in FUNCTION": without the path to the file. */
static void summary_of(const char *text, char *out, size_t cap)
{
    const char *space = strchr(text, ' '), *path = space ? space + 1 : NULL, *end, *base;
    char short_text[300];

    if (path && *path == '/' && (end = strchr(path, ' ')) != NULL) {
        for (base = end; base > path && base[-1] != '/'; base--)
            ;
        snprintf(short_text, sizeof(short_text), "%.*s%s", (int)(path - text), text, base);
        copy_stable(short_text, out, cap);
        return;
    }
    copy_stable(text, out, cap);
}

bool netfuzz_watch_line(const char *line, char *out, size_t cap, bool *summary)
{
    const char *at = strstr(line, "SUMMARY: ");

    *summary = at != NULL && strstr(at, "Sanitizer: ") != NULL;
    if (*summary) {
        summary_of(strstr(at, "Sanitizer: ") + strlen("Sanitizer: "), out, cap);
        return true;
    }
    for (size_t i = 0; i < sizeof(alarms) / sizeof(alarms[0]); i++) {
        at = strstr(line, alarms[i]);
        if (!at)
            continue;
        if (strcmp(alarms[i], "runtime error:") == 0) { /* file and line stand before it */
            const char *slash = at;

            while (slash > line && slash[-1] != '/')
                slash--;
            at = slash;
        }
        copy_stable(at, out, cap);
        return true;
    }
    return false;
}

/* Takes whole lines of what is new. */
static void log_read(struct netfuzz_watch *w)
{
    char text[READ_MAX + 1];
    int fd = log_open(w);
    ssize_t got = 0;

    while (fd >= 0 && (got = pread(fd, text, READ_MAX, w->log_at)) > 0) {
        char *line = text, *end;

        text[got] = '\0';
        while ((end = strchr(line, '\n')) != NULL || got == READ_MAX) {
            char signature[sizeof(w->signature)];
            bool summary;

            if (end)
                *end = '\0';
            if (!w->summary && netfuzz_watch_line(line, signature, sizeof(signature), &summary) &&
                (summary || !w->signature[0])) {
                snprintf(w->signature, sizeof(w->signature), "%s", signature);
                snprintf(w->line, sizeof(w->line), "%.299s", line);
                w->summary = summary;
            }
            if (!end) {
                line = text + got;
                break;
            }
            line = end + 1;
        }
        w->log_at += line - text;
        if (got < READ_MAX || line == text)
            break;
    }
    if (fd >= 0)
        close(fd);
}

enum netfuzz_trouble netfuzz_watch_look(struct netfuzz_watch *w)
{
    bool gone = hooks_is_gone(w->hooks);

    log_read(w);
    if (gone)
        return NETFUZZ_GONE;
    return w->signature[0] ? NETFUZZ_ALARMED : NETFUZZ_FINE;
}

void netfuzz_watch_describe(const struct netfuzz_watch *w, char *out, size_t cap)
{
    int code = w->hooks->exit_code;

    if (w->signature[0])
        snprintf(out, cap, "%s", w->signature);
    else if (code > SIGNALS)
        snprintf(out, cap, "signal %d (%s)", code - SIGNALS, strsignal(code - SIGNALS));
    else
        snprintf(out, cap, "ended with exit status %d", code);
}

uint64_t netfuzz_watch_memory(const struct netfuzz_watch *w)
{
    unsigned long pages = 0;
    char path[64];
    FILE *f;

    if (w->hooks->pid <= 0)
        return 0;
    snprintf(path, sizeof(path), "/proc/%ld/statm", (long)w->hooks->pid);
    f = fopen(path, "re");
    if (!f)
        return 0;
    if (fscanf(f, "%*u %lu", &pages) != 1)
        pages = 0;
    fclose(f);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
}
