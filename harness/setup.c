/* A new connection of a case: see setup.h. */
#include "harness/setup.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct case_need *need_of(const struct case_def *def, const char *role)
{
    for (size_t i = 0; i < def->need_count; i++)
        if (strcmp(def->needs[i].role, role) == 0)
            return &def->needs[i];
    return def->need_count ? &def->needs[0] : NULL;
}

/* By the portal's own name, or that of a condition that brings one. */
static const struct profile_portal *find_portal(const struct profile *p, const char *name)
{
    const struct profile_portal *portal = name ? profile_portal_find(p, name) : NULL;
    const struct profile_condition *condition = name && !portal ? profile_condition_find(p, name) : NULL;

    if (condition && condition->portal)
        portal = profile_portal_find(p, condition->portal);
    return portal;
}

/* A target by its name, or by that of a condition that brings one. */
static const char *target_name(const struct profile *p, const char *name)
{
    const struct profile_condition *condition = name ? profile_condition_find(p, name) : NULL;

    return condition && condition->target ? condition->target : name;
}

static bool set_text(struct conn *c, char *out, size_t cap, const char *text, const char *what)
{
    const struct live_scope scope = conn_scope(c);
    char err[200];
    size_t len = 0;
    char *value = text ? live_expand(text, strlen(text), &scope, &len, err, sizeof(err)) : NULL;
    bool good = !text || (value && len < cap);

    if (value && good)
        memcpy(out, value, len + 1);
    else if (text)
        snprintf(c->drive->error, sizeof(c->drive->error), "%s of connection %s: %s", what, c->name,
                 value ? "longer than libiscsi takes" : err);
    free(value);
    return good;
}

static void set_plain(char *out, size_t cap, const char *text)
{
    snprintf(out, cap, "%s", text ? text : "");
}

/* The session it belongs to: that of `of`, a new one under the ISID of `isid-of`, or a new one. */
static bool set_session(struct conn *c)
{
    const struct case_login *l = c->login;
    const char *name = l->base == CASE_BASE_JOIN ? l->of : l->isid_of;
    struct conn *other = NULL;

    for (size_t i = 0; *name && i < c->drive->conn_count; i++)
        if (strcmp(c->drive->conns[i]->name, name) == 0)
            other = c->drive->conns[i];
    if (*name && !other) {
        snprintf(c->drive->error, sizeof(c->drive->error), "connection %s: there is no connection %s", c->name, name);
        return false;
    }
    if (l->base == CASE_BASE_JOIN) {
        c->session = other->session;
        c->live.cid = c->session->next_cid++;
        c->live.tsih = c->session->tsih;
    } else if (!(c->session = session_new(c->drive))) {
        return false;
    } else if (other) {
        memcpy(c->session->isid, other->session->isid, PDU_ISID_LEN);
    }
    if (l->base == CASE_BASE_DISCOVERY)
        c->session->discovery = true;
    memcpy(c->live.isid, c->session->isid, PDU_ISID_LEN);
    c->live.cmd_sn = c->session->cmd_sn;
    if (other) {
        set_plain(c->initiator, sizeof(c->initiator), other->initiator);
        if (l->base == CASE_BASE_JOIN)
            set_plain(c->target, sizeof(c->target), other->target);
    }
    return true;
}

static bool set_credentials(struct conn *c, const struct profile_access *access)
{
    const struct case_login *l = c->login;
    const char *secret = l->secret ? l->secret : access->secret;
    enum case_base way = l->base == CASE_BASE_JOIN || l->base == CASE_BASE_DISCOVERY ? l->via : l->base;

    if (!set_text(c, c->user, sizeof(c->user), l->user ? l->user : access->user, "user"))
        return false;
    set_plain(c->secret, sizeof(c->secret), secret);
    set_plain(c->mutual_user, sizeof(c->mutual_user), access->mutual_user);
    set_plain(c->mutual_secret, sizeof(c->mutual_secret), access->mutual_secret);
    c->has_secret = secret != NULL;
    c->has_mutual = access->mutual_secret != NULL;
    if ((way == CASE_BASE_CHAP || way == CASE_BASE_MUTUAL_CHAP) && (!*c->user || !c->has_secret)) {
        snprintf(c->drive->error, sizeof(c->drive->error),
                 "connection %s: no user and secret for CHAP; name them in the profile's condition", c->name);
        return false;
    }
    if (way == CASE_BASE_MUTUAL_CHAP && (!*c->mutual_user || !c->has_mutual)) {
        snprintf(c->drive->error, sizeof(c->drive->error),
                 "connection %s: no mutual user and secret; name them in the profile's condition", c->name);
        return false;
    }
    return true;
}

