/* Sessions of a node; see sessions.h. */
#include "sessions.h"

#include <string.h>

static struct session **tsih_bucket(const struct node *node, uint16_t tsih)
{
    return &node->by_tsih[tsih & (node->buckets - 1)];
}

static struct session **isid_bucket(const struct node *node, const uint8_t *isid)
{
    uint32_t hash = 2166136261U;    /* FNV-1a */

    for (size_t i = 0; i < PDU_ISID_LEN; i++)
        hash = (hash ^ isid[i]) * 16777619U;
    return &node->by_isid[hash & (node->buckets - 1)];
}

static void sessions_link(struct node *node, struct session *session)
{
    struct session **tsih = tsih_bucket(node, session->tsih), **isid = isid_bucket(node, session->isid);

    session->next_by_tsih = *tsih;
    *tsih = session;
    session->next_by_isid = *isid;
    *isid = session;
}

/* Gives the tables so many buckets. False, all as it was: no memory. */
static bool sessions_resize(struct node *node, size_t buckets)
{
    struct session **old = node->by_tsih;
    size_t old_buckets = node->buckets;
    struct session **fresh = node_allocate(node, 2 * buckets * sizeof(struct session *));

    if (fresh == NULL)
        return false;
    node->by_tsih = fresh;
    node->by_isid = fresh + buckets;
    node->buckets = buckets;
    for (size_t i = 0; i < old_buckets; i++) {
        while (old[i] != NULL) {
            struct session *session = old[i];

            old[i] = session->next_by_tsih;
            sessions_link(node, session);
        }
    }
    node_release(node, old);
    return true;
}

bool sessions_init(struct node *node)
{
    return sessions_resize(node, ENGINE_HASH_FIRST);
}

struct session *sessions_find(const struct node *node, uint16_t tsih)
{
    for (struct session *session = *tsih_bucket(node, tsih); session != NULL; session = session->next_by_tsih) {
        if (session->tsih == tsih)
            return session;
    }
    return NULL;
}

struct conn *sessions_connection(const struct session *session, uint16_t cid)
{
    for (struct conn *conn = session->conns; conn != NULL; conn = conn->session_next) {
        if (conn->cid == cid)
            return conn;
    }
    return NULL;
}

uint16_t sessions_new_tsih(struct node *node)
{
    if (node_has(node, DEFECT_TSIH_CONSTANT))
        return 1;
    for (unsigned i = 0; i <= UINT16_MAX; i++) {
        node->last_tsih += (uint16_t)(node_benign(node, BENIGN_TSIH_FROM_THE_TOP) ? UINT16_MAX : 1);
        if (node->last_tsih != 0 && sessions_find(node, node->last_tsih) == NULL)
            return node->last_tsih;
    }
    return 0;
}

/* Same names and ISID: the session identifier but for the portal group. */
static bool sessions_same_nexus(const struct session *session, const struct login *login)
{
    const struct login_identity *identity = &login->identity;

    return memcmp(session->isid, login->first.isid, PDU_ISID_LEN) == 0 && session->target == identity->target &&
           session->named == identity->named && strcmp(session->initiator, identity->initiator) == 0;
}

/* Without the defect session-outlives-logout all sessions that are found live. */
static struct session *sessions_join_candidate(const struct conn *conn)
{
    const struct node *node = conn->node;
    const struct login *login = conn->login;
    struct session *session = sessions_find(node, login->first.tsih);

    if (session != NULL && (sessions_same_nexus(session, login) || node_has(node, DEFECT_JOIN_ANY_INITIATOR)))
        return session;
    if (!node_has(node, DEFECT_JOIN_WITH_ANY_TSIH))
        return NULL;
    session = *isid_bucket(node, login->first.isid);
    while (session != NULL && !sessions_same_nexus(session, login))
        session = session->next_by_isid;
    return session;
}

enum login_join sessions_join(const struct conn *conn, struct session **found)
{
    const struct node *node = conn->node;
    const struct login *login = conn->login;
    struct session *session = sessions_join_candidate(conn);
    uint32_t limit;

    if (session == NULL)
        return node_has(node, DEFECT_UNKNOWN_TSIH_AS_NEW_SESSION) ? LOGIN_JOIN_NONE : LOGIN_JOIN_NO_SESSION;
    if (session->tag != node->config->portals[conn->portal].tag && !node_has(node, DEFECT_JOIN_ANY_GROUP))
        return node_has(node, DEFECT_OTHER_GROUP_AS_NEW_SESSION) ? LOGIN_JOIN_NONE : LOGIN_JOIN_OTHER_GROUP;
    limit = session->params.max_connections;
    if (node_has(node, DEFECT_MAX_CONNECTIONS_OFF_BY_ONE))
        limit++;
    if (session->conn_count >= limit && sessions_connection(session, login->first.cid) == NULL &&
        !node_has(node, DEFECT_IGNORE_MAX_CONNECTIONS))
        return LOGIN_JOIN_FULL;
    if (found != NULL)
        *found = session;
    return LOGIN_JOIN_OK;
}

