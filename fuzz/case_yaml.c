/*
 * Fuzz entry: a file of cases. Beyond crashes: what cannot be loaded is told with a position and a reason, and what can
 * be loaded has ids, and hashes that are its own.
 */
#include "fuzz/entry.h"
#include "fuzz/memory_file.h"
#include "harness/case.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The catalogue beside the program (as on OSS-Fuzz), or that of the source tree. */
static struct catalogue *load_rules(void)
{
    char path[PATH_MAX + 32], self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    struct load_error err;
    struct catalogue *rules;

    self[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(self, '/');

    if (slash != NULL)
        *slash = '\0';
    snprintf(path, sizeof path, "%s/requirements.yaml", self);
    rules = catalogue_load(access(path, R_OK) == 0 ? path : ISCSISPEC_SOURCE_DIR "/cases/requirements.yaml", &err);
    if (rules == NULL) {
        fprintf(stderr, "%s\n", err.text);
        exit(2);
    }
    return rules;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct catalogue *rules; /* the same for all inputs; loading it takes longer than any of them */
    struct load_error err = {{0}};
    struct case_list list = {0};
    struct memory_file file;

    if (rules == NULL)
        rules = load_rules();
    memory_file_open(&file, data, size);
    const char *paths[] = {file.path};

    if (case_list_load(&list, paths, 1, rules, &err) != 0) {
        if (err.text[0] == '\0')
            abort();
    } else {
        for (size_t i = 0; i < list.count; i++)
            if (list.cases[i].id == NULL || case_list_find(&list, list.cases[i].id) != &list.cases[i])
                abort();
        case_list_free(&list);
    }
    memory_file_close(&file);
    return 0;
}
