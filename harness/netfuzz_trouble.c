/* What to do when something is wrong: who did it, how little is enough, what is kept of it. See netfuzz_campaign.h. */
#include "harness/netfuzz_campaign.h"
#include "harness/process.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SUSPECTS_MAX = 64,
    SUSPECTS_ALARM_MAX = 400, /* a log is read after the fact, and nobody looks odd */
    CRASH_MS = 20000,         /* for making a finding small */
    RULE_MS = 2000,
    SUSPECT_US = 1500000, /* what ended longer before is none */
    CRASH_TRIES = 150,    /* each may cost a restart */
    HANG_TRIES = 25,      /* each costs a login that fails in its time, and a restart */
    RULE_TRIES = 250,
};

/* Which finding the search is for. */
struct search {
    struct netfuzz *f;
    enum netfuzz_finding_kind kind;
    const char *signature; /* of the log or the signal; RULE: id */
    struct netfuzz_shown shown;
};

void netfuzz_save_finding(struct netfuzz *f, struct netfuzz_finding *finding, const struct transcript *t)
{
    char dir[PATH_MAX], err[512];
    struct netfuzz_finding_about about = {
        .profile = f->options->profile_name,
        .target = f->options->target_url,
        .names = &f->site.names,
    };

    snprintf(dir, sizeof(dir), "%s/findings", f->options->out);
    if (netfuzz_finding_save(finding, dir, &about, t, err, sizeof(err)) != 0)
        netfuzz_remark(f, "finding %s could not be saved whole: %s", finding->name, err);
    netfuzz_remark(f, "%s: %s%s", finding->name, finding->signature, finding->confirmed ? "" : " (not seen again)");
}

/* ---- suspects ---- */

static int by_suspicion(const void *a, const void *b)
{
    const struct netfuzz_slot *const *x = a, *const *y = b;

    if ((*x)->odd != (*y)->odd)
        return (*x)->odd ? -1 : 1;
    if ((*x)->odd) /* the one that ended first pulled the others down */
        return (*x)->end_us < (*y)->end_us ? -1 : 1;
    return (*x)->end_us > (*y)->end_us ? -1 : 1;
}

/* Pointers to the slots that may have done it, the likeliest first. *list is malloc'ed. */
static size_t suspects(struct netfuzz *f, size_t max, const struct netfuzz_slot ***list)
{
    int64_t newest = 0;
    size_t count = 0;

    *list = calloc(NETFUZZ_LAG, sizeof(**list));
    for (size_t i = 0; i < NETFUZZ_LAG; i++)
        if (f->slots[i].finished && f->slots[i].reach && f->slots[i].end_us > newest)
            newest = f->slots[i].end_us;
    for (size_t i = 0; *list && i < NETFUZZ_LAG; i++)
        if (f->slots[i].finished && f->slots[i].reach && f->slots[i].input.count > 0 &&
            f->slots[i].end_us >= newest - SUSPECT_US)
            (*list)[count++] = &f->slots[i];
    if (count > 0)
        qsort(*list, count, sizeof(**list), by_suspicion);
    return count < max ? count : max;
}

/* ---- does it show again? ---- */

static bool same_signature(const struct search *s)
{
    return s->signature == NULL || strcmp(s->shown.signature, s->signature) == 0;
}

/* Plays one input alone; the target is in order again behind it. */
static bool shows_trouble(void *user, const struct netfuzz_input *in)
{
    struct search *s = user;
    const struct netfuzz_input *one[] = {in};
    bool bad, shows = false;

    if (s->f->lost || netfuzz_stopped(s->f))
        return false;
    netfuzz_shown_free(&s->shown);
    if (!netfuzz_alone(s->f, one, 1, s->kind == NETFUZZ_HANG ? NETFUZZ_CHECK : NETFUZZ_SETTLE, &s->shown))
        return false;
    bad = s->shown.gone || s->shown.alarmed || s->shown.hung;
    if (s->kind == NETFUZZ_HANG)
        shows = s->shown.hung;
    else
        shows = (s->shown.gone || s->shown.alarmed) && same_signature(s);
    if (bad)
        netfuzz_revive(s->f);
    return shows;
}

static bool shows_rule(void *user, const struct netfuzz_input *in)
{
    struct search *s = user;
    const struct netfuzz_input *one[] = {in};

    if (s->f->lost || netfuzz_stopped(s->f))
        return false;
    netfuzz_shown_free(&s->shown);
    if (!netfuzz_alone(s->f, one, 1, NETFUZZ_QUICK, &s->shown))
        return false;
    if (s->shown.gone || s->shown.alarmed || s->shown.hung) {
        netfuzz_revive(s->f);
        return false;
    }
    for (size_t i = 0; i < s->shown.findings.count; i++)
        if (strcmp(s->shown.findings.items[i].rule, s->signature) == 0 &&
            netfuzz_counts(s->f, s->shown.transcript, &s->shown.findings.items[i]))
            return true;
    return false;
}

/* ---- findings ---- */

