/* The command line: driver and defaults; see options.h. The flags themselves stand in options_table.c. */
#include "options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options_parse.h"
#include "values.h"

enum { ROWS_MAX = 96 };

bool options_reject(struct options_parse *parse, const char *value, const char *format, ...)
{
    char reason[OPTIONS_ERROR_MAX / 2];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    if (value != NULL)
        snprintf(parse->error, OPTIONS_ERROR_MAX, "--%s '%.256s': %s", parse->row->name, value, reason);
    else
        snprintf(parse->error, OPTIONS_ERROR_MAX, "--%s: %s", parse->row->name, reason);
    return false;
}

/* A flag of a portal or target needs one before it. */
static bool check_level(struct options_parse *parse)
{
    const struct config *config = &parse->options->config;

    if (parse->row->level == OPTIONS_PORTAL && config->portal_count == 0)
        return options_reject(parse, NULL, "it belongs to a portal, and no --portal stands before it; "
                              "write --portal ADDR:PORT --%s", parse->row->name);
    if (parse->row->level == OPTIONS_TARGET && config->target_count == 0)
        return options_reject(parse, NULL, "it belongs to a target, and no --target stands before it; "
                              "write --target NAME --%s", parse->row->name);
    return true;
}

/* The flag whose name is nearest to a mistyped one, NULL when none is near. */
static const char *nearest_flag(const char *word)
{
    const char *best = NULL;
    size_t best_distance = strlen(word) / 3 + 1;

    for (size_t i = 0; options_at(i) != NULL; i++) {
        size_t distance = values_distance(word, options_at(i)->name);
        if (distance <= best_distance && (best == NULL || distance < best_distance)) {
            best = options_at(i)->name;
            best_distance = distance;
        }
    }
    return best;
}

/* getopt_long did not take an argument: says why. */
static void explain(char **argv, int code, char *error)
{
    char word[64];
    const char *text = argv[optind > 0 ? optind - 1 : 0];
    const char *name = text + strspn(text, "-");
    size_t length = strcspn(name, "=");
    const char *near;

    if (length >= sizeof word)
        length = sizeof word - 1;
    memcpy(word, name, length);
    word[length] = '\0';
    for (size_t i = 0; options_at(i) != NULL; i++) {
        if (strcmp(options_at(i)->name, word) != 0)
            continue;
        if (code == ':')
            snprintf(error, OPTIONS_ERROR_MAX, "--%s: its value is missing; write --%s %s", word, word,
                     options_at(i)->placeholder);
        else
            snprintf(error, OPTIONS_ERROR_MAX, "--%s '%.200s': this flag takes no value; write --%s alone", word,
                     strchr(text, '=') != NULL ? strchr(text, '=') + 1 : "", word);
        return;
    }
    near = nearest_flag(word);
    if (near != NULL)
        snprintf(error, OPTIONS_ERROR_MAX, "%.200s: there is no such flag; did you mean --%s?", text, near);
    else
        snprintf(error, OPTIONS_ERROR_MAX, "%.200s: there is no such flag, or it is cut too short; see --help", text);
}

/* Everything behind --ctl PATH is the line for the target. */
static bool take_control_line(struct options_parse *parse, int count, char **words)
{
    size_t length = 1;
    char *line;

    if (count == 0) {
        snprintf(parse->error, OPTIONS_ERROR_MAX,
                 "--ctl '%.256s': the verb is missing; write --ctl PATH VERB [ARG]..., VERB as told by --ctl PATH help",
                 parse->options->control_path);
        return false;
    }
    for (int i = 0; i < count; i++)
        length += strlen(words[i]) + 1;
    line = malloc(length);
    if (line == NULL)
        return options_no_memory(parse);
    line[0] = '\0';
    for (int i = 0; i < count; i++) {
        if (i > 0)
            strcat(line, " ");
        strcat(line, words[i]);
    }
    parse->options->control_line = line;
    return true;
}

