/* Private to the loader of cases: what its parts share while one case is read. */
#ifndef HARNESS_CASE_READ_H
#define HARNESS_CASE_READ_H

#include "harness/case.h"
#include "harness/schema.h"

#include <stdint.h>

#define CASE_CONN_MAX 64u   /* connections of one case */
#define CASE_STEP_MAX 1000u /* steps of one case, edits and shapes of one login */
#define CASE_PDU_MAX  1000
#define CASE_WAIT_MAX 60000 /* milliseconds */

#define CASE_COUNT(a)       (sizeof(a) / sizeof((a)[0]))
#define CASE_READ(function) .read = (function)

struct case_reader {
    struct schema_reader r; /* r.user is the case_reader itself */
    const struct catalogue *rules;
    struct case_def *c;
    char conns[CASE_CONN_MAX][32]; /* in the order of the logins */
    size_t conn_count;
    const struct yaml_node *login_node; /* the step just before, when it is a login or shapes one */
    struct case_login *login;           /* that login */
};

static inline struct case_reader *case_reader_of(struct schema_reader *r)
{
    return r->user;
}

/* A whole case from an expanded tree. `id` replaces the one in the tree. Returns 0 or -1. */
int case_read(struct case_reader *cr, const struct yaml_node *node, const char *id);

/* The steps, once the rest of the case is known. */
int case_read_steps(struct case_reader *cr, const struct yaml_node *node);

/* One expect map into a step. */
int case_read_expect(struct case_reader *cr, const struct yaml_node *node, struct case_step *step);

/* Login and follow steps; both make a connection. */
int case_read_login(struct case_reader *cr, const struct yaml_node *node, struct case_step *step);
int case_read_follow(struct case_reader *cr, const struct yaml_node *node, struct case_step *step);

/* insert repeat split continue truncate: attached to the login before. Index of the kind in case_shape_names. */
int case_read_shape(struct case_reader *cr, const struct yaml_node *node, enum case_shape_kind kind);
extern const char *const case_shape_names[];

/* pdu, keys, header or hex of a PDU that the case makes itself. `shape` is the map that holds them. */
extern const struct schema_table case_pdu_table;
int case_read_pdu(struct case_reader *cr, const struct yaml_node *map, struct case_pdu *pdu);

/* Header fields: NAME: number or live value. Names are looked for in the layouts of these opcodes. */
int case_read_header(struct case_reader *cr, const struct yaml_node *map, const uint8_t *opcodes, size_t opcode_count,
                     struct case_field_edit **out, size_t *count);
json_t *case_describe_header(const uint8_t *opcodes, size_t opcode_count);

/* All target opcodes that a judged answer may have. */
extern const uint8_t case_answer_opcodes[];
extern const size_t case_answer_opcode_count;

/* A data segment as text, with escapes and live values. Returns 0 or -1. */
int case_read_text(struct schema_reader *r, const struct yaml_node *node, char **text, size_t *len);

/* Braces of a text: only live values of the closed list. */
int case_check_live(struct case_reader *cr, const struct yaml_node *node, const char *text, size_t len);
/* The same for each item of a list node (or one text). */
int case_check_live_list(struct case_reader *cr, const struct yaml_node *node);

/* The connection has to be one that a step before has made. An empty name becomes the last one. */
int case_use_conn(struct case_reader *cr, const struct yaml_node *node, char *name);
int case_need_conn(struct case_reader *cr, const struct yaml_node *node, const char *name);
bool case_has_conn(const struct case_reader *cr, const char *name, size_t len);

/* A rule id of the catalogue. */
int case_find_rule(struct case_reader *cr, const struct yaml_node *node, const char *id, const struct rule **out);

/* Schema fragments by $defs name, for case_schema(). */
json_t *case_schema_login(void);
json_t *case_schema_edit(void);
json_t *case_schema_follow(void);
json_t *case_schema_expect(void);
json_t *case_schema_shape(enum case_shape_kind kind);
json_t *case_schema_step(void);

/* matrix: calls `take` with each expanded tree and its id, in the order of the names. Returns 0 or -1. */
typedef int case_take_fn(void *user, const struct yaml_node *tree, const char *id);
int case_expand_matrix(struct schema_reader *r, const struct yaml_node *node, case_take_fn *take, void *user);

/* Fills c->hash from the expanded tree and the accept sets of the rules that the case names. */
void case_hash(struct case_def *c, const struct yaml_node *tree, const struct catalogue *rules);

#endif
