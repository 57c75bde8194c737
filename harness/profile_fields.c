/* The fields of a profile: tables and readers. */
#include "harness/profile_read.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HOUR_MS  3600000

/* ---- secrets ---- */

struct secret_draft {
    char *env, *file, *text;
};

static const struct schema_field secret_fields[] = {
    {"env", SCHEMA_TEXT, offsetof(struct secret_draft, env), .doc = "environment variable that holds it"},
    {"file", SCHEMA_TEXT, offsetof(struct secret_draft, file),
     .doc = "file that holds it, beside the profile unless absolute; a newline at the end does not count"},
    {"text", SCHEMA_TEXT, offsetof(struct secret_draft, text), .doc = "itself: for targets that exist for a test only"},
};
static const struct schema_table secret_table = {"secret", secret_fields, COUNT(secret_fields)};

static int read_secret(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct profile_secret *secret = target;
    struct secret_draft draft = {0};
    struct schema_part part = {&secret_table, &draft, 0};

    if (schema_read(r, node, &part, 1) != 0)
        return -1;
    if (part.given != 1)
        return load_error_set(r->err, &node->at, "%s: write one of env, file and text", node->key->text);
    if (draft.file)
        return profile_read_secret_file(r, node, draft.file, &secret->text);
    if (draft.env) {
        const char *value = getenv(draft.env);

        if (!value || !*value)
            return load_error_set(r->err, &node->at,
                                  "%.60s: the environment has no such variable; set it to the secret", draft.env);
        secret->text = arena_strdup(r->arena, value);
    } else {
        secret->text = draft.text;
    }
    return secret->text ? 0 : schema_no_memory(r, node);
}

static json_t *describe_secret(void)
{
    const struct schema_table *tables[] = {&secret_table};
    json_t *s = schema_object(tables, 1, false);

    json_object_set_new(s, "minProperties", json_integer(1));
    json_object_set_new(s, "maxProperties", json_integer(1));
    return s;
}

/* ---- portals ---- */

static int read_port(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    uint64_t port;

    if (schema_read_number(r, node, "port", 0, 65535, &port) != 0)
        return -1;
    *(uint16_t *)target = (uint16_t)port;
    return 0;
}

static json_t *describe_port(void)
{
    return json_pack("{s:s, s:i, s:i}", "type", "integer", "minimum", 0, "maximum", 65535);
}

#define PORTAL(member) offsetof(struct profile_portal, member)
static const struct schema_field portal_fields[] = {
    {"address", SCHEMA_TEXT, PORTAL(address), SCHEMA_MAY_BE_EMPTY, .doc = "numeric address or host name"},
    {"port", SCHEMA_CUSTOM, PORTAL(port), .read = read_port, .describe = describe_port,
     .doc = "TCP port; 0: a free one is picked before the start, or the ready file tells"},
    {"tag", SCHEMA_NUMBER, PORTAL(tag), .min = 0, .max = 65535, .doc = "portal group tag"},
    {"optional", SCHEMA_BOOL, PORTAL(optional), .doc = "yes: the ready file may leave it out"},
};
static const struct schema_table portal_table = {"portal", portal_fields, COUNT(portal_fields)};

static bool is_name(const struct yaml_node *key)
{
    for (size_t i = 0; i < key->len; i++)
        if (!memchr("abcdefghijklmnopqrstuvwxyz0123456789-_", key->text[i], 38))
            return false;
    return key->len > 0 && key->len < 64;
}

/* Names become placeholders and folders: lower case, no blanks. */
static int check_name(struct schema_reader *r, const struct yaml_node *key)
{
    if (is_name(key))
        return 0;
    return load_error_set(r->err, &key->at, "%.60s: no name; use lower-case letters, digits, - and _", key->text);
}

static int read_portals(struct schema_reader *r, const struct yaml_node *map, void *target)
{
    struct profile *p = target;

    if (schema_expect_kind(r, map, "portals", YAML_MAP) != 0)
        return -1;
    if (map->count == 0)
        return load_error_set(r->err, &map->at, "portals: is empty; name one, as in main: { address: 127.0.0.1 }");
    p->portals = arena_alloc(r->arena, map->count, sizeof *p->portals);
    if (!p->portals)
        return schema_no_memory(r, map);
    for (const struct yaml_node *node = map->child; node; node = node->next) {
        struct profile_portal *portal = &p->portals[p->portal_count];
        struct profile_portal draft = {.tag = -1};
        struct schema_part part = {&portal_table, &draft, 0};

        if (check_name(r, node->key) != 0 || schema_read(r, node, &part, 1) != 0)
            return -1;
        *portal = draft;
        portal->name = arena_strdup(r->arena, node->key->text);
        /* The runner replaces addresses: they alone are of malloc. */
        portal->address = strdup(draft.address ? draft.address : "");
        if (!portal->name || !portal->address)
            return schema_no_memory(r, node);
        p->portal_count++;
    }
    return 0;
}

