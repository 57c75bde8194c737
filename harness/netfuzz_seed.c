/* Seeds from transcripts: see netfuzz_seed.h. */
#include "harness/netfuzz_seed.h"

#include "harness/conn.h"
#include "wire/bytes.h"
#include "wire/text.h"

#include <stdlib.h>
#include <string.h>

/* A PDU of the initiator and its place in time. */
struct said {
    const struct transcript_pdu *pdu;
    unsigned conn;
    unsigned live; /* SESSION_INPUT_LIVE_* */
};

struct conn_pdus {
    struct transcript_pdu *pdus;
    long count;
};

/* Keys whose value becomes a token. */
static const struct {
    const char *key, *token, *chap_token; /* chap_token: on a connection with CHAP; NULL the same */
    bool foreign;                         /* only in a recording of others */
} tokens[] = {
    {"CHAP_R", "{chap_r}", NULL, false},
    {"InitiatorName", "{initiator}", NULL, true},
    {"TargetName", "{target}", "{chap_target}", true},
    {"CHAP_N", "{user}", NULL, true},
};

enum { TOKENS = sizeof(tokens) / sizeof(tokens[0]) };

/* Will the value of a key of this text be one? */
static bool becomes_token(size_t i, enum netfuzz_seed_names names, const uint8_t *text, size_t len)
{
    return (names == NETFUZZ_SEED_FOREIGN || !tokens[i].foreign) && text_count(text, len, tokens[i].key) == 1;
}

/* When the case was over and the harness only cleaned up; INT64_MAX: never. */
static int64_t over_at(const struct transcript_conn *c)
{
    for (size_t i = 0; i < c->event_count; i++)
        if (c->events[i].kind == TRANSCRIPT_NOTE && c->events[i].text && !strcmp(c->events[i].text, CONN_OVER_NOTE))
            return c->events[i].at_us;
    return INT64_MAX;
}

/* The target gave this TSIH on some connection. */
static bool tsih_given(const struct conn_pdus *all, size_t count, unsigned tsih)
{
    for (size_t c = 0; c < count; c++)
        for (long i = 0; i < all[c].count; i++) {
            const struct transcript_pdu *p = &all[c].pdus[i];

            if (p->side == TRANSCRIPT_TARGET && p->bhs && pdu_opcode(p->bhs) == PDU_LOGIN_RESPONSE &&
                bytes_get_be16(p->bhs + 14) == tsih)
                return true;
        }
    return false;
}

/* What of the PDU only that session knew. stat_sn: the last one that came before it. */
static unsigned live_of(const struct transcript_pdu *p, const struct conn_pdus *all, size_t count,
                        enum netfuzz_seed_names names, bool heard, uint32_t stat_sn)
{
    unsigned live = 0;

    if (heard && bytes_get_be32(p->bhs + 28) == stat_sn + 1)
        live |= SESSION_INPUT_LIVE_SN;
    if (pdu_opcode(p->bhs) == PDU_LOGIN_REQUEST) {
        unsigned tsih = bytes_get_be16(p->bhs + 14);

        live |= SESSION_INPUT_LIVE_ISID;
        if (tsih != 0 && tsih_given(all, count, tsih))
            live |= SESSION_INPUT_LIVE_TSIH;
        for (size_t i = 0; p->data && i < TOKENS; i++)
            if (becomes_token(i, names, p->data, p->data_len))
                live |= SESSION_INPUT_LIVE_TEXT;
    }
    return live;
}

/* What libiscsi draws anew each time, as the connection's first PDU had it. */
struct drawn {
    bool known;
    uint8_t itt[4];
    uint32_t cmd_sn;
};

static void learn_drawn(struct drawn *drawn, const uint8_t *bhs)
{
    drawn->known = true;
    memcpy(drawn->itt, bhs + 16, sizeof(drawn->itt));
    drawn->cmd_sn = bytes_get_be32(bhs + 24);
}

/* Replaces it by values that are the same for every recording: seeds do not change from run to run. */
static void settle_drawn(const struct drawn *own, const struct drawn *session, uint8_t *bhs)
{
    static const uint8_t itt[4] = {0, 0, 0, 1};

    if (own->known && memcmp(bhs + 16, own->itt, sizeof(own->itt)) == 0)
        memcpy(bhs + 16, itt, sizeof(itt));
    if (session->known && pdu_opcode(bhs) != PDU_DATA_OUT && pdu_opcode(bhs) != PDU_SNACK_REQUEST &&
        bytes_get_be32(bhs + 24) - session->cmd_sn < 1024)
        bytes_put_be32(bhs + 24, bytes_get_be32(bhs + 24) - session->cmd_sn + 1);
}

/* The initiator's own challenge, of as many bytes. */
static void settle_challenge(uint8_t *text, size_t len)
{
    struct text_pair pair;

    if (!text_find(text, len, "CHAP_C", &pair))
        return;
    for (size_t i = 2; i < pair.value_len; i++)
        ((char *)(uintptr_t)pair.value)[i] = (char)('0' + i % 10);
}

