/* The initiator inside a server under test: order of events, ends, resets, what a server may leave undone. */
#include "fuzz/virtual_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct session_live_names names = {.target = "iqn.2026-01.example:a",
                                                .initiator = "iqn.2026-01.example:i"};

struct input {
    uint8_t bytes[4096];
    size_t len;
};

static void put(struct input *input, unsigned conn, enum session_input_kind kind, const char *text)
{
    const struct session_input_record record = {
        .conn = conn, .kind = kind, .bytes = (const uint8_t *)text, .len = text != NULL ? strlen(text) : 0};

    assert_true(session_input_put(input->bytes, sizeof input->bytes, &input->len, &record));
}

static struct virtual_peer *begin(const struct input *input)
{
    struct virtual_peer *peer = calloc(1, sizeof *peer);

    assert_non_null(peer);
    virtual_peer_start(peer, &names, input->bytes, input->len);
    return peer;
}

/* Accepts the connection that waits and wants to read from it. */
static unsigned accept_one(struct virtual_peer *peer, bool edge)
{
    assert_int_equal(virtual_peer_poll(peer).what, VIRTUAL_PEER_ACCEPT);
    int conn = virtual_peer_accept(peer);

    assert_true(conn >= 0);
    peer->conns[conn].interest = (struct virtual_peer_interest){.in = true, .edge = edge};
    return (unsigned)conn;
}

static void expect_in(struct virtual_peer *peer, unsigned conn)
{
    struct virtual_peer_event event = virtual_peer_poll(peer);

    assert_int_equal(event.what, VIRTUAL_PEER_IO);
    assert_int_equal(event.conn, conn);
    assert_true(event.in);
}

static void expect_read(struct virtual_peer *peer, unsigned conn, size_t cap, const char *text)
{
    uint8_t bytes[64];
    bool would_block;
    long got = virtual_peer_read(peer, conn, bytes, cap, &would_block);

    assert_int_equal(got, strlen(text));
    assert_memory_equal(bytes, text, (size_t)got);
}

static void test_records_in_order(void **state)
{
    struct input input = {.len = 0};
    uint8_t byte;
    bool would_block;

    (void)state;
    put(&input, 1, SESSION_INPUT_DATA, "first");
    put(&input, 1, SESSION_INPUT_DATA, "second");
    struct virtual_peer *peer = begin(&input);
    unsigned conn = accept_one(peer, false);

    assert_int_equal(conn, 1);
    expect_in(peer, conn);
    expect_read(peer, conn, 3, "fir");
    expect_in(peer, conn); /* the second record waits until the first is read */
    expect_read(peer, conn, 64, "st");
    assert_int_equal(virtual_peer_read(peer, conn, &byte, 1, &would_block), -1);
    assert_true(would_block);
    expect_in(peer, conn);
    expect_read(peer, conn, 64, "second");
    expect_in(peer, conn); /* the end of the input ends the connection */
    expect_read(peer, conn, 64, "");
    virtual_peer_close(peer, conn);
    assert_int_equal(virtual_peer_poll(peer).what, VIRTUAL_PEER_QUIET);
    free(peer);
}

static void test_writes_come_before_the_next_record(void **state)
{
    struct input input = {.len = 0};

    (void)state;
    put(&input, 0, SESSION_INPUT_DATA, "a");
    put(&input, 0, SESSION_INPUT_DATA, "b");
    struct virtual_peer *peer = begin(&input);
    unsigned conn = accept_one(peer, false);

    expect_in(peer, conn);
    expect_read(peer, conn, 64, "a");
    peer->conns[conn].interest.out = true;
    struct virtual_peer_event event = virtual_peer_poll(peer);
    assert_int_equal(event.what, VIRTUAL_PEER_IO);
    assert_true(event.out && !event.in);
    virtual_peer_write(peer, conn, (const uint8_t *)"x", 1);
    peer->conns[conn].interest.out = false;
    expect_in(peer, conn);
    expect_read(peer, conn, 64, "b");
    free(peer);
}

/* A server that always wants to write and never does must not keep the input from going on. */
static void test_idle_writer(void **state)
{
    struct input input = {.len = 0};
    unsigned turns = 0;

    (void)state;
    put(&input, 0, SESSION_INPUT_DATA, "a");
    struct virtual_peer *peer = begin(&input);
    unsigned conn = accept_one(peer, false);

    peer->conns[conn].interest = (struct virtual_peer_interest){.out = true};
    while (virtual_peer_poll(peer).what != VIRTUAL_PEER_QUIET)
        assert_true(++turns < 1000);
    free(peer);
}

