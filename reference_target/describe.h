/* What can be told of a connection in full feature phase, for the verb sessions. */
#ifndef ISCSISPEC_DESCRIBE_H
#define ISCSISPEC_DESCRIBE_H

#include <stdbool.h>
#include <stdint.h>

#include "node.h"

struct describe_session {
    const char *initiator;      /* borrowed: good until the next call of the engine */
    const char *user;           /* CHAP_N; empty without authentication */
    size_t target;              /* NODE_ALL: a discovery session */
    uint16_t tsih;
    uint16_t cid;
    uint16_t tag;               /* portal group the session lives in */
    uint8_t isid[6];
};

/* False while the connection is in the login phase. */
bool describe_session(const struct conn *conn, struct describe_session *session);

#endif
