/*
 * The node: what all connections share, and the control verbs.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine.h"
#include "full.h"
#include "login.h"
#include "scsi_disk.h"
#include "sessions.h"

enum { NODE_LOGOUT_SECONDS = 3 };         /* Parameter3 of the request to log out, RFC 7143 11.9.1 */

void *node_allocate(const struct node *node, size_t size)
{
    void *memory = node->env.allocate(node->env.context, size);

    if (memory != NULL)
        memset(memory, 0, size);
    return memory;
}

void node_release(const struct node *node, void *memory)
{
    node->env.release(node->env.context, memory);
}

void node_log(const struct node *node, struct conn *conn, enum node_log_level level, const char *format, ...)
{
    char line[1024];     /* two names of 223 bytes and more */
    int used = 0;
    va_list arguments;

    if (node->env.log == NULL || level < node->env.log_level)
        return;
    if (conn != NULL && conn->peer[0] == '\0' && conn->user != NULL && node->env.peer != NULL)
        node->env.peer(node->env.context, conn->user, conn->peer);
    if (conn != NULL)
        used = snprintf(line, sizeof(line), "%s: ", conn->peer);
    va_start(arguments, format);
    vsnprintf(line + used, sizeof(line) - (size_t)used, format, arguments);
    va_end(arguments);
    for (char *p = line; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';       /* names come from the peer */
    }
    node->env.log(node->env.context, level, line);
}

struct node *node_new(const struct config *config, const struct node_env *env)
{
    struct node *node = env->allocate(env->context, sizeof(*node));

    if (node == NULL)
        return NULL;
    memset(node, 0, sizeof(*node));
    node->config = config;
    node->env = *env;
    node->session_deadline = NODE_NO_DEADLINE;
    negotiate_init(&node->defaults);
    node->targets = node_allocate(node, (config->target_count + 1) * sizeof(*node->targets));
    node->portals = node_allocate(node, (config->portal_count + 1) * sizeof(*node->portals));
    node->hits = node_allocate(node, node_transition_count() * sizeof(*node->hits));
    if (node->targets == NULL || node->portals == NULL || node->hits == NULL ||
        !sessions_init(node) || !env->random(env->context, (uint8_t *)&node->last_tsih, sizeof(node->last_tsih))) {
        node_free(node);
        return NULL;
    }
    for (size_t i = 0; i < config->target_count; i++) {
        node->targets[i].removed = config->targets[i].removed;
        node->targets[i].fault = config->targets[i].fault;
    }
    for (size_t i = 0; i < config->portal_count; i++)
        node->portals[i].drain = config->portals[i].drain;
    return node;
}

static void node_forget_forces(struct node *node, struct node_target *target)
{
    for (size_t i = 0; i < target->force_count; i++)
        node_release(node, target->forces[i].initiators);
    node_release(node, target->forces);
    target->forces = NULL;
    target->force_count = 0;
    target->forces_off = true;
}

void node_free(struct node *node)
{
    if (node == NULL)
        return;
    while (node->conns != NULL)
        conn_free(node->conns);
    sessions_free(node);
    for (size_t i = 0; node->targets != NULL && i < node->config->target_count; i++) {
        node_forget_forces(node, &node->targets[i]);
        scsi_disk_free(node, node->targets[i].disk);
    }
    node_forget_forces(node, &node->all);
    node_release(node, node->targets);
    node_release(node, node->portals);
    node_release(node, node->hits);
    node->env.release(node->env.context, node);
}

/* ---- looking things up ---- */

size_t node_target_by_name(const struct node *node, const char *name, size_t length)
{
    for (size_t i = 0; i < node->config->target_count; i++) {
        if (text_equals(name, length, node->config->targets[i].name))
            return i;
    }
    return NODE_ALL;
}

size_t node_find_target(const struct node *node, const char *name)
{
    return node_target_by_name(node, name, strlen(name));
}

size_t node_find_portal(const struct node *node, const char *name)
{
    for (size_t i = 0; i < node->config->portal_count; i++) {
        if (strcmp(node->config->portals[i].name, name) == 0)
            return i;
    }
    return NODE_ALL;
}

bool node_serves(const struct node *node, size_t target, size_t portal)
{
    uint64_t portals = node->config->targets[target].portals;

    return portals == 0 || (portal < CONFIG_PORTALS_MAX && (portals >> portal & 1U) != 0);
}

bool node_allows(const struct node *node, size_t target, const char *initiator)
{
    const struct config_target *entry = &node->config->targets[target];

    for (size_t i = 0; i < entry->allow_count; i++) {
        if (strcmp(entry->allow[i], initiator) == 0)
            return true;
    }
    return entry->allow_count == 0;
}

