/* Making directories. */
#ifndef HARNESS_FOLDER_H
#define HARNESS_FOLDER_H

/* Makes the directory and what is missing above it. Returns 0 when it is there, else -1 with errno. */
int folder_make(const char *path);

#endif
