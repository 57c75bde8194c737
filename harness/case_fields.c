/* The fields of a case around its steps, the conditions it may need, and the JSON schema of the whole. */
#include "harness/case_read.h"
#include "wire/status.h"

#include <ctype.h>
#include <string.h>

#define CONDITION(name, meaning, beside)                                                                               \
    {                                                                                                                  \
        name, meaning, "the profile does not say how to bring about " name, beside                                     \
    }
const struct case_condition case_conditions[] = {
    CONDITION("open", "a target that asks for no authentication", false),
    CONDITION("chap", "a target that demands CHAP of the initiator", false),
    CONDITION("chap-hex-user", "a CHAP user whose name begins with 0x", false),
    CONDITION("chap-base64-user", "a CHAP user whose name begins with 0b", false),
    CONDITION("mutual-chap", "a target that demands CHAP and has a secret of its own", false),
    CONDITION("discovery", "discovery sessions are offered", false),
    CONDITION("discovery-chap", "discovery sessions demand CHAP", false),
    CONDITION("no-discovery", "a portal where discovery sessions are not offered", false),
    CONDITION("denied", "a target whose access list does not have this initiator", false),
    CONDITION("moved-temporarily", "a target that moved temporarily", false),
    CONDITION("moved-permanently", "a target that moved permanently", false),
    CONDITION("removed", "a target that was served before and is no more", false),
    CONDITION("store-fault", "a target whose store fails", false),
    CONDITION("drained", "a portal that is shutting down", false),
    CONDITION("limited-connections", "a target that admits fewer connections to a session than asked for", false),
    CONDITION("multi-connection", "MaxConnections above 1 is granted", false),
    CONDITION("session-limit", "a portal that is full after one session", false),
    CONDITION("second-group", "another portal, in another portal group", true),
    CONDITION("second-portal", "another portal of the same portal group", true),
    CONDITION("second-target", "another target that asks for no authentication", true),
    CONDITION("elsewhere", "a target that is served on other portals only", false),
    CONDITION("many-targets", "so many targets that their list does not fit in one PDU", false),
    CONDITION("proposes", "a target that proposes keys itself", false),
    CONDITION("ipv6", "a portal with an IPv6 address", false),
    CONDITION("control-remove", "the controls remove and restore", true),
    CONDITION("control-drain", "the controls drain and resume", true),
    CONDITION("control-fault", "the controls fault and mend", true),
    CONDITION("digests", "CRC32C digests are granted", false),
    CONDITION("alias", "TargetAlias is configured", false),
    {NULL, NULL, NULL, false},
};

