#include "harness/cli/options.h"

#include "harness/cli/suggest.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_LIST, OPTION_COUNT, OPTION_SEED, OPTION_NUMBER, OPTION_TIME };

struct option_row {
    const char *name;
    const char *value; /* name of the value in help; NULL: a flag */
    enum option_kind kind;
    size_t offset; /* of the member of struct options */
    unsigned commands;
    const char *help;
};

#define AT(member) offsetof(struct options, member)

static const struct option_row rows[] = {
    {"profile", "NAME|FILE", OPTION_TEXT, AT(profile), OPTIONS_RUN | OPTIONS_SELFTEST | OPTIONS_FUZZ | OPTIONS_REPLAY,
     "how the target is started, reached and armed (default: reference)"},
    {"target", "iscsi://HOST[:PORT][/NAME]", OPTION_TEXT, AT(target), OPTIONS_RUN | OPTIONS_FUZZ | OPTIONS_REPLAY,
     "a target that runs already, without a profile: it is asked what it offers, and what needs no arming is run"},
    {"write-profile", "FILE", OPTION_TEXT, AT(write_profile), OPTIONS_RUN,
     "with --target: write what was found as a profile to start from"},
    {"portal", "[NAME=]HOST:PORT", OPTION_LIST, AT(portals), OPTIONS_RUN | OPTIONS_FUZZ,
     "instead of the profile's portals; nothing is started then (repeat for more)"},
    {"user", "NAME", OPTION_TEXT, AT(user), OPTIONS_RUN | OPTIONS_FUZZ | OPTIONS_REPLAY, "CHAP user for --target"},
    {"secret-file", "FILE", OPTION_TEXT, AT(secret_file),
     OPTIONS_RUN | OPTIONS_FUZZ | OPTIONS_REPLAY | OPTIONS_CAPTURE_TO_CASE,
     "its secret: first line of FILE (or in the environment: ISCSISPEC_SECRET)"},
    {"initiator", "NAME", OPTION_TEXT, AT(initiator), OPTIONS_RUN | OPTIONS_PROFILE | OPTIONS_FUZZ,
     "initiator name of the run"},
    {"target-binary", "PATH", OPTION_TEXT, AT(target_binary),
     OPTIONS_RUN | OPTIONS_PROFILE | OPTIONS_SELFTEST | OPTIONS_FUZZ | OPTIONS_REPLAY,
     "iscsispec-target, when it is neither beside iscsispec nor on PATH"},
    {"select", "EXPR", OPTION_LIST, AT(select), OPTIONS_RUN | OPTIONS_LIST | OPTIONS_SELFTEST,
     "cases by glob, or code: rule: subject: defect: section:, ! takes away (repeat for more);\n"
     "selftest: name of a defect"},
    {"level", "must|should|may", OPTION_TEXT, AT(level), OPTIONS_RUN | OPTIONS_LIST,
     "only what the RFC binds so strongly: cases that prove such a rule, and findings of\nsuch rules (default: may)"},
    {"severity", "fail|warn|info", OPTION_TEXT, AT(severity), OPTIONS_RUN | OPTIONS_LIST,
     "only rules of at least this severity (default: info)"},
    {"rfc", "3720|7143", OPTION_TEXT, AT(rfc), OPTIONS_RUN,
     "judge by this RFC where the two differ (default: the profile's, else 7143)"},
    {"cases", "DIR", OPTION_LIST, AT(cases),
     OPTIONS_RUN | OPTIONS_LIST | OPTIONS_EXPLAIN | OPTIONS_SELFTEST | OPTIONS_FUZZ,
     "cases from here instead of the shipped ones (repeat for more)"},
    {"out", "DIR", OPTION_TEXT, AT(out),
     OPTIONS_RUN | OPTIONS_PROFILE | OPTIONS_REPORT | OPTIONS_SELFTEST | OPTIONS_FUZZ | OPTIONS_REPLAY |
         OPTIONS_CAPTURE_TO_CASE,
     "where reports and evidence go (default: iscsispec-report)"},
    {"extra", "WORDS", OPTION_TEXT, AT(extra), OPTIONS_RUN | OPTIONS_FUZZ,
     "added to the profile's start command, at its ${extra}"},
    {"jobs", "N", OPTION_COUNT, AT(jobs), OPTIONS_RUN | OPTIONS_SELFTEST, "cases at a time (default: by cores)"},
    {"timeout", "MS", OPTION_COUNT, AT(timeout_ms), OPTIONS_RUN | OPTIONS_REPLAY,
     "for one answer (default: measured, 1 to 10 s)"},
    {"shuffle", NULL, OPTION_FLAG, AT(shuffle), OPTIONS_RUN, "run in random order"},
    {"seed", "N", OPTION_SEED, AT(seed), OPTIONS_RUN | OPTIONS_SELFTEST | OPTIONS_FUZZ | OPTIONS_REPLAY,
     "for --shuffle and all that is drawn"},
    {"shard", "I/N", OPTION_TEXT, AT(shard), OPTIONS_RUN,
     "only part I of N of the selected cases; iscsispec report puts the parts together"},
    {"repeat", "N", OPTION_COUNT, AT(repeat), OPTIONS_RUN,
     "run each case N times; one with different verdicts is named flaky"},
    {"fail-fast", NULL, OPTION_FLAG, AT(fail_fast), OPTIONS_RUN, "stop at the first failure"},
    {"max-time", "TIME", OPTION_TIME, AT(max_time_ms), OPTIONS_RUN,
     "stop after 90s, 5m or 1h; a run that did not get through exits at least 1"},
    {"waivers", "FILE", OPTION_LIST, AT(waivers), OPTIONS_RUN,
     "failures that are known, beside those of the profile (repeat for more)"},
    {"update-waivers", NULL, OPTION_FLAG, AT(update_waivers), OPTIONS_RUN,
     "write OUT/waivers.yaml for review: what still counts and what was seen"},
    {"safe", NULL, OPTION_FLAG, AT(safe), OPTIONS_RUN,
     "leave out what would disturb a live target (reinstatement, limits)"},
    {"format", "FORMAT[=FILE]", OPTION_LIST, AT(formats), OPTIONS_LINT,
     "text, json, sarif or html, to FILE or to standard output (repeat for more; default: text)"},
    {"brief", NULL, OPTION_FLAG, AT(brief), OPTIONS_LINT, "text: a line a connection, and the findings"},
    {"fail-on-skip", NULL, OPTION_FLAG, AT(fail_on_skip), OPTIONS_RUN, "a skipped case counts as failed"},
    {"exit-zero", NULL, OPTION_FLAG, AT(exit_zero), OPTIONS_RUN | OPTIONS_LINT,
     "exit 0 although cases failed (lint: although there are findings)"},
    {"quiet", NULL, OPTION_FLAG, AT(quiet),
     OPTIONS_RUN | OPTIONS_LINT | OPTIONS_SELFTEST | OPTIONS_FUZZ | OPTIONS_REPLAY | OPTIONS_CAPTURE_TO_CASE,
     "no progress, only the end"},
    {"published", "FILE", OPTION_TEXT, AT(published), OPTIONS_RUN | OPTIONS_REPORT,
     "also write the table there, without what changes from run to run"},
    {"write-kill-table", "FILE", OPTION_TEXT, AT(write_kill_table), OPTIONS_SELFTEST, "write what was measured"},
    {"check-kill-table", "FILE", OPTION_TEXT, AT(check_kill_table), OPTIONS_SELFTEST,
     "exit 1 when the file is not what was measured"},
    {"time", "TIME", OPTION_TIME, AT(time_ms), OPTIONS_FUZZ, "how long: 8h, 10m, 90s, 2h30m (default: until Ctrl-C)"},
    {"execs", "N", OPTION_NUMBER, AT(execs), OPTIONS_FUZZ,
     "how many executions, those before an interruption included"},
    {"connections", "N", OPTION_COUNT, AT(connections), OPTIONS_FUZZ, "executions in flight (default: 16)"},
    {"patience", "MS", OPTION_COUNT, AT(patience_ms), OPTIONS_FUZZ,
     "how long to listen where no answer need come: more for a slow target or a busy machine (default: 30)"},
    {"corpus", "DIR|FILE", OPTION_LIST, AT(corpus), OPTIONS_FUZZ,
     "further inputs to start from: captures, and session inputs of fuzz/, as another run's corpus (repeat for more)"},
    {"replay", "DIR|FILE", OPTION_TEXT, AT(replay), OPTIONS_FUZZ,
     "play saved inputs once and tell which still show something"},
    {"filter", "EXPR", OPTION_TEXT, AT(filter), OPTIONS_LINT | OPTIONS_REPLAY | OPTIONS_CAPTURE_TO_CASE,
     "only these frames of the capture, in the syntax of pcap-filter(7)"},
    {"map", "OLD=NEW", OPTION_LIST, AT(maps), OPTIONS_REPLAY,
     "a name (initiator, target, CHAP user) or portal HOST:PORT of the capture and what\nstands for it (repeat for "
     "more)"},
    {"pace", "original|fast", OPTION_TEXT, AT(pace), OPTIONS_REPLAY,
     "keep the times of the capture, or send as the answers come (default: fast)"},
    {"format", "text|json", OPTION_TEXT, AT(format), OPTIONS_COMPARE | OPTIONS_REPLAY | OPTIONS_CAPTURE_TO_CASE,
     "what is printed (default: text)"},
    {"version", NULL, OPTION_FLAG, AT(version), OPTIONS_NONE, "version of iscsispec and of libiscsi"},
    {"help", NULL, OPTION_FLAG, AT(help), OPTIONS_ALL, "this text"},
};

