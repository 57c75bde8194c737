/* A fixed list of inputs: see fixed_list.h. */
#include "fuzz/fixed_list.h"

#include "wire/bytes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 16 << 20, HEAD = 4 };

static bool well_formed(const struct fixed_list *list)
{
    size_t at = 0;

    while (list->len - at >= HEAD) {
        size_t len = bytes_get_be32(list->bytes + at);

        if (len > list->len - at - HEAD)
            return false;
        at += HEAD + len;
    }
    return list->len > 0 && at == list->len;
}

bool fixed_list_get(struct fixed_list *list, const char *path)
{
    if (list->bytes != NULL)
        return true;
    if (path == NULL)
        return false;
    FILE *file = fopen(path, "rb");

    list->bytes = malloc(LIST_MAX);
    if (file != NULL && list->bytes != NULL)
        list->len = fread(list->bytes, 1, LIST_MAX, file);
    if (file == NULL || !well_formed(list)) {
        fprintf(stderr, "%s: %s\n", path, file == NULL ? strerror(errno) : "not a list of inputs");
        exit(2);
    }
    fclose(file);
    return true;
}

size_t fixed_list_view(struct fixed_list *list, const uint8_t **bytes)
{
    size_t len = bytes_get_be32(list->bytes + list->at);

    *bytes = list->bytes + list->at + HEAD;
    list->at += HEAD + len;
    if (list->at == list->len)
        list->at = 0;
    return len;
}

size_t fixed_list_next(struct fixed_list *list, uint8_t *out, size_t cap)
{
    const uint8_t *bytes;
    size_t len = fixed_list_view(list, &bytes), take = len < cap ? len : cap;

    memcpy(out, bytes, take);
    return take;
}
