/* Processes, ports and the life of a target, without a case. */
#include "harness/hooks.h"
#include "harness/process.h"
#include "harness/reach.h"
#include "harness/worker.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TEXT(literal) ((char *)(uintptr_t)(literal))

static void commands_run_with_a_deadline(void **state)
{
    struct process_result result;
    int64_t start = process_now_ms();

    (void)state;
    process_run("echo one; echo two >&2; exit 3", NULL, 5000, &result);
    assert_int_equal(result.status, PROCESS_DONE);
    assert_int_equal(result.code, 3);
    assert_string_equal(result.output, "one\ntwo\n");
    assert_string_equal(result.tail, "two");

    process_run("sleep 60", NULL, 100, &result);
    assert_int_equal(result.status, PROCESS_TIMEOUT);

    process_run("kill -KILL $$", NULL, 5000, &result);
    assert_int_equal(result.code, 128 + 9);

    /* What it leaves in the background does not hold us. */
    process_run("sleep 60 & echo done", NULL, 5000, &result);
    assert_int_equal(result.status, PROCESS_DONE);
    assert_string_equal(result.tail, "done");
    assert_true(process_now_ms() - start < 5000);
}

static void output_is_bounded(void **state)
{
    struct process_result result;

    (void)state;
    process_run("yes | head -c 1000000; echo end", NULL, 10000, &result);
    assert_int_equal(result.status, PROCESS_DONE);
    assert_int_equal(strlen(result.output), sizeof(result.output) - 1);
    assert_string_equal(result.tail, "end");
}

static void environment_is_added(void **state)
{
    const char *const env[] = {"ISCSISPEC_DIR=/somewhere", NULL};
    struct process_result result;

    (void)state;
    process_run("echo $ISCSISPEC_DIR", env, 5000, &result);
    assert_string_equal(result.tail, "/somewhere");
}

static void closed_ports_are_refused_at_once(void **state)
{
    uint16_t port = reach_free_port("127.0.0.1");
    int64_t start = process_now_ms();
    char numeric[64], err[256];

    (void)state;
    assert_true(port > 0);
    assert_int_equal(reach_connect("127.0.0.1", port, 2000), ECONNREFUSED);
    assert_false(reach_resolve("localhost", port, 2000, numeric, sizeof(numeric), err, sizeof(err)));
    assert_non_null(strstr(err, "refused"));
    assert_false(reach_resolve("no-such-host.invalid", 3260, 2500, numeric, sizeof(numeric), err, sizeof(err)));
    assert_true(process_now_ms() - start < 3000);
    assert_int_equal(reach_free_port("no number"), 0);
}

struct fixture {
    struct profile profile;
    struct profile_portal portal;
    struct profile_condition condition;
    struct hooks hooks;
};

static void setup(struct fixture *f, const char *start)
{
    char err[256];

    memset(f, 0, sizeof(*f));
    f->portal = (struct profile_portal){.name = TEXT("main"), .address = TEXT("127.0.0.1"), .tag = -1};
    f->condition = (struct profile_condition){.name = TEXT("open"), .arm_ms = 300};
    f->profile = (struct profile){.name = TEXT("fake"),
                                  .start = TEXT(start),
                                  .ready_ms = 1000,
                                  .stop_ms = 300,
                                  .portals = &f->portal,
                                  .portal_count = 1,
                                  .conditions = &f->condition,
                                  .condition_count = 1};
    assert_true(hooks_init(&f->hooks, &f->profile, NULL, err, sizeof(err)));
}

static void teardown(struct fixture *f)
{
    hooks_free(&f->hooks);
}

static void placeholders_are_filled(void **state)
{
    struct fixture f;
    char want[256], err[256];
    char *text;

    (void)state;
    setup(&f, "true");
    f.portal.port = 4711;
    f.hooks.binary = "/a b/it's";
    f.hooks.extra = "--defect x";
    text = hooks_expand(&f.hooks, "${iscsispec-target} ${address:main}:${port:main} ${dir}/x ${extra} ${HOME} $$", err,
                        sizeof(err));
    assert_non_null(text);
    snprintf(want, sizeof(want), "'/a b/it'\\''s' 127.0.0.1:4711 %s/x --defect x ${HOME} $$", f.hooks.dir);
    assert_string_equal(text, want);
    free(text);
    assert_null(hooks_expand(&f.hooks, "${port:nowhere}", err, sizeof(err)));
    assert_non_null(strstr(err, "port:nowhere"));
    f.hooks.binary = "";
    assert_null(hooks_expand(&f.hooks, "${iscsispec-target}", err, sizeof(err)));
    assert_non_null(strstr(err, "--target-binary"));
    teardown(&f);
}

static void target_is_started_and_stopped(void **state)
{
    struct fixture f;
    struct stat info;
    char dir[64], err[512];
    pid_t pid;

    (void)state;
    setup(&f, "trap '' TERM; touch ${dir}/up; while :; do sleep 0.05; done");
    f.profile.ready = TEXT("test -e ${dir}/up");
    assert_int_equal(hooks_start(&f.hooks, err, sizeof(err)), HOOKS_OK);
    assert_true(f.portal.port != 0);
    pid = f.hooks.pid;
    assert_true(hooks_alive(&f.hooks));
    assert_int_equal(getpgid(pid), pid);
    snprintf(dir, sizeof(dir), "%s", f.hooks.dir);
    assert_int_equal(hooks_restart(&f.hooks, err, sizeof(err)), HOOKS_OK);
    assert_int_not_equal(f.hooks.pid, pid);
    pid = f.hooks.pid;
    hooks_stop(&f.hooks); /* it ignores SIGTERM */
    assert_int_equal(getpgid(pid), -1);
    assert_int_not_equal(stat(dir, &info), 0);
    teardown(&f);
}

