/* One login through libiscsi and the tap: see initiator.h. */
#include "harness/initiator.h"

#include "harness/course.h"
#include "harness/dial.h"
#include "harness/mutated.h"
#include "harness/repair.h"
#include "harness/shape.h"
#include "harness/tap.h"
#include "wire/bytes.h"
#include "wire/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOGIN_PDU_MAX = 32, LOGIN_CONTINUE_MAX = 4096, LOGIN_ROUND_MAX = 4, LOGIN_TEXT_MAX = 1 << 20 };

enum turn { TURN_ON, TURN_DONE, TURN_ERROR };

/* What one login needs while it runs. */
struct login_run {
    struct conn *c;
    struct tap *tap;
    struct repair repair;
    int number;     /* of the PDU, as libiscsi counted */
    uint8_t itt[4]; /* as libiscsi made them */
    uint8_t cmd_sn[4];
    uint8_t request[PDU_BHS_LEN]; /* header of the last Login Request that went out */
    struct text_buf asked;        /* its text */
    uint8_t answer[PDU_BHS_LEN];  /* header of the answer to be shown */
    struct text_buf joined;       /* its text, over all PDUs with C=1 */
    bool *edits_used, *shapes_used;
    struct mutated mutated; /* what goes out instead of the PDU at hand */
    char came[160];         /* the answer to be shown, in words */
};

static enum turn run_error(struct conn *c, const struct position *at, const char *text)
{
    snprintf(c->drive->error, sizeof(c->drive->error), "%s:%d:%d: %s", at && at->file ? at->file : "case",
             at ? at->line : 0, at ? at->column : 0, text);
    return TURN_ERROR;
}

/* The login that the target took another way: this one, or one whose values an edit may speak of. NULL: none. */
static const struct conn *strayed_conn(const struct conn *c)
{
    const struct drive *d = c->drive;

    if (*c->strayed)
        return c;
    for (size_t i = 0; i < d->conn_count; i++)
        if (*d->conns[i]->strayed)
            return d->conns[i];
    return NULL;
}

/*
 * A deviation that cannot be made. The case is at fault unless the target has taken the login another way: then it is
 * the target that is to be told.
 */
static enum turn run_unmet(struct login_run *run, const struct position *at, const char *text)
{
    struct conn *c = run->c;
    const struct conn *strayed = strayed_conn(c);

    if (!strayed)
        return run_error(c, at, text);
    snprintf(c->early, sizeof(c->early), "the target %s%s%s; for this reason %s", strayed->strayed,
             strayed == c ? "" : " of connection ", strayed == c ? "" : strayed->name, text);
    conn_finish(c, CONN_GAVE_UP, "%s", strayed->strayed);
    return TURN_DONE;
}

/* ---- answers ---- */

static void wait_for_close(struct conn *c)
{
    struct net *n = &c->drive->net;

    link_wait_end(n, c->link, net_now(n) + (int64_t)c->drive->env->close_grace_ms * 1000);
}

static bool take_answer(struct conn *c, const struct link_pdu *pdu, uint32_t to)
{
    uint8_t opcode = pdu_opcode(pdu->bhs);
    struct pdu_login_response r;

    conn_answered(c, pdu, to);
    if (opcode == PDU_REJECT) {
        c->reason = pdu->bhs[2];
        conn_finish(c, CONN_REJECTED, "sent a Reject PDU, reason 0x%02x", c->reason);
        wait_for_close(c);
        return false;
    }
    if (opcode != PDU_LOGIN_RESPONSE) {
        c->opcode = opcode;
        return conn_finish(c, CONN_OTHER, "sent a %s PDU instead of a Login Response", pdu_opcode_name(opcode));
    }
    pdu_login_response_decode(&r, pdu->bhs);
    c->live.exp_stat_sn = r.stat_sn + 1;
    if (r.status) {
        c->status = r.status;
        conn_finish(c, CONN_STATUS, "answered 0x%04x %s", r.status, status_name_or_class(r.status));
        wait_for_close(c);
        return false;
    }
    if (r.tsih)
        c->live.tsih = r.tsih;
    return true;
}

