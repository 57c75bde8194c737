/* Mutated PDUs of libiscsi: see mutated.h. */
#include "harness/mutated.h"

#include "harness/initiator.h"
#include "harness/mutate.h"
#include "harness/session_live.h"
#include "wire/bytes.h"
#include "wire/chap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INPUT_MAX = 32768,    /* of the mutator */
    OUTPUT_MAX = 1 << 17, /* what goes out */
    TRIES = 64,           /* to find a change */
    ISID_AT = 8,
    ITT_AT = 16,
    CMD_SN_AT = 24,
    EXP_STAT_SN_AT = 28,
};

/* What stands in an input for values that are drawn anew in every run, so that no mutation hangs on them. */
static const uint8_t fixed_itt[4] = {0x49, 0x54, 0x54, 0x31};
static const uint8_t fixed_cmd_sn[4] = {0x43, 0x4d, 0x44, 0x31};

static const struct {
    const char *key;
    const char *value;
} tokens[] = {
    {"InitiatorName", "{initiator}"},
    {"TargetName", "{target}"},
    {"CHAP_N", "{user}"},
    {"CHAP_R", "{chap_r}"},
    {"CHAP_I", "9"},
};

/* Has the text the key, another value is put there. False: out of memory. */
static bool settle(struct text_buf *text, const char *key, const char *value)
{
    struct text_pair pair;

    return !text_find(text->data, text->len, key, &pair) || text_buf_replace(text, key, value) > 0;
}

/* Our own challenge: digits that count up, as many as libiscsi drew. */
static bool settle_challenge(struct text_buf *text)
{
    char value[2 + 2 * CHAP_MAX_BINARY + 1] = "0x";
    struct text_pair pair;

    if (!text_find(text->data, text->len, "CHAP_C", &pair))
        return true;
    for (size_t i = 2; i < pair.value_len && i + 1 < sizeof(value); i++)
        value[i] = (char)('0' + i % 10);
    return text_buf_replace(text, "CHAP_C", value) > 0;
}

/* The record of a session input that stands for the PDU on any target. Its length; 0: out of memory. */
static size_t make_input(const struct edit_pdu *p, uint8_t *out, size_t cap)
{
    struct edit_pdu plain = {.wire = NULL};
    size_t len = 0;
    bool good;

    memcpy(plain.bhs, p->bhs, PDU_BHS_LEN);
    memcpy(plain.bhs + ITT_AT, fixed_itt, sizeof(fixed_itt));
    memcpy(plain.bhs + CMD_SN_AT, fixed_cmd_sn, sizeof(fixed_cmd_sn));
    memset(plain.bhs + ISID_AT, 0, PDU_ISID_LEN);
    bytes_put_be32(plain.bhs + EXP_STAT_SN_AT, 1);
    text_buf_init_growing(&plain.text, INPUT_MAX, NULL, NULL);
    good =
        (p->text.len == 0 || text_buf_add_raw(&plain.text, p->text.data, p->text.len)) && settle_challenge(&plain.text);
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]) && good; i++)
        good = settle(&plain.text, tokens[i].key, tokens[i].value);
    if (good && edit_render(&plain)) {
        const struct session_input_record record = {
            .kind = SESSION_INPUT_DATA,
            .live = SESSION_INPUT_LIVE_TEXT | SESSION_INPUT_LIVE_ISID | SESSION_INPUT_LIVE_SN,
            .bytes = plain.wire,
            .len = plain.wire_len,
        };

        session_input_put(out, cap, &len, &record);
    }
    edit_free(&plain);
    return len;
}

/* Tags of the connection in the place of the fixed ones, where the mutator left these alone. */
static void put_tags(const struct conn *c, uint8_t *bytes, size_t len)
{
    if (len < PDU_BHS_LEN)
        return;
    if (memcmp(bytes + ITT_AT, fixed_itt, sizeof(fixed_itt)) == 0)
        bytes_put_be32(bytes + ITT_AT, c->live.itt);
    if (memcmp(bytes + CMD_SN_AT, fixed_cmd_sn, sizeof(fixed_cmd_sn)) == 0)
        bytes_put_be32(bytes + CMD_SN_AT, c->live.cmd_sn);
}

/* Renders the records of the mutated input one behind the other, whatever connection they name: there is one only. */
static void render(const struct conn *c, struct session_live *live, const uint8_t *input, size_t input_len,
                   struct mutated *out)
{
    const uint8_t *at = input, *end = input + input_len;
    struct session_input_record record;

    while (out->end == MUTATED_STAYS_OPEN && session_input_next(&at, end, &record)) {
        if (record.kind == SESSION_INPUT_DATA) {
            uint8_t *to = out->bytes + out->len;
            const uint8_t *bytes;
            size_t cap = OUTPUT_MAX - out->len, len;

            record.conn = 0;
            len = session_live_render(live, &record, to, cap, &bytes);
            if (len > cap)
                len = cap;
            if (bytes != to && len > 0)
                memcpy(to, bytes, len);
            put_tags(c, to, len);
            out->len += len;
        } else if (record.kind != SESSION_INPUT_TIME) {
            out->end = record.kind == SESSION_INPUT_EOF ? MUTATED_HALF_CLOSE : MUTATED_RESET;
        }
    }
}