static void ready_file_tells_the_portals(void **state)
{
    struct fixture f;
    char err[512];

    (void)state;
    setup(
        &f,
        "echo '{\"portals\":{\"main\":{\"address\":\"127.0.0.1\",\"port\":4711,\"tag\":7}}}' >${dir}/r; exec sleep 60");
    f.profile.ready_file = TEXT("${dir}/r");
    assert_int_equal(hooks_start(&f.hooks, err, sizeof(err)), HOOKS_OK);
    assert_int_equal(f.portal.port, 4711);
    assert_int_equal(f.portal.tag, 7);
    teardown(&f);
    setup(&f, "echo '{\"portals\":{\"other\":{\"address\":\"::1\",\"port\":1}}}' >${dir}/r; exec sleep 60");
    f.profile.ready_file = TEXT("${dir}/r");
    assert_int_equal(hooks_start(&f.hooks, err, sizeof(err)), HOOKS_UNREACHABLE);
    assert_non_null(strstr(err, "no portal 'main'"));
    teardown(&f);
}

static void target_that_does_not_come_up_is_told(void **state)
{
    struct fixture f;
    char err[4096];

    (void)state;
    setup(&f, "echo 'no such option: --frob'; exit 9");
    snprintf(f.hooks.log, sizeof(f.hooks.log), "%s/log", f.hooks.dir);
    f.profile.ready = TEXT("false");
    assert_int_equal(hooks_start(&f.hooks, err, sizeof(err)), HOOKS_UNREACHABLE);
    assert_non_null(strstr(err, "status 9"));
    assert_non_null(strstr(err, "no such option: --frob"));
    teardown(&f);
    setup(&f, "exec sleep 60");
    f.profile.ready_ms = 100;
    assert_int_equal(hooks_start(&f.hooks, err, sizeof(err)), HOOKS_UNREACHABLE);
    assert_non_null(strstr(err, "not ready within 100 ms"));
    teardown(&f);
}

static void arming_fails_and_hangs_loudly(void **state)
{
    struct fixture f;
    char err[512];

    (void)state;
    setup(&f, "exec sleep 60");
    f.profile.ready = TEXT("true");
    assert_int_equal(hooks_start(&f.hooks, err, sizeof(err)), HOOKS_OK);
    f.condition.arm = TEXT("echo no such LUN; exit 22");
    assert_int_equal(hooks_arm(&f.hooks, 0, err, sizeof(err)), HOOKS_FAULT);
    assert_string_equal(err, "arming 'open' failed with status 22: no such LUN");
    f.hooks.armed[0] = false;
    f.condition.arm = TEXT("sleep 60");
    assert_int_equal(hooks_arm(&f.hooks, 0, err, sizeof(err)), HOOKS_FAULT);
    assert_non_null(strstr(err, "did not end within 300 ms"));
    assert_int_equal(hooks_control(&f.hooks, "drain", err, sizeof(err)), HOOKS_FAULT);
    teardown(&f);
}

static void death_of_the_target_is_noticed(void **state)
{
    struct fixture f;
    char err[512];

    (void)state;
    setup(&f, "touch ${dir}/up; while test ! -e ${dir}/die; do sleep 0.01; done; kill -SEGV $$");
    f.profile.ready = TEXT("test -e ${dir}/up");
    assert_int_equal(hooks_start(&f.hooks, err, sizeof(err)), HOOKS_OK);
    assert_false(hooks_is_gone(&f.hooks));
    f.condition.arm = TEXT("touch ${dir}/die");
    f.condition.arm_ms = 20000;
    assert_int_equal(hooks_arm(&f.hooks, 0, err, sizeof(err)), HOOKS_OK);
    for (int i = 0; i < 2000 && !hooks_is_gone(&f.hooks); i++) {
        usleep(10000);
    }
    assert_true(hooks_is_gone(&f.hooks));
    assert_int_equal(f.hooks.exit_code, 128 + 11);
    teardown(&f);
}

static void evidence_names_are_plain(void **state)
{
    char name[64];

    (void)state;
    worker_evidence_name("keys.number=a/../b c,v=1", name, sizeof(name));
    assert_string_equal(name, "keys.number=a_.._b_c,v=1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_run_with_a_deadline),  cmocka_unit_test(output_is_bounded),
        cmocka_unit_test(environment_is_added),          cmocka_unit_test(closed_ports_are_refused_at_once),
        cmocka_unit_test(placeholders_are_filled),       cmocka_unit_test(target_is_started_and_stopped),
        cmocka_unit_test(ready_file_tells_the_portals),  cmocka_unit_test(target_that_does_not_come_up_is_told),
        cmocka_unit_test(arming_fails_and_hangs_loudly), cmocka_unit_test(death_of_the_target_is_noticed),
        cmocka_unit_test(evidence_names_are_plain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
