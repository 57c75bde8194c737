#include "harness/lint_history.h"

#include "harness/audit/report.h"
#include "harness/lint_judge.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRACKS_MAX     4096u
#define BUCKETS        4096u
#define CHALLENGES     16384u
#define HOPS_MAX       16u
#define LONG_CHALLENGE 16u /* octets: with fewer, chance alone brings one again some day (RFC 1994, 2.3) */

#define REPEAT_US  60000000 /* a login that is repeated later than this has been thought about */
#define HURRY_US   1000000  /* a second try behind class 3 sooner than this gives the target no time */
#define RETURN_US  5000000  /* a session may be away so long before it is missed */
#define NAME_CHARS 224u

/* An end of the target. */
struct portal {
    char address[64];
    uint16_t port;
};

/* One initiator with one target. */
struct track {
    struct track *chain;
    bool used;
    uint64_t key;
    char initiator[NAME_CHARS + 1], target[NAME_CHARS + 1];
    struct lint_finding last; /* place of the last login; its strings are not used */
    enum lint_outcome outcome;
    uint16_t status;
    uint64_t request; /* hash of what the first request said */
    int64_t at_us;    /* when its answer came, or it ended */
    /* a refused login that is repeated */
    uint64_t repeats;
    uint64_t repeat_first, repeat_last; /* frames */
    uint64_t repeat_stream;
    int64_t repeat_least_us;
    uint16_t repeat_status;
    /* redirections since the last login that was not moved */
    struct portal hops[HOPS_MAX];
    size_t hop_count;
    bool moved; /* the last login was: */
    struct portal moved_to;
    bool permanent;
    bool stubborn; /* that it came back is told already */
    struct portal moved_from;
    bool loop_told;
    bool forever; /* a permanent move was followed: */
    struct portal old;
    /* a session that was lost */
    bool lost;
    int64_t lost_us;
    uint64_t lost_frame;
};

struct challenge {
    uint64_t hash, portal, group;
    uint32_t stream;
    uint64_t frame;
};

struct lint_history {
    lint_history_fn *report;
    void *context;
    struct track tracks[TRACKS_MAX];
    size_t next; /* the track to be given away when all are in use */
    size_t count;
    struct track *buckets[BUCKETS];
    struct challenge challenges[CHALLENGES];
    uint64_t forgotten;
    bool failed;
};

struct lint_history *lint_history_new(lint_history_fn *report, void *context)
{
    struct lint_history *h = calloc(1, sizeof *h);

    if (h) {
        h->report = report;
        h->context = context;
    }
    return h;
}

void lint_history_free(struct lint_history *h)
{
    free(h);
}

/* ---- telling ---- */

static void tell(struct lint_history *h, const struct lint_finding *at, const char *id, enum rule_severity severity,
                 enum rule_party party, const char *was, const char *allowed)
{
    struct lint_finding f = *at;

    f.id = id;
    f.severity = severity;
    f.party = party;
    f.was = was;
    f.allowed = allowed;
    if (!h->report(h->context, &f))
        h->failed = true;
}

static void tell_repeats(struct lint_history *h, struct track *t)
{
    const struct status_entry *known = status_find(t->repeat_status);
    struct lint_finding at = t->last;
    char was[600];

    if (t->repeats == 0)
        return;
    at.frame = t->repeat_first;
    at.stream = (uint32_t)t->repeat_stream;
    snprintf(
        was, sizeof was,
        "%s repeated its login to %s, refused with 0x%04x, %llu time%s unchanged (frames %llu to %llu, at least %.3f s "
        "apart)",
        t->initiator, t->target, t->repeat_status, (unsigned long long)t->repeats, t->repeats == 1 ? "" : "s",
        (unsigned long long)t->repeat_first, (unsigned long long)t->repeat_last, (double)t->repeat_least_us / 1e6);
    tell(h, &at, known ? "L-INI-010" : "L-INI-012", known ? RULE_WARN : RULE_INFO, RULE_INITIATOR, was,
         "no repetition of what class 2 refused, until something has changed");
    t->repeats = 0;
}

