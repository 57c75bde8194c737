/* Which target a command is about: by profile, by --portal, or by --target alone. */
#include "harness/cli/address.h"
#include "harness/cli/cli.h"
#include "harness/cli/found.h"
#include "harness/cli/suggest.h"
#include "harness/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct profile *profile_of_target(const struct cli *cli, int *status)
{
    const struct options *o = &cli->options;
    struct address address;
    struct profile *profile = NULL;
    char secret[256];
    char err[256];

    *status = EXIT_USAGE;
    if (o->profile != NULL || o->portals.count > 0) {
        cli_fail(0, "--target stands alone: with a profile use --profile and --portal");
        return NULL;
    }
    if (address_parse_url(o->target, &address, err, sizeof(err)) != 0) {
        cli_fail(0, "--target %s: %s", o->target, err);
        return NULL;
    }
    if (address_read_secret(o->secret_file, secret, sizeof(secret), err, sizeof(err)) != 0) {
        cli_fail(0, "--secret-file %s: %s", o->secret_file, err);
        return NULL;
    }
    if (o->user != NULL && secret[0] == '\0') {
        cli_fail(0, "--user %s: its secret is missing; use --secret-file FILE or ISCSISPEC_SECRET", o->user);
    } else {
        profile = found_profile(cli, &address, o->user != NULL ? secret : NULL, status);
    }
    explicit_bzero(secret, sizeof(secret));
    return profile;
}

static int unknown_portal(const struct profile *profile, const char *text, const char *name)
{
    const char *names[64];
    const char *best;
    size_t count = 0;

    for (size_t i = 0; i < profile->portal_count && count < 64; i++) {
        names[count++] = profile->portals[i].name;
    }
    best = suggest_nearest(name, names, count);
    return cli_fail(EXIT_USAGE, "--portal %s: the profile '%s' has no portal '%s'; %s%s", text, profile->name, name,
                    best != NULL ? "did you mean " : "its first is ",
                    best != NULL ? best : (count > 0 ? names[0] : "?"));
}

/* --portal: only the portals that are given are there. */
static int replace_portals(struct profile *profile, const struct options_list *given)
{
    char err[256];

    for (size_t i = 0; i < profile->portal_count; i++) {
        profile->portals[i].port = 0;
    }
    for (size_t i = 0; i < given->count; i++) {
        struct profile_portal *portal;
        struct address address;
        char *host;

        if (address_parse_portal(given->items[i], &address, err, sizeof(err)) != 0) {
            return cli_fail(EXIT_USAGE, "--portal %s: %s", given->items[i], err);
        }
        portal = address.name[0] != '\0' ? profile_portal_find(profile, address.name)
                                         : (profile->portal_count > 0 ? &profile->portals[0] : NULL);
        if (portal == NULL) {
            return unknown_portal(profile, given->items[i], address.name);
        }
        host = strdup(address.host);
        if (host == NULL) {
            return cli_fail(EXIT_FAULT, "out of memory");
        }
        free(portal->address);
        portal->address = host;
        portal->port = address.port;
    }
    return 0;
}

struct profile *cli_load_profile(const struct cli *cli, int *status)
{
    const struct options *o = &cli->options;
    struct load_error err = {""};
    struct profile *profile;

    *status = 0;
    if (o->target != NULL) {
        return profile_of_target(cli, status);
    }
    if (o->write_profile != NULL) {
        *status =
            cli_fail(EXIT_USAGE, "--write-profile %s goes with --target; there is a profile already", o->write_profile);
        return NULL;
    }
    if (o->user != NULL || o->secret_file != NULL) {
        *status = cli_fail(EXIT_USAGE, "--%s goes with --target; a profile names its own credentials",
                           o->user != NULL ? "user" : "secret-file");
        return NULL;
    }
    profile = profile_load(o->profile != NULL ? o->profile : CLI_DEFAULT_PROFILE, cli->data.profiles, &err);
    if (profile == NULL) {
        *status = cli_fail(EXIT_USAGE, "%s", err.text);
        return NULL;
    }
    if (o->portals.count > 0) {
        *status = replace_portals(profile, &o->portals);
    }
    return profile;
}

int cli_find_target_binary(const struct cli *cli, char *out, size_t out_len)
{
    const char *given = cli->options.target_binary;

    if (given == NULL) {
        datadir_find_binary(&cli->data, "iscsispec-target", out, out_len);
        return 0; /* only a profile that uses it misses it */
    }
    if (access(given, X_OK) != 0) {
        return cli_fail(EXIT_USAGE, "--target-binary %s: %s", given, strerror(errno));
    }
    snprintf(out, out_len, "%s", given);
    return 0;
}
