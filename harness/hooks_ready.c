/* Waiting for a target: its ready file, its ready command, its portals. */
#include "harness/hooks_private.h"
#include "harness/netns.h"
#include "harness/process.h"
#include "harness/reach.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

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

/* The target may live in a network namespace of its own: the ready file names a process there. */
static bool enter_namespace(const struct hooks *h, const json_t *told, char *err, size_t err_len)
{
    json_int_t pid = json_integer_value(told);

    if (pid <= 0) {
        return true;
    }
    if (h->profile->instances > 1) {
        hooks_fail(HOOKS_FAULT, err, err_len,
                   "netns in the ready file: instances have to be in one namespace; take "
                   "`instances` out of the profile");
        return false;
    }
    return netns_enter((pid_t)pid, err, err_len);
}

/* Returns 1 ready, 0 not yet, -1 the file is there but does not fit the profile. */
static int read_ready_file(struct hooks *h, char *err, size_t err_len)
{
    char *path = hooks_expand(h, h->profile->ready_file, err, err_len);
    json_t *root;
    bool good;

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
            hooks_fail(HOOKS_FAULT, err, err_len, "%s has no portal '%s' with address and port", path, name);
            json_decref(root);
            free(path);
            return -1;
        }
    }
    h->told = true;
    json_decref(h->forced);
    h->forced = json_incref(json_object_get(root, "forced"));
    good = enter_namespace(h, json_object_get(root, "netns"), err, err_len);
    json_decref(root);
    free(path);
    return good ? 1 : -1;
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

enum hooks_status hooks_await_ready(struct hooks *h, char *err, size_t err_len)
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
            return hooks_fail(HOOKS_INTERRUPTED, err, err_len, "interrupted while the target started");
        }
        if (!hooks_process_is_there(h)) {
            hooks_log_tail(h, tail, sizeof(tail));
            return hooks_fail(HOOKS_UNREACHABLE, err, err_len, "the target ended with status %d before it was ready%s",
                              h->exit_code, tail);
        }
        if (left <= 0) {
            hooks_log_tail(h, tail, sizeof(tail));
            return hooks_fail(HOOKS_UNREACHABLE, err, err_len, "the target was not ready within %d ms%s",
                              h->profile->ready_ms, tail);
        }
        process_sleep_ms(pause_ms);
        pause_ms = pause_ms < 20 ? pause_ms * 2 : 20;
    }
}

/* A target of others: names become addresses, and the first portal has to accept. */
enum hooks_status hooks_reach_portals(struct hooks *h, char *err, size_t err_len)
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
    return first ? hooks_fail(HOOKS_UNREACHABLE, err, err_len, "no portal has an address and a port") : HOOKS_OK;
}
