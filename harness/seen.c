/* What was seen on each connection: see seen.h. */
#include "harness/seen.h"

#include <stdio.h>
#include <string.h>

/* A value as JSON text; bytes that are no UTF-8 are shown as \xNN. */
static json_t *value_text(const char *value, size_t len)
{
    char shown[4 * 256 + 4];
    size_t at = 0;
    json_t *plain = len <= 2048 ? json_stringn(value, len) : NULL;

    if (plain)
        return plain;
    for (size_t i = 0; i < len && i < 256; i++) {
        unsigned char byte = (unsigned char)value[i];

        at += (size_t)snprintf(shown + at, sizeof(shown) - at, byte >= 0x20 && byte < 0x7f ? "%c" : "\\x%02x", byte);
    }
    return json_string(shown);
}

static void add_keys(json_t *keys, const uint8_t *data, size_t len)
{
    struct text_cursor cursor;
    struct text_pair pair;
    enum text_result result;

    text_cursor_init(&cursor, data, len);
    while ((result = text_next(&cursor, &pair)) != TEXT_END) {
        char key[TEXT_KEY_MAX + 1];

        if (result != TEXT_PAIR)
            continue;
        memcpy(key, pair.key, pair.key_len);
        key[pair.key_len] = '\0';
        if (!json_object_get(keys, key)) /* json_object_set refuses names that are no UTF-8 */
            json_object_set_new(keys, key, value_text(pair.value, pair.value_len));
    }
}

static json_t *seen_conn(const struct conn *c)
{
    json_t *status = json_array(), *keys = json_object();
    const char *end = "open", *by = "nobody";

    for (size_t i = 0; i < c->answer_count; i++) {
        const struct conn_answer *a = &c->answers[i];
        char code[8];

        if (a->opcode != PDU_LOGIN_RESPONSE)
            continue;
        snprintf(code, sizeof(code), "0x%04x", pdu_login_status(conn_answer_bhs(c, a)));
        json_array_append_new(status, json_string(code));
        if (a->data_len)
            add_keys(keys, conn_answer_data(c, a), a->data_len);
    }
    if (!c->link || !c->link->connected) {
        end = "unreachable";
    } else if (c->link->peer_ended && c->link->peer_first) {
        end = c->link->peer_end == TRANSCRIPT_RST ? "RST" : "FIN";
        by = "target";
    } else if (c->link->we_ended) {
        end = "closed";
        by = "initiator";
    }
    return json_pack("{s:s, s:o, s:o, s:s, s:s, s:b}", "conn", c->name, "status", status, "keys", keys, "end", end,
                     "by", by, "ffp", c->was_ffp);
}

json_t *seen_list(const struct drive *d)
{
    json_t *list = json_array();

    for (size_t i = 0; list && i < d->conn_count; i++)
        json_array_append_new(list, seen_conn(d->conns[i]));
    return list;
}
