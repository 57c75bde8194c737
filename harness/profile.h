/*
 * A profile tells how one target is started, reached and brought into each condition, and what it does not offer and
 * why (docs/profiles.md). Secrets come from files or the environment, never from a command line.
 */
#ifndef HARNESS_PROFILE_H
#define HARNESS_PROFILE_H

#include "harness/case.h"
#include "harness/position.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct profile_portal {
    char *name;
    char *address; /* numeric or host name; "" until the ready file or a free port fills it in. Of malloc: may be
                      freed and replaced; profile_free frees it */
    uint16_t port; /* 0: a free one is picked before start (or the ready file tells) */
    int tag;       /* portal group tag, -1 unknown */
    bool optional; /* the ready file may leave it out: what needs it is then not offered */
};

struct profile_secret {
    char *text; /* resolved; NULL: none */
};

/* One condition of the closed list, as this target offers it. */
struct profile_condition {
    char *name;
    char *target;    /* target name to log in to, NULL: from `open` */
    char *portal;    /* portal name, NULL: from `open` */
    char *initiator; /* name to use, NULL: the run's */
    char *user;
    struct profile_secret secret;
    char *mutual_user;
    struct profile_secret mutual_secret;
    char *arm, *disarm; /* shell commands, NULL: always armed */
    int arm_ms;         /* deadline of each, milliseconds */
    bool exclusive;     /* cases that need it run one at a time */
    uint16_t *codes;    /* status codes that it can give */
    size_t code_count;
    struct position at;
};

struct profile_not_offered {
    char *condition; /* name of a condition, NULL when code is meant */
    int code;        /* -1 when condition is meant */
    char *reason;
};

struct profile_left_out {
    char *cases; /* glob on ids */
    char *reason;
    struct position at;
};

struct profile_code_note {
    uint16_t code;
    char *source, *note;
};

struct profile {
    char *name, *title;
    char *start;      /* shell command that becomes the target (exec), NULL: it runs already */
    char *setup;      /* shell command after it is ready, NULL none */
    char *stop;       /* shell command; NULL: SIGTERM to the process group */
    char *ready_file; /* JSON of iscsispec-target's shape; NULL: ready when the portals accept */
    char *ready;      /* shell command that succeeds when ready, NULL none */
    char *alive;      /* shell command, NULL: process exists */
    char *version;    /* shell command that prints it */
    char *log;        /* file the target writes, placeholders; NULL: what it prints */
    char *crash;      /* POSIX extended expression: a line of the log that means a crash, NULL none */
    uint16_t *required; /* codes that a run has to see */
    size_t required_count;
    bool no_half_close; /* it takes a half-close for the end of the connection */
    int ready_ms, setup_ms, stop_ms;
    struct profile_portal *portals;
    size_t portal_count;
    struct profile_condition *conditions;
    size_t condition_count;
    struct profile_not_offered *not_offered;
    size_t not_offered_count;
    struct profile_left_out *left_out;
    size_t left_out_count;
    struct profile_code_note *code_notes;
    size_t code_note_count;
    struct {
        char *name, *command;
        int timeout_ms;
    } * controls; /* verbs for `control:` steps */
    size_t control_count;
    struct case_strings waivers; /* files, as paths from where we are */
    int parallel;       /* cases at a time on one instance, 0: no limit of its own */
    int instances;      /* so many copies of the target are started; 1 unless said */
    int close_grace_ms; /* default 2000 */
    int timeout_ms;     /* answer time-out; 0: calibrated */
    bool rfc3720;
    struct position at;
    void *storage;
};

/* Loads PATH, or the shipped profile of that name from the data directory. NULL with err filled. */
struct profile *profile_load(const char *name_or_path, const char *data_dir, struct load_error *err);
/* A profile for --target alone: one portal `main`, condition `open` (and `chap` when user and secret are given). */
struct profile *profile_from_target(const char *host, uint16_t port, const char *target, const char *user,
                                    const char *secret);
/* These credentials in all conditions that have some of the initiator. False when out of memory. */
bool profile_use_credentials(struct profile *p, const char *user, const char *secret);
void profile_free(struct profile *p);

/* By the name of a portal, or of a condition that brings one. */
struct profile_portal *profile_portal_find(const struct profile *p, const char *name);
const struct profile_condition *profile_condition_find(const struct profile *p, const char *name);
const char *profile_not_offered_reason(const struct profile *p, const char *condition);
/* Why a case is not to be run on this target at all, NULL: it may. */
const char *profile_left_out_reason(const struct profile *p, const char *id);

/*
 * What a need comes to on this target: the conditions of the need merged, later ones win over earlier ones. Where none
 * says, target and portal are those of `open`, and then the first portal. A condition that stands beside the others
 * (case_conditions[].beside, as second-group) has to be offered but moves nothing: steps name it.
 */
struct profile_access {
    const char *target, *portal, *initiator; /* NULL: not said */
    const char *user, *secret, *mutual_user, *mutual_secret;
};
/* Returns NULL, or the reason why the need cannot be met (static or owned by the profile). */
const char *profile_resolve(const struct profile *p, const struct case_need *need, struct profile_access *out);

json_t *profile_schema(void);

#endif
