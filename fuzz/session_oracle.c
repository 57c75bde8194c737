/* What must hold of any talk: see session_oracle.h. */
#include "fuzz/session_oracle.h"

#include "harness/ladder.h"
#include "wire/chap.h"
#include "wire/pdu.h"
#include "wire/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    OUTPUT_PER_PDU = 2 * (PDU_DEFAULT_MAX_RECV + PDU_BHS_LEN), /* of the target, for a PDU of the login */
    OUTPUT_MAX = 4 << 20,                                      /* on a connection, full feature phase too */
    STEP_US = 100,
    TEXT_MAX = 1 << 16,
};

_Noreturn void session_oracle_finding(const char *format, ...)
{
    va_list arguments;

    fputs("finding: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}

bool session_oracle_init(struct session_oracle *oracle, const char *user, const char *secret, const char *mutual_user,
                         const char *mutual_secret)
{
    oracle->transcript = transcript_new();
    if (oracle->transcript == NULL)
        return false;
    struct transcript_context *context = &oracle->transcript->context;

    context->live = true;
    snprintf(context->chap_user, sizeof context->chap_user, "%s", user);
    snprintf(context->chap_secret, sizeof context->chap_secret, "%s", secret);
    snprintf(context->mutual_user, sizeof context->mutual_user, "%s", mutual_user);
    snprintf(context->mutual_secret, sizeof context->mutual_secret, "%s", mutual_secret);
    return true;
}

void session_oracle_start(struct session_oracle *oracle)
{
    for (size_t i = 0; i < SESSION_INPUT_CONNS; i++) {
        oracle->conns[i] = NULL;
        oracle->sent[i] = 0;
    }
    oracle->now_us = 0;
}

void session_oracle_open(struct session_oracle *oracle, unsigned conn)
{
    oracle->conns[conn] = transcript_add_conn(oracle->transcript, NULL);
    oracle->sent[conn] = 0;
    if (oracle->conns[conn] != NULL)
        oracle->conns[conn]->connected = true;
}

void session_oracle_bytes(struct session_oracle *oracle, unsigned conn, enum transcript_side side, const uint8_t *bytes,
                          size_t len)
{
    struct transcript_conn *c = oracle->conns[conn];

    if (c == NULL || len == 0)
        return;
    transcript_bytes(c, side, oracle->now_us += STEP_US, bytes, len);
    if (side != TRANSCRIPT_TARGET)
        return;
    oracle->sent[conn] += len;
    if (oracle->sent[conn] > OUTPUT_MAX)
        session_oracle_finding("output without bound: %zu bytes", oracle->sent[conn]);
}

void session_oracle_end(struct session_oracle *oracle, unsigned conn, enum transcript_side side,
                        enum transcript_end end)
{
    if (oracle->conns[conn] != NULL)
        transcript_end(oracle->conns[conn], side, oracle->now_us += STEP_US, end);
}

void session_oracle_time(struct session_oracle *oracle, int64_t us)
{
    oracle->now_us += us;
}

/* ---- CHAP ---- */

struct challenge {
    const struct chap_algorithm *algorithm;
    uint64_t id;
    size_t len;
    uint8_t bytes[CHAP_MAX_BINARY];
};

/* The keys of the challenge in an answer. */
static void read_challenge(const struct transcript_pdu *pdu, struct challenge *challenge)
{
    struct text_pair pair;
    uint64_t number;

    if (text_find(pdu->data, pdu->data_len, "CHAP_A", &pair) &&
        text_parse_number(pair.value, pair.value_len, &number) == TEXT_NUMBER_OK)
        challenge->algorithm = chap_algorithm_find(number);
    if (text_find(pdu->data, pdu->data_len, "CHAP_I", &pair))
        text_parse_number(pair.value, pair.value_len, &challenge->id);
    if (text_find(pdu->data, pdu->data_len, "CHAP_C", &pair))
        text_decode_binary(pair.value, pair.value_len, challenge->bytes, sizeof challenge->bytes, &challenge->len);
}

static bool answers(const uint8_t *text, size_t len, const struct challenge *challenge, const char *user,
                    const char *secret)
{
    uint8_t right[CHAP_MAX_HASH_LEN], came[CHAP_MAX_BINARY];
    size_t right_len, came_len;
    struct text_pair pair;

    return challenge->algorithm != NULL && text_find(text, len, "CHAP_N", &pair) &&
           text_equals(pair.value, pair.value_len, user) && text_find(text, len, "CHAP_R", &pair) &&
           text_decode_binary(pair.value, pair.value_len, came, sizeof came, &came_len) == TEXT_BINARY_OK &&
           chap_response(challenge->algorithm, (uint8_t)challenge->id, secret, strlen(secret), challenge->bytes,
                         challenge->len, right, sizeof right, &right_len) == CHAP_OK &&
           chap_equal(right, right_len, came, came_len);
}

bool session_oracle_proved(const struct session_oracle *oracle, unsigned conn, const char *user, const char *secret)
{
    struct transcript_pdu *pdus;
    long count = oracle->conns[conn] != NULL ? transcript_cut(oracle->conns[conn], &pdus) : -1;
    struct challenge challenge = {.len = 0};
    uint8_t *text = malloc(TEXT_MAX);
    bool proved = false;
    size_t len = 0;

    if (count < 0 || text == NULL) { /* no memory is not a finding */
        free(text);
        return true;
    }
    for (long i = 0; i < count && !proved; i++) {
        const struct transcript_pdu *pdu = &pdus[i];

        if (pdu->side == TRANSCRIPT_TARGET) {
            read_challenge(pdu, &challenge);
            continue;
        }
        if (pdu->data != NULL && pdu->data_len <= TEXT_MAX - len) {
            memcpy(text + len, pdu->data, pdu->data_len);
            len += pdu->data_len;
        }
        if (pdu->bhs == NULL || (pdu->bhs[1] & PDU_FLAG_CONTINUE) != 0)
            continue;
        proved = answers(text, len, &challenge, user, secret);
        len = 0;
    }
    free(text);
    free(pdus);
    return proved;
}

/* ---- statistics ---- */

const char *session_stage_name(enum session_stage stage)
{
    static const char *const stages[] = {"none", "security", "chap", "operational", "full-feature"};

    return stages[stage];
}

static enum session_stage stage_of(const struct transcript_pdu *pdu)
{
    struct text_pair pair;

    if (pdu->side != TRANSCRIPT_TARGET || pdu->bhs == NULL || pdu_opcode(pdu->bhs) != PDU_LOGIN_RESPONSE ||
        pdu_login_status(pdu->bhs) != 0)
        return SESSION_STAGE_NONE;
    if ((pdu->bhs[1] & PDU_FLAG_TRANSIT) != 0 && (pdu->bhs[1] & 3U) == PDU_STAGE_FULL_FEATURE)
        return SESSION_STAGE_FULL;
    if ((pdu->bhs[1] >> 2 & 3U) == PDU_STAGE_OPERATIONAL)
        return SESSION_STAGE_OPERATIONAL;
    return text_find(pdu->data, pdu->data_len, "CHAP_C", &pair) ? SESSION_STAGE_CHAP : SESSION_STAGE_SECURITY;
}

enum session_stage session_oracle_stage(const struct session_oracle *oracle, size_t *pdus)
{
    enum session_stage furthest = SESSION_STAGE_NONE;

    *pdus = 0;
    for (size_t c = 0; c < oracle->transcript->conn_count; c++) {
        struct transcript_pdu *cut;
        long count = transcript_cut(oracle->transcript->conns[c], &cut);

        for (long i = 0; i < count; i++) {
            enum session_stage stage = stage_of(&cut[i]);

            *pdus += cut[i].side == TRANSCRIPT_INITIATOR;
            furthest = stage > furthest ? stage : furthest;
        }
        free(count >= 0 ? cut : NULL);
    }
    return furthest;
}

/* ---- the end ---- */

/*
 * Answers of the full feature phase are judged until the initiator sends a request before the last one was answered, or
 * one with the reserved tag: which answer belongs to which is from then on a guess.
 */
struct full_feature {
    uint32_t first; /* PDU of the target; UINT32_MAX: there is none */
    uint32_t until; /* the first that is not judged */
};

static struct full_feature full_feature_of(const struct transcript_conn *conn)
{
    struct full_feature range = {.first = UINT32_MAX};
    struct transcript_pdu *pdus;
    long count = transcript_cut(conn, &pdus);
    unsigned open = 0;
    bool orderly = true;

    for (long i = 0; i < count; i++) {
        if (pdus[i].side == TRANSCRIPT_TARGET) {
            if (pdus[i].full_feature && range.first == UINT32_MAX)
                range.first = pdus[i].number;
            if (orderly)
                range.until = pdus[i].number + 1;
            open = 0;
        } else if (pdus[i].full_feature &&
                   (++open > 1 || (pdus[i].bhs != NULL && pdu_itt(pdus[i].bhs) == PDU_NO_TAG))) {
            orderly = false;
        }
    }
    free(count >= 0 ? pdus : NULL);
    return range;
}

static bool is_guess(const struct transcript *transcript, const struct finding *f)
{
    struct full_feature range = full_feature_of(transcript->conns[f->conn]);

    return f->side == TRANSCRIPT_TARGET && f->pdu >= range.first && f->pdu >= range.until;
}

static void judge(const struct transcript *transcript, const struct finding_list *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *f = &findings->items[i];

        if (!f->tolerated && !is_guess(transcript, f))
            session_oracle_finding("%s on connection %zu, PDU %u of the %s: %s; allowed: %s", f->rule, f->conn,
                                   (unsigned)f->pdu, f->side == TRANSCRIPT_TARGET ? "target" : "initiator", f->was,
                                   f->allowed);
    }
}

void session_oracle_finish(struct session_oracle *oracle)
{
    struct finding_list findings;

    audit_transcript_at(&oracle->desk, oracle->transcript, &findings);
    if (oracle->show) {
        ladder_write(stdout, oracle->transcript, NULL, &findings);
        fflush(stdout);
    }
    judge(oracle->transcript, &findings);
    finding_list_free(&findings);
    transcript_clear(oracle->transcript);
}
