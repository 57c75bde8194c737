/* What the HTML page draws from: tables of the wire, runs, rules, ladders. */
#include "reports/coverage.h"
#include "reports/html.h"
#include "reports/reports.h"
#include "reports/rulebook.h"
#include "wire/pdu.h"

#include <limits.h>
#include <string.h>

static json_t *pdu_json(uint8_t opcode)
{
    size_t count;
    const struct pdu_field *fields = pdu_fields(opcode, &count);
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list,
                              json_pack("[s, i, i, i, i, i]", fields[i].name, (int)fields[i].byte, (int)fields[i].width,
                                        (int)fields[i].shift, (int)fields[i].bits, (int)fields[i].flags));
    }
    return json_pack("{s:s, s:o}", "name", pdu_opcode_name(opcode), "fields", list);
}

/* The vocabulary of the decoder in the page: the same tables as everywhere. */
static json_t *wire_json(void)
{
    enum { UNASSIGNED = 0x1b };
    json_t *pdus = json_object(), *stages = json_array(), *statuses = json_array();
    char key[8];

    for (unsigned opcode = 0; opcode <= PDU_OPCODE_MASK; opcode++) {
        if (pdu_opcode_known((uint8_t)opcode)) {
            snprintf(key, sizeof(key), "%u", opcode);
            json_object_set_new(pdus, key, pdu_json((uint8_t)opcode));
        }
    }
    json_object_set_new(pdus, "other", pdu_json(UNASSIGNED));
    for (unsigned stage = 0; stage < 4; stage++) {
        json_array_append_new(stages, json_string(pdu_stage_name(stage)));
    }
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        json_array_append_new(statuses, json_pack("[i, s]", (int)status_at(i)->code, status_at(i)->name));
    }
    return json_pack("{s:o, s:o, s:o}", "pdus", pdus, "stages", stages, "statuses", statuses);
}

static json_t *subjects_json(const struct results *r, const struct catalogue *rules)
{
    json_t *list = json_array();
    size_t counts[RULEBOOK_STATES];
    struct rulebook book;

    if (rules == NULL || !rulebook_compute(&book, r, rules)) {
        return list;
    }
    for (size_t first = 0; first < book.count;) {
        size_t next = rulebook_count_subject(&book, first, counts);
        json_t *broken = json_array();

        for (size_t i = first; i < next; i++) {
            if (book.rows[i].state == RULEBOOK_BROKEN) {
                json_array_append_new(broken, json_string(book.rows[i].rule->id));
            }
        }
        json_array_append_new(
            list, json_pack("{s:s, s:I, s:I, s:I, s:I, s:o}", "subject", book.rows[first].rule->subject, "proven",
                            (json_int_t)counts[RULEBOOK_PROVEN], "checked", (json_int_t)counts[RULEBOOK_CHECKED],
                            "broken", (json_int_t)counts[RULEBOOK_BROKEN], "unreached",
                            (json_int_t)counts[RULEBOOK_NOT_REACHED], "rules", broken));
        first = next;
    }
    rulebook_free(&book);
    return list;
}

/* The page counts on these kinds. Results may come from anywhere: what is of another kind is left out. */
static void drop_misshapen(json_t *line)
{
    static const struct {
        const char *name;
        json_type type;
    } shapes[] = {
        {"title", JSON_STRING},   {"reason", JSON_STRING}, {"expected", JSON_STRING}, {"subject", JSON_STRING},
        {"judged", JSON_STRING},  {"broke", JSON_STRING},  {"proves", JSON_ARRAY},    {"needs", JSON_ARRAY},
        {"findings", JSON_ARRAY}, {"seen", JSON_ARRAY},    {"waived_by", JSON_ARRAY}, {"evidence", JSON_OBJECT},
        {"flaky", JSON_OBJECT},   {"code", JSON_INTEGER},
    };
    json_t *findings;

    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        const json_t *value = json_object_get(line, shapes[i].name);

        if (value != NULL && json_typeof(value) != shapes[i].type) {
            json_object_del(line, shapes[i].name);
        }
    }
    if (!json_is_number(json_object_get(line, "ms"))) {
        json_object_del(line, "ms");
    }
    findings = json_copy(json_object_get(line, "findings"));
    for (size_t i = json_array_size(findings); i > 0; i--) {
        const json_t *finding = json_array_get(findings, i - 1);

        if (!json_is_string(json_object_get(finding, "rule")) || !json_is_string(json_object_get(finding, "conn"))) {
            json_array_remove(findings, i - 1);
        }
    }
    if (findings != NULL) {
        json_object_set_new(line, "findings", findings);
    }
}

static bool waivers_are_sound(const json_t *waivers)
{
    for (size_t i = 0; i < json_array_size(waivers); i++) {
        const json_t *entry = json_array_get(waivers, i);

        if (!json_is_array(json_object_get(entry, "case")) || !json_is_array(json_object_get(entry, "rule"))) {
            return false;
        }
    }
    return json_is_array(waivers);
}

