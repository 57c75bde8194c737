/*
 * Findings of the network fuzzer: one for each signature, with the inputs that show it. What is saved of each in
 * OUT/findings: NAME.yaml (a case for `iscsispec run --cases`), NAME.session (the input, for `iscsispec fuzz
 * --replay`), NAME.pcap (what was said), NAME.txt (what it is, how to see it again). findings.json is the list of them.
 */
#ifndef HARNESS_NETFUZZ_FINDING_H
#define HARNESS_NETFUZZ_FINDING_H

#include "harness/netfuzz_input.h"
#include "harness/transcript.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum netfuzz_finding_kind {
    NETFUZZ_CRASH, /* the target is gone, or a sanitizer spoke */
    NETFUZZ_HANG,  /* it is there, but plain logins fail */
    NETFUZZ_LEAK,  /* its memory grows */
    NETFUZZ_SLOW,  /* plain logins take many times what they took */
    NETFUZZ_RULE,  /* a rule of the catalogue broken */
    NETFUZZ_KINDS
};

enum { NETFUZZ_FINDINGS_MAX = 1000 };

struct netfuzz_finding {
    enum netfuzz_finding_kind kind;
    char name[32];       /* "crash-001" */
    char signature[200]; /* what tells it from others */
    char detail[600];    /* more words: line of the log, was and allowed of a rule */
    struct netfuzz_input input;
    bool confirmed; /* the input alone shows it again */
    uint64_t exec;  /* that showed it first */
    uint64_t hits;  /* how often it was seen */
    int64_t at_ms;  /* of the run, when it was seen first */
    size_t tried;   /* inputs played to make it small */
    size_t size;    /* bytes before that */
};

struct netfuzz_findings {
    struct netfuzz_finding *items;
    size_t count;
};

const char *netfuzz_finding_kind_name(enum netfuzz_finding_kind kind);

struct netfuzz_finding *netfuzz_finding_find(const struct netfuzz_findings *f, enum netfuzz_finding_kind kind,
                                             const char *signature);
/* A new one with a name of its own; NULL: too many, or no memory. Valid until the next is added. */
struct netfuzz_finding *netfuzz_finding_add(struct netfuzz_findings *f, enum netfuzz_finding_kind kind,
                                            const char *signature);
void netfuzz_findings_free(struct netfuzz_findings *f);

/* Who can be asked to show it again, for the texts. */
struct netfuzz_finding_about {
    const char *profile; /* name or file; NULL: target */
    const char *target;  /* URL */
    const struct session_live_names *names;
};

/* Writes the files of one; transcript NULL: no pcap. 0, or -1 with text in err. */
int netfuzz_finding_save(const struct netfuzz_finding *finding, const char *dir,
                         const struct netfuzz_finding_about *about, const struct transcript *transcript, char *err,
                         size_t err_len);

/* The list as it stands in findings.json, and back: inputs are read from their files. */
json_t *netfuzz_findings_json(const struct netfuzz_findings *f);
bool netfuzz_findings_resume(struct netfuzz_findings *f, const json_t *list, const char *dir, char *err,
                             size_t err_len);

#endif
