/* Fuzzing over the network: see netfuzz.h. This file is the loop; its parts stand beside it (netfuzz_campaign.h). */
#include "harness/netfuzz.h"

#include "harness/folder.h"
#include "harness/mutate.h"
#include "harness/netfuzz_campaign.h"
#include "harness/process.h"
#include "harness/runner.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    LOOK_MS = 50,     /* between two looks at the process and its log */
    HEALTH_MS = 2000, /* between two plain logins */
    SAVE_MS = 2000,   /* between two savings of where it is */
    SHOW_MS = 200,    /* between two pictures for a person */
    ANSWER_FLOOR_MS = 250,
    ANSWER_CEILING_MS = 2000,
    ANSWER_FACTOR = 20,     /* times a measured login */
    CLOSE_MORE_MS = 20,     /* longer than elsewhere: a refusal is often sent before the target sees to the end */
    MUTATED_MAX = 64 << 10, /* bytes of an input */
    LOG_MAX = 64 << 20,     /* bytes of the target's log: it begins anew behind that */
};

int64_t netfuzz_run_ms(const struct netfuzz *f)
{
    return f->before_ms + (f->begin_ms ? process_now_ms() - f->begin_ms : 0);
}

void netfuzz_remark(struct netfuzz *f, const char *format, ...)
{
    char text[2048];
    va_list args;

    if (!f->options->listener.remark)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    f->options->listener.remark(f->options->listener.user, text);
}

bool netfuzz_stopped(struct netfuzz *f)
{
    f->stopped = f->stopped || process_interrupted();
    return f->stopped;
}

/* ---- the numbers ---- */

static void count_findings(struct netfuzz *f)
{
    size_t by_kind[NETFUZZ_KINDS] = {0};

    for (size_t i = 0; i < f->findings.count; i++)
        by_kind[f->findings.items[i].kind]++;
    f->stats->findings = f->findings.count;
    f->stats->crashes = by_kind[NETFUZZ_CRASH];
    f->stats->hangs = by_kind[NETFUZZ_HANG];
    f->stats->leaks = by_kind[NETFUZZ_LEAK];
    f->stats->slow = by_kind[NETFUZZ_SLOW];
    f->stats->rules = by_kind[NETFUZZ_RULE];
}

void netfuzz_show(struct netfuzz *f, const char *doing)
{
    int64_t now = process_now_ms();
    struct netfuzz_stats *s = f->stats;

    if (now - f->show_ms < SHOW_MS)
        return;
    if (now - f->rate_ms >= 1000) {
        s->per_second = (double)(s->sessions - f->rate_sessions) * 1000.0 / (double)(now - f->rate_ms);
        f->rate_sessions = s->sessions;
        f->rate_ms = now;
    }
    f->show_ms = now;
    s->doing = doing;
    s->run_ms = netfuzz_run_ms(f);
    s->part_ms = f->begin_ms ? now - f->begin_ms : 0;
    s->states = f->states.count;
    s->corpus = f->corpus.count;
    count_findings(f);
    if (f->options->listener.progress)
        f->options->listener.progress(f->options->listener.user, s);
}

/* ---- one execution ---- */

/* splitmix64. */
static uint64_t netfuzz_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint64_t draw(const struct netfuzz *f, uint64_t number, uint64_t what)
{
    uint64_t state = f->options->seed * 0x9e3779b97f4a7c15u ^ number << 2 ^ what;

    netfuzz_random(&state);
    return netfuzz_random(&state);
}

/* An entry of the corpus as it was NETFUZZ_LAG executions ago: evenly by how far the entries come, then by chance. */
static const struct netfuzz_entry *pick(const struct netfuzz *f, uint64_t number, uint64_t *state)
{
    size_t count = number < NETFUZZ_LAG ? f->first_entries : f->visible[number % NETFUZZ_LAG];
    unsigned deep = (unsigned)(1u << netfuzz_random(state) % NETFUZZ_STAGES);
    size_t at = (size_t)(netfuzz_random(state) % count);

    if (netfuzz_random(state) % 2 && count > 16) /* what was found last is worth more */
        at = count - 1 - (size_t)(netfuzz_random(state) % (count / 4));
    for (size_t i = 0; i < 64 && i < count; i++) {
        const struct netfuzz_entry *e = &f->corpus.entries[(at + i) % count];

        if (e->reach & deep)
            return e;
    }
    return &f->corpus.entries[at];
}

