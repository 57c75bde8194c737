/*
 * The questions of the login table. A guard looks and answers; it changes nothing but what it keeps for the refusal.
 */
#include <string.h>

#include "login.h"
#include "response.h"
#include "sessions.h"

static const struct config_target *login_target(const struct conn *conn)
{
    size_t target = conn->login->identity.target;

    return target == NODE_ALL ? NULL : &conn->node->config->targets[target];
}

/* Copies a value that fits; false: too long. */
static bool copy_value(char *out, size_t size, const struct text_pair *pair)
{
    size_t length = pair->value_len < size ? pair->value_len : size - 1;

    memcpy(out, pair->value, length);
    out[length] = '\0';
    return pair->value_len < size;
}

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The target meant by a TargetName, with the defects that take more than the exact name. */
static size_t login_find_target(const struct conn *conn, const struct login_identity *identity)
{
    const struct node *node = conn->node;
    size_t target = node_target_by_name(node, identity->target_name, strlen(identity->target_name));

    if (target == NODE_ALL && node_has(node, DEFECT_TARGET_NAME_BY_PREFIX)) {
        for (size_t i = 0; i < node->config->target_count && target == NODE_ALL; i++) {
            if (has_prefix(identity->target_name, node->config->targets[i].name))
                target = i;
        }
    }
    if (target == NODE_ALL && node->config->target_count > 0 &&
        ((identity->has_target && node_has(node, DEFECT_UNKNOWN_TARGET_ACCEPTED)) ||
         (!identity->has_target && !identity->discovery && node_has(node, DEFECT_ACCEPT_MISSING_TARGET_NAME))))
        target = 0;
    if (target != NODE_ALL && !node_serves(node, target, conn->portal) && !node_has(node, DEFECT_TARGET_ON_ANY_PORTAL))
        target = NODE_ALL;
    return target;
}

static void login_identify_type(const struct conn *conn, struct login_identity *identity,
                                const struct negotiate_request *keys)
{
    const struct text_pair *pair = &keys->pairs[KEYS_SESSION_TYPE];

    if (!negotiate_present(keys, KEYS_SESSION_TYPE)) {
        identity->type_known = true;
        return;
    }
    copy_value(identity->session_type, sizeof(identity->session_type), pair);
    identity->discovery = text_equals(pair->value, pair->value_len, "Discovery");
    identity->type_known = identity->discovery || text_equals(pair->value, pair->value_len, "Normal") ||
                           conn_has(conn, DEFECT_ACCEPT_UNKNOWN_SESSION_TYPE);
}

/* A TargetName that is too long is that of no target, but by a defect. */
static void login_cut_name(const struct conn *conn, struct login_identity *identity)
{
    const struct config *config = conn->node->config;

    for (size_t i = 0; i < config->target_count && conn_has(conn, DEFECT_LONG_TARGET_NAME_CUT); i++) {
        if (has_prefix(identity->target_name, config->targets[i].name)) {
            identity->target_name[strlen(config->targets[i].name)] = '\0';
            return;
        }
    }
    identity->target_name[0] = '\0';
}

