/* TAP version 14: one line a case, and what was seen of those that did not pass. */
#include "reports/reports.h"

#include <errno.h>
#include <string.h>

/* Descriptions and directives are one line; # would begin a directive. */
static void put_escaped(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '#' || *text == '\\') {
            fputc('\\', out);
        }
        fputc((unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text, out);
    }
}

/* A string of JSON is one of YAML too. */
static void put_field(FILE *out, const char *name, const char *text)
{
    json_t *value;

    if (text[0] == '\0') {
        return;
    }
    value = result_text(text);
    fprintf(out, "  %s: ", name);
    json_dumpf(value, out, JSON_ENCODE_ANY);
    fputc('\n', out);
    json_decref(value);
}

static void put_findings(FILE *out, const json_t *findings)
{
    bool any = false;

    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *f = json_array_get(findings, i);

        if (strcmp(result_string(f, "severity"), "info") == 0 || json_object_get(f, "ignored") != NULL) {
            continue;
        }
        if (!any) {
            fputs("  findings:\n", out);
        }
        any = true;
        fputs("    - ", out);
        json_dumpf(f, out, JSON_COMPACT | JSON_PRESERVE_ORDER);
        fputc('\n', out);
    }
}

static void put_details(FILE *out, const json_t *line)
{
    const json_t *evidence = json_object_get(line, "evidence");

    fputs("  ---\n", out);
    put_field(out, "message", result_string(line, "reason"));
    put_field(out, "verdict", result_string(line, "verdict"));
    put_field(out, "expected", result_string(line, "expected"));
    put_findings(out, json_object_get(line, "findings"));
    put_field(out, "pcap", result_string(evidence, "pcap"));
    put_field(out, "ladder", result_string(evidence, "text"));
    fprintf(out, "  duration_ms: %.2f\n  ...\n", json_number_value(json_object_get(line, "ms")));
}

/* What stands behind the # : TODO for what is known to fail, SKIP for what did not run. */
static void put_directive(FILE *out, const char *directive, const char *reason)
{
    fprintf(out, " # %s ", directive);
    put_escaped(out, reason);
}

static void put_case(FILE *out, const struct results *r, const json_t *line, size_t number)
{
    enum verdict v = result_verdict(line);
    const json_t *entries = json_object_get(r->head, "waivers");
    const json_t *by = json_array_get(json_object_get(line, "waived_by"), 0);
    bool good = v == VERDICT_PASS || v == VERDICT_WARN || v == VERDICT_SKIP;

    fprintf(out, "%s %zu - ", good ? "ok" : "not ok", number);
    put_escaped(out, result_string(line, "id"));
    if (v == VERDICT_SKIP) {
        put_directive(out, "SKIP", result_string(line, "reason"));
    } else if (v == VERDICT_XFAIL) {
        put_directive(out, "TODO",
                      json_is_integer(by)
                          ? result_string(json_array_get(entries, (size_t)json_integer_value(by)), "reason")
                          : "");
    }
    fputc('\n', out);
    if (v != VERDICT_PASS && v != VERDICT_SKIP) {
        put_details(out, line);
    }
}

int tap_write(FILE *out, const struct results *r)
{
    size_t count = json_array_size(r->cases);

    fprintf(out, "TAP version 14\n1..%zu\n", count);
    for (size_t i = 0; i < count; i++) {
        put_case(out, r, json_array_get(r->cases, i), i + 1);
    }
    if (json_is_true(json_object_get(r->head, "interrupted"))) {
        fputs("Bail out! The run was interrupted\n", out);
    }
    return ferror(out) ? -1 : 0;
}
