#include "harness/cli/suggest.h"

#include <ctype.h>
#include <string.h>

#define SUGGEST_WORD_MAX 96u

static size_t least(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;

    return m < c ? m : c;
}

/* Edit distance, case ignored, of words that are not too long. */
static size_t distance(const char *a, const char *b)
{
    size_t row[SUGGEST_WORD_MAX + 1];
    size_t len = strlen(b);

    if (len > SUGGEST_WORD_MAX || strlen(a) > SUGGEST_WORD_MAX) {
        return SUGGEST_WORD_MAX;
    }
    for (size_t i = 0; i <= len; i++) {
        row[i] = i;
    }
    for (size_t k = 0; a[k] != '\0'; k++) {
        size_t corner = row[0];

        row[0] = k + 1;
        for (size_t i = 0; i < len; i++) {
            size_t above = row[i + 1];
            int differs = tolower((unsigned char)a[k]) != tolower((unsigned char)b[i]);

            row[i + 1] = least(row[i] + 1, above + 1, corner + (size_t)differs);
            corner = above;
        }
    }
    return row[len];
}

const char *suggest_nearest(const char *word, const char *const *names, size_t count)
{
    size_t limit = strlen(word) / 3 + 1;
    const char *best = NULL;

    for (size_t i = 0; i < count; i++) {
        size_t far = distance(word, names[i]);

        if (far <= limit) {
            best = names[i];
            limit = far > 0 ? far - 1 : 0;
            if (far == 0) {
                break;
            }
        }
    }
    return best;
}
