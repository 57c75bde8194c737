/* Makes a fixed list for measurements (fuzz/fixed_list.h) out of files: make_list OUT FILE... */
#include "wire/bytes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { INPUT_MAX = 1 << 16 };

int main(int argc, char **argv)
{
    static uint8_t bytes[4 + INPUT_MAX];
    FILE *out = argc > 2 ? fopen(argv[1], "wb") : NULL;

    if (out == NULL) {
        fprintf(stderr, argc > 2 ? "%s: %s\n" : "usage: %s OUT FILE...\n", argv[argc > 2], strerror(errno));
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        size_t len = file != NULL ? fread(bytes + 4, 1, INPUT_MAX, file) : 0;

        bytes_put_be32(bytes, (uint32_t)len);
        if (len == 0 || fwrite(bytes, 1, 4 + len, out) != 4 + len) {
            fprintf(stderr, "%s: %s\n", argv[i],
                    file == NULL ? strerror(errno) : "empty, or cannot be written to the list");
            return 2;
        }
        fclose(file);
    }
    return fclose(out) == 0 ? 0 : 2;
}
