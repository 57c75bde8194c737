/* A recorded PDU made fit to be sent today: see replay_adapt.h. */
#include "harness/replay_adapt.h"

#include "wire/bytes.h"
#include "wire/chap.h"
#include "wire/digest.h"
#include "wire/pdu.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char *replay_names_find(const struct replay_names *names, const char *value, size_t len)
{
    for (size_t i = 0; i < names->count; i++)
        if (text_equals(value, len, names->items[i].from))
            return names->items[i].to;
    return NULL;
}

bool replay_names_add(struct replay_names *names, const char *from, const char *to)
{
    if (names->count == REPLAY_NAMES_MAX)
        return false;
    names->items[names->count++] = (struct replay_name){from, to};
    return true;
}

uint32_t replay_adapt_tag(uint32_t tag, uint32_t delta)
{
    if (tag == PDU_NO_TAG)
        return tag;
    /* the one tag that would become the reserved one takes the place that this one left free */
    return tag + delta == PDU_NO_TAG ? PDU_NO_TAG + delta : tag + delta;
}

static bool has_target_tag(uint8_t opcode)
{
    return opcode == PDU_NOP_OUT || opcode == PDU_TEXT_REQUEST || opcode == PDU_DATA_OUT;
}

void replay_adapt_header(uint8_t *bhs, const struct replay_numbers *n)
{
    uint8_t opcode = pdu_opcode(bhs);

    bytes_put_be32(bhs + 16, replay_adapt_tag(pdu_itt(bhs), n->itt_delta));
    if (opcode == PDU_LOGIN_REQUEST) {
        memcpy(bhs + 8, n->isid, PDU_ISID_LEN);
        if (bytes_get_be16(bhs + 14) && bytes_get_be16(bhs + 14) == n->tsih_from)
            bytes_put_be16(bhs + 14, n->tsih_to);
    }
    if (pdu_has_cmd_sn(opcode))
        bytes_put_be32(bhs + 24, bytes_get_be32(bhs + 24) + n->cmd_delta);
    if (n->acknowledges) /* what was wrong by some numbers stays wrong by as many */
        bytes_put_be32(bhs + 28, bytes_get_be32(bhs + 28) - n->recorded_next + n->live_next);
    if (opcode == PDU_TASK_MANAGEMENT_REQUEST) {
        bytes_put_be32(bhs + 20, replay_adapt_tag(bytes_get_be32(bhs + 20), n->itt_delta));
        bytes_put_be32(bhs + 32, bytes_get_be32(bhs + 32) + n->cmd_delta);
    }
    if (has_target_tag(opcode) && bytes_get_be32(bhs + 20) != PDU_NO_TAG && bytes_get_be32(bhs + 20) == n->ttt_from) {
        bytes_put_be32(bhs + 20, n->ttt_to);
        bytes_put_be(bhs + 8, 8, n->lun_to);
    }
}

/* ---- text ---- */

/* Writes the response in the form of the recorded one. The length, 0 when it does not fit. */
static size_t encode_like(const char *recorded, size_t recorded_len, const uint8_t *hash, size_t hash_len, char *out,
                          size_t cap)
{
    bool base64 = recorded_len > 1 && recorded[0] == '0' && (recorded[1] == 'b' || recorded[1] == 'B');
    size_t len = base64 ? text_encode_base64(hash, hash_len, out, cap) : text_encode_hex(hash, hash_len, out, cap);
    bool upper = false;

    for (size_t i = 2; i < recorded_len; i++)
        upper |= isupper((unsigned char)recorded[i]) != 0;
    for (size_t i = 2; !base64 && upper && i < len; i++)
        out[i] = (char)toupper((unsigned char)out[i]);
    if (len && recorded_len > 1 && recorded[0] == '0')
        out[1] = recorded[1];
    return len;
}

static enum replay_text compute_response(const struct replay_chap *chap, const struct text_pair *recorded, char *out,
                                         size_t cap, size_t *len)
{
    uint8_t challenge[CHAP_MAX_BINARY], hash[CHAP_MAX_HASH_LEN];
    size_t challenge_len = 0, hash_len = 0;
    const struct chap_algorithm *algorithm = chap_algorithm_find(chap->algorithm);
    uint64_t id = 0;

    if (!chap->secret)
        return REPLAY_TEXT_NO_SECRET;
    if (!algorithm || text_parse_number(chap->i, strlen(chap->i), &id) != TEXT_NUMBER_OK || id > 255 ||
        text_decode_binary(chap->c, strlen(chap->c), challenge, sizeof(challenge), &challenge_len) != TEXT_BINARY_OK ||
        chap_response(algorithm, (uint8_t)id, chap->secret, strlen(chap->secret), challenge, challenge_len, hash,
                      sizeof(hash), &hash_len) != CHAP_OK)
        return REPLAY_TEXT_NO_CHALLENGE;
    if (chap->wrong)
        hash[0] ^= 0xffu;
    *len = encode_like(recorded->value, recorded->value_len, hash, hash_len, out, cap);
    return *len ? REPLAY_TEXT_READY : REPLAY_TEXT_NO_MEMORY;
}

