/*
 * A growing run of bytes that is filled at the end and taken from the start. Memory comes from node_env.
 */
#ifndef ISCSISPEC_BUFFER_H
#define ISCSISPEC_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node_env;

/* All zero is an empty buffer. Content: bytes[start .. start + length). */
struct buffer {
    uint8_t *bytes;
    size_t start;
    size_t length;
    size_t capacity;
};

/* Adds bytes at the end. False, content untouched: no memory. */
bool buffer_append(struct buffer *buffer, const struct node_env *env, const void *bytes, size_t length);

/* Room for length bytes at the end, to be filled by the caller and already counted. NULL: no memory. */
uint8_t *buffer_extend(struct buffer *buffer, const struct node_env *env, size_t length);

/* Drops bytes from the start; at most what is there. */
void buffer_consume(struct buffer *buffer, size_t length);

/* Forgets the content, keeps the memory. */
void buffer_clear(struct buffer *buffer);

/* Gives the memory back and leaves an empty buffer. */
void buffer_free(struct buffer *buffer, const struct node_env *env);

static inline const uint8_t *buffer_bytes(const struct buffer *buffer)
{
    return buffer->bytes == NULL ? NULL : buffer->bytes + buffer->start;
}

/* realloc over node_env, for text_buf; context is a const struct node_env. */
void *buffer_resize(void *context, void *old, size_t size);

#endif
