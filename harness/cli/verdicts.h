/* What the findings of a transcript come to. */
#ifndef CLI_VERDICTS_H
#define CLI_VERDICTS_H

#include "harness/audit.h"
#include "harness/catalogue.h"
#include "harness/result.h"

#include <stddef.h>

enum rule_severity verdicts_severity(const struct catalogue *rules, const struct finding *f);

/* The worst of one side; conn: SIZE_MAX all connections. PASS, WARN or FAIL. */
enum verdict verdicts_of(const struct catalogue *rules, const struct finding_list *list, size_t conn,
                         enum transcript_side side);

#endif