/* A changed copy of one; other is for cross-over. False: no memory. */
static bool make_input(uint64_t seed, const struct netfuzz_entry *one, const struct netfuzz_entry *other,
                       struct netfuzz_input *out)
{
    static const struct mutate_options session = {.format = MUTATE_SESSION};
    size_t in_len, other_len, len;
    uint8_t *in = netfuzz_input_encode(&one->input, &in_len);
    uint8_t *second = netfuzz_input_encode(&other->input, &other_len);
    uint8_t *bytes = malloc(MUTATED_MAX);
    bool good = in && second && bytes;

    if (good) {
        len = mutate(&session, seed, in, in_len, second, other_len, bytes, MUTATED_MAX);
        good = netfuzz_input_decode(out, bytes, len);
    }
    free(in);
    free(second);
    free(bytes);
    return good;
}

static bool start_next(struct netfuzz *f)
{
    uint64_t number = f->next, state = draw(f, number, 1);
    struct netfuzz_slot *slot = &f->slots[number % NETFUZZ_LAG];
    const struct netfuzz_entry *one = pick(f, number, &state), *other = pick(f, number, &state);

    netfuzz_input_free(&slot->input);
    free(slot->facts);
    *slot = (struct netfuzz_slot){.number = number, .started = true};
    if (!make_input(draw(f, number, 2), one, other, &slot->input) ||
        !netfuzz_player_start(f->player, &slot->input, number, draw(f, number, 3), slot)) {
        snprintf(f->err, sizeof(f->err), "out of memory");
        return false;
    }
    f->next++;
    return true;
}

static void note_rules(struct netfuzz *f, struct netfuzz_slot *slot, const struct transcript *t,
                       const struct finding_list *list)
{
    for (size_t i = 0; i < list->count && slot->rule_count < sizeof(slot->rules) / sizeof(slot->rules[0]); i++) {
        const char *rule = list->items[i].rule;
        struct netfuzz_finding *known = netfuzz_finding_find(&f->findings, NETFUZZ_RULE, rule);
        bool twice = false;

        if (known)
            known->hits++;
        for (size_t k = 0; k < slot->rule_count; k++)
            twice = twice || strcmp(slot->rules[k], rule) == 0;
        if (!known && !twice && netfuzz_counts(f, t, &list->items[i]))
            snprintf(slot->rules[slot->rule_count++], sizeof(slot->rules[0]), "%s", rule);
    }
}

/* Judges what came, in the order in which it comes; the books are kept by commit(). */
static void on_done(void *user, struct netfuzz_exec *x)
{
    struct netfuzz *f = user;
    struct netfuzz_slot *slot = x->user;
    struct finding_list list = {0};
    struct netfuzz_facts facts;

    slot->finished = true;
    slot->end_us = process_now_us();
    slot->reach = x->reach;
    slot->odd = x->fate != NETFUZZ_PLAYED || x->silent || !(x->reach & (NETFUZZ_FULL | NETFUZZ_REFUSED));
    f->stats->sessions += x->conns;
    f->stats->pdus += x->sent;
    f->stats->answers += x->answers;
    f->stats->silent += x->silent;
    f->stats->flooded += x->flooded;
    if (x->fate != NETFUZZ_PLAYED) {
        f->stats->unreachable++;
        f->look_ms = 0;
        return;
    }
    if (!audit_transcript(x->transcript, &list))
        return;
    netfuzz_facts_of(x, &list, &facts);
    if (netfuzz_states_new(&f->states, &facts) && (slot->facts = malloc(sizeof(facts))) != NULL)
        *slot->facts = facts;
    note_rules(f, slot, x->transcript, &list);
    finding_list_free(&list);
}

static bool commit_one(struct netfuzz *f, struct netfuzz_slot *slot)
{
    bool added = false;

    if (slot->facts && netfuzz_states_add(&f->states, slot->facts) > 0 &&
        !netfuzz_corpus_add(&f->corpus, &slot->input, slot->number, slot->reach, &added, f->err, sizeof(f->err)))
        return false;
    free(slot->facts);
    slot->facts = NULL;
    if (added)
        f->stats->last_new_ms = netfuzz_run_ms(f);
    for (size_t i = 0; i < NETFUZZ_STAGES; i++)
        f->stats->reached[i] += slot->reach >> i & 1u;
    f->visible[slot->number % NETFUZZ_LAG] = f->corpus.count;
    f->committed++;
    f->stats->execs++;
    f->stats->part_execs++;
    return true;
}

