#include "harness/cli/found.h"

#include "harness/process.h"
#include "harness/runner.h"
#include "harness/survey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    FOUND_ANSWER_MS = 3000, /* for one answer, when nothing else is said */
};

/* What goes into the profile. The strings are borrowed. */
struct found {
    const struct address *address;
    const char *user, *secret_file;
    const char *open, *chap, *second; /* names of targets, NULL none */
    const char *refused;              /* how a plain login to `open` ended, NULL: well */
    const char *discovery;
    int tag;
    bool alias;
};

/* In double quotes, as YAML has them. */
static void put_quoted(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            fputc('\\', out);
        }
        fputc((unsigned char)*text < 0x20 ? ' ' : *text, out);
    }
    fputc('"', out);
}

/* Takes from the survey: the target that was named, else the first that is open, else the first of all. */
static void choose(struct found *f, const json_t *survey)
{
    const json_t *targets = json_object_get(survey, "targets");
    const json_t *best = NULL;

    f->discovery = result_string(survey, "discovery");
    for (size_t i = 0; i < json_array_size(targets); i++) {
        const json_t *target = json_array_get(targets, i);
        bool named = strcmp(f->address->name, result_string(target, "name")) == 0;

        if (named ||
            (f->address->name[0] == '\0' && (best == NULL || (strcmp(result_string(best, "login"), "open") != 0 &&
                                                              strcmp(result_string(target, "login"), "open") == 0)))) {
            best = target;
        }
        if (f->chap == NULL && strcmp(result_string(target, "login"), "chap") == 0) {
            f->chap = result_string(target, "name");
        }
    }
    if (best == NULL) {
        return;
    }
    f->open = result_string(best, "name");
    f->refused = strcmp(result_string(best, "login"), "open") == 0 ? NULL : result_string(best, "login");
    f->chap = f->refused != NULL && strcmp(f->refused, "chap") == 0 ? f->open : f->chap;
    f->tag = json_is_integer(json_object_get(best, "tag")) ? (int)json_integer_value(json_object_get(best, "tag")) : -1;
    f->alias = json_is_true(json_object_get(best, "alias"));
    for (size_t i = 0; f->second == NULL && i < json_array_size(targets); i++) {
        const json_t *target = json_array_get(targets, i);

        if (target != best && strcmp(result_string(target, "login"), "open") == 0) {
            f->second = result_string(target, "name");
        }
    }
}

static void put_target(FILE *out, const char *condition, const char *name)
{
    fprintf(out, "  %s: { target: ", condition);
    put_quoted(out, name);
    fputs(" }\n", out);
}

static void put_chap(FILE *out, const struct found *f)
{
    if (f->chap == NULL) {
        return;
    }
    if (f->user == NULL) {
        fputs("  # chap: { target: ", out);
        put_quoted(out, f->chap);
        fputs(", user: NAME, secret: { file: PATH } }\n", out);
        return;
    }
    fputs("  chap: { target: ", out);
    put_quoted(out, f->chap);
    fputs(", user: ", out);
    put_quoted(out, f->user);
    if (f->secret_file != NULL) {
        fputs(", secret: { file: ", out);
        put_quoted(out, f->secret_file);
        fputs(" } }\n", out);
    } else {
        fputs(", secret: { env: ISCSISPEC_SECRET } }\n", out);
    }
}

static void put_conditions(FILE *out, const struct found *f)
{
    bool only_chap = f->refused != NULL && strcmp(f->refused, "chap") == 0;

    fputs("conditions:\n", out);
    if (f->refused != NULL && !only_chap) {
        fprintf(out, "  # a plain login was not taken: %s\n", f->refused);
    }
    if (!only_chap || f->user == NULL) {
        put_target(out, "open", f->open != NULL ? f->open : f->address->name);
    }
    put_chap(out, f);
    if (f->second != NULL) {
        put_target(out, "second-target", f->second);
    }
    if (f->alias) {
        fputs("  alias: {}\n", out);
    }
    if (strcmp(f->discovery, "open") == 0) {
        fputs("  discovery: {}\n", out);
    } else {
        fprintf(out, "not-offered:\n  discovery: %s\n",
                strcmp(f->discovery, "chap") == 0 ? "discovery sessions are refused with 0201; they may want CHAP"
                                                  : "a discovery session was not granted");
    }
}

static void put_profile(FILE *out, const struct found *f)
{
    char when[32];
    time_t now = time(NULL);
    struct tm utc;

    gmtime_r(&now, &utc);
    strftime(when, sizeof(when), "%Y-%m-%d", &utc);
    fprintf(
        out,
        "# What a target showed of itself on %s. To say more of it, see docs/profiles.md: how it is started, which\n"
        "# further conditions it can be brought into (`iscsispec list conditions`), what it does not offer and why.\n",
        when);
    fputs("profile: target\ntitle: ", out);
    put_quoted(out, f->open != NULL && f->open[0] != '\0' ? f->open : f->address->host);
    fputs("\nportals:\n  main: { address: ", out);
    put_quoted(out, f->address->host);
    fprintf(out, ", port: %u", (unsigned)f->address->port);
    if (f->tag >= 0) {
        fprintf(out, ", tag: %d", f->tag);
    }
    fputs(" }\n", out);
    put_conditions(out, f);
}

