/*
 * What an initiator owes in a login (RFC 7143, 6, 9.2, 11.12, 13): header fields of each request, what the first text
 * holds, and that it ends the connection where the target has gone wrong. One function a rule, in a table.
 */
#include "harness/audit/initiator.h"

#include "harness/audit/check.h"
#include "wire/status.h"

#include <string.h>

/* An initiator that has not ended the connection so long after a refusal keeps it. */
#define CLOSE_PATIENCE_US 5000000

/* What the rows look at. */
struct view {
    struct audit_run *run;
    const struct audit_login *logins;
    size_t count;
    const struct audit_login *login;
    int64_t until_us;
};

typedef void check_fn(const struct view *v, const char *rule);
typedef void request_fn(const struct view *v, const char *rule, size_t index, const struct audit_exchange *x);

static struct finding *add_field(const struct view *v, const char *rule, const struct audit_exchange *x,
                                 const char *field)
{
    return audit_add_id(v->run, rule, audit_at_field(v->login, x->request, field));
}

/* The first PDU that the initiator sent with the answer of x before it, NULL none. */
static const struct transcript_pdu *went_on(const struct view *v, const struct audit_exchange *x)
{
    const struct audit_login *login = v->login;

    if (!x->response)
        return NULL;
    for (size_t i = (size_t)(x->response - login->pdus) + 1; i < login->pdu_count; i++) {
        const struct transcript_pdu *pdu = &login->pdus[i];

        if (pdu->side == TRANSCRIPT_INITIATOR && !pdu->gap && pdu->first_us >= x->response->at_us)
            return pdu;
    }
    return NULL;
}

static void must_close(const struct view *v, const char *rule, const struct audit_exchange *x, const char *what)
{
    const struct transcript_pdu *next = went_on(v, x);
    struct finding *f;

    if (!next)
        return;
    f = audit_add_id(v->run, rule, audit_at_pdu(v->login, next, 0, next->len < PDU_BHS_LEN ? next->len : PDU_BHS_LEN));
    audit_was(f, "went on behind %s", what);
    audit_allowed(f, "the initiator ends the connection");
}

/* ---- each request ---- */

static void t_and_c(const struct view *v, const char *rule, size_t index, const struct audit_exchange *x)
{
    struct finding *f;

    (void)index;
    if (!x->req.transit || !x->req.cont)
        return;
    f = add_field(v, rule, x, "Flags");
    audit_was(f, "T and C together");
    audit_allowed(f, "C=1 with T=0 only");
}

static void empty_behind_c(const struct view *v, const char *rule, size_t index, const struct audit_exchange *x)
{
    const struct audit_exchange *before = index > 0 ? x - 1 : NULL;
    struct finding *f;

    if (!before || !before->success || !before->rsp.cont || x->req.data_len == 0)
        return;
    f = add_field(v, rule, x, "DataSegmentLength");
    audit_was(f, "%u bytes behind an answer with C=1", (unsigned)x->req.data_len);
    audit_allowed(f, "an empty request until the answer is complete");
}

static void steady(const struct view *v, const char *rule, size_t index, const struct audit_exchange *x)
{
    const struct pdu_login_request *first = &v->login->exchanges[0].req;
    const struct {
        const char *field;
        unsigned long was, now;
    } fields[] = {
        {"TSIH", first->tsih, x->req.tsih},
        {"CID", first->cid, x->req.cid},
        {"VersionMin", first->version_min, x->req.version_min},
        {"VersionMax", first->version_max, x->req.version_max},
        {"ITT", first->itt, x->req.itt},
    };

    if (index == 0 || !v->login->exchanges[0].login_request)
        return;
    for (size_t i = 0; i < AUDIT_COUNT(fields); i++) {
        struct finding *f;

        if (fields[i].was == fields[i].now)
            continue;
        f = add_field(v, rule, x, fields[i].field);
        audit_was(f, "%s 0x%lx", fields[i].field, fields[i].now);
        audit_allowed(f, "0x%lx, as in the first request", fields[i].was);
    }
}

