/*
 * What survives an interruption of the network fuzzer: OUT/state.json (numbers and findings), OUT/states (the facts
 * seen, one in hex a line), beside the files of corpus and findings. See netfuzz_campaign.h.
 */
#include "harness/netfuzz_campaign.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEEP_VERSION = 1 };

static void path_in(const struct netfuzz *f, const char *name, char *out, size_t cap)
{
    snprintf(out, cap, "%s/%s", f->options->out, name);
}

/* Replaces a file by what is written to *file between begin and end, or not at all. */
static FILE *replace_begin(const struct netfuzz *f, const char *name, char *temporary, size_t cap)
{
    char path[PATH_MAX];

    path_in(f, name, path, sizeof(path));
    snprintf(temporary, cap, "%s.new", path);
    return fopen(temporary, "we");
}

static bool replace_end(struct netfuzz *f, const char *name, FILE *file, const char *temporary, bool good)
{
    char path[PATH_MAX];

    path_in(f, name, path, sizeof(path));
    good = file && fclose(file) == 0 && good && rename(temporary, path) == 0;
    if (!good && !f->err[0])
        snprintf(f->err, sizeof(f->err), "%s: %s", path, strerror(errno));
    return good;
}

/* The numbers that go on after an interruption, in one table for both ways. */
struct kept {
    const char *name;
    uint64_t *value;
};

static size_t kept_numbers(struct netfuzz *f, struct kept out[16])
{
    struct netfuzz_stats *s = f->stats;
    const struct kept rows[] = {
        {"execs", &s->execs},       {"sessions", &s->sessions},       {"pdus", &s->pdus},
        {"answers", &s->answers},   {"silent", &s->silent},           {"flooded", &s->flooded},
        {"restarts", &s->restarts}, {"unreachable", &s->unreachable}, {"committed", &f->committed},
        {"aside_ms", &s->aside_ms},
    };

    memcpy(out, rows, sizeof(rows));
    return sizeof(rows) / sizeof(rows[0]);
}

static json_t *state_json(struct netfuzz *f)
{
    json_t *reached = json_array();
    struct kept numbers[16];
    size_t count = kept_numbers(f, numbers);
    json_t *state;

    for (size_t i = 0; i < NETFUZZ_STAGES; i++)
        json_array_append_new(reached, json_integer((json_int_t)f->stats->reached[i]));
    state = json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "version", KEEP_VERSION, "seed",
                      (json_int_t)f->options->seed, "started", (json_int_t)f->stats->started, "run_ms",
                      (json_int_t)netfuzz_run_ms(f), "seeds", (json_int_t)f->first_entries, "last_new_ms",
                      (json_int_t)f->stats->last_new_ms, "reached", reached, "findings",
                      netfuzz_findings_json(&f->findings));
    for (size_t i = 0; state && i < count; i++)
        json_object_set_new(state, numbers[i].name, json_integer((json_int_t)*numbers[i].value));
    return state;
}

bool netfuzz_keep(struct netfuzz *f)
{
    char temporary[PATH_MAX + 8];
    FILE *file = replace_begin(f, "states", temporary, sizeof(temporary));
    json_t *state;
    bool good;

    for (size_t i = 0; file && i < f->states.capacity; i++)
        if (f->states.slots[i])
            fprintf(file, "%016" PRIx64 "\n", f->states.slots[i]);
    if (!replace_end(f, "states", file, temporary, true))
        return false;
    state = state_json(f);
    file = replace_begin(f, "state.json", temporary, sizeof(temporary));
    good = state && file && json_dumpf(state, file, JSON_INDENT(1) | JSON_PRESERVE_ORDER) == 0;
    json_decref(state);
    return replace_end(f, "state.json", file, temporary, good);
}

static bool resume_states(struct netfuzz *f)
{
    char path[PATH_MAX];
    struct netfuzz_facts fact = {.count = 1};
    FILE *file;

    path_in(f, "states", path, sizeof(path));
    file = fopen(path, "re");
    while (file && fscanf(file, "%16" SCNx64, &fact.items[0]) == 1)
        if (fact.items[0])
            netfuzz_states_add(&f->states, &fact);
    if (!file || fclose(file) != 0) {
        snprintf(f->err, sizeof(f->err), "%s: %s; start over with another --out", path, strerror(errno));
        return false;
    }
    return true;
}

