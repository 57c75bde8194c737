/* The names of the deliberate faults; what they do stands where they are looked up. */
#include "defects.h"

#include <string.h>

#define DEFECTS_ROW(suffix, name, code, section, what) { name, what, section, code },
static const struct defects_entry defects_rows[] = { DEFECTS_TABLE(DEFECTS_ROW) };
#undef DEFECTS_ROW

void defects_set(struct defects *defects, enum defect defect)
{
    defects->bits[(unsigned)defect / 64U] |= UINT64_C(1) << ((unsigned)defect % 64U);
    defects->any = true;
}

enum defect defects_find(const char *name)
{
    for (size_t i = 0; i < DEFECT_COUNT; i++) {
        if (strcmp(defects_rows[i].name, name) == 0) {
            return (enum defect)i;
        }
    }
    return DEFECT_COUNT;
}

const struct defects_entry *defects_entry(enum defect defect)
{
    return (unsigned)defect < DEFECT_COUNT ? &defects_rows[defect] : NULL;
}