bool initiator_await(struct conn *c, uint32_t to)
{
    struct net *n = &c->drive->net;
    int64_t deadline = conn_deadline(c);

    for (;;) {
        struct link_pdu pdu;
        const char *why;

        switch (link_take(c->link, &pdu, &why)) {
        case LINK_TAKEN:
            return take_answer(c, &pdu, to);
        case LINK_MALFORMED:
            conn_finish(c, CONN_GARBAGE, "sent %s", why);
            link_reset(n, c->link); /* no answer can follow; an endless stream has to stop */
            return false;
        case LINK_NOTHING:
            break;
        }
        if (c->link->peer_ended) {
            if (link_rest(c->link))
                return conn_finish(c, CONN_GARBAGE, "ended the connection in the middle of a PDU");
            return conn_finish(c, CONN_CLOSED, "%s the connection without an answer",
                               c->link->peer_end == TRANSCRIPT_RST ? "reset" : "closed");
        }
        if (c->link->fd < 0)
            return conn_finish(c, CONN_CUT, "the case ended the connection itself");
        if (!net_turn(n, deadline)) {
            if (link_rest(c->link))
                return conn_finish(c, CONN_GARBAGE, "stopped in the middle of a PDU");
            return conn_finish(c, CONN_SILENT, "sent nothing for %d ms", c->drive->env->timeout_ms);
        }
    }
}

static bool says(const void *text, size_t len, const char *key, const char *value)
{
    struct text_pair pair;

    return text_find(text, len, key, &pair) && text_equals(pair.value, pair.value_len, value);
}

void initiator_enter_full_feature(struct conn *c)
{
    struct text_buf text;

    c->ffp = c->was_ffp = true;
    c->session->tsih = c->live.tsih;
    text_buf_init_growing(&text, LOGIN_TEXT_MAX, NULL, NULL);
    for (size_t i = 0; i < c->answer_count; i++) /* a value may stand in two PDUs */
        if (c->answers[i].opcode == PDU_LOGIN_RESPONSE && c->answers[i].data_len)
            text_buf_add_raw(&text, conn_answer_data(c, &c->answers[i]), c->answers[i].data_len);
    c->header_digest |= says(text.data, text.len, "HeaderDigest", "CRC32C");
    c->data_digest |= says(text.data, text.len, "DataDigest", "CRC32C");
    text_buf_free(&text);
    c->link->header_digest = c->header_digest;
    c->link->data_digest = c->data_digest;
    c->link->limit = TRANSCRIPT_STREAM_MAX;
    conn_finish(c, CONN_FFP, "completed the login");
}

/* Asks for the rest of a text that the target spreads over several PDUs: an empty request with T=0 and C=0 (6.2). */
static bool ask_for_more(struct login_run *run)
{
    uint8_t bhs[PDU_BHS_LEN];

    memcpy(bhs, run->request, PDU_BHS_LEN);
    bhs[1] &= 0x0cu;
    bhs[4] = 0;
    pdu_set_data_len(bhs, 0);
    bytes_put_be32(bhs + 28, run->c->live.exp_stat_sn);
    conn_note(run->c, TRANSCRIPT_REPAIR, run->c->sent + 1, "empty request: the target's text goes on");
    conn_send_round(run->c, bhs, sizeof(bhs));
    return initiator_await(run->c, run->c->sent);
}

/*
 * Has the target answered T=0 to T=1 without CHAP being under way, which libiscsi would go on with? It is free to: it
 * has a key to propose, or is not ready. What libiscsi would make of it (all keys once more) is not what it has to get.
 */
static bool wants_round(const struct login_run *run, const uint8_t *bhs, const struct text_buf *text)
{
    struct text_pair pair;
    bool chap = text_find(text->data, text->len, "CHAP_A", &pair) || says(text->data, text->len, "AuthMethod", "CHAP");

    return !chap && run->request[1] & PDU_FLAG_TRANSIT && !(bhs[1] & (PDU_FLAG_TRANSIT | PDU_FLAG_CONTINUE)) &&
           (bhs[1] >> 2 & 3u) == (run->request[1] >> 2 & 3u);
}

static void note_repair(void *user, const char *text)
{
    struct conn *c = user;

    conn_note(c, TRANSCRIPT_REPAIR, c->sent + 1, text);
}

/* Asks once more to go over, with the answers to what the target has proposed. */
static bool go_round(struct login_run *run)
{
    struct conn *c = run->c;
    const struct edit_log log = {note_repair, c};
    struct edit_pdu p = {.wire = NULL};
    bool good;

    memcpy(p.bhs, run->request, PDU_BHS_LEN);
    p.bhs[4] = 0;
    bytes_put_be32(p.bhs + 28, c->live.exp_stat_sn);
    text_buf_init_growing(&p.text, LOGIN_TEXT_MAX, NULL, NULL);
    conn_note(c, TRANSCRIPT_REPAIR, c->sent + 1, "the target stays in the stage: asked once more to go over");
    good = repair_apply(&run->repair, &p, &c->live, false, c->login->base == CASE_BASE_JOIN, &log);
    if (good) {
        repair_sent(&run->repair, p.text.data, p.text.len);
        conn_send_round(c, p.wire, p.wire_len);
    }
    edit_free(&p);
    return good && initiator_await(c, c->sent);
}

