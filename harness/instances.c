#include "harness/instances.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* target.log, target-2.log, ... */
static void log_name(const char *log, size_t number, char *out, size_t out_len)
{
    const char *dot = strrchr(log, '.');
    int stem = dot != NULL ? (int)(dot - log) : (int)strlen(log);

    if (number == 0) {
        snprintf(out, out_len, "%s", log);
    } else {
        snprintf(out, out_len, "%.*s-%zu%s", stem, log, number + 1, dot != NULL ? dot : "");
    }
}

static bool add_instance(struct instances *in, struct profile *first, const char *log, char *err, size_t err_len)
{
    struct load_error problem = {""};
    struct profile *profile = first;
    char path[PATH_MAX];

    if (in->count > 0) {
        profile = profile_load(first->at.file, NULL, &problem);
        if (profile == NULL) {
            snprintf(err, err_len, "%s", problem.text);
            return false;
        }
        in->profiles[in->count] = profile;
    }
    log_name(log, in->count, path, sizeof(path));
    remove(path);
    if (!hooks_init(&in->hooks[in->count], profile, path, err, err_len)) {
        return false;
    }
    in->hooks[in->count].number = (int)in->count + 1;
    in->count++;
    return true;
}

bool instances_init(struct instances *in, struct profile *profile, bool external, const char *log, char *err,
                    size_t err_len)
{
    size_t wanted = external || profile->start == NULL || profile->instances < 1 ? 1 : (size_t)profile->instances;

    in->count = 0;
    in->hooks = calloc(wanted, sizeof(*in->hooks));
    in->profiles = calloc(wanted, sizeof(*in->profiles));
    if (in->hooks == NULL || in->profiles == NULL) {
        snprintf(err, err_len, "out of memory");
        instances_free(in);
        return false;
    }
    while (in->count < wanted) {
        if (!add_instance(in, profile, log, err, err_len)) {
            instances_free(in);
            return false;
        }
        in->hooks[in->count - 1].external = external;
    }
    return true;
}

void instances_free(struct instances *in)
{
    for (size_t i = 0; in->hooks != NULL && i < in->count; i++) {
        hooks_free(&in->hooks[i]);
    }
    for (size_t i = 0; in->profiles != NULL && i < in->count; i++) {
        profile_free(in->profiles[i]);
    }
    free(in->hooks);
    free(in->profiles);
    memset(in, 0, sizeof(*in));
}
