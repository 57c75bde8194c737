#include "harness/selftest.h"

#include "harness/folder.h"
#include "harness/process.h"
#include "harness/selftest_proof.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SELFTEST_LIST_MS = 5000,
    SELFTEST_JOBS = 4,          /* cases at a time on each */
    SELFTEST_TIMEOUT_MS = 2000, /* generous, since silence under a defect is not tried a second time */
};

/* One run of the suite with a defect, or without. */
struct attempt {
    const char *defect; /* NULL: none */
    char hash[17];
    pid_t pid;
    int exit_code; /* of the child; -1 not run */
};

struct selftest {
    const struct selftest_options *options;
    json_t *defects; /* array of the target's own list */
    struct attempt *attempts;
    size_t count;
    json_t *report;
    struct killtable *kills;
    struct selftest_proof proof;
};

static bool is_named(const struct case_def *c, const char *defect)
{
    for (size_t i = 0; i < c->caught_by.count; i++) {
        if (strcmp(c->caught_by.items[i], defect) == 0) {
            return true;
        }
    }
    return false;
}

static bool any_names(const struct case_list *cases, const char *defect)
{
    for (size_t i = 0; i < cases->count; i++) {
        if (is_named(&cases->cases[i], defect)) {
            return true;
        }
    }
    return false;
}

static const json_t *find_defect(const json_t *defects, const char *name)
{
    for (size_t i = 0; i < json_array_size(defects); i++) {
        const char *own = json_string_value(json_object_get(json_array_get(defects, i), "name"));

        if (own != NULL && strcmp(own, name) == 0) {
            return json_array_get(defects, i);
        }
    }
    return NULL;
}

static bool is_wanted(const struct selftest_options *options, const char *defect)
{
    for (size_t i = 0; i < options->select_count; i++) {
        if (strcmp(options->select[i], defect) == 0) {
            return true;
        }
    }
    return options->select_count == 0;
}

static json_t *list_defects(const struct selftest_options *options, char *err, size_t err_len)
{
    char command[PATH_MAX * 2 + 64];
    char path[PATH_MAX];
    struct process_result result;
    json_t *defects;

    snprintf(path, sizeof(path), "%s/defects.json", options->out);
    snprintf(command, sizeof(command), "exec '%s' --list-defects=json >'%s'", options->binary, path);
    process_run(command, NULL, SELFTEST_LIST_MS, &result);
    defects = result.status == PROCESS_DONE && result.code == 0 ? json_load_file(path, 0, NULL) : NULL;
    if (!json_is_array(defects)) {
        snprintf(err, err_len, "%s --list-defects=json gives no list: %s", options->binary, result.tail);
        json_decref(defects);
        return NULL;
    }
    return defects;
}

/* A defect is vouched for by its name and what it says it does. */
static void hash_defect(const json_t *defect, char out[17])
{
    const char *name = json_string_value(json_object_get(defect, "name"));
    const char *what = json_string_value(json_object_get(defect, "what"));
    char text[1024];

    snprintf(text, sizeof(text), "%s: %s", name, what != NULL ? what : "");
    killtable_hash(text, strlen(text), out);
}

static void directory_of(const struct selftest *s, const struct attempt *attempt, char *out, size_t out_len)
{
    snprintf(out, out_len, "%s/%s", s->options->out, attempt->defect != NULL ? attempt->defect : "none");
}

/* In the child: one run of the suite. */
static int run_suite(const struct selftest *s, const struct attempt *attempt)
{
    struct killtable none = {.entries = json_array()};
    char dir[PATH_MAX], log[PATH_MAX + 16], extra[256], select[256], err[4096] = "";
    const char *selection = select;
    struct results results;
    struct hooks hooks;
    struct runner_options options = {
        .hooks = &hooks,
        .cases = s->options->cases,
        .rules = s->options->rules,
        .kills = &none,
        .select = &selection,
        .select_count = attempt->defect != NULL ? 1 : 0,
        .out = dir,
        .jobs = attempt->defect != NULL ? SELFTEST_JOBS : 0,
        .timeout_ms = SELFTEST_TIMEOUT_MS,
        .seed = s->options->seed,
        .no_rerun = attempt->defect != NULL,
        .no_decoder = true,
    };
    enum results_exit status;

    directory_of(s, attempt, dir, sizeof(dir));
    snprintf(log, sizeof(log), "%s/target.log", dir);
    snprintf(select, sizeof(select), "defect:%s", attempt->defect != NULL ? attempt->defect : "");
    snprintf(extra, sizeof(extra), "--defect %s", attempt->defect != NULL ? attempt->defect : "");
    mkdir(dir, 0777);
    unlink(log);
    if (!results_init(&results) || !hooks_init(&hooks, s->options->profile, log, err, sizeof(err))) {
        fprintf(stderr, "%s: %s\n", dir, err);
        return EXIT_FAULT;
    }
    hooks.binary = s->options->binary;
    hooks.extra = attempt->defect != NULL ? extra : "";
    status = runner_run(&options, &results, err, sizeof(err));
    if (status != EXIT_ALL_PASSED && status != EXIT_INTERRUPTED) {
        fprintf(stderr, "%s: %s\n", dir, err);
    }
    hooks_free(&hooks);
    results_free(&results);
    json_decref(none.entries);
    return (int)status;
}

