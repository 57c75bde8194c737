/* Reading of maps by field tables. */
#include "harness/schema.h"
#include "harness/case.h"
#include "wire/text.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define HINT_WORD_MAX 48u

int schema_no_memory(struct schema_reader *r, const struct yaml_node *node)
{
    return load_error_set(r->err, &node->at, "out of memory; make the file smaller");
}

int schema_expect_kind(struct schema_reader *r, const struct yaml_node *node, const char *what, enum yaml_kind kind)
{
    if (node->kind == kind)
        return 0;
    if (node->kind == YAML_SCALAR)
        return load_error_set(r->err, &node->at, "%s: \"%.60s\" is %s; write %s", what, node->text,
                              yaml_kind_name(node->kind), yaml_kind_name(kind));
    return load_error_set(r->err, &node->at, "%s: %s stands here; write %s", what, yaml_kind_name(node->kind),
                          yaml_kind_name(kind));
}

/* Levenshtein distance of two short words. */
static size_t word_distance(const char *a, const char *b)
{
    size_t row[HINT_WORD_MAX + 1];
    size_t a_len = strlen(a), b_len = strlen(b);

    if (a_len > HINT_WORD_MAX || b_len > HINT_WORD_MAX)
        return HINT_WORD_MAX;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t above = row[j];
            size_t best = diagonal + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]));

            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
            diagonal = above;
        }
    }
    return row[b_len];
}

void schema_hint_start(struct schema_hint *h, const char *word)
{
    memset(h, 0, sizeof *h);
    h->word = word;
    h->distance = HINT_WORD_MAX;
}

void schema_hint_offer(struct schema_hint *h, const char *candidate)
{
    size_t used = strlen(h->all);
    size_t distance = word_distance(h->word, candidate);

    if (distance < h->distance) {
        h->distance = distance;
        h->best = candidate;
    }
    if (used + strlen(candidate) + 8 < sizeof h->all)
        snprintf(h->all + used, sizeof h->all - used, "%s%s", used ? ", " : "", candidate);
    else if (used >= 3 && strcmp(h->all + used - 3, "...") != 0)
        snprintf(h->all + used, sizeof h->all - used, ", ...");
}

const char *schema_hint_text(struct schema_hint *h)
{
    size_t near = strlen(h->word) / 3 + 1;

    if (h->best && h->distance <= (near < 3 ? near : 3))
        snprintf(h->text, sizeof h->text, "did you mean \"%.60s\"?", h->best);
    else if (h->all[0])
        snprintf(h->text, sizeof h->text, "allowed: %s", h->all);
    else
        snprintf(h->text, sizeof h->text, "there is none to choose from");
    return h->text;
}

int schema_read_text(struct schema_reader *r, const struct yaml_node *node, const char *what, bool may_be_empty,
                     char **out)
{
    if (schema_expect_kind(r, node, what, YAML_SCALAR) != 0)
        return -1;
    if (node->len == 0 && !may_be_empty)
        return load_error_set(r->err, &node->at, "%s: is empty; write a value or take the field out", what);
    if (memchr(node->text, '\0', node->len))
        return load_error_set(r->err, &node->at, "%s: \"%.60s\" holds a NUL, which only `text` may", what, node->text);
    *out = arena_strndup(r->arena, node->text, node->len);
    return *out ? 0 : schema_no_memory(r, node);
}

int schema_read_number(struct schema_reader *r, const struct yaml_node *node, const char *what, uint64_t min,
                       uint64_t max, uint64_t *out)
{
    enum text_number_error error;
    uint64_t value;

    if (schema_expect_kind(r, node, what, YAML_SCALAR) != 0)
        return -1;
    error = text_parse_number(node->text, node->len, &value);
    if (error != TEXT_NUMBER_OK)
        return load_error_set(r->err, &node->at,
                              "%s: \"%.60s\" is no number; write decimal digits or 0x and hex digits", what,
                              node->text);
    if (value < min || value > max)
        return load_error_set(r->err, &node->at, "%s: %.60s does not fit; allowed are %llu to %llu", what, node->text,
                              (unsigned long long)min, (unsigned long long)max);
    *out = value;
    return 0;
}

