/*
 * The tree is built from libfyaml's events: quicker than its documents, and anchors, aliases and depth are refused
 * before they cost anything.
 */
#include "harness/yaml.h"
#include "wire/text.h"

#include <errno.h>
#include <fcntl.h>
#include <libfyaml.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* An open list or map while its children come in. */
struct level {
    struct yaml_node *node;
    struct yaml_node *last; /* last child so far */
    struct yaml_node *key;  /* map: a key that still waits for its value */
};

struct build {
    struct arena *arena;
    struct load_error *err;
    const char *name;
    struct level levels[YAML_DEPTH_MAX];
    size_t depth; /* open levels */
    size_t nodes;
    size_t documents;
    struct yaml_node *root;
};

const char *yaml_kind_name(enum yaml_kind kind)
{
    return kind == YAML_SCALAR ? "a scalar" : kind == YAML_LIST ? "a list" : "a map";
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    if (!map || map->kind != YAML_MAP)
        return NULL;
    for (const struct yaml_node *n = map->child; n; n = n->next)
        if (strcmp(n->key->text, key) == 0)
            return n;
    return NULL;
}

static struct position token_position(const struct build *b, struct fy_token *token)
{
    const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;
    struct position at = {b->name, 0, 0};

    if (mark) {
        at.line = mark->line + 1;
        at.column = mark->column + 1;
    }
    return at;
}

/* libfyaml's marks of quoted scalars, anchors and aliases stand behind the sign; a person looks for the sign. */
static struct position sign_position(const struct build *b, struct fy_token *token)
{
    struct position at = token_position(b, token);

    at.column -= at.column > 1;
    return at;
}

static int no_memory(struct build *b)
{
    struct position at = {b->name, 0, 0};

    return load_error_set(b->err, &at, "out of memory; make the file smaller");
}

/* The value that stands under this key already, or NULL. Maps are short: YAML_KEY_MAX. */
static const struct yaml_node *find_key(const struct yaml_node *map, const char *text, size_t len)
{
    for (const struct yaml_node *n = map->child; n; n = n->next)
        if (n->key->len == len && memcmp(n->key->text, text, len) == 0)
            return n;
    return NULL;
}

/* Puts a finished key into a map's level, or a value or item behind the last one. */
static int attach(struct build *b, struct yaml_node *node)
{
    struct level *up;

    if (b->depth == 0) {
        b->root = node;
        return 0;
    }
    up = &b->levels[b->depth - 1];
    if (up->node->kind == YAML_MAP && !up->key) {
        const struct yaml_node *twin;

        if (node->kind != YAML_SCALAR)
            return load_error_set(b->err, &node->at, "%s as a key: a key is a word", yaml_kind_name(node->kind));
        twin = find_key(up->node, node->text, node->len);
        if (twin)
            return load_error_set(b->err, &node->at, "%s: the key stands already in line %d; take one out", node->text,
                                  twin->key->at.line);
        up->key = node;
        return 0;
    }
    node->key = up->key;
    up->key = NULL;
    if (up->last)
        up->last->next = node;
    else
        up->node->child = node;
    up->last = node;
    up->node->count++;
    if (up->node->kind == YAML_MAP && up->node->count > YAML_KEY_MAX)
        return load_error_set(b->err, &node->key->at, "more than %u keys in one map; split it", YAML_KEY_MAX);
    return 0;
}

static struct yaml_node *new_node(struct build *b, enum yaml_kind kind, struct fy_token *token)
{
    struct yaml_node *node;

    if (++b->nodes > YAML_NODE_MAX) {
        struct position at = token_position(b, token);

        load_error_set(b->err, &at, "more than %zu nodes; split the file", (size_t)YAML_NODE_MAX);
        return NULL;
    }
    node = arena_alloc(b->arena, 1, sizeof *node);
    if (!node) {
        no_memory(b);
        return NULL;
    }
    node->kind = kind;
    node->text = "";
    node->at = token_position(b, token);
    return node;
}

