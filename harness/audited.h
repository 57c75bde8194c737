/* In how many cases of a run each rule of the auditor was looked at. Internal to the runner. */
#ifndef HARNESS_AUDITED_H
#define HARNESS_AUDITED_H

#include "harness/result.h"

/* Adds up `looked_at` of the lines into `audited` of the head, {rule: cases}, and takes it out of the lines. */
void audited_tally(struct results *r);

#endif
