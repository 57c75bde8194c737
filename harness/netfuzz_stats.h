/* Numbers of a run of the network fuzzer: what screen and report show. */
#ifndef HARNESS_NETFUZZ_STATS_H
#define HARNESS_NETFUZZ_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NETFUZZ_STAGES = 6 }; /* bits of enum netfuzz_reach */

struct netfuzz_stats {
    const char *target; /* title of the profile */
    char version[256];  /* of the target, "" unknown */
    char address[128];
    uint64_t seed;
    size_t connections;
    int64_t started;   /* UTC, seconds since 1970: of the first part of an interrupted run */
    int64_t ended;     /* the same, 0 while it runs */
    int64_t run_ms;    /* spent fuzzing, all parts together */
    int64_t part_ms;   /* of this part */
    uint64_t aside_ms; /* of run_ms: on making findings small and on restarts, while nothing new was sent */
    uint64_t execs;    /* executions that counted, all parts together */
    uint64_t part_execs;
    uint64_t sessions;                /* TCP connections that were opened for them */
    uint64_t pdus, answers;           /* sent, received */
    double per_second;                /* sessions, of the last seconds */
    uint64_t reached[NETFUZZ_STAGES]; /* executions that came so far, by bit of enum netfuzz_reach */
    uint64_t silent, unreachable, flooded;
    size_t states, corpus, seeds;
    int64_t last_new_ms; /* of run_ms, when the corpus last grew; -1 never */
    size_t findings, crashes, hangs, leaks, rules, slow;
    uint64_t restarts;
    uint64_t memory_kib, memory_first_kib, memory_peak_kib; /* of the target; 0 unknown */
    int64_t login_us, login_first_us; /* of a plain login: the last one, and before fuzzing began */
    bool interrupted;
    const char *doing; /* what it is about, for the screen */
};

/* Name of stage bit n: "connected", "security", ... */
const char *netfuzz_stage_name(size_t n);

#endif