/* What was found, for a person. */
static void tell(const struct found *f, const json_t *survey)
{
    fprintf(stderr, "iscsispec: discovery: %s; targets listed: %zu; login to %s: %s\n", f->discovery,
            json_array_size(json_object_get(survey, "listed")), f->open != NULL ? f->open : "?",
            f->refused == NULL ? "open" : (strcmp(f->refused, "none") == 0 ? "no answer" : f->refused));
    if (f->chap != NULL && f->user == NULL) {
        fprintf(stderr, "iscsispec: %s asks for CHAP; give --user and --secret-file to test that\n", f->chap);
    }
}

static struct profile *write_and_load(const struct cli *cli, const struct found *f, int *status)
{
    const char *wanted = cli->options.write_profile;
    char path[] = "/tmp/iscsispec-profile.XXXXXX.yaml";
    struct load_error err = {""};
    struct profile *profile = NULL;
    int fd = wanted == NULL ? mkstemps(path, 5) : -1;
    FILE *out = wanted != NULL ? fopen(wanted, "we") : (fd >= 0 ? fdopen(fd, "w") : NULL);

    if (out == NULL) {
        *status = cli_fail(wanted != NULL ? EXIT_USAGE : EXIT_FAULT, "%s%s: %s",
                           wanted != NULL ? "--write-profile " : "", wanted != NULL ? wanted : path, strerror(errno));
        return NULL;
    }
    put_profile(out, f);
    if (fclose(out) != 0) {
        *status = cli_fail(EXIT_FAULT, "%s: %s", wanted != NULL ? wanted : path, strerror(errno));
    } else {
        profile = profile_load(wanted != NULL ? wanted : path, NULL, &err);
        *status = profile != NULL ? 0 : cli_fail(EXIT_FAULT, "%s", err.text);
    }
    if (wanted == NULL) {
        unlink(path);
    }
    return profile;
}

/* Asks; NULL when the target cannot be reached, with the reason. */
static json_t *ask(const struct cli *cli, struct profile *plain, const char *name, char *err, size_t err_len)
{
    const struct options *o = &cli->options;
    struct hooks hooks;
    json_t *survey = NULL;

    process_block_signals(); /* Ctrl-C waits for the run, which then leaves a report */
    if (!hooks_init(&hooks, plain, NULL, err, err_len)) {
        return NULL;
    }
    if (hooks_start(&hooks, err, err_len) == HOOKS_OK) {
        survey = survey_target(&hooks, o->initiator != NULL ? o->initiator : RUNNER_INITIATOR, name,
                               o->timeout_ms > 0 ? o->timeout_ms : FOUND_ANSWER_MS);
        snprintf(err, err_len, "it gives no answer that could be used");
    }
    hooks_free(&hooks);
    return survey;
}

struct profile *found_profile(const struct cli *cli, const struct address *address, const char *secret, int *status)
{
    const struct options *o = &cli->options;
    struct found found = {.address = address, .user = o->user, .discovery = "none", .tag = -1};
    const char *name = address->name[0] != '\0' ? address->name : NULL;
    struct profile *plain = profile_from_target(address->host, address->port, name, o->user, secret);
    char *full = o->secret_file != NULL ? realpath(o->secret_file, NULL) : NULL;
    struct profile *profile = NULL;
    char err[512] = "";
    json_t *survey = plain != NULL ? ask(cli, plain, name, err, sizeof(err)) : NULL;

    found.secret_file = full;
    if (plain == NULL) {
        *status = cli_fail(EXIT_FAULT, "out of memory");
    } else if (survey == NULL && name != NULL && o->write_profile == NULL) {
        *status = 0; /* the run tells what is wrong with it */
        free(full);
        return plain;
    } else if (survey == NULL && process_interrupted()) {
        *status = EXIT_INTERRUPTED;
    } else if (survey == NULL) {
        *status = cli_fail(EXIT_UNREACHABLE, "--target %s: %s", o->target, err);
    } else {
        choose(&found, survey);
        if (found.open == NULL && name == NULL) {
            *status =
                cli_fail(EXIT_UNREACHABLE, "--target %s: it names no targets (discovery: %s); write the name: %s/NAME",
                         o->target, found.discovery, o->target);
        } else {
            tell(&found, survey);
            profile = write_and_load(cli, &found, status);
        }
    }
    json_decref(survey);
    profile_free(plain);
    free(full);
    return profile;
}
