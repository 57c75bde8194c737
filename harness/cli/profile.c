/* `iscsispec profile check FILE`: everything in a profile is tried, and what works is said. */
#include "harness/cli/cli.h"
#include "harness/folder.h"
#include "harness/hooks.h"
#include "harness/probe.h"
#include "harness/process.h"
#include "harness/reach.h"
#include "harness/runner.h"
#include "harness/survey.h"
#include "harness/waivers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CHECK_ANSWER_MS = 3000,
    CHECK_REACH_MS = 2500,
};

struct check {
    const struct cli *cli;
    struct profile *profile;
    struct hooks hooks;
    int timeout_ms;
    size_t good, bad;
    int status; /* exit status of the worst that was found */
};

static void say(struct check *c, bool good, int status, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* One line about one thing. */
static void say(struct check *c, bool good, int status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs(good ? "works  " : "FAILS  ", stdout);
    vprintf(format, args);
    putchar('\n');
    fflush(stdout);
    va_end(args);
    c->good += good;
    c->bad += !good;
    if (!good && c->status < status) {
        c->status = status;
    }
}

static const char *initiator_of(const struct check *c)
{
    return c->cli->options.initiator != NULL ? c->cli->options.initiator : RUNNER_INITIATOR;
}

/* Start or reach, ready, set-up. False: there is nothing more to try. */
static bool check_start(struct check *c)
{
    bool ours = c->profile->start != NULL;
    int64_t from = process_now_ms();
    char err[4096] = "";
    enum hooks_status status = hooks_start(&c->hooks, err, sizeof(err));

    if (status == HOOKS_OK) {
        say(c, true, 0, "%s after %lld ms%s", ours ? "start: ready" : "portals: reached",
            (long long)(process_now_ms() - from), c->profile->setup != NULL ? ", setup done" : "");
        return true;
    }
    say(c, false, status == HOOKS_FAULT ? EXIT_FAULT : EXIT_UNREACHABLE, "%s: %s", ours ? "start" : "portals", err);
    return false;
}

static void check_portals(struct check *c)
{
    for (size_t i = 0; i < c->profile->portal_count; i++) {
        const struct profile_portal *p = &c->profile->portals[i];
        int error = p->port != 0 ? reach_connect(p->address, p->port, CHECK_REACH_MS) : 0;

        if (p->port == 0) {
            say(c, true, 0, "portal %s: left out by the target", p->name);
        } else if (error == 0) {
            say(c, true, 0, "portal %s: %s port %u takes connections", p->name, p->address, (unsigned)p->port);
        } else {
            say(c, false, EXIT_UNREACHABLE, "portal %s: %s port %u: %s", p->name, p->address, (unsigned)p->port,
                strerror(error));
        }
    }
}

static void check_version(struct check *c)
{
    char version[256], err[512];

    if (c->profile->version != NULL) {
        bool told = hooks_version(&c->hooks, version, sizeof(version), err, sizeof(err)) == HOOKS_OK;

        say(c, told, EXIT_FAULT, "version: %s", told ? version : err);
    }
}

static void check_login(struct check *c, const char *when)
{
    int64_t us = 0;
    char err[256];

    if (probe_login(&c->hooks, initiator_of(c), 1, c->timeout_ms, &us, err, sizeof(err))) {
        say(c, true, 0, "plain login %s: %lld.%03lld ms", when, (long long)(us / 1000), (long long)(us % 1000));
    } else {
        say(c, false, EXIT_FINDINGS, "plain login %s: %s", when, err);
    }
}

static bool gives(const struct profile_condition *p, const char *status)
{
    char code[8];

    for (size_t i = 0; i < p->code_count; i++) {
        snprintf(code, sizeof(code), "0x%04x", (unsigned)p->codes[i]);
        if (status != NULL && strcmp(code, status) == 0) {
            return true;
        }
    }
    return false;
}

/* Conditions whose code shows with the first login already. The others need what only a case does. */
static bool shows_at_once(const char *name)
{
    static const char *const at_once[] = {
        "denied",    "drained", "moved-permanently", "moved-temporarily", "no-discovery", "removed", "store-fault",
        "elsewhere", NULL};

    for (const char *const *one = at_once; *one != NULL; one++) {
        if (strcmp(*one, name) == 0) {
            return true;
        }
    }
    return false;
}

static void judge_condition(struct check *c, const struct profile_condition *p, const json_t *seen)
{
    const char *status = json_string_value(json_object_get(seen, "status"));
    bool login = json_is_true(json_object_get(seen, "ffp"));
    bool refused = shows_at_once(p->name);
    bool good = refused ? !login && (p->code_count == 0 || gives(p, status)) : login;
    char wanted[128] = "";

    for (size_t i = 0; refused && i < p->code_count && strlen(wanted) < 100; i++) {
        snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), "%s0x%04x",
                 i > 0 ? " or " : "; its codes say ", (unsigned)p->codes[i]);
    }
    say(c, good, EXIT_FINDINGS, "condition %s: %s%s%s%s", p->name, p->arm != NULL ? "armed; " : "",
        login ? "a login succeeds" : (status != NULL ? "a login is answered with " : "a login is not answered"),
        login || status == NULL ? "" : status, good ? "" : (refused ? wanted : "; it should succeed"));
}

