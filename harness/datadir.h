/*
 * Where the shipped data lies: cases, profiles, the catalogue, the published kill table. After installation beside the
 * binary; in a build tree the source tree.
 */
#ifndef HARNESS_DATADIR_H
#define HARNESS_DATADIR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct datadir {
    char binary_dir[PATH_MAX];   /* folder of our own executable */
    char profiles[PATH_MAX];     /* what profile_load() takes as data directory */
    char cases[PATH_MAX];        /* the folder with the subjects */
    char requirements[PATH_MAX]; /* the catalogue */
    char defects[PATH_MAX];      /* what each defect may wake */
    char kill_table[PATH_MAX];   /* published kill table, may not exist */
};

/* $ISCSISPEC_DATA, else ../share/iscsispec of the binary, else the source tree. False with text in err: none of them.
 */
bool datadir_find(struct datadir *out, char *err, size_t err_len);

/* Path of the executable `name`: beside our own, else on PATH. False when it is nowhere. */
bool datadir_find_binary(const struct datadir *data, const char *name, char *out, size_t out_len);

#endif