/* The names and secrets of the connection, and what the target has said on it so far. */
static void start_live(const struct conn *c, struct session_live_names *names, struct session_live *live)
{
    const struct transcript_stream *said = &c->link->log->stream[TRANSCRIPT_TARGET];

    *names = (struct session_live_names){
        .target = c->target,
        .chap_target = c->target,
        .initiator = c->initiator,
        .user = c->user,
        .secret = c->has_secret ? (const uint8_t *)c->secret : NULL,
        .secret_len = c->has_secret ? strlen(c->secret) : 0,
    };
    memcpy(names->isid, c->session->isid, PDU_ISID_LEN);
    session_live_init(live, names);
    session_live_answer(live, 0, said->bytes, said->len);
}

void mutated_free(struct mutated *m)
{
    free(m->bytes);
    *m = (struct mutated){.bytes = NULL};
}

/* FNV-1a. */
static uint64_t hash_of(const uint8_t *bytes, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

/* Draws until something else goes out than without the mutator. */
static bool draw(const struct conn *c, unsigned number, uint8_t *input, size_t input_len, struct mutated *out)
{
    static const struct mutate_options options = {.format = MUTATE_SESSION};
    struct session_live *live = calloc(1, sizeof(*live));
    struct session_live_names names;
    struct mutated plain = {.bytes = malloc(OUTPUT_MAX)};
    uint8_t *changed = malloc(INPUT_MAX);
    bool same = true;

    if (live && plain.bytes && changed) {
        start_live(c, &names, live);
        render(c, live, input, input_len, &plain);
        for (uint64_t i = 0; i < TRIES && same; i++) {
            size_t len = mutate(&options, (uint64_t)number << 8 | i, input, input_len, NULL, 0, changed, INPUT_MAX);

            out->len = 0;
            out->end = MUTATED_STAYS_OPEN;
            out->hash = hash_of(changed, len);
            render(c, live, changed, len, out);
            same = out->len == 0 ||
                   (out->len == plain.len && out->end == plain.end && memcmp(out->bytes, plain.bytes, plain.len) == 0);
        }
    }
    free(live);
    free(changed);
    mutated_free(&plain);
    return !same;
}

bool mutated_make(struct conn *c, const struct edit_pdu *p, unsigned number, struct mutated *out)
{
    uint8_t *input = malloc(INPUT_MAX);
    size_t len = input ? make_input(p, input, INPUT_MAX) : 0;
    bool good;

    mutated_free(out);
    out->bytes = malloc(OUTPUT_MAX);
    out->number = number;
    good = out->bytes && len > 0 && draw(c, number, input, len, out);
    free(input);
    return good;
}

/* Waits for the answer to a PDU that others follow. False: there is nobody to send them to. */
static bool goes_on(struct conn *c)
{
    const uint8_t *bhs;

    if (!initiator_await(c, c->sent))
        return false;
    bhs = conn_answer_bhs(c, &c->answers[c->answer_count - 1]);
    if ((bhs[1] & (PDU_FLAG_TRANSIT | 3u)) != (PDU_FLAG_TRANSIT | 3u))
        return true;
    initiator_enter_full_feature(c);
    return false;
}

/* Waits until the target says something, whatever it is. */
static void hear(struct conn *c)
{
    const struct transcript_stream *said = &c->link->log->stream[TRANSCRIPT_TARGET];
    int64_t deadline = conn_deadline(c);
    size_t before = said->len;

    while (said->len == before && !c->link->peer_ended && c->link->fd >= 0 && net_turn(&c->drive->net, deadline))
        ;
}

enum shape_sent mutated_send(struct conn *c, const struct mutated *m)
{
    bool whole = true;
    char text[80];

    c->mutated = true;
    for (size_t at = 0; at < m->len && whole;) {
        size_t left = m->len - at, len = left;

        if (left < PDU_BHS_LEN || (len = pdu_total_len(m->bytes + at, false, false)) > left) {
            whole = false;
            len = left;
        }
        snprintf(text, sizeof(text), "mutation %u (%016" PRIx64 ")%s", m->number, m->hash,
                 whole ? "" : ": less than a PDU");
        conn_note(c, TRANSCRIPT_EDIT, c->sent + 1, text);
        conn_send(c, m->bytes + at, len, true);
        at += len;
        if (at < m->len && !goes_on(c))
            return SHAPE_OVER;
    }
    if (m->end == MUTATED_RESET) {
        link_reset(&c->drive->net, c->link);
        conn_finish(c, CONN_CUT, "was reset by the mutation");
        return SHAPE_OVER;
    }
    if (whole && m->end == MUTATED_HALF_CLOSE)
        hear(c);
    if (!whole || m->end == MUTATED_HALF_CLOSE)
        link_half_close(&c->drive->net, c->link);
    return SHAPE_SENT;
}
