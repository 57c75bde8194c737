#include "harness/hooks.h"
#include "harness/hooks_private.h"

#include "harness/process.h"
#include "harness/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    HOOKS_VERSION_MS = 10000,
    HOOKS_TAKEN_MS = 250, /* whoever has our port answers within */
    HOOKS_LOG_LINES = 8,
};

enum hooks_status hooks_fail(enum hooks_status status, char *err, size_t err_len, const char *format, ...)
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
        hooks_fail(HOOKS_FAULT, err, err_len, "out of memory");
        return false;
    }
    for (size_t i = 0; i < profile->portal_count; i++) {
        h->portals[i].port = profile->portals[i].port;
        h->portals[i].address = profile->portals[i].address;
    }
    /* Not below --out: the path of a Unix socket may have 107 bytes only. */
    snprintf(h->dir, sizeof(h->dir), "/tmp/iscsispec.XXXXXX");
    if (mkdtemp(h->dir) == NULL) {
        hooks_fail(HOOKS_FAULT, err, err_len, "%s: %s", h->dir, strerror(errno));
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
static enum hooks_status run_for_output(struct hooks *h, const char *what, const char *command, int deadline_ms,
                                        struct process_result *result, char *err, size_t err_len)
{
    char *expanded = hooks_expand(h, command, err, err_len);

    if (expanded == NULL) {
        return HOOKS_FAULT;
    }
    process_run(expanded, h->env, deadline_ms, result);
    free(expanded);
    switch (result->status) {
    case PROCESS_INTERRUPTED:
        return hooks_fail(HOOKS_INTERRUPTED, err, err_len, "interrupted in %s", what);
    case PROCESS_TIMEOUT:
        return hooks_fail(HOOKS_FAULT, err, err_len, "%s did not end within %d ms: %s", what, deadline_ms,
                          result->tail);
    case PROCESS_FAILED:
        return hooks_fail(HOOKS_FAULT, err, err_len, "%s could not be run: %s", what, strerror(errno));
    case PROCESS_DONE:
        break;
    }
    if (result->code != 0) {
        return hooks_fail(HOOKS_FAULT, err, err_len, "%s failed with status %d: %s", what, result->code, result->tail);
    }
    return HOOKS_OK;
}

static enum hooks_status run_command(struct hooks *h, const char *what, const char *command, int deadline_ms, char *err,
                                     size_t err_len)
{
    struct process_result result;

    return run_for_output(h, what, command, deadline_ms, &result, err, err_len);
}

/* The end of the target's log, for a message. */
void hooks_log_tail(const struct hooks *h, char *out, size_t out_len)
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

/* Cases would be run against whatever serves there. */
static bool is_taken(const struct profile_portal *portal)
{
    return portal->port != 0 && portal->address[0] != '\0' &&
           reach_connect(portal->address, portal->port, HOOKS_TAKEN_MS) == 0;
}

static enum hooks_status pick_ports(struct hooks *h, char *err, size_t err_len)
{
    for (size_t i = 0; i < h->profile->portal_count; i++) {
        struct profile_portal *portal = &h->profile->portals[i];

        /* With a ready file the target picks its ports and tells us. */
        if (h->portals[i].port != 0 || h->profile->ready_file != NULL) {
            portal->port = h->portals[i].port;
            if (is_taken(portal)) {
                return hooks_fail(HOOKS_UNREACHABLE, err, err_len,
                                  "portal %s: %s port %u is taken: something answers there before the target was "
                                  "started; end it, or write port: 0 for a free one",
                                  portal->name, portal->address, (unsigned)portal->port);
            }
            continue;
        }
        portal->port = reach_free_port(portal->address);
        if (portal->port == 0) {
            return hooks_fail(HOOKS_FAULT, err, err_len,
                              "portal %s: no free port on '%s' (a numeric address is needed)", portal->name,
                              portal->address);
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
        return hooks_fail(HOOKS_FAULT, err, err_len, "%s: %s", path, strerror(errno));
    }
    h->pid = process_start(command, fd, h->env);
    close(fd);
    free(command);
    if (h->pid < 0) {
        h->pid = 0;
        return hooks_fail(HOOKS_FAULT, err, err_len, "fork: %s", strerror(errno));
    }
    return HOOKS_OK;
}

/* Reaps the target when it has ended by itself. */
bool hooks_process_is_there(struct hooks *h)
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

enum hooks_status hooks_start(struct hooks *h, char *err, size_t err_len)
{
    bool ours = h->profile->start != NULL && !h->external;
    enum hooks_status status;

    memset(h->armed, 0, h->profile->condition_count * sizeof(*h->armed));
    if (ours) {
        hooks_log_skip(h);
        status = pick_ports(h, err, err_len);
        status = status == HOOKS_OK ? spawn(h, err, err_len) : status;
        status = status == HOOKS_OK ? hooks_await_ready(h, err, err_len) : status;
    } else {
        status = hooks_reach_portals(h, err, err_len);
    }
    if (status == HOOKS_OK && h->profile->setup != NULL && !h->external) {
        status = run_command(h, "setup", h->profile->setup, h->profile->setup_ms, err, err_len);
    }
    return status;
}

bool hooks_is_gone(struct hooks *h)
{
    return h->profile->start != NULL && !h->external && !hooks_process_is_there(h);
}

bool hooks_alive(struct hooks *h)
{
    char ignored[64];

    if (h->profile->start != NULL && !h->external) {
        return hooks_process_is_there(h) &&
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
    return hooks_fail(HOOKS_FAULT, err, err_len, "the profile has no control '%s'", verb);
}

enum hooks_status hooks_version(struct hooks *h, char *out, size_t out_len, char *err, size_t err_len)
{
    struct process_result result;
    enum hooks_status status;

    out[0] = '\0';
    if (h->profile->version == NULL) {
        return HOOKS_OK;
    }
    status = run_for_output(h, "version", h->profile->version, HOOKS_VERSION_MS, &result, err, err_len);
    if (status == HOOKS_OK) {
        snprintf(out, out_len, "%.*s", (int)strcspn(result.output, "\n"), result.output);
    }
    return status == HOOKS_OK && out[0] == '\0'
               ? hooks_fail(HOOKS_FAULT, err, err_len, "version printed nothing, or an empty first line")
               : status;
}

/* Waits until the target is gone. */
static bool await_end(struct hooks *h, int limit_ms)
{
    int64_t deadline = process_now_ms() + limit_ms;
    int pause_ms = 1;

    while (hooks_process_is_there(h)) {
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

    if (!hooks_process_is_there(h)) {
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
    if (h->profile->stop == NULL && hooks_process_is_there(h)) {
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
