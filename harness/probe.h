/*
 * Measurements that drive libiscsi outside a case, each in a process of its own, because libiscsi may be brought down
 * by what a target sends: one plain login, and the decoder column.
 */
#ifndef HARNESS_PROBE_H
#define HARNESS_PROBE_H

#include "harness/hooks.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One genuine login to `open`. True when it got through; rtt_us: how long an answer took, err: why not. */
bool probe_login(struct hooks *hooks, const char *initiator, uint64_t seed, int timeout_ms, int64_t *rtt_us, char *err,
                 size_t err_len);

/* {name, codes: {"0x0203": {ok, reported}}} of decoder_measure(). NULL when the measurement itself failed. Caller
 * decrefs. */
json_t *probe_decoder(int deadline_ms);

/*
 * Runs measure(user) in a child of ours and takes its answer, at most 1 MiB of it. Caller decrefs; NULL when it gave
 * none within the deadline, or Ctrl-C came.
 */
json_t *probe_in_child(json_t *(*measure)(const void *user), const void *user, int deadline_ms);

#endif
