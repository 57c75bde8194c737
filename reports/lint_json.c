/* JSON of lint, written as it comes: {"schema", "connections": [...], "across": ..., "files": ..., ...}. */
#include "reports/lint_view.h"
#include "reports/lint_writers.h"

#include "harness/result.h"

#include <jansson.h>
#include <string.h>

/*
 * Findings across connections and files come between connections. So that one array need not wait for another, all are
 * items of "items", told apart by "type".
 */
bool lint_writer_put(struct lint_writer *w, json_t *item)
{
    bool fine;

    if (!item)
        return false;
    fputs(w->later ? ",\n" : "\n", w->out);
    w->later = true;
    fine = json_dumpf(item, w->out, JSON_COMPACT | JSON_PRESERVE_ORDER) == 0;
    json_decref(item);
    return fine && !ferror(w->out);
}

static void set(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, result_text(text));
}

static void set_number(json_t *object, const char *key, uint64_t number)
{
    json_object_set_new(object, key, json_integer((json_int_t)number));
}

static json_t *finding_json(const struct lint_finding *f)
{
    json_t *item = json_object();

    set(item, "rule", f->id);
    set(item, "severity", rule_severity_name(f->severity));
    set(item, "party", rule_party_name(f->party));
    set_number(item, "frame", f->frame);
    set_number(item, "stream", f->stream);
    set(item, "side", f->side == TRANSCRIPT_INITIATOR ? "initiator" : "target");
    set_number(item, "pdu", f->pdu);
    set_number(item, "offset", f->offset);
    set_number(item, "length", f->len);
    set(item, "was", f->was);
    set(item, "allowed", f->allowed);
    if (f->rule)
        set(item, "section", f->rule->section);
    return item;
}

