#include "harness/cli/verdicts.h"

enum rule_severity verdicts_severity(const struct catalogue *rules, const struct finding *f)
{
    const struct rule *rule = catalogue_find(rules, f->rule);

    if (f->tolerated && rule != NULL && rule->severity == RULE_FAIL) {
        return RULE_WARN;
    }
    return rule != NULL ? rule->severity : RULE_FAIL;
}

enum verdict verdicts_of(const struct catalogue *rules, const struct finding_list *list, size_t conn,
                         enum transcript_side side)
{
    enum verdict worst = VERDICT_PASS;

    for (size_t i = 0; i < list->count; i++) {
        const struct finding *f = &list->items[i];
        enum rule_severity severity = verdicts_severity(rules, f);

        if (f->side == side && severity != RULE_INFO && (conn == SIZE_MAX || conn == f->conn)) {
            worst = verdict_worse(worst, severity == RULE_FAIL ? VERDICT_FAIL : VERDICT_WARN);
        }
    }
    return worst;
}
