/* A list of blocks; allocation moves a pointer. */
#include "harness/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_LEN (64u << 10)

struct block {
    struct block *next;
    size_t used, len;
    _Alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct block *blocks; /* the first is the one being filled */
    size_t total, limit;
};

struct arena *arena_new(size_t limit)
{
    struct arena *a = calloc(1, sizeof *a);

    if (a)
        a->limit = limit ? limit : ARENA_LIMIT;
    return a;
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    while (a->blocks) {
        struct block *next = a->blocks->next;

        free(a->blocks);
        a->blocks = next;
    }
    free(a);
}

static struct block *block_add(struct arena *a, size_t size)
{
    size_t len = size > BLOCK_LEN ? size : BLOCK_LEN;
    struct block *b;

    if (len > a->limit - a->total)
        return NULL;
    b = calloc(1, sizeof *b + len);
    if (!b)
        return NULL;
    b->len = len;
    a->total += len;
    if (size > BLOCK_LEN && a->blocks) {
        /* A large piece gets a block of its own; the half-filled one stays in front. */
        b->next = a->blocks->next;
        a->blocks->next = b;
    } else {
        b->next = a->blocks;
        a->blocks = b;
    }
    return b;
}

void *arena_alloc(struct arena *a, size_t count, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    struct block *b = a->blocks;
    size_t need;
    void *p;

    if (size && count > (SIZE_MAX / 2) / size)
        return NULL;
    need = count && size ? count * size : 1;
    need = (need + align - 1) / align * align;
    if (!b || b->len - b->used < need)
        b = block_add(a, need);
    if (!b)
        return NULL;
    p = b->bytes + b->used;
    b->used += need;
    return p;
}

char *arena_strndup(struct arena *a, const char *text, size_t len)
{
    char *copy = len < SIZE_MAX ? arena_alloc(a, len + 1, 1) : NULL;

    if (copy && len)
        memcpy(copy, text, len);
    return copy;
}

char *arena_strdup(struct arena *a, const char *text)
{
    return arena_strndup(a, text, strlen(text));
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    char *copy;
    int n;

    va_start(args, format);
    n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0)
        return NULL;
    copy = arena_strndup(a, text, (size_t)n);
    free(text);
    return copy;
}
