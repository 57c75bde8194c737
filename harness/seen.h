/* What was seen on each connection, for the results (result.h, field `seen`). */
#ifndef HARNESS_SEEN_H
#define HARNESS_SEEN_H

#include "harness/conn.h"

#include <jansson.h>

/* An array with one object a connection; NULL when out of memory. The caller owns it. */
json_t *seen_list(const struct drive *d);

#endif
