/*
 * A fuzz entry: one source serves libFuzzer, AFL++ and plain replay (fuzz/replay.c). A finding aborts.
 */
#ifndef FUZZ_ENTRY_H
#define FUZZ_ENTRY_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
