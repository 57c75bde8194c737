#include "harness/cli/cli.h"
#include "harness/cli/fuzz_screen.h"
#include "harness/folder.h"
#include "harness/hooks.h"
#include "harness/netfuzz.h"
#include "harness/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define FUZZ_OUT "iscsispec-fuzz"

/* Each execution holds up to four descriptors. */
static void raise_files(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

/*
 * AddressSanitizer holds back what a target frees, 256 MB of it: that would look like a leak for hours. What the user
 * says of it counts.
 */
static void limit_quarantine(void)
{
    setenv("ASAN_OPTIONS", "quarantine_size_mb=1", 0);
}

static int check_options(const struct options *o)
{
    if (o->words.count > 0) {
        return cli_fail(EXIT_USAGE, "fuzz: '%s' is too much", o->words.items[0]);
    }
    if (o->connections > NETFUZZ_CONNECTIONS_MAX) {
        return cli_fail(EXIT_USAGE, "--connections %d: at most %d", o->connections, NETFUZZ_CONNECTIONS_MAX);
    }
    for (size_t i = 0; i < o->corpus.count; i++) {
        if (access(o->corpus.items[i], R_OK) != 0) {
            return cli_fail(EXIT_USAGE, "--corpus %s: %s", o->corpus.items[i], strerror(errno));
        }
    }
    if (o->replay != NULL && access(o->replay, R_OK) != 0) {
        return cli_fail(EXIT_USAGE, "--replay %s: %s", o->replay, strerror(errno));
    }
    return 0;
}

static int fuzz_with(struct cli *cli, struct profile *profile, const char *binary)
{
    const struct options *o = &cli->options;
    const char *out = o->out != NULL ? o->out : FUZZ_OUT;
    struct fuzz_screen screen;
    struct netfuzz_stats stats;
    char log[PATH_MAX], err[PATH_MAX + 512] = "out of memory";
    struct hooks hooks;
    uint64_t seed = cli_seed(o);
    struct netfuzz_options options = {
        .hooks = &hooks,
        .cases = &cli->cases,
        .rules = cli->rules,
        .profile_name = o->target != NULL ? NULL : (o->profile != NULL ? o->profile : "reference"),
        .target_url = o->target,
        .initiator = o->initiator,
        .out = out,
        .corpus = o->corpus.items,
        .corpus_count = o->corpus.count,
        .time_ms = (int64_t)o->time_ms,
        .execs = o->execs,
        .connections = (size_t)o->connections,
        .patience_ms = o->patience_ms,
        .listener = {fuzz_screen_progress, fuzz_screen_remark, &screen},
    };
    int status;

    if (folder_make(out) != 0) {
        return cli_fail(EXIT_USAGE, "--out %s: %s; give a directory that can be written", out, strerror(errno));
    }
    if (!o->has_seed) { /* a run that goes on keeps its seed */
        netfuzz_kept_seed(out, &seed);
    }
    options.seed = seed;
    snprintf(log, sizeof(log), "%s/target.log", out);
    fuzz_screen_init(&screen, o->quiet, options.time_ms, options.execs);
    if (!hooks_init(&hooks, profile, log, err, sizeof(err))) {
        return cli_fail(EXIT_FAULT, "%s", err);
    }
    hooks.binary = binary;
    hooks.extra = o->extra != NULL ? o->extra : "";
    hooks.external = o->portals.count > 0;
    status = (int)(o->replay != NULL ? netfuzz_replay(&options, o->replay, &stats, err, sizeof(err))
                                     : netfuzz_run(&options, &stats, err, sizeof(err)));
    fuzz_screen_end(&screen);
    if (o->replay == NULL && stats.ended != 0) {
        fuzz_screen_summary(&stats, out);
    }
    hooks_free(&hooks);
    if (status == EXIT_INTERRUPTED) {
        cli_fail(0, "interrupted; the same command goes on where it was");
    } else if (err[0] != '\0') {
        cli_fail(0, "%s", err);
    }
    return status;
}

int cli_fuzz(struct cli *cli)
{
    struct profile *profile = NULL;
    char binary[PATH_MAX] = "";
    int status = check_options(&cli->options);

    if (status == 0) {
        status = cli_load_cases(cli);
    }
    if (status == 0) {
        profile = cli_load_profile(cli, &status);
    }
    if (status == 0 && profile != NULL) {
        status = cli_find_target_binary(cli, binary, sizeof(binary));
    }
    if (status == 0 && profile != NULL) {
        raise_files();
        limit_quarantine();
        status = fuzz_with(cli, profile, binary);
    }
    if (profile != NULL) {
        profile_free(profile);
    }
    return status;
}