static json_t *steps_json(const struct lint_conn *c)
{
    json_t *list = json_array();
    struct lint_step step;

    for (size_t i = 0; lint_view_step(c, i, &step); i++) {
        json_t *item = json_object();
        char code[8];

        set_number(item, "frame", step.frame);
        json_object_set_new(item, "time", json_real((double)step.at_us / 1e6));
        set(item, "from", step.side == TRANSCRIPT_INITIATOR ? "initiator" : "target");
        set(item, "pdu", step.opcode);
        if (step.login) {
            if (step.status >= 0) {
                snprintf(code, sizeof code, "0x%04x", (unsigned)step.status & 0xffffu);
                set(item, "status", code);
            }
            json_object_set_new(item, "T", json_boolean(step.transit));
            json_object_set_new(item, "C", json_boolean(step.cont));
            set_number(item, "csg", step.csg);
            set_number(item, "nsg", step.nsg);
            set_number(item, "tsih", step.tsih);
            set_number(item, "keys", step.keys);
        }
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *keys_json(const struct lint_conn *c)
{
    json_t *list = json_array();
    struct lint_key key;

    for (size_t i = 0; lint_view_key(c, i, &key); i++) {
        json_t *item = json_object();

        set(item, "key", key.name);
        set(item, "initiator", key.initiator);
        set(item, "target", key.target);
        set(item, "outcome", key.outcome);
        json_array_append_new(list, item);
    }
    return list;
}

static void set_who(json_t *item, const struct lint_conn *c)
{
    char text[240], isid[2 * PDU_ISID_LEN + 1];
    const struct audit_login *login = c->login;

    set(item, "initiator", lint_view_address(c, TRANSCRIPT_INITIATOR, text, sizeof text));
    set(item, "target", lint_view_address(c, TRANSCRIPT_TARGET, text, sizeof text));
    set_number(item, "stream", c->capture->stream);
    set_number(item, "first_frame", c->capture->first_frame);
    set_number(item, "last_frame", c->capture->last_frame);
    set(item, "outcome", lint_outcome_name(c->outcome));
    if (c->outcome == LINT_REFUSED || c->outcome == LINT_MOVED) {
        snprintf(text, sizeof text, "0x%04x", c->status);
        set(item, "status", text);
        set(item, "status_name", status_name_or_class(c->status));
    }
    if (login->count == 0 || !login->exchanges[0].login_request)
        return;
    set(item, "initiator_name", lint_value(login, KEYS_INITIATOR_NAME, TRANSCRIPT_INITIATOR, text, sizeof text));
    set(item, "target_name", lint_value(login, KEYS_TARGET_NAME, TRANSCRIPT_INITIATOR, text, sizeof text));
    set(item, "session_type", login->discovery ? "Discovery" : "Normal");
    for (size_t i = 0; i < PDU_ISID_LEN; i++)
        snprintf(isid + 2 * i, 3, "%02x", login->exchanges[0].req.isid[i]);
    set(item, "isid", isid);
    set_number(item, "cid", login->exchanges[0].req.cid);
    set_number(item, "tsih",
               login->final != AUDIT_NONE ? login->exchanges[login->final].rsp.tsih : login->exchanges[0].req.tsih);
}

static bool json_conn(void *context, const struct lint_conn *c)
{
    json_t *item = json_object(), *findings = json_array(), *unjudged = json_array();
    char end[200];

    set(item, "type", "connection");
    set(item, "file", c->file);
    set_who(item, c);
    json_object_set_new(item, "steps", steps_json(c));
    json_object_set_new(item, "keys", keys_json(c));
    set(item, "end", lint_view_end(c, end, sizeof end));
    for (size_t i = 0; i < c->finding_count; i++)
        json_array_append_new(findings, finding_json(&c->findings[i]));
    json_object_set_new(item, "findings", findings);
    for (size_t i = 0; i < c->unjudged_count; i++)
        json_array_append_new(unjudged, result_text(c->unjudged[i]));
    json_object_set_new(item, "not_judged", unjudged);
    return lint_writer_put(context, item);
}

static bool json_across(void *context, const char *file, const struct lint_finding *f)
{
    json_t *item = json_object(), *findings = json_array();

    set(item, "type", "across");
    set(item, "file", file);
    json_array_append_new(findings, finding_json(f));
    json_object_set_new(item, "findings", findings);
    return lint_writer_put(context, item);
}

static bool json_file(void *context, const char *file, const struct capture_counts *n, const char *error)
{
    json_t *item = json_object();

    set(item, "type", "file");
    set(item, "file", file);
    set(item, "error", error);
    if (n) {
        set_number(item, "frames", n->frames);
        set_number(item, "filtered", n->filtered);
        set_number(item, "tcp", n->tcp);
        set_number(item, "other", n->other);
        set_number(item, "unread", n->unread);
        set_number(item, "fragments", n->fragments);
        set_number(item, "short_headers", n->short_headers);
        set_number(item, "bad_headers", n->bad_headers);
        set_number(item, "connections", n->connections);
        set_number(item, "iscsi", n->iscsi);
        set_number(item, "early", n->early);
    }
    return lint_writer_put(context, item);
}

static bool json_begin(void *context, const struct catalogue *rules)
{
    struct lint_writer *w = context;

    fprintf(w->out, "{\"schema\":\"iscsispec-lint/1\",\"catalogue\":\"%s\",\"items\":[", rules->hash);
    return !ferror(w->out);
}

static bool json_end(void *context, const struct lint_totals *t, const struct catalogue *rules)
{
    struct lint_writer *w = context;
    json_t *codes = json_array(), *outcomes = json_object();
    bool fine;

    (void)rules;
    for (size_t i = 0; i < t->code_count; i++) {
        json_t *item = json_object();
        char code[8];

        snprintf(code, sizeof code, "0x%04x", t->codes[i].code);
        set(item, "code", code);
        set(item, "name", status_name_or_class(t->codes[i].code));
        set_number(item, "count", t->codes[i].count);
        if (t->codes[i].count > 0) {
            set(item, "file", t->codes[i].file);
            set_number(item, "stream", t->codes[i].stream);
            set_number(item, "frame", t->codes[i].frame);
        }
        json_array_append_new(codes, item);
    }
    for (int i = 0; i < LINT_OUTCOMES; i++)
        set_number(outcomes, lint_outcome_name((enum lint_outcome)i), t->outcomes[i]);
    fputs("\n],\"codes\":", w->out);
    fine = json_dumpf(codes, w->out, JSON_COMPACT | JSON_PRESERVE_ORDER) == 0;
    fputs(",\"outcomes\":", w->out);
    fine = fine && json_dumpf(outcomes, w->out, JSON_COMPACT | JSON_PRESERVE_ORDER) == 0;
    fprintf(w->out,
            ",\"connections\":%llu,\"findings\":{\"fail\":%llu,\"warn\":%llu,\"info\":%llu},\"interrupted\":%s}\n",
            (unsigned long long)t->connections, (unsigned long long)t->findings[RULE_FAIL],
            (unsigned long long)t->findings[RULE_WARN], (unsigned long long)t->findings[RULE_INFO],
            t->interrupted ? "true" : "false");
    json_decref(codes);
    json_decref(outcomes);
    return fine && fflush(w->out) == 0 && !ferror(w->out);
}

void lint_json(struct lint_writer *w, FILE *out, struct lint_sink *sink)
{
    *w = (struct lint_writer){.out = out};
    *sink = (struct lint_sink){w, json_begin, json_conn, json_across, json_file, json_end};
}
