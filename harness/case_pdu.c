/* Header fields, and PDUs that a case makes itself. */
#include "harness/case_read.h"
#include "wire/pdu.h"
#include "wire/text.h"

#include <stdio.h>
#include <string.h>

static const char *const pdu_names[] = {
    "nop-out",
    "scsi-command",
    "task-management",
    "login",
    "text",
    "data-out",
    "logout",
    "snack",
    "nop-in",
    "scsi-response",
    "r2t",
    "task-management-response",
    "login-response",
    "text-response",
    "data-in",
    "logout-response",
    "async",
    "reject",
    NULL,
};
static const uint8_t pdu_opcodes[] = {
    PDU_NOP_OUT,         PDU_SCSI_COMMAND,  PDU_TASK_MANAGEMENT_REQUEST,
    PDU_LOGIN_REQUEST,   PDU_TEXT_REQUEST,  PDU_DATA_OUT,
    PDU_LOGOUT_REQUEST,  PDU_SNACK_REQUEST, PDU_NOP_IN,
    PDU_SCSI_RESPONSE,   PDU_R2T,           PDU_TASK_MANAGEMENT_RESPONSE,
    PDU_LOGIN_RESPONSE,  PDU_TEXT_RESPONSE, PDU_DATA_IN,
    PDU_LOGOUT_RESPONSE, PDU_ASYNC_MESSAGE, PDU_REJECT,
};
_Static_assert(CASE_COUNT(pdu_names) == CASE_COUNT(pdu_opcodes) + 1, "a name an opcode");

/* The Login Response first: it is the answer that most fields are asked of. */
const uint8_t case_answer_opcodes[] = {
    PDU_LOGIN_RESPONSE, PDU_REJECT,  PDU_NOP_IN, PDU_TEXT_RESPONSE, PDU_LOGOUT_RESPONSE,
    PDU_SCSI_RESPONSE,  PDU_DATA_IN, PDU_R2T,    PDU_ASYNC_MESSAGE, PDU_TASK_MANAGEMENT_RESPONSE,
};
const size_t case_answer_opcode_count = CASE_COUNT(case_answer_opcodes);

static const struct pdu_field *find_field(const uint8_t *opcodes, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        const struct pdu_field *field = pdu_field_find(opcodes[i], name);

        if (field)
            return field;
    }
    return NULL;
}

static int unknown_field(struct case_reader *cr, const struct yaml_node *key, const uint8_t *opcodes, size_t count)
{
    struct schema_hint hint;

    schema_hint_start(&hint, key->text);
    for (size_t i = 0; i < count; i++) {
        size_t n;
        const struct pdu_field *fields = pdu_fields(opcodes[i], &n);

        for (size_t k = 0; k < n; k++)
            schema_hint_offer(&hint, fields[k].name);
    }
    return load_error_set(cr->r.err, &key->at, "%.60s: %s has no header field of this name; %s", key->text,
                          pdu_opcode_name(opcodes[0]), schema_hint_text(&hint));
}

/* One NAME: value. */
static int read_field(struct case_reader *cr, const struct yaml_node *node, const uint8_t *opcodes, size_t count,
                      struct case_field_edit *out)
{
    const struct pdu_field *field = find_field(opcodes, count, node->key->text);
    uint64_t value;

    if (!field)
        return unknown_field(cr, node->key, opcodes, count);
    out->at = node->at;
    out->name = arena_strdup(cr->r.arena, node->key->text);
    if (!out->name)
        return schema_no_memory(&cr->r, node);
    if (schema_read_text(&cr->r, node, out->name, false, &out->value) != 0)
        return -1;
    if (node->text[0] == '{')
        return case_check_live(cr, node, node->text, node->len);
    return schema_read_number(&cr->r, node, out->name, 0, pdu_field_max(field), &value);
}

int case_read_header(struct case_reader *cr, const struct yaml_node *map, const uint8_t *opcodes, size_t opcode_count,
                     struct case_field_edit **out, size_t *count)
{
    if (schema_expect_kind(&cr->r, map, "header", YAML_MAP) != 0)
        return -1;
    if (map->count == 0)
        return load_error_set(cr->r.err, &map->at, "header: is empty; name a field or take it out");
    *out = arena_alloc(cr->r.arena, map->count, sizeof **out);
    if (!*out)
        return schema_no_memory(&cr->r, map);
    for (const struct yaml_node *node = map->child; node; node = node->next)
        if (read_field(cr, node, opcodes, opcode_count, &(*out)[(*count)++]) != 0)
            return -1;
    return 0;
}