static bool start_attempt(const struct selftest *s, struct attempt *attempt)
{
    pid_t parent = getpid();

    fflush(NULL);
    attempt->pid = fork();
    if (attempt->pid == 0) {
        process_child_setup(parent);
        _exit(run_suite(s, attempt));
    }
    return attempt->pid > 0;
}

static struct attempt *attempt_of(struct selftest *s, pid_t pid)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->attempts[i].pid == pid && s->attempts[i].exit_code < 0) {
            return &s->attempts[i];
        }
    }
    return NULL;
}

static void stop_all(struct selftest *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->attempts[i].pid > 0 && s->attempts[i].exit_code < 0) {
            kill(s->attempts[i].pid, SIGTERM); /* its runner stops its target */
            waitpid(s->attempts[i].pid, NULL, 0);
        }
    }
}

/* Runs all attempts, several at a time. False: interrupted or no process could be had. */
static bool run_attempts(struct selftest *s)
{
    size_t limit = (size_t)(s->options->instances > 0 ? s->options->instances : runner_default_jobs());
    size_t started = 0, busy = 0, done = 0;

    while (done < s->count) {
        struct attempt *attempt;
        int state;
        pid_t pid;

        while (busy < limit && started < s->count) {
            if (!start_attempt(s, &s->attempts[started])) {
                return false;
            }
            started++;
            busy++;
        }
        if (process_take_interrupt()) {
            return false;
        }
        pid = waitpid(-1, &state, WNOHANG);
        attempt = pid > 0 ? attempt_of(s, pid) : NULL;
        if (attempt == NULL) {
            process_sleep_ms(2);
            continue;
        }
        attempt->exit_code = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
        busy--;
        done++;
        if (s->options->finished != NULL) {
            s->options->finished(s->options->user, attempt->defect, done, s->count);
        }
    }
    return true;
}

static void note(struct selftest *s, const char *list, json_t *item)
{
    json_array_append_new(json_object_get(s->report, list), item);
}

static bool is_killed(const struct selftest *s, const json_t *line, enum verdict v)
{
    return killtable_kills(v) && (v != VERDICT_WARN || selftest_warn_counts(line, s->options->rules));
}

static void judge_line(struct selftest *s, const struct attempt *attempt, const json_t *line)
{
    const char *id = json_string_value(json_object_get(line, "id"));
    const struct case_def *c = case_list_find(s->options->cases, id);
    enum verdict v = result_verdict(line);

    if (attempt->defect != NULL && c != NULL) {
        selftest_proof_take(&s->proof, attempt->defect, c, line, s->report);
    }
    if (attempt->defect == NULL) {
        if (v != VERDICT_PASS) {
            note(s, "not_green",
                 json_pack("{s:s, s:s, s:O}", "case", id, "verdict", verdict_name(v), "reason",
                           json_object_get(line, "reason")));
        }
    } else if (c != NULL && is_killed(s, line, v)) {
        killtable_add(s->kills, id, c->hash, attempt->defect, attempt->hash, v);
    } else {
        note(s, "survived",
             json_pack("{s:s, s:s, s:s, s:O}", "defect", attempt->defect, "case", id, "verdict", verdict_name(v),
                       "reason", json_object_get(line, "reason")));
    }
}

static void judge_attempt(struct selftest *s, const struct attempt *attempt)
{
    char dir[PATH_MAX], err[512] = "";
    struct results results;

    directory_of(s, attempt, dir, sizeof(dir));
    if (attempt->exit_code != EXIT_ALL_PASSED || results_read(dir, &results, err, sizeof(err)) != 0) {
        char reason[600];

        snprintf(reason, sizeof(reason), "the run ended with status %d %s", attempt->exit_code, err);
        note(s, "broken",
             json_pack("{s:s, s:s}", "defect", attempt->defect != NULL ? attempt->defect : "none", "reason", reason));
        return;
    }
    for (size_t i = 0; i < json_array_size(results.cases); i++) {
        judge_line(s, attempt, json_array_get(results.cases, i));
    }
    results_free(&results);
}