static int refuse_extras(struct build *b, struct fy_token *anchor, struct fy_token *tag)
{
    struct position at = anchor ? sign_position(b, anchor) : token_position(b, tag);

    if (anchor)
        return load_error_set(b->err, &at, "anchors are not allowed here; write the value out");
    if (tag)
        return load_error_set(b->err, &at, "tags are not allowed here; write the plain value");
    return 0;
}

static int take_scalar(struct build *b, const struct fy_event_scalar_data *event)
{
    struct yaml_node *node;
    const char *text;
    size_t len = 0;

    if (refuse_extras(b, event->anchor, event->tag) != 0)
        return -1;
    node = new_node(b, YAML_SCALAR, event->value);
    if (!node)
        return -1;
    text = event->value ? fy_token_get_text(event->value, &len) : NULL;
    node->text = arena_strndup(b->arena, text ? text : "", text ? len : 0);
    if (!node->text)
        return no_memory(b);
    node->len = text ? len : 0;
    switch (event->value ? fy_token_scalar_style(event->value) : FYSS_PLAIN) {
    case FYSS_SINGLE_QUOTED:
        node->style = YAML_SINGLE_QUOTED;
        node->at = sign_position(b, event->value);
        break;
    case FYSS_DOUBLE_QUOTED:
        node->style = YAML_DOUBLE_QUOTED;
        node->at = sign_position(b, event->value);
        break;
    case FYSS_LITERAL:
    case FYSS_FOLDED:
        node->style = YAML_BLOCK;
        break;
    default:
        node->style = YAML_PLAIN;
    }
    /* An absent value ("key:") has no place of its own. */
    if (node->at.line == 0 && b->depth > 0) {
        const struct level *up = &b->levels[b->depth - 1];

        node->at = up->key ? up->key->at : up->node->at;
    }
    return attach(b, node);
}

static int open_level(struct build *b, enum yaml_kind kind, struct fy_token *start, struct fy_token *anchor,
                      struct fy_token *tag)
{
    struct yaml_node *node;

    if (refuse_extras(b, anchor, tag) != 0)
        return -1;
    node = new_node(b, kind, start);
    if (!node)
        return -1;
    if (b->depth == YAML_DEPTH_MAX)
        return load_error_set(b->err, &node->at, "nested deeper than %u levels; make it flatter", YAML_DEPTH_MAX);
    if (attach(b, node) != 0)
        return -1;
    b->levels[b->depth++] = (struct level){.node = node};
    return 0;
}

static int take_event(struct build *b, const struct fy_event *event)
{
    struct position at;

    switch (event->type) {
    case FYET_DOCUMENT_START:
        if (++b->documents > 1) {
            at = token_position(b, event->document_start.document_start);
            return load_error_set(b->err, &at, "a second document; one file holds one");
        }
        return 0;
    case FYET_ALIAS:
        at = sign_position(b, event->alias.anchor);
        return load_error_set(b->err, &at, "aliases are not allowed here; write the value out");
    case FYET_SCALAR:
        return take_scalar(b, &event->scalar);
    case FYET_SEQUENCE_START:
        return open_level(b, YAML_LIST, event->sequence_start.sequence_start, event->sequence_start.anchor,
                          event->sequence_start.tag);
    case FYET_MAPPING_START:
        return open_level(b, YAML_MAP, event->mapping_start.mapping_start, event->mapping_start.anchor,
                          event->mapping_start.tag);
    case FYET_SEQUENCE_END:
    case FYET_MAPPING_END:
        b->depth--;
        return 0;
    default:
        return 0;
    }
}

/* What libfyaml found, at the place it says. */
static int syntax_error(struct build *b, struct fy_diag *diag)
{
    struct fy_diag_error *first = NULL;
    void *walk = NULL;
    struct position at = {b->name, 0, 0};

    first = fy_diag_errors_iterate(diag, &walk);
    if (!first)
        return load_error_set(b->err, &at, "not YAML");
    at.line = first->line;
    at.column = first->column;
    return load_error_set(b->err, &at, "not YAML: %s", first->msg);
}

