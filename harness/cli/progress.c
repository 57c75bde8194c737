#include "harness/cli/progress.h"

#include "harness/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROGRESS_PERIOD_MS = 50 };

void progress_init(struct progress *p, bool quiet)
{
    const char *none = getenv("NO_COLOR");

    memset(p, 0, sizeof(*p));
    p->quiet = quiet;
    p->live = !quiet && isatty(STDERR_FILENO) == 1;
    p->colour = p->live && (none == NULL || none[0] == '\0');
}

static void clear_line(struct progress *p)
{
    if (p->drawn) {
        fputs("\r\033[K", stderr);
        p->drawn = false;
    }
}

static void draw(struct progress *p, const char *what, size_t done, size_t total)
{
    int64_t now = process_now_ms();

    if (!p->live || (now - p->drawn_ms < PROGRESS_PERIOD_MS && done != total)) {
        return;
    }
    fprintf(stderr, "\r\033[K%zu/%zu %.60s", done, total, what);
    p->drawn = true;
    p->drawn_ms = now;
}

static const char *colour_of(const struct progress *p, enum verdict v)
{
    if (!p->colour) {
        return "";
    }
    return v == VERDICT_PASS ? "\033[32m" : (v == VERDICT_WARN || v == VERDICT_SKIP ? "\033[33m" : "\033[31m");
}

void progress_finished(void *progress, const char *id, enum verdict v, const char *reason, size_t done, size_t total)
{
    struct progress *p = progress;

    if (p->quiet) {
        return;
    }
    if (v != VERDICT_PASS && v != VERDICT_SKIP && v != VERDICT_XFAIL) {
        clear_line(p);
        fprintf(stderr, "%s%-5s%s %s: %s\n", colour_of(p, v), verdict_name(v), p->colour ? "\033[0m" : "", id, reason);
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

void progress_summary(const struct progress *p, const struct results *r, int64_t ms)
{
    size_t total = json_array_size(r->cases);
    bool any = false;

    (void)p;
    printf("\n%zu cases in %.2f s:", total, (double)ms / 1000.0);
    for (int v = VERDICT_PASS; v <= VERDICT_ERROR; v++) {
        size_t count = results_count(r, (enum verdict)v);

        if (count > 0) {
            printf("%s %zu %s", any ? "," : "", count, verdict_name((enum verdict)v));
            any = true;
        }
    }
    printf("%s\n", any ? "" : " none");
}