/* One that does not close what has ended is not asked for ever. */
static void test_never_closes(void **state)
{
    struct input input = {.len = 0};
    unsigned turns = 0;

    (void)state;
    put(&input, 0, SESSION_INPUT_DATA, "a");
    struct virtual_peer *peer = begin(&input);

    accept_one(peer, false);
    expect_in(peer, 0);
    expect_read(peer, 0, 64, "a");
    while (virtual_peer_poll(peer).what != VIRTUAL_PEER_QUIET)
        assert_true(++turns < 1000);
    free(peer);
}

static void test_reset_is_told_once(void **state)
{
    struct input input = {.len = 0};
    uint8_t byte;
    bool would_block;

    (void)state;
    put(&input, 2, SESSION_INPUT_DATA, "a");
    put(&input, 2, SESSION_INPUT_RESET, NULL);
    put(&input, 2, SESSION_INPUT_DATA, "again");
    struct virtual_peer *peer = begin(&input);
    unsigned conn = accept_one(peer, false);

    expect_in(peer, conn);
    expect_read(peer, conn, 64, "a");
    struct virtual_peer_event event = virtual_peer_poll(peer);
    assert_true(event.reset);
    assert_int_equal(virtual_peer_read(peer, conn, &byte, 1, &would_block), -1);
    assert_false(would_block);
    assert_int_equal(virtual_peer_read(peer, conn, &byte, 1, &would_block), 0);
    virtual_peer_close(peer, conn);
    conn = accept_one(peer, false); /* the number may be used again */
    expect_in(peer, conn);
    expect_read(peer, conn, 64, "again");
    free(peer);
}

static void test_bytes_behind_a_close_are_lost(void **state)
{
    struct input input = {.len = 0};

    (void)state;
    put(&input, 0, SESSION_INPUT_DATA, "a");
    put(&input, 0, SESSION_INPUT_DATA, "lost");
    put(&input, 3, SESSION_INPUT_DATA, "other");
    struct virtual_peer *peer = begin(&input);
    unsigned conn = accept_one(peer, false);

    expect_in(peer, conn);
    expect_read(peer, conn, 64, "a");
    virtual_peer_close(peer, conn);
    assert_int_equal(accept_one(peer, false), 3);
    expect_in(peer, 3);
    expect_read(peer, 3, 64, "other");
    free(peer);
}

static void test_edge_triggered(void **state)
{
    struct input input = {.len = 0};

    (void)state;
    put(&input, 0, SESSION_INPUT_DATA, "ab");
    put(&input, 0, SESSION_INPUT_DATA, "c");
    struct virtual_peer *peer = begin(&input);
    unsigned conn = accept_one(peer, true);

    expect_in(peer, conn);
    expect_read(peer, conn, 1, "a"); /* what it leaves is told with the next bytes only */
    expect_in(peer, conn);
    expect_read(peer, conn, 64, "bc");
    free(peer);
}

/* Any bytes are an input, and every one of them comes to its end. */
static void test_any_bytes(void **state)
{
    struct input input = {.len = 0};
    uint8_t bytes[512];
    uint32_t seed = 1;
    bool would_block;

    (void)state;
    for (unsigned run = 0; run < 2000; run++) {
        input.len = run % 600;
        for (size_t i = 0; i < input.len; i++)
            input.bytes[i] = (uint8_t)((seed = seed * 1664525U + 1013904223U) >> 24);
        struct virtual_peer *peer = begin(&input);
        unsigned turns = 0;
        for (;;) {
            struct virtual_peer_event event = virtual_peer_poll(peer);

            assert_true(++turns < 100000);
            if (event.what == VIRTUAL_PEER_QUIET)
                break;
            if (event.what == VIRTUAL_PEER_ACCEPT) {
                accept_one(peer, run % 2 == 0);
            } else if (virtual_peer_read(peer, event.conn, bytes, sizeof bytes, &would_block) <= 0 && !would_block) {
                virtual_peer_close(peer, event.conn);
            }
        }
        free(peer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_in_order),   cmocka_unit_test(test_writes_come_before_the_next_record),
        cmocka_unit_test(test_idle_writer),        cmocka_unit_test(test_never_closes),
        cmocka_unit_test(test_reset_is_told_once), cmocka_unit_test(test_bytes_behind_a_close_are_lost),
        cmocka_unit_test(test_edge_triggered),     cmocka_unit_test(test_any_bytes),
    };

    return cmocka_run_group_tests_name("virtual_peer", tests, NULL, NULL);
}