/* Without the keys, which stand in the ladder. */
static json_t *seen_json(const json_t *seen)
{
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(seen); i++) {
        json_t *one = json_copy(json_array_get(seen, i));

        if (!json_is_object(one) || !json_is_array(json_object_get(one, "status"))) {
            json_decref(one);
            continue;
        }
        json_object_del(one, "keys");
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *cases_json(const struct results *r)
{
    static const char *const unused[] = {"proven", "wire", "silence", "attempt"};
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        json_t *line = json_copy(json_array_get(r->cases, i));

        for (size_t k = 0; k < sizeof(unused) / sizeof(unused[0]); k++) {
            json_object_del(line, unused[k]);
        }
        drop_misshapen(line);
        json_object_set_new(line, "seen", seen_json(json_object_get(line, "seen")));
        json_array_append_new(list, line);
    }
    return list;
}

static json_t *run_json(const struct html_run *in, const struct catalogue *rules)
{
    static const char *const head[] = {"title", "target_version", "started", "interrupted", "selection",
                                       "again", "waivers",        "shard",   "stopped"};
    const char *label = result_string(in->run->head, "label");
    const char *name = label[0] != '\0' ? label : result_string(in->run->head, "profile");
    json_t *coverage = coverage_json(in->run);
    json_t *run = json_pack("{s:o, s:O, s:O, s:O, s:s, s:o, s:o, s:o}", "name", result_text(name), "counts",
                            json_object_get(coverage, "counts"), "verdicts", json_object_get(coverage, "verdicts"),
                            "codes", json_object_get(coverage, "codes"), "decoder",
                            result_string(json_object_get(in->run->head, "decoder"), "name"), "subjects",
                            subjects_json(in->run, rules), "cases", cases_json(in->run), "evidence",
                            in->evidence != NULL ? result_text(in->evidence) : json_null());

    for (size_t i = 0; run != NULL && i < sizeof(head) / sizeof(head[0]); i++) {
        if (json_object_get(in->run->head, head[i]) != NULL) {
            json_object_set(run, head[i], json_object_get(in->run->head, head[i]));
        }
    }
    if (!waivers_are_sound(json_object_get(run, "waivers"))) {
        json_object_set_new(run, "waivers", json_array());
    }
    json_decref(coverage);
    return run;
}

static void add_rule(json_t *list, const struct catalogue *rules, const char *id)
{
    const struct rule *rule = id != NULL && json_object_get(list, id) == NULL ? catalogue_find(rules, id) : NULL;

    if (rule != NULL) {
        json_object_set_new(list, id,
                            json_pack("{s:s, s:s, s:s, s:s}", "text", rule->text, "section", rule->section, "level",
                                      rule->level_text, "severity", rule_severity_name(rule->severity)));
    }
}

/* The words of every rule that a case of the run speaks of. */
static void add_rules(json_t *list, const struct results *r, const struct catalogue *rules)
{
    for (size_t i = 0; rules != NULL && i < json_array_size(r->cases); i++) {
        const json_t *line = json_array_get(r->cases, i);
        const json_t *proves = json_object_get(line, "proves");
        const json_t *findings = json_object_get(line, "findings");

        for (size_t k = 0; k < json_array_size(proves); k++) {
            add_rule(list, rules, json_string_value(json_array_get(proves, k)));
        }
        for (size_t k = 0; k < json_array_size(findings); k++) {
            add_rule(list, rules, result_string(json_array_get(findings, k), "rule"));
        }
    }
}

/* By case. A ladder that is not there or is broken is left out: the page says so. */
static json_t *ladders_json(const struct html_run *in)
{
    json_t *all = json_object();

    for (size_t i = 0; in->dir != NULL && i < json_array_size(in->run->cases); i++) {
        const json_t *line = json_array_get(in->run->cases, i);
        const char *file = result_string(json_object_get(line, "evidence"), "json");
        char path[PATH_MAX];
        json_t *ladder;

        /* Results may come from elsewhere: nothing outside the run's directory is read. */
        if (file[0] == '\0' || file[0] == '/' || strstr(file, "..") != NULL) {
            continue;
        }
        snprintf(path, sizeof(path), "%s/%s", in->dir, file);
        ladder = json_load_file(path, 0, NULL);
        if (json_is_array(json_object_get(ladder, "conns"))) {
            json_object_set(all, result_string(line, "id"), ladder);
        }
        json_decref(ladder);
    }
    return all;
}

json_t *html_data(const struct html_run *runs, size_t count, const struct catalogue *rules)
{
    json_t *list = json_array(), *words = json_object(), *ladders = json_array();

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, run_json(&runs[i], rules));
        add_rules(words, runs[i].run, rules);
        json_array_append_new(ladders, ladders_json(&runs[i]));
    }
    return json_pack("{s:s, s:o, s:o, s:o, s:o}", "version",
                     count > 0 ? result_string(runs[0].run->head, "iscsispec") : "", "wire", wire_json(), "runs", list,
                     "rules", words, "ladders", ladders);
}
