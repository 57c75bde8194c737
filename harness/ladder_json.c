#include "harness/ladder_json.h"

#include "harness/ladder_pdu.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A connection while it is written. */
struct rows {
    struct ladder_out out;
    const struct transcript_conn *conn;
    const struct transcript_pdu *pdus;
    size_t count;
    size_t written; /* rows */
    size_t told;    /* PDUs */
};

static void put_text(struct ladder_out *out, const char *text)
{
    size_t len = strlen(text);

    fputc('"', out->file);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        size_t secret = ladder_secret_at(out, text + i, len - i);

        if (secret > 0) {
            fputs("(secret)", out->file);
            i += secret - 1;
        } else if (c == '"' || c == '\\') {
            fprintf(out->file, "\\%c", c);
        } else if (c >= 0x20 && c < 0x7f) {
            fputc(c, out->file);
        } else {
            fprintf(out->file, "\\\\x%02x", c);
        }
    }
    fputc('"', out->file);
}

static void put_hex(struct ladder_out *out, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    size_t shown = len < LADDER_JSON_BYTES_MAX ? len : LADDER_JSON_BYTES_MAX;
    size_t masked = 0;

    fputc('"', out->file);
    for (size_t i = 0; i < shown; i++) {
        size_t secret = masked == 0 ? ladder_secret_at(out, (const char *)bytes + i, len - i) : 0;
        uint8_t byte = bytes[i];

        masked = secret > 0 ? secret : masked;
        if (masked > 0) {
            byte = '*';
            masked--;
        }
        fputc(digits[byte >> 4], out->file);
        fputc(digits[byte & 15], out->file);
    }
    fputc('"', out->file);
}

static void put_note(struct ladder_out *out, const struct transcript_event *e)
{
    static const char *const names[] = {
        [TRANSCRIPT_EDIT] = "edit",
        [TRANSCRIPT_REPAIR] = "repair",
        [TRANSCRIPT_SHOWN] = "shown",
        [TRANSCRIPT_INFO] = "info",
    };

    fprintf(out->file, "[\"%s\",", names[e->note]);
    put_text(out, e->text != NULL ? e->text : "");
    fputc(']', out->file);
}

static void begin_row(struct rows *r, int64_t at_us, enum transcript_side side)
{
    fprintf(r->out.file, "%s{\"t\":%" PRId64 ",\"s\":%d", r->written++ > 0 ? ",\n" : "\n", at_us,
            side == TRANSCRIPT_TARGET);
}

static void put_pdu(struct rows *r, const struct transcript_pdu *pdu)
{
    const uint8_t *bytes = r->conn->stream[pdu->side].bytes + pdu->offset;
    bool any = false;

    if (r->told++ >= LADDER_JSON_PDU_MAX) {
        return;
    }
    begin_row(r, pdu->at_us, pdu->side);
    fprintf(r->out.file, ",\"n\":%" PRIu32 ",\"len\":%zu", pdu->number, pdu->len);
    if (!pdu->whole) {
        fputs(",\"part\":true", r->out.file);
    }
    if (pdu->data != NULL && pdu->data_len > 0) {
        fprintf(r->out.file, ",\"data\":[%zu,%zu]", (size_t)(pdu->data - bytes), pdu->data_len);
    }
    fputs(",\"hex\":", r->out.file);
    put_hex(&r->out, bytes, pdu->len);
    for (size_t i = 0; i < r->conn->event_count; i++) {
        const struct transcript_event *e = &r->conn->events[i];

        if (e->kind == TRANSCRIPT_NOTE && e->pdu == pdu->number && e->side == pdu->side) {
            fputs(any ? "," : ",\"notes\":[", r->out.file);
            put_note(&r->out, e);
            any = true;
        }
    }
    fputs(any ? "]}" : "}", r->out.file);
}

/* Whole PDUs that were complete by then; *next is the first that was not. */
static void put_pdus_until(struct rows *r, size_t *next, int64_t at_us)
{
    while (*next < r->count && r->pdus[*next].whole && r->pdus[*next].at_us <= at_us) {
        put_pdu(r, &r->pdus[(*next)++]);
    }
}

