/* Waivers: broken files, what they cover, when they end, and what becomes of those nobody needs. */
#include "bad_inputs.h"
#include "harness/waivers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct shipped {
    struct catalogue *rules;
    struct case_list cases;
};

static struct shipped shipped;

static int load_shipped(void **state)
{
    const char *folder = ISCSISPEC_SOURCE_DIR "/cases";
    struct load_error err = {""};

    (void)state;
    shipped.rules = catalogue_load(ISCSISPEC_SOURCE_DIR "/cases/requirements.yaml", &err);
    assert_non_null(shipped.rules);
    assert_int_equal(case_list_load(&shipped.cases, &folder, 1, shipped.rules, &err), 0);
    return 0;
}

static int free_shipped(void **state)
{
    (void)state;
    case_list_free(&shipped.cases);
    catalogue_free(shipped.rules);
    return 0;
}

static int load(const char *path, struct load_error *err)
{
    json_t *entries = json_array();
    int rc = waivers_load(path, &shipped.cases, shipped.rules, entries, err);

    json_decref(entries);
    return rc;
}

static void broken(void **state)
{
    (void)state;
    assert_true(bad_inputs_check("waivers", load) >= 11);
}

static json_t *entries_of(const char *text)
{
    char path[] = "/tmp/iscsispec-waivers-XXXXXX";
    struct load_error err = {""};
    json_t *entries = json_array();
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    if (waivers_load(path, NULL, shipped.rules, entries, &err) != 0) {
        fail_msg("%s", err.text);
    }
    unlink(path);
    return entries;
}

/* A case's line: judged FAIL or PASS, and findings of severity fail as a list of rules. */
static json_t *line(const char *id, const char *verdict, const char *judged, const char *proves, const char *rule,
                    const char *other_rule)
{
    json_t *item = json_pack("{s:s, s:s, s:s, s:s, s:[s]}", "id", id, "verdict", verdict, "reason", "was so", "judged",
                             judged, "proves", proves);
    json_t *findings = json_array();

    if (rule != NULL) {
        json_array_append_new(findings, json_pack("{s:s, s:s}", "rule", rule, "severity", "fail"));
    }
    if (other_rule != NULL) {
        json_array_append_new(findings, json_pack("{s:s, s:s}", "rule", other_rule, "severity", "fail"));
    }
    json_array_append_new(findings, json_pack("{s:s, s:s}", "rule", "L-NEG-001", "severity", "warn"));
    json_object_set_new(item, "findings", findings);
    return item;
}