static json_t *describe_portals(void)
{
    const struct schema_table *tables[] = {&portal_table};

    return json_pack("{s:s, s:o, s:i}", "type", "object", "additionalProperties", schema_object(tables, 1, false),
                     "minProperties", 1);
}

/* ---- conditions ---- */

/* A list of status codes, into the arena. */
static int read_code_list(struct schema_reader *r, const struct yaml_node *list, const char *what, uint16_t **out,
                          size_t *count)
{
    if (schema_expect_kind(r, list, what, YAML_LIST) != 0)
        return -1;
    *out = arena_alloc(r->arena, list->count, sizeof **out);
    if (!*out)
        return schema_no_memory(r, list);
    for (const struct yaml_node *node = list->child; node; node = node->next) {
        int code;

        if (schema_read_code(r, node, what, &code) != 0)
            return -1;
        (*out)[(*count)++] = (uint16_t)code;
    }
    return 0;
}

static int read_codes(struct schema_reader *r, const struct yaml_node *list, void *target)
{
    struct profile_condition *c = target;

    return read_code_list(r, list, "codes", &c->codes, &c->code_count);
}

static int read_required(struct schema_reader *r, const struct yaml_node *list, void *target)
{
    struct profile *p = target;

    return read_code_list(r, list, "require-codes", &p->required, &p->required_count);
}

/* Compiled here, so that a mistake is told with its place. */
static int read_pattern(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct profile *p = target;
    char reason[128];
    regex_t pattern;
    int rc;

    if (schema_read_text(r, node, "crash", false, &p->crash) != 0)
        return -1;
    rc = regcomp(&pattern, p->crash, REG_EXTENDED | REG_NOSUB);
    if (rc == 0) {
        regfree(&pattern);
        return 0;
    }
    regerror(rc, &pattern, reason, sizeof reason);
    return load_error_set(r->err, &node->at, "crash: %.60s: no extended regular expression: %s", p->crash, reason);
}

static json_t *describe_pattern(void)
{
    return schema_string(NULL);
}

static int read_rfc(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct profile *p = target;
    uint64_t number;

    if (schema_read_number(r, node, "rfc", 0, 65535, &number) != 0)
        return -1;
    if (number != 7143 && number != 3720)
        return load_error_set(r->err, &node->at, "rfc: %.20s: there is no iSCSI in it; write 7143 or 3720", node->text);
    p->rfc3720 = number == 3720;
    return 0;
}

static json_t *describe_rfc(void)
{
    return json_pack("{s:[i,i]}", "enum", 7143, 3720);
}

static json_t *describe_code(void)
{
    return json_pack("{s:[{s:s, s:i, s:i},o]}", "anyOf", "type", "integer", "minimum", 0, "maximum", 0xffff,
                     schema_string("^0x[0-9a-fA-F]{4}$"));
}

static json_t *describe_codes(void)
{
    return schema_array(describe_code(), false);
}

#define CONDITION(member) offsetof(struct profile_condition, member)
static const struct schema_field condition_fields[] = {
    {"target", SCHEMA_TEXT, CONDITION(target), .doc = "target name to log in to; default: that of open"},
    {"portal", SCHEMA_TEXT, CONDITION(portal), .doc = "name of a portal; default: that of open"},
    {"initiator", SCHEMA_TEXT, CONDITION(initiator), .doc = "initiator name to use; default: the run's"},
    {"user", SCHEMA_TEXT, CONDITION(user), .doc = "CHAP name of the initiator"},
    {"secret", SCHEMA_CUSTOM, CONDITION(secret), .read = read_secret, .describe = describe_secret,
     .doc = "CHAP secret of the initiator"},
    {"mutual-user", SCHEMA_TEXT, CONDITION(mutual_user), .doc = "CHAP name of the target"},
    {"mutual-secret", SCHEMA_CUSTOM, CONDITION(mutual_secret), .read = read_secret, .describe = describe_secret,
     .doc = "CHAP secret of the target"},
    {"arm", SCHEMA_TEXT, CONDITION(arm), .doc = "shell command that brings the target into the condition"},
    {"disarm", SCHEMA_TEXT, CONDITION(disarm), .doc = "shell command that takes it back"},
    {"deadline", SCHEMA_DURATION, CONDITION(arm_ms), .min = 1, .max = HOUR_MS,
     .doc = "for each of the two, default 5s"},
    {"exclusive", SCHEMA_BOOL, CONDITION(exclusive), .doc = "cases that need it run one at a time"},
    {"codes", SCHEMA_CUSTOM, 0, .read = read_codes, .describe = describe_codes, .doc = "status codes it can give"},
};
static const struct schema_table condition_table = {"condition", condition_fields, COUNT(condition_fields)};

