/* Control verbs; see verbs.h. */
#include "verbs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "describe.h"
#include "ready.h"
#include "values.h"

enum { WORDS_MAX = 3 };

/* One line, taken apart. */
struct verbs_arguments {
    const char *words[WORDS_MAX];       /* behind the verb */
    size_t count;
    FILE *out;                          /* lines of data */
    char *reason;                       /* why not, REASON_SIZE bytes */
};

enum { REASON_SIZE = 512 };

static bool fail(const struct verbs_arguments *arguments, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool fail(const struct verbs_arguments *arguments, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vsnprintf(arguments->reason, REASON_SIZE, format, list);
    va_end(list);
    return false;
}

/* The portal that word index names, all when it is not there. */
static bool find_portal(const struct verbs_context *context, const struct verbs_arguments *arguments, size_t index,
                        size_t *portal)
{
    *portal = NODE_ALL;
    if (index >= arguments->count)
        return true;
    *portal = node_find_portal(context->node, arguments->words[index]);
    return *portal != NODE_ALL || fail(arguments, "there is no portal '%s'; the verb portals names all",
                                       arguments->words[index]);
}

static bool find_target(const struct verbs_context *context, const struct verbs_arguments *arguments, size_t index,
                        size_t *target)
{
    *target = NODE_ALL;
    if (index >= arguments->count)
        return true;
    *target = node_find_target(context->node, arguments->words[index]);
    return *target != NODE_ALL || fail(arguments, "there is no target '%s'", arguments->words[index]);
}

static bool on_portal(const struct verbs_context *context, const struct verbs_arguments *arguments,
                      bool (*act)(struct node *, size_t))
{
    size_t portal;

    return find_portal(context, arguments, 0, &portal) &&
           (act(context->node, portal) || fail(arguments, "the engine refused"));
}

static bool on_target(const struct verbs_context *context, const struct verbs_arguments *arguments,
                      bool (*act)(struct node *, size_t))
{
    size_t target;

    return find_target(context, arguments, 0, &target) &&
           (act(context->node, target) || fail(arguments, "the engine refused"));
}

static bool run_drain(const struct verbs_context *context, const struct verbs_arguments *arguments)
{
    return on_portal(context, arguments, node_drain);
}

static bool run_resume(const struct verbs_context *context, const struct verbs_arguments *arguments)
{
    return on_portal(context, arguments, node_resume);
}

static bool run_remove(const struct verbs_context *context, const struct verbs_arguments *arguments)
{
    return on_target(context, arguments, node_remove);
}

static bool run_restore(const struct verbs_context *context, const struct verbs_arguments *arguments)
{
    return on_target(context, arguments, node_restore);
}

static bool run_fault(const struct verbs_context *context, const struct verbs_arguments *arguments)
{
    return on_target(context, arguments, node_fault);
}

static bool run_mend(const struct verbs_context *context, const struct verbs_arguments *arguments)
{
    return on_target(context, arguments, node_mend);
}

static bool run_force(const struct verbs_context *context, const struct verbs_arguments *arguments)
{
    struct config_force force = {0};
    bool none = strcmp(arguments->words[0], "none") == 0;
    const char *reason = none ? NULL : values_force(arguments->words[0], &force);
    size_t target;
    bool good;

    if (reason != NULL)
        return fail(arguments, "%s", reason);
    good = find_target(context, arguments, 1, &target) &&
           (node_force(context->node, target, none ? NULL : &force) || fail(arguments, "out of memory"));
    free(force.initiators);
    return good;
}

static bool run_portals(const struct verbs_context *context, const struct verbs_arguments *arguments)
{
    char *text = ready_portals_text(context->config);

    if (text == NULL)
        return fail(arguments, "out of memory");
    fprintf(arguments->out, "%s\n", text);
    free(text);
    return true;
}

struct listing {
    const struct config *config;
    json_t *array;
    bool good;
};

/* Appends {"peer", "portal", "login": true} or a whole session description. */
static void list_connection(void *context, const struct conn *conn, size_t portal, const char *peer)
{
    struct listing *listing = context;
    const struct config *config = listing->config;
    struct describe_session session;
    char isid[13];
    json_t *row = json_pack("{s:s, s:s}", "peer", peer, "portal", config->portals[portal].name);

    if (row == NULL || !describe_session(conn, &session)) {
        listing->good = listing->good && row != NULL && json_object_set_new(row, "phase", json_string("login")) == 0;
    } else {
        json_t *more;
        for (size_t i = 0; i < sizeof session.isid; i++)
            snprintf(isid + 2 * i, 3, "%02x", session.isid[i]);
        more = json_pack("{s:s, s:s, s:s?, s:s, s:s, s:i, s:i, s:i}", "phase", "full-feature", "type",
                         session.target == NODE_ALL ? "Discovery" : "Normal", "target",
                         session.target == NODE_ALL ? NULL : config->targets[session.target].name, "initiator",
                         session.initiator, "isid", isid, "tsih", (int)session.tsih, "cid", (int)session.cid, "tag",
                         (int)session.tag);
        listing->good = listing->good && more != NULL && json_object_update(row, more) == 0;
        json_decref(more);
    }
    listing->good = row != NULL && json_array_append_new(listing->array, row) == 0 && listing->good;
}

static bool run_sessions(const struct verbs_context *context, const struct verbs_arguments *arguments)
{
    struct listing listing = {context->config, json_array(), true};
    json_t *whole;
    bool good;

    connections_each(context->hub, list_connection, &listing);
    whole = json_pack("{s:I, s:o}", "sessions", (json_int_t)node_count_sessions(context->node), "connections",
                      listing.array);
    good = whole != NULL && listing.good && json_dumpf(whole, arguments->out, JSON_COMPACT) == 0;
    json_decref(whole);
    fputc('\n', arguments->out);
    return good || fail(arguments, "out of memory, or a name that is no UTF-8");
}

static bool run_help(const struct verbs_context *context, const struct verbs_arguments *arguments)
{
    (void)context;
    for (size_t i = 0; verbs_at(i) != NULL; i++)
        fprintf(arguments->out, "%s%s%s - %s\n", verbs_at(i)->name, verbs_at(i)->placeholder[0] != '\0' ? " " : "",
                verbs_at(i)->placeholder, verbs_at(i)->help);
    return true;
}

static bool run_quit(const struct verbs_context *context, const struct verbs_arguments *arguments)
{
    (void)arguments;
    context->quit(context->context);
    return true;
}

static const struct verbs_row rows[] = {
    {"drain", "[PORTAL]", "New logins get 0301, live sessions go on. Without a portal: all.", 0, 1, run_drain},
    {"resume", "[PORTAL]", "Takes drain back.", 0, 1, run_resume},
    {"remove", "TARGET", "Logins get 0204, its sessions end.", 1, 1, run_remove},
    {"restore", "TARGET", "Takes remove back.", 1, 1, run_restore},
    {"fault", "TARGET", "Its store fails: 0300.", 1, 1, run_fault},
    {"mend", "TARGET", "Takes fault back.", 1, 1, run_mend},
    {"force", "CODE[@STAGE][:GLOB]|none [TARGET]",
     "Answers a status without a cause; none takes all of that target away. Without a target: for all.", 1, 2,
     run_force},
    {"sessions", "", "The connections there are, as JSON.", 0, 0, run_sessions},
    {"portals", "", "The portals and their addresses, as JSON.", 0, 0, run_portals},
    {"help", "", "Lists the verbs.", 0, 0, run_help},
    {"quit", "", "Ends the process at once, without a drain.", 0, 0, run_quit},
};

const struct verbs_row *verbs_at(size_t index)
{
    return index < sizeof rows / sizeof rows[0] ? &rows[index] : NULL;
}

/* Splits text at blanks, in place. Returns the number of words, most + 1 when there are more. */
static size_t split(char *text, const char **words, size_t most)
{
    static const char blanks[] = " \t\r";
    size_t count = 0;

    for (;;) {
        text += strspn(text, blanks);
        if (*text == '\0')
            return count;
        if (count == most)
            return most + 1;
        words[count++] = text;
        text += strcspn(text, blanks);
        if (*text != '\0')
            *text++ = '\0';
    }
}

/* Finds the verb of a line and runs it. */
static bool dispatch(const struct verbs_context *context, char *text, struct verbs_arguments *arguments)
{
    const char *words[WORDS_MAX + 1];
    size_t count = split(text, words, WORDS_MAX + 1);

    if (count == 0)
        return fail(arguments, "the line is empty; the verb help lists what there is");
    for (size_t i = 0; verbs_at(i) != NULL; i++) {
        const struct verbs_row *row = verbs_at(i);
        if (strcmp(row->name, words[0]) != 0)
            continue;
        if (count - 1 < row->least || count - 1 > row->most)
            return fail(arguments, "write %s%s%s", row->name, row->placeholder[0] != '\0' ? " " : "",
                        row->placeholder);
        arguments->count = count - 1;
        memcpy(arguments->words, words + 1, arguments->count * sizeof words[0]);
        return row->run(context, arguments);
    }
    return fail(arguments, "there is no verb '%.32s'; the verb help lists what there is", words[0]);
}

/* Replaces what could break the line or a terminal. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
            *text = '?';
}

char *verbs_run(const struct verbs_context *context, const char *line, size_t length, size_t *answer_length, bool *good)
{
    char text[VERBS_LINE_MAX + 1], reason[REASON_SIZE] = "";
    char *answer = NULL;
    struct verbs_arguments arguments = {.reason = reason};

    *good = false;
    *answer_length = 0;
    arguments.out = open_memstream(&answer, answer_length);
    if (arguments.out == NULL)
        return NULL;
    if (length > VERBS_LINE_MAX || memchr(line, '\0', length) != NULL) {
        fail(&arguments, "the line is longer than %d bytes or holds a NUL", (int)VERBS_LINE_MAX);
    } else {
        memcpy(text, line, length);
        text[length] = '\0';
        *good = dispatch(context, text, &arguments);
    }
    make_printable(reason);
    if (*good)
        fputs("ok\n", arguments.out);
    else
        fprintf(arguments.out, "error: %s\n", reason);
    if (fclose(arguments.out) != 0) {
        free(answer);
        answer = NULL;
    }
    return answer;
}
