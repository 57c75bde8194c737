/* The corpus of the network fuzzer: see netfuzz_corpus.h. */
#include "harness/netfuzz_corpus.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = NETFUZZ_INPUT_MAX + 3 * NETFUZZ_RECORDS_MAX };

bool netfuzz_corpus_save(const char *path, const struct netfuzz_input *in, char *err, size_t err_len)
{
    size_t len;
    uint8_t *bytes = netfuzz_input_encode(in, &len);
    FILE *f = bytes ? fopen(path, "we") : NULL;
    bool good = f && fwrite(bytes, 1, len, f) == len;

    if (f && fclose(f) != 0)
        good = false;
    free(bytes);
    if (!good)
        snprintf(err, err_len, "%s: %s", path, strerror(errno));
    return good;
}

bool netfuzz_corpus_load(const char *path, struct netfuzz_input *out, char *err, size_t err_len)
{
    uint8_t *bytes = malloc(FILE_MAX);
    FILE *f = bytes ? fopen(path, "re") : NULL;
    size_t len = f ? fread(bytes, 1, FILE_MAX, f) : 0;
    bool good = f && !ferror(f) && netfuzz_input_decode(out, bytes, len);

    if (!good)
        snprintf(err, err_len, "%s: %s", path, strerror(errno));
    if (f)
        fclose(f);
    free(bytes);
    return good;
}

static void entry_path(const struct netfuzz_corpus *c, size_t id, const struct netfuzz_entry *e, char *out, size_t cap)
{
    if (e->found_by == NETFUZZ_SEED_EXEC)
        snprintf(out, cap, "%s/id:%06zu,exec:seed,reach:%u", c->dir, id, e->reach);
    else
        snprintf(out, cap, "%s/id:%06zu,exec:%llu,reach:%u", c->dir, id, (unsigned long long)e->found_by, e->reach);
}

static bool add(struct netfuzz_corpus *c, const struct netfuzz_input *in, uint64_t found_by, unsigned reach)
{
    if (c->count == c->capacity) {
        size_t capacity = c->capacity ? c->capacity * 2 : 64;
        struct netfuzz_entry *bigger = realloc(c->entries, capacity * sizeof(*bigger));

        if (!bigger)
            return false;
        c->entries = bigger;
        c->capacity = capacity;
    }
    c->entries[c->count] = (struct netfuzz_entry){.found_by = found_by, .reach = reach, .hash = netfuzz_input_hash(in)};
    if (!netfuzz_input_copy(&c->entries[c->count].input, in))
        return false;
    c->count++;
    return true;
}

bool netfuzz_corpus_add(struct netfuzz_corpus *c, const struct netfuzz_input *in, uint64_t found_by, unsigned reach,
                        bool *added, char *err, size_t err_len)
{
    uint64_t hash = netfuzz_input_hash(in);
    char path[PATH_MAX];

    *added = false;
    for (size_t i = 0; i < c->count; i++)
        if (c->entries[i].hash == hash)
            return true;
    if (c->count >= NETFUZZ_CORPUS_MAX)
        return true;
    if (!add(c, in, found_by, reach)) {
        snprintf(err, err_len, "out of memory");
        return false;
    }
    *added = true;
    if (!c->dir)
        return true;
    entry_path(c, c->count - 1, &c->entries[c->count - 1], path, sizeof(path));
    return netfuzz_corpus_save(path, in, err, err_len);
}

static int is_visible(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

static bool is_regular(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

static bool read_file(const char *path, bool (*each)(void *user, const char *path, const struct netfuzz_input *in),
                      void *user, char *err, size_t err_len)
{
    struct netfuzz_input in = {0};
    bool good = netfuzz_corpus_load(path, &in, err, err_len) && each(user, path, &in);

    netfuzz_input_free(&in);
    return good;
}

bool netfuzz_corpus_read(const char *path, bool (*each)(void *user, const char *path, const struct netfuzz_input *in),
                         void *user, char *err, size_t err_len)
{
    struct dirent **names;
    int count;
    bool good = true;

    if (is_regular(path))
        return read_file(path, each, user, err, err_len);
    count = scandir(path, &names, is_visible, alphasort);
    if (count < 0) {
        snprintf(err, err_len, "%s: %s", path, strerror(errno));
        return false;
    }
    for (int i = 0; i < count; i++) {
        char name[PATH_MAX];

        snprintf(name, sizeof(name), "%s/%s", path, names[i]->d_name);
        free(names[i]);
        if (good && is_regular(name))
            good = read_file(name, each, user, err, err_len);
    }
    free(names);
    return good;
}

struct resume {
    struct netfuzz_corpus *corpus;
    uint64_t before;
};

static bool resume_one(void *user, const char *path, const struct netfuzz_input *in)
{
    struct resume *r = user;
    const char *name = strrchr(path, '/') + 1;
    unsigned long long exec = 0;
    unsigned reach = 0;
    size_t id = 0;

    if (sscanf(name, "id:%zu,exec:seed,reach:%u", &id, &reach) == 2)
        return add(r->corpus, in, NETFUZZ_SEED_EXEC, reach);
    if (sscanf(name, "id:%zu,exec:%llu,reach:%u", &id, &exec, &reach) != 3)
        return true; /* somebody else's */
    if (exec >= r->before) {
        unlink(path); /* it is going to be found again */
        return true;
    }
    return add(r->corpus, in, exec, reach);
}

bool netfuzz_corpus_resume(struct netfuzz_corpus *c, uint64_t before, char *err, size_t err_len)
{
    struct resume r = {c, before};

    return netfuzz_corpus_read(c->dir, resume_one, &r, err, err_len);
}

void netfuzz_corpus_free(struct netfuzz_corpus *c)
{
    for (size_t i = 0; i < c->count; i++)
        netfuzz_input_free(&c->entries[i].input);
    free(c->entries);
    memset(c, 0, sizeof(*c));
}
