/* Exact deviations of a case: see edit.h. */
#include "harness/edit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EDIT_TEXT_MAX = 1 << 20 };

/* What the steps of an edit share. */
struct edit_run {
    struct edit_pdu *p;
    const struct live_scope *scope;
    const struct edit_log *log;
    char *err;
    size_t err_len;
};

static void edit_note(const struct edit_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void edit_note(const struct edit_log *log, const char *format, ...)
{
    char text[320];
    va_list args;

    if (!log || !log->note)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    log->note(log->user, text);
}

bool edit_load(struct edit_pdu *p, const uint8_t *pdu, size_t len)
{
    memset(p, 0, sizeof(*p));
    text_buf_init_growing(&p->text, EDIT_TEXT_MAX, NULL, NULL);
    if (len < PDU_BHS_LEN || pdu_ahs_len(pdu) || len < PDU_BHS_LEN + pdu_data_len(pdu))
        return false;
    memcpy(p->bhs, pdu, PDU_BHS_LEN);
    return pdu_data_len(pdu) == 0 || text_buf_add_raw(&p->text, pdu + PDU_BHS_LEN, pdu_data_len(pdu));
}

void edit_free(struct edit_pdu *p)
{
    text_buf_free(&p->text);
    free(p->wire);
    p->wire = NULL;
    p->wire_len = 0;
}

static bool edit_render_padded(struct edit_pdu *p, const uint8_t *pad, size_t pad_len)
{
    uint8_t *wire = malloc(PDU_BHS_LEN + p->text.len + pad_len + 1);

    if (!wire)
        return false;
    free(p->wire);
    p->wire = wire;
    p->wire_len = PDU_BHS_LEN + p->text.len + pad_len;
    pdu_set_data_len(p->bhs, p->text.len);
    memcpy(wire, p->bhs, PDU_BHS_LEN);
    if (p->text.len)
        memcpy(wire + PDU_BHS_LEN, p->text.data, p->text.len);
    if (pad_len)
        memcpy(wire + PDU_BHS_LEN + p->text.len, pad, pad_len);
    return true;
}

bool edit_render(struct edit_pdu *p)
{
    static const uint8_t zeros[4];

    return edit_render_padded(p, zeros, pdu_padding(p->text.len));
}

static size_t key_span(const char *item)
{
    return strcspn(item, "=");
}

static bool edit_holds(const struct edit_pdu *p, const char *item)
{
    char key[256];
    struct text_pair pair;

    snprintf(key, sizeof(key), "%.*s", (int)key_span(item), item);
    return text_find(p->text.data, p->text.len, key, &pair);
}

bool edit_matches(const struct case_edit *e, const struct edit_pdu *p, bool first)
{
    if (e->set.count)
        return edit_holds(p, e->set.items[0]);
    if (e->drop.count && strcmp(e->drop.items[0], "*") != 0)
        return edit_holds(p, e->drop.items[0]);
    return first;
}

void edit_name(const struct case_edit *e, char *out, size_t cap)
{
    if (e->set.count)
        snprintf(out, cap, "set %.*s", (int)key_span(e->set.items[0]), e->set.items[0]);
    else if (e->drop.count)
        snprintf(out, cap, "drop %s", e->drop.items[0]);
    else if (e->add.count)
        snprintf(out, cap, "add %.*s", (int)key_span(e->add.items[0]), e->add.items[0]);
    else if (e->prepend.count)
        snprintf(out, cap, "prepend %.*s", (int)key_span(e->prepend.items[0]), e->prepend.items[0]);
    else if (e->header_count)
        snprintf(out, cap, "header %s", e->header[0].name);
    else if (e->mutate)
        snprintf(out, cap, "mutate %u", e->mutate);
    else
        snprintf(out, cap, "%s", e->text ? "text" : e->grow ? "grow" : e->pad_len ? "pad" : "bytes");
}

/* One "Key=Value" with its live values filled in; NULL with err filled. Caller frees. */
static char *edit_item(const struct edit_run *r, const char *item, size_t *len)
{
    return live_expand(item, strlen(item), r->scope, len, r->err, r->err_len);
}

static int edit_set_one(const struct edit_run *r, const char *item)
{
    size_t len = 0, key_len;
    char *pair = edit_item(r, item, &len);
    struct text_pair old;
    char was[64];
    int rc = -1;

    if (!pair)
        return -1;
    key_len = key_span(pair);
    if (key_len == len) {
        snprintf(r->err, r->err_len, "edit of set \"%s\" has no value", item);
    } else {
        pair[key_len] = '\0';
        if (!text_find(r->p->text.data, r->p->text.len, pair, &old)) {
            snprintf(r->err, r->err_len, "edit of set %s matches no PDU: the key is not in it", pair);
        } else if (text_equals(old.value, old.value_len, pair + key_len + 1)) {
            snprintf(r->err, r->err_len, "edit of set %s changed nothing: the value is %s already", pair,
                     pair + key_len + 1);
        } else {
            snprintf(was, sizeof(was), "%.*s", (int)(old.value_len < 60 ? old.value_len : 60), old.value);
            if (text_buf_replace(&r->p->text, pair, pair + key_len + 1) > 0) {
                edit_note(r->log, "%s=%s (was %s)", pair, pair + key_len + 1, was);
                rc = 0;
            } else {
                snprintf(r->err, r->err_len, "edit of set %s does not fit", pair);
            }
        }
    }
    free(pair);
    return rc;
}

static int edit_put_one(const struct edit_run *r, const char *item, bool in_front)
{
    size_t len = 0;
    char *pair = edit_item(r, item, &len);
    bool good;

    if (!pair)
        return -1;
    /* with its null byte */
    good = text_buf_splice(&r->p->text, in_front ? 0 : r->p->text.len, 0, pair, len + 1);
    if (good)
        edit_note(r->log, "%s %s", in_front ? "put in front:" : "added", pair);
    else
        snprintf(r->err, r->err_len, "edit of add does not fit: %s", pair);
    free(pair);
    return good ? 0 : -1;
}

static int edit_drop_one(const struct edit_run *r, const char *key)
{
    if (strcmp(key, "*") == 0) {
        if (r->p->text.len == 0) {
            snprintf(r->err, r->err_len, "edit of drop * changed nothing: there is no text");
            return -1;
        }
        text_buf_clear(&r->p->text);
        edit_note(r->log, "dropped all keys");
        return 0;
    }
    if (text_buf_drop(&r->p->text, key) == 0) {
        snprintf(r->err, r->err_len, "edit of drop %s matches no PDU: the key is not in it", key);
        return -1;
    }
    edit_note(r->log, "dropped %s", key);
    return 0;
}

static int edit_whole_text(const struct edit_run *r, const struct case_edit *e)
{
    size_t len = 0;
    char *text = live_expand(e->text, e->text_len, r->scope, &len, r->err, r->err_len);
    int rc = -1;

    if (!text)
        return -1;
    if (len == r->p->text.len && (len == 0 || memcmp(text, r->p->text.data, len) == 0)) {
        snprintf(r->err, r->err_len, "edit of text changed nothing");
    } else {
        text_buf_clear(&r->p->text);
        if (len == 0 || text_buf_add_raw(&r->p->text, text, len)) {
            edit_note(r->log, "data segment replaced (%zu bytes)", len);
            rc = 0;
        } else {
            snprintf(r->err, r->err_len, "edit of text does not fit");
        }
    }
    free(text);
    return rc;
}

static int edit_keys(const struct edit_run *r, const struct case_edit *e)
{
    for (size_t i = 0; i < e->set.count; i++)
        if (edit_set_one(r, e->set.items[i]))
            return -1;
    for (size_t i = 0; i < e->drop.count; i++)
        if (edit_drop_one(r, e->drop.items[i]))
            return -1;
    for (size_t i = e->prepend.count; i > 0; i--) /* the first of the list ends up first */
        if (edit_put_one(r, e->prepend.items[i - 1], true))
            return -1;
    for (size_t i = 0; i < e->add.count; i++)
        if (edit_put_one(r, e->add.items[i], false))
            return -1;
    return e->text ? edit_whole_text(r, e) : 0;
}

/*
 * Appends X- keys until the text has exactly e->grow bytes. A pair has a name of fixed length, 1 to 255 characters of
 * value (RFC 7143 6.1) and its null byte; the last but one leaves room for a whole pair.
 */
static int edit_grow(const struct edit_run *r, size_t size)
{
    enum { PAIR_LEAST = 12 + 1 + 1, PAIR_MOST = 12 + 255 + 1 };
    struct text_buf *text = &r->p->text;

    if (size < text->len + PAIR_LEAST) {
        snprintf(r->err, r->err_len, "edit of grow changed nothing: the text has %zu bytes, grown are at least %zu",
                 text->len, text->len + PAIR_LEAST);
        return -1;
    }
    for (unsigned i = 0; text->len < size; i++) {
        char pair[PAIR_MOST + 1];
        size_t gap = size - text->len, len = gap < PAIR_MOST ? gap : PAIR_MOST;

        if (gap > len && gap - len < PAIR_LEAST)
            len = gap - PAIR_LEAST;
        snprintf(pair, sizeof(pair), "X-fill-%04u=", i % 10000u);
        memset(pair + 12, 'x', len - 13);
        pair[len - 1] = '\0';
        if (!text_buf_add_raw(text, pair, len)) {
            snprintf(r->err, r->err_len, "edit of grow does not fit");
            return -1;
        }
    }
    edit_note(r->log, "X- keys added: %zu bytes of text", text->len);
    return 0;
}

/* The pad bytes that go out, for a byte that fills those that are due. */
static int edit_pad_filled(const struct edit_run *r, uint8_t byte)
{
    size_t due = pdu_padding(r->p->text.len);
    uint8_t pad[4];

    if (due == 0) {
        snprintf(r->err, r->err_len, "edit of pad changed nothing: the text has %zu bytes, no padding is due",
                 r->p->text.len);
        return -1;
    }
    memset(pad, byte, sizeof(pad));
    edit_note(r->log, "%zu bytes of padding are 0x%02x", due, byte);
    return edit_render_padded(r->p, pad, due) ? 0 : -1;
}

static int edit_pad(const struct edit_run *r, const struct case_edit *e)
{
    size_t due = pdu_padding(r->p->text.len);
    bool same = e->pad_len == due;

    for (size_t i = 0; same && i < due; i++)
        same = e->pad[i] == 0;
    if (same) {
        snprintf(r->err, r->err_len, "edit of pad changed nothing: %zu zero bytes are due here", due);
        return -1;
    }
    edit_note(r->log, "%zu bytes of padding of the case's own where %zu are due", e->pad_len, due);
    return edit_render_padded(r->p, e->pad, e->pad_len) ? 0 : -1;
}

int edit_header(uint8_t *bhs, const struct case_field_edit *fields, size_t count, const struct live_scope *scope,
                const struct edit_log *log, char *err, size_t err_len)
{
    uint8_t before[PDU_BHS_LEN];

    memcpy(before, bhs, sizeof(before));
    for (size_t i = 0; i < count; i++) {
        const struct pdu_field *field = pdu_field_find(pdu_opcode(before), fields[i].name);
        uint64_t value, was;

        if (!field) /* the case has changed the opcode and names a field of the new one */
            field = pdu_field_find(pdu_opcode(bhs), fields[i].name);
        if (!field) {
            snprintf(err, err_len, "%s has no field %s", pdu_opcode_name(pdu_opcode(bhs)), fields[i].name);
            return -1;
        }
        if (!live_number(fields[i].value, scope, &value, err, err_len))
            return -1;
        was = pdu_field_get(field, bhs);
        if (!pdu_field_set(field, bhs, value)) {
            snprintf(err, err_len, "%s=%s does not fit its field", fields[i].name, fields[i].value);
            return -1;
        }
        if (was != value)
            edit_note(log, "%s=0x%llx (was 0x%llx)", fields[i].name, (unsigned long long)value,
                      (unsigned long long)was);
    }
    if (count && memcmp(before, bhs, sizeof(before)) == 0 && log) {
        snprintf(err, err_len, "edit of header %s changed nothing", fields[0].name);
        return -1;
    }
    return 0;
}

static int edit_raw_bytes(const struct edit_run *r, const struct case_bytes_edit *b)
{
    struct edit_pdu *p = r->p;
    size_t end = b->offset + b->len;

    if (b->offset > p->wire_len) {
        snprintf(r->err, r->err_len, "edit of bytes at %zu lies behind the PDU of %zu bytes", b->offset, p->wire_len);
        return -1;
    }
    if (end > p->wire_len) {
        uint8_t *longer = realloc(p->wire, end);

        if (!longer)
            return -1;
        memset(longer + p->wire_len, 0, end - p->wire_len);
        p->wire = longer;
        p->wire_len = end;
    } else if (memcmp(p->wire + b->offset, b->bytes, b->len) == 0) {
        snprintf(r->err, r->err_len, "edit of bytes at %zu changed nothing", b->offset);
        return -1;
    }
    memcpy(p->wire + b->offset, b->bytes, b->len);
    edit_note(r->log, "%zu bytes at offset %zu overwritten", b->len, b->offset);
    return 0;
}

int edit_apply(struct edit_pdu *p, const struct case_edit *e, const struct live_scope *scope,
               const struct edit_log *log, char *err, size_t err_len)
{
    const struct edit_run run = {p, scope, log, err, err_len};
    const struct edit_log silent = {NULL, NULL};

    *err = '\0';
    if (edit_keys(&run, e) || (e->grow && edit_grow(&run, e->grow)))
        return -1;
    if (e->pad_filled ? edit_pad_filled(&run, e->pad[0]) : e->pad_len ? edit_pad(&run, e) : !edit_render(p))
        return -1;
    /* on the rendered header, so that a DataSegmentLength of the case's own stays what the case says */
    if (edit_header(p->wire, e->header, e->header_count, scope, log ? log : &silent, err, err_len))
        return -1;
    memcpy(p->bhs, p->wire, PDU_BHS_LEN);
    for (size_t i = 0; i < e->bytes_count; i++)
        if (edit_raw_bytes(&run, &e->bytes[i]))
            return -1;
    return 0;
}
