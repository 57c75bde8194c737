/* Blocks one behind the other: see arena.h. */
#include "fuzz/arena.h"

#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISON 1
#endif
#endif

#ifdef ARENA_POISON
#include <sanitizer/asan_interface.h>
#define POISON(memory, size)   __asan_poison_memory_region(memory, size)
#define UNPOISON(memory, size) __asan_unpoison_memory_region(memory, size)
#define NO_ASAN                __attribute__((no_sanitize_address))
#else
#define POISON(memory, size)   ((void)(memory), (void)(size))
#define UNPOISON(memory, size) ((void)(memory), (void)(size))
#define NO_ASAN
#endif

enum {
    ARENA_SIZE = 1 << 20,
    ARENA_ALIGN = 16,
    ARENA_GAP = 2 * ARENA_ALIGN, /* before each block; it ends with the size of the block */
};

bool arena_init(struct arena *arena)
{
    arena->used = 0;
    arena->bytes = aligned_alloc(ARENA_ALIGN, ARENA_SIZE);
    if (arena->bytes == NULL)
        return false;
    POISON(arena->bytes, ARENA_SIZE);
    return true;
}

/* Where the size of a block stands: in the gap, where only these two may look. */
NO_ASAN static void size_put(uint8_t *block, size_t size)
{
    *(size_t *)(void *)(block - ARENA_ALIGN) = size;
}

NO_ASAN static size_t size_get(const uint8_t *block)
{
    return *(const size_t *)(const void *)(block - ARENA_ALIGN);
}

void *arena_take(struct arena *arena, size_t size)
{
    size_t room = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);

    if (arena->bytes == NULL || size > ARENA_SIZE || room + ARENA_GAP > ARENA_SIZE - arena->used)
        return malloc(size);
    uint8_t *block = arena->bytes + arena->used + ARENA_GAP;

    size_put(block, size);
    UNPOISON(block, size);
    arena->used += ARENA_GAP + room;
    return block;
}

void arena_give(struct arena *arena, void *memory)
{
    uint8_t *block = memory;

    if (arena->bytes != NULL && (uintptr_t)block - (uintptr_t)arena->bytes < ARENA_SIZE)
        POISON(block, size_get(block));
    else
        free(memory);
}

void arena_reset(struct arena *arena)
{
    arena->used = 0;
}

void arena_free(struct arena *arena)
{
    UNPOISON(arena->bytes, ARENA_SIZE);
    free(arena->bytes);
    arena->bytes = NULL;
}
