#include "reports/reports.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

struct source {
    const char *dir;
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

int reports_write_all(const char *dir, const struct results *r, const struct catalogue *rules, char *err,
                      size_t err_len)
{
    static const struct {
        const char *name;
        int (*write)(const char *path, const struct source *s);
    } writers[] = {
        {"coverage.md", write_markdown}, {"coverage.json", write_json},  {"junit.xml", write_junit},
        {"results.tap", write_tap},      {"results.sarif", write_sarif},
    };
    const struct source source = {dir, r, rules};
    char path[PATH_MAX];

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
