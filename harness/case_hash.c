/*
 * What the kill table vouches for: FNV-1a 64 over the expanded tree in a canonical form (keys sorted, lengths before
 * texts, positions and comments left out), then the accept sets of the rules that the case names.
 */
#include "harness/case_read.h"

#include <stdio.h>
#include <string.h>

static uint64_t add(uint64_t hash, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ p[i]) * 0x100000001b3u;
    return hash;
}

static uint64_t add_text(uint64_t hash, char mark, const char *text, size_t len)
{
    uint64_t n = len;

    hash = add(hash, &mark, 1);
    for (int i = 0; i < 8; i++, n >>= 8) {
        unsigned char byte = (unsigned char)n;

        hash = add(hash, &byte, 1);
    }
    return add(hash, text, len);
}

/* The value whose key comes next after `last` in the order of bytes. Maps of a case are short. */
static const struct yaml_node *next_by_key(const struct yaml_node *map, const char *last)
{
    const struct yaml_node *best = NULL;

    for (const struct yaml_node *n = map->child; n; n = n->next)
        if ((!last || strcmp(n->key->text, last) > 0) && (!best || strcmp(n->key->text, best->key->text) < 0))
            best = n;
    return best;
}

static bool is_decoration(const char *key)
{
    return strcmp(key, "title") == 0 || strcmp(key, "covers") == 0;
}

static uint64_t add_node(uint64_t hash, const struct yaml_node *node, bool top)
{
    const struct yaml_node *n;

    switch (node->kind) {
    case YAML_SCALAR:
        return add_text(hash, 's', node->text, node->len);
    case YAML_LIST:
        hash = add(hash, "[", 1);
        for (n = node->child; n; n = n->next)
            hash = add_node(hash, n, false);
        return add(hash, "]", 1);
    case YAML_MAP:
        hash = add(hash, "{", 1);
        for (n = next_by_key(node, NULL); n; n = next_by_key(node, n->key->text))
            if (!top || !is_decoration(n->key->text))
                hash = add_node(add_text(hash, 'k', n->key->text, n->key->len), n, false);
        return add(hash, "}", 1);
    }
    return hash;
}

static uint64_t add_set(uint64_t hash, char mark, const struct outcome_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        hash = add_text(hash, mark, list->items[i].text, strlen(list->items[i].text));
    return hash;
}

static uint64_t add_rule(uint64_t hash, const struct rule *rule)
{
    unsigned char facts[2] = {rule->match_all, (unsigned char)rule->severity};

    hash = add_text(hash, 'r', rule->id, strlen(rule->id));
    hash = add(hash, facts, sizeof facts);
    hash = add_set(hash, 'e', &rule->expected);
    hash = add_set(hash, 't', &rule->tolerated);
    return add_set(hash, 'f', &rule->forbidden);
}

void case_hash(struct case_def *c, const struct yaml_node *tree, const struct catalogue *rules)
{
    uint64_t hash = add_text(0xcbf29ce484222325u, 'i', c->id, strlen(c->id));

    hash = add_node(hash, tree, true);
    for (size_t i = 0; i < c->proves.count; i++) {
        const struct rule *rule = catalogue_find(rules, c->proves.items[i]);

        if (rule)
            hash = add_rule(hash, rule);
    }
    for (size_t i = 0; i < c->step_count; i++)
        if (c->steps[i].kind == CASE_STEP_EXPECT && c->steps[i].expect.entry)
            hash = add_rule(hash, c->steps[i].expect.entry);
    snprintf(c->hash, sizeof c->hash, "%016llx", (unsigned long long)hash);
}
