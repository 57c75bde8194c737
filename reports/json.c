#include "reports/coverage.h"
#include "reports/reports.h"

#include <string.h>

static json_t *id_of(const json_t *line)
{
    json_t *id = json_object_get(line, "id");

    return id != NULL ? json_incref(id) : json_null();
}

static json_t *row_json(const struct coverage_row *row)
{
    char code[8], server[32], test[48];
    json_t *item;

    snprintf(code, sizeof(code), "0x%04x", (unsigned)row->status->code);
    item = json_pack("{s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o}", "code", code, "name", row->status->name,
                     "decoded", row->decoded, "server", coverage_server_name(row->server), "server_cell",
                     coverage_server_cell(row, server, sizeof(server)), "test", coverage_test_name(row->test),
                     "test_cell", coverage_test_cell(row, test, sizeof(test)), "ran", (json_int_t)row->ran, "failed",
                     (json_int_t)row->failed, "unproven", (json_int_t)row->unproven, "shown_by", id_of(row->shown_by));
    if (item == NULL) {
        return NULL;
    }
    if (row->decoder != NULL) {
        json_object_set(item, "decoder", (json_t *)(uintptr_t)row->decoder);
    }
    if (json_is_object(json_object_get(row->shown_by, "evidence"))) {
        json_object_set(item, "evidence", json_object_get(row->shown_by, "evidence"));
    }
    if (row->server == COVERAGE_NOT_OFFERED) {
        json_object_set_new(item, "reason", json_string(row->reason));
    }
    if (row->server == COVERAGE_OTHER || row->server == COVERAGE_WRONG) {
        json_object_set_new(item, "instead", json_string(row->other));
        json_object_set_new(item, "missed_by", id_of(row->missed_by));
    }
    if (row->server != COVERAGE_SEEN) {
        json_object_set_new(item, "reach", json_string(coverage_reach_name(row->reach)));
        json_object_set_new(item, "advice", json_string(row->advice));
    }
    if (row->source[0] != '\0' || row->note[0] != '\0') {
        json_object_set_new(item, "source", json_string(row->source));
        json_object_set_new(item, "note", json_string(row->note));
    }
    return item;
}

static json_t *verdicts_json(const struct results *r)
{
    json_t *counts = json_object();

    for (int v = VERDICT_PASS; v <= VERDICT_ERROR; v++) {
        json_object_set_new(counts, verdict_name((enum verdict)v),
                            json_integer((json_int_t)results_count(r, (enum verdict)v)));
    }
    return counts;
}

json_t *coverage_json(const struct results *r)
{
    struct coverage c;
    json_t *codes = json_array();
    json_t *root;

    coverage_compute(&c, r);
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        json_array_append_new(codes, row_json(&c.rows[i]));
    }
    root = json_pack("{s:s, s:O, s:{s:I, s:I, s:I, s:i}, s:o, s:o}", "schema", "iscsispec-coverage/1", "run", r->head,
                     "counts", "decoder", (json_int_t)c.decoded, "server", (json_int_t)c.seen, "test",
                     (json_int_t)c.proven, "of", (int)STATUS_COUNT, "verdicts", verdicts_json(r), "codes", codes);
    return root;
}
