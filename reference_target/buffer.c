/* Bytes on their way in and out; see buffer.h. */
#include "buffer.h"

#include <string.h>

#include "node.h"

enum { BUFFER_FIRST = 512 };    /* room of a first allocation: one ordinary login */

uint8_t *buffer_extend(struct buffer *buffer, const struct node_env *env, size_t length)
{
    if (length > SIZE_MAX / 4 - buffer->length)
        return NULL;
    size_t need = buffer->length + length;

    if (buffer->capacity - buffer->start < need) {
        if (buffer->capacity >= need) {
            memmove(buffer->bytes, buffer->bytes + buffer->start, buffer->length);
        } else {
            size_t capacity = buffer->capacity < BUFFER_FIRST ? BUFFER_FIRST : buffer->capacity;

            while (capacity < need)
                capacity *= 2;
            uint8_t *bytes = env->allocate(env->context, capacity);

            if (bytes == NULL)
                return NULL;
            if (buffer->length > 0)
                memcpy(bytes, buffer->bytes + buffer->start, buffer->length);
            env->release(env->context, buffer->bytes);
            buffer->bytes = bytes;
            buffer->capacity = capacity;
        }
        buffer->start = 0;
    }
    uint8_t *end = buffer->bytes + buffer->start + buffer->length;

    buffer->length = need;
    return end;
}

bool buffer_append(struct buffer *buffer, const struct node_env *env, const void *bytes, size_t length)
{
    if (length == 0)
        return true;
    uint8_t *end = buffer_extend(buffer, env, length);

    if (end == NULL)
        return false;
    memcpy(end, bytes, length);
    return true;
}

void buffer_consume(struct buffer *buffer, size_t length)
{
    if (length >= buffer->length) {
        buffer_clear(buffer);
    } else {
        buffer->start += length;
        buffer->length -= length;
    }
}

void buffer_clear(struct buffer *buffer)
{
    buffer->start = 0;
    buffer->length = 0;
}

void buffer_free(struct buffer *buffer, const struct node_env *env)
{
    env->release(env->context, buffer->bytes);
    *buffer = (struct buffer){ .bytes = NULL };
}

/* node_env knows no sizes, so each block begins with its own. */
union buffer_head {
    size_t size;
    max_align_t align;
};

void *buffer_resize(void *context, void *old, size_t size)
{
    const struct node_env *env = context;
    union buffer_head *head = old == NULL ? NULL : (union buffer_head *)old - 1;

    if (size == 0) {
        env->release(env->context, head);
        return NULL;
    }
    if (head != NULL && head->size >= size)
        return old;
    if (size > SIZE_MAX - sizeof(union buffer_head))
        return NULL;
    union buffer_head *fresh = env->allocate(env->context, sizeof(union buffer_head) + size);

    if (fresh == NULL)
        return NULL;
    fresh->size = size;
    if (head != NULL) {
        memcpy(fresh + 1, old, head->size);
        env->release(env->context, head);
    }
    return fresh + 1;
}
