/* The command line of the reference target: values good and bad, limits, files of secrets, and each allocation failing
 * in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "folder.h"
#include "reference_target/options.h"

static void test_options_without_memory(void **state)
{
    char secrets[256], error[OPTIONS_ERROR_MAX];
    char *words[] = {(char *)"iscsispec-target",
                     (char *)"--ready-file",
                     (char *)"/r",
                     (char *)"--control",
                     (char *)"/c",
                     (char *)"--force",
                     (char *)"0301",
                     (char *)"--alias",
                     (char *)"all",
                     (char *)"--discovery-chap",
                     (char *)"a:b",
                     (char *)"--discovery-mutual-chap",
                     (char *)"c:d",
                     (char *)"--portal",
                     (char *)"a=127.0.0.1:0",
                     (char *)"--portal",
                     (char *)"[::1]:0",
                     (char *)"--target",
                     (char *)"iqn.x:1",
                     (char *)"--on",
                     (char *)"a",
                     (char *)"--chap-file",
                     secrets,
                     (char *)"--mutual-chap",
                     (char *)"m:n",
                     (char *)"--allow",
                     (char *)"iqn.x:i",
                     (char *)"--allow",
                     (char *)"iqn.x:j",
                     (char *)"--force",
                     (char *)"0203:iqn.*",
                     (char *)"--lun",
                     (char *)"/f",
                     (char *)"--alias",
                     (char *)"one",
                     (char *)"--target",
                     (char *)"iqn.x:2",
                     (char *)"--moved-permanently",
                     (char *)"127.0.0.1:9",
                     (char *)"--target",
                     (char *)"iqn.x:3",
                     (char *)"--moved-temporarily",
                     (char *)"@a",
                     (char *)"--ready-file",
                     (char *)"/again",
                     NULL};
    char *control[] = {(char *)"iscsispec-target", (char *)"--ctl", (char *)"/c", (char *)"drain", (char *)"a", NULL};
    char *nothing[] = {(char *)"iscsispec-target", NULL};
    char **lines[] = {words, control, nothing};

    (void)state;
    snprintf(secrets, sizeof secrets, "%s", in_folder("secrets"));
    write_file(secrets, "u:1\nv:2\n", 8);
    for (size_t line = 0; line < sizeof lines / sizeof lines[0]; line++) {
        int count = 0;
        bool done = false;
        while (lines[line][count] != NULL)
            count++;
        for (size_t fail = 1; !done && fail < 500; fail++) {
            struct options options;
            alloc_fail_at(fail);
            bool good = options_parse(&options, count, lines[line], error);
            done = alloc_fail_stop() < fail;
            if (good != done)
                fail_msg("allocation %zu of line %zu fails: %s", fail, line, good ? "accepted" : error);
            if (!good && strstr(error, "memory") == NULL)
                fail_msg("allocation %zu of line %zu: %s", fail, line, error);
            options_free(&options);
        }
        assert_true(done);
    }
    unlink(secrets);
}

/* More of what the command line refuses: limits. */
static void test_options_limits(void **state)
{
    static char many[3 * 70][64], huge[2000];
    char *words[3 * 70 + 1] = {(char *)"iscsispec-target"};
    static const struct {
        const char *before, *flag, *hint;
    } rows[] = {
        {NULL, "--ready-file", "is empty"},
        {NULL, "--control", "is empty"},
        {"--target=iqn.x:1", "--lun", "is empty"},
        {"--target=iqn.x:1", "--alias", "255 bytes"},
    };
    char error[OPTIONS_ERROR_MAX];
    struct options options;

    (void)state;
    for (int i = 0; i < 70; i++) {
        snprintf(many[i], sizeof many[i], "--portal=p%d=127.0.0.1:0", i);
        words[1 + i] = many[i];
    }
    assert_false(options_parse(&options, 71, words, error));
    assert_non_null(strstr(error, "at most 64 portals"));
    options_free(&options);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *line[] = {(char *)"iscsispec-target",
                        (char *)(uintptr_t)(rows[i].before ? rows[i].before : "--strict-redeclare"),
                        (char *)(uintptr_t)rows[i].flag, (char *)"", NULL};
        assert_false(options_parse(&options, 4, line, error));
        if (strstr(error, rows[i].hint) == NULL)
            fail_msg("%s '': %s", rows[i].flag, error);
        options_free(&options);
    }
    /* Whatever is of no length at all: refused, and the message has room. */
    memset(huge, 'a', sizeof huge - 1);
    for (size_t i = 0; options_at(i) != NULL; i++) {
        char flag[64], own[64];
        snprintf(own, sizeof own, "--%s", options_at(i)->name);
        snprintf(flag, sizeof flag, "%s",
                 options_at(i)->level == OPTIONS_PORTAL ? "--portal=127.0.0.1:0" : "--target=iqn.x:1");
        if (options_at(i)->argument != OPTIONS_ARGUMENT || strcmp(options_at(i)->name, "ready-file") == 0 ||
            strcmp(options_at(i)->name, "lun") == 0)
            continue;
        char *line[] = {(char *)"iscsispec-target", flag, own, huge, NULL};
        if (options_parse(&options, 4, line, error))
            fail_msg("accepted: %s with %zu bytes", own, strlen(huge));
        assert_true(strlen(error) > 0);
        options_free(&options);
    }
}

