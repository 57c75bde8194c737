/* Loading of the catalogue: a list of maps, each with the fields of one table. */
#include "harness/catalogue.h"
#include "harness/catalogue_outcome.h"
#include "harness/schema.h"
#include "wire/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const level_names[] = {"MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "none", NULL};
static const char *const severity_names[] = {"info", "warn", "fail", NULL};
static const char *const party_names[] = {"target", "initiator", NULL};
static const char *const match_names[] = {"any", "all", NULL};
static const char *const confirmed_names[] = {"text", "inferred", "memory", NULL};
static const char *const reviewed_names[] = {"yes", "corrected", "added", "no", NULL};
static const char *const kind_names[] = {"", "invariant", "reaction", "stimulus", "manual", NULL};

const char *rule_level_name(enum rule_level level)
{
    return (size_t)level < COUNT(level_names) - 1 ? level_names[level] : "none";
}

const char *rule_severity_name(enum rule_severity severity)
{
    return (size_t)severity < COUNT(severity_names) - 1 ? severity_names[severity] : "info";
}

const char *rule_party_name(enum rule_party party)
{
    return (size_t)party < COUNT(party_names) - 1 ? party_names[party] : "target";
}

/* L-GROUP-NUMBER: the group in capitals, perhaps with a hyphen (KEY-MC), the number perhaps with a letter (0301b). */
static int read_id(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    struct rule *rule = target;
    const char *number;
    size_t group;

    if (schema_read_text(r, node, "id", false, &rule->id) != 0)
        return -1;
    number = strrchr(rule->id, '-');
    group = strncmp(rule->id, "L-", 2) == 0 ? strspn(rule->id + 2, capitals) : 0;
    if (group == 0 || number < rule->id + 3 || rule->id + 2 + group <= number || number[1] < '0' || number[1] > '9' ||
        strlen(number) < 3 || strspn(number + 1, "0123456789abcdef") != strlen(number + 1))
        return load_error_set(r->err, &node->at, "%.60s: no rule id; write L-GROUP-NUMBER, as in L-TSIH-003", rule->id);
    rule->subject = arena_strndup(r->arena, rule->id + 2, (size_t)(number - rule->id - 2));
    return rule->subject ? 0 : schema_no_memory(r, node);
}

/* The words MUST to MAY, or "none (why)". */
static int read_level(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct rule *rule = target;
    int level;

    if (schema_read_text(r, node, "level", false, &rule->level_text) != 0)
        return -1;
    rule->level = RULE_NO_LEVEL;
    if (strncmp(rule->level_text, "none (", 6) == 0)
        return 0;
    if (schema_read_word(r, node, "level", level_names, &level) != 0)
        return -1;
    rule->level = (enum rule_level)level;
    return 0;
}

static int read_status(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    int *status = target;

    if (node->kind == YAML_SCALAR && strcmp(node->text, "none") == 0) {
        *status = -1;
        return 0;
    }
    if (schema_read_code(r, node, "status", status) != 0)
        return -1;
    if (!status_find((unsigned)*status))
        return load_error_set(r->err, &node->at, "status: 0x%04x is none of the %zu codes of RFC 7143, 11.13.5",
                              (unsigned)*status, (size_t)STATUS_COUNT);
    return 0;
}

static int read_match(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    int word;

    if (schema_read_word(r, node, "match", match_names, &word) != 0)
        return -1;
    *(bool *)target = word == 1;
    return 0;
}

static int read_outcomes(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct outcome_list *list = target;

    if (schema_expect_kind(r, node, node->key->text, YAML_LIST) != 0)
        return -1;
    list->items = arena_alloc(r->arena, node->count, sizeof *list->items);
    if (!list->items)
        return schema_no_memory(r, node);
    for (const struct yaml_node *item = node->child; item; item = item->next) {
        char *token;

        if (schema_read_text(r, item, node->key->text, false, &token) != 0 ||
            outcome_parse_in(r->arena, token, &list->items[list->count++], &item->at, r->err) != 0)
            return -1;
    }
    return 0;
}

static int read_needs(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct rule *rule = target;

    return schema_read_list(r, node, "needs", &rule->needs, &rule->needs_count);
}

/* State of the entry: checked for form, of no use to a run. */
static int read_reviewed(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    int word;

    (void)target;
    return schema_read_word(r, node, "reviewed", reviewed_names, &word);
}

static int read_kind(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    int word;

    if (schema_read_word(r, node, "kind", kind_names + 1, &word) != 0)
        return -1;
    *(enum rule_kind *)target = (enum rule_kind)(word + 1);
    return 0;
}

static json_t *describe_kind(void)
{
    return schema_string("^(invariant|reaction|stimulus|manual)$");
}

