/* Saved inputs played once more: see netfuzz.h. */
#include "harness/netfuzz_campaign.h"
#include "harness/process.h"

#include <stdio.h>
#include <string.h>

struct replay {
    struct netfuzz *f;
    size_t played, shown;
};

/* What the input shows, in words; "" nothing. */
static void describe(const struct netfuzz *f, const struct netfuzz_shown *shown, char *out, size_t cap)
{
    size_t used = 0;

    *out = '\0';
    if (shown->gone || shown->alarmed) {
        snprintf(out, cap, "%s: %s", shown->gone ? "the target is gone" : "the target's log", shown->signature);
        return;
    }
    if (shown->hung) {
        snprintf(out, cap, "plain logins fail behind it");
        return;
    }
    for (size_t i = 0; i < shown->findings.count && used + 40 < cap; i++) {
        const struct finding *x = &shown->findings.items[i];

        if (netfuzz_counts(f, shown->transcript, x) && !strstr(out, x->rule))
            used += (size_t)snprintf(out + used, cap - used, "%s%s", used ? ", " : "breaks ", x->rule);
    }
}

static bool replay_one(void *user, const char *path, const struct netfuzz_input *in)
{
    struct replay *r = user;
    const struct netfuzz_input *one[] = {in};
    size_t len = strlen(path);
    struct netfuzz_shown shown;
    char words[600];

    if (netfuzz_stopped(r->f) || (len > 5 && strcmp(path + len - 5, ".yaml") == 0) ||
        (len > 4 && (strcmp(path + len - 4, ".txt") == 0 || strcmp(path + len - 5, ".pcap") == 0)))
        return true;
    if (!netfuzz_alone(r->f, one, 1, NETFUZZ_CHECK, &shown))
        return false;
    describe(r->f, &shown, words, sizeof(words));
    r->played++;
    r->shown += words[0] != '\0';
    printf("%-7s %s%s%s\n", words[0] ? "shows" : "nothing", path, words[0] ? ": " : "", words);
    if (shown.gone || shown.alarmed || shown.hung)
        netfuzz_revive(r->f);
    netfuzz_shown_free(&shown);
    return !r->f->lost;
}

bool netfuzz_replay_all(struct netfuzz *f, const char *path, size_t *shown)
{
    struct replay r = {.f = f};
    bool good = netfuzz_corpus_read(path, replay_one, &r, f->err, sizeof(f->err));

    printf("%zu inputs played, %zu show something\n", r.played, r.shown);
    if (good && r.played == 0)
        snprintf(f->err, sizeof(f->err), "--replay %s: there is no input in it", path);
    *shown = r.shown;
    return good && r.played > 0;
}
