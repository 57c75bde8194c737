#include "reports/coverage.h"
#include "reports/reports.h"
#include "reports/table.h"

#include <stdlib.h>
#include <string.h>

static const char *name_of(const struct results *r)
{
    const char *name = json_string_value(json_object_get(r->head, "profile"));

    return name != NULL ? name : "?";
}

static void add_rows(struct table *t, const struct coverage *all, size_t count)
{
    char text[48];

    for (size_t i = 0; i < STATUS_COUNT; i++) {
        const struct status_entry *status = all[0].rows[i].status;

        snprintf(text, sizeof(text), "0x%04x", (unsigned)status->code);
        table_add(t, text);
        table_add(t, status->name);
        for (size_t k = 0; k < count; k++) {
            table_add(t, coverage_server_cell(&all[k].rows[i], text, sizeof(text)));
        }
    }
    table_add(t, "");
    table_add(t, "Server");
    for (size_t k = 0; k < count; k++) {
        snprintf(text, sizeof(text), "%zu/%u (%u%%)", all[k].seen, STATUS_COUNT, coverage_percent(all[k].seen));
        table_add(t, text);
    }
}

int matrix_write(FILE *out, const struct results *runs, size_t count)
{
    struct coverage *all;
    struct table t;
    int rc;

    if (count == 0 || count + 2 > TABLE_COLUMNS_MAX) {
        return -1;
    }
    all = calloc(count, sizeof(*all));
    if (all == NULL) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        coverage_compute(&all[i], &runs[i]);
    }
    table_init(&t, count + 2);
    table_add(&t, "Code");
    table_add(&t, "Name");
    for (size_t i = 0; i < count; i++) {
        table_add(&t, name_of(&runs[i]));
    }
    add_rows(&t, all, count);
    rc = table_write(&t, out);
    table_free(&t);
    free(all);
    return rc;
}
