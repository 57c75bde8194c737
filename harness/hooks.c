#include "harness/hooks.h"

#include "harness/process.h"
#include "harness/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    HOOKS_REACH_MS = 2500,  /* a target of others has to accept within */
    HOOKS_SETUP_MS = 10000, /* set-up command */
    HOOKS_VERSION_MS = 2000,
    HOOKS_LOG_LINES = 8,
};

static enum hooks_status fail(enum hooks_status status, char *err, size_t err_len, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static enum hooks_status fail(enum hooks_status status, char *err, size_t err_len, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(err, err_len, format, args);
    va_end(args);
    return status;
}

bool hooks_init(struct hooks *h, struct profile *profile, const char *log, char *err, size_t err_len)
{
    memset(h, 0, sizeof(*h));
    h->profile = profile;
    h->extra = "";
    h->binary = "";
    h->number = 1;
    h->portals = calloc(profile->portal_count + 1, sizeof(*h->portals));
    h->armed = calloc(profile->condition_count + 1, sizeof(*h->armed));
    if (h->portals == NULL || h->armed == NULL) {
        hooks_free(h);
        fail(HOOKS_FAULT, err, err_len, "out of memory");
        return false;
    }
    for (size_t i = 0; i < profile->portal_count; i++) {
        h->portals[i].port = profile->portals[i].port;
        h->portals[i].address = profile->portals[i].address;
    }
    /* Not below --out: the path of a Unix socket may have 107 bytes only. */
    snprintf(h->dir, sizeof(h->dir), "/tmp/iscsispec.XXXXXX");
    if (mkdtemp(h->dir) == NULL) {
        fail(HOOKS_FAULT, err, err_len, "%s: %s", h->dir, strerror(errno));
        h->dir[0] = '\0';
        hooks_free(h);
        return false;
    }
    snprintf(h->log, sizeof(h->log), "%s", log != NULL ? log : "");
    snprintf(h->variable, sizeof(h->variable), "ISCSISPEC_DIR=%s", h->dir);
    h->env[0] = h->variable;
    return true;
}

/* Runs one command of the profile; what tells which in messages. */
static enum hooks_status run_command(struct hooks *h, const char *what, const char *command, int deadline_ms, char *err,
                                     size_t err_len)
{
    struct process_result result;
    char *expanded = hooks_expand(h, command, err, err_len);

    if (expanded == NULL) {
        return HOOKS_FAULT;
    }
    process_run(expanded, h->env, deadline_ms, &result);
    free(expanded);
    switch (result.status) {
    case PROCESS_INTERRUPTED:
        return fail(HOOKS_INTERRUPTED, err, err_len, "interrupted in %s", what);
    case PROCESS_TIMEOUT:
        return fail(HOOKS_FAULT, err, err_len, "%s did not end within %d ms: %s", what, deadline_ms, result.tail);
    case PROCESS_FAILED:
        return fail(HOOKS_FAULT, err, err_len, "%s could not be run: %s", what, strerror(errno));
    case PROCESS_DONE:
        break;
    }
    if (result.code != 0) {
        return fail(HOOKS_FAULT, err, err_len, "%s failed with status %d: %s", what, result.code, result.tail);
    }
    return HOOKS_OK;
}

/* The end of the target's log, for a message. */
static void log_tail(const struct hooks *h, char *out, size_t out_len)
{
    FILE *file = h->log[0] != '\0' ? fopen(h->log, "re") : NULL;
    char text[1536]; /* with the words before it, within what the caller has room for */
    size_t len;
    char *start;

    out[0] = '\0';
    if (file == NULL) {
        return;
    }
    if (fseek(file, -(long)(sizeof(text) - 1), SEEK_END) != 0) {
        rewind(file);
    }
    len = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[len] = '\0';
    start = text + len;
    for (int lines = 0; start > text && lines <= HOOKS_LOG_LINES; start--) {
        lines += start[-1] == '\n';
        if (lines > HOOKS_LOG_LINES) {
            break;
        }
    }
    snprintf(out, out_len, "%s%s", len > 0 ? "; its log ends with:\n" : "", start);
}

static enum hooks_status pick_ports(struct hooks *h, char *err, size_t err_len)
{
    for (size_t i = 0; i < h->profile->portal_count; i++) {
        struct profile_portal *portal = &h->profile->portals[i];

        /* With a ready file the target picks its ports and tells us. */
        if (h->portals[i].port != 0 || h->profile->ready_file != NULL) {
            portal->port = h->portals[i].port;
            continue;
        }
        portal->port = reach_free_port(portal->address);
        if (portal->port == 0) {
            return fail(HOOKS_FAULT, err, err_len, "portal %s: no free port on '%s' (a numeric address is needed)",
                        portal->name, portal->address);
        }
    }
    return HOOKS_OK;
}

static enum hooks_status spawn(struct hooks *h, char *err, size_t err_len)
{
    char *command = hooks_expand(h, h->profile->start, err, err_len);
    const char *path = h->log[0] != '\0' ? h->log : "/dev/null";
    int fd;

    if (command == NULL) {
        return strstr(err, "--target-binary") != NULL ? HOOKS_UNREACHABLE : HOOKS_FAULT;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) {
        free(command);
        return fail(HOOKS_FAULT, err, err_len, "%s: %s", path, strerror(errno));
    }
    h->pid = process_start(command, fd, h->env);
    close(fd);
    free(command);
    if (h->pid < 0) {
        h->pid = 0;
        return fail(HOOKS_FAULT, err, err_len, "fork: %s", strerror(errno));
    }
    return HOOKS_OK;
}

/* Reaps the target when it has ended by itself. */
static bool process_is_there(struct hooks *h)
{
    int state;

    if (h->pid <= 0) {
        return false;
    }
    if (waitpid(h->pid, &state, WNOHANG) != h->pid) {
        return true;
    }
    h->exit_code = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
    kill(-h->pid, SIGKILL); /* what it left behind */
    h->pid = 0;
    return false;
}

static void set_address(struct hooks *h, size_t portal, const char *numeric)
{
    snprintf(h->portals[portal].numeric, sizeof(h->portals[portal].numeric), "%s", numeric);
    h->profile->portals[portal].address = h->portals[portal].numeric;
}

/* One portal out of the ready file. */
static bool take_portal(struct hooks *h, size_t index, const json_t *told)
{
    struct profile_portal *portal = &h->profile->portals[index];
    const char *address = json_string_value(json_object_get(told, "address"));
    json_int_t port = json_integer_value(json_object_get(told, "port"));
    json_t *tag = json_object_get(told, "tag");

    if (address == NULL || port < 1 || port > 65535) {
        return false;
    }
    set_address(h, index, address);
    portal->port = (uint16_t)port;
    if (json_is_integer(tag)) {
        portal->tag = (int)json_integer_value(tag);
    }
    return true;
}

/* Returns 1 ready, 0 not yet, -1 the file is there but does not fit the profile. */
static int read_ready_file(struct hooks *h, char *err, size_t err_len)
{
    char *path = hooks_expand(h, h->profile->ready_file, err, err_len);
    json_t *root;

    if (path == NULL) {
        return -1;
    }
    root = json_load_file(path, 0, NULL);
    if (root == NULL) {
        free(path);
        return 0; /* not there, or half written */
    }
    for (size_t i = 0; i < h->profile->portal_count; i++) {
        const char *name = h->profile->portals[i].name;

        const json_t *told = json_object_get(json_object_get(root, "portals"), name);

        if (told == NULL && h->profile->portals[i].optional) {
            h->profile->portals[i].port = 0;
            continue;
        }
        if (!take_portal(h, i, told)) {
            fail(HOOKS_FAULT, err, err_len, "%s has no portal '%s' with address and port", path, name);
            json_decref(root);
            free(path);
            return -1;
        }
    }
    h->told = true;
    json_decref(h->forced);
    h->forced = json_incref(json_object_get(root, "forced"));
    json_decref(root);
    free(path);
    return 1;
}

static int is_ready(struct hooks *h, int left_ms, char *err, size_t err_len)
{
    struct process_result result;
    char *command;

    if (h->profile->ready_file != NULL) {
        return read_ready_file(h, err, err_len);
    }
    if (h->profile->ready != NULL) {
        command = hooks_expand(h, h->profile->ready, err, err_len);
        if (command == NULL) {
            return -1;
        }
        process_run(command, h->env, left_ms, &result);
        free(command);
        return result.status == PROCESS_DONE && result.code == 0;
    }
    for (size_t i = 0; i < h->profile->portal_count; i++) {
        if (reach_connect(h->profile->portals[i].address, h->profile->portals[i].port, left_ms) != 0) {
            return 0;
        }
    }
    return 1;
}

static enum hooks_status await_ready(struct hooks *h, char *err, size_t err_len)
{
    int64_t deadline = process_now_ms() + h->profile->ready_ms;
    char tail[2048];
    int pause_ms = 1;

    for (;;) {
        int64_t left = deadline - process_now_ms();
        int ready = left > 0 ? is_ready(h, (int)left, err, err_len) : 0;

        if (ready != 0) {
            return ready > 0 ? HOOKS_OK : HOOKS_UNREACHABLE;
        }
        if (process_interrupted()) {
            return fail(HOOKS_INTERRUPTED, err, err_len, "interrupted while the target started");
        }
        if (!process_is_there(h)) {
            log_tail(h, tail, sizeof(tail));
            return fail(HOOKS_UNREACHABLE, err, err_len, "the target ended with status %d before it was ready%s",
                        h->exit_code, tail);
        }
        if (left <= 0) {
            log_tail(h, tail, sizeof(tail));
            return fail(HOOKS_UNREACHABLE, err, err_len, "the target was not ready within %d ms%s",
                        h->profile->ready_ms, tail);
        }
        process_sleep_ms(pause_ms);
        pause_ms = pause_ms < 20 ? pause_ms * 2 : 20;
    }
}

/* A target of others: names become addresses, and the first portal has to accept. */
static enum hooks_status reach_portals(struct hooks *h, char *err, size_t err_len)
{
    char numeric[64];
    bool first = true;

    for (size_t i = 0; i < h->profile->portal_count; i++) {
        struct profile_portal *portal = &h->profile->portals[i];
        bool there;

        if (portal->port == 0 || portal->address[0] == '\0') {
            continue; /* not given: cases that need it are left out */
        }
        there = reach_resolve(portal->address, portal->port, HOOKS_REACH_MS, numeric, sizeof(numeric), err, err_len);
        if (!there && (first || numeric[0] == '\0')) {
            return HOOKS_UNREACHABLE;
        }
        set_address(h, i, numeric);
        first = false;
    }
    return first ? fail(HOOKS_UNREACHABLE, err, err_len, "no portal has an address and a port") : HOOKS_OK;
}

enum hooks_status hooks_start(struct hooks *h, char *err, size_t err_len)
{
    bool ours = h->profile->start != NULL && !h->external;
    enum hooks_status status;

    memset(h->armed, 0, h->profile->condition_count * sizeof(*h->armed));
    if (ours) {
        status = pick_ports(h, err, err_len);
        status = status == HOOKS_OK ? spawn(h, err, err_len) : status;
        status = status == HOOKS_OK ? await_ready(h, err, err_len) : status;
    } else {
        status = reach_portals(h, err, err_len);
    }
    if (status == HOOKS_OK && h->profile->setup != NULL && !h->external) {
        status = run_command(h, "setup", h->profile->setup, HOOKS_SETUP_MS, err, err_len);
    }
    return status;
}

bool hooks_is_gone(struct hooks *h)
{
    return h->profile->start != NULL && !h->external && !process_is_there(h);
}

bool hooks_alive(struct hooks *h)
{
    char ignored[64];

    if (h->profile->start != NULL && !h->external) {
        return process_is_there(h) &&
               (h->profile->alive == NULL ||
                run_command(h, "alive", h->profile->alive, HOOKS_VERSION_MS, ignored, sizeof(ignored)) == HOOKS_OK);
    }
    for (size_t i = 0; i < h->profile->portal_count; i++) {
        if (h->profile->portals[i].port != 0) {
            return reach_connect(h->profile->portals[i].address, h->profile->portals[i].port, HOOKS_REACH_MS) == 0;
        }
    }
    return false;
}

enum hooks_status hooks_arm(struct hooks *h, size_t condition, char *err, size_t err_len)
{
    const struct profile_condition *c = &h->profile->conditions[condition];
    char what[128];
    enum hooks_status status;

    if (c->arm == NULL || h->armed[condition]) {
        return HOOKS_OK;
    }
    snprintf(what, sizeof(what), "arming '%s'", c->name);
    status = run_command(h, what, c->arm, c->arm_ms, err, err_len);
    /* Half armed is armed as far as cleaning up goes. */
    h->armed[condition] = true;
    return status;
}

enum hooks_status hooks_disarm(struct hooks *h, size_t condition, char *err, size_t err_len)
{
    const struct profile_condition *c = &h->profile->conditions[condition];
    char what[128];

    if (c->disarm == NULL || !h->armed[condition]) {
        return HOOKS_OK;
    }
    h->armed[condition] = false;
    snprintf(what, sizeof(what), "disarming '%s'", c->name);
    return run_command(h, what, c->disarm, c->arm_ms, err, err_len);
}

enum hooks_status hooks_control(struct hooks *h, const char *verb, char *err, size_t err_len)
{
    char what[128];

    for (size_t i = 0; i < h->profile->control_count; i++) {
        if (strcmp(h->profile->controls[i].name, verb) == 0) {
            snprintf(what, sizeof(what), "control '%s'", verb);
            return run_command(h, what, h->profile->controls[i].command, h->profile->controls[i].timeout_ms, err,
                               err_len);
        }
    }
    return fail(HOOKS_FAULT, err, err_len, "the profile has no control '%s'", verb);
}

void hooks_version(struct hooks *h, char *out, size_t out_len)
{
    struct process_result result;
    char err[128];
    char *command;

    out[0] = '\0';
    if (h->profile->version == NULL) {
        return;
    }
    command = hooks_expand(h, h->profile->version, err, sizeof(err));
    if (command == NULL) {
        return;
    }
    process_run(command, h->env, HOOKS_VERSION_MS, &result);
    free(command);
    if (result.status == PROCESS_DONE && result.code == 0) {
        snprintf(out, out_len, "%.*s", (int)strcspn(result.output, "\n"), result.output);
    }
}

/* Waits until the target is gone. */
static bool await_end(struct hooks *h, int limit_ms)
{
    int64_t deadline = process_now_ms() + limit_ms;
    int pause_ms = 1;

    while (process_is_there(h)) {
        if (process_now_ms() >= deadline) {
            return false;
        }
        process_sleep_ms(pause_ms);
        pause_ms = pause_ms < 10 ? pause_ms * 2 : 10;
    }
    return true;
}

static void stop_process(struct hooks *h)
{
    char ignored[512];

    if (!process_is_there(h)) {
        return;
    }
    if (h->profile->stop != NULL) {
        run_command(h, "stop", h->profile->stop, h->profile->stop_ms, ignored, sizeof(ignored));
        if (await_end(h, h->profile->stop_ms)) {
            return;
        }
    }
    kill(-h->pid, SIGTERM);
    if (await_end(h, h->profile->stop_ms)) {
        return;
    }
    kill(-h->pid, SIGKILL);
    await_end(h, 1000);
}

static int remove_below(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    return where->level == 0 ? 0 : remove(path);
}

enum hooks_status hooks_restart(struct hooks *h, char *err, size_t err_len)
{
    stop_process(h);
    /* The old ready file must not be taken for the new one. */
    nftw(h->dir, remove_below, 8, FTW_DEPTH | FTW_PHYS);
    return hooks_start(h, err, err_len);
}

void hooks_quit(struct hooks *h)
{
    char ignored[512];

    for (size_t i = 0; h->pid > 0 && i < h->profile->condition_count; i++) {
        hooks_disarm(h, i, ignored, sizeof(ignored));
    }
    if (h->profile->stop == NULL && process_is_there(h)) {
        kill(-h->pid, SIGTERM);
    }
}

void hooks_stop(struct hooks *h)
{
    char ignored[512];

    if (h->armed != NULL && h->dir[0] != '\0' && (h->pid > 0 || h->profile->start == NULL)) {
        for (size_t i = 0; i < h->profile->condition_count; i++) {
            hooks_disarm(h, i, ignored, sizeof(ignored));
        }
    }
    stop_process(h);
    if (h->dir[0] != '\0') {
        nftw(h->dir, remove_below, 8, FTW_DEPTH | FTW_PHYS);
        rmdir(h->dir);
        h->dir[0] = '\0';
    }
}

void hooks_free(struct hooks *h)
{
    if (h->profile != NULL) {
        hooks_stop(h);
    }
    for (size_t i = 0; h->portals != NULL && i < h->profile->portal_count; i++) {
        h->profile->portals[i].port = h->portals[i].port;
        h->profile->portals[i].address = h->portals[i].address;
    }
    free(h->portals);
    free(h->armed);
    json_decref(h->forced);
    memset(h, 0, sizeof(*h));
}