void login_identify(struct conn *conn)
{
    struct login *login = conn->login;
    struct login_identity *identity = &login->identity;
    const struct negotiate_request *keys = login->keys;
    const struct config *config = conn->node->config;
    const struct config_portal *portal = &config->portals[conn->portal];

    memset(identity, 0, sizeof(*identity));
    if (negotiate_present(keys, KEYS_INITIATOR_NAME)) {
        const struct text_pair *pair = &keys->pairs[KEYS_INITIATOR_NAME];

        planted_touch(conn, PLANTED_AT_NAME, pair->value, pair->value_len);
        identity->has_initiator = pair->value_len > 0;
        identity->name_too_long = !copy_value(identity->initiator, sizeof(identity->initiator), pair);
    }
    if (negotiate_present(keys, KEYS_TARGET_NAME)) {
        const struct text_pair *pair = &keys->pairs[KEYS_TARGET_NAME];

        identity->has_target = pair->value_len > 0;
        if (!copy_value(identity->target_name, sizeof(identity->target_name), pair))
            login_cut_name(conn, identity);
    }
    login_identify_type(conn, identity, keys);
    size_t target = login_find_target(conn, identity);

    identity->target = identity->discovery ? NODE_ALL : target;
    identity->named = identity->discovery ? target : NODE_ALL;
    login->auth.config = identity->target != NODE_ALL       ? &config->targets[target].auth
                         : portal->discovery.user_count > 0 ? &portal->discovery
                                                            : &config->discovery;
    login->negotiate.discovery = identity->discovery;
    login->negotiate.join = login->first.tsih != 0;
    login->negotiate.own_max_connections = identity->target == NODE_ALL ? 1 : config->targets[target].max_connections;
    login->join = LOGIN_JOIN_NONE;
    if (login->first.tsih != 0)
        login->join = sessions_join(conn, NULL);
    if (login->join == LOGIN_JOIN_NONE)
        login->negotiate.join = false; /* a defect makes a new session of it */
}

/* ---- header ---- */

bool login_is_ahs(struct conn *conn)
{
    return pdu_ahs_len(conn->login->bhs) > 0 && !conn_has(conn, DEFECT_AHS_IGNORED);
}

bool login_is_too_long(struct conn *conn)
{
    return pdu_data_len(conn->login->bhs) > PDU_DEFAULT_MAX_RECV;
}

bool login_is_bad_version(struct conn *conn)
{
    const struct pdu_login_request *request = &conn->login->request;

    if (conn_has(conn, DEFECT_ACCEPT_ANY_VERSION))
        return false;
    return request->version_min != PDU_VERSION ||
           (request->version_max != PDU_VERSION && conn_has(conn, DEFECT_VERSION_RANGE_REFUSED));
}

bool login_has_reserved_bits(struct conn *conn)
{
    static const uint8_t zeros[16];
    const uint8_t *bhs = conn->login->bhs;
    uint16_t cid = conn->login->request.cid;

    if (conn_has(conn, DEFECT_REFUSE_ISID_FORMATS) && bhs[8] >> 6 < 2)
        return true;
    if (conn_has(conn, DEFECT_REFUSE_CID_ENDS) && (cid == 0 || cid == UINT16_MAX))
        return true;
    return conn_has(conn, DEFECT_REFUSE_RESERVED_BITS) &&
           ((bhs[0] & 0x80) != 0 || (bhs[1] & 0x30) != 0 || bhs[22] != 0 || bhs[23] != 0 ||
            memcmp(bhs + 32, zeros, sizeof(zeros)) != 0);
}

bool login_is_changed(struct conn *conn)
{
    const struct pdu_login_request *first = &conn->login->first;
    const struct pdu_login_request *request = &conn->login->request;

    if (conn_has(conn, DEFECT_CHANGED_HEADER_AS_TARGET_ERROR) &&
        (first->cmd_sn != request->cmd_sn || first->version_max != request->version_max))
        return true;
    return first->itt != request->itt || first->tsih != request->tsih || first->cid != request->cid ||
           memcmp(first->isid, request->isid, sizeof(first->isid)) != 0;
}

bool login_is_other_stage(struct conn *conn)
{
    return conn->login->first.csg != conn->login->request.csg;
}

/* While an answer is fetched it is the stage of the request that is answered. */
bool login_leaves_stage(struct conn *conn)
{
    bool operational = conn->login->resume == LOGIN_EXPECT_OPERATIONAL;

    return (conn->login->request.csg == PDU_STAGE_OPERATIONAL) != operational &&
           !conn_has(conn, DEFECT_ACCEPT_BACKWARD_STAGE);
}

bool login_is_reserved_itt(struct conn *conn)
{
    return conn->login->request.itt == PDU_NO_TAG;
}

bool login_is_reserved_isid(struct conn *conn)
{
    return conn->login->request.isid[0] >> 6 == 3;
}

