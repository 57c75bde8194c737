/* What a target that is not described yet shows of itself, by logins that any initiator may try. */
#ifndef HARNESS_SURVEY_H
#define HARNESS_SURVEY_H

#include "harness/hooks.h"

#include <jansson.h>
#include <stddef.h>

#define SURVEY_TARGETS_MAX 16u /* names that are looked at */

/*
 * Asks the first portal of a started target (hooks_start) for its targets in a discovery session, and the target called
 * name (NULL: each that was listed) what it makes of a login: is it open, does it ask for CHAP? In a child, so that
 * whatever comes costs only the answer. timeout_ms: for one answer. Returns
 *
 *   {"discovery": "open" | "chap" | "none", "listed": [{"name": N, "address": [A, ...]}],
 *    "targets": [{"name": N, "login": "open" | "chap" | "0x0203" | "none", "tag": 1, "alias": true}]}
 *
 * and NULL when nothing can be had. What a peer sent is in it only as far as it is a name or an address in form.
 */
json_t *survey_target(struct hooks *hooks, const char *initiator, const char *name, int timeout_ms);

/*
 * One login as a condition of the profile has it: with its target, portal and credentials. Returns
 * {"ffp": bool, "status": "0x0203", "end": "FIN"}, without status when no answer came; NULL: nothing can be had.
 */
json_t *survey_condition(struct hooks *hooks, const char *initiator, const char *condition, int timeout_ms);

#endif
