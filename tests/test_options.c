/* The command line of the reference target: what flags set, what they refuse, and that every message helps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "reference_target/options.h"
#include "reference_target/values.h"

enum { WORDS_MAX = 80 };

/* Splits a line at blanks and parses it; the words live until the next call. */
static bool parse(struct options *options, const char *line, char *error)
{
    static char text[4096];
    char *argv[WORDS_MAX + 1] = {(char *)"iscsispec-target"};
    char *rest = text;
    int argc = 1;

    assert_true(strlen(line) < sizeof text);
    strcpy(text, line);
    while (*(rest += strspn(rest, " ")) != '\0') {
        assert_true(argc < WORDS_MAX);
        argv[argc++] = rest;
        rest += strcspn(rest, " ");
        if (*rest != '\0')
            *rest++ = '\0';
    }
    return options_parse(options, argc, argv, error);
}

static void parse_good(struct options *options, const char *line)
{
    char error[OPTIONS_ERROR_MAX];

    if (!parse(options, line, error))
        fail_msg("%s: %s", line, error);
}

static void test_defaults(void **state)
{
    struct options options;
    const struct config *config = &options.config;

    (void)state;
    parse_good(&options, "");
    assert_int_equal(options.action, OPTIONS_SERVE);
    assert_int_equal(options.drain_timeout_ms, 5000);
    assert_int_equal(config->portal_count, 1);
    assert_string_equal(config->portals[0].name, "main");
    assert_string_equal(config->portals[0].host, "127.0.0.1");
    assert_int_equal(config->portals[0].port, 3260);
    assert_int_equal(config->portals[0].tag, 1);
    assert_int_equal(config->portals[0].session_types, CONFIG_SESSION_ALL);
    assert_int_equal(config->target_count, 1);
    assert_string_equal(config->targets[0].name, OPTIONS_DEFAULT_TARGET);
    assert_int_equal(config->targets[0].portals, 0);
    assert_int_equal(config->codes, CONFIG_CODES_ALL);
    options_free(&options);
}

static void test_levels(void **state)
{
    struct options options;
    const struct config *config = &options.config;

    (void)state;
    parse_good(&options,
               "--force 0301 --alias everyone --drain-timeout 0.5 "
               "--portal a=127.0.0.1:0 --drain --portal [::1]:0,7 --max-sessions 3 --session-types normal "
               "--target iqn.2026-01.example:a --on c,a --chap me:sec:ret --allow iqn.x:1 --allow iqn.x:2 "
               "--portal c=0.0.0.0:99,0 "
               "--force 0203@final:iqn.*:z --moved-temporarily @c --max-connections 2 "
               "--target eui.0123456789ABCDEF --moved-permanently [::1]:99 --removed --fault --lun 3M --alias mine "
               "--mutual-chap you:secret");
    assert_int_equal(options.drain_timeout_ms, 500);
    assert_int_equal(config->portal_count, 3);
    assert_true(config->portals[0].drain);
    assert_false(config->portals[1].drain);
    assert_string_equal(config->portals[1].name, "portal2");
    assert_string_equal(config->portals[1].host, "::1");
    assert_int_equal(config->portals[1].tag, 7);
    assert_int_equal(config->portals[1].max_sessions, 3);
    assert_int_equal(config->portals[1].session_types, CONFIG_SESSION_NORMAL);
    assert_int_equal(config->portals[2].tag, 0);
    assert_int_equal(config->force_count, 1);
    assert_int_equal(config->forces[0].status, 0x0301);
    assert_string_equal(config->alias, "everyone");

    const struct config_target *a = &config->targets[0], *b = &config->targets[1];
    assert_int_equal(config->target_count, 2);
    assert_int_equal(a->portals, 5);
    assert_int_equal(a->auth.user_count, 1);
    assert_string_equal(a->auth.users[0].user, "me");
    assert_int_equal(a->auth.users[0].secret_length, 7);
    assert_memory_equal(a->auth.users[0].secret, "sec:ret", 7);
    assert_int_equal(a->allow_count, 2);
    assert_string_equal(a->allow[1], "iqn.x:2");
    assert_int_equal(a->force_count, 1);
    assert_int_equal(a->forces[0].status, 0x0203);
    assert_int_equal(a->forces[0].stage, CONFIG_STAGE_FINAL);
    assert_string_equal(a->forces[0].initiators, "iqn.*:z");
    assert_int_equal(a->moved, CONFIG_MOVED_TEMPORARILY);
    assert_null(a->moved_to);
    assert_int_equal(a->moved_portal, 2);
    assert_int_equal(a->max_connections, 2);
    assert_int_equal(b->moved, CONFIG_MOVED_PERMANENTLY);
    assert_string_equal(b->moved_to, "[::1]:99");
    assert_true(b->removed && b->fault);
    assert_int_equal(b->lun, CONFIG_LUN_RAM);
    assert_int_equal(b->lun_size, 3 << 20);
    assert_string_equal(b->alias, "mine");
    assert_string_equal(b->auth.mutual.user, "you");
    options_free(&options);
}

