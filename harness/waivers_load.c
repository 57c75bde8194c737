/* Reading of waiver files. The rows of the table are the format; memory lives in an arena for the time of the call. */
#include "harness/schema.h"
#include "harness/waivers.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct draft {
    struct case_strings cases, rules;
    char *reason, *link, *until, *version;
    bool crash;
};

static bool date_is_real(const char *text)
{
    struct tm given = {0}, real;
    time_t at;
    char trail;

    if (strlen(text) != WAIVERS_DATE_LEN - 1 ||
        sscanf(text, "%4d-%2d-%2d%c", &given.tm_year, &given.tm_mon, &given.tm_mday, &trail) != 3) {
        return false;
    }
    given.tm_year -= 1900;
    given.tm_mon -= 1;
    real = given;
    at = timegm(&real);
    return at != (time_t)-1 && real.tm_mday == given.tm_mday && real.tm_mon == given.tm_mon;
}

static int read_until(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct draft *d = target;

    if (schema_read_text(r, node, "until", false, &d->until) != 0) {
        return -1;
    }
    if (!date_is_real(d->until)) {
        return load_error_set(r->err, &node->at,
                              "until: \"%.60s\" is no date; write YYYY-MM-DD, the last day it counts", d->until);
    }
    return 0;
}

static json_t *describe_until(void)
{
    return schema_string("^[0-9]{4}-[0-9]{2}-[0-9]{2}$");
}

static const struct schema_field while_fields[] = {
    {"target-version", SCHEMA_TEXT, offsetof(struct draft, version), SCHEMA_REQUIRED,
     .doc = "glob on the version as the profile's version command tells it"},
};
static const struct schema_table while_table = {"while", while_fields, COUNT(while_fields)};

static int read_while(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct schema_part part = {&while_table, target, 0};

    return schema_read(r, node, &part, 1);
}

static json_t *describe_while(void)
{
    const struct schema_table *tables[] = {&while_table};

    return schema_object(tables, 1, false);
}

#define AT(member) offsetof(struct draft, member)
static const struct schema_field fields[] = {
    {"case", SCHEMA_STRINGS, AT(cases), .doc = "globs on ids of cases"},
    {"rule", SCHEMA_STRINGS, AT(rules),
     .doc = "globs on ids of rules: findings of the audit, and expectations of cases that prove the rule"},
    {"reason", SCHEMA_TEXT, AT(reason), SCHEMA_REQUIRED, .doc = "why this is known and accepted"},
    {"link", SCHEMA_TEXT, AT(link), .doc = "where it is followed up"},
    {"until", SCHEMA_CUSTOM, 0, .read = read_until, .describe = describe_until, .doc = "last day it counts, UTC"},
    {"while", SCHEMA_CUSTOM, 0, .read = read_while, .describe = describe_while, .doc = "what has to stay as it is"},
    {"crash", SCHEMA_BOOL, AT(crash), .doc = "covers a crash of the target too; else a CRASH is never waived"},
};
static const struct schema_table table = {"waiver", fields, COUNT(fields)};

static bool any_case(const struct case_list *cases, const char *glob)
{
    for (size_t i = 0; i < cases->count; i++) {
        if (fnmatch(glob, cases->cases[i].id, 0) == 0) {
            return true;
        }
    }
    return false;
}

static bool any_rule(const struct catalogue *rules, const char *glob)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (fnmatch(glob, rules->rules[i].id, 0) == 0) {
            return true;
        }
    }
    return false;
}

/* The node of item `index` of a field that is a list or one text. */
static const struct yaml_node *item_of(const struct yaml_node *entry, const char *field, size_t index)
{
    const struct yaml_node *node = yaml_get(entry, field);

    if (node->kind != YAML_LIST) {
        return node;
    }
    node = node->child;
    while (index-- > 0) {
        node = node->next;
    }
    return node;
}

static int unmatched(struct schema_reader *r, const struct yaml_node *node, const char *what, struct schema_hint *hint)
{
    const char *way_out = schema_hint_text(hint);

    if (strncmp(way_out, "did you", 7) == 0) {
        return load_error_set(r->err, &node->at, "%s: \"%.60s\" matches no %s; %s", what, node->text, what, way_out);
    }
    return load_error_set(r->err, &node->at, "%s: \"%.60s\" matches no %s; iscsispec list %ss shows what there is",
                          what, node->text, what, what);
}

