/*
 * The way of a connection: from the reader into a window that is ordered by first frames; out of it together with
 * others of its session; through the auditor; to the sinks.
 */
#include "harness/lint.h"

#include "harness/audit/initiator.h"
#include "harness/lint_history.h"
#include "harness/lint_judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What waits for the rest of its session, at most. */
#define WINDOW_CONNS 512u
#define WINDOW_BYTES (24u << 20)
/* Connections that are judged together, at most; the auditor takes no more for one session. */
#define GROUP_MAX 16u

struct waiting {
    struct capture_conn *conn;
    uint64_t session; /* hash of names and ISID, 0: none */
    size_t size;
};

struct lint {
    const struct lint_options *options;
    struct lint_totals *totals;
    struct lint_history *history;
    const char *file;
    struct capture *capture;
    struct waiting window[WINDOW_CONNS + 1];
    size_t count;
    size_t bytes;
    uint64_t groups;
    const char *failure; /* NULL none */
};

static bool give_up(struct lint *l, const char *why)
{
    if (!l->failure)
        l->failure = why;
    return false;
}

/* ---- the window ---- */

/* The session that a connection belongs to, by its first request. */
static uint64_t session_of(const struct capture_conn *conn)
{
    const struct transcript_stream *s = &conn->conn->stream[TRANSCRIPT_INITIATOR];
    static const char *const keys[] = {"InitiatorName", "TargetName"};
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    struct pdu_login_request req;
    size_t len;

    if (s->len < PDU_BHS_LEN || pdu_opcode(s->bytes) != PDU_LOGIN_REQUEST)
        return 0;
    pdu_login_request_decode(&req, s->bytes);
    len = s->len - PDU_BHS_LEN < req.data_len ? s->len - PDU_BHS_LEN : req.data_len;
    hash = lint_hash(hash, req.isid, PDU_ISID_LEN);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct text_pair pair;

        if (text_find(s->bytes + PDU_BHS_LEN, len, keys[i], &pair))
            hash = lint_hash(hash, pair.value, pair.value_len);
        hash = lint_hash(hash, "", 1);
    }
    return hash;
}

static void window_add(struct lint *l, struct capture_conn *conn)
{
    size_t at = l->count;

    while (at > 0 && l->window[at - 1].conn->first_frame > conn->first_frame)
        at--;
    memmove(&l->window[at + 1], &l->window[at], (l->count - at) * sizeof l->window[0]);
    l->window[at] = (struct waiting){conn, session_of(conn), capture_conn_size(conn)};
    l->bytes += l->window[at].size;
    l->count++;
}

/* Takes the oldest and what belongs to it out of the window. */
static size_t window_take(struct lint *l, struct capture_conn **group)
{
    uint64_t session = l->window[0].session;
    size_t taken = 0;
    size_t kept = 0;

    for (size_t i = 0; i < l->count; i++) {
        if (i == 0 || (taken < GROUP_MAX && session != 0 && l->window[i].session == session)) {
            group[taken++] = l->window[i].conn;
            l->bytes -= l->window[i].size;
        } else {
            l->window[kept++] = l->window[i];
        }
    }
    l->count = kept;
    return taken;
}

/* ---- giving out ---- */

static bool send_conn(struct lint *l, const struct lint_conn *conn)
{
    struct lint_totals *t = l->totals;

    t->connections++;
    t->outcomes[conn->outcome]++;
    t->incomplete += conn->unjudged_count > 0;
    for (size_t i = 0; i < conn->finding_count; i++) {
        t->findings[conn->findings[i].severity]++;
        if (conn->findings[i].rule)
            t->rule_hits[conn->findings[i].rule - l->options->rules->rules]++;
    }
    lint_count_codes(t, conn);
    for (size_t i = 0; i < l->options->sink_count; i++) {
        const struct lint_sink *sink = &l->options->sinks[i];

        if (sink->conn && !sink->conn(sink->context, conn))
            return give_up(l, "a report could not be written");
    }
    return true;
}

static bool send_across(void *context, const struct lint_finding *finding)
{
    struct lint *l = context;
    struct lint_finding f = *finding;

    f.rule = catalogue_find(l->options->rules, f.id);
    if (f.rule && f.severity > f.rule->severity)
        f.severity = f.rule->severity;
    l->totals->findings[f.severity]++;
    l->totals->across[f.severity]++;
    if (f.rule)
        l->totals->rule_hits[f.rule - l->options->rules->rules]++;
    for (size_t i = 0; i < l->options->sink_count; i++) {
        const struct lint_sink *sink = &l->options->sinks[i];

        if (sink->across && !sink->across(sink->context, l->file, &f))
            return give_up(l, "a report could not be written");
    }
    return true;
}