static void tell_lost(struct lint_history *h, struct track *t, int64_t last_us)
{
    struct lint_finding at = t->last;
    char was[600];

    if (!t->lost || last_us - t->lost_us < RETURN_US)
        return;
    at.frame = t->lost_frame;
    snprintf(was, sizeof was,
             "the session of %s with %s ended without logout, and did not come back in the %.1f s that follow",
             t->initiator, t->target, (double)(last_us - t->lost_us) / 1e6);
    tell(h, &at, "lint.session-lost", RULE_WARN, RULE_INITIATOR, was, "a new login, or a logout before the end");
    t->lost = false;
}

/* ---- tracks ---- */

static struct track *find(struct lint_history *h, uint64_t key, int64_t now_us)
{
    struct track **bucket = &h->buckets[key % BUCKETS];
    struct track *t;

    for (t = *bucket; t; t = t->chain)
        if (t->key == key)
            return t;
    t = &h->tracks[h->next];
    h->next = (h->next + 1) % TRACKS_MAX;
    if (t->used) {
        struct track **at = &h->buckets[t->key % BUCKETS];

        tell_repeats(h, t);
        tell_lost(h, t, now_us);
        h->forgotten++;
        while (*at != t)
            at = &(*at)->chain;
        *at = t->chain;
    } else {
        h->count++;
    }
    memset(t, 0, sizeof *t);
    t->used = true;
    t->key = key;
    t->chain = *bucket;
    *bucket = t;
    return t;
}

static struct track *track_of(struct lint_history *h, const struct lint_conn *c)
{
    char initiator[NAME_CHARS + 1], target[NAME_CHARS + 1];
    struct track *t;
    uint64_t key;

    lint_value(c->login, KEYS_INITIATOR_NAME, TRANSCRIPT_INITIATOR, initiator, sizeof initiator);
    if (initiator[0] == '\0')
        snprintf(initiator, sizeof initiator, "%s", c->capture->conn->local);
    lint_value(c->login, KEYS_TARGET_NAME, TRANSCRIPT_INITIATOR, target, sizeof target);
    if (c->login->discovery || target[0] == '\0')
        snprintf(target, sizeof target, "%s of %s", c->login->discovery ? "discovery" : "an unnamed target",
                 c->capture->conn->remote);
    key = lint_hash(lint_hash(UINT64_C(0xcbf29ce484222325), initiator, strlen(initiator) + 1), target, strlen(target));
    t = find(h, key, c->capture->first_us);
    memcpy(t->initiator, initiator, sizeof initiator);
    memcpy(t->target, target, sizeof target);
    return t;
}

/* What the first request says, without what changes from login to login. */
static uint64_t request_hash(const struct audit_login *login)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    const struct audit_exchange *x = &login->exchanges[0];

    hash = lint_hash(hash, &x->req.csg, 1);
    hash = lint_hash(hash, &x->req.version_min, 1);
    hash = lint_hash(hash, &x->req.version_max, 1);
    hash = lint_hash(hash, &x->req.tsih, sizeof x->req.tsih);
    if (login->first_text != AUDIT_NONE)
        hash = lint_hash(hash, login->texts[login->first_text].bytes, login->texts[login->first_text].len);
    return hash;
}

/* ---- redirections ---- */

static bool same_portal(const struct portal *a, const struct portal *b)
{
    return a->port == b->port && strcmp(a->address, b->address) == 0;
}

static struct portal portal_of(const struct lint_conn *c)
{
    struct portal p;

    snprintf(p.address, sizeof p.address, "%s", c->capture->conn->remote);
    p.port = c->capture->conn->remote_port;
    return p;
}

/* The address that a redirection gives, in the form in which connections have theirs. */
static bool moved_address(const struct audit_login *login, struct portal *out)
{
    const struct audit_pair *pair = audit_login_said(login, KEYS_TARGET_ADDRESS, TRANSCRIPT_TARGET);
    struct text_address address;
    unsigned char binary[16];

    if (!pair || text_parse_address(pair->value, pair->value_len, &address) != TEXT_ADDRESS_OK ||
        address.host_len >= sizeof out->address)
        return false;
    memcpy(out->address, address.host, address.host_len);
    out->address[address.host_len] = '\0';
    out->port = address.port;
    if (address.ipv6 && inet_pton(AF_INET6, out->address, binary) == 1)
        inet_ntop(AF_INET6, binary, out->address, sizeof out->address);
    return true;
}

