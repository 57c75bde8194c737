/* Steps that shape the login before them: insert repeat split continue truncate. */
#include "harness/case_read.h"
#include "wire/pdu.h"

#include <string.h>

const char *const case_shape_names[] = {"insert", "repeat", "split", "continue", "truncate", NULL};

static const char *const when_names[] = {"sent", "answered", NULL};
static const char *const cut_names[] = {"half-close", "reset", "hold", NULL};

/* A shape while it is read, with the connection it names. */
struct draft {
    char on[32];
    struct case_shape shape;
};

/* at: [48, 60]: ascending, each once. */
static int read_offsets(struct schema_reader *r, const struct yaml_node *list, void *target)
{
    struct case_shape *shape = target;
    uint64_t least = 1;

    if (schema_expect_kind(r, list, "at", YAML_LIST) != 0)
        return -1;
    if (list->count == 0 || list->count > CASE_STEP_MAX)
        return load_error_set(r->err, &list->at, "at: %zu places; write 1 to %u", list->count, CASE_STEP_MAX);
    shape->offsets = arena_alloc(r->arena, list->count, sizeof *shape->offsets);
    if (!shape->offsets)
        return schema_no_memory(r, list);
    for (const struct yaml_node *node = list->child; node; node = node->next) {
        uint64_t offset;

        if (schema_read_number(r, node, "at", least, PDU_BHS_LEN + PDU_MAX_DATA_LEN, &offset) != 0)
            return -1;
        shape->offsets[shape->offset_count++] = (size_t)offset;
        least = offset + 1;
    }
    return 0;
}

/* behind: ["MaxBurst"]: the only texts with NUL bytes in them besides `text`, hence the lengths. */
static int read_marks(struct schema_reader *r, const struct yaml_node *list, void *target)
{
    struct case_shape *shape = target;
    const struct yaml_node *first = list->kind == YAML_LIST ? list->child : list;
    size_t count = list->kind == YAML_LIST ? list->count : 1;

    if (list->kind == YAML_MAP)
        return schema_expect_kind(r, list, "behind", YAML_LIST);
    shape->marks = arena_alloc(r->arena, count, sizeof *shape->marks);
    shape->mark_lens = arena_alloc(r->arena, count, sizeof *shape->mark_lens);
    if (!shape->marks || !shape->mark_lens)
        return schema_no_memory(r, list);
    for (const struct yaml_node *node = first; node && shape->mark_count < count; node = node->next) {
        if (schema_expect_kind(r, node, "behind", YAML_SCALAR) != 0)
            return -1;
        if (node->len == 0)
            return load_error_set(r->err, &node->at, "behind: is empty; write the text to cut behind");
        shape->marks[shape->mark_count] = arena_strndup(r->arena, node->text, node->len);
        if (!shape->marks[shape->mark_count])
            return schema_no_memory(r, node);
        shape->mark_lens[shape->mark_count++] = node->len;
    }
    return 0;
}

static json_t *describe_offsets(void)
{
    return schema_array(json_pack("{s:s, s:i}", "type", "integer", "minimum", 1), false);
}

static json_t *describe_marks(void)
{
    return schema_array(schema_string(NULL), true);
}

#define SHAPE(member) (offsetof(struct draft, shape) + offsetof(struct case_shape, member))
#define ON                                                                                                             \
    {                                                                                                                  \
        "on", SCHEMA_NAME, offsetof(struct draft, on), .max = sizeof((struct draft *)0)->on,                           \
                                                       .doc = "the login's connection, default the last"               \
    }
#define PDU_NUMBER                                                                                                     \
    {                                                                                                                  \
        "pdu", SCHEMA_NUMBER, SHAPE(pdu_number), SCHEMA_REQUIRED, .min = 1, .max = CASE_PDU_MAX,                       \
                                                                  .doc = "number of the PDU"                           \
    }
#define WHEN                                                                                                           \
    {                                                                                                                  \
        "when", SCHEMA_WORD, SHAPE(when), .words = when_names, .doc = "sent (right behind), or answered (default)"     \
    }
#define AT_OFFSETS(what)                                                                                               \
    {                                                                                                                  \
        "at", SCHEMA_CUSTOM, offsetof(struct draft, shape), CASE_READ(read_offsets), .describe = describe_offsets,     \
                                                                                     .doc = what                       \
    }

