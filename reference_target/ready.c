/* What a running target says of itself as JSON; see ready.h. */
#include "ready.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

/* {"address": HOST, "port": N, "tag": N}, the host without the brackets of IPv6. */
static json_t *portal_json(const struct config_portal *portal)
{
    const char *colon = strrchr(portal->address, ':');
    const char *host = portal->address;
    size_t length = (size_t)(colon - host);

    if (host[0] == '[') {
        host++;
        length -= 2;
    }
    return json_pack("{s:s%, s:i, s:i}", "address", host, length, "port", atoi(colon + 1), "tag", (int)portal->tag);
}

static json_t *portals_json(const struct config *config)
{
    json_t *portals = json_object();

    for (size_t i = 0; i < config->portal_count; i++)
        if (json_object_set_new(portals, config->portals[i].name, portal_json(&config->portals[i])) != 0) {
            json_decref(portals);
            return NULL;
        }
    return portals;
}

static json_t *targets_json(const struct config *config)
{
    json_t *targets = json_array();

    for (size_t i = 0; i < config->target_count; i++)
        if (json_array_append_new(targets, json_string(config->targets[i].name)) != 0) {
            json_decref(targets);
            return NULL;
        }
    return targets;
}

static bool add_forces(json_t *codes, const struct config_force *forces, size_t count)
{
    char code[8];

    for (size_t i = 0; i < count; i++) {
        snprintf(code, sizeof(code), "0x%04x", forces[i].status);
        if (json_array_append_new(codes, json_string(code)) != 0)
            return false;
    }
    return true;
}

/* The codes that are answered without a cause, so that who measures this target knows. */
static json_t *forced_json(const struct config *config)
{
    json_t *codes = json_array();
    bool good = add_forces(codes, config->forces, config->force_count);

    for (size_t i = 0; good && i < config->target_count; i++)
        good = add_forces(codes, config->targets[i].forces, config->targets[i].force_count);
    if (!good) {
        json_decref(codes);
        return NULL;
    }
    return codes;
}

static char *dump(json_t *json)
{
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

    json_decref(json);
    return text;
}

char *ready_text(const struct config *config, const char *control_path)
{
    return dump(json_pack("{s:i, s:o, s:o, s:o, s:s?}", "pid", (int)getpid(), "portals", portals_json(config),
                          "targets", targets_json(config), "forced", forced_json(config), "control", control_path));
}

char *ready_portals_text(const struct config *config)
{
    return dump(portals_json(config));
}

bool ready_write(const char *path, const char *text)
{
    size_t size = strlen(path) + 32;
    char *temporary = malloc(size);
    FILE *file;
    bool good = false;

    if (temporary == NULL)
        return false;
    snprintf(temporary, size, "%s.%d.new", path, (int)getpid());
    file = fopen(temporary, "we");
    if (file != NULL) {
        good = fprintf(file, "%s\n", text) > 0;
        good = fclose(file) == 0 && good;
        good = good && rename(temporary, path) == 0;
        if (!good) {
            int saved = errno;
            unlink(temporary);
            errno = saved;
        }
    }
    free(temporary);
    return good;
}