/* A name of the closed list, in `conditions` and `not-offered`. */
static int check_condition(struct schema_reader *r, const struct yaml_node *key)
{
    struct schema_hint hint;

    if (case_condition_find(key->text))
        return 0;
    schema_hint_start(&hint, key->text);
    for (const struct case_condition *c = case_conditions; c->name; c++)
        schema_hint_offer(&hint, c->name);
    return load_error_set(r->err, &key->at, "%.60s: no condition of this name; %s", key->text, schema_hint_text(&hint));
}

static int read_conditions(struct schema_reader *r, const struct yaml_node *map, void *target)
{
    struct profile *p = target;

    if (schema_expect_kind(r, map, "conditions", YAML_MAP) != 0)
        return -1;
    p->conditions = arena_alloc(r->arena, map->count, sizeof *p->conditions);
    if (!p->conditions)
        return schema_no_memory(r, map);
    for (const struct yaml_node *node = map->child; node; node = node->next) {
        struct profile_condition *c = &p->conditions[p->condition_count++];
        struct schema_part part = {&condition_table, c, 0};

        c->at = node->key->at;
        c->arm_ms = PROFILE_ARM_MS;
        c->name = arena_strdup(r->arena, node->key->text);
        if (!c->name)
            return schema_no_memory(r, node);
        if (check_condition(r, node->key) != 0 || schema_read(r, node, &part, 1) != 0)
            return -1;
        if (c->disarm && !c->arm)
            return load_error_set(r->err, &yaml_get(node, "disarm")->at, "disarm without arm; add arm, or take it out");
        if (!c->user != !c->secret.text || !c->mutual_user != !c->mutual_secret.text)
            return load_error_set(r->err, &node->key->at, "%s: a user and a secret belong together; write both",
                                  c->name);
    }
    return 0;
}

static json_t *describe_conditions(void)
{
    json_t *properties = json_object();

    for (const struct case_condition *c = case_conditions; c->name; c++) {
        json_t *one = schema_ref("condition");

        json_object_set_new(one, "description", json_string(c->meaning));
        json_object_set_new(properties, c->name, one);
    }
    return json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties, "additionalProperties", 0);
}

/* ---- the rest ---- */

/* By condition or by code. */
static int read_not_offered(struct schema_reader *r, const struct yaml_node *map, void *target)
{
    struct profile *p = target;

    if (schema_expect_kind(r, map, "not-offered", YAML_MAP) != 0)
        return -1;
    p->not_offered = arena_alloc(r->arena, map->count, sizeof *p->not_offered);
    if (!p->not_offered)
        return schema_no_memory(r, map);
    for (const struct yaml_node *node = map->child; node; node = node->next) {
        struct profile_not_offered *n = &p->not_offered[p->not_offered_count++];

        n->code = -1;
        if (strncmp(node->key->text, "0x", 2) == 0) {
            if (schema_read_code(r, node->key, "not-offered", &n->code) != 0)
                return -1;
        } else {
            if (check_condition(r, node->key) != 0)
                return -1;
            n->condition = arena_strdup(r->arena, node->key->text);
            if (!n->condition)
                return schema_no_memory(r, node);
        }
        if (schema_read_text(r, node, "not-offered", false, &n->reason) != 0)
            return -1;
    }
    return 0;
}

static int read_left_out(struct schema_reader *r, const struct yaml_node *map, void *target)
{
    struct profile *p = target;

    if (schema_expect_kind(r, map, "leave-out", YAML_MAP) != 0)
        return -1;
    p->left_out = arena_alloc(r->arena, map->count, sizeof *p->left_out);
    if (!p->left_out)
        return schema_no_memory(r, map);
    for (const struct yaml_node *node = map->child; node; node = node->next) {
        struct profile_left_out *item = &p->left_out[p->left_out_count++];

        item->at = node->key->at;
        item->cases = arena_strdup(r->arena, node->key->text);
        if (!item->cases)
            return schema_no_memory(r, node);
        if (schema_read_text(r, node, "leave-out", false, &item->reason) != 0)
            return -1;
    }
    return 0;
}

