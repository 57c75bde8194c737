/* Live values of a session input: see session_live.h. */
#include "harness/session_live.h"

#include "wire/bytes.h"
#include "wire/chap.h"
#include "wire/text.h"

#include <ctype.h>

enum {
    TOKEN_MAX = 20, /* the longest name between braces, and the braces */
    VALUE_MAX = SESSION_LIVE_VALUE,
    TSIH_AT = 14,
    EXP_STAT_SN_AT = 28,
};

static void conn_forget(struct session_live_conn *conn)
{
    conn->deaf = conn->heard = conn->response_sent = false;
    conn->stat_sn = 0;
    conn->algorithm = 0;
    conn->chap_i[0] = '\0';
    conn->chap_c[0] = '\0';
    conn->chap_c_len = 0;
    conn->part_len = 0;
}

void session_live_init(struct session_live *live, const struct session_live_names *names)
{
    live->names = names;
    live->last_tsih = 0;
    for (unsigned i = 0; i < SESSION_INPUT_CONNS; i++) {
        live->tsih[i] = 0;
        conn_forget(&live->conns[i]);
    }
}

void session_live_open(struct session_live *live, unsigned conn)
{
    conn_forget(&live->conns[conn]);
}

/* ---- what the target says ---- */

static size_t keep_value(const struct text_pair *pair, char *out, size_t cap)
{
    if (pair->value_len >= cap)
        return 0;
    memcpy(out, pair->value, pair->value_len);
    out[pair->value_len] = '\0';
    return pair->value_len;
}

static void learn_text(struct session_live_conn *conn, const uint8_t *text, size_t len)
{
    struct text_cursor cursor;
    struct text_pair pair;
    uint64_t number;

    text_cursor_init(&cursor, text, len);
    while (text_next(&cursor, &pair) == TEXT_PAIR) {
        if (pair.key_len != 6 || memcmp(pair.key, "CHAP_", 5) != 0)
            continue;
        if (pair.key[5] == 'A' && text_parse_number(pair.value, pair.value_len, &number) == TEXT_NUMBER_OK)
            conn->algorithm = number <= UINT8_MAX ? (unsigned)number : 0;
        else if (pair.key[5] == 'I')
            keep_value(&pair, conn->chap_i, sizeof(conn->chap_i));
        else if (pair.key[5] == 'C')
            conn->chap_c_len = keep_value(&pair, conn->chap_c, sizeof(conn->chap_c));
    }
}

static void learn_pdu(struct session_live *live, unsigned index, const uint8_t *pdu)
{
    struct session_live_conn *conn = &live->conns[index];
    size_t data_len = pdu_data_len(pdu);

    conn->heard = true;
    conn->stat_sn = bytes_get_be32(pdu + 24);
    if (pdu_opcode(pdu) != PDU_LOGIN_RESPONSE)
        return;
    uint16_t tsih = bytes_get_be16(pdu + TSIH_AT);

    if (tsih != 0 && pdu_login_status(pdu) == 0 && (pdu[1] & PDU_FLAG_TRANSIT) != 0 && (pdu[1] & 3U) == 3U) {
        live->tsih[index] = tsih;
        live->last_tsih = index;
    }
    if (data_len > 0)
        learn_text(conn, pdu + PDU_BHS_LEN + pdu_ahs_len(pdu), data_len);
}

/* Learns from the whole PDUs at bytes. Returns how many bytes they were. */
static size_t learn_whole(struct session_live *live, unsigned index, const uint8_t *bytes, size_t len)
{
    size_t at = 0;

    while (len - at >= PDU_BHS_LEN) {
        size_t total = pdu_total_len(bytes + at, false, false);

        if (total > SESSION_LIVE_PART) {
            live->conns[index].deaf = true;
            return len;
        }
        if (total > len - at)
            break;
        learn_pdu(live, index, bytes + at);
        at += total;
    }
    return at;
}

