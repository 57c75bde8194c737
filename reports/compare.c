#include "reports/compare.h"

#include "reports/coverage.h"
#include "reports/rulebook.h"

#include <stdlib.h>
#include <string.h>

/* How bad it is for a target to have this verdict. What is known (XFAIL) is between a warning and a failure. */
static int badness(enum verdict v)
{
    static const int ranks[] = {
        [VERDICT_PASS] = 0, [VERDICT_XPASS] = 0, [VERDICT_WARN] = 1,  [VERDICT_XFAIL] = 2,
        [VERDICT_FAIL] = 3, [VERDICT_CRASH] = 4, [VERDICT_ERROR] = 5, [VERDICT_SKIP] = 5,
    };

    return ranks[v];
}

/* Neither says anything about the target. */
static bool tells(enum verdict v)
{
    return v != VERDICT_SKIP && v != VERDICT_ERROR;
}

static void add(json_t *changes, const char *kind, const char *what, const char *from, const char *to,
                const char *reason, bool regression)
{
    json_array_append_new(changes, json_pack("{s:s, s:o, s:o, s:o, s:o, s:b}", "kind", kind, "what", result_text(what),
                                             "from", result_text(from), "to", result_text(to), "reason",
                                             result_text(reason), "regression", (int)regression));
}

static const char *verdict_text(const json_t *line)
{
    return verdict_name(result_verdict(line));
}

/* Rules broken in a case, each once: {id: true}. */
static json_t *broken_rules(const json_t *line)
{
    const json_t *findings = json_object_get(line, "findings");
    json_t *set = json_object();

    if (result_string(line, "broke")[0] != '\0') {
        json_object_set_new(set, result_string(line, "broke"), json_true());
    }
    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *finding = json_array_get(findings, i);

        if (rulebook_finding_counts(finding)) {
            json_object_set_new(set, result_string(finding, "rule"), json_true());
        }
    }
    return set;
}

/* A case can keep its verdict and yet break another rule. */
static void compare_rules(json_t *changes, const json_t *old, const json_t *new)
{
    json_t *before = broken_rules(old), *after = broken_rules(new), *ignored;
    const char *rule;
    char what[512];

    json_object_foreach(after, rule, ignored)
    {
        if (json_object_get(before, rule) == NULL) {
            snprintf(what, sizeof(what), "%.100s in %.300s", rule, result_string(new, "id"));
            add(changes, "rule", what, "kept", "broken", result_string(new, "reason"), true);
        }
    }
    json_object_foreach(before, rule, ignored)
    {
        if (json_object_get(after, rule) == NULL) {
            snprintf(what, sizeof(what), "%.100s in %.300s", rule, result_string(new, "id"));
            add(changes, "rule", what, "broken", "kept", "", false);
        }
    }
    json_decref(before);
    json_decref(after);
}

static void compare_case(json_t *changes, const json_t *old, const json_t *new)
{
    enum verdict was = result_verdict(old), is = result_verdict(new);

    if (was != is) {
        /* From no verdict to a bad one is news, but nothing was better before. */
        bool worse = tells(was) && badness(is) > badness(was);

        add(changes, "verdict", result_string(new, "id"), verdict_name(was), verdict_name(is),
            result_string(new, "reason"), worse);
    } else if (tells(is)) {
        compare_rules(changes, old, new);
    }
}

/* Both are sorted by id. */
static void compare_cases(json_t *changes, const struct results *before, const struct results *after)
{
    size_t i = 0, k = 0, olds = json_array_size(before->cases), news = json_array_size(after->cases);

    while (i < olds || k < news) {
        const json_t *old = json_array_get(before->cases, i), *new = json_array_get(after->cases, k);
        int order = old == NULL ? 1 : (new == NULL ? -1 : strcmp(result_string(old, "id"), result_string(new, "id")));

        if (order == 0) {
            compare_case(changes, old, new);
        } else if (order < 0) {
            add(changes, "gone-case", result_string(old, "id"), verdict_text(old), "not run", "", false);
        } else {
            add(changes, "new-case", result_string(new, "id"), "not run", verdict_text(new),
                result_string(new, "reason"), false);
        }
        i += order <= 0;
        k += order >= 0;
    }
}