struct session *sessions_reinstated(const struct conn *conn)
{
    const struct node *node = conn->node;
    const struct login *login = conn->login;
    uint16_t tag = node->config->portals[conn->portal].tag;
    bool isid_alone = node_has(node, DEFECT_REINSTATEMENT_BY_ISID_ALONE);
    struct session *session = *isid_bucket(node, login->first.isid);

    for (; session != NULL; session = session->next_by_isid) {
        if (memcmp(session->isid, login->first.isid, PDU_ISID_LEN) == 0 &&
            (isid_alone || (sessions_same_nexus(session, login) && session->tag == tag &&
                            (session->target != NODE_ALL || session->portal == conn->portal))))
            return session;
    }
    return NULL;
}

bool sessions_portal_full(const struct conn *conn)
{
    const struct node *node = conn->node;
    uint32_t limit = node->config->portals[conn->portal].max_sessions;

    if (limit == 0 || node->portals[conn->portal].sessions < limit || node_has(node, DEFECT_IGNORE_MAX_SESSIONS))
        return false;
    struct session *old = sessions_reinstated(conn);

    return old == NULL || old->portal != conn->portal || old->conns == NULL;
}

/* ---- making and ending ---- */

static void sessions_attach(struct session *session, struct conn *conn)
{
    if (session->conns == NULL)
        conn->node->portals[session->portal].sessions++;
    conn->session = session;
    conn->session_next = session->conns;
    session->conns = conn;
    session->conn_count++;
    session->deadline = NODE_NO_DEADLINE;
}

static void sessions_unlink(struct node *node, struct session *session)
{
    struct session **link = tsih_bucket(node, session->tsih);

    while (*link != session)
        link = &(*link)->next_by_tsih;
    *link = session->next_by_tsih;
    link = isid_bucket(node, session->isid);
    while (*link != session)
        link = &(*link)->next_by_isid;
    *link = session->next_by_isid;
    node->session_count--;
    node_release(node, session);
}

void sessions_detach(struct conn *conn, bool wait)
{
    struct node *node = conn->node;
    struct session *session = conn->session;

    if (session == NULL)
        return;
    struct conn **link = &session->conns;

    while (*link != conn)
        link = &(*link)->session_next;
    *link = conn->session_next;
    conn->session_next = NULL;
    conn->session = NULL;
    session->conn_count--;
    if (session->conns != NULL)
        return;
    if (!node_has(node, DEFECT_SESSION_SLOT_LEAK))
        node->portals[session->portal].sessions--;
    /* With Time2Retain 0 there is nothing to come back to, RFC 7143 13.16. */
    uint32_t retain = session->params.default_time2retain;

    if (!wait && node_has(node, DEFECT_SESSION_OUTLIVES_LOGOUT)) {
        session->deadline = NODE_NO_DEADLINE;
    } else if (!wait || retain == 0 || session->target == NODE_ALL) {
        sessions_unlink(node, session);
    } else {
        session->deadline = node_now(node) + 1000 * ((uint64_t)session->params.default_time2wait + retain);
        if (session->deadline < node->session_deadline)
            node->session_deadline = session->deadline;
    }
}

void sessions_end(struct session *session, struct node *node)
{
    if (session->conns == NULL) {
        sessions_unlink(node, session);
        return;
    }
    while (session->conn_count > 1)
        conn_end(session->conns, CONN_CLOSE);
    struct conn *last = session->conns;

    sessions_detach(last, false);           /* frees the session */
    conn_end(last, CONN_CLOSE);
}

static enum cause sessions_create(struct conn *conn)
{
    struct node *node = conn->node;
    const struct login *login = conn->login;
    struct session *session = node_allocate(node, sizeof(*session));
    uint16_t tsih = login->tsih != 0 ? login->tsih : sessions_new_tsih(node);

