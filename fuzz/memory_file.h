/* An input as a file without a disk, for loaders that take paths. */
#ifndef FUZZ_MEMORY_FILE_H
#define FUZZ_MEMORY_FILE_H

#include <stddef.h>
#include <stdint.h>

struct memory_file {
    int fd;
    char path[64];
};

/* Makes the file. Ends the process when the system does not let it: nothing would be tested. */
void memory_file_open(struct memory_file *file, const uint8_t *data, size_t size);
void memory_file_close(struct memory_file *file);

#endif
