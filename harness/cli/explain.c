#include "harness/cli/cli.h"
#include "harness/cli/explain.h"
#include "harness/cli/suggest.h"
#include "wire/status.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_points(const char *title, const char *const *points)
{
    printf("\n%s:\n", title);
    for (; points != NULL && *points != NULL; points++) {
        explain_wrapped("  - ", *points);
    }
}

static void explain_known(const struct status_entry *s)
{
    printf("0x%04x (%u): %s\n", (unsigned)s->code, (unsigned)s->code, s->name);
    printf("class %u, %s; RFC 7143 %s\n\n", (unsigned)status_class(s->code), status_class_name(status_class(s->code)),
           s->section);
    explain_wrapped("", s->meaning);
    print_points("Usual causes", s->causes);
    print_points("What to check, in this order", s->checks);
    printf("\n");
    explain_wrapped("Look at:      ", status_fault_name(s->fault));
    explain_wrapped("Retry:        ", status_retry_name(s->retry));
    if (s->confusion != NULL) {
        explain_wrapped("Mistaken for: ", s->confusion);
    }
    explain_wrapped("libiscsi:     ", s->libiscsi);
    explain_wrapped("tshark:       ", s->tshark);
}

static void explain_class(unsigned class_value)
{
    const struct status_class_entry *c = status_class_find(class_value);

    explain_wrapped("", c->meaning);
    putchar('\n');
    explain_wrapped("What to do: ", c->advice);
    explain_wrapped("Look at:    ", status_fault_name(c->fault));
    explain_wrapped("Retry:      ", status_retry_name(c->retry));
}

static void explain_unknown(unsigned code)
{
    printf("0x%04x (%u): none of the 18 codes of RFC 7143 11.13.5\n", code, code);
    printf("class %u, %s, detail %u unknown: an initiator acts by the class\n\n", (unsigned)status_class(code),
           status_class_name(status_class(code)), (unsigned)status_detail(code));
    explain_class(status_class(code));
}

static void explain_class_only(unsigned class_value)
{
    printf("class 0x%02x: %s\n\n", class_value, status_class_name(class_value));
    explain_class(class_value);
    printf("\nIts codes:\n");
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        if (status_class(status_at(i)->code) == class_value) {
            printf("  0x%04x  %s\n", (unsigned)status_at(i)->code, status_at(i)->name);
        }
    }
}

static bool all_of(const char *text, int (*kind)(int))
{
    const char *at = text;

    for (; *at != '\0'; at++) {
        if (!kind((unsigned char)*at)) {
            return false;
        }
    }
    return at > text;
}

/*
 * "0x0203", "0203" and "203" are hex, as people write codes; "515" is no code in hex and is one in decimal, as libiscsi
 * prints it; "0x02" and "2" are a class. False: no number.
 */
static bool explain_number(const char *text)
{
    const char *digits = strncmp(text, "0x", 2) == 0 || strncmp(text, "0X", 2) == 0 ? text + 2 : text;
    size_t len = strlen(digits);
    unsigned hex, decimal;

    if (!all_of(digits, isxdigit) || len > 4) {
        return false;
    }
    if (digits == text && !isdigit((unsigned char)*text)) {
        return false; /* "dead" is a word */
    }
    hex = (unsigned)strtoul(digits, NULL, 16);
    decimal = (unsigned)strtoul(digits, NULL, 10);
    if (len <= 2) {
        explain_class_only(hex);
    } else if (status_find(hex) != NULL) {
        explain_known(status_find(hex));
    } else if (digits == text && len == 3 && all_of(digits, isdigit) && status_find(decimal) != NULL) {
        explain_known(status_find(decimal));
    } else {
        explain_unknown(hex);
    }
    return true;
}

static void print_outcomes(const char *lead, const struct outcome_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        explain_wrapped(i == 0 ? lead : "              ", list->items[i].text);
    }
}

static void print_strings(const char *lead, const struct case_strings *strings)
{
    printf("%s", strings->count > 0 ? lead : "");
    for (size_t i = 0; i < strings->count; i++) {
        printf("%s%s", i > 0 ? ", " : "", strings->items[i]);
    }
    printf("%s", strings->count > 0 ? "\n" : "");
}

static const char *step_name(enum case_step_kind kind)
{
    static const char *const names[] = {
        [CASE_STEP_LOGIN] = "login", [CASE_STEP_EXPECT] = "expect",   [CASE_STEP_SEND] = "send",
        [CASE_STEP_NOP] = "nop",     [CASE_STEP_TEXT] = "text",       [CASE_STEP_LOGOUT] = "logout",
        [CASE_STEP_CLOSE] = "close", [CASE_STEP_RESET] = "reset",     [CASE_STEP_HALF_CLOSE] = "half-close",
        [CASE_STEP_WAIT] = "wait",   [CASE_STEP_CONTROL] = "control", [CASE_STEP_FOLLOW] = "follow",
    };

    return names[kind];
}

