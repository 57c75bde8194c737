/*
 * Cuts a connection's login into exchanges. One request, one response: a response belongs to the oldest request that
 * has none (RFC 7143, 6.3: only one may be outstanding).
 */
#include "harness/audit/ffp.h"
#include "harness/audit/login.h"

#include "wire/digest.h"

#include <stdlib.h>
#include <string.h>

/* The most elements of an array whose memory audit_login_rebuild() uses again. */
#define KEPT_MAX 1024u

/* A zeroed exchange at the end, or NULL. */
static struct audit_exchange *exchange_add(struct audit_login *login)
{
    struct audit_exchange *x;

    if (login->count == login->capacity) {
        size_t capacity = login->capacity ? 2 * login->capacity : 8;
        struct audit_exchange *exchanges = realloc(login->exchanges, capacity * sizeof *exchanges);

        if (!exchanges)
            return NULL;
        login->exchanges = exchanges;
        login->capacity = capacity;
    }
    x = &login->exchanges[login->count++];
    memset(x, 0, sizeof *x);
    x->request_text = AUDIT_NONE;
    x->response_text = AUDIT_NONE;
    return x;
}

static bool take_request(struct audit_login *login, const struct transcript_pdu *pdu, size_t unanswered)
{
    struct audit_exchange *x = exchange_add(login);

    if (!x)
        return false;
    x->request = pdu;
    x->pipelined = unanswered < login->count - 1;
    x->login_request = pdu_opcode(pdu->bhs) == PDU_LOGIN_REQUEST;
    pdu_login_request_decode(&x->req, pdu->bhs);
    return true;
}

static void take_response(struct audit_login *login, struct audit_exchange *x, const struct transcript_pdu *pdu)
{
    x->response = pdu;
    x->login_response = pdu_opcode(pdu->bhs) == PDU_LOGIN_RESPONSE;
    if (!x->login_response)
        return;
    pdu_login_response_decode(&x->rsp, pdu->bhs);
    x->success = x->rsp.status >> 8 == 0;
    if (!x->success && login->refusal == AUDIT_NONE && login->final == AUDIT_NONE)
        login->refusal = (size_t)(x - login->exchanges);
    /* What was not asked for is no transition (6.3). */
    if (x->success && x->login_request && x->req.transit && x->rsp.transit && !x->rsp.cont &&
        x->rsp.nsg == PDU_STAGE_FULL_FEATURE && login->final == AUDIT_NONE && login->refusal == AUDIT_NONE)
        login->final = (size_t)(x - login->exchanges);
}

/* Can the target's stream hold the next PDU at this offset? In login that is a response with the same ITT. */
static bool pdu_begins(const struct audit_login *login, size_t offset, bool login_over, uint32_t itt)
{
    const struct transcript_stream *s = &login->conn->stream[TRANSCRIPT_TARGET];
    const uint8_t *bhs = s->bytes + offset;

    if (offset > s->len || s->len - offset < PDU_BHS_LEN || pdu_ahs_len(bhs) != 0)
        return false;
    if (!login_over)
        return bhs[0] == PDU_LOGIN_RESPONSE && pdu_itt(bhs) == itt;
    return (bhs[0] & ~PDU_OPCODE_MASK) == 0 && pdu_opcode_known(bhs[0]) && pdu_opcode_from_target(bhs[0]) &&
           bhs[2] == 0 && (bhs[1] & PDU_FLAG_FINAL) != 0;
}

/*
 * Was the padding behind this response left out, or made too long? Seen by the next PDU standing in the wrong place
 * (11.1). Nothing behind can be judged then.
 */
static bool wrongly_padded(const struct audit_login *login, const struct transcript_pdu *pdu)
{
    bool over = login->final != AUDIT_NONE;
    uint32_t itt = pdu_itt(pdu->bhs);
    size_t data = pdu_data_len(pdu->bhs);
    size_t end = pdu->offset + PDU_BHS_LEN + pdu_ahs_len(pdu->bhs) + data;
    size_t right = end + pdu_padding(data);

    if (login->conn->stream[TRANSCRIPT_TARGET].len <= right || pdu_begins(login, right, over, itt))
        return false;
    for (size_t at = end; at < right; at++)
        if (pdu_begins(login, at, over, itt))
            return true;
    return pdu_begins(login, right + 4, over, itt);
}

