/*
 * Values of the command line and of control verbs: text in, checked fields out.
 *
 * Pure functions. Those that return a string return NULL when the text is good, and else the reason, with the way out,
 * as a static string that reads on after "--flag 'value': ". Results that hold memory belong to the caller.
 */
#ifndef ISCSISPEC_VALUES_H
#define ISCSISPEC_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

enum {
    VALUES_NAME_MAX = 63,               /* bytes of a portal's name */
    VALUES_HOST_MAX = 255,              /* bytes of a host name or address */
    VALUES_SECRET_MAX = 255             /* bytes of a CHAP secret, and of a CHAP user name */
};

/* [NAME=]ADDR:PORT[,TAG] */
struct values_portal {
    char name[VALUES_NAME_MAX + 1];     /* empty: none was given */
    char host[VALUES_HOST_MAX + 1];     /* numeric; IPv6 without brackets */
    uint16_t port;
    uint16_t tag;                       /* 1 when none was given */
};

/* A decimal number, nothing before or behind it, within min and max. */
bool values_number(const char *text, uint64_t min, uint64_t max, uint64_t *number);

/* Seconds with at most three decimals, up to a day, as milliseconds. */
bool values_seconds(const char *text, uint32_t *milliseconds);

/* Bytes: a number with K, M, G or T (powers of 1024) behind it or nothing. False: it is not a size; 0 is none. */
bool values_size(const char *text, uint64_t *bytes);

/* [NAME=]ADDR:PORT[,TAG], ADDR numeric. */
const char *values_portal(const char *text, struct values_portal *portal);

/* The name of a portal: letters, digits, '-', '_' and '.'. */
const char *values_portal_name(const char *text);

/* HOST:PORT of a redirection: a DNS name, IPv4, or IPv6 in brackets; no portal group tag (RFC 7143 13.8). */
const char *values_address(const char *text);

/* An iSCSI name of a target or initiator (RFC 7143 4.2.7). */
const char *values_iscsi_name(const char *text);

/* USER:SECRET, split at separator. On success *credential owns copies of both. */
const char *values_credential(const char *text, char separator, struct config_credential *credential);

/* Codes with commas between: 0000,0201 or names; sets their config_code_bit(). */
const char *values_codes(const char *text, uint32_t *codes);

/* CODE[@STAGE][:INITIATOR-GLOB]. On success *force owns its glob. */
const char *values_force(const char *text, struct config_force *force);

/* How far two words are apart (changed, lost and added letters), for "did you mean". Long words count as far. */
size_t values_distance(const char *a, const char *b);

#endif
