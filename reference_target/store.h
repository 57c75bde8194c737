/* The backing files of targets (--lun FILE): opened at start, looked at by path in each login. */
#ifndef ISCSISPEC_STORE_H
#define ISCSISPEC_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

struct store;

/*
 * Opens the files of all targets with CONFIG_LUN_FILE for reading and writing and fills their lun_size. config is
 * borrowed. NULL: *bad is the target whose file cannot be used, reason says why; or no memory.
 */
struct store *store_open(struct config *config, size_t *bad, char *reason, size_t reason_size);

void store_close(struct store *store);

/* True when the file is still there under its name; a file put there anew, of the same size, is taken over. */
bool store_ok(struct store *store, size_t target);

bool store_read(struct store *store, size_t target, uint64_t offset, uint8_t *bytes, size_t length);
bool store_write(struct store *store, size_t target, uint64_t offset, const uint8_t *bytes, size_t length);
bool store_flush(struct store *store, size_t target);

#endif