/* A name is not an address: whether it was followed cannot be seen. */
static bool is_numeric(const struct portal *p)
{
    unsigned char binary[16];

    return inet_pton(AF_INET, p->address, binary) == 1 || inet_pton(AF_INET6, p->address, binary) == 1;
}

/* A login of one that was told to go elsewhere. */
static void check_followed(struct lint_history *h, struct track *t, const struct lint_finding *at,
                           const struct portal *here, int64_t at_us)
{
    char was[700];

    if (t->forever && same_portal(here, &t->old)) {
        snprintf(was, sizeof was, "%s came to %s port %u again, although it had moved for ever", t->initiator,
                 here->address, here->port);
        tell(h, at, "L-INI-009", RULE_INFO, RULE_INITIATOR, was, "the new address is remembered");
        t->forever = false;
    }
    if (!t->moved || at_us < t->at_us)
        return;
    t->moved = false;
    if (!is_numeric(&t->moved_to))
        return;
    if (same_portal(here, &t->moved_to)) {
        t->forever = t->permanent;
        t->old = t->moved_from;
        t->stubborn = false;
    } else if (same_portal(here, &t->moved_from) && !t->stubborn) {
        t->stubborn = true;
        snprintf(was, sizeof was, "%s was sent from %s port %u to %s port %u, and came back to the first", t->initiator,
                 here->address, here->port, t->moved_to.address, t->moved_to.port);
        tell(h, at, "L-INI-008", RULE_FAIL, RULE_INITIATOR, was, "the initiator connects to the address given");
    }
}

static void note_move(struct lint_history *h, struct track *t, const struct lint_conn *c, const struct portal *here)
{
    char was[900];

    if (!moved_address(c->login, &t->moved_to))
        return;
    t->moved = true;
    t->permanent = c->status == STATUS_MOVED_PERMANENTLY;
    t->moved_from = *here;
    if (t->hop_count < HOPS_MAX)
        t->hops[t->hop_count++] = *here;
    for (size_t i = 0; i < t->hop_count && !t->loop_told; i++) {
        if (!same_portal(&t->hops[i], &t->moved_to))
            continue;
        snprintf(was, sizeof was,
                 "%s is sent in a circle of %zu redirection%s to %s: %s port %u sends it to %s port %u", t->initiator,
                 t->hop_count - i, t->hop_count - i == 1 ? "" : "s", t->target, here->address, here->port,
                 t->moved_to.address, t->moved_to.port);
        tell(h, &t->last, "lint.redirect-loop", RULE_FAIL, RULE_TARGET, was, "a redirection that leads to the target");
        t->loop_told = true;
    }
}

/* ---- logins in a row ---- */

static void check_retry(struct lint_history *h, struct track *t, const struct lint_conn *c,
                        const struct lint_finding *at, uint64_t request)
{
    int64_t waited = c->capture->first_us - t->at_us;
    char was[600];

    if (t->outcome != LINT_REFUSED || t->request != request || waited < 0)
        return;
    if (status_class(t->status) == STATUS_CLASS_INITIATOR_ERROR && waited < REPEAT_US) {
        if (t->repeats++ == 0) {
            t->repeat_first = at->frame;
            t->repeat_stream = at->stream;
            t->repeat_least_us = waited;
            t->repeat_status = t->status;
        }
        t->repeat_last = at->frame;
        if (waited < t->repeat_least_us)
            t->repeat_least_us = waited;
    } else if (status_class(t->status) == STATUS_CLASS_TARGET_ERROR && waited < HURRY_US) {
        snprintf(was, sizeof was, "%s tried again %.3f s behind 0x%04x", t->initiator, (double)waited / 1e6, t->status);
        tell(h, at, "L-INI-011", RULE_INFO, RULE_INITIATOR, was, "some delay before the next try");
    }
}

/* Did the initiator log out before the end? */
static bool logged_out(const struct audit_login *login)
{
    for (size_t i = 0; i < login->pdu_count; i++)
        if (login->pdus[i].full_feature && login->pdus[i].side == TRANSCRIPT_INITIATOR && login->pdus[i].bhs &&
            pdu_opcode(login->pdus[i].bhs) == PDU_LOGOUT_REQUEST)
            return true;
    return false;
}

