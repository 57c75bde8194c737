/* The memory of one input: blocks do not touch, what is given back stays away, and a sanitizer sees both. */
#include "fuzz/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
#define POISONED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONED 1
#endif
#endif
#ifdef POISONED
#include <sanitizer/asan_interface.h>
#endif

/* May this byte not be used? Without the sanitizer nobody knows. */
static void assert_poisoned(const void *byte, bool poisoned)
{
#ifdef POISONED
    assert_int_equal(__asan_address_is_poisoned(byte) != 0, poisoned);
#else
    (void)byte, (void)poisoned;
#endif
}

static void blocks_lie_apart(void **state)
{
    static const size_t sizes[] = {1, 7, 8, 16, 17, 0, 512, 1000};
    uint8_t *blocks[8];
    struct arena arena;

    (void)state;
    assert_true(arena_init(&arena));
    for (size_t i = 0; i < 8; i++) {
        blocks[i] = arena_take(&arena, sizes[i]);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        memset(blocks[i], (int)i + 1, sizes[i]);
    }
    for (size_t i = 0; i < 8; i++) {
        for (size_t at = 0; at < sizes[i]; at++)
            assert_int_equal(blocks[i][at], i + 1);
        assert_poisoned(blocks[i] - 1, true);
        assert_poisoned(blocks[i] + sizes[i], true);
        if (sizes[i] > 0)
            assert_poisoned(blocks[i] + sizes[i] - 1, false);
    }
    arena_free(&arena);
}

static void given_back_is_not_used_again(void **state)
{
    struct arena arena;

    (void)state;
    assert_true(arena_init(&arena));
    uint8_t *first = arena_take(&arena, 100);

    arena_give(&arena, first);
    arena_give(&arena, NULL);
    uint8_t *second = arena_take(&arena, 100);

    assert_true(second >= first + 100);
    assert_poisoned(first, true);
    assert_poisoned(first + 99, true);
    assert_poisoned(second, false);
    arena_give(&arena, second);
    arena_reset(&arena);
    assert_ptr_equal(arena_take(&arena, 1), first);
    arena_free(&arena);
}

/* More than there is room for, and no arena at all: the same, out of malloc. */
static void beyond_the_end(void **state)
{
    struct arena arena, none = {.bytes = NULL};

    (void)state;
    assert_true(arena_init(&arena));
    for (int i = 0; i < 3; i++) {
        uint8_t *big = arena_take(&arena, 700000);

        assert_non_null(big);
        memset(big, 1, 700000);
        assert_int_equal(big >= arena.bytes && big < arena.bytes + 700064, i == 0);
        arena_give(&arena, big);
    }
    arena_free(&arena);
    uint8_t *plain = arena_take(&none, 10);

    assert_non_null(plain);
    memset(plain, 1, 10);
    arena_give(&none, plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_lie_apart),
        cmocka_unit_test(given_back_is_not_used_again),
        cmocka_unit_test(beyond_the_end),
    };

    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
