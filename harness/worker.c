#include "harness/worker.h"

#include "harness/audit.h"
#include "harness/capture.h"
#include "harness/ladder.h"
#include "harness/ladder_json.h"
#include "harness/lastword.h"
#include "harness/process.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * In a sanitizer build each case is asked whether it leaked, so that a leak costs the verdict of the case that made it.
 * Workers end by _exit, where the sanitizer would not look.
 */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WORKER_LEAK_CHECK 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WORKER_LEAK_CHECK 1
#endif
#ifdef WORKER_LEAK_CHECK
#include <sanitizer/lsan_interface.h>

static bool worker_leaked(void)
{
    return __lsan_do_recoverable_leak_check() != 0;
}
#else
static bool worker_leaked(void)
{
    return false;
}
#endif

enum {
    WORKER_SLACK_MS = 10000,
    WORKER_CONTROL_MS = 20000, /* a control verb and its undo */
    WORKER_ANSWERS = 16,       /* answers that one step may wait for: libiscsi sends at most 11 login PDUs */
};

void worker_evidence_name(const char *id, char *out, size_t out_len)
{
    size_t at = 0;

    for (; *id != '\0' && at + 1 < out_len; id++) {
        out[at++] = isalnum((unsigned char)*id) || strchr("._=,+-", *id) != NULL ? *id : '_';
    }
    out[at] = '\0';
}

int worker_deadline_ms(const struct worker_task *task)
{
    int64_t total = WORKER_SLACK_MS;

    for (size_t i = 0; i < task->c->step_count; i++) {
        const struct case_step *step = &task->c->steps[i];

        total += step->wait_ms + task->close_grace_ms + (step->kind == CASE_STEP_CONTROL ? WORKER_CONTROL_MS : 0);
        total += (int64_t)task->timeout_ms *
                 (step->kind == CASE_STEP_LOGIN || step->kind == CASE_STEP_FOLLOW ? WORKER_ANSWERS : 2);
        for (size_t k = 0; k < step->login.shape_count; k++) {
            const struct case_shape *shape = &step->login.shapes[k];

            total += shape->kind == CASE_SHAPE_SPLIT ? (int64_t)shape->delay_ms * 1024 : 0;
        }
    }
    return total < 600000 ? (int)total : 600000;
}

static int control(void *user, const char *verb, char *err, size_t err_len)
{
    return hooks_control(user, verb, err, err_len) == HOOKS_OK ? 0 : -1;
}

static bool is_ignored(const struct worker_task *task, const char *rule)
{
    const struct case_def *c = task->c;
    const struct rule *entry = catalogue_find(task->rules, rule);

    if (entry != NULL &&
        (!rule_counts(entry, &task->floor) || (c->invariants_only && entry->kind != RULE_KIND_INVARIANT))) {
        return true;
    }
    for (size_t i = 0; i < c->ignore_count; i++) {
        if (strcmp(c->ignores[i].rule, rule) == 0) {
            return true;
        }
    }
    return false;
}

/* What a finding is worth here: the rule's severity, and nothing when the rule is about the initiator: we deviate on
 * purpose. */
static enum rule_severity finding_severity(const struct worker_task *task, const struct finding *f)
{
    const struct rule *rule = catalogue_find(task->rules, f->rule);

    if (f->side == TRANSCRIPT_INITIATOR || (rule != NULL && rule->party == RULE_INITIATOR)) {
        return RULE_INFO;
    }
    if (f->tolerated && rule != NULL && rule->severity == RULE_FAIL) {
        return RULE_WARN;
    }
    return rule != NULL ? rule->severity : RULE_FAIL;
}

static json_t *finding_json(const struct transcript *t, const struct finding *f, enum rule_severity severity,
                            bool ignored)
{
    json_t *item = json_pack(
        "{s:s, s:s, s:o, s:i, s:s, s:I, s:I, s:o, s:o}", "rule", f->rule, "severity", rule_severity_name(severity),
        "conn", result_text(f->conn < t->conn_count ? t->conns[f->conn]->name : "?"), "pdu", (int)f->pdu, "side",
        f->side == TRANSCRIPT_TARGET ? "target" : "initiator", "offset", (json_int_t)f->offset, "length",
        (json_int_t)f->len, "was", result_text(f->was), "allowed", result_text(f->allowed));

    if (item != NULL && ignored) {
        json_object_set_new(item, "ignored", json_true());
    }
    return item;
}

/* Adds the findings to the line and makes the verdict worse where they ask for it. */
static void apply_findings(const struct worker_task *task, const struct transcript *t, const struct finding_list *list,
                           json_t *findings, enum verdict *verdict, char *reason, size_t reason_len)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct finding *f = &list->items[i];
        enum rule_severity severity = finding_severity(task, f);
        bool ignored = is_ignored(task, f->rule);
        enum verdict worth = severity == RULE_FAIL ? VERDICT_FAIL : VERDICT_WARN;

        json_array_append_new(findings, finding_json(t, f, severity, ignored));
        if (severity == RULE_INFO || ignored || verdict_worse(*verdict, worth) == *verdict) {
            continue;
        }
        *verdict = worth;
        snprintf(reason, reason_len, "%s: %s; allowed: %s (connection %s, %s PDU %" PRIu32 ")", f->rule, f->was,
                 f->allowed, f->conn < t->conn_count ? t->conns[f->conn]->name : "?",
                 f->side == TRANSCRIPT_TARGET ? "target" : "initiator", f->pdu);
    }
}