/* Does text fit the pattern? * is any run, ? any one character. */
static bool node_glob(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL;

    while (*text != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            resume = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static uint16_t node_forced_in(const struct config_force *forces, size_t count, enum config_stage stage,
                               const char *initiator)
{
    for (size_t i = 0; i < count; i++) {
        if (forces[i].stage == stage &&
            (forces[i].initiators == NULL || node_glob(forces[i].initiators, initiator)))
            return forces[i].status;
    }
    return 0;
}

uint16_t node_forced(const struct node *node, size_t target, enum config_stage stage, const char *initiator)
{
    const struct config *config = node->config;
    uint16_t status = node_forced_in(node->all.forces, node->all.force_count, stage, initiator);

    if (status == 0 && !node->all.forces_off)
        status = node_forced_in(config->forces, config->force_count, stage, initiator);
    if (status != 0 || target == NODE_ALL)
        return status;
    const struct node_target *state = &node->targets[target];

    status = node_forced_in(state->forces, state->force_count, stage, initiator);
    if (status == 0 && !state->forces_off)
        status = node_forced_in(config->targets[target].forces, config->targets[target].force_count, stage,
                                initiator);
    return status;
}

/* ---- control verbs ---- */

static bool node_set_drain(struct node *node, size_t portal, bool drain)
{
    if (portal != NODE_ALL && portal >= node->config->portal_count)
        return false;
    for (size_t i = 0; i < node->config->portal_count; i++) {
        if (portal == NODE_ALL || portal == i)
            node->portals[i].drain = drain;
    }
    return true;
}

bool node_drain(struct node *node, size_t portal)
{
    return node_set_drain(node, portal, true);
}

bool node_resume(struct node *node, size_t portal)
{
    return node_set_drain(node, portal, false);
}

static bool node_each_target(struct node *node, size_t target, void (*change)(struct node *node, size_t index))
{
    if (target != NODE_ALL && target >= node->config->target_count)
        return false;
    for (size_t i = 0; i < node->config->target_count; i++) {
        if (target == NODE_ALL || target == i)
            change(node, i);
    }
    return true;
}

static void node_remove_one(struct node *node, size_t index)
{
    node->targets[index].removed = true;
    sessions_end_target(node, index);
}

static void node_restore_one(struct node *node, size_t index)
{
    node->targets[index].removed = false;
}

static void node_fault_one(struct node *node, size_t index)
{
    node->targets[index].fault = true;
}

static void node_mend_one(struct node *node, size_t index)
{
    node->targets[index].fault = false;
}

bool node_remove(struct node *node, size_t target)
{
    return node_each_target(node, target, node_remove_one);
}

bool node_restore(struct node *node, size_t target)
{
    return node_each_target(node, target, node_restore_one);
}

bool node_fault(struct node *node, size_t target)
{
    return node_each_target(node, target, node_fault_one);
}

bool node_mend(struct node *node, size_t target)
{
    return node_each_target(node, target, node_mend_one);
}

/* A copy of force at the end of the list. False: no memory, list untouched. */
static bool node_add_force(struct node *node, struct node_target *target, const struct config_force *force)
{
    size_t count = target->force_count;
    struct config_force *forces = node_allocate(node, (count + 1) * sizeof(*forces));
    char *initiators = NULL;

    if (force->initiators != NULL && forces != NULL) {
        size_t size = strlen(force->initiators) + 1;

        initiators = node_allocate(node, size);
        if (initiators != NULL)
            memcpy(initiators, force->initiators, size);
    }
    if (forces == NULL || (force->initiators != NULL && initiators == NULL)) {
        node_release(node, forces);
        return false;
    }
    if (count > 0)
        memcpy(forces, target->forces, count * sizeof(*forces));
    forces[count] = *force;
    forces[count].initiators = initiators;
    node_release(node, target->forces);
    target->forces = forces;
    target->force_count = count + 1;
    return true;
}

bool node_force(struct node *node, size_t target, const struct config_force *force)
{
    if (target != NODE_ALL && target >= node->config->target_count)
        return false;
    struct node_target *state = target == NODE_ALL ? &node->all : &node->targets[target];

    if (force != NULL)
        return node_add_force(node, state, force);
    node_forget_forces(node, state);
    for (size_t i = 0; target == NODE_ALL && i < node->config->target_count; i++)
        node_forget_forces(node, &node->targets[i]);
    return true;
}

void node_request_logout(struct node *node)
{
    for (struct conn *conn = node->conns; conn != NULL; conn = conn->next) {
        /* A discovery session takes no Asynchronous Messages, 4.3. */
        if (conn->session == NULL || conn->action != CONN_KEEP || conn->session->target == NODE_ALL)
            continue;
        struct pdu_response response = { .opcode = PDU_ASYNC_MESSAGE, .flags = PDU_FLAG_FINAL,
                                     .itt = PDU_NO_TAG,
                                     .word36 = (uint32_t)PDU_ASYNC_LOGOUT_REQUEST << 24,
                                     .word40 = NODE_LOGOUT_SECONDS };

        full_send(conn, &response, NULL, 0);
    }
}

/* ---- the rest ---- */

uint64_t node_deadline(const struct node *node)
{
    return node->session_deadline;
}

void node_tick(struct node *node)
{
    sessions_tick(node);
}

size_t node_count_sessions(const struct node *node)
{
    return node->session_count;
}

size_t node_count_connections(const struct node *node)
{
    return node->conn_count;
}
