/* The table of flags of iscsispec-target, and what each does; see options.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "credentials.h"
#include "defects.h"
#include "options.h"
#include "options_parse.h"
#include "values.h"

static struct config_portal *last_portal(struct options_parse *parse)
{
    struct config *config = &parse->options->config;

    return &config->portals[config->portal_count - 1];
}

/* NULL when no --target was given yet. */
static struct config_target *last_target(struct options_parse *parse)
{
    struct config *config = &parse->options->config;

    return config->target_count > 0 ? &config->targets[config->target_count - 1] : NULL;
}

static bool replace(struct options_parse *parse, char **field, const char *value)
{
    char *copy = strdup(value);

    if (copy == NULL)
        return options_no_memory(parse);
    free(*field);
    *field = copy;
    return true;
}

static bool need_text(struct options_parse *parse, const char *value)
{
    return value[0] != '\0' || options_reject(parse, value, "it is empty; write %s", parse->row->placeholder);
}

/* Process. */

static bool apply_help(struct options_parse *parse, const char *value)
{
    (void)value;
    parse->options->action = OPTIONS_HELP;
    return true;
}

static bool apply_version(struct options_parse *parse, const char *value)
{
    (void)value;
    parse->options->action = OPTIONS_VERSION;
    return true;
}

static bool apply_list_defects(struct options_parse *parse, const char *value)
{
    if (value != NULL && strcmp(value, "json") != 0)
        return options_reject(parse, value, "the form is json, or nothing for a table");
    parse->options->action = value != NULL ? OPTIONS_LIST_DEFECTS_JSON : OPTIONS_LIST_DEFECTS;
    return true;
}

static bool apply_ready_file(struct options_parse *parse, const char *value)
{
    return need_text(parse, value) && replace(parse, &parse->options->ready_file, value);
}

static bool apply_control(struct options_parse *parse, const char *value)
{
    struct sockaddr_un address;

    if (strlen(value) >= sizeof address.sun_path)
        return options_reject(parse, value, "the path of a Unix socket has at most %zu bytes; use a shorter one",
                              sizeof address.sun_path - 1);
    return need_text(parse, value) && replace(parse, &parse->options->control_path, value);
}

static bool apply_ctl(struct options_parse *parse, const char *value)
{
    parse->options->action = OPTIONS_CONTROL;
    return apply_control(parse, value);
}

static bool apply_drain_timeout(struct options_parse *parse, const char *value)
{
    return values_seconds(value, &parse->options->drain_timeout_ms) ||
           options_reject(parse, value, "write seconds from 0 to 86400, as in 5 or 0.5");
}

static bool apply_login_timeout(struct options_parse *parse, const char *value)
{
    uint32_t *timeout = &parse->options->config.login_timeout_ms;

    return (values_seconds(value, timeout) && *timeout > 0) ||
           options_reject(parse, value, "write seconds from 0.001 to 86400, as in 15 or 0.5");
}

static bool apply_log_level(struct options_parse *parse, const char *value)
{
    static const struct { const char *name; enum node_log_level level; } levels[] = {
        {"debug", NODE_LOG_DEBUG}, {"info", NODE_LOG_INFO}, {"warning", NODE_LOG_WARNING}};

    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (strcmp(value, levels[i].name) == 0) {
            parse->options->log_level = levels[i].level;
            return true;
        }
    return options_reject(parse, value, "the level is debug, info or warning");
}

static bool apply_codes(struct options_parse *parse, const char *value)
{
    const char *reason = values_codes(value, &parse->options->config.codes);

    return reason == NULL || options_reject(parse, value, "%s", reason);
}

static bool apply_require_digest(struct options_parse *parse, const char *value)
{
    struct config_params *params = &parse->options->config.params;
    bool both = strcmp(value, "both") == 0, header = both || strcmp(value, "header") == 0;
    bool data = both || strcmp(value, "data") == 0;

    params->header_digest_required = params->header_digest_required || header;
    params->data_digest_required = params->data_digest_required || data;
    return header || data || options_reject(parse, value, "the digest is header, data or both");
}

static bool apply_strict_redeclare(struct options_parse *parse, const char *value)
{
    (void)value;
    parse->options->config.strict_redeclare = true;
    return true;
}

