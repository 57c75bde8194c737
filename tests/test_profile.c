/* Profiles: the shipped ones, broken ones, and what a need comes to. */
#include "bad_inputs.h"
#include "harness/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int load(const char *path, struct load_error *err)
{
    struct profile *p = profile_load(path, ISCSISPEC_SOURCE_DIR, err);

    profile_free(p);
    return p ? 0 : -1;
}

static struct profile *load_text(const char *text)
{
    char path[] = "/tmp/iscsispec-profile-XXXXXX.yaml";
    struct load_error err = {{0}};
    struct profile *p;
    int fd = mkstemps(path, 5);
    FILE *f = fdopen(fd, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    p = profile_load(path, ISCSISPEC_SOURCE_DIR, &err);
    unlink(path);
    if (!p)
        fail_msg("%s", err.text);
    return p;
}

static void broken(void **state)
{
    (void)state;
    assert_true(bad_inputs_check("profiles", load) >= 13);
}

static void shipped(void **state)
{
    static const char *const names[] = {"reference", "tgt", "istgt", "lio"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct load_error err = {{0}};
        struct profile *p = profile_load(names[i], ISCSISPEC_SOURCE_DIR, &err);

        if (!p)
            fail_msg("%s", err.text);
        assert_string_equal(p->name, names[i]);
        assert_non_null(profile_condition_find(p, "open"));
        profile_free(p);
    }
}

static void unknown(void **state)
{
    struct load_error err = {{0}};

    (void)state;
    assert_null(profile_load("refrence", ISCSISPEC_SOURCE_DIR, &err));
    assert_non_null(strstr(err.text, "did you mean \"reference\"?"));
    memset(&err, 0, sizeof err);
    assert_null(profile_load("x", "/nowhere", &err));
    assert_non_null(strstr(err.text, "there are no profiles below /nowhere"));
    memset(&err, 0, sizeof err);
    assert_null(profile_load("/nowhere/x.yaml", ISCSISPEC_SOURCE_DIR, &err));
    assert_string_equal(err.text, "/nowhere/x.yaml: cannot be read: No such file or directory");
    assert_null(profile_load("refrence", ISCSISPEC_SOURCE_DIR, NULL));
}

static const char text[] = "profile: test\n"
                           "title: A test\n"
                           "start: exec t ${port:main} ${PATH}\n"
                           "portals:\n"
                           "  main: { address: 127.0.0.1, port: 0, tag: 1 }\n"
                           "  other: { address: '::1' }\n"
                           "  away: {}\n"
                           "conditions:\n"
                           "  open: { target: t1, portal: main }\n"
                           "  chap: { target: t2, user: alice, secret: { text: s1 } }\n"
                           "  mutual-chap: { user: bob, secret: { env: ISCSISPEC_TEST_SECRET }, mutual-user: m,\n"
                           "    mutual-secret: { text: s3 } }\n"
                           "  drained: { portal: away, arm: a, disarm: d, deadline: 250ms, exclusive: yes,\n"
                           "    codes: [0x0301] }\n"
                           "  second-group: { portal: other, target: t9 }\n"
                           "controls: { drain: c1, resume: c2 }\n"
                           "not-offered: { removed: it forgets, 0x0302: no limit }\n"
                           "leave-out: { sessions.more.*: it breaks }\n"
                           "codes: { 0x0203: { source: s, note: n } }\n"
                           "timeouts: { answer: 3s, close-grace: 1s, ready: 2m, stop: 10ms }\n"
                           "parallel: 8\n"
                           "instances: 3\n"
                           "rfc: 3720\n"
                           "half-close: no\n"
                           "require-codes: [0x0000, 0x0203]\n"
                           "log: ${dir}/log\n"
                           "crash: 'BUG:|Oops'\n";

static void fields(void **state)
{
    struct profile *p;
    const struct profile_condition *c;

    (void)state;
    setenv("ISCSISPEC_TEST_SECRET", "s2", 1);
    p = load_text(text);
    assert_int_equal(p->portal_count, 3);
    assert_int_equal(p->portals[0].tag, 1);
    assert_int_equal(p->portals[1].tag, -1);
    assert_string_equal(p->portals[1].address, "::1");
    assert_string_equal(p->portals[2].address, "");
    assert_ptr_equal(profile_portal_find(p, "other"), &p->portals[1]);
    assert_ptr_equal(profile_portal_find(p, "second-group"), &p->portals[1]);
    assert_null(profile_portal_find(p, "chap"));
    assert_null(profile_portal_find(p, "nothing"));
    c = profile_condition_find(p, "drained");
    assert_int_equal(c->arm_ms, 250);
    assert_true(c->exclusive);
    assert_int_equal(c->codes[0], 0x0301);
    assert_string_equal(profile_condition_find(p, "mutual-chap")->secret.text, "s2");
    assert_string_equal(profile_not_offered_reason(p, "removed"), "it forgets");
    assert_string_equal(profile_left_out_reason(p, "sessions.more.every-key"), "it breaks");
    assert_null(profile_left_out_reason(p, "sessions.more"));
    assert_int_equal(p->not_offered[1].code, 0x0302);
    assert_null(p->not_offered[1].condition);
    assert_int_equal(p->code_notes[0].code, 0x0203);
    assert_string_equal(p->controls[1].name, "resume");
    assert_int_equal(p->timeout_ms, 3000);
    assert_int_equal(p->close_grace_ms, 1000);
    assert_int_equal(p->ready_ms, 120000);
    assert_int_equal(p->stop_ms, 10);
    assert_int_equal(p->parallel, 8);
    assert_int_equal(p->instances, 3);
    assert_true(p->rfc3720);
    assert_true(p->no_half_close);
    assert_int_equal(p->required_count, 2);
    assert_int_equal(p->required[1], 0x0203);
    assert_string_equal(p->log, "${dir}/log");
    assert_string_equal(p->crash, "BUG:|Oops");
    /* The runner puts resolved addresses in place. */
    free(p->portals[0].address);
    p->portals[0].address = strdup("127.0.0.1");
    profile_free(p);
}

static void resolve(void **state)
{
    static const struct {
        const char *needs[3];
        const char *reason, *target, *portal, *user, *secret;
    } rows[] = {
        {{"open"}, NULL, "t1", "main", NULL, NULL},
        {{"chap"}, NULL, "t2", "main", "alice", "s1"},
        {{"chap", "mutual-chap"}, NULL, "t2", "main", "bob", "s2"},
        {{"drained"}, NULL, "t1", "away", NULL, NULL},
        {{"open", "drained"}, NULL, "t1", "away", NULL, NULL},
        {{"open", "second-group"}, NULL, "t1", "main", NULL, NULL},
        {{"control-drain"}, NULL, "t1", "main", NULL, NULL},
        {{"control-fault"}, "the profile does not say how to bring about control-fault", NULL, NULL, NULL, NULL},
        {{"open", "removed"}, "it forgets", NULL, NULL, NULL, NULL},
        {{"store-fault"}, "the profile does not say how to bring about store-fault", NULL, NULL, NULL, NULL},
    };
    struct profile *p;

    (void)state;
    setenv("ISCSISPEC_TEST_SECRET", "s2", 1);
    p = load_text(text);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct case_need need = {"", {(char **)(uintptr_t)rows[i].needs, 0}};
        struct profile_access access;
        const char *reason;

        while (need.conditions.count < 3 && rows[i].needs[need.conditions.count])
            need.conditions.count++;
        reason = profile_resolve(p, &need, &access);
        if (rows[i].reason) {
            assert_string_equal(reason, rows[i].reason);
            continue;
        }
        assert_null(reason);
        assert_string_equal(access.target, rows[i].target);
        assert_string_equal(access.portal, rows[i].portal);
        assert_int_equal(!access.user, !rows[i].user);
        if (rows[i].user) {
            assert_string_equal(access.user, rows[i].user);
            assert_string_equal(access.secret, rows[i].secret);
        }
    }
    profile_free(p);
}

