/* The text of lint: for each connection who, stage by stage, keys, findings; then what all together show. */
#include "reports/lint_view.h"
#include "reports/lint_writers.h"

#include <inttypes.h>
#include <string.h>

static void print_wrapped(FILE *out, const char *lead, const char *text)
{
    size_t indent = strlen(lead);
    size_t at = indent;

    fputs(lead, out);
    while (*text != '\0') {
        size_t word;

        text += strspn(text, " \n");
        word = strcspn(text, " \n");
        if (word == 0)
            break;
        if (at > indent && at + 1 + word > 110) {
            fprintf(out, "\n%*s", (int)indent, "");
            at = indent;
        }
        at += (size_t)fprintf(out, "%s%.*s", at > indent ? " " : "", (int)word, text);
        text += word;
    }
    fputc('\n', out);
}

static void print_who(FILE *out, const struct lint_conn *c)
{
    char initiator[240], target[240], type[40];
    const struct audit_login *login = c->login;

    if (login->count == 0 || !login->exchanges[0].login_request)
        return;
    lint_value(login, KEYS_INITIATOR_NAME, TRANSCRIPT_INITIATOR, initiator, sizeof initiator);
    lint_value(login, KEYS_TARGET_NAME, TRANSCRIPT_INITIATOR, target, sizeof target);
    lint_value(login, KEYS_SESSION_TYPE, TRANSCRIPT_INITIATOR, type, sizeof type);
    fprintf(out, "  initiator %s, target %s, session type %s\n", initiator[0] ? initiator : "not named",
            target[0] ? target : "not named", type[0] ? type : "Normal (by default)");
    fputs("  ISID ", out);
    for (size_t i = 0; i < PDU_ISID_LEN; i++)
        fprintf(out, "%02x", login->exchanges[0].req.isid[i]);
    fprintf(out, ", CID %u, TSIH ", login->exchanges[0].req.cid);
    if (login->leading)
        fputs("0: a new session", out);
    else
        fprintf(out, "0x%04x: joins a session", login->exchanges[0].req.tsih);
    if (login->final != AUDIT_NONE)
        fprintf(out, "; the target gave 0x%04x", login->exchanges[login->final].rsp.tsih);
    fputc('\n', out);
}

static void print_steps(FILE *out, const struct lint_conn *c)
{
    struct lint_step step;
    char stage[120];

    for (size_t i = 0; lint_view_step(c, i, &step); i++) {
        fprintf(out, "  %8" PRIu64 "  %10.6f  %s  ", step.frame, (double)step.at_us / 1e6,
                step.side == TRANSCRIPT_INITIATOR ? "-->" : "<--");
        if (!step.login) {
            fprintf(out, "%s\n", step.opcode);
            continue;
        }
        if (step.status >= 0)
            fprintf(out, "0x%04x %s; ", (unsigned)step.status, status_name_or_class((unsigned)step.status));
        fprintf(out, "%s", lint_view_stage(&step, stage, sizeof stage));
        if (step.keys > 0)
            fprintf(out, "; %zu key%s", step.keys, step.keys == 1 ? "" : "s");
        fputc('\n', out);
    }
}

static void print_keys(FILE *out, const struct lint_conn *c)
{
    struct lint_key key;

    for (size_t i = 0; lint_view_key(c, i, &key); i++) {
        if (i == 0)
            fprintf(out, "  %-26s %-32s %-32s %s\n", "key", "initiator", "target", "outcome");
        fprintf(out, "  %-26s %-32s %-32s %s\n", key.name, key.initiator[0] ? key.initiator : "-",
                key.target[0] ? key.target : "-", key.outcome);
    }
}

static void print_status(FILE *out, const struct lint_conn *c)
{
    const struct status_entry *known = status_find(c->status);
    const struct status_class_entry *class = status_class_find(status_class(c->status));
    char line[80];

    snprintf(line, sizeof line, "  0x%04x: ", c->status);
    print_wrapped(out, line, known ? known->meaning : class->meaning);
    if (known && known->checks && known->checks[0])
        print_wrapped(out, "  check first: ", known->checks[0]);
    fprintf(out, "  look at: %s; retry: %s\n", status_fault_name(known ? known->fault : class->fault),
            status_retry_name(known ? known->retry : class->retry));
}

static void print_finding(FILE *out, const struct lint_finding *f)
{
    char place[160], line[1400];

    snprintf(line, sizeof line, "%s (%s), %s: was %s; allowed: %s", f->id, rule_party_name(f->party),
             lint_view_place(f, place, sizeof place), f->was, f->allowed);
    print_wrapped(out, f->severity == RULE_FAIL ? "  FAIL " : f->severity == RULE_WARN ? "  WARN " : "  info ", line);
    if (f->rule)
        print_wrapped(out, "       ", f->rule->text);
}

