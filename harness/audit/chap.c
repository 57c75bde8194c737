/*
 * The CHAP exchange (RFC 7143, 12.1.3, 9.2; RFC 1994, 4.1), and that nobody gets in without it where the context says
 * that the target demands it. Secrets come from the context only and never into a finding.
 */
#include "harness/audit/check.h"

#include "wire/chap.h"

#include <stdlib.h>
#include <string.h>

/* A decoded CHAP_C or CHAP_R. */
struct binary {
    uint8_t bytes[CHAP_MAX_BINARY];
    size_t len;
    bool valid;
};

enum verified { VERIFIED_UNKNOWN, VERIFIED_YES, VERIFIED_NO };

/* How far the exchange has come. */
struct state {
    const struct audit_pair *offer;      /* the initiator's CHAP_A */
    const struct chap_algorithm *chosen; /* NULL: not chosen, or not known here */
    bool agreed;                         /* the target chose CHAP */
    bool none;                           /* the target chose None */
    unsigned challenges;
    uint8_t id;
    bool id_valid;
    struct binary challenge; /* the target's last */
    bool response_seen;      /* the initiator's CHAP_R */
    enum verified verified;
    bool mutual; /* the initiator asked the target to authenticate itself */
    uint8_t mutual_id;
    struct binary mutual_challenge;
    bool mutual_done; /* the target's CHAP_R has come */
    bool missed;      /* unauthenticated entry has been reported */
};

/* Deviations behind which the values of the exchange are not certain. */
#define UNSURE                                                                                                         \
    (AUDIT_DIRT_OPCODE | AUDIT_DIRT_TEXT | AUDIT_DIRT_DUPLICATE | AUDIT_DIRT_PIPELINE | AUDIT_DIRT_CHAIN |             \
     AUDIT_DIRT_T_AND_C | AUDIT_DIRT_AHS | AUDIT_DIRT_LENGTH)

static void decode(struct binary *out, const struct audit_pair *pair)
{
    out->valid =
        text_decode_binary(pair->value, pair->value_len, out->bytes, sizeof out->bytes, &out->len) == TEXT_BINARY_OK &&
        out->len > 0;
}

static bool octet(const struct audit_pair *pair, uint8_t *out)
{
    uint64_t number;

    if (text_parse_number(pair->value, pair->value_len, &number) != TEXT_NUMBER_OK || number > UINT8_MAX)
        return false;
    *out = (uint8_t)number;
    return true;
}

/* Is `given` the response to this challenge under this secret? */
static enum verified verify(const struct chap_algorithm *algorithm, uint8_t id, const char *secret,
                            const struct binary *challenge, const struct audit_pair *given)
{
    uint8_t expected[CHAP_MAX_HASH_LEN];
    size_t len;
    struct binary response;

    if (!algorithm || secret[0] == '\0' || !challenge->valid ||
        chap_response(algorithm, id, secret, strlen(secret), challenge->bytes, challenge->len, expected,
                      sizeof expected, &len) != CHAP_OK)
        return VERIFIED_UNKNOWN;
    decode(&response, given);
    return response.valid && chap_equal(response.bytes, response.len, expected, len) ? VERIFIED_YES : VERIFIED_NO;
}

static void add_pair(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                     const struct audit_pair *pair, const char *allowed)
{
    struct finding *f = audit_add(run, rule, audit_at_pair(login, pair));

    audit_was_pair(f, pair);
    audit_allowed(f, "%s", allowed);
}

static void add_pdu(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login,
                    const struct audit_exchange *x, const char *was, const char *allowed)
{
    struct finding *f = audit_add(run, rule, audit_at_pdu(login, x->response, 0, x->response->len));

    audit_was(f, "%s", was);
    audit_allowed(f, "%s", allowed);
}

/* Of a user who is not ours: whoever it is has no other secret than those that are known. */
static enum verified verify_stranger(const struct state *s, const struct transcript_context *context,
                                     const struct audit_pair *response)
{
    if (verify(s->chosen, s->id, context->chap_secret, &s->challenge, response) == VERIFIED_NO &&
        (context->mutual_secret[0] == '\0' ||
         verify(s->chosen, s->id, context->mutual_secret, &s->challenge, response) == VERIFIED_NO))
        return VERIFIED_NO;
    return VERIFIED_UNKNOWN;
}

