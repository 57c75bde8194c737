/* Which failures waivers cover, and which waivers are no longer needed. */
#include "harness/waivers.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static bool has_state(const json_t *entry, const char *state)
{
    return strcmp(result_string(entry, "state"), state) == 0;
}

void waivers_today(char out[WAIVERS_DATE_LEN])
{
    time_t now = time(NULL);
    struct tm utc;

    gmtime_r(&now, &utc);
    strftime(out, WAIVERS_DATE_LEN, "%Y-%m-%d", &utc);
}

void waivers_open(json_t *entries, const char *today, const char *target_version)
{
    for (size_t i = 0; i < json_array_size(entries); i++) {
        json_t *entry = json_array_get(entries, i);
        const char *until = json_string_value(json_object_get(entry, "until"));
        const char *version = json_string_value(json_object_get(entry, "target_version"));
        char why[512] = "";

        /* Dates of this form are in order as text. */
        if (until != NULL && strcmp(today, until) > 0) {
            snprintf(why, sizeof(why), "it counted until %s", until);
        } else if (version != NULL && target_version[0] == '\0') {
            snprintf(why, sizeof(why), "it is for target version %.200s, and the profile tells none", version);
        } else if (version != NULL && fnmatch(version, target_version, 0) != 0) {
            snprintf(why, sizeof(why), "it is for target version %.200s, this one is %.200s", version, target_version);
        }
        json_object_set_new(entry, "state", json_string(why[0] != '\0' ? "ended" : "active"));
        if (why[0] != '\0') {
            json_object_set_new(entry, "why", result_text(why));
        }
    }
}

static bool matches(const json_t *globs, const char *text)
{
    for (size_t i = 0; i < json_array_size(globs); i++) {
        const char *glob = json_string_value(json_array_get(globs, i));

        if (glob != NULL && text != NULL && fnmatch(glob, text, 0) == 0) {
            return true;
        }
    }
    return false;
}

/* Does the entry speak of this case? */
static bool covers_case(const json_t *entry, const json_t *line)
{
    const json_t *globs = json_object_get(entry, "case");

    return json_array_size(globs) == 0 || matches(globs, result_string(line, "id"));
}

/* Does the entry speak of one of the rules that the case is there for, or of all? */
static bool covers_expectation(const json_t *entry, const json_t *line)
{
    const json_t *globs = json_object_get(entry, "rule");
    const json_t *proves = json_object_get(line, "proves");

    if (json_array_size(globs) == 0) {
        return true;
    }
    for (size_t i = 0; i < json_array_size(proves); i++) {
        if (matches(globs, json_string_value(json_array_get(proves, i)))) {
            return true;
        }
    }
    return false;
}

static bool covers_finding(const json_t *entry, const json_t *finding)
{
    const json_t *globs = json_object_get(entry, "rule");

    return json_array_size(globs) == 0 || matches(globs, result_string(finding, "rule"));
}

/* The verdict as if there were no waivers. */
static enum verdict plain_verdict(const json_t *line)
{
    enum verdict v = result_verdict(line);

    verdict_parse(json_string_value(json_object_get(line, "unwaived")), &v);
    return v;
}

static bool finding_counts(const json_t *finding)
{
    return strcmp(result_string(finding, "severity"), "fail") == 0 && json_object_get(finding, "ignored") == NULL;
}

static bool expectation_failed(const json_t *line)
{
    const char *judged = result_string(line, "judged");

    return plain_verdict(line) == VERDICT_CRASH || judged[0] == '\0' || strcmp(judged, "FAIL") == 0;
}

/* Is some of what went wrong in this failed case spoken of by the entry? */
static bool touches(const json_t *entry, const json_t *line)
{
    const json_t *findings = json_object_get(line, "findings");
    bool crash = plain_verdict(line) == VERDICT_CRASH;

    if (!covers_case(entry, line) || (crash && !json_is_true(json_object_get(entry, "crash")))) {
        return false;
    }
    if (expectation_failed(line) && covers_expectation(entry, line)) {
        return true;
    }
    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *finding = json_array_get(findings, i);

        if (finding_counts(finding) && covers_finding(entry, finding)) {
            return true;
        }
    }
    return false;
}

/* The first active entry that covers it; -1 none. finding NULL: the expectation. */
static int cover_of(const json_t *entries, const json_t *line, const json_t *finding)
{
    bool crash = plain_verdict(line) == VERDICT_CRASH;

    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);

        if (has_state(entry, "ended") || !covers_case(entry, line) ||
            (crash && !json_is_true(json_object_get(entry, "crash")))) {
            continue;
        }
        if (finding != NULL ? covers_finding(entry, finding) : covers_expectation(entry, line)) {
            return (int)i;
        }
    }
    return -1;
}

static void add_once(json_t *list, int index)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (json_integer_value(json_array_get(list, i)) == index) {
            return;
        }
    }
    json_array_append_new(list, json_integer(index));
}

