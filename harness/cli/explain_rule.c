/* A rule of the catalogue in sentences: see explain.h. */
#include "harness/cli/explain.h"

#include "harness/audit.h"
#include "harness/outcome.h"
#include "wire/text.h"

#include <stdio.h>
#include <string.h>

enum { EXPLAIN_WIDTH = 78 };

void explain_wrapped(const char *lead, const char *text)
{
    size_t indent = strlen(lead);
    size_t at = indent;

    fputs(lead, stdout);
    while (*text != '\0') {
        size_t word;

        text += strspn(text, " \n\t");
        word = strcspn(text, " \n\t");
        if (word == 0) {
            break;
        }
        if (at > indent && at + 1 + word > EXPLAIN_WIDTH) {
            printf("\n%*s", (int)indent, "");
            at = indent;
        }
        at += (size_t)printf("%s%.*s", at > indent ? " " : "", (int)word, text);
        text += word;
    }
    putchar('\n');
}

enum { SENTENCE_MAX = 1 << 16, CASES_NAMED = 12 };

/* A sentence that grows. What does not fit is left out: nothing of a shipped catalogue comes near the limit. */
static void add(struct text_buf *sentence, const char *text)
{
    text_buf_add_raw(sentence, text, strlen(text));
}

static void print(struct text_buf *sentence)
{
    text_buf_add_raw(sentence, "", 1);
    explain_wrapped("", sentence->data);
    text_buf_clear(sentence);
}

/* "a", "a or b", "a, b or c". */
static void add_outcomes(struct text_buf *sentence, const struct outcome_list *list, const char *last)
{
    char words[300];

    for (size_t i = 0; i < list->count; i++) {
        const struct outcome *o = &list->items[i];

        add(sentence, i == 0 ? "" : i + 1 < list->count ? ", " : last);
        add(sentence, outcome_decidable(o) ? outcome_describe(o, words, sizeof(words)) : o->text);
    }
}

static const char *bound(const struct rule *rule)
{
    static const char *const words[] = {
        [RULE_MUST] = "has to keep it (MUST)",     [RULE_MUST_NOT] = "has to keep it (MUST NOT)",
        [RULE_SHOULD] = "should keep it (SHOULD)", [RULE_SHOULD_NOT] = "should keep it (SHOULD NOT)",
        [RULE_MAY] = "is free here (MAY)",         [RULE_NO_LEVEL] = "is bound by what follows from the text",
    };

    return words[rule->level];
}

static void add_verdicts(struct text_buf *sentence, const struct rule *rule)
{
    static const char *const words[] = {
        [RULE_FAIL] = "Anything else fails.",
        [RULE_WARN] = "Anything else is a warning.",
        [RULE_INFO] = "Whatever else comes is only reported.",
    };

    add(sentence, rule->match_all ? "Right is, all together: " : "Right is: ");
    add_outcomes(sentence, &rule->expected, rule->match_all ? " and " : " or ");
    add(sentence, ". ");
    if (rule->tolerated.count > 0) {
        add(sentence, "A warning, and no more, is given for ");
        add_outcomes(sentence, &rule->tolerated, " or ");
        add(sentence, ". ");
    }
    if (rule->forbidden.count > 0) {
        add(sentence, "Wrong in any reading: ");
        add_outcomes(sentence, &rule->forbidden, " or ");
        add(sentence, ". ");
    }
    add(sentence, words[rule->severity]);
    if (rule->expected3720.count > 0) {
        add(sentence, " By RFC 3720 (--rfc 3720) right is: ");
        add_outcomes(sentence, &rule->expected3720, " or ");
        add(sentence, ".");
    }
}

static const char *audit_subject_of(const char *rule)
{
    size_t count;
    const struct audit_rule *rules = audit_rules(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(rules[i].id, rule) == 0) {
            return rules[i].subject;
        }
    }
    return NULL;
}

static bool has(const struct case_strings *list, const char *word)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], word) == 0) {
            return true;
        }
    }
    return false;
}

/* Each defect once, in the order of the cases. */
static void add_defects(struct text_buf *sentence, const struct case_list *cases, const char *rule)
{
    struct text_buf seen;
    bool any = false;

    text_buf_init_growing(&seen, SENTENCE_MAX, NULL, NULL);
    for (size_t i = 0; i < cases->count; i++) {
        const struct case_def *c = &cases->cases[i];

        for (size_t k = 0; has(&c->proves, rule) && k < c->caught_by.count; k++) {
            struct text_pair pair;

            if (text_find(seen.data, seen.len, c->caught_by.items[k], &pair)) {
                continue;
            }
            text_buf_add(&seen, c->caught_by.items[k], "");
            add(sentence,
                any ? ", " : "The suite would notice: these faults of the reference target turn such cases red: ");
            add(sentence, c->caught_by.items[k]);
            any = true;
        }
    }
    add(sentence, any ? "." : "");
    text_buf_free(&seen);
}

static void print_cases(const struct case_list *cases, const char *rule)
{
    size_t count = 0;

    for (size_t i = 0; i < cases->count; i++) {
        if (has(&cases->cases[i].proves, rule) && count++ < CASES_NAMED) {
            printf("%s  %-44s %s\n", count == 1 ? "\nCases:\n" : "", cases->cases[i].id, cases->cases[i].title);
        }
    }
    if (count > CASES_NAMED) {
        printf("  and %zu more: iscsispec list cases --select rule:%s\n", count - CASES_NAMED, rule);
    }
}

void explain_rule(const struct case_list *cases, const struct rule *rule)
{
    const char *subject = audit_subject_of(rule->id);
    struct text_buf sentence;

    text_buf_init_growing(&sentence, SENTENCE_MAX, NULL, NULL);
    printf("%s: %s\n\n", rule->id, rule->section);
    explain_wrapped("", rule->text);
    printf("\n");
    add(&sentence, rule->party == RULE_TARGET ? "The target " : "The initiator ");
    add(&sentence, bound(rule));
    if (rule->level == RULE_NO_LEVEL && rule->level_text != NULL) {
        add(&sentence, "; the RFC gives it no level of its own");
    }
    add(&sentence, ". ");
    if (rule->stimulus != NULL) {
        add(&sentence, "What shows it: ");
        add(&sentence, rule->stimulus);
    }
    print(&sentence);
    printf("\n");
    add_verdicts(&sentence, rule);
    print(&sentence);
    if (rule->rfc3720 != NULL) {
        printf("\n");
        explain_wrapped("RFC 3720: ", rule->rfc3720);
    }
    if (rule->notes != NULL && *rule->notes != '\0') {
        printf("\n");
        explain_wrapped("", rule->notes);
    }
    printf("\n");
    if (subject != NULL) {
        add(&sentence, "The auditor looks for it in every exchange (");
        add(&sentence, subject);
        add(&sentence, "). ");
    }
    add_defects(&sentence, cases, rule->id);
    print(&sentence);
    print_cases(cases, rule->id);
    text_buf_free(&sentence);
}
