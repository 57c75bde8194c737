#include "harness/cli/progress.h"

#include "harness/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    PROGRESS_PERIOD_MS = 80,
    PROGRESS_BAR = 20,      /* columns of the bar */
    PROGRESS_WIDTH = 80,    /* of a terminal that does not say */
    PROGRESS_ETA_MS = 3000, /* before that a guess is worth nothing */
    PROGRESS_NAMED = 25,    /* failures named at the end */
};

static bool colours_wanted(int fd)
{
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(fd) == 1 && (none == NULL || none[0] == '\0') && (term == NULL || strcmp(term, "dumb") != 0);
}

void progress_init(struct progress *p, bool quiet)
{
    const char *term = getenv("TERM");

    memset(p, 0, sizeof(*p));
    p->quiet = quiet;
    p->live = !quiet && isatty(STDERR_FILENO) == 1 && (term == NULL || strcmp(term, "dumb") != 0);
    p->colour = p->live && colours_wanted(STDERR_FILENO);
    p->start_ms = process_now_ms();
}

static void clear_line(struct progress *p)
{
    if (p->drawn) {
        fputs("\r\033[K", stderr);
        p->drawn = false;
    }
}

static size_t terminal_width(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : PROGRESS_WIDTH;
}

static void put_time(char *out, size_t out_len, int64_t ms)
{
    if (ms < 60000) {
        snprintf(out, out_len, "%d s", (int)(ms / 1000));
    } else {
        snprintf(out, out_len, "%d:%02d", (int)(ms / 60000), (int)(ms / 1000 % 60));
    }
}

/* "[#####.....] 120/959  3 failed  4 s, 28 s to go  names.target.empty", cut to the terminal's width. */
static void draw(struct progress *p, const char *what, size_t done, size_t total)
{
    int64_t now = process_now_ms(), spent = now - p->start_ms;
    size_t width = terminal_width(), full = total > 0 ? done * PROGRESS_BAR / total : 0;
    char line[512], bar[PROGRESS_BAR + 1], time[16], left[32] = "", failed[48] = "";

    if (!p->live || (now - p->drawn_ms < PROGRESS_PERIOD_MS && done != total)) {
        return;
    }
    memset(bar, '.', PROGRESS_BAR);
    memset(bar, '#', full < PROGRESS_BAR ? full : PROGRESS_BAR);
    bar[PROGRESS_BAR] = '\0';
    put_time(time, sizeof(time), spent);
    if (spent > PROGRESS_ETA_MS && done > 0 && done < total) {
        char guess[16];

        put_time(guess, sizeof(guess), spent * (int64_t)(total - done) / (int64_t)done);
        snprintf(left, sizeof(left), ", %s to go", guess);
    }
    if (p->failed + p->warned > 0) {
        snprintf(failed, sizeof(failed), "  %zu failed, %zu warned", p->failed, p->warned);
    }
    snprintf(line, sizeof(line), "[%s] %zu/%zu%s  %s%s  %.200s", bar, done, total, failed, time, left, what);
    fprintf(stderr, "\r\033[K%.*s", (int)(width - 1 < sizeof(line) ? width - 1 : sizeof(line)), line);
    fflush(stderr);
    p->drawn = true;
    p->drawn_ms = now;
}

static const char *colour_of(bool colour, enum verdict v)
{
    if (!colour) {
        return "";
    }
    switch (v) {
    case VERDICT_PASS:
        return "\033[32m";
    case VERDICT_WARN:
    case VERDICT_SKIP:
        return "\033[33m";
    case VERDICT_XFAIL:
        return "\033[36m";
    default:
        return "\033[31m";
    }
}

static bool is_failure(enum verdict v)
{
    return v == VERDICT_FAIL || v == VERDICT_XPASS || v == VERDICT_CRASH || v == VERDICT_ERROR;
}

void progress_finished(void *progress, const char *id, enum verdict v, const char *reason, size_t done, size_t total)
{
    struct progress *p = progress;

    if (p->quiet) {
        return;
    }
    p->failed += is_failure(v);
    p->warned += v == VERDICT_WARN;
    if (is_failure(v)) {
        clear_line(p);
        fprintf(stderr, "%s%-5s%s %s: %s\n", colour_of(p->colour, v), verdict_name(v), p->colour ? "\033[0m" : "", id,
                reason);
    }
    draw(p, id, done, total);
}

void progress_remark(void *progress, const char *text)
{
    struct progress *p = progress;

    if (!p->quiet) {
        clear_line(p);
        fprintf(stderr, "note: %s\n", text);
    }
}

void progress_defect(void *progress, const char *defect, size_t done, size_t total)
{
    draw(progress, defect != NULL ? defect : "without a defect", done, total);
}

void progress_end(struct progress *p)
{
    clear_line(p);
}

/* What failed stands far above the tables by now: named again, and how to look at one. */
static void print_failures(const struct results *r, bool colour)
{
    const char *again = result_string(r->head, "again"), *first = NULL;
    size_t told = 0, failed = 0;

    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        const json_t *line = json_array_get(r->cases, i);
        enum verdict v = result_verdict(line);

        if (!is_failure(v)) {
            continue;
        }
        failed++;
        first = first != NULL ? first : result_string(line, "id");
        if (told < PROGRESS_NAMED) {
            told++;
            printf("%s%s%-5s%s %s: %.300s\n", told == 1 ? "\n" : "", colour_of(colour, v), verdict_name(v),
                   colour ? "\033[0m" : "", result_string(line, "id"), result_string(line, "reason"));
        }
    }
    if (failed > told) {
        printf("and %zu more that failed: see coverage.md or report.html\n", failed - told);
    }
    if (first != NULL && again[0] != '\0') {
        printf("the first alone: %s --select '%s'\n", again, first);
    }
}

static void print_flaky(const struct results *r)
{
    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        const json_t *line = json_array_get(r->cases, i);
        json_t *counts = json_object_get(line, "flaky"), *count;
        const char *verdict;

        if (counts == NULL) {
            continue;
        }
        printf("flaky: %s:", result_string(line, "id"));
        json_object_foreach(counts, verdict, count)
        {
            printf(" %d %s", (int)json_integer_value(count), verdict);
        }
        putchar('\n');
    }
}

void progress_summary(const struct progress *p, const struct results *r, int64_t ms)
{
    bool colour = !p->quiet && colours_wanted(STDOUT_FILENO), any = false;

    print_failures(r, colour);
    print_flaky(r);
    printf("\n%zu cases in %.2f s:", json_array_size(r->cases), (double)ms / 1000.0);
    for (int v = VERDICT_PASS; v <= VERDICT_ERROR; v++) {
        size_t count = results_count(r, (enum verdict)v);

        if (count > 0) {
            printf("%s %s%zu %s%s", any ? "," : "", colour_of(colour, (enum verdict)v), count,
                   verdict_name((enum verdict)v), colour ? "\033[0m" : "");
            any = true;
        }
    }
    printf("%s\n", any ? "" : " none");
    if (result_string(r->head, "stopped")[0] != '\0') {
        printf("stopped early: %s\n", result_string(r->head, "stopped"));
    }
}