bool options_no_memory(struct options_parse *parse)
{
    snprintf(parse->error, OPTIONS_ERROR_MAX, "out of memory");
    return false;
}

static bool add_default_portal(struct options_parse *parse)
{
    struct config *config = &parse->options->config;

    if (config->portal_count > 0)
        return true;
    return config_add_portal(config, "main", "127.0.0.1", 3260) != NULL || options_no_memory(parse);
}

static bool add_default_target(struct options_parse *parse)
{
    struct config *config = &parse->options->config;

    if (config->target_count > 0)
        return true;
    return config_add_target(config, OPTIONS_DEFAULT_TARGET) != NULL || options_no_memory(parse);
}

/* Names of portals may be used before the portal stands on the line, so they are looked up when all is read. */
static bool resolve_names(struct options_parse *parse)
{
    for (size_t i = 0; i < parse->late_count; i++) {
        const struct options_late *late = &parse->late[i];
        parse->row = late->row;
        if (!late->resolve(parse, &parse->options->config.targets[late->target], late->value))
            return false;
    }
    return true;
}

static bool finish(struct options_parse *parse, int argc, char **argv)
{
    struct options *options = parse->options;

    if (options->action == OPTIONS_CONTROL)
        return take_control_line(parse, argc - optind, argv + optind);
    if (options->action != OPTIONS_SERVE)
        return true;
    if (optind < argc) {
        snprintf(parse->error, OPTIONS_ERROR_MAX,
                 "'%.256s': only flags are expected here; a target is given as --target NAME, a portal as --portal "
                 "ADDR:PORT", argv[optind]);
        return false;
    }
    return add_default_portal(parse) && add_default_target(parse) && resolve_names(parse) &&
           (benign_configure(&options->config) || options_no_memory(parse));
}

/* Makes getopt's array of the table. Returns the number of rows. */
static size_t make_getopt(struct option *array)
{
    size_t count = 0;

    for (; options_at(count) != NULL && count + 1 < ROWS_MAX; count++) {
        const struct options_row *row = options_at(count);
        int argument = row->argument == OPTIONS_NO_ARGUMENT ? no_argument
                       : row->argument == OPTIONS_ARGUMENT  ? required_argument
                                                            : optional_argument;
        array[count] = (struct option){row->name, argument, NULL, (int)count};
    }
    array[count] = (struct option){0};
    return count;
}

bool options_parse(struct options *options, int argc, char **argv, char *error)
{
    struct options_parse parse = {.options = options, .error = error};
    struct option array[ROWS_MAX];
    bool good = true;

    memset(options, 0, sizeof *options);
    config_init(&options->config);
    options->drain_timeout_ms = OPTIONS_DRAIN_TIMEOUT_MS;
    options->log_level = NODE_LOG_INFO;
    error[0] = '\0';
    make_getopt(array);
    optind = 0; /* glibc: start anew */
    opterr = 0;
    /* '+': stop at the first word that is no flag, and keep the order of flags; ':': tell a missing value apart. */
    while (good && (options->action == OPTIONS_SERVE || options->action == OPTIONS_CONTROL)) {
        int code = -1, row = 0;
        if (options->action == OPTIONS_SERVE)
            code = getopt_long(argc, argv, "+:h", array, &row);
        if (code == -1)
            break;
        if (code == 'h') {
            options->action = OPTIONS_HELP;
        } else if (code == '?' || code == ':') {
            explain(argv, code, error);
            good = false;
        } else {
            parse.row = options_at((size_t)code);
            good = check_level(&parse) && parse.row->apply(&parse, optarg);
        }
    }
    good = good && finish(&parse, argc, argv);
    free(parse.late);
    return good;
}

void options_free(struct options *options)
{
    config_free(&options->config);
    free(options->ready_file);
    free(options->control_path);
    free(options->control_line);
    memset(options, 0, sizeof *options);
}
