#include "harness/cli/address.h"
#include "harness/cli/cli.h"
#include "harness/cli/replay_report.h"
#include "harness/hooks.h"
#include "harness/process.h"
#include "harness/recording.h"
#include "harness/replay.h"
#include "harness/replay_routing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { REPLAY_TIMEOUT_MS = 5000, PROGRESS_MS = 200 };

/* All that one replay holds. */
struct session {
    struct cli *cli;
    struct recording recording;
    struct replay_script script;
    struct profile *profile;
    struct hooks hooks;
    bool started;
    struct replay_routing routing;
    int64_t drawn_ms;
};

static int fail_hooks(enum hooks_status status, const char *err)
{
    switch (status) {
    case HOOKS_OK:
        return 0;
    case HOOKS_UNREACHABLE:
        return cli_fail(EXIT_UNREACHABLE, "%s", err);
    case HOOKS_FAULT:
        return cli_fail(EXIT_FAULT, "%s", err);
    case HOOKS_INTERRUPTED:
        return cli_fail(EXIT_INTERRUPTED, "interrupted");
    }
    return EXIT_FAULT;
}

/* secret: of --user, "" none. */
static int read_credentials(const struct options *o, char *secret, size_t secret_len)
{
    char err[256];

    if (address_read_secret(o->secret_file, secret, secret_len, err, sizeof(err)) != 0) {
        return cli_fail(EXIT_USAGE, "--secret-file %s: %s", o->secret_file, err);
    }
    if (o->user != NULL && secret[0] == '\0') {
        return cli_fail(EXIT_USAGE, "--user %s: its secret is missing; use --secret-file FILE or ISCSISPEC_SECRET",
                        o->user);
    }
    if (o->user == NULL && o->secret_file != NULL) {
        return cli_fail(EXIT_USAGE, "--secret-file %s: whose secret is it? Give --user NAME as well", o->secret_file);
    }
    return 0;
}

static int profile_of_target(struct session *s, const char *secret)
{
    const struct options *o = &s->cli->options;
    struct address address;
    char err[256];

    if (address_parse_url(o->target, &address, err, sizeof(err)) != 0) {
        return cli_fail(EXIT_USAGE, "--target %s: %s", o->target, err);
    }
    s->profile =
        profile_from_target(address.host, address.port, address.name, o->user, o->user != NULL ? secret : NULL);
    return s->profile != NULL ? 0 : cli_fail(EXIT_FAULT, "out of memory");
}

/* A profile names its own credentials; those of the command line stand in their place. */
static int profile_of_name(struct session *s, const char *secret)
{
    const struct options *o = &s->cli->options;
    struct load_error err = {""};

    s->profile = profile_load(o->profile, s->cli->data.profiles, &err);
    if (s->profile == NULL) {
        return cli_fail(EXIT_USAGE, "%s", err.text);
    }
    if (o->user != NULL && !profile_use_credentials(s->profile, o->user, secret)) {
        return cli_fail(EXIT_FAULT, "out of memory");
    }
    return 0;
}

static int load_profile(struct session *s)
{
    const struct options *o = &s->cli->options;
    char secret[256] = "";
    int status;

    if ((o->target == NULL) == (o->profile == NULL)) {
        return cli_fail(EXIT_USAGE, "replay: against what? Give --target URL or --profile NAME, one of them");
    }
    status = read_credentials(o, secret, sizeof(secret));
    if (status == 0) {
        status = o->target != NULL ? profile_of_target(s, secret) : profile_of_name(s, secret);
    }
    explicit_bzero(secret, sizeof(secret));
    return status;
}

static int read_recording(struct session *s, const char *path)
{
    int status = cli_read_recording(s->cli, path, &s->recording);

    if (status != 0) {
        return status;
    }
    return replay_script_make(s->recording.transcript, &s->script) ? 0 : cli_fail(EXIT_FAULT, "out of memory");
}

/* Starts the profile's target, or finds the one that runs. */
static int start_target(struct session *s)
{
    char err[8192] = "", binary[PATH_MAX] = "";
    enum hooks_status status;

    if (!hooks_init(&s->hooks, s->profile, NULL, err, sizeof(err))) {
        return cli_fail(EXIT_FAULT, "%s", err);
    }
    s->started = true;
    datadir_find_binary(&s->cli->data, "iscsispec-target", binary, sizeof(binary));
    s->hooks.binary = s->cli->options.target_binary != NULL ? s->cli->options.target_binary : binary;
    status = hooks_start(&s->hooks, err, sizeof(err));
    s->hooks.binary = "";
    return fail_hooks(status, err);
}

/* The conditions that the recorded logins show. */
static int arm(struct session *s)
{
    char err[1024] = "";

    for (size_t i = 0; i < s->script.source_count; i++) {
        const struct profile_condition *c = replay_routing_condition(s->profile, &s->script.sources[i].facts);
        enum hooks_status status =
            c != NULL ? hooks_arm(&s->hooks, (size_t)(c - s->profile->conditions), err, sizeof(err)) : HOOKS_OK;

        if (status != HOOKS_OK) {
            return fail_hooks(status, err);
        }
    }
    return 0;
}

static void show_progress(void *user, size_t done, size_t total)
{
    struct session *s = user;
    int64_t now = process_now_ms();

    if (s->cli->options.quiet || !isatty(STDERR_FILENO) || (now - s->drawn_ms < PROGRESS_MS && done < total)) {
        return;
    }
    s->drawn_ms = now;
    fprintf(stderr, done < total ? "\r\033[Kreplay: step %zu of %zu" : "\r\033[K", done, total);
}

