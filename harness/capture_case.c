/* Cases made of recorded logins: see capture_case.h. */
#include "harness/capture_case.h"

#include "harness/audit/report.h"
#include "harness/capture_case_raw.h"
#include "harness/case_shadow.h"
#include "wire/status.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Length of a file's name without what only tells its format. */
static size_t stem_len(const char *name)
{
    static const char *const suffixes[] = {".gz", ".pcap", ".pcapng", ".cap"};
    size_t len = strlen(name);

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        size_t n = strlen(suffixes[i]);

        if (len > n && strncmp(name + len - n, suffixes[i], n) == 0)
            len -= n;
    }
    return len;
}

void capture_case_prefix(const char *file, char *out, size_t cap)
{
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    size_t n = (size_t)snprintf(out, cap, "captured."), len = stem_len(name);
    char last = '.';

    for (size_t i = 0; i < len && n + 1 < cap; i++) {
        char to = isalnum((unsigned char)name[i]) ? (char)tolower((unsigned char)name[i]) : '-';

        if (to == '-' && (last == '-' || last == '.'))
            continue;
        out[n++] = last = to;
    }
    while (n > 0 && (out[n - 1] == '-' || out[n - 1] == '.'))
        n--;
    out[n] = '\0';
}

const char *capture_case_condition(const struct login_facts *facts)
{
    static const struct {
        uint16_t status;
        const char *condition;
    } rows[] = {
        {STATUS_MOVED_TEMPORARILY, "moved-temporarily"},
        {STATUS_MOVED_PERMANENTLY, "moved-permanently"},
        {STATUS_AUTHENTICATION_FAILURE, "chap"},
        {STATUS_AUTHORIZATION_FAILURE, "denied"},
        {STATUS_TARGET_REMOVED, "removed"},
        {STATUS_TOO_MANY_CONNECTIONS, "limited-connections"},
        {STATUS_TARGET_ERROR, "store-fault"},
        {STATUS_SERVICE_UNAVAILABLE, "drained"},
        {STATUS_OUT_OF_RESOURCES, "session-limit"},
    };

    if (facts->mutual)
        return "mutual-chap";
    if (facts->chap)
        return facts->discovery ? "discovery-chap" : "chap";
    for (size_t i = 0; facts->end == LOGIN_REFUSED && i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].status == facts->status)
            return rows[i].condition;
    if (facts->discovery)
        return facts->status == STATUS_SESSION_TYPE_NOT_SUPPORTED ? "no-discovery" : "discovery";
    return "open";
}

/* What the capture shows of the end, as an expectation. False: it shows nothing. */
static bool write_expectation(FILE *out, const struct replay_source *source, const char *indent)
{
    const struct login_facts *f = &source->facts;
    const struct transcript_pdu *last = NULL;

    for (size_t i = 0; i < source->count; i++)
        if (source->pdus[i].side == TRANSCRIPT_TARGET && source->pdus[i].number == f->responses)
            last = &source->pdus[i];
    fprintf(out, "%s- expect: { on: A, ", indent);
    switch (f->end) {
    case LOGIN_COMPLETE:
        fputs("ffp: true }\n", out);
        return true;
    case LOGIN_REFUSED:
        fprintf(out, "any: [{ status: 0x%04x }]%s }\n", f->status, f->target_closed ? ", then: closed" : "");
        return true;
    case LOGIN_CLOSED:
        fputs("any: [close] }\n", out);
        return true;
    case LOGIN_OTHER:
        if (!last || f->opcode != PDU_REJECT)
            return false;
        fprintf(out, "any: [\"reject-pdu:0x%02x\"]%s }\n", last->bhs[2], f->target_closed ? ", then: closed" : "");
        return true;
    case LOGIN_UNFINISHED:
        fputs("any: [accept] }\n", out);
        return f->responses > 0;
    case LOGIN_NONE:
        break;
    }
    return false;
}

