#include "harness/cli/fuzz_screen.h"

#include "harness/process.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MS = 10000, COLUMN = 39 };

void fuzz_screen_init(struct fuzz_screen *s, bool quiet, int64_t time_ms, uint64_t execs)
{
    memset(s, 0, sizeof(*s));
    s->quiet = quiet;
    s->live = !quiet && isatty(STDERR_FILENO) == 1;
    s->time_ms = time_ms;
    s->execs = execs;
}

static void put_time(char *out, size_t cap, int64_t ms)
{
    int64_t s = ms / 1000;

    if (ms < 0) {
        snprintf(out, cap, "none yet");
    } else if (s >= 86400) {
        snprintf(out, cap, "%lld d %lld h", (long long)(s / 86400), (long long)(s / 3600 % 24));
    } else if (s >= 3600) {
        snprintf(out, cap, "%lld h %lld min", (long long)(s / 3600), (long long)(s / 60 % 60));
    } else {
        snprintf(out, cap, "%lld min %lld s", (long long)(s / 60), (long long)(s % 60));
    }
}

/* One row of two boxes, cut to fit. */
static void row(const char *left, const char *right)
{
    fprintf(stderr, "\033[K\u2502 %-*.*s\u2502 %-*.*s\u2502\n", COLUMN - 3, COLUMN - 3, left, COLUMN - 3, COLUMN - 3,
            right);
}

static void rule(const char *left, const char *right)
{
    int width[2] = {(int)strlen(left), (int)strlen(right)};

    fprintf(stderr, "\033[K\u251c\u2500 %s ", left);
    for (int i = width[0] + 5; i < COLUMN; i++) {
        fputs("\u2500", stderr);
    }
    fprintf(stderr, "\u253c\u2500 %s ", right);
    for (int i = width[1] + 5; i < COLUMN; i++) {
        fputs("\u2500", stderr);
    }
    fputs("\u2524\n", stderr);
}

static const char *cell(char *out, size_t cap, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static const char *cell(char *out, size_t cap, const char *name, const char *format, ...)
{
    va_list args;
    int used = snprintf(out, cap, "%12s : ", name);

    va_start(args, format);
    vsnprintf(out + used, cap - (size_t)used, format, args);
    va_end(args);
    return out;
}

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part * 100.0 / (double)whole : 0.0;
}

static void put_time_and_findings(const struct netfuzz_stats *s, int64_t limit_ms)
{
    char a[80], b[80], time[40], limit[40] = "no limit";

    put_time(time, sizeof(time), s->run_ms);
    if (limit_ms > 0) {
        put_time(limit, sizeof(limit), limit_ms);
    }
    rule("process timing", "findings");
    row(cell(a, sizeof(a), "run time", "%s of %s", time, limit), cell(b, sizeof(b), "crashes", "%zu", s->crashes));
    put_time(time, sizeof(time), s->last_new_ms < 0 ? -1 : s->run_ms - s->last_new_ms);
    row(cell(a, sizeof(a), "last new", "%s", time), cell(b, sizeof(b), "hangs", "%zu", s->hangs));
    row(cell(a, sizeof(a), "now", "%s", s->doing), cell(b, sizeof(b), "leaks, slow", "%zu, %zu", s->leaks, s->slow));
    row(cell(a, sizeof(a), "restarts", "%llu", (unsigned long long)s->restarts),
        cell(b, sizeof(b), "rules broken", "%zu", s->rules));
}

static void put_speed_and_stages(const struct netfuzz_stats *s)
{
    char a[80], b[80];

    rule("executions", "how far they came");
    row(cell(a, sizeof(a), "executions", "%llu", (unsigned long long)s->execs),
        cell(b, sizeof(b), "security", "%llu (%.1f %%)", (unsigned long long)s->reached[1],
             share(s->reached[1], s->execs)));
    row(cell(a, sizeof(a), "sessions", "%llu, %.0f/s", (unsigned long long)s->sessions, s->per_second),
        cell(b, sizeof(b), "challenged", "%llu (%.1f %%)", (unsigned long long)s->reached[2],
             share(s->reached[2], s->execs)));
    row(cell(a, sizeof(a), "PDUs", "%llu, %llu answers", (unsigned long long)s->pdus, (unsigned long long)s->answers),
        cell(b, sizeof(b), "operational", "%llu (%.1f %%)", (unsigned long long)s->reached[3],
             share(s->reached[3], s->execs)));
    row(cell(a, sizeof(a), "unanswered", "%llu", (unsigned long long)s->silent),
        cell(b, sizeof(b), "full feature", "%llu (%.1f %%)", (unsigned long long)s->reached[4],
             share(s->reached[4], s->execs)));
    row(cell(a, sizeof(a), "seed", "%llu, %zu at a time", (unsigned long long)s->seed, s->connections),
        cell(b, sizeof(b), "refused", "%llu (%.1f %%)", (unsigned long long)s->reached[5],
             share(s->reached[5], s->execs)));
}