static void test_process_flags(void **state)
{
    struct options options;

    (void)state;
    parse_good(&options, "--codes 0000,0x0201,NOT_FOUND --strict-redeclare --login-timeout 2 --log-level debug "
                         "--defect no-tpgt,join-any-group --defect tsih-constant --discovery-chap a:b "
                         "--ready-file /r --control /c");
    assert_int_equal(options.config.codes,
                     config_code_bit(0x0000) | config_code_bit(0x0201) | config_code_bit(0x0203));
    assert_true(options.config.strict_redeclare);
    assert_int_equal(options.config.login_timeout_ms, 2000);
    assert_int_equal(options.log_level, NODE_LOG_DEBUG);
    assert_true(defects_has(&options.config.defects, DEFECT_NO_TPGT));
    assert_true(defects_has(&options.config.defects, DEFECT_JOIN_ANY_GROUP));
    assert_true(defects_has(&options.config.defects, DEFECT_TSIH_CONSTANT));
    assert_false(defects_has(&options.config.defects, DEFECT_TPGT_LATE));
    assert_int_equal(options.config.discovery.user_count, 1);
    assert_string_equal(options.ready_file, "/r");
    assert_string_equal(options.control_path, "/c");
    options_free(&options);
}

static void test_actions(void **state)
{
    static const struct { const char *line; enum options_action action; } rows[] = {
        {"--help", OPTIONS_HELP},
        {"-h", OPTIONS_HELP},
        {"--version --nonsense", OPTIONS_VERSION},
        {"--list-defects", OPTIONS_LIST_DEFECTS},
        {"--list-defects=json", OPTIONS_LIST_DEFECTS_JSON},
        {"--ctl /c drain main", OPTIONS_CONTROL},
    };
    struct options options;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        parse_good(&options, rows[i].line);
        assert_int_equal(options.action, rows[i].action);
        if (rows[i].action == OPTIONS_CONTROL)
            assert_string_equal(options.control_line, "drain main");
        options_free(&options);
    }
}

