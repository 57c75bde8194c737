/* The report of a run of the network fuzzer: report.json and report.md. See netfuzz_campaign.h. */
#include "harness/netfuzz_campaign.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char *netfuzz_stage_name(size_t n)
{
    static const char *const names[NETFUZZ_STAGES] = {"connected",   "security",     "challenged",
                                                      "operational", "full feature", "refused"};

    return n < NETFUZZ_STAGES ? names[n] : "";
}

static void utc(int64_t seconds, char out[32])
{
    time_t t = (time_t)seconds;
    struct tm parts;

    gmtime_r(&t, &parts);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

static json_t *report_json(const struct netfuzz *f)
{
    const struct netfuzz_stats *s = f->stats;
    char start[32], end[32];
    json_t *reached = json_object(), *report;

    utc(s->started, start);
    utc(s->ended, end);
    for (size_t i = 0; i < NETFUZZ_STAGES; i++)
        json_object_set_new(reached, netfuzz_stage_name(i), json_integer((json_int_t)s->reached[i]));
    report = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "schema", 1,
                       "target", s->target, "version", s->version, "address", s->address, "start", start, "end", end,
                       "seed", (json_int_t)s->seed, "connections", (json_int_t)s->connections, "run_ms",
                       (json_int_t)s->run_ms, "executions", (json_int_t)s->execs, "pdus", (json_int_t)s->pdus,
                       "answers", (json_int_t)s->answers, "states", (json_int_t)f->states.count, "corpus",
                       (json_int_t)f->corpus.count, "restarts", (json_int_t)s->restarts, "interrupted", s->interrupted);
    if (!report)
        return NULL;
    json_object_set_new(report, "aside_ms", json_integer((json_int_t)s->aside_ms));
    json_object_set_new(report, "sessions", json_integer((json_int_t)s->sessions));
    json_object_set_new(report, "reached", reached);
    json_object_set_new(report, "memory_kib",
                        json_pack("{s:I, s:I, s:I}", "first", (json_int_t)s->memory_first_kib, "last",
                                  (json_int_t)s->memory_kib, "peak", (json_int_t)s->memory_peak_kib));
    json_object_set_new(
        report, "login_us",
        json_pack("{s:I, s:I}", "first", (json_int_t)s->login_first_us, "last", (json_int_t)s->login_us));
    json_object_set_new(report, "findings", netfuzz_findings_json(&f->findings));
    return report;
}

/* A cell of a table: no line may end in it, and no cell. */
static void put_cell(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text == '\n' ? ' ' : *text, out);
    }
}

static void put_numbers(FILE *out, const struct netfuzz *f)
{
    const struct netfuzz_stats *s = f->stats;
    char start[32], end[32];

    utc(s->started, start);
    utc(s->ended, end);
    fprintf(out, "| | |\n|---|---|\n| target | ");
    put_cell(out, s->target);
    fprintf(out, " |\n| version | ");
    put_cell(out, s->version[0] ? s->version : "unknown");
    fprintf(out, " |\n| start | %s |\n| end | %s%s |\n", start, end, s->interrupted ? " (interrupted)" : "");
    fprintf(out, "| spent fuzzing | %lld s, %llu s of it on findings and restarts |\n", (long long)s->run_ms / 1000,
            (unsigned long long)s->aside_ms / 1000);
    fprintf(out, "| seed, connections | %llu, %zu |\n", (unsigned long long)s->seed, s->connections);
    fprintf(out, "| executions | %llu |\n| sessions | %llu (%.0f a second) |\n", (unsigned long long)s->execs,
            (unsigned long long)s->sessions, s->run_ms ? (double)s->sessions * 1000.0 / (double)s->run_ms : 0.0);
    fprintf(out, "| PDUs sent, answered | %llu, %llu |\n", (unsigned long long)s->pdus, (unsigned long long)s->answers);
    fprintf(out, "| states of the target | %zu |\n| corpus | %zu inputs, %zu of them seeds |\n", f->states.count,
            f->corpus.count, s->seeds);
    fprintf(out, "| restarts of the target | %llu |\n", (unsigned long long)s->restarts);
    if (s->memory_first_kib)
        fprintf(out, "| memory of the target | %llu KiB at first, %llu KiB at last, %llu KiB at most |\n",
                (unsigned long long)s->memory_first_kib, (unsigned long long)s->memory_kib,
                (unsigned long long)s->memory_peak_kib);
    fprintf(out, "| a plain login | %.2f ms at first, %.2f ms at last |\n", (double)s->login_first_us / 1000.0,
            (double)s->login_us / 1000.0);
}

static void put_findings(FILE *out, const struct netfuzz_findings *list)
{
    if (list->count == 0) {
        fprintf(out, "\n## Findings\n\nNone.\n");
        return;
    }
    fprintf(out, "\n## Findings\n\n| finding | kind | what | seen | shown again by one input | bytes |\n"
                 "|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < list->count; i++) {
        const struct netfuzz_finding *x = &list->items[i];

        fprintf(out, "| [%s](findings/%s.txt) | %s | ", x->name, x->name, netfuzz_finding_kind_name(x->kind));
        put_cell(out, x->signature);
        if (x->kind == NETFUZZ_RULE) {
            fprintf(out, ": ");
            put_cell(out, x->detail);
        }
        fprintf(out, " | %llu times | %s | %zu |\n", (unsigned long long)x->hits, x->confirmed ? "yes" : "no",
                netfuzz_input_size(&x->input));
    }
}

static bool write_markdown(const struct netfuzz *f, const char *path)
{
    const struct netfuzz_stats *s = f->stats;
    FILE *out = fopen(path, "we");

    if (!out)
        return false;
    fprintf(out, "# Fuzzing over the network\n\n");
    put_numbers(out, f);
    fprintf(out, "\n## How far executions came\n\n| stage | executions | share |\n|---|---|---|\n");
    for (size_t i = 0; i < NETFUZZ_STAGES; i++)
        fprintf(out, "| %s | %llu | %.1f %% |\n", netfuzz_stage_name(i), (unsigned long long)s->reached[i],
                s->execs ? (double)s->reached[i] * 100.0 / (double)s->execs : 0.0);
    put_findings(out, &f->findings);
    return fclose(out) == 0;
}

bool netfuzz_report(struct netfuzz *f)
{
    char path[PATH_MAX];
    json_t *report = report_json(f);
    bool good;

    snprintf(path, sizeof(path), "%s/report.json", f->options->out);
    good = report && json_dump_file(report, path, JSON_INDENT(2) | JSON_PRESERVE_ORDER) == 0;
    json_decref(report);
    if (good) {
        snprintf(path, sizeof(path), "%s/report.md", f->options->out);
        good = write_markdown(f, path);
    }
    if (!good && !f->err[0])
        snprintf(f->err, sizeof(f->err), "%s: %s", path, strerror(errno));
    return good;
}