static void put_states_and_target(const struct netfuzz_stats *s)
{
    char a[80], b[80];

    rule("states of the target", "its health");
    row(cell(a, sizeof(a), "states", "%zu", s->states),
        cell(b, sizeof(b), "plain login", "%.2f ms (%.2f at first)", (double)s->login_us / 1000.0,
             (double)s->login_first_us / 1000.0));
    if (s->memory_kib > 0) {
        cell(b, sizeof(b), "memory", "%.1f MiB (%.1f at first)", (double)s->memory_kib / 1024.0,
             (double)s->memory_first_kib / 1024.0);
    } else {
        cell(b, sizeof(b), "memory", "unknown");
    }
    row(cell(a, sizeof(a), "corpus", "%zu, %zu of them seeds", s->corpus, s->seeds), b);
}

static void put_edge(const char *left, const char *middle, const char *right)
{
    fprintf(stderr, "\033[K%s", left);
    for (int i = 0; i < 2 * COLUMN - 3; i++) {
        fputs(i == COLUMN - 2 ? middle : "\u2500", stderr);
    }
    fprintf(stderr, "%s\n", right);
}

static void draw(struct fuzz_screen *screen, const struct netfuzz_stats *s)
{
    fputs(screen->drawn ? "\033[H" : "\033[2J\033[H", stderr);
    screen->drawn = true;
    fprintf(stderr, "\033[K  iscsispec fuzz: %.58s\n", s->target);
    put_time_and_findings(s, screen->time_ms);
    put_speed_and_stages(s);
    put_states_and_target(s);
    put_edge("\u2514", "\u2534", "\u2518");
    for (int i = 0; i < screen->remark_count; i++) {
        fprintf(stderr, "\033[K%.*s\n", FUZZ_SCREEN_WIDTH, screen->remarks[i]);
    }
    fputs("\033[J", stderr);
    fflush(stderr);
}

void fuzz_screen_progress(void *user, const struct netfuzz_stats *s)
{
    struct fuzz_screen *screen = user;
    int64_t now = process_now_ms();

    if (screen->quiet) {
        return;
    }
    if (screen->live) {
        draw(screen, s);
        return;
    }
    if (now - screen->line_ms < LINE_MS || s->execs == 0) {
        return;
    }
    screen->line_ms = now;
    fprintf(
        stderr,
        "%lld s: %llu executions, %.0f sessions/s, %zu states, corpus %zu, %zu findings, full feature %.1f %%%s%s\n",
        (long long)s->run_ms / 1000, (unsigned long long)s->execs, s->per_second, s->states, s->corpus, s->findings,
        share(s->reached[4], s->execs), strcmp(s->doing, "fuzzing") == 0 ? "" : ", ",
        strcmp(s->doing, "fuzzing") == 0 ? "" : s->doing);
}

void fuzz_screen_remark(void *user, const char *text)
{
    struct fuzz_screen *screen = user;

    if (screen->quiet) {
        return;
    }
    if (!screen->live) {
        fprintf(stderr, "note: %s\n", text);
        return;
    }
    if (screen->remark_count == FUZZ_SCREEN_REMARKS) {
        memmove(screen->remarks[0], screen->remarks[1], sizeof(screen->remarks) - sizeof(screen->remarks[0]));
        screen->remark_count--;
    }
    snprintf(screen->remarks[screen->remark_count++], sizeof(screen->remarks[0]), "%s", text);
}

void fuzz_screen_end(struct fuzz_screen *screen)
{
    if (screen->live && screen->drawn) {
        fputc('\n', stderr);
    }
}

void fuzz_screen_summary(const struct netfuzz_stats *s, const char *out)
{
    printf("%llu executions, %llu sessions in %lld s (%.0f/s, %zu at a time, seed %llu), %zu states, corpus %zu, "
           "%zu findings",
           (unsigned long long)s->execs, (unsigned long long)s->sessions, (long long)s->run_ms / 1000,
           s->run_ms > 0 ? (double)s->sessions * 1000.0 / (double)s->run_ms : 0.0, s->connections,
           (unsigned long long)s->seed, s->states, s->corpus, s->findings);
    if (s->findings > 0) {
        printf(" (%zu crashes, %zu hangs, %zu leaks, %zu slow, %zu rules broken)", s->crashes, s->hangs, s->leaks,
               s->slow, s->rules);
    }
    printf("\nreport: %s/report.md%s%s%s\n", out, s->findings > 0 ? ", findings: " : "", s->findings > 0 ? out : "",
           s->findings > 0 ? "/findings" : "");
}
