#include "reports/coverage.h"
#include "reports/reports.h"
#include "reports/rulebook.h"
#include "reports/table.h"

#include <stdlib.h>
#include <string.h>

static void append(char *out, size_t out_len, const char *text)
{
    size_t len = strlen(out);

    if (text[0] != '\0' && len < out_len) {
        snprintf(out + len, out_len - len, "%s%s", len > 0 ? "; " : "", text);
    }
}

/* The Notes cell: what the other cells cannot say. Only words that are the same in each run. */
static void notes_of(const struct coverage_row *row, char *out, size_t out_len)
{
    char part[512];

    out[0] = '\0';
    if (row->server == COVERAGE_NOT_OFFERED) {
        append(out, out_len, row->reason);
    }
    if (row->server == COVERAGE_WRONG) {
        snprintf(part, sizeof(part), "`%s`: %s instead", result_string(row->missed_by, "id"), row->other);
        append(out, out_len, part);
    }
    if (row->server == COVERAGE_OTHER) {
        snprintf(part, sizeof(part), "`%s`: rightful too", result_string(row->missed_by, "id"));
        append(out, out_len, part);
    }
    if (row->server == COVERAGE_WRONG || row->server == COVERAGE_OTHER) {
        append(out, out_len, row->told);
    }
    if (row->test == COVERAGE_UNPROVEN) {
        snprintf(part, sizeof(part), "%zu of %zu cases not proven by the kill table", row->unproven, row->ran);
        append(out, out_len, part);
    }
    append(out, out_len, row->source);
    append(out, out_len, row->note);
}

static void add_head(struct table *t, const struct results *r)
{
    char name[96], column[128];

    snprintf(column, sizeof(column), "Decoder (%s)", coverage_decoder_name(r, name, sizeof(name)));
    table_add(t, "Code");
    table_add(t, "Name");
    table_add(t, column);
    table_add(t, "Server");
    table_add(t, "Test");
    table_add(t, "Notes");
}

static void add_row(struct table *t, const struct coverage_row *row)
{
    char code[8], server[32], test[48], notes[1024];

    snprintf(code, sizeof(code), "0x%04x", (unsigned)row->status->code);
    notes_of(row, notes, sizeof(notes));
    table_add(t, code);
    table_add(t, row->status->name);
    table_add(t, coverage_decoder_cell(row));
    table_add(t, coverage_server_cell(row, server, sizeof(server)));
    table_add(t, coverage_test_cell(row, test, sizeof(test)));
    table_add(t, notes);
}

static void write_counts(FILE *out, const struct coverage *c)
{
    fprintf(out, "\nDecoder: %zu/%u (%u%%)\n", c->decoded, STATUS_COUNT, coverage_percent(c->decoded));
    fprintf(out, "\nServer: %zu/%u (%u%%)\n", c->seen, STATUS_COUNT, coverage_percent(c->seen));
    fprintf(out, "\nTest: %zu/%u (%u%%)\n", c->proven, STATUS_COUNT, coverage_percent(c->proven));
}

static int write_table(FILE *out, const struct results *r, const struct coverage *c)
{
    int last_class = -1;
    struct table t;
    int rc;

    table_init(&t, 6);
    add_head(&t, r);
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        uint8_t class_value = status_class(c->rows[i].status->code);

        if (class_value != last_class) {
            char heading[64];

            snprintf(heading, sizeof(heading), "**%s**", status_class_name(class_value));
            table_add_heading(&t, heading);
            last_class = class_value;
        }
        add_row(&t, &c->rows[i]);
    }
    rc = table_write(&t, out);
    table_free(&t);
    write_counts(out, c);
    return rc;
}

int markdown_table(FILE *out, const struct results *r)
{
    struct coverage c;

    coverage_compute(&c, r);
    return write_table(out, r, &c);
}