/* What a side left unfinished; transcript_cut puts such fragments last. */
static void put_fragment(struct rows *r, enum transcript_side side, bool *told)
{
    for (size_t i = 0; i < r->count && !told[side]; i++) {
        if (!r->pdus[i].whole && r->pdus[i].side == side) {
            told[side] = true;
            put_pdu(r, &r->pdus[i]);
        }
    }
}

static void put_event(struct rows *r, const struct transcript_event *e, bool first_end)
{
    begin_row(r, e->at_us, e->side);
    if (e->kind == TRANSCRIPT_END) {
        fprintf(r->out.file, ",\"end\":\"%s\",\"first\":%s", e->end == TRANSCRIPT_RST ? "RST" : "FIN",
                first_end ? "true" : "false");
    } else if (e->kind == TRANSCRIPT_GAP) {
        fprintf(r->out.file, ",\"gap\":%zu", e->len);
    } else {
        fputs(",\"note\":", r->out.file);
        put_note(&r->out, e);
    }
    fputc('}', r->out.file);
}

static void put_rows(struct rows *r)
{
    bool told[2] = {false, false}, ended = false;
    size_t next = 0;

    for (size_t i = 0; i < r->conn->event_count; i++) {
        const struct transcript_event *e = &r->conn->events[i];

        if (e->kind == TRANSCRIPT_BYTES || (e->kind == TRANSCRIPT_NOTE && e->pdu != 0)) {
            continue;
        }
        put_pdus_until(r, &next, e->at_us);
        if (e->kind == TRANSCRIPT_END) {
            put_fragment(r, e->side, told);
        }
        if (r->told <= LADDER_JSON_PDU_MAX || e->kind == TRANSCRIPT_END) {
            put_event(r, e, !ended);
        }
        ended = ended || e->kind == TRANSCRIPT_END;
    }
    put_pdus_until(r, &next, INT64_MAX);
    put_fragment(r, TRANSCRIPT_INITIATOR, told);
    put_fragment(r, TRANSCRIPT_TARGET, told);
}

static int put_conn(struct ladder_out *out, const struct transcript_conn *c)
{
    struct transcript_pdu *pdus = NULL;
    long count = transcript_cut(c, &pdus);
    struct rows r = {.out = *out, .conn = c, .pdus = pdus, .count = count > 0 ? (size_t)count : 0};

    if (count < 0) {
        return -1;
    }
    fputs("{\"name\":", out->file);
    put_text(out, c->name);
    fputs(",\"local\":", out->file);
    put_text(out, c->local);
    fputs(",\"remote\":", out->file);
    put_text(out, c->remote);
    fprintf(out->file, ",\"ports\":[%u,%u],\"connected\":%s,\"rows\":[", c->local_port, c->remote_port,
            c->connected ? "true" : "false");
    put_rows(&r);
    fputc(']', out->file);
    if (r.told > LADDER_JSON_PDU_MAX) {
        fprintf(out->file, ",\"more\":%zu", r.told - LADDER_JSON_PDU_MAX);
    }
    fputc('}', out->file);
    free(pdus);
    return 0;
}

int ladder_json_write(FILE *out, const struct transcript *t)
{
    struct ladder_out to = {.file = out, .secrets = {t->context.chap_secret, t->context.mutual_secret}};
    int rc = 0;

    fputs("{\"conns\":[", out);
    for (size_t i = 0; i < t->conn_count && i < LADDER_JSON_CONN_MAX && rc == 0; i++) {
        if (i > 0) {
            fputs(",\n", out);
        }
        rc = put_conn(&to, t->conns[i]);
    }
    fputc(']', out);
    if (t->conn_count > LADDER_JSON_CONN_MAX) {
        fprintf(out, ",\"more\":%zu", t->conn_count - LADDER_JSON_CONN_MAX);
    }
    fputs("}\n", out);
    return rc == 0 && !ferror(out) ? 0 : -1;
}

int ladder_json_save(const struct transcript *t, const char *path, char *err, size_t err_len)
{
    FILE *file = fopen(path, "we");
    int rc = file != NULL ? ladder_json_write(file, t) : -1;

    if (file == NULL || fclose(file) != 0 || rc != 0) {
        snprintf(err, err_len, "%s: cannot be written: %s", path, strerror(errno));
        return -1;
    }
    return 0;
}