void session_live_answer(struct session_live *live, unsigned index, const uint8_t *bytes, size_t len)
{
    struct session_live_conn *conn = &live->conns[index];

    if (conn->deaf)
        return;
    if (conn->part_len == 0) {
        size_t used = learn_whole(live, index, bytes, len);

        bytes += used;
        len -= used;
    }
    while (len > 0 && !conn->deaf) {
        size_t room = SESSION_LIVE_PART - conn->part_len, take = len < room ? len : room;

        memcpy(conn->part + conn->part_len, bytes, take);
        conn->part_len += take;
        bytes += take;
        len -= take;
        size_t used = learn_whole(live, index, conn->part, conn->part_len);

        memmove(conn->part, conn->part + used, conn->part_len - used);
        conn->part_len -= used;
    }
}

/* ---- what is sent ---- */

enum response_form { FORM_HEX, FORM_BASE64, FORM_UPPER, FORM_RAW, FORM_HALF };

/* The right response as text. Its length, 0: there is no challenge, or it cannot be answered. */
static size_t response_text(struct session_live *live, struct session_live_conn *conn, enum response_form form,
                            char out[VALUE_MAX])
{
    const struct chap_algorithm *algorithm = chap_algorithm_find(conn->algorithm);
    uint8_t challenge[CHAP_MAX_BINARY], hash[CHAP_MAX_HASH_LEN];
    size_t challenge_len = 0, hash_len = 0, len;
    uint64_t id;

    if (algorithm == NULL || live->names->secret == NULL ||
        text_parse_number(conn->chap_i, strlen(conn->chap_i), &id) != TEXT_NUMBER_OK || id > UINT8_MAX ||
        text_decode_binary(conn->chap_c, conn->chap_c_len, challenge, sizeof(challenge), &challenge_len) !=
            TEXT_BINARY_OK ||
        chap_response(algorithm, (uint8_t)id, live->names->secret, live->names->secret_len, challenge, challenge_len,
                      hash, sizeof(hash), &hash_len) != CHAP_OK)
        return 0;
    conn->response_sent = true;
    if (form == FORM_BASE64)
        return text_encode_base64(hash, hash_len, out, VALUE_MAX);
    len = text_encode_hex(hash, form == FORM_HALF ? hash_len / 2 : hash_len, out, VALUE_MAX);
    if (form == FORM_RAW) {
        memmove(out, out + 2, len - 2);
        len -= 2;
    }
    for (size_t i = 0; form == FORM_UPPER && i < len; i++)
        out[i] = (char)toupper((unsigned char)out[i]);
    return len;
}

static bool name_value(const char *value, const char **out, size_t *len)
{
    *out = value;
    *len = value != NULL ? strlen(value) : 0;
    return value != NULL;
}

/* The value of the token with this name. False: it is none, or the consumer has no value for it. */
static bool token_value(struct session_live *live, struct session_live_conn *conn, const char *name, size_t name_len,
                        char space[VALUE_MAX], const char **out, size_t *len)
{
    static const char *const responses[] = {"chap_r", "chap_r:base64", "chap_r:upper", "chap_r:raw", "chap_r:half"};
    const struct {
        const char *name;
        const char *value;
    } values[] = {
        {"target", live->names->target},
        {"chap_target", live->names->chap_target},
        {"initiator", live->names->initiator},
        {"user", live->names->user},
        {"chap_i", conn->chap_i},
        {"chap_c", conn->chap_c},
    };

    for (size_t i = 0; i < sizeof(responses) / sizeof(responses[0]); i++)
        if (text_equals(name, name_len, responses[i])) {
            *out = space;
            *len = response_text(live, conn, (enum response_form)i, space);
            return true;
        }
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        if (text_equals(name, name_len, values[i].name))
            return name_value(values[i].value, out, len);
    return false;
}

struct rendered {
    uint8_t *bytes;
    size_t cap;
    size_t len;
};