static void print_edit(const struct case_edit *e)
{
    print_strings("       set ", &e->set);
    print_strings("       add ", &e->add);
    print_strings("       prepend ", &e->prepend);
    print_strings("       drop ", &e->drop);
    for (size_t i = 0; i < e->header_count; i++) {
        printf("       header %s = %s\n", e->header[i].name, e->header[i].value);
    }
    if (e->text != NULL) {
        printf("       the whole text is replaced\n");
    }
    if (e->pad_len > 0 || e->bytes_count > 0) {
        printf("       raw bytes are changed\n");
    }
}

static void print_login(const struct case_login *login)
{
    printf(" %s, base %s%s%s\n", login->as, case_base_name(login->base), login->of[0] != '\0' ? " of " : "", login->of);
    for (size_t i = 0; i < login->edit_count; i++) {
        print_edit(&login->edits[i]);
    }
}

static void print_expect(const struct case_expect *e)
{
    printf(" on %s:%s%s%s%s\n", e->on, e->rule != NULL ? " rule " : "", e->rule != NULL ? e->rule : "",
           e->ffp ? " the login completes" : "", e->then == CASE_END_CLOSED ? ", then the target closes" : "");
    if (e->entry != NULL) {
        explain_wrapped("       ", e->entry->text);
        print_outcomes("       allowed: ", e->any.count > 0 ? &e->any : &e->entry->expected);
    } else {
        print_outcomes("       allowed: ", &e->any);
    }
    print_strings("       keys ", &e->keys);
    if (e->alive >= 0) {
        printf("       the connection %s\n", e->alive ? "still answers" : "is gone");
    }
}

static void print_steps(const struct case_def *c)
{
    printf("\nSteps:\n");
    for (size_t i = 0; i < c->step_count; i++) {
        const struct case_step *step = &c->steps[i];

        printf("  %zu. %s", i + 1, step_name(step->kind));
        switch (step->kind) {
        case CASE_STEP_LOGIN:
        case CASE_STEP_FOLLOW:
            print_login(&step->login);
            break;
        case CASE_STEP_EXPECT:
            print_expect(&step->expect);
            break;
        case CASE_STEP_CONTROL:
            printf(" %s\n", step->control_do);
            break;
        case CASE_STEP_WAIT:
            printf(" %d ms\n", step->wait_ms);
            break;
        default:
            printf(" on %s\n", step->on);
            break;
        }
    }
}

static void explain_case(const struct case_def *c)
{
    printf("%s: %s\n", c->id, c->title);
    printf("%s:%d\n\n", c->at.file, c->at.line);
    if (c->code >= 0) {
        printf("Code:      0x%04x %s\n", (unsigned)c->code, status_name_or_class((unsigned)c->code));
    }
    print_strings("Proves:    ", &c->proves);
    for (size_t i = 0; i < c->need_count; i++) {
        print_strings("Needs:     ", &c->needs[i].conditions);
    }
    print_strings("Caught by: ", &c->caught_by);
    print_steps(c);
}

static int unknown(const struct cli *cli, const char *word)
{
    size_t room = cli->cases.count + cli->rules->count + STATUS_COUNT;
    const char **names = calloc(room, sizeof(*names));
    const char *best = NULL;
    size_t count = 0;
    int status;

    if (names != NULL) {
        for (size_t i = 0; i < STATUS_COUNT; i++) {
            names[count++] = status_at(i)->name;
        }
        for (size_t i = 0; i < cli->rules->count; i++) {
            names[count++] = cli->rules->rules[i].id;
        }
        for (size_t i = 0; i < cli->cases.count; i++) {
            names[count++] = cli->cases.cases[i].id;
        }
        best = suggest_nearest(word, names, count);
    }
    status =
        cli_fail(EXIT_USAGE, "explain '%s': no status code (0x and up to 4 hex digits), rule or case; %s%s", word,
                 best != NULL ? "did you mean " : "see iscsispec list codes|cases|rules", best != NULL ? best : "");
    free(names);
    return status;
}

int cli_explain(struct cli *cli)
{
    const char *word = cli->options.words.count > 0 ? cli->options.words.items[0] : "";
    const struct rule *rule;
    const struct case_def *c;
    int status;

    if (word[0] == '\0') {
        return cli_fail(EXIT_USAGE, "explain: what? A code (0x0203), a rule (L-TSIH-003) or a case");
    }
    if (explain_number(word)) {
        return 0;
    }
    if (status_find_text(word) != NULL) {
        explain_known(status_find_text(word));
        return 0;
    }
    status = cli_load_cases(cli);
    if (status != 0) {
        return status;
    }
    rule = catalogue_find(cli->rules, word);
    c = case_list_find(&cli->cases, word);
    if (rule == NULL && c == NULL) {
        return unknown(cli, word);
    }
    if (rule != NULL) {
        explain_rule(&cli->cases, rule);
    } else {
        explain_case(c);
    }
    return 0;
}