bool login_is_c_and_t(struct conn *conn)
{
    const struct pdu_login_request *request = &conn->login->request;

    return request->cont && request->transit && !conn_has(conn, DEFECT_ACCEPT_C_WITH_T);
}

bool login_is_bad_stage(struct conn *conn)
{
    uint8_t csg = conn->login->request.csg;

    if ((csg == PDU_STAGE_RESERVED && conn_has(conn, DEFECT_ACCEPT_STAGE_2)) || conn_has(conn, DEFECT_ACCEPT_ANY_STAGE))
        return false;
    return csg > PDU_STAGE_OPERATIONAL;
}

bool login_is_security(struct conn *conn)
{
    if (conn->login->state == LOGIN_EXPECT_OPERATIONAL && conn_has(conn, DEFECT_ACCEPT_BACKWARD_STAGE))
        return false;
    return conn->login->request.csg == PDU_STAGE_SECURITY;
}

bool login_is_operational(struct conn *conn)
{
    return conn->login->request.csg != PDU_STAGE_SECURITY && !conn_has(conn, DEFECT_ACCEPT_STAGE_JUMP);
}

bool login_is_unauthenticated(struct conn *conn)
{
    const struct login *login = conn->login;

    return login->request.csg != PDU_STAGE_SECURITY && auth_required(&login->auth) && !login->auth.done &&
           !conn_has(conn, DEFECT_ACCEPT_UNAUTHENTICATED) &&
           !(login->join == LOGIN_JOIN_OK && conn_has(conn, DEFECT_JOIN_WITHOUT_AUTHENTICATION));
}

bool login_is_bad_transition(struct conn *conn)
{
    const struct pdu_login_request *request = &conn->login->request;

    if (!request->transit)
        return false;
    if (request->nsg == PDU_STAGE_RESERVED)
        return !conn_has(conn, DEFECT_ACCEPT_STAGE_2);
    if (request->nsg == request->csg)
        return !conn_has(conn, DEFECT_ACCEPT_SAME_STAGE);
    return request->nsg < request->csg && !conn_has(conn, DEFECT_ACCEPT_BACKWARD_STAGE);
}

bool login_refuses_c_bit(struct conn *conn)
{
    return conn_has(conn, DEFECT_REFUSE_C_BIT);
}

/* ---- other PDUs ---- */

bool login_answers_before_login(struct conn *conn)
{
    return conn_has(conn, DEFECT_ANSWER_PDU_BEFORE_LOGIN);
}

bool login_tolerates_other_pdu(struct conn *conn)
{
    return conn_has(conn, DEFECT_IGNORE_PDU_IN_LOGIN) || conn_has(conn, DEFECT_REJECT_PDU_IN_LOGIN) ||
           login_executes(conn) ||
           (conn_has(conn, DEFECT_SERVE_PDU_IN_LOGIN) && pdu_opcode(conn->login->bhs) == PDU_NOP_OUT);
}

/* ---- text ---- */

bool login_is_not_empty(struct conn *conn)
{
    return conn->login->data_length > 0;
}

bool login_is_text_above_room(struct conn *conn)
{
    size_t room = conn_has(conn, DEFECT_CONTINUED_TEXT_LIMITED) ? 4096 : LOGIN_TEXT_MAX;

    return conn->login->text.length > 0 && conn->login->text.length + conn->login->data_length > room;
}

bool login_is_malformed(struct conn *conn)
{
    return conn->login->keys->malformed && !conn_has(conn, DEFECT_ACCEPT_MALFORMED_TEXT);
}

/* A session whose first request told no type is a normal one (13.21); it cannot become another later. */
static bool login_changes_type(const struct conn *conn)
{
    const struct login *login = conn->login;
    const struct text_pair *pair = &login->keys->pairs[KEYS_SESSION_TYPE];

    return login->state != LOGIN_EXPECT_FIRST && login->state != LOGIN_EXPECT_FIRST_REST &&
           negotiate_present(login->keys, KEYS_SESSION_TYPE) &&
           !text_equals(pair->value, pair->value_len, login->identity.discovery ? "Discovery" : "Normal");
}