/* Since begin_ms nothing new was sent. */
static void was_aside(struct netfuzz *f, int64_t begin_ms)
{
    f->stats->aside_ms += (uint64_t)(process_now_ms() - begin_ms);
}

static void look_into_rules(struct netfuzz *f, const struct netfuzz_slot *slot)
{
    for (size_t i = 0; i < slot->rule_count && !f->trouble && !f->lost; i++) {
        int64_t begin = process_now_ms();

        if (netfuzz_finding_find(&f->findings, NETFUZZ_RULE, slot->rules[i]))
            continue;
        netfuzz_handle_rule(f, slot, slot->rules[i]);
        was_aside(f, begin);
    }
}

/* Puts what is finished into the books, in the order of the numbers; looks into rules that were broken. */
static bool commit(struct netfuzz *f)
{
    while (f->committed < f->next && !f->err[0]) {
        struct netfuzz_slot *slot = &f->slots[f->committed % NETFUZZ_LAG];

        if (!slot->finished)
            break;
        look_into_rules(f, slot);
        if (!commit_one(f, slot))
            return false;
    }
    return !f->err[0];
}

/* ---- the target's health ---- */

static void report_trouble(struct netfuzz *f, enum netfuzz_finding_kind kind)
{
    if (!f->trouble)
        f->trouble_kind = kind;
    f->trouble = true;
}

static void check_login(struct netfuzz *f)
{
    int64_t us;

    netfuzz_drain(f);
    if (!netfuzz_plain_login(f, f->site.answer_ms * 4, &us) && !netfuzz_plain_login(f, 5000, &us))
        report_trouble(f, NETFUZZ_HANG);
    else
        f->stats->login_us = us;
}

/* Looks after the target as often as it is due. */
static void look_after(struct netfuzz *f)
{
    int64_t now = process_now_ms();

    if (now - f->look_ms >= LOOK_MS) {
        f->look_ms = now;
        if (netfuzz_watch_look(&f->watch) != NETFUZZ_FINE)
            report_trouble(f, NETFUZZ_CRASH);
        f->stats->memory_kib = netfuzz_watch_memory(&f->watch);
        if (f->stats->memory_kib > f->stats->memory_peak_kib)
            f->stats->memory_peak_kib = f->stats->memory_kib;
        if (!f->stats->memory_first_kib)
            f->stats->memory_first_kib = f->stats->memory_kib;
    }
    if (!f->trouble && now - f->health_ms >= HEALTH_MS) {
        check_login(f);
        if (!f->trouble) {
            int64_t begin = process_now_ms();

            netfuzz_watch_growth(f);
            netfuzz_watch_slowness(f);
            was_aside(f, begin);
        }
        f->health_ms = process_now_ms();
    }
    if (now - f->save_ms >= SAVE_MS) {
        f->save_ms = now;
        netfuzz_keep(f);
    }
}

/* ---- the run ---- */

static bool used_up(struct netfuzz *f)
{
    const struct netfuzz_options *o = f->options;

    return (o->execs && f->committed >= o->execs) || (o->time_ms && netfuzz_run_ms(f) >= o->time_ms);
}

static void refill(struct netfuzz *f, size_t width)
{
    const struct netfuzz_options *o = f->options;

    while (netfuzz_player_busy(f->player) < width && f->next < f->committed + NETFUZZ_LAG &&
           (!o->execs || f->next < o->execs) && !f->err[0])
        if (!start_next(f))
            return;
}

static void fuzz(struct netfuzz *f)
{
    size_t width = f->stats->connections;

    f->begin_ms = f->rate_ms = process_now_ms();
    f->health_ms = f->save_ms = f->begin_ms;
    f->rate_sessions = f->stats->sessions;
    while (!f->err[0] && !f->lost && !used_up(f) && !netfuzz_stopped(f)) {
        refill(f, width);
        uv_run(&f->loop, UV_RUN_ONCE);
        if (!commit(f))
            break;
        look_after(f);
        if (f->trouble) {
            int64_t begin = process_now_ms();

            netfuzz_drain(f);
            netfuzz_handle_trouble(f);
            f->trouble = false;
            was_aside(f, begin);
        }
        netfuzz_show(f, "fuzzing");
    }
    netfuzz_drain(f);
    if (!f->err[0])
        commit(f);
    f->before_ms = netfuzz_run_ms(f);
    f->stats->part_ms = process_now_ms() - f->begin_ms;
    f->begin_ms = 0;
}