static void covers_what_it_names(void **state)
{
    static const char by_case[] = "- case: a.*\n  reason: r\n  until: 2030-01-01\n";
    static const char by_rule[] = "- rule: L-TSIH-003\n  reason: r\n  until: 2030-01-01\n";
    static const char by_both[] = "- case: a.*\n  rule: L-TSIH-*\n  reason: r\n  until: 2030-01-01\n";
    static const char with_crash[] = "- case: a.*\n  reason: r\n  until: 2030-01-01\n  crash: yes\n";
    static const struct {
        const char *file, *id, *verdict, *judged, *rule, *other;
        bool excused;
    } rows[] = {
        {by_case, "a.b", "FAIL", "FAIL", NULL, NULL, true},
        {by_case, "a.b", "FAIL", "PASS", "L-STAT-001", NULL, true},
        {by_case, "b.a", "FAIL", "FAIL", NULL, NULL, false},
        {by_case, "a.b", "WARN", "WARN", NULL, NULL, false},
        {by_case, "a.b", "PASS", "PASS", NULL, NULL, false},
        {by_case, "a.b", "ERROR", "ERROR", NULL, NULL, false},
        {by_case, "a.b", "CRASH", "FAIL", NULL, NULL, false},
        {with_crash, "a.b", "CRASH", "FAIL", NULL, NULL, true},
        {by_rule, "b.a", "FAIL", "PASS", "L-TSIH-003", NULL, true},
        {by_rule, "b.a", "FAIL", "PASS", "L-TSIH-003", "L-STAT-001", false}, /* the other one is news */
        {by_rule, "b.a", "FAIL", "FAIL", "L-TSIH-003", NULL, false},         /* and so is the expectation */
        {by_both, "a.b", "FAIL", "PASS", "L-TSIH-001", "L-TSIH-003", true},
        {by_both, "b.a", "FAIL", "PASS", "L-TSIH-001", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *entries = entries_of(rows[i].file);
        json_t *item = line(rows[i].id, rows[i].verdict, rows[i].judged, "L-NEG-001", rows[i].rule, rows[i].other);
        const char *due = rows[i].excused ? "XFAIL" : rows[i].verdict;

        waivers_open(entries, "2029-12-31", "1.0");
        if (waivers_excuse(entries, item) != rows[i].excused) {
            fail_msg("row %zu: %s", i, rows[i].excused ? "not excused" : "excused");
        }
        assert_string_equal(json_string_value(json_object_get(item, "verdict")), due);
        json_decref(item);
        json_decref(entries);
    }
}

static void expectation_of_a_rule(void **state)
{
    json_t *entries = entries_of("- rule: L-MCS-*\n  reason: r\n  until: 2030-01-01\n");
    json_t *item = line("a.b", "FAIL", "FAIL", "L-MCS-004", NULL, NULL);

    (void)state;
    waivers_open(entries, "2029-12-31", "");
    assert_true(waivers_excuse(entries, item));
    json_decref(item);
    json_decref(entries);
}

static void ends(void **state)
{
    static const struct {
        const char *end, *today, *version, *state, *why;
    } rows[] = {
        {"until: 2030-01-31", "2030-01-31", "", "active", NULL},
        {"until: 2030-01-31", "2030-02-01", "", "ended", "until 2030-01-31"},
        {"while: { target-version: 'tgt 1.0.*' }", "2030-02-01", "tgt 1.0.85", "active", NULL},
        {"while: { target-version: 'tgt 1.0.*' }", "2030-02-01", "tgt 1.1.0", "ended", "this one is tgt 1.1.0"},
        {"while: { target-version: 'tgt 1.0.*' }", "2030-02-01", "", "ended", "the profile tells none"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256];
        json_t *entries, *item = line("a.b", "FAIL", "FAIL", "L-MCS-004", NULL, NULL);

        snprintf(text, sizeof text, "- case: '*'\n  reason: r\n  %s\n", rows[i].end);
        entries = entries_of(text);
        waivers_open(entries, rows[i].today, rows[i].version);
        assert_string_equal(json_string_value(json_object_get(json_array_get(entries, 0), "state")), rows[i].state);
        assert_int_equal(waivers_excuse(entries, item), rows[i].why == NULL);
        if (rows[i].why != NULL) {
            assert_non_null(strstr(json_string_value(json_object_get(json_array_get(entries, 0), "why")), rows[i].why));
        }
        json_decref(item);
        json_decref(entries);
    }
}

static const char *verdict_of(const struct results *r, size_t index)
{
    return json_string_value(json_object_get(json_array_get(r->cases, index), "verdict"));
}

static void assert_states(const struct results *r, const char *first, const char *second, const char *third)
{
    const char *due[] = {first, second, third};
    const json_t *entries = json_object_get(r->head, "waivers");

    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(json_string_value(json_object_get(json_array_get(entries, i), "state")), due[i]);
    }
}

/* One case fails as its waiver says, one passes although waived, and one waiver is of a rule that nothing breaks. */
static void make_run(struct results *r)
{
    json_t *entries = entries_of("- case: a.*\n  reason: r\n  until: 2030-01-01\n"
                                 "- case: b.fine\n  reason: r\n  until: 2030-01-01\n"
                                 "- rule: L-TSIH-003\n  reason: r\n  until: 2030-01-01\n");

    waivers_open(entries, "2029-01-01", "");
    assert_true(results_init(r));
    json_object_set_new(r->head, "waivers", entries);
    json_array_append_new(r->cases, line("a.bad", "FAIL", "FAIL", "L-NEG-001", NULL, NULL));
    json_array_append_new(r->cases, line("a.good", "PASS", "PASS", "L-NEG-001", NULL, NULL));
    json_array_append_new(r->cases, line("b.fine", "WARN", "WARN", "L-NEG-001", NULL, NULL));
    json_array_append_new(r->cases, line("c.fine", "PASS", "PASS", "L-TSIH-003", NULL, NULL));
    json_array_append_new(r->cases, line("c.left-out", "SKIP", "SKIP", "L-TSIH-003", NULL, NULL));
}

