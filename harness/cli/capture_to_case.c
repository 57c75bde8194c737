#include "harness/capture_case.h"
#include "harness/cli/address.h"
#include "harness/cli/cli.h"
#include "harness/cli/verdicts.h"
#include "harness/folder.h"
#include "harness/process.h"
#include "harness/recording.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct making {
    struct cli *cli;
    const char *file;
    char prefix[101], secret[256];
    struct recording recording;
    struct replay_script script;
    struct finding_list findings;
    json_t *summary;
    size_t made;
};

static int read_capture(struct making *m)
{
    int status = cli_read_recording(m->cli, m->file, &m->recording);

    if (status != 0) {
        return status;
    }
    if (!replay_script_make(m->recording.transcript, &m->script) ||
        !audit_transcript(m->recording.transcript, &m->findings)) {
        return cli_fail(EXIT_FAULT, "out of memory");
    }
    return 0;
}

static const char *form_name(enum capture_case_form form)
{
    static const char *const names[] = {
        [CAPTURE_CASE_NONE] = "none", [CAPTURE_CASE_EDITS] = "edits", [CAPTURE_CASE_RAW] = "raw"};

    return names[form];
}

static void summarise(struct making *m, size_t conn, const struct capture_case *made, const char *verdict)
{
    const struct replay_source *source = &m->script.sources[conn];
    char outcome[120];

    json_array_append_new(m->summary,
                          json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s}", "id", made->id, "stream",
                                    source->conn->name, "form", form_name(made->form), "recorded",
                                    login_facts_outcome(&source->facts, outcome, sizeof(outcome)), "verdict", verdict,
                                    "condition", made->condition, "edits", (json_int_t)made->edits, "why", made->why));
    if (made->form == CAPTURE_CASE_NONE && !m->cli->options.quiet) {
        cli_fail(0, "connection %s: no case: %s", source->conn->name, made->why);
    }
    m->made += made->form != CAPTURE_CASE_NONE;
}

static int write_cases(struct making *m, FILE *out)
{
    for (size_t i = 0; i < m->script.source_count; i++) {
        const char *verdict = verdict_name(verdicts_of(m->cli->rules, &m->findings, i, TRANSCRIPT_TARGET));
        const struct capture_case_about about = {
            .id_prefix = m->prefix,
            .file = m->file,
            .verdict = verdict,
            .secret = m->secret[0] != '\0' ? m->secret : NULL,
        };
        struct capture_case made;

        if (capture_case_write(out, &m->script, i, &about, &made) != 0) {
            return cli_fail(EXIT_FAULT, "out of memory");
        }
        summarise(m, i, &made, verdict);
    }
    return 0;
}

static int print_summary(const struct making *m)
{
    if (json_dumpf(m->summary, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER) != 0) {
        return cli_fail(EXIT_FAULT, "out of memory");
    }
    putchar('\n');
    return 0;
}

/* Into DIR/NAME.yaml, as the loader of cases takes it. */
static int write_folder(struct making *m, const char *dir)
{
    char path[PATH_MAX];
    FILE *out;
    int status;

    if (folder_make(dir) != 0) {
        return cli_fail(EXIT_USAGE, "--out %s: %s; give a directory that can be written", dir, strerror(errno));
    }
    snprintf(path, sizeof(path), "%s/%s.yaml", dir, m->prefix + strlen("captured."));
    out = fopen(path, "we");
    if (out == NULL) {
        return cli_fail(EXIT_USAGE, "--out %s: %s: %s", dir, path, strerror(errno));
    }
    status = write_cases(m, out);
    if (fclose(out) != 0 && status == 0) {
        status = cli_fail(EXIT_FAULT, "%s: %s", path, strerror(errno));
    }
    if (status == 0 && m->made == 0) {
        remove(path);
    } else if (status == 0 && m->cli->options.format == NULL && !m->cli->options.quiet) {
        printf("written: %s, %zu cases; run them with: iscsispec run --cases %s\n", path, m->made, path);
    }
    return status;
}

static int make(struct making *m)
{
    const struct options *o = &m->cli->options;
    bool json = o->format != NULL && strcmp(o->format, "json") == 0;
    char err[512];
    int status;

    if (o->format != NULL && !json && strcmp(o->format, "text") != 0) {
        return cli_fail(EXIT_USAGE, "--format %s: text or json", o->format);
    }
    if (json && o->out == NULL) {
        return cli_fail(EXIT_USAGE, "--format json tells what was made: say with --out DIR where the cases go");
    }
    if (o->secret_file != NULL &&
        address_read_secret(o->secret_file, m->secret, sizeof(m->secret), err, sizeof(err)) != 0) {
        return cli_fail(EXIT_USAGE, "--secret-file %s: %s", o->secret_file, err);
    }
    status = cli_load_rules(m->cli);
    status = status != 0 ? status : read_capture(m);
    if (status == 0) {
        status = o->out != NULL ? write_folder(m, o->out) : write_cases(m, stdout);
    }
    if (status == 0 && json) {
        status = print_summary(m);
    }
    if (status == 0 && m->made == 0) {
        status = cli_fail(EXIT_NOTHING, "%s: no login that a case could be made of", m->file);
    }
    return status;
}

int cli_capture_to_case(struct cli *cli)
{
    struct making m = {.cli = cli, .summary = json_array()};
    int status;

    if (cli->options.words.count != 1) {
        return cli_fail(EXIT_USAGE, "capture-to-case: %s",
                        cli->options.words.count == 0 ? "which capture? Give one pcap or pcapng file"
                                                      : "one capture at a time");
    }
    process_block_signals();
    m.file = cli->options.words.items[0];
    capture_case_prefix(m.file, m.prefix, sizeof(m.prefix));
    status = make(&m);
    explicit_bzero(m.secret, sizeof(m.secret));
    json_decref(m.summary);
    finding_list_free(&m.findings);
    replay_script_free(&m.script);
    recording_free(&m.recording);
    return status;
}