/* 11.12.9: what was received is acknowledged. */
static void acknowledges(const struct view *v, const char *rule, size_t index, const struct audit_exchange *x)
{
    const struct audit_exchange *before = index > 0 ? x - 1 : NULL;
    struct finding *f;

    if (!before || !before->success || x->pipelined || x->req.exp_stat_sn == before->rsp.stat_sn + 1)
        return;
    f = add_field(v, rule, x, "ExpStatSN");
    audit_was(f, "ExpStatSN 0x%08x", (unsigned)x->req.exp_stat_sn);
    audit_allowed(f, "0x%08x: StatSN of the last answer, plus 1", (unsigned)(before->rsp.stat_sn + 1));
}

static void version_zero(const struct view *v, const char *rule, size_t index, const struct audit_exchange *x)
{
    struct finding *f;

    /* A change is another rule. */
    if (index > 0 || (x->req.version_min == PDU_VERSION && x->req.version_max == PDU_VERSION))
        return;
    f = add_field(v, rule, x, "VersionMax");
    audit_was(f, "versions 0x%02x to 0x%02x", x->req.version_min, x->req.version_max);
    audit_allowed(f, "0x00 and 0x00");
}

/* 11: what is reserved is zero. NSG is, where T does not say that a transition is wanted (11.12.3). */
static void reserved_zero(const struct view *v, const char *rule, size_t index, const struct audit_exchange *x)
{
    size_t count;
    const struct pdu_field *fields = pdu_fields(PDU_LOGIN_REQUEST, &count);
    struct finding *f;

    (void)index;
    if (!x->req.transit && x->req.nsg != 0) {
        f = add_field(v, rule, x, "NSG");
        audit_was(f, "NSG %u with T=0", x->req.nsg);
        audit_allowed(f, "0: without T it is reserved");
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t value;

        if ((fields[i].flags & PDU_FIELD_RESERVED) == 0 || (value = pdu_field_get(&fields[i], x->request->bhs)) == 0)
            continue;
        f = add_field(v, rule, x, fields[i].name);
        audit_was(f, "%s is 0x%llx, at byte %u", fields[i].name, (unsigned long long)value, fields[i].byte);
        audit_allowed(f, "0");
    }
}

static void one_outstanding(const struct view *v, const char *rule, size_t index, const struct audit_exchange *x)
{
    struct finding *f;

    (void)index;
    if (!x->pipelined)
        return;
    f = audit_add_id(v->run, rule, audit_at_pdu(v->login, x->request, 0, PDU_BHS_LEN));
    audit_was(f, "a request before the last one was answered");
    audit_allowed(f, "request and response alternate");
}

struct request_row {
    const char *rule;
    request_fn *check;
};

static const struct request_row request_rows[] = {
    {"L-INI-001", t_and_c},         {"L-INI-002", empty_behind_c}, {"L-INI-006", steady},
    {"L-INI-021", acknowledges},    {"L-INI-024", version_zero},   {"L-INI-026", reserved_zero},
    {"L-INI-027", one_outstanding},
};

/* ---- the login as a whole ---- */

static void needs_name(const struct view *v, const char *rule, enum keys_id id, const char *what)
{
    const struct audit_login *login = v->login;
    struct finding *f;

    if (login->first_text == AUDIT_NONE || login->partial || !login->exchanges[0].login_request ||
        audit_text_find(login, login->first_text, id))
        return;
    f = audit_add_id(v->run, rule,
                     audit_at_text(login, &login->texts[login->first_text], 0, login->texts[login->first_text].len));
    audit_was(f, "no %s", keys_at(id)->name);
    audit_allowed(f, "%s", what);
}

static void names_itself(const struct view *v, const char *rule)
{
    needs_name(v, rule, KEYS_INITIATOR_NAME, "InitiatorName in the first request of every connection");
}

static void names_target(const struct view *v, const char *rule)
{
    if (!v->login->discovery)
        needs_name(v, rule, KEYS_TARGET_NAME, "TargetName in the first request, unless the session is for discovery");
}

/* 13.21: the type of the session is not an afterthought. */
static void type_at_once(const struct view *v, const char *rule)
{
    const struct audit_pair *type = audit_login_said(v->login, KEYS_SESSION_TYPE, TRANSCRIPT_INITIATOR);
    struct finding *f;

    if (!type || type->text == v->login->first_text || !v->login->discovery)
        return;
    f = audit_add_id(v->run, rule, audit_at_pair(v->login, type));
    audit_was_pair(f, type);
    audit_allowed(f, "SessionType=Discovery in the first request");
}

