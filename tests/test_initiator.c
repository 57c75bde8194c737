/*
 * The rules on initiators: each row changes one thing in a conforming login, and the rule that it names finds more (or
 * less) than before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audit_script.h"
#include "harness/audit/initiator.h"
#include "harness/catalogue.h"

struct row {
    const char *rule;
    enum base base;
    struct change change[4];
    bool cures; /* it finds less */
};

static const struct row rows[] = {
    {"L-INI-001", ROUNDS, {{FIELD, 2, "T", 1}}, false},
    {"L-INI-002", LONG_ANSWER, {{SET, 2, "X-c=1", 0}}, false},
    {"L-INI-003", PLAIN, {{DROP, 0, "InitiatorName", 0}}, false},
    {"L-INI-004", PLAIN, {{DROP, 0, "TargetName", 0}}, false},
    {"L-INI-005", JOIN, {{FIELD, 2, "TSIH", 0x99}, {FIELD, 4, "TSIH", 0x99}}, false},
    {"L-INI-006", ROUNDS, {{FIELD, 6, "ITT", 5}}, false},
    {"L-INI-006", ROUNDS, {{FIELD, 6, "CID", 9}}, false},
    {"L-INI-007", ROUNDS, {{FIELD, 3, "Status", 0x0200}}, false},
    {"L-INI-013",
     ROUNDS,
     {{ADD, 1, "AuthMethod=None", 0}, {ADD, 1, "TargetAlias=a", 0}, {ADD, 1, "TargetAlias=a", 0}},
     false},
    {"L-INI-014", ROUNDS, {{SET, 5, "MaxBurstLength=0x20000", 0}}, false},
    {"L-INI-015", ROUNDS, {{BYTE, 1, NULL, 0x20}}, false},
    {"L-INI-016", MUTUAL_CHAP, {{DROP, 5, "CHAP_R", 0}}, false},
    {"L-INI-017", MUTUAL_CHAP, {{SET, 4, "CHAP_C=" CHALLENGE_HEX, 0}}, false},
    {"L-INI-018", ONE_WAY, {{SET, 2, "CHAP_A=7", 0}}, false},
    {"L-INI-020", PLAIN, {{FIELD, 2, "CmdSN", 5}}, false},
    {"L-INI-021", LONG_ANSWER, {{FIELD, 2, "ExpStatSN", 0xffffffff}}, true},
    {"L-INI-022", ROUNDS, {{ADD, 4, "SessionType=Discovery", 0}}, false},
    {"L-INI-023", JOIN, {{FIELD, 2, "TSIH", 0}, {FIELD, 4, "TSIH", 0}}, false},
    {"L-INI-024", PLAIN, {{FIELD, 0, "VersionMax", 1}}, false},
    {"L-INI-025", PLAIN, {{SET, 0, "TaskReporting=RFC3720", 0}}, false},
    {"L-INI-026", PLAIN, {{BYTE, 0, NULL, 40 << 8 | 1}}, false},
    {"L-INI-026", LONG_ANSWER, {{FIELD, 2, "T", 0}}, false},
    {"L-INI-027", ROUNDS, {{REMOVE, 1, NULL, 0}}, false},
    {"L-INI-028", ROUNDS, {{ADD, 0, "X-a=1", 0}, {ADD, 1, "X-a=NotUnderstood", 0}, {CUT, 2, NULL, 0}}, false},
};

/* How often a rule finds something in a script (rule NULL: any). */
static size_t count(struct script *s, const char *rule, bool left)
{
    struct transcript *t = script_record(s);
    struct audit_login logins[8];
    struct finding_list list = {0};
    size_t found = 0;

    /* It is the initiator who leaves, where it is to. */
    for (size_t i = 0; left && i < t->conns[0]->event_count; i++)
        if (t->conns[0]->events[i].kind == TRANSCRIPT_END)
            t->conns[0]->events[i].side = TRANSCRIPT_INITIATOR;
    if (left)
        transcript_end(t->conns[0], TRANSCRIPT_INITIATOR, 100000, TRANSCRIPT_FIN);
    for (size_t i = 0; i < t->conn_count; i++)
        assert_true(audit_login_build(&logins[i], t, i));
    assert_true(audit_initiator(t, logins, NULL, &list));
    for (size_t i = 0; i < list.count; i++)
        found += !rule || strcmp(list.items[i].rule, rule) == 0;
    finding_list_free(&list);
    for (size_t i = 0; i < t->conn_count; i++)
        audit_login_free(&logins[i]);
    transcript_free(t);
    return found;
}

static void every_row_holds(void **state)
{
    size_t failed = 0;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct script *before = script_build(rows[i].base);
        struct script *after = script_build(rows[i].base);
        size_t a, b;

        for (size_t k = 0; k < 4; k++)
            script_apply(after, &rows[i].change[k]);
        a = count(before, rows[i].rule, false);
        b = count(after, rows[i].rule, strcmp(rows[i].rule, "L-INI-028") == 0);
        if (rows[i].cures ? b >= a : b <= a) {
            print_error("row %zu, %s: %zu findings before the change, %zu behind it\n", i, rows[i].rule, a, b);
            failed++;
        }
        free(before);
        free(after);
    }
    assert_int_equal(failed, 0);
}

/* Nothing is found where an initiator does all right. */
static void right_initiators_are_left_alone(void **state)
{
    static const enum base bases[] = {PLAIN, DISCOVERY, REFUSED, MOVED, LOGOUT, DIGESTS};

    (void)state;
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
        struct script *s = script_build(bases[i]);
        size_t found = count(s, NULL, false);

        if (found > 0)
            print_error("base %d: %zu findings\n", (int)bases[i], found);
        assert_int_equal(found, 0);
        free(s);
    }
}

/* 28 entries of the catalogue are on initiators: each is judged, here or across connections, or is known not to be. */
static void every_entry_is_accounted_for(void **state)
{
    struct load_error error;
    struct catalogue *catalogue = catalogue_load(ISCSISPEC_SOURCE_DIR "/cases/requirements.yaml", &error);
    size_t rules_count, missing = 0;
    const struct audit_rule *rules = audit_initiator_rules(&rules_count);

    (void)state;
    assert_non_null(catalogue);
    for (size_t i = 0; i < catalogue->count; i++) {
        bool found = strcmp(catalogue->rules[i].id, "L-INI-019") == 0; /* needs the length of a secret */

        if (catalogue->rules[i].party != RULE_INITIATOR)
            continue;
        for (size_t k = 0; k < rules_count; k++)
            found = found || strcmp(rules[k].id, catalogue->rules[i].id) == 0;
        if (!found)
            print_error("%s is judged nowhere\n", catalogue->rules[i].id);
        missing += !found;
    }
    for (size_t k = 0; k < rules_count; k++) {
        bool has_row = strcmp(rules[k].subject, "lint") == 0;

        assert_non_null(catalogue_find(catalogue, rules[k].id));
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            has_row = has_row || strcmp(rows[i].rule, rules[k].id) == 0;
        if (!has_row)
            print_error("no row for %s\n", rules[k].id);
        missing += !has_row;
    }
    assert_int_equal(missing, 0);
    catalogue_free(catalogue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_holds),
        cmocka_unit_test(right_initiators_are_left_alone),
        cmocka_unit_test(every_entry_is_accounted_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