static void from_target(void **state)
{
    struct profile *p = profile_from_target("::1", 3261, "iqn.2026-01.example:t", NULL, NULL);
    struct profile *q = profile_from_target("host", 3260, NULL, "user", "secret");

    (void)state;
    assert_non_null(p);
    assert_non_null(q);
    assert_int_equal(p->condition_count, 1);
    assert_string_equal(profile_portal_find(p, "main")->address, "::1");
    assert_int_equal(profile_portal_find(p, "open")->port, 3261);
    assert_null(profile_condition_find(p, "chap"));
    assert_null(p->start);
    assert_string_equal(profile_condition_find(q, "chap")->secret.text, "secret");
    assert_null(profile_condition_find(q, "open")->target);
    profile_free(p);
    profile_free(q);
}

static void conditions(void **state)
{
    (void)state;
    assert_non_null(case_condition_find("open"));
    assert_true(case_condition_find("second-group")->beside);
    assert_null(case_condition_find("nothing"));
    for (const struct case_condition *c = case_conditions; c->name; c++)
        assert_ptr_equal(case_condition_find(c->name), c);
}

static void schema(void **state)
{
    json_t *s = profile_schema();

    (void)state;
    assert_non_null(json_object_get(json_object_get(s, "properties"), "conditions"));
    assert_non_null(json_object_get(json_object_get(s, "$defs"), "condition"));
    json_decref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken),     cmocka_unit_test(shipped), cmocka_unit_test(unknown),
        cmocka_unit_test(fields),     cmocka_unit_test(resolve), cmocka_unit_test(from_target),
        cmocka_unit_test(conditions), cmocka_unit_test(schema),
    };

    return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