/* Writes pcap and ladder, and says where. Returns false with the reason in err. */
static bool write_evidence(const struct worker_task *task, const struct transcript *t, const struct finding_list *list,
                           json_t *line, char *err, size_t err_len)
{
    struct ladder_head head = {
        .id = task->c->id,
        .title = task->c->title,
        .verdict = json_string_value(json_object_get(line, "verdict")),
        .reason = json_string_value(json_object_get(line, "reason")),
    };
    char name[256], path[PATH_MAX], relative[300];
    json_t *evidence = json_object();

    worker_evidence_name(task->c->id, name, sizeof(name) - 16);
    if (task->round > 0) {
        snprintf(name + strlen(name), 16, "~%d", task->round + 1);
    }
    snprintf(path, sizeof(path), "%s/evidence/%s.pcap", task->out, name);
    if (capture_write(t, path, err, err_len) != 0) {
        json_decref(evidence);
        return false;
    }
    snprintf(relative, sizeof(relative), "evidence/%s.pcap", name);
    json_object_set_new(evidence, "pcap", json_string(relative));
    snprintf(path, sizeof(path), "%s/evidence/%s.txt", task->out, name);
    if (ladder_save(t, &head, list, path, err, err_len) != 0) {
        json_decref(evidence);
        return false;
    }
    snprintf(relative, sizeof(relative), "evidence/%s.txt", name);
    json_object_set_new(evidence, "text", json_string(relative));
    snprintf(path, sizeof(path), "%s/evidence/%s.json", task->out, name);
    if (ladder_json_save(t, path, err, err_len) != 0) {
        json_decref(evidence);
        return false;
    }
    snprintf(relative, sizeof(relative), "evidence/%s.json", name);
    json_object_set_new(evidence, "json", json_string(relative));
    json_object_set_new(line, "evidence", evidence);
    return true;
}

/* Which rules the audit looked at, a character each in the order of audit_rules(). The parent adds them up. */
static json_t *looked_at_json(const struct finding_list *list)
{
    char text[AUDIT_JUDGED_WORDS * 64 + 1];
    size_t count;

    audit_rules(&count);
    for (size_t i = 0; i < count; i++) {
        text[i] = audit_was_judged(list, i) ? '1' : '0';
    }
    text[count] = '\0';
    return json_string(text);
}

static void set_verdict(json_t *line, enum verdict v, const char *reason)
{
    json_object_set_new(line, "verdict", json_string(verdict_name(v)));
    json_object_set_new(line, "reason", result_text(reason));
}

/* An error that names a place in the case's file is that of the case: it shows only once the PDUs are there. */
static bool is_case_fault(const struct case_def *c, enum verdict v, const char *reason)
{
    size_t len = c->at.file != NULL ? strlen(c->at.file) : 0;

    return v == VERDICT_ERROR && len > 0 && strncmp(reason, c->at.file, len) == 0 && reason[len] == ':';
}

/* The rule that an expectation of the case found broken. One that names none stands for the case's only rule. */
static const char *broken_rule(const struct case_def *c, const struct scenario_result *got)
{
    if (got->verdict != VERDICT_FAIL && got->verdict != VERDICT_WARN) {
        return NULL;
    }
    return got->rule != NULL ? got->rule : (c->proves.count == 1 ? c->proves.items[0] : NULL);
}

/* Everything that follows from the transcript once the case has been driven. */
static json_t *conclude(const struct worker_task *task, const struct transcript *t, struct scenario_result *got)
{
    enum verdict verdict = got->verdict;
    struct finding_list list = {0};
    json_t *findings = json_array();
    json_t *line;
    char err[512], last[256];
    char wire[17];

    if (verdict != VERDICT_SKIP && verdict != VERDICT_ERROR) {
        if (audit_transcript(t, &list)) {
            apply_findings(task, t, &list, findings, &verdict, got->reason, sizeof(got->reason));
        } else {
            verdict = VERDICT_ERROR;
            snprintf(got->reason, sizeof(got->reason), "out of memory in the audit");
        }
    }
    line = result_new(task->c->id, verdict, got->reason);
    if (line == NULL) {
        json_decref(findings);
        finding_list_free(&list);
        return NULL;
    }
    snprintf(wire, sizeof(wire), "%016" PRIx64, scenario_wire_hash(t));
    json_object_set_new(line, "judged", json_string(verdict_name(got->verdict)));
    if (broken_rule(task->c, got) != NULL) {
        json_object_set_new(line, "broke", json_string(broken_rule(task->c, got)));
    }
    json_object_set_new(line, "expected", result_text(got->expected));
    json_object_set(line, "seen", got->seen);
    json_object_set_new(line, "findings", findings);
    json_object_set_new(line, "wire", json_string(wire));
    json_object_set_new(line, "looked_at", looked_at_json(&list));
    json_object_set_new(line, "attempt", json_integer(task->attempt));
    if (task->rerun != NULL) {
        json_object_set_new(line, "rerun", json_string(task->rerun));
    }
    json_object_set_new(line, "silence", json_boolean(got->silence));
    if (got->hung_up) {
        json_object_set_new(line, "hung_up", json_true());
    }
    if (got->unreachable) {
        json_object_set_new(line, "unreachable", json_true());
    }
    lastword_of(t, last, sizeof(last));
    json_object_set_new(line, "last", result_text(last));
    if (is_case_fault(task->c, verdict, got->reason)) {
        json_object_set_new(line, "case_fault", json_true());
    }
    if (!write_evidence(task, t, &list, line, err, sizeof(err))) {
        snprintf(got->reason, sizeof(got->reason), "evidence: %.480s", err);
        set_verdict(line, VERDICT_ERROR, got->reason);
    }
    finding_list_free(&list);
    return line;
}

