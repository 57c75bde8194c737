#include "harness/lint_judge.h"

#include "harness/audit/initiator.h"
#include "harness/audit/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t lint_hash(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

const char *lint_outcome_name(enum lint_outcome outcome)
{
    static const char *const names[] = {
        [LINT_LOGGED_IN] = "logged in", [LINT_REFUSED] = "refused",     [LINT_MOVED] = "moved",
        [LINT_BROKEN] = "broken off",   [LINT_UNDECIDED] = "undecided", [LINT_NO_LOGIN] = "no login",
    };

    return names[outcome];
}

const char *lint_value(const struct audit_login *login, enum keys_id id, enum transcript_side side, char *out,
                       size_t cap)
{
    const struct audit_pair *pair = audit_login_said(login, id, side);

    if (!pair) {
        out[0] = '\0';
        return out;
    }
    return audit_quote(out, cap, pair->value, pair->value_len);
}

/* ---- outcome, codes ---- */

/* Is a PDU of a login in it? */
static bool has_login(const struct audit_login *login)
{
    for (size_t i = 0; i < login->count; i++)
        if (login->exchanges[i].login_request || login->exchanges[i].login_response)
            return true;
    return false;
}

static void decide(struct lint_conn *c)
{
    const struct audit_login *login = c->login;

    if (login->refusal != AUDIT_NONE) {
        c->status = login->exchanges[login->refusal].rsp.status;
        c->outcome = status_class(c->status) == STATUS_CLASS_REDIRECTION ? LINT_MOVED : LINT_REFUSED;
    } else if (login->final != AUDIT_NONE) {
        c->outcome = LINT_LOGGED_IN;
    } else if (login->count == 0 || !has_login(login)) {
        c->outcome = LINT_NO_LOGIN;
    } else {
        bool ended = c->capture->end_frame[0] != 0 || c->capture->end_frame[1] != 0;

        c->outcome = ended && c->capture->missing_bytes == 0 ? LINT_BROKEN : LINT_UNDECIDED;
    }
}

static struct lint_code *find_code(struct lint_totals *t, uint16_t code)
{
    for (size_t i = 0; i < t->code_count; i++)
        if (t->codes[i].code == code)
            return &t->codes[i];
    if (t->code_count == LINT_CODES_MAX)
        return NULL;
    t->codes[t->code_count].code = code;
    return &t->codes[t->code_count++];
}

void lint_count_codes(struct lint_totals *totals, const struct lint_conn *conn)
{
    for (size_t i = 0; i < conn->login->count; i++) {
        const struct audit_exchange *x = &conn->login->exchanges[i];
        struct lint_code *code;

        /* Success is told once for a login, when it is complete. */
        if (!x->login_response || (x->success && i != conn->login->final))
            continue;
        code = find_code(totals, x->rsp.status);
        if (!code) {
            totals->other_codes++;
            continue;
        }
        if (code->count++ == 0) {
            code->file = conn->file;
            code->stream = conn->capture->stream;
            code->frame = capture_shown(conn->capture, TRANSCRIPT_TARGET, x->response->offset + x->response->len);
        }
    }
}

/* ---- what could not be judged ---- */

