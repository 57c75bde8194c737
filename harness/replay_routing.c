/* Who stands for whom: see replay_routing.h. */
#include "harness/replay_routing.h"

#include "wire/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct routing {
    const struct replay_script *script;
    const struct profile *profile;
    struct replay_routing *out;
    char *err;
    size_t err_len;
};

static int fail(struct routing *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(struct routing *r, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(r->err, r->err_len, format, args);
    va_end(args);
    return -1;
}

/* A string that lives as long as the routing, NULL when out of memory. */
static const char *own(struct routing *r, const char *text, size_t len)
{
    char **owned = realloc(r->out->owned, (r->out->owned_count + 1) * sizeof(*owned));
    char *copy = strndup(text, len);

    if (owned)
        r->out->owned = owned;
    if (!owned || !copy) {
        free(copy);
        return NULL;
    }
    owned[r->out->owned_count++] = copy;
    return copy;
}

static const char *portal_text(struct routing *r, const char *host, uint16_t port)
{
    char text[300];
    int len = snprintf(text, sizeof(text), strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, (unsigned)port);

    return own(r, text, len > 0 && (size_t)len < sizeof(text) ? (size_t)len : 0);
}

static int add(struct routing *r, const char *from, const char *to)
{
    if (!from || !to)
        return fail(r, "out of memory");
    if (strcmp(from, to) == 0 || replay_names_find(&r->out->names, from, strlen(from)))
        return 0;
    return replay_names_add(&r->out->names, from, to) ? 0
                                                      : fail(r, "more than %u names to be replaced", REPLAY_NAMES_MAX);
}

static int add_maps(struct routing *r, const char *const *maps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *equals = strchr(maps[i], '=');

        if (!equals || equals == maps[i] || !equals[1])
            return fail(r, "--map %s: write OLD=NEW, two names or two portals HOST:PORT", maps[i]);
        if (add(r, own(r, maps[i], (size_t)(equals - maps[i])), equals + 1))
            return -1;
    }
    return 0;
}

static bool same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* The condition that this target name belongs to; one with credentials when they are needed. NULL: none. */
static const struct profile_condition *by_target(const struct profile *p, const char *target, bool chap, bool mutual)
{
    const struct profile_condition *found = NULL;

    for (size_t i = 0; i < p->condition_count; i++) {
        const struct profile_condition *c = &p->conditions[i];

        if (!same(c->target, target))
            continue;
        if (!found || (chap && !found->user && c->user) || (mutual && !found->mutual_user && c->mutual_user))
            found = c;
    }
    return found;
}

const struct profile_condition *replay_routing_condition(const struct profile *profile, const struct login_facts *facts)
{
    const struct profile_condition *c = NULL;

    if (*facts->target && (c = by_target(profile, facts->target, facts->chap, facts->mutual)))
        return c;
    if (facts->discovery)
        c = profile_condition_find(profile, facts->chap ? "discovery-chap" : "discovery");
    if (!c && facts->mutual)
        c = profile_condition_find(profile, "mutual-chap");
    if (!c && facts->chap)
        c = profile_condition_find(profile, "chap");
    return c ? c : profile_condition_find(profile, "open");
}

static bool names_a_target(const struct login_facts *f)
{
    return *f->target && !(f->end == LOGIN_REFUSED && f->status == STATUS_NOT_FOUND);
}

static const char *target_of(const struct routing *r, const struct profile_condition *c)
{
    const struct profile_condition *open = profile_condition_find(r->profile, "open");

    return c && c->target ? c->target : open ? open->target : NULL;
}

/* A recorded target name, and the one of the profile that stands for it: one for each condition. */
static int add_target(struct routing *r, const struct login_facts *f)
{
    const struct profile_condition *c = replay_routing_condition(r->profile, f);
    const char *to = target_of(r, c);
    size_t len = strlen(f->target);

    if (!names_a_target(f) || replay_names_find(&r->out->names, f->target, len) ||
        by_target(r->profile, f->target, false, false))
        return 0;
    if (!to)
        return fail(r, "nothing says which target stands for %s: --map %s=NAME", f->target, f->target);
    for (size_t i = 0; i < r->out->names.count; i++)
        if (same(r->out->names.items[i].to, to))
            return fail(r,
                        "the capture speaks of %s and %s, and both would become %s: say which stands for which with "
                        "--map %s=NAME",
                        r->out->names.items[i].from, f->target, to, f->target);
    return add(r, f->target, to);
}

