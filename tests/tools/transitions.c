/*
 * Sums what tests of the engine counted in the login table and prints the rows: how often each was taken.
 *
 * usage: transitions FOLDER...: of files with lines ROW COUNT, as engine_peer writes them. Exit status: 1 when a row
 * was never taken.
 */
#include "reference_target/node.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Adds the lines of one file. False: it is not of that form. */
static bool add_file(const char *path, uint64_t *sums)
{
    FILE *file = fopen(path, "r");
    unsigned long long hits;
    size_t row;
    int got = 0;

    if (file == NULL)
        return false;
    while ((got = fscanf(file, "%zu %llu", &row, &hits)) == 2 && row < node_transition_count())
        sums[row] += hits;
    fclose(file);
    return got == EOF;
}

static bool add_folder(const char *folder, uint64_t *sums)
{
    DIR *entries = opendir(folder);
    bool good = entries != NULL;

    for (struct dirent *entry; good && (entry = readdir(entries)) != NULL;) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        good = add_file(path, sums);
        if (!good)
            fprintf(stderr, "transitions: %s: not a line ROW COUNT each\n", path);
    }
    if (entries != NULL)
        closedir(entries);
    return good;
}

int main(int argc, char **argv)
{
    uint64_t *sums = calloc(node_transition_count(), sizeof *sums);
    size_t taken = 0;
    int result = 0;

    for (int i = 1; sums != NULL && i < argc; i++)
        if (!add_folder(argv[i], sums))
            result = 2;
    if (sums == NULL || argc < 2 || result != 0) {
        free(sums);
        fputs("usage: transitions FOLDER...\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < node_transition_count(); i++) {
        printf("%12llu  %s\n", (unsigned long long)sums[i], node_transition_text(i));
        taken += sums[i] > 0;
    }
    printf("transitions: %zu of %zu (%.1f%%)\n", taken, node_transition_count(),
           100.0 * (double)taken / (double)node_transition_count());
    free(sums);
    return taken == node_transition_count() ? 0 : 1;
}
