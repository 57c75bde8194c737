/* Selection of cases by expressions: see case_selected() in case.h. */
#include "harness/case.h"
#include "harness/schema.h"
#include "wire/status.h"
#include "wire/text.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TERM_MAX 256u

typedef bool match_fn(const struct case_def *c, const struct catalogue *rules, const char *glob);

static bool matches(const char *glob, const char *text)
{
    return fnmatch(glob, text, 0) == 0;
}

static bool matches_any(const char *glob, const struct case_strings *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (matches(glob, list->items[i]))
            return true;
    return false;
}

/* 0x0203, 0203 or a glob on 0xCCDD ("0x02*"). */
static bool match_code(const struct case_def *c, const struct catalogue *rules, const char *glob)
{
    char code[8];

    (void)rules;
    if (c->code < 0)
        return false;
    snprintf(code, sizeof code, "0x%04x", (unsigned)c->code & 0xffffu);
    return fnmatch(glob, code, FNM_CASEFOLD) == 0 || fnmatch(glob, code + 2, FNM_CASEFOLD) == 0;
}

static bool match_rule(const struct case_def *c, const struct catalogue *rules, const char *glob)
{
    (void)rules;
    if (matches_any(glob, &c->proves))
        return true;
    for (size_t i = 0; i < c->step_count; i++)
        if (c->steps[i].kind == CASE_STEP_EXPECT && c->steps[i].expect.rule && matches(glob, c->steps[i].expect.rule))
            return true;
    return false;
}

static bool match_subject(const struct case_def *c, const struct catalogue *rules, const char *glob)
{
    (void)rules;
    return matches(glob, c->subject);
}

static bool match_defect(const struct case_def *c, const struct catalogue *rules, const char *glob)
{
    (void)rules;
    return matches_any(glob, &c->caught_by);
}

/* One of the sections in "RFC7143 4.2.4 (RFC3720 3.2.3); RFC7143 8.1.2": numbers of RFC 7143 count, brackets do not. */
static bool section_matches(const char *section, const char *glob)
{
    while (*section) {
        size_t len = strcspn(section, " ;,()");
        char word[64];

        if (*section == '(') {
            section += strcspn(section, ")");
            continue;
        }
        snprintf(word, sizeof word, "%.*s", (int)(len < sizeof word ? len : sizeof word - 1), section);
        if (len && matches(glob, word))
            return true;
        section += len ? len : 1;
    }
    return false;
}

static bool match_section(const struct case_def *c, const struct catalogue *rules, const char *glob)
{
    for (size_t i = 0; i < c->proves.count; i++) {
        const struct rule *rule = catalogue_find(rules, c->proves.items[i]);

        if (rule && section_matches(rule->section, glob))
            return true;
    }
    return false;
}

/* "0x0203", "203", "0x02*", "[0-2]0?": hex digits and what globs are made of. */
static int check_code(const char *glob, struct load_error *err)
{
    const char *digits = strncmp(glob, "0x", 2) == 0 || strncmp(glob, "0X", 2) == 0 ? glob + 2 : glob;
    size_t plain = strspn(digits, "0123456789abcdefABCDEF");

    if (digits[strspn(digits, "0123456789abcdefABCDEF*?[]!-^")] != '\0')
        return load_error_set(err, NULL,
                              "selection: code:%.60s: is no code; write code:0x0203, or code:0x02* for a class", glob);
    if (digits[plain] == '\0' && (plain != 4 || !status_find((unsigned)strtoul(digits, NULL, 16))))
        return load_error_set(
            err, NULL, "selection: code:%.60s: is none of the %u codes of RFC 7143, 11.13.5 (iscsispec list codes)",
            glob, STATUS_COUNT);
    return 0;
}

static bool match_id(const struct case_def *c, const struct catalogue *rules, const char *glob)
{
    (void)rules;
    return matches(glob, c->id);
}

static const struct {
    const char *name;
    match_fn *match;
} prefixes[] = {
    {"code", match_code},     {"rule", match_rule},       {"subject", match_subject},
    {"defect", match_defect}, {"section", match_section}, {"id", match_id},
};

/* One term: 1, 0, or -1. The text is cut. */
static int match_term(const struct case_def *c, const struct catalogue *rules, char *term, struct load_error *err)
{
    char *colon = strchr(term, ':');
    struct schema_hint hint;

    if (!*term)
        return load_error_set(err, NULL,
                              "selection: an empty term; write a glob on ids, or code:, rule:, subject:, "
                              "defect:, section:");
    if (!colon)
        return match_id(c, rules, term);
    *colon = '\0';
    schema_hint_start(&hint, term);
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        schema_hint_offer(&hint, prefixes[i].name);
        if (strcmp(prefixes[i].name, term) != 0)
            continue;
        if (!colon[1])
            return load_error_set(err, NULL, "selection: nothing behind %s:", term);
        if (prefixes[i].match == match_code && check_code(colon + 1, err) != 0)
            return -1;
        return prefixes[i].match(c, rules, colon + 1);
    }
    return load_error_set(err, NULL, "selection: %.60s: is no prefix; %s", term, schema_hint_text(&hint));
}

/* Walks the terms of one expression. *plus: a term that adds has been seen; *in, *out: one matched. */
static int match_expression(const struct case_def *c, const struct catalogue *rules, const char *expr, bool *plus,
                            bool *in, bool *out, struct load_error *err)
{
    /* Ids made by a matrix hold commas: the whole may be one. */
    if (strchr(expr, ',') && matches(expr + (*expr == '!'), c->id)) {
        *plus = *plus || *expr != '!';
        *(*expr == '!' ? out : in) = true;
        return 0;
    }
    while (true) {
        size_t len = strcspn(expr, ",");
        bool minus = *expr == '!';
        char term[TERM_MAX];
        int hit;

        if (len - minus >= sizeof term)
            return load_error_set(err, NULL, "selection: a term longer than %u characters", TERM_MAX - 1);
        memcpy(term, expr + minus, len - minus);
        term[len - minus] = '\0';
        hit = match_term(c, rules, term, err);
        if (hit < 0)
            return -1;
        *plus = *plus || !minus;
        if (minus)
            *out = *out || hit;
        else
            *in = *in || hit;
        if (!expr[len])
            return 0;
        expr += len + 1;
    }
}

int case_selected(const struct case_def *c, const struct catalogue *rules, const char *const *exprs, size_t count,
                  struct load_error *err)
{
    bool plus = false, in = false, out = false;

    for (size_t i = 0; i < count; i++)
        if (match_expression(c, rules, exprs[i], &plus, &in, &out, err) != 0)
            return -1;
    /* Only takings away: from all. */
    return (in || !plus) && !out;
}

bool case_counts(const struct case_def *c, const struct catalogue *rules, const struct rule_floor *floor)
{
    for (size_t i = 0; i < c->proves.count; i++) {
        const struct rule *rule = catalogue_find(rules, c->proves.items[i]);

        if (rule && rule_counts(rule, floor))
            return true;
    }
    return floor->level == RULE_STRENGTH_MAY && floor->severity == RULE_INFO;
}
