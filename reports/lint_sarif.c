/*
 * SARIF 2.1.0 of lint, written as it comes. A capture has no lines: a result names the file, and in its message and its
 * properties the frame.
 */
#include "reports/lint_view.h"
#include "reports/lint_writers.h"

#include "harness/result.h"
#include "harness/version.h"

#include <jansson.h>
#include <string.h>

static bool sarif_begin(void *context, const struct catalogue *rules)
{
    struct lint_writer *w = context;

    (void)rules;
    fputs("{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\n"
          "\"columnKind\":\"utf16CodeUnits\",\"results\":[",
          w->out);
    return !ferror(w->out);
}

static const char *level_of(enum rule_severity severity)
{
    return severity == RULE_FAIL ? "error" : severity == RULE_WARN ? "warning" : "note";
}

static bool put_result(struct lint_writer *w, const char *file, const struct lint_finding *f)
{
    char place[160], text[1600];
    json_t *message, *item;

    snprintf(text, sizeof text, "tcp.stream %u, %s: was %s; allowed: %s", f->stream,
             lint_view_place(f, place, sizeof place), f->was, f->allowed);
    message = result_text(text);
    /* The frame, as a line, makes results of one rule different places for who shows them. */
    item = json_pack("{s:s, s:s, s:{s:o}, s:[{s:{s:{s:o}, s:{s:I}}}], s:{s:I, s:I, s:s}}", "ruleId", f->id, "level",
                     level_of(f->severity), "message", "text", message, "locations", "physicalLocation",
                     "artifactLocation", "uri", result_text(file), "region", "startLine",
                     (json_int_t)(f->frame > 0 ? f->frame : 1), "properties", "frame", (json_int_t)f->frame,
                     "tcpStream", (json_int_t)f->stream, "party", rule_party_name(f->party));
    return lint_writer_put(w, item);
}

static bool sarif_conn(void *context, const struct lint_conn *c)
{
    for (size_t i = 0; i < c->finding_count; i++)
        if (!put_result(context, c->file, &c->findings[i]))
            return false;
    return true;
}

static bool sarif_across(void *context, const char *file, const struct lint_finding *f)
{
    return put_result(context, file, f);
}

static json_t *rule_json(const char *id, const char *text, const char *section, enum rule_severity severity)
{
    return json_pack("{s:s, s:{s:o}, s:{s:o}, s:{s:s}}", "id", id, "shortDescription", "text", result_text(text),
                     "help", "text", result_text(section), "defaultConfiguration", "level", level_of(severity));
}

static bool sarif_end(void *context, const struct lint_totals *t, const struct catalogue *rules)
{
    struct lint_writer *w = context;
    json_t *list = json_array();
    json_t *tool;
    bool fine;

    for (size_t i = 0; i < rules->count; i++)
        if (t->rule_hits[i] > 0)
            json_array_append_new(list, rule_json(rules->rules[i].id, rules->rules[i].text, rules->rules[i].section,
                                                  rules->rules[i].severity));
    json_array_append_new(list, rule_json("lint.session-lost", "A session ends without logout and does not come back.",
                                          "seen across connections", RULE_WARN));
    json_array_append_new(list, rule_json("lint.redirect-loop", "Redirections lead in a circle.",
                                          "RFC7143 11.13.5, seen across connections", RULE_FAIL));
    tool = json_pack("{s:{s:s, s:s, s:o}}", "driver", "name", "iscsispec lint", "version", ISCSISPEC_VERSION, "rules",
                     list);
    fputs("\n],\"tool\":", w->out);
    fine = tool && json_dumpf(tool, w->out, JSON_COMPACT | JSON_PRESERVE_ORDER) == 0;
    fprintf(w->out, ",\"invocations\":[{\"executionSuccessful\":%s}]}]}\n",
            t->unreadable == 0 && !t->interrupted ? "true" : "false");
    json_decref(tool);
    return fine && fflush(w->out) == 0 && !ferror(w->out);
}

void lint_sarif(struct lint_writer *w, FILE *out, struct lint_sink *sink)
{
    *w = (struct lint_writer){.out = out};
    *sink = (struct lint_sink){w, sarif_begin, sarif_conn, sarif_across, NULL, sarif_end};
}
