/* Verdicts, results.jsonl, exit statuses, the kill table. */
#include "harness/killtable.h"
#include "harness/result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void verdicts_have_names(void **state)
{
    enum verdict v;

    (void)state;
    for (int i = VERDICT_PASS; i <= VERDICT_ERROR; i++) {
        assert_true(verdict_parse(verdict_name((enum verdict)i), &v));
        assert_int_equal(v, i);
    }
    assert_false(verdict_parse("pass", &v));
    assert_false(verdict_parse(NULL, &v));
}

static void worse_verdict_wins(void **state)
{
    (void)state;
    assert_int_equal(verdict_worse(VERDICT_PASS, VERDICT_WARN), VERDICT_WARN);
    assert_int_equal(verdict_worse(VERDICT_FAIL, VERDICT_WARN), VERDICT_FAIL);
    assert_int_equal(verdict_worse(VERDICT_FAIL, VERDICT_CRASH), VERDICT_CRASH);
    assert_int_equal(verdict_worse(VERDICT_ERROR, VERDICT_CRASH), VERDICT_ERROR);
}

struct exit_row {
    const char *verdicts; /* names, blank between */
    struct results_policy policy;
    enum results_exit exit;
};

static void exit_status_follows_the_table(void **state)
{
    static const struct exit_row rows[] = {
        {"PASS", {0}, EXIT_ALL_PASSED},
        {"PASS WARN XFAIL SKIP", {0}, EXIT_ALL_PASSED},
        {"SKIP SKIP", {0}, EXIT_NOTHING},
        {"", {0}, EXIT_NOTHING},
        {"PASS FAIL", {0}, EXIT_FINDINGS},
        {"PASS XPASS", {0}, EXIT_FINDINGS},
        {"PASS CRASH", {0}, EXIT_FINDINGS},
        {"FAIL ERROR", {0}, EXIT_FAULT},
        {"FAIL ERROR", {.interrupted = true}, EXIT_INTERRUPTED},
        {"PASS FAIL", {.exit_zero = true}, EXIT_ALL_PASSED},
        {"PASS ERROR", {.exit_zero = true}, EXIT_FAULT},
        {"SKIP", {.exit_zero = true}, EXIT_NOTHING},
        {"PASS SKIP", {.fail_on_skip = true}, EXIT_FINDINGS},
        {"SKIP", {.fail_on_skip = true}, EXIT_FINDINGS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct results r;
        const char *at = rows[i].verdicts;

        assert_true(results_init(&r));
        while (*at != '\0') {
            char name[8];
            enum verdict v;

            snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, " "), at);
            assert_true(verdict_parse(name, &v));
            json_array_append_new(r.cases, result_new("x", v, ""));
            at += strcspn(at, " ");
            at += strspn(at, " ");
        }
        assert_int_equal(results_exit_status(&r, &rows[i].policy), rows[i].exit);
        results_free(&r);
    }
}

static void text_of_a_peer_is_made_readable(void **state)
{
    json_t *text = result_text("a\xff"
                               "b");

    (void)state;
    assert_string_equal(json_string_value(text), "a\\xffb");
    json_decref(text);
    text = result_text("gr\xc3\xbc\xc3\x9f");
    assert_string_equal(json_string_value(text), "gr\xc3\xbc\xc3\x9f");
    json_decref(text);
}

static void temporary(char *dir)
{
    strcpy(dir, "/tmp/iscsispec-test.XXXXXX");
    assert_non_null(mkdtemp(dir));
}

static void forget(const char *dir, const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    unlink(path);
    rmdir(dir);
}

static void results_survive_a_round_trip(void **state)
{
    struct results out, in;
    char dir[64], err[256];

    (void)state;
    temporary(dir);
    assert_true(results_init(&out));
    json_object_set_new(out.head, "profile", json_string("p"));
    json_array_append_new(out.cases, result_new("b", VERDICT_FAIL, "why"));
    json_array_append_new(out.cases, result_new("a", VERDICT_PASS, ""));
    assert_int_equal(results_write(dir, &out, err, sizeof(err)), 0);
    assert_int_equal(results_read(dir, &in, err, sizeof(err)), 0);
    results_sort(&out);
    assert_true(json_equal(out.head, in.head));
    assert_true(json_equal(out.cases, in.cases));
    assert_string_equal(json_string_value(json_object_get(json_array_get(in.cases, 0), "id")), "a");
    results_free(&out);
    results_free(&in);
    forget(dir, RESULTS_FILE);
}

