#include "bad_inputs.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The text behind "# error: " with the file's name filled in, and "FILE:" in front. */
static void read_expectation(const char *path, const char *dir, char *out, size_t cap)
{
    static const char mark[] = "# error: ";
    char line[1024] = "";
    FILE *f = fopen(path, "r");
    char *at;
    size_t used;

    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    fclose(f);
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, mark, sizeof mark - 1) != 0)
        fail_msg("%s: the first line is no \"# error: ...\"", path);
    used = (size_t)snprintf(out, cap, "%s:", path);
    for (at = line + sizeof mark - 1; *at && used + 1 < cap; at++) {
        const char *word = strncmp(at, "@DIR", 4) == 0 ? dir : *at == '@' ? path : NULL;

        if (!word) {
            out[used++] = *at;
            continue;
        }
        used += (size_t)snprintf(out + used, cap - used, "%s", word);
        at += word == dir ? 3 : 0;
    }
    out[used] = '\0';
}

int bad_inputs_check(const char *folder, bad_load_fn *load)
{
    struct dirent **entries = NULL;
    char dir[512];
    int n, count = 0;

    snprintf(dir, sizeof dir, "%s/tests/bad/%s", ISCSISPEC_SOURCE_DIR, folder);
    n = scandir(dir, &entries, NULL, alphasort);
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        struct load_error err = {{0}};
        char path[1024], expected[2048];

        snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name);
        free(entries[i]);
        if (strcmp(path + strlen(path) - 1, ".") == 0)
            continue;
        read_expectation(path, dir, expected, sizeof expected);
        if (load(path, &err) == 0)
            fail_msg("%s: was accepted, expected %s", path, expected);
        if (strncmp(err.text, expected, strlen(expected)) != 0)
            fail_msg("%s:\n  said     %s\n  expected %s", path, err.text, expected);
        count++;
    }
    free(entries);
    return count;
}
