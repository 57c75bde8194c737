/*
 * What each defect of the reference target may wake: cases/defects.yaml tells for each the rule that it breaks, and
 * under `also` those that the same fault cannot but break too. A finding of any other rule is a false alarm.
 */
#ifndef HARNESS_WAKES_H
#define HARNESS_WAKES_H

#include "harness/arena.h"
#include "harness/catalogue.h"
#include "harness/position.h"

#include <stdbool.h>
#include <stddef.h>

struct wakes_entry {
    const char *defect;
    const char **rules; /* the rule first, then those of `also`; in the arena */
    size_t count;
};

struct wakes {
    struct arena *arena;
    struct wakes_entry *entries; /* in the arena */
    size_t count;
};

/* Reads the file and checks that its rules are in the catalogue and no defect stands twice. 0, or -1 with err filled.
 * wakes_free() in any case. */
int wakes_load(struct wakes *wakes, const char *path, const struct catalogue *rules, struct load_error *err);
void wakes_free(struct wakes *wakes);

/* The entry of a defect, NULL when it has none. */
const struct wakes_entry *wakes_find(const struct wakes *wakes, const char *defect);

/* May this defect wake this rule? */
bool wakes_may(const struct wakes_entry *entry, const char *rule);

#endif
