/* Loading of profiles, checks across their parts, and what a need comes to. */
#include "harness/profile.h"
#include "harness/profile_read.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROFILE_PATH_MAX 4096u

int profile_read_secret_file(struct schema_reader *r, const struct yaml_node *node, const char *path, char **out)
{
    const char *slash = strrchr(node->at.file, '/');
    char full[PROFILE_PATH_MAX], text[PROFILE_SECRET_MAX + 2];
    int dir_len = path[0] != '/' && slash ? (int)(slash - node->at.file) + 1 : 0;
    FILE *f;
    size_t n;

    if (snprintf(full, sizeof full, "%.*s%s", dir_len, node->at.file, path) >= (int)sizeof full)
        return load_error_set(r->err, &node->at, "%.60s: path too long", path);
    f = fopen(full, "re");
    if (!f)
        return load_error_set(r->err, &node->at, "%.200s: the secret cannot be read: %s", full, strerror(errno));
    n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    if (n > 0 && text[n - 1] == '\n')
        n--;
    if (n == 0 || n > PROFILE_SECRET_MAX || memchr(text, '\0', n))
        return load_error_set(r->err, &node->at, "%.200s: no secret; write 1 to %u characters without NUL", full,
                              PROFILE_SECRET_MAX);
    *out = arena_strndup(r->arena, text, n);
    return *out ? 0 : schema_no_memory(r, node);
}

struct profile_portal *profile_portal_find(const struct profile *p, const char *name)
{
    const struct profile_condition *c;

    for (size_t i = 0; i < p->portal_count; i++)
        if (strcmp(p->portals[i].name, name) == 0)
            return &p->portals[i];
    c = profile_condition_find(p, name);
    for (size_t i = 0; c && c->portal && i < p->portal_count; i++)
        if (strcmp(p->portals[i].name, c->portal) == 0)
            return &p->portals[i];
    return NULL;
}

const struct profile_condition *profile_condition_find(const struct profile *p, const char *name)
{
    for (size_t i = 0; i < p->condition_count; i++)
        if (strcmp(p->conditions[i].name, name) == 0)
            return &p->conditions[i];
    return NULL;
}

const char *profile_not_offered_reason(const struct profile *p, const char *condition)
{
    for (size_t i = 0; i < p->not_offered_count; i++)
        if (p->not_offered[i].condition && strcmp(p->not_offered[i].condition, condition) == 0)
            return p->not_offered[i].reason;
    return NULL;
}

const char *profile_left_out_reason(const struct profile *p, const char *id)
{
    for (size_t i = 0; i < p->left_out_count; i++)
        if (fnmatch(p->left_out[i].cases, id, 0) == 0)
            return p->left_out[i].reason;
    return NULL;
}

static bool has_control(const struct profile *p, const char *verb)
{
    for (size_t i = 0; i < p->control_count; i++)
        if (strcmp(p->controls[i].name, verb) == 0)
            return true;
    return false;
}

/* control-VERB is offered by the controls, without an entry of its own. */
static bool is_offered_control(const struct profile *p, const char *condition)
{
    static const char prefix[] = "control-";

    return strncmp(condition, prefix, sizeof prefix - 1) == 0 && has_control(p, condition + sizeof prefix - 1);
}

static void merge(struct profile_access *out, const struct profile_condition *c, bool place)
{
    if (place && c->target)
        out->target = c->target;
    if (place && c->portal)
        out->portal = c->portal;
    if (c->initiator)
        out->initiator = c->initiator;
    if (c->user) {
        out->user = c->user;
        out->secret = c->secret.text;
    }
    if (c->mutual_user) {
        out->mutual_user = c->mutual_user;
        out->mutual_secret = c->mutual_secret.text;
    }
}

const char *profile_resolve(const struct profile *p, const struct case_need *need, struct profile_access *out)
{
    const struct profile_condition *open = profile_condition_find(p, "open");

    memset(out, 0, sizeof *out);
    if (open) {
        out->target = open->target;
        out->portal = open->portal;
    }
    for (size_t i = 0; i < need->conditions.count; i++) {
        const char *name = need->conditions.items[i];
        const struct case_condition *known = case_condition_find(name);
        const struct profile_condition *c = profile_condition_find(p, name);
        const char *reason = profile_not_offered_reason(p, name);

        if (reason)
            return reason;
        if (c)
            merge(out, c, !known || !known->beside);
        else if (!is_offered_control(p, name))
            return known ? known->missing : "the profile does not offer a condition that the case needs";
    }
    if (!out->portal && p->portal_count > 0)
        out->portal = p->portals[0].name;
    return NULL;
}