#define NOTE(member) offsetof(struct profile_code_note, member)
static const struct schema_field note_fields[] = {
    {"source", SCHEMA_TEXT, NOTE(source), .doc = "where the target's source gives it"},
    {"note", SCHEMA_TEXT, NOTE(note), .doc = "remark for the table"},
};
static const struct schema_table note_table = {"code", note_fields, COUNT(note_fields)};

static int read_code_notes(struct schema_reader *r, const struct yaml_node *map, void *target)
{
    struct profile *p = target;

    if (schema_expect_kind(r, map, "codes", YAML_MAP) != 0)
        return -1;
    p->code_notes = arena_alloc(r->arena, map->count, sizeof *p->code_notes);
    if (!p->code_notes)
        return schema_no_memory(r, map);
    for (const struct yaml_node *node = map->child; node; node = node->next) {
        struct profile_code_note *n = &p->code_notes[p->code_note_count++];
        struct schema_part part = {&note_table, n, 0};
        int code;

        if (schema_read_code(r, node->key, "codes", &code) != 0 || schema_read(r, node, &part, 1) != 0)
            return -1;
        n->code = (uint16_t)code;
    }
    return 0;
}

/* VERB: command. */
static int read_controls(struct schema_reader *r, const struct yaml_node *map, void *target)
{
    struct profile *p = target;

    if (schema_expect_kind(r, map, "controls", YAML_MAP) != 0)
        return -1;
    p->controls = arena_alloc(r->arena, map->count, sizeof *p->controls);
    if (!p->controls)
        return schema_no_memory(r, map);
    for (const struct yaml_node *node = map->child; node; node = node->next) {
        size_t i = p->control_count++;

        p->controls[i].timeout_ms = PROFILE_ARM_MS;
        p->controls[i].name = arena_strdup(r->arena, node->key->text);
        if (!p->controls[i].name)
            return schema_no_memory(r, node);
        if (check_name(r, node->key) != 0 ||
            schema_read_text(r, node, p->controls[i].name, false, &p->controls[i].command) != 0)
            return -1;
    }
    return 0;
}

static json_t *describe_text_map(void)
{
    return json_pack("{s:s, s:o}", "type", "object", "additionalProperties", schema_string(NULL));
}

static json_t *describe_code_notes(void)
{
    const struct schema_table *tables[] = {&note_table};

    return json_pack("{s:s, s:o}", "type", "object", "additionalProperties", schema_object(tables, 1, false));
}

#define AT(member) offsetof(struct profile, member)
static const struct schema_field timeout_fields[] = {
    {"answer", SCHEMA_DURATION, AT(timeout_ms), .min = 10, .max = HOUR_MS,
     .doc = "for one answer; default: measured from a login"},
    {"close-grace", SCHEMA_DURATION, AT(close_grace_ms), .min = 10, .max = HOUR_MS,
     .doc = "for the target to close after a refusal, default 2s"},
    {"ready", SCHEMA_DURATION, AT(ready_ms), .min = 10, .max = HOUR_MS, .doc = "for the start, default 10s"},
    {"setup", SCHEMA_DURATION, AT(setup_ms), .min = 10, .max = HOUR_MS, .doc = "for the set-up, default 10s"},
    {"stop", SCHEMA_DURATION, AT(stop_ms), .min = 10, .max = HOUR_MS, .doc = "for the end, default 5s"},
};
static const struct schema_table timeout_table = {"timeouts", timeout_fields, COUNT(timeout_fields)};

static int read_timeouts(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct schema_part part = {&timeout_table, target, 0};

    return schema_read(r, node, &part, 1);
}

/* As paths from where we are. The files themselves are read by who runs the cases. */
static int read_waivers(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct profile *p = target;
    size_t folder = strrchr(node->at.file, '/') != NULL ? (size_t)(strrchr(node->at.file, '/') - node->at.file) + 1 : 0;

    if (schema_read_list(r, node, "waivers", &p->waivers.items, &p->waivers.count) != 0)
        return -1;
    for (size_t i = 0; i < p->waivers.count; i++) {
        const char *path = p->waivers.items[i];

        p->waivers.items[i] = arena_printf(r->arena, "%.*s%s", path[0] == '/' ? 0 : (int)folder, node->at.file, path);
        if (!p->waivers.items[i])
            return schema_no_memory(r, node);
    }
    return 0;
}