/* Do four bytes that are the digest of the header stand behind it? Login PDUs carry none (13.1). */
static bool has_digest(const struct audit_login *login, const struct transcript_pdu *pdu)
{
    const struct transcript_stream *s = &login->conn->stream[TRANSCRIPT_TARGET];
    size_t at = pdu->offset + PDU_BHS_LEN;

    return pdu_ahs_len(pdu->bhs) == 0 && s->len >= at + PDU_DIGEST_LEN &&
           digest_check(pdu->bhs, PDU_BHS_LEN, s->bytes + at);
}

/* The stream ends where the data does, though padding is due and the other side went on or the target closed. */
static bool padding_never_came(const struct audit_login *login, const struct transcript_pdu *pdu)
{
    const struct transcript_event *end = transcript_ended(login->conn, TRANSCRIPT_TARGET);
    size_t data;

    if (!pdu->bhs || pdu_opcode(pdu->bhs) != PDU_LOGIN_RESPONSE)
        return false;
    data = pdu_data_len(pdu->bhs);
    if (pdu_padding(data) == 0 || pdu->len != PDU_BHS_LEN + pdu_ahs_len(pdu->bhs) + data)
        return false;
    return (end && end->end == TRANSCRIPT_FIN) || (login->transcript->context.live && !login->conn->overflow);
}

/* A PDU that is not whole ends what can be judged of its side. */
static bool take_fragment(struct audit_login *login, const struct transcript_pdu *pdu, size_t unanswered)
{
    if (pdu->side == TRANSCRIPT_INITIATOR) {
        login->tail_request = true;
        login->tail_us = pdu->first_us;
        return true;
    }
    login->blind = true;
    /* Of something else than a Login Response it is enough to have its header. */
    if (!padding_never_came(login, pdu) && (!pdu->bhs || pdu_opcode(pdu->bhs) == PDU_LOGIN_RESPONSE))
        return true;
    if (unanswered == login->count && !exchange_add(login))
        return false;
    take_response(login, &login->exchanges[unanswered], pdu);
    if (login->exchanges[unanswered].login_response)
        login->misaligned = unanswered;
    return true;
}

/* A transition that cannot be: the two sides need not agree any more on where the login stands. */
static bool nonsense(const struct audit_exchange *x)
{
    return x->success && x->rsp.transit && (x->rsp.cont || x->rsp.nsg == PDU_STAGE_RESERVED);
}

/* Login PDUs of each side that count as exchanges. */
struct tally {
    size_t requests, responses;
};

static struct tally tally_login(const struct audit_login *login)
{
    struct tally tally = {0, 0};

    for (size_t i = 0; i < login->pdu_count; i++) {
        const struct transcript_pdu *pdu = &login->pdus[i];

        if (pdu->full_feature || !pdu->whole || pdu->gap)
            continue;
        if (pdu->side == TRANSCRIPT_INITIATOR)
            tally.requests++;
        else
            tally.responses++;
    }
    return tally;
}

/*
 * Is this the last response once more? It may come when the next request is already on its way, so it counts as one
 * only if there are more responses to come than requests.
 */
static bool repeated(const struct audit_login *login, size_t unanswered, const struct transcript_pdu *pdu,
                     const struct tally *left)
{
    const struct transcript_pdu *before = unanswered > 0 ? login->exchanges[unanswered - 1].response : NULL;

    return before && left->responses > left->requests && before->len == pdu->len &&
           memcmp(before->bhs, pdu->bhs, pdu->len) == 0;
}

/* Takes one whole PDU of the target. */
static bool take_answer(struct audit_login *login, size_t *unanswered, const struct transcript_pdu *pdu,
                        struct tally *left)
{
    size_t index = *unanswered;
    struct audit_exchange *x;

    if (index < login->count && repeated(login, index, pdu, left))
        index = login->count;
    if (index == login->count && !exchange_add(login))
        return false;
    x = &login->exchanges[index];
    take_response(login, x, pdu);
    left->responses--;
    if (x->request)
        left->requests--;
    while (*unanswered < login->count && login->exchanges[*unanswered].response)
        ++*unanswered;
    if (!x->login_response)
        return true;
    if (has_digest(login, pdu))
        login->digested = index;
    else if (wrongly_padded(login, pdu))
        login->misaligned = index;
    login->blind = login->digested != AUDIT_NONE || login->misaligned != AUDIT_NONE || nonsense(x);
    return true;
}

