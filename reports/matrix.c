#include "reports/matrix.h"

#include "reports/coverage.h"
#include "reports/rulebook.h"
#include "reports/table.h"

#include <stdlib.h>
#include <string.h>

static const char *name_of(const struct results *r)
{
    const char *label = result_string(r->head, "label");
    const char *name = label[0] != '\0' ? label : result_string(r->head, "profile");

    return name[0] != '\0' ? name : "?";
}

static void add_names(struct table *t, const struct results *runs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        table_add(t, name_of(&runs[i]));
    }
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
    add_names(&t, runs, count);
    add_rows(&t, all, count);
    rc = table_write(&t, out);
    table_free(&t);
    free(all);
    return rc;
}

/* The rules of every run; the rows of all are the same rules. NULL: no memory. */
static struct rulebook *books_new(const struct results *runs, size_t count, const struct catalogue *rules)
{
    struct rulebook *books = calloc(count, sizeof(*books));
    bool good = books != NULL;

    for (size_t i = 0; good && i < count; i++) {
        good = rulebook_compute(&books[i], &runs[i], rules);
    }
    for (size_t i = 0; !good && books != NULL && i < count; i++) {
        rulebook_free(&books[i]);
    }
    if (!good) {
        free(books);
    }
    return good ? books : NULL;
}

static void books_free(struct rulebook *books, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        rulebook_free(&books[i]);
    }
    free(books);
}

static void write_target(FILE *out, const struct results *r)
{
    const char *version = result_string(r->head, "target_version");
    bool first = true;

    fprintf(out, "- `%s`: %s%s%s: ", name_of(r), result_string(r->head, "title"), version[0] != '\0' ? ", " : "",
            version);
    for (int v = VERDICT_PASS; v <= VERDICT_ERROR; v++) {
        size_t count = results_count(r, (enum verdict)v);

        if (count > 0) {
            fprintf(out, "%s%zu %s", first ? "" : ", ", count, verdict_name((enum verdict)v));
            first = false;
        }
    }
    fputc('\n', out);
}

static int write_subjects(FILE *out, const struct results *runs, const struct rulebook *books, size_t count)
{
    struct table t;
    int rc;

    table_init(&t, count + 1);
    table_add(&t, "Subject");
    add_names(&t, runs, count);
    for (size_t first = 0, next; first < books[0].count; first = next) {
        next = first;
        table_add(&t, books[0].rows[first].rule->subject);
        for (size_t k = 0; k < count; k++) {
            size_t counts[RULEBOOK_STATES];
            char text[64];

            next = rulebook_count_subject(&books[k], first, counts);
            snprintf(text, sizeof(text), "%zu kept, %zu broken", counts[RULEBOOK_PROVEN], counts[RULEBOOK_BROKEN]);
            table_add(&t, text);
        }
    }
    rc = table_write(&t, out);
    table_free(&t);
    return rc;
}

/* Rules that one target at least breaks, and which. */
static void write_broken(FILE *out, const struct results *runs, const struct rulebook *books, size_t count)
{
    for (size_t i = 0; i < books[0].count; i++) {
        const struct rule *rule = books[0].rows[i].rule;
        bool any = false;

        for (size_t k = 0; k < count; k++) {
            if (books[k].rows[i].state != RULEBOOK_BROKEN) {
                continue;
            }
            if (!any) {
                fprintf(out, "- %s (%s, %s) %s Broken by", rule->id, rule->level_text, rule->section, rule->text);
            }
            fprintf(out, "%s %s (`%s`)", any ? "," : "", name_of(&runs[k]),
                    result_string(books[k].rows[i].shown_by, "id"));
            any = true;
        }
        if (any) {
            fputs(".\n", out);
        }
    }
}

int matrix_write_all(FILE *out, const struct results *runs, size_t count, const struct catalogue *rules)
{
    struct rulebook *books;
    int rc;

    if (count == 0) {
        return -1;
    }
    fprintf(out, "# Login status codes and rules, target by target\n\nMade by iscsispec %s.\n\n",
            result_string(runs[0].head, "iscsispec"));
    for (size_t i = 0; i < count; i++) {
        write_target(out, &runs[i]);
    }
    fputs("\n## Codes\n\n", out);
    rc = matrix_write(out, runs, count);
    if (rc != 0 || rules == NULL) {
        return rc;
    }
    books = books_new(runs, count, rules);
    if (books == NULL) {
        return -1;
    }
    fputs("\n## Rules by subject\n\n", out);
    rc = write_subjects(out, runs, books, count);
    fputs("\n## Broken rules\n\n", out);
    write_broken(out, runs, books, count);
    books_free(books, count);
    return rc != 0 || ferror(out) ? -1 : 0;
}

static json_t *codes_json(const struct results *runs, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < STATUS_COUNT; i++) {
        json_t *targets = json_array();
        char code[8];

        for (size_t k = 0; k < count; k++) {
            struct coverage c;
            const struct coverage_row *row = &c.rows[i];

            coverage_compute(&c, &runs[k]);
            json_array_append_new(
                targets,
                json_pack("{s:s, s:s, s:s}", "server", coverage_server_name(row->server), "instead", row->other, "case",
                          result_string(row->shown_by != NULL ? row->shown_by : row->missed_by, "id")));
        }
        snprintf(code, sizeof(code), "0x%04x", (unsigned)status_at(i)->code);
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:o}", "code", code, "name", status_at(i)->name, "targets", targets));
    }
    return list;
}

static json_t *rules_json(const struct rulebook *books, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < books[0].count; i++) {
        json_t *states = json_array();

        for (size_t k = 0; k < count; k++) {
            json_array_append_new(states, json_string(rulebook_state_name(books[k].rows[i].state)));
        }
        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "rule", books[0].rows[i].rule->id, "subject",
                                              books[0].rows[i].rule->subject, "targets", states));
    }
    return list;
}

json_t *matrix_json(const struct results *runs, size_t count, const struct catalogue *rules)
{
    json_t *targets = json_array(), *root;

    for (size_t i = 0; i < count; i++) {
        json_t *verdicts = json_object();

        for (int v = VERDICT_PASS; v <= VERDICT_ERROR; v++) {
            json_object_set_new(verdicts, verdict_name((enum verdict)v),
                                json_integer((json_int_t)results_count(&runs[i], (enum verdict)v)));
        }
        json_array_append_new(targets, json_pack("{s:s, s:s, s:s, s:o}", "profile", name_of(&runs[i]), "title",
                                                 result_string(runs[i].head, "title"), "target_version",
                                                 result_string(runs[i].head, "target_version"), "verdicts", verdicts));
    }
    root = json_pack("{s:s, s:o, s:o}", "schema", "iscsispec-matrix/1", "targets", targets, "codes",
                     codes_json(runs, count));
    if (rules != NULL && count > 0 && root != NULL) {
        struct rulebook *books = books_new(runs, count, rules);

        if (books != NULL) {
            json_object_set_new(root, "rules", rules_json(books, count));
            books_free(books, count);
        }
    }
    return root;
}
