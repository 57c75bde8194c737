/*
 * status.h - the status codes of a Login Response (RFC 7143 11.13.5).
 *
 * A code is the 16-bit number class << 8 | detail. The RFC defines 18; the
 * table says what each means and what to do about it. Everything is static and
 * constant.
 */
#ifndef ISCSISPEC_WIRE_STATUS_H
#define ISCSISPEC_WIRE_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATUS_COUNT 18u

enum status_code {
    STATUS_SUCCESS = 0x0000,
    STATUS_MOVED_TEMPORARILY = 0x0101,
    STATUS_MOVED_PERMANENTLY = 0x0102,
    STATUS_INITIATOR_ERROR = 0x0200,
    STATUS_AUTHENTICATION_FAILURE = 0x0201,
    STATUS_AUTHORIZATION_FAILURE = 0x0202,
    STATUS_NOT_FOUND = 0x0203,
    STATUS_TARGET_REMOVED = 0x0204,
    STATUS_UNSUPPORTED_VERSION = 0x0205,
    STATUS_TOO_MANY_CONNECTIONS = 0x0206,
    STATUS_MISSING_PARAMETER = 0x0207,
    STATUS_CANT_INCLUDE_IN_SESSION = 0x0208,
    STATUS_SESSION_TYPE_NOT_SUPPORTED = 0x0209,
    STATUS_SESSION_DOES_NOT_EXIST = 0x020a,
    STATUS_INVALID_DURING_LOGIN = 0x020b,
    STATUS_TARGET_ERROR = 0x0300,
    STATUS_SERVICE_UNAVAILABLE = 0x0301,
    STATUS_OUT_OF_RESOURCES = 0x0302
};

enum status_class {
    STATUS_CLASS_SUCCESS = 0,
    STATUS_CLASS_REDIRECTION = 1,
    STATUS_CLASS_INITIATOR_ERROR = 2,
    STATUS_CLASS_TARGET_ERROR = 3,
    STATUS_CLASS_VENDOR = 0x0f /* RFC 5048 11.6 */
};

/* Where the cause is to be looked for. */
enum status_fault {
    STATUS_FAULT_NONE,      /* nothing is wrong */
    STATUS_FAULT_INITIATOR, /* software of the initiator */
    STATUS_FAULT_SETUP,     /* configuration or credentials, on either side */
    STATUS_FAULT_TARGET     /* target's software, hardware or load */
};

/* May the initiator send the same login again? */
enum status_retry {
    STATUS_RETRY_NOT_NEEDED,
    STATUS_RETRY_ELSEWHERE, /* at the address given */
    STATUS_RETRY_NEVER,     /* not unchanged */
    STATUS_RETRY_LATER
};

struct status_entry {
    uint16_t code;
    const char *symbol;        /* STATUS_NOT_FOUND without its prefix */
    const char *name;          /* the RFC's name, one line */
    const char *meaning;       /* one or two sentences */
    const char *const *causes; /* what usually brings it about; NULL-terminated */
    const char *const *checks; /* what to look at, in this order; NULL-terminated */
    const char *confusion;     /* what it is mistaken for in the field, or NULL */
    enum status_fault fault;
    enum status_retry retry;
    const char *section;  /* RFC 7143 sections, "11.13.5, 6.3.1" */
    const char *libiscsi; /* libiscsi's word in its error text; NULL for success,
                             which it reports without a text */
    const char *tshark;   /* Wireshark's word for it */
};

/* What can be said of a code by its class alone: for the codes outside the 18,
 * and for an initiator that goes no deeper. */
struct status_class_entry {
    uint8_t value;
    const char *name;
    const char *meaning;
    const char *advice;
    enum status_fault fault;
    enum status_retry retry;
};

/* NULL when the code is none of the 18. */
const struct status_entry *status_find(unsigned code);

/* The table in ascending order of code; NULL when index >= STATUS_COUNT. */
const struct status_entry *status_at(size_t index);

/* By number ("0x0203", "0203", "203" are all hex), symbol (with or without
 * STATUS_) or name; case ignored, '_' and '-' count as blanks. NULL when nothing
 * fits, and for a number that is none of the 18. */
const struct status_entry *status_find_text(const char *text);

static inline uint8_t status_class(unsigned code)
{
    return (uint8_t)(code >> 8 & 0xff);
}

static inline uint8_t status_detail(unsigned code)
{
    return (uint8_t)(code & 0xff);
}

/* "Success", "Redirection", "Initiator Error", "Target Error", "Vendor-unique",
 * "Unassigned class". Static string, never NULL. Takes the class, not the code. */
const char *status_class_name(unsigned class_value);

/* Entry of a class; for classes nobody assigned a generic one. Never NULL. */
const struct status_class_entry *status_class_find(unsigned class_value);

/* The RFC name of the code, or the class name when it is none of the 18. */
const char *status_name_or_class(unsigned code);

/* "nobody", "initiator", "set-up", "target" / "not needed", "at the address
 * given", "not unchanged", "later". Static strings, never NULL. */
const char *status_fault_name(enum status_fault fault);
const char *status_retry_name(enum status_retry retry);

#endif
