/*
 * Makes inputs of the fuzz entries out of recorded cases: make_seeds OUT CAPTURE...
 *
 *   OUT/login_session/CASE     the initiators' PDUs of all connections, in order of time
 *   OUT/transcript_audit/CASE  both sides
 *   OUT/text_keys/CASE.N       the texts of the initiators
 *   OUT/chap_values/CASE.N     those with keys of CHAP
 *
 * CASE is the name of the capture file without its ending. What the target had made up for that one run becomes a live
 * value (harness/session_live.h): a right CHAP_R, the TSIH of a session that is joined, ExpStatSN.
 */
#include "harness/capture_read.h"
#include "harness/session_input.h"
#include "wire/bytes.h"
#include "wire/chap.h"
#include "wire/pdu.h"
#include "wire/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { INPUT_MAX = 1 << 16, CONNS_MAX = 16, PDUS_MAX = 512, PATH_SPACE = 1024 };

struct said {
    size_t conn;
    struct transcript_pdu pdu;
};

/* What the connections of one capture have said so far. */
struct talk {
    struct capture_conn *conns[CONNS_MAX];
    struct transcript_pdu *pdus[CONNS_MAX];
    size_t conn_count;
    struct said said[PDUS_MAX];
    size_t said_count;
    uint16_t tsih; /* told last */
    struct {
        bool heard;
        uint32_t stat_sn;
        const struct chap_algorithm *algorithm;
        uint64_t id;
        size_t challenge_len;
        uint8_t challenge[CHAP_MAX_BINARY];
        unsigned number; /* of the connection in the input */
    } state[CONNS_MAX];
};

