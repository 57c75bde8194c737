#include "harness/cli/replay_report.h"

#include "harness/audit/report.h"
#include "harness/cli/verdicts.h"
#include "harness/capture.h"
#include "harness/folder.h"
#include "harness/ladder.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

static const char *const sides[2] = {"capture", "replay"};

bool replay_report_audit(struct replay_report *r)
{
    return audit_transcript(r->recording->transcript, &r->findings[0]) && audit_transcript(r->live, &r->findings[1]);
}

void replay_report_free(struct replay_report *r)
{
    finding_list_free(&r->findings[0]);
    finding_list_free(&r->findings[1]);
}

static size_t differing(const struct replay_result *r)
{
    size_t count = 0;

    for (int v = 0; v <= REPLAY_NOT_COMPARED; v++) {
        count += replay_verdict_differs((enum replay_verdict)v) ? r->by_verdict[v] : 0;
    }
    return count;
}

static size_t agreeing(const struct replay_result *r)
{
    return r->by_verdict[REPLAY_SAME] + r->by_verdict[REPLAY_SAME_BUT];
}

static bool is_incomplete(const struct replay_result *r)
{
    for (size_t i = 0; i < r->played_count; i++) {
        if (r->played[i].incomplete) {
            return true;
        }
    }
    return false;
}

enum results_exit replay_report_status(const struct replay_report *r)
{
    const struct replay_result *result = r->result;

    if (result->interrupted) {
        return EXIT_INTERRUPTED;
    }
    if (result->tried > 0 && result->opened == 0) {
        return EXIT_UNREACHABLE;
    }
    if (differing(result) > 0) {
        return EXIT_FINDINGS;
    }
    return agreeing(result) == 0 || is_incomplete(result) || r->recording->damaged[0] != '\0' ? EXIT_NOTHING
                                                                                              : EXIT_ALL_PASSED;
}

/* ---- text ---- */

static void print_ends(FILE *out, const struct transcript_conn *c)
{
    fprintf(out, "%s port %u to %s port %u", c->local, (unsigned)c->local_port, c->remote, (unsigned)c->remote_port);
}

static void print_head(FILE *out, const struct replay_report *r, size_t conn)
{
    const struct replay_source *source = &r->script->sources[conn];
    char outcome[120], initiator[300], target[300];

    fprintf(out, "\nconnection %s: ", source->conn->name);
    print_ends(out, source->conn);
    fprintf(out, "\n  %s%s%s: %s\n",
            audit_quote(initiator, sizeof(initiator), source->facts.initiator, strlen(source->facts.initiator)),
            source->facts.discovery           ? ", discovery"
            : source->facts.target[0] != '\0' ? " to "
                                              : "",
            audit_quote(target, sizeof(target), source->facts.target, strlen(source->facts.target)),
            login_facts_outcome(&source->facts, outcome, sizeof(outcome)));
    if (source->skipped[0] != '\0') {
        fprintf(out, "  not played: %s\n", source->skipped);
    }
}

static uint64_t frame_of(const struct replay_report *r, const struct replay_row *row)
{
    const struct replay_source *source = &r->script->sources[row->conn];

    for (size_t i = 0; row->recorded != 0 && i < source->count; i++) {
        const struct transcript_pdu *p = &source->pdus[i];

        if (p->side == TRANSCRIPT_TARGET && p->number == row->recorded) {
            return recording_frame(r->recording, row->conn, TRANSCRIPT_TARGET, p->offset, p->len);
        }
    }
    return 0;
}

static void print_row(FILE *out, const struct replay_report *r, const struct replay_row *row)
{
    char what[REPLAY_WHAT_MAX];
    uint64_t frame = frame_of(r, row);

    audit_quote(what, sizeof(what), row->what, strlen(row->what));
    if (frame != 0) {
        fprintf(out, "  frame %-6" PRIu64, frame);
    } else {
        fprintf(out, "  %-12s", row->ending ? "end" : "");
    }
    fprintf(out, " %-16s %s%s%s\n", row->ending ? "" : row->answer, replay_verdict_name(row->verdict),
            what[0] != '\0' ? ": " : "", what);
}

