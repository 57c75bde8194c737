/* The network fuzzer alone with its target: plain logins, single inputs, restarts. See netfuzz_campaign.h. */
#include "harness/netfuzz_campaign.h"
#include "harness/process.h"
#include "harness/reach.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ODD_MS = 1500,   /* how long a dying target may take to be gone after it fell silent */
    EVEN_MS = 3,     /* the same where nothing looks like it */
    PLAIN_MS = 5000, /* a plain login that takes longer fails */
    BACK_MS = 60000, /* how long a target that is not ours may stay away */
    START_ATTEMPTS = 3,
    BACK_STEP_MS = 500,
};

/* The one execution that is waited for. */
struct single {
    struct netfuzz_shown *shown;
    const struct netfuzz_exec *result;
    enum netfuzz_fate fate;
    bool done, odd, silent;
};

void netfuzz_drain(struct netfuzz *f)
{
    while (netfuzz_player_busy(f->player) > 0)
        uv_run(&f->loop, UV_RUN_ONCE);
}

static bool ended_oddly(const struct netfuzz_exec *x)
{
    if (x->fate != NETFUZZ_PLAYED || x->silent)
        return true;
    for (size_t i = 0; i < x->transcript->conn_count; i++) {
        const struct transcript_conn *c = x->transcript->conns[i];
        const struct transcript_event *target = transcript_ended(c, TRANSCRIPT_TARGET);

        if (target && !(x->reach & NETFUZZ_REFUSED))
            return true;
    }
    return false;
}

static void on_single(void *user, struct netfuzz_exec *x)
{
    struct single *s = user;

    s->done = true;
    s->fate = x->fate;
    s->odd = ended_oddly(x);
    s->silent = x->silent;
    s->shown->reach = x->reach;
    s->shown->us = x->us;
    s->shown->reached = x->fate == NETFUZZ_PLAYED;
    transcript_free(s->shown->transcript);
    s->shown->transcript = x->transcript;
    x->transcript = NULL;
}

/* Nothing else may be in flight. */
static bool play_single(struct netfuzz *f, const struct netfuzz_input *input, struct single *s)
{
    s->done = s->odd = s->silent = false;
    netfuzz_player_listen(f->player, on_single, s);
    if (!netfuzz_player_start(f->player, input, 0, (uint64_t)process_now_us(), NULL))
        return false;
    while (!s->done)
        uv_run(&f->loop, UV_RUN_ONCE);
    netfuzz_player_listen(f->player, f->done, f);
    return true;
}

/* Looks after the target for a while. */
static void look(struct netfuzz *f, struct netfuzz_shown *out, int limit_ms)
{
    int64_t until = process_now_ms() + limit_ms;

    for (;;) {
        enum netfuzz_trouble trouble = netfuzz_watch_look(&f->watch);

        out->gone = trouble == NETFUZZ_GONE;
        out->alarmed = f->watch.signature[0] != '\0';
        if (out->gone || (out->alarmed && f->watch.summary) || process_now_ms() >= until || netfuzz_stopped(f))
            break;
        process_sleep_ms(2);
    }
    if (out->gone || out->alarmed) {
        netfuzz_watch_describe(&f->watch, out->signature, sizeof(out->signature));
        snprintf(out->line, sizeof(out->line), "%s", f->watch.line);
    }
}

bool netfuzz_alone(struct netfuzz *f, const struct netfuzz_input *const *inputs, size_t count, enum netfuzz_care care,
                   struct netfuzz_shown *out)
{
    struct single s = {.shown = out};
    int64_t us;

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < count && !out->gone && !out->alarmed; i++) {
        if (!play_single(f, inputs[i], &s))
            return false;
        look(f, out, care == NETFUZZ_QUICK ? 0 : EVEN_MS);
    }
    if (!out->gone && !out->alarmed && (care == NETFUZZ_CHECK || s.odd)) {
        out->hung = !netfuzz_plain_login(f, PLAIN_MS, &us);
        look(f, out, out->hung ? (care == NETFUZZ_CHECK ? EVEN_MS : ODD_MS) : 0);
        /* a target of others that takes no connections is gone */
        if (out->hung && !out->gone && !f->options->hooks->pid && !hooks_alive(f->options->hooks)) {
            out->gone = true;
            snprintf(out->signature, sizeof(out->signature), "no more connections");
        }
        out->hung = out->hung && !out->gone && !out->alarmed;
    }
    return !out->transcript || audit_transcript(out->transcript, &out->findings);
}