/* 11.13.5: a status that is not success ends the connection. Silence counts only as long as it was watched. */
static void closes(const struct view *v, const char *rule)
{
    const struct audit_login *login = v->login;
    const struct audit_exchange *x;
    const struct transcript_pdu *next;
    struct finding *f;

    if (login->refusal == AUDIT_NONE)
        return;
    x = &login->exchanges[login->refusal];
    next = went_on(v, x);
    if (next) {
        f = audit_add_id(v->run, rule, audit_at_pdu(login, next, 0, next->len < PDU_BHS_LEN ? next->len : PDU_BHS_LEN));
        audit_was(f, "sent another PDU behind status 0x%04x", x->rsp.status);
    } else {
        const struct transcript_event *end = transcript_ended(login->conn, TRANSCRIPT_TARGET);

        if (transcript_ended(login->conn, TRANSCRIPT_INITIATOR) || (end && end->end == TRANSCRIPT_RST) ||
            v->until_us - x->response->at_us < CLOSE_PATIENCE_US)
            return;
        f = audit_add_id(v->run, rule, audit_at_conn(login));
        f->side = TRANSCRIPT_INITIATOR;
        audit_was(f, "kept the connection open for %lld s behind status 0x%04x",
                  (long long)(v->until_us - x->response->at_us) / 1000000, x->rsp.status);
    }
    audit_allowed(f, "the initiator closes the connection");
}

/* 6.3: a key said twice by the target. */
static void drops_on_repetition(const struct view *v, const char *rule)
{
    const struct audit_login *login = v->login;

    for (size_t i = 0; i < login->pair_count; i++) {
        const struct audit_pair *pair = &login->pairs[i];
        const struct audit_text *text = &login->texts[pair->text];
        const struct audit_key *key = &login->keys[pair->key_index];
        char what[96];

        if (text->side != TRANSCRIPT_TARGET || key->use[TRANSCRIPT_TARGET].first == i ||
            (key->entry && (key->entry->flags & KEYS_REPEATABLE) != 0))
            continue;
        /* CHAP asks anew when the method is negotiated anew; that is judged with CHAP. */
        if (key->entry && (key->entry->flags & KEYS_AUTHENTICATION) != 0)
            continue;
        snprintf(what, sizeof what, "a second %.*s of the target", key->len < 63 ? (int)key->len : 63, key->name);
        must_close(v, rule, &login->exchanges[text->last], what);
        return;
    }
}

/* 6.2.1: a choice that was not offered. */
static void drops_on_wrong_choice(const struct view *v, const char *rule)
{
    const struct audit_login *login = v->login;

    for (size_t i = 0; i < login->key_count; i++) {
        const struct audit_key *key = &login->keys[i];
        const struct audit_pair *offer, *answer;
        enum keys_answer verdict;
        char what[96];

        if (!key->entry || !audit_key_by_initiator(key) || key->use[TRANSCRIPT_TARGET].count == 0 ||
            (key->entry->flags & KEYS_DECLARATIVE) != 0)
            continue;
        offer = audit_key_pair(login, key, TRANSCRIPT_INITIATOR);
        answer = audit_key_pair(login, key, TRANSCRIPT_TARGET);
        verdict = keys_check_answer(key->entry, offer->value, offer->value_len, answer->value, answer->value_len);
        if (verdict != KEYS_ANSWER_NOT_OFFERED && verdict != KEYS_ANSWER_ABOVE_OFFER &&
            verdict != KEYS_ANSWER_BELOW_OFFER && verdict != KEYS_ANSWER_WRONG_BOOL)
            continue;
        snprintf(what, sizeof what, "an answer to %s that was not offered", key->entry->name);
        must_close(v, rule, &login->exchanges[login->texts[answer->text].last], what);
    }
}

/* 4.2.4: nothing but Login Responses in a login. */
static void closes_on_stranger(const struct view *v, const char *rule)
{
    const struct audit_login *login = v->login;

    for (size_t i = 0; i < login->count; i++) {
        const struct audit_exchange *x = &login->exchanges[i];
        char what[96];

        if (!x->response || x->login_response || x->response->full_feature)
            continue;
        snprintf(what, sizeof what, "%s in the login", pdu_opcode_name(pdu_opcode(x->response->bhs)));
        must_close(v, rule, x, what);
        return;
    }
}

