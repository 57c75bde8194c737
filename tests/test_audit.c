/*
 * The auditor: conforming logins give no finding; each row of the tables below changes one thing in one of them and
 * names the rule that has to wake, and no other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/audit.h"
#include "audit_script.h"
#include "harness/catalogue.h"

struct row {
    const char *rule; /* NULL: no finding */
    enum base base;
    struct change change[8];
    const char *also; /* a second rule that the change cannot but break too */
    bool tolerated;
};

static void print_findings(const struct finding_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        print_error("  %s conn %zu side %d pdu %u @%zu+%zu: was %s, allowed %s\n", list->items[i].rule,
                    list->items[i].conn, list->items[i].side, list->items[i].pdu, list->items[i].offset,
                    list->items[i].len, list->items[i].was, list->items[i].allowed);
}

static bool known_rule(const char *id)
{
    size_t count;
    const struct audit_rule *rules = audit_rules(&count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(rules[i].id, id) == 0)
            return true;
    return false;
}

/* An auditor that has judged others before finds the same. */
static void same_at_a_used_desk(const struct transcript *t, const struct finding_list *fresh)
{
    static struct audit_desk desk;
    struct finding_list again;

    assert_true(audit_transcript_at(&desk, t, &again));
    assert_int_equal(again.count, fresh->count);
    assert_memory_equal(again.judged, fresh->judged, sizeof fresh->judged);
    for (size_t i = 0; i < again.count; i++) {
        assert_string_equal(again.items[i].rule, fresh->items[i].rule);
        assert_string_equal(again.items[i].was, fresh->items[i].was);
        assert_int_equal(again.items[i].pdu, fresh->items[i].pdu);
    }
    finding_list_free(&again);
}

static bool row_holds(const struct row *row)
{
    struct script *s = script_build(row->base);
    struct transcript *t;
    struct finding_list list;
    bool fine;

    for (size_t i = 0; i < 8; i++)
        script_apply(s, &row->change[i]);
    t = script_record(s);
    assert_true(audit_transcript(t, &list));
    same_at_a_used_desk(t, &list);
    fine = row->rule ? list.count > 0 : list.count == 0;
    if (row->rule) {
        bool woke = false;

        for (size_t i = 0; i < list.count; i++)
            woke = woke || strcmp(list.items[i].rule, row->rule) == 0;
        fine = fine && woke;
    }
    for (size_t i = 0; i < list.count; i++)
        fine =
            fine && known_rule(list.items[i].rule) &&
            (strcmp(list.items[i].rule, row->rule) == 0 || (row->also && strcmp(list.items[i].rule, row->also) == 0)) &&
            list.items[i].tolerated == row->tolerated && list.items[i].was[0] && list.items[i].allowed[0] &&
            (list.items[i].pdu == 0 || list.items[i].side == TRANSCRIPT_TARGET);
    if (!fine) {
        print_error("%s on base %d (%s): %zu findings\n", row->rule ? row->rule : "nothing", row->base,
                    row->change[0].name ? row->change[0].name : "", list.count);
        print_findings(&list);
    }
    finding_list_free(&list);
    transcript_free(t);
    free(s);
    return fine;
}

static void check_rows(const struct row *rows, size_t count)
{
    size_t failed = 0;

    for (size_t i = 0; i < count; i++)
        failed += !row_holds(&rows[i]);
    assert_int_equal(failed, 0);
}

#define F(message, name, value)                                                                                        \
    {                                                                                                                  \
        FIELD, message, name, value                                                                                    \
    }
#define B(message, offset, value)                                                                                      \
    {                                                                                                                  \
        BYTE, message, NULL, (offset) << 8 | (value)                                                                   \
    }
#define S(message, pair)                                                                                               \
    {                                                                                                                  \
        SET, message, pair, 0                                                                                          \
    }
#define A(message, pair)                                                                                               \
    {                                                                                                                  \
        ADD, message, pair, 0                                                                                          \
    }
#define D(message, key)                                                                                                \
    {                                                                                                                  \
        DROP, message, key, 0                                                                                          \
    }
#define X(message, text)                                                                                               \
    {                                                                                                                  \
        TEXT, message, text, 0                                                                                         \
    }
#define C(message)                                                                                                     \
    {                                                                                                                  \
        CUT, message, NULL, 0                                                                                          \
    }
#define K(kind, message)                                                                                               \
    {                                                                                                                  \
        kind, message, NULL, 0                                                                                         \
    }

#include "audit_rows.h"

static void conforming_logins_give_nothing(void **state)
{
    (void)state;
    for (int base = 0; base < BASE_COUNT; base++) {
        struct row live = {NULL, (enum base)base, {{NOTHING, 0, NULL, 0}}, NULL, false};
        struct row capture = {NULL, (enum base)base, {{CAPTURE, 0, NULL, 0}}, NULL, false};

        assert_true(row_holds(&live));
        assert_true(row_holds(&capture));
    }
}

static void each_rule_wakes(void **state)
{
    (void)state;
    check_rows(broken, sizeof broken / sizeof broken[0]);
}

static void freedom_and_faults_of_the_initiator_are_no_findings(void **state)
{
    (void)state;
    check_rows(innocent, sizeof innocent / sizeof innocent[0]);
}