static bool build_exchanges(struct audit_login *login)
{
    struct tally left = tally_login(login);
    size_t unanswered = 0; /* first exchange without a response */
    bool fine = true;

    for (size_t i = 0; i < login->pdu_count && !login->blind && fine; i++) {
        const struct transcript_pdu *pdu = &login->pdus[i];

        if (pdu->full_feature)
            continue;
        if (pdu->gap)
            login->blind = true;
        else if (!pdu->bhs || !pdu->whole)
            fine = take_fragment(login, pdu, unanswered);
        else if (pdu->side == TRANSCRIPT_INITIATOR)
            fine = take_request(login, pdu, unanswered);
        else
            fine = take_answer(login, &unanswered, pdu, &left);
    }
    return fine;
}

/* How often the initiator said SessionType. */
static uint32_t type_count(const struct audit_login *login)
{
    const struct audit_key *key = audit_login_known(login, KEYS_SESSION_TYPE);

    return key ? key->use[TRANSCRIPT_INITIATOR].count : 0;
}

/* What kind of login it is, by the first request and the first text. */
static void classify(struct audit_login *login)
{
    const struct audit_pair *type = audit_login_said(login, KEYS_SESSION_TYPE, TRANSCRIPT_INITIATOR);

    login->leading = login->count > 0 && login->exchanges[0].login_request && login->exchanges[0].req.tsih == 0;
    login->discovery = type && text_equals(type->value, type->value_len, "Discovery");
    login->first_text = AUDIT_NONE;
    for (size_t i = 0; i < login->text_count; i++) {
        if (login->texts[i].side == TRANSCRIPT_INITIATOR) {
            login->first_text = i;
            break;
        }
    }
    login->retyped = type && (type->text != login->first_text || type_count(login) > 1);
}

/* All zero but for the arrays, which are empty. One long login is not to be paid for by all that follow. */
static void login_clear(struct audit_login *login)
{
    if (login->pdu_capacity > KEPT_MAX || login->pair_capacity > KEPT_MAX || login->key_capacity > KEPT_MAX ||
        login->text_capacity > KEPT_MAX)
        audit_login_free(login);
    for (size_t i = 0; i < login->text_count; i++)
        free(login->texts[i].joined);
    free(login->asked);
    if (login->slots)
        memset(login->slots, 0, login->slot_count * sizeof *login->slots);
    *login = (struct audit_login){
        .pdus = login->pdus,
        .pdu_capacity = login->pdu_capacity,
        .exchanges = login->exchanges,
        .capacity = login->capacity,
        .texts = login->texts,
        .text_capacity = login->text_capacity,
        .pairs = login->pairs,
        .pair_capacity = login->pair_capacity,
        .keys = login->keys,
        .key_capacity = login->key_capacity,
        .slots = login->slots,
        .slot_count = login->slot_count,
    };
}

bool audit_login_build(struct audit_login *login, const struct transcript *t, size_t index)
{
    memset(login, 0, sizeof *login);
    return audit_login_rebuild(login, t, index);
}

bool audit_login_rebuild(struct audit_login *login, const struct transcript *t, size_t index)
{
    long count;

    login_clear(login);
    login->transcript = t;
    login->conn = t->conns[index];
    login->index = index;
    login->final = AUDIT_NONE;
    login->refusal = AUDIT_NONE;
    login->misaligned = AUDIT_NONE;
    login->digested = AUDIT_NONE;
    login->first_text = AUDIT_NONE;
    count = transcript_cut_again(login->conn, &login->pdus, &login->pdu_capacity);
    if (count < 0)
        return false;
    login->pdu_count = (size_t)count;
    if (!build_exchanges(login) || !audit_texts_build(login))
        return false;
    classify(login);
    audit_dirt_mark(login);
    return audit_ffp_build(login);
}

void audit_login_free(struct audit_login *login)
{
    for (size_t i = 0; i < login->text_count; i++)
        free(login->texts[i].joined);
    free(login->texts);
    free(login->pairs);
    free(login->keys);
    free(login->slots);
    free(login->asked);
    free(login->exchanges);
    free(login->pdus);
    memset(login, 0, sizeof *login);
}
