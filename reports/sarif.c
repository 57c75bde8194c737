/* SARIF 2.1.0: the rules that were broken with their words, and a result for each finding. */
#include "reports/reports.h"
#include "reports/rulebook.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#define SARIF_SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

/* What is wrong and no rule of the catalogue: a case that names none, and what happens to a run. */
static const struct {
    const char *id, *text;
} own_rules[] = {
    {"expectation", "An expectation of the case was not met"},
    {"crash", "The target is to survive whatever an initiator sends"},
    {"waiver", "A waiver is to be taken out when nothing that it covers fails any more"},
};

struct sarif {
    const struct results *run;
    const struct catalogue *rules;
    json_t *descriptors; /* of the driver */
    json_t *indices;     /* by id */
    json_t *results;
};

static json_t *message(const char *text)
{
    return json_pack("{s:o}", "text", result_text(text));
}

static const char *level_of(const char *severity)
{
    return strcmp(severity, "fail") == 0 ? "error" : (strcmp(severity, "warn") == 0 ? "warning" : "note");
}

/* The first section of RFC 7143 in "RFC7143 6.2 (RFC3720 5.2); ..." as an address. "" none. */
static void help_address(const char *section, char *out, size_t out_len)
{
    const char *at = strstr(section, "RFC7143 ");
    size_t len;

    out[0] = '\0';
    if (at == NULL) {
        return;
    }
    at += strlen("RFC7143 ");
    len = strspn(at, "0123456789.");
    while (len > 0 && at[len - 1] == '.') {
        len--;
    }
    if (len > 0) {
        snprintf(out, out_len, "https://www.rfc-editor.org/rfc/rfc7143#section-%.*s", (int)len, at);
    }
}

static json_t *own_descriptor(const char *id)
{
    for (size_t i = 0; i < sizeof(own_rules) / sizeof(own_rules[0]); i++) {
        if (strcmp(own_rules[i].id, id) == 0) {
            return json_pack("{s:s, s:o, s:{s:s}}", "id", id, "shortDescription", message(own_rules[i].text),
                             "defaultConfiguration", "level", "error");
        }
    }
    return json_pack("{s:o}", "id", result_text(id));
}

static json_t *descriptor(const struct sarif *s, const char *id)
{
    const struct rule *rule = s->rules != NULL ? catalogue_find(s->rules, id) : NULL;
    char address[128];
    json_t *item;

    if (rule == NULL) {
        return own_descriptor(id);
    }
    item = json_pack("{s:s, s:o, s:{s:s}, s:{s:[s], s:s, s:s, s:s}}", "id", rule->id, "shortDescription",
                     message(rule->text), "defaultConfiguration", "level", level_of(rule_severity_name(rule->severity)),
                     "properties", "tags", rule->subject, "section", rule->section, "level", rule->level_text,
                     "subject", rule->subject);
    help_address(rule->section, address, sizeof(address));
    if (item != NULL && address[0] != '\0') {
        json_object_set_new(item, "helpUri", json_string(address));
    }
    return item;
}

static json_int_t index_of(struct sarif *s, const char *id)
{
    json_t *index = json_object_get(s->indices, id);

    if (index == NULL) {
        index = json_integer((json_int_t)json_array_size(s->descriptors));
        json_object_set_new(s->indices, id, index);
        json_array_append_new(s->descriptors, descriptor(s, id));
    }
    return json_integer_value(index);
}

/* What stays the same from run to run of one finding, so that a service can tell new ones from old ones. */
static json_t *fingerprint(const char *rule, const json_t *line, const json_t *finding)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    char text[512];

    snprintf(text, sizeof(text), "%.80s|%.250s|%.40s|%.16s|%d", rule, result_string(line, "id"),
             result_string(finding, "conn"), result_string(finding, "side"),
             (int)json_integer_value(json_object_get(finding, "pdu")));
    for (const char *at = text; *at != '\0'; at++) {
        sum = (sum ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    }
    snprintf(text, sizeof(text), "%016" PRIx64, sum);
    return json_pack("{s:s}", "iscsispec/1", text);
}

/* Relative to the directory of the run; ids hold signs that have a meaning in addresses. */
static void uri_of(const char *path, char *out, size_t out_len)
{
    size_t at = 0;

    for (; *path != '\0' && at + 4 < out_len; path++) {
        if (isalnum((unsigned char)*path) || strchr("/._-~", *path) != NULL) {
            out[at++] = *path;
        } else {
            at += (size_t)snprintf(out + at, out_len - at, "%%%02X", (unsigned char)*path);
        }
    }
    out[at] = '\0';
}

static json_t *locations(const json_t *line, const json_t *finding)
{
    const char *ladder = result_string(json_object_get(line, "evidence"), "text");
    char name[512], uri[1024];
    json_t *place, *location;

    snprintf(name, sizeof(name), "%.300s%s%.40s%s%.16s", result_string(line, "id"), finding != NULL ? "/" : "",
             result_string(finding, "conn"), finding != NULL ? "/" : "", result_string(finding, "side"));
    place = json_pack("{s:o, s:s}", "fullyQualifiedName", result_text(name), "kind", "member");
    location = json_pack("{s:[o]}", "logicalLocations", place);
    if (ladder[0] != '\0') {
        uri_of(ladder, uri, sizeof(uri));
        json_object_set_new(location, "physicalLocation",
                            json_pack("{s:{s:s}, s:{s:i}}", "artifactLocation", "uri", uri, "region", "startLine", 1));
    }
    return json_pack("[o]", location);
}

