/* PDUs made by the harness: see raw.h. */
#include "harness/raw.h"

#include "harness/edit.h"
#include "wire/bytes.h"
#include "wire/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a request looks like unless a case says otherwise. */
struct raw_default {
    uint8_t opcode;
    bool immediate;
    uint8_t flags;
    bool free_ttt; /* bytes 20-23 are the reserved tag */
    bool command;  /* it has a CmdSN */
};

static const struct raw_default defaults[] = {
    {PDU_NOP_OUT, true, PDU_FLAG_FINAL, true, true},
    {PDU_SCSI_COMMAND, false, PDU_FLAG_FINAL | 1u, false, true}, /* TEST UNIT READY: a CDB of zeros, simple task */
    {PDU_TASK_MANAGEMENT_REQUEST, true, PDU_FLAG_FINAL | 1u, true, true},
    {PDU_LOGIN_REQUEST, true, PDU_FLAG_TRANSIT | PDU_STAGE_OPERATIONAL << 2 | PDU_STAGE_FULL_FEATURE, false, true},
    {PDU_TEXT_REQUEST, true, PDU_FLAG_FINAL, true, true},
    {PDU_DATA_OUT, false, PDU_FLAG_FINAL, true, false},
    {PDU_LOGOUT_REQUEST, true, PDU_FLAG_FINAL | PDU_LOGOUT_CLOSE_SESSION, false, true},
    {PDU_SNACK_REQUEST, false, PDU_FLAG_FINAL, true, false},
};

static const struct raw_default *default_find(uint8_t opcode)
{
    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
        if (defaults[i].opcode == opcode)
            return &defaults[i];
    return NULL;
}

void raw_header(struct conn *c, uint8_t opcode, uint8_t *bhs)
{
    static const struct raw_default other = {0, false, PDU_FLAG_FINAL, false, false};
    const struct raw_default *d = default_find(opcode);
    bool login = opcode == PDU_LOGIN_REQUEST;

    if (!d)
        d = &other;
    memset(bhs, 0, PDU_BHS_LEN);
    bhs[0] = (uint8_t)((opcode & PDU_OPCODE_MASK) | (d->immediate ? PDU_IMMEDIATE : 0));
    bhs[1] = d->flags;
    if (login) {
        memcpy(bhs + 8, c->live.isid, PDU_ISID_LEN);
        bytes_put_be16(bhs + 14, c->live.tsih);
        bytes_put_be16(bhs + 20, c->live.cid);
    }
    if (opcode == PDU_LOGOUT_REQUEST)
        bytes_put_be16(bhs + 20, c->live.cid);
    if (c->next_tag == PDU_NO_TAG)
        c->next_tag = 1;
    bytes_put_be32(bhs + 16, login || !c->ffp ? c->live.itt : c->next_tag++);
    if (d->free_ttt)
        bytes_put_be32(bhs + 20, PDU_NO_TAG);
    if (d->command && c->session)
        bytes_put_be32(bhs + 24, c->session->cmd_sn);
    bytes_put_be32(bhs + 28, c->live.exp_stat_sn);
}

uint8_t *raw_frame(const struct conn *c, const uint8_t *bhs, const void *data, size_t data_len, size_t *len)
{
    bool header_digest = c->ffp && c->header_digest, data_digest = c->ffp && c->data_digest && data_len > 0;
    size_t padded = pdu_padded_len(data_len), at = PDU_BHS_LEN;
    uint8_t *pdu = calloc(1, PDU_BHS_LEN + padded + 2u * PDU_DIGEST_LEN);

    if (!pdu)
        return NULL;
    memcpy(pdu, bhs, PDU_BHS_LEN);
    if (header_digest) {
        digest_put(pdu + at, digest_crc32c(pdu, PDU_BHS_LEN));
        at += PDU_DIGEST_LEN;
    }
    if (data_len)
        memcpy(pdu + at, data, data_len);
    if (data_digest)
        digest_put(pdu + at + padded, digest_crc32c(pdu + at, padded));
    *len = at + padded + (data_digest ? PDU_DIGEST_LEN : 0);
    return pdu;
}

