/*
 * Seeds of the network fuzzer: what an initiator said in a transcript, made into an input. The values that belong to
 * that one session (ISID, TSIH, ExpStatSN, CHAP_R) become live ones, so that the input goes as far as the recording
 * did; with a recording of other people's also the names in it.
 */
#ifndef HARNESS_NETFUZZ_SEED_H
#define HARNESS_NETFUZZ_SEED_H

#include "harness/netfuzz_input.h"
#include "harness/transcript.h"

#include <stdbool.h>

/* Whose names a recording has: those of the target that is fuzzed, or others. */
enum netfuzz_seed_names { NETFUZZ_SEED_OWN, NETFUZZ_SEED_FOREIGN };

/*
 * PDUs of the initiator in the order of the wire, one record each, over the first four connections; what could not be
 * cut into PDUs is left out, and everything behind the note CONN_OVER_NOTE. False: no memory. The caller frees *out; an
 * input without records means that nothing was said.
 */
bool netfuzz_seed_transcript(const struct transcript *t, enum netfuzz_seed_names names, struct netfuzz_input *out);

#endif
