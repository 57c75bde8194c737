/* The transcript: recording within bounds, and cutting into PDUs. */
#include "harness/transcript.h"
#include "wire/bytes.h"
#include "wire/pdu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define I TRANSCRIPT_INITIATOR
#define T TRANSCRIPT_TARGET

struct fixture {
    struct transcript *t;
    struct transcript_conn *c;
    struct transcript_pdu *pdus;
    long count;
    int64_t now;
};

static void start(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    f->t = transcript_new();
    assert_non_null(f->t);
    f->c = transcript_add_conn(f->t, "A");
    assert_non_null(f->c);
}

static void cut(struct fixture *f)
{
    free(f->pdus);
    f->count = transcript_cut(f->c, &f->pdus);
}

static void stop(struct fixture *f)
{
    free(f->pdus);
    transcript_free(f->t);
}

/* A login PDU of either side with this text; returns its length in out. */
static size_t login(uint8_t *out, bool response, unsigned flags, unsigned status, const char *text, size_t len)
{
    memset(out, 0, PDU_BHS_LEN + 512);
    out[0] = response ? PDU_LOGIN_RESPONSE : PDU_LOGIN_REQUEST | PDU_IMMEDIATE;
    out[1] = (uint8_t)flags;
    pdu_set_data_len(out, len);
    if (response)
        bytes_put_be16(out + 36, (uint16_t)status);
    memcpy(out + PDU_BHS_LEN, text, len);
    return PDU_BHS_LEN + pdu_padded_len(len);
}

static void say(struct fixture *f, enum transcript_side side, unsigned flags, const char *text, size_t len)
{
    uint8_t pdu[PDU_BHS_LEN + 512];
    size_t n = login(pdu, side == T, flags, 0, text, len);

    assert_true(transcript_bytes(f->c, side, f->now += 10, pdu, n));
}

/* A NOP with `data` bytes, followed by room for the digests asked for. */
static void nop(struct fixture *f, enum transcript_side side, size_t data, size_t digests)
{
    uint8_t pdu[PDU_BHS_LEN + 64] = {side == T ? PDU_NOP_IN : PDU_NOP_OUT, 0x80};

    pdu_set_data_len(pdu, data);
    assert_true(transcript_bytes(f->c, side, f->now += 10, pdu, PDU_BHS_LEN + pdu_padded_len(data) + digests));
}

#define TEXT(s) s, sizeof(s) - 1

static void order_and_numbers(void **state)
{
    struct fixture f;

    (void)state;
    start(&f);
    say(&f, I, 0x81, TEXT("InitiatorName=iqn.1\0"));
    say(&f, T, 0x81, TEXT("TargetPortalGroupTag=1\0"));
    say(&f, I, 0x87, TEXT(""));
    say(&f, T, 0x87, TEXT(""));
    nop(&f, I, 5, 0);
    nop(&f, T, 5, 0);
    cut(&f);
    assert_int_equal(f.count, 6);
    for (long i = 0; i < 6; i++) {
        assert_int_equal(f.pdus[i].side, i % 2);
        assert_int_equal(f.pdus[i].number, 1 + i / 2);
        assert_int_equal(f.pdus[i].at_us, 10 * (i + 1));
        assert_true(f.pdus[i].whole);
        assert_false(f.pdus[i].gap);
        assert_int_equal(f.pdus[i].full_feature, i >= 4);
    }
    assert_int_equal(f.pdus[0].data_len, 20);
    assert_memory_equal(f.pdus[0].data, "InitiatorName=iqn.1", 20);
    assert_null(f.pdus[2].data);
    assert_int_equal(f.pdus[4].len, 56);
    assert_int_equal(f.pdus[4].data_len, 5);
    stop(&f);
}

