/* What the parts of the network fuzzer share while it runs. Private to harness/netfuzz*.c. */
#ifndef HARNESS_NETFUZZ_CAMPAIGN_H
#define HARNESS_NETFUZZ_CAMPAIGN_H

#include "harness/audit.h"
#include "harness/netfuzz.h"
#include "harness/netfuzz_corpus.h"
#include "harness/netfuzz_exec.h"
#include "harness/netfuzz_state.h"
#include "harness/netfuzz_watch.h"

/* One execution between its start and the time at which its number may be used again, NETFUZZ_LAG later. */
struct netfuzz_slot {
    struct netfuzz_input input;
    uint64_t number;
    bool started, finished;
    int64_t end_us; /* of the clock of process_now_us() */
    unsigned reach;
    bool odd;                    /* ended in a way that a dying target might cause */
    struct netfuzz_facts *facts; /* only when some were new at its end */
    char rules[8][16];           /* broken rules of severity fail that had no finding yet */
    size_t rule_count;
};

struct netfuzz {
    const struct netfuzz_options *options;
    struct netfuzz_stats *stats;
    uv_loop_t loop;
    struct netfuzz_player *player;
    struct netfuzz_site site;
    void (*done)(void *user, struct netfuzz_exec *x); /* of the fuzzing itself */
    struct netfuzz_corpus corpus;
    struct netfuzz_states states;
    struct netfuzz_findings findings;
    struct netfuzz_watch watch;
    struct netfuzz_slot *slots;  /* NETFUZZ_LAG of them, by number */
    size_t *visible;             /* entries of the corpus behind execution N, by number */
    uint64_t next, committed;    /* executions started, and put into the books */
    size_t first_entries;        /* of the corpus before the first execution */
    int64_t begin_ms, before_ms; /* process_now_ms() at the start of this part; run_ms of the parts before */
    int64_t look_ms, health_ms, save_ms, show_ms;
    uint64_t rate_sessions;
    int64_t rate_ms;
    int64_t memory_base_ms; /* when memory_base_kib was taken */
    uint64_t memory_base_kib;
    bool trouble; /* the target has to be looked after before anything else */
    enum netfuzz_finding_kind trouble_kind;
    bool lost;      /* the target does not come back */
    bool stopped;   /* Ctrl-C */
    char err[4700]; /* fault that ends the run, "" none */
};

/* What inputs show when they are played one after the other, nothing else under way. */
struct netfuzz_shown {
    bool gone, alarmed, hung;
    char signature[200], line[300]; /* of the crash */
    bool reached;                   /* TCP could be opened for the last one */
    struct finding_list findings;   /* of the last one */
    struct transcript *transcript;  /* of the last one */
    unsigned reach;
    int64_t us;
};

int64_t netfuzz_run_ms(const struct netfuzz *f);
void netfuzz_remark(struct netfuzz *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void netfuzz_show(struct netfuzz *f, const char *doing);
/* True when Ctrl-C has come. */
bool netfuzz_stopped(struct netfuzz *f);

/* netfuzz_alone.c */
/* Waits until nothing is in flight. */
void netfuzz_drain(struct netfuzz *f);
enum netfuzz_care {
    NETFUZZ_QUICK,  /* the answers alone count; the target is looked at once, and with a plain login when it is odd */
    NETFUZZ_SETTLE, /* it gets the time to die */
    NETFUZZ_CHECK,  /* and has to take a plain login */
};
/* Plays the inputs in turn and looks after the target. Free it with shown_free. */
bool netfuzz_alone(struct netfuzz *f, const struct netfuzz_input *const *inputs, size_t count, enum netfuzz_care care,
                   struct netfuzz_shown *out);
void netfuzz_shown_free(struct netfuzz_shown *shown);
/* One login that is known to work; its time. False: it did not get through within limit_ms. */
bool netfuzz_plain_login(struct netfuzz *f, int limit_ms, int64_t *us);
/* Starts the target anew, or waits until it is back when it is not ours. False: it stays away; f->lost is set. */
bool netfuzz_revive(struct netfuzz *f);
/* Address and credentials of the target, which may differ after a restart. False with f->err. */
bool netfuzz_find_site(struct netfuzz *f);

/* netfuzz_trouble.c: finds out which input did it, makes a finding of it, brings the target back. */
void netfuzz_handle_trouble(struct netfuzz *f);
/* A rule that had no finding yet was broken by this input. */
void netfuzz_handle_rule(struct netfuzz *f, const struct netfuzz_slot *slot, const char *rule);

/* netfuzz_judge.c: a finding of severity fail, not tolerated, behind an initiator that was wrong in one point at most.
 */
bool netfuzz_counts(const struct netfuzz *f, const struct transcript *t, const struct finding *x);

/* Writes its files and tells of it. */
void netfuzz_save_finding(struct netfuzz *f, struct netfuzz_finding *finding, const struct transcript *t);

/* netfuzz_grow.c: looks into memory and times of plain logins; may drain, play and restart. */
void netfuzz_watch_growth(struct netfuzz *f);
void netfuzz_watch_slowness(struct netfuzz *f);

/* netfuzz_minimise.c */
/* Makes the input smaller as long as shows() says that it still shows the same. Returns how many were tried. */
size_t netfuzz_minimise(struct netfuzz_input *input, bool (*shows)(void *user, const struct netfuzz_input *candidate),
                        void *user, size_t tries_max, int limit_ms);

/* Silence is measured by how long a plain login takes. */
void netfuzz_calibrate(struct netfuzz *f);

/* netfuzz_replay.c: a file or a directory; prints a line for each input. False with f->err. */
bool netfuzz_replay_all(struct netfuzz *f, const char *path, size_t *shown);

/* netfuzz_collect.c: fills the corpus with what genuine initiators say. False with f->err. */
bool netfuzz_collect(struct netfuzz *f);
/* The logins of libiscsi alone. */
bool netfuzz_collect_logins(struct netfuzz *f);

/* netfuzz_keep.c: what survives an interruption. */
bool netfuzz_keep(struct netfuzz *f);
/* Reads what a run left in OUT; false with f->err when it is of another seed or cannot be read. */
bool netfuzz_resume(struct netfuzz *f, bool *found);
/* report.json and report.md. */
bool netfuzz_report(struct netfuzz *f);

#endif
