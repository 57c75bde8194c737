#include "reports/reports.h"

#include "reports/html.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct source {
    const char *evidence; /* directory of the run */
    const char *links;    /* what links to it begin with */
    const struct results *run;
    const struct catalogue *rules;
};

static int close_stream(FILE *file, int rc)
{
    return fclose(file) == 0 ? rc : -1;
}

static int write_markdown(const char *path, const struct source *s)
{
    FILE *file = fopen(path, "we");

    return file != NULL ? close_stream(file, markdown_write(file, s->run, s->rules, false)) : -1;
}

static int write_tap(const char *path, const struct source *s)
{
    FILE *file = fopen(path, "we");

    return file != NULL ? close_stream(file, tap_write(file, s->run)) : -1;
}

static int dump(json_t *root, const char *path)
{
    int rc = root != NULL ? json_dump_file(root, path, JSON_INDENT(1) | JSON_PRESERVE_ORDER) : -1;

    json_decref(root);
    return rc;
}

static int write_json(const char *path, const struct source *s)
{
    return dump(coverage_json(s->run), path);
}

static int write_sarif(const char *path, const struct source *s)
{
    return dump(sarif_json(s->run, s->rules), path);
}

static int write_junit(const char *path, const struct source *s)
{
    return junit_write(path, s->run);
}

static int write_html(const char *path, const struct source *s)
{
    const struct html_run run = {s->run, s->evidence, s->links};
    FILE *file = fopen(path, "we");

    return file != NULL ? close_stream(file, html_write(file, &run, 1, s->rules)) : -1;
}

int reports_write_all(const char *dir, const char *evidence, const struct results *r, const struct catalogue *rules,
                      char *err, size_t err_len)
{
    static const struct {
        const char *name;
        int (*write)(const char *path, const struct source *s);
    } writers[] = {
        {"coverage.md", write_markdown}, {"coverage.json", write_json},  {"junit.xml", write_junit},
        {"results.tap", write_tap},      {"results.sarif", write_sarif}, {"report.html", write_html},
    };
    char here[PATH_MAX], there[PATH_MAX + 1];
    struct source source = {evidence, "", r, rules};
    char path[PATH_MAX];

    /* From another directory only a whole path leads to the evidence. */
    if (realpath(dir, here) != NULL && realpath(evidence, there) != NULL && strcmp(here, there) != 0) {
        strcat(there, "/");
        source.links = there;
    }
    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, writers[i].name);
        errno = 0;
        if (writers[i].write(path, &source) != 0) {
            snprintf(err, err_len, "%s: %s", path, errno != 0 ? strerror(errno) : "could not be written");
            return -1;
        }
    }
    return 0;
}
