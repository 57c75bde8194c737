/* What comes on a connection of a replay: see replay_conn.h. */
#include "harness/replay_conn.h"

#include "wire/bytes.h"
#include "wire/digest.h"
#include "wire/pdu.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PING_MS = 1000,
    LOOK_BACK = 1024, /* PDUs among which the end of a command is looked for */
};

static const uint8_t *came_bhs(const struct replay_conn *c, const struct replay_came *came)
{
    return c->link->log->stream[TRANSCRIPT_TARGET].bytes + came->offset;
}

bool replay_conn_counts(const uint8_t *bhs)
{
    switch (pdu_opcode(bhs)) {
    case PDU_R2T:
        return false;
    case PDU_NOP_IN:
        return pdu_itt(bhs) != PDU_NO_TAG;
    case PDU_DATA_IN:
        return bhs[1] & PDU_FLAG_STATUS;
    default:
        return true;
    }
}

/* A NOP-In that wants an answer: the Target Transfer Tag goes back (11.18, 11.19). */
static void answer_ping(struct net *net, struct replay_conn *c, const uint8_t *bhs)
{
    uint8_t nop[PDU_BHS_LEN + PDU_DIGEST_LEN] = {PDU_NOP_OUT | PDU_IMMEDIATE, PDU_FLAG_FINAL};
    size_t len = PDU_BHS_LEN;

    memcpy(nop + 8, bhs + 8, 8);
    bytes_put_be32(nop + 16, PDU_NO_TAG);
    memcpy(nop + 20, bhs + 20, 4);
    memcpy(nop + 24, bhs + 28, 4); /* ExpCmdSN is the next CmdSN */
    bytes_put_be32(nop + 28, c->live_next);
    if (c->digests.header) {
        digest_put(nop + PDU_BHS_LEN, digest_crc32c(nop, PDU_BHS_LEN));
        len += PDU_DIGEST_LEN;
    }
    link_send(net, c->link, nop, len, net_now(net) + PING_MS * 1000);
}

static void learn(char *out, size_t cap, const struct transcript_pdu *p, const char *key)
{
    struct text_pair pair;

    if (text_find(p->data, p->data_len, key, &pair) && pair.value_len < cap)
        snprintf(out, cap, "%.*s", (int)pair.value_len, pair.value);
}

static bool says(const struct transcript_pdu *p, const char *key, const char *value)
{
    struct text_pair pair;

    return text_find(p->data, p->data_len, key, &pair) && text_equals(pair.value, pair.value_len, value);
}

static void take_login_response(struct replay_conn *c, const struct transcript_pdu *p)
{
    char algorithm[32] = "";

    learn(algorithm, sizeof(algorithm), p, "CHAP_A");
    learn(c->chap.i, sizeof(c->chap.i), p, "CHAP_I");
    learn(c->chap.c, sizeof(c->chap.c), p, "CHAP_C");
    if (*algorithm)
        text_parse_number(algorithm, strlen(algorithm), &c->chap.algorithm);
    c->digests.header |= says(p, "HeaderDigest", "CRC32C");
    c->digests.data |= says(p, "DataDigest", "CRC32C");
    if (pdu_login_status(p->bhs) || (p->bhs[1] & (PDU_FLAG_TRANSIT | 3u)) != (PDU_FLAG_TRANSIT | 3u))
        return;
    c->full_feature = true;
    c->link->header_digest = c->digests.header;
    c->link->data_digest = c->digests.data;
}

void replay_conn_view(const struct replay_conn *c, const struct replay_came *came, struct transcript_pdu *out)
{
    const uint8_t *base = c->link->log->stream[TRANSCRIPT_TARGET].bytes;

    *out = (struct transcript_pdu){
        .side = TRANSCRIPT_TARGET,
        .number = came->number,
        .offset = came->offset,
        .len = came->len,
        .bhs = base + came->offset,
        .data = came->data_len ? base + came->data_at : NULL,
        .data_len = came->data_len,
        .whole = true,
        .full_feature = c->full_feature,
    };
}

static struct replay_came *add_came(struct replay_conn *c)
{
    if (c->came_count == c->came_capacity) {
        size_t capacity = c->came_capacity ? 2 * c->came_capacity : 16;
        struct replay_came *bigger = realloc(c->came, capacity * sizeof(*bigger));

        if (!bigger)
            return NULL;
        c->came = bigger;
        c->came_capacity = capacity;
    }
    return &c->came[c->came_count++];
}

