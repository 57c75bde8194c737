/* See alloc_fail.h. */
#include "alloc_fail.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
char *__real_strdup(const char *text);
FILE *__real_open_memstream(char **text, size_t *size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *text);
FILE *__wrap_open_memstream(char **text, size_t *size);

static bool counting;
static size_t count, fails;

void alloc_fail_at(size_t number)
{
    counting = true;
    count = 0;
    fails = number;
}

size_t alloc_fail_stop(void)
{
    counting = false;
    return count;
}

static bool fail_this(void)
{
    return counting && ++count == fails;
}

void *__wrap_malloc(size_t size)
{
    return fail_this() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t number, size_t size)
{
    return fail_this() ? NULL : __real_calloc(number, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fail_this() ? NULL : __real_realloc(memory, size);
}

char *__wrap_strdup(const char *text)
{
    return fail_this() ? NULL : __real_strdup(text);
}

FILE *__wrap_open_memstream(char **text, size_t *size)
{
    return fail_this() ? NULL : __real_open_memstream(text, size);
}

static void *json_allocate(size_t size)
{
    return fail_this() ? NULL : __real_malloc(size);
}

void alloc_fail_jansson(void)
{
    json_set_alloc_funcs(json_allocate, free);
}