static json_t *describe_outcomes(void)
{
    return schema_array(schema_string(NULL), false);
}

static json_t *describe_needs(void)
{
    return schema_array(schema_string(NULL), false);
}

static json_t *describe_reviewed(void)
{
    return schema_string("^(yes|corrected|added|no)$");
}

static json_t *describe_id(void)
{
    return schema_string("^L-[A-Z0-9-]+-[0-9][0-9a-f]+$");
}

static json_t *describe_level(void)
{
    return schema_string("^(MUST|MUST NOT|SHOULD|SHOULD NOT|MAY|none.*)$");
}

static json_t *describe_status(void)
{
    return schema_string("^(none|0x[0-9a-f]{4})$");
}

static json_t *describe_match(void)
{
    return schema_string("^(any|all)$");
}

#define AT(member)             offsetof(struct rule, member)
#define CUSTOM(reader, schema) .read = (reader), .describe = (schema)

static const struct schema_field rule_fields[] = {
    {"id", SCHEMA_CUSTOM, 0, SCHEMA_REQUIRED, CUSTOM(read_id, describe_id), .doc = "stable name: L-GROUP-NUMBER"},
    {"section", SCHEMA_TEXT, AT(section), SCHEMA_REQUIRED, .doc = "section of the RFC"},
    {"level", SCHEMA_CUSTOM, 0, SCHEMA_REQUIRED, CUSTOM(read_level, describe_level),
     .doc = "how strongly the RFC binds the party"},
    {"applies_to", SCHEMA_WORD, AT(party), SCHEMA_REQUIRED, .words = party_names, .doc = "the party that is bound"},
    {"rule", SCHEMA_TEXT, AT(text), SCHEMA_REQUIRED, .doc = "the rule in words"},
    {"stimulus", SCHEMA_TEXT, AT(stimulus), SCHEMA_REQUIRED, .doc = "what is sent, one deviation from a valid login"},
    {"expected", SCHEMA_CUSTOM, AT(expected), SCHEMA_REQUIRED, CUSTOM(read_outcomes, describe_outcomes),
     .doc = "acceptable outcomes"},
    {"match", SCHEMA_CUSTOM, AT(match_all), SCHEMA_REQUIRED, CUSTOM(read_match, describe_match),
     .doc = "any: one of expected is enough; all: each has to hold"},
    {"tolerated", SCHEMA_CUSTOM, AT(tolerated), CUSTOM(read_outcomes, describe_outcomes),
     .doc = "outcomes that are reported as WARN"},
    {"forbidden", SCHEMA_CUSTOM, AT(forbidden), CUSTOM(read_outcomes, describe_outcomes),
     .doc = "outcomes that are violations in any reading"},
    {"status", SCHEMA_CUSTOM, AT(status), SCHEMA_REQUIRED, CUSTOM(read_status, describe_status),
     .doc = "status code this entry can exercise, or none"},
    {"needs", SCHEMA_CUSTOM, 0, CUSTOM(read_needs, describe_needs), .doc = "preconditions in the target"},
    {"severity", SCHEMA_WORD, AT(severity), SCHEMA_REQUIRED, .words = severity_names,
     .doc = "verdict when the outcome is neither expected nor tolerated"},
    {"kind", SCHEMA_CUSTOM, AT(kind), CUSTOM(read_kind, describe_kind), .doc = "what the entry can be judged by"},
    {"expected3720", SCHEMA_CUSTOM, AT(expected3720), CUSTOM(read_outcomes, describe_outcomes),
     .doc = "acceptable outcomes by RFC 3720, where they differ"},
    {"rfc3720", SCHEMA_TEXT, AT(rfc3720), .doc = "how RFC 3720 differs"},
    {"notes", SCHEMA_TEXT, AT(notes), SCHEMA_MAY_BE_EMPTY, .doc = "latitude left by the RFC, behaviour of targets"},
    {"confirmed", SCHEMA_WORD, AT(confirmed), SCHEMA_REQUIRED, .words = confirmed_names,
     .doc = "what the entry rests on"},
    {"reviewed", SCHEMA_CUSTOM, 0, CUSTOM(read_reviewed, describe_reviewed), .doc = "state of the entry"},
    {"doubt", SCHEMA_TEXT, AT(doubt), .doc = "an open question"},
    {"unproven", SCHEMA_TEXT, AT(unproven), .doc = "why no defect can prove the entry"},
};

static const struct schema_table rule_table = {"rule", rule_fields, COUNT(rule_fields)};