static int add_route(struct routing *r, size_t conn)
{
    const struct replay_source *source = &r->script->sources[conn];
    const struct profile_condition *c = replay_routing_condition(r->profile, &source->facts);
    const struct profile_condition *open = profile_condition_find(r->profile, "open");
    const char *name = c && c->portal ? c->portal : open ? open->portal : NULL;
    const struct profile_portal *portal = name ? profile_portal_find(r->profile, name) : NULL;
    struct replay_route *route = &r->out->routes[conn];
    const char *recorded = portal_text(r, source->conn->remote, source->conn->remote_port), *to;
    struct text_address address;

    if (!portal && r->profile->portal_count)
        portal = &r->profile->portals[0];
    if (!portal || !recorded)
        return fail(r, portal ? "out of memory" : "the profile has no portal");
    *route = (struct replay_route){portal->address, portal->port, c && source->facts.chap ? c->secret.text : NULL};
    if (source->facts.chap && c && !route->secret && (open = profile_condition_find(r->profile, "chap")))
        route->secret = same(target_of(r, open), target_of(r, c)) ? open->secret.text : NULL;
    to = replay_names_find(&r->out->names, recorded, strlen(recorded));
    if (!to)
        return add(r, recorded, portal_text(r, portal->address, portal->port));
    if (text_parse_address(to, strlen(to), &address) != TEXT_ADDRESS_OK)
        return fail(r, "--map %s=%s: what stands for a portal has to be HOST:PORT", recorded, to);
    route->host = own(r, address.host, address.host_len);
    route->port = address.port;
    return route->host ? 0 : fail(r, "out of memory");
}

/* A user whose login succeeded becomes the user of today; one that was refused stays what it was. */
static int add_user(struct routing *r, const struct login_facts *f)
{
    const struct profile_condition *c = replay_routing_condition(r->profile, f);

    if (!f->chap || f->end != LOGIN_COMPLETE || !*f->user || !c || !c->user)
        return 0;
    return add(r, f->user, c->user);
}

/* The portal of another portal group that a recorded login came through, by the tag that the target told (13.9). */
static const struct profile_portal *by_tag(const struct profile *p, const struct login_facts *f)
{
    const struct text_buf *said = &f->said[TRANSCRIPT_TARGET];
    struct text_pair pair;
    uint64_t tag;

    if (f->end != LOGIN_COMPLETE || !text_find(said->data, said->len, "TargetPortalGroupTag", &pair) ||
        text_parse_number(pair.value, pair.value_len, &tag) != TEXT_NUMBER_OK)
        return NULL;
    for (size_t i = 0; i < p->portal_count; i++)
        if (p->portals[i].tag >= 0 && (uint64_t)p->portals[i].tag == tag)
            return i ? &p->portals[i] : NULL; /* the first is where everything goes anyhow */
    return NULL;
}

/*
 * A portal of a recording of this very profile that was draining or full: the login that shows it names a target that
 * the profile knows, and its condition has a portal of its own.
 */
static int add_portal_condition(struct routing *r, size_t conn)
{
    static const struct {
        uint16_t status;
        const char *condition;
    } rows[] = {{STATUS_SERVICE_UNAVAILABLE, "drained"}, {STATUS_OUT_OF_RESOURCES, "session-limit"}};
    const struct replay_source *source = &r->script->sources[conn];
    const struct profile_condition *c = NULL;
    const struct profile_portal *portal = NULL;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (source->facts.end == LOGIN_REFUSED && source->facts.status == rows[i].status &&
            by_target(r->profile, source->facts.target, false, false))
            c = profile_condition_find(r->profile, rows[i].condition);
    if (c && c->portal)
        portal = profile_portal_find(r->profile, c->portal);
    else if (by_target(r->profile, source->facts.target, false, false))
        portal = by_tag(r->profile, &source->facts);
    return portal ? add(r, portal_text(r, source->conn->remote, source->conn->remote_port),
                        portal_text(r, portal->address, portal->port))
                  : 0;
}

/* The ports of a target that was started for this replay are new ones. */
static int add_own_portals(struct routing *r)
{
    for (size_t i = 0; r->profile->start && i < r->profile->portal_count && i < REPLAY_PORTALS_MAX; i++) {
        const char *text = portal_text(r, r->profile->portals[i].address, r->profile->portals[i].port);

        if (!text)
            return fail(r, "out of memory");
        r->out->names.portals[r->out->names.portal_count++] = text;
    }
    return 0;
}

int replay_routing_make(const struct replay_script *script, const struct profile *profile, const char *const *maps,
                        size_t map_count, struct replay_routing *out, char *err, size_t err_len)
{
    struct routing r = {script, profile, out, err, err_len};

    memset(out, 0, sizeof(*out));
    out->routes = calloc(script->source_count + 1, sizeof(*out->routes));
    if (!out->routes)
        return fail(&r, "out of memory");
    if (add_maps(&r, maps, map_count) || add_own_portals(&r))
        return -1;
    for (size_t i = 0; i < script->source_count; i++)
        if (!*script->sources[i].skipped && add_portal_condition(&r, i))
            return -1;
    for (size_t i = 0; i < script->source_count; i++)
        if (!*script->sources[i].skipped &&
            (add_target(&r, &script->sources[i].facts) || add_user(&r, &script->sources[i].facts) || add_route(&r, i)))
            return -1;
    return 0;
}

void replay_routing_free(struct replay_routing *routing)
{
    for (size_t i = 0; i < routing->owned_count; i++)
        free(routing->owned[i]);
    free(routing->owned);
    free(routing->routes);
    memset(routing, 0, sizeof(*routing));
}