static bool is_name(const struct text_pair *pair)
{
    return text_pair_is(pair, "InitiatorName") || text_pair_is(pair, "TargetName") ||
           text_pair_is(pair, "SendTargets") || text_pair_is(pair, "CHAP_N");
}

enum replay_text replay_adapt_text(struct text_buf *text, const struct replay_names *names,
                                   const struct replay_chap *chap)
{
    size_t pos = 0;

    while (pos < text->len) {
        struct text_cursor cursor;
        struct text_pair pair;
        enum text_result form;
        char response[TEXT_HEX_SIZE(CHAP_MAX_HASH_LEN) + TEXT_BASE64_SIZE(CHAP_MAX_HASH_LEN)];
        const char *value = NULL;
        size_t value_at, len = 0, old;

        text_cursor_init(&cursor, text->data + pos, text->len - pos);
        form = text_next(&cursor, &pair);
        old = pair.len ? pair.len : 1;
        if (form == TEXT_PAIR && is_name(&pair)) {
            value = replay_names_find(names, pair.value, pair.value_len);
            len = value ? strlen(value) : 0;
        } else if (form == TEXT_PAIR && text_pair_is(&pair, "CHAP_R")) {
            enum replay_text rc = compute_response(chap, &pair, response, sizeof(response), &len);

            if (rc != REPLAY_TEXT_READY)
                return rc;
            value = response;
        }
        value_at = pos + pair.key_len + 1;
        if (value && !text_buf_splice(text, value_at, pair.value_len, value, len))
            return REPLAY_TEXT_NO_MEMORY;
        pos += value ? old - pair.value_len + len : old;
    }
    return REPLAY_TEXT_READY;
}

/* ---- the whole PDU ---- */

/* The digests a recorded PDU carries, where they stand, and whether they are right. */
struct found_digests {
    const uint8_t *header, *data; /* NULL: none */
    bool header_wrong, data_wrong;
};

static struct found_digests find_digests(const struct transcript_pdu *p)
{
    struct found_digests found = {NULL, NULL, false, false};
    size_t head = PDU_BHS_LEN + pdu_ahs_len(p->bhs), data_at = p->data ? (size_t)(p->data - p->bhs) : head;
    size_t padded = pdu_padded_len(p->data_len);

    if (p->data ? data_at == head + PDU_DIGEST_LEN : p->len == head + PDU_DIGEST_LEN)
        found.header = p->bhs + head;
    if (p->data && p->len == data_at + padded + PDU_DIGEST_LEN)
        found.data = p->data + padded;
    found.header_wrong = found.header && !digest_check(p->bhs, head, found.header);
    found.data_wrong = found.data && !digest_check(p->data, padded, found.data);
    return found;
}

static void put_digest(uint8_t *at, const uint8_t *bytes, size_t len, bool wrong)
{
    uint32_t crc = digest_crc32c(bytes, len);

    digest_put(at, wrong ? ~crc : crc);
}

/* A PDU that the recording breaks off in: as much of it as there was. */
static uint8_t *copy_piece(const struct transcript_pdu *recorded, const uint8_t *bytes, const uint8_t *bhs, size_t *len)
{
    uint8_t *out = malloc(recorded->len + 1);

    *len = recorded->len;
    if (out && recorded->len)
        memcpy(out, bytes, recorded->len);
    if (out && bhs)
        memcpy(out, bhs, PDU_BHS_LEN);
    return out;
}

uint8_t *replay_adapt_pdu(const struct transcript_pdu *recorded, const uint8_t *wire, const uint8_t *bhs,
                          const void *data, size_t data_len, struct replay_digests digests, size_t *len)
{
    size_t head, padded, at;
    struct found_digests found;
    uint8_t *out;

    if (!recorded->whole)
        return copy_piece(recorded, wire, recorded->bhs ? bhs : NULL, len);
    found = find_digests(recorded);
    data_len = data ? data_len : recorded->data_len;
    head = PDU_BHS_LEN + pdu_ahs_len(recorded->bhs);
    padded = pdu_padded_len(data_len);
    out = calloc(1, head + padded + 2u * PDU_DIGEST_LEN);
    if (!out)
        return NULL;
    memcpy(out, recorded->bhs, head);
    memcpy(out, bhs, PDU_BHS_LEN);
    pdu_set_data_len(out, data_len);
    at = head;
    if (digests.header) {
        put_digest(out + at, out, head, found.header_wrong);
        at += PDU_DIGEST_LEN;
    }
    if (data_len)
        memcpy(out + at, data ? data : recorded->data, data_len);
    if (recorded->data && padded - data_len == pdu_padding(recorded->data_len))
        memcpy(out + at + data_len, recorded->data + recorded->data_len, padded - data_len);
    if (digests.data && data_len) {
        put_digest(out + at + padded, out + at, padded, found.data_wrong);
        padded += PDU_DIGEST_LEN;
    }
    *len = at + padded;
    return out;
}
