/* Opening one connection of a case: through libiscsi and the tap, or TCP alone for base raw. */
#ifndef HARNESS_DIAL_H
#define HARNESS_DIAL_H

#include "harness/conn.h"
#include "harness/tap.h"

#include <stdbool.h>

/* How a login goes: its base, or for an added connection and discovery what it goes via. */
enum case_base dial_way(const struct case_login *login);

/* Notes the values drawn for this login, so that two runs of a case can be compared (scenario_wire_hash). */
void dial_note_drawn(struct conn *c);

/* True when TCP is established; else c->end or drive.error tells. *tap is the caller's to close; NULL for base raw. */
bool dial_open(struct conn *c, struct tap **tap);

#endif
