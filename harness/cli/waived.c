#include "harness/cli/waived.h"

#include "harness/waivers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *waived_load(const struct cli *cli, const struct profile *profile)
{
    const struct options_list *given = &cli->options.waivers;
    /* Own cases need not have all that a shipped file speaks of. */
    const struct case_list *cases = cli->options.cases.count > 0 ? NULL : &cli->cases;
    json_t *entries = json_array();
    struct load_error err = {""};
    int rc = 0;

    for (size_t i = 0; i < profile->waivers.count && rc == 0; i++) {
        rc = waivers_load(profile->waivers.items[i], cases, cli->rules, entries, &err);
    }
    for (size_t i = 0; i < given->count && rc == 0; i++) {
        rc = waivers_load(given->items[i], cases, cli->rules, entries, &err);
    }
    if (rc == 0) {
        return entries;
    }
    json_decref(entries);
    cli_fail(0, "%s", err.text);
    return NULL;
}

void waived_print(const struct results *r)
{
    const json_t *entries = json_object_get(r->head, "waivers");

    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        const char *state = json_string_value(json_object_get(entry, "state"));
        const char *file = json_string_value(json_object_get(entry, "file"));
        const char *why = json_string_value(json_object_get(entry, "why"));
        bool ended = state != NULL && strcmp(state, "ended") == 0;
        json_t *first = json_object_get(entry, "case");
        char *globs;

        if (!ended && (state == NULL || strcmp(state, "passed") != 0)) {
            continue;
        }
        first = json_array_size(first) > 0 ? first : json_object_get(entry, "rule");
        globs = json_dumps(first, JSON_COMPACT);
        printf("%s:%d: the waiver of %s %s%s\n", file != NULL ? file : "?",
               (int)json_integer_value(json_object_get(entry, "line")), globs != NULL ? globs : "?",
               ended ? "has ended: " : "is not needed: nothing that it covers failed; take it out",
               ended && why != NULL ? why : "");
        free(globs);
    }
}

int waived_update(const char *out, const struct results *r)
{
    char path[PATH_MAX], today[WAIVERS_DATE_LEN];
    FILE *file;
    int rc;

    snprintf(path, sizeof(path), "%s/waivers.yaml", out);
    waivers_today(today);
    file = fopen(path, "we");
    rc = file != NULL ? waivers_update(file, r, today) : -1;
    if (file == NULL || fclose(file) != 0 || rc != 0) {
        return cli_fail(EXIT_FAULT, "%s: %s", path, strerror(errno));
    }
    printf("waivers for review: %s\n", path);
    return 0;
}