static int pace_of(const struct options *o, bool *original)
{
    *original = o->pace != NULL && strcmp(o->pace, "original") == 0;
    if (o->pace == NULL || *original || strcmp(o->pace, "fast") == 0) {
        return 0;
    }
    return cli_fail(EXIT_USAGE, "--pace %s: `original`, as in the capture, or `fast`, as the answers come", o->pace);
}

static uint64_t seed_of(const struct options *o)
{
    uint64_t seed = o->seed;

    if (!o->has_seed && getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
        seed = (uint64_t)process_now_us();
    }
    return seed;
}

/* What the auditor and the ladder may know of both. */
static void fill_context(struct session *s, struct transcript *live)
{
    live->context.live = true;
    live->context.close_grace_ms = s->profile->close_grace_ms;
    live->context.rfc3720 = s->profile->rfc3720;
    s->recording.transcript->context.rfc3720 = s->profile->rfc3720;
    for (size_t i = 0; i < s->script.source_count; i++) {
        const struct replay_source *source = &s->script.sources[i];
        const char *secret = s->routing.routes[i].secret;

        if (secret == NULL) {
            continue;
        }
        snprintf(live->context.chap_secret, sizeof(live->context.chap_secret), "%s", secret);
        if (login_facts_check_secret(&source->facts, secret) == LOGIN_CHAP_FITS) {
            snprintf(s->recording.transcript->context.chap_secret, sizeof(s->recording.transcript->context.chap_secret),
                     "%s", secret);
        }
    }
}

static int print(const struct replay_report *r, const struct options *o, const char *out)
{
    char err[PATH_MAX + 512];

    if (replay_report_save(r, out, err, sizeof(err)) != 0) {
        return cli_fail(EXIT_FAULT, "%s", err);
    }
    if (o->format != NULL && strcmp(o->format, "json") == 0) {
        json_t *json = replay_report_json(r);
        int rc = json != NULL ? json_dumpf(json, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : -1;

        json_decref(json);
        putchar('\n');
        return rc == 0 ? 0 : cli_fail(EXIT_FAULT, "out of memory");
    }
    if (!o->quiet) {
        replay_report_print(stdout, r);
        printf("evidence: %s\n", out);
    }
    return 0;
}

static int play(struct session *s, const char *file, bool original_pace)
{
    const struct options *o = &s->cli->options;
    struct transcript *live = transcript_new();
    struct replay_result result = {0};
    const struct replay_options options = {
        .routes = s->routing.routes,
        .names = &s->routing.names,
        .original_pace = original_pace,
        .timeout_ms = o->timeout_ms > 0            ? o->timeout_ms
                      : s->profile->timeout_ms > 0 ? s->profile->timeout_ms
                                                   : REPLAY_TIMEOUT_MS,
        .close_grace_ms = s->profile->close_grace_ms,
        .seed = seed_of(o),
        .interrupted = process_interrupted,
        .progress = show_progress,
        .user = s,
    };
    struct replay_report report = {.file = file,
                                   .target = s->profile->title,
                                   .rules = s->cli->rules,
                                   .recording = &s->recording,
                                   .script = &s->script,
                                   .live = live,
                                   .result = &result};
    int status;

    if (live == NULL) {
        return cli_fail(EXIT_FAULT, "out of memory");
    }
    fill_context(s, live);
    if (replay_run(&s->script, &options, live, &result) != 0 || !replay_report_audit(&report)) {
        status = cli_fail(EXIT_FAULT, "out of memory");
    } else {
        report.status = (int)replay_report_status(&report);
        status = print(&report, o, o->out != NULL ? o->out : "iscsispec-replay");
        if (status == 0 && report.status == EXIT_UNREACHABLE) {
            cli_fail(0, "%s", result.unreachable);
        }
        status = status != 0 ? status : report.status;
    }
    replay_report_free(&report);
    replay_result_free(&result);
    transcript_free(live);
    return status;
}

static int replay(struct session *s, const char *file)
{
    const struct options *o = &s->cli->options;
    char err[1024] = "";
    bool original = false;
    int status = pace_of(o, &original);

    if (status == 0 && o->format != NULL && strcmp(o->format, "json") != 0 && strcmp(o->format, "text") != 0) {
        status = cli_fail(EXIT_USAGE, "--format %s: text or json", o->format);
    }
    status = status != 0 ? status : cli_load_rules(s->cli);
    status = status != 0 ? status : load_profile(s);
    status = status != 0 ? status : read_recording(s, file);
    status = status != 0 ? status : start_target(s);
    if (status == 0 &&
        replay_routing_make(&s->script, s->profile, o->maps.items, o->maps.count, &s->routing, err, sizeof(err)) != 0) {
        status = cli_fail(EXIT_USAGE, "%s", err);
    }
    status = status != 0 ? status : arm(s);
    return status != 0 ? status : play(s, file, original);
}

int cli_replay(struct cli *cli)
{
    struct session s = {.cli = cli};
    int status;

    if (cli->options.words.count != 1) {
        return cli_fail(EXIT_USAGE, "replay: %s",
                        cli->options.words.count == 0 ? "which capture? Give one pcap or pcapng file"
                                                      : "one capture at a time");
    }
    process_block_signals();
    status = replay(&s, cli->options.words.items[0]);
    if (s.started) {
        hooks_stop(&s.hooks);
        hooks_free(&s.hooks);
    }
    replay_routing_free(&s.routing);
    replay_script_free(&s.script);
    recording_free(&s.recording);
    if (s.profile != NULL) {
        profile_free(s.profile);
    }
    return status;
}
