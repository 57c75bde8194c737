/*
 * The tap: genuine libiscsi on a leash. libiscsi opens the TCP connection and makes the Login Requests; the tap takes
 * the descriptor from under it and puts one end of a socketpair there, so that every byte passes through the caller's
 * hands.
 *
 * Public API of the shared library only. libiscsi's own descriptor is never polled or registered anywhere: the tap
 * calls iscsi_service() when it has something for it. Nothing here waits. One thread.
 */
#ifndef HARNESS_TAP_H
#define HARNESS_TAP_H

#include "wire/pdu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tap; /* opaque */

/* What libiscsi is told. Strings are copied by libiscsi, which cuts them at 255 bytes. */
struct tap_config {
    const char *initiator;                   /* not empty */
    const char *target;                      /* NULL: none (discovery) */
    bool discovery;                          /* SessionType=Discovery */
    const char *user, *secret;               /* NULL: libiscsi skips the security stage */
    const char *mutual_user, *mutual_secret; /* NULL: no target authentication */
    uint32_t isid_random;                    /* 24 bits: bytes 1 to 3 of the ISID, whose first byte is 0x80 */
    uint16_t isid_qualifier;                 /* bytes 4 and 5 */
};

/*
 * Starts a login at portal "HOST:PORT" ("[::1]:3260"). *real is the TCP descriptor, still connecting, and belongs to
 * the caller. NULL with text in err when libiscsi cannot open it; nothing is then left over.
 */
struct tap *tap_open(const struct tap_config *config, const char *portal, int *real, char *err, size_t err_len);
void tap_close(struct tap *t);

/* The next whole PDU that libiscsi wants to send, its length; 0 when it has none. Valid until the next call. */
size_t tap_take(struct tap *t, const uint8_t **pdu);

/* Shows libiscsi one whole PDU. False when it did not take it. */
bool tap_give(struct tap *t, const uint8_t *pdu, size_t len);

/* True once libiscsi has called back about its login: *status as in its callback (0 logged in). */
bool tap_finished(const struct tap *t, int *status);

/* libiscsi's own words. Valid until the tap is used again. Never NULL. */
const char *tap_error(struct tap *t);
const char *tap_target_address(struct tap *t);

#endif