static void unneeded_is_xpass(void **state)
{
    static const char *const due[] = {"XFAIL", "PASS", "XPASS", "XPASS", "SKIP"};
    struct results_policy policy = {0};
    struct results r;

    (void)state;
    make_run(&r);
    for (int again = 0; again < 2; again++) {
        waivers_close(&r);
        for (size_t i = 0; i < 5; i++) {
            assert_string_equal(verdict_of(&r, i), due[i]);
        }
        assert_states(&r, "used", "passed", "passed");
    }
    assert_int_equal(waivers_count(&r, "passed"), 2);
    assert_int_equal(results_exit_status(&r, &policy), EXIT_FINDINGS);
    results_free(&r);
}

static void part_of_a_run_tells_less(void **state)
{
    struct results r;

    (void)state;
    make_run(&r);
    json_object_set_new(r.head, "shard", json_string("1/2"));
    json_array_remove(r.cases, 0); /* a.bad is in the other part */
    waivers_close(&r);
    assert_states(&r, "idle", "passed", "idle");
    assert_string_equal(verdict_of(&r, 0), "PASS");
    assert_string_equal(verdict_of(&r, 1), "XPASS");
    results_free(&r);
}

static void ended_makes_the_run_fail(void **state)
{
    struct results_policy policy = {0};
    struct results r;

    (void)state;
    make_run(&r);
    json_array_clear(r.cases);
    json_array_append_new(r.cases, line("c.other", "PASS", "PASS", "L-NEG-001", NULL, NULL));
    waivers_open(json_object_get(r.head, "waivers"), "2031-01-01", "");
    waivers_close(&r);
    assert_int_equal(waivers_count(&r, "ended"), 3);
    assert_string_equal(verdict_of(&r, 0), "PASS");
    assert_int_equal(results_exit_status(&r, &policy), EXIT_FINDINGS);
    results_free(&r);
}

/* The file for review covers what was seen, so that with it nothing fails. */
static void update_covers_all(void **state)
{
    struct results r;
    char text[8192] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    json_t *entries;

    (void)state;
    make_run(&r);
    json_array_append_new(r.cases, line("d.new,x=[1]*", "FAIL", "FAIL", "L-NEG-001", NULL, NULL));
    json_array_append_new(r.cases, line("e.audit", "FAIL", "PASS", "L-NEG-001", "L-STAT-001", "L-CBIT-002"));
    json_array_append_new(r.cases, line("f.dead", "CRASH", "PASS", "L-NEG-001", NULL, NULL));
    waivers_close(&r);
    assert_int_equal(waivers_update(out, &r, "2029-12-01"), 0);
    fclose(out);
    assert_non_null(strstr(text, "  until: 2030-03-01\n"));
    assert_null(strstr(text, "b.fine"));
    entries = entries_of(text);
    assert_int_equal(json_array_size(entries), 5);
    waivers_open(entries, "2029-12-01", "");
    json_object_set_new(r.head, "waivers", entries);
    waivers_close(&r);
    assert_int_equal(results_count(&r, VERDICT_FAIL) + results_count(&r, VERDICT_CRASH), 0);
    assert_int_equal(results_count(&r, VERDICT_XFAIL), 4);
    assert_int_equal(results_count(&r, VERDICT_XPASS), 0);
    results_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken),
        cmocka_unit_test(covers_what_it_names),
        cmocka_unit_test(expectation_of_a_rule),
        cmocka_unit_test(ends),
        cmocka_unit_test(unneeded_is_xpass),
        cmocka_unit_test(part_of_a_run_tells_less),
        cmocka_unit_test(ended_makes_the_run_fail),
        cmocka_unit_test(update_covers_all),
    };

    return cmocka_run_group_tests(tests, load_shipped, free_shipped);
}
