/*
 * YAML files as a tree with exact positions. A deliberate subset: one document; no anchors, aliases, tags, merge keys
 * or duplicate keys; every scalar stays text, so that 0x0208, 007 and no mean what the reader of the field says.
 * Parsing is libfyaml's; here are the limits and the tree.
 */
#ifndef HARNESS_YAML_H
#define HARNESS_YAML_H

#include "harness/arena.h"
#include "harness/position.h"

#include <stdbool.h>
#include <stddef.h>

#define YAML_FILE_MAX  ((size_t)16 << 20)
#define YAML_DEPTH_MAX 32u
#define YAML_NODE_MAX  ((size_t)1 << 20)
#define YAML_KEY_MAX   1024u /* keys of one map */

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };
enum yaml_style { YAML_PLAIN, YAML_SINGLE_QUOTED, YAML_DOUBLE_QUOTED, YAML_BLOCK };

struct yaml_node {
    enum yaml_kind kind;
    enum yaml_style style;       /* of a scalar */
    const char *text;            /* scalar, NUL-terminated; "" otherwise. May hold NUL bytes ("\0" in double quotes) */
    size_t len;                  /* of text */
    const struct yaml_node *key; /* the scalar before the colon, when this node is a value of a map */
    const struct yaml_node *child; /* first item or value */
    const struct yaml_node *next;
    size_t count; /* of children */
    struct position at;
};

/*
 * Reads and parses a file. The tree, the file's name in the positions and all text live in the arena. Returns the root,
 * or NULL with err filled. An empty file is a NULL root without an error text.
 * bytes and len (may be NULL) receive the file's content, in the arena.
 */
const struct yaml_node *yaml_load(struct arena *a, const char *path, const char **bytes, size_t *len,
                                  struct load_error *err);

/* The same for bytes in memory, which have to live as long as the call; `name` stands for the file. */
const struct yaml_node *yaml_parse(struct arena *a, const char *name, const char *bytes, size_t len,
                                   struct load_error *err);

/* Value of a key in a map, NULL when absent or when node is no map. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/* "a scalar", "a list", "a map" for messages. */
const char *yaml_kind_name(enum yaml_kind kind);

#endif