static bool is_proven(const struct killtable *kills, const char *id)
{
    for (size_t i = 0; i < json_array_size(kills->entries); i++) {
        if (strcmp(json_string_value(json_object_get(json_array_get(kills->entries, i), "case")), id) == 0) {
            return true;
        }
    }
    return false;
}

static void note_names(struct selftest *s)
{
    const struct case_list *cases = s->options->cases;

    for (size_t i = 0; i < cases->count; i++) {
        const struct case_def *c = &cases->cases[i];

        for (size_t k = 0; k < c->caught_by.count; k++) {
            if (find_defect(s->defects, c->caught_by.items[k]) == NULL) {
                note(s, "unknown", json_pack("{s:s, s:s}", "case", c->id, "defect", c->caught_by.items[k]));
            }
        }
        if (s->options->select_count == 0 && !is_proven(s->kills, c->id)) {
            note(s, "unproven", json_string(c->id));
        }
    }
    for (size_t i = 0; i < json_array_size(s->defects); i++) {
        const char *name = json_string_value(json_object_get(json_array_get(s->defects, i), "name"));

        if (name != NULL && !any_names(cases, name)) {
            note(s, "unnamed", json_string(name));
        }
    }
}

static bool plan_attempts(struct selftest *s)
{
    s->attempts = calloc(json_array_size(s->defects) + 1, sizeof(*s->attempts));
    if (s->attempts == NULL) {
        return false;
    }
    s->attempts[s->count++] = (struct attempt){.defect = NULL, .exit_code = -1};
    for (size_t i = 0; i < json_array_size(s->defects); i++) {
        const json_t *defect = json_array_get(s->defects, i);
        const char *name = json_string_value(json_object_get(defect, "name"));

        if (name != NULL && is_wanted(s->options, name) && any_names(s->options->cases, name)) {
            struct attempt *attempt = &s->attempts[s->count++];

            attempt->defect = name;
            attempt->exit_code = -1;
            hash_defect(defect, attempt->hash);
        }
    }
    return true;
}

enum results_exit selftest_run(const struct selftest_options *options, struct killtable *kills, json_t **report,
                               char *err, size_t err_len)
{
    struct selftest s = {.options = options, .kills = kills};
    enum results_exit status = EXIT_ALL_PASSED;

    process_block_signals();
    *report = s.report =
        json_pack("{s:[], s:[], s:[], s:[], s:[], s:[], s:[], s:[], s:[], s:[]}", "not_green", "survived", "broken",
                  "unknown", "unnamed", "unproven", "stray", "undeclared", "asleep", "excused");
    if (folder_make(options->out) != 0) {
        snprintf(err, err_len, "--out %s: %s", options->out, strerror(errno));
        return EXIT_USAGE;
    }
    s.defects = list_defects(options, err, err_len);
    if (s.defects == NULL) {
        return EXIT_UNREACHABLE;
    }
    if (s.report == NULL || !plan_attempts(&s)) {
        snprintf(err, err_len, "out of memory");
        status = EXIT_FAULT;
    } else if (!selftest_proof_init(&s.proof, options->rules, options->wakes)) {
        snprintf(err, err_len, "out of memory");
        status = EXIT_FAULT;
    } else if (!run_attempts(&s)) {
        stop_all(&s);
        snprintf(err, err_len, "interrupted");
        status = EXIT_INTERRUPTED;
    } else {
        for (size_t i = 0; i < s.count; i++) {
            judge_attempt(&s, &s.attempts[i]);
        }
        note_names(&s);
        if (options->select_count == 0) {
            selftest_proof_note(&s.proof, s.report);
        }
        killtable_sort(kills);
    }
    selftest_proof_free(&s.proof);
    free(s.attempts);
    json_decref(s.defects);
    return status;
}

bool selftest_is_clean(const json_t *report)
{
    static const char *const faults[] = {"not_green", "survived", "broken", "unknown",
                                         "unproven",  "stray",    "asleep", "excused"};

    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        if (json_array_size(json_object_get(report, faults[i])) > 0) {
            return false;
        }
    }
    return !json_is_false(json_object_get(report, "bar")); /* absent when only some defects were run */
}
