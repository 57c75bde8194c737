/* What defects prove about rules: see selftest_proof.h. */
#include "harness/selftest_proof.h"

#include "harness/result.h"

#include <stdlib.h>
#include <string.h>

bool selftest_proof_init(struct selftest_proof *proof, const struct catalogue *rules, const struct wakes *wakes)
{
    proof->rules = rules;
    proof->wakes = wakes;
    proof->woken = calloc(rules->count + 1, sizeof(*proof->woken));
    return proof->woken != NULL;
}

void selftest_proof_free(struct selftest_proof *proof)
{
    free(proof->woken);
    proof->woken = NULL;
}

/* Did the expectations of the case, without the audit, end in a WARN of a rule that has no worse verdict to give? */
static bool expected_more(const json_t *line, const struct catalogue *rules)
{
    const struct rule *rule = catalogue_find(rules, result_string(line, "broke"));

    return strcmp(result_string(line, "judged"), "WARN") == 0 && rule != NULL && rule->severity == RULE_WARN;
}

static bool counts(const json_t *finding)
{
    return json_object_get(finding, "ignored") == NULL;
}

bool selftest_warn_counts(const json_t *line, const struct catalogue *rules)
{
    const json_t *findings = json_object_get(line, "findings");

    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *finding = json_array_get(findings, i);

        if (counts(finding) && strcmp(result_string(finding, "severity"), "warn") == 0) {
            return true;
        }
    }
    return expected_more(line, rules);
}

static void wake(struct selftest_proof *proof, const char *id)
{
    const struct rule *rule = catalogue_find(proof->rules, id);

    if (rule != NULL) {
        proof->woken[rule - proof->rules->rules] = true;
    }
}

/* The entry whose expectation was not met; without one, those that the case is there for. */
static void wake_by_case(struct selftest_proof *proof, const struct case_def *c, const json_t *line, bool failed)
{
    const char *broke = result_string(line, "broke");

    if (broke[0] != '\0') {
        wake(proof, broke);
        return;
    }
    for (size_t i = 0; i < c->proves.count; i++) {
        const struct rule *rule = catalogue_find(proof->rules, c->proves.items[i]);

        if (rule != NULL && (failed || rule->severity != RULE_FAIL)) {
            wake(proof, rule->id);
        }
    }
}

/* A defect without an entry in cases/defects.yaml, with the first rule that it woke. */
static void note_undeclared(json_t *report, const char *defect, const char *rule)
{
    json_t *list = json_object_get(report, "undeclared");
    size_t count = json_array_size(list);

    if (count == 0 || strcmp(result_string(json_array_get(list, count - 1), "defect"), defect) != 0) {
        json_array_append_new(list, json_pack("{s:s, s:s}", "defect", defect, "reason", rule));
    }
}

void selftest_proof_take(struct selftest_proof *proof, const char *defect, const struct case_def *c, const json_t *line,
                         json_t *report)
{
    const struct wakes_entry *entry = proof->wakes != NULL ? wakes_find(proof->wakes, defect) : NULL;
    const json_t *findings = json_object_get(line, "findings");
    bool failed = strcmp(result_string(line, "judged"), "FAIL") == 0;

    if (failed || expected_more(line, proof->rules)) {
        wake_by_case(proof, c, line, failed);
    }
    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *finding = json_array_get(findings, i);
        const char *rule = result_string(finding, "rule");

        if (!counts(finding)) {
            continue;
        }
        wake(proof, rule);
        if (proof->wakes != NULL && entry == NULL) {
            note_undeclared(report, defect, rule);
        } else if (entry != NULL && !wakes_may(entry, rule)) {
            json_array_append_new(json_object_get(report, "stray"),
                                  json_pack("{s:s, s:s, s:s}", "defect", defect, "case", c->id, "reason", rule));
        }
    }
}

/* Is the bar reached: every entry of severity fail proven, and nineteen of twenty of severity warn? */
static bool reaches_bar(const size_t total[2], const size_t proven[2], const size_t excused[2])
{
    return proven[1] + excused[1] == total[1] && proven[0] * 20 >= total[0] * 19;
}

void selftest_proof_note(const struct selftest_proof *proof, json_t *report)
{
    size_t total[2] = {0, 0}, proven[2] = {0, 0}, excused[2] = {0, 0};

    for (size_t i = 0; i < proof->rules->count; i++) {
        const struct rule *rule = &proof->rules->rules[i];
        bool fail = rule->severity == RULE_FAIL;

        if (rule->party != RULE_TARGET || rule->severity == RULE_INFO) {
            continue;
        }
        total[fail]++;
        proven[fail] += proof->woken[i];
        excused[fail] += !proof->woken[i] && rule->unproven != NULL;
        if (proof->woken[i] == (rule->unproven != NULL)) {
            json_array_append_new(json_object_get(report, proof->woken[i] ? "excused" : "asleep"),
                                  json_string(rule->id));
        }
    }
    json_object_set_new(report, "bar", json_boolean(reaches_bar(total, proven, excused)));
    json_object_set_new(report, "rules",
                        json_pack("{s:{s:I, s:I, s:I}, s:{s:I, s:I, s:I}}", "fail", "total", (json_int_t)total[1],
                                  "proven", (json_int_t)proven[1], "excused", (json_int_t)excused[1], "warn", "total",
                                  (json_int_t)total[0], "proven", (json_int_t)proven[0], "excused",
                                  (json_int_t)excused[0]));
}
