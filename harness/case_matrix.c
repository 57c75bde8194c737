/*
 * matrix: {name: [values]}. A case with one becomes one case a combination: its tree is copied with ${name} replaced in
 * every text. Ids and order come from the sorted names, so that moving lines in the file changes nothing.
 */
#include "harness/case_read.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_COUNT  8u
#define COMBINATION_MAX 10000u

struct variable {
    const char *name;
    const struct yaml_node *values; /* a list of scalars, or a map of short names to scalars */
    const struct yaml_node *value;  /* of this combination */
};

struct matrix {
    struct schema_reader *r;
    struct variable variables[NAME_MAX_COUNT];
    size_t count;
};

static const struct variable *find_variable(const struct matrix *m, const char *name, size_t len)
{
    for (size_t i = 0; i < m->count; i++)
        if (strlen(m->variables[i].name) == len && memcmp(m->variables[i].name, name, len) == 0)
            return &m->variables[i];
    return NULL;
}

static int unknown_variable(const struct matrix *m, const struct yaml_node *node, const char *name, size_t len)
{
    char word[48] = {0};
    struct schema_hint hint;

    memcpy(word, name, len < sizeof word - 1 ? len : sizeof word - 1);
    schema_hint_start(&hint, word);
    for (size_t i = 0; i < m->count; i++)
        schema_hint_offer(&hint, m->variables[i].name);
    return load_error_set(m->r->err, &node->at, "${%s}: matrix has no such name; %s", word, schema_hint_text(&hint));
}

/* Length of the text with all ${name} replaced; when out is not NULL, writes it there. SIZE_MAX: err is filled. */
static size_t substitute(const struct matrix *m, const struct yaml_node *node, char *out)
{
    const char *text = node->text, *end = node->text + node->len;
    size_t n = 0;

    while (text < end) {
        const char *close = NULL;
        const struct variable *v;

        if (end - text >= 3 && text[0] == '$' && text[1] == '{')
            close = memchr(text, '}', (size_t)(end - text));
        if (!close) {
            if (out)
                out[n] = *text;
            n++;
            text++;
            continue;
        }
        v = find_variable(m, text + 2, (size_t)(close - text - 2));
        if (!v) {
            unknown_variable(m, node, text + 2, (size_t)(close - text - 2));
            return SIZE_MAX;
        }
        if (out && v->value->len)
            memcpy(out + n, v->value->text, v->value->len);
        n += v->value->len;
        text = close + 1;
    }
    return n;
}

/* A copy of one node without its children; texts without a variable are shared. */
static struct yaml_node *copy_one(const struct matrix *m, const struct yaml_node *node)
{
    struct yaml_node *copy = arena_alloc(m->r->arena, 1, sizeof *copy);

    if (!copy) {
        schema_no_memory(m->r, node);
        return NULL;
    }
    *copy = *node;
    copy->child = NULL;
    copy->next = NULL;
    if (node->kind == YAML_SCALAR && memmem(node->text, node->len, "${", 2)) {
        size_t len = substitute(m, node, NULL);
        char *text;

        if (len == SIZE_MAX)
            return NULL;
        text = arena_alloc(m->r->arena, len + 1, 1);
        if (!text) {
            schema_no_memory(m->r, node);
            return NULL;
        }
        substitute(m, node, text);
        copy->text = text;
        copy->len = len;
    }
    return copy;
}

/* Depth is bounded by YAML_DEPTH_MAX. The field `matrix` of the case itself is left out. */
static struct yaml_node *copy_tree(const struct matrix *m, const struct yaml_node *node, bool top)
{
    struct yaml_node *copy = copy_one(m, node);
    struct yaml_node *last = NULL;

    if (!copy)
        return NULL;
    for (const struct yaml_node *child = node->child; child; child = child->next) {
        struct yaml_node *item;

        if (top && strcmp(child->key->text, "matrix") == 0) {
            copy->count--;
            continue;
        }
        item = copy_tree(m, child, false);
        if (!item)
            return NULL;
        if (child->key) {
            item->key = copy_one(m, child->key);
            if (!item->key)
                return NULL;
            for (const struct yaml_node *twin = copy->child; twin; twin = twin->next)
                if (twin->key->len == item->key->len && memcmp(twin->key->text, item->key->text, item->key->len) == 0) {
                    load_error_set(m->r->err, &child->key->at, "%.60s: the key stands already in line %d; take one out",
                                   item->key->text, twin->key->at.line);
                    return NULL;
                }
        }
        if (last)
            last->next = item;
        else
            copy->child = item;
        last = item;
    }
    return copy;
}

