/* Private to the loader of profiles. */
#ifndef HARNESS_PROFILE_READ_H
#define HARNESS_PROFILE_READ_H

#include "harness/profile.h"
#include "harness/schema.h"

#define PROFILE_ARM_MS         5000
#define PROFILE_READY_MS       10000
#define PROFILE_SETUP_MS       10000
#define PROFILE_STOP_MS        5000
#define PROFILE_CLOSE_GRACE_MS 2000
#define PROFILE_SECRET_MAX     4096u
#define PROFILE_INSTANCES_MAX  64

/* The top-level fields; the target is a struct profile with its defaults. */
extern const struct schema_table profile_table;

/* The secret in a file, without the newline at its end. Relative paths start at the profile's folder. */
int profile_read_secret_file(struct schema_reader *r, const struct yaml_node *node, const char *path, char **out);

#endif
