/*
 * The parts of the server that need no loop: ready file, stores, log, control client, texts. Each allocation of what is
 * printed fails in turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "folder.h"
#include "reference_target/address.h"
#include "reference_target/client.h"
#include "reference_target/defects.h"
#include "reference_target/help.h"
#include "reference_target/log.h"
#include "reference_target/options.h"
#include "reference_target/ready.h"
#include "reference_target/server.h"
#include "reference_target/store.h"
#include "reference_target/verbs.h"

/* ---- texts ---- */

static char *printed(void (*print)(FILE *), bool (*print_json)(FILE *), bool *good)
{
    static char text[1 << 17];
    FILE *out = fmemopen(text, sizeof text - 1, "w");

    assert_non_null(out);
    memset(text, 0, sizeof text);
    *good = true;
    if (print != NULL)
        print(out);
    else
        *good = print_json(out);
    fclose(out);
    return text;
}

static void test_texts(void **state)
{
    bool good;
    char *text = printed(help_print, NULL, &good);

    (void)state;
    for (size_t i = 0; options_at(i) != NULL; i++) {
        char flag[80];
        snprintf(flag, sizeof flag, "\n  --%s", options_at(i)->name);
        assert_non_null(strstr(text, flag));
    }
    for (size_t i = 0; verbs_at(i) != NULL; i++) {
        char verb[80];
        snprintf(verb, sizeof verb, "\n  %s", verbs_at(i)->name);
        assert_non_null(strstr(text, verb));
    }
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
        assert_true(strcspn(line, "\n") <= 130);
    text = printed(help_print_defects, NULL, &good);
    for (int i = 0; i < (int)DEFECT_COUNT; i++)
        assert_non_null(strstr(text, defects_entry((enum defect)i)->what));
    text = printed(NULL, help_print_defects_json, &good);
    assert_true(good);
    assert_non_null(strstr(text, "\"code\": null"));
    assert_null(defects_entry(DEFECT_COUNT));
    assert_int_equal(defects_find("nonsense"), DEFECT_COUNT);
}

/* ---- the ready file ---- */

static void test_ready(void **state)
{
    char host[] = "::1", name[] = "six", address[] = "[::1]:3260", target[] = "iqn.x:1";
    struct config_portal portal = {.name = name, .host = host, .address = address, .tag = 3};
    struct config_target one = {.name = target};
    struct config config = {.portals = &portal, .portal_count = 1, .targets = &one, .target_count = 1};
    bool done = false, good;
    char *text;

    (void)state;
    assert_false(ready_write(in_folder("none/ready"), "x"));
    assert_int_equal(mkdir(in_folder("full"), 0700), 0);
    assert_int_equal(mkdir(in_folder("full/ready"), 0700), 0);
    assert_false(ready_write(in_folder("full/ready"), "x")); /* a folder cannot be replaced, and nothing is left */
    assert_int_equal(rmdir(in_folder("full/ready")), 0);
    assert_int_equal(rmdir(in_folder("full")), 0);
    alloc_fail_jansson();
    for (size_t fail = 1; !done && fail < 20000; fail++) {
        alloc_fail_at(fail);
        text = ready_text(&config, "/c");
        good = text != NULL;
        free(text);
        text = ready_portals_text(&config);
        good = text != NULL && good;
        free(text);
        printed(NULL, help_print_defects_json, &good);
        done = alloc_fail_stop() < fail;
        if (fail > 150)
            fail += 97; /* the rows of the table of defects are all alike */
    }
    assert_true(good);
    alloc_fail_at(1);
    assert_false(ready_write(in_folder("ready"), "x"));
    alloc_fail_stop();
}

/* ---- stores ---- */

