/* The backing files of targets; see store.h. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 512 };

struct store_file {
    int descriptor;     /* -1: the target has no file */
    dev_t device;
    ino_t inode;
};

struct store {
    const struct config *config;
    struct store_file *files;       /* one a target */
};

/* Opens path; *size is that of the file or device. Returns NULL, or why it cannot be used. */
static const char *open_file(const char *path, struct store_file *file, uint64_t *size)
{
    struct stat status;
    off_t end;
    int descriptor = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);

    if (descriptor < 0)
        return strerror(errno);
    if (fstat(descriptor, &status) != 0 || (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))) {
        close(descriptor);
        return "it is neither a file nor a block device";
    }
    end = lseek(descriptor, 0, SEEK_END);
    if (end < BLOCK) {
        close(descriptor);
        return "it is shorter than one block of 512 bytes; make it with truncate -s 64M FILE";
    }
    *file = (struct store_file){descriptor, status.st_dev, status.st_ino};
    *size = (uint64_t)end - (uint64_t)end % BLOCK;
    return NULL;
}

struct store *store_open(struct config *config, size_t *bad, char *reason, size_t reason_size)
{
    struct store *store = calloc(1, sizeof *store);
    const char *problem = "out of memory";

    *bad = 0;
    if (store != NULL)
        store->files = calloc(config->target_count + 1, sizeof *store->files);
    if (store == NULL || store->files == NULL) {
        snprintf(reason, reason_size, "%s", problem);
        free(store);
        return NULL;
    }
    store->config = config;
    for (size_t i = 0; i < config->target_count; i++)
        store->files[i].descriptor = -1;
    for (size_t i = 0; i < config->target_count; i++) {
        struct config_target *target = &config->targets[i];
        if (target->lun != CONFIG_LUN_FILE)
            continue;
        problem = open_file(target->lun_path, &store->files[i], &target->lun_size);
        if (problem != NULL) {
            *bad = i;
            snprintf(reason, reason_size, "%s", problem);
            store_close(store);
            return NULL;
        }
    }
    return store;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    for (size_t i = 0; i < store->config->target_count; i++)
        if (store->files[i].descriptor >= 0)
            close(store->files[i].descriptor);
    free(store->files);
    free(store);
}

bool store_ok(struct store *store, size_t target)
{
    const struct config_target *config = &store->config->targets[target];
    struct store_file *file = &store->files[target], fresh;
    struct stat status;
    uint64_t size;

    if (config->lun != CONFIG_LUN_FILE)
        return true;
    if (stat(config->lun_path, &status) != 0)
        return false;
    if (status.st_dev == file->device && status.st_ino == file->inode)
        return true;
    if (open_file(config->lun_path, &fresh, &size) != NULL)
        return false;
    if (size != config->lun_size) {
        close(fresh.descriptor);
        return false;
    }
    close(file->descriptor);
    *file = fresh;
    return true;
}

bool store_read(struct store *store, size_t target, uint64_t offset, uint8_t *bytes, size_t length)
{
    while (length > 0) {
        ssize_t got = pread(store->files[target].descriptor, bytes, length, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        bytes += got;
        offset += (uint64_t)got;
        length -= (size_t)got;
    }
    return true;
}

bool store_write(struct store *store, size_t target, uint64_t offset, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        ssize_t put = pwrite(store->files[target].descriptor, bytes, length, (off_t)offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        bytes += put;
        offset += (uint64_t)put;
        length -= (size_t)put;
    }
    return true;
}

bool store_flush(struct store *store, size_t target)
{
    return fdatasync(store->files[target].descriptor) == 0;
}
