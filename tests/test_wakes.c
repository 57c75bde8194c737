/* What each defect may wake: the shipped file, and what is refused in one. */
#include "harness/wakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct catalogue *rules;

static int load_rules(void **state)
{
    (void)state;
    rules = catalogue_load(ISCSISPEC_SOURCE_DIR "/cases/requirements.yaml", NULL);
    return rules != NULL ? 0 : -1;
}

static int free_rules(void **state)
{
    (void)state;
    catalogue_free(rules);
    return 0;
}

static void the_shipped_file_loads(void **state)
{
    struct load_error err = {""};
    const struct wakes_entry *entry;
    struct wakes wakes;

    (void)state;
    assert_int_equal(wakes_load(&wakes, ISCSISPEC_SOURCE_DIR "/cases/defects.yaml", rules, &err), 0);
    assert_true(wakes.count > 100);
    entry = wakes_find(&wakes, "wrong-itt");
    assert_non_null(entry);
    assert_true(wakes_may(entry, "L-ITT-001"));
    assert_false(wakes_may(entry, "L-VER-001"));
    assert_null(wakes_find(&wakes, "no-such-defect"));
    wakes_free(&wakes);
}

static void bad_files_are_refused(void **state)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"- defect: a\n  rule: L-NOT-999\n", ":1:3: L-NOT-999: no entry of the catalogue"},
        {"- defect: a\n  rule: L-ITT-001\n  also: [L-NOT-999]\n", "L-NOT-999: no entry of the catalogue"},
        {"- defect: a\n  rule: L-ITT-001\n- defect: a\n  rule: L-VER-001\n",
         ":3:3: a: this defect has an entry already"},
        {"- defect: a\n", "rule"},
        {"a: b\n", "is no list"},
        {"", "is no list"},
    };
    char path[] = "/tmp/iscsispec-wakes.XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct load_error err = {""};
        struct wakes wakes;

        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, rows[i].text, strlen(rows[i].text), 0), (ssize_t)strlen(rows[i].text));
        assert_int_equal(wakes_load(&wakes, path, rules, &err), -1);
        if (strstr(err.text, rows[i].error) == NULL)
            fail_msg("row %zu: %s", i, err.text);
        wakes_free(&wakes);
    }
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_file_loads),
        cmocka_unit_test(bad_files_are_refused),
    };

    return cmocka_run_group_tests(tests, load_rules, free_rules);
}
