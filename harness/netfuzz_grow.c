/*
 * A target that grows or slows down under the network fuzzer. Neither shows on one input, so both are suspected from
 * the run and confirmed alone: inputs are repeated while memory is measured. See netfuzz_campaign.h.
 */
#include "harness/netfuzz_campaign.h"
#include "harness/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WARM_MS = 5000,        /* a target may fill its caches first */
    WARM_UP = 20,          /* plays of a suspect before it counts */
    GROWN_KIB = 24 * 1024, /* growth behind that which is looked into, and a half of what it had */
    REPEATS = 100,         /* of each suspect */
    LEAK_BYTES = 512,      /* kept for each execution of a suspect: that is a leak */
    SUSPECTS = 64,
    LEAK_TRIES = 24,
    LEAK_MS = 30000, /* for making it small */
    LOGINS = 9,      /* plain logins whose median is compared */
    SLOW_FACTOR = 20,
    SLOW_US = 200000, /* below that nothing is slow */
};

static void forget(void *user, struct netfuzz_exec *x)
{
    (void)user;
    (void)x;
}

/* Plays the input so many times, as many at once as there are connections. */
static void repeat(struct netfuzz *f, const struct netfuzz_input *in, int times)
{
    netfuzz_player_listen(f->player, forget, NULL);
    for (int i = 0; i < times && !netfuzz_stopped(f);) {
        if (netfuzz_player_busy(f->player) < f->stats->connections) {
            if (!netfuzz_player_start(f->player, in, (uint64_t)i, (uint64_t)process_now_us(), NULL))
                break;
            i++;
        } else {
            uv_run(&f->loop, UV_RUN_ONCE);
        }
    }
    netfuzz_drain(f);
    netfuzz_player_listen(f->player, f->done, f);
}

/* Bytes that each execution of the input leaves behind. */
static int64_t kept_bytes(struct netfuzz *f, const struct netfuzz_input *in)
{
    uint64_t before, after;

    repeat(f, in, WARM_UP); /* what the first ones need is no leak */
    before = netfuzz_watch_memory(&f->watch);
    repeat(f, in, REPEATS);
    after = netfuzz_watch_memory(&f->watch);
    if (netfuzz_watch_look(&f->watch) != NETFUZZ_FINE) {
        netfuzz_revive(f);
        return 0;
    }
    return before && after > before ? (int64_t)(after - before) * 1024 / REPEATS : 0;
}

static bool leaks(void *user, const struct netfuzz_input *in)
{
    return kept_bytes(user, in) >= LEAK_BYTES;
}

/* The entry of the corpus that keeps most. NULL: none keeps enough. */
static const struct netfuzz_entry *leakiest(struct netfuzz *f, int64_t *bytes)
{
    const struct netfuzz_entry *worst = NULL;

    *bytes = 0;
    for (size_t i = 0; i < f->corpus.count && i < SUSPECTS && !netfuzz_stopped(f) && !f->lost; i++) {
        const struct netfuzz_entry *e = &f->corpus.entries[f->corpus.count - 1 - i];
        int64_t kept = kept_bytes(f, &e->input);

        netfuzz_show(f, "looking for what makes it grow");
        if (kept > *bytes) {
            *bytes = kept;
            worst = e;
        }
        if (kept >= LEAK_BYTES * 16)
            break; /* that will do */
    }
    return *bytes >= LEAK_BYTES ? worst : NULL;
}

static void handle_growth(struct netfuzz *f, uint64_t from_kib)
{
    static const char signature[] = "memory grows";
    const struct netfuzz_entry *worst;
    struct netfuzz_finding *finding = netfuzz_finding_find(&f->findings, NETFUZZ_LEAK, signature);
    int64_t bytes;

    if (finding) {
        finding->hits++;
        return;
    }
    netfuzz_drain(f);
    worst = leakiest(f, &bytes);
    if (netfuzz_stopped(f) || f->lost || !(finding = netfuzz_finding_add(&f->findings, NETFUZZ_LEAK, signature)))
        return;
    finding->hits = 1;
    finding->exec = f->committed;
    finding->at_ms = netfuzz_run_ms(f);
    snprintf(finding->detail, sizeof(finding->detail), "from %llu to %llu KiB within the run%s",
             (unsigned long long)from_kib, (unsigned long long)f->stats->memory_kib,
             worst ? "" : "; none of the last inputs of the corpus does it alone");
    if (worst && netfuzz_input_copy(&finding->input, &worst->input)) {
        finding->size = netfuzz_input_size(&finding->input);
        finding->tried = netfuzz_minimise(&finding->input, leaks, f, LEAK_TRIES, LEAK_MS);
        finding->confirmed = true;
        snprintf(finding->detail, sizeof(finding->detail),
                 "from %llu to %llu KiB within the run; about %lld bytes of it "
                 "for each time that this input is played",
                 (unsigned long long)from_kib, (unsigned long long)f->stats->memory_kib, (long long)bytes);
    }
    netfuzz_save_finding(f, finding, NULL);
}

void netfuzz_watch_growth(struct netfuzz *f)
{
    int64_t now = netfuzz_run_ms(f);
    uint64_t kib = f->stats->memory_kib, base = f->memory_base_kib;

    if (kib == 0)
        return;
    if (base == 0) /* a new process */
        f->memory_base_ms = now + WARM_MS;
    if (now < f->memory_base_ms) { /* warming up: what it has then is where it begins */
        f->memory_base_kib = kib;
        return;
    }
    if (kib > base + GROWN_KIB && kib > base + base / 2) {
        handle_growth(f, base);
        f->memory_base_kib = netfuzz_watch_memory(&f->watch);
    }
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

void netfuzz_watch_slowness(struct netfuzz *f)
{
    static const char signature[] = "plain logins take many times what they took";
    int64_t us[LOGINS], limit = f->stats->login_first_us * SLOW_FACTOR;
    struct netfuzz_finding *finding;

    limit = limit < SLOW_US ? SLOW_US : limit;
    if (f->stats->login_us < limit)
        return;
    netfuzz_drain(f); /* nothing else is under way: it is not the load */
    for (size_t i = 0; i < LOGINS; i++)
        if (!netfuzz_plain_login(f, 5000, &us[i]) || netfuzz_stopped(f))
            return; /* a hang is another matter */
    qsort(us, LOGINS, sizeof(us[0]), by_size);
    f->stats->login_us = us[LOGINS / 2];
    if (f->stats->login_us < limit)
        return;
    finding = netfuzz_finding_find(&f->findings, NETFUZZ_SLOW, signature);
    if (!finding && (finding = netfuzz_finding_add(&f->findings, NETFUZZ_SLOW, signature)) != NULL) {
        finding->exec = f->committed;
        finding->at_ms = netfuzz_run_ms(f);
        snprintf(finding->detail, sizeof(finding->detail),
                 "%.1f ms at first, a median of %.1f ms now with nothing else under way; the state builds up over many "
                 "executions",
                 (double)f->stats->login_first_us / 1000.0, (double)f->stats->login_us / 1000.0);
        if (f->corpus.count > 0)
            netfuzz_input_copy(&finding->input, &f->corpus.entries[f->corpus.count - 1].input);
        netfuzz_save_finding(f, finding, NULL);
    }
    if (finding)
        finding->hits++;
    netfuzz_revive(f); /* go on with one that is quick */
}
