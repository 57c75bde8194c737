#include "reports/html.h"

#include "reports/html_assets.h"

#include <string.h>

/* JSON inside a script element: only < could end it, and it stands in strings alone. */
static int put_json(const char *text, size_t len, void *stream)
{
    FILE *out = stream;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '<') {
            fputs("\\u003c", out);
        } else {
            fputc(text[i], out);
        }
    }
    return ferror(out) ? -1 : 0;
}

/* Writes the page up to the mark and returns what stands behind it; NULL: the page has no such mark. */
static const char *put_until(FILE *out, const char *page, const char *mark)
{
    const char *at = strstr(page, mark);

    if (at == NULL) {
        return NULL;
    }
    fwrite(page, 1, (size_t)(at - page), out);
    return at + strlen(mark);
}

int html_write(FILE *out, const struct html_run *runs, size_t count, const struct catalogue *rules)
{
    json_t *data = html_data(runs, count, rules);
    const char *page = (const char *)html_page; /* the build puts a NUL behind it */
    int rc = data != NULL ? 0 : -1;

    if (rc == 0 && (page = put_until(out, page, "/*@style*/")) != NULL) {
        fwrite(html_style, 1, html_style_len, out);
        page = put_until(out, page, "/*@data*/");
    }
    if (rc == 0 && page != NULL) {
        rc = json_dump_callback(data, put_json, out, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
        page = put_until(out, page, "/*@script*/");
    }
    if (rc == 0 && page != NULL) {
        fwrite(html_script, 1, html_script_len, out);
        fputs(page, out);
    }
    json_decref(data);
    return rc == 0 && page != NULL && !ferror(out) ? 0 : -1;
}