static bool is_id_part(const struct yaml_node *word)
{
    for (size_t i = 0; i < word->len; i++)
        if ((unsigned char)word->text[i] >= 0x80 ||
            (!isalnum((unsigned char)word->text[i]) && !memchr("-_.+~", word->text[i], 5)))
            return false;
    return word->len > 0 && word->len <= 64;
}

static int check_values(struct matrix *m, const struct yaml_node *values)
{
    if (values->kind == YAML_SCALAR || values->count == 0)
        return load_error_set(m->r->err, &values->at, "%.60s: a name of the matrix has a list of values; write [a, b]",
                              values->key->text);
    for (const struct yaml_node *v = values->child; v; v = v->next) {
        const struct yaml_node *word = values->kind == YAML_MAP ? v->key : v;

        if (v->kind != YAML_SCALAR)
            return schema_expect_kind(m->r, v, "matrix", YAML_SCALAR);
        if (!is_id_part(word))
            return load_error_set(
                m->r->err, &word->at,
                "%.60s: becomes part of the id and so may hold letters, digits and - _ . + ~ only; give "
                "it a short name: {short: value}",
                word->text);
        for (const struct yaml_node *twin = values->child; twin != v; twin = twin->next)
            if (values->kind == YAML_LIST && strcmp(twin->text, v->text) == 0)
                return load_error_set(m->r->err, &v->at, "%.60s: stands twice in the matrix; take one out", v->text);
    }
    return 0;
}

static int compare_variables(const void *a, const void *b)
{
    return strcmp(((const struct variable *)a)->name, ((const struct variable *)b)->name);
}

static int read_matrix(struct matrix *m, const struct yaml_node *map, size_t *combinations)
{
    *combinations = 1;
    if (schema_expect_kind(m->r, map, "matrix", YAML_MAP) != 0)
        return -1;
    if (map->count == 0 || map->count > NAME_MAX_COUNT)
        return load_error_set(m->r->err, &map->at, "matrix: %zu names; write 1 to %u", map->count, NAME_MAX_COUNT);
    for (const struct yaml_node *values = map->child; values; values = values->next) {
        if (!is_id_part(values->key))
            return load_error_set(m->r->err, &values->key->at, "%.60s: no name; use letters, digits and -",
                                  values->key->text);
        if (check_values(m, values) != 0)
            return -1;
        m->variables[m->count].name = values->key->text;
        m->variables[m->count++].values = values;
        *combinations *= values->count;
        if (*combinations > COMBINATION_MAX)
            return load_error_set(m->r->err, &map->at, "matrix: more than %u combinations; split the case",
                                  COMBINATION_MAX);
    }
    qsort(m->variables, m->count, sizeof m->variables[0], compare_variables);
    return 0;
}

/* Picks combination `n` and makes its id. */
static char *pick(struct matrix *m, const char *family, size_t n)
{
    char *id = arena_printf(m->r->arena, "%s.", family);

    for (size_t i = m->count; i-- > 0;) {
        const struct yaml_node *values = m->variables[i].values;
        const struct yaml_node *v = values->child;

        for (size_t skip = n % values->count; skip > 0; skip--)
            v = v->next;
        n /= values->count;
        m->variables[i].value = v;
    }
    for (size_t i = 0; i < m->count && id; i++) {
        const struct yaml_node *v = m->variables[i].value;

        id = arena_printf(m->r->arena, "%s%s%s=%s", id, i ? "," : "", m->variables[i].name,
                          m->variables[i].values->kind == YAML_MAP ? v->key->text : v->text);
    }
    return id;
}

int case_expand_matrix(struct schema_reader *r, const struct yaml_node *node, case_take_fn *take, void *user)
{
    struct matrix m = {.r = r};
    const struct yaml_node *map = yaml_get(node, "matrix");
    const struct yaml_node *family = yaml_get(node, "id");
    size_t combinations = 1;

    if (schema_expect_kind(r, node, "case", YAML_MAP) != 0 || (map && read_matrix(&m, map, &combinations) != 0))
        return -1;
    for (size_t n = 0; n < combinations; n++) {
        /* Without an id of its own the case is refused when it is read; its variables have values all the same. */
        const char *id = map ? pick(&m, family && family->kind == YAML_SCALAR ? family->text : "", n) : NULL;
        const struct yaml_node *tree = copy_tree(&m, node, true);

        if (!tree)
            return -1;
        if (map && !id)
            return schema_no_memory(r, node);
        if (take(user, tree, family ? id : NULL) != 0)
            return -1;
    }
    return 0;
}
