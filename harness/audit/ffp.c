/* Which request each PDU of full feature phase answers; see ffp.h. */
#include "harness/audit/ffp.h"

#include "wire/digest.h"

#include <stdlib.h>
#include <string.h>

/* Requests that wait for an answer at a time. Who has more is not judged by task tags. */
#define OUTSTANDING_MAX 256u

struct outstanding {
    struct {
        uint8_t opcode;
        uint32_t itt;
        size_t pdu;
    } items[OUTSTANDING_MAX];
    size_t count;
    bool lost; /* there were more, or two with one tag */
};

/* Which request a response answers, by opcodes (11.2.1.2). */
static const struct answer {
    uint8_t response, request;
    uint8_t ends;     /* flags of byte 1 with which the task is over; 0: it always is */
    bool always_more; /* it never is */
} answers[] = {
    {PDU_NOP_IN, PDU_NOP_OUT, 0, false},
    {PDU_SCSI_RESPONSE, PDU_SCSI_COMMAND, 0, false},
    {PDU_TASK_MANAGEMENT_RESPONSE, PDU_TASK_MANAGEMENT_REQUEST, 0, false},
    {PDU_TEXT_RESPONSE, PDU_TEXT_REQUEST, PDU_FLAG_FINAL, false},
    {PDU_DATA_IN, PDU_SCSI_COMMAND, PDU_FLAG_STATUS, false},
    {PDU_LOGOUT_RESPONSE, PDU_LOGOUT_REQUEST, 0, false},
    {PDU_R2T, PDU_SCSI_COMMAND, 0, true},
};

static const struct answer *answer_find(uint8_t opcode)
{
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        if (answers[i].response == opcode)
            return &answers[i];
    return NULL;
}

static bool is_request(uint8_t opcode)
{
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        if (answers[i].request == opcode)
            return true;
    return false;
}

static size_t outstanding_find(const struct outstanding *o, uint8_t opcode, uint32_t itt)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->items[i].itt == itt && o->items[i].opcode == opcode)
            return i;
    return AUDIT_NONE;
}

/*
 * A text that goes over several requests has one tag: the last of them is the one that is answered (11.10.3). Any other
 * request whose tag another one still waits with makes it a guess which of them is answered. A ping with the reserved
 * tag wants no answer (11.18); whether another request may have that tag is not the target's fault.
 */
static void outstanding_add(struct outstanding *o, const struct transcript_pdu *pdu, size_t index)
{
    uint8_t opcode = pdu_opcode(pdu->bhs);
    uint32_t itt = pdu_itt(pdu->bhs);
    size_t at;

    if (!is_request(opcode) || (opcode == PDU_NOP_OUT && itt == PDU_NO_TAG))
        return;
    at = outstanding_find(o, opcode, itt);
    if (at == AUDIT_NONE) {
        if (o->count == OUTSTANDING_MAX) {
            o->lost = true;
            return;
        }
        at = o->count++;
    } else if (opcode != PDU_TEXT_REQUEST) {
        o->lost = true;
        return;
    }
    o->items[at].opcode = opcode;
    o->items[at].itt = itt;
    o->items[at].pdu = index;
}

static size_t outstanding_take(struct outstanding *o, const struct transcript_pdu *pdu)
{
    const struct answer *answer = answer_find(pdu_opcode(pdu->bhs));
    size_t at, index;

    if (!answer || o->lost)
        return AUDIT_NOT_JUDGED;
    if (answer->response == PDU_NOP_IN && pdu_itt(pdu->bhs) == PDU_NO_TAG)
        return AUDIT_NOT_JUDGED; /* the target's own */
    at = outstanding_find(o, answer->request, pdu_itt(pdu->bhs));
    if (at == AUDIT_NONE)
        return AUDIT_NOT_ASKED;
    index = o->items[at].pdu;
    if (!answer->always_more && (pdu->bhs[1] & answer->ends) == answer->ends)
        o->items[at] = o->items[--o->count];
    return index;
}

bool audit_ffp_digest(const struct audit_login *login, enum keys_id id)
{
    const struct audit_key *key = audit_login_known(login, id);
    const struct audit_pair *answer;

    if (!key || key->use[TRANSCRIPT_INITIATOR].count != 1 || key->use[TRANSCRIPT_TARGET].count != 1)
        return false;
    answer = audit_key_pair(login, key, audit_key_by_initiator(key) ? TRANSCRIPT_TARGET : TRANSCRIPT_INITIATOR);
    return text_equals(answer->value, answer->value_len, "CRC32C");
}

/* Does this PDU carry a digest that is not there by agreement? The PDUs are cut as if it did not. */
static bool has_unagreed_digest(const struct audit_login *login, const struct transcript_pdu *pdu)
{
    const struct transcript_stream *s = &login->conn->stream[TRANSCRIPT_TARGET];
    size_t head = PDU_BHS_LEN + pdu_ahs_len(pdu->bhs);
    size_t segment = pdu_padded_len(pdu_data_len(pdu->bhs));
    bool header = audit_ffp_digest(login, KEYS_HEADER_DIGEST);
    size_t start = head + (header ? PDU_DIGEST_LEN : 0);
    size_t left = s->len - pdu->offset;

    if (pdu->whole && pdu->len != pdu_total_len(pdu->bhs, header, audit_ffp_digest(login, KEYS_DATA_DIGEST)))
        return false; /* they were agreed on in a way that is not judged */
    if (!header && left >= head + PDU_DIGEST_LEN && digest_check(pdu->bhs, head, pdu->bhs + head))
        return true;
    return !audit_ffp_digest(login, KEYS_DATA_DIGEST) && segment > 0 && left >= start + segment + PDU_DIGEST_LEN &&
           digest_check(pdu->bhs + start, segment, pdu->bhs + start + segment);
}