static int build_tree(struct build *b, const char *bytes, size_t len)
{
    struct fy_diag_cfg diag_cfg;
    struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2};
    struct fy_parser *parser = NULL;
    struct fy_event *event;
    int rc = -1;

    fy_diag_cfg_default(&diag_cfg);
    cfg.diag = fy_diag_create(&diag_cfg);
    if (!cfg.diag)
        return no_memory(b);
    fy_diag_set_collect_errors(cfg.diag, true);
    parser = fy_parser_create(&cfg);
    if (!parser || fy_parser_set_string(parser, bytes, len) != 0) {
        no_memory(b);
        goto out;
    }
    while ((event = fy_parser_parse(parser)) != NULL) {
        rc = take_event(b, event);
        fy_parser_event_free(parser, event);
        if (rc != 0)
            goto out;
    }
    rc = fy_parser_get_stream_error(parser) ? syntax_error(b, cfg.diag) : 0;
out:
    fy_parser_destroy(parser);
    fy_diag_destroy(cfg.diag);
    return rc;
}

/* libfyaml is not asked about bytes that are no text at all. */
static int check_bytes(struct build *b, const char *bytes, size_t len)
{
    struct position at = {b->name, 1, 1};

    if (len > YAML_FILE_MAX) {
        at.line = 0;
        return load_error_set(b->err, &at, "larger than %zu MiB; split the file", YAML_FILE_MAX >> 20);
    }
    if (text_utf8_valid(bytes, len))
        return 0;
    for (size_t i = 0, line = 0; i < len; i++) {
        const char *end = memchr(bytes + i, '\n', len - i);
        size_t n = end ? (size_t)(end - (bytes + i)) : len - i;

        line++;
        if (!text_utf8_valid(bytes + i, n)) {
            size_t good = n;

            while (good > 0 && !text_utf8_valid(bytes + i, good))
                good--;
            at.line = (int)line;
            at.column = (int)good + 1;
            break;
        }
        i += n;
    }
    return load_error_set(b->err, &at, "a byte that is no UTF-8 text; write it as an escape");
}

const struct yaml_node *yaml_parse(struct arena *a, const char *name, const char *bytes, size_t len,
                                   struct load_error *err)
{
    struct build b = {.arena = a, .err = err};

    b.name = arena_strdup(a, name);
    if (!b.name) {
        no_memory(&b);
        return NULL;
    }
    if (check_bytes(&b, bytes, len) != 0)
        return NULL;
    if (len == 0 || build_tree(&b, bytes, len) != 0)
        return NULL;
    return b.root;
}

/* The whole of a regular file into the arena, or NULL. */
static char *read_file(struct arena *a, const char *path, size_t *len, struct load_error *err)
{
    struct position at = {path, 0, 0};
    struct stat st;
    char *bytes = NULL;
    size_t have = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &st) != 0) {
        load_error_set(err, &at, "cannot be read: %s", strerror(errno));
        goto out;
    }
    if (!S_ISREG(st.st_mode)) {
        load_error_set(err, &at, "is not a regular file");
        goto out;
    }
    if (st.st_size < 0 || (size_t)st.st_size > YAML_FILE_MAX) {
        load_error_set(err, &at, "larger than %zu MiB; split the file", YAML_FILE_MAX >> 20);
        goto out;
    }
    bytes = arena_alloc(a, (size_t)st.st_size + 1, 1);
    if (!bytes) {
        load_error_set(err, &at, "out of memory");
        goto out;
    }
    while (have < (size_t)st.st_size) {
        ssize_t n = read(fd, bytes + have, (size_t)st.st_size - have);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            load_error_set(err, &at, "cannot be read: %s", strerror(errno));
            bytes = NULL;
        }
        if (n <= 0)
            break;
        have += (size_t)n;
    }
    *len = have;
out:
    if (fd >= 0)
        close(fd);
    return bytes;
}

const struct yaml_node *yaml_load(struct arena *a, const char *path, const char **bytes, size_t *len,
                                  struct load_error *err)
{
    size_t n = 0;
    char *content = read_file(a, path, &n, err);

    if (!content)
        return NULL;
    if (bytes)
        *bytes = content;
    if (len)
        *len = n;
    return yaml_parse(a, path, content, n, err);
}