bool replay_conn_take(struct net *net, struct replay_conn *c)
{
    struct link_pdu pdu;
    const char *why;
    enum link_take taken = LINK_NOTHING;

    while (c->link && !c->garbage && (taken = link_take(c->link, &pdu, &why)) == LINK_TAKEN) {
        struct replay_came *came = add_came(c);
        struct transcript_pdu p;

        if (!came)
            return false;
        *came = (struct replay_came){pdu.offset,
                                     pdu.len,
                                     pdu.data ? pdu.offset + (size_t)(pdu.data - pdu.bhs) : 0,
                                     pdu.data ? pdu.data_len : 0,
                                     pdu.number,
                                     false,
                                     false};
        replay_conn_view(c, came, &p);
        came->ping = c->full_feature && pdu_opcode(p.bhs) == PDU_NOP_IN && pdu_itt(p.bhs) == PDU_NO_TAG;
        if (pdu_opcode(p.bhs) == PDU_LOGIN_RESPONSE && !c->full_feature)
            take_login_response(c, &p);
        if (replay_conn_counts(p.bhs))
            c->live_next = bytes_get_be32(p.bhs + 24) + 1;
        if (came->ping && bytes_get_be32(p.bhs + 20) != PDU_NO_TAG && !c->link->we_ended)
            answer_ping(net, c, p.bhs);
    }
    if (taken == LINK_MALFORMED)
        c->garbage = why;
    return true;
}

/* The answer behind which no other comes for the same command. */
static bool is_last(const uint8_t *bhs)
{
    uint8_t opcode = pdu_opcode(bhs);

    return opcode != PDU_R2T && (opcode != PDU_DATA_IN || bhs[1] & PDU_FLAG_STATUS) &&
           (opcode != PDU_TEXT_RESPONSE || bhs[1] & PDU_FLAG_FINAL);
}

void replay_conn_sent(struct replay_conn *c, uint32_t tag)
{
    size_t at = c->sent_count++ % REPLAY_SENT_MAX;

    c->sent[at].tag = tag;
    c->sent[at].came = c->came_count;
}

/* The first PDU that can belong to the last request with this tag: tags are used again (11.2.1.8). */
static size_t answers_from(const struct replay_conn *c, uint32_t tag)
{
    for (size_t i = c->sent_count; i > 0 && i + REPLAY_SENT_MAX > c->sent_count; i--)
        if (c->sent[(i - 1) % REPLAY_SENT_MAX].tag == tag)
            return c->sent[(i - 1) % REPLAY_SENT_MAX].came;
    return SIZE_MAX;
}

struct replay_came *replay_conn_find(struct replay_conn *c, const struct transcript_pdu *recorded, bool *never)
{
    bool by_tag = recorded->bhs && recorded->full_feature && pdu_itt(recorded->bhs) != PDU_NO_TAG;
    uint32_t tag = by_tag ? replay_adapt_tag(pdu_itt(recorded->bhs), c->session->itt_delta) : PDU_NO_TAG;
    size_t from = answers_from(c, tag);
    struct replay_came *reject = NULL;

    *never = false;
    while (c->came_first < c->came_count && (c->came[c->came_first].used || c->came[c->came_first].ping))
        c->came_first++;
    for (size_t i = c->came_first > LOOK_BACK ? c->came_first - LOOK_BACK : 0; i < c->came_count; i++) {
        struct replay_came *came = &c->came[i];
        const uint8_t *bhs = came_bhs(c, came);
        bool mine = by_tag ? pdu_itt(bhs) == tag
                           : !recorded->full_feature || !recorded->bhs || pdu_opcode(bhs) == pdu_opcode(recorded->bhs);

        if (came->used || came->ping) {
            *never |= by_tag && mine && i >= from && is_last(bhs);
            continue;
        }
        if (mine)
            return came;
        if (by_tag && pdu_opcode(bhs) == PDU_REJECT && !reject)
            reject = came;
    }
    return reject; /* of the request it is the answer to */
}

void replay_conn_stop(struct replay_conn *c, bool incomplete, const char *format, ...)
{
    va_list args;

    c->stopped = true;
    c->played->incomplete |= incomplete;
    va_start(args, format);
    vsnprintf(c->played->stopped, sizeof(c->played->stopped), format, args);
    va_end(args);
}

void replay_conn_free(struct replay_conn *c)
{
    free(c->came);
    free(c->withheld);
    text_buf_free(&c->asked);
}
