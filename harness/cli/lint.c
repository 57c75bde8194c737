/* iscsispec lint: captures in, reports out. */
#include "harness/cli/cli.h"
#include "harness/lint.h"
#include "harness/process.h"
#include "reports/lint_writers.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORMATS_MAX 8u
#define PERIOD_MS   200

/* Set by SIGINT and SIGTERM: what was read until then is still reported. */
static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* One report, to a file or to standard output. */
struct output {
    char format[16];
    const char *path; /* NULL: standard output */
    FILE *file;
    struct lint_writer writer;
};

struct lint_run {
    struct output outputs[FORMATS_MAX];
    struct lint_sink sinks[FORMATS_MAX + 1]; /* and the one that complains */
    size_t count;
    bool live; /* a line that moves is shown */
    int64_t begun_ms, drawn_ms;
};

/* ---- outputs ---- */

/* FORMAT or FORMAT=FILE. */
static int add_output(struct lint_run *run, const char *word, bool brief)
{
    const char *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);
    struct output *o = &run->outputs[run->count];

    if (run->count == FORMATS_MAX)
        return cli_fail(EXIT_USAGE, "--format: more than %u of them", FORMATS_MAX);
    snprintf(o->format, sizeof o->format, "%.*s", len < sizeof o->format ? (int)len : 0, word);
    o->path = equals && equals[1] != '\0' && strcmp(equals + 1, "-") != 0 ? equals + 1 : NULL;
    if (!lint_writer_open(&o->writer, o->format, stdout, brief, &run->sinks[run->count]))
        return cli_fail(EXIT_USAGE, "--format %s: it is text, json, sarif or html, or one of them with =FILE", word);
    for (size_t i = 0; i < run->count; i++)
        if ((!o->path && !run->outputs[i].path) ||
            (o->path && run->outputs[i].path && strcmp(o->path, run->outputs[i].path) == 0))
            return cli_fail(EXIT_USAGE, "--format %s: %s has another report already", word,
                            o->path ? o->path : "standard output");
    run->count++;
    return 0;
}

static int open_outputs(struct lint_run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        struct output *o = &run->outputs[i];

        o->file = o->path ? fopen(o->path, "w") : stdout;
        if (!o->file)
            return cli_fail(EXIT_FAULT, "%s: cannot be written: %s", o->path, strerror(errno));
        o->writer.out = o->file;
    }
    return 0;
}

static int close_outputs(struct lint_run *run)
{
    int status = 0;

    for (size_t i = 0; i < run->count; i++) {
        struct output *o = &run->outputs[i];

        if (o->file && o->path && fclose(o->file) != 0)
            status = cli_fail(EXIT_FAULT, "%s: cannot be written: %s", o->path, strerror(errno));
        o->file = NULL;
    }
    return status;
}

/* ---- progress ---- */

static void draw(struct lint_run *run, const char *file, const struct capture *capture)
{
    int64_t now = process_now_ms();
    uint64_t done, total;

    if (!run->live || now - run->drawn_ms < PERIOD_MS)
        return;
    run->drawn_ms = now;
    capture_progress(capture, &done, &total);
    fprintf(stderr, "\r\033[K%.60s: ", file);
    if (total > 0 && done > 0) {
        double seconds = (double)(now - run->begun_ms) / 1000.0;

        fprintf(stderr, "%" PRIu64 " %%, %.0f s left", done * 100 / total,
                seconds * (double)(total > done ? total - done : 0) / (double)done);
    } else {
        fprintf(stderr, "%" PRIu64 " MB", done >> 20);
    }
    fprintf(stderr, ", %" PRIu64 " frames, %" PRIu64 " iSCSI connections", capture_counts(capture)->frames,
            capture_counts(capture)->iscsi);
}

static bool stop(void *context, const char *file, const struct capture *capture)
{
    struct lint_run *run = context;

    if (capture_counts(capture)->frames == 0)
        run->begun_ms = process_now_ms();
    draw(run, file, capture);
    return interrupted != 0;
}

/* ---- the command ---- */

static int exit_status(const struct cli *cli, enum lint_result result, const struct lint_totals *t)
{
    if (result == LINT_INTERRUPTED)
        return EXIT_INTERRUPTED;
    if (result == LINT_NOT_READ)
        return EXIT_USAGE;
    if (t->findings[RULE_FAIL] + t->findings[RULE_WARN] > 0 && !cli->options.exit_zero)
        return EXIT_FINDINGS;
    return t->connections - t->outcomes[LINT_NO_LOGIN] == 0 ? EXIT_NOTHING : EXIT_ALL_PASSED;
}

static int read_files(struct cli *cli, struct lint_run *run)
{
    struct lint_options options = {
        .rules = cli->rules,
        .filter = cli->options.filter,
        .sinks = run->sinks,
        .sink_count = run->count,
        .stop = stop,
        .stop_context = run,
    };
    struct lint_totals totals;
    char err[512] = "";
    enum lint_result result =
        lint_files(cli->options.words.items, cli->options.words.count, &options, &totals, err, sizeof err);
    int status;

    if (run->live)
        fputs("\r\033[K", stderr);
    if (result == LINT_FAILED)
        status = cli_fail(EXIT_FAULT, "%s", err);
    else
        status = exit_status(cli, result, &totals);
    if (status == EXIT_NOTHING)
        cli_fail(0, "no iSCSI login in %s",
                 cli->options.words.count == 1 ? cli->options.words.items[0] : "any of the files");
    lint_totals_free(&totals);
    return status;
}

/* Says on standard error what was wrong with files: the reports may go elsewhere. */
static bool complain(void *context, const char *file, const struct capture_counts *counts, const char *error)
{
    struct lint_run *run = context;

    (void)file;
    (void)counts;
    if (run->live && error[0] != '\0')
        fputs("\r\033[K", stderr);
    if (error[0] != '\0')
        cli_fail(0, "%s", error);
    return true;
}

int cli_lint(struct cli *cli)
{
    struct lint_run run = {.live = !cli->options.quiet && isatty(STDERR_FILENO) == 1};
    struct sigaction action = {.sa_handler = interrupt};
    int status = 0;
    int closed;

    if (cli->options.words.count == 0)
        return cli_fail(EXIT_USAGE, "lint: name at least one capture; see iscsispec lint --help");
    for (size_t i = 0; i < cli->options.formats.count && status == 0; i++)
        status = add_output(&run, cli->options.formats.items[i], cli->options.brief);
    if (status == 0 && run.count == 0)
        status = add_output(&run, "text", cli->options.brief);
    if (status == 0)
        status = cli_load_rules(cli);
    if (status == 0)
        status = open_outputs(&run);
    if (status == 0) {
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        run.begun_ms = process_now_ms();
        run.sinks[run.count] = (struct lint_sink){.context = &run, .file = complain};
        run.count++;
        status = read_files(cli, &run);
        run.count--;
    }
    closed = close_outputs(&run);
    return status != 0 ? status : closed;
}
