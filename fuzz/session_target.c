/* The reference target of the login-session entry: see session_target.h. */
#include "fuzz/session_target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME(suffix) "iqn.2026-01.example.iscsispec:" suffix
#define SECRET       "initiator-secret"

static const struct session_live_names names = {
    .target = NAME("open"),
    .chap_target = NAME("chap"),
    .initiator = NAME("fuzz"),
    .user = "initiator",
    .secret = (const uint8_t *)SECRET,
    .secret_len = sizeof(SECRET) - 1,
    .isid = {0x80, 0x12, 0x34, 0x56, 0x78, 0x00},
};

struct user {
    const char *name;
    const char *secret;
};

static const struct {
    const char *name;
    struct user users[2];
    struct user mutual;
    unsigned max_connections;
    enum config_moved moved;
    bool denied, removed, lost;
} rows[] = {
    {.name = NAME("open")},
    {.name = NAME("chap"), .users = {{"initiator", SECRET}}},
    {.name = NAME("mutual"),
     .users = {{"initiator", SECRET}, {"twin", "target-secret-14"}},
     .mutual = {"target", "target-secret-14"}},
    {.name = NAME("single"), .max_connections = 1},
    {.name = NAME("denied"), .denied = true},
    {.name = NAME("moved-temporarily"), .moved = CONFIG_MOVED_TEMPORARILY},
    {.name = NAME("moved-permanently"), .moved = CONFIG_MOVED_PERMANENTLY},
    {.name = NAME("removed"), .removed = true},
    {.name = NAME("store"), .lost = true},
};

static const struct {
    const char *name;
    const char *address;
    uint16_t tag;
    unsigned types;
    uint32_t max_sessions;
} portals[SESSION_TARGET_PORTALS] = {
    {"main", "127.0.0.1:3260", 1, CONFIG_SESSION_ALL, 0},
    {"second-group", "127.0.0.1:3261", 2, CONFIG_SESSION_ALL, 0},
    {"limited", "127.0.0.1:3262", 1, CONFIG_SESSION_NORMAL, 1},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* ---- what the engine needs from outside ---- */

static uint64_t target_now(void *context)
{
    return ((struct session_target *)context)->now_ms;
}

/* A fixed sequence, so that an input always means the same: what comes out here stands in for real random bytes. */
static bool target_random(void *context, uint8_t *bytes, size_t length)
{
    struct session_target *target = context;

    for (size_t i = 0; i < length; i++) {
        target->random = target->random * 1664525U + 1013904223U;
        bytes[i] = (uint8_t)(target->random >> 24);
    }
    return true;
}

static void *target_allocate(void *context, size_t size)
{
    struct session_target *target = context;
    void *memory = arena_take(&target->arena, size);

    if (memory != NULL)
        target->allocated++;
    return memory;
}

static void target_release(void *context, void *memory)
{
    struct session_target *target = context;

    if (memory != NULL)
        target->allocated--;
    arena_give(&target->arena, memory);
}

/* ---- configuration ---- */

static bool set_user(struct config_credential *credential, const struct user *user)
{
    credential->user = strdup(user->name);
    credential->secret = (uint8_t *)strdup(user->secret);
    credential->secret_length = strlen(user->secret);
    return credential->user != NULL && credential->secret != NULL;
}

static bool add_target(struct config *config, size_t row)
{
    struct config_target *target = config_add_target(config, rows[row].name);

    if (target == NULL)
        return false;
    target->removed = rows[row].removed;
    target->fault = rows[row].lost;
    target->moved = rows[row].moved;
    target->moved_portal = 1;
    target->lun_size = 1 << 16;
    if (rows[row].max_connections > 0)
        target->max_connections = rows[row].max_connections;
    if (rows[row].denied) {
        target->allow = calloc(1, sizeof *target->allow);
        if (target->allow == NULL || (target->allow[0] = strdup(NAME("somebody-else"))) == NULL)
            return false;
        target->allow_count = 1;
    }
    target->auth.users = calloc(2, sizeof *target->auth.users);
    if (target->auth.users == NULL)
        return false;
    for (size_t i = 0; i < 2 && rows[row].users[i].name != NULL; i++) {
        if (!set_user(&target->auth.users[i], &rows[row].users[i]))
            return false;
        target->auth.user_count++;
    }
    return rows[row].mutual.name == NULL || set_user(&target->auth.mutual, &rows[row].mutual);
}

static bool set_defects(struct config *config, const char *list)
{
    while (list != NULL && *list != '\0') {
        size_t len = strcspn(list, ",");
        char name[64];

        snprintf(name, sizeof name, "%.*s", (int)len, list);
        enum defect defect = defects_find(name);
        if (defect == DEFECT_COUNT) {
            fprintf(stderr, "no defect is named '%s'; `iscsispec-target --list-defects` names them\n", name);
            return false;
        }
        defects_set(&config->defects, defect);
        list += len + (list[len] == ',');
    }
    return true;
}

bool session_target_configure(struct session_target *target, const char *defects, bool plain_malloc)
{
    struct config *config = &target->config;

    memset(target, 0, sizeof *target);
    if (!plain_malloc && !arena_init(&target->arena))
        return false;
    config_init(config);
    for (size_t i = 0; i < SESSION_TARGET_PORTALS; i++) {
        struct config_portal *portal = config_add_portal(config, portals[i].name, "127.0.0.1", 3260);

        if (portal == NULL || (portal->address = strdup(portals[i].address)) == NULL)
            return false;
        portal->tag = portals[i].tag;
        portal->session_types = portals[i].types;
        portal->max_sessions = portals[i].max_sessions;
    }
    for (size_t i = 0; i < ROWS; i++)
        if (!add_target(config, i))
            return false;
    config->alias = strdup("fuzz");
    return config->alias != NULL && set_defects(config, defects);
}

bool session_target_start(struct session_target *target)
{
    const struct node_env env = {.context = target,
                                 .now_ms = target_now,
                                 .random = target_random,
                                 .allocate = target_allocate,
                                 .release = target_release};

    target->now_ms = 1;
    target->random = 1;
    target->allocated = 0;
    arena_reset(&target->arena);
    target->node = node_new(&target->config, &env);
    return target->node != NULL;
}

void session_target_stop(struct session_target *target)
{
    node_free(target->node);
    target->node = NULL;
}

size_t session_target_portal(unsigned conn)
{
    return conn < 2 ? 0 : conn - 1;
}

const struct session_live_names *session_target_names(void)
{
    return &names;
}

bool session_target_asks(const struct session_target *target, size_t index)
{
    return index < target->config.target_count && target->config.targets[index].auth.user_count > 0;
}

void session_target_free(struct session_target *target)
{
    config_free(&target->config);
    arena_free(&target->arena);
}