static bool unknown_defect(struct options_parse *parse, const char *word)
{
    const char *best = NULL;
    size_t best_distance = strlen(word) / 3 + 1;

    for (int i = 0; i < (int)DEFECT_COUNT; i++) {
        const char *name = defects_entry((enum defect)i)->name;
        size_t distance = values_distance(word, name);
        if (distance < best_distance) {
            best = name;
            best_distance = distance;
        }
    }
    if (best != NULL)
        return options_reject(parse, word, "there is no such defect; did you mean %s?", best);
    return options_reject(parse, word, "there is no such defect; --list-defects names all");
}

static bool apply_list_benign(struct options_parse *parse, const char *value)
{
    if (value != NULL && strcmp(value, "json") != 0)
        return options_reject(parse, value, "the form is json, or nothing for a table");
    parse->options->action = value != NULL ? OPTIONS_LIST_BENIGN_JSON : OPTIONS_LIST_BENIGN;
    return true;
}

static bool unknown_benign(struct options_parse *parse, const char *word)
{
    const char *best = NULL;
    size_t best_distance = strlen(word) / 3 + 1;

    for (int i = 0; i < (int)BENIGN_COUNT; i++) {
        const char *name = benign_entry((enum benign)i)->name;
        size_t distance = values_distance(word, name);
        if (distance < best_distance) {
            best = name;
            best_distance = distance;
        }
    }
    if (best != NULL)
        return options_reject(parse, word, "there is no such switch; did you mean %s?", best);
    return options_reject(parse, word, "there is no such switch; --list-benign names all");
}

static bool apply_benign(struct options_parse *parse, const char *value)
{
    char word[128];

    for (const char *p = value;; p++) {
        size_t length = strcspn(p, ",");
        enum benign benign;
        snprintf(word, sizeof word, "%.*s", length < sizeof word ? (int)length : (int)sizeof word - 1, p);
        benign = benign_find(word);
        if (benign == BENIGN_COUNT)
            return unknown_benign(parse, word);
        benign_set(&parse->options->config.benigns, benign);
        p += length;
        if (*p == '\0')
            return true;
    }
}

static bool apply_defect(struct options_parse *parse, const char *value)
{
    char word[128];

    for (const char *p = value;; p++) {
        size_t length = strcspn(p, ",");
        enum defect defect;
        snprintf(word, sizeof word, "%.*s", length < sizeof word ? (int)length : (int)sizeof word - 1, p);
        defect = defects_find(word);
        if (defect == DEFECT_COUNT)
            return unknown_defect(parse, word);
        defects_set(&parse->options->config.defects, defect);
        p += length;
        if (*p == '\0')
            return true;
    }
}

static bool add_credential(struct options_parse *parse, struct config_auth *auth, const char *value)
{
    const char *reason = credentials_add(auth, value, ':');

    /* The value holds a secret: it is not repeated in a message that may end up in a log. */
    return reason == NULL || options_reject(parse, NULL, "%s", reason);
}

static bool add_credential_file(struct options_parse *parse, struct config_auth *auth, const char *value)
{
    char reason[OPTIONS_ERROR_MAX / 2];

    return credentials_load(value, auth, reason, sizeof reason) || options_reject(parse, value, "%s", reason);
}

/* The one credential that the target proves itself with, from USER:SECRET or from a file. */
static bool set_mutual(struct options_parse *parse, struct config_auth *auth, const char *value, bool file)
{
    struct config_auth one = {0};
    bool good = file ? add_credential_file(parse, &one, value) : add_credential(parse, &one, value);

    if (good && one.user_count > 1)
        good = options_reject(parse, value, "a target proves itself with one USER:SECRET, and there are %zu in it",
                              one.user_count);
    if (good && auth->mutual.user != NULL)
        good = options_reject(parse, NULL, "it was given before; a target proves itself with one USER:SECRET");
    if (good) {
        auth->mutual = one.users[0];
        one.user_count = 0;
    }
    for (size_t i = 0; i < one.user_count; i++)
        credentials_clear(&one.users[i]);
    free(one.users);
    return good;
}

static bool apply_discovery_chap(struct options_parse *parse, const char *value)
{
    return add_credential(parse, &parse->options->config.discovery, value);
}

