/*
 * The mutator (harness/mutate) as libFuzzer wants it. Compiled with FUZZ_FORMAT, the format of the entry's input, and
 * FUZZ_LIVE, whether the entry fills in live values.
 *
 * ISCSISPEC_FUZZ_PLAIN in the environment leaves everything to libFuzzer: to see what knowing the structure is worth.
 * ISCSISPEC_FUZZ_FIXED=FILE hands out the inputs of that file in turn, unchanged: to measure (scripts/bench-fuzz).
 */
#include "fuzz/fixed_list.h"
#include "harness/mutate.h"

#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2, uint8_t *out,
                                 size_t max_size, unsigned seed);

enum { OWN_SHARE = 8 /* one call in so many is libFuzzer's: it knows the comparisons of the program */ };

static const struct mutate_options options = {.format = FUZZ_FORMAT, .no_live = !FUZZ_LIVE};

static bool is_plain(void)
{
    static int plain = -1; /* asked once: the environment of a fuzzer does not change */

    if (plain < 0)
        plain = getenv("ISCSISPEC_FUZZ_PLAIN") != NULL;
    return plain != 0;
}

static size_t change(const uint8_t *in, size_t size, const uint8_t *other, size_t other_size, uint8_t *out,
                     size_t max_size, unsigned seed)
{
    return mutate(&options, seed, in, size, other, other_size, out, max_size);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static struct fixed_list fixed; /* all zero: not asked for; read once */
    uint8_t *out;

    if (fixed_list_get(&fixed, getenv("ISCSISPEC_FUZZ_FIXED")))
        return fixed_list_next(&fixed, data, max_size);
    if (is_plain() || (seed % OWN_SHARE == 0 && size > 0))
        return LLVMFuzzerMutate(data, size, max_size);
    out = malloc(max_size > 0 ? max_size : 1);
    if (out == NULL)
        return LLVMFuzzerMutate(data, size, max_size);
    size = change(data, size, NULL, 0, out, max_size, seed);
    memcpy(data, out, size);
    free(out);
    return size;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2, uint8_t *out,
                                 size_t max_size, unsigned seed)
{
    size_t size = size1 < max_size ? size1 : max_size;

    if (getenv("ISCSISPEC_FUZZ_FIXED") != NULL)
        return LLVMFuzzerCustomMutator(out, 0, max_size, seed);
    if (!is_plain())
        return change(data1, size1, data2, size2, out, max_size, seed);
    /* as libFuzzer's own simplest way: begins as one and ends as the other */
    size_t from = size1 > 0 ? seed % size1 : 0, tail = size2 > from ? size2 - from : 0;

    from = from < size ? from : size;
    memcpy(out, data1, from);
    if (tail > max_size - from)
        tail = max_size - from;
    memcpy(out + from, data2 + (size2 > from ? from : 0), tail);
    return from + tail;
}