json_t *catalogue_schema(void)
{
    const struct schema_table *tables[] = {&rule_table};
    json_t *s = schema_array(schema_object(tables, 1, false), false);

    json_object_set_new(s, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
    json_object_set_new(s, "title", json_string("iscsispec requirement catalogue"));
    return s;
}

static int compare_rules(const void *a, const void *b)
{
    return strcmp(((const struct rule *)a)->id, ((const struct rule *)b)->id);
}

static int check_duplicates(const struct catalogue *c, struct load_error *err)
{
    for (size_t i = 1; i < c->count; i++) {
        const struct rule *a = &c->rules[i - 1], *b = &c->rules[i];

        if (strcmp(a->id, b->id) == 0) {
            const struct rule *late = a->at.line > b->at.line ? a : b;
            const struct rule *early = late == a ? b : a;

            return load_error_set(err, &late->at, "%s: the id stands already at %s:%d:%d; give it another number",
                                  late->id, early->at.file, early->at.line, early->at.column);
        }
    }
    return 0;
}

static int read_rules(struct catalogue *c, const struct yaml_node *root, struct schema_reader *r)
{
    c->rules = arena_alloc(r->arena, root->count, sizeof *c->rules);
    if (!c->rules)
        return schema_no_memory(r, root);
    for (const struct yaml_node *node = root->child; node; node = node->next) {
        struct rule *rule = &c->rules[c->count++];
        struct schema_part part = {&rule_table, rule, 0};

        rule->at = node->at;
        rule->status = -1;
        if (schema_read(r, node, &part, 1) != 0)
            return -1;
        if (rule->expected.count == 0)
            return load_error_set(r->err, &yaml_get(node, "expected")->at,
                                  "%s: expected is empty; say what is acceptable", rule->id);
    }
    qsort(c->rules, c->count, sizeof *c->rules, compare_rules);
    return check_duplicates(c, r->err);
}

/* FNV-1a over the file's bytes. */
static void hash_file(struct catalogue *c, const char *bytes, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    snprintf(c->hash, sizeof c->hash, "%016llx", (unsigned long long)hash);
}

static struct catalogue *load_into(struct arena *a, const char *path, struct load_error *err)
{
    struct schema_reader r = {a, err, NULL};
    struct position start = {path, 1, 1};
    const char *bytes = NULL;
    size_t len = 0;
    struct catalogue *c = arena_alloc(a, 1, sizeof *c);
    const struct yaml_node *root;

    if (!c) {
        load_error_set(err, &start, "out of memory");
        return NULL;
    }
    root = yaml_load(a, path, &bytes, &len, err);
    if (!root || root->kind != YAML_LIST || root->count == 0) {
        load_error_set(err, root ? &root->at : &start, "no list of rules; the catalogue is a list of maps");
        return NULL;
    }
    c->storage = a;
    hash_file(c, bytes, len);
    return read_rules(c, root, &r) == 0 ? c : NULL;
}

struct catalogue *catalogue_load(const char *path, struct load_error *err)
{
    struct load_error ignored = {{0}};
    struct arena *a = arena_new(0);
    struct catalogue *c = NULL;

    if (!err)
        err = &ignored;
    if (a)
        c = load_into(a, path, err);
    else
        load_error_set(err, NULL, "out of memory");
    if (!c)
        arena_free(a);
    return c;
}

void catalogue_free(struct catalogue *c)
{
    if (c)
        arena_free(c->storage);
}

const struct rule *catalogue_find(const struct catalogue *c, const char *id)
{
    struct rule key = {.id = (char *)(uintptr_t)id};

    return id && c->count ? bsearch(&key, c->rules, c->count, sizeof *c->rules, compare_rules) : NULL;
}

void catalogue_use_rfc3720(struct catalogue *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->rules[i].expected3720.count)
            c->rules[i].expected = c->rules[i].expected3720;
}

static enum rule_strength strength_of(enum rule_level level)
{
    switch (level) {
    case RULE_MUST:
    case RULE_MUST_NOT:
        return RULE_STRENGTH_MUST;
    case RULE_MAY:
        return RULE_STRENGTH_MAY;
    case RULE_SHOULD:
    case RULE_SHOULD_NOT:
    case RULE_NO_LEVEL:
        break;
    }
    return RULE_STRENGTH_SHOULD;
}

bool rule_counts(const struct rule *rule, const struct rule_floor *floor)
{
    return strength_of(rule->level) >= floor->level && rule->severity >= floor->severity;
}

bool rule_strength_parse(const char *word, enum rule_strength *out)
{
    static const char *const words[] = {"may", "should", "must"};

    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(words[i], word) == 0) {
            *out = (enum rule_strength)i;
            return true;
        }
    return false;
}

bool rule_severity_parse(const char *word, enum rule_severity *out)
{
    for (size_t i = 0; severity_names[i]; i++)
        if (strcmp(severity_names[i], word) == 0) {
            *out = (enum rule_severity)i;
            return true;
        }
    return false;
}

const char *rule_kind_name(enum rule_kind kind)
{
    return kind_names[kind];
}
