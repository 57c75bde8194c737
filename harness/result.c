#include "harness/result.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name;
    int rank; /* of badness, for verdict_worse */
} verdicts[] = {
    [VERDICT_PASS] = {"PASS", 1},   [VERDICT_WARN] = {"WARN", 2},   [VERDICT_FAIL] = {"FAIL", 3},
    [VERDICT_SKIP] = {"SKIP", 0},   [VERDICT_XFAIL] = {"XFAIL", 1}, [VERDICT_XPASS] = {"XPASS", 3},
    [VERDICT_CRASH] = {"CRASH", 4}, [VERDICT_ERROR] = {"ERROR", 5},
};

const char *verdict_name(enum verdict v)
{
    return (size_t)v < sizeof(verdicts) / sizeof(verdicts[0]) ? verdicts[v].name : "ERROR";
}

bool verdict_parse(const char *name, enum verdict *out)
{
    for (size_t i = 0; name != NULL && i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        if (strcmp(verdicts[i].name, name) == 0) {
            *out = (enum verdict)i;
            return true;
        }
    }
    return false;
}

enum verdict verdict_worse(enum verdict a, enum verdict b)
{
    return verdicts[b].rank > verdicts[a].rank ? b : a;
}

const char *result_string(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

json_t *result_text(const char *text)
{
    static const char digits[] = "0123456789abcdef";
    json_t *plain = json_string(text);
    char *safe, *at;

    if (plain != NULL) {
        return plain;
    }
    /* Text of a peer may hold anything; jansson refuses what is not UTF-8. */
    safe = malloc(strlen(text) * 4 + 1);
    for (at = safe; safe != NULL && *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte < 0x80) {
            *at++ = *text;
            continue;
        }
        *at++ = '\\';
        *at++ = 'x';
        *at++ = digits[byte >> 4];
        *at++ = digits[byte & 15];
    }
    if (safe != NULL) {
        *at = '\0';
        plain = json_string(safe);
    }
    free(safe);
    return plain;
}

json_t *result_new(const char *id, enum verdict v, const char *reason)
{
    json_t *line = json_object();

    if (line == NULL || json_object_set_new(line, "id", json_string(id)) != 0 ||
        json_object_set_new(line, "verdict", json_string(verdict_name(v))) != 0 ||
        json_object_set_new(line, "reason", result_text(reason != NULL ? reason : "")) != 0) {
        json_decref(line);
        return NULL;
    }
    return line;
}

enum verdict result_verdict(const json_t *line)
{
    enum verdict v = VERDICT_ERROR;

    verdict_parse(json_string_value(json_object_get(line, "verdict")), &v);
    return v;
}

bool results_init(struct results *out)
{
    out->head = json_pack("{s:s}", "schema", RESULTS_SCHEMA);
    out->cases = json_array();
    if (out->head == NULL || out->cases == NULL) {
        results_free(out);
        return false;
    }
    return true;
}

void results_free(struct results *r)
{
    json_decref(r->head);
    json_decref(r->cases);
    r->head = NULL;
    r->cases = NULL;
}

static int compare_ids(const void *a, const void *b)
{
    const char *left = json_string_value(json_object_get(*(json_t *const *)a, "id"));
    const char *right = json_string_value(json_object_get(*(json_t *const *)b, "id"));

    return strcmp(left != NULL ? left : "", right != NULL ? right : "");
}

void results_sort(struct results *r)
{
    size_t count = json_array_size(r->cases);
    json_t **items = calloc(count + 1, sizeof(*items));

    if (items == NULL) {
        return; /* unsorted is still right */
    }
    for (size_t i = 0; i < count; i++) {
        items[i] = json_incref(json_array_get(r->cases, i));
    }
    qsort(items, count, sizeof(*items), compare_ids);
    json_array_clear(r->cases);
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(r->cases, items[i]);
    }
    free(items);
}

size_t results_count(const struct results *r, enum verdict v)
{
    size_t count = 0;

    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        count += result_verdict(json_array_get(r->cases, i)) == v;
    }
    return count;
}

static int add_line(struct results *out, const char *text, size_t len, bool first, char *err, size_t err_len)
{
    json_error_t problem;
    json_t *line = json_loadb(text, len, JSON_REJECT_DUPLICATES, &problem);
    const char *schema;
    enum verdict v;

    if (!json_is_object(line)) {
        snprintf(err, err_len, "%s", line == NULL ? problem.text : "not a JSON object");
        json_decref(line);
        return -1;
    }
    if (first) {
        schema = json_string_value(json_object_get(line, "schema"));
        json_decref(out->head);
        out->head = line;
        if (schema == NULL || strcmp(schema, RESULTS_SCHEMA) != 0) {
            snprintf(err, err_len, "schema is '%s', this version reads '%s'", schema != NULL ? schema : "missing",
                     RESULTS_SCHEMA);
            return -1;
        }
        return 0;
    }
    if (!json_is_string(json_object_get(line, "id")) ||
        !verdict_parse(json_string_value(json_object_get(line, "verdict")), &v)) {
        snprintf(err, err_len, "a case's line needs 'id' and a known 'verdict'");
        json_decref(line);
        return -1;
    }
    return json_array_append_new(out->cases, line);
}

