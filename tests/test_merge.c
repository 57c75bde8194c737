/* Runs that become one: rounds of a case, shards of a run; and runs held against each other. */
#include "harness/merge.h"
#include "harness/rounds.h"
#include "reports/compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static json_t *add(struct results *r, const char *id, const char *verdict)
{
    json_t *line = json_pack("{s:s, s:s, s:s, s:s, s:i}", "id", id, "verdict", verdict, "reason", verdict, "judged",
                             verdict, "code", -1);

    assert_int_equal(json_array_append_new(r->cases, line), 0);
    return line;
}

static json_t *line_of(const struct results *r, const char *id)
{
    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        json_t *line = json_array_get(r->cases, i);

        if (strcmp(json_string_value(json_object_get(line, "id")), id) == 0) {
            return line;
        }
    }
    fail_msg("no case %s", id);
    return NULL;
}

static const char *verdict_of(const struct results *r, const char *id)
{
    return json_string_value(json_object_get(line_of(r, id), "verdict"));
}

static void rounds_keep_the_worst(void **state)
{
    struct results r;
    json_t *flaky;

    (void)state;
    assert_true(results_init(&r));
    add(&r, "b.flaky", "PASS");
    add(&r, "a.steady", "PASS");
    add(&r, "b.flaky", "FAIL");
    add(&r, "a.steady", "PASS");
    add(&r, "b.flaky", "PASS");
    /* Waived or not, it is the same verdict of the target. */
    json_object_set_new(add(&r, "c.known", "XFAIL"), "unwaived", json_string("FAIL"));
    add(&r, "c.known", "FAIL");
    add(&r, "d.warns", "WARN");
    json_object_set_new(add(&r, "d.warns", "XFAIL"), "unwaived", json_string("FAIL"));
    rounds_merge(&r);
    assert_int_equal(json_array_size(r.cases), 4);
    assert_string_equal(verdict_of(&r, "a.steady"), "PASS");
    assert_null(json_object_get(line_of(&r, "a.steady"), "flaky"));
    assert_int_equal(json_integer_value(json_object_get(line_of(&r, "b.flaky"), "runs")), 3);
    assert_string_equal(verdict_of(&r, "b.flaky"), "FAIL");
    flaky = json_object_get(line_of(&r, "b.flaky"), "flaky");
    assert_int_equal(json_integer_value(json_object_get(flaky, "PASS")), 2);
    assert_int_equal(json_integer_value(json_object_get(flaky, "FAIL")), 1);
    assert_null(json_object_get(line_of(&r, "c.known"), "flaky"));
    assert_string_equal(verdict_of(&r, "d.warns"), "XFAIL");
    results_free(&r);
}

static void make_shard(struct results *r, const char *shard, const char *profile)
{
    assert_true(results_init(r));
    json_object_set_new(r->head, "shard", json_string(shard));
    json_object_set_new(r->head, "profile", json_string(profile));
    json_object_set_new(r->head, "selected", json_integer(2));
    json_object_set_new(r->head, "audited", json_pack("{s:i}", "L-TSIH-003", 2));
}

static void shards_have_to_be_all(void **state)
{
    static const struct {
        const char *shards[3], *profiles[3];
        const char *says; /* NULL: they go together */
    } rows[] = {
        {{"1/2", "2/2"}, {"a", "a"}, NULL},
        {{"2/2", "1/2"}, {"a", "a"}, NULL},
        {{"1/3", "3/3"}, {"a", "a"}, "shard 2/3 is missing"},
        {{"1/2", "1/2"}, {"a", "a"}, "does not go with"},
        {{"1/2", "2/3"}, {"a", "a"}, "does not go with"},
        {{"1/2", "2/2"}, {"a", "b"}, "not shards of one run"},
        {{"1/2", "2/2", "2/2"}, {"a", "a", "a"}, "does not go with"},
    };
    static const char *const dirs[] = {"one", "two", "three"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[] = "/tmp/iscsispec-merge.XXXXXX", path[64], err[512] = "";
        struct results runs[3], whole;
        size_t count = 0;

        assert_non_null(mkdtemp(out));
        for (; count < 3 && rows[i].shards[count] != NULL; count++) {
            make_shard(&runs[count], rows[i].shards[count], rows[i].profiles[count]);
            add(&runs[count], dirs[count], "PASS");
        }
        assert_true(merge_are_shards(runs, count));
        if (merge_shards(runs, dirs, count, out, &whole, err, sizeof err) == 0) {
            assert_null(rows[i].says);
            assert_int_equal(json_array_size(whole.cases), 2);
            assert_null(json_object_get(whole.head, "shard"));
            assert_int_equal(json_integer_value(json_object_get(whole.head, "selected")), 4);
            assert_int_equal(json_integer_value(json_object_get(json_object_get(whole.head, "audited"), "L-TSIH-003")),
                             4);
            results_free(&whole);
        } else if (rows[i].says == NULL || strstr(err, rows[i].says) == NULL) {
            fail_msg("row %zu: %s", i, err);
        }
        while (count > 0) {
            results_free(&runs[--count]);
        }
        snprintf(path, sizeof path, "%s/results.jsonl", out);
        unlink(path);
        snprintf(path, sizeof path, "%s/evidence", out);
        rmdir(path);
        rmdir(out);
    }
}

