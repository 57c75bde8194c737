/* Cases that were run several times (--repeat): their lines become one, and those that differ are named. */
#ifndef HARNESS_ROUNDS_H
#define HARNESS_ROUNDS_H

#include "harness/result.h"

/*
 * Of lines with one id the worst is kept. `runs` says how many there were and, when their verdicts (without waivers)
 * differ, `flaky` how often each came: {PASS: 3, FAIL: 2}. Leaves the lines in order of their ids.
 */
void rounds_merge(struct results *r);

#endif
