/*
 * The kill table is measured here: the suite against the reference target, without a defect (nothing may be red) and
 * with each defect that a case names (each such case has to be red).
 */
#ifndef HARNESS_SELFTEST_H
#define HARNESS_SELFTEST_H

#include "harness/killtable.h"
#include "harness/runner.h"
#include "harness/wakes.h"

#include <jansson.h>
#include <stddef.h>

struct selftest_options {
    struct profile *profile; /* of the reference target; its start command takes ${extra} */
    const struct case_list *cases;
    const struct catalogue *rules;
    const struct wakes *wakes; /* what each defect may wake; NULL: not looked at */
    const char *binary;        /* iscsispec-target */
    const char *out;           /* a directory for the runs; made when missing */
    const char *const *select; /* defects to try, by name; none: all that a case names */
    size_t select_count;
    int instances; /* targets at a time; 0: from the number of cores */
    uint64_t seed;
    /* Called after each run; defect NULL: the one without. May be NULL. */
    void (*finished)(void *user, const char *defect, size_t done, size_t total);
    void *user;
};

/*
 * Measures. kills: empty, gets one entry for each case that a defect turned red. report (new, caller decrefs):
 *   not_green   [{case, verdict, reason}]          without a defect
 *   survived    [{defect, case, verdict}]          named by the case, and it stayed green
 *   broken      [{defect, reason}]                 the run itself failed
 *   unknown     [{case, defect}]                   the reference target has no such defect
 *   unnamed     [defect]                           no case names it
 *   unproven    [case]                             no defect turns it red
 *   stray       [{defect, case, reason}]           a finding of a rule that the defect has nothing to do with
 *   undeclared  [{defect, reason}]                 cases/defects.yaml does not name it; and a rule that it woke
 *   rules       {fail, warn: {total, proven, excused}}  entries on targets that a defect has woken, and those for which
 *                                                  the catalogue says why none can; only of a whole run, as what
 * follows asleep      [rule]                             neither excused     [rule]                             both
 *   bar         bool                               all of severity fail proven or excused, 95 % of warn proven
 * Returns EXIT_ALL_PASSED (report tells), EXIT_INTERRUPTED, or EXIT_FAULT / EXIT_UNREACHABLE / EXIT_USAGE with err.
 */
enum results_exit selftest_run(const struct selftest_options *options, struct killtable *kills, json_t **report,
                               char *err, size_t err_len);

/* True when nothing in the report is a fault: only `unnamed`, `undeclared` and `rules` may hold something. */
bool selftest_is_clean(const json_t *report);

#endif