/* ---- checks across the parts ---- */

static int check_portal_name(const struct profile *p, const struct position *at, const char *name,
                             struct load_error *err)
{
    struct schema_hint hint;

    schema_hint_start(&hint, name);
    for (size_t i = 0; i < p->portal_count; i++) {
        if (strcmp(p->portals[i].name, name) == 0)
            return 0;
        schema_hint_offer(&hint, p->portals[i].name);
    }
    return load_error_set(err, at, "%.60s: portals has no such name; %s", name, schema_hint_text(&hint));
}

/* ${port:NAME} and ${address:NAME} in every text of the file. All else in ${...} is the shell's or the run's. */
static int check_placeholders(const struct profile *p, const struct yaml_node *node, struct load_error *err)
{
    static const char *const kinds[] = {"${port:", "${address:"};

    for (const struct yaml_node *child = node->child; child; child = child->next)
        if (check_placeholders(p, child, err) != 0)
            return -1;
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        const char *at = node->text;

        while ((at = strstr(at, kinds[k])) != NULL) {
            size_t len;
            char name[64];

            at += strlen(kinds[k]);
            len = strcspn(at, "}");
            if (at[len] != '}' || len >= sizeof name)
                return load_error_set(err, &node->at, "%s%.40s: the brace is not closed; write %sNAME}", kinds[k], at,
                                      kinds[k]);
            memcpy(name, at, len);
            name[len] = '\0';
            if (!profile_portal_find(p, name))
                return check_portal_name(p, &node->at, name, err);
        }
    }
    return 0;
}

static int check_profile(const struct profile *p, const struct yaml_node *root, struct load_error *err)
{
    for (size_t i = 0; i < p->condition_count; i++) {
        const struct profile_condition *c = &p->conditions[i];

        if (c->portal && check_portal_name(p, &c->at, c->portal, err) != 0)
            return -1;
        if (profile_not_offered_reason(p, c->name))
            return load_error_set(err, &c->at, "%s: stands in not-offered too; take one out", c->name);
    }
    return check_placeholders(p, root, err);
}

/* ---- loading ---- */

static struct profile *load_file(const char *path, struct load_error *err)
{
    struct arena *a = arena_new(0);
    struct position start = {path, 1, 1};
    struct schema_reader r = {a, err, NULL};
    const struct yaml_node *root = a ? yaml_load(a, path, NULL, NULL, err) : NULL;
    struct profile *p = a ? arena_alloc(a, 1, sizeof *p) : NULL;
    struct schema_part part = {&profile_table, p, 0};

    if (!a || !p)
        load_error_set(err, &start, "out of memory");
    else if (!root)
        load_error_set(err, &start, "is empty; a profile is a map: profile: NAME, portals: ..., conditions: ...");
    if (!root || !p) {
        arena_free(a);
        return NULL;
    }
    p->storage = a;
    p->at = root->at;
    p->instances = 1;
    p->ready_ms = PROFILE_READY_MS;
    p->setup_ms = PROFILE_SETUP_MS;
    p->stop_ms = PROFILE_STOP_MS;
    p->close_grace_ms = PROFILE_CLOSE_GRACE_MS;
    if (schema_read(&r, root, &part, 1) == 0 && check_profile(p, root, err) == 0)
        return p;
    profile_free(p);
    return NULL;
}

static bool is_path(const char *name)
{
    size_t len = strlen(name);

    return strchr(name, '/') || (len > 5 && strcmp(name + len - 5, ".yaml") == 0);
}

/* Where shipped profiles lie below the data directory: as installed, or the folder of cases itself. */
static const char *const folders[] = {"cases/profiles", "profiles"};