/* What the initiator says in this exchange. Returns true when it is step 3: CHAP_N or CHAP_R. */
static bool take_request(struct state *s, const struct audit_login *login, const struct audit_exchange *x)
{
    const struct transcript_context *context = &login->transcript->context;
    const struct audit_pair *name = audit_text_find(login, x->request_text, KEYS_CHAP_N);
    const struct audit_pair *response = audit_text_find(login, x->request_text, KEYS_CHAP_R);
    const struct audit_pair *id = audit_text_find(login, x->request_text, KEYS_CHAP_I);
    const struct audit_pair *challenge = audit_text_find(login, x->request_text, KEYS_CHAP_C);
    const struct audit_pair *offer = audit_text_find(login, x->request_text, KEYS_CHAP_A);

    if (offer)
        s->offer = offer;
    if (!name && !response && !id && !challenge)
        return false;
    if (id && challenge) {
        decode(&s->mutual_challenge, challenge);
        s->mutual = octet(id, &s->mutual_id) && s->mutual_challenge.valid;
    }
    if (response) {
        s->response_seen = true;
        s->verified = VERIFIED_UNKNOWN;
        /* Only for a user whose secret is known; and a second response may belong to nothing. */
        if (name && s->challenges == 1 && s->id_valid && (x->dirt & UNSURE) == 0 && context->chap_user[0] != '\0') {
            if (text_equals(name->value, name->value_len, context->chap_user))
                s->verified = verify(s->chosen, s->id, context->chap_secret, &s->challenge, response);
            else if (context->secrets_known)
                s->verified = verify_stranger(s, context, response);
        }
    }
    return true;
}

/* Does the offer hold an algorithm that anybody knows? */
static bool offers_known(const struct audit_pair *offer)
{
    struct text_list list;
    const char *item;
    size_t len;
    uint64_t number;

    text_list_init(&list, offer->value, offer->value_len);
    while (text_list_next(&list, &item, &len))
        if (text_parse_number(item, len, &number) == TEXT_NUMBER_OK && chap_algorithm_find(number))
            return true;
    return false;
}

/* The algorithm comes from the offer. */
static void take_algorithm(struct audit_run *run, struct state *s, const struct audit_login *login,
                           const struct audit_pair *chosen)
{
    const struct keys_entry *entry = keys_at(KEYS_CHAP_A);
    const struct audit_pair *offer = s->offer;
    uint64_t number;

    s->chosen = NULL;
    if (text_parse_number(chosen->value, chosen->value_len, &number) == TEXT_NUMBER_OK)
        s->chosen = chap_algorithm_find(number);
    if (!offer || keys_check_value(entry, offer->value, offer->value_len) != KEYS_VALUE_OK ||
        keys_check_answer(entry, offer->value, offer->value_len, chosen->value, chosen->value_len) == KEYS_ANSWER_OK)
        return;
    add_pair(run, offers_known(offer) ? AUDIT_CHAP_001 : AUDIT_CHAP_005, login, chosen, "an algorithm of the offer");
}

/* CHAP_A, CHAP_I and CHAP_C of the target: one response, from the offer, in form. */
/* The pair of a text that gives this key a value: not NotUnderstood or the like, with which a target turns it down. */
static const struct audit_pair *value_of(const struct audit_login *login, size_t text, enum keys_id id)
{
    const struct audit_pair *pair = audit_text_find(login, text, id);

    return pair && keys_word(pair->value, pair->value_len) == KEYS_WORD_VALUE ? pair : NULL;
}