static bool start_target(struct netfuzz *f, enum results_exit *status)
{
    struct hooks *hooks = f->options->hooks;
    char err[512];

    netfuzz_show(f, "starting the target");
    switch (hooks_start(hooks, f->err, sizeof(f->err))) {
    case HOOKS_OK:
        break;
    case HOOKS_UNREACHABLE:
        *status = EXIT_UNREACHABLE;
        return false;
    case HOOKS_FAULT:
        *status = EXIT_FAULT;
        return false;
    case HOOKS_INTERRUPTED:
        *status = EXIT_INTERRUPTED;
        return false;
    }
    if (hooks_version(hooks, f->stats->version, sizeof(f->stats->version), err, sizeof(err)) != HOOKS_OK) {
        netfuzz_remark(f, "the version of the target is not known: %s", err);
    }
    *status = EXIT_UNREACHABLE;
    return netfuzz_find_site(f);
}

static void copy_text(char *out, size_t cap, const char *text)
{
    snprintf(out, cap, "%s", text ? text : "");
}

/* What the auditor and the live values may know. */
static void prepare_site(struct netfuzz *f)
{
    const struct profile *p = f->options->hooks->profile;
    const struct profile_condition *open_condition = profile_condition_find(p, "open");
    const struct profile_condition *chap = profile_condition_find(p, "chap");
    const struct profile_condition *mutual = profile_condition_find(p, "mutual-chap");
    struct transcript_context *x = &f->site.context;

    f->site.names.target = open_condition ? open_condition->target : NULL;
    f->site.names.initiator = f->options->initiator ? f->options->initiator : RUNNER_INITIATOR;
    x->live = true;
    x->rfc3720 = p->rfc3720;
    x->close_grace_ms = p->close_grace_ms > 0 ? p->close_grace_ms : 2000;
    x->portal_tag = -1;
    if (chap) {
        f->site.names.chap_target = chap->target;
        f->site.names.user = chap->user;
        f->site.names.secret = (const uint8_t *)chap->secret.text;
        f->site.names.secret_len = chap->secret.text ? strlen(chap->secret.text) : 0;
        copy_text(x->chap_user, sizeof(x->chap_user), chap->user);
        copy_text(x->chap_secret, sizeof(x->chap_secret), chap->secret.text);
        x->secrets_known = true;
    }
    if (mutual) {
        copy_text(x->mutual_user, sizeof(x->mutual_user), mutual->mutual_user);
        copy_text(x->mutual_secret, sizeof(x->mutual_secret), mutual->mutual_secret.text);
    }
    f->site.answer_ms = ANSWER_CEILING_MS;
    f->site.other_ms = f->options->patience_ms > 0 ? f->options->patience_ms : NETFUZZ_PATIENCE_DEFAULT;
    f->site.close_ms = f->site.other_ms + CLOSE_MORE_MS;
}

void netfuzz_calibrate(struct netfuzz *f)
{
    int64_t us = 0, wanted;

    if (!netfuzz_plain_login(f, ANSWER_CEILING_MS, &us))
        us = ANSWER_CEILING_MS * 1000 / ANSWER_FACTOR;
    f->stats->login_first_us = f->stats->login_us = us;
    wanted = us * ANSWER_FACTOR / 1000;
    f->site.answer_ms = wanted < ANSWER_FLOOR_MS     ? ANSWER_FLOOR_MS
                        : wanted > ANSWER_CEILING_MS ? ANSWER_CEILING_MS
                                                     : (int)wanted;
    if (f->site.answer_ms < f->site.other_ms) /* who waits for what need not come waits for an answer too */
        f->site.answer_ms = f->site.other_ms;
}

static bool make_folders(struct netfuzz *f)
{
    char path[PATH_MAX];
    static const char *const names[] = {"corpus", "findings"};

    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/%s", f->options->out, names[i]);
        if (folder_make(path) != 0) {
            snprintf(f->err, sizeof(f->err), "--out %s: %s; give a directory that can be written", f->options->out,
                     strerror(errno));
            return false;
        }
    }
    return true;
}

/* The target runs, and there is a player for it. */
static bool prepare_player(struct netfuzz *f, enum results_exit *status)
{
    if (!start_target(f, status))
        return false;
    netfuzz_watch_init(&f->watch, f->options->hooks);
    netfuzz_watch_reset(&f->watch);
    prepare_site(f);
    *status = EXIT_FAULT;
    f->done = on_done;
    f->player = netfuzz_player_new(&f->loop, &f->site, f->stats->connections, on_done, f);
    if (!f->player) {
        snprintf(f->err, sizeof(f->err), "out of memory");
        return false;
    }
    *status = EXIT_UNREACHABLE;
    return true;
}

