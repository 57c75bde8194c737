/* Findings of the network fuzzer: see netfuzz_finding.h. */
#include "harness/netfuzz_finding.h"

#include "harness/capture.h"
#include "harness/netfuzz_case.h"
#include "harness/netfuzz_corpus.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[NETFUZZ_KINDS] = {"crash", "hang", "leak", "slow", "rule"};

const char *netfuzz_finding_kind_name(enum netfuzz_finding_kind kind)
{
    return kind_names[kind];
}

struct netfuzz_finding *netfuzz_finding_find(const struct netfuzz_findings *f, enum netfuzz_finding_kind kind,
                                             const char *signature)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->items[i].kind == kind && strcmp(f->items[i].signature, signature) == 0)
            return &f->items[i];
    return NULL;
}

struct netfuzz_finding *netfuzz_finding_add(struct netfuzz_findings *f, enum netfuzz_finding_kind kind,
                                            const char *signature)
{
    struct netfuzz_finding *bigger, *finding;
    size_t number = 1;

    if (f->count == NETFUZZ_FINDINGS_MAX)
        return NULL;
    bigger = realloc(f->items, (f->count + 1) * sizeof(*bigger));
    if (!bigger)
        return NULL;
    f->items = bigger;
    for (size_t i = 0; i < f->count; i++)
        number += f->items[i].kind == kind;
    finding = &f->items[f->count++];
    memset(finding, 0, sizeof(*finding));
    finding->kind = kind;
    if (kind == NETFUZZ_RULE)
        snprintf(finding->name, sizeof(finding->name), "rule-%.24s", signature);
    else
        snprintf(finding->name, sizeof(finding->name), "%s-%03zu", kind_names[kind], number);
    snprintf(finding->signature, sizeof(finding->signature), "%s", signature);
    return finding;
}

void netfuzz_findings_free(struct netfuzz_findings *f)
{
    for (size_t i = 0; i < f->count; i++)
        netfuzz_input_free(&f->items[i].input);
    free(f->items);
    memset(f, 0, sizeof(*f));
}

/* How to see it again, as one line for the shell. */
static void put_line(const struct netfuzz_finding *finding, const struct netfuzz_finding_about *about, const char *dir,
                     bool replay, char *out, size_t cap)
{
    const char *option = about->profile ? "--profile" : "--target";
    const char *value = about->profile ? about->profile : about->target;

    if (replay)
        snprintf(out, cap, "iscsispec fuzz %s '%s' --replay %s/%s.session", option, value, dir, finding->name);
    else
        snprintf(out, cap, "iscsispec run %s '%s' --cases %s/%s.yaml", option, value, dir, finding->name);
}

static bool save_case(const struct netfuzz_finding *finding, const struct netfuzz_finding_about *about,
                      const char *path, const char *line)
{
    char id[64], title[300], comment[PATH_MAX + 1024];
    struct netfuzz_case_about words = {.id = id, .title = title, .comment = comment};
    FILE *f = fopen(path, "we");
    bool good = f != NULL;

    words.names = about->names;
    snprintf(id, sizeof(id), "fuzz.%s", finding->name);
    for (char *p = id; *p; p++) /* ids are in small letters */
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
    snprintf(title, sizeof(title), "A login that shows: %s", finding->signature);
    snprintf(comment, sizeof(comment), "%s: %s\n%s\nShow it again: %s\n", kind_names[finding->kind], finding->signature,
             finding->detail, line);
    good = good && netfuzz_case_write(f, &finding->input, &words);
    return f && fclose(f) == 0 && good;
}

static bool save_text(const struct netfuzz_finding *finding, const char *path, const char *line, const char *replay)
{
    FILE *f = fopen(path, "we");

    if (!f)
        return false;
    fprintf(f, "%s\n\n%s: %s\n", finding->name, kind_names[finding->kind], finding->signature);
    if (finding->detail[0])
        fprintf(f, "%s\n", finding->detail);
    fprintf(f, "\nfound by execution %llu, %lld s into the run; %zu bytes, made of %zu in %zu tries\n%s\n",
            (unsigned long long)finding->exec, (long long)finding->at_ms / 1000, netfuzz_input_size(&finding->input),
            finding->size, finding->tried,
            finding->confirmed
                ? "the input alone shows it again"
                : "not seen again by this input alone: it is the likeliest of those that were under way");
    fprintf(f, "\nshow it again:\n    %s\n    %s\n", line, replay);
    return fclose(f) == 0;
}

