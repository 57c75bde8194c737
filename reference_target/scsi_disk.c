/* Stores; see scsi_disk.h. */
#include "scsi_disk.h"

#include <string.h>

enum { DISK_PART = 64 * 1024 };

struct disk {
    size_t count;
    uint8_t *parts[];               /* NULL: never written, zeros */
};

uint64_t scsi_disk_size(const struct node *node, size_t target)
{
    uint64_t size = node->config->targets[target].lun_size;

    return (size == 0 ? SCSI_DISK_DEFAULT : size) / SCSI_BLOCK * SCSI_BLOCK;
}

static bool disk_is_file(const struct node *node, size_t target)
{
    return node->config->targets[target].lun == CONFIG_LUN_FILE;
}

/* The RAM disk of a target, made when it is first written. NULL: no memory, or not made and make is false. */
static struct disk *disk_of(struct node *node, size_t target, bool make)
{
    struct node_target *state = &node->targets[target];

    if (state->disk == NULL && make) {
        size_t count = (size_t)((scsi_disk_size(node, target) + DISK_PART - 1) / DISK_PART);

        if (count > (SIZE_MAX - sizeof(struct disk)) / sizeof(uint8_t *))
            return NULL;
        state->disk = node_allocate(node, sizeof(struct disk) + count * sizeof(uint8_t *));
        if (state->disk != NULL)
            state->disk->count = count;
    }
    return state->disk;
}

bool scsi_disk_read(struct node *node, size_t target, uint64_t offset, uint8_t *bytes, size_t length)
{
    if (node->targets[target].fault)
        return false;
    if (disk_is_file(node, target))
        return node->env.store_read != NULL &&
               node->env.store_read(node->env.context, target, offset, bytes, length);
    const struct disk *disk = disk_of(node, target, false);

    while (length > 0) {
        size_t part = (size_t)(offset / DISK_PART);
        size_t at = (size_t)(offset % DISK_PART);
        size_t run = DISK_PART - at < length ? DISK_PART - at : length;

        if (disk == NULL || disk->parts[part] == NULL)
            memset(bytes, 0, run);
        else
            memcpy(bytes, disk->parts[part] + at, run);
        bytes += run;
        offset += run;
        length -= run;
    }
    return true;
}

bool scsi_disk_write(struct node *node, size_t target, uint64_t offset, const uint8_t *bytes, size_t length)
{
    if (node->targets[target].fault)
        return false;
    if (disk_is_file(node, target))
        return node->env.store_write != NULL &&
               node->env.store_write(node->env.context, target, offset, bytes, length);
    struct disk *disk = disk_of(node, target, true);

    if (disk == NULL)
        return false;
    while (length > 0) {
        size_t part = (size_t)(offset / DISK_PART);
        size_t at = (size_t)(offset % DISK_PART);
        size_t run = DISK_PART - at < length ? DISK_PART - at : length;

        if (disk->parts[part] == NULL)
            disk->parts[part] = node_allocate(node, DISK_PART);
        if (disk->parts[part] == NULL)
            return false;
        memcpy(disk->parts[part] + at, bytes, run);
        bytes += run;
        offset += run;
        length -= run;
    }
    return true;
}

bool scsi_disk_flush(struct node *node, size_t target)
{
    if (node->targets[target].fault)
        return false;
    if (disk_is_file(node, target) && node->env.store_flush != NULL)
        return node->env.store_flush(node->env.context, target);
    return true;
}

void scsi_disk_free(const struct node *node, struct disk *disk)
{
    if (disk == NULL)
        return;
    for (size_t i = 0; i < disk->count; i++)
        node_release(node, disk->parts[i]);
    node_release(node, disk);
}
