#include "harness/audited.h"

#include "harness/audit.h"

#include <string.h>

void audited_tally(struct results *r)
{
    size_t counts[AUDIT_JUDGED_WORDS * 64] = {0};
    size_t rules_count;
    const struct audit_rule *rules = audit_rules(&rules_count);
    json_t *audited = json_object();

    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        json_t *line = json_array_get(r->cases, i);
        const char *marks = json_string_value(json_object_get(line, "looked_at"));

        for (size_t k = 0; marks != NULL && marks[k] != '\0' && k < rules_count; k++) {
            counts[k] += marks[k] == '1';
        }
        json_object_del(line, "looked_at");
    }
    for (size_t k = 0; k < rules_count; k++) {
        if (counts[k] > 0) {
            json_object_set_new(audited, rules[k].id, json_integer((json_int_t)counts[k]));
        }
    }
    json_object_set_new(r->head, "audited", audited);
}
