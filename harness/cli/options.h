/* The command line: one table of options, from which it is parsed and --help is printed. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OPTIONS_LIST_MAX 64u

struct options_list {
    const char *items[OPTIONS_LIST_MAX];
    size_t count;
};

struct options {
    const char *profile, *target, *user, *secret_file, *out, *target_binary, *initiator, *published, *extra,
        *write_profile;
    const char *write_kill_table, *check_kill_table, *replay, *level, *severity, *rfc;
    const char *shard;
    struct options_list portals, select, cases, waivers, words; /* words: what is no option */
    struct options_list corpus, formats;
    bool brief;
    int jobs, timeout_ms, repeat, connections, patience_ms;
    uint64_t seed, execs, time_ms, max_time_ms;
    const char *filter, *format, *pace; /* of captures */
    struct options_list maps;
    bool has_seed, shuffle, fail_on_skip, exit_zero, quiet, update_waivers, fail_fast, safe, help, version;
};

/* Commands as bits: which option belongs where. */
enum options_command {
    OPTIONS_RUN = 1,
    OPTIONS_LIST = 2,
    OPTIONS_EXPLAIN = 4,
    OPTIONS_REPORT = 8,
    OPTIONS_SELFTEST = 16,
    OPTIONS_SCHEMA = 32,
    OPTIONS_LINT = 512,
    OPTIONS_PROFILE = 2048,
    OPTIONS_NONE = 64, /* no command given */
    OPTIONS_COMPARE = 256,
    OPTIONS_FUZZ = 4096,
    OPTIONS_REPLAY = 16384,
    OPTIONS_CAPTURE_TO_CASE = 32768,
    OPTIONS_ALL = 0xffff,
};

/*
 * Parses argv[1..] for a command (argv[0] is skipped). Returns 0, or -1 after one line on stderr that names the option,
 * the value and the way out.
 */
int options_parse(int argc, char *const *argv, unsigned command, struct options *out);

/* --shard I/N, from 1; 0 and 0 without. Returns 0, or -1 after a line on stderr. */
int options_read_shard(const struct options *o, int *shard, int *shards);

/* What an option is called, takes and does. */
struct options_about {
    const char *name;  /* without the dashes */
    const char *value; /* what --help writes for its value; NULL: a flag */
    unsigned commands; /* enum options_command */
    const char *help;
};

/* Fills *out with option number index, in the order of --help. False: there are no more. */
bool options_describe(size_t index, struct options_about *out);

/*
 * The command that was given as a shell reads it, without what only says which cases are run and where reports go.
 * Returns false when it did not fit.
 */
bool options_command(const struct options *given, unsigned command, char *out, size_t out_len);

/* Prints the options of a command, one a line. */
void options_print(FILE *out, unsigned command);

#endif