static void print_connections(FILE *out, const struct replay_report *r)
{
    for (size_t i = 0; i < r->script->source_count; i++) {
        const struct replay_played *played = &r->result->played[i];

        print_head(out, r, i);
        for (size_t k = 0; k < r->result->row_count; k++) {
            if (r->result->rows[k].conn == i) {
                print_row(out, r, &r->result->rows[k]);
            }
        }
        if (played->stopped[0] != '\0') {
            char why[sizeof(played->stopped)];

            fprintf(out, "  stopped: %s\n", audit_quote(why, sizeof(why), played->stopped, strlen(played->stopped)));
        }
        if (played->not_compared > 0) {
            fprintf(out, "  %zu answers of the capture are not compared\n", played->not_compared);
        }
    }
}

/* Is this rule found in the other transcript as well? */
static bool is_in_both(const struct replay_report *r, int which, const struct finding *f)
{
    const struct finding_list *other = &r->findings[!which];

    for (size_t i = 0; i < other->count; i++) {
        if (other->items[i].side == f->side && strcmp(other->items[i].rule, f->rule) == 0) {
            return true;
        }
    }
    return false;
}

static void print_audit(FILE *out, const struct replay_report *r)
{
    for (int which = 0; which < 2; which++) {
        const struct transcript *t = which == 0 ? r->recording->transcript : r->live;

        fprintf(out, "%sauditor on the %s: target %s, initiator %s\n", which == 0 ? "\n" : "", sides[which],
                verdict_name(verdicts_of(r->rules, &r->findings[which], SIZE_MAX, TRANSCRIPT_TARGET)),
                verdict_name(verdicts_of(r->rules, &r->findings[which], SIZE_MAX, TRANSCRIPT_INITIATOR)));
        for (size_t i = 0; i < r->findings[which].count; i++) {
            const struct finding *f = &r->findings[which].items[i];

            fprintf(out, "  %s %s%s: connection %s, %s PDU %" PRIu32 ": %s; allowed: %s\n",
                    rule_severity_name(verdicts_severity(r->rules, f)), f->rule,
                    is_in_both(r, which, f) ? ""
                    : which == 0            ? " (in the capture only)"
                                            : " (in the replay only)",
                    f->conn < t->conn_count ? t->conns[f->conn]->name : "?",
                    f->side == TRANSCRIPT_TARGET ? "target" : "initiator", f->pdu, f->was, f->allowed);
        }
    }
}

static void print_sums(FILE *out, const struct replay_report *r)
{
    const struct replay_result *result = r->result;
    const char *comma = "";
    size_t skipped = 0;

    fputs("\nanswers: ", out);
    for (int v = 0; v <= REPLAY_NOT_COMPARED; v++) {
        if (result->by_verdict[v] > 0) {
            fprintf(out, "%s%zu %s", comma, result->by_verdict[v], replay_verdict_name((enum replay_verdict)v));
            comma = ", ";
        }
    }
    fputs(*comma != '\0' ? "\n" : "none was compared\n", out);
    if (result->withheld > 0) {
        fprintf(out, "%zu requests were not sent: they could change what the target stores\n", result->withheld);
    }
    for (size_t i = 0; i < r->script->source_count; i++) {
        skipped += r->script->sources[i].skipped[0] != '\0';
    }
    if (skipped > 0) {
        fprintf(out, "%zu of %zu connections could not be played\n", skipped, r->script->source_count);
    }
}

void replay_report_print(FILE *out, const struct replay_report *r)
{
    fprintf(out, "capture: %s, %" PRIu64 " frames, %zu iSCSI connections\ntarget:  %s\n", r->file,
            r->recording->counts.frames, r->recording->count, r->target);
    if (r->recording->damaged[0] != '\0') {
        fprintf(out, "damaged: %s\n", r->recording->damaged);
    }
    print_connections(out, r);
    print_audit(out, r);
    print_sums(out, r);
}

/* ---- JSON ---- */

static json_t *row_json(const struct replay_report *r, const struct replay_row *row)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:s, s:o}", "answer", row->ending ? "end" : row->answer, "frame",
                     (json_int_t)frame_of(r, row), "recorded", (json_int_t)row->recorded, "live", (json_int_t)row->live,
                     "verdict", replay_verdict_name(row->verdict), "what", result_text(row->what));
}