bool login_is_duplicate(struct conn *conn)
{
    return (conn->login->keys->duplicate || login_changes_type(conn)) && !conn_has(conn, DEFECT_ACCEPT_DUPLICATE_KEY) &&
           !conn_has(conn, DEFECT_DUPLICATE_KEY_AS_REJECT);
}

bool login_refuses_unknown_key(struct conn *conn)
{
    const struct login *login = conn->login;
    struct text_cursor cursor;
    struct text_pair pair;
    enum text_result result;

    if (!conn_has(conn, DEFECT_REFUSE_UNKNOWN_KEY))
        return false;
    text_cursor_init(&cursor, login->complete, login->complete_length);
    while ((result = text_next(&cursor, &pair)) != TEXT_END) {
        if (result == TEXT_PAIR && keys_find(pair.key, pair.key_len) == NULL)
            return true;
    }
    return false;
}

bool login_refuses_empty(struct conn *conn)
{
    return conn_has(conn, DEFECT_REFUSE_EMPTY_REQUEST) && conn->login->complete_length == 0;
}

/* ---- who and what ---- */

bool login_is_drained(struct conn *conn)
{
    if (!conn->node->portals[conn->portal].drain || conn_has(conn, DEFECT_IGNORE_DRAIN))
        return false;
    if (conn_has(conn, DEFECT_DRAIN_DROPS_SESSIONS))
        sessions_end_portal(conn->node, conn->portal);
    return true;
}

bool login_waits_for_names(struct conn *conn)
{
    const struct login_identity *identity = &conn->login->identity;

    return conn_has(conn, DEFECT_MISSING_NAME_WAITS) &&
           (!identity->has_initiator || (!identity->has_target && !identity->discovery));
}

bool login_lacks_initiator(struct conn *conn)
{
    return !conn->login->identity.has_initiator && !conn_has(conn, DEFECT_ACCEPT_MISSING_INITIATOR_NAME);
}

bool login_has_long_name(struct conn *conn)
{
    return conn->login->identity.name_too_long && !conn_has(conn, DEFECT_LONG_NAME_ACCEPTED);
}

bool login_is_unknown_type(struct conn *conn)
{
    return !conn->login->identity.type_known;
}

bool login_refuses_default_type(struct conn *conn)
{
    return conn_has(conn, DEFECT_REFUSE_DEFAULT_SESSION_TYPE) && conn->login->identity.session_type[0] == '\0';
}

bool login_is_type_not_served(struct conn *conn)
{
    unsigned served = conn->node->config->portals[conn->portal].session_types;

    if (conn->login->identity.discovery)
        return (served & CONFIG_SESSION_DISCOVERY) == 0 && !conn_has(conn, DEFECT_ACCEPT_DISCOVERY_ANYWHERE);
    return (served & CONFIG_SESSION_NORMAL) == 0;
}

bool login_lacks_target(struct conn *conn)
{
    const struct login_identity *identity = &conn->login->identity;

    return !identity->discovery && !identity->has_target && identity->target == NODE_ALL;
}

bool login_is_unknown_target(struct conn *conn)
{
    const struct login_identity *identity = &conn->login->identity;

    if (identity->discovery)
        return identity->has_target && identity->named == NODE_ALL;
    return identity->target == NODE_ALL;
}

/* The target that is named, in a normal or a discovery session. */
static size_t login_named(const struct conn *conn)
{
    const struct login_identity *identity = &conn->login->identity;

    return identity->discovery ? identity->named : identity->target;
}

bool login_is_removed(struct conn *conn)
{
    size_t target = login_named(conn);

    return target != NODE_ALL && conn->node->targets[target].removed && !conn_has(conn, DEFECT_REMOVED_TARGET_ACCEPTED);
}

bool login_is_denied(struct conn *conn)
{
    size_t target = login_named(conn);

    return target != NODE_ALL && !node_allows(conn->node, target, conn->login->identity.initiator) &&
           !conn_has(conn, DEFECT_IGNORE_ALLOW_LIST);
}

