#include "reports/coverage.h"

#include "harness/killtable.h"

#include <stdio.h>
#include <string.h>

/* The condition of cases that make a target answer a code without a cause. */

/* What it takes to see a code from a target, in the order of the table of RFC 7143, 11.13.5. */
static const struct {
    uint16_t code;
    enum coverage_reach reach;
    const char *advice;
} reaches[] = {
    {STATUS_SUCCESS, COVERAGE_BY_WIRE, "log in with a name that is served"},
    {STATUS_MOVED_TEMPORARILY, COVERAGE_BY_FEATURE, "redirect a target to another portal for a while"},
    {STATUS_MOVED_PERMANENTLY, COVERAGE_BY_FEATURE, "give a target a new address for good"},
    {STATUS_INITIATOR_ERROR, COVERAGE_BY_WIRE, "send a negotiated key twice"},
    {STATUS_AUTHENTICATION_FAILURE, COVERAGE_BY_CONFIGURATION, "demand CHAP and log in with a wrong secret"},
    {STATUS_AUTHORIZATION_FAILURE, COVERAGE_BY_CONFIGURATION, "allow another initiator only"},
    {STATUS_NOT_FOUND, COVERAGE_BY_WIRE, "ask for a name that does not exist"},
    {STATUS_TARGET_REMOVED, COVERAGE_BY_FEATURE, "remember the names of targets that were removed"},
    {STATUS_UNSUPPORTED_VERSION, COVERAGE_BY_WIRE, "offer a version range without 0x00"},
    {STATUS_TOO_MANY_CONNECTIONS, COVERAGE_BY_CONFIGURATION, "limit the connections of a session and add one more"},
    {STATUS_MISSING_PARAMETER, COVERAGE_BY_WIRE, "leave InitiatorName or TargetName out"},
    {STATUS_CANT_INCLUDE_IN_SESSION, COVERAGE_BY_CONFIGURATION, "have two portal groups and join across them"},
    {STATUS_SESSION_TYPE_NOT_SUPPORTED, COVERAGE_BY_CONFIGURATION, "switch discovery off on a portal"},
    {STATUS_SESSION_DOES_NOT_EXIST, COVERAGE_BY_WIRE, "join a session with a TSIH that nobody has"},
    {STATUS_INVALID_DURING_LOGIN, COVERAGE_BY_WIRE, "send another PDU between two Login Requests"},
    {STATUS_TARGET_ERROR, COVERAGE_BY_FEATURE, "look at the backing store during login and take it away"},
    {STATUS_SERVICE_UNAVAILABLE, COVERAGE_BY_FEATURE, "drain a portal before shutting down"},
    {STATUS_OUT_OF_RESOURCES, COVERAGE_BY_CONFIGURATION, "limit the number of sessions and open one more"},
};

static const char *code_text(uint16_t code, char buf[8])
{
    snprintf(buf, 8, "0x%04x", (unsigned)code);
    return buf;
}

static bool is_for_code(const json_t *line, uint16_t code)
{
    const json_t *own = json_object_get(line, "code");

    return json_is_integer(own) && json_integer_value(own) == code;
}

static bool reached_verdict(const json_t *line)
{
    enum verdict v = result_verdict(line);

    return v != VERDICT_SKIP && v != VERDICT_ERROR;
}

