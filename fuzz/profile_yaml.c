/*
 * Fuzz entry: a profile. Beyond crashes: what cannot be loaded is told with a reason, and in what can be loaded each
 * condition is found by its name and stands on a portal that is there.
 */
#include "fuzz/entry.h"
#include "fuzz/memory_file.h"
#include "harness/profile.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct load_error err = {{0}};
    struct memory_file file;

    memory_file_open(&file, data, size);
    struct profile *profile = profile_load(file.path, "", &err);

    if (profile == NULL && err.text[0] == '\0')
        abort();
    for (size_t i = 0; profile != NULL && i < profile->condition_count; i++) {
        const struct profile_condition *condition = &profile->conditions[i];

        if (profile_condition_find(profile, condition->name) == NULL ||
            (condition->portal != NULL && profile_portal_find(profile, condition->portal) == NULL))
            abort();
    }
    profile_free(profile);
    memory_file_close(&file);
    return 0;
}