static void compare_codes(json_t *changes, const struct results *before, const struct results *after)
{
    struct coverage was, is;

    coverage_compute(&was, before);
    coverage_compute(&is, after);
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        const struct coverage_row *old = &was.rows[i], *new = &is.rows[i];
        char what[80];

        /* What was left out of one of the two runs tells nothing. */
        if (old->server == new->server || old->ran == 0 || new->ran == 0) {
            continue;
        }
        snprintf(what, sizeof(what), "0x%04x %s", (unsigned)new->status->code, new->status->name);
        add(changes, "code", what, coverage_server_name(old->server), coverage_server_name(new->server), "",
            old->server == COVERAGE_SEEN);
    }
}

/* A change of these is one reason for all others. */
static void compare_heads(json_t *changes, const struct results *before, const struct results *after)
{
    static const char *const fields[] = {"profile", "target_version", "iscsispec", "catalogue"};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const char *was = result_string(before->head, fields[i]), *is = result_string(after->head, fields[i]);

        if (strcmp(was, is) != 0) {
            add(changes, "suite", fields[i], was, is, "", false);
        }
    }
}

static json_t *head_json(const struct results *r)
{
    return json_pack("{s:s, s:s, s:s}", "profile", result_string(r->head, "profile"), "target_version",
                     result_string(r->head, "target_version"), "started", result_string(r->head, "started"));
}

size_t compare_regressions(const json_t *comparison)
{
    return (size_t)json_integer_value(json_object_get(comparison, "regressions"));
}

json_t *compare_runs(const struct results *before, const struct results *after)
{
    json_t *changes = json_array();
    json_int_t regressions = 0;

    compare_heads(changes, before, after);
    compare_codes(changes, before, after);
    compare_cases(changes, before, after);
    for (size_t i = 0; i < json_array_size(changes); i++) {
        regressions += json_is_true(json_object_get(json_array_get(changes, i), "regression"));
    }
    return json_pack("{s:s, s:I, s:o, s:o, s:o}", "schema", "iscsispec-compare/1", "regressions", regressions, "old",
                     head_json(before), "new", head_json(after), "changes", changes);
}

struct part {
    const char *title, *kind; /* kind NULL: any but those that have a part of their own */
    int regression;           /* 1, 0, or -1: either */
};

static bool belongs(const struct part *part, const json_t *change)
{
    const char *kind = result_string(change, "kind");
    bool own = strcmp(kind, "suite") == 0 || strcmp(kind, "new-case") == 0 || strcmp(kind, "gone-case") == 0;

    if (part->kind != NULL ? strcmp(part->kind, kind) != 0 : own) {
        return false;
    }
    return part->regression < 0 || json_is_true(json_object_get(change, "regression")) == (part->regression == 1);
}

int compare_print(FILE *out, const json_t *comparison)
{
    static const struct part parts[] = {
        {"Another suite or target", "suite", -1}, {"Worse", NULL, 1},
        {"Better or otherwise changed", NULL, 0}, {"New cases", "new-case", -1},
        {"No longer run", "gone-case", -1},
    };
    const json_t *changes = json_object_get(comparison, "changes");

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        bool any = false;

        for (size_t k = 0; k < json_array_size(changes); k++) {
            const json_t *change = json_array_get(changes, k);
            const char *reason = result_string(change, "reason");

            if (!belongs(&parts[i], change)) {
                continue;
            }
            fprintf(out, "%s%s%s  %s: %s -> %s%s%s\n", any ? "" : parts[i].title, any ? "" : ":\n", "",
                    result_string(change, "what"), result_string(change, "from"), result_string(change, "to"),
                    reason[0] != '\0' ? ": " : "", reason);
            any = true;
        }
        if (any) {
            fputc('\n', out);
        }
    }
    if (json_array_size(changes) == 0) {
        fputs("nothing changed\n", out);
    } else {
        fprintf(out, "%zu changes, %zu regressions\n", json_array_size(changes), compare_regressions(comparison));
    }
    return ferror(out) ? -1 : 0;
}