/* An entry that matches nothing there is was misspelt, or its case is gone: it would wait in vain for ever. */
static int check_globs(struct schema_reader *r, const struct yaml_node *entry, const struct draft *d,
                       const struct case_list *cases, const struct catalogue *rules)
{
    struct schema_hint hint;

    for (size_t i = 0; cases != NULL && i < d->cases.count; i++) {
        if (!any_case(cases, d->cases.items[i])) {
            schema_hint_start(&hint, d->cases.items[i]);
            for (size_t k = 0; k < cases->count; k++) {
                schema_hint_offer(&hint, cases->cases[k].id);
            }
            return unmatched(r, item_of(entry, "case", i), "case", &hint);
        }
    }
    for (size_t i = 0; i < d->rules.count; i++) {
        if (!any_rule(rules, d->rules.items[i])) {
            schema_hint_start(&hint, d->rules.items[i]);
            for (size_t k = 0; k < rules->count; k++) {
                schema_hint_offer(&hint, rules->rules[k].id);
            }
            return unmatched(r, item_of(entry, "rule", i), "rule", &hint);
        }
    }
    return 0;
}

static int check_entry(struct schema_reader *r, const struct yaml_node *entry, const struct draft *d)
{
    if (d->cases.count == 0 && d->rules.count == 0) {
        return load_error_set(r->err, &entry->at, "waiver: covers nothing; write case: GLOB or rule: GLOB, or both");
    }
    if (d->until == NULL && d->version == NULL) {
        return load_error_set(r->err, &entry->at,
                              "waiver: would never end; write until: YYYY-MM-DD or while: { target-version: GLOB }");
    }
    if (d->until != NULL && d->version != NULL) {
        return load_error_set(r->err, &yaml_get(entry, "while")->at,
                              "while: stands beside until; write one of them, or two entries");
    }
    return 0;
}

static json_t *strings_json(const struct case_strings *strings)
{
    json_t *list = json_array();

    for (size_t i = 0; i < strings->count; i++) {
        json_array_append_new(list, result_text(strings->items[i]));
    }
    return list;
}

static int append(const struct yaml_node *node, const struct draft *d, json_t *entries)
{
    json_t *entry =
        json_pack("{s:o, s:i, s:o, s:o, s:o, s:o, s:b, s:s}", "file", result_text(node->at.file), "line", node->at.line,
                  "case", strings_json(&d->cases), "rule", strings_json(&d->rules), "reason", result_text(d->reason),
                  "link", result_text(d->link != NULL ? d->link : ""), "crash", (int)d->crash, "state", "active");

    if (entry != NULL && d->until != NULL) {
        json_object_set_new(entry, "until", json_string(d->until));
    }
    if (entry != NULL && d->version != NULL) {
        json_object_set_new(entry, "target_version", result_text(d->version));
    }
    return json_array_append_new(entries, entry);
}

static int read_entries(struct schema_reader *r, const struct yaml_node *root, const struct case_list *cases,
                        const struct catalogue *rules, json_t *entries)
{
    if (schema_expect_kind(r, root, "waivers", YAML_LIST) != 0) {
        return -1;
    }
    for (const struct yaml_node *node = root->child; node != NULL; node = node->next) {
        struct draft d = {0};
        struct schema_part part = {&table, &d, 0};

        if (schema_read(r, node, &part, 1) != 0 || check_entry(r, node, &d) != 0 ||
            check_globs(r, node, &d, cases, rules) != 0) {
            return -1;
        }
        if (append(node, &d, entries) != 0) {
            return schema_no_memory(r, node);
        }
    }
    return 0;
}

int waivers_load(const char *path, const struct case_list *cases, const struct catalogue *rules, json_t *entries,
                 struct load_error *err)
{
    struct arena *arena = arena_new(0);
    struct schema_reader r = {arena, err, NULL};
    const struct yaml_node *root = arena != NULL ? yaml_load(arena, path, NULL, NULL, err) : NULL;
    int rc;

    if (arena == NULL) {
        return load_error_set(err, NULL, "out of memory");
    }
    if (root == NULL) {
        struct position start = {path, 1, 1};

        load_error_set(err, &start, "is empty; a waiver file is a list: - case: GLOB, reason: ..., until: DATE");
        rc = -1;
    } else {
        rc = read_entries(&r, root, cases, rules, entries);
    }
    arena_free(arena);
    return rc;
}

json_t *waivers_schema(void)
{
    const struct schema_table *tables[] = {&table};
    json_t *item = schema_object(tables, 1, false);

    json_object_set_new(item, "anyOf", json_pack("[{s:[s]}, {s:[s]}]", "required", "case", "required", "rule"));
    json_object_set_new(item, "oneOf", json_pack("[{s:[s]}, {s:[s]}]", "required", "until", "required", "while"));
    return json_pack("{s:s, s:s, s:s, s:o}", "$schema", "https://json-schema.org/draft/2020-12/schema", "title",
                     "iscsispec waivers", "type", "array", "items", item);
}