/* A copy of the PDU with the tokens in their places. Bytes and length; NULL: no memory. */
static uint8_t *with_tokens(const struct transcript_pdu *p, enum netfuzz_seed_names names, bool chap, size_t *len)
{
    struct text_buf text;
    size_t head = (size_t)(p->data - p->bhs);
    uint8_t *out = NULL;
    bool good;

    text_buf_init_growing(&text, NETFUZZ_RECORD_MAX, NULL, NULL);
    good = text_buf_add_raw(&text, p->data, p->data_len);
    for (size_t i = 0; i < TOKENS && good; i++) {
        const char *token = chap && tokens[i].chap_token ? tokens[i].chap_token : tokens[i].token;

        if (becomes_token(i, names, p->data, p->data_len))
            good = text_buf_replace(&text, tokens[i].key, token) > 0;
    }
    if (good && (out = calloc(1, head + pdu_padded_len(text.len))) != NULL) {
        memcpy(out, p->bhs, head);
        pdu_set_data_len(out, text.len);
        memcpy(out + head, text.data, text.len);
        *len = head + pdu_padded_len(text.len);
    }
    text_buf_free(&text);
    return out;
}

static bool add_said(struct netfuzz_input *out, const struct said *s, enum netfuzz_seed_names names, bool chap,
                     struct drawn drawn[NETFUZZ_CONNS])
{
    bool token = (s->live & SESSION_INPUT_LIVE_TEXT) != 0;
    size_t len = s->pdu->len;
    uint8_t *bytes = token ? with_tokens(s->pdu, names, chap, &len) : malloc(len);

    if (!bytes)
        return false;
    if (!token)
        memcpy(bytes, s->pdu->bhs, len);
    if (!drawn[s->conn].known && pdu_opcode(bytes) == PDU_LOGIN_REQUEST)
        learn_drawn(&drawn[s->conn], bytes);
    settle_drawn(&drawn[s->conn], drawn[0].known ? &drawn[0] : &drawn[s->conn], bytes);
    if (len > PDU_BHS_LEN && pdu_opcode(bytes) == PDU_LOGIN_REQUEST && pdu_ahs_len(bytes) == 0)
        settle_challenge(bytes + PDU_BHS_LEN, len - PDU_BHS_LEN);
    if (len <= NETFUZZ_RECORD_MAX)
        netfuzz_input_add(out, s->conn, NETFUZZ_DATA, s->live, bytes, len);
    free(bytes);
    return true;
}

static int by_time(const void *a, const void *b)
{
    const struct said *x = a, *y = b;

    if (x->pdu->at_us != y->pdu->at_us)
        return x->pdu->at_us < y->pdu->at_us ? -1 : 1;
    return x->conn != y->conn ? (x->conn < y->conn ? -1 : 1) : (x->pdu->number < y->pdu->number ? -1 : 1);
}

/* Has the initiator of the connection answered a challenge? */
static bool has_chap(const struct conn_pdus *all)
{
    for (long i = 0; i < all->count; i++)
        if (all->pdus[i].side == TRANSCRIPT_INITIATOR && all->pdus[i].data &&
            text_count(all->pdus[i].data, all->pdus[i].data_len, "CHAP_R") > 0)
            return true;
    return false;
}

static size_t collect(const struct transcript *t, const struct conn_pdus *all, size_t conns,
                      enum netfuzz_seed_names names, struct said *said)
{
    size_t count = 0;

    for (unsigned c = 0; c < conns; c++) {
        int64_t over = over_at(t->conns[c]);
        uint32_t stat_sn = 0;
        bool heard = false;

        for (long i = 0; i < all[c].count; i++) {
            const struct transcript_pdu *p = &all[c].pdus[i];

            if (!p->whole || !p->bhs || p->gap || p->at_us >= over)
                continue;
            if (p->side == TRANSCRIPT_TARGET) {
                stat_sn = bytes_get_be32(p->bhs + 24);
                heard = true;
            } else if (p->len == pdu_total_len(p->bhs, false, false)) { /* no digests: they would be wrong */
                said[count++] = (struct said){p, c, live_of(p, all, conns, names, heard, stat_sn)};
            }
        }
    }
    return count;
}

bool netfuzz_seed_transcript(const struct transcript *t, enum netfuzz_seed_names names, struct netfuzz_input *out)
{
    size_t conns = t->conn_count < NETFUZZ_CONNS ? t->conn_count : NETFUZZ_CONNS, total = 0, count;
    struct conn_pdus all[NETFUZZ_CONNS] = {{NULL, 0}};
    struct drawn drawn[NETFUZZ_CONNS] = {{false, {0}, 0}};
    bool chap[NETFUZZ_CONNS] = {false};
    struct said *said;
    bool good = true;

    memset(out, 0, sizeof(*out));
    for (size_t c = 0; c < conns; c++) {
        all[c].count = transcript_cut(t->conns[c], &all[c].pdus);
        good = good && all[c].count >= 0;
        chap[c] = has_chap(&all[c]);
        total += all[c].count > 0 ? (size_t)all[c].count : 0;
    }
    said = calloc(total + 1, sizeof(*said));
    if (said && good) {
        count = collect(t, all, conns, names, said);
        qsort(said, count, sizeof(*said), by_time);
        for (size_t i = 0; i < count && good; i++)
            good = add_said(out, &said[i], names, chap[said[i].conn], drawn);
    }
    good = good && said;
    free(said);
    for (size_t c = 0; c < conns; c++)
        free(all[c].pdus);
    return good;
}
