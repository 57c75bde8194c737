/* Fuzz entry that does nothing: what the fuzzer itself costs, for scripts/bench-fuzz. */
#include "fuzz/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)data;
    (void)size;
    return 0;
}