static void take_challenge(struct audit_run *run, struct state *s, const struct audit_login *login,
                           const struct audit_exchange *x)
{
    const struct audit_pair *chosen = audit_text_find(login, x->response_text, KEYS_CHAP_A);
    const struct audit_pair *id = value_of(login, x->response_text, KEYS_CHAP_I);
    const struct audit_pair *challenge = value_of(login, x->response_text, KEYS_CHAP_C);

    if ((!chosen && !id && !challenge) || (chosen && keys_word(chosen->value, chosen->value_len) != KEYS_WORD_VALUE))
        return;
    if (x->rsp.transit && x->req.transit)
        add_pdu(run, AUDIT_AUTH_019, login, x, "T=1 with a challenge", "T=0, the exchange is not over");
    if (!chosen || !id || !challenge)
        add_pdu(run, AUDIT_CHAP_001, login, x, "CHAP_A, CHAP_I and CHAP_C not all in one response", "all three");
    if (!s->offer)
        add_pair(run, AUDIT_CHAP_009, login,
                 challenge ? challenge
                 : chosen  ? chosen
                           : id,
                 "no challenge before CHAP_A was offered");
    if (s->challenges > 0 && challenge)
        add_pair(run, s->verified == VERIFIED_NO ? AUDIT_CHAP_028 : AUDIT_CHAP_025, login, challenge,
                 "one challenge in a login");
    if (chosen)
        take_algorithm(run, s, login, chosen);
    s->id_valid = id && octet(id, &s->id);
    if (id && !s->id_valid)
        add_pair(run, AUDIT_CHAP_001, login, id, "CHAP_I from 0 to 255");
    if (challenge) {
        s->challenges++;
        decode(&s->challenge, challenge);
        if (!s->challenge.valid)
            add_pair(run, AUDIT_CHAP_002, login, challenge, "1 to 1024 bytes in hex or base64");
    }
}

static bool reflected(const struct state *s)
{
    return s->challenge.valid && s->mutual_challenge.valid &&
           chap_equal(s->challenge.bytes, s->challenge.len, s->mutual_challenge.bytes, s->mutual_challenge.len);
}

/* The target's CHAP_N: a name at all, and the one that its secret belongs to where that is known. */
static bool own_name(const struct audit_login *login, const struct audit_pair *name)
{
    const char *due = login->transcript->context.mutual_user;

    return name->value_len > 0 && (due[0] == '\0' || text_equals(name->value, name->value_len, due));
}

/* CHAP_N and CHAP_R of the target. */
static void take_own_response(struct audit_run *run, struct state *s, const struct audit_login *login,
                              const struct audit_exchange *x)
{
    const struct audit_pair *name = value_of(login, x->response_text, KEYS_CHAP_N);
    const struct audit_pair *response = value_of(login, x->response_text, KEYS_CHAP_R);
    bool asked = audit_login_said(login, KEYS_CHAP_C, TRANSCRIPT_INITIATOR) != NULL;
    struct binary own;

    if (!name && !response)
        return;
    s->mutual_done = response != NULL;
    if (!asked) {
        add_pair(run, AUDIT_CHAP_032, login, response ? response : name, "not without CHAP_I and CHAP_C");
        return;
    }
    if (name && !own_name(login, name))
        add_pair(run, AUDIT_MCHAP_001, login, name, "the name that the target authenticates itself by");
    if (!response || (x->dirt & UNSURE) != 0)
        return;
    if (!s->response_seen) {
        add_pair(run, AUDIT_CHAP_015, login, response, "a refusal: CHAP_R of the initiator is missing");
    } else if (s->verified == VERIFIED_NO) {
        add_pair(run, AUDIT_MCHAP_003, login, response, "a refusal: the initiator's CHAP_R is wrong");
    } else if (reflected(s)) {
        add_pair(run, AUDIT_MCHAP_006, login, response, "a refusal: the initiator sent the challenge back");
    } else if (s->mutual) {
        decode(&own, response);
        if (!own.valid || !name || (s->chosen && own.len != s->chosen->hash_len) ||
            verify(s->chosen, s->mutual_id, login->transcript->context.mutual_secret, &s->mutual_challenge, response) ==
                VERIFIED_NO)
            add_pair(run, AUDIT_MCHAP_001, login, response, "CHAP_N, and a CHAP_R that verifies");
    }
}

