/*
 * Lets the n-th allocation of a program fail: for tests linked with -Wl,--wrap of malloc, calloc, realloc, strdup and
 * open_memstream (alloc_fail in tests/CMakeLists.txt). What libraries allocate inside is not counted, but for jansson
 * when it is told to.
 */
#ifndef ISCSISPEC_TESTS_ALLOC_FAIL_H
#define ISCSISPEC_TESTS_ALLOC_FAIL_H

#include <stddef.h>

/* Starts counting; the allocation with this number fails. 0: none does. */
void alloc_fail_at(size_t number);

/* How many there were since, and stops. */
size_t alloc_fail_stop(void);

/* Counts what jansson allocates as well, from now on. */
void alloc_fail_jansson(void);

#endif
