/* Cases made of recorded logins: what is written, and that the loader reads the same from it. */
#include "harness/capture_case.h"
#include "harness/case.h"
#include "harness/case_yaml.h"
#include "harness/case_live_text.h"

#include "audit_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What is made of one connection of a script after a change. */
struct trial {
    struct capture_case made;
    char *yaml;
    struct case_list cases;
    bool loaded;
};

static const struct catalogue *rules;

static void load(struct trial *x)
{
    char path[] = "/tmp/capture-case-XXXXXX";
    const char *paths[] = {path};
    struct load_error err = {""};
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, x->yaml, strlen(x->yaml)), strlen(x->yaml));
    close(fd);
    x->loaded = case_list_load(&x->cases, paths, 1, rules, &err) == 0;
    unlink(path);
    if (!x->loaded)
        fail_msg("%s\n%s", err.text, x->yaml);
    assert_int_equal(x->cases.count, 1);
}

static void make(struct trial *x, enum base base, size_t conn, const struct change *changes, size_t count)
{
    const struct capture_case_about about = {"captured.test", "dir/test.pcap", "PASS", NULL};
    struct script *s = script_build(base);
    struct transcript *t;
    struct replay_script script;
    size_t size = 0;
    FILE *out;

    memset(x, 0, sizeof(*x));
    for (size_t i = 0; i < count; i++)
        script_apply(s, &changes[i]);
    t = script_record(s);
    assert_true(replay_script_make(t, &script));
    out = open_memstream(&x->yaml, &size);
    assert_non_null(out);
    assert_int_equal(capture_case_write(out, &script, conn, &about, &x->made), 0);
    fclose(out);
    replay_script_free(&script);
    transcript_free(t);
    free(s);
    if (x->made.form != CAPTURE_CASE_NONE)
        load(x);
    else
        assert_string_equal(x->yaml, "");
}

static void end(struct trial *x)
{
    if (x->loaded)
        case_list_free(&x->cases);
    free(x->yaml);
}

static void assert_says(const struct trial *x, const char *text)
{
    if (!strstr(x->yaml, text))
        fail_msg("no '%s' in:\n%s", text, x->yaml);
}

/* A case can be made of every sort of login, and loads. */
static void test_every_base(void **state)
{
    (void)state;
    for (enum base base = PLAIN; base < BASE_COUNT; base++) {
        struct trial x;

        make(&x, base, 0, NULL, 0);
        if (x.made.form == CAPTURE_CASE_NONE)
            fail_msg("base %d: no case: %s", (int)base, x.made.why);
        end(&x);
    }
}

static void test_outcomes(void **state)
{
    static const struct change refused[] = {{FIELD, 1, "Status", 0x0203}}, stays[] = {{STAYS, 0, NULL, 0}};
    struct trial x;

    (void)state;
    make(&x, PLAIN, 0, NULL, 0);
    assert_says(&x, "expect: { on: A, ffp: true }");
    assert_says(&x, "needs: [open]");
    end(&x);
    make(&x, REFUSED, 0, refused, 1);
    assert_says(&x, "any: [{ status: 0x0203 }], then: closed }");
    assert_says(&x, "code: 0x0203");
    assert_says(&x, "{absent_target}");
    end(&x);
    make(&x, REFUSED, 0, stays, 1);
    assert_null(strstr(x.yaml, "then: closed"));
    end(&x);
    make(&x, ONE_WAY, 0, NULL, 0);
    assert_says(&x, "needs: [chap]");
    end(&x);
    make(&x, MUTUAL_CHAP, 0, NULL, 0);
    assert_says(&x, "needs: [mutual-chap]");
    end(&x);
    make(&x, DISCOVERY, 0, NULL, 0);
    assert_says(&x, "needs: [discovery]");
    end(&x);
}