static void test_store(void **state)
{
    char path[256], other[256], name[] = "iqn.x:1", ram[] = "iqn.x:2", reason[256];
    struct config_target targets[] = {{.name = ram}, {.name = name, .lun = CONFIG_LUN_FILE, .lun_path = path}};
    struct config config = {.targets = targets, .target_count = 2};
    static char zeros[4096];
    uint8_t bytes[1024] = "written";
    struct store *store;
    size_t bad;

    (void)state;
    snprintf(path, sizeof path, "%s", in_folder("disk"));
    snprintf(other, sizeof other, "%s", in_folder("other"));
    assert_null(store_open(&config, &bad, reason, sizeof reason));
    assert_int_equal(bad, 1);
    assert_non_null(strstr(reason, "No such file"));
    write_file(path, zeros, 511);
    assert_null(store_open(&config, &bad, reason, sizeof reason));
    assert_non_null(strstr(reason, "shorter"));
    snprintf(path, sizeof path, "%s", folder);
    assert_null(store_open(&config, &bad, reason, sizeof reason));
    snprintf(path, sizeof path, "/dev/null");
    assert_null(store_open(&config, &bad, reason, sizeof reason));
    assert_non_null(strstr(reason, "neither"));
    snprintf(path, sizeof path, "%s", in_folder("disk"));
    write_file(path, zeros, 3000);
    for (size_t fail = 1; fail < 3; fail++) {
        alloc_fail_at(fail);
        assert_null(store_open(&config, &bad, reason, sizeof reason));
        alloc_fail_stop();
        assert_non_null(strstr(reason, "memory"));
    }
    store = store_open(&config, &bad, reason, sizeof reason);
    assert_non_null(store);
    assert_int_equal(targets[1].lun_size, 2560);
    assert_true(store_ok(store, 0));
    assert_true(store_ok(store, 1));
    assert_true(store_write(store, 1, 1024, bytes, sizeof bytes));
    assert_true(store_flush(store, 1));
    memset(bytes, 0, sizeof bytes);
    assert_true(store_read(store, 1, 1024, bytes, sizeof bytes));
    assert_string_equal((char *)bytes, "written");
    assert_false(store_read(store, 1, 1 << 20, bytes, sizeof bytes));
    /* gone, back, replaced by the same size, by another size, by no file */
    assert_int_equal(rename(path, other), 0);
    assert_false(store_ok(store, 1));
    assert_int_equal(rename(other, path), 0);
    assert_true(store_ok(store, 1));
    write_file(other, zeros, 3000);
    assert_int_equal(rename(other, path), 0);
    assert_true(store_ok(store, 1));
    assert_true(store_read(store, 1, 1024, bytes, sizeof bytes));
    assert_int_equal(bytes[0], 0);
    write_file(other, zeros, 4096);
    assert_int_equal(rename(other, path), 0);
    assert_false(store_ok(store, 1));
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_false(store_ok(store, 1));
    rmdir(path);
    store_close(store);
    store_close(NULL);
}

/* A store that does not take what is written. */
static void test_store_full(void **state)
{
    char name[] = "iqn.x:1", path[256], reason[256];
    struct config_target target = {.name = name, .lun = CONFIG_LUN_FILE, .lun_path = path};
    struct config config = {.targets = &target, .target_count = 1};
    static char zeros[1024];
    size_t bad;

    (void)state;
    snprintf(path, sizeof path, "%s", in_folder("disk"));
    write_file(path, zeros, sizeof zeros);
    struct store *store = store_open(&config, &bad, reason, sizeof reason);
    assert_non_null(store);
    assert_false(store_write(store, 0, UINT64_MAX - 511, (const uint8_t *)zeros, 512));
    store_close(store);
    unlink(path);
}

/* ---- log ---- */

