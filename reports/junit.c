#include "reports/reports.h"

#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <string.h>

/* XML 1.0 has no place for most control characters, nor for U+FFFE and U+FFFF. malloc'ed. */
static char *xml_text(const char *text)
{
    char *copy = strdup(text);

    for (char *at = copy; at != NULL && *at != '\0'; at++) {
        if (((unsigned char)*at < 0x20 && *at != '\n' && *at != '\t') || *at == 0x7f) {
            *at = '?';
        } else if (strncmp(at, "\xef\xbf\xbe", 3) == 0 || strncmp(at, "\xef\xbf\xbf", 3) == 0) {
            memcpy(at, "???", 3);
        }
    }
    return copy;
}

static void attribute(xmlTextWriterPtr w, const char *name, const char *value)
{
    char *safe = xml_text(value);

    if (safe != NULL) {
        xmlTextWriterWriteAttribute(w, BAD_CAST name, BAD_CAST safe);
    }
    free(safe);
}

static void attribute_count(xmlTextWriterPtr w, const char *name, size_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%zu", value);
    attribute(w, name, text);
}

static void attribute_seconds(xmlTextWriterPtr w, double ms)
{
    char text[32];

    snprintf(text, sizeof(text), "%.4f", ms / 1000.0);
    attribute(w, "time", text);
}

/* Element of a verdict inside a testcase; NULL: the case passed. */
static const char *element_of(enum verdict v)
{
    switch (v) {
    case VERDICT_FAIL:
    case VERDICT_XPASS:
    case VERDICT_CRASH:
        return "failure";
    case VERDICT_ERROR:
        return "error";
    case VERDICT_SKIP:
    case VERDICT_XFAIL:
        return "skipped";
    case VERDICT_PASS:
    case VERDICT_WARN:
        break;
    }
    return NULL;
}

static void write_body(xmlTextWriterPtr w, const json_t *line)
{
    const json_t *evidence = json_object_get(line, "evidence");
    const json_t *findings = json_object_get(line, "findings");
    char text[4096];
    size_t len = 0;
    char *safe;

    len += (size_t)snprintf(text, sizeof(text), "expected: %.1000s\n", result_string(line, "expected"));
    for (size_t i = 0; i < json_array_size(findings) && len < sizeof(text) - 1200; i++) {
        const json_t *f = json_array_get(findings, i);

        len += (size_t)snprintf(text + len, sizeof(text) - len, "%.40s (%.10s): %.400s; allowed: %.400s\n",
                                result_string(f, "rule"), result_string(f, "severity"), result_string(f, "was"),
                                result_string(f, "allowed"));
    }
    snprintf(text + len, sizeof(text) - len, "evidence: %.300s", result_string(evidence, "text"));
    safe = xml_text(text);
    if (safe != NULL) {
        xmlTextWriterWriteString(w, BAD_CAST safe);
    }
    free(safe);
}

static void write_case(xmlTextWriterPtr w, const json_t *line)
{
    enum verdict v = result_verdict(line);
    const char *element = element_of(v);
    char class_name[128];

    snprintf(class_name, sizeof(class_name), "iscsispec.%.100s", result_string(line, "subject"));
    xmlTextWriterStartElement(w, BAD_CAST "testcase");
    attribute(w, "name", result_string(line, "id"));
    attribute(w, "classname", class_name);
    attribute_seconds(w, json_number_value(json_object_get(line, "ms")));
    if (element != NULL) {
        xmlTextWriterStartElement(w, BAD_CAST element);
        attribute(w, "message", result_string(line, "reason"));
        if (strcmp(element, "skipped") != 0) {
            attribute(w, "type", verdict_name(v));
            write_body(w, line);
        }
        xmlTextWriterEndElement(w);
    } else if (v == VERDICT_WARN) {
        char *safe = xml_text(result_string(line, "reason"));

        if (safe != NULL) {
            xmlTextWriterWriteFormatElement(w, BAD_CAST "system-out", "WARN: %s", safe);
        }
        free(safe);
    }
    xmlTextWriterEndElement(w);
}

struct totals {
    size_t tests, failures, errors, skipped;
    double ms;
};

static bool is_of(const json_t *line, const char *subject)
{
    return subject == NULL || strcmp(result_string(line, "subject"), subject) == 0;
}

/* subject NULL: all. */
static struct totals count(const struct results *r, const char *subject)
{
    struct totals sum = {0};

    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        const json_t *line = json_array_get(r->cases, i);
        const char *element = is_of(line, subject) ? element_of(result_verdict(line)) : NULL;

        sum.tests += is_of(line, subject);
        sum.ms += is_of(line, subject) ? json_number_value(json_object_get(line, "ms")) : 0;
        sum.failures += element != NULL && strcmp(element, "failure") == 0;
        sum.errors += element != NULL && strcmp(element, "error") == 0;
        sum.skipped += element != NULL && strcmp(element, "skipped") == 0;
    }
    return sum;
}

static void write_totals(xmlTextWriterPtr w, const struct totals *sum, bool with_skipped)
{
    attribute_count(w, "tests", sum->tests);
    attribute_count(w, "failures", sum->failures);
    attribute_count(w, "errors", sum->errors);
    if (with_skipped) {
        attribute_count(w, "skipped", sum->skipped);
    }
    attribute_seconds(w, sum->ms);
}

static void write_suite(xmlTextWriterPtr w, const struct results *r, const char *subject)
{
    struct totals sum = count(r, subject);
    const char *started = result_string(r->head, "started");
    char stamp[32];

    snprintf(stamp, sizeof(stamp), "%.19s", started);
    xmlTextWriterStartElement(w, BAD_CAST "testsuite");
    attribute(w, "name", subject);
    write_totals(w, &sum, true);
    attribute(w, "timestamp", stamp);
    attribute(w, "hostname", "localhost");
    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        if (is_of(json_array_get(r->cases, i), subject)) {
            write_case(w, json_array_get(r->cases, i));
        }
    }
    xmlTextWriterEndElement(w);
}

/* True when no earlier line has the subject of line i. */
static bool is_new_subject(const struct results *r, size_t i)
{
    const char *subject = result_string(json_array_get(r->cases, i), "subject");

    for (size_t k = 0; k < i; k++) {
        if (is_of(json_array_get(r->cases, k), subject)) {
            return false;
        }
    }
    return true;
}

int junit_write(const char *path, const struct results *r)
{
    xmlTextWriterPtr w = xmlNewTextWriterFilename(path, 0);
    struct totals sum = count(r, NULL);
    int rc;

    if (w == NULL) {
        return -1;
    }
    xmlTextWriterSetIndent(w, 1);
    xmlTextWriterStartDocument(w, NULL, "UTF-8", NULL);
    xmlTextWriterStartElement(w, BAD_CAST "testsuites");
    attribute(w, "name", "iscsispec");
    write_totals(w, &sum, false);
    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        if (is_new_subject(r, i)) {
            write_suite(w, r, result_string(json_array_get(r->cases, i), "subject"));
        }
    }
    xmlTextWriterEndElement(w);
    rc = xmlTextWriterEndDocument(w) < 0 || xmlTextWriterFlush(w) < 0 ? -1 : 0;
    xmlFreeTextWriter(w);
    return rc;
}
