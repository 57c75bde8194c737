/*
 * capture_pdus FILE [FILTER]: what the reader makes of a capture, one line a frame that ends a PDU, in the form of
 *   tshark -T fields -e frame.number -e tcp.stream -e iscsi.opcode -e iscsi.login.T -e iscsi.login.C -e iscsi.login.csg
 *     -e iscsi.login.nsg -e iscsi.isid -e iscsi.tsih -e iscsi.login.status -e iscsi.keyvalue
 * Several PDUs of a frame are joined by '|'. PDUs that touch a gap, or are not whole, are left out, as tshark does.
 * Behind them a line a connection, begun with '#': gaps, what came twice, what differed.
 */
#include "harness/capture_read.h"
#include "wire/pdu.h"
#include "wire/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum field { OPCODE, TRANSIT, CONTINUE, CSG, NSG, ISID, TSIH, STATUS, KEYS, FIELDS };

struct line {
    uint64_t frame;
    uint32_t stream;
    char *fields[FIELDS];
};

struct lines {
    struct line *items;
    size_t count, capacity;
};

static void add(char **field, const char *text)
{
    size_t used = *field ? strlen(*field) : 0;
    size_t size = used + strlen(text) + 2;
    char *grown = realloc(*field, size);

    if (!grown)
        abort();
    snprintf(grown + used, size - used, "%s%s", used > 0 ? "|" : "", text);
    *field = grown;
}

static void add_number(char **field, const char *format, unsigned value)
{
    char text[32];

    /* The formats are the literals below. */
    snprintf(text, sizeof text, format, value);
    add(field, text);
}

static struct line *line_of(struct lines *lines, uint64_t frame, uint32_t stream)
{
    struct line *line;

    for (size_t i = lines->count; i > 0; i--)
        if (lines->items[i - 1].frame == frame)
            return &lines->items[i - 1];
    if (lines->count == lines->capacity) {
        lines->capacity = lines->capacity ? 2 * lines->capacity : 64;
        lines->items = realloc(lines->items, lines->capacity * sizeof *lines->items);
        if (!lines->items)
            abort();
    }
    line = &lines->items[lines->count++];
    line->frame = frame;
    line->stream = stream;
    memset(line->fields, 0, sizeof line->fields);
    return line;
}

static void add_keys(struct line *line, const struct transcript_pdu *pdu)
{
    struct text_cursor cursor;
    struct text_pair pair;
    enum text_result result;
    char text[1024];

    text_cursor_init(&cursor, pdu->data, pdu->data_len);
    while ((result = text_next(&cursor, &pair)) != TEXT_END) {
        snprintf(text, sizeof text, "%.*s%s%.*s", (int)pair.key_len, pair.key, result == TEXT_NO_EQUALS ? "" : "=",
                 (int)pair.value_len, pair.value);
        add(&line->fields[KEYS], text);
    }
}

static void add_login(struct line *line, const struct transcript_pdu *pdu, bool request)
{
    struct pdu_login_request req;
    char isid[2 * PDU_ISID_LEN + 1];

    pdu_login_request_decode(&req, pdu->bhs);
    add_number(&line->fields[TRANSIT], "%u", req.transit);
    add_number(&line->fields[CONTINUE], "%u", req.cont);
    add_number(&line->fields[CSG], "0x%02x", req.csg);
    /* tshark shows no NSG without T. */
    if (req.transit)
        add_number(&line->fields[NSG], "0x%02x", req.nsg);
    for (size_t i = 0; i < PDU_ISID_LEN; i++)
        snprintf(isid + 2 * i, 3, "%02x", req.isid[i]);
    add(&line->fields[ISID], isid);
    add_number(&line->fields[TSIH], "0x%04x", req.tsih);
    if (!request)
        add_number(&line->fields[STATUS], "0x%04x", pdu_login_status(pdu->bhs));
    if (pdu->data)
        add_keys(line, pdu);
}

static void add_conn(struct lines *lines, const struct capture_conn *c)
{
    struct transcript_pdu *pdus;
    long count = transcript_cut(c->conn, &pdus);

    for (long i = 0; i < count; i++) {
        const struct transcript_pdu *pdu = &pdus[i];
        struct line *line;
        uint8_t opcode;

        if (!pdu->whole || pdu->gap || !pdu->bhs)
            continue;
        opcode = pdu_opcode(pdu->bhs);
        line = line_of(lines, capture_shown(c, pdu->side, pdu->offset + pdu->len), c->stream);
        add_number(&line->fields[OPCODE], "0x%02x", opcode);
        if (opcode == PDU_LOGIN_REQUEST || opcode == PDU_LOGIN_RESPONSE)
            add_login(line, pdu, opcode == PDU_LOGIN_REQUEST);
    }
    free(pdus);
}

static int by_frame(const void *a, const void *b)
{
    const struct line *x = a;
    const struct line *y = b;

    return x->frame < y->frame ? -1 : x->frame > y->frame;
}

static void print(struct lines *lines)
{
    qsort(lines->items, lines->count, sizeof *lines->items, by_frame);
    for (size_t i = 0; i < lines->count; i++) {
        printf("%llu\t%u", (unsigned long long)lines->items[i].frame, lines->items[i].stream);
        for (unsigned k = 0; k < FIELDS; k++) {
            printf("\t%s", lines->items[i].fields[k] ? lines->items[i].fields[k] : "");
            free(lines->items[i].fields[k]);
        }
        putchar('\n');
    }
    free(lines->items);
}

static void remark(const struct capture_conn *c)
{
    printf("# stream %u %s:%u > %s:%u%s%s%s missing %llu cut %llu again %llu differing %llu late %llu\n", c->stream,
           c->conn->local, c->conn->local_port, c->conn->remote, c->conn->remote_port, c->opened ? "" : " midstream",
           c->recognised ? "" : " unrecognised", c->early ? " early" : "", (unsigned long long)c->missing_bytes,
           (unsigned long long)c->cut_bytes, (unsigned long long)c->repeated_bytes,
           (unsigned long long)c->differing_bytes, (unsigned long long)c->late_segments);
}

int main(int argc, char **argv)
{
    struct capture_options options = {.filter = argc > 2 ? argv[2] : NULL};
    struct lines lines = {NULL, 0, 0};
    struct capture_conn *conn;
    enum capture_result result;
    char err[512];
    struct capture *c;

    if (argc < 2 || !(c = capture_open(argv[1], &options, err, sizeof err))) {
        fprintf(stderr, "%s\n", argc < 2 ? "usage: capture_pdus FILE [FILTER]" : err);
        return 2;
    }
    while ((result = capture_next(c, &conn)) == CAPTURE_CONN || result == CAPTURE_PAUSE) {
        if (result == CAPTURE_PAUSE)
            continue;
        add_conn(&lines, conn);
        remark(conn);
        capture_conn_free(conn);
    }
    print(&lines);
    printf("# frames %llu fragments %llu short %llu bad %llu other %llu tcp connections %llu\n",
           (unsigned long long)capture_counts(c)->frames, (unsigned long long)capture_counts(c)->fragments,
           (unsigned long long)capture_counts(c)->short_headers, (unsigned long long)capture_counts(c)->bad_headers,
           (unsigned long long)capture_counts(c)->other, (unsigned long long)capture_counts(c)->connections);
    if (result == CAPTURE_DAMAGED)
        fprintf(stderr, "%s\n", capture_error(c));
    capture_close(c);
    return result == CAPTURE_DAMAGED;
}
