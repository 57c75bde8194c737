/*
 * text_buf.c - building and editing key=value text.
 *
 * Every change goes through text_buf_splice: one place that makes room, moves
 * bytes and decides about overflow. The memory is the caller's (fixed) or the
 * buffer's own (growing, released by text_buf_free).
 */
#include "wire/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 256u

static void *grow_with_libc(void *context, void *old, size_t size)
{
    (void)context;
    if (size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, size);
}

void text_buf_init_fixed(struct text_buf *buf, void *mem, size_t cap)
{
    memset(buf, 0, sizeof(*buf));
    buf->data = mem;
    buf->cap = cap;
    buf->limit = cap;
}

void text_buf_init_growing(struct text_buf *buf, size_t limit, text_realloc_fn *grow, void *context)
{
    memset(buf, 0, sizeof(*buf));
    buf->limit = limit;
    buf->grow = grow != NULL ? grow : grow_with_libc;
    buf->context = context;
}

void text_buf_free(struct text_buf *buf)
{
    if (buf->grow != NULL && buf->data != NULL) {
        buf->grow(buf->context, buf->data, 0);
        buf->data = NULL;
        buf->cap = 0;
    }
    text_buf_clear(buf);
}

void text_buf_clear(struct text_buf *buf)
{
    buf->len = 0;
    buf->overflow = false;
}

/* Makes room for `need` bytes in all. */
static bool reserve(struct text_buf *buf, size_t need)
{
    size_t cap = buf->cap > 0 ? buf->cap : FIRST_CAP;
    char *data;

    if (need <= buf->cap)
        return true;
    if (buf->grow == NULL || need > buf->limit)
        return false;
    while (cap < need)
        cap = cap > buf->limit / 2 ? buf->limit : cap * 2;
    if (cap > buf->limit)
        cap = buf->limit;
    data = buf->grow(buf->context, buf->data, cap);
    if (data == NULL)
        return false;
    buf->data = data;
    buf->cap = cap;
    return true;
}

/*
 * Replaces old_len bytes at offset by a gap of new_len bytes and returns the
 * gap, NULL on overflow. The gap has to be filled by the caller.
 */
static char *make_gap(struct text_buf *buf, size_t offset, size_t old_len, size_t new_len)
{
    size_t kept = buf->len - old_len;
    size_t behind = kept - offset;
    char *gap;

    if (buf->overflow || new_len > SIZE_MAX - kept || !reserve(buf, kept + new_len)) {
        buf->overflow = true;
        return NULL;
    }
    if (buf->data == NULL) /* an empty change to a buffer that has no memory yet */
        return NULL;
    gap = buf->data + offset;
    if (behind > 0)
        memmove(gap + new_len, gap + old_len, behind);
    buf->len = kept + new_len;
    return gap;
}

bool text_buf_splice(struct text_buf *buf, size_t offset, size_t old_len, const void *bytes, size_t len)
{
    char *gap;

    if (offset > buf->len || old_len > buf->len - offset)
        return false;
    gap = make_gap(buf, offset, old_len, len);
    if (gap != NULL && len > 0)
        memcpy(gap, bytes, len);
    return !buf->overflow;
}

bool text_buf_add_raw(struct text_buf *buf, const void *bytes, size_t len)
{
    return text_buf_splice(buf, buf->len, 0, bytes, len);
}

bool text_buf_add_n(struct text_buf *buf, const char *key, const void *value, size_t len)
{
    size_t key_len = strlen(key);
    char *gap;

    if (len > SIZE_MAX - key_len - 2) {
        buf->overflow = true;
        return false;
    }
    gap = make_gap(buf, buf->len, 0, key_len + len + 2);
    if (gap == NULL)
        return false;
    memcpy(gap, key, key_len);
    gap[key_len] = '=';
    if (len > 0)
        memcpy(gap + key_len + 1, value, len);
    gap[key_len + 1 + len] = '\0';
    return true;
}

bool text_buf_add(struct text_buf *buf, const char *key, const char *value)
{
    return text_buf_add_n(buf, key, value, strlen(value));
}

bool text_buf_add_number(struct text_buf *buf, const char *key, uint64_t number)
{
    char value[TEXT_NUMBER_MAX];

    return text_buf_add_n(buf, key, value, text_format_number(value, number));
}

bool text_buf_addf(struct text_buf *buf, const char *key, const char *format, ...)
{
    size_t key_len = strlen(key);
    va_list arguments;
    char *gap;
    int len;

    va_start(arguments, format);
    len = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (len < 0) {
        buf->overflow = true;
        return false;
    }
    gap = make_gap(buf, buf->len, 0, key_len + (size_t)len + 2);
    if (gap == NULL)
        return false;
    memcpy(gap, key, key_len);
    gap[key_len] = '=';
    va_start(arguments, format);
    vsnprintf(gap + key_len + 1, (size_t)len + 1, format, arguments);
    va_end(arguments);
    return true;
}

/* Next pair with this key at or behind the cursor; false at the end. A last
 * string without its null byte counts too, so that broken text can be edited. */
static bool next_of_key(struct text_cursor *cursor, const char *key, struct text_pair *pair)
{
    enum text_result result;

    while ((result = text_next(cursor, pair)) != TEXT_END)
        if ((result == TEXT_PAIR || result == TEXT_NO_NULL) && text_pair_is(pair, key) && pair->key_len < pair->len)
            return true;
    return false;
}

/* Points a cursor at `pos` of the buffer's present content. */
static void cursor_at(struct text_cursor *cursor, const struct text_buf *buf, size_t pos)
{
    text_cursor_init(cursor, buf->data, buf->len);
    cursor->pos = pos;
}

size_t text_buf_replace(struct text_buf *buf, const char *key, const char *value)
{
    size_t value_len = strlen(value);
    struct text_cursor cursor;
    struct text_pair pair;
    size_t count = 0;

    cursor_at(&cursor, buf, 0);
    while (next_of_key(&cursor, key, &pair)) {
        size_t at = pair.offset + pair.key_len + 1;

        if (!text_buf_splice(buf, at, pair.value_len, value, value_len))
            return 0;
        count++;
        /* The splice may have moved the buffer. */
        cursor_at(&cursor, buf, pair.offset + pair.len - pair.value_len + value_len);
    }
    return count;
}

/* Drops the pairs of this key that start at or behind `pos`. */
static size_t drop_from(struct text_buf *buf, size_t pos, const char *key)
{
    struct text_cursor cursor;
    struct text_pair pair;
    size_t count = 0;

    cursor_at(&cursor, buf, pos);
    while (next_of_key(&cursor, key, &pair)) {
        if (!text_buf_splice(buf, pair.offset, pair.len, NULL, 0))
            return count;
        count++;
        cursor_at(&cursor, buf, pair.offset);
    }
    return count;
}

size_t text_buf_drop(struct text_buf *buf, const char *key)
{
    return drop_from(buf, 0, key);
}

bool text_buf_set(struct text_buf *buf, const char *key, const char *value)
{
    size_t value_len = strlen(value);
    struct text_cursor cursor;
    struct text_pair pair;

    cursor_at(&cursor, buf, 0);
    if (!next_of_key(&cursor, key, &pair))
        return text_buf_add(buf, key, value);
    if (!text_buf_splice(buf, pair.offset + pair.key_len + 1, pair.value_len, value, value_len))
        return false;
    drop_from(buf, pair.offset + pair.len - pair.value_len + value_len, key);
    return true;
}
