#include "harness/audit.h"
#include "harness/cli/cli.h"
#include "harness/cli/suggest.h"
#include "harness/profile.h"
#include "wire/status.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int list_codes(struct cli *cli)
{
    int width = 0;

    (void)cli;
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        int len = (int)strlen(status_at(i)->name);

        width = len > width ? len : width;
    }
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        const struct status_entry *s = status_at(i);

        printf("0x%04x  %-*s  %s\n", (unsigned)s->code, width, s->name, status_class_name(status_class(s->code)));
    }
    return 0;
}

static int list_cases(struct cli *cli)
{
    const struct options *o = &cli->options;
    struct rule_floor floor;
    int status = cli_floor(o, &floor);
    size_t shown = 0;

    if (status == 0) {
        status = cli_load_cases(cli);
    }
    if (status != 0) {
        return status;
    }
    for (size_t i = 0; i < cli->cases.count; i++) {
        const struct case_def *c = &cli->cases.cases[i];
        struct load_error err = {""};
        int taken = case_selected(c, cli->rules, o->select.items, o->select.count, &err);
        char code[16] = "";

        if (taken < 0) {
            return cli_fail(EXIT_USAGE, "--select: %s", err.text);
        }
        if (taken == 0 || !case_counts(c, cli->rules, &floor)) {
            continue;
        }
        if (c->code >= 0) {
            snprintf(code, sizeof(code), "0x%04x", (unsigned)c->code);
        }
        printf("%-6s  %-44s %s\n", code, c->id, c->title);
        shown++;
    }
    fprintf(stderr, "%zu of %zu cases\n", shown, cli->cases.count);
    return shown > 0 ? 0 : cli_fail(EXIT_NOTHING, "nothing was selected");
}

static bool is_audited(const char *id)
{
    size_t count;
    const struct audit_rule *rules = audit_rules(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(rules[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static bool proves(const struct case_def *c, const char *rule)
{
    for (size_t i = 0; i < c->proves.count; i++) {
        if (strcmp(c->proves.items[i], rule) == 0) {
            return true;
        }
    }
    return false;
}

/* Names that stand in the list already are not added. Returns the new number of them. */
static size_t add_name(const char **names, size_t count, size_t room, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return count;
        }
    }
    if (count < room) {
        names[count++] = name;
    }
    return count;
}

enum { DEFECTS_SHOWN_MAX = 256 };

/* What the rule rests on: cases that prove it, and the defects that these name. */
struct rule_proof {
    size_t cases, defects;
    const char *names[DEFECTS_SHOWN_MAX];
};

static void find_proof(const struct case_list *cases, const char *rule, struct rule_proof *out)
{
    out->cases = 0;
    out->defects = 0;
    for (size_t i = 0; i < cases->count; i++) {
        const struct case_def *c = &cases->cases[i];

        if (!proves(c, rule)) {
            continue;
        }
        out->cases++;
        for (size_t k = 0; k < c->caught_by.count; k++) {
            out->defects = add_name(out->names, out->defects, DEFECTS_SHOWN_MAX, c->caught_by.items[k]);
        }
    }
}

/* The catalogue's word, else what the rule is judged by here. */
static const char *kind_of(const struct rule *rule, size_t cases)
{
    if (rule->kind != RULE_KIND_UNSAID) {
        return rule_kind_name(rule->kind);
    }
    if (is_audited(rule->id)) {
        return "audited";
    }
    return cases > 0 ? rule_kind_name(RULE_KIND_STIMULUS) : "";
}

static int list_rules(struct cli *cli)
{
    struct rule_floor floor;
    int status = cli_floor(&cli->options, &floor);
    size_t shown = 0;

    if (status == 0) {
        status = cli_load_cases(cli);
    }
    if (status != 0) {
        return status;
    }
    printf("%-16s %-10s %-8s %-9s %5s %7s  %s\n", "rule", "level", "severity", "kind", "cases", "defects", "section");
    for (size_t i = 0; i < cli->rules->count; i++) {
        const struct rule *rule = &cli->rules->rules[i];
        struct rule_proof proof;

        if (!rule_counts(rule, &floor)) {
            continue;
        }
        find_proof(&cli->cases, rule->id, &proof);
        printf("%-16s %-10s %-8s %-9s %5zu %7zu  %s\n", rule->id, rule_level_name(rule->level),
               rule_severity_name(rule->severity), kind_of(rule, proof.cases), proof.cases, proof.defects,
               rule->section);
        shown++;
    }
    fflush(stdout); /* so that the number stands behind the list where both go to one place */
    fprintf(stderr, "%zu of %zu rules\n", shown, cli->rules->count);
    return 0;
}

static int list_conditions(struct cli *cli)
{
    (void)cli;
    for (const struct case_condition *c = case_conditions; c->name != NULL; c++) {
        printf("%-22s %s\n", c->name, c->meaning);
    }
    return 0;
}

static int is_profile(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".yaml") == 0;
}

static int list_profiles(struct cli *cli)
{
    struct dirent **entries = NULL;
    char folder[PATH_MAX + 16];
    int status = cli_find_data(cli);
    int count;

    if (status != 0) {
        return status;
    }
    snprintf(folder, sizeof(folder), "%s/profiles", cli->data.cases);
    count = scandir(folder, &entries, is_profile, alphasort);
    for (int i = 0; i < count; i++) {
        struct load_error err = {""};
        struct profile *profile;

        entries[i]->d_name[strlen(entries[i]->d_name) - 5] = '\0';
        profile = profile_load(entries[i]->d_name, cli->data.profiles, &err);
        printf("%-12s %s\n", entries[i]->d_name,
               profile == NULL ? err.text : (profile->title != NULL ? profile->title : ""));
        profile_free(profile);
        free(entries[i]);
    }
    free(entries);
    return count >= 0 ? 0 : cli_fail(EXIT_FAULT, "%s: cannot be read", folder);
}

int cli_list(struct cli *cli)
{
    static const char *const names[] = {"cases", "codes", "profiles", "rules", "conditions"};
    static int (*const lists[])(struct cli *) = {list_cases, list_codes, list_profiles, list_rules, list_conditions};
    const char *what = cli->options.words.count > 0 ? cli->options.words.items[0] : "";
    const char *best;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], what) == 0) {
            return lists[i](cli);
        }
    }
    best = suggest_nearest(what, names, sizeof(names) / sizeof(names[0]));
    return cli_fail(EXIT_USAGE, "list '%s': there are cases, codes, profiles, rules and conditions%s%s", what,
                    best != NULL ? "; did you mean " : "", best != NULL ? best : "");
}