static void note_session(struct track *t, const struct lint_conn *c)
{
    const struct capture_conn *k = c->capture;
    uint64_t end = k->end_frame[0] != 0 && (k->end_frame[1] == 0 || k->end_frame[0] < k->end_frame[1])
                       ? k->end_frame[0]
                       : k->end_frame[1];

    t->lost = c->outcome == LINT_LOGGED_IN && !c->login->discovery && end != 0 && !logged_out(c->login) &&
              k->skipped[0] == 0 && !c->login->blind;
    t->lost_us = k->last_us;
    t->lost_frame = end;
}

/* ---- challenges ---- */

static void check_challenge(struct lint_history *h, const struct lint_conn *c, uint64_t group)
{
    const struct audit_pair *pair = audit_login_said(c->login, KEYS_CHAP_C, TRANSCRIPT_TARGET);
    uint64_t portal =
        lint_hash(c->capture->conn->remote_port, c->capture->conn->remote, strlen(c->capture->conn->remote));
    struct challenge *slot;
    struct challenge now = {.portal = portal, .group = group, .stream = c->capture->stream};
    const struct transcript_pdu *pdu;

    if (!pair || pair->value_len < 4)
        return;
    pdu = c->login->exchanges[c->login->texts[pair->text].last].response;
    now.hash = lint_hash(portal, pair->value, pair->value_len);
    now.frame = pdu ? capture_shown(c->capture, TRANSCRIPT_TARGET, pdu->offset + pdu->len) : 0;
    slot = &h->challenges[now.hash % CHALLENGES];
    if (slot->hash == now.hash && slot->portal == portal && slot->frame != 0 && slot->group != group) {
        struct lint_finding at = {.stream = now.stream, .side = TRANSCRIPT_TARGET, .frame = now.frame};
        char was[200];

        at.pdu = pdu ? pdu->number : 0;
        snprintf(was, sizeof was, "the challenge of frame %llu (tcp.stream %u) again", (unsigned long long)slot->frame,
                 slot->stream);
        /* Hex digits and their prefix: as many octets as half of them. */
        tell(h, &at, "L-CHAP-003", pair->value_len / 2 - 1 < LONG_CHALLENGE ? RULE_WARN : RULE_FAIL, RULE_TARGET, was,
             "a new challenge each time");
    }
    *slot = now;
}

/* ---- the whole ---- */

static int64_t answered_us(const struct lint_conn *c)
{
    const struct audit_login *login = c->login;
    size_t at = login->refusal != AUDIT_NONE ? login->refusal : login->final;

    return at != AUDIT_NONE ? login->exchanges[at].response->at_us : c->capture->last_us;
}

bool lint_history_take(struct lint_history *h, const struct lint_conn *conn, uint64_t group)
{
    const struct audit_login *login = conn->login;
    struct lint_finding at = {.stream = conn->capture->stream, .side = TRANSCRIPT_INITIATOR, .pdu = 1};
    struct portal here = portal_of(conn);
    const struct transcript_pdu *first;
    struct track *t;
    uint64_t request;

    if (login->count == 0 || !login->exchanges[0].login_request)
        return !h->failed;
    first = login->exchanges[0].request;
    at.frame = capture_shown(conn->capture, TRANSCRIPT_INITIATOR, first->offset + first->len);
    t = track_of(h, conn);
    request = request_hash(login);
    check_challenge(h, conn, group);
    check_followed(h, t, &at, &here, conn->capture->first_us);
    check_retry(h, t, conn, &at, request);
    if (t->lost && conn->capture->first_us - t->lost_us >= RETURN_US)
        t->lost = false; /* late, but there */
    /* Something else came of it: the row of repetitions is over. */
    if (conn->outcome != LINT_REFUSED || request != t->request)
        tell_repeats(h, t);
    t->last = at;
    t->outcome = conn->outcome;
    t->status = conn->status;
    t->request = request;
    t->at_us = answered_us(conn);
    if (conn->outcome == LINT_MOVED) {
        note_move(h, t, conn, &here);
    } else {
        t->hop_count = 0;
        t->loop_told = false;
    }
    note_session(t, conn);
    return !h->failed;
}

bool lint_history_end(struct lint_history *h, int64_t last_us)
{
    for (size_t i = 0; i < h->count; i++) {
        tell_repeats(h, &h->tracks[i]);
        tell_lost(h, &h->tracks[i], last_us);
    }
    return !h->failed;
}