static void test_log(void **state)
{
    static char bytes[1 << 17], text[5000];
    int ends[2];
    struct log log = {.level = NODE_LOG_INFO};
    ssize_t got;

    (void)state;
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    log.descriptor = ends[1];
    log_write(&log, NODE_LOG_DEBUG, "not seen");
    log_write(&log, NODE_LOG_INFO, "tab\there, \xc3\xa4, line\nbreak");
    got = read(ends[0], bytes, sizeof bytes - 1);
    bytes[got > 0 ? got : 0] = '\0';
    assert_string_equal(bytes, "iscsispec-target: info: tab?here, ??, line?break\n");
    memset(text, 'x', sizeof text - 1);
    for (unsigned i = 0; i < 1000; i++)
        log_write(&log, NODE_LOG_WARNING, "%u %s", i, text);
    assert_true(log.dropped > 500);
    got = read(ends[0], bytes, sizeof bytes);
    assert_true(got > 0);
    log_write(&log, NODE_LOG_INFO, "after");
    assert_int_equal(log.dropped, 0);
    got = read(ends[0], bytes, sizeof bytes - 1);
    bytes[got > 0 ? got : 0] = '\0';
    assert_non_null(strstr(bytes, "lines were dropped\n"));
    assert_non_null(strstr(bytes, "info: after\n"));
    close(ends[0]);
    close(ends[1]);
    log_write(&log, NODE_LOG_INFO, "nowhere");
    assert_int_equal(log.dropped, 1);
    /* a descriptor that takes nothing, but says that it would */
    log.descriptor = open("/dev/full", O_WRONLY);
    log_write(&log, NODE_LOG_INFO, "full");
    assert_true(log.dropped >= 2);
    close(log.descriptor);
}

/* ---- addresses ---- */

static void test_addresses(void **state)
{
    struct sockaddr_storage address = {.ss_family = AF_UNIX};
    char text[ADDRESS_TEXT_MAX];

    (void)state;
    assert_false(address_format(&address, text));
    assert_int_equal(address_port(&address), 0);
    assert_false(address_parse("localhost", 1, &address));
    assert_true(address_parse("::", 3260, &address));
    assert_true(address_format(&address, text));
    assert_string_equal(text, "[::]:3260");
    assert_true(address_is_wildcard(text));
    assert_true(address_is_wildcard("0.0.0.0:1"));
    assert_false(address_is_wildcard("127.0.0.1:1"));
    assert_int_equal(address_port(&address), 3260);
}

static void test_code_bits(void **state)
{
    static const unsigned bad[] = {0x0001, 0x0100, 0x0103, 0x020c, 0x0303, 0x0400, 0xff00};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(config_code_bit((uint16_t)bad[i]), 0);
}

/* ---- control client ---- */

/* Listens on path in a child that answers each line with the text, or ends the connection without one. */
static pid_t answerer(const char *path, const char *text)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    pid_t child;

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 4), 0);
    child = fork();
    if (child == 0) {
        int accepted = accept(listener, NULL, NULL);
        char line[8192];
        if (text != NULL) {
            (void)!read(accepted, line, sizeof line);
            (void)!write(accepted, text, strlen(text));
        }
        close(accepted);
        _exit(0);
    }
    close(listener);
    return child;
}

static void test_client(void **state)
{
    static char longest[VERBS_LINE_MAX + 2];
    static const struct {
        const char *answer;
        int status;
    } rows[] = {{"one\ntwo\nok\n", SERVER_OK},
                {"error: no\n", SERVER_REFUSED},
                {"one\n", SERVER_UNREACHABLE},
                {"", SERVER_UNREACHABLE},
                {NULL, SERVER_UNREACHABLE}};
    char path[256];

    (void)state;
    snprintf(path, sizeof path, "%s", in_folder("control"));
    memset(longest, 'x', sizeof longest - 1);
    assert_int_equal(client_run(path, "help"), SERVER_UNREACHABLE);
    assert_int_equal(client_run(path, "help\nhelp"), SERVER_USAGE);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        pid_t child = answerer(path, rows[i].answer);
        assert_int_equal(client_run(path, "help"), rows[i].status);
        waitpid(child, NULL, 0);
        unlink(path);
    }
    pid_t child = answerer(path, NULL);
    assert_int_equal(client_run(path, longest), SERVER_UNREACHABLE);
    waitpid(child, NULL, 0);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),      cmocka_unit_test(test_ready),  cmocka_unit_test(test_store),
        cmocka_unit_test(test_store_full), cmocka_unit_test(test_log),    cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_code_bits),  cmocka_unit_test(test_client),
    };

    return cmocka_run_group_tests_name("parts", tests, make_folder, remove_folder);
}
