#include "harness/rounds.h"

#include <string.h>

/* The verdict as if there were no waivers. */
static enum verdict plain_verdict(const json_t *line)
{
    enum verdict v = result_verdict(line);

    verdict_parse(json_string_value(json_object_get(line, "unwaived")), &v);
    return v;
}

static void count_verdict(json_t *counts, enum verdict v)
{
    json_int_t had = json_integer_value(json_object_get(counts, verdict_name(v)));

    json_object_set_new(counts, verdict_name(v), json_integer(had + 1));
}

/* The lines from first to behind, which have one id, as one. Takes no reference; the result is a new one. */
static json_t *merge_lines(const json_t *lines, size_t first, size_t behind)
{
    json_t *worst = json_array_get(lines, first);
    json_t *counts = json_object();

    for (size_t i = first; i < behind; i++) {
        json_t *line = json_array_get(lines, i);

        count_verdict(counts, plain_verdict(line));
        if (verdict_worse(plain_verdict(worst), plain_verdict(line)) != plain_verdict(worst)) {
            worst = line;
        }
    }
    json_object_set_new(worst, "runs", json_integer((json_int_t)(behind - first)));
    if (json_object_size(counts) > 1) {
        json_object_set(worst, "flaky", counts);
    }
    json_decref(counts);
    return json_incref(worst);
}

void rounds_merge(struct results *r)
{
    json_t *merged = json_array();
    size_t count = json_array_size(r->cases);

    results_sort(r);
    for (size_t first = 0, behind; merged != NULL && first < count; first = behind) {
        const char *id = result_string(json_array_get(r->cases, first), "id");

        behind = first + 1;
        while (behind < count && strcmp(result_string(json_array_get(r->cases, behind), "id"), id) == 0) {
            behind++;
        }
        json_array_append_new(merged, merge_lines(r->cases, first, behind));
    }
    if (merged != NULL) {
        json_decref(r->cases);
        r->cases = merged;
    }
}
