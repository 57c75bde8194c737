/* What `iscsispec explain` prints: text in lines of a terminal's width, and a rule of the catalogue in sentences. */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "harness/case.h"
#include "harness/catalogue.h"

/* Text on stdout in lines of 78 columns: the first behind `lead`, the others indented as far. */
void explain_wrapped(const char *lead, const char *text);

/* A rule, what shows it, what is allowed, and what proves that the suite would notice a fault. */
void explain_rule(const struct case_list *cases, const struct rule *rule);

#endif