static bool text_conn(void *context, const struct lint_conn *c)
{
    struct lint_writer *w = context;
    FILE *out = w->out;
    char from[80], to[80], line[400];

    fprintf(out, "%s%s > %s, tcp.stream %u, frames %" PRIu64 " to %" PRIu64 ": %s", w->brief ? "" : "\n",
            lint_view_address(c, TRANSCRIPT_INITIATOR, from, sizeof from),
            lint_view_address(c, TRANSCRIPT_TARGET, to, sizeof to), c->capture->stream, c->capture->first_frame,
            c->capture->last_frame, lint_outcome_name(c->outcome));
    if (c->outcome == LINT_REFUSED || c->outcome == LINT_MOVED)
        fprintf(out, " with 0x%04x, %s", c->status, status_name_or_class(c->status));
    fputc('\n', out);
    if (!w->brief) {
        print_who(out, c);
        print_steps(out, c);
        print_keys(out, c);
        if (c->outcome == LINT_REFUSED || c->outcome == LINT_MOVED)
            print_status(out, c);
        fprintf(out, "  end: %s\n", lint_view_end(c, line, sizeof line));
    }
    for (size_t i = 0; i < c->finding_count; i++)
        print_finding(out, &c->findings[i]);
    if (c->more_findings)
        fputs("  ... and more findings than are kept\n", out);
    for (size_t i = 0; i < c->unjudged_count && !w->brief; i++)
        print_wrapped(out, "  not judged: ", c->unjudged[i]);
    return !ferror(out);
}

static bool text_across(void *context, const char *file, const struct lint_finding *f)
{
    struct lint_writer *w = context;

    (void)file;
    fprintf(w->out, "%sacross connections, tcp.stream %u:\n", w->brief ? "" : "\n", f->stream);
    print_finding(w->out, f);
    return !ferror(w->out);
}

static void print_counts(FILE *out, const struct capture_counts *n)
{
    fprintf(out, "%" PRIu64 " frames, %" PRIu64 " of TCP in %" PRIu64 " connections, %" PRIu64 " of them iSCSI",
            n->frames, n->tcp, n->connections, n->iscsi);
    if (n->filtered > 0)
        fprintf(out, "; %" PRIu64 " left out by the filter", n->filtered);
    if (n->fragments > 0)
        fprintf(out, "; %" PRIu64 " IP fragments, which are not put together (first: frame %" PRIu64 ")", n->fragments,
                n->first_fragment);
    if (n->unread > 0)
        fprintf(out, "; %" PRIu64 " of interfaces whose link type cannot be read", n->unread);
    if (n->short_headers > 0)
        fprintf(out, "; %" PRIu64 " with headers cut off by the snapshot length", n->short_headers);
    if (n->bad_headers > 0)
        fprintf(out, "; %" PRIu64 " with impossible headers (first: frame %" PRIu64 ")", n->bad_headers, n->first_bad);
    fputc('\n', out);
}

static bool text_file(void *context, const char *file, const struct capture_counts *counts, const char *error)
{
    struct lint_writer *w = context;

    fprintf(w->out, "\n%s: ", file);
    if (counts)
        print_counts(w->out, counts);
    else
        fputs("not read\n", w->out);
    if (error[0] != '\0')
        fprintf(w->out, "  %s\n", error);
    return !ferror(w->out);
}

static void print_codes(FILE *out, const struct lint_totals *t)
{
    size_t seen = 0;

    fputs("\n| Code | Name | Server | Times | First seen |\n|---|---|---|---|---|\n", out);
    for (size_t i = 0; i < t->code_count; i++) {
        const struct lint_code *code = &t->codes[i];

        seen += i < STATUS_COUNT && code->count > 0;
        fprintf(out, "| %04X | %s | %s | %" PRIu64 " | ", code->code, status_name_or_class(code->code),
                code->count > 0 ? "✅" : "–", code->count);
        if (code->count > 0)
            fprintf(out, "frame %" PRIu64 " (tcp.stream %u)%s%s", code->frame, code->stream, t->files > 1 ? " of " : "",
                    t->files > 1 ? code->file : "");
        fputs(" |\n", out);
    }
    fprintf(out, "Server: %zu/%u (%zu%%) of the codes were seen\n", seen, STATUS_COUNT,
            (seen * 200 + STATUS_COUNT) / (2 * STATUS_COUNT));
}

static bool text_end(void *context, const struct lint_totals *t, const struct catalogue *rules)
{
    struct lint_writer *w = context;
    FILE *out = w->out;

    print_codes(out, t);
    fprintf(out, "\n%" PRIu64 " connection%s:", t->connections, t->connections == 1 ? "" : "s");
    for (int i = 0; i < LINT_OUTCOMES; i++)
        if (t->outcomes[i] > 0)
            fprintf(out, " %" PRIu64 " %s,", t->outcomes[i], lint_outcome_name((enum lint_outcome)i));
    fprintf(out, " %" PRIu64 " with something that could not be judged\n", t->incomplete);
    fprintf(out, "findings: %" PRIu64 " fail, %" PRIu64 " warn, %" PRIu64 " info\n", t->findings[RULE_FAIL],
            t->findings[RULE_WARN], t->findings[RULE_INFO]);
    for (size_t i = 0; i < rules->count; i++)
        if (t->rule_hits[i] > 0)
            fprintf(out, "  %6" PRIu64 "  %-12s %-5s %s\n", t->rule_hits[i], rules->rules[i].id,
                    rule_severity_name(rules->rules[i].severity), rules->rules[i].text);
    if (t->interrupted)
        fputs("interrupted: only what was read until then is reported\n", out);
    return fflush(out) == 0 && !ferror(out);
}

void lint_text(struct lint_writer *w, FILE *out, bool brief, struct lint_sink *sink)
{
    *w = (struct lint_writer){.out = out, .brief = brief};
    *sink =
        (struct lint_sink){.context = w, .conn = text_conn, .across = text_across, .file = text_file, .end = text_end};
}