/* ---- CHAP ---- */

/* Exchange with whose request the initiator has challenged the target, AUDIT_NONE none. */
static size_t challenged(const struct audit_login *login, const struct audit_pair **challenge)
{
    *challenge = audit_login_said(login, KEYS_CHAP_C, TRANSCRIPT_INITIATOR);
    return *challenge ? login->texts[(*challenge)->text].last : AUDIT_NONE;
}

/* 9.2: a target that does not prove itself is left. */
static void closes_without_proof(const struct view *v, const char *rule)
{
    const struct audit_pair *challenge;
    size_t at = challenged(v->login, &challenge);
    const struct audit_exchange *x;

    if (at == AUDIT_NONE)
        return;
    x = &v->login->exchanges[at];
    if (!x->response || !x->success || x->rsp.cont || x->response_text == AUDIT_NONE ||
        audit_text_find(v->login, x->response_text, KEYS_CHAP_R))
        return;
    must_close(v, rule, x, "an answer without CHAP_R to its challenge");
}

/* 9.2.1: the target's own challenge is not sent back to it. */
static void own_challenge(const struct view *v, const char *rule)
{
    const struct audit_pair *mine;
    const struct audit_pair *theirs = audit_login_said(v->login, KEYS_CHAP_C, TRANSCRIPT_TARGET);
    struct finding *f;

    if (challenged(v->login, &mine) == AUDIT_NONE || !theirs || mine->value_len != theirs->value_len ||
        memcmp(mine->value, theirs->value, mine->value_len) != 0)
        return;
    f = audit_add_id(v->run, rule, audit_at_pair(v->login, mine));
    audit_was_pair(f, mine);
    audit_allowed(f, "another challenge than the target's");
}

/* 12.1.3: MD5 is always among the algorithms. */
static void offers_md5(const struct view *v, const char *rule)
{
    const struct audit_pair *pair = audit_login_said(v->login, KEYS_CHAP_A, TRANSCRIPT_INITIATOR);
    const char *item;
    size_t len;
    uint64_t value;
    struct text_list list;
    struct finding *f;

    if (!pair)
        return;
    text_list_init(&list, pair->value, pair->value_len);
    while (text_list_next(&list, &item, &len))
        if (text_parse_number(item, len, &value) == TEXT_NUMBER_OK && value == 5)
            return;
    f = audit_add_id(v->run, rule, audit_at_pair(v->login, pair));
    audit_was_pair(f, pair);
    audit_allowed(f, "a list with 5 (MD5)");
}

/* ---- numbers, later keys ---- */

/* 4.2.2.1: the login takes no CmdSN away; the first command has the number of the login. */
static void first_cmd_sn(const struct view *v, const char *rule)
{
    const struct audit_login *login = v->login;
    uint32_t expected;
    struct finding *f;

    if (!login->leading || login->final == AUDIT_NONE || login->blind)
        return;
    expected = login->exchanges[0].req.cmd_sn;
    for (size_t i = 0; i < login->count; i++) {
        const struct audit_exchange *x = &login->exchanges[i];

        if (!x->login_request || x->req.cmd_sn == expected)
            continue;
        f = add_field(v, rule, x, "CmdSN");
        audit_was(f, "CmdSN 0x%08x in the login", (unsigned)x->req.cmd_sn);
        audit_allowed(f, "0x%08x, as in the first request", (unsigned)expected);
        return;
    }
    for (size_t i = 0; i < login->pdu_count; i++) {
        const struct transcript_pdu *pdu = &login->pdus[i];
        struct pdu_request req;

        if (!pdu->full_feature || pdu->side != TRANSCRIPT_INITIATOR || !pdu->bhs || pdu->gap)
            continue;
        pdu_request_decode(&req, pdu->bhs);
        if (req.opcode == PDU_DATA_OUT || req.opcode == PDU_SNACK_REQUEST)
            continue;
        if (req.cmd_sn != expected) {
            f = audit_add_id(v->run, rule, audit_at_field(login, pdu, "CmdSN"));
            audit_was(f, "CmdSN 0x%08x in the first request behind the login", (unsigned)req.cmd_sn);
            audit_allowed(f, "0x%08x, as in the login", (unsigned)expected);
        }
        return;
    }
}