/* What a success response means once the initiator has answered the challenge, or should have. */
static void judge_step(struct audit_run *run, struct state *s, const struct audit_login *login,
                       const struct audit_exchange *x, bool answered, bool challenged)
{
    bool moved = x->rsp.transit && x->req.transit && x->req.csg == PDU_STAGE_SECURITY;
    bool sure = (x->dirt & UNSURE) == 0;

    if (answered && s->verified == VERIFIED_NO && !challenged)
        add_pdu(run, AUDIT_CHAP_013, login, x, "success for a wrong CHAP_R", "status 0x0201, or the end");
    if (!moved || !s->agreed || challenged)
        return;
    if (audit_text_find(login, x->response_text, KEYS_AUTH_METHOD)) {
        add_pdu(run, AUDIT_AUTH_012, login, x, "T=1 with AuthMethod=CHAP", "T=0, the exchange is not over");
    } else if (!s->response_seen) {
        s->missed = true;
        add_pdu(run, AUDIT_AUTH_010, login, x, "the security stage ends without CHAP_R", "a refusal, or T=0");
    } else if (s->mutual && sure && !s->mutual_done && s->verified != VERIFIED_NO) {
        add_pdu(run, reflected(s) ? AUDIT_MCHAP_006 : AUDIT_MCHAP_001, login, x,
                "success, and the target has not authenticated itself", "CHAP_N and CHAP_R, or a refusal");
    }
}

/* 6.3.1, 9.2: nobody gets on without CHAP where it is demanded. Discovery may have demands of its own. */
static void judge_demand(struct audit_run *run, struct state *s, const struct audit_login *login,
                         const struct audit_exchange *x)
{
    if (!login->transcript->context.requires_chap || audit_maybe_discovery(login) || s->missed || s->response_seen)
        return;
    if (s->none) {
        s->missed = true;
        add_pdu(run, AUDIT_AUTH_003, login, x, "AuthMethod=None where CHAP is demanded", "CHAP, Reject, or a refusal");
    } else if (x->login_request && x->req.csg == PDU_STAGE_OPERATIONAL && !x->req.cont) {
        enum audit_rule_id rule = s->agreed ? AUDIT_AUTH_011 : login->leading ? AUDIT_AUTH_004 : AUDIT_AUTH_016;

        s->missed = true;
        add_pdu(run, rule, login, x, "the operational stage without authentication", "status 0x0201");
    } else if (login->final == (size_t)(x - login->exchanges)) {
        s->missed = true;
        add_pdu(run, AUDIT_AUTH_010, login, x, "full feature phase without authentication", "status 0x0201");
    }
}

static void exchange(struct audit_run *run, enum audit_rule_id rule, const struct audit_login *login)
{
    struct state s = {.verified = VERIFIED_UNKNOWN};

    (void)rule;
    for (size_t i = 0; i < login->count; i++) {
        const struct audit_exchange *x = &login->exchanges[i];
        bool answered = x->request_text != AUDIT_NONE && take_request(&s, login, x);
        unsigned challenges = s.challenges;
        const struct audit_pair *method;

        /* What it answers may stand in the PDU that was cut off, and that is not read. */
        if (!x->success || (x->dirt & AUDIT_DIRT_INCOMPLETE) != 0)
            continue;
        if (x->response_text != AUDIT_NONE) {
            method = audit_text_find(login, x->response_text, KEYS_AUTH_METHOD);
            if (method && text_equals(method->value, method->value_len, "CHAP"))
                s.agreed = true;
            if (method && text_equals(method->value, method->value_len, "None"))
                s.none = true;
            take_challenge(run, &s, login, x);
            take_own_response(run, &s, login, x);
            judge_step(run, &s, login, x, answered, s.challenges > challenges);
        }
        judge_demand(run, &s, login, x);
    }
}

static const struct audit_login_check chap_checks[] = {
    {AUDIT_CHAP_001, exchange},
};

const struct audit_subject audit_chap = {NULL, 0, chap_checks, AUDIT_COUNT(chap_checks)};

/* ---- challenges of all connections together ---- */

#define CHALLENGE_MAX  65536u /* more are not compared */
#define LONG_CHALLENGE 8u     /* bytes from which on an honest repetition does not happen */
#define CONSTANT_COUNT 4u     /* equal identifiers in a row that are no chance any more */

struct challenge {
    int64_t at_us;
    size_t order; /* place in time */
    uint64_t hash[2];
    size_t len;
    size_t login;
    size_t pair;
    unsigned id; /* above 255: none */
};

static int by_time(const void *a, const void *b)
{
    const struct challenge *x = a;
    const struct challenge *y = b;

    if (x->at_us != y->at_us)
        return x->at_us < y->at_us ? -1 : 1;
    if (x->login != y->login)
        return x->login < y->login ? -1 : 1;
    return x->pair < y->pair ? -1 : x->pair > y->pair;
}