static bool apply_portal_discovery_chap(struct options_parse *parse, const char *value)
{
    return add_credential(parse, &last_portal(parse)->discovery, value);
}

static bool apply_discovery_chap_file(struct options_parse *parse, const char *value)
{
    return add_credential_file(parse, &parse->options->config.discovery, value);
}

static bool apply_discovery_mutual(struct options_parse *parse, const char *value)
{
    return set_mutual(parse, &parse->options->config.discovery, value, false);
}

static bool apply_discovery_mutual_file(struct options_parse *parse, const char *value)
{
    return set_mutual(parse, &parse->options->config.discovery, value, true);
}

/* Portals. */

/* The first portal without a name is main, a later one portalN. */
static void name_portal(const struct config *config, struct values_portal *portal)
{
    if (portal->name[0] != '\0')
        return;
    if (config->portal_count == 0)
        snprintf(portal->name, sizeof portal->name, "main");
    else
        snprintf(portal->name, sizeof portal->name, "portal%zu", config->portal_count + 1);
}

static bool apply_portal(struct options_parse *parse, const char *value)
{
    struct config *config = &parse->options->config;
    struct values_portal portal;
    const char *reason = values_portal(value, &portal);
    struct config_portal *added;

    if (reason != NULL)
        return options_reject(parse, value, "%s", reason);
    name_portal(config, &portal);
    for (size_t i = 0; i < config->portal_count; i++)
        if (strcmp(config->portals[i].name, portal.name) == 0)
            return options_reject(parse, value, "a portal named %s was given before; give it another name with "
                                  "--portal NAME=ADDR:PORT", portal.name);
    if (config->portal_count >= CONFIG_PORTALS_MAX)
        return options_reject(parse, value, "there are at most %d portals", (int)CONFIG_PORTALS_MAX);
    added = config_add_portal(config, portal.name, portal.host, portal.port);
    if (added == NULL)
        return options_no_memory(parse);
    added->tag = portal.tag;
    return true;
}

static bool apply_session_types(struct options_parse *parse, const char *value)
{
    static const struct { const char *name; unsigned types; } kinds[] = {
        {"normal", CONFIG_SESSION_NORMAL}, {"discovery", CONFIG_SESSION_DISCOVERY}, {"all", CONFIG_SESSION_ALL}};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(value, kinds[i].name) == 0) {
            last_portal(parse)->session_types = kinds[i].types;
            return true;
        }
    return options_reject(parse, value, "it is normal, discovery or all");
}

static bool apply_drain(struct options_parse *parse, const char *value)
{
    (void)value;
    last_portal(parse)->drain = true;
    return true;
}

static bool apply_max_sessions(struct options_parse *parse, const char *value)
{
    uint64_t number;

    if (!values_number(value, 1, UINT16_MAX, &number))
        return options_reject(parse, value, "write a number from 1 to 65535; leave the flag out for no limit");
    last_portal(parse)->max_sessions = (uint32_t)number;
    return true;
}

/* Targets. */

static bool apply_target(struct options_parse *parse, const char *value)
{
    struct config *config = &parse->options->config;
    const char *reason = values_iscsi_name(value);

    if (reason != NULL)
        return options_reject(parse, value, "%s", reason);
    for (size_t i = 0; i < config->target_count; i++)
        if (strcmp(config->targets[i].name, value) == 0)
            return options_reject(parse, value, "this target was given before; write its flags behind the first");
    return config_add_target(config, value) != NULL || options_no_memory(parse);
}

/* Keeps a value that names portals until all are known. */
static bool defer(struct options_parse *parse, const char *value,
                  bool (*resolve)(struct options_parse *, struct config_target *, const char *))
{
    struct options_late *late = realloc(parse->late, (parse->late_count + 1) * sizeof *late);

    if (late == NULL)
        return options_no_memory(parse);
    parse->late = late;
    late[parse->late_count++] =
        (struct options_late){parse->row, parse->options->config.target_count - 1, value, resolve};
    return true;
}

static bool find_portal(struct options_parse *parse, const char *value, const char *name, size_t length, size_t *index)
{
    const struct config *config = &parse->options->config;

    for (size_t i = 0; i < config->portal_count; i++)
        if (strlen(config->portals[i].name) == length && memcmp(config->portals[i].name, name, length) == 0) {
            *index = i;
            return true;
        }
    return options_reject(parse, value, "there is no portal named '%.*s'; name one with --portal NAME=ADDR:PORT",
                          (int)(length < 64 ? length : 64), name);
}

