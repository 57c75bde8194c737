/*
 * status_table.h - the status table as such, for status.c only.
 *
 * Everybody else goes through the functions of wire/status.h.
 */
#ifndef ISCSISPEC_WIRE_STATUS_TABLE_H
#define ISCSISPEC_WIRE_STATUS_TABLE_H

#include "wire/status.h"

/* In ascending order of code. */
extern const struct status_entry status_table[STATUS_COUNT];

#endif