/* 13.23: both of them, whatever else. */
static void task_reporting(const struct view *v, const char *rule)
{
    const struct audit_pair *pair = audit_login_said(v->login, KEYS_TASK_REPORTING, TRANSCRIPT_INITIATOR);
    struct finding *f;

    if (!pair || keys_word(pair->value, pair->value_len) != KEYS_WORD_VALUE ||
        (text_list_has(pair->value, pair->value_len, "RFC3720", 7) &&
         text_list_has(pair->value, pair->value_len, "ResponseFence", 13)))
        return;
    f = audit_add_id(v->run, rule, audit_at_pair(v->login, pair));
    audit_was_pair(f, pair);
    audit_allowed(f, "RFC3720 and ResponseFence in the list");
}

/* 6.2: that a target does not know a later key is no reason to leave. */
static void takes_not_understood(const struct view *v, const char *rule)
{
    const struct audit_login *login = v->login;
    const struct transcript_event *end = transcript_ended(login->conn, TRANSCRIPT_INITIATOR);
    const struct transcript_event *theirs = transcript_ended(login->conn, TRANSCRIPT_TARGET);
    const struct audit_exchange *x = login->count > 0 ? &login->exchanges[login->count - 1] : NULL;

    if (!x || !x->success || !x->response || x->response_text == AUDIT_NONE || login->final != AUDIT_NONE ||
        login->blind || login->tail_request || !end || (theirs && theirs->at_us < end->at_us))
        return;
    for (size_t i = 0; i < login->pair_count; i++) {
        const struct audit_pair *pair = &login->pairs[i];
        const struct keys_entry *entry = login->keys[pair->key_index].entry;
        bool later = !entry ? keys_is_private(pair->key, pair->key_len)
                            : entry->id == KEYS_TASK_REPORTING || entry->id == KEYS_ISCSI_PROTOCOL_LEVEL;
        struct finding *f;

        if (pair->text != x->response_text || !later ||
            keys_word(pair->value, pair->value_len) != KEYS_WORD_NOT_UNDERSTOOD)
            continue;
        f = audit_add_id(v->run, rule, audit_at_conn(login));
        f->side = TRANSCRIPT_INITIATOR;
        audit_was(f, "left behind %.*s=NotUnderstood", pair->key_len < 63 ? (int)pair->key_len : 63, pair->key);
        audit_allowed(f, "the login goes on");
        return;
    }
}

/* ---- sessions ---- */

static bool same_session(const struct audit_login *a, const struct audit_login *b)
{
    static const enum keys_id names[] = {KEYS_INITIATOR_NAME, KEYS_TARGET_NAME};

    if (a->count == 0 || b->count == 0 || memcmp(a->exchanges[0].req.isid, b->exchanges[0].req.isid, PDU_ISID_LEN) != 0)
        return false;
    for (size_t i = 0; i < AUDIT_COUNT(names); i++) {
        const struct audit_pair *x = audit_login_said(a, names[i], TRANSCRIPT_INITIATOR);
        const struct audit_pair *y = audit_login_said(b, names[i], TRANSCRIPT_INITIATOR);

        if (!x != !y || (x && (x->value_len != y->value_len || memcmp(x->value, y->value, x->value_len) != 0)))
            return false;
    }
    return true;
}

/* Was a's connection there, and its login over, when a request came? */
static bool alive_at(const struct audit_login *a, int64_t at_us)
{
    if (a->final == AUDIT_NONE || a->exchanges[a->final].response->at_us >= at_us)
        return false;
    for (int side = 0; side < 2; side++) {
        const struct transcript_event *end = transcript_ended(a->conn, (enum transcript_side)side);

        if (end && end->at_us <= at_us)
            return false;
    }
    return true;
}

/* 11.12.6: 0 begins a session; on an added connection stands what the target gave. */
static void right_tsih(const struct view *v, const char *rule)
{
    const struct audit_login *b = v->login;
    struct finding *f;
    bool other = false;
    uint16_t given = 0;

    if (b->count == 0 || !b->exchanges[0].login_request || b->leading)
        return;
    for (size_t i = 0; i < v->count; i++) {
        const struct audit_login *a = &v->logins[i];

        if (a == b || !a->leading || !same_session(a, b) || !alive_at(a, b->exchanges[0].request->first_us))
            continue;
        given = a->exchanges[a->final].rsp.tsih;
        if (given == b->exchanges[0].req.tsih)
            return;
        other = true;
    }
    if (!other)
        return;
    f = add_field(v, rule, &b->exchanges[0], "TSIH");
    audit_was(f, "TSIH 0x%04x", b->exchanges[0].req.tsih);
    audit_allowed(f, "0x%04x, which the target gave to this session, or 0", given);
}