/* What belongs to the recorded run never stands in the case. */
static void test_live_values(void **state)
{
    struct trial x;

    (void)state;
    make(&x, ROUNDS, 0, NULL, 0); /* a text over several PDUs: byte by byte */
    assert_int_equal(x.made.form, CAPTURE_CASE_RAW);
    assert_says(&x, "InitiatorName={initiator}");
    assert_says(&x, "TargetName={target}");
    assert_null(strstr(x.yaml, "iqn.2001-04"));
    assert_null(strstr(x.yaml, "ISID"));
    assert_says(&x, "ExpStatSN: 0"); /* the script's initiator does not count: a deviation */
    end(&x);
    make(&x, JOIN, 1, NULL, 0);
    assert_says(&x, "TSIH: \"{tsih:L}\"");
    assert_says(&x, "ISID: \"{isid:L}\"");
    end(&x);
}

/* Deviations of the initiator are in the case. */
static void test_deviations(void **state)
{
    static const struct change nsg[] = {{FIELD, 0, "VersionMin", 3}}, itt[] = {{FIELD, 2, "ITT", 0x99}},
                               key[] = {{ADD, 0, "X-quote\"d=a\\b", 0}}, text[] = {{TEXT, 0, "no pair", 0}};
    struct trial x;

    (void)state;
    make(&x, PLAIN, 0, nsg, 1);
    assert_says(&x, "VersionMin: 3");
    end(&x);
    make(&x, ROUNDS, 0, itt, 1);
    assert_says(&x, "ITT: 0x99");
    end(&x);
    make(&x, PLAIN, 0, key, 1);
    assert_says(&x, "X-quote\"d=a\\\\b");
    end(&x);
    make(&x, PLAIN, 0, text, 1);
    assert_says(&x, "text: 'no pair");
    end(&x);
}

/* A brace that a case would take for a live value: no case, and the reason. */
static void test_not_writable(void **state)
{
    static const struct change brace[] = {{ADD, 0, "X-brace={word}", 0}}, gone[] = {{REMOVE, 1, NULL, 0}};
    struct trial x;

    (void)state;
    make(&x, PLAIN, 0, brace, 1);
    assert_int_equal(x.made.form, CAPTURE_CASE_NONE);
    assert_non_null(strstr(x.made.why, "brace"));
    end(&x);
    make(&x, REFUSED, 0, gone, 1);
    assert_true(x.made.form == CAPTURE_CASE_NONE || strstr(x.yaml, "any: [close]"));
    end(&x);
}

static void test_prefix(void **state)
{
    char out[101];

    (void)state;
    capture_case_prefix("a/b/Field Trace_2.pcap.gz", out, sizeof(out));
    assert_string_equal(out, "captured.field-trace-2");
    capture_case_prefix("status.denied.plain.pcapng", out, sizeof(out));
    assert_string_equal(out, "captured.status-denied-plain");
}

static void test_quoting(void **state)
{
    static const char bytes[] = "A=it's\0B=\\\x01\xff";
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    case_yaml_text(out, bytes, sizeof(bytes));
    fclose(out);
    assert_string_equal(text, "'A=it''s\\0B=\\\\\\x01\\xff\\0'");
    free(text);
    assert_false(case_yaml_is_keys(bytes, sizeof(bytes)));
    assert_true(case_yaml_is_keys("A=1\0B=2", 8));
    assert_false(case_yaml_is_keys("A=1\0B=2", 7)); /* the last has no null byte */
    assert_false(case_yaml_writable("x={tsih}", 8));
    assert_true(case_yaml_writable("x={target}{ }", 13));
}

static int set_up(void **state)
{
    struct load_error err = {""};

    (void)state;
    rules = catalogue_load(ISCSISPEC_SOURCE_DIR "/cases/requirements.yaml", &err);
    return rules ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    catalogue_free((struct catalogue *)rules);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_base), cmocka_unit_test(test_outcomes),     cmocka_unit_test(test_live_values),
        cmocka_unit_test(test_deviations), cmocka_unit_test(test_not_writable), cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_quoting),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