int schema_read_code(struct schema_reader *r, const struct yaml_node *node, const char *what, int *out)
{
    uint64_t value;

    if (schema_expect_kind(r, node, what, YAML_SCALAR) != 0)
        return -1;
    if (node->len != 6 || node->text[0] != '0' || node->text[1] != 'x' ||
        text_parse_number(node->text, node->len, &value) != TEXT_NUMBER_OK)
        return load_error_set(r->err, &node->at,
                              "%s: \"%.60s\" is no status code; write 0x and four hex digits, as in 0x0203", what,
                              node->text);
    *out = (int)value;
    return 0;
}

int schema_read_hex(struct schema_reader *r, const struct yaml_node *node, const char *what, uint8_t **out, size_t *len)
{
    size_t n = 0;
    int high = -1;

    if (schema_expect_kind(r, node, what, YAML_SCALAR) != 0)
        return -1;
    *out = arena_alloc(r->arena, node->len / 2 + 1, 1);
    if (!*out)
        return schema_no_memory(r, node);
    for (size_t i = 0; i < node->len; i++) {
        int digit = text_hex_digit(node->text[i]);

        if (node->text[i] == ' ' && high < 0)
            continue;
        if (digit < 0)
            return load_error_set(r->err, &node->at, "%s: \"%.60s\" is no hex; write two digits a byte", what,
                                  node->text);
        if (high < 0) {
            high = digit;
        } else {
            (*out)[n++] = (uint8_t)(high << 4 | digit);
            high = -1;
        }
    }
    if (n == 0 || high >= 0)
        return load_error_set(r->err, &node->at, "%s: \"%.60s\" is no whole number of bytes; write two digits a byte",
                              what, node->text);
    *len = n;
    return 0;
}

int schema_read_duration(struct schema_reader *r, const struct yaml_node *node, const char *what, long min, long max,
                         int *out)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}};

    if (schema_expect_kind(r, node, what, YAML_SCALAR) != 0)
        return -1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t unit_len = strlen(units[i].unit);
        uint64_t value;

        if (node->len <= unit_len || strcmp(node->text + node->len - unit_len, units[i].unit) != 0 ||
            text_parse_number(node->text, node->len - unit_len, &value) != TEXT_NUMBER_OK)
            continue;
        if (value > (uint64_t)max || (long)(value * units[i].ms) < min || (long)(value * units[i].ms) > max)
            return load_error_set(r->err, &node->at, "%s: %.60s does not fit; allowed are %ldms to %ldms", what,
                                  node->text, min, max);
        *out = (int)(value * units[i].ms);
        return 0;
    }
    return load_error_set(r->err, &node->at, "%s: \"%.60s\" is no duration; write a number and ms, s or m, as in 250ms",
                          what, node->text);
}

int schema_read_word(struct schema_reader *r, const struct yaml_node *node, const char *what, const char *const *words,
                     int *out)
{
    struct schema_hint hint;

    if (schema_expect_kind(r, node, what, YAML_SCALAR) != 0)
        return -1;
    schema_hint_start(&hint, node->text);
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], node->text) == 0) {
            *out = i;
            return 0;
        }
        schema_hint_offer(&hint, words[i]);
    }
    return load_error_set(r->err, &node->at, "%s: \"%.60s\" is not a value of this field; %s", what, node->text,
                          schema_hint_text(&hint));
}

int schema_read_list(struct schema_reader *r, const struct yaml_node *node, const char *what, char ***items,
                     size_t *count)
{
    size_t n = 0;

    if (node->kind == YAML_SCALAR) {
        *items = arena_alloc(r->arena, 1, sizeof **items);
        *count = 1;
        return *items ? schema_read_text(r, node, what, false, *items) : schema_no_memory(r, node);
    }
    if (schema_expect_kind(r, node, what, YAML_LIST) != 0)
        return -1;
    *items = arena_alloc(r->arena, node->count, sizeof **items);
    if (!*items)
        return schema_no_memory(r, node);
    for (const struct yaml_node *item = node->child; item; item = item->next)
        if (schema_read_text(r, item, what, false, &(*items)[n++]) != 0)
            return -1;
    *count = n;
    return 0;
}

static int read_name(struct schema_reader *r, const struct yaml_node *node, const char *what, char *out, size_t size)
{
    if (schema_expect_kind(r, node, what, YAML_SCALAR) != 0)
        return -1;
    if (node->len == 0 || node->len >= size)
        return load_error_set(r->err, &node->at, "%s: \"%.60s\" is no name; write 1 to %zu letters and digits", what,
                              node->text, size - 1);
    for (size_t i = 0; i < node->len; i++) {
        unsigned char c = (unsigned char)node->text[i];

        if (c >= 0x80 || (!isalnum(c) && !memchr("-_.", c, 3)))
            return load_error_set(r->err, &node->at, "%s: \"%.60s\" is no name; use letters, digits and - _ .", what,
                                  node->text);
    }
    memcpy(out, node->text, node->len + 1);
    return 0;
}