static bool save(const char *folder, const char *kind, const char *name, const uint8_t *bytes, size_t len)
{
    char path[PATH_SPACE];

    snprintf(path, sizeof path, "%s/%s", folder, kind);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s", folder, kind, name);
    FILE *file = fopen(path, "wb");

    if (file == NULL || fwrite(bytes, 1, len, file) != len || fclose(file) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    return true;
}

/* ---- reading ---- */

static int by_time(const void *a, const void *b)
{
    const struct said *x = a, *y = b;

    if (x->pdu.at_us != y->pdu.at_us)
        return x->pdu.at_us < y->pdu.at_us ? -1 : 1;
    if (x->conn != y->conn)
        return x->conn < y->conn ? -1 : 1;
    return x->pdu.offset < y->pdu.offset ? -1 : 1;
}

static void add_conn(struct talk *talk, struct capture_conn *conn)
{
    struct transcript_pdu *pdus;
    long count = transcript_cut(conn->conn, &pdus);

    if (talk->conn_count == CONNS_MAX || count < 0) {
        capture_conn_free(conn);
        return;
    }
    talk->conns[talk->conn_count] = conn;
    talk->pdus[talk->conn_count] = pdus;
    for (long i = 0; i < count && talk->said_count < PDUS_MAX; i++)
        talk->said[talk->said_count++] = (struct said){.conn = talk->conn_count, .pdu = pdus[i]};
    talk->conn_count++;
}

static bool read_talk(const char *path, struct talk *talk)
{
    char err[512];
    struct capture *capture = capture_open(path, NULL, err, sizeof err);
    struct capture_conn *conn;
    enum capture_result result;

    memset(talk, 0, sizeof *talk);
    if (capture == NULL) {
        fprintf(stderr, "%s\n", err);
        return false;
    }
    while ((result = capture_next(capture, &conn)) == CAPTURE_CONN || result == CAPTURE_PAUSE)
        if (result == CAPTURE_CONN)
            add_conn(talk, conn);
    capture_close(capture);
    qsort(talk->said, talk->said_count, sizeof *talk->said, by_time);
    return talk->conn_count > 0;
}

static void free_talk(struct talk *talk)
{
    for (size_t i = 0; i < talk->conn_count; i++) {
        free(talk->pdus[i]);
        capture_conn_free(talk->conns[i]);
    }
}

/* Connections of the input: 2 is the portal of another group (fuzz/session_target.c), the others come in turn. */
static void number_conns(struct talk *talk)
{
    unsigned next = 0;

    for (size_t i = 0; i < talk->said_count; i++) {
        const struct said *s = &talk->said[i];
        struct text_pair pair;

        if (s->pdu.side == TRANSCRIPT_TARGET &&
            text_find(s->pdu.data, s->pdu.data_len, "TargetPortalGroupTag", &pair) &&
            text_equals(pair.value, pair.value_len, "2"))
            talk->state[s->conn].number = 2;
    }
    for (size_t i = 0; i < talk->conn_count; i++)
        if (talk->state[i].number != 2) {
            talk->state[i].number = next & 1U;
            next++;
        }
}

/* ---- live values ---- */

static void hear(struct talk *talk, const struct said *s)
{
    const uint8_t *text = s->pdu.data;
    size_t len = s->pdu.data_len, decoded;
    struct text_pair pair;
    uint64_t number;

    if (s->pdu.bhs == NULL)
        return;
    talk->state[s->conn].heard = true;
    talk->state[s->conn].stat_sn = bytes_get_be32(s->pdu.bhs + 24);
    if (pdu_opcode(s->pdu.bhs) != PDU_LOGIN_RESPONSE)
        return;
    if (bytes_get_be16(s->pdu.bhs + 14) != 0)
        talk->tsih = bytes_get_be16(s->pdu.bhs + 14);
    if (text_find(text, len, "CHAP_A", &pair) &&
        text_parse_number(pair.value, pair.value_len, &number) == TEXT_NUMBER_OK)
        talk->state[s->conn].algorithm = chap_algorithm_find(number);
    if (text_find(text, len, "CHAP_I", &pair))
        text_parse_number(pair.value, pair.value_len, &talk->state[s->conn].id);
    if (text_find(text, len, "CHAP_C", &pair) &&
        text_decode_binary(pair.value, pair.value_len, talk->state[s->conn].challenge, CHAP_MAX_BINARY, &decoded) ==
            TEXT_BINARY_OK)
        talk->state[s->conn].challenge_len = decoded;
}

/* The token for a CHAP_R that is right, NULL: it is not. */
static const char *response_token(const struct talk *talk, size_t conn, const struct text_pair *pair)
{
    static const char secret[] = "initiator-secret"; /* of the reference profile */
    uint8_t right[CHAP_MAX_HASH_LEN], came[CHAP_MAX_BINARY];
    size_t right_len, came_len;

    if (talk->state[conn].algorithm == NULL ||
        text_decode_binary(pair->value, pair->value_len, came, sizeof came, &came_len) != TEXT_BINARY_OK ||
        chap_response(talk->state[conn].algorithm, (uint8_t)talk->state[conn].id, secret, sizeof secret - 1,
                      talk->state[conn].challenge, talk->state[conn].challenge_len, right, sizeof right,
                      &right_len) != CHAP_OK ||
        !chap_equal(right, right_len, came, came_len))
        return NULL;
    if (pair->value[1] == 'b' || pair->value[1] == 'B')
        return "{chap_r:base64}";
    return pair->value[1] == 'X' ? "{chap_r:upper}" : "{chap_r}";
}

/* The bytes of a PDU for the input, at out; which live flags they need. */
static size_t make_live(const struct talk *talk, const struct said *s, const uint8_t *wire, uint8_t *out,
                        unsigned *live)
{
    static const uint8_t zero[4];
    struct text_buf text;
    struct text_pair pair;
    const char *token;

    memcpy(out, wire, s->pdu.len);
    *live = 0;
    if (s->pdu.bhs == NULL)
        return s->pdu.len;
    if (talk->state[s->conn].heard && bytes_get_be32(out + 28) == talk->state[s->conn].stat_sn + 1)
        *live |= SESSION_INPUT_LIVE_SN;
    if (pdu_opcode(out) != PDU_LOGIN_REQUEST)
        return s->pdu.len;
    if (talk->tsih != 0 && bytes_get_be16(out + 14) == talk->tsih)
        *live |= SESSION_INPUT_LIVE_TSIH;
    if (s->pdu.data == NULL || !s->pdu.whole || pdu_ahs_len(out) != 0 ||
        !text_find(s->pdu.data, s->pdu.data_len, "CHAP_R", &pair) ||
        (token = response_token(talk, s->conn, &pair)) == NULL)
        return s->pdu.len;
    *live |= SESSION_INPUT_LIVE_TEXT;
    text_buf_init_fixed(&text, out + PDU_BHS_LEN, INPUT_MAX - PDU_BHS_LEN);
    text_buf_add_raw(&text, s->pdu.data, s->pdu.data_len);
    text_buf_replace(&text, "CHAP_R", token);
    pdu_set_data_len(out, text.len);
    memcpy(out + PDU_BHS_LEN + text.len, zero, pdu_padding(text.len));
    return PDU_BHS_LEN + pdu_padded_len(text.len);
}

/* ---- writing ---- */

static const uint8_t *wire_of(const struct talk *talk, const struct said *s)
{
    return talk->conns[s->conn]->conn->stream[s->pdu.side].bytes + s->pdu.offset;
}

static bool put(uint8_t *input, size_t *len, unsigned conn, unsigned live, const uint8_t *bytes, size_t size)
{
    const struct session_input_record record = {.conn = conn, .live = live, .bytes = bytes, .len = size};

    return session_input_put(input, INPUT_MAX, len, &record);
}

static bool save_session(struct talk *talk, const char *out, const char *name)
{
    static uint8_t input[INPUT_MAX], pdu[INPUT_MAX + 4];
    size_t len = 0;
    unsigned live;

    for (size_t i = 0; i < talk->said_count; i++) {
        const struct said *s = &talk->said[i];

        if (s->pdu.side == TRANSCRIPT_TARGET) {
            hear(talk, s);
        } else if (s->pdu.len < INPUT_MAX / 2) {
            size_t size = make_live(talk, s, wire_of(talk, s), pdu, &live);

            if (!put(input, &len, talk->state[s->conn].number, live, pdu, size))
                return true; /* too long to be a seed */
        }
    }
    return len == 0 || save(out, "login_session", name, input, len);
}

/* Low bit of the connection: who sent. */
static bool save_transcript(const struct talk *talk, const char *out, const char *name)
{
    static uint8_t input[INPUT_MAX];
    size_t len = 0;

    for (size_t i = 0; i < talk->said_count; i++) {
        const struct said *s = &talk->said[i];

        if (s->pdu.len >= INPUT_MAX / 2 ||
            !put(input, &len, (unsigned)(s->conn & 1U) << 1 | (s->pdu.side == TRANSCRIPT_TARGET), 0, wire_of(talk, s),
                 s->pdu.len))
            return true;
    }
    return save(out, "transcript_audit", name, input, len);
}

static bool save_texts(const struct talk *talk, const char *out, const char *name)
{
    char numbered[PATH_SPACE + 16];
    unsigned number = 0;
    struct text_pair pair;

    for (size_t i = 0; i < talk->said_count; i++) {
        const struct transcript_pdu *pdu = &talk->said[i].pdu;

        if (pdu->data == NULL || pdu->data_len == 0 || pdu->data_len > INPUT_MAX / 8)
            continue;
        snprintf(numbered, sizeof numbered, "%s.%u", name, ++number);
        if (pdu->side == TRANSCRIPT_INITIATOR && !save(out, "text_keys", numbered, pdu->data, pdu->data_len))
            return false;
        if ((text_find(pdu->data, pdu->data_len, "CHAP_C", &pair) ||
             text_find(pdu->data, pdu->data_len, "CHAP_R", &pair)) &&
            !save(out, "chap_values", numbered, pdu->data, pdu->data_len))
            return false;
    }
    return true;
}

static bool make(const char *out, const char *path)
{
    static struct talk talk;
    const char *slash = strrchr(path, '/'), *base = slash != NULL ? slash + 1 : path;
    char name[PATH_SPACE];
    const char *ending = strstr(base, ".pcap");

    snprintf(name, sizeof name, "%.*s", ending != NULL ? (int)(ending - base) : (int)strlen(base), base);
    if (!read_talk(path, &talk))
        return true; /* a case without a byte on the wire */
    number_conns(&talk);
    bool fine = save_session(&talk, out, name) && save_transcript(&talk, out, name) && save_texts(&talk, out, name);

    free_talk(&talk);
    return fine;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s OUT CAPTURE...\n", argv[0]);
        return 2;
    }
    mkdir(argv[1], 0777);
    for (int i = 2; i < argc; i++)
        if (!make(argv[1], argv[i]))
            return 2;
    return 0;
}
