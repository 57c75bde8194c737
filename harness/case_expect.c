/* The expect step: what is allowed, checked against the catalogue. */
#include "harness/case_read.h"
#include "harness/catalogue_outcome.h"
#include "wire/pdu.h"

#include <stdio.h>
#include <string.h>

static const char *const then_names[] = {"any", "closed", NULL};
static const char *const outcome_levels[] = {"expected", "tolerated", NULL};

/* {status: 0x0208, level: tolerated} or {outcome: close, level: tolerated} */
struct any_draft {
    char *status;
    char *outcome;
    int level;
};

static const struct schema_field any_fields[] = {
    {"status", SCHEMA_TEXT, offsetof(struct any_draft, status), .doc = "0xCCDD, class2, class3 or any"},
    {"outcome", SCHEMA_TEXT, offsetof(struct any_draft, outcome),
     .doc = "a word of the catalogue: close, accept, stay, ffp, answer:Key=Value, ..."},
    {"level", SCHEMA_WORD, offsetof(struct any_draft, level), .words = outcome_levels,
     .doc = "expected (default), or tolerated: WARN"},
};
static const struct schema_table any_table = {"outcome", any_fields, CASE_COUNT(any_fields)};

static int read_outcome(struct schema_reader *r, const struct yaml_node *node, struct outcome *out)
{
    struct any_draft draft = {0};
    struct schema_part part = {&any_table, &draft, 0};
    const char *token = node->text;

    if (node->kind != YAML_SCALAR) {
        if (schema_read(r, node, &part, 1) != 0)
            return -1;
        if (!draft.status == !draft.outcome)
            return load_error_set(r->err, &node->at, "write either status or outcome");
        token = draft.status ? arena_printf(r->arena, "status:%s", draft.status) : draft.outcome;
        if (!token)
            return schema_no_memory(r, node);
    }
    if (outcome_parse_in(r->arena, token, out, &node->at, r->err) != 0)
        return -1;
    if (!outcome_decidable(out))
        return load_error_set(r->err, &node->at,
                              "%.60s: no outcome that a machine can decide; write status:, close, accept, stay, ffp, "
                              "answer:, noanswer:, declare:, field:, reject-pdu: or no-response",
                              token);
    out->tolerated = draft.level == 1;
    return 0;
}

static int read_any(struct schema_reader *r, const struct yaml_node *list, void *target)
{
    struct outcome_list *out = target;

    if (schema_expect_kind(r, list, "any", YAML_LIST) != 0)
        return -1;
    if (list->count == 0)
        return load_error_set(r->err, &list->at, "any: is empty, so nothing would pass; name an outcome");
    out->items = arena_alloc(r->arena, list->count, sizeof *out->items);
    if (!out->items)
        return schema_no_memory(r, list);
    for (const struct yaml_node *node = list->child; node; node = node->next)
        if (read_outcome(r, node, &out->items[out->count++]) != 0)
            return -1;
    return 0;
}

static int read_answer_header(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct case_expect *e = target;

    return case_read_header(case_reader_of(r), node, case_answer_opcodes, case_answer_opcode_count, &e->header,
                            &e->header_count);
}

/* Key=Value, Key, !Key */
static int read_keys(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct case_strings *list = target;

    if (schema_read_list(r, node, "keys", &list->items, &list->count) != 0)
        return -1;
    for (size_t i = 0; i < list->count; i++) {
        const char *item = list->items[i];

        if (*item == '=' || strcmp(item, "!") == 0 || (*item == '!' && strchr(item, '=')))
            return load_error_set(r->err, &node->at, "keys: \"%.60s\" is no condition; write Key=Value, Key or !Key",
                                  item);
    }
    return case_check_live_list(case_reader_of(r), node);
}

static int read_live(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    if (schema_read_text(r, node, node->key->text, false, target) != 0)
        return -1;
    return case_check_live(case_reader_of(r), node, node->text, node->len);
}

static int read_rule(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct case_expect *e = target;

    if (schema_read_text(r, node, "rule", false, &e->rule) != 0)
        return -1;
    return case_find_rule(case_reader_of(r), node, e->rule, &e->entry);
}

static int read_same_as(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    char **name = target;

    if (schema_read_text(r, node, "same-as", false, name) != 0)
        return -1;
    return case_need_conn(case_reader_of(r), node, *name);
}

static json_t *describe_any(void)
{
    const struct schema_table *tables[] = {&any_table};

    return schema_array(json_pack("{s:[o,o]}", "anyOf", schema_string(NULL), schema_object(tables, 1, true)), false);
}

static json_t *describe_answer_header(void)
{
    return case_describe_header(case_answer_opcodes, case_answer_opcode_count);
}

static json_t *describe_keys(void)
{
    return schema_array(schema_string("^!?[^=]+"), true);
}

static json_t *describe_text(void)
{
    return schema_string(NULL);
}

static json_t *describe_rule(void)
{
    return schema_string("^(L-[A-Z0-9-]+-[0-9][0-9a-f]+|.*\\$\\{.*)$");
}

