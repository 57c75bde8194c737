/* Loading of case files: which files, in which order, and that ids are unique. */
#include "harness/case_read.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DIR_DEPTH_MAX 8u
#define FILE_MAX      10000u
#define CASE_MAX      100000u
#define CASE_PATH_MAX 4096u

struct loading {
    struct arena *arena;
    struct load_error *err;
    const struct catalogue *rules;
    const char *subject; /* of the file being read */
    struct case_def **cases;
    size_t count, capacity;
    size_t files;
};

/* Data of other kinds that lies beside the subjects. */
static const char *const not_cases[] = {"requirements.yaml", "defects.yaml", "profiles", "waivers", NULL};

static int no_memory(struct loading *l)
{
    return load_error_set(l->err, NULL, "out of memory while loading cases");
}

/* One expanded case. */
static int take_case(void *user, const struct yaml_node *tree, const char *id)
{
    struct loading *l = user;
    struct case_reader cr = {.r = {l->arena, l->err, NULL}, .rules = l->rules};

    if (l->count == CASE_MAX)
        return load_error_set(l->err, &tree->at, "more than %u cases; select fewer files", CASE_MAX);
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? 2 * l->capacity : 64;
        struct case_def **cases = realloc(l->cases, capacity * sizeof *cases);

        if (!cases)
            return no_memory(l);
        l->cases = cases;
        l->capacity = capacity;
    }
    cr.r.user = &cr;
    cr.c = arena_alloc(l->arena, 1, sizeof *cr.c);
    if (!cr.c)
        return no_memory(l);
    cr.c->subject = arena_strdup(l->arena, l->subject);
    if (!cr.c->subject)
        return no_memory(l);
    if (case_read(&cr, tree, id) != 0)
        return -1;
    l->cases[l->count++] = cr.c;
    return 0;
}

static int load_file(struct loading *l, const char *path, const char *subject)
{
    struct position start = {arena_strdup(l->arena, path), 1, 1};
    struct schema_reader r = {l->arena, l->err, NULL};
    const struct yaml_node *root;

    if (!start.file)
        return no_memory(l);
    if (++l->files > FILE_MAX)
        return load_error_set(l->err, &start, "more than %u files of cases", FILE_MAX);
    root = yaml_load(l->arena, path, NULL, NULL, l->err);
    if (!root || root->kind != YAML_LIST || root->count == 0)
        return load_error_set(l->err, root ? &root->at : &start, "no list of cases; write - id: ...");
    l->subject = subject;
    for (const struct yaml_node *node = root->child; node; node = node->next)
        if (case_expand_matrix(&r, node, take_case, l) != 0)
            return -1;
    return 0;
}

static bool is_yaml(const char *name)
{
    size_t len = strlen(name);

    return len > 5 && strcmp(name + len - 5, ".yaml") == 0;
}

static bool skips(const char *name, bool top)
{
    if (name[0] == '.')
        return true;
    for (size_t i = 0; top && not_cases[i]; i++)
        if (strcmp(not_cases[i], name) == 0)
            return true;
    return false;
}

static int load_dir(struct loading *l, const char *path, const char *subject, unsigned depth);