enum { OPTIONS_SHARDS_MAX = 1000 };
enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static void *member(struct options *out, const struct option_row *row)
{
    return (char *)out + row->offset;
}

static int parse_number(const struct option_row *row, const char *text, uint64_t max, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || *out > max) {
        fprintf(stderr, "iscsispec: --%s %s: not a number from 0 to %llu\n", row->name, text, (unsigned long long)max);
        return -1;
    }
    return 0;
}

/* "8h", "2h30m", "90s", "90" (seconds) in milliseconds. */
static int parse_time(const struct option_row *row, const char *text, uint64_t *out)
{
    static const struct {
        char unit;
        uint64_t ms;
    } units[] = {{'d', 86400000}, {'h', 3600000}, {'m', 60000}, {'s', 1000}, {'\0', 1000}};
    const char *p = text;
    uint64_t sum = 0;

    while (*p >= '0' && *p <= '9') {
        size_t unit = 0;
        char *end;
        uint64_t number = strtoull(p, &end, 10);

        while (unit < sizeof(units) / sizeof(units[0]) && units[unit].unit != *end) {
            unit++;
        }
        if (unit == sizeof(units) / sizeof(units[0]) || number > 1000000) {
            break;
        }
        sum += number * units[unit].ms;
        p = *end != '\0' ? end + 1 : end;
    }
    if (*p != '\0' || sum == 0) {
        fprintf(stderr, "iscsispec: --%s %s: not a time; write it as 8h, 10m, 90s or 2h30m\n", row->name, text);
        return -1;
    }
    *out = sum;
    return 0;
}