static int read_lines(FILE *file, const char *path, struct results *out, char *err, size_t err_len)
{
    char reason[256] = "";
    char *text = NULL;
    size_t room = 0;
    ssize_t len;
    int number = 0;
    int rc = 0;

    while (rc == 0 && (len = getline(&text, &room, file)) > 0) {
        number++;
        rc = add_line(out, text, (size_t)len, number == 1, reason, sizeof(reason));
    }
    free(text);
    if (rc != 0) {
        snprintf(err, err_len, "%s:%d: %s", path, number, reason);
    } else if (number == 0) {
        snprintf(err, err_len, "%s:1: the file is empty", path);
        rc = -1;
    }
    return rc;
}

int results_read(const char *path, struct results *out, char *err, size_t err_len)
{
    char full[PATH_MAX];
    struct stat info;
    FILE *file;
    int rc;

    snprintf(full, sizeof(full), "%s", path);
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        snprintf(full, sizeof(full), "%s/%s", path, RESULTS_FILE);
    }
    if (!results_init(out)) {
        snprintf(err, err_len, "out of memory");
        return -1;
    }
    file = fopen(full, "re");
    if (file == NULL) {
        snprintf(err, err_len, "%s: %s; give the --out directory of a run", full, strerror(errno));
        results_free(out);
        return -1;
    }
    rc = read_lines(file, full, out, err, err_len);
    fclose(file);
    if (rc != 0) {
        results_free(out);
        return -1;
    }
    results_sort(out);
    return 0;
}

static bool write_line(FILE *file, const json_t *line)
{
    return json_dumpf(line, file, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9)) == 0 &&
           fputc('\n', file) != EOF;
}

int results_write(const char *dir, const struct results *r, char *err, size_t err_len)
{
    char path[PATH_MAX];
    char draft[PATH_MAX];
    FILE *file;
    bool good;

    snprintf(path, sizeof(path), "%s/%s", dir, RESULTS_FILE);
    snprintf(draft, sizeof(draft), "%s/.%s.new", dir, RESULTS_FILE);
    file = fopen(draft, "we");
    if (file == NULL) {
        snprintf(err, err_len, "%s: %s", path, strerror(errno));
        return -1;
    }
    good = write_line(file, r->head);
    for (size_t i = 0; good && i < json_array_size(r->cases); i++) {
        good = write_line(file, json_array_get(r->cases, i));
    }
    good = fclose(file) == 0 && good;
    if (!good || rename(draft, path) != 0) {
        snprintf(err, err_len, "%s: %s", path, strerror(errno));
        unlink(draft);
        return -1;
    }
    return 0;
}

static bool any_case_fault(const struct results *r)
{
    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        if (json_is_true(json_object_get(json_array_get(r->cases, i), "case_fault"))) {
            return true;
        }
    }
    return false;
}

/* A waiver that has ended, or that nothing needs, asks for a look as a failure does. */
static bool any_waiver_over(const struct results *r)
{
    const json_t *entries = json_object_get(r->head, "waivers");

    for (size_t i = 0; i < json_array_size(entries); i++) {
        const char *state = json_string_value(json_object_get(json_array_get(entries, i), "state"));

        if (state != NULL && (strcmp(state, "ended") == 0 || strcmp(state, "passed") == 0)) {
            return true;
        }
    }
    return false;
}

enum results_exit results_exit_status(const struct results *r, const struct results_policy *policy)
{
    size_t skipped = results_count(r, VERDICT_SKIP);
    bool findings = results_count(r, VERDICT_FAIL) + results_count(r, VERDICT_XPASS) + results_count(r, VERDICT_CRASH) +
                            (policy->fail_on_skip ? skipped : 0) >
                        0 ||
                    any_waiver_over(r) || json_object_get(r->head, "stopped") != NULL;

    if (policy->interrupted) {
        return EXIT_INTERRUPTED;
    }
    if (any_case_fault(r)) {
        return EXIT_USAGE;
    }
    if (results_count(r, VERDICT_ERROR) > 0) {
        return EXIT_FAULT;
    }
    if (findings && !policy->exit_zero) {
        return EXIT_FINDINGS;
    }
    if (skipped == json_array_size(r->cases)) {
        return EXIT_NOTHING;
    }
    return EXIT_ALL_PASSED;
}
