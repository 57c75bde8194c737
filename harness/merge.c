#include "harness/merge.h"

#include "harness/folder.h"
#include "harness/waivers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MERGE_SHARDS_MAX = 1000 };

static bool read_shard(const struct results *r, int *index, int *of)
{
    char trail;

    return sscanf(result_string(r->head, "shard"), "%d/%d%c", index, of, &trail) == 2 && *index >= 1 && *of >= 1 &&
           *index <= *of && *of <= MERGE_SHARDS_MAX;
}

bool merge_are_shards(const struct results *runs, size_t count)
{
    int index, of;

    for (size_t i = 0; i < count; i++) {
        if (!read_shard(&runs[i], &index, &of)) {
            return false;
        }
    }
    return count > 0;
}

/* Is each part there once, and all of one run? */
static int check(const struct results *runs, const char *const *dirs, size_t count, char *err, size_t err_len)
{
    static const char *const same[] = {"profile", "catalogue", "kill_table", "iscsispec", "target_version"};
    bool seen[MERGE_SHARDS_MAX + 1] = {false};
    int index = 0, of = 0, first_of = 0;

    for (size_t i = 0; i < count; i++) {
        read_shard(&runs[i], &index, &of);
        first_of = i == 0 ? of : first_of;
        if (of != first_of || seen[index]) {
            snprintf(err, err_len, "%s: shard %d/%d does not go with %s, shard %s", dirs[i], index, of, dirs[0],
                     result_string(runs[0].head, "shard"));
            return -1;
        }
        seen[index] = true;
        for (size_t k = 0; k < sizeof(same) / sizeof(same[0]); k++) {
            if (strcmp(result_string(runs[i].head, same[k]), result_string(runs[0].head, same[k])) != 0) {
                snprintf(err, err_len, "%s: %s is '%s', that of %s is '%s': not shards of one run", dirs[i], same[k],
                         result_string(runs[i].head, same[k]), dirs[0], result_string(runs[0].head, same[k]));
                return -1;
            }
        }
    }
    for (index = 1; index <= first_of; index++) {
        if (!seen[index]) {
            snprintf(err, err_len, "shard %d/%d is missing; give the directories of all %d", index, first_of, first_of);
            return -1;
        }
    }
    return 0;
}

static int copy_file(const char *from, const char *to)
{
    char chunk[65536];
    int in = open(from, O_RDONLY | O_CLOEXEC), out;
    ssize_t got = -1;

    if (in < 0) {
        return -1;
    }
    out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    while (out >= 0 && (got = read(in, chunk, sizeof(chunk))) > 0 && write(out, chunk, (size_t)got) == got) {
    }
    close(in);
    return out >= 0 && close(out) == 0 && got == 0 ? 0 : -1;
}

/* The files of one case. */
static int take_evidence(const json_t *line, const char *dir, const char *out, char *err, size_t err_len)
{
    const json_t *evidence = json_object_get(line, "evidence");
    json_t *value;
    const char *kind;

    json_object_foreach((json_t *)(uintptr_t)evidence, kind, value)
    {
        const char *file = json_string_value(value);
        char from[PATH_MAX], to[PATH_MAX];

        if (file == NULL || file[0] == '/' || strstr(file, "..") != NULL) {
            continue;
        }
        snprintf(from, sizeof(from), "%s/%s", dir, file);
        snprintf(to, sizeof(to), "%s/%s", out, file);
        unlink(to);
        if (link(from, to) != 0 && copy_file(from, to) != 0) {
            snprintf(err, err_len, "%s: %s", from, strerror(errno));
            return -1;
        }
    }
    return 0;
}

static void add_counts(json_t *sum, const json_t *counts)
{
    json_t *value;
    const char *name;

    json_object_foreach((json_t *)(uintptr_t)counts, name, value)
    {
        json_int_t had = json_integer_value(json_object_get(sum, name));

        json_object_set_new(sum, name, json_integer(had + json_integer_value(value)));
    }
}

static void merge_heads(const struct results *runs, size_t count, struct results *whole)
{
    json_t *audited = json_object();
    json_int_t selected = 0;

    json_object_update(whole->head, runs[0].head);
    json_object_del(whole->head, "shard");
    for (size_t i = 0; i < count; i++) {
        add_counts(audited, json_object_get(runs[i].head, "audited"));
        selected += json_integer_value(json_object_get(runs[i].head, "selected"));
        if (json_is_true(json_object_get(runs[i].head, "interrupted"))) {
            json_object_set_new(whole->head, "interrupted", json_true());
        }
        if (json_object_get(runs[i].head, "stopped") != NULL) {
            json_object_set(whole->head, "stopped", json_object_get(runs[i].head, "stopped"));
        }
    }
    json_object_set_new(whole->head, "audited", audited);
    json_object_set_new(whole->head, "selected", json_integer(selected));
}

int merge_shards(const struct results *runs, const char *const *dirs, size_t count, const char *out,
                 struct results *whole, char *err, size_t err_len)
{
    char path[PATH_MAX];
    int rc = check(runs, dirs, count, err, err_len);

    if (rc != 0) {
        return -1;
    }
    if (!results_init(whole)) {
        snprintf(err, err_len, "out of memory");
        return -1;
    }
    snprintf(path, sizeof(path), "%s/evidence", out);
    if (folder_make(path) != 0) {
        snprintf(err, err_len, "%s: %s", path, strerror(errno));
        rc = -1;
    }
    merge_heads(runs, count, whole);
    for (size_t i = 0; i < count && rc == 0; i++) {
        for (size_t k = 0; k < json_array_size(runs[i].cases) && rc == 0; k++) {
            json_t *line = json_array_get(runs[i].cases, k);

            rc = take_evidence(line, dirs[i], out, err, err_len);
            json_array_append(whole->cases, line);
        }
    }
    waivers_close(whole);
    results_sort(whole);
    if (rc == 0) {
        rc = results_write(out, whole, err, err_len);
    }
    if (rc != 0) {
        results_free(whole);
    }
    return rc;
}
