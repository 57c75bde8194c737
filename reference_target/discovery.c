/* SendTargets; see discovery.h. */
#include "discovery.h"

#include <stdio.h>
#include <string.h>

static bool discovery_is_wildcard(const struct config_portal *portal)
{
    return portal->host == NULL || strcmp(portal->host, "0.0.0.0") == 0 || strcmp(portal->host, "::") == 0;
}

const char *discovery_own_address(const struct conn *conn)
{
    const struct config_portal *entry = &conn->node->config->portals[conn->portal];

    if (discovery_is_wildcard(entry) && conn->local[0] != '\0')
        return conn->local;
    return entry->address != NULL ? entry->address : "";
}

/* A portal bound to every address is told as the address the initiator came to. */
static const char *discovery_address(const struct conn *conn, size_t portal, char *space)
{
    const struct config_portal *entry = &conn->node->config->portals[portal];
    const char *address = entry->address != NULL ? entry->address : "";
    const char *host_end = strrchr(conn->local, ':'), *port = strrchr(address, ':');

    if (portal == conn->portal)
        return discovery_own_address(conn);
    if (!discovery_is_wildcard(entry) || host_end == NULL)
        return address;
    /* Bound to every address of its family: the one that the initiator came to is one of them. */
    if (port == NULL || (conn->local[0] == '[') != (address[0] == '['))
        return address;
    snprintf(space, DISCOVERY_ADDRESS, "%.*s%s", (int)(host_end - conn->local), conn->local, port);
    return space;
}

const char *discovery_moved_address(const struct conn *conn, size_t target, char *space)
{
    const struct config *config = conn->node->config;

    if (target == NODE_ALL || config->targets[target].moved == CONFIG_MOVED_NO)
        return discovery_own_address(conn);
    if (config->targets[target].moved_to != NULL)
        return config->targets[target].moved_to;
    size_t portal = config->targets[target].moved_portal;

    return portal < config->portal_count ? discovery_address(conn, portal, space) : discovery_own_address(conn);
}

/* One record: TargetName and an address for each portal. */
static void discovery_add(const struct conn *conn, size_t target, struct text_buf *answer)
{
    const struct config *config = conn->node->config;

    text_buf_add(answer, "TargetName",
                 conn_has(conn, DEFECT_SEND_TARGETS_BAD_NAME) ? "disk-1" : config->targets[target].name);
    if (conn_has(conn, DEFECT_SEND_TARGETS_EXTRA_KEY))
        text_buf_add(answer, "TargetAlias", "extra");
    for (size_t portal = 0; portal < config->portal_count; portal++) {
        unsigned tag = config->portals[portal].tag;
        char space[DISCOVERY_ADDRESS];
        const char *address = discovery_address(conn, portal, space);

        if (!node_serves(conn->node, target, portal))
            continue;
        /* Bound to all addresses of the other family, none of which is known. */
        if (discovery_is_wildcard(&config->portals[portal]) && address == config->portals[portal].address)
            continue;
        if (conn_has(conn, DEFECT_SEND_TARGETS_WITHOUT_ADDRESS))
            continue;
        if (conn_has(conn, DEFECT_SEND_TARGETS_WRONG_TAG))
            tag = tag == UINT16_MAX ? 0 : tag + 1;
        if (conn_has(conn, DEFECT_SEND_TARGETS_WITHOUT_PORT) && strrchr(address, ':') != NULL)
            text_buf_addf(answer, "TargetAddress", "%.*s,%u", (int)(strrchr(address, ':') - address), address, tag);
        else if (conn_has(conn, DEFECT_SEND_TARGETS_WITHOUT_TAG))
            text_buf_add(answer, "TargetAddress", address);
        else if (address[0] == '[' && conn_has(conn, DEFECT_SEND_TARGETS_BARE_IPV6))
            text_buf_addf(answer, "TargetAddress", "%.*s%s,%u", (int)strcspn(address + 1, "]"), address + 1,
                          strrchr(address, ':'), tag);
        else
            text_buf_addf(answer, "TargetAddress", "%s,%u", address, tag);
        if (conn_has(conn, DEFECT_SEND_TARGETS_ONE_PATH))
            return;
    }
}

/* Whoever may not log in to a target does not learn of it. */
static bool discovery_shows(const struct conn *conn, size_t target)
{
    return !conn->node->targets[target].removed &&
           (node_allows(conn->node, target, conn->session->initiator) ||
            conn_has(conn, DEFECT_SEND_TARGETS_LISTS_DENIED));
}

static void discovery_add_all(const struct conn *conn, struct text_buf *answer)
{
    for (size_t target = 0; target < conn->node->config->target_count; target++) {
        if (discovery_shows(conn, target))
            discovery_add(conn, target, answer);
        if (conn_has(conn, DEFECT_SEND_TARGETS_ONE_TARGET))
            return;
    }
}

bool discovery_send_targets(const struct conn *conn, const char *value, size_t length, struct text_buf *answer)
{
    const struct session *session = conn->session;
    bool discovery = session->target == NODE_ALL;
    size_t own = discovery ? session->named : session->target;

    if (conn_has(conn, DEFECT_SEND_TARGETS_EMPTY))
        return true;
    if (conn_has(conn, DEFECT_SEND_TARGETS_LISTS_ALL)) {
        discovery_add_all(conn, answer);
        return true;
    }
    if (text_equals(value, length, "All")) {
        if (!discovery)
            return false;
        discovery_add_all(conn, answer);
        return true;
    }
    /* Empty: the target of this session. A name: in a normal session that of another target is not told. */
    size_t target = length == 0 ? own : node_target_by_name(conn->node, value, length);

    if (!discovery && target != own)
        return false;
    if (target != NODE_ALL && discovery_shows(conn, target))
        discovery_add(conn, target, answer);
    return true;
}