static int read_bool(struct schema_reader *r, const struct yaml_node *node, const char *what, bool *out)
{
    static const char *const words[] = {"no", "yes", "false", "true", NULL};
    int value;

    if (schema_read_word(r, node, what, words, &value) != 0)
        return -1;
    *out = value % 2 != 0;
    return 0;
}

static int read_field(struct schema_reader *r, const struct yaml_node *node, const struct schema_field *f, char *base)
{
    void *target = base + f->offset;
    uint64_t number;
    bool flag;
    int word;

    switch (f->kind) {
    case SCHEMA_TEXT:
        return schema_read_text(r, node, f->name, (f->flags & SCHEMA_MAY_BE_EMPTY) != 0, target);
    case SCHEMA_NAME:
        return read_name(r, node, f->name, target, (size_t)f->max);
    case SCHEMA_STRINGS:
        return schema_read_list(r, node, f->name, &((struct case_strings *)target)->items,
                                &((struct case_strings *)target)->count);
    case SCHEMA_NUMBER:
    case SCHEMA_SIZE:
        if (schema_read_number(r, node, f->name, (uint64_t)f->min, (uint64_t)f->max, &number) != 0)
            return -1;
        if (f->kind == SCHEMA_SIZE)
            *(size_t *)target = (size_t)number;
        else
            *(int *)target = (int)number;
        return 0;
    case SCHEMA_BOOL:
    case SCHEMA_TRISTATE:
        if (read_bool(r, node, f->name, &flag) != 0)
            return -1;
        if (f->kind == SCHEMA_TRISTATE)
            *(int *)target = flag;
        else
            *(bool *)target = flag != ((f->flags & SCHEMA_INVERTED) != 0);
        return 0;
    case SCHEMA_WORD:
        if (schema_read_word(r, node, f->name, f->words, &word) != 0)
            return -1;
        memcpy(target, &word, sizeof word);
        return 0;
    case SCHEMA_CODE:
        return schema_read_code(r, node, f->name, target);
    case SCHEMA_DURATION:
        return schema_read_duration(r, node, f->name, f->min, f->max, target);
    case SCHEMA_CUSTOM:
        return f->read(r, node, target);
    case SCHEMA_IGNORED:
        return 0;
    }
    return -1;
}

static const struct schema_field *find_field(const struct schema_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->fields[i].name, name) == 0)
            return &table->fields[i];
    return NULL;
}

static int unknown_field(struct schema_reader *r, const struct yaml_node *key, const struct schema_part *parts,
                         size_t count)
{
    struct schema_hint hint;

    schema_hint_start(&hint, key->text);
    for (size_t p = 0; p < count; p++)
        for (size_t i = 0; i < parts[p].table->count; i++)
            schema_hint_offer(&hint, parts[p].table->fields[i].name);
    return load_error_set(r->err, &key->at, "%.60s: %s has no such field; %s", key->text, parts[0].table->name,
                          schema_hint_text(&hint));
}

int schema_read(struct schema_reader *r, const struct yaml_node *map, struct schema_part *parts, size_t count)
{
    if (schema_expect_kind(r, map, parts[0].table->name, YAML_MAP) != 0)
        return -1;
    for (const struct yaml_node *node = map->child; node; node = node->next) {
        const struct schema_field *field = NULL;
        size_t p;

        for (p = 0; p < count && !field; p++)
            field = find_field(parts[p].table, node->key->text);
        if (!field)
            return unknown_field(r, node->key, parts, count);
        if (read_field(r, node, field, parts[p - 1].target) != 0)
            return -1;
        parts[p - 1].given++;
    }
    for (size_t p = 0; p < count; p++)
        for (size_t i = 0; i < parts[p].table->count; i++) {
            const struct schema_field *f = &parts[p].table->fields[i];

            if ((f->flags & SCHEMA_REQUIRED) && !yaml_get(map, f->name))
                return load_error_set(r->err, &map->at, "%s: the field %s is missing; it says: %s",
                                      parts[p].table->name, f->name, f->doc);
        }
    return 0;
}