static bool set_portal(struct conn *c, const struct profile_access *access, const struct profile_portal *given)
{
    const struct profile *p = c->drive->env->profile;
    const char *name = c->login->portal ? c->login->portal : access->portal;

    c->portal = given ? given : find_portal(p, name);
    if (!c->portal && !name)
        c->portal = find_portal(p, "open");
    if (!c->portal && !name && p->portal_count)
        c->portal = &p->portals[0];
    if (!c->portal) {
        snprintf(c->drive->error, sizeof(c->drive->error), "connection %s: the profile has no portal %s", c->name,
                 name ? name : "at all");
        return false;
    }
    snprintf(c->live.portal, sizeof(c->live.portal), strchr(c->portal->address, ':') ? "[%s]:%u" : "%s:%u",
             c->portal->address, (unsigned)c->portal->port);
    return true;
}

/* What the auditor may know beyond the bytes: the case's first login sets it. */
static void set_context(struct conn *c, const struct profile_access *access, const struct case_need *need)
{
    struct transcript_context *x = &c->drive->net.transcript->context;

    if (x->live)
        return;
    x->live = true;
    x->rfc3720 = c->drive->env->profile->rfc3720;
    x->close_grace_ms = c->drive->env->close_grace_ms;
    x->portal_tag = c->portal->tag;
    set_plain(x->target, sizeof(x->target), access->target);
    set_plain(x->chap_user, sizeof(x->chap_user), access->user);
    set_plain(x->chap_secret, sizeof(x->chap_secret), access->secret);
    set_plain(x->mutual_user, sizeof(x->mutual_user), access->mutual_user);
    set_plain(x->mutual_secret, sizeof(x->mutual_secret), access->mutual_secret);
    for (size_t i = 0; need && i < need->conditions.count; i++)
        x->requires_chap |=
            strcmp(need->conditions.items[i], "chap") == 0 || strcmp(need->conditions.items[i], "mutual-chap") == 0;
}

enum setup_result setup_conn(struct drive *d, const struct case_login *login, const struct profile_portal *portal,
                             struct conn **out, char *text, size_t cap)
{
    const struct case_need *need = need_of(d->def, login->role);
    static const struct case_need nothing = {.role = ""};
    struct profile_access access = {0};
    const char *reason = profile_resolve(d->env->profile, need ? need : &nothing, &access);
    struct conn *c;

    if (reason) {
        snprintf(text, cap, "%s", reason);
        return SETUP_SKIP;
    }
    *out = c = conn_new(d, login->as);
    if (!c)
        return SETUP_ERROR;
    c->login = login;
    set_plain(c->target, sizeof(c->target), access.target);
    set_plain(c->initiator, sizeof(c->initiator), access.initiator ? access.initiator : d->env->initiator);
    c->live.itt = (uint32_t)drive_random(d) | 1u;
    if (!set_portal(c, &access, portal) || !set_session(c) ||
        !set_text(c, c->initiator, sizeof(c->initiator), login->initiator, "initiator") ||
        !set_text(c, c->target, sizeof(c->target), target_name(d->env->profile, login->target), "target") ||
        !set_credentials(c, &access))
        return SETUP_ERROR;
    set_context(c, &access, need);
    if (!*c->target && !c->session->discovery && login->base != CASE_BASE_RAW) {
        snprintf(d->error, sizeof(d->error), "connection %s: the profile names no target for it", c->name);
        return SETUP_ERROR;
    }
    return SETUP_READY;
}

/* Same host: as text, or as the same numeric address. */
static bool same_host(const char *a, size_t a_len, const char *b)
{
    char host[256];
    unsigned char x[16], y[16];

    if (a_len >= sizeof(host))
        return false;
    memcpy(host, a, a_len);
    host[a_len] = '\0';
    if (strcasecmp(host, b) == 0)
        return true;
    return inet_pton(AF_INET6, host, x) == 1 && inet_pton(AF_INET6, b, y) == 1 && memcmp(x, y, sizeof(x)) == 0;
}

const struct profile_portal *setup_redirect(struct drive *d, const char *from, char *text, size_t cap)
{
    const struct conn *c = conn_find(d, from);
    const struct profile *p = d->env->profile;
    struct text_pair pair;
    struct text_address address;

    for (size_t i = 0; c && i < c->answer_count; i++) {
        const uint8_t *data = conn_answer_data(c, &c->answers[i]);

        if (!data || !text_find(data, c->answers[i].data_len, "TargetAddress", &pair))
            continue;
        if (text_parse_address(pair.value, pair.value_len, &address) != TEXT_ADDRESS_OK) {
            snprintf(text, cap, "TargetAddress=%.*s is no address", (int)(pair.value_len < 200 ? pair.value_len : 200),
                     pair.value);
            return NULL;
        }
        for (size_t k = 0; k < p->portal_count; k++)
            if (p->portals[k].port == address.port && p->portals[k].address &&
                same_host(address.host, address.host_len, p->portals[k].address))
                return &p->portals[k];
        snprintf(text, cap, "TargetAddress=%.*s is none of the profile's portals: not followed",
                 (int)(pair.value_len < 200 ? pair.value_len : 200), pair.value);
        return NULL;
    }
    snprintf(text, cap, "connection %s was given no TargetAddress", from);
    return NULL;
}