/* Keeps what the answer to be shown was, for the sentences that a failure ends in. */
static void note_course(struct login_run *run, const uint8_t *bhs, const struct text_buf *text)
{
    struct conn *c = run->c;
    const struct course_exchange x = {run->request, run->asked.data, run->asked.len, bhs, text->data, text->len};
    struct text_cursor cursor;
    struct text_pair pair;
    char how[120];

    course_describe(&x, run->came, sizeof(run->came));
    if (*c->strayed)
        return;
    if (course_strays(&x, how, sizeof(how))) {
        snprintf(c->strayed, sizeof(c->strayed), "%s in PDU %d", how, run->number);
        return;
    }
    text_cursor_init(&cursor, run->repair.open.data, run->repair.open.len);
    if (text_next(&cursor, &pair) == TEXT_PAIR)
        snprintf(c->strayed, sizeof(c->strayed), "proposed %.*s in PDU %d",
                 (int)(pair.key_len < 64 ? pair.key_len : 64), pair.key, run->number);
}

/* Takes the text of one answer, over as many PDUs as the target makes of it. False: the login is over. */
static bool gather(struct login_run *run, bool come, struct text_buf *text)
{
    struct conn *c = run->c;

    for (int i = 0; i < LOGIN_CONTINUE_MAX; i++) {
        const struct conn_answer *a;
        const uint8_t *bhs;

        if (!(i == 0 ? come : ask_for_more(run)))
            return false;
        a = &c->answers[c->answer_count - 1];
        bhs = conn_answer_bhs(c, a);
        if (a->data_len)
            text_buf_add_raw(text, conn_answer_data(c, a), a->data_len);
        if (!(bhs[1] & PDU_FLAG_CONTINUE) || bhs[1] & PDU_FLAG_TRANSIT)
            break;
    }
    return true;
}

/*
 * Takes one whole answer. `keep`: it is the one libiscsi will be shown. `rounds`: as many more rounds may be gone with
 * the target before it goes over.
 */
static enum turn collect(struct login_run *run, uint32_t to, bool keep, int rounds)
{
    struct conn *c = run->c;
    struct text_buf text;
    const uint8_t *bhs = NULL;
    enum text_result form;
    bool come = initiator_await(c, to);

    text_buf_init_growing(&text, LOGIN_TEXT_MAX, NULL, NULL);
    for (;;) {
        if (!gather(run, come, &text)) {
            text_buf_free(&text);
            return TURN_DONE;
        }
        bhs = conn_answer_bhs(c, &c->answers[c->answer_count - 1]);
        if (rounds-- <= 0 || !wants_round(run, bhs, &text))
            break;
        repair_learn(&run->repair, &c->live, text.data, text.len);
        come = go_round(run);
    }
    repair_learn(&run->repair, &c->live, text.data, text.len);
    if (keep)
        note_course(run, bhs, &text);
    form = text_check(text.data, text.len, NULL);
    if ((bhs[1] & (PDU_FLAG_TRANSIT | 3u)) == (PDU_FLAG_TRANSIT | 3u))
        initiator_enter_full_feature(c);
    else if (pdu_ahs_len(bhs) || form == TEXT_NO_NULL || form == TEXT_NO_EQUALS || form == TEXT_EMPTY_KEY)
        conn_finish(c, CONN_GARBAGE, "sent a malformed answer: %s",
                    pdu_ahs_len(bhs) ? "an AHS in a Login Response" : text_result_name(form));
    else if (says(text.data, text.len, "AuthMethod", "Reject") || says(text.data, text.len, "CHAP_A", "Reject"))
        conn_finish(c, CONN_GAVE_UP, "rejected what was offered for authentication");
    if (keep) {
        memcpy(run->answer, bhs, PDU_BHS_LEN);
        text_buf_free(&run->joined);
        run->joined = text;
    } else {
        text_buf_free(&text);
    }
    return c->end == CONN_NOT_RUN ? TURN_ON : TURN_DONE;
}

