/*
 * The config model: defaults and memory. Who owns what stands in config.h.
 */
#include "reference_target/config.h"

#include "wire/pdu.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG_LUN_DEFAULT = 64 << 20 }; /* bytes of a RAM disk */

void config_init(struct config *config)
{
    *config = (struct config){
        .codes = CONFIG_CODES_ALL,
        .login_timeout_ms = CONFIG_TIMEOUT_LOGIN_MS,
        .params =
            {
                .max_recv_data_segment_length = 262144,
                .max_burst_length = 262144,
                .first_burst_length = 65536,
                .default_time2wait = 2,
                .default_time2retain = 20,
                .max_outstanding_r2t = 1,
                .initial_r2t = false,
                .immediate_data = true,
                .header_digest = true,
                .data_digest = true,
            },
    };
}

struct config_target *config_add_target(struct config *config, const char *name)
{
    struct config_target *targets = realloc(config->targets, (config->target_count + 1) * sizeof *targets);

    if (targets == NULL)
        return NULL;
    config->targets = targets;
    struct config_target *target = &targets[config->target_count];
    *target = (struct config_target){
        .name = strdup(name),
        .max_connections = CONFIG_CONNECTIONS_DEFAULT,
        .lun = CONFIG_LUN_RAM,
        .lun_size = CONFIG_LUN_DEFAULT,
    };
    if (target->name == NULL)
        return NULL;
    config->target_count++;
    return target;
}

struct config_portal *config_add_portal(struct config *config, const char *name, const char *host, uint16_t port)
{
    if (config->portal_count == CONFIG_PORTALS_MAX)
        return NULL;
    struct config_portal *portals = realloc(config->portals, (config->portal_count + 1) * sizeof *portals);
    if (portals == NULL)
        return NULL;
    config->portals = portals;
    struct config_portal *portal = &portals[config->portal_count];
    *portal = (struct config_portal){
        .name = strdup(name), .host = strdup(host), .port = port, .tag = 1, .session_types = CONFIG_SESSION_ALL};
    if (portal->name == NULL || portal->host == NULL) {
        free(portal->name);
        free(portal->host);
        return NULL;
    }
    config->portal_count++;
    return portal;
}

static void credential_free(struct config_credential *credential)
{
    free(credential->user);
    if (credential->secret != NULL)
        OPENSSL_cleanse(credential->secret, credential->secret_length);
    free(credential->secret);
}

static void auth_free(struct config_auth *auth)
{
    for (size_t i = 0; i < auth->user_count; i++)
        credential_free(&auth->users[i]);
    free(auth->users);
    credential_free(&auth->mutual);
}

static void forces_free(struct config_force *forces, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(forces[i].initiators);
    free(forces);
}

static void target_free(struct config_target *target)
{
    free(target->name);
    free(target->alias);
    free(target->moved_to);
    auth_free(&target->auth);
    for (size_t i = 0; i < target->allow_count; i++)
        free(target->allow[i]);
    free(target->allow);
    free(target->lun_path);
    forces_free(target->forces, target->force_count);
}

void config_free(struct config *config)
{
    for (size_t i = 0; i < config->target_count; i++)
        target_free(&config->targets[i]);
    free(config->targets);
    for (size_t i = 0; i < config->portal_count; i++) {
        free(config->portals[i].name);
        free(config->portals[i].host);
        free(config->portals[i].address);
        auth_free(&config->portals[i].discovery);
    }
    free(config->portals);
    free(config->alias);
    auth_free(&config->discovery);
    forces_free(config->forces, config->force_count);
    *config = (struct config){0};
}