/* Judges the oldest connection of the window, with its session. */
static bool judge_oldest(struct lint *l)
{
    struct capture_conn *group[GROUP_MAX];
    size_t count = window_take(l, group);
    struct lint_judged judged;
    bool fine = lint_judge(&judged, group, count, l->options->rules, capture_last_us(l->capture));

    if (!fine)
        give_up(l, "out of memory");
    l->groups++;
    for (size_t i = 0; i < count && fine; i++) {
        judged.conns[i].file = l->file;
        fine = send_conn(l, &judged.conns[i]);
        if (fine && !lint_history_take(l->history, &judged.conns[i], l->groups))
            fine = give_up(l, "out of memory");
    }
    lint_judged_free(&judged);
    for (size_t i = 0; i < count; i++)
        capture_conn_free(group[i]);
    return fine;
}

/* ---- files ---- */

static bool stopped(struct lint *l)
{
    const struct lint_options *o = l->options;

    if (!l->totals->interrupted && o->stop && o->stop(o->stop_context, l->file, l->capture))
        l->totals->interrupted = true;
    return l->totals->interrupted;
}

/* Reads to the end of the file, or to where it is damaged. */
static bool read_all(struct lint *l)
{
    struct capture_conn *conn;
    enum capture_result result;

    while (!stopped(l) && ((result = capture_next(l->capture, &conn)) == CAPTURE_CONN || result == CAPTURE_PAUSE)) {
        if (result == CAPTURE_PAUSE)
            continue;
        window_add(l, conn);
        while (l->count > WINDOW_CONNS || (l->bytes > WINDOW_BYTES && l->count > 0))
            if (!judge_oldest(l))
                return false;
    }
    if (l->totals->interrupted) {
        /* What was open when it was interrupted is as good as what was open when a capture ends. */
        capture_stop(l->capture);
        while ((result = capture_next(l->capture, &conn)) == CAPTURE_CONN) {
            window_add(l, conn);
            if (l->count > WINDOW_CONNS && !judge_oldest(l))
                return false;
        }
    }
    while (l->count > 0)
        if (!judge_oldest(l))
            return false;
    return lint_history_end(l->history, capture_last_us(l->capture)) || give_up(l, "out of memory");
}

static bool file_done(struct lint *l, const struct capture_counts *counts, const char *error)
{
    l->totals->files++;
    l->totals->unreadable += error[0] != '\0';
    for (size_t i = 0; i < l->options->sink_count; i++) {
        const struct lint_sink *sink = &l->options->sinks[i];

        if (sink->file && !sink->file(sink->context, l->file, counts, error))
            return give_up(l, "a report could not be written");
    }
    return true;
}

static bool read_file(struct lint *l, const char *path)
{
    struct capture_options options = {.filter = l->options->filter};
    char err[512] = "";
    bool fine;

    l->file = path;
    l->capture = capture_open(path, &options, err, sizeof err);
    if (!l->capture)
        return file_done(l, NULL, err);
    l->history = lint_history_new(send_across, l);
    fine = (l->history || give_up(l, "out of memory")) && read_all(l);
    for (size_t i = 0; i < l->count; i++)
        capture_conn_free(l->window[i].conn);
    l->count = l->bytes = 0;
    lint_history_free(l->history);
    l->history = NULL;
    fine = fine && file_done(l, capture_counts(l->capture), capture_error(l->capture));
    capture_close(l->capture);
    l->capture = NULL;
    return fine;
}

static bool begin(struct lint *l)
{
    l->totals->rule_hits = calloc(l->options->rules->count ? l->options->rules->count : 1, sizeof(uint64_t));
    if (!l->totals->rule_hits)
        return give_up(l, "out of memory");
    for (size_t i = 0; i < STATUS_COUNT; i++)
        l->totals->codes[i].code = status_at(i)->code;
    l->totals->code_count = STATUS_COUNT;
    for (size_t i = 0; i < l->options->sink_count; i++)
        if (l->options->sinks[i].begin && !l->options->sinks[i].begin(l->options->sinks[i].context, l->options->rules))
            return give_up(l, "a report could not be written");
    return true;
}

enum lint_result lint_files(const char *const *paths, size_t count, const struct lint_options *options,
                            struct lint_totals *totals, char *err, size_t err_len)
{
    struct lint *l = calloc(1, sizeof *l);
    bool fine;

    memset(totals, 0, sizeof *totals);
    if (!l) {
        snprintf(err, err_len, "out of memory");
        return LINT_FAILED;
    }
    l->options = options;
    l->totals = totals;
    fine = begin(l);
    for (size_t i = 0; i < count && fine && !totals->interrupted; i++)
        fine = read_file(l, paths[i]);
    for (size_t i = 0; i < options->sink_count && fine; i++)
        if (options->sinks[i].end && !options->sinks[i].end(options->sinks[i].context, totals, options->rules))
            fine = give_up(l, "a report could not be written");
    if (!fine)
        snprintf(err, err_len, "%s", l->failure ? l->failure : "out of memory");
    free(l);
    if (!fine)
        return LINT_FAILED;
    if (totals->interrupted)
        return LINT_INTERRUPTED;
    return totals->unreadable > 0 ? LINT_NOT_READ : LINT_DONE;
}

void lint_totals_free(struct lint_totals *totals)
{
    free(totals->rule_hits);
    totals->rule_hits = NULL;
}