bool waivers_excuse(const json_t *entries, json_t *line)
{
    enum verdict v = plain_verdict(line);
    const json_t *findings = json_object_get(line, "findings");
    json_t *used;
    int index = 0;

    if ((v != VERDICT_FAIL && v != VERDICT_CRASH) || json_array_size(entries) == 0) {
        return false;
    }
    used = json_array();
    if (expectation_failed(line)) {
        index = cover_of(entries, line, NULL);
        add_once(used, index);
    }
    /* Of a crash the audit has only half the story. */
    for (size_t i = 0; i < json_array_size(findings) && index >= 0 && v == VERDICT_FAIL; i++) {
        if (finding_counts(json_array_get(findings, i))) {
            index = cover_of(entries, line, json_array_get(findings, i));
            add_once(used, index);
        }
    }
    if (index < 0 || json_array_size(used) == 0) {
        json_decref(used);
        return false;
    }
    json_object_set_new(line, "unwaived", json_string(verdict_name(v)));
    json_object_set_new(line, "verdict", json_string(verdict_name(VERDICT_XFAIL)));
    json_object_set_new(line, "waived_by", used);
    return true;
}

static bool reached_verdict(const json_t *line)
{
    enum verdict v = plain_verdict(line);

    return v != VERDICT_SKIP && v != VERDICT_ERROR;
}

static bool is_pattern(const char *glob)
{
    for (; *glob != '\0'; glob++) {
        if (*glob == '\\' && glob[1] != '\0') {
            glob++;
        } else if (strchr("*?[", *glob) != NULL) {
            return true;
        }
    }
    return false;
}

/* Were all cases there may be run? Only then does it mean anything that none failed. */
static bool run_is_whole(const struct results *r)
{
    return json_array_size(json_object_get(r->head, "selection")) == 0 && json_object_get(r->head, "shard") == NULL &&
           !json_is_true(json_object_get(r->head, "interrupted")) && json_object_get(r->head, "stopped") == NULL;
}

static bool did_run(const struct results *r, const char *glob)
{
    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        const json_t *line = json_array_get(r->cases, i);

        if (reached_verdict(line) && fnmatch(glob, result_string(line, "id"), 0) == 0) {
            return true;
        }
    }
    return false;
}

/* Can this run tell that the entry is not needed? */
static bool can_tell(const struct results *r, const json_t *entry)
{
    const json_t *globs = json_object_get(entry, "case");
    bool exact = json_array_size(globs) > 0;

    for (size_t i = 0; i < json_array_size(globs); i++) {
        const char *glob = json_string_value(json_array_get(globs, i));

        exact = exact && glob != NULL && !is_pattern(glob) && did_run(r, glob);
    }
    return exact || run_is_whole(r);
}

static void mark_passed(struct results *r, const json_t *entry, size_t index)
{
    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        json_t *line = json_array_get(r->cases, i);
        enum verdict v = plain_verdict(line);
        char reason[512];

        if (!covers_case(entry, line) || !covers_expectation(entry, line) || (v != VERDICT_PASS && v != VERDICT_WARN)) {
            continue;
        }
        snprintf(reason, sizeof(reason), "passed although it is waived by %.200s:%d: %.200s",
                 result_string(entry, "file"), (int)json_integer_value(json_object_get(entry, "line")),
                 result_string(entry, "reason"));
        json_object_set_new(line, "unwaived", json_string(verdict_name(v)));
        json_object_set(line, "unwaived_reason", json_object_get(line, "reason"));
        json_object_set_new(line, "verdict", json_string(verdict_name(VERDICT_XPASS)));
        json_object_set_new(line, "reason", result_text(reason));
        json_object_set_new(line, "waived_by", json_pack("[i]", (int)index));
    }
}

/* As if no waiver had ever been applied. */
static void restore(struct results *r)
{
    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        json_t *line = json_array_get(r->cases, i);

        if (json_object_get(line, "unwaived_reason") != NULL) {
            json_object_set(line, "reason", json_object_get(line, "unwaived_reason"));
            json_object_del(line, "unwaived_reason");
        }
        json_object_set_new(line, "verdict", json_string(verdict_name(plain_verdict(line))));
        json_object_del(line, "unwaived");
        json_object_del(line, "waived_by");
    }
}

static void settle_entry(struct results *r, json_t *entry, size_t index)
{
    size_t failed = 0, ran = 0;
    bool by_rule_only = json_array_size(json_object_get(entry, "case")) == 0;

    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        const json_t *line = json_array_get(r->cases, i);
        enum verdict v = plain_verdict(line);

        ran += reached_verdict(line) && covers_case(entry, line);
        failed += (v == VERDICT_FAIL || v == VERDICT_CRASH) && touches(entry, line);
    }
    json_object_set_new(entry, "failed", json_integer((json_int_t)failed));
    if (failed > 0) {
        json_object_set_new(entry, "state", json_string("used"));
    } else if (ran > 0 && can_tell(r, entry) && (!by_rule_only || run_is_whole(r))) {
        json_object_set_new(entry, "state", json_string("passed"));
        mark_passed(r, entry, index);
    } else {
        json_object_set_new(entry, "state", json_string("idle"));
    }
}

void waivers_close(struct results *r)
{
    json_t *entries = json_object_get(r->head, "waivers");

    if (json_array_size(entries) == 0) {
        return;
    }
    restore(r);
    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        waivers_excuse(entries, json_array_get(r->cases, i));
    }
    for (size_t i = 0; i < json_array_size(entries); i++) {
        if (!has_state(json_array_get(entries, i), "ended")) {
            settle_entry(r, json_array_get(entries, i), i);
        }
    }
}

size_t waivers_count(const struct results *r, const char *state)
{
    const json_t *entries = json_object_get(r->head, "waivers");
    size_t count = 0;

    for (size_t i = 0; i < json_array_size(entries); i++) {
        count += has_state(json_array_get(entries, i), state);
    }
    return count;
}