/* Every rule of the list has a row that breaks it. */
static void every_rule_has_a_row(void **state)
{
    size_t count;
    const struct audit_rule *rules = audit_rules(&count);
    size_t missing = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        bool found = false;

        for (size_t j = 0; j < sizeof broken / sizeof broken[0]; j++)
            found = found || strcmp(broken[j].rule, rules[i].id) == 0;
        if (!found)
            print_error("no row breaks %s\n", rules[i].id);
        missing += !found;
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(rules[i].id, rules[j].id);
    }
    assert_int_equal(missing, 0);
}

/* ... and an entry in the catalogue. */
static void every_rule_is_of_the_catalogue(void **state)
{
    struct load_error error;
    struct catalogue *catalogue = catalogue_load(ISCSISPEC_SOURCE_DIR "/cases/requirements.yaml", &error);
    size_t count;
    const struct audit_rule *rules = audit_rules(&count);

    (void)state;
    assert_non_null(catalogue);
    for (size_t i = 0; i < count; i++) {
        if (!catalogue_find(catalogue, rules[i].id))
            print_error("%s is not in the catalogue\n", rules[i].id);
        assert_non_null(catalogue_find(catalogue, rules[i].id));
    }
    catalogue_free(catalogue);
}

/* ---- arbitrary bytes ---- */

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* A recording of the bytes of t, with some of them changed and cut at other places. */
static struct transcript *mutate(const struct transcript *t, uint64_t *random)
{
    struct transcript *copy = transcript_new();

    assert_non_null(copy);
    copy->context = t->context;
    for (size_t i = 0; i < t->conn_count; i++) {
        const struct transcript_conn *from = t->conns[i];
        struct transcript_conn *to = transcript_add_conn(copy, from->name);
        size_t sent[2] = {0, 0};
        int64_t now = 0;

        assert_non_null(to);
        for (unsigned side = 0; side < 2; side++) {
            size_t len = from->stream[side].len;
            uint8_t *bytes = from->stream[side].bytes;

            for (uint32_t k = next_random(random) % 8; len > 0 && k > 0; k--)
                bytes[next_random(random) % len] = (uint8_t)(next_random(random) % 3 ? next_random(random) : '=');
        }
        while (sent[0] < from->stream[0].len || sent[1] < from->stream[1].len) {
            unsigned side = next_random(random) % 2;
            size_t left = from->stream[side].len - sent[side];
            size_t take = next_random(random) % 200;

            take = take < left ? take : left;
            if (next_random(random) % 64 == 0)
                transcript_gap(to, (enum transcript_side)side, now, take);
            else
                transcript_bytes(to, (enum transcript_side)side, now, from->stream[side].bytes + sent[side], take);
            sent[side] += take;
            now += next_random(random) % 1000000;
        }
        if (next_random(random) % 2)
            transcript_end(to, next_random(random) % 2, now, next_random(random) % 2);
    }
    return copy;
}

static void arbitrary_bytes_are_survived(void **state)
{
    uint64_t random = 20140401;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct script *s = script_build((enum base)(round % BASE_COUNT));
        struct transcript *t = script_record(s);
        struct transcript *hostile = mutate(t, &random);
        struct finding_list list;

        assert_true(audit_transcript(hostile, &list));
        for (size_t i = 0; i < list.count; i++)
            assert_true(known_rule(list.items[i].rule));
        finding_list_free(&list);
        transcript_free(hostile);
        transcript_free(t);
        free(s);
    }
}

/* Text that is all keys and PDUs that are all headers: nothing grows with the square of the input. */
static void floods_are_judged_in_time(void **state)
{
    struct transcript *t = transcript_new();
    struct transcript_conn *c = transcript_add_conn(t, "A");
    struct script *s = script_build(PLAIN);
    struct finding_list list;
    struct message *m = &s->m[1];

    (void)state;
    m->len = 8192;
    for (size_t i = 0; i < m->len; i++)
        m->text[i] = "A=\0"[i % 3];
    pdu_set_data_len(m->bhs, m->len);
    for (int i = 0; i < 300; i++) {
        uint8_t wire[sizeof m->text + PDU_BHS_LEN];

        transcript_bytes(c, TRANSCRIPT_INITIATOR, i, wire, script_encode(&s->m[0], wire));
        for (size_t k = 0; k + 2 < m->len; k += 3)
            m->text[k] = (char)('A' + (i + (int)k) % 26);
        transcript_bytes(c, TRANSCRIPT_TARGET, i, wire, script_encode(m, wire));
    }
    for (int i = 0; i < 50000; i++)
        transcript_bytes(c, i % 2 ? TRANSCRIPT_TARGET : TRANSCRIPT_INITIATOR, i, s->m[i % 2].bhs, PDU_BHS_LEN);
    assert_true(audit_transcript(t, &list));
    assert_true(list.truncated);
    finding_list_free(&list);
    transcript_free(t);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conforming_logins_give_nothing),
        cmocka_unit_test(each_rule_wakes),
        cmocka_unit_test(freedom_and_faults_of_the_initiator_are_no_findings),
        cmocka_unit_test(every_rule_has_a_row),
        cmocka_unit_test(every_rule_is_of_the_catalogue),
        cmocka_unit_test(arbitrary_bytes_are_survived),
        cmocka_unit_test(floods_are_judged_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