/* The data segment of a case's PDU: its keys, each with its null byte. */
static int raw_text(struct conn *c, const struct case_pdu *pdu, struct text_buf *text, char *err, size_t err_len)
{
    const struct case_strings *keys = &pdu->keys;
    const struct live_scope scope = conn_scope(c);

    if (pdu->text) {
        size_t len = 0;
        char *whole = live_expand(pdu->text, pdu->text_len, &scope, &len, err, err_len);
        bool good = whole && (len == 0 || text_buf_add_raw(text, whole, len));

        if (whole && !good)
            snprintf(err, err_len, "the text does not fit into a PDU");
        free(whole);
        return good ? 0 : -1;
    }

    for (size_t i = 0; i < keys->count; i++) {
        size_t len = 0;
        char *pair = live_expand(keys->items[i], strlen(keys->items[i]), &scope, &len, err, err_len);
        bool good = pair && text_buf_add_raw(text, pair, len + 1);

        if (pair && !good)
            snprintf(err, err_len, "the keys do not fit into a PDU");
        free(pair);
        if (!good)
            return -1;
    }
    return 0;
}

/* Turns one digest over. False: the PDU has none of this sort. */
static bool spoil_digest(const struct conn *c, enum case_digest which, uint8_t *pdu, size_t len)
{
    bool agreed = c->ffp && (which == CASE_DIGEST_WRONG_HEADER ? c->header_digest : c->data_digest);

    if (!agreed || (which == CASE_DIGEST_WRONG_DATA && pdu_data_len(pdu) == 0))
        return false;
    pdu[which == CASE_DIGEST_WRONG_HEADER ? PDU_BHS_LEN : len - PDU_DIGEST_LEN] ^= 0xffu;
    return true;
}

int raw_build(struct conn *c, const struct case_pdu *pdu, uint8_t **out, size_t *len, char *err, size_t err_len)
{
    const struct live_scope scope = conn_scope(c);
    struct text_buf text;
    uint8_t bhs[PDU_BHS_LEN];
    int rc = -1;

    *out = NULL;
    *err = '\0';
    if (pdu->opcode < 0) {
        *out = malloc(pdu->hex_len + 1);
        if (*out && pdu->hex_len)
            memcpy(*out, pdu->hex, pdu->hex_len);
        *len = pdu->hex_len;
        return *out ? 0 : -1;
    }
    text_buf_init_growing(&text, PDU_MAX_DATA_LEN, NULL, NULL);
    raw_header(c, (uint8_t)pdu->opcode, bhs);
    if (raw_text(c, pdu, &text, err, err_len) == 0) {
        pdu_set_data_len(bhs, text.len);
        if (edit_header(bhs, pdu->header, pdu->header_count, &scope, NULL, err, err_len) == 0) {
            *out = raw_frame(c, bhs, text.data, text.len, len);
            rc = *out ? 0 : -1;
        }
        if (rc == 0 && pdu->digest && !spoil_digest(c, pdu->digest, *out, *len)) {
            snprintf(err, err_len, "digest: the PDU has no %s digest, as none was agreed on or it has no data",
                     pdu->digest == CASE_DIGEST_WRONG_HEADER ? "header" : "data");
            free(*out);
            *out = NULL;
            rc = -1;
        }
    }
    if (rc && !*err)
        snprintf(err, err_len, "out of memory");
    text_buf_free(&text);
    return rc;
}

void raw_sent(struct conn *c, const uint8_t *bhs)
{
    const struct raw_default *d = default_find(pdu_opcode(bhs));

    if (c->session && d && d->command && !pdu_immediate(bhs) && pdu_opcode(bhs) != PDU_LOGIN_REQUEST)
        c->session->cmd_sn++;
}