int netfuzz_finding_save(const struct netfuzz_finding *finding, const char *dir,
                         const struct netfuzz_finding_about *about, const struct transcript *transcript, char *err,
                         size_t err_len)
{
    char path[PATH_MAX], line[PATH_MAX], replay[PATH_MAX];

    put_line(finding, about, dir, false, line, sizeof(line));
    put_line(finding, about, dir, true, replay, sizeof(replay));
    snprintf(path, sizeof(path), "%s/%s.session", dir, finding->name);
    if (!netfuzz_corpus_save(path, &finding->input, err, err_len))
        return -1;
    snprintf(path, sizeof(path), "%s/%s.pcap", dir, finding->name);
    if (transcript && capture_write(transcript, path, err, err_len) != 0)
        return -1;
    snprintf(path, sizeof(path), "%s/%s.yaml", dir, finding->name);
    if (save_case(finding, about, path, line)) {
        snprintf(path, sizeof(path), "%s/%s.txt", dir, finding->name);
        if (save_text(finding, path, line, replay))
            return 0;
    }
    snprintf(err, err_len, "%s: %s", path, strerror(errno));
    return -1;
}

/* Text that comes from a log need not be UTF-8. */
static json_t *text_json(const char *text)
{
    json_t *json = json_string(text);
    char plain[1024];
    size_t i = 0;

    if (json)
        return json;
    for (; text[i] && i + 1 < sizeof(plain); i++)
        plain[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
    plain[i] = '\0';
    return json_string(plain);
}

json_t *netfuzz_findings_json(const struct netfuzz_findings *f)
{
    json_t *list = json_array();

    for (size_t i = 0; i < f->count; i++) {
        const struct netfuzz_finding *x = &f->items[i];

        json_array_append_new(
            list, json_pack("{s:s, s:s, s:o, s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:I}", "name", x->name, "kind",
                            kind_names[x->kind], "signature", text_json(x->signature), "detail", text_json(x->detail),
                            "confirmed", x->confirmed, "exec", (json_int_t)x->exec, "hits", (json_int_t)x->hits,
                            "at_ms", (json_int_t)x->at_ms, "bytes", (json_int_t)netfuzz_input_size(&x->input),
                            "bytes_first", (json_int_t)x->size, "tried", (json_int_t)x->tried));
    }
    return list;
}

bool netfuzz_findings_resume(struct netfuzz_findings *f, const json_t *list, const char *dir, char *err, size_t err_len)
{
    const json_t *item;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        const char *kind = json_string_value(json_object_get(item, "kind"));
        const char *signature = json_string_value(json_object_get(item, "signature"));
        struct netfuzz_finding *x;
        char path[PATH_MAX];
        size_t k = 0;

        while (kind && k < NETFUZZ_KINDS && strcmp(kind_names[k], kind) != 0)
            k++;
        if (!kind || !signature || k == NETFUZZ_KINDS ||
            !(x = netfuzz_finding_add(f, (enum netfuzz_finding_kind)k, signature))) {
            snprintf(err, err_len, "%s: a finding without kind or signature", dir);
            return false;
        }
        snprintf(x->detail, sizeof(x->detail), "%s", json_string_value(json_object_get(item, "detail")));
        x->confirmed = json_is_true(json_object_get(item, "confirmed"));
        x->exec = (uint64_t)json_integer_value(json_object_get(item, "exec"));
        x->hits = (uint64_t)json_integer_value(json_object_get(item, "hits"));
        x->at_ms = json_integer_value(json_object_get(item, "at_ms"));
        x->size = (size_t)json_integer_value(json_object_get(item, "bytes_first"));
        x->tried = (size_t)json_integer_value(json_object_get(item, "tried"));
        snprintf(path, sizeof(path), "%s/%s.session", dir, x->name);
        if (!netfuzz_corpus_load(path, &x->input, err, err_len))
            return false;
    }
    return true;
}