static bool resolve_on(struct options_parse *parse, struct config_target *target, const char *value)
{
    for (const char *p = value;; p++) {
        size_t length = strcspn(p, ","), index = 0;
        if (!find_portal(parse, value, p, length, &index))
            return false;
        target->portals |= UINT64_C(1) << index;
        p += length;
        if (*p == '\0')
            return true;
    }
}

static bool apply_on(struct options_parse *parse, const char *value)
{
    return defer(parse, value, resolve_on);
}

static bool resolve_moved(struct options_parse *parse, struct config_target *target, const char *value)
{
    return find_portal(parse, value, value + 1, strlen(value + 1), &target->moved_portal);
}

static bool move(struct options_parse *parse, const char *value, enum config_moved moved)
{
    struct config_target *target = last_target(parse);
    const char *reason;

    if (target->moved != CONFIG_MOVED_NO)
        return options_reject(parse, value, "the target moved already; give one address a target");
    target->moved = moved;
    if (value[0] == '@')
        return defer(parse, value, resolve_moved);
    reason = values_address(value);
    if (reason != NULL)
        return options_reject(parse, value, "%s; for a portal of this process write @NAME", reason);
    return replace(parse, &target->moved_to, value);
}

static bool apply_moved_temporarily(struct options_parse *parse, const char *value)
{
    return move(parse, value, CONFIG_MOVED_TEMPORARILY);
}

static bool apply_moved_permanently(struct options_parse *parse, const char *value)
{
    return move(parse, value, CONFIG_MOVED_PERMANENTLY);
}

static bool apply_chap(struct options_parse *parse, const char *value)
{
    return add_credential(parse, &last_target(parse)->auth, value);
}

static bool apply_chap_file(struct options_parse *parse, const char *value)
{
    return add_credential_file(parse, &last_target(parse)->auth, value);
}

static bool apply_mutual(struct options_parse *parse, const char *value)
{
    return set_mutual(parse, &last_target(parse)->auth, value, false);
}

static bool apply_mutual_file(struct options_parse *parse, const char *value)
{
    return set_mutual(parse, &last_target(parse)->auth, value, true);
}

static bool apply_allow(struct options_parse *parse, const char *value)
{
    struct config_target *target = last_target(parse);
    const char *reason = values_iscsi_name(value);
    char **allow;

    if (reason != NULL)
        return options_reject(parse, value, "%s", reason);
    allow = realloc(target->allow, (target->allow_count + 1) * sizeof *allow);
    if (allow == NULL)
        return options_no_memory(parse);
    target->allow = allow;
    allow[target->allow_count] = strdup(value);
    if (allow[target->allow_count] == NULL)
        return options_no_memory(parse);
    target->allow_count++;
    return true;
}

static bool apply_removed(struct options_parse *parse, const char *value)
{
    (void)value;
    last_target(parse)->removed = true;
    return true;
}

static bool apply_fault(struct options_parse *parse, const char *value)
{
    (void)value;
    last_target(parse)->fault = true;
    return true;
}

static bool apply_max_connections(struct options_parse *parse, const char *value)
{
    uint64_t number;

    if (!values_number(value, 1, UINT16_MAX, &number))
        return options_reject(parse, value, "write a number from 1 to 65535 (RFC 7143 13.2)");
    last_target(parse)->max_connections = (uint32_t)number;
    return true;
}

static bool apply_lun(struct options_parse *parse, const char *value)
{
    enum { BLOCK = 512 };
    struct config_target *target = last_target(parse);
    uint64_t size;

    if (!need_text(parse, value))
        return false;
    free(target->lun_path);
    target->lun_path = NULL;
    if (values_size(value, &size)) {
        if (size < BLOCK || size > (UINT64_C(1) << 34))
            return options_reject(parse, value, "a RAM disk has 512 bytes to 16G; for more give a file");
        target->lun = CONFIG_LUN_RAM;
        target->lun_size = size - size % BLOCK;
        return true;
    }
    target->lun = CONFIG_LUN_FILE;
    return replace(parse, &target->lun_path, value);
}

