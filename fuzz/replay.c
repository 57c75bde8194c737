/*
 * Runs the files (and the files of the folders) that are named through a fuzz entry, and
 * the inputs of a list (--list FILE, fuzz/fixed_list.h), once each: for regressions, for
 * reproducing a finding and for coverage. Exits 0 unless the entry aborts; 2 when a file cannot be read or there is
 * none.
 */
#include "fuzz/entry.h"
#include "fuzz/fixed_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { INPUT_MAX = 16 << 20 };

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    uint8_t *bytes = malloc(INPUT_MAX);
    size_t len = bytes != NULL ? fread(bytes, 1, INPUT_MAX, file) : 0;
    fclose(file);
    /* A copy of exact size, so that the sanitizer sees a read behind the end. */
    uint8_t *exact = malloc(len > 0 ? len : 1);
    if (bytes == NULL || exact == NULL) {
        fprintf(stderr, "%s: out of memory\n", path);
        free(bytes);
        free(exact);
        return -1;
    }
    memcpy(exact, bytes, len);
    free(bytes);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    return 1;
}

static int replay_folder(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    int count = 0;

    if (folder == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    while ((entry = readdir(folder)) != NULL) {
        char name[4096];

        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(name, sizeof name, "%s/%s", path, entry->d_name) >= (int)sizeof name || replay_file(name) < 0) {
            closedir(folder);
            return -1;
        }
        count++;
    }
    closedir(folder);
    return count;
}

/* All inputs of a fixed list. */
static int replay_list(const char *path)
{
    struct fixed_list list = {0};
    int count = 0;

    fixed_list_get(&list, path);
    do {
        const uint8_t *bytes;
        size_t len = fixed_list_view(&list, &bytes);

        LLVMFuzzerTestOneInput(bytes, len);
        count++;
    } while (list.at > 0);
    free(list.bytes);
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;

    for (int i = 1; i < argc; i++) {
        struct stat about;

        if (strcmp(argv[i], "--") == 0)
            continue;
        if (strcmp(argv[i], "--list") == 0 && i + 1 < argc) {
            total += replay_list(argv[++i]);
            continue;
        }
        int count =
            stat(argv[i], &about) == 0 && S_ISDIR(about.st_mode) ? replay_folder(argv[i]) : replay_file(argv[i]);

        if (count < 0)
            return 2;
        total += count;
    }
    if (total == 0) {
        fprintf(stderr, "usage: %s [--list FILE] FILE|FOLDER...: no input\n", argv[0]);
        return 2;
    }
    printf("%d inputs\n", total);
    return 0;
}