static bool login_is_moved(const struct conn *conn, enum config_moved moved)
{
    const struct config_target *target = login_target(conn);

    if (target == NULL || target->moved != moved)
        return false;
    /* Who follows the redirect to a portal of ours has arrived. */
    if (target->moved_to == NULL && target->moved_portal == conn->portal)
        return false;
    return !conn_has(conn, DEFECT_IGNORE_MOVED) && !conn_has(conn, DEFECT_REDIRECT_ON_SUCCESS_STATUS);
}

bool login_is_moved_temporarily(struct conn *conn)
{
    return login_is_moved(conn, CONFIG_MOVED_TEMPORARILY);
}

bool login_is_moved_permanently(struct conn *conn)
{
    return login_is_moved(conn, CONFIG_MOVED_PERMANENTLY);
}

bool login_is_forced_first(struct conn *conn)
{
    struct login *login = conn->login;

    login->forced = node_forced(conn->node, login->identity.target, CONFIG_STAGE_FIRST, login->identity.initiator);
    return login->forced != 0;
}

bool login_is_forced_stage(struct conn *conn)
{
    struct login *login = conn->login;
    enum config_stage stage =
        login->request.csg == PDU_STAGE_SECURITY ? CONFIG_STAGE_SECURITY : CONFIG_STAGE_OPERATIONAL;

    login->forced = node_forced(conn->node, login->identity.target, stage, login->identity.initiator);
    return login->forced != 0;
}

bool login_is_store_lost(struct conn *conn)
{
    const struct config_target *target = login_target(conn);
    const struct node *node = conn->node;

    if (target == NULL || conn_has(conn, DEFECT_IGNORE_STORE_FAULT))
        return false;
    if (node->targets[conn->login->identity.target].fault)
        return true;
    return target->lun == CONFIG_LUN_FILE && node->env.store_ok != NULL &&
           !node->env.store_ok(node->env.context, conn->login->identity.target);
}

/* ---- sessions ---- */

bool login_is_no_session(struct conn *conn)
{
    return conn->login->join == LOGIN_JOIN_NO_SESSION;
}

bool login_lost_session(struct conn *conn)
{
    return conn->login->join == LOGIN_JOIN_OK && sessions_join(conn, NULL) == LOGIN_JOIN_NO_SESSION;
}

bool login_is_other_group(struct conn *conn)
{
    return conn->login->join == LOGIN_JOIN_OTHER_GROUP;
}

bool login_is_session_full(struct conn *conn)
{
    return conn->login->join == LOGIN_JOIN_FULL;
}

bool login_refuses_join(struct conn *conn)
{
    return conn_has(conn, DEFECT_REFUSE_JOIN) && conn->login->join == LOGIN_JOIN_OK;
}

bool login_refuses_reinstatement(struct conn *conn)
{
    struct session *session = NULL;

    if (conn->login->join == LOGIN_JOIN_NONE) {
        session = sessions_reinstated(conn);
        if (session != NULL && conn_has(conn, DEFECT_REINSTATEMENT_ON_FIRST_PDU)) {
            sessions_end(session, conn->node);
            return false;
        }
        return session != NULL && conn_has(conn, DEFECT_REINSTATEMENT_REFUSED);
    }
    return conn_has(conn, DEFECT_CONNECTION_REINSTATEMENT_REFUSED) && sessions_join(conn, &session) == LOGIN_JOIN_OK &&
           sessions_connection(session, conn->login->first.cid) != NULL;
}

bool login_is_portal_full(struct conn *conn)
{
    return conn->login->join == LOGIN_JOIN_NONE && sessions_portal_full(conn);
}

bool login_refuses_security(struct conn *conn)
{
    return conn_has(conn, DEFECT_REFUSE_SECURITY_STAGE) && conn->login->request.csg == PDU_STAGE_SECURITY &&
           !auth_required(&conn->login->auth);
}