static bool apply_alias(struct options_parse *parse, const char *value)
{
    enum { ALIAS_MAX = 255 };
    struct config_target *target = last_target(parse);

    if (value[0] == '\0' || strlen(value) > ALIAS_MAX)
        return options_reject(parse, value, "an alias has 1 to 255 bytes (RFC 7143 13.6)");
    return replace(parse, target != NULL ? &target->alias : &parse->options->config.alias, value);
}

static bool apply_force(struct options_parse *parse, const char *value)
{
    struct config *config = &parse->options->config;
    struct config_target *target = last_target(parse);
    struct config_force **forces = target != NULL ? &target->forces : &config->forces;
    size_t *count = target != NULL ? &target->force_count : &config->force_count;
    struct config_force force;
    const char *reason = values_force(value, &force);
    struct config_force *grown;

    if (reason != NULL)
        return options_reject(parse, value, "%s", reason);
    grown = realloc(*forces, (*count + 1) * sizeof *grown);
    if (grown == NULL) {
        free(force.initiators);
        return options_no_memory(parse);
    }
    *forces = grown;
    grown[(*count)++] = force;
    return true;
}

/* The table, in the order of --help. */
#define NONE OPTIONS_NO_ARGUMENT, ""
#define WITH(placeholder) OPTIONS_ARGUMENT, placeholder