#define AT(member) offsetof(struct case_expect, member)
static const struct schema_field expect_fields[] = {
    {"on", SCHEMA_NAME, AT(on), .max = sizeof((struct case_expect *)0)->on,
     .doc = "connection, default: the last login's"},
    {"rule", SCHEMA_CUSTOM, 0, CASE_READ(read_rule), .describe = describe_rule,
     .doc = "the accept set of this entry of the catalogue"},
    {"any", SCHEMA_CUSTOM, AT(any), CASE_READ(read_any), .describe = describe_any,
     .doc = "own accept set, not wider than the rule's"},
    {"pdu", SCHEMA_NUMBER, AT(pdu), .min = 1, .max = CASE_PDU_MAX, .doc = "judge the answer to this PDU as sent"},
    {"ffp", SCHEMA_BOOL, AT(ffp), .doc = "the login completes"},
    {"then", SCHEMA_WORD, AT(then), .words = then_names, .doc = "closed: the target closes by itself"},
    {"alive", SCHEMA_TRISTATE, AT(alive), .doc = "a ping is answered, or the connection was ended by the target"},
    {"keys", SCHEMA_CUSTOM, AT(keys), CASE_READ(read_keys), .describe = describe_keys,
     .doc = "Key=Value, Key=A|B, Key=[a..b], Key, !Key"},
    {"header", SCHEMA_CUSTOM, 0, CASE_READ(read_answer_header), .describe = describe_answer_header,
     .doc = "fields of the judged answer"},
    {"responses", SCHEMA_NUMBER, AT(responses), .min = 0, .max = CASE_PDU_MAX,
     .doc = "number of Login Responses on the connection"},
    {"lists", SCHEMA_CUSTOM, AT(lists), CASE_READ(read_live), .describe = describe_text,
     .doc = "a SendTargets answer holds this target"},
    {"lists-not", SCHEMA_CUSTOM, AT(lists_not), CASE_READ(read_live), .describe = describe_text,
     .doc = "no SendTargets answer holds this target"},
    {"same-as", SCHEMA_CUSTOM, AT(same_as), CASE_READ(read_same_as), .describe = describe_text,
     .doc = "ended as this connection did"},
};
static const struct schema_table expect_table = {"expect", expect_fields, CASE_COUNT(expect_fields)};

static bool covered_by(const struct outcome *o, const struct outcome_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (outcome_covered(o, &list->items[i]))
            return true;
    return false;
}

/* The words of an accept set, for the message that it was overstepped. */
static void list_words(char *out, size_t cap, const struct outcome_list *list)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < list->count; i++) {
        int n = snprintf(out + used, cap - used, "%s%s", i ? ", " : "", list->items[i].text);

        if (n < 0 || (size_t)n >= cap - used)
            return;
        used += (size_t)n;
    }
}

/* A case may be narrower than the rule it names, never wider. */
static int check_accept_set(struct case_reader *cr, const struct yaml_node *any, const struct case_expect *e)
{
    const struct yaml_node *node = any->child;

    for (size_t i = 0; i < e->any.count; i++, node = node->next) {
        const struct outcome *o = &e->any.items[i];
        bool tolerated = covered_by(o, &e->entry->tolerated);
        char words[160];

        if (covered_by(o, &e->entry->expected) || (o->tolerated && tolerated))
            continue;
        list_words(words, sizeof words, &e->entry->expected);
        return load_error_set(cr->r.err, &node->at, "%.40s: wider than %s allows (%s); %s", o->text, e->rule, words,
                              tolerated ? "the rule tolerates it: write level: tolerated"
                                        : "take it out, or name the rule that allows it");
    }
    return 0;
}

static bool asks_besides_rule(const struct case_expect *e)
{
    return e->any.count || e->ffp || e->then != CASE_END_NOT_ASKED || e->alive >= 0 || e->keys.count ||
           e->header_count || e->responses >= 0 || e->lists || e->lists_not || e->same_as;
}

static bool has_decidable(const struct outcome_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (outcome_decidable(&list->items[i]))
            return true;
    return false;
}

int case_read_expect(struct case_reader *cr, const struct yaml_node *node, struct case_step *step)
{
    struct case_expect *e = &step->expect;
    struct schema_part part = {&expect_table, e, 0};
    const struct yaml_node *on = yaml_get(node, "on");
    const struct yaml_node *any = yaml_get(node, "any");

    e->alive = -1;
    e->responses = -1;
    if (schema_read(&cr->r, node, &part, 1) != 0 || case_use_conn(cr, on ? on : node, e->on) != 0)
        return -1;
    memcpy(step->on, e->on, sizeof step->on);
    if (!e->entry && !asks_besides_rule(e))
        return load_error_set(cr->r.err, &node->at,
                              "expects nothing; write rule, any, ffp, then, alive, keys, header, "
                              "responses, lists or same-as");
    if (e->entry && !asks_besides_rule(e) && !has_decidable(&e->entry->expected))
        return load_error_set(cr->r.err, &node->at,
                              "%s: no machine can decide what it expects (%.80s); say it with any, "
                              "keys, header, ffp, alive or then",
                              e->rule, e->entry->expected.items[0].text);
    return e->entry && any ? check_accept_set(cr, any, e) : 0;
}

json_t *case_schema_expect(void)
{
    const struct schema_table *tables[] = {&expect_table};

    return schema_object(tables, 1, true);
}
