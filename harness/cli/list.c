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
    (void)cli;
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        const struct status_entry *s = status_at(i);

        printf("0x%04x  %-28s %s\n", (unsigned)s->code, s->name, status_class_name(status_class(s->code)));
    }
    return 0;
}

static int list_cases(struct cli *cli)
{
    const struct options *o = &cli->options;
    int status = cli_load_cases(cli);
    size_t shown = 0;

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
        if (taken == 0) {
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

static size_t cases_of_rule(const struct case_list *cases, const char *id)
{
    size_t count = 0;

    for (size_t i = 0; i < cases->count; i++) {
        for (size_t k = 0; k < cases->cases[i].proves.count; k++) {
            count += strcmp(cases->cases[i].proves.items[k], id) == 0;
        }
    }
    return count;
}

static int list_rules(struct cli *cli)
{
    int status = cli_load_cases(cli);

    if (status != 0) {
        return status;
    }
    for (size_t i = 0; i < cli->rules->count; i++) {
        const struct rule *rule = &cli->rules->rules[i];

        printf("%-14s %-10s %-4s %-7s %3zu cases  %s\n", rule->id, rule_level_name(rule->level),
               rule_severity_name(rule->severity), is_audited(rule->id) ? "audited" : "",
               cases_of_rule(&cli->cases, rule->id), rule->section);
    }
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