static const struct options_row rows[] = {
    {"portal", OPTIONS_PROCESS, WITH("[NAME=]ADDR:PORT[,TAG]"),
     "Listens there. ADDR is numeric, IPv6 in brackets; port 0 is a free one; TAG is the portal group tag (1). The "
     "first portal without a name is main. Without any: 127.0.0.1:3260.", apply_portal},
    {"target", OPTIONS_PROCESS, WITH("NAME"),
     "Serves a target of this iSCSI name. Without any: " OPTIONS_DEFAULT_TARGET ".", apply_target},
    {"ready-file", OPTIONS_PROCESS, WITH("PATH"),
     "When all portals listen, this file appears, whole, with the line of JSON that is also the first line of "
     "standard output. It goes when the process ends.", apply_ready_file},
    {"control", OPTIONS_PROCESS, WITH("PATH"),
     "Takes control verbs on this Unix socket.", apply_control},
    {"ctl", OPTIONS_PROCESS, WITH("PATH VERB [ARG]..."),
     "Sends a control verb to the target whose --control is PATH, prints the answer and exits: 0 ok, 1 not.", apply_ctl},
    {"drain-timeout", OPTIONS_PROCESS, WITH("SEC"),
     "How long SIGTERM and SIGINT wait for live sessions to end (5). A second signal ends at once.", apply_drain_timeout},
    {"login-timeout", OPTIONS_PROCESS, WITH("SEC"),
     "A connection that is not in full feature phase by then is closed (15).", apply_login_timeout},
    {"discovery-chap", OPTIONS_PROCESS, WITH("USER:SECRET"),
     "Discovery sessions need CHAP with one of these. Visible in the process list: for tests.", apply_discovery_chap},
    {"discovery-chap-file", OPTIONS_PROCESS, WITH("FILE"),
     "As --discovery-chap, from lines USER:SECRET (or USER, tab, SECRET).", apply_discovery_chap_file},
    {"discovery-mutual-chap", OPTIONS_PROCESS, WITH("USER:SECRET"),
     "What the target proves itself with in discovery sessions that ask for it.", apply_discovery_mutual},
    {"discovery-mutual-chap-file", OPTIONS_PROCESS, WITH("FILE"),
     "As --discovery-mutual-chap, from a file of one line.", apply_discovery_mutual_file},
    {"codes", OPTIONS_PROCESS, WITH("CODE[,CODE]..."),
     "Knows only these status codes: others become 0200 or a close.", apply_codes},
    {"require-digest", OPTIONS_PROCESS, WITH("header|data|both"),
     "Takes CRC32C even where the initiator would rather have None, and no None at all.", apply_require_digest},
    {"strict-redeclare", OPTIONS_PROCESS, NONE,
     "Refuses also an identical repetition of InitiatorName, TargetName or SessionType.", apply_strict_redeclare},
    {"defect", OPTIONS_PROCESS, WITH("NAME[,NAME]..."),
     "Breaks a rule on purpose. May be repeated.", apply_defect},
    {"list-defects", OPTIONS_PROCESS, OPTIONS_ARGUMENT_OPTIONAL, "=json",
     "Lists all defects as a table or as JSON, and exits.", apply_list_defects},
    {"benign", OPTIONS_PROCESS, WITH("NAME[,NAME]..."),
     "Does something unusual that the RFC leaves open. May be repeated.", apply_benign},
    {"list-benign", OPTIONS_PROCESS, OPTIONS_ARGUMENT_OPTIONAL, "=json",
     "Lists all switches of --benign as a table or as JSON, and exits.", apply_list_benign},
    {"log-level", OPTIONS_PROCESS, WITH("debug|info|warning"),
     "What goes to standard error; info (the default): a line for each refused login.", apply_log_level},
    {"help", OPTIONS_PROCESS, NONE, "Prints this, and exits.", apply_help},
    {"version", OPTIONS_PROCESS, NONE, "Prints the version, and exits.", apply_version},

    {"session-types", OPTIONS_PORTAL, WITH("normal|discovery|all"),
     "Other sessions are refused with 0209.", apply_session_types},
    {"discovery-chap-here", OPTIONS_PORTAL, WITH("USER:SECRET"),
     "Discovery sessions at this portal need CHAP with one of these, instead of those of --discovery-chap.",
     apply_portal_discovery_chap},
    {"drain", OPTIONS_PORTAL, NONE,
     "Starts drained: new logins are refused with 0301.", apply_drain},
    {"max-sessions", OPTIONS_PORTAL, WITH("N"),
     "A session more is refused with 0302.", apply_max_sessions},

    {"on", OPTIONS_TARGET, WITH("NAME[,NAME]..."),
     "Is served on these portals only; elsewhere 0203. Without it: on all.", apply_on},
    {"chap", OPTIONS_TARGET, WITH("USER:SECRET"),
     "Needs CHAP, else 0201. May be repeated. USER ends at the first colon. Visible in the process list: for tests.",
     apply_chap},
    {"chap-file", OPTIONS_TARGET, WITH("FILE"),
     "As --chap, from lines USER:SECRET (or USER, tab, SECRET).", apply_chap_file},
    {"mutual-chap", OPTIONS_TARGET, WITH("USER:SECRET"),
     "What the target proves itself with when the initiator asks for it.", apply_mutual},
    {"mutual-chap-file", OPTIONS_TARGET, WITH("FILE"),
     "As --mutual-chap, from a file of one line.", apply_mutual_file},
    {"allow", OPTIONS_TARGET, WITH("INITIATOR"),
     "Only initiators of these names may log in; others get 0202. May be repeated.", apply_allow},
    {"max-connections", OPTIONS_TARGET, WITH("N"),
     "Connections of one session at most (8); one more is refused with 0206.", apply_max_connections},
    {"moved-temporarily", OPTIONS_TARGET, WITH("HOST:PORT|@PORTAL"),
     "Answers 0101 with this TargetAddress, or with that of a portal of this process.", apply_moved_temporarily},
    {"moved-permanently", OPTIONS_TARGET, WITH("HOST:PORT|@PORTAL"),
     "As --moved-temporarily, with 0102.", apply_moved_permanently},
    {"removed", OPTIONS_TARGET, NONE,
     "Starts removed: 0204.", apply_removed},
    {"fault", OPTIONS_TARGET, NONE,
     "Starts with a failed store: 0300.", apply_fault},
    {"lun", OPTIONS_TARGET, WITH("SIZE|FILE"),
     "LUN 0: a RAM disk of SIZE bytes (K, M, G; 64M), or a file or device. A file that vanished: 0300.", apply_lun},
    {"alias", OPTIONS_TARGET_OR_ALL, WITH("TEXT"),
     "TargetAlias. Before the first --target: for all without their own.", apply_alias},
    {"force", OPTIONS_TARGET_OR_ALL, WITH("CODE[@STAGE][:GLOB]"),
     "Answers this status without a cause, at the stage first, security, operational or final, to initiators whose "
     "name fits the glob. May be repeated. Before the first --target: for all, discovery too.", apply_force},
};

const struct options_row *options_at(size_t index)
{
    return index < sizeof rows / sizeof rows[0] ? &rows[index] : NULL;
}
