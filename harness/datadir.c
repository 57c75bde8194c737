#include "harness/datadir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef ISCSISPEC_SOURCE_DIR
#define ISCSISPEC_SOURCE_DIR ""
#endif

static bool join(char *out, size_t out_len, const char *left, const char *right)
{
    int len = snprintf(out, out_len, "%s/%s", left, right);

    return len > 0 && (size_t)len < out_len;
}

static bool is_file(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static void find_own_binary(char *out, size_t out_len)
{
    ssize_t len = readlink("/proc/self/exe", out, out_len - 1);
    char *slash;

    out[len > 0 ? len : 0] = '\0';
    slash = strrchr(out, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
}

/* Fills the paths for a root; true when the catalogue is really there. */
static bool try_root(struct datadir *out, const char *root, const char *published)
{
    char folder[PATH_MAX];

    return root[0] != '\0' && join(out->cases, sizeof(out->cases), root, "cases") &&
           join(out->requirements, sizeof(out->requirements), out->cases, "requirements.yaml") &&
           snprintf(out->profiles, sizeof(out->profiles), "%s", root) > 0 &&
           join(out->defects, sizeof(out->defects), out->cases, "defects.yaml") &&
           join(folder, sizeof(folder), root, published) &&
           join(out->kill_table, sizeof(out->kill_table), folder, "kill-table.json") && is_file(out->requirements);
}

/* A root looks like the source tree or like an installed share folder. */
static bool try_both(struct datadir *out, const char *root)
{
    return (try_root(out, root, "reports/published") && is_file(out->kill_table)) || try_root(out, root, "published");
}

bool datadir_find(struct datadir *out, char *err, size_t err_len)
{
    const char *forced = getenv("ISCSISPEC_DATA");
    char share[PATH_MAX];

    memset(out, 0, sizeof(*out));
    find_own_binary(out->binary_dir, sizeof(out->binary_dir));
    if (forced != NULL && forced[0] != '\0') {
        if (try_both(out, forced)) {
            return true;
        }
        snprintf(err, err_len, "ISCSISPEC_DATA=%s: no cases/requirements.yaml there; point it at a folder that has it",
                 forced);
        return false;
    }
    if (join(share, sizeof(share), out->binary_dir, "../share/iscsispec") && try_both(out, share)) {
        return true;
    }
    if (try_root(out, ISCSISPEC_SOURCE_DIR, "reports/published")) {
        return true;
    }
    snprintf(err, err_len,
             "no data found: neither %s nor the source tree has cases/requirements.yaml; "
             "set ISCSISPEC_DATA to a folder that has it",
             share);
    return false;
}

bool datadir_find_binary(const struct datadir *data, const char *name, char *out, size_t out_len)
{
    const char *path = getenv("PATH");
    char folder[PATH_MAX];

    if (join(out, out_len, data->binary_dir, name) && access(out, X_OK) == 0) {
        return true;
    }
    /* In a build tree the target lies in a folder of its own beside ours. */
    if (join(folder, sizeof(folder), data->binary_dir, "../reference_target") && join(out, out_len, folder, name) &&
        access(out, X_OK) == 0) {
        return true;
    }
    while (path != NULL && *path != '\0') {
        size_t len = strcspn(path, ":");

        if (len > 0 && len < sizeof(folder)) {
            memcpy(folder, path, len);
            folder[len] = '\0';
            if (join(out, out_len, folder, name) && access(out, X_OK) == 0) {
                return true;
            }
        }
        path += len + (path[len] == ':');
    }
    out[0] = '\0';
    return false;
}
