/* HTML of lint: one page that needs nothing from elsewhere; a connection is a piece to be opened. */
#include "reports/lint_view.h"
#include "reports/lint_writers.h"

#include <inttypes.h>
#include <string.h>

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>iSCSI logins</title>\n<style>\n"
    "body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:75em;padding:0 "
    "1em;color:#1a1a1a;background:#fff}\n"
    "details{border:1px solid #ccc;border-radius:4px;margin:.4em 0;padding:.3em .7em}\n"
    "summary{cursor:pointer}\n"
    "table{border-collapse:collapse;margin:.5em 0;display:block;overflow-x:auto}\n"
    "td,th{border:1px solid #ddd;padding:.15em "
    ".5em;text-align:left;font-family:ui-monospace,monospace;font-size:13px}\n"
    ".fail{color:#a40000;font-weight:bold}.warn{color:#8a5a00;font-weight:bold}.info{color:#445}\n"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}details{border-color:#555}td,th{border-color:"
    "#444}"
    ".fail{color:#ff8a80}.warn{color:#ffcc66}.info{color:#aab}}\n"
    "</style></head><body>\n<h1>iSCSI logins</h1>\n";

static void put(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc(*text, out);
        }
    }
}

static void put_cell(FILE *out, const char *text)
{
    fputs("<td>", out);
    put(out, text);
    fputs("</td>", out);
}

static bool html_begin(void *context, const struct catalogue *rules)
{
    struct lint_writer *w = context;

    (void)rules;
    fputs(head, w->out);
    return !ferror(w->out);
}

static void put_finding(FILE *out, const struct lint_finding *f)
{
    const char *severity = rule_severity_name(f->severity);
    char place[160];

    fprintf(out, "<li><span class=\"%s\">%s</span> <b>%s</b> (%s), %s: was <code>", severity, severity, f->id,
            rule_party_name(f->party), lint_view_place(f, place, sizeof place));
    put(out, f->was);
    fputs("</code>; allowed: ", out);
    put(out, f->allowed);
    if (f->rule) {
        fputs("<br><small>", out);
        put(out, f->rule->text);
        fputs(" (", out);
        put(out, f->rule->section);
        fputs(")</small>", out);
    }
    fputs("</li>\n", out);
}

static void put_steps(FILE *out, const struct lint_conn *c)
{
    struct lint_step step;
    char stage[120], text[160];

    fputs("<table><tr><th>frame</th><th>time, "
          "s</th><th></th><th>PDU</th><th>stage</th><th>status</th><th>keys</th></tr>\n",
          out);
    for (size_t i = 0; lint_view_step(c, i, &step); i++) {
        fprintf(out, "<tr><td>%" PRIu64 "</td><td>%.6f</td><td>%s</td>", step.frame, (double)step.at_us / 1e6,
                step.side == TRANSCRIPT_INITIATOR ? "→" : "←");
        put_cell(out, step.opcode);
        put_cell(out, step.login ? lint_view_stage(&step, stage, sizeof stage) : "");
        text[0] = '\0';
        if (step.status >= 0)
            snprintf(text, sizeof text, "0x%04x %s", (unsigned)step.status & 0xffffu,
                     status_name_or_class((unsigned)step.status));
        put_cell(out, text);
        fprintf(out, "<td>%zu</td></tr>\n", step.keys);
    }
    fputs("</table>\n", out);
}

static void put_keys(FILE *out, const struct lint_conn *c)
{
    struct lint_key key;

    fputs("<table><tr><th>key</th><th>initiator</th><th>target</th><th>outcome</th></tr>\n", out);
    for (size_t i = 0; lint_view_key(c, i, &key); i++) {
        fputs("<tr>", out);
        put_cell(out, key.name);
        put_cell(out, key.initiator);
        put_cell(out, key.target);
        put_cell(out, key.outcome);
        fputs("</tr>\n", out);
    }
    fputs("</table>\n", out);
}

static void put_status(FILE *out, const struct lint_conn *c)
{
    const struct status_entry *known = status_find(c->status);
    const struct status_class_entry *class = status_class_find(status_class(c->status));

    fprintf(out, "<p><b>0x%04x</b>: ", c->status);
    put(out, known ? known->meaning : class->meaning);
    if (known && known->checks && known->checks[0]) {
        fputs(" Check first: ", out);
        put(out, known->checks[0]);
    }
    fputs("</p>\n", out);
}

static void put_summary(FILE *out, const struct lint_conn *c)
{
    char from[80], to[80], names[240];
    bool refused = c->outcome == LINT_REFUSED || c->outcome == LINT_MOVED;

    fprintf(out, "<details%s><summary>%s &gt; %s, tcp.stream %u, frames %" PRIu64 " to %" PRIu64 ": <b>%s</b>",
            c->finding_count > 0 ? " open" : "", lint_view_address(c, TRANSCRIPT_INITIATOR, from, sizeof from),
            lint_view_address(c, TRANSCRIPT_TARGET, to, sizeof to), c->capture->stream, c->capture->first_frame,
            c->capture->last_frame, lint_outcome_name(c->outcome));
    if (refused)
        fprintf(out, " with 0x%04x, %s", c->status, status_name_or_class(c->status));
    if (c->finding_count > 0)
        fprintf(out, "; %zu finding%s", c->finding_count, c->finding_count == 1 ? "" : "s");
    fputs("</summary>\n<p>initiator ", out);
    put(out, lint_value(c->login, KEYS_INITIATOR_NAME, TRANSCRIPT_INITIATOR, names, sizeof names));
    fputs(", target ", out);
    put(out, lint_value(c->login, KEYS_TARGET_NAME, TRANSCRIPT_INITIATOR, names, sizeof names));
    fputs("</p>\n", out);
}