static void check_condition(struct check *c, size_t index)
{
    const struct profile_condition *p = &c->profile->conditions[index];
    char err[1024];
    json_t *seen;

    if (hooks_arm(&c->hooks, index, err, sizeof(err)) != HOOKS_OK) {
        say(c, false, EXIT_FAULT, "condition %s: %s", p->name, err);
    } else {
        seen = survey_condition(&c->hooks, initiator_of(c), p->name, c->timeout_ms);
        judge_condition(c, p, seen);
        json_decref(seen);
    }
    if (hooks_disarm(&c->hooks, index, err, sizeof(err)) != HOOKS_OK) {
        say(c, false, EXIT_FAULT, "condition %s: %s", p->name, err);
    }
}

static void check_controls(struct check *c)
{
    char err[1024];

    for (size_t i = 0; i < c->profile->control_count; i++) {
        const char *verb = c->profile->controls[i].name;
        int64_t from = process_now_ms();
        enum hooks_status status = hooks_control(&c->hooks, verb, err, sizeof(err));

        if (status == HOOKS_OK) {
            say(c, true, 0, "control %s: %lld ms", verb, (long long)(process_now_ms() - from));
        } else {
            say(c, false, EXIT_FAULT, "%s", err);
        }
    }
}

static void check_waivers(struct check *c)
{
    for (size_t i = 0; i < c->profile->waivers.count; i++) {
        const char *path = c->profile->waivers.items[i];

        say(c, access(path, R_OK) == 0, EXIT_USAGE, "waivers: %s", path);
    }
}

static void check_end(struct check *c)
{
    char line[256];
    bool ours = c->profile->start != NULL;
    int64_t from;

    say(c, hooks_alive(&c->hooks), EXIT_UNREACHABLE, "alive: %s",
        ours ? "the target runs" : "the first portal takes connections");
    if (c->profile->crash != NULL) {
        bool crashed = hooks_log_tells_crash(&c->hooks, line, sizeof(line));

        say(c, !crashed, EXIT_FINDINGS, "log: %s%s", crashed ? "it tells a crash: " : "it tells no crash",
            crashed ? line : "");
    }
    from = process_now_ms();
    hooks_stop(&c->hooks);
    if (ours) {
        bool forced = process_now_ms() - from >= c->profile->stop_ms;

        say(c, !forced, EXIT_FAULT, "stop: %s%lld ms", forced ? "it had to be killed after " : "gone after ",
            (long long)(process_now_ms() - from));
    }
}

static void check_all(struct check *c)
{
    if (!check_start(c)) {
        return;
    }
    check_portals(c);
    check_version(c);
    check_login(c, "at first");
    for (size_t i = 0; i < c->profile->condition_count && !process_interrupted(); i++) {
        check_condition(c, i);
    }
    check_controls(c);
    check_waivers(c);
    check_login(c, "at the end");
    check_end(c);
}

static int check_profile(struct cli *cli, const char *name)
{
    const char *out = cli->options.out != NULL ? cli->options.out : CLI_DEFAULT_OUT;
    struct check c = {.cli = cli};
    struct load_error problem = {""};
    char binary[PATH_MAX] = "", log[PATH_MAX], err[512];
    int status = cli_find_data(cli);

    if (status == 0) {
        status = cli_find_target_binary(cli, binary, sizeof(binary));
    }
    if (status != 0) {
        return status;
    }
    c.profile = profile_load(name, cli->data.profiles, &problem);
    if (c.profile == NULL) {
        return cli_fail(EXIT_USAGE, "%s", problem.text);
    }
    say(&c, true, 0, "file: %s, %zu portals, %zu conditions, %zu controls", c.profile->at.file, c.profile->portal_count,
        c.profile->condition_count, c.profile->control_count);
    c.timeout_ms = c.profile->timeout_ms > 0 ? c.profile->timeout_ms : CHECK_ANSWER_MS;
    snprintf(log, sizeof(log), "%s/target.log", out);
    if (folder_make(out) != 0) {
        status = cli_fail(EXIT_USAGE, "--out %s: it cannot be made; give a directory that can be written", out);
    } else if (!hooks_init(&c.hooks, c.profile, log, err, sizeof(err))) {
        status = cli_fail(EXIT_FAULT, "%s", err);
    } else {
        unlink(log);
        c.hooks.binary = binary;
        process_block_signals();
        check_all(&c);
        status = process_take_interrupt() ? EXIT_INTERRUPTED : c.status;
        hooks_free(&c.hooks);
        printf("%zu work, %zu fail\n", c.good, c.bad);
    }
    profile_free(c.profile);
    return status;
}

int cli_profile(struct cli *cli)
{
    const struct options_list *words = &cli->options.words;

    if (words->count != 2 || strcmp(words->items[0], "check") != 0) {
        return cli_fail(EXIT_USAGE, "profile: write `iscsispec profile check FILE` (or the name of a shipped one)");
    }
    return check_profile(cli, words->items[1]);
}