/* Hands the kept answer to libiscsi, in a form that it takes and under the ITT that it knows. */
static void show_answer(struct login_run *run)
{
    struct conn *c = run->c;
    const struct conn_answer *came = &c->answers[c->answer_count - 1];
    struct text_buf shown;
    bool other = repair_show(&run->repair, run->joined.data, run->joined.len, &shown);
    struct edit_pdu p;

    memset(&p, 0, sizeof(p));
    memcpy(p.bhs, run->answer, PDU_BHS_LEN);
    p.bhs[1] &= (uint8_t)~PDU_FLAG_CONTINUE;
    other |= memcmp(p.bhs + 16, run->itt, 4) != 0 || run->joined.len != came->data_len;
    memcpy(p.bhs + 16, run->itt, 4);
    if (memcmp(p.bhs + 28, run->cmd_sn, 4) != 0) {
        /* libiscsi gives up when ExpCmdSN is not the number it drew itself, which need not be the session's */
        other = true;
        memcpy(p.bhs + 28, run->cmd_sn, 4);
        memcpy(p.bhs + 32, run->cmd_sn, 4);
    }
    p.text = shown;
    if (edit_render(&p)) {
        if (other)
            transcript_note(c->link->log, TRANSCRIPT_TARGET, net_now(&c->drive->net), TRANSCRIPT_SHOWN, came->number,
                            p.wire, p.wire_len, "libiscsi was shown this answer in another form");
        tap_give(run->tap, p.wire, p.wire_len);
    }
    edit_free(&p);
}

/* ---- requests ---- */

static void note_edit(void *user, const char *text)
{
    struct conn *c = user;

    conn_note(c, TRANSCRIPT_EDIT, c->sent + 1, text);
}

/* What the base of the login asks for and libiscsi has no call for. */
static void base_adjust(struct login_run *run, struct edit_pdu *p)
{
    struct conn *c = run->c;

    if (run->number == 1) {
        if (c->login->base == CASE_BASE_JOIN)
            conn_note(c, TRANSCRIPT_INFO, 1, "base join: TSIH, CID and CmdSN of the session");
        else
            c->session->cmd_sn = bytes_get_be32(p->bhs + 24);
        c->live.itt = pdu_itt(p->bhs);
        c->live.cmd_sn = c->session->cmd_sn;
        c->live.exp_stat_sn = bytes_get_be32(p->bhs + 28);
        dial_note_drawn(c);
    }
    memcpy(run->itt, p->bhs + 16, 4); /* what libiscsi looks for in the answer */
    memcpy(run->cmd_sn, p->bhs + 24, 4);
    if (pdu_itt(p->bhs) != c->live.itt ||
        (c->login->base != CASE_BASE_JOIN && bytes_get_be32(p->bhs + 24) != c->live.cmd_sn)) {
        bytes_put_be32(p->bhs + 16, c->live.itt);
        bytes_put_be32(p->bhs + 24, c->live.cmd_sn);
        note_repair(c, "ITT and CmdSN put back: libiscsi drew them anew in the same login");
    }
    if (c->login->base == CASE_BASE_JOIN) {
        bytes_put_be16(p->bhs + 14, c->session->tsih);
        bytes_put_be16(p->bhs + 20, c->live.cid);
        bytes_put_be32(p->bhs + 24, c->live.cmd_sn);
    }
    if (dial_way(c->login) == CASE_BASE_SECURITY && text_buf_replace(&p->text, "AuthMethod", "None") &&
        run->number == 1)
        conn_note(c, TRANSCRIPT_INFO, 1, "base security: AuthMethod=None alone");
    if (c->answer_count && bytes_get_be32(p->bhs + 28) != c->live.exp_stat_sn) {
        bytes_put_be32(p->bhs + 28, c->live.exp_stat_sn);
        note_repair(c, "ExpStatSN put right");
    }
}

static enum turn apply_edits(struct login_run *run, struct edit_pdu *p, bool *deviating)
{
    struct conn *c = run->c;
    const struct live_scope scope = conn_scope(c);
    const struct edit_log log = {note_edit, c};
    char err[400];

    for (size_t i = 0; i < c->login->edit_count; i++) {
        const struct case_edit *e = &c->login->edits[i];

        /* a key goes out once: if it is there a second time, it is a repair's answer to the target */
        if (run->edits_used[i] || (e->pdu ? e->pdu != run->number : !edit_matches(e, p, run->number == 1)))
            continue;
        run->edits_used[i] = true;
        if (edit_apply(p, e, &scope, &log, err, sizeof(err)))
            return run_unmet(run, &e->at, err);
        if (e->mutate && !mutated_make(c, p, e->mutate, &run->mutated))
            return run_error(c, &e->at, "the mutation changed nothing, or memory is short");
        *deviating = true;
    }
    return TURN_ON;
}

