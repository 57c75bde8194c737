#include "harness/folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int folder_make(const char *path)
{
    char part[PATH_MAX];
    size_t len = strlen(path);
    struct stat info;

    if (len == 0 || len >= sizeof(part)) {
        errno = len == 0 ? ENOENT : ENAMETOOLONG;
        return -1;
    }
    for (size_t i = 1; i <= len; i++) {
        if (path[i] == '/' || path[i] == '\0') {
            snprintf(part, sizeof(part), "%.*s", (int)i, path);
            if (mkdir(part, 0777) != 0 && errno != EEXIST) {
                return -1;
            }
        }
    }
    if (stat(path, &info) == 0 && !S_ISDIR(info.st_mode)) {
        errno = ENOTDIR;
        return -1;
    }
    return 0;
}

static bool ends_in(const char *name, const char *const *suffixes)
{
    size_t len = strlen(name);

    for (; *suffixes != NULL; suffixes++) {
        size_t suffix = strlen(*suffixes);

        if (len > suffix && strcmp(name + len - suffix, *suffixes) == 0) {
            return true;
        }
    }
    return false;
}

int folder_clear(const char *path, const char *const *suffixes)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    int rc = 0;

    if (folder == NULL) {
        return errno == ENOENT ? 0 : -1;
    }
    while (rc == 0 && (entry = readdir(folder)) != NULL) {
        if (ends_in(entry->d_name, suffixes) && unlinkat(dirfd(folder), entry->d_name, 0) != 0 && errno != ENOENT) {
            rc = -1;
        }
    }
    closedir(folder);
    return rc;
}
