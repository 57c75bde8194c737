/*
 * The life of the target under test, as its profile describes it: picked ports, start, ready, set-up, conditions armed
 * and disarmed, control verbs, stop. Everything has a deadline. Placeholders in a profile's commands:
 *
 *   ${dir}               a private directory, gone after the run
 *   ${port:NAME}         port of the portal NAME (a free one is picked before start when the profile says 0)
 *   ${address:NAME}      its address
 *   ${here}              folder of the profile, quoted for the shell
 *   ${instance}          1, or the number of the copy of the target (profile: instances)
 *   ${iscsispec-target}  the reference target's binary, quoted for the shell
 *   ${extra}             words the run adds to the start command (selftest: --defect NAME)
 *
 * ISCSISPEC_DIR is in the environment of every command and is the same as ${dir}.
 */
#ifndef HARNESS_HOOKS_H
#define HARNESS_HOOKS_H

#include "harness/profile.h"

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum hooks_status {
    HOOKS_OK,
    HOOKS_UNREACHABLE, /* the target could not be started or reached: exit 4 */
    HOOKS_FAULT,       /* a hook failed or hung: exit 5 */
    HOOKS_INTERRUPTED, /* Ctrl-C while waiting */
};

/* A portal as the profile has it, and the address that stands in for it while the target runs. */
struct hooks_portal {
    uint16_t port; /* 0: picked anew at each start */
    char *address;
    char numeric[64];
};

struct hooks {
    struct profile *profile; /* borrowed; its portals get addresses and ports while the target runs */
    bool external;           /* portals were given by hand: nothing is started, armed or stopped */
    int number;              /* of the instance, from 1: ${instance} */
    const char *extra;       /* borrowed, "" nothing */
    const char *binary;      /* borrowed: path of iscsispec-target, "" unknown */
    char dir[64];            /* private directory, "" before start */
    char log[PATH_MAX];      /* what the target wrote, "" none */
    char variable[96];       /* ISCSISPEC_DIR=... */
    const char *env[2];
    long log_seen;                /* so many bytes of the target's log were looked through for a crash */
    pid_t pid;                    /* the target and its process group, 0: not ours or gone */
    int exit_code;                /* how it ended, when it ended by itself: status, or 128 + signal */
    struct hooks_portal *portals; /* by index of the profile's portals, which are put back in the end */
    bool *armed;                  /* by index of the profile's conditions */
    json_t *forced;               /* codes that the target says it answers without a cause, ["0x0302"]; NULL none */
    bool told; /* the ready file has been read: what it left out is not there */
};

/* Nothing is started. log: where the target's output goes, NULL nowhere. False: no memory or no directory, err says. */
bool hooks_init(struct hooks *h, struct profile *profile, const char *log, char *err, size_t err_len);

/*
 * Starts the target and waits until it is ready, runs the set-up. For a target that runs already: resolves the portals'
 * names and tries one TCP connection. err tells what went wrong, with the end of the target's log.
 */
enum hooks_status hooks_start(struct hooks *h, char *err, size_t err_len);

/* True once the process that we started has ended by itself. Cheap. Never true of a target of others. */
bool hooks_is_gone(struct hooks *h);

/* Process and `alive` command of a target that we started; else whether the first portal still accepts. */
bool hooks_alive(struct hooks *h);

/*
 * True when the target's log has a new line that means a crash (profile: crash). line: that line. Each is told once.
 */
bool hooks_log_tells_crash(struct hooks *h, char *line, size_t line_len);

/* Stops what is left and starts anew; what was armed is forgotten. */
enum hooks_status hooks_restart(struct hooks *h, char *err, size_t err_len);

/* Brings the target into a condition (index into profile->conditions) and back. Both do nothing without a command. */
enum hooks_status hooks_arm(struct hooks *h, size_t condition, char *err, size_t err_len);
enum hooks_status hooks_disarm(struct hooks *h, size_t condition, char *err, size_t err_len);

/* Runs a control verb of the profile. Safe to call in a worker. */
enum hooks_status hooks_control(struct hooks *h, const char *verb, char *err, size_t err_len);

/* First line that the profile's version command prints; "" when it has none, or with a status and err when it fails. */
enum hooks_status hooks_version(struct hooks *h, char *out, size_t out_len, char *err, size_t err_len);

/* Disarms and asks to end, without waiting: so that several instances end side by side. hooks_stop has to follow. */
void hooks_quit(struct hooks *h);

/* Disarms, stops, kills the process group, removes the private directory. Safe to call twice, and without start. */
void hooks_stop(struct hooks *h);
void hooks_free(struct hooks *h);

/* Fills placeholders. malloc'ed; NULL with err for an unknown placeholder or no memory. */
char *hooks_expand(const struct hooks *h, const char *command, char *err, size_t err_len);

#endif
