/* Making and clearing directories. */
#ifndef HARNESS_FOLDER_H
#define HARNESS_FOLDER_H

/* Makes the directory and what is missing above it. Returns 0 when it is there, else -1 with errno. */
int folder_make(const char *path);

/* Removes the files in the directory whose names end in one of the suffixes (NULL-terminated list). Returns 0, else -1
 * with errno; a directory that is not there is empty. */
int folder_clear(const char *path, const char *const *suffixes);

#endif