/* A death by signal says little: the stage it happened in tells one from the other. */
static void full_signature(const struct netfuzz *f, const char *words, unsigned reach, char *out, size_t cap)
{
    size_t stage = NETFUZZ_STAGES - 1;

    while (stage > 0 && (stage == 5 || !(reach >> stage & 1u)))
        stage--;
    if (f->watch.signature[0])
        snprintf(out, cap, "%s", words);
    else
        snprintf(out, cap, "%s, last stage: %s", words, netfuzz_stage_name(stage));
}

static struct netfuzz_finding *book(struct netfuzz *f, enum netfuzz_finding_kind kind, const char *signature,
                                    uint64_t exec, bool *fresh)
{
    struct netfuzz_finding *finding = netfuzz_finding_find(&f->findings, kind, signature);

    *fresh = finding == NULL;
    if (!finding && (finding = netfuzz_finding_add(&f->findings, kind, signature)) != NULL) {
        finding->exec = exec;
        finding->at_ms = netfuzz_run_ms(f);
    }
    if (finding)
        finding->hits++;
    return finding;
}

/* The input that did it is known: makes it small, shows it once more, saves it. */
static void make_finding(struct search *s, struct netfuzz_finding *finding, const struct netfuzz_input *culprit,
                         size_t tries, bool (*shows)(void *user, const struct netfuzz_input *in))
{
    struct netfuzz *f = s->f;

    netfuzz_show(f, "making a finding small");
    if (!netfuzz_input_copy(&finding->input, culprit))
        return;
    finding->size = netfuzz_input_size(culprit);
    finding->tried = netfuzz_minimise(&finding->input, shows, s, tries, s->kind == NETFUZZ_RULE ? RULE_MS : CRASH_MS);
    finding->confirmed = shows(s, &finding->input);
    if (s->shown.line[0])
        snprintf(finding->detail, sizeof(finding->detail), "%s", s->shown.line);
    netfuzz_save_finding(f, finding, s->shown.transcript);
}

void netfuzz_handle_trouble(struct netfuzz *f)
{
    struct search s = {.f = f, .kind = f->trouble_kind};
    char words[200] = "plain logins fail", signature[240];
    const struct netfuzz_slot **list;
    struct netfuzz_finding *finding;
    bool fresh, final = f->watch.summary;
    size_t count = suspects(f, final ? SUSPECTS_ALARM_MAX : SUSPECTS_MAX, &list), found = count;

    netfuzz_show(f, "looking for the input that did it");
    if (s.kind == NETFUZZ_CRASH)
        netfuzz_watch_describe(&f->watch, words, sizeof(words));
    if (final && (finding = netfuzz_finding_find(&f->findings, s.kind, words)) != NULL) {
        finding->hits++; /* known, down to the line */
        free(list);
        if (netfuzz_watch_look(&f->watch) == NETFUZZ_GONE)
            netfuzz_revive(f);
        else
            netfuzz_watch_reset(&f->watch);
        return;
    }
    if (!netfuzz_revive(f)) {
        finding = book(f, s.kind, words, f->committed, &fresh);
        if (finding && fresh) {
            if (count > 0)
                netfuzz_input_copy(&finding->input, &list[0]->input);
            netfuzz_save_finding(f, finding, NULL);
        }
        free(list);
        return;
    }
    for (size_t i = 0; i < count && found == count && !netfuzz_stopped(f) && !f->lost; i++)
        if (shows_trouble(&s, &list[i]->input))
            found = i;
    if (found < count && s.kind == NETFUZZ_CRASH)
        snprintf(words, sizeof(words), "%s", s.shown.signature);
    if (final)
        snprintf(signature, sizeof(signature), "%s", words);
    else
        full_signature(f, words, found < count ? list[found]->reach : 0, signature, sizeof(signature));
    finding = book(f, s.kind, signature, found < count ? list[found]->number : f->committed, &fresh);
    if (finding && fresh && found < count) {
        s.signature = s.kind == NETFUZZ_CRASH ? words : NULL;
        make_finding(&s, finding, &list[found]->input, s.kind == NETFUZZ_HANG ? HANG_TRIES : CRASH_TRIES,
                     shows_trouble);
    } else if (finding && fresh) {
        if (count > 0)
            netfuzz_input_copy(&finding->input, &list[0]->input);
        netfuzz_save_finding(f, finding, NULL);
    }
    netfuzz_shown_free(&s.shown);
    free(list);
}

void netfuzz_handle_rule(struct netfuzz *f, const struct netfuzz_slot *slot, const char *id)
{
    struct search s = {.f = f, .kind = NETFUZZ_RULE, .signature = id};
    const struct rule *rule = catalogue_find(f->options->rules, id);
    struct netfuzz_finding *finding;
    bool fresh;

    netfuzz_drain(f);
    finding = book(f, NETFUZZ_RULE, id, slot->number, &fresh);
    if (!finding)
        return;
    snprintf(finding->detail, sizeof(finding->detail), "%s", rule->text);
    make_finding(&s, finding, &slot->input, RULE_TRIES, shows_rule);
    netfuzz_shown_free(&s.shown);
}
