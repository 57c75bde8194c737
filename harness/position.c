/* Text of load errors: one line, file:line:column first. */
#include "harness/position.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static size_t print_place(char *out, size_t cap, const struct position *at)
{
    int n;

    if (!at || !at->file)
        n = 0;
    else if (at->line <= 0)
        n = snprintf(out, cap, "%s: ", at->file);
    else
        n = snprintf(out, cap, "%s:%d:%d: ", at->file, at->line, at->column);
    if (n < 0)
        return 0;
    return (size_t)n < cap ? (size_t)n : cap - 1;
}

int load_error_set(struct load_error *err, const struct position *at, const char *format, ...)
{
    va_list args;
    size_t used;

    if (!err || err->text[0])
        return -1;
    used = print_place(err->text, sizeof err->text, at);
    va_start(args, format);
    if (vsnprintf(err->text + used, sizeof err->text - used, format, args) < 0)
        err->text[used] = '\0';
    va_end(args);
    /* What a file says may be quoted in the text: keep it one line and printable. */
    for (char *c = err->text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    if (!err->text[0])
        memcpy(err->text, "error", sizeof "error");
    return -1;
}