static void test_refusals(void **state)
{
    /* What stands on the line, and what the message has to hold: the flag, the reason, the way out. */
    static const struct { const char *line, *flag, *hint; } rows[] = {
        {"--portl 127.0.0.1:1", "--portl", "--portal"},
        {"--chaap", "--chaap", "--chap"},
        {"--qqqqqqqqq", "--qqqqqqqqq", "--help"},
        {"--portal", "--portal", "ADDR:PORT"},
        {"--removed=1", "--removed", "no value"},
        {"stray", "stray", "--target"},
        {"--drain", "--drain", "no --portal stands before it"},
        {"--target iqn.a:b --drain", "--drain", "no --portal stands before it"},
        {"--chap a:b", "--chap", "no --target stands before it"},
        {"--portal 127.0.0.1", "--portal '127.0.0.1'", "port is missing"},
        {"--portal 127.0.0.1:65536", "--portal", "0 to 65535"},
        {"--portal 127.0.0.1:-1", "--portal", "0 to 65535"},
        {"--portal 127.0.0.1:1,65536", "--portal", "portal group tag"},
        {"--portal ::1:3260", "--portal", "brackets"},
        {"--portal [::1]3260", "--portal", "brackets"},
        {"--portal localhost:3260", "--portal", "numeric"},
        {"--portal :3260", "--portal", "0.0.0.0"},
        {"--portal a/b=127.0.0.1:0", "--portal", "letters"},
        {"--portal =127.0.0.1:0", "--portal", "1 to 63"},
        {"--portal a=127.0.0.1:0 --portal a=127.0.0.1:0", "--portal", "another name"},
        {"--target disk", "--target 'disk'", "iqn."},
        {"--target iqn.", "--target", "iqn."},
        {"--target iqn.A", "--target", "lower-case"},
        {"--target eui.12", "--target", "16 hex"},
        {"--target iqn.a --target iqn.a", "--target", "before"},
        {"--target iqn.a --on nowhere", "--on 'nowhere'", "no portal named"},
        {"--target iqn.a --on main,", "--on", "no portal named ''"},
        {"--target iqn.a --moved-temporarily @nowhere", "--moved-temporarily", "no portal named"},
        {"--target iqn.a --moved-temporarily 1.2.3.4:5,1", "--moved-temporarily", "no portal group tag"},
        {"--target iqn.a --moved-temporarily 1.2.3.4:0", "--moved-temporarily", "1 to 65535"},
        {"--target iqn.a --moved-permanently @main --moved-temporarily @main", "--moved-temporarily", "already"},
        {"--target iqn.a --chap nosecret", "--chap", "USER:SECRET"},
        {"--target iqn.a --chap :secret", "--chap", "user name"},
        {"--target iqn.a --chap user:", "--chap", "secret"},
        {"--target iqn.a --chap u:1 --chap u:2", "--chap", "once"},
        {"--target iqn.a --mutual-chap u:1 --mutual-chap v:2", "--mutual-chap", "one USER:SECRET"},
        {"--target iqn.a --chap-file /nonexistent/file", "--chap-file '/nonexistent/file'", "cannot be opened"},
        {"--target iqn.a --allow me", "--allow", "iqn."},
        {"--target iqn.a --max-connections 0", "--max-connections", "1 to 65535"},
        {"--target iqn.a --max-connections 1x", "--max-connections", "1 to 65535"},
        {"--target iqn.a --max-connections 99999999999999999999", "--max-connections", "1 to 65535"},
        {"--target iqn.a --lun 511", "--lun", "512"},
        {"--target iqn.a --lun 999T", "--lun", "16G"},
        {"--target iqn.a --force 02zz", "--force", "four hexadecimal"},
        {"--target iqn.a --force 0203@late", "--force", "operational"},
        {"--target iqn.a --force 0000", "--force", "no refusal"},
        {"--target iqn.a --force 0203:", "--force", "glob"},
        {"--portal 127.0.0.1:0 --session-types any", "--session-types 'any'", "normal, discovery or all"},
        {"--portal 127.0.0.1:0 --max-sessions 0", "--max-sessions", "1 to 65535"},
        {"--codes 0000,0x02zz", "--codes '0000,0x02zz'", "0000,0201"},
        {"--codes 0000,", "--codes", "0000,0201"},
        {"--codes 020c", "--codes", "0000,0201"},
        {"--defect no-tpgtt", "--defect 'no-tpgtt'", "no-tpgt"},
        {"--defect nothing-like-it-at-all", "--defect", "--list-defects"},
        {"--list-defects=xml", "--list-defects", "json"},
        {"--drain-timeout x", "--drain-timeout", "seconds"},
        {"--drain-timeout 1.2345", "--drain-timeout", "seconds"},
        {"--login-timeout 0", "--login-timeout", "seconds"},
        {"--log-level loud", "--log-level 'loud'", "debug"},
        {"--ctl /c", "--ctl '/c'", "VERB"},
    };
    char error[OPTIONS_ERROR_MAX];
    struct options options;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (parse(&options, rows[i].line, error))
            fail_msg("accepted: %s", rows[i].line);
        if (strstr(error, rows[i].flag) == NULL || strstr(error, rows[i].hint) == NULL)
            fail_msg("%s: '%s' lacks '%s' or '%s'", rows[i].line, error, rows[i].flag, rows[i].hint);
        options_free(&options);
    }
}

/* A secret on the command line does not get into a message, which may end in a log. */
static void test_secret_stays_out(void **state)
{
    char error[OPTIONS_ERROR_MAX];
    struct options options;

    (void)state;
    assert_false(parse(&options, "--target iqn.a --chap u:topsecret --chap u:topsecret", error));
    assert_null(strstr(error, "topsecret"));
    options_free(&options);
}