/* Values of one flag that are good, and that are not. */
static void test_option_values(void **state)
{
    static const struct {
        const char *flag, *value;
        bool good;
    } rows[] = {
        {"--target", "naa.0123456789abcdef", true},
        {"--target", "naa.0123456789abcdef0123456789abcdef", true},
        {"--target", "naa.0123", false},
        {"--target", "naa.012345678901234g", false},
        {"--target", "eui.0123456789abcdeg", false},
        {"--target", "iqn.2026-01.example:\xc3\xa4", true},
        {"--target", "iqn.a b", false},
        {"--portal", "[fe80::1]:1,0", true},
        {"--portal", "[zz]:1", false},
        {"--portal", "[::1:1", false},
        {"--portal", "a-b_c.d=127.0.0.1:1", true},
        {"--portal", "0123456789012345678901234567890123456789012345678901234567890123=127.0.0.1:1", false},
        {"--portal", "127.0.0.1:1,x", false},
        {"--portal", "127.0.0.1:", false},
        {"--drain-timeout", "0", true},
        {"--drain-timeout", "86400", true},
        {"--drain-timeout", "86401", false},
        {"--drain-timeout", "0.25", true},
        {"--drain-timeout", ".5", false},
        {"--drain-timeout", "1.", false},
        {"--drain-timeout", "1.x", false},
        {"--drain-timeout", "123456789012345678901234567890", false},
        {"--codes", "0000,SUCCESS,Not found", true},
        {"--codes", "0X0203", true},
        {"--codes", ",", false},
        {"--force", "NOT_FOUND@security", true},
        {"--force", "0203@first:*", true},
        {"--force", "", false},
        {"--force", "@final", false},
        {"--discovery-chap", "u:s", true},
        {"--discovery-chap", "u", false},
        {"--discovery-mutual-chap", "u:s", true},
        {"--discovery-mutual-chap", ":s", false},
        {"--discovery-chap-file", "/nonexistent", false},
        {"--discovery-mutual-chap-file", "/nonexistent", false},
        {"--log-level", "warning", true},
        {"--defect", "no-tpgt,", false},
        {"--defect", "", false},
    };
    static const struct {
        const char *flag, *value;
        bool good;
    } of_target[] = {
        {"--moved-temporarily", "disk.example.org:3260", true},
        {"--moved-temporarily", "[2001:db8::1]:3260", true},
        {"--moved-temporarily", "[2001:db8::1]", false},
        {"--moved-temporarily", "[disk]:3260", false},
        {"--moved-temporarily", "disk_1:3260", false},
        {"--moved-temporarily", ":3260", false},
        {"--moved-temporarily", "", false},
        {"--lun", "1K", true},
        {"--lun", "1k", true},
        {"--lun", "16G", true},
        {"--lun", "17G", false},
        {"--lun", "99999999999999999999", true}, /* too large for a size: a file of that name */
        {"--lun", "1KB", true},
        {"--max-connections", "65535", true},
        {"--max-connections", "65536", false},
        {"--alias", "x", true},
    };
    char error[OPTIONS_ERROR_MAX];
    struct options options;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] + sizeof of_target / sizeof of_target[0]; i++) {
        bool target = i >= sizeof rows / sizeof rows[0];
        size_t at = target ? i - sizeof rows / sizeof rows[0] : i;
        const char *flag = target ? of_target[at].flag : rows[at].flag,
                   *value = target ? of_target[at].value : rows[at].value;
        char *line[] = {(char *)"iscsispec-target",
                        (char *)(uintptr_t)(target ? "--target=iqn.x:1" : "--strict-redeclare"),
                        (char *)(uintptr_t)flag, (char *)(uintptr_t)value, NULL};
        bool good = options_parse(&options, 4, line, error);
        if (good != (target ? of_target[at].good : rows[at].good))
            fail_msg("%s '%s': %s", flag, value, good ? "accepted" : error);
        options_free(&options);
    }
}

static void test_credential_files(void **state)
{
    static char line[700], text[1500];
    static const struct {
        const char *flag;
        bool good;
    } flags[] = {{"--discovery-chap-file", true}, {"--discovery-mutual-chap-file", true}};
    char path[256], error[OPTIONS_ERROR_MAX];
    struct options options;

    (void)state;
    snprintf(path, sizeof path, "%s", in_folder("secrets"));
    write_file(path, "user:secret\n", 12);
    for (size_t i = 0; i < 2; i++) {
        char *words[] = {(char *)"iscsispec-target", (char *)(uintptr_t)flags[i].flag, path, NULL};
        assert_true(options_parse(&options, 3, words, error));
        options_free(&options);
    }
    /* a line without end, a NUL, a user and a secret of 256 bytes */
    memset(line, 'x', sizeof line);
    for (size_t i = 0; i < 4; i++) {
        size_t length = i == 0 ? sizeof line : 300;
        memset(text, 'x', sizeof text);
        memcpy(text, line, length);
        if (i == 1)
            memcpy(text, "us\0er:secret\n", 13);
        text[i == 2 ? 256 : 1] = ':';
        text[length] = '\n';
        write_file(path, text, length + 1);
        char *words[] = {(char *)"iscsispec-target", (char *)"--discovery-chap-file", path, NULL};
        if (options_parse(&options, 3, words, error))
            fail_msg("file %zu was accepted", i);
        assert_non_null(strstr(error, "line 1"));
        options_free(&options);
    }
    unlink(path);
    /* a folder is no file */
    char *words[] = {(char *)"iscsispec-target", (char *)"--discovery-chap-file", folder, NULL};
    assert_false(options_parse(&options, 3, words, error));
    options_free(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_without_memory),
        cmocka_unit_test(test_options_limits),
        cmocka_unit_test(test_option_values),
        cmocka_unit_test(test_credential_files),
    };

    return cmocka_run_group_tests_name("commandline", tests, make_folder, remove_folder);
}