static enum turn shaped(struct login_run *run, enum shape_sent sent)
{
    struct drive *d = run->c->drive;
    char text[sizeof(d->error)];

    if (sent == SHAPE_UNMET && strayed_conn(run->c)) {
        memcpy(text, d->error, sizeof(text));
        *d->error = '\0';
        return run_unmet(run, NULL, text);
    }
    return sent == SHAPE_SENT ? TURN_ON : sent == SHAPE_OVER ? TURN_DONE : TURN_ERROR;
}

/* PDUs of the case's own behind PDU `number`, and their answers when these are due now. */
static enum turn follow(struct login_run *run, const struct edit_pdu *p, int number, enum case_when when,
                        unsigned *unanswered)
{
    struct conn *c = run->c;
    uint32_t before = c->sent;
    unsigned count = 0;
    enum turn turn = shaped(run, shape_follow(c, p, number, when, run->shapes_used, &count));

    *unanswered = count;
    if (turn != TURN_ON || when == CASE_WHEN_SENT)
        return turn;
    for (unsigned i = 0; i < count && turn == TURN_ON; i++)
        turn = collect(run, before + 1 + i, false, 0);
    return turn;
}

static bool stops_here(struct login_run *run, enum case_when when)
{
    const struct case_login *login = run->c->login;

    if (login->stop_pdu == 0 || login->stop_pdu != run->number || login->stop_when != when)
        return false;
    conn_finish(run->c, CONN_LEFT, "was left by the case behind PDU %d", run->number);
    return true;
}

/* From the finished PDU to its answers. */
static enum turn exchange(struct login_run *run, struct edit_pdu *p, bool deviating)
{
    struct conn *c = run->c;
    unsigned behind = 0, count;
    enum shape_sent sent = run->mutated.bytes ? mutated_send(c, &run->mutated)
                                              : shape_send(c, p, run->number, deviating, run->shapes_used);
    enum turn turn = shaped(run, sent);
    uint32_t mine = c->sent;

    mutated_free(&run->mutated);
    if (turn != TURN_ON)
        return turn;
    repair_sent(&run->repair, p->text.data, p->text.len);
    text_buf_clear(&run->asked);
    if (p->text.len)
        text_buf_add_raw(&run->asked, p->text.data, p->text.len);
    memcpy(run->request, c->mutated ? c->last : p->wire, PDU_BHS_LEN < p->wire_len ? PDU_BHS_LEN : p->wire_len);
    if (run->number == 1 && c->login->base != CASE_BASE_JOIN)
        c->session->cmd_sn = bytes_get_be32(run->request + 24); /* an edit may have chosen where it starts */
    turn = follow(run, p, run->number, CASE_WHEN_SENT, &behind);
    if (turn != TURN_ON || stops_here(run, CASE_WHEN_SENT))
        return turn == TURN_ERROR ? turn : TURN_DONE;
    for (unsigned i = 0; i <= behind && turn == TURN_ON; i++)
        turn = collect(run, mine + i, i == 0, behind == 0 ? LOGIN_ROUND_MAX : 0);
    if (turn == TURN_ON)
        turn = follow(run, p, run->number, CASE_WHEN_ANSWERED, &count);
    if (turn == TURN_ON && stops_here(run, CASE_WHEN_ANSWERED))
        turn = TURN_DONE;
    return turn;
}

static enum turn one_pdu(struct login_run *run)
{
    struct conn *c = run->c;
    const struct edit_log log = {note_repair, c};
    const uint8_t *made;
    size_t len = tap_take(run->tap, &made);
    struct edit_pdu p;
    bool deviating = false;
    unsigned count;
    enum turn turn = TURN_ON;