static bool came(const json_t *line, const char *code)
{
    const json_t *seen = json_object_get(line, "seen");

    for (size_t i = 0; i < json_array_size(seen); i++) {
        const json_t *statuses = json_object_get(json_array_get(seen, i), "status");

        for (size_t k = 0; k < json_array_size(statuses); k++) {
            const char *status = json_string_value(json_array_get(statuses, k));

            if (status != NULL && strcmp(status, code) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* Does the target answer this code without a cause (--force)? Then that it came proves nothing. */
static bool is_forced(const struct results *r, const char *code)
{
    const json_t *forced = json_object_get(r->head, "forced");

    for (size_t i = 0; i < json_array_size(forced); i++) {
        const char *told = json_string_value(json_array_get(forced, i));

        if (told != NULL && strcmp(told, code) == 0) {
            return true;
        }
    }
    return false;
}

/* The answer that came instead: the last refusal, else what became of the last connection. */
static void other_answer(const json_t *line, char *out, size_t out_len)
{
    const json_t *seen = json_object_get(line, "seen");
    const json_t *last = json_array_get(seen, json_array_size(seen) - 1);
    const char *end = result_string(last, "end");

    if (json_is_true(json_object_get(last, "ffp"))) {
        end = "login";
    } else {
        end = end[0] == '\0' || strcmp(end, "open") == 0 ? "nothing" : "close";
    }
    snprintf(out, out_len, "%s", end);
    for (size_t i = 0; i < json_array_size(seen); i++) {
        const json_t *conn = json_array_get(seen, i);
        const json_t *statuses = json_object_get(conn, "status");

        for (size_t k = 0; k < json_array_size(statuses); k++) {
            const char *status = json_string_value(json_array_get(statuses, k));

            if (status != NULL && strncmp(status, "0x", 2) == 0 && strcmp(status, "0x0000") != 0) {
                snprintf(out, out_len, "%s", status + 2);
            }
        }
    }
}

static bool is_right(const json_t *line)
{
    enum verdict v = result_verdict(line);

    /* The answer may be right although the audit found something else. */
    verdict_parse(json_string_value(json_object_get(line, "judged")), &v);
    return v == VERDICT_PASS || v == VERDICT_WARN;
}

static bool counts_as_failed(const json_t *line)
{
    enum verdict v = result_verdict(line);

    return v == VERDICT_FAIL || v == VERDICT_CRASH || v == VERDICT_XPASS || v == VERDICT_XFAIL;
}

/* What one case adds to the row of its code. */
static void add_case(struct coverage_row *row, const json_t *line, const char *code, bool forced)
{
    if (!reached_verdict(line)) {
        return;
    }
    row->ran++;
    row->failed += counts_as_failed(line);
    row->waived += result_verdict(line) == VERDICT_XFAIL;
    row->unproven += !killtable_proves(json_object_get(line, "proven"));
    if (came(line, code)) {
        if (row->shown_by == NULL) {
            row->shown_by = line;
        }
        row->server = forced ? COVERAGE_FORCED : COVERAGE_SEEN;
        return;
    }
    /* A wrong answer says more than a rightful other one. */
    if (row->missed_by == NULL || (is_right(row->missed_by) && !is_right(line))) {
        row->missed_by = line;
    }
}

/* What the profile says of a code that its target does not offer; "" nothing. */
static const char *told_of(const struct results *r, const char *text)
{
    const json_t *told = json_object_get(r->head, "not_offered");

    for (size_t i = 0; i < json_array_size(told); i++) {
        const json_t *entry = json_array_get(told, i);
        const char *own = json_string_value(json_object_get(entry, "code"));
        const char *reason = json_string_value(json_object_get(entry, "reason"));

        if (own != NULL && strcmp(own, text) == 0 && reason != NULL) {
            return reason;
        }
    }
    return "";
}

/* Why no case for the code ran. */
static const char *reason_of(const struct results *r, uint16_t code, const char *text)
{
    const char *told = told_of(r, text);

    if (told[0] != '\0') {
        return told;
    }
    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        const json_t *line = json_array_get(r->cases, i);
        const char *reason = json_string_value(json_object_get(line, "reason"));

        if (is_for_code(line, code) && reason != NULL) {
            return reason;
        }
    }
    return "no case for it was selected";
}

static void compute_row(struct coverage_row *row, const struct results *r, size_t index)
{
    const json_t *decoders = json_object_get(json_object_get(r->head, "decoder"), "codes");
    const json_t *note;
    char code[8];

    memset(row, 0, sizeof(*row));
    row->status = status_at(index);
    code_text(row->status->code, code);
    row->decoder = json_object_get(decoders, code);
    row->decoded = json_is_true(json_object_get(row->decoder, "ok"));
    for (size_t i = 0; i < json_array_size(r->cases); i++) {
        const json_t *line = json_array_get(r->cases, i);

        if (is_for_code(line, row->status->code)) {
            add_case(row, line, code, is_forced(r, code));
        }
    }
    if (row->server == COVERAGE_NOT_OFFERED && row->missed_by != NULL) {
        row->server = is_right(row->missed_by) ? COVERAGE_OTHER : COVERAGE_WRONG;
        other_answer(row->missed_by, row->other, sizeof(row->other));
    }
    row->test = row->ran == 0 ? COVERAGE_NOT_RUN : (row->unproven > 0 ? COVERAGE_UNPROVEN : COVERAGE_PROVEN);
    row->told = told_of(r, code);
    row->reason = reason_of(r, row->status->code, code);
    note = json_object_get(json_object_get(r->head, "code_notes"), code);
    row->source = result_string(note, "source");
    row->note = result_string(note, "note");
    row->advice = "";
    for (size_t i = 0; i < sizeof(reaches) / sizeof(reaches[0]); i++) {
        if (reaches[i].code == row->status->code) {
            row->reach = reaches[i].reach;
            row->advice = reaches[i].advice;
        }
    }
}

void coverage_compute(struct coverage *out, const struct results *r)
{
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        compute_row(&out->rows[i], r, i);
        out->decoded += out->rows[i].decoded;
        out->seen += out->rows[i].server == COVERAGE_SEEN;
        out->proven += out->rows[i].test == COVERAGE_PROVEN;
    }
}

const char *coverage_decoder_cell(const struct coverage_row *row)
{
    return row->decoded ? "✅" : "❌";
}

const char *coverage_server_cell(const struct coverage_row *row, char *buf, size_t buf_len)
{
    switch (row->server) {
    case COVERAGE_SEEN:
        return "✅";
    case COVERAGE_FORCED:
        return "forced";
    case COVERAGE_OTHER:
        snprintf(buf, buf_len, "○ %s", row->other);
        return buf;
    case COVERAGE_WRONG:
        return "❌";
    case COVERAGE_NOT_OFFERED:
        break;
    }
    return "–";
}

const char *coverage_test_cell(const struct coverage_row *row, char *buf, size_t buf_len)
{
    if (row->test != COVERAGE_PROVEN) {
        return "❌";
    }
    if (row->failed == 0) {
        return "✅";
    }
    snprintf(buf, buf_len, "✅ %zu of %zu failed", row->failed, row->ran);
    return buf;
}

unsigned coverage_percent(size_t part)
{
    return (unsigned)((part * 200 + STATUS_COUNT) / (STATUS_COUNT * 2));
}

const char *coverage_decoder_name(const struct results *r, char *buf, size_t buf_len)
{
    const json_t *decoder = json_object_get(r->head, "decoder");
    const char *name = result_string(decoder, "name");

    snprintf(buf, buf_len, "%s", name[0] != '\0' ? name : "not measured");
    return buf;
}

const char *coverage_server_name(enum coverage_server server)
{
    static const char *const names[] = {[COVERAGE_NOT_OFFERED] = "not-offered",
                                        [COVERAGE_SEEN] = "seen",
                                        [COVERAGE_FORCED] = "forced",
                                        [COVERAGE_OTHER] = "other",
                                        [COVERAGE_WRONG] = "wrong"};

    return names[server];
}

const char *coverage_test_name(enum coverage_test test)
{
    static const char *const names[] = {
        [COVERAGE_NOT_RUN] = "not-run", [COVERAGE_UNPROVEN] = "unproven", [COVERAGE_PROVEN] = "proven"};

    return names[test];
}

const char *coverage_reach_name(enum coverage_reach reach)
{
    static const char *const names[] = {[COVERAGE_BY_WIRE] = "from the wire alone",
                                        [COVERAGE_BY_CONFIGURATION] = "by configuration",
                                        [COVERAGE_BY_FEATURE] = "by a feature"};

    return names[reach];
}