static int unknown_name(const char *name, const char *data_dir, struct load_error *err)
{
    struct schema_hint hint;

    schema_hint_start(&hint, name);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char path[PROFILE_PATH_MAX];
        struct dirent **entries = NULL;
        int n = -1;

        if (snprintf(path, sizeof path, "%s/%s", data_dir, folders[i]) < (int)sizeof path)
            n = scandir(path, &entries, NULL, alphasort);
        for (int k = 0; k < n; k++) {
            char *dot = strrchr(entries[k]->d_name, '.');

            if (dot && dot != entries[k]->d_name && strcmp(dot, ".yaml") == 0) {
                *dot = '\0';
                schema_hint_offer(&hint, entries[k]->d_name);
            }
        }
        /* The hint may point into an entry: its text is made before they go. */
        if (n >= 0) {
            load_error_set(err, NULL, "profile \"%.60s\": none of this name below %.200s; %s, or write a path", name,
                           path, schema_hint_text(&hint));
            for (int k = 0; k < n; k++)
                free(entries[k]);
            free(entries);
            return -1;
        }
    }
    return load_error_set(err, NULL, "profile \"%.60s\": there are no profiles below %.200s; write a path", name,
                          data_dir);
}

struct profile *profile_load(const char *name_or_path, const char *data_dir, struct load_error *err)
{
    struct load_error ignored = {{0}};

    if (!err)
        err = &ignored;
    if (is_path(name_or_path))
        return load_file(name_or_path, err);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char path[PROFILE_PATH_MAX];
        FILE *f;

        if (snprintf(path, sizeof path, "%s/%s/%s.yaml", data_dir, folders[i], name_or_path) >= (int)sizeof path)
            continue;
        f = fopen(path, "re");
        if (!f)
            continue;
        fclose(f);
        return load_file(path, err);
    }
    unknown_name(name_or_path, data_dir, err);
    return NULL;
}

static struct profile_condition *add_condition(struct profile *p, const char *name, char *target)
{
    struct profile_condition *c = &p->conditions[p->condition_count++];

    c->name = arena_strdup(p->storage, name);
    c->target = target;
    c->portal = p->portals[0].name;
    c->arm_ms = PROFILE_ARM_MS;
    return c;
}

struct profile *profile_from_target(const char *host, uint16_t port, const char *target, const char *user,
                                    const char *secret)
{
    struct arena *a = arena_new(0);
    struct profile *p = a ? arena_alloc(a, 1, sizeof *p) : NULL;
    char *name = p && target ? arena_strdup(a, target) : NULL;
    bool good;

    if (!p || !(p->portals = arena_alloc(a, 1, sizeof *p->portals)) ||
        !(p->conditions = arena_alloc(a, 2, sizeof *p->conditions))) {
        arena_free(a);
        return NULL;
    }
    p->storage = a;
    p->name = arena_strdup(a, "target");
    p->title = arena_printf(a, "%s at %s port %u", target ? target : "a target", host, (unsigned)port);
    p->instances = 1;
    p->ready_ms = PROFILE_READY_MS;
    p->setup_ms = PROFILE_SETUP_MS;
    p->stop_ms = PROFILE_STOP_MS;
    p->close_grace_ms = PROFILE_CLOSE_GRACE_MS;
    p->portals[0] = (struct profile_portal){arena_strdup(a, "main"), strdup(host), port, -1, false};
    p->portal_count = 1;
    good = p->name && p->title && p->portals[0].name && p->portals[0].address && (name || !target);
    good = good && add_condition(p, "open", name)->name;
    if (good && user && secret) {
        struct profile_condition *chap = add_condition(p, "chap", name);

        chap->user = arena_strdup(a, user);
        chap->secret.text = arena_strdup(a, secret);
        good = chap->name && chap->user && chap->secret.text;
    }
    if (good)
        return p;
    profile_free(p);
    return NULL;
}

bool profile_use_credentials(struct profile *p, const char *user, const char *secret)
{
    char *own_user = arena_strdup(p->storage, user);
    char *own_secret = arena_strdup(p->storage, secret);

    if (!own_user || !own_secret)
        return false;
    for (size_t i = 0; i < p->condition_count; i++) {
        if (!p->conditions[i].user)
            continue;
        p->conditions[i].user = own_user;
        p->conditions[i].secret.text = own_secret;
    }
    return true;
}

void profile_free(struct profile *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->portal_count; i++)
        free(p->portals[i].address);
    arena_free(p->storage);
}