static json_t *connection_json(const struct replay_report *r, size_t conn)
{
    const struct replay_source *source = &r->script->sources[conn];
    const struct replay_played *played = &r->result->played[conn];
    json_t *answers = json_array();
    char outcome[120];

    for (size_t k = 0; k < r->result->row_count; k++) {
        if (r->result->rows[k].conn == conn) {
            json_array_append_new(answers, row_json(r, &r->result->rows[k]));
        }
    }
    return json_pack("{s:s, s:o, s:o, s:s, s:s, s:s, s:b, s:I, s:o}", "stream", source->conn->name, "initiator",
                     result_text(source->facts.initiator), "target", result_text(source->facts.target), "recorded",
                     login_facts_outcome(&source->facts, outcome, sizeof(outcome)), "not_played", source->skipped,
                     "stopped", played->stopped, "incomplete", played->incomplete, "not_compared",
                     (json_int_t)played->not_compared, "answers", answers);
}

static json_t *audit_json(const struct replay_report *r, int which)
{
    const struct transcript *t = which == 0 ? r->recording->transcript : r->live;
    json_t *findings = json_array();

    for (size_t i = 0; i < r->findings[which].count; i++) {
        const struct finding *f = &r->findings[which].items[i];

        json_array_append_new(findings,
                              json_pack("{s:s, s:s, s:o, s:I, s:s, s:I, s:I, s:o, s:o, s:b}", "rule", f->rule,
                                        "severity", rule_severity_name(verdicts_severity(r->rules, f)), "conn",
                                        result_text(f->conn < t->conn_count ? t->conns[f->conn]->name : "?"), "pdu",
                                        (json_int_t)f->pdu, "side",
                                        f->side == TRANSCRIPT_TARGET ? "target" : "initiator", "offset",
                                        (json_int_t)f->offset, "length", (json_int_t)f->len, "was", result_text(f->was),
                                        "allowed", result_text(f->allowed), "both", is_in_both(r, which, f)));
    }
    return json_pack("{s:s, s:s, s:o}", "target",
                     verdict_name(verdicts_of(r->rules, &r->findings[which], SIZE_MAX, TRANSCRIPT_TARGET)), "initiator",
                     verdict_name(verdicts_of(r->rules, &r->findings[which], SIZE_MAX, TRANSCRIPT_INITIATOR)),
                     "findings", findings);
}

json_t *replay_report_json(const struct replay_report *r)
{
    json_t *connections = json_array(), *sums = json_object();

    for (size_t i = 0; i < r->script->source_count; i++) {
        json_array_append_new(connections, connection_json(r, i));
    }
    for (int v = 0; v <= REPLAY_NOT_COMPARED; v++) {
        json_object_set_new(sums, replay_verdict_name((enum replay_verdict)v),
                            json_integer((json_int_t)r->result->by_verdict[v]));
    }
    return json_pack("{s:i, s:o, s:I, s:o, s:s, s:i, s:b, s:o, s:I, s:o, s:o, s:o}", "replay", 1, "capture",
                     result_text(r->file), "frames", (json_int_t)r->recording->counts.frames, "target",
                     result_text(r->target), "damaged", r->recording->damaged, "exit", r->status, "interrupted",
                     r->result->interrupted, "answers", sums, "withheld", (json_int_t)r->result->withheld,
                     "connections", connections, "audit_capture", audit_json(r, 0), "audit_replay", audit_json(r, 1));
}

/* ---- evidence ---- */

static int save_transcript(const struct replay_report *r, int which, const char *dir, char *err, size_t err_len)
{
    const struct transcript *t = which == 0 ? r->recording->transcript : r->live;
    const struct ladder_head head = {.id = sides[which], .title = which == 0 ? r->file : r->target};
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s.pcap", dir, sides[which]);
    if (capture_write(t, path, err, err_len) != 0) {
        return -1;
    }
    snprintf(path, sizeof(path), "%s/%s.txt", dir, sides[which]);
    return ladder_save(t, &head, &r->findings[which], path, err, err_len);
}

int replay_report_save(const struct replay_report *r, const char *dir, char *err, size_t err_len)
{
    char path[PATH_MAX];
    json_t *json;
    int rc;

    if (folder_make(dir) != 0) {
        snprintf(err, err_len, "--out %s: %s; give a directory that can be written", dir, strerror(errno));
        return -1;
    }
    if (save_transcript(r, 0, dir, err, err_len) != 0 || save_transcript(r, 1, dir, err, err_len) != 0) {
        return -1;
    }
    json = replay_report_json(r);
    snprintf(path, sizeof(path), "%s/replay.json", dir);
    rc = json != NULL ? json_dump_file(json, path, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : -1;
    json_decref(json);
    if (rc != 0) {
        snprintf(err, err_len, "%s: %s", path, strerror(errno));
    }
    return rc;
}