static json_t *describe_waivers(void)
{
    return schema_array(schema_string(NULL), true);
}

static json_t *describe_timeouts(void)
{
    const struct schema_table *tables[] = {&timeout_table};

    return schema_object(tables, 1, false);
}

static const struct schema_field profile_fields[] = {
    {"profile", SCHEMA_TEXT, AT(name), SCHEMA_REQUIRED, .doc = "name of the profile"},
    {"title", SCHEMA_TEXT, AT(title), .doc = "the target in words, for the report"},
    {"start", SCHEMA_TEXT, AT(start), .doc = "shell command that becomes the target; without: it runs already"},
    {"ready", SCHEMA_TEXT, AT(ready), .doc = "shell command that succeeds when the target is ready"},
    {"ready-file", SCHEMA_TEXT, AT(ready_file), .doc = "JSON file that the target writes: portals by name"},
    {"setup", SCHEMA_TEXT, AT(setup), .doc = "shell command after it is ready"},
    {"stop", SCHEMA_TEXT, AT(stop), .doc = "shell command that ends the target; default SIGTERM"},
    {"alive", SCHEMA_TEXT, AT(alive), .doc = "shell command that succeeds while the target lives"},
    {"version", SCHEMA_TEXT, AT(version), .doc = "shell command that prints the target's version"},
    {"log", SCHEMA_TEXT, AT(log), .doc = "file that the target writes; default: what it prints"},
    {"crash", SCHEMA_CUSTOM, 0, .read = read_pattern, .describe = describe_pattern,
     .doc = "extended regular expression: a line of the log that means a crash"},
    {"portals", SCHEMA_CUSTOM, 0, SCHEMA_REQUIRED, .read = read_portals, .describe = describe_portals,
     .doc = "addresses by name"},
    {"conditions", SCHEMA_CUSTOM, 0, SCHEMA_REQUIRED, .read = read_conditions, .describe = describe_conditions,
     .doc = "the conditions that the target can be brought into"},
    {"controls", SCHEMA_CUSTOM, 0, .read = read_controls, .describe = describe_text_map,
     .doc = "verbs for control steps and their shell commands"},
    {"not-offered", SCHEMA_CUSTOM, 0, .read = read_not_offered, .describe = describe_text_map,
     .doc = "conditions and codes that the target does not offer, and why"},
    {"leave-out", SCHEMA_CUSTOM, 0, .read = read_left_out, .describe = describe_text_map,
     .doc = "globs on ids of cases that are not to be run on this target, and why"},
    {"codes", SCHEMA_CUSTOM, 0, .read = read_code_notes, .describe = describe_code_notes,
     .doc = "remarks on codes for the table"},
    {"waivers", SCHEMA_CUSTOM, 0, .read = read_waivers, .describe = describe_waivers,
     .doc = "waiver files, beside the profile unless absolute"},
    {"timeouts", SCHEMA_CUSTOM, 0, .read = read_timeouts, .describe = describe_timeouts, .doc = "time limits"},
    {"parallel", SCHEMA_NUMBER, AT(parallel), .min = 1, .max = 1000, .doc = "cases at a time on one instance, at most"},
    {"instances", SCHEMA_NUMBER, AT(instances), .min = 1, .max = PROFILE_INSTANCES_MAX,
     .doc = "copies of the target that are started, for one that is slow; default 1"},
    {"half-close", SCHEMA_BOOL, AT(no_half_close), SCHEMA_INVERTED,
     .doc = "no: the target takes a half-close for the end of the connection; cases that need one are left out"},
    {"rfc", SCHEMA_CUSTOM, 0, .read = read_rfc, .describe = describe_rfc,
     .doc = "3720: judge by that RFC where it differs; default 7143"},
    {"require-codes", SCHEMA_CUSTOM, 0, .read = read_required, .describe = describe_codes,
     .doc = "status codes that a run has to see from the target, else it fails"},
};
const struct schema_table profile_table = {"profile", profile_fields, COUNT(profile_fields)};

json_t *profile_schema(void)
{
    const struct schema_table *tables[] = {&profile_table};
    const struct schema_table *conditions[] = {&condition_table};
    json_t *s = schema_object(tables, 1, false);
    json_t *defs = json_object();

    json_object_set_new(defs, "condition", schema_object(conditions, 1, false));
    json_object_set_new(s, "$defs", defs);
    json_object_set_new(s, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
    json_object_set_new(s, "title", json_string("iscsispec profile"));
    return s;
}
