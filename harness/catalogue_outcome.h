/* Parsing of outcome tokens into memory of the caller's: shared by the loaders of the catalogue and of cases. */
#ifndef HARNESS_CATALOGUE_OUTCOME_H
#define HARNESS_CATALOGUE_OUTCOME_H

#include "harness/arena.h"
#include "harness/catalogue.h"

/* As outcome_parse, with all strings in the arena. */
int outcome_parse_in(struct arena *a, const char *token, struct outcome *out, const struct position *at,
                     struct load_error *err);

#endif
