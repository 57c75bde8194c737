/* The commands of iscsispec, and what they share. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "harness/case.h"
#include "harness/catalogue.h"
#include "harness/cli/options.h"
#include "harness/datadir.h"
#include "harness/recording.h"
#include "harness/result.h"

#include <stdbool.h>

#define CLI_DEFAULT_OUT     "iscsispec-report"
#define CLI_DEFAULT_PROFILE "reference"

/* The shipped data, loaded as far as a command needs it. */
struct cli {
    struct options options;
    struct datadir data;
    struct catalogue *rules;
    struct case_list cases;
    bool has_cases;
};

/* One line on stderr: "iscsispec: ...". Returns status. */
int cli_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Each returns 0, or an exit status after a message. */
int cli_find_data(struct cli *cli);
int cli_load_rules(struct cli *cli);
int cli_load_cases(struct cli *cli);
void cli_free(struct cli *cli);

/* --level and --severity. 0, or an exit status after a message. */
int cli_floor(const struct options *o, struct rule_floor *out);

/* What `run` and `fuzz` are pointed at, by --profile, --target, --portal. NULL: an exit status in *status. */
struct profile *cli_load_profile(const struct cli *cli, int *status);
/* A capture with --filter, after which something is to be done with its connections: what is damaged is told, none at
 * all is EXIT_NOTHING. 0, or an exit status after a message; *out is the caller's to free either way. */
int cli_read_recording(const struct cli *cli, const char *path, struct recording *out);
/* Path of iscsispec-target, "" when there is none and nobody asked for one. 0, or an exit status after a message. */
int cli_find_target_binary(const struct cli *cli, char *out, size_t out_len);
/* --seed, or one drawn. */
uint64_t cli_seed(const struct options *o);

/* The commands. Each returns the exit status. */
int cli_run(struct cli *cli);
int cli_list(struct cli *cli);
int cli_explain(struct cli *cli);
int cli_report(struct cli *cli);
int cli_selftest(struct cli *cli);
int cli_schema(struct cli *cli);
int cli_compare(struct cli *cli);
int cli_profile(struct cli *cli);
int cli_fuzz(struct cli *cli);
int cli_replay(struct cli *cli);
int cli_lint(struct cli *cli);
int cli_capture_to_case(struct cli *cli);

#endif