    if (session == NULL || tsih == 0) {
        node_release(node, session);
        return CAUSE_NO_MEMORY;
    }
    session->tsih = tsih;
    session->tag = node->config->portals[conn->portal].tag;
    session->portal = conn->portal;
    session->target = login->identity.target;
    session->named = login->identity.named;
    session->exp_cmd_sn = login->first.cmd_sn;
    if (conn_has(conn, DEFECT_LOGIN_REQUEST_COUNTED_AS_COMMAND))
        session->exp_cmd_sn++;
    session->params = login->negotiate.params;
    if (session->target == NODE_ALL)
        session->params.max_connections = 1;
    session->authenticated = login->auth.done;
    memcpy(session->isid, login->first.isid, PDU_ISID_LEN);
    memcpy(session->initiator, login->identity.initiator, sizeof(session->initiator));
    memcpy(session->user, login->auth.user, sizeof(session->user));
    if (node->session_count >= node->buckets)
        (void)sessions_resize(node, 2 * node->buckets); /* without memory the chains grow longer, that is all */
    sessions_link(node, session);
    node->session_count++;
    sessions_attach(session, conn);
    return CAUSE_NONE;
}

/* An added connection, or a connection that takes the place of the one with its CID (RFC 7143 6.3.4). */
static enum cause sessions_add(struct conn *conn)
{
    static const enum cause causes[] = {
        [LOGIN_JOIN_NONE] = CAUSE_NO_SESSION,
        [LOGIN_JOIN_NO_SESSION] = CAUSE_NO_SESSION,
        [LOGIN_JOIN_OTHER_GROUP] = CAUSE_OTHER_GROUP,
        [LOGIN_JOIN_FULL] = CAUSE_CONNECTIONS
    };
    const struct login *login = conn->login;
    struct session *session = NULL;
    enum login_join join = sessions_join(conn, &session);

    if (join != LOGIN_JOIN_OK)      /* the session changed while this login went on */
        return causes[join];
    if (session->authenticated && !conn_has(conn, DEFECT_JOIN_WITHOUT_AUTHENTICATION) &&
        (!login->auth.done ||
         (strcmp(session->user, login->auth.user) != 0 && !conn_has(conn, DEFECT_JOIN_BY_OTHER_USER))))
        return CAUSE_IDENTITY;
    struct conn *old = sessions_connection(session, login->first.cid);

    sessions_attach(session, conn);
    conn->cid = login->first.cid;
    if (old != NULL && !conn_has(conn, DEFECT_CONNECTION_REINSTATEMENT_LEAKS))
        conn_end(old, CONN_CLOSE);
    return CAUSE_NONE;
}

enum cause sessions_enter(struct conn *conn)
{
    struct node *node = conn->node;

    if (conn->login->join == LOGIN_JOIN_OK)
        return sessions_add(conn);
    if (sessions_portal_full(conn))
        return CAUSE_SESSIONS;
    struct session *old = sessions_reinstated(conn);

    if (old != NULL && !node_has(node, DEFECT_LEAKS_SESSION)) {
        node_log(node, conn, NODE_LOG_DEBUG, "reinstates session TSIH 0x%04x", (unsigned)old->tsih);
        sessions_end(old, node);
    }
    return sessions_create(conn);
}

/* ---- many at once ---- */

void sessions_tick(struct node *node)
{
    uint64_t now = node_now(node);
    uint64_t next = NODE_NO_DEADLINE;

    if (now < node->session_deadline)
        return;
    for (size_t i = 0; i < node->buckets; i++) {
        struct session *session = node->by_tsih[i];

        while (session != NULL) {
            struct session *following = session->next_by_tsih;

            if (session->conns == NULL && session->deadline <= now)
                sessions_unlink(node, session);
            else if (session->conns == NULL && session->deadline < next)
                next = session->deadline;
            session = following;
        }
    }
    node->session_deadline = next;
}

static void sessions_end_where(struct node *node, bool by_target, size_t index)
{
    for (size_t i = 0; i < node->buckets; i++) {
        struct session *session = node->by_tsih[i];

        while (session != NULL) {
            struct session *following = session->next_by_tsih;

            if ((by_target ? session->target : session->portal) == index)
                sessions_end(session, node);
            session = following;
        }
    }
}

void sessions_end_target(struct node *node, size_t target)
{
    sessions_end_where(node, true, target);
}

void sessions_end_portal(struct node *node, size_t portal)
{
    sessions_end_where(node, false, portal);
}

void sessions_free(struct node *node)
{
    for (size_t i = 0; i < node->buckets && node->session_count > 0; i++) {
        struct session *session = node->by_tsih[i];

        while (session != NULL) {
            struct session *following = session->next_by_tsih;

            node_release(node, session);
            node->session_count--;
            session = following;
        }
    }
    node_release(node, node->by_tsih);
    node->by_tsih = node->by_isid = NULL;
    node->buckets = 0;
    node->session_count = 0;
}
