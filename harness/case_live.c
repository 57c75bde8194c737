/* Checks on texts of a case that speak of other things: live values, connections, rules. */
#include "harness/case_read.h"
#include "harness/live.h"
#include "harness/live_chap.h"
#include "wire/text.h"

#include <stdio.h>
#include <string.h>

/* What may stand behind the colon of a live value. */
enum live_arg { LIVE_CONN, LIVE_CHAP, LIVE_LENGTH };

static const struct {
    const char *name;
    enum live_arg arg;
} live_words[] = {
    {"target", LIVE_CONN},   {"absent_target", LIVE_CONN}, {"initiator", LIVE_CONN}, {"isid", LIVE_CONN},
    {"user", LIVE_CONN},     {"tsih", LIVE_CONN},          {"cid", LIVE_CONN},       {"itt", LIVE_CONN},
    {"cmdsn", LIVE_CONN},    {"expstatsn", LIVE_CONN},     {"chap_i", LIVE_CONN},    {"chap_c", LIVE_CONN},
    {"chap_r", LIVE_CHAP},   {"portal", LIVE_CONN},        {"chap_old", LIVE_CONN},  {"hex", LIVE_LENGTH},
    {"base64", LIVE_LENGTH}, {"letters", LIVE_LENGTH}, {"ttt", LIVE_CONN},
};

bool case_has_conn(const struct case_reader *cr, const char *name, size_t len)
{
    for (size_t i = 0; i < cr->conn_count; i++)
        if (strlen(cr->conns[i]) == len && memcmp(cr->conns[i], name, len) == 0)
            return true;
    return false;
}

int case_need_conn(struct case_reader *cr, const struct yaml_node *node, const char *name)
{
    struct schema_hint hint;

    if (case_has_conn(cr, name, strlen(name)))
        return 0;
    schema_hint_start(&hint, name);
    for (size_t i = 0; i < cr->conn_count; i++)
        schema_hint_offer(&hint, cr->conns[i]);
    return load_error_set(cr->r.err, &node->at, "%.40s: no step before makes a connection of this name; %s", name,
                          schema_hint_text(&hint));
}

int case_use_conn(struct case_reader *cr, const struct yaml_node *node, char *name)
{
    if (cr->conn_count == 0)
        return load_error_set(cr->r.err, &node->at, "no login stands before this step; put one there");
    if (!*name)
        memcpy(name, cr->conns[cr->conn_count - 1], sizeof cr->conns[0]);
    return case_need_conn(cr, node, name);
}

static int unknown_word(struct case_reader *cr, const struct yaml_node *node, const char *word, size_t len)
{
    char name[64];
    struct schema_hint hint;

    snprintf(name, sizeof name, "%.*s", (int)(len < 60 ? len : 60), word);
    schema_hint_start(&hint, name);
    for (size_t i = 0; i < CASE_COUNT(live_words); i++)
        schema_hint_offer(&hint, live_words[i].name);
    return load_error_set(cr->r.err, &node->at, "{%s}: no live value of this name; %s", name, schema_hint_text(&hint));
}

/* ALG, ALG:SECRET or ALG:SECRET:FORM. */
static int check_chap(struct case_reader *cr, const struct yaml_node *node, const char *arg, size_t len)
{
    struct live_chap chap;

    if (live_chap_parse(arg, len, &chap))
        return 0;
    return load_error_set(cr->r.err, &node->at,
                          "{chap_r:%.*s}: no such response; write ALG:SECRET:FORM, with ALG 5, 6, 7, 8 or agreed and "
                          "FORM hex, upper, base64 or prefix",
                          (int)(len < 40 ? len : 40), arg);
}

static int check_length(struct case_reader *cr, const struct yaml_node *node, const char *arg, size_t len)
{
    uint64_t length;

    if (len && text_parse_number(arg, len, &length) == TEXT_NUMBER_OK && length <= LIVE_LENGTH_MAX)
        return 0;
    return load_error_set(cr->r.err, &node->at, "\"%.*s\": no length; write a number up to %u, as in {hex:16}",
                          (int)(len < 40 ? len : 40), arg, LIVE_LENGTH_MAX);
}

/* What stands between the braces. */
static int check_word(struct case_reader *cr, const struct yaml_node *node, const char *word, size_t len)
{
    const char *colon = memchr(word, ':', len);
    size_t name_len = colon ? (size_t)(colon - word) : len;
    size_t arg_len = colon ? len - name_len - 1 : 0;

    for (size_t i = 0; i < CASE_COUNT(live_words); i++) {
        if (strlen(live_words[i].name) != name_len || memcmp(live_words[i].name, word, name_len) != 0)
            continue;
        if (live_words[i].arg == LIVE_CHAP)
            return check_chap(cr, node, colon ? colon + 1 : word + len, arg_len);
        if (live_words[i].arg == LIVE_LENGTH)
            return check_length(cr, node, colon ? colon + 1 : word + len, arg_len);
        if (colon && !case_has_conn(cr, colon + 1, arg_len)) {
            char name[64];

            snprintf(name, sizeof name, "%.*s", (int)(arg_len < 60 ? arg_len : 60), colon + 1);
            return case_need_conn(cr, node, name);
        }
        return 0;
    }
    return unknown_word(cr, node, word, name_len);
}

int case_check_live(struct case_reader *cr, const struct yaml_node *node, const char *text, size_t len)
{
    const char *end = text + len;

    for (const char *open = memchr(text, '{', len); open; open = memchr(open, '{', (size_t)(end - open))) {
        const char *close;

        open++;
        /* A brace that opens no word of lower-case letters is itself. */
        if (open == end || *open < 'a' || *open > 'z')
            continue;
        close = memchr(open, '}', (size_t)(end - open));
        if (!close)
            return load_error_set(cr->r.err, &node->at, "{%.20s: the brace is not closed; add }", open);
        if (check_word(cr, node, open, (size_t)(close - open)) != 0)
            return -1;
        open = close;
    }
    return 0;
}

int case_check_live_list(struct case_reader *cr, const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR)
        return case_check_live(cr, node, node->text, node->len);
    for (const struct yaml_node *item = node->child; item; item = item->next)
        if (case_check_live(cr, item, item->text, item->len) != 0)
            return -1;
    return 0;
}

int case_find_rule(struct case_reader *cr, const struct yaml_node *node, const char *id, const struct rule **out)
{
    struct schema_hint hint;
    const struct rule *rule = catalogue_find(cr->rules, id);

    if (out)
        *out = rule;
    if (rule)
        return 0;
    schema_hint_start(&hint, id);
    for (size_t i = 0; i < cr->rules->count; i++)
        schema_hint_offer(&hint, cr->rules->rules[i].id);
    return load_error_set(cr->r.err, &node->at, "%.60s: the catalogue has no rule of this id; %s", id,
                          schema_hint_text(&hint));
}
