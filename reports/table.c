#include "reports/table.h"

#include <stdlib.h>
#include <string.h>

void table_init(struct table *t, size_t columns)
{
    memset(t, 0, sizeof(*t));
    t->columns = columns < TABLE_COLUMNS_MAX ? columns : TABLE_COLUMNS_MAX;
}

static char *harmless(const char *text)
{
    char *copy = malloc(strlen(text) * 2 + 1);
    char *at = copy;

    for (; copy != NULL && *text != '\0'; text++) {
        if (*text == '|') {
            *at++ = '\\';
        }
        *at++ = (unsigned char)*text < 0x20 ? ' ' : *text;
    }
    if (copy != NULL) {
        *at = '\0';
    }
    return copy;
}

void table_add(struct table *t, const char *text)
{
    if (t->count == t->room) {
        size_t room = t->room * 2 + 64;
        char **more = realloc(t->cells, room * sizeof(*more));

        if (more == NULL) {
            t->failed = true;
            return;
        }
        t->cells = more;
        t->room = room;
    }
    t->cells[t->count] = harmless(text);
    if (t->cells[t->count] == NULL) {
        t->failed = true;
        return;
    }
    t->count++;
}

void table_add_heading(struct table *t, const char *text)
{
    table_add(t, text);
    for (size_t i = 1; i < t->columns; i++) {
        table_add(t, "");
    }
}

size_t table_width(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++) {
        if (((unsigned char)*text & 0xc0) == 0x80) {
            continue;
        }
        /* The two marks that terminals draw two columns wide: U+2705 and U+274C. */
        width += strncmp(text, "✅", 3) == 0 || strncmp(text, "❌", 3) == 0 ? 2 : 1;
    }
    return width;
}

static void put_padded(FILE *out, const char *text, size_t width)
{
    fprintf(out, " %s", text);
    for (size_t have = table_width(text); have < width; have++) {
        fputc(' ', out);
    }
    fputs(" |", out);
}

static void put_rule(FILE *out, const size_t *widths, size_t columns)
{
    fputc('|', out);
    for (size_t i = 0; i < columns; i++) {
        for (size_t k = 0; k < widths[i] + 2; k++) {
            fputc('-', out);
        }
        fputc('|', out);
    }
    fputc('\n', out);
}

int table_write(const struct table *t, FILE *out)
{
    size_t widths[TABLE_COLUMNS_MAX];

    if (t->failed || t->columns == 0) {
        return -1;
    }
    for (size_t i = 0; i < t->columns; i++) {
        widths[i] = 3;
    }
    for (size_t i = 0; i < t->count; i++) {
        size_t width = table_width(t->cells[i]);

        /* The last column is not padded: notes may be long. */
        if (i % t->columns + 1 < t->columns && width > widths[i % t->columns]) {
            widths[i % t->columns] = width;
        }
    }
    for (size_t i = 0; i < t->count; i++) {
        if (i % t->columns == 0) {
            fputc('|', out);
        }
        put_padded(out, t->cells[i], i % t->columns + 1 < t->columns ? widths[i % t->columns] : 0);
        if (i % t->columns + 1 == t->columns) {
            fputc('\n', out);
            if (i + 1 == t->columns) {
                put_rule(out, widths, t->columns);
            }
        }
    }
    return ferror(out) ? -1 : 0;
}

void table_free(struct table *t)
{
    for (size_t i = 0; i < t->count; i++) {
        free(t->cells[i]);
    }
    free(t->cells);
    memset(t, 0, sizeof(*t));
}