void netfuzz_shown_free(struct netfuzz_shown *shown)
{
    finding_list_free(&shown->findings);
    transcript_free(shown->transcript);
    memset(shown, 0, sizeof(*shown));
}

bool netfuzz_plain_login(struct netfuzz *f, int limit_ms, int64_t *us)
{
    struct netfuzz_shown shown = {0};
    struct single s = {.shown = &shown};
    int answer_ms = f->site.answer_ms;
    bool good = false;

    f->site.answer_ms = limit_ms;
    if (f->corpus.count > 0 && play_single(f, &f->corpus.entries[0].input, &s))
        good = (shown.reach & NETFUZZ_FULL) != 0;
    *us = shown.us;
    f->site.answer_ms = answer_ms;
    netfuzz_shown_free(&shown);
    return good;
}

static bool wait_until_back(struct netfuzz *f)
{
    int64_t us, until = process_now_ms() + BACK_MS;

    netfuzz_show(f, "waiting for the target to come back");
    while (process_now_ms() < until && !netfuzz_stopped(f)) {
        if (netfuzz_plain_login(f, PLAIN_MS, &us))
            return true;
        process_sleep_ms(BACK_STEP_MS);
    }
    return false;
}

/* A port may have been taken by another program between two starts, and a night must not end for that. */
static bool start_anew(struct netfuzz *f)
{
    for (unsigned attempt = 0; attempt < START_ATTEMPTS && !(attempt > 0 && netfuzz_stopped(f)); attempt++)
        if (hooks_restart(f->options->hooks, f->err, sizeof(f->err)) == HOOKS_OK && netfuzz_find_site(f))
            return true;
    return false;
}

bool netfuzz_revive(struct netfuzz *f)
{
    struct hooks *hooks = f->options->hooks;
    bool ours = hooks->profile->start != NULL && !hooks->external;

    f->stats->restarts += ours;
    netfuzz_show(f, "starting the target anew");
    if (ours ? start_anew(f) : wait_until_back(f)) {
        f->err[0] = '\0';
        netfuzz_watch_reset(&f->watch);
        f->memory_base_kib = 0;
        return true;
    }
    f->lost = true;
    if (!f->err[0])
        snprintf(f->err, sizeof(f->err), "the target has not come back within %d s", BACK_MS / 1000);
    return false;
}

bool netfuzz_find_site(struct netfuzz *f)
{
    static char open_name[] = "open";
    static char *conditions[] = {open_name};
    struct case_need need = {.conditions = {conditions, 1}};
    const struct profile *p = f->options->hooks->profile;
    struct profile_access access = {0};
    const char *reason = profile_resolve(p, &need, &access);
    const struct profile_portal *portal = access.portal ? profile_portal_find(p, access.portal) : NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *list = NULL;
    char service[8];

    if (!portal && p->portal_count)
        portal = &p->portals[0];
    if (reason || !portal || !portal->port) {
        snprintf(f->err, sizeof(f->err), "nothing to log in to: %s", reason ? reason : "the profile has no portal");
        return false;
    }
    snprintf(service, sizeof(service), "%u", (unsigned)portal->port);
    if (getaddrinfo(portal->address, service, &hints, &list) != 0) {
        snprintf(f->err, sizeof(f->err), "%s: not an address", portal->address);
        return false;
    }
    memcpy(&f->site.address, list->ai_addr, list->ai_addrlen);
    getnameinfo(list->ai_addr, list->ai_addrlen, f->site.host, sizeof(f->site.host), NULL, 0, NI_NUMERICHOST);
    freeaddrinfo(list);
    f->site.port = portal->port;
    snprintf(f->stats->address, sizeof(f->stats->address), strchr(f->site.host, ':') ? "[%s]:%u" : "%s:%u",
             f->site.host, (unsigned)portal->port);
    return true;
}