json_t *worker_run(const struct worker_task *task)
{
    struct scenario_env env = {
        .profile = task->hooks->profile,
        .initiator = task->initiator,
        .seed = task->seed,
        .timeout_ms = task->timeout_ms,
        .close_grace_ms = task->close_grace_ms,
        .control = task->hooks->external || task->hooks->profile->control_count == 0 ? NULL : control,
        .user = task->hooks,
    };
    struct scenario_result got = {.verdict = VERDICT_ERROR};
    struct transcript *t = transcript_new();
    int64_t start = process_now_us();
    json_t *line;

    if (t == NULL) {
        return result_new(task->c->id, VERDICT_ERROR, "out of memory");
    }
    scenario_run(task->c, &env, t, &got);
    line = conclude(task, t, &got);
    if (line != NULL) {
        json_object_set_new(line, "ms", json_real((double)((process_now_us() - start) / 10) / 100.0));
    }
    json_decref(got.seen);
    transcript_free(t);
    return line;
}

char *worker_text_make(const json_t *line)
{
    char *json = json_dumps(line, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    char *text = NULL;

    if (json != NULL && asprintf(&text, "%s %d %d %d\n%s", verdict_name(result_verdict(line)),
                                 json_is_true(json_object_get(line, "silence")),
                                 json_is_true(json_object_get(line, "unreachable")),
                                 json_is_true(json_object_get(line, "hung_up")), json) < 0) {
        text = NULL;
    }
    free(json);
    return text;
}

bool worker_text_read(const char *text, struct worker_brief *brief, const char **line)
{
    const char *end = text != NULL ? strchr(text, '\n') : NULL;
    char name[16];
    int silence, unreachable, hung_up;

    if (end == NULL || sscanf(text, "%15s %d %d %d\n", name, &silence, &unreachable, &hung_up) != 4 ||
        !verdict_parse(name, &brief->verdict)) {
        return false;
    }
    brief->silence = silence != 0;
    brief->unreachable = unreachable != 0;
    brief->hung_up = hung_up != 0;
    *line = end + 1;
    return true;
}

static bool send_all(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        ssize_t put = write(fd, at, len);

        if (put <= 0) {
            return false;
        }
        at += put;
        len -= (size_t)put;
    }
    return true;
}

static bool take_task(int fd, struct worker_task *task)
{
    /* Less than PIPE_BUF, so it comes whole or not at all. */
    return read(fd, task, sizeof(*task)) == (ssize_t)sizeof(*task);
}

static _Noreturn void serve(int task_fd, int answer_fd)
{
    struct worker_task task;
    bool good = true;

    while (good && take_task(task_fd, &task)) {
        json_t *line = worker_run(&task);
        char *text;
        struct worker_answer_head head;

        if (line != NULL && task.complete != NULL) {
            task.complete(task.user, line);
        }
        text = line != NULL ? worker_text_make(line) : NULL;
        json_decref(line);
        head.len = text != NULL ? (uint32_t)strlen(text) : 0;
        good = head.len > 0 && !worker_leaked() && send_all(answer_fd, &head, sizeof(head)) &&
               send_all(answer_fd, text, head.len);
        free(text);
    }
    /* No atexit handlers: they belong to the parent. */
    _exit(good ? 0 : 1);
}

pid_t worker_start(int *task_fd, int *answer_fd)
{
    pid_t parent = getpid();
    int tasks[2], answers[2];
    pid_t pid;

    if (pipe2(tasks, O_CLOEXEC) != 0) {
        return -1;
    }
    if (pipe2(answers, O_CLOEXEC) != 0) {
        close(tasks[0]);
        close(tasks[1]);
        return -1;
    }
    pid = fork();
    if (pid == 0) {
        process_child_setup(parent);
        close(tasks[1]);
        close(answers[0]);
        serve(tasks[0], answers[1]);
    }
    close(tasks[0]);
    close(answers[1]);
    if (pid < 0) {
        close(tasks[1]);
        close(answers[0]);
        return -1;
    }
    *task_fd = tasks[1];
    *answer_fd = answers[0];
    return pid;
}