static void resume_numbers(struct netfuzz *f, const json_t *state)
{
    struct kept numbers[16];
    size_t count = kept_numbers(f, numbers);
    const json_t *reached = json_object_get(state, "reached");

    for (size_t i = 0; i < count; i++)
        *numbers[i].value = (uint64_t)json_integer_value(json_object_get(state, numbers[i].name));
    for (size_t i = 0; i < NETFUZZ_STAGES; i++)
        f->stats->reached[i] = (uint64_t)json_integer_value(json_array_get(reached, i));
    f->before_ms = json_integer_value(json_object_get(state, "run_ms"));
    f->stats->last_new_ms = json_integer_value(json_object_get(state, "last_new_ms"));
    f->stats->started = json_integer_value(json_object_get(state, "started"));
    f->stats->seeds = f->first_entries = (size_t)json_integer_value(json_object_get(state, "seeds"));
    f->next = f->committed;
}

/* How large the corpus was behind each of the last executions: that decides what the next ones are made of. */
static void resume_visible(struct netfuzz *f)
{
    uint64_t from = f->committed > NETFUZZ_LAG ? f->committed - NETFUZZ_LAG : 0;

    for (uint64_t n = from; n < f->committed; n++) {
        size_t count = 0;

        while (count < f->corpus.count &&
               (f->corpus.entries[count].found_by == NETFUZZ_SEED_EXEC || f->corpus.entries[count].found_by <= n))
            count++;
        f->visible[n % NETFUZZ_LAG] = count;
    }
}

bool netfuzz_resume(struct netfuzz *f, bool *found)
{
    char path[PATH_MAX], dir[PATH_MAX];
    json_error_t error;
    json_t *state;
    bool good;

    path_in(f, "state.json", path, sizeof(path));
    path_in(f, "findings", dir, sizeof(dir));
    *found = false;
    state = json_load_file(path, 0, &error);
    if (!state && json_error_code(&error) == json_error_cannot_open_file)
        return true;
    if (!state || json_integer_value(json_object_get(state, "version")) != KEEP_VERSION) {
        snprintf(f->err, sizeof(f->err), "%s:%d: %s; start over with another --out", path, state ? 1 : error.line,
                 state ? "of another version" : error.text);
        json_decref(state);
        return false;
    }
    if ((uint64_t)json_integer_value(json_object_get(state, "seed")) != f->options->seed) {
        snprintf(f->err, sizeof(f->err),
                 "--seed %llu: %s holds a run with --seed %llu; go on with that, or give another --out",
                 (unsigned long long)f->options->seed, f->options->out,
                 (unsigned long long)json_integer_value(json_object_get(state, "seed")));
        json_decref(state);
        return false;
    }
    resume_numbers(f, state);
    good = resume_states(f) && netfuzz_corpus_resume(&f->corpus, f->committed, f->err, sizeof(f->err)) &&
           netfuzz_findings_resume(&f->findings, json_object_get(state, "findings"), dir, f->err, sizeof(f->err));
    json_decref(state);
    if (good && (f->corpus.count == 0 || f->first_entries == 0 || f->first_entries > f->corpus.count)) {
        snprintf(f->err, sizeof(f->err), "%s/corpus: inputs are missing; start over with another --out",
                 f->options->out);
        good = false;
    }
    if (good)
        resume_visible(f);
    *found = good;
    return good;
}

bool netfuzz_kept_seed(const char *out, uint64_t *seed)
{
    char path[PATH_MAX];
    json_error_t error;
    json_t *state;
    bool found;

    snprintf(path, sizeof(path), "%s/state.json", out);
    state = json_load_file(path, 0, &error);
    found = state != NULL;
    if (found)
        *seed = (uint64_t)json_integer_value(json_object_get(state, "seed"));
    json_decref(state);
    return found;
}