static bool prepare(struct netfuzz *f, enum results_exit *status)
{
    bool found = false;

    *status = EXIT_USAGE;
    if (!make_folders(f) || !netfuzz_resume(f, &found) || !prepare_player(f, status) || (!found && !netfuzz_collect(f)))
        return false;
    netfuzz_calibrate(f);
    return true;
}

static bool campaign_init(struct netfuzz *f, const struct netfuzz_options *options, struct netfuzz_stats *stats)
{
    memset(f, 0, sizeof(*f));
    memset(stats, 0, sizeof(*stats));
    f->options = options;
    f->stats = stats;
    stats->target = options->hooks->profile->title ? options->hooks->profile->title : options->hooks->profile->name;
    stats->seed = options->seed;
    stats->connections = options->connections ? options->connections : NETFUZZ_CONNECTIONS_DEFAULT;
    stats->last_new_ms = -1;
    stats->started = (int64_t)time(NULL);
    f->slots = calloc(NETFUZZ_LAG, sizeof(*f->slots));
    f->visible = calloc(NETFUZZ_LAG, sizeof(*f->visible));
    return uv_loop_init(&f->loop) == 0 && f->slots && f->visible;
}

static void campaign_free(struct netfuzz *f)
{
    netfuzz_player_free(f->player);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    uv_loop_close(&f->loop);
    for (size_t i = 0; f->slots && i < NETFUZZ_LAG; i++) {
        netfuzz_input_free(&f->slots[i].input);
        free(f->slots[i].facts);
    }
    free(f->slots);
    free(f->visible);
    netfuzz_corpus_free(&f->corpus);
    netfuzz_states_free(&f->states);
    netfuzz_findings_free(&f->findings);
}

enum results_exit netfuzz_run(const struct netfuzz_options *options, struct netfuzz_stats *stats, char *err,
                              size_t err_len)
{
    enum results_exit status = EXIT_FAULT;
    char corpus_dir[PATH_MAX];
    struct netfuzz f;

    process_block_signals();
    if (!campaign_init(&f, options, stats)) {
        snprintf(err, err_len, "out of memory");
        return EXIT_FAULT;
    }
    snprintf(corpus_dir, sizeof(corpus_dir), "%s/corpus", options->out);
    f.corpus.dir = corpus_dir;
    if (prepare(&f, &status)) {
        fuzz(&f);
        status = f.lost ? EXIT_UNREACHABLE : f.err[0] ? EXIT_FAULT : EXIT_ALL_PASSED;
        stats->interrupted = f.stopped;
        stats->ended = (int64_t)time(NULL);
        f.show_ms = 0;
        netfuzz_show(&f, "done");
        netfuzz_keep(&f);
        netfuzz_report(&f);
    }
    if (netfuzz_stopped(&f))
        status = EXIT_INTERRUPTED;
    else if (f.findings.count > 0 && (status == EXIT_ALL_PASSED || f.lost))
        status = EXIT_FINDINGS;
    process_take_interrupt();
    hooks_stop(options->hooks);
    snprintf(err, err_len, "%s", f.err);
    campaign_free(&f);
    return status;
}

enum results_exit netfuzz_replay(const struct netfuzz_options *options, const char *path, struct netfuzz_stats *stats,
                                 char *err, size_t err_len)
{
    enum results_exit status = EXIT_FAULT;
    size_t shown = 0;
    struct netfuzz f;

    process_block_signals();
    if (!campaign_init(&f, options, stats)) {
        snprintf(err, err_len, "out of memory");
        return EXIT_FAULT;
    }
    if (prepare_player(&f, &status) && netfuzz_collect_logins(&f)) {
        netfuzz_calibrate(&f);
        status = netfuzz_replay_all(&f, path, &shown) ? (shown ? EXIT_FINDINGS : EXIT_ALL_PASSED)
                 : f.lost                             ? EXIT_UNREACHABLE
                                                      : EXIT_USAGE;
    }
    if (netfuzz_stopped(&f))
        status = EXIT_INTERRUPTED;
    process_take_interrupt();
    hooks_stop(options->hooks);
    snprintf(err, err_len, "%s", f.err);
    campaign_free(&f);
    return status;
}
