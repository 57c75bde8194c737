/* The login step and its edits. */
#include "harness/case_read.h"
#include "wire/pdu.h"

#include <stdio.h>
#include <string.h>

static const char *const base_names[] = {"plain", "security", "chap", "mutual-chap", "discovery", "join", "raw", NULL};
static const char *const via_names[] = {"plain", "security", "chap", NULL};
static const char *const when_names[] = {"sent", "answered", NULL};
static const uint8_t login_opcode[] = {PDU_LOGIN_REQUEST};

const char *case_base_name(enum case_base base)
{
    return base_names[base];
}

/* ---- edits ---- */

static int hex_value(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/*
 * \0 \xNN \\ of a text in single quotes or none. In double quotes YAML has resolved escapes, where \xNN is a character:
 * above 0x7f it would become two bytes, which nobody means.
 */
int case_read_text(struct schema_reader *r, const struct yaml_node *node, char **text, size_t *len)
{
    char *out;
    size_t n = 0;

    if (schema_expect_kind(r, node, "text", YAML_SCALAR) != 0)
        return -1;
    out = arena_alloc(r->arena, node->len + 1, 1);
    if (!out)
        return schema_no_memory(r, node);
    for (size_t i = 0; i < node->len; i++) {
        char c = node->text[i];
        int high, low;

        if (node->style == YAML_DOUBLE_QUOTED && (unsigned char)c >= 0x80)
            return load_error_set(
                r->err, &node->at,
                "text: a character above 0x7f in double quotes; use single quotes, where \\xNN is a byte");
        if (c != '\\' || node->style == YAML_DOUBLE_QUOTED) {
            out[n++] = c;
            continue;
        }
        c = node->text[++i];
        high = c == 'x' ? hex_value(node->text[i + 1]) : -1;
        low = high >= 0 ? hex_value(node->text[i + 2]) : -1;
        if (c == '0' || c == '\\') {
            out[n++] = c == '0' ? '\0' : '\\';
        } else if (low >= 0) {
            out[n++] = (char)(high << 4 | low);
            i += 2;
        } else {
            return load_error_set(r->err, &node->at, "text: \\%.3s is no escape; write \\0, \\xNN or \\\\",
                                  node->text + i);
        }
    }
    *text = out;
    *len = n;
    return case_check_live(case_reader_of(r), node, out, n);
}

static int read_text(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct case_edit *edit = target;

    return case_read_text(r, node, &edit->text, &edit->text_len);
}

/* pad: {fill: "ff"} */
static int read_fill(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct case_edit *edit = target;

    if (schema_read_hex(r, node, "fill", &edit->pad, &edit->pad_len) != 0)
        return -1;
    if (edit->pad_len == 1 && edit->pad[0] != 0)
        return 0;
    return load_error_set(r->err, &node->at, "fill: \"%.20s\" is not one byte that differs from 0; write two digits",
                          node->text);
}

static json_t *describe_byte(void)
{
    return schema_string("^[0-9a-fA-F]{2}$");
}

static const struct schema_field pad_fields[] = {
    {"fill", SCHEMA_CUSTOM, 0, SCHEMA_REQUIRED, CASE_READ(read_fill), .describe = describe_byte,
     .doc = "the byte that stands in each pad byte that is due"},
};
static const struct schema_table pad_table = {"pad", pad_fields, CASE_COUNT(pad_fields)};

static int read_pad(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct case_edit *edit = target;
    struct schema_part part = {&pad_table, edit, 0};

    if (node->kind != YAML_MAP)
        return schema_read_hex(r, node, "pad", &edit->pad, &edit->pad_len);
    edit->pad_filled = true;
    return schema_read(r, node, &part, 1);
}

static int read_edit_header(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct case_edit *edit = target;

    return case_read_header(case_reader_of(r), node, login_opcode, 1, &edit->header, &edit->header_count);
}

/* bytes: {OFFSET: "hex"} */
static int read_bytes(struct schema_reader *r, const struct yaml_node *map, void *target)
{
    struct case_edit *edit = target;

    if (schema_expect_kind(r, map, "bytes", YAML_MAP) != 0)
        return -1;
    edit->bytes = arena_alloc(r->arena, map->count, sizeof *edit->bytes);
    if (!edit->bytes)
        return schema_no_memory(r, map);
    for (const struct yaml_node *node = map->child; node; node = node->next) {
        struct case_bytes_edit *e = &edit->bytes[edit->bytes_count++];
        uint64_t offset;

        e->at = node->at;
        if (schema_read_number(r, node->key, "bytes", 0, PDU_BHS_LEN + PDU_MAX_DATA_LEN, &offset) != 0 ||
            schema_read_hex(r, node, "bytes", &e->bytes, &e->len) != 0)
            return -1;
        e->offset = (size_t)offset;
    }
    return 0;
}

/* set, add, prepend hold pairs; drop holds names. */
static int read_pairs(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct case_strings *list = target;
    bool drop = strcmp(node->key->text, "drop") == 0;

    if (schema_read_list(r, node, node->key->text, &list->items, &list->count) != 0)
        return -1;
    for (size_t i = 0; i < list->count; i++) {
        const char *item = list->items[i];

        if (drop ? strchr(item, '=') != NULL : !strchr(item, '='))
            return load_error_set(r->err, &node->at, "%s: \"%.60s\" is no %s", node->key->text, item,
                                  drop ? "name of a key; leave the value out, or write \"*\" for all"
                                       : "pair; write Key=Value");
    }
    return case_check_live_list(case_reader_of(r), node);
}

static json_t *describe_pairs(void)
{
    return schema_array(schema_string("="), true);
}

static json_t *describe_drop(void)
{
    return schema_array(schema_string("^[^=]+$"), true);
}

static json_t *describe_text(void)
{
    return schema_string(NULL);
}

static json_t *describe_hex(void)
{
    return schema_string("^([0-9a-fA-F]{2} *)+$");
}

static json_t *describe_pad(void)
{
    const struct schema_table *tables[] = {&pad_table};

    return json_pack("{s:[o,o]}", "anyOf", describe_hex(), schema_object(tables, 1, true));
}

static json_t *describe_login_header(void)
{
    return case_describe_header(login_opcode, 1);
}

static json_t *describe_bytes(void)
{
    return json_pack("{s:s, s:o}", "type", "object", "additionalProperties", describe_hex());
}

#define EDIT(member) offsetof(struct case_edit, member)
static const struct schema_field edit_fields[] = {
    {"pdu", SCHEMA_NUMBER, EDIT(pdu), .min = 1, .max = CASE_PDU_MAX,
     .doc = "number of the PDU as libiscsi made them; default: the one that holds the key, or the first"},
    {"set", SCHEMA_CUSTOM, EDIT(set), CASE_READ(read_pairs), .describe = describe_pairs,
     .doc = "new value of a key that is there"},
    {"add", SCHEMA_CUSTOM, EDIT(add), CASE_READ(read_pairs), .describe = describe_pairs,
     .doc = "one more pair at the end"},
    {"prepend", SCHEMA_CUSTOM, EDIT(prepend), CASE_READ(read_pairs), .describe = describe_pairs,
     .doc = "one more pair at the front"},
    {"drop", SCHEMA_CUSTOM, EDIT(drop), CASE_READ(read_pairs), .describe = describe_drop,
     .doc = "takes a key out; \"*\": all"},
    {"text", SCHEMA_CUSTOM, 0, CASE_READ(read_text), .describe = describe_text,
     .doc = "the whole data segment, with \\0 and \\xNN"},
    {"grow", SCHEMA_SIZE, EDIT(grow), .min = 1, .max = PDU_MAX_DATA_LEN,
     .doc = "X- keys are appended until the data segment has so many bytes"},
    {"pad", SCHEMA_CUSTOM, 0, CASE_READ(read_pad), .describe = describe_pad,
     .doc = "pad bytes in hex, or the byte that fills those that are due"},
    {"header", SCHEMA_CUSTOM, 0, CASE_READ(read_edit_header), .describe = describe_login_header,
     .doc = "header fields by name"},
    {"bytes", SCHEMA_CUSTOM, 0, CASE_READ(read_bytes), .describe = describe_bytes, .doc = "raw bytes at an offset"},
    {"mutate", SCHEMA_NUMBER, EDIT(mutate), .min = 1, .max = 1000000,
     .doc = "the mutation of this number, by the mutator of the fuzzers; alone in its edit"},
};
static const struct schema_table edit_table = {"edit", edit_fields, CASE_COUNT(edit_fields)};

/* An edit has to say what it changes. */
static int check_edit(struct schema_reader *r, const struct case_edit *e)
{
    bool exact = e->set.count || e->add.count || e->prepend.count || e->drop.count || e->text || e->grow || e->pad ||
                 e->header_count || e->bytes_count;

    if (exact && e->mutate)
        return load_error_set(r->err, &e->at, "mutate: changes all of the PDU; give what else is changed another PDU");
    if (exact || e->mutate)
        return 0;
    return load_error_set(r->err, &e->at,
                          "the edit changes nothing; add set, add, prepend, drop, text, grow, pad, header, "
                          "bytes or mutate, or take it out");
}

static int read_edits(struct schema_reader *r, const struct yaml_node *list, void *target)
{
    struct case_login *login = target;

    if (schema_expect_kind(r, list, "edits", YAML_LIST) != 0)
        return -1;
    if (list->count == 0 || list->count > CASE_STEP_MAX)
        return load_error_set(r->err, &list->at, "edits: %zu entries; write 1 to %u", list->count, CASE_STEP_MAX);
    /* One more in front, for the edit that may stand in the login itself. */
    login->edits = arena_alloc(r->arena, list->count + 1, sizeof *login->edits);
    if (!login->edits)
        return schema_no_memory(r, list);
    for (const struct yaml_node *node = list->child; node; node = node->next) {
        struct case_edit *edit = &login->edits[1 + login->edit_count++];
        struct schema_part part = {&edit_table, edit, 0};

        edit->at = node->at;
        if (schema_read(r, node, &part, 1) != 0 || check_edit(r, edit) != 0)
            return -1;
    }
    return 0;
}

/* ---- the login ---- */

struct stop_draft {
    int pdu;
    enum case_when when;
};

static const struct schema_field stop_fields[] = {
    {"after", SCHEMA_NUMBER, offsetof(struct stop_draft, pdu), SCHEMA_REQUIRED, .min = 1, .max = CASE_PDU_MAX,
     .doc = "number of the last PDU"},
    {"when", SCHEMA_WORD, offsetof(struct stop_draft, when), .words = when_names, .doc = "sent, or answered"},
};
static const struct schema_table stop_table = {"stop", stop_fields, CASE_COUNT(stop_fields)};

static int read_stop(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct case_login *login = target;
    struct stop_draft draft = {0, CASE_WHEN_ANSWERED};
    struct schema_part part = {&stop_table, &draft, 0};

    if (schema_read(r, node, &part, 1) != 0)
        return -1;
    login->stop_pdu = draft.pdu;
    login->stop_when = draft.when;
    return 0;
}

static json_t *describe_stop(void)
{
    const struct schema_table *tables[] = {&stop_table};

    return schema_object(tables, 1, true);
}

static json_t *describe_edits(void)
{
    return schema_array(schema_ref("edit"), false);
}

static int read_live(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    if (schema_read_text(r, node, node->key->text, true, target) != 0)
        return -1;
    return case_check_live(case_reader_of(r), node, node->text, node->len);
}

static json_t *describe_live(void)
{
    return schema_string(NULL);
}

#define LOGIN(member) offsetof(struct case_login, member)
static const struct schema_field login_fields[] = {
    {"as", SCHEMA_NAME, LOGIN(as), .max = sizeof((struct case_login *)0)->as,
     .doc = "name of the connection, default A"},
    {"base", SCHEMA_WORD, LOGIN(base), .words = base_names, .doc = "the valid login that is deviated from"},
    {"of", SCHEMA_NAME, LOGIN(of), .max = sizeof((struct case_login *)0)->of,
     .doc = "join: the connection whose session is meant"},
    {"via", SCHEMA_WORD, LOGIN(via), .words = via_names, .doc = "join, discovery: how the login goes"},
    {"isid-of", SCHEMA_NAME, LOGIN(isid_of), .max = sizeof((struct case_login *)0)->isid_of,
     .doc = "take the ISID of that connection: session reinstatement"},
    {"portal", SCHEMA_TEXT, LOGIN(portal), .doc = "portal of the profile, or a condition that brings one"},
    {"target", SCHEMA_CUSTOM, LOGIN(target), CASE_READ(read_live), .describe = describe_live,
     .doc = "target name instead of the condition's, or a condition that brings one"},
    {"initiator", SCHEMA_CUSTOM, LOGIN(initiator), CASE_READ(read_live), .describe = describe_live,
     .doc = "initiator name instead of the run's"},
    {"user", SCHEMA_CUSTOM, LOGIN(user), CASE_READ(read_live), .describe = describe_live,
     .doc = "CHAP name instead of the condition's"},
    {"secret", SCHEMA_TEXT, LOGIN(secret), .doc = "CHAP secret instead of the condition's"},
    {"role", SCHEMA_NAME, LOGIN(role), .max = sizeof((struct case_login *)0)->role,
     .doc = "which of the needs is meant"},
    {"stop", SCHEMA_CUSTOM, 0, CASE_READ(read_stop), .describe = describe_stop,
     .doc = "the login is left there, the connection stays open"},
    {"edits", SCHEMA_CUSTOM, 0, CASE_READ(read_edits), .describe = describe_edits,
     .doc = "edits, each with its own pdu"},
};
static const struct schema_table login_table = {"login", login_fields, CASE_COUNT(login_fields)};

/* The new connection gets its place in the list. */
static int add_conn(struct case_reader *cr, const struct yaml_node *node, const char *name)
{
    if (case_has_conn(cr, name, strlen(name)))
        return load_error_set(cr->r.err, &node->at, "%s: a connection of this name is there already; write as: NAME",
                              name);
    if (cr->conn_count == CASE_CONN_MAX)
        return load_error_set(cr->r.err, &node->at, "more than %u connections in one case; split it", CASE_CONN_MAX);
    memcpy(cr->conns[cr->conn_count++], name, sizeof cr->conns[0]);
    return 0;
}

static int check_role(struct case_reader *cr, const struct yaml_node *node, const char *role)
{
    struct schema_hint hint;

    schema_hint_start(&hint, role);
    for (size_t i = 0; i < cr->c->need_count; i++) {
        if (strcmp(cr->c->needs[i].role, role) == 0)
            return 0;
        schema_hint_offer(&hint, cr->c->needs[i].role);
    }
    return load_error_set(cr->r.err, &node->at, "role \"%s\": needs has no such role; %s", role,
                          schema_hint_text(&hint));
}

static bool needs_condition(const struct case_def *c, const char *name)
{
    for (size_t i = 0; i < c->need_count; i++)
        for (size_t k = 0; k < c->needs[i].conditions.count; k++)
            if (strcmp(c->needs[i].conditions.items[k], name) == 0)
                return true;
    return false;
}

/* What fits together, once all fields are known. */
static int check_login(struct case_reader *cr, const struct yaml_node *node, const struct case_login *l)
{
    struct load_error *err = cr->r.err;
    bool join = l->base == CASE_BASE_JOIN;

    if (join && !l->of[0])
        return load_error_set(err, &node->at, "base: join without of; name the connection of the session");
    if (l->of[0] && case_need_conn(cr, yaml_get(node, "of"), l->of) != 0)
        return -1;
    if (l->isid_of[0] && case_need_conn(cr, yaml_get(node, "isid-of"), l->isid_of) != 0)
        return -1;
    if (yaml_get(node, "via") && !join && l->base != CASE_BASE_DISCOVERY)
        return load_error_set(err, &yaml_get(node, "via")->at, "via goes with base: join or discovery; take it out");
    if (l->target && case_condition_find(l->target) && !needs_condition(cr->c, l->target))
        return load_error_set(err, &yaml_get(node, "target")->at,
                              "target: %s is a condition that needs does not name; add it there", l->target);
    if (l->base == CASE_BASE_RAW && (l->edit_count || l->stop_pdu))
        return load_error_set(err, &node->at, "base: raw sends nothing by itself; use send steps instead of edits");
    return check_role(cr, node, l->role);
}

int case_read_login(struct case_reader *cr, const struct yaml_node *node, struct case_step *step)
{
    struct case_login *login = &step->login;
    struct case_edit inline_edit = {.at = node->at};
    struct schema_part parts[] = {{&login_table, login, 0}, {&edit_table, &inline_edit, 0}};
    size_t conns = cr->conn_count;

    memcpy(login->as, "A", 2);
    /* An edit may speak of its own connection ({isid:B}): the name counts from here on. */
    if (yaml_get(node, "as") && yaml_get(node, "as")->len < sizeof login->as)
        memcpy(login->as, yaml_get(node, "as")->text, yaml_get(node, "as")->len + 1);
    if (add_conn(cr, node, login->as) != 0 || schema_read(&cr->r, node, parts, 2) != 0)
        return -1;
    if (parts[1].given > 0) {
        if (check_edit(&cr->r, &inline_edit) != 0)
            return -1;
        if (!login->edits)
            login->edits = arena_alloc(cr->r.arena, 1, sizeof *login->edits);
        if (!login->edits)
            return schema_no_memory(&cr->r, node);
        login->edits[0] = inline_edit;
        login->edit_count++;
    } else if (login->edits) {
        login->edits++;
    }
    memcpy(step->on, login->as, sizeof step->on);
    cr->conn_count = conns;
    if (check_login(cr, node, login) != 0)
        return -1;
    cr->conn_count = conns + 1;
    return 0;
}

static const struct schema_field follow_fields[] = {
    {"from", SCHEMA_NAME, LOGIN(of), SCHEMA_REQUIRED, .max = sizeof((struct case_login *)0)->of,
     .doc = "the connection that was given the TargetAddress"},
    {"as", SCHEMA_NAME, LOGIN(as), SCHEMA_REQUIRED, .max = sizeof((struct case_login *)0)->as,
     .doc = "name of the new connection"},
    {"base", SCHEMA_WORD, LOGIN(base), .words = base_names, .doc = "the login that is made there, default plain"},
};
static const struct schema_table follow_table = {"follow", follow_fields, CASE_COUNT(follow_fields)};

int case_read_follow(struct case_reader *cr, const struct yaml_node *node, struct case_step *step)
{
    struct schema_part part = {&follow_table, &step->login, 0};

    if (schema_read(&cr->r, node, &part, 1) != 0 || case_use_conn(cr, yaml_get(node, "from"), step->login.of) != 0)
        return -1;
    memcpy(step->on, step->login.of, sizeof step->on);
    if (step->login.base == CASE_BASE_JOIN || step->login.base == CASE_BASE_RAW)
        return load_error_set(cr->r.err, &node->at, "follow makes a whole login: base may not be join or raw");
    return add_conn(cr, node, step->login.as);
}

json_t *case_schema_login(void)
{
    const struct schema_table *tables[] = {&login_table, &edit_table};

    return schema_object(tables, 2, true);
}

json_t *case_schema_edit(void)
{
    const struct schema_table *tables[] = {&edit_table};

    return schema_object(tables, 1, true);
}

json_t *case_schema_follow(void)
{
    const struct schema_table *tables[] = {&follow_table};

    return schema_object(tables, 1, true);
}
