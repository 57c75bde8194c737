#include "reports/reports.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static int fail(const char *path, char *err, size_t err_len)
{
    snprintf(err, err_len, "%s: %s", path, errno != 0 ? strerror(errno) : "could not be written");
    return -1;
}

static int write_stream(const char *path, const struct results *r, int (*write)(FILE *out, const struct results *r))
{
    FILE *file = fopen(path, "we");
    int rc;

    if (file == NULL) {
        return -1;
    }
    rc = write(file, r);
    return fclose(file) == 0 ? rc : -1;
}

static int markdown_full(FILE *out, const struct results *r)
{
    return markdown_write(out, r, false);
}

static int write_markdown(const char *path, const struct results *r)
{
    return write_stream(path, r, markdown_full);
}

static int write_tap(const char *path, const struct results *r)
{
    return write_stream(path, r, tap_write);
}

static int write_json(const char *path, const struct results *r)
{
    json_t *root = coverage_json(r);
    int rc = root != NULL ? json_dump_file(root, path, JSON_INDENT(1) | JSON_PRESERVE_ORDER) : -1;

    json_decref(root);
    return rc;
}

int reports_write_all(const char *dir, const struct results *r, char *err, size_t err_len)
{
    static const struct {
        const char *name;
        int (*write)(const char *path, const struct results *r);
    } writers[] = {
        {"coverage.md", write_markdown},
        {"coverage.json", write_json},
        {"junit.xml", junit_write},
        {"results.tap", write_tap},
    };
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, writers[i].name);
        errno = 0;
        if (writers[i].write(path, r) != 0) {
            return fail(path, err, err_len);
        }
    }
    return 0;
}