/* Bytes one at a time, both directions interleaved: order is that of completion. */
static void pieces(void **state)
{
    struct fixture f;
    uint8_t a[PDU_BHS_LEN + 512], b[PDU_BHS_LEN + 512];
    size_t na, nb;

    (void)state;
    start(&f);
    na = login(a, false, 0x87, 0, TEXT("A=1\0"));
    nb = login(b, true, 0x87, 0, TEXT(""));
    for (size_t i = 0; i < na || i < nb; i++) {
        if (i < na)
            assert_true(transcript_bytes(f.c, I, (int64_t)i, a + i, 1));
        if (i < nb)
            assert_true(transcript_bytes(f.c, T, (int64_t)i, b + i, 1));
    }
    cut(&f);
    assert_int_equal(f.count, 2);
    assert_int_equal(f.pdus[0].side, T);
    assert_int_equal(f.pdus[0].first_us, 0);
    assert_int_equal(f.pdus[0].at_us, nb - 1);
    assert_int_equal(f.pdus[1].side, I);
    assert_false(f.pdus[1].full_feature);
    stop(&f);
}

static void digests(void **state)
{
    static const struct {
        const char *offer;
        size_t offer_len;
        const char *answer;
        size_t answer_len;
        size_t header, data;
    } table[] = {
        {TEXT("HeaderDigest=CRC32C,None\0DataDigest=None\0"), TEXT("HeaderDigest=CRC32C\0DataDigest=None\0"), 4, 0},
        {TEXT("HeaderDigest=None\0DataDigest=CRC32C\0"), TEXT("HeaderDigest=None\0DataDigest=CRC32C\0"), 0, 4},
        {TEXT("HeaderDigest=CRC32C\0DataDigest=CRC32C\0"), TEXT("HeaderDigest=CRC32C\0DataDigest=CRC32C\0"), 4, 4},
        {TEXT("HeaderDigest=CRC32C\0DataDigest=CRC32C\0"), TEXT("HeaderDigest=Reject\0"), 0, 0},
        {TEXT("HeaderDigest=CRC32C\0"), TEXT("A=1\0"), 0, 0},
        {TEXT("A=1\0"), TEXT("HeaderDigest=CRC32C\0"), 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct fixture f;

        start(&f);
        say(&f, I, 0x87, table[i].offer, table[i].offer_len);
        say(&f, T, 0x87, table[i].answer, table[i].answer_len);
        nop(&f, I, 0, table[i].header);
        nop(&f, T, 6, table[i].header + table[i].data);
        nop(&f, I, 0, table[i].header);
        cut(&f);
        assert_int_equal(f.count, 5);
        for (long k = 0; k < 5; k++)
            assert_true(f.pdus[k].whole);
        assert_int_equal(f.pdus[2].len, 48 + table[i].header);
        assert_int_equal(f.pdus[3].len, 56 + table[i].header + table[i].data);
        assert_int_equal(f.pdus[3].data - f.pdus[3].bhs, 48 + table[i].header);
        assert_int_equal(pdu_opcode(f.pdus[4].bhs), PDU_NOP_OUT);
        stop(&f);
    }
}

/* The key is cut by a C bit. What was sent before the last Login Request carries no digest; what was sent behind it is
   read with one, though the answer had not come yet. */
static void digests_over_parts(void **state)
{
    struct fixture f;

    (void)state;
    start(&f);
    say(&f, I, 0x44, TEXT("HeaderDig"));
    say(&f, T, 0x04, TEXT(""));
    nop(&f, I, 0, 0);
    say(&f, I, 0x87, TEXT("est=CRC32C\0"));
    nop(&f, I, 0, 4);
    say(&f, T, 0x87, TEXT("HeaderDigest=CRC32C\0"));
    nop(&f, I, 0, 4);
    cut(&f);
    assert_int_equal(f.count, 7);
    assert_int_equal(f.pdus[2].len, 48);
    assert_int_equal(f.pdus[4].len, 52);
    assert_false(f.pdus[4].full_feature);
    assert_int_equal(f.pdus[6].len, 52);
    assert_true(f.pdus[6].full_feature);
    stop(&f);
}

/* The target proposes, the initiator answers; a refusal completes nothing. */
static void digests_proposed_by_target(void **state)
{
    struct fixture f;
    uint8_t pdu[PDU_BHS_LEN + 512];
    size_t n;

    (void)state;
    start(&f);
    say(&f, I, 0x04, TEXT(""));
    say(&f, T, 0x04, TEXT("DataDigest=CRC32C,None\0"));
    say(&f, I, 0x87, TEXT("DataDigest=CRC32C\0"));
    n = login(pdu, true, 0x87, 0x0200, TEXT(""));
    assert_true(transcript_bytes(f.c, T, f.now += 10, pdu, n));
    nop(&f, T, 1, 0);
    cut(&f);
    assert_int_equal(f.count, 5);
    assert_false(f.pdus[4].full_feature);
    assert_int_equal(f.pdus[4].len, 52);
    stop(&f);
}

static void unfinished(void **state)
{
    struct fixture f;
    uint8_t pdu[PDU_BHS_LEN + 512];

    (void)state;
    start(&f);
    say(&f, I, 0x87, TEXT("A=1\0"));
    login(pdu, true, 0x87, 0, TEXT("B=12345\0"));
    assert_true(transcript_bytes(f.c, T, 50, pdu, 50));
    assert_true(transcript_bytes(f.c, I, 40, pdu, 7));
    assert_true(transcript_end(f.c, T, 60, TRANSCRIPT_RST));
    cut(&f);
    assert_int_equal(f.count, 3);
    assert_int_equal(f.pdus[1].side, I);
    assert_null(f.pdus[1].bhs);
    assert_int_equal(f.pdus[1].len, 7);
    assert_false(f.pdus[1].whole);
    assert_int_equal(f.pdus[2].side, T);
    assert_non_null(f.pdus[2].bhs);
    assert_null(f.pdus[2].data);
    assert_int_equal(transcript_ended(f.c, T)->end, TRANSCRIPT_RST);
    assert_null(transcript_ended(f.c, I));
    stop(&f);
}

static void gaps(void **state)
{
    struct fixture f;
    uint8_t pdu[PDU_BHS_LEN + 512];
    size_t n = login(pdu, false, 0x81, 0, TEXT("InitiatorName=iqn.1\0"));

    (void)state;
    start(&f);
    assert_true(transcript_bytes(f.c, I, 1, pdu, n - 8));
    assert_true(transcript_gap(f.c, I, 2, 8));
    assert_true(transcript_bytes(f.c, I, 3, pdu, n));
    assert_true(transcript_bytes(f.c, I, 4, pdu, 10));
    assert_true(transcript_gap(f.c, I, 5, 38));
    assert_true(transcript_bytes(f.c, I, 6, pdu, n));
    cut(&f);
    assert_int_equal(f.count, 3);
    assert_true(f.pdus[0].gap && f.pdus[0].whole);
    assert_true(!f.pdus[1].gap && f.pdus[1].whole);
    assert_true(f.pdus[2].gap && !f.pdus[2].whole);
    assert_int_equal(f.pdus[2].len, 48 + n);
    stop(&f);
}

static void bounds(void **state)
{
    struct fixture f;
    static uint8_t block[1u << 20];

    (void)state;
    start(&f);
    for (int i = 0; i < 4; i++)
        assert_true(transcript_bytes(f.c, T, i, block, sizeof block));
    assert_false(f.c->overflow);
    assert_false(transcript_bytes(f.c, T, 5, block, 1));
    assert_false(transcript_bytes(f.c, T, 6, block, sizeof block));
    assert_true(f.c->overflow);
    assert_int_equal(f.c->stream[T].len, TRANSCRIPT_STREAM_MAX);
    assert_int_equal(f.c->event_count, 5);
    assert_int_equal(f.c->events[4].kind, TRANSCRIPT_NOTE);
    assert_true(transcript_end(f.c, T, 7, TRANSCRIPT_FIN));
    cut(&f);
    assert_int_equal(f.count, TRANSCRIPT_STREAM_MAX / 48 + 1);
    stop(&f);

    start(&f);
    while (transcript_bytes(f.c, I, 0, block, 1))
        ;
    assert_true(f.c->overflow);
    assert_true(f.c->event_count < TRANSCRIPT_EVENT_MAX);
    assert_true(transcript_end(f.c, I, 1, TRANSCRIPT_FIN));
    stop(&f);

    start(&f);
    for (int i = 0; i < 3; i++)
        assert_true(transcript_note(f.c, I, 0, TRANSCRIPT_SHOWN, 1, block, sizeof block, "x"));
    assert_false(transcript_note(f.c, I, 0, TRANSCRIPT_SHOWN, 1, block, sizeof block, "x"));
    assert_true(f.c->overflow);
    stop(&f);
}

static void notes_and_names(void **state)
{
    struct fixture f;

    (void)state;
    start(&f);
    assert_true(transcript_note(f.c, I, 3, TRANSCRIPT_EDIT, 2, "ab", 2, "CID %d", 7));
    assert_string_equal(f.c->events[0].text, "CID 7");
    assert_memory_equal(f.c->events[0].data, "ab", 2);
    assert_int_equal(f.c->events[0].pdu, 2);
    assert_ptr_equal(transcript_find_conn(f.t, "A"), f.c);
    assert_null(transcript_find_conn(f.t, "B"));
    for (size_t i = 1; i < TRANSCRIPT_CONN_MAX; i++)
        assert_non_null(transcript_add_conn(f.t, "a name that is longer than there is room for it"));
    assert_null(transcript_add_conn(f.t, "one too many"));
    cut(&f);
    assert_int_equal(f.count, 0);
    stop(&f);
}

/* What was cleared is as good as new, whatever it held. */
static void used_again(void **state)
{
    struct fixture f;
    size_t capacity = 0;

    (void)state;
    start(&f);
    f.t->context.live = true;
    for (int round = 0; round < 3; round++) {
        struct transcript_conn *other = transcript_add_conn(f.t, round == 1 ? NULL : "B");

        assert_non_null(other);
        assert_string_equal(other->name, round == 1 ? "" : "B");
        assert_true(transcript_note(other, I, 1, TRANSCRIPT_EDIT, 1, "ab", 2, "a note"));
        assert_true(transcript_end(other, T, 2, TRANSCRIPT_RST));
        nop(&f, I, 4, 0);
        f.count = transcript_cut_again(f.c, &f.pdus, &capacity);
        assert_int_equal(f.count, 1);
        assert_int_equal(f.pdus[0].number, 1);
        transcript_clear(f.t);
        assert_int_equal(f.t->conn_count, 0);
        assert_null(transcript_find_conn(f.t, "A"));
        f.c = transcript_add_conn(f.t, "A");
        assert_non_null(f.c);
        assert_int_equal(f.c->event_count, 0);
        assert_int_equal(f.c->stream[I].len, 0);
        assert_null(transcript_ended(f.c, T));
        assert_true(f.t->context.live);
    }
    for (size_t i = 1; i < TRANSCRIPT_CONN_MAX; i++)
        assert_non_null(transcript_add_conn(f.t, "C"));
    assert_null(transcript_add_conn(f.t, "one too many"));
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_and_numbers),
        cmocka_unit_test(pieces),
        cmocka_unit_test(digests),
        cmocka_unit_test(digests_over_parts),
        cmocka_unit_test(digests_proposed_by_target),
        cmocka_unit_test(unfinished),
        cmocka_unit_test(gaps),
        cmocka_unit_test(bounds),
        cmocka_unit_test(notes_and_names),
        cmocka_unit_test(used_again),
    };

    return cmocka_run_group_tests_name("transcript", tests, NULL, NULL);
}