/* A name found in a folder. The first folder below the top is the subject. */
static int load_entry(struct loading *l, const char *dir, const char *name, const char *subject, unsigned depth)
{
    char path[CASE_PATH_MAX];
    struct position at = {dir, 0, 0};
    struct stat st;

    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
        return load_error_set(l->err, &at, "%.60s: path too long", name);
    if (stat(path, &st) != 0)
        return load_error_set(l->err, &at, "%.60s: %s", name, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return load_dir(l, path, depth == 0 ? name : subject, depth + 1);
    return S_ISREG(st.st_mode) && is_yaml(name) ? load_file(l, path, subject) : 0;
}

static int load_dir(struct loading *l, const char *path, const char *subject, unsigned depth)
{
    struct position at = {path, 0, 0};
    struct dirent **entries = NULL;
    int n, rc = 0;

    if (depth > DIR_DEPTH_MAX)
        return load_error_set(l->err, &at, "folders nested deeper than %u", DIR_DEPTH_MAX);
    n = scandir(path, &entries, NULL, alphasort);
    if (n < 0)
        return load_error_set(l->err, &at, "cannot be read: %s", strerror(errno));
    for (int i = 0; i < n; i++) {
        if (rc == 0 && !skips(entries[i]->d_name, depth == 0))
            rc = load_entry(l, path, entries[i]->d_name, subject, depth);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

/* Name of the folder that holds the file, or of the folder itself; "cases" when the path does not say. */
static void folder_name(const char *path, bool is_dir, char *out, size_t cap)
{
    const char *end = path + strlen(path);
    const char *start;

    if (!is_dir)
        while (end > path && end[-1] != '/')
            end--;
    while (end > path && end[-1] == '/')
        end--;
    start = end;
    while (start > path && start[-1] != '/')
        start--;
    if (start == end || (end - start <= 2 && *start == '.'))
        snprintf(out, cap, "cases");
    else
        snprintf(out, cap, "%.*s", (int)(end - start), start);
}

static int load_path(struct loading *l, const char *path)
{
    struct position at = {path, 0, 0};
    char subject[256];
    struct stat st;

    if (stat(path, &st) != 0)
        return load_error_set(l->err, &at, "cannot be read: %s", strerror(errno));
    folder_name(path, S_ISDIR(st.st_mode), subject, sizeof subject);
    return S_ISDIR(st.st_mode) ? load_dir(l, path, subject, 0) : load_file(l, path, subject);
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp((*(struct case_def *const *)a)->id, (*(struct case_def *const *)b)->id);
}

/* In order of the files, for naming the later of two. */
static bool is_later(const struct case_def *a, const struct case_def *b)
{
    int order = strcmp(a->at.file, b->at.file);

    return order ? order > 0 : a->at.line > b->at.line;
}

static int finish(struct loading *l, struct case_list *list)
{
    if (l->count)
        qsort(l->cases, l->count, sizeof *l->cases, compare_ids);
    for (size_t i = 1; i < l->count; i++) {
        const struct case_def *a = l->cases[i - 1], *b = l->cases[i];
        const struct case_def *late = is_later(a, b) ? a : b;
        const struct case_def *early = late == a ? b : a;

        if (strcmp(a->id, b->id) == 0)
            return load_error_set(l->err, &late->at, "%.100s: the id stands already at %s:%d:%d; give one another id",
                                  late->id, early->at.file, early->at.line, early->at.column);
    }
    list->cases = arena_alloc(l->arena, l->count, sizeof *list->cases);
    if (!list->cases)
        return no_memory(l);
    for (size_t i = 0; i < l->count; i++)
        list->cases[i] = *l->cases[i];
    list->count = l->count;
    list->storage = l->arena;
    return 0;
}

int case_list_load(struct case_list *list, const char *const *paths, size_t path_count, const struct catalogue *rules,
                   struct load_error *err)
{
    struct load_error ignored = {{0}};
    struct loading l = {.arena = arena_new(0), .err = err ? err : &ignored, .rules = rules};
    int rc = l.arena ? 0 : no_memory(&l);

    memset(list, 0, sizeof *list);
    for (size_t i = 0; i < path_count && rc == 0; i++)
        rc = load_path(&l, paths[i]);
    if (rc == 0)
        rc = finish(&l, list);
    free(l.cases);
    if (rc != 0) {
        arena_free(l.arena);
        memset(list, 0, sizeof *list);
    }
    return rc;
}

void case_list_free(struct case_list *list)
{
    arena_free(list->storage);
    memset(list, 0, sizeof *list);
}

const struct case_def *case_list_find(const struct case_list *list, const char *id)
{
    size_t low = 0, high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(id, list->cases[middle].id);

        if (order == 0)
            return &list->cases[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