static int by_bytes(const void *a, const void *b)
{
    const struct challenge *x = a;
    const struct challenge *y = b;

    for (int i = 0; i < 2; i++)
        if (x->hash[i] != y->hash[i])
            return x->hash[i] < y->hash[i] ? -1 : 1;
    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void fingerprint(struct challenge *c, const struct binary *binary)
{
    c->hash[0] = UINT64_C(14695981039346656037);
    c->hash[1] = UINT64_C(0x9e3779b97f4a7c15);
    c->len = binary->len;
    for (size_t i = 0; i < binary->len; i++) {
        c->hash[0] = (c->hash[0] ^ binary->bytes[i]) * UINT64_C(1099511628211);
        c->hash[1] = (c->hash[1] + binary->bytes[i] + 1) * UINT64_C(0xff51afd7ed558ccd);
        c->hash[1] ^= c->hash[1] >> 32;
    }
}

/* Gathers the challenges of one login behind those in list. False when out of memory. */
static bool gather(const struct audit_login *login, size_t index, struct challenge **list, size_t *count,
                   size_t *capacity)
{
    for (size_t i = 0; i < login->count && *count < CHALLENGE_MAX; i++) {
        const struct audit_exchange *x = &login->exchanges[i];
        const struct audit_pair *challenge;
        const struct audit_pair *id;
        struct binary binary;
        struct challenge *c;
        uint8_t value;

        if (!x->success || x->response_text == AUDIT_NONE)
            continue;
        challenge = audit_text_find(login, x->response_text, KEYS_CHAP_C);
        if (!challenge)
            continue;
        decode(&binary, challenge);
        if (!binary.valid)
            continue;
        if (*count == *capacity) {
            size_t more = *capacity ? 2 * *capacity : 16;
            struct challenge *grown = realloc(*list, more * sizeof *grown);

            if (!grown)
                return false;
            *list = grown;
            *capacity = more;
        }
        id = audit_text_find(login, x->response_text, KEYS_CHAP_I);
        c = &(*list)[(*count)++];
        *c = (struct challenge){.at_us = x->response->at_us, .login = index};
        c->pair = (size_t)(challenge - login->pairs);
        c->id = id && octet(id, &value) ? value : UINT8_MAX + 1u;
        fingerprint(c, &binary);
    }
    return true;
}

/* RFC 1994, 4.1: a challenge is new each time, and so is its identifier. */
static void compare(struct audit_run *run, const struct audit_login *logins, struct challenge *list, size_t count)
{
    bool constant = count >= CONSTANT_COUNT && list[0].id <= UINT8_MAX;

    qsort(list, count, sizeof *list, by_time);
    for (size_t i = 0; i < count; i++) {
        list[i].order = i;
        constant = constant && list[i].id == list[0].id;
    }
    if (constant) {
        const struct challenge *last = &list[count - 1];

        add_pair(run, AUDIT_CHAP_004, &logins[last->login], &logins[last->login].pairs[last->pair],
                 "an identifier that changes: CHAP_I was the same every time");
    }
    qsort(list, count, sizeof *list, by_bytes);
    for (size_t i = 1; i < count; i++) {
        const struct challenge *a = &list[i - 1];
        const struct challenge *b = &list[i];
        struct finding *f;

        if (a->len != b->len || a->hash[0] != b->hash[0] || a->hash[1] != b->hash[1])
            continue;
        f = audit_add(run, AUDIT_CHAP_003, audit_at_pair(&logins[b->login], &logins[b->login].pairs[b->pair]));
        f->tolerated = a->len < LONG_CHALLENGE && b->order != a->order + 1;
        audit_was(f, "the challenge of connection %zu again", logins[a->login].index);
        audit_allowed(f, "a new challenge each time");
    }
}

bool audit_chap_check_all(struct audit_run *run, const struct audit_login *logins, size_t count)
{
    struct challenge *list = NULL;
    size_t used = 0;
    size_t capacity = 0;
    bool fine = true;

    for (size_t i = 0; i < count && fine; i++)
        fine = gather(&logins[i], i, &list, &used, &capacity);
    if (fine && used > 0)
        compare(run, logins, list, used);
    free(list);
    return fine;
}