json_t *case_describe_header(const uint8_t *opcodes, size_t opcode_count)
{
    json_t *properties = json_object();

    for (size_t i = 0; i < opcode_count; i++) {
        size_t n;
        const struct pdu_field *fields = pdu_fields(opcodes[i], &n);

        for (size_t k = 0; k < n; k++)
            json_object_set_new(properties, fields[k].name, json_pack("{s:[s,s]}", "type", "integer", "string"));
    }
    return json_pack("{s:s, s:o, s:b, s:i}", "type", "object", "properties", properties, "additionalProperties", 0,
                     "minProperties", 1);
}

static json_t *describe_any_header(void)
{
    return case_describe_header(pdu_opcodes, CASE_COUNT(pdu_opcodes));
}

static int read_opcode(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    int word;

    if (schema_read_word(r, node, "pdu", pdu_names, &word) != 0)
        return -1;
    *(int *)target = pdu_opcodes[word];
    return 0;
}

static json_t *describe_opcode(void)
{
    json_t *names = json_array();

    for (size_t i = 0; pdu_names[i]; i++)
        json_array_append_new(names, json_string(pdu_names[i]));
    return json_pack("{s:o}", "enum", names);
}

static int read_hex(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct case_pdu *pdu = target;

    return schema_read_hex(r, node, "hex", &pdu->hex, &pdu->hex_len);
}

static json_t *describe_hex(void)
{
    return schema_string("^([0-9a-fA-F]{2} *)+$");
}

static const char *const digest_names[] = {"right", "wrong-header", "wrong-data", NULL};

static int read_text(struct schema_reader *r, const struct yaml_node *node, void *target)
{
    struct case_pdu *pdu = target;

    return case_read_text(r, node, &pdu->text, &pdu->text_len);
}

static json_t *describe_text(void)
{
    return json_pack("{s:s}", "type", "string");
}

static const struct schema_field pdu_table_fields[] = {
    {"pdu", SCHEMA_CUSTOM, offsetof(struct case_pdu, opcode), CASE_READ(read_opcode), .describe = describe_opcode,
     .doc = "sort of PDU; all of its fields have sensible values"},
    {"keys", SCHEMA_STRINGS, offsetof(struct case_pdu, keys), .doc = "Key=Value pairs of its data segment"},
    {"text", SCHEMA_CUSTOM, 0, CASE_READ(read_text), .describe = describe_text,
     .doc = "its data segment as it is, instead of keys; escapes \\0 \\xNN \\\\, live values"},
    {"header", SCHEMA_IGNORED, 0, .describe = describe_any_header, .doc = "header fields that differ"},
    {"hex", SCHEMA_CUSTOM, 0, CASE_READ(read_hex), .describe = describe_hex,
     .doc = "all of its bytes, instead of the other fields"},
    {"digest", SCHEMA_WORD, offsetof(struct case_pdu, digest), .words = digest_names,
     .doc = "a digest that does not fit, where digests were agreed on"},
};
const struct schema_table case_pdu_table = {"PDU", pdu_table_fields, CASE_COUNT(pdu_table_fields)};

int case_read_pdu(struct case_reader *cr, const struct yaml_node *map, struct case_pdu *pdu)
{
    const struct yaml_node *header = yaml_get(map, "header");
    const struct yaml_node *keys = yaml_get(map, "keys");

    pdu->at = map->at;
    if (pdu->hex ? pdu->opcode >= 0 || header || keys || pdu->digest : pdu->opcode < 0)
        return load_error_set(cr->r.err, &map->at, "%s",
                              pdu->hex ? "hex stands for the whole PDU; take pdu, header, keys and digest out"
                                       : "no PDU is said; write pdu: NAME, or hex: BYTES");
    if (pdu->text && (keys || pdu->hex))
        return load_error_set(cr->r.err, &map->at, "text stands for the whole data segment; take %s out",
                              keys ? "keys" : "hex");
    if (keys && case_check_live_list(cr, keys) != 0)
        return -1;
    for (size_t i = 0; i < pdu->keys.count; i++)
        if (!strchr(pdu->keys.items[i], '='))
            return load_error_set(cr->r.err, &keys->at, "%.60s: no key and value; write Key=Value", pdu->keys.items[i]);
    if (header) {
        uint8_t opcode = (uint8_t)pdu->opcode;

        return case_read_header(cr, header, &opcode, 1, &pdu->header, &pdu->header_count);
    }
    return 0;
}