static void what_is_no_shard_is_told(void **state)
{
    static const char *const bad[] = {"", "0/2", "3/2", "1/0", "1/2x", "x", "-1/2", "1/99999"};
    struct results r;

    (void)state;
    assert_true(results_init(&r));
    assert_false(merge_are_shards(&r, 1));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        json_object_set_new(r.head, "shard", json_string(bad[i]));
        assert_false(merge_are_shards(&r, 1));
    }
    results_free(&r);
}

static void regressions(void **state)
{
    static const struct {
        const char *was, *is;
        bool changed, regression;
    } rows[] = {
        {"PASS", "PASS", false, false}, {"PASS", "FAIL", true, true},   {"PASS", "WARN", true, true},
        {"PASS", "SKIP", true, true},   {"PASS", "ERROR", true, true},  {"PASS", "XFAIL", true, true},
        {"PASS", "CRASH", true, true},  {"FAIL", "CRASH", true, true},  {"FAIL", "PASS", true, false},
        {"FAIL", "XFAIL", true, false}, {"XFAIL", "FAIL", true, true},  {"XFAIL", "XPASS", true, false},
        {"WARN", "PASS", true, false},  {"SKIP", "FAIL", true, false},  {"ERROR", "PASS", true, false},
        {"CRASH", "FAIL", true, false}, {"SKIP", "SKIP", false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct results before, after;
        json_t *comparison;

        assert_true(results_init(&before) && results_init(&after));
        add(&before, "a.b", rows[i].was);
        add(&after, "a.b", rows[i].is);
        comparison = compare_runs(&before, &after);
        assert_int_equal(json_array_size(json_object_get(comparison, "changes")), rows[i].changed);
        if ((compare_regressions(comparison) == 1) != rows[i].regression) {
            fail_msg("%s -> %s: %zu regressions", rows[i].was, rows[i].is, compare_regressions(comparison));
        }
        json_decref(comparison);
        results_free(&before);
        results_free(&after);
    }
}

static void another_rule_is_a_regression(void **state)
{
    struct results before, after;
    json_t *comparison;

    (void)state;
    assert_true(results_init(&before) && results_init(&after));
    json_object_set_new(add(&before, "a.b", "FAIL"), "findings",
                        json_pack("[{s:s, s:s}]", "rule", "L-A-001", "severity", "fail"));
    json_object_set_new(add(&after, "a.b", "FAIL"), "findings",
                        json_pack("[{s:s, s:s}, {s:s, s:s}]", "rule", "L-B-001", "severity", "warn", "rule", "L-C-001",
                                  "severity", "info"));
    comparison = compare_runs(&before, &after);
    assert_int_equal(compare_regressions(comparison), 1);
    assert_int_equal(json_array_size(json_object_get(comparison, "changes")), 2);
    json_decref(comparison);
    results_free(&before);
    results_free(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_keep_the_worst),        cmocka_unit_test(shards_have_to_be_all),
        cmocka_unit_test(what_is_no_shard_is_told),     cmocka_unit_test(regressions),
        cmocka_unit_test(another_rule_is_a_regression),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
