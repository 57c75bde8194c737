/*
 * Field tables: one row a field of a YAML map says its name, kind, where the value goes and what it means. Reading,
 * error texts and the JSON schema for editors come from the same rows, so they cannot part.
 */
#ifndef HARNESS_SCHEMA_H
#define HARNESS_SCHEMA_H

#include "harness/arena.h"
#include "harness/yaml.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kind of a field, and the C type that stands at its offset. */
enum schema_kind {
    SCHEMA_TEXT,     /* char *, in the arena */
    SCHEMA_NAME,     /* char[max]: letters, digits and - _ . */
    SCHEMA_STRINGS,  /* struct case_strings: a list, or one string */
    SCHEMA_NUMBER,   /* int, min..max, decimal or 0x */
    SCHEMA_SIZE,     /* size_t, min..max, decimal or 0x */
    SCHEMA_BOOL,     /* bool: yes no true false */
    SCHEMA_TRISTATE, /* int: 0 or 1; the caller presets -1 */
    SCHEMA_WORD,     /* enum (int-sized): index into words */
    SCHEMA_CODE,     /* int: 0x and four hex digits */
    SCHEMA_DURATION, /* int, milliseconds: 250ms, 3s, 2m; min..max in milliseconds */
    SCHEMA_CUSTOM,   /* read and describe */
    SCHEMA_IGNORED,  /* any value: read elsewhere; describe may be NULL */
};

enum schema_flag {
    SCHEMA_REQUIRED = 1,
    SCHEMA_MAY_BE_EMPTY = 2, /* TEXT */
    SCHEMA_INVERTED = 4,     /* BOOL: stores the opposite ("answer: no" is no_answer) */
};

/* What a reader needs besides the node. */
struct schema_reader {
    struct arena *arena;
    struct load_error *err;
    void *user; /* of the custom readers */
};

typedef int schema_read_fn(struct schema_reader *r, const struct yaml_node *node, void *target);

struct schema_field {
    const char *name;
    enum schema_kind kind;
    size_t offset;
    unsigned flags;
    long min, max;
    const char *const *words; /* NULL-terminated; a NULL-safe "" entry is never matched */
    schema_read_fn *read;
    json_t *(*describe)(void);
    const char *doc;
};

struct schema_table {
    const char *name; /* "login", for messages and $defs */
    const struct schema_field *fields;
    size_t count;
};

/* A table and where its values go. `given` counts the fields of this table that stood in the map. */
struct schema_part {
    const struct schema_table *table;
    void *target;
    size_t given;
};

/*
 * Reads a map whose fields come from several tables. Targets hold defaults before. Unknown fields, missing ones and bad
 * values are errors with position, value, reason and way out. Returns 0 or -1.
 */
int schema_read(struct schema_reader *r, const struct yaml_node *map, struct schema_part *parts, size_t count);

/* Single values; each returns 0 or -1 with err filled. `what` names the field in messages. */
int schema_read_text(struct schema_reader *r, const struct yaml_node *node, const char *what, bool may_be_empty,
                     char **out);
int schema_read_number(struct schema_reader *r, const struct yaml_node *node, const char *what, uint64_t min,
                       uint64_t max, uint64_t *out);
int schema_read_code(struct schema_reader *r, const struct yaml_node *node, const char *what, int *out);
int schema_read_hex(struct schema_reader *r, const struct yaml_node *node, const char *what, uint8_t **out,
                    size_t *len);
int schema_read_duration(struct schema_reader *r, const struct yaml_node *node, const char *what, long min, long max,
                         int *out);
int schema_read_word(struct schema_reader *r, const struct yaml_node *node, const char *what, const char *const *words,
                     int *out);
/* A list of texts, or one text. */
int schema_read_list(struct schema_reader *r, const struct yaml_node *node, const char *what, char ***items,
                     size_t *count);

/* Errors that many readers have in common. */
int schema_expect_kind(struct schema_reader *r, const struct yaml_node *node, const char *what, enum yaml_kind kind);
int schema_no_memory(struct schema_reader *r, const struct yaml_node *node);

/* The way out of a wrong word: the nearest allowed one, or all of them. */
struct schema_hint {
    const char *word;
    const char *best;
    size_t distance;
    char all[256];
    char text[300];
};
void schema_hint_start(struct schema_hint *h, const char *word);
void schema_hint_offer(struct schema_hint *h, const char *candidate);
/* "did you mean X?" or "allowed: A, B"; lives in h. */
const char *schema_hint_text(struct schema_hint *h);

/*
 * JSON schema of a map with the fields of these tables. With `matrix`, each scalar may also be a text with ${name} in
 * it. NULL when out of memory; the caller owns the reference.
 */
json_t *schema_object(const struct schema_table *const *tables, size_t count, bool matrix);
/* {"$ref": "#/$defs/NAME"} */
json_t *schema_ref(const char *name);
/* An array of `items` (the reference is taken); with `or_one`, one item alone is allowed too. */
json_t *schema_array(json_t *items, bool or_one);
/* A string of this pattern (NULL: any). */
json_t *schema_string(const char *pattern);

#endif
