/* cases/defects.yaml: see wakes.h. */
#include "harness/wakes.h"

#include "harness/case.h"
#include "harness/schema.h"

#include <string.h>

struct draft {
    char *defect;
    char *rule;
    struct case_strings also;
};

static const struct schema_field fields[] = {
    {"defect", SCHEMA_TEXT, offsetof(struct draft, defect), .flags = SCHEMA_REQUIRED,
     .doc = "name of a defect of the reference target"},
    {"rule", SCHEMA_TEXT, offsetof(struct draft, rule), .flags = SCHEMA_REQUIRED,
     .doc = "the entry of the catalogue that it breaks"},
    {"also", SCHEMA_STRINGS, offsetof(struct draft, also), .doc = "entries that the same fault cannot but break too"},
};

static const struct schema_table table = {"defect", fields, sizeof(fields) / sizeof(fields[0])};

static int check_rule(struct schema_reader *r, const struct yaml_node *node, const struct catalogue *rules,
                      const char *id)
{
    if (catalogue_find(rules, id) != NULL) {
        return 0;
    }
    return load_error_set(r->err, &node->at, "%s: no entry of the catalogue has this id; see iscsispec list rules", id);
}

/* One item of the file into the next entry. */
static int take(struct wakes *wakes, struct schema_reader *r, const struct yaml_node *node,
                const struct catalogue *rules)
{
    struct wakes_entry *entry = &wakes->entries[wakes->count];
    struct draft d = {0};
    struct schema_part part = {&table, &d, 0};

    if (schema_read(r, node, &part, 1) != 0 || check_rule(r, node, rules, d.rule) != 0) {
        return -1;
    }
    if (wakes_find(wakes, d.defect) != NULL) {
        return load_error_set(r->err, &node->at, "%s: this defect has an entry already; put the rules together",
                              d.defect);
    }
    entry->defect = d.defect;
    entry->rules = arena_alloc(r->arena, d.also.count + 1, sizeof(*entry->rules));
    if (entry->rules == NULL) {
        return load_error_set(r->err, NULL, "out of memory");
    }
    entry->rules[entry->count++] = d.rule;
    for (size_t i = 0; i < d.also.count; i++) {
        if (check_rule(r, node, rules, d.also.items[i]) != 0) {
            return -1;
        }
        entry->rules[entry->count++] = d.also.items[i];
    }
    wakes->count++;
    return 0;
}

int wakes_load(struct wakes *wakes, const char *path, const struct catalogue *rules, struct load_error *err)
{
    struct schema_reader r = {arena_new(0), err, NULL};
    struct position start = {path, 1, 1};
    const struct yaml_node *root;

    memset(wakes, 0, sizeof(*wakes));
    wakes->arena = r.arena;
    if (r.arena == NULL) {
        return load_error_set(err, NULL, "out of memory");
    }
    root = yaml_load(r.arena, path, NULL, NULL, err);
    if (root == NULL || root->kind != YAML_LIST) {
        return load_error_set(err, &start, "is no list; write - defect: NAME, rule: ID, also: [ID]");
    }
    wakes->entries = arena_alloc(r.arena, root->count + 1, sizeof(*wakes->entries));
    if (wakes->entries == NULL) {
        return load_error_set(err, NULL, "out of memory");
    }
    for (const struct yaml_node *node = root->child; node != NULL; node = node->next) {
        if (take(wakes, &r, node, rules) != 0) {
            return -1;
        }
    }
    return 0;
}

void wakes_free(struct wakes *wakes)
{
    if (wakes->arena != NULL) {
        arena_free(wakes->arena);
    }
    memset(wakes, 0, sizeof(*wakes));
}

const struct wakes_entry *wakes_find(const struct wakes *wakes, const char *defect)
{
    for (size_t i = 0; i < wakes->count; i++) {
        if (strcmp(wakes->entries[i].defect, defect) == 0) {
            return &wakes->entries[i];
        }
    }
    return NULL;
}

bool wakes_may(const struct wakes_entry *entry, const char *rule)
{
    for (size_t i = 0; i < entry->count; i++) {
        if (strcmp(entry->rules[i], rule) == 0) {
            return true;
        }
    }
    return false;
}