/* 6.3.4: a session is begun anew only when the old one has failed. */
static void reinstates_dead(const struct view *v, const char *rule)
{
    const struct audit_login *b = v->login;
    struct finding *f;

    if (b->count == 0 || !b->exchanges[0].login_request || !b->leading || b->discovery)
        return;
    for (size_t i = 0; i < v->count; i++) {
        const struct audit_login *a = &v->logins[i];

        if (a == b || !a->leading || a->discovery || !same_session(a, b) ||
            !alive_at(a, b->exchanges[0].request->first_us))
            continue;
        f = add_field(v, rule, &b->exchanges[0], "ISID");
        audit_was(f, "the ISID of a session whose connection (%s) is still there", a->conn->name);
        audit_allowed(f, "the old connection is gone first");
        return;
    }
}

struct row {
    const char *rule;
    check_fn *check;
};

static const struct row rows[] = {
    {"L-INI-003", names_itself},         {"L-INI-004", names_target},
    {"L-INI-005", right_tsih},           {"L-INI-007", closes},
    {"L-INI-013", drops_on_repetition},  {"L-INI-014", drops_on_wrong_choice},
    {"L-INI-015", closes_on_stranger},   {"L-INI-016", closes_without_proof},
    {"L-INI-017", own_challenge},        {"L-INI-018", offers_md5},
    {"L-INI-020", first_cmd_sn},         {"L-INI-022", type_at_once},
    {"L-INI-023", reinstates_dead},      {"L-INI-025", task_reporting},
    {"L-INI-028", takes_not_understood},
};

static const struct audit_rule rules[] = {
    {"L-INI-001", "initiator"}, {"L-INI-002", "initiator"}, {"L-INI-003", "initiator"}, {"L-INI-004", "initiator"},
    {"L-INI-005", "initiator"}, {"L-INI-006", "initiator"}, {"L-INI-007", "initiator"}, {"L-INI-008", "lint"},
    {"L-INI-009", "lint"},      {"L-INI-010", "lint"},      {"L-INI-011", "lint"},      {"L-INI-012", "lint"},
    {"L-INI-013", "initiator"}, {"L-INI-014", "initiator"}, {"L-INI-015", "initiator"}, {"L-INI-016", "initiator"},
    {"L-INI-017", "initiator"}, {"L-INI-018", "initiator"}, {"L-INI-020", "initiator"}, {"L-INI-021", "initiator"},
    {"L-INI-022", "initiator"}, {"L-INI-023", "initiator"}, {"L-INI-024", "initiator"}, {"L-INI-025", "initiator"},
    {"L-INI-026", "initiator"}, {"L-INI-027", "initiator"}, {"L-INI-028", "initiator"},
};

const struct audit_rule *audit_initiator_rules(size_t *count)
{
    *count = AUDIT_COUNT(rules);
    return rules;
}

static int64_t last_event(const struct transcript_conn *c)
{
    return c->event_count > 0 ? c->events[c->event_count - 1].at_us : 0;
}

bool audit_initiator(const struct transcript *t, const struct audit_login *logins, const int64_t *until_us,
                     struct finding_list *out)
{
    struct audit_run run = {.transcript = t, .out = out};

    for (size_t c = 0; c < t->conn_count; c++) {
        struct view v = {&run, logins, t->conn_count, &logins[c], until_us ? until_us[c] : last_event(t->conns[c])};

        for (size_t i = 0; i < v.login->count; i++) {
            const struct audit_exchange *x = &v.login->exchanges[i];

            for (size_t k = 0; x->login_request && k < AUDIT_COUNT(request_rows); k++)
                request_rows[k].check(&v, request_rows[k].rule, i, x);
        }
        for (size_t k = 0; k < AUDIT_COUNT(rows); k++)
            rows[k].check(&v, rows[k].rule);
    }
    return !run.no_memory;
}