static void render_bytes(struct rendered *out, const void *bytes, size_t len)
{
    size_t take = len < out->cap - out->len ? len : out->cap - out->len;

    if (take > 0)
        memcpy(out->bytes + out->len, bytes, take);
    out->len += take;
}

/* Copies the text with its tokens filled in. Returns by how much it grew (may be negative). */
static ptrdiff_t render_text(struct session_live *live, struct session_live_conn *conn, const uint8_t *text, size_t len,
                             struct rendered *out)
{
    const uint8_t *at = text, *end = text + len, *open;
    char space[VALUE_MAX];
    size_t before = out->len;

    while ((open = at < end ? memchr(at, '{', (size_t)(end - at)) : NULL) != NULL) {
        size_t rest = (size_t)(end - open), look = rest < TOKEN_MAX ? rest : TOKEN_MAX, value_len;
        const uint8_t *close = memchr(open, '}', look);
        const char *value;

        if (close != NULL &&
            token_value(live, conn, (const char *)open + 1, (size_t)(close - open) - 1, space, &value, &value_len)) {
            render_bytes(out, at, (size_t)(open - at));
            render_bytes(out, value, value_len);
            at = close + 1;
        } else {
            render_bytes(out, at, (size_t)(open - at) + 1);
            at = open + 1;
        }
    }
    render_bytes(out, at, (size_t)(end - at));
    return (ptrdiff_t)(out->len - before) - (ptrdiff_t)len;
}

static void render_header(struct session_live *live, const struct session_input_record *record, uint8_t *bhs)
{
    const struct session_live_conn *conn = &live->conns[record->conn];
    bool login = pdu_opcode(bhs) == PDU_LOGIN_REQUEST;

    if ((record->live & SESSION_INPUT_LIVE_SN) != 0 && conn->heard)
        bytes_put_be32(bhs + EXP_STAT_SN_AT, conn->stat_sn + 1);
    if (login && (record->live & SESSION_INPUT_LIVE_TSIH) != 0 && live->tsih[live->last_tsih] != 0)
        bytes_put_be16(bhs + TSIH_AT, live->tsih[live->last_tsih]);
    if (login && (record->live & SESSION_INPUT_LIVE_ISID) != 0) {
        uint8_t low = bhs[13];

        memcpy(bhs + 8, live->names->isid, PDU_ISID_LEN);
        bhs[13] = (uint8_t)(bhs[13] + low);
    }
}

size_t session_live_render(struct session_live *live, const struct session_input_record *record, uint8_t *out,
                           size_t cap, const uint8_t **bytes)
{
    static const uint8_t zero[4];
    struct rendered rendered = {.bytes = out, .cap = cap};
    struct session_live_conn *conn = &live->conns[record->conn];

    *bytes = record->bytes;
    if (record->live == 0 || record->len < PDU_BHS_LEN || cap < PDU_BHS_LEN)
        return record->len;
    *bytes = out;
    render_bytes(&rendered, record->bytes, PDU_BHS_LEN);
    render_header(live, record, out);
    uint8_t opcode = pdu_opcode(out);
    const uint8_t *text = record->bytes + PDU_BHS_LEN;
    size_t rest = record->len - PDU_BHS_LEN, said = pdu_data_len(out), len = said < rest ? said : rest;

    if ((record->live & SESSION_INPUT_LIVE_TEXT) == 0 || pdu_ahs_len(out) != 0 ||
        (opcode != PDU_LOGIN_REQUEST && opcode != PDU_TEXT_REQUEST)) {
        render_bytes(&rendered, text, rest);
        return rendered.len;
    }
    ptrdiff_t grown = render_text(live, conn, text, len, &rendered);
    bool padded = rest - len == pdu_padding(len);

    pdu_set_data_len(out, (size_t)((ptrdiff_t)said + grown));
    if (padded)
        render_bytes(&rendered, zero, pdu_padding((size_t)((ptrdiff_t)len + grown)));
    else
        render_bytes(&rendered, text + len, rest - len);
    return rendered.len;
}