    if (len == 0 && run->number == 0) {
        snprintf(c->drive->error, sizeof(c->drive->error), "libiscsi made no Login Request: %s", tap_error(run->tap));
        return TURN_ERROR;
    }
    if (len == 0) {
        conn_finish(c, CONN_GAVE_UP, "answered PDU %d with %s; libiscsi cannot go on: %s", run->number, run->came,
                    tap_error(run->tap));
        return TURN_DONE;
    }
    run->number++;
    if (!edit_load(&p, made, len))
        turn = run_error(c, NULL, "libiscsi made a PDU that cannot be edited");
    if (turn == TURN_ON) {
        base_adjust(run, &p);
        if (!repair_apply(&run->repair, &p, &c->live, run->number == 1, c->login->base == CASE_BASE_JOIN, &log))
            turn = run_error(c, NULL, "out of memory");
    }
    if (turn == TURN_ON && run->number == 1) {
        memcpy(run->request, p.wire, PDU_BHS_LEN);
        turn = follow(run, &p, 0, CASE_WHEN_SENT, &count);
        if (turn == TURN_ON)
            turn = follow(run, &p, 0, CASE_WHEN_ANSWERED, &count);
    }
    if (turn == TURN_ON)
        turn = apply_edits(run, &p, &deviating);
    if (turn == TURN_ON)
        turn = exchange(run, &p, deviating);
    if (turn == TURN_ON)
        show_answer(run);
    edit_free(&p);
    return turn;
}

/* ---- the whole ---- */

/* A deviation that no PDU was there for. */
static enum turn not_sent(struct login_run *run, const struct position *at, int pdu, const char *what)
{
    struct conn *c = run->c;
    bool ran_to_end = c->end == CONN_FFP || c->end == CONN_LEFT;
    char text[240], which[120];

    if (ran_to_end) {
        snprintf(text, sizeof(text), "edit of %s matches no PDU: the login had %d", what, run->number);
        return run_unmet(run, at, text);
    }
    if (pdu > run->number)
        snprintf(which, sizeof(which), "PDU %d, which was to be changed,", pdu);
    else
        snprintf(which, sizeof(which), "the PDU that was to be changed");
    snprintf(c->early, sizeof(c->early), "%.190s: the login ended behind PDU %d, before %s could be sent (%s)", c->why,
             run->number, which, what);
    return TURN_DONE;
}

/* Each deviation has to have been put on the wire; otherwise the case or the target is to be told. */
static enum turn check_used(struct login_run *run)
{
    const struct case_login *login = run->c->login;
    char what[120];

    if (*run->c->early)
        return TURN_DONE;
    for (size_t i = 0; i < login->edit_count; i++)
        if (!run->edits_used[i]) {
            edit_name(&login->edits[i], what, sizeof(what));
            return not_sent(run, &login->edits[i].at, login->edits[i].pdu, what);
        }
    for (size_t i = 0; i < login->shape_count; i++)
        if (!run->shapes_used[i]) {
            snprintf(what, sizeof(what), "the step at line %d", login->shapes[i].at.line);
            return not_sent(run, &login->shapes[i].at, login->shapes[i].pdu_number, what);
        }
    return TURN_DONE;
}

static int run_login(struct conn *c, struct tap *tap)
{
    struct login_run run = {.c = c, .tap = tap};
    enum turn turn = TURN_ON;

    repair_init(&run.repair, c->has_secret ? c->secret : NULL, c->has_mutual ? c->mutual_secret : NULL);
    text_buf_init_growing(&run.joined, LOGIN_TEXT_MAX, NULL, NULL);
    text_buf_init_growing(&run.asked, LOGIN_TEXT_MAX, NULL, NULL);
    run.edits_used = calloc(c->login->edit_count + 1, sizeof(bool));
    run.shapes_used = calloc(c->login->shape_count + 1, sizeof(bool));
    if (!run.edits_used || !run.shapes_used)
        turn = run_error(c, NULL, "out of memory");
    for (int i = 0; i < LOGIN_PDU_MAX && turn == TURN_ON; i++)
        turn = one_pdu(&run);
    if (turn == TURN_ON)
        conn_finish(c, CONN_GAVE_UP, "did not come to an end within %d requests", LOGIN_PDU_MAX);
    if (turn != TURN_ERROR)
        turn = check_used(&run);
    mutated_free(&run.mutated);
    free(run.edits_used);
    free(run.shapes_used);
    text_buf_free(&run.joined);
    text_buf_free(&run.asked);
    repair_free(&run.repair);
    return turn == TURN_ERROR ? -1 : 0;
}

int initiator_login(struct conn *c)
{
    struct tap *tap;
    int rc = 0;

    if (dial_open(c, &tap)) {
        if (tap)
            rc = run_login(c, tap);
        else
            conn_finish(c, CONN_LEFT, "only opened TCP");
        if (c->mutated && !c->ffp && c->link->fd >= 0) /* a target may serve one login at a time */
            link_close(&c->drive->net, c->link);
    }
    tap_close(tap);
    return rc || *c->drive->error ? -1 : 0;
}