static void write_file(char *path, const char *text, size_t length)
{
    int descriptor = mkstemp(path);

    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, length), length);
    close(descriptor);
}

static void test_chap_file(void **state)
{
    static const char good[] = "# who\n\nalice:wonderland-12\r\niqn.2026:host\tse:cret\nlast:line";
    static const struct { const char *text; const char *hint; } bad[] = {
        {"", "no USER:SECRET line"},
        {"# only\n", "no USER:SECRET line"},
        {"alice:x\nbob\n", "line 2"},
        {"a:b\na:c\n", "line 2"},
        {":x\n", "line 1"},
    };
    char path[] = "/tmp/iscsispec-options-XXXXXX", line[256], error[OPTIONS_ERROR_MAX];
    struct options options;

    (void)state;
    write_file(path, good, sizeof good - 1);
    snprintf(line, sizeof line, "--target iqn.a --chap-file %s", path);
    parse_good(&options, line);
    assert_int_equal(options.config.targets[0].auth.user_count, 3);
    assert_string_equal(options.config.targets[0].auth.users[1].user, "iqn.2026:host");
    assert_int_equal(options.config.targets[0].auth.users[1].secret_length, 7);
    options_free(&options);
    snprintf(line, sizeof line, "--target iqn.a --mutual-chap-file %s", path);
    assert_false(parse(&options, line, error));
    assert_non_null(strstr(error, "there are 3"));
    options_free(&options);
    unlink(path);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        strcpy(path + strlen(path) - 6, "XXXXXX");
        write_file(path, bad[i].text, strlen(bad[i].text));
        snprintf(line, sizeof line, "--target iqn.a --chap-file %s", path);
        assert_false(parse(&options, line, error));
        if (strstr(error, bad[i].hint) == NULL)
            fail_msg("'%s' lacks '%s'", error, bad[i].hint);
        options_free(&options);
        unlink(path);
    }
}

static void test_lun_file(void **state)
{
    struct options options;

    (void)state;
    parse_good(&options, "--target iqn.a --lun ./64M --target iqn.b --lun disk.img --target iqn.c --lun 1000");
    assert_int_equal(options.config.targets[0].lun, CONFIG_LUN_FILE);
    assert_string_equal(options.config.targets[0].lun_path, "./64M");
    assert_string_equal(options.config.targets[1].lun_path, "disk.img");
    assert_int_equal(options.config.targets[2].lun_size, 512);
    options_free(&options);
}

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; options_at(i) != NULL; i++) {
        const struct options_row *row = options_at(i);
        assert_true(strlen(row->help) > 10);
        assert_int_equal(row->placeholder[0] == '\0', row->argument == OPTIONS_NO_ARGUMENT);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(row->name, options_at(j)->name);
    }
}

static void test_numbers(void **state)
{
    uint64_t number;
    uint32_t milliseconds;

    (void)state;
    assert_true(values_number("18446744073709551615", 0, UINT64_MAX, &number));
    assert_int_equal(number, UINT64_MAX);
    assert_false(values_number("18446744073709551616", 0, UINT64_MAX, &number));
    assert_false(values_number("", 0, 9, &number));
    assert_false(values_number("+1", 0, 9, &number));
    assert_true(values_size("2G", &number));
    assert_int_equal(number, UINT64_C(2) << 30);
    assert_false(values_size("99999999999T", &number));
    assert_false(values_size("1MB", &number));
    assert_false(values_size("0", &number));
    assert_true(values_seconds("86400.999", &milliseconds));
    assert_int_equal(milliseconds, 86400999);
    assert_true(values_seconds("1.5", &milliseconds));
    assert_int_equal(milliseconds, 1500);
    assert_false(values_seconds(".", &milliseconds));
    assert_false(values_seconds("86401", &milliseconds));
    assert_int_equal(values_distance("kitten", "sitting"), 3);
    assert_int_equal(values_distance("", "abc"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),         cmocka_unit_test(test_levels),
        cmocka_unit_test(test_process_flags),    cmocka_unit_test(test_actions),
        cmocka_unit_test(test_refusals),         cmocka_unit_test(test_secret_stays_out),
        cmocka_unit_test(test_chap_file),        cmocka_unit_test(test_lun_file),
        cmocka_unit_test(test_table),            cmocka_unit_test(test_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