static void write_verdicts(FILE *out, const struct results *r)
{
    bool first = true;

    fprintf(out, "%zu cases: ", json_array_size(r->cases));
    for (int v = VERDICT_PASS; v <= VERDICT_ERROR; v++) {
        size_t count = results_count(r, (enum verdict)v);

        if (count > 0) {
            fprintf(out, "%s%zu %s", first ? "" : ", ", count, verdict_name((enum verdict)v));
            first = false;
        }
    }
    fprintf(out, "%s.\n\n", first ? "none" : "");
}

static void write_intro(FILE *out, const struct results *r, bool published)
{
    const char *version = result_string(r->head, "target_version");

    fprintf(out, "# Login status codes: %s\n\n", result_string(r->head, "title"));
    fprintf(out, "Made by iscsispec %s from a run with the profile `%s`", result_string(r->head, "iscsispec"),
            result_string(r->head, "profile"));
    if (version[0] != '\0') {
        fprintf(out, ", target version %s", version);
    }
    if (!published) {
        fprintf(out, ", on %s", result_string(r->head, "started"));
    }
    fputs(".", out);
    if (json_is_true(json_object_get(r->head, "interrupted"))) {
        fputs(" The run was interrupted: this is what was done.", out);
    }
    fputs("\n\n", out);
    write_verdicts(out, r);
}

static void write_seen(FILE *out, const struct coverage *c, bool published)
{
    bool any = false;

    for (size_t i = 0; i < STATUS_COUNT; i++) {
        const struct coverage_row *row = &c->rows[i];
        const json_t *evidence = json_object_get(row->shown_by, "evidence");

        if (row->shown_by == NULL) {
            continue;
        }
        if (!any) {
            fputs("\n## Seen\n\n", out);
            any = true;
        }
        fprintf(out, "- 0x%04x %s: %s (`%s`)", (unsigned)row->status->code, row->status->name,
                result_string(row->shown_by, "title"), result_string(row->shown_by, "id"));
        if (!published && evidence != NULL) {
            fprintf(out, ", [pcap](%s), [ladder](%s)", result_string(evidence, "pcap"),
                    result_string(evidence, "text"));
        }
        fputc('\n', out);
    }
}

static void write_not_offered(FILE *out, const struct results *r, const struct coverage *c)
{
    const json_t *told = json_object_get(r->head, "not_offered");
    bool any = false;

    for (size_t i = 0; i < STATUS_COUNT; i++) {
        const struct coverage_row *row = &c->rows[i];

        if (row->server == COVERAGE_NOT_OFFERED) {
            fprintf(out, "%s- 0x%04x %s: %s\n", any ? "" : "\n## Not offered\n\n", (unsigned)row->status->code,
                    row->status->name, row->reason);
            any = true;
        }
    }
    for (size_t i = 0; i < json_array_size(told); i++) {
        const json_t *entry = json_array_get(told, i);
        const char *condition = result_string(entry, "condition");

        if (condition[0] != '\0') {
            fprintf(out, "%s- condition `%s`: %s\n", any ? "" : "\n## Not offered\n\n", condition,
                    result_string(entry, "reason"));
            any = true;
        }
    }
}

static void write_next_steps(FILE *out, const struct coverage *c)
{
    bool any = false;

    for (int reach = COVERAGE_BY_WIRE; reach <= COVERAGE_BY_FEATURE; reach++) {
        for (size_t i = 0; i < STATUS_COUNT; i++) {
            const struct coverage_row *row = &c->rows[i];

            if (row->server == COVERAGE_SEEN || (int)row->reach != reach) {
                continue;
            }
            fprintf(out, "%s1. 0x%04x %s, %s: %s\n", any ? "" : "\n## Next steps\n\n", (unsigned)row->status->code,
                    row->status->name, coverage_reach_name(row->reach), row->advice);
            any = true;
        }
    }
}

/* The rules a case broke, each once, in order. */
static void write_rules(FILE *out, const json_t *line)
{
    const json_t *findings = json_object_get(line, "findings");
    const char *last = "";

    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *finding = json_array_get(findings, i);
        const char *rule = result_string(finding, "rule");

        if (strcmp(result_string(finding, "severity"), "info") != 0 && json_object_get(finding, "ignored") == NULL &&
            strcmp(rule, last) != 0) {
            fprintf(out, " %s", rule);
            last = rule;
        }
    }
}

