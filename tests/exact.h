#ifndef ISCSISPEC_TESTS_EXACT_H
#define ISCSISPEC_TESTS_EXACT_H

/* Bytes for tests of parsers. To be included after cmocka.h. */
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* A string literal with its inner null bytes, without the one at the end. */
#define BYTES(literal) literal, sizeof(literal) - 1

/* A copy of exactly len bytes, so that a sanitizer sees reads beyond. */
static char *exact(const void *bytes, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);

    assert_non_null(copy);
    memcpy(copy, bytes, len);
    return copy;
}

#endif
