#include "harness/killtable.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KILLTABLE_FILE_MAX (16u << 20)

void killtable_hash(const void *bytes, size_t len, char out[17])
{
    const unsigned char *p = bytes;
    uint64_t sum = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < len; i++) {
        sum = (sum ^ p[i]) * UINT64_C(0x100000001b3);
    }
    snprintf(out, 17, "%016" PRIx64, sum);
}

static char *read_all(FILE *file, size_t *len)
{
    char *text = NULL;
    size_t room = 0;

    *len = 0;
    for (;;) {
        size_t got;

        if (*len + 4096 > room) {
            char *more;

            room = room * 2 + 65536;
            more = room > KILLTABLE_FILE_MAX ? NULL : realloc(text, room);
            if (more == NULL) {
                free(text);
                return NULL;
            }
            text = more;
        }
        got = fread(text + *len, 1, 4096, file);
        *len += got;
        if (got == 0) {
            return text;
        }
    }
}

static bool entry_is_whole(const json_t *entry)
{
    static const char *const fields[] = {"case", "case_hash", "defect", "defect_hash", "verdict"};
    enum verdict v;

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (!json_is_string(json_object_get(entry, fields[i]))) {
            return false;
        }
    }
    return verdict_parse(json_string_value(json_object_get(entry, "verdict")), &v);
}

static int parse(struct killtable *out, const char *path, const char *text, size_t len, char *err, size_t err_len)
{
    json_error_t problem;

    killtable_hash(text, len, out->hash);
    out->entries = json_loadb(text, len, JSON_REJECT_DUPLICATES, &problem);
    if (!json_is_array(out->entries)) {
        snprintf(err, err_len, "%s:%d:%d: %s", path, out->entries == NULL ? problem.line : 1,
                 out->entries == NULL ? problem.column : 1, out->entries == NULL ? problem.text : "not a list");
        return -1;
    }
    for (size_t i = 0; i < json_array_size(out->entries); i++) {
        if (!entry_is_whole(json_array_get(out->entries, i))) {
            snprintf(err, err_len, "%s: entry %zu: case, case_hash, defect, defect_hash and verdict are needed", path,
                     i + 1);
            return -1;
        }
    }
    return 0;
}

int killtable_load(struct killtable *out, const char *path, char *err, size_t err_len)
{
    FILE *file = fopen(path, "re");
    char *text;
    size_t len;
    int rc;

    memset(out, 0, sizeof(*out));
    if (file == NULL && errno == ENOENT) {
        out->entries = json_array();
        return out->entries != NULL ? 0 : -1;
    }
    if (file == NULL) {
        snprintf(err, err_len, "%s: %s", path, strerror(errno));
        return -1;
    }
    text = read_all(file, &len);
    fclose(file);
    if (text == NULL) {
        snprintf(err, err_len, "%s: out of memory or too large for a kill table", path);
        return -1;
    }
    rc = parse(out, path, text, len, err, err_len);
    free(text);
    if (rc != 0) {
        killtable_free(out);
    }
    return rc;
}

void killtable_free(struct killtable *t)
{
    json_decref(t->entries);
    memset(t, 0, sizeof(*t));
}

bool killtable_add(struct killtable *t, const char *case_id, const char *case_hash, const char *defect,
                   const char *defect_hash, enum verdict v)
{
    json_t *entry = json_pack("{s:s,s:s,s:s,s:s,s:s}", "case", case_id, "case_hash", case_hash, "defect", defect,
                              "defect_hash", defect_hash, "verdict", verdict_name(v));

    return entry != NULL && json_array_append_new(t->entries, entry) == 0;
}

static int compare_entries(const void *a, const void *b)
{
    const json_t *left = *(json_t *const *)a;
    const json_t *right = *(json_t *const *)b;
    int order =
        strcmp(json_string_value(json_object_get(left, "case")), json_string_value(json_object_get(right, "case")));

    return order != 0 ? order
                      : strcmp(json_string_value(json_object_get(left, "defect")),
                               json_string_value(json_object_get(right, "defect")));
}

void killtable_sort(struct killtable *t)
{
    size_t count = json_array_size(t->entries);
    json_t **items = calloc(count + 1, sizeof(*items));

    if (items == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        items[i] = json_incref(json_array_get(t->entries, i));
    }
    qsort(items, count, sizeof(*items), compare_entries);
    json_array_clear(t->entries);
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(t->entries, items[i]);
    }
    free(items);
}

int killtable_write(const struct killtable *t, const char *path, char *err, size_t err_len)
{
    FILE *file = fopen(path, "we");
    size_t count = json_array_size(t->entries);
    bool good;

    if (file == NULL) {
        snprintf(err, err_len, "%s: %s", path, strerror(errno));
        return -1;
    }
    good = fputs("[", file) != EOF;
    for (size_t i = 0; good && i < count; i++) {
        good = fputs(i == 0 ? "\n" : ",\n", file) != EOF &&
               json_dumpf(json_array_get(t->entries, i), file, JSON_PRESERVE_ORDER) == 0;
    }
    good = fputs("\n]\n", file) != EOF && good;
    good = fclose(file) == 0 && good;
    if (!good) {
        snprintf(err, err_len, "%s: %s", path, strerror(errno));
        return -1;
    }
    return 0;
}

bool killtable_kills(enum verdict v)
{
    return v == VERDICT_FAIL || v == VERDICT_WARN || v == VERDICT_CRASH;
}

static const json_t *find_entry(const struct killtable *t, const struct case_def *c, const char *defect)
{
    for (size_t i = 0; i < json_array_size(t->entries); i++) {
        const json_t *entry = json_array_get(t->entries, i);

        if (strcmp(json_string_value(json_object_get(entry, "case")), c->id) == 0 &&
            strcmp(json_string_value(json_object_get(entry, "defect")), defect) == 0) {
            return entry;
        }
    }
    return NULL;
}

json_t *killtable_proof(const struct killtable *t, const struct case_def *c)
{
    json_t *proof = json_object();

    for (size_t i = 0; proof != NULL && i < c->caught_by.count; i++) {
        const json_t *entry = find_entry(t, c, c->caught_by.items[i]);
        bool fresh = entry != NULL && strcmp(json_string_value(json_object_get(entry, "case_hash")), c->hash) == 0;

        json_object_set_new(proof, c->caught_by.items[i],
                            fresh ? json_string(json_string_value(json_object_get(entry, "verdict"))) : json_null());
    }
    return proof;
}

bool killtable_proves(const json_t *proof)
{
    const char *defect;
    const json_t *value;
    enum verdict v;

    json_object_foreach((json_t *)(uintptr_t)proof, defect, value)
    {
        if (!verdict_parse(json_string_value(value), &v) || !killtable_kills(v)) {
            return false;
        }
    }
    return json_object_size(proof) > 0;
}