static void unjudged(struct lint_conn *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void unjudged(struct lint_conn *c, const char *format, ...)
{
    va_list args;

    if (c->unjudged_count == LINT_UNJUDGED_MAX)
        return;
    va_start(args, format);
    vsnprintf(c->unjudged[c->unjudged_count++], sizeof c->unjudged[0], format, args);
    va_end(args);
}

static void tell_missing(struct lint_conn *c)
{
    const struct capture_conn *k = c->capture;

    if (!k->opened)
        unjudged(c, "the capture began after the connection did: what was said before is not known");
    if (k->conn->stream[0].len == 0 && k->conn->stream[1].len > 0)
        unjudged(c, "nothing of the initiator is in the capture: answers cannot be held against requests");
    if (k->conn->stream[1].len == 0 && k->conn->stream[0].len > 0)
        unjudged(c, "nothing of the target is in the capture");
    if (k->missing_bytes > k->cut_bytes)
        unjudged(c,
                 "%llu bytes are not in the capture, the first before frame %llu: no PDU that touches them, and none "
                 "behind in this login, was judged",
                 (unsigned long long)(k->missing_bytes - k->cut_bytes), (unsigned long long)k->first_missing);
    if (k->cut_bytes > 0)
        unjudged(c, "%llu bytes were cut off by the snapshot length of the capture (tcpdump -s 0 keeps all)",
                 (unsigned long long)k->cut_bytes);
    if (k->differing_bytes > 0)
        unjudged(c, "%llu bytes came a second time with another value, first in frame %llu: the first copy was judged",
                 (unsigned long long)k->differing_bytes, (unsigned long long)k->first_differing);
    if (k->early)
        unjudged(c, "given up before its end, to save memory: how it ended is not known");
    if (k->skipped[0] + k->skipped[1] > 0)
        unjudged(c,
                 "full feature phase: only its beginning; %llu bytes of the initiator and %llu of the target behind it "
                 "were not",
                 (unsigned long long)k->skipped[0], (unsigned long long)k->skipped[1]);
}

static void tell_unjudged(struct lint_conn *c)
{
    const struct audit_login *login = c->login;

    tell_missing(c);
    if (c->outcome == LINT_NO_LOGIN)
        unjudged(c, c->capture->recognised ? "no login is in it: the capture began later, or the target was asked for "
                                             "something else first"
                                           : "no login is in it: only its port speaks for iSCSI");
    else if (login->blind && c->capture->missing_bytes == 0)
        unjudged(c, "behind the last exchange shown the stream is no sequence of PDUs any more");
    if (login->partial)
        unjudged(c, "more keys than are looked at: some were not judged");
    if (audit_login_said(login, KEYS_CHAP_R, TRANSCRIPT_INITIATOR))
        unjudged(c, "whether CHAP responses are right: the secret is not in a capture");
    if (c->outcome == LINT_UNDECIDED && !transcript_ended(c->capture->conn, TRANSCRIPT_INITIATOR) &&
        !transcript_ended(c->capture->conn, TRANSCRIPT_TARGET))
        unjudged(c, "the capture ends in the middle of the login");
}

/* ---- findings ---- */

static const struct transcript_pdu *find_pdu(const struct audit_login *login, const struct finding *f)
{
    for (size_t i = 0; f->pdu > 0 && i < login->pdu_count; i++)
        if (login->pdus[i].side == f->side && login->pdus[i].number == f->pdu)
            return &login->pdus[i];
    return NULL;
}

static void place(struct lint_finding *out, const struct finding *f, const struct lint_conn *c,
                  const struct catalogue *rules)
{
    const struct transcript_pdu *pdu = find_pdu(c->login, f);

    out->id = f->rule;
    out->rule = catalogue_find(rules, f->rule);
    out->severity = out->rule ? out->rule->severity : RULE_FAIL;
    if (f->tolerated && out->severity > RULE_WARN)
        out->severity = RULE_WARN;
    out->party = out->rule ? out->rule->party : RULE_TARGET;
    out->stream = c->capture->stream;
    out->side = f->side;
    out->pdu = f->pdu;
    out->offset = f->offset;
    out->len = f->len;
    out->was = f->was;
    out->allowed = f->allowed;
    out->frame = pdu ? capture_shown(c->capture, f->side, pdu->offset + pdu->len) : c->capture->first_frame;
}

static int by_frame(const void *a, const void *b)
{
    const struct lint_finding *x = a;
    const struct lint_finding *y = b;

    if (x->frame != y->frame)
        return x->frame < y->frame ? -1 : 1;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return strcmp(x->id, y->id);
}

/* Gives each connection its findings, in the order of frames. */
static bool share_out(struct lint_judged *j, const struct catalogue *rules)
{
    size_t used = 0;

    j->findings = calloc(j->found.count ? j->found.count : 1, sizeof *j->findings);
    if (!j->findings)
        return false;
    for (size_t c = 0; c < j->count; c++) {
        struct lint_finding *first = &j->findings[used];

        for (size_t i = 0; i < j->found.count; i++)
            if (j->found.items[i].conn == c)
                place(&j->findings[used++], &j->found.items[i], &j->conns[c], rules);
        j->conns[c].findings = first;
        j->conns[c].finding_count = (size_t)(&j->findings[used] - first);
        j->conns[c].more_findings = j->found.truncated;
        qsort(first, j->conns[c].finding_count, sizeof *first, by_frame);
    }
    return true;
}

bool lint_judge(struct lint_judged *out, struct capture_conn *const *conns, size_t count, const struct catalogue *rules,
                int64_t last_us)
{
    struct transcript together = {.conn_count = count};
    struct transcript_conn **list = calloc(count ? count : 1, sizeof(*list));
    int64_t *until = calloc(count ? count : 1, sizeof *until);
    bool fine = list && until;

    memset(out, 0, sizeof *out);
    out->conns = calloc(count ? count : 1, sizeof *out->conns);
    out->logins = calloc(count ? count : 1, sizeof *out->logins);
    fine = fine && out->conns && out->logins;
    together.conns = list;
    together.context.portal_tag = -1;
    for (size_t i = 0; i < count && fine; i++) {
        list[i] = conns[i]->conn;
        until[i] = conns[i]->early ? conns[i]->last_us : last_us;
    }
    for (; out->count < count && fine; out->count++) {
        fine = audit_login_build(&out->logins[out->count], &together, out->count);
        out->conns[out->count].capture = conns[out->count];
        out->conns[out->count].login = &out->logins[out->count];
    }
    fine = fine && audit_judge(&together, out->logins, &out->found) &&
           audit_initiator(&together, out->logins, until, &out->found);
    for (size_t i = 0; i < count && fine; i++) {
        decide(&out->conns[i]);
        tell_unjudged(&out->conns[i]);
        out->logins[i].transcript = NULL; /* it was of this function */
    }
    fine = fine && share_out(out, rules);
    free(list);
    free(until);
    return fine;
}

void lint_judged_free(struct lint_judged *judged)
{
    for (size_t i = 0; judged->logins && i < judged->count; i++)
        audit_login_free(&judged->logins[i]);
    free(judged->conns);
    free(judged->logins);
    free(judged->findings);
    finding_list_free(&judged->found);
    memset(judged, 0, sizeof *judged);
}