/* Why it is known, as SARIF says it. NULL: it is not. */
static json_t *suppressions(const struct sarif *s, const json_t *line)
{
    const json_t *by = json_object_get(line, "waived_by");
    const json_t *entries = json_object_get(s->run->head, "waivers");
    json_t *list;

    if (result_verdict(line) != VERDICT_XFAIL) {
        return NULL;
    }
    list = json_array();
    for (size_t i = 0; i < json_array_size(by); i++) {
        const json_t *entry = json_array_get(entries, (size_t)json_integer_value(json_array_get(by, i)));

        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "kind", "external", "status", "accepted",
                                              "justification", result_text(result_string(entry, "reason"))));
    }
    return list;
}

static void add_result(struct sarif *s, const json_t *line, const char *rule, const char *level, const char *text,
                       const json_t *finding)
{
    json_t *result =
        json_pack("{s:o, s:I, s:s, s:o, s:o, s:o, s:{s:O, s:s}}", "ruleId", result_text(rule), "ruleIndex",
                  index_of(s, rule), "level", level, "message", message(text), "locations", locations(line, finding),
                  "partialFingerprints", fingerprint(rule, line, finding), "properties", "case",
                  json_object_get(line, "id"), "verdict", result_string(line, "verdict"));
    json_t *known = suppressions(s, line);

    if (known != NULL) {
        json_object_set_new(result, "suppressions", known);
    }
    if (finding != NULL) {
        json_object_set(json_object_get(result, "properties"), "finding", (json_t *)(uintptr_t)finding);
    }
    json_array_append_new(s->results, result);
}

static void add_finding(struct sarif *s, const json_t *line, const json_t *finding)
{
    char text[1024];

    snprintf(text, sizeof(text), "%.200s: was %.300s; allowed: %.300s (connection %.40s, %.16s PDU %d)",
             result_string(line, "title"), result_string(finding, "was"), result_string(finding, "allowed"),
             result_string(finding, "conn"), result_string(finding, "side"),
             (int)json_integer_value(json_object_get(finding, "pdu")));
    add_result(s, line, result_string(finding, "rule"), level_of(result_string(finding, "severity")), text, finding);
}

/* Which rule stands for what the case itself found. NULL: it found nothing. */
static const char *rule_of_case(const json_t *line)
{
    const char *plain =
        result_string(line, "unwaived")[0] != '\0' ? result_string(line, "unwaived") : result_string(line, "verdict");
    const char *judged = result_string(line, "judged");

    if (strcmp(plain, "CRASH") == 0) {
        return "crash";
    }
    if (result_verdict(line) == VERDICT_XPASS) {
        return "waiver";
    }
    if ((strcmp(plain, "FAIL") != 0 && strcmp(plain, "WARN") != 0) ||
        (strcmp(judged, "FAIL") != 0 && strcmp(judged, "WARN") != 0)) {
        return NULL;
    }
    return result_string(line, "broke")[0] != '\0' ? result_string(line, "broke") : "expectation";
}

static void add_case(struct sarif *s, const json_t *line)
{
    const json_t *findings = json_object_get(line, "findings");
    const char *rule = rule_of_case(line);
    char text[1024];

    if (rule != NULL) {
        bool warns = strcmp(result_string(line, "judged"), "WARN") == 0 && strcmp(rule, "crash") != 0;

        snprintf(text, sizeof(text), "%.200s: %.700s", result_string(line, "title"), result_string(line, "reason"));
        add_result(s, line, rule, warns ? "warning" : "error", text, NULL);
    }
    for (size_t i = 0; i < json_array_size(findings); i++) {
        if (rulebook_finding_counts(json_array_get(findings, i))) {
            add_finding(s, line, json_array_get(findings, i));
        }
    }
}

/* Faults of the suite are none of the target. */
static json_t *notifications(const struct results *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        const json_t *line = json_array_get(r->cases, i);
        char text[1024];

        if (result_verdict(line) == VERDICT_ERROR) {
            snprintf(text, sizeof(text), "%.250s: %.700s", result_string(line, "id"), result_string(line, "reason"));
            json_array_append_new(list, json_pack("{s:s, s:o}", "level", "error", "message", message(text)));
        }
    }
    return list;
}

json_t *sarif_json(const struct results *r, const struct catalogue *rules)
{
    struct sarif s = {r, rules, json_array(), json_object(), json_array()};
    const char *version = result_string(r->head, "iscsispec");
    bool done = !json_is_true(json_object_get(r->head, "interrupted")) && results_count(r, VERDICT_ERROR) == 0;
    json_t *driver, *invocation;

    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        add_case(&s, json_array_get(r->cases, i));
    }
    json_decref(s.indices);
    driver = json_pack("{s:s, s:s, s:o}", "name", "iscsispec", "version", version[0] != '\0' ? version : "0", "rules",
                       s.descriptors);
    invocation = json_pack("{s:b, s:o}", "executionSuccessful", done, "toolExecutionNotifications", notifications(r));
    if (result_string(r->head, "started")[0] != '\0') {
        json_object_set(invocation, "startTimeUtc", json_object_get(r->head, "started"));
    }
    return json_pack("{s:s, s:s, s:[{s:{s:o}, s:[o], s:s, s:{s:s, s:s}, s:o}]}", "$schema", SARIF_SCHEMA, "version",
                     "2.1.0", "runs", "tool", "driver", driver, "invocations", invocation, "columnKind",
                     "unicodeCodePoints", "properties", "profile", result_string(r->head, "profile"), "target",
                     result_string(r->head, "title"), "results", s.results);
}
