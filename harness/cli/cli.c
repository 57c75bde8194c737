#include "harness/cli/cli.h"

#include "harness/cli/verdicts.h"
#include "harness/process.h"
#include "harness/profile.h"
#include "harness/waivers.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int cli_fail(int status, const char *format, ...)
{
    va_list args;

    fflush(stdout);
    fputs("iscsispec: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return status;
}

int cli_find_data(struct cli *cli)
{
    char err[1024];

    return datadir_find(&cli->data, err, sizeof(err)) ? 0 : cli_fail(EXIT_FAULT, "%s", err);
}

int cli_load_rules(struct cli *cli)
{
    struct load_error err = {""};
    int status = cli_find_data(cli);

    if (status != 0) {
        return status;
    }
    cli->rules = catalogue_load(cli->data.requirements, &err);
    return cli->rules != NULL ? 0 : cli_fail(EXIT_USAGE, "%s", err.text);
}

int cli_load_cases(struct cli *cli)
{
    const char *shipped = cli->data.cases;
    struct load_error err = {""};
    int status = cli_load_rules(cli);
    size_t own = cli->options.cases.count;

    if (status != 0) {
        return status;
    }
    shipped = cli->data.cases;
    if (case_list_load(&cli->cases, own > 0 ? cli->options.cases.items : &shipped, own > 0 ? own : 1, cli->rules,
                       &err) != 0) {
        return cli_fail(EXIT_USAGE, "%s", err.text);
    }
    cli->has_cases = true;
    return 0;
}

int cli_floor(const struct options *o, struct rule_floor *out)
{
    *out = (struct rule_floor){RULE_STRENGTH_MAY, RULE_INFO};
    if (o->level != NULL && !rule_strength_parse(o->level, &out->level)) {
        return cli_fail(EXIT_USAGE, "--level %s: there are must, should and may", o->level);
    }
    if (o->severity != NULL && !rule_severity_parse(o->severity, &out->severity)) {
        return cli_fail(EXIT_USAGE, "--severity %s: there are fail, warn and info", o->severity);
    }
    return 0;
}

void cli_free(struct cli *cli)
{
    if (cli->has_cases) {
        case_list_free(&cli->cases);
    }
    catalogue_free(cli->rules);
    memset(cli, 0, sizeof(*cli));
}

int cli_schema(struct cli *cli)
{
    const char *what = cli->options.words.count > 0 ? cli->options.words.items[0] : "";
    json_t *schema;

    if (strcmp(what, "case") == 0) {
        schema = case_schema();
    } else if (strcmp(what, "profile") == 0) {
        schema = profile_schema();
    } else if (strcmp(what, "waivers") == 0) {
        schema = waivers_schema();
    } else {
        return cli_fail(EXIT_USAGE, "schema '%s': there are those of `case`, `profile` and `waivers`", what);
    }
    if (schema == NULL || json_dumpf(schema, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER) != 0) {
        json_decref(schema);
        return cli_fail(EXIT_FAULT, "out of memory");
    }
    putchar('\n');
    json_decref(schema);
    return 0;
}

int cli_read_recording(const struct cli *cli, const char *path, struct recording *out)
{
    char err[1024] = "";

    switch (recording_read(path, cli->options.filter, process_interrupted, out, err, sizeof(err))) {
    case RECORDING_READ:
        break;
    case RECORDING_UNREADABLE:
        return cli_fail(EXIT_USAGE, "%s", err);
    case RECORDING_INTERRUPTED:
        return cli_fail(EXIT_INTERRUPTED, "interrupted");
    case RECORDING_NO_MEMORY:
        return cli_fail(EXIT_FAULT, "out of memory");
    }
    if (out->damaged[0] != '\0') {
        cli_fail(0, "%s", out->damaged);
    }
    return out->count > 0 ? 0 : cli_fail(EXIT_NOTHING, "%s: no iSCSI connection in it", path);
}