static void write_head(FILE *out, const struct replay_script *script, size_t conn,
                       const struct capture_case_about *about, const struct capture_case *made, const char *portal)
{
    const struct replay_source *source = &script->sources[conn];
    const struct login_facts *f = &source->facts;
    const char *slash = strrchr(about->file, '/'), *name = slash ? slash + 1 : about->file;
    char outcome[120], file[256];

    login_facts_outcome(f, outcome, sizeof(outcome));
    audit_quote(file, sizeof(file), name, strlen(name));
    fprintf(out, "# From %s, TCP connection %s: %s%s; auditor on the target: %s\n", file, source->conn->name, outcome,
            f->target_closed && f->end == LOGIN_REFUSED ? ", then closed by the target" : "", about->verdict);
    fprintf(out, "- id: %s\n  title: \"A recorded %slogin comes out as it did: %s\"\n", made->id,
            f->discovery ? "discovery " : "", outcome);
    if (f->end == LOGIN_REFUSED && status_find(f->status))
        fprintf(out, "  code: 0x%04x\n", f->status);
    fprintf(out, portal ? "  needs: [%s, %s]\n  steps:\n" : "  needs: [%s]\n  steps:\n", made->condition, portal);
    if (f->end == LOGIN_REFUSED && f->status == STATUS_OUT_OF_RESOURCES)
        fputs("    - login: { as: L, base: plain } # the session that filled the target\n"
              "    - expect: { on: L, ffp: true }\n",
              out);
}

static void write_edited(FILE *out, const struct case_shadow *shadow, const struct login_facts *f)
{
    fprintf(out, "    - login:\n        as: A\n        base: %s\n", case_base_name(shadow->base));
    if (shadow->base == CASE_BASE_DISCOVERY && shadow->via != CASE_BASE_PLAIN)
        fprintf(out, "        via: %s\n", case_base_name(shadow->via));
    if (f->end == LOGIN_REFUSED && f->status == STATUS_NOT_FOUND && *f->target)
        fputs("        target: \"{absent_target}\"\n", out);
    if (shadow->stops)
        fprintf(out, "        stop: { after: %u, when: answered }\n", f->requests);
    if (shadow->edit_count)
        fprintf(out, "        edits: [%s]\n", shadow->edits);
}

/* Why no case can be made; NULL one can. */
static const char *reason_against(const struct replay_source *source)
{
    const struct login_facts *f = &source->facts;

    if (*source->skipped)
        return source->skipped;
    if (f->end == LOGIN_NONE)
        return "it does not begin with a login";
    if (f->end == LOGIN_UNFINISHED && f->responses == 0)
        return "what the target answered is not in the capture";
    if (f->end == LOGIN_OTHER && f->opcode != PDU_REJECT)
        return "the target answered with a PDU that no case can expect";
    for (size_t i = 0; i < source->count && source->pdus[i].number <= f->requests; i++)
        if (source->pdus[i].side == TRANSCRIPT_INITIATOR && !source->pdus[i].whole)
            return "a request breaks off";
    return NULL;
}

int capture_case_write(FILE *out, const struct replay_script *script, size_t conn,
                       const struct capture_case_about *about, struct capture_case *made)
{
    const struct replay_source *source = &script->sources[conn];
    const char *against = reason_against(source);
    struct case_shadow shadow = {.edits = NULL};
    const char *portal = NULL;
    char *raw = NULL;
    int rc = 0;

    memset(made, 0, sizeof(*made));
    snprintf(made->id, sizeof(made->id), "%.100s.c%.16s", about->id_prefix, source->conn->name);
    for (char *c = made->id; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    made->condition = capture_case_condition(&source->facts);
    if (against) {
        snprintf(made->why, sizeof(made->why), "%s", against);
        return 0;
    }
    rc = case_shadow_make(source, about->secret, &shadow);
    if (rc == 0)
        rc = capture_case_raw(script, conn, about->secret, &raw, &portal, made->why, sizeof(made->why));
    if (rc > 0) {
        made->form = raw ? CAPTURE_CASE_RAW : CAPTURE_CASE_EDITS;
        made->edits = raw ? 0 : shadow.edit_count;
        write_head(out, script, conn, about, made, portal);
        if (raw)
            fputs(raw, out);
        else
            write_edited(out, &shadow, &source->facts);
        write_expectation(out, source, "    ");
    }
    free(shadow.edits);
    free(raw);
    return rc < 0 ? -1 : 0;
}
