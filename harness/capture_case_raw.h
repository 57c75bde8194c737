/* The steps of a recorded login, byte by byte. Internal to capture_case. */
#ifndef HARNESS_CAPTURE_CASE_RAW_H
#define HARNESS_CAPTURE_CASE_RAW_H

#include "harness/replay_script.h"

#include <stddef.h>

/*
 * The steps up to the last request as YAML, malloc'ed, in *yaml. *portal: the condition that has to bring another
 * portal, NULL none. Returns 1; 0 when they cannot be written, with the
 * reason in why; -1 when out of memory.
 */
int capture_case_raw(const struct replay_script *script, size_t conn, const char *secret, char **yaml,
                     const char **portal, char *why, size_t why_len);

/* The condition that brings another portal, for a login that came through one. Static. */
const char *capture_case_portal(const struct login_facts *facts);

#endif
