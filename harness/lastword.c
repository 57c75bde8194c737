#include "harness/lastword.h"

#include "wire/pdu.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct lastword {
    const struct transcript_conn *conn;
    int64_t at_us;
    char what[96];
};

static void name_pdu(const struct transcript_pdu *pdu, char *out, size_t out_len)
{
    if (pdu->bhs == NULL) {
        snprintf(out, out_len, "%zu bytes of a PDU", pdu->len);
    } else {
        snprintf(out, out_len, "%s (0x%02x) of %zu bytes%s, PDU %u", pdu_opcode_name(pdu->bhs[0]), pdu_opcode(pdu->bhs),
                 pdu->len, pdu->whole ? "" : ", cut short", (unsigned)pdu->number);
    }
}

/* The last that the initiator sent on this connection, when it is later than what is known. */
static void look_at(const struct transcript_conn *c, struct lastword *last)
{
    struct transcript_pdu *pdus = NULL;
    long count = transcript_cut(c, &pdus);

    for (long i = 0; i < count; i++) {
        if (pdus[i].side == TRANSCRIPT_INITIATOR && (last->conn == NULL || pdus[i].at_us >= last->at_us)) {
            last->conn = c;
            last->at_us = pdus[i].at_us;
            name_pdu(&pdus[i], last->what, sizeof(last->what));
        }
    }
    free(pdus);
}

static const char *what_followed(const struct lastword *last)
{
    const struct transcript_event *ended = transcript_ended(last->conn, TRANSCRIPT_TARGET);

    for (size_t i = 0; i < last->conn->event_count; i++) {
        const struct transcript_event *e = &last->conn->events[i];

        if (e->kind == TRANSCRIPT_BYTES && e->side == TRANSCRIPT_TARGET && e->at_us > last->at_us) {
            return "it was answered";
        }
    }
    if (ended == NULL) {
        return "nothing came after it";
    }
    return ended->end == TRANSCRIPT_RST ? "RST came after it" : "FIN came after it";
}

void lastword_of(const struct transcript *t, char *out, size_t out_len)
{
    struct lastword last = {0};

    for (size_t i = 0; i < t->conn_count; i++) {
        look_at(t->conns[i], &last);
    }
    out[0] = '\0';
    if (last.conn != NULL) {
        snprintf(out, out_len, "%s of connection %s; %s", last.what, last.conn->name, what_followed(&last));
    }
}

/* Copies line by line, the two lines of the head anew. */
static bool copy_retitled(FILE *in, FILE *out, const char *verdict, const char *reason)
{
    char *line = NULL;
    size_t room = 0;
    bool head = true, reasoned = false;

    while (getline(&line, &room, in) > 0) {
        bool is_reason = head && strncmp(line, "reason ", 7) == 0;

        head = head && line[0] != '\n';
        if (head && strncmp(line, "verdict ", 8) == 0) {
            fprintf(out, "verdict  %s\nreason   %s\n", verdict, reason);
            reasoned = true;
        } else if (!is_reason || !reasoned) {
            fputs(line, out);
        }
    }
    free(line);
    return !ferror(in) && !ferror(out);
}

void lastword_retitle(const char *ladder, const char *verdict, const char *reason)
{
    char path[PATH_MAX];
    FILE *in = fopen(ladder, "re");
    FILE *out;

    if (in == NULL) {
        return;
    }
    snprintf(path, sizeof(path), "%.4000s.part", ladder);
    out = fopen(path, "we");
    if (out != NULL) {
        bool good = copy_retitled(in, out, verdict, reason);

        if (fclose(out) != 0 || !good || rename(path, ladder) != 0) {
            unlink(path);
        }
    }
    fclose(in);
}