static const struct schema_field insert_fields[] = {
    ON,
    {"after", SCHEMA_NUMBER, SHAPE(pdu_number), SCHEMA_REQUIRED, .min = 0, .max = CASE_PDU_MAX,
     .doc = "number of the PDU before it; 0: before the first"},
    WHEN,
};
static const struct schema_field repeat_fields[] = {ON, PDU_NUMBER, WHEN};
static const struct schema_field split_fields[] = {
    ON,
    PDU_NUMBER,
    AT_OFFSETS("offsets into the PDU at which a segment ends"),
    {"every", SCHEMA_SIZE, SHAPE(every), .min = 1, .max = PDU_MAX_DATA_LEN, .doc = "segments of this size"},
    {"delay", SCHEMA_NUMBER, SHAPE(delay_ms), .min = 0, .max = CASE_WAIT_MAX, .doc = "milliseconds between segments"},
};
static const struct schema_field continue_fields[] = {
    ON,
    PDU_NUMBER,
    AT_OFFSETS("offsets into the text at which a PDU ends"),
    {"behind", SCHEMA_CUSTOM, offsetof(struct draft, shape), CASE_READ(read_marks), .describe = describe_marks,
     .doc = "texts behind which a PDU ends"},
};
static const struct schema_field truncate_fields[] = {
    ON,
    PDU_NUMBER,
    {"to", SCHEMA_SIZE, SHAPE(length), SCHEMA_REQUIRED, .min = 0, .max = PDU_MAX_DATA_LEN, .doc = "bytes that go out"},
    {"then", SCHEMA_WORD, SHAPE(cut), .words = cut_names, .doc = "what happens to the connection"},
};

/* In the order of enum case_shape_kind. */
static const struct schema_table shape_tables[] = {
    {"insert", insert_fields, CASE_COUNT(insert_fields)},
    {"repeat", repeat_fields, CASE_COUNT(repeat_fields)},
    {"split", split_fields, CASE_COUNT(split_fields)},
    {"continue", continue_fields, CASE_COUNT(continue_fields)},
    {"truncate", truncate_fields, CASE_COUNT(truncate_fields)},
};

static int check_shape(struct case_reader *cr, const struct yaml_node *node, struct case_shape *s)
{
    bool split = s->kind == CASE_SHAPE_SPLIT;

    if (s->kind == CASE_SHAPE_INSERT)
        return case_read_pdu(cr, node, &s->pdu);
    if (split && (s->offset_count > 0) == (s->every > 0))
        return load_error_set(cr->r.err, &node->at, "split: write either at or every");
    if (s->kind == CASE_SHAPE_CONTINUE && (s->offset_count > 0) == (s->mark_count > 0))
        return load_error_set(cr->r.err, &node->at, "continue: write either at or behind");
    return 0;
}

/* Makes room for one more in doubling steps; the arena keeps the old pieces, which is bounded by CASE_STEP_MAX. */
static struct case_shape *add_shape(struct case_reader *cr, const struct yaml_node *node)
{
    struct case_login *l = cr->login;
    size_t n = l->shape_count;

    if (n >= CASE_STEP_MAX) {
        load_error_set(cr->r.err, &node->at, "more than %u shaping steps on one login", CASE_STEP_MAX);
        return NULL;
    }
    if ((n & (n - 1)) == 0) {
        struct case_shape *shapes = arena_alloc(cr->r.arena, n ? 2 * n : 1, sizeof *shapes);

        if (!shapes) {
            schema_no_memory(&cr->r, node);
            return NULL;
        }
        if (n)
            memcpy(shapes, l->shapes, n * sizeof *shapes);
        l->shapes = shapes;
    }
    return &l->shapes[l->shape_count++];
}

int case_read_shape(struct case_reader *cr, const struct yaml_node *node, enum case_shape_kind kind)
{
    struct draft draft = {.shape = {.kind = kind, .when = CASE_WHEN_ANSWERED, .pdu = {.opcode = -1}}};
    struct schema_part parts[] = {{&shape_tables[kind], &draft, 0}, {&case_pdu_table, &draft.shape.pdu, 0}};
    struct case_shape *place;

    draft.shape.at = node->at;
    if (schema_read(&cr->r, node, parts, kind == CASE_SHAPE_INSERT ? 2 : 1) != 0)
        return -1;
    if (!cr->login || (draft.on[0] && strcmp(draft.on, cr->login->as) != 0)) {
        if (draft.on[0] && case_use_conn(cr, yaml_get(node, "on"), draft.on) != 0)
            return -1;
        return load_error_set(cr->r.err, &node->at,
                              "%s: does not stand right behind the login that it shapes%s%s; move it there",
                              case_shape_names[kind], draft.on[0] ? ", " : "", draft.on);
    }
    if (cr->login->base == CASE_BASE_RAW)
        return load_error_set(cr->r.err, &node->at, "%s: base: raw sends nothing by itself; use send steps",
                              case_shape_names[kind]);
    if (check_shape(cr, node, &draft.shape) != 0)
        return -1;
    place = add_shape(cr, node);
    if (!place)
        return -1;
    *place = draft.shape;
    return 0;
}

json_t *case_schema_shape(enum case_shape_kind kind)
{
    const struct schema_table *tables[] = {&shape_tables[kind], &case_pdu_table};

    return schema_object(tables, kind == CASE_SHAPE_INSERT ? 2 : 1, true);
}
