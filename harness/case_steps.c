/* The steps of a case: a list of maps of one key each, which names the step. */
#include "harness/case_read.h"

#include <string.h>

static const char *const then_names[] = {"any", "closed", NULL};
static const char *const reason_names[] = {"session", "connection", NULL};

static int read_reason(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    int word;

    if (schema_read_word(r, node, "reason", reason_names, &word) != 0)
        return -1;
    return schema_read_text(r, node, "reason", false, target);
}

static json_t *describe_reason(void)
{
    return schema_string("^(session|connection|\\$\\{.*)$");
}

static int read_keys(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct case_strings *keys = target;

    if (schema_read_list(r, node, "keys", &keys->items, &keys->count) != 0)
        return -1;
    for (size_t i = 0; i < keys->count; i++)
        if (!strchr(keys->items[i], '='))
            return load_error_set(r->err, &node->at, "%.60s: no key and value; write Key=Value", keys->items[i]);
    return case_check_live_list(case_reader_of(r), node);
}

static json_t *describe_keys(void)
{
    return schema_array(schema_string("="), true);
}

#define STEP(member) offsetof(struct case_step, member)
#define ON                                                                                                             \
    {                                                                                                                  \
        "on", SCHEMA_NAME, STEP(on), .max = sizeof((struct case_step *)0)->on, .doc = "connection, default: the last"  \
    }
#define ANSWER                                                                                                         \
    {                                                                                                                  \
        "answer", SCHEMA_BOOL, STEP(no_answer), SCHEMA_INVERTED, .doc = "whether an answer is awaited, default yes"    \
    }

static const struct schema_field on_fields[] = {ON};
static const struct schema_field send_fields[] = {ON, ANSWER};
static const struct schema_field text_fields[] = {
    ON,
    ANSWER,
    {"keys", SCHEMA_CUSTOM, STEP(keys), SCHEMA_REQUIRED, CASE_READ(read_keys), .describe = describe_keys,
     .doc = "Key=Value pairs of the Text Request"},
};
static const struct schema_field logout_fields[] = {
    ON,
    ANSWER,
    {"reason", SCHEMA_CUSTOM, STEP(reason), CASE_READ(read_reason), .describe = describe_reason,
     .doc = "session (default) or connection"},
    {"then", SCHEMA_WORD, STEP(then), .words = then_names, .doc = "closed: the target closes by itself"},
};
static const struct schema_field wait_fields[] = {
    {"ms", SCHEMA_NUMBER, STEP(wait_ms), SCHEMA_REQUIRED, .min = 1, .max = CASE_WAIT_MAX, .doc = "milliseconds"},
};
static const struct schema_field control_fields[] = {
    {"do", SCHEMA_TEXT, STEP(control_do), SCHEMA_REQUIRED, .doc = "verb of the profile"},
    {"undo", SCHEMA_TEXT, STEP(control_undo), SCHEMA_REQUIRED, .doc = "verb that takes it back; always runs"},
};

/* In the order of enum case_step_kind. LOGIN, EXPECT and FOLLOW have readers of their own. */
static const struct step_kind {
    const char *name;
    const struct schema_field *fields;
    size_t count;
} step_kinds[] = {
    {"login", NULL, 0},
    {"expect", NULL, 0},
    {"send", send_fields, CASE_COUNT(send_fields)},
    {"nop", on_fields, CASE_COUNT(on_fields)},
    {"text", text_fields, CASE_COUNT(text_fields)},
    {"logout", logout_fields, CASE_COUNT(logout_fields)},
    {"close", on_fields, CASE_COUNT(on_fields)},
    {"reset", on_fields, CASE_COUNT(on_fields)},
    {"half-close", on_fields, CASE_COUNT(on_fields)},
    {"wait", wait_fields, CASE_COUNT(wait_fields)},
    {"control", control_fields, CASE_COUNT(control_fields)},
    {"follow", NULL, 0},
};

static int read_plain_step(struct case_reader *cr, const struct yaml_node *node, struct case_step *step)
{
    const struct step_kind *kind = &step_kinds[step->kind];
    struct schema_table table = {kind->name, kind->fields, kind->count};
    bool send = step->kind == CASE_STEP_SEND;
    struct schema_part parts[] = {{&table, step, 0}, {&case_pdu_table, &step->pdu, 0}};
    const struct yaml_node *on = yaml_get(node, "on");

    step->pdu.opcode = -1;
    if (schema_read(&cr->r, node, parts, send ? 2 : 1) != 0)
        return -1;
    if (kind->fields[0].offset == STEP(on) && case_use_conn(cr, on ? on : node, step->on) != 0)
        return -1;
    if (step->kind == CASE_STEP_LOGOUT && !step->reason) {
        step->reason = arena_strdup(cr->r.arena, reason_names[0]);
        if (!step->reason)
            return schema_no_memory(&cr->r, node);
    }
    if (step->then == CASE_END_CLOSED && step->no_answer)
        return load_error_set(cr->r.err, &node->at, "logout: then: closed goes with an answer; take answer: no out");
    return send ? case_read_pdu(cr, node, &step->pdu) : 0;
}