const struct case_condition *case_condition_find(const char *name)
{
    for (const struct case_condition *c = case_conditions; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static int check_condition(struct schema_reader *r, const struct yaml_node *node, const char *name)
{
    struct schema_hint hint;

    if (case_condition_find(name))
        return 0;
    schema_hint_start(&hint, name);
    for (const struct case_condition *c = case_conditions; c->name; c++)
        schema_hint_offer(&hint, c->name);
    return load_error_set(r->err, &node->at, "%.60s: no condition of this name; %s", name, schema_hint_text(&hint));
}

static int read_need(struct schema_reader *r, const struct yaml_node *node, struct case_need *need)
{
    const struct yaml_node *item = node->kind == YAML_LIST ? node->child : node;

    if (schema_read_list(r, node, "needs", &need->conditions.items, &need->conditions.count) != 0)
        return -1;
    if (need->conditions.count == 0)
        return load_error_set(r->err, &node->at, "needs: is empty; write [open] or take it out");
    for (size_t i = 0; i < need->conditions.count; i++, item = item->next)
        if (check_condition(r, item, need->conditions.items[i]) != 0)
            return -1;
    return 0;
}

/* [open, chap], or {a: [open], b: [chap]}. */
static int read_needs(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct case_def *c = target;
    size_t count = node->kind == YAML_MAP ? node->count : 1;

    c->needs = arena_alloc(r->arena, count, sizeof *c->needs);
    if (!c->needs)
        return schema_no_memory(r, node);
    if (node->kind != YAML_MAP) {
        c->need_count = 1;
        return read_need(r, node, &c->needs[0]);
    }
    if (count == 0)
        return load_error_set(r->err, &node->at, "needs: is empty; write [open] or take it out");
    for (const struct yaml_node *role = node->child; role; role = role->next) {
        struct case_need *need = &c->needs[c->need_count++];

        if (role->key->len == 0 || role->key->len >= sizeof need->role || !islower((unsigned char)role->key->text[0]))
            return load_error_set(r->err, &role->key->at, "%.60s: no role; write a, b, ...", role->key->text);
        memcpy(need->role, role->key->text, role->key->len + 1);
        if (read_need(r, role, need) != 0)
            return -1;
    }
    return 0;
}

/* Dotted words in lower case: it becomes a file name, and waivers hang on it. */
static int read_id(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    char **id = target;

    if (schema_read_text(r, node, "id", false, id) != 0)
        return -1;
    for (size_t i = 0; i < node->len; i++) {
        unsigned char c = (unsigned char)node->text[i];
        bool inner = i > 0 && i + 1 < node->len;

        if (!islower(c) && !isdigit(c) && !(inner && memchr(".-_", c, 3) && !memchr(".-", node->text[i - 1], 2)))
            return load_error_set(r->err, &node->at,
                                  "%.60s: no id; write subject.group.name in lower case, as in "
                                  "sessions.join.other-group",
                                  node->text);
    }
    if (node->len > 120)
        return load_error_set(r->err, &node->at, "%.60s...: longer than 120 characters", node->text);
    return 0;
}

static int read_proves(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct case_strings *proves = target;
    const struct yaml_node *item = node->kind == YAML_LIST ? node->child : node;

    if (schema_read_list(r, node, "proves", &proves->items, &proves->count) != 0)
        return -1;
    for (size_t i = 0; i < proves->count; i++, item = item->next)
        if (case_find_rule(case_reader_of(r), item, proves->items[i], NULL) != 0)
            return -1;
    return 0;
}

static int read_code(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    int *code = target;

    if (schema_read_code(r, node, "code", code) != 0)
        return -1;
    if (!status_find((unsigned)*code))
        return load_error_set(r->err, &node->at, "code: 0x%04x is none of the %u codes of RFC 7143, 11.13.5",
                              (unsigned)*code, STATUS_COUNT);
    return 0;
}

static int read_ignored_rule(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct case_ignore *ignore = target;

    if (schema_read_text(r, node, "rule", false, &ignore->rule) != 0)
        return -1;
    return case_find_rule(case_reader_of(r), node, ignore->rule, NULL);
}

static json_t *describe_rule(void)
{
    return schema_string("^(L-[A-Z0-9-]+-[0-9][0-9a-f]+|.*\\$\\{.*)$");
}

static const struct schema_field ignore_fields[] = {
    {"rule", SCHEMA_CUSTOM, 0, SCHEMA_REQUIRED, CASE_READ(read_ignored_rule), .describe = describe_rule,
     .doc = "rule whose findings do not count in this case"},
    {"why", SCHEMA_TEXT, offsetof(struct case_ignore, why), SCHEMA_REQUIRED, .doc = "the reason, for the report"},
};
static const struct schema_table ignore_table = {"ignore", ignore_fields, CASE_COUNT(ignore_fields)};

static int read_ignores(struct schema_reader *r, const struct yaml_node *list, void *target)
{
    struct case_def *c = target;

    if (schema_expect_kind(r, list, "ignore", YAML_LIST) != 0)
        return -1;
    c->ignores = arena_alloc(r->arena, list->count, sizeof *c->ignores);
    if (!c->ignores)
        return schema_no_memory(r, list);
    for (const struct yaml_node *node = list->child; node; node = node->next) {
        struct schema_part part = {&ignore_table, &c->ignores[c->ignore_count++], 0};

        if (schema_read(r, node, &part, 1) != 0)
            return -1;
    }
    return 0;
}

static json_t *describe_ignores(void)
{
    const struct schema_table *tables[] = {&ignore_table};

    return schema_array(schema_object(tables, 1, true), false);
}

/* only: invariants. Behind a request that is wrong in many points nothing else is certain. */
static int read_only(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct case_def *c = target;

    if (schema_expect_kind(r, node, "only", YAML_SCALAR) != 0)
        return -1;
    if (strcmp(node->text, "invariants") != 0)
        return load_error_set(r->err, &node->at, "only: \"%.40s\" is no sort of rules; write invariants", node->text);
    c->invariants_only = true;
    return 0;
}

static json_t *describe_only(void)
{
    return json_pack("{s:[s]}", "enum", "invariants");
}

static const struct schema_field audit_fields[] = {
    {"ignore", SCHEMA_CUSTOM, 0, CASE_READ(read_ignores), .describe = describe_ignores,
     .doc = "rules of which findings do not count, each with its reason"},
    {"only", SCHEMA_CUSTOM, 0, CASE_READ(read_only), .describe = describe_only,
     .doc = "invariants: findings of other rules do not count"},
};
static const struct schema_table audit_table = {"audit", audit_fields, CASE_COUNT(audit_fields)};

static int read_audit(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct schema_part part = {&audit_table, target, 0};

    if (schema_read(r, node, &part, 1) != 0)
        return -1;
    if (part.given == 0)
        return load_error_set(r->err, &node->at, "audit: narrows nothing; write ignore or only, or take it out");
    return 0;
}

static json_t *describe_id(void)
{
    return schema_string("^[a-z0-9]+([._-][a-z0-9]+)*$");
}

static json_t *describe_rules(void)
{
    return schema_array(describe_rule(), true);
}

static json_t *describe_code(void)
{
    return json_pack("{s:[o,o]}", "anyOf", json_pack("{s:s}", "type", "integer"),
                     schema_string("^(0x[0-9a-fA-F]{4}|.*\\$\\{.*)$"));
}

static json_t *describe_needs(void)
{
    json_t *names = json_array();
    json_t *list;

    for (const struct case_condition *c = case_conditions; c->name; c++)
        json_array_append_new(names, json_string(c->name));
    list = schema_array(json_pack("{s:[{s:o},o]}", "anyOf", "enum", names, schema_string("\\$\\{")), true);
    return json_pack("{s:[O,{s:s,s:o}]}", "anyOf", list, "type", "object", "additionalProperties", list);
}

static json_t *describe_audit(void)
{
    const struct schema_table *tables[] = {&audit_table};

    return schema_object(tables, 1, true);
}

static json_t *describe_steps(void)
{
    return schema_array(schema_ref("step"), false);
}

static json_t *describe_matrix(void)
{
    return json_pack("{s:s, s:{s:[s,s], s:i, s:i}}", "type", "object", "additionalProperties", "type", "array",
                     "object", "minItems", 1, "minProperties", 1);
}

#define AT(member) offsetof(struct case_def, member)
static const struct schema_field case_fields[] = {
    {"id", SCHEMA_CUSTOM, AT(id), SCHEMA_REQUIRED, CASE_READ(read_id), .describe = describe_id,
     .doc = "stable for ever: subject.group.name"},
    {"title", SCHEMA_TEXT, AT(title), SCHEMA_REQUIRED, .doc = "what is right, as a sentence"},
    {"proves", SCHEMA_CUSTOM, AT(proves), CASE_READ(read_proves), .describe = describe_rules,
     .doc = "entries of the catalogue"},
    {"code", SCHEMA_CUSTOM, AT(code), CASE_READ(read_code), .describe = describe_code,
     .doc = "status code this case is evidence for"},
    {"needs", SCHEMA_CUSTOM, 0, CASE_READ(read_needs), .describe = describe_needs,
     .doc = "conditions, default [open]; by role for several targets"},
    {"caught-by", SCHEMA_STRINGS, AT(caught_by), .doc = "defects of the reference target that must turn it red"},
    {"covers", SCHEMA_STRINGS, AT(covers), .doc = "ids of cases elsewhere that it stands for"},
    {"safe", SCHEMA_BOOL, AT(safe), .doc = "no: it would disturb a live target"},
    {"audit", SCHEMA_CUSTOM, 0, CASE_READ(read_audit), .describe = describe_audit, .doc = "narrows the audit"},
    {"matrix", SCHEMA_IGNORED, 0, .describe = describe_matrix, .doc = "one case a combination; ${name} is the value"},
    {"steps", SCHEMA_IGNORED, 0, SCHEMA_REQUIRED, .describe = describe_steps, .doc = "what is done and expected"},
};
static const struct schema_table case_table = {"case", case_fields, CASE_COUNT(case_fields)};

static int default_need(struct case_reader *cr, const struct yaml_node *node)
{
    static const char name[] = "open";
    struct case_def *c = cr->c;
    char **items = arena_alloc(cr->r.arena, 1, sizeof *items);

    c->needs = arena_alloc(cr->r.arena, 1, sizeof *c->needs);
    if (!items || !c->needs)
        return schema_no_memory(&cr->r, node);
    items[0] = arena_strdup(cr->r.arena, name);
    c->need_count = 1;
    c->needs[0].conditions.items = items;
    c->needs[0].conditions.count = 1;
    return items[0] ? 0 : schema_no_memory(&cr->r, node);
}

int case_read(struct case_reader *cr, const struct yaml_node *node, const char *id)
{
    struct case_def *c = cr->c;
    struct schema_part part = {&case_table, c, 0};

    c->at = node->at;
    c->code = -1;
    c->safe = true;
    if (schema_read(&cr->r, node, &part, 1) != 0)
        return -1;
    if (id) {
        c->id = arena_strdup(cr->r.arena, id);
        if (!c->id)
            return schema_no_memory(&cr->r, node);
    }
    if (!c->needs && default_need(cr, node) != 0)
        return -1;
    if (case_read_steps(cr, yaml_get(node, "steps")) != 0)
        return -1;
    case_hash(c, node, cr->rules);
    return 0;
}

json_t *case_schema(void)
{
    const struct schema_table *tables[] = {&case_table};
    json_t *defs = json_object();

    json_object_set_new(defs, "case", schema_object(tables, 1, true));
    json_object_set_new(defs, "step", case_schema_step());
    json_object_set_new(defs, "login", case_schema_login());
    json_object_set_new(defs, "edit", case_schema_edit());
    json_object_set_new(defs, "follow", case_schema_follow());
    json_object_set_new(defs, "expect", case_schema_expect());
    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "$schema", "https://json-schema.org/draft/2020-12/schema", "title",
                     "iscsispec cases", "type", "array", "items", schema_ref("case"), "$defs", defs);
}
