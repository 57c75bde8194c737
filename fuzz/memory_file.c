/* An input as a file: see memory_file.h. */
#include "fuzz/memory_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void memory_file_open(struct memory_file *file, const uint8_t *data, size_t size)
{
    file->fd = memfd_create("input", MFD_CLOEXEC);
    if (file->fd < 0 || (size > 0 && write(file->fd, data, size) != (ssize_t)size) ||
        lseek(file->fd, 0, SEEK_SET) != 0) {
        perror("memfd_create");
        exit(2);
    }
    snprintf(file->path, sizeof file->path, "/proc/self/fd/%d", file->fd);
}

void memory_file_close(struct memory_file *file)
{
    close(file->fd);
}
