/*
 * Writing a transcript as a packet capture that any decoder of iSCSI reads: Ethernet, IPv4 or IPv6, and TCP with
 * handshake, the data in the order, the segments and the times of the recording, acknowledgements and endings. Frames
 * are made up from the transcript alone, so the same transcript gives the same file, and no privilege is needed.
 */
#ifndef HARNESS_CAPTURE_H
#define HARNESS_CAPTURE_H

#include "harness/transcript.h"

#include <stddef.h>

/* Longest run of data in one frame; what was sent in one piece above that becomes several. */
#define CAPTURE_SEGMENT_MAX 60000u

/*
 * Writes the file, all or nothing: it appears under its name only when it is complete. Addresses that are not numeric
 * are replaced by 192.0.2.1 (initiator) and 192.0.2.2 (target). Returns 0, or -1 with the reason in err.
 */
int capture_write(const struct transcript *t, const char *path, char *err, size_t err_len);

#endif