bool audit_ffp_build(struct audit_login *login)
{
    struct outstanding outstanding; /* big, and few of its items are ever used */
    bool first = true;

    outstanding.count = 0;
    outstanding.lost = false;
    login->unagreed = AUDIT_NONE;
    if (!audit_ffp_judged(login))
        return true;
    login->asked = malloc((login->pdu_count + 1) * sizeof *login->asked);
    if (!login->asked)
        return false;
    for (size_t i = 0; i < login->pdu_count; i++) {
        const struct transcript_pdu *pdu = &login->pdus[i];

        login->asked[i] = AUDIT_NOT_JUDGED;
        if (pdu->gap)
            outstanding.lost = true;
        if (!pdu->bhs || pdu->gap)
            continue;
        if (pdu->side == TRANSCRIPT_INITIATOR) {
            /* Also what was sent before the login was over, for it may be answered behind it. */
            outstanding_add(&outstanding, pdu, i);
            continue;
        }
        if (!pdu->full_feature)
            continue;
        if (first && has_unagreed_digest(login, pdu))
            login->unagreed = i;
        first = false;
        if (login->unagreed == AUDIT_NONE)
            login->asked[i] = outstanding_take(&outstanding, pdu);
    }
    return true;
}

const struct transcript_pdu *audit_ffp_next(const struct audit_login *login, size_t *at)
{
    while (*at < login->pdu_count && *at < login->unagreed) {
        const struct transcript_pdu *pdu = &login->pdus[(*at)++];

        if (pdu->gap)
            return NULL;
        if (!pdu->full_feature || pdu->side != TRANSCRIPT_TARGET)
            continue;
        if (!pdu->bhs || !pdu_opcode_known(pdu->bhs[0]) || !pdu_opcode_from_target(pdu->bhs[0]))
            return NULL;
        return pdu;
    }
    return NULL;
}

const struct transcript_pdu *audit_ffp_request(const struct audit_login *login, const struct transcript_pdu *pdu)
{
    size_t asked = login->asked[pdu - login->pdus];

    return asked < login->pdu_count ? &login->pdus[asked] : NULL;
}

bool audit_ffp_limit(const struct audit_login *login, uint64_t *limit, bool *declared)
{
    const struct audit_key *key = audit_login_known(login, KEYS_MAX_RECV_DATA_SEGMENT_LENGTH);
    const struct audit_pair *pair = audit_key_pair(login, key, TRANSCRIPT_INITIATOR);

    *limit = PDU_DEFAULT_MAX_RECV;
    *declared = pair != NULL;
    if (login->partial)
        return false;
    if (pair && (key->use[TRANSCRIPT_INITIATOR].count != 1 ||
                 keys_check_value(key->entry, pair->value, pair->value_len) != KEYS_VALUE_OK ||
                 text_parse_number(pair->value, pair->value_len, limit) != TEXT_NUMBER_OK))
        return false;
    return true;
}

bool audit_ffp_renew(const struct audit_login *login, const struct transcript_pdu *pdu, uint64_t *limit)
{
    static const char key[] = "MaxRecvDataSegmentLength";
    const struct keys_entry *entry = keys_at(KEYS_MAX_RECV_DATA_SEGMENT_LENGTH);
    const struct transcript_pdu *request = audit_ffp_request(login, pdu);
    struct text_pair pair, answered;

    if (pdu_opcode(pdu->bhs) != PDU_TEXT_RESPONSE || request == NULL)
        return true;
    if ((request->bhs[1] & PDU_FLAG_CONTINUE) != 0)
        return false; /* the pair may stand in any part, or across two */
    if (request->data == NULL || !text_find(request->data, request->data_len, key, &pair))
        return true;
    if (text_count(request->data, request->data_len, key) != 1 || (request->bhs[1] & PDU_FLAG_FINAL) == 0 ||
        (pdu->bhs[1] & PDU_FLAG_FINAL) == 0 || keys_check_value(entry, pair.value, pair.value_len) != KEYS_VALUE_OK)
        return false;
    if (pdu->data != NULL && text_find(pdu->data, pdu->data_len, key, &answered))
        return true; /* answered, so rejected */
    return text_parse_number(pair.value, pair.value_len, limit) == TEXT_NUMBER_OK;
}

bool audit_joined_add(struct audit_joined *joined, const struct transcript_pdu *pdu)
{
    if (!pdu->data || pdu->data_len == 0)
        return true;
    if (joined->capacity - joined->len < pdu->data_len) {
        size_t capacity = 2 * (joined->len + pdu->data_len);
        char *bytes = realloc(joined->bytes, capacity);

        if (!bytes)
            return false;
        joined->bytes = bytes;
        joined->capacity = capacity;
    }
    memcpy(joined->bytes + joined->len, pdu->data, pdu->data_len);
    joined->len += pdu->data_len;
    return true;
}
