#include "harness/cli/waived.h"

#include "harness/waivers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ENDED_SHOWN = 5, /* of those that ended for one reason */
};

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

/* A target of another version ends all of a file at once: how many of them stand before this one. */
static size_t ended_alike_before(const json_t *entries, size_t index)
{
    const json_t *entry = json_array_get(entries, index);
    size_t count = 0;

    for (size_t i = 0; i < index; i++) {
        const json_t *other = json_array_get(entries, i);

        count += strcmp(result_string(other, "state"), "ended") == 0 &&
                 strcmp(result_string(other, "why"), result_string(entry, "why")) == 0 &&
                 strcmp(result_string(other, "file"), result_string(entry, "file")) == 0;
    }
    return count;
}

static void print_entry(const json_t *entry, const char *what, const char *why)
{
    const json_t *globs = json_object_get(entry, "case");
    char *text;

    globs = json_array_size(globs) > 0 ? globs : json_object_get(entry, "rule");
    text = json_dumps(globs, JSON_COMPACT);
    printf("%s:%d: the waiver of %s %s%s\n", result_string(entry, "file"),
           (int)json_integer_value(json_object_get(entry, "line")), text != NULL ? text : "?", what, why);
    free(text);
}

void waived_print(const struct results *r)
{
    const json_t *entries = json_object_get(r->head, "waivers");
    size_t more = 0;

    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);

        if (strcmp(result_string(entry, "state"), "passed") == 0) {
            print_entry(entry, "is not needed: nothing that it covers failed; take it out", "");
        } else if (strcmp(result_string(entry, "state"), "ended") != 0) {
            continue;
        } else if (ended_alike_before(entries, i) < ENDED_SHOWN) {
            print_entry(entry, "has ended: ", result_string(entry, "why"));
        } else {
            more++;
        }
    }
    if (more > 0) {
        printf("%zu more waivers have ended for the same reason; results.jsonl names them all\n", more);
    }
    if (json_object_get(r->head, "version_trouble") != NULL) {
        printf("the version of the target is not known: %s\n", result_string(r->head, "version_trouble"));
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
