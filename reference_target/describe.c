/* What can be told of a connection; see describe.h. */
#include "describe.h"

#include <string.h>

#include "engine.h"

bool describe_session(const struct conn *conn, struct describe_session *session)
{
    const struct session *of = conn->session;

    if (of == NULL)
        return false;
    session->initiator = of->initiator;
    session->user = of->user;
    session->target = of->target;
    session->tsih = of->tsih;
    session->cid = conn->cid;
    session->tag = of->tag;
    memcpy(session->isid, of->isid, sizeof session->isid);
    return true;
}