static int add_to_list(const struct option_row *row, const char *text, struct options_list *list)
{
    if (list->count == OPTIONS_LIST_MAX) {
        fprintf(stderr, "iscsispec: --%s: more than %u of them\n", row->name, OPTIONS_LIST_MAX);
        return -1;
    }
    list->items[list->count++] = text;
    return 0;
}

static int take(const struct option_row *row, const char *text, struct options *out)
{
    uint64_t number = 0;

    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)member(out, row) = true;
        return 0;
    case OPTION_TEXT:
        *(const char **)member(out, row) = text;
        return 0;
    case OPTION_LIST:
        return add_to_list(row, text, member(out, row));
    case OPTION_COUNT:
        if (parse_number(row, text, 3600000, &number) != 0) {
            return -1;
        }
        *(int *)member(out, row) = (int)number;
        return 0;
    case OPTION_NUMBER:
        return parse_number(row, text, UINT64_MAX, member(out, row));
    case OPTION_TIME:
        return parse_time(row, text, member(out, row));
    case OPTION_SEED:
        out->has_seed = true;
        return parse_number(row, text, UINT64_MAX, member(out, row));
    }
    return -1;
}

static size_t name_length(const char *word)
{
    return strcspn(word, "=");
}

static int complain(const char *word, unsigned command)
{
    const char *names[ROW_COUNT];
    const char *best;
    char name[64];
    size_t count = 0;

    while (*word == '-') {
        word++;
    }
    snprintf(name, sizeof(name), "%.*s", (int)name_length(word), word);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0 && (rows[i].commands & command) != 0) {
            fprintf(stderr,
                    rows[i].value != NULL ? "iscsispec: --%s wants a value: --%s %s\n"
                                          : "iscsispec: --%s takes no value\n",
                    name, name, rows[i].value);
            return -1;
        }
        if ((rows[i].commands & command) != 0) {
            names[count++] = rows[i].name;
        }
    }
    best = suggest_nearest(name, names, count);
    fprintf(stderr, "iscsispec: --%s: no such option here; %s%s\n", name,
            best != NULL ? "did you mean --" : "see iscsispec --help", best != NULL ? best : "");
    return -1;
}