static void broken_results_are_refused_with_a_line(void **state)
{
    static const char *const texts[] = {
        "",
        "nonsense\n",
        "{\"schema\":\"other/1\"}\n",
        "{\"schema\":\"iscsispec-results/1\"}\n{\"id\":\"a\",\"verdict\":\"GREEN\"}\n",
        "{\"schema\":\"iscsispec-results/1\"}\n[]\n",
        "{\"schema\":\"iscsispec-results/1\"}\n{\"id\":\"a\",\"id\":\"b\",\"verdict\":\"PASS\"}\n",
    };
    char dir[64], path[128], err[256];

    (void)state;
    temporary(dir);
    snprintf(path, sizeof(path), "%s/%s", dir, RESULTS_FILE);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        FILE *file = fopen(path, "we");
        struct results in;

        assert_non_null(file);
        fputs(texts[i], file);
        fclose(file);
        assert_int_equal(results_read(dir, &in, err, sizeof(err)), -1);
        assert_non_null(strstr(err, i < 3 ? "results.jsonl:1: " : "results.jsonl:2: "));
    }
    forget(dir, RESULTS_FILE);
}

static struct case_def case_with(char **defects, size_t count)
{
    struct case_def c = {.id = (char *)(uintptr_t) "family.case", .hash = "0123456789abcdef"};

    c.caught_by.items = defects;
    c.caught_by.count = count;
    return c;
}

static void proof_needs_every_defect_and_the_hash(void **state)
{
    char *both[] = {(char *)(uintptr_t) "one", (char *)(uintptr_t) "two"};
    struct case_def c = case_with(both, 2);
    struct killtable t = {.entries = json_array()};
    json_t *proof;

    (void)state;
    killtable_add(&t, c.id, c.hash, "one", "ffff", VERDICT_FAIL);
    proof = killtable_proof(&t, &c);
    assert_false(killtable_proves(proof));
    assert_true(json_is_null(json_object_get(proof, "two")));
    json_decref(proof);

    killtable_add(&t, c.id, c.hash, "two", "ffff", VERDICT_CRASH);
    proof = killtable_proof(&t, &c);
    assert_true(killtable_proves(proof));
    json_decref(proof);

    c.hash[0] = 'f'; /* the case was changed since */
    proof = killtable_proof(&t, &c);
    assert_false(killtable_proves(proof));
    json_decref(proof);

    c = case_with(NULL, 0);
    proof = killtable_proof(&t, &c);
    assert_false(killtable_proves(proof));
    json_decref(proof);
    killtable_free(&t);
}

static void kill_table_is_written_in_one_order(void **state)
{
    struct killtable out = {.entries = json_array()}, in;
    char dir[64], path[128], err[256];

    (void)state;
    temporary(dir);
    snprintf(path, sizeof(path), "%s/kill-table.json", dir);
    killtable_add(&out, "b", "1", "x", "2", VERDICT_FAIL);
    killtable_add(&out, "a", "1", "y", "2", VERDICT_FAIL);
    killtable_add(&out, "a", "1", "x", "2", VERDICT_WARN);
    killtable_sort(&out);
    assert_int_equal(killtable_write(&out, path, err, sizeof(err)), 0);
    assert_int_equal(killtable_load(&in, path, err, sizeof(err)), 0);
    assert_true(json_equal(in.entries, out.entries));
    assert_int_equal(strlen(in.hash), 16);
    assert_string_equal(json_string_value(json_object_get(json_array_get(in.entries, 0), "defect")), "x");
    killtable_free(&in);
    killtable_free(&out);
    forget(dir, "kill-table.json");
    assert_int_equal(killtable_load(&in, path, err, sizeof(err)), 0);
    assert_int_equal(json_array_size(in.entries), 0);
    killtable_free(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_have_names),
        cmocka_unit_test(worse_verdict_wins),
        cmocka_unit_test(exit_status_follows_the_table),
        cmocka_unit_test(text_of_a_peer_is_made_readable),
        cmocka_unit_test(results_survive_a_round_trip),
        cmocka_unit_test(broken_results_are_refused_with_a_line),
        cmocka_unit_test(proof_needs_every_defect_and_the_hash),
        cmocka_unit_test(kill_table_is_written_in_one_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
