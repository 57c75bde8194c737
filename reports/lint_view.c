#include "reports/lint_view.h"

#include "harness/audit/report.h"

#include <stdio.h>
#include <string.h>

static bool fill_step(const struct lint_conn *c, const struct audit_exchange *x, const struct transcript_pdu *pdu,
                      bool request, struct lint_step *out)
{
    size_t text = request ? x->request_text : x->response_text;

    memset(out, 0, sizeof *out);
    out->frame = capture_shown(c->capture, pdu->side, pdu->offset + pdu->len);
    out->at_us = pdu->at_us;
    out->side = pdu->side;
    out->opcode = pdu_opcode_name(pdu_opcode(pdu->bhs));
    out->status = -1;
    out->login = request ? x->login_request : x->login_response;
    if (!out->login)
        return true;
    if (!request)
        out->status = x->rsp.status;
    out->transit = request ? x->req.transit : x->rsp.transit;
    out->cont = request ? x->req.cont : x->rsp.cont;
    out->csg = request ? x->req.csg : x->rsp.csg;
    out->nsg = request ? x->req.nsg : x->rsp.nsg;
    out->tsih = request ? x->req.tsih : x->rsp.tsih;
    out->keys = text != AUDIT_NONE ? c->login->texts[text].pair_count : 0;
    return true;
}

bool lint_view_step(const struct lint_conn *c, size_t index, struct lint_step *out)
{
    for (size_t i = 0; i < c->login->count; i++) {
        const struct audit_exchange *x = &c->login->exchanges[i];

        if (x->request && index-- == 0)
            return fill_step(c, x, x->request, true, out);
        if (x->response && index-- == 0)
            return fill_step(c, x, x->response, false, out);
    }
    return false;
}

const char *lint_view_stage(const struct lint_step *step, char *out, size_t cap)
{
    snprintf(out, cap, "%s%s%s%s", pdu_stage_name(step->csg), step->transit ? ", T to " : "",
             step->transit ? pdu_stage_name(step->nsg) : "", step->cont ? ", C" : "");
    return out;
}

/* ---- keys ---- */

/* What holds of a proposal that may stay without an answer (RFC 7143, 6.2.2). */
static void implied(const struct keys_entry *entry, const struct audit_pair *offer, char *out, size_t cap)
{
    if (!keys_answer_required(entry, offer->value, offer->value_len)) {
        char value[64];

        snprintf(out, cap, "%s, needs no answer", audit_quote(value, sizeof value, offer->value, offer->value_len));
    } else {
        snprintf(out, cap, "not answered");
    }
}

static void outcome_of(const struct audit_login *login, const struct audit_key *key, char *out, size_t cap)
{
    enum transcript_side first = audit_key_by_initiator(key) ? TRANSCRIPT_INITIATOR : TRANSCRIPT_TARGET;
    const struct audit_pair *offer = audit_key_pair(login, key, first);
    const struct audit_pair *answer =
        audit_key_pair(login, key, first == TRANSCRIPT_INITIATOR ? TRANSCRIPT_TARGET : TRANSCRIPT_INITIATOR);
    static const char *const words[] = {[KEYS_WORD_NOT_UNDERSTOOD] = "not understood: the default holds",
                                        [KEYS_WORD_IRRELEVANT] = "irrelevant here",
                                        [KEYS_WORD_REJECT] = "rejected: the default holds"};
    char value[80];
    enum keys_word word;

    out[0] = '\0';
    if (answer && (word = keys_word(answer->value, answer->value_len)) != KEYS_WORD_VALUE)
        snprintf(out, cap, "%s", words[word]);
    else if (!key->entry || (key->entry->flags & KEYS_DECLARATIVE) != 0)
        snprintf(out, cap, "%s", key->entry ? (answer ? "declared by both" : "declared") : "a private key");
    else if ((key->entry->flags & KEYS_AUTHENTICATION) != 0 && key->entry->id != KEYS_AUTH_METHOD)
        snprintf(out, cap, "%s", answer ? "answered" : "");
    else if (!answer && offer)
        implied(key->entry, offer, out, cap);
    else if (answer && offer)
        snprintf(out, cap, "%s", audit_quote(value, sizeof value, answer->value, answer->value_len));
}

bool lint_view_key(const struct lint_conn *c, size_t index, struct lint_key *out)
{
    const struct audit_login *login = c->login;
    const struct audit_key *key;

    if (index >= login->key_count)
        return false;
    key = &login->keys[index];
    audit_quote(out->name, sizeof out->name, key->name, key->len);
    for (int side = 0; side < 2; side++) {
        const struct audit_pair *pair = audit_key_pair(login, key, (enum transcript_side)side);
        char *text = side == TRANSCRIPT_INITIATOR ? out->initiator : out->target;

        text[0] = '\0';
        if (pair)
            audit_quote(text, sizeof out->target, pair->value, pair->value_len);
    }
    outcome_of(login, key, out->outcome, sizeof out->outcome);
    return true;
}

/* ---- ends and places ---- */

static const char *side_name(enum transcript_side side)
{
    return side == TRANSCRIPT_INITIATOR ? "initiator" : "target";
}

const char *lint_view_end(const struct lint_conn *c, char *out, size_t cap)
{
    const struct transcript_conn *conn = c->capture->conn;
    size_t used = 0;

    for (size_t i = 0; i < conn->event_count; i++) {
        const struct transcript_event *e = &conn->events[i];

        if (e->kind != TRANSCRIPT_END || used >= cap)
            continue;
        used += (size_t)snprintf(out + used, cap - used, "%s%s of the %s in frame %llu", used > 0 ? ", " : "",
                                 e->end == TRANSCRIPT_RST ? "RST" : "FIN", side_name(e->side),
                                 (unsigned long long)c->capture->end_frame[e->side]);
    }
    if (used == 0)
        snprintf(out, cap, "%s", c->capture->early ? "not followed to its end" : "open when the capture ends");
    return out;
}

const char *lint_view_place(const struct lint_finding *f, char *out, size_t cap)
{
    size_t used = (size_t)snprintf(out, cap, "frame %llu", (unsigned long long)f->frame);

    if (f->pdu > 0 && used < cap)
        used += (size_t)snprintf(out + used, cap - used, ", PDU %u of the %s", f->pdu, side_name(f->side));
    if (f->pdu > 0 && f->len == 1 && used < cap)
        snprintf(out + used, cap - used, ", byte %zu", f->offset);
    else if (f->pdu > 0 && f->len > 1 && used < cap)
        snprintf(out + used, cap - used, ", bytes %zu to %zu", f->offset, f->offset + f->len - 1);
    return out;
}

const char *lint_view_address(const struct lint_conn *c, enum transcript_side side, char *out, size_t cap)
{
    const struct transcript_conn *conn = c->capture->conn;
    const char *address = side == TRANSCRIPT_INITIATOR ? conn->local : conn->remote;

    snprintf(out, cap, strchr(address, ':') ? "[%s]:%u" : "%s:%u", address,
             side == TRANSCRIPT_INITIATOR ? conn->local_port : conn->remote_port);
    return out;
}