int options_parse(int argc, char *const *argv, unsigned command, struct options *out)
{
    struct option table[ROW_COUNT + 1];
    size_t count = 0;
    int found, index = 0;

    memset(out, 0, sizeof(*out));
    memset(table, 0, sizeof(table));
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if ((rows[i].commands & command) != 0) {
            table[count++] = (struct option){.name = rows[i].name,
                                             .has_arg = rows[i].value != NULL ? required_argument : no_argument,
                                             .val = (int)i + 1};
        }
    }
    opterr = 0;
    optind = 1;
    while ((found = getopt_long(argc, argv, ":h", table, &index)) != -1) {
        if (found == 'h') {
            out->help = true;
        } else if (found == '?' || found == ':') {
            return complain(argv[optind - 1], command);
        } else if (take(&rows[found - 1], optarg, out) != 0) {
            return -1;
        }
    }
    for (; optind < argc; optind++) {
        if (out->words.count == OPTIONS_LIST_MAX) {
            fprintf(stderr, "iscsispec: too many arguments\n");
            return -1;
        }
        out->words.items[out->words.count++] = argv[optind];
    }
    return 0;
}

int options_read_shard(const struct options *o, int *shard, int *shards)
{
    char trail;

    *shard = *shards = 0;
    if (o->shard == NULL) {
        return 0;
    }
    if (sscanf(o->shard, "%9d/%9d%c", shard, shards, &trail) == 2 && *shard >= 1 && *shards <= OPTIONS_SHARDS_MAX &&
        *shard <= *shards) {
        return 0;
    }
    fprintf(stderr, "iscsispec: --shard %s: write I/N, part I of N parts, as in 1/4; N is %d at most\n", o->shard,
            OPTIONS_SHARDS_MAX);
    return -1;
}

bool options_describe(size_t index, struct options_about *out)
{
    if (index >= ROW_COUNT) {
        return false;
    }
    *out = (struct options_about){rows[index].name, rows[index].value, rows[index].commands, rows[index].help};
    return true;
}

static void print_help(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        fputc(*text, out);
        if (*text == '\n') {
            fprintf(out, "%38s", "");
        }
    }
    fputc('\n', out);
}

void options_print(FILE *out, unsigned command)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        char left[64];

        if ((rows[i].commands & command) == 0) {
            continue;
        }
        snprintf(left, sizeof(left), "--%s%s%s", rows[i].name, rows[i].value != NULL ? " " : "",
                 rows[i].value != NULL ? rows[i].value : "");
        fprintf(out, strlen(left) > 34 ? "  %s\n%38s" : "  %-35s %s", left, "");
        print_help(out, rows[i].help);
    }
}

/* What does not change how one case comes out. */
static bool is_about_reports(const char *name)
{
    static const char *const names[] = {
        "select",  "out",   "quiet",  "shuffle",   "fail-on-skip", "exit-zero", "published", "update-waivers",
        "waivers", "shard", "repeat", "fail-fast", "max-time",     "help",      "jobs",      "seed"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void put_quoted(FILE *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.,/:=@%+";

    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        fputs(word, out);
        return;
    }
    fputc('\'', out);
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            fputs("'\\''", out);
        } else {
            fputc(*word, out);
        }
    }
    fputc('\'', out);
}

static void put_option(FILE *out, const struct option_row *row, const struct options *given)
{
    const void *at = (const char *)given + row->offset;
    const struct options_list *list = at;

    if (row->kind == OPTION_FLAG && *(const bool *)at) {
        fprintf(out, " --%s", row->name);
    } else if (row->kind == OPTION_COUNT && *(const int *)at != 0) {
        fprintf(out, " --%s %d", row->name, *(const int *)at);
    } else if (row->kind == OPTION_TEXT && *(const char *const *)at != NULL) {
        fprintf(out, " --%s ", row->name);
        put_quoted(out, *(const char *const *)at);
    }
    for (size_t i = 0; row->kind == OPTION_LIST && i < list->count; i++) {
        fprintf(out, " --%s ", row->name);
        put_quoted(out, list->items[i]);
    }
}

bool options_command(const struct options *given, unsigned command, char *out, size_t out_len)
{
    FILE *file = fmemopen(out, out_len, "w");

    out[0] = '\0';
    if (file == NULL) {
        return false;
    }
    fputs("iscsispec run", file);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if ((rows[i].commands & command) != 0 && !is_about_reports(rows[i].name)) {
            put_option(file, &rows[i], given);
        }
    }
    return fclose(file) == 0;
}
