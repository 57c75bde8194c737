#include "reports/rulebook.h"

#include "harness/killtable.h"

#include <stdlib.h>
#include <string.h>

bool rulebook_finding_counts(const json_t *finding)
{
    return strcmp(result_string(finding, "severity"), "info") != 0 && json_object_get(finding, "ignored") == NULL;
}

static struct rulebook_row *row_of(struct rulebook *book, const char *id)
{
    size_t low = 0, high = book->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(book->rows[middle].rule->id, id);

        if (order == 0) {
            return &book->rows[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static void mark_broken(struct rulebook *book, const char *id, const json_t *line, const json_t *finding)
{
    struct rulebook_row *row = row_of(book, id);

    if (row == NULL) {
        return;
    }
    row->broken_in++;
    if (row->state != RULEBOOK_BROKEN) {
        row->state = RULEBOOK_BROKEN;
        row->shown_by = line;
        row->finding = finding;
    }
}

static enum verdict judged(const json_t *line)
{
    enum verdict v = result_verdict(line);

    verdict_parse(json_string_value(json_object_get(line, "judged")), &v);
    return v;
}

static bool ran(const json_t *line)
{
    enum verdict v = result_verdict(line);

    return v != VERDICT_SKIP && v != VERDICT_ERROR;
}

static void take_broken(struct rulebook *book, const json_t *line)
{
    const json_t *findings = json_object_get(line, "findings");
    const char *own = result_string(line, "broke");

    if (own[0] != '\0' && (judged(line) == VERDICT_FAIL || judged(line) == VERDICT_WARN)) {
        mark_broken(book, own, line, NULL);
    }
    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *finding = json_array_get(findings, i);
        bool again = strcmp(result_string(finding, "rule"), own) == 0;

        for (size_t k = 0; k < i && !again; k++) {
            again = strcmp(result_string(json_array_get(findings, k), "rule"), result_string(finding, "rule")) == 0;
        }
        if (!again && rulebook_finding_counts(finding)) {
            mark_broken(book, result_string(finding, "rule"), line, finding);
        }
    }
}

static void take_proven(struct rulebook *book, const json_t *line)
{
    const json_t *proves = json_object_get(line, "proves");

    if (judged(line) != VERDICT_PASS || !killtable_proves(json_object_get(line, "proven"))) {
        return;
    }
    for (size_t i = 0; i < json_array_size(proves); i++) {
        const char *id = json_string_value(json_array_get(proves, i));
        struct rulebook_row *row = id != NULL ? row_of(book, id) : NULL;

        if (row != NULL && row->state < RULEBOOK_PROVEN) {
            row->state = RULEBOOK_PROVEN;
            row->shown_by = line;
        }
    }
}

static bool fill_rows(struct rulebook *out, const struct results *r, const struct catalogue *rules)
{
    const json_t *audited = json_object_get(r->head, "audited");

    out->rows = calloc(rules->count + 1, sizeof(*out->rows));
    for (size_t i = 0; out->rows != NULL && i < rules->count; i++) {
        if (rules->rules[i].party == RULE_TARGET) {
            bool seen = json_object_get(audited, rules->rules[i].id) != NULL;

            out->rows[out->count].state = seen ? RULEBOOK_CHECKED : RULEBOOK_NOT_REACHED;
            out->rows[out->count++].rule = &rules->rules[i];
        }
    }
    return out->rows != NULL;
}

bool rulebook_compute(struct rulebook *out, const struct results *r, const struct catalogue *rules)
{
    memset(out, 0, sizeof(*out));
    if (!fill_rows(out, r, rules)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        const json_t *line = json_array_get(r->cases, i);

        if (ran(line)) {
            take_broken(out, line);
            take_proven(out, line);
        }
    }
    return true;
}

void rulebook_free(struct rulebook *book)
{
    free(book->rows);
    memset(book, 0, sizeof(*book));
}

size_t rulebook_count_subject(const struct rulebook *book, size_t first, size_t counts[RULEBOOK_STATES])
{
    size_t at = first;

    memset(counts, 0, RULEBOOK_STATES * sizeof(counts[0]));
    while (at < book->count && strcmp(book->rows[at].rule->subject, book->rows[first].rule->subject) == 0) {
        counts[book->rows[at++].state]++;
    }
    return at;
}

const char *rulebook_state_name(enum rulebook_state state)
{
    static const char *const names[] = {[RULEBOOK_NOT_REACHED] = "not reached",
                                        [RULEBOOK_CHECKED] = "checked",
                                        [RULEBOOK_PROVEN] = "proven kept",
                                        [RULEBOOK_BROKEN] = "broken",
                                        [RULEBOOK_STATES] = "?"};

    return names[state];
}