static int read_step(struct case_reader *cr, const struct yaml_node *node, struct case_step *step)
{
    switch (step->kind) {
    case CASE_STEP_LOGIN:
        return case_read_login(cr, node, step);
    case CASE_STEP_EXPECT:
        return case_read_expect(cr, node, step);
    case CASE_STEP_FOLLOW:
        return case_read_follow(cr, node, step);
    default:
        return read_plain_step(cr, node, step);
    }
}

static int unknown_step(struct case_reader *cr, const struct yaml_node *key)
{
    struct schema_hint hint;

    schema_hint_start(&hint, key->text);
    for (size_t i = 0; i < CASE_COUNT(step_kinds); i++)
        schema_hint_offer(&hint, step_kinds[i].name);
    for (size_t i = 0; case_shape_names[i]; i++)
        schema_hint_offer(&hint, case_shape_names[i]);
    return load_error_set(cr->r.err, &key->at, "%.60s: no such step; %s", key->text, schema_hint_text(&hint));
}

/* `- close:` says nothing more than its name: an empty map. */
static struct yaml_node body_of(const struct yaml_node *node)
{
    struct yaml_node body = *node;

    if (body.kind == YAML_SCALAR && body.len == 0 && body.style == YAML_PLAIN)
        body.kind = YAML_MAP;
    return body;
}

/* One step, or a shape that goes into the login before it. *made tells whether a step was filled. */
static int take_step(struct case_reader *cr, const struct yaml_node *item, struct case_step *step, bool *made)
{
    const struct yaml_node *key;
    struct yaml_node body;

    *made = false;
    if (item->kind != YAML_MAP || item->count != 1)
        return load_error_set(cr->r.err, &item->at, "a step is a map of one key; write - NAME: { ... }");
    key = item->child->key;
    body = body_of(item->child);
    for (size_t i = 0; case_shape_names[i]; i++)
        if (strcmp(case_shape_names[i], key->text) == 0)
            return case_read_shape(cr, &body, (enum case_shape_kind)i);
    cr->login = NULL;
    for (size_t i = 0; i < CASE_COUNT(step_kinds); i++) {
        if (strcmp(step_kinds[i].name, key->text) != 0)
            continue;
        step->kind = (enum case_step_kind)i;
        step->at = key->at;
        *made = true;
        if (read_step(cr, &body, step) != 0)
            return -1;
        if (step->kind == CASE_STEP_LOGIN || step->kind == CASE_STEP_FOLLOW)
            cr->login = &step->login;
        return 0;
    }
    return unknown_step(cr, key);
}

int case_read_steps(struct case_reader *cr, const struct yaml_node *list)
{
    struct case_def *c = cr->c;
    bool expects = false;

    if (schema_expect_kind(&cr->r, list, "steps", YAML_LIST) != 0)
        return -1;
    if (list->count > CASE_STEP_MAX)
        return load_error_set(cr->r.err, &list->at, "more than %u steps; split the case", CASE_STEP_MAX);
    c->steps = arena_alloc(cr->r.arena, list->count, sizeof *c->steps);
    if (!c->steps)
        return schema_no_memory(&cr->r, list);
    for (const struct yaml_node *item = list->child; item; item = item->next) {
        struct case_step *step = &c->steps[c->step_count];
        bool made;

        if (take_step(cr, item, step, &made) != 0)
            return -1;
        c->step_count += made;
        expects = expects || (made && step->kind == CASE_STEP_EXPECT);
    }
    if (!expects)
        return load_error_set(cr->r.err, &c->at, "%.100s: a case without expectation; add an expect step", c->id);
    return 0;
}

static json_t *step_body(size_t kind)
{
    const struct step_kind *k = &step_kinds[kind];
    struct schema_table table = {k->name, k->fields, k->count};
    const struct schema_table *tables[] = {&table, &case_pdu_table};

    if (!k->fields)
        return schema_ref(k->name);
    return schema_object(tables, kind == CASE_STEP_SEND ? 2 : 1, true);
}

json_t *case_schema_step(void)
{
    json_t *properties = json_object();

    for (size_t i = 0; i < CASE_COUNT(step_kinds); i++)
        json_object_set_new(properties, step_kinds[i].name, step_body(i));
    for (size_t i = 0; case_shape_names[i]; i++)
        json_object_set_new(properties, case_shape_names[i], case_schema_shape((enum case_shape_kind)i));
    return json_pack("{s:s, s:o, s:i, s:i, s:b}", "type", "object", "properties", properties, "minProperties", 1,
                     "maxProperties", 1, "additionalProperties", 0);
}
