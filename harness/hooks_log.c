/* What the target writes, looked through for words that mean a crash. */
#include "harness/hooks_private.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    HOOKS_LOG_LINE_MAX = 4096, /* of a longer line only the beginning is looked at */
};

/* The file of the profile's `log`, else the one that takes the target's output. Empty: none. */
static void log_path(const struct hooks *h, char *out, size_t out_len)
{
    char ignored[64];
    char *path = h->profile->log != NULL ? hooks_expand(h, h->profile->log, ignored, sizeof(ignored)) : NULL;

    snprintf(out, out_len, "%s", path != NULL ? path : h->log);
    free(path);
}

void hooks_log_skip(struct hooks *h)
{
    char path[PATH_MAX];
    struct stat info;

    log_path(h, path, sizeof(path));
    h->log_seen = stat(path, &info) == 0 ? (long)info.st_size : 0;
}

/* Reads whole lines from where the last look ended. True at the first that matches. */
static bool look_through(struct hooks *h, FILE *file, const regex_t *pattern, char *line, size_t line_len)
{
    char text[HOOKS_LOG_LINE_MAX];
    bool found = false;

    while (!found && fgets(text, sizeof(text), file) != NULL) {
        size_t len = strcspn(text, "\r\n");

        if (text[len] == '\0' && len + 1 < sizeof(text)) {
            break; /* still being written */
        }
        h->log_seen = ftell(file);
        text[len] = '\0';
        if (regexec(pattern, text, 0, NULL, 0) == 0) {
            snprintf(line, line_len, "%s", text);
            found = true;
        }
    }
    return found;
}

bool hooks_log_tells_crash(struct hooks *h, char *line, size_t line_len)
{
    char path[PATH_MAX];
    struct stat info;
    regex_t pattern;
    FILE *file;
    bool found;

    if (h->profile->crash == NULL || h->external) {
        return false;
    }
    log_path(h, path, sizeof(path));
    if (stat(path, &info) != 0) {
        return false;
    }
    if (info.st_size < h->log_seen) {
        h->log_seen = 0; /* a new one in its place */
    }
    if (info.st_size == h->log_seen) {
        return false;
    }
    file = fopen(path, "re");
    if (file == NULL || regcomp(&pattern, h->profile->crash, REG_EXTENDED | REG_NOSUB) != 0) {
        if (file != NULL) {
            fclose(file);
        }
        return false;
    }
    found = fseek(file, h->log_seen, SEEK_SET) == 0 && look_through(h, file, &pattern, line, line_len);
    regfree(&pattern);
    fclose(file);
    return found;
}