static bool html_conn(void *context, const struct lint_conn *c)
{
    struct lint_writer *w = context;
    FILE *out = w->out;
    char end[200];

    put_summary(out, c);
    if (c->login->count > 0) {
        put_steps(out, c);
        put_keys(out, c);
    }
    if (c->outcome == LINT_REFUSED || c->outcome == LINT_MOVED)
        put_status(out, c);
    fprintf(out, "<p>End: %s</p>\n<ul>\n", lint_view_end(c, end, sizeof end));
    for (size_t i = 0; i < c->finding_count; i++)
        put_finding(out, &c->findings[i]);
    for (size_t i = 0; i < c->unjudged_count; i++) {
        fputs("<li>not judged: ", out);
        put(out, c->unjudged[i]);
        fputs("</li>\n", out);
    }
    fputs("</ul></details>\n", out);
    return !ferror(out);
}

static bool html_across(void *context, const char *file, const struct lint_finding *f)
{
    struct lint_writer *w = context;

    (void)file;
    fprintf(w->out, "<ul class=\"across\"><li>across connections, tcp.stream %u<ul>", f->stream);
    put_finding(w->out, f);
    fputs("</ul></li></ul>\n", w->out);
    return !ferror(w->out);
}

static bool html_file(void *context, const char *file, const struct capture_counts *counts, const char *error)
{
    struct lint_writer *w = context;

    fputs("<p>", w->out);
    put(w->out, file);
    if (counts)
        fprintf(w->out,
                ": %" PRIu64 " frames, %" PRIu64 " connections of TCP, %" PRIu64 " of them iSCSI, %" PRIu64
                " IP fragments that were not put together",
                counts->frames, counts->connections, counts->iscsi, counts->fragments);
    if (error[0] != '\0') {
        fputs(" <span class=\"fail\">", w->out);
        put(w->out, error);
        fputs("</span>", w->out);
    }
    fputs("</p>\n", w->out);
    return !ferror(w->out);
}

static bool html_end(void *context, const struct lint_totals *t, const struct catalogue *rules)
{
    struct lint_writer *w = context;
    FILE *out = w->out;

    fputs(
        "<h2>Codes</h2>\n<table><tr><th>Code</th><th>Name</th><th>Server</th><th>Times</th><th>First seen</th></tr>\n",
        out);
    for (size_t i = 0; i < t->code_count; i++) {
        const struct lint_code *code = &t->codes[i];

        fprintf(out, "<tr><td>%04X</td><td>%s</td><td>%s</td><td>%" PRIu64 "</td><td>", code->code,
                status_name_or_class(code->code), code->count > 0 ? "✅" : "–", code->count);
        if (code->count > 0)
            fprintf(out, "frame %" PRIu64 ", tcp.stream %u", code->frame, code->stream);
        fputs("</td></tr>\n", out);
    }
    fprintf(out, "</table>\n<h2>Findings</h2>\n<p>%" PRIu64 " fail, %" PRIu64 " warn, %" PRIu64 " info</p>\n<table>\n",
            t->findings[RULE_FAIL], t->findings[RULE_WARN], t->findings[RULE_INFO]);
    for (size_t i = 0; i < rules->count; i++) {
        if (t->rule_hits[i] == 0)
            continue;
        fprintf(out, "<tr><td>%" PRIu64 "</td><td>%s</td><td class=\"%s\">%s</td>", t->rule_hits[i], rules->rules[i].id,
                rule_severity_name(rules->rules[i].severity), rule_severity_name(rules->rules[i].severity));
        put_cell(out, rules->rules[i].text);
        fputs("</tr>\n", out);
    }
    fputs(t->interrupted ? "</table><p>Interrupted: only what was read until then is here.</p>\n" : "</table>\n", out);
    fputs("</body></html>\n", out);
    return fflush(out) == 0 && !ferror(out);
}

void lint_html(struct lint_writer *w, FILE *out, struct lint_sink *sink)
{
    *w = (struct lint_writer){.out = out};
    *sink = (struct lint_sink){w, html_begin, html_conn, html_across, html_file, html_end};
}

bool lint_writer_open(struct lint_writer *w, const char *format, FILE *out, bool brief, struct lint_sink *sink)
{
    if (strcmp(format, "text") == 0)
        lint_text(w, out, brief, sink);
    else if (strcmp(format, "json") == 0)
        lint_json(w, out, sink);
    else if (strcmp(format, "sarif") == 0)
        lint_sarif(w, out, sink);
    else if (strcmp(format, "html") == 0)
        lint_html(w, out, sink);
    else
        return false;
    return true;
}
