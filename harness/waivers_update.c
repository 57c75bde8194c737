/* A waiver file for review, from a run: what still counts, and what was seen and is not covered. */
#include "harness/waivers.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { UPDATE_DAYS = 90 }; /* how long an entry counts that no version ends */

/* Strings of JSON are strings of YAML, in double quotes. */
static void put_text(FILE *out, const char *name, const char *text)
{
    json_t *value = result_text(text);

    fprintf(out, "  %s: ", name);
    json_dumpf(value, out, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    fputc('\n', out);
    json_decref(value);
}

/* A text as a glob that matches it alone. */
static void put_glob(FILE *out, const char *lead, const char *text)
{
    size_t len = 0;
    char *glob = malloc(strlen(text) * 2 + 1);
    json_t *value;

    for (; glob != NULL && *text != '\0'; text++) {
        if (strchr("*?[]\\", *text) != NULL) {
            glob[len++] = '\\';
        }
        glob[len++] = *text;
    }
    if (glob != NULL) {
        glob[len] = '\0';
        value = result_text(glob);
        fputs(lead, out);
        json_dumpf(value, out, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
        json_decref(value);
    }
    free(glob);
}

static void put_globs(FILE *out, const char *lead, const json_t *globs)
{
    if (json_array_size(globs) == 0) {
        return;
    }
    fputs(lead, out);
    json_dumpf(globs, out, JSON_ENSURE_ASCII);
    fputc('\n', out);
}

static void put_date_after(FILE *out, const char *today, int days)
{
    struct tm day = {0};
    char text[WAIVERS_DATE_LEN];
    time_t at;

    if (sscanf(today, "%4d-%2d-%2d", &day.tm_year, &day.tm_mon, &day.tm_mday) == 3) {
        day.tm_year -= 1900;
        day.tm_mon -= 1;
        day.tm_mday += days;
        at = timegm(&day);
        gmtime_r(&at, &day);
        strftime(text, sizeof(text), "%Y-%m-%d", &day);
        fprintf(out, "  until: %s\n", text);
    }
}

static void put_end(FILE *out, const struct results *r, const char *today)
{
    const char *version = result_string(r->head, "target_version");

    if (version[0] == '\0') {
        put_date_after(out, today, UPDATE_DAYS);
        return;
    }
    put_glob(out, "  while: { target-version: ", version);
    fputs(" }\n", out);
}

static void put_kept(FILE *out, const json_t *entry)
{
    bool by_case = json_array_size(json_object_get(entry, "case")) > 0;
    const char *until = result_string(entry, "until");

    put_globs(out, "- case: ", json_object_get(entry, "case"));
    put_globs(out, by_case ? "  rule: " : "- rule: ", json_object_get(entry, "rule"));
    put_text(out, "reason", result_string(entry, "reason"));
    if (result_string(entry, "link")[0] != '\0') {
        put_text(out, "link", result_string(entry, "link"));
    }
    if (json_is_true(json_object_get(entry, "crash"))) {
        fputs("  crash: yes\n", out);
    }
    if (until[0] != '\0') {
        fprintf(out, "  until: %s\n", until);
    } else {
        fputs("  while:", out);
        fputs(" { target-version: ", out);
        json_dumpf(json_object_get(entry, "target_version"), out, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
        fputs(" }\n", out);
    }
}

/* What is wrong apart from the audit: the expectations of the case, or that the target died of it. */
static bool needs_own_entry(const json_t *line)
{
    return result_verdict(line) == VERDICT_CRASH ||
           (result_verdict(line) == VERDICT_FAIL && strcmp(result_string(line, "judged"), "FAIL") == 0);
}

static void put_case(FILE *out, const struct results *r, const json_t *line, const char *today)
{
    char reason[1024];

    put_glob(out, "- case: ", result_string(line, "id"));
    snprintf(reason, sizeof(reason), "seen: %.800s", result_string(line, "reason"));
    fputc('\n', out);
    put_text(out, "reason", reason);
    if (result_verdict(line) == VERDICT_CRASH) {
        fputs("  crash: yes\n", out);
    }
    put_end(out, r, today);
}

static bool is_graver(const json_t *finding)
{
    return strcmp(result_string(finding, "severity"), "fail") == 0 && json_object_get(finding, "ignored") == NULL;
}

/* The findings of cases that fail by the audit alone, each rule once. */
static json_t *rules_seen(const struct results *r)
{
    json_t *rules = json_object(); /* by id: {finding, cases} */

    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        const json_t *line = json_array_get(r->cases, i);
        const json_t *findings = json_object_get(line, "findings");
        const char *last = "";

        if (result_verdict(line) != VERDICT_FAIL || needs_own_entry(line)) {
            continue;
        }
        for (size_t k = 0; k < json_array_size(findings); k++) {
            json_t *finding = json_array_get(findings, k);
            const char *rule = result_string(finding, "rule");
            json_t *seen = json_object_get(rules, rule);

            if (!is_graver(finding) || strcmp(rule, last) == 0) {
                continue;
            }
            if (seen == NULL) {
                seen = json_pack("{s:O, s:i}", "finding", finding, "cases", 0);
                json_object_set_new(rules, rule, seen);
            }
            json_object_set_new(seen, "cases", json_integer(json_integer_value(json_object_get(seen, "cases")) + 1));
            last = rule;
        }
    }
    return rules;
}

static void put_rule(FILE *out, const struct results *r, const char *rule, const json_t *seen, const char *today)
{
    const json_t *finding = json_object_get(seen, "finding");
    int count = (int)json_integer_value(json_object_get(seen, "cases"));
    char reason[1024];

    put_glob(out, "- rule: ", rule);
    fputc('\n', out);
    snprintf(reason, sizeof(reason), "seen in %d case%s: %.300s; allowed: %.300s", count, count == 1 ? "" : "s",
             result_string(finding, "was"), result_string(finding, "allowed"));
    put_text(out, "reason", reason);
    put_end(out, r, today);
}

int waivers_update(FILE *out, const struct results *r, const char *today)
{
    const json_t *entries = json_object_get(r->head, "waivers");
    json_t *rules = rules_seen(r), *seen;
    const char *rule;

    fprintf(
        out,
        "# Waivers for review, from a run with the profile %s on %s. Each reason says what was seen: replace it by\n"
        "# why that is accepted, add a link, or mend the target and take the entry out.\n",
        result_string(r->head, "profile"), today);
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const char *state = result_string(json_array_get(entries, i), "state");

        if (strcmp(state, "used") == 0 || strcmp(state, "idle") == 0) {
            put_kept(out, json_array_get(entries, i));
        }
    }
    json_object_foreach(rules, rule, seen)
    {
        put_rule(out, r, rule, seen, today);
    }
    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        if (needs_own_entry(json_array_get(r->cases, i))) {
            put_case(out, r, json_array_get(r->cases, i), today);
        }
    }
    json_decref(rules);
    return ferror(out) ? -1 : 0;
}