static void write_not_passed(FILE *out, const struct results *r, bool published)
{
    bool any = false;

    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        const json_t *line = json_array_get(r->cases, i);
        enum verdict v = result_verdict(line);

        if (v == VERDICT_PASS || v == VERDICT_SKIP) {
            continue;
        }
        fprintf(out, "%s- %s `%s`: %s", any ? "" : "\n## Not passed\n\n", verdict_name(v), result_string(line, "id"),
                result_string(line, "title"));
        any = true;
        if (published) {
            write_rules(out, line);
        } else {
            fprintf(out, "<br>%s", result_string(line, "reason"));
        }
        fputc('\n', out);
    }
}

static void add_counts(struct table *t, const char *name, const size_t counts[RULEBOOK_STATES])
{
    static const enum rulebook_state order[] = {RULEBOOK_PROVEN, RULEBOOK_CHECKED, RULEBOOK_BROKEN,
                                                RULEBOOK_NOT_REACHED};
    size_t sum = 0;
    char text[24];

    for (size_t i = 0; i < RULEBOOK_STATES; i++) {
        sum += counts[i];
    }
    table_add(t, name);
    snprintf(text, sizeof(text), "%zu", sum);
    table_add(t, text);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        snprintf(text, sizeof(text), "%zu", counts[order[i]]);
        table_add(t, text);
    }
}

static int write_subjects(FILE *out, const struct rulebook *book)
{
    static const char *const heads[] = {"Subject", "Rules", "Proven kept", "Checked", "Broken", "Not reached"};
    size_t all[RULEBOOK_STATES] = {0}, counts[RULEBOOK_STATES];
    struct table t;
    int rc;

    table_init(&t, 6);
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        table_add(&t, heads[i]);
    }
    for (size_t at = 0; at < book->count;) {
        const char *subject = book->rows[at].rule->subject;

        at = rulebook_count_subject(book, at, counts);
        add_counts(&t, subject, counts);
        for (size_t i = 0; i < RULEBOOK_STATES; i++) {
            all[i] += counts[i];
        }
    }
    add_counts(&t, "all", all);
    rc = table_write(&t, out);
    table_free(&t);
    return rc;
}

static int write_rulebook(FILE *out, const struct results *r, const struct catalogue *rules)
{
    struct rulebook book;
    bool any = false;
    int rc;

    if (!rulebook_compute(&book, r, rules)) {
        return -1;
    }
    fputs("\n## Rules by subject\n\n"
          "Proven kept: a case for the rule passed that fails when the rule is broken. Checked: the audit looked for "
          "it and\n"
          "found nothing, but no case shows that there was an occasion. Broken: a finding, or an expectation of a case "
          "that\n"
          "was not met.\n\n",
          out);
    rc = write_subjects(out, &book);
    for (size_t i = 0; i < book.count; i++) {
        const struct rulebook_row *row = &book.rows[i];

        if (row->state == RULEBOOK_BROKEN) {
            fprintf(out, "%s- %s (%s, %s), in %zu case%s: %s (`%s`)\n", any ? "" : "\n## Broken rules\n\n",
                    row->rule->id, row->rule->level_text, row->rule->section, row->broken_in,
                    row->broken_in == 1 ? "" : "s", row->rule->text, result_string(row->shown_by, "id"));
            any = true;
        }
    }
    rulebook_free(&book);
    return rc;
}

int markdown_write(FILE *out, const struct results *r, const struct catalogue *rules, bool published)
{
    struct coverage c;

    coverage_compute(&c, r);
    write_intro(out, r, published);
    if (write_table(out, r, &c) != 0) {
        return -1;
    }
    write_seen(out, &c, published);
    if (rules != NULL && write_rulebook(out, r, rules) != 0) {
        return -1;
    }
    write_not_passed(out, r, published);
    write_not_offered(out, r, &c);
    write_next_steps(out, &c);
    return ferror(out) ? -1 : 0;
}
