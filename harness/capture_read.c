/* The file: opening, decompressing, filtering, counting. What is in the frames is capture_packet.c and capture_flow.c.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* fopencookie */
#endif
#include "harness/capture_read.h"

#include "harness/capture_flow.h"
#include "harness/capture_ng.h"
#include "harness/capture_packet.h"
#include "wire/bytes.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define FRAMES_AT_A_TIME 2048u
#define GZIP_BUFFER      (128u << 10)
#define ERROR_MAX        512u
#define SNAPLEN          262144
#define LOOPBACK_LEN     4u
#define FILTERS_MAX      8u /* link types that can be read */

/* The filter, translated for one link type. */
struct filter {
    int link;
    struct bpf_program program;
};

struct capture {
    pcap_t *pcap;          /* owns file; NULL: it is pcapng */
    struct capture_ng *ng; /* NULL: it is not */
    FILE *file;
    gzFile zip; /* under file, NULL: not compressed */
    int link;
    char *filter; /* NULL: everything */
    struct filter filters[FILTERS_MAX];
    size_t filter_count;
    bool over;
    struct capture_flows *flows;
    struct capture_counts counts;
    int64_t start_us;
    int64_t last_us;
    uint64_t size;
    char error[ERROR_MAX];
    char path[ERROR_MAX / 2];
};

/* ---- gzip under a FILE ---- */

static ssize_t zip_read(void *cookie, char *buf, size_t size)
{
    int n = gzread(cookie, buf, size < INT32_MAX ? (unsigned)size : INT32_MAX);

    if (n < 0)
        errno = EIO;
    return n;
}

static int zip_close(void *cookie)
{
    gzclose_r(cookie);
    return 0;
}

/* Stands over a descriptor, which it owns from then on; reads what is not compressed as it is. */
static FILE *zip_open(int fd, gzFile *zip)
{
    cookie_io_functions_t functions = {.read = zip_read, .close = zip_close};
    FILE *file;

    *zip = gzdopen(fd, "rb");
    if (!*zip) {
        close(fd);
        return NULL;
    }
    gzbuffer(*zip, GZIP_BUFFER);
    file = fopencookie(*zip, "rb", functions);
    if (!file)
        gzclose_r(*zip);
    return file;
}

static bool is_zipped(FILE *file)
{
    uint8_t magic[2];
    bool zipped = fread(magic, 1, sizeof magic, file) == sizeof magic && magic[0] == 0x1f && magic[1] == 0x8b;

    rewind(file);
    return zipped;
}

bool capture_is(const char *path)
{
    /* pcap in microseconds and nanoseconds, each in both byte orders; the first block of a pcapng */
    static const uint32_t magics[] = {0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1, 0x0a0d0d0a};
    FILE *file = fopen(path, "re");
    uint8_t head[4];
    bool is = file && is_zipped(file);

    if (file && !is && fread(head, 1, sizeof head, file) == sizeof head)
        for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++)
            is = is || bytes_get_be32(head) == magics[i];
    if (file)
        fclose(file);
    return is;
}

/* ---- opening ---- */

static bool fail(struct capture *c, const char *what, const char *why)
{
    snprintf(c->error, sizeof c->error, "%s: %s%s%s", c->path, what, why[0] ? ": " : "", why);
    return false;
}

static bool open_regular(struct capture *c, const char *path)
{
    struct stat about;

    c->file = fopen(path, "rb");
    if (!c->file)
        return fail(c, "cannot be opened", strerror(errno));
    if (fstat(fileno(c->file), &about) != 0)
        return fail(c, "cannot be opened", strerror(errno));
    if (S_ISDIR(about.st_mode))
        return fail(c, "is a folder", "name the captures in it");
    if (!S_ISREG(about.st_mode)) {
        int fd = dup(fileno(c->file));

        fclose(c->file);
        c->file = fd < 0 ? NULL : zip_open(fd, &c->zip);
        return c->file || fail(c, "cannot be opened", strerror(errno));
    }
    c->size = (uint64_t)about.st_size;
    if (about.st_size == 0)
        return fail(c, "is empty", "not even the header of a capture is there");
    if (is_zipped(c->file)) {
        int fd = dup(fileno(c->file));

        fclose(c->file);
        c->file = NULL;
        if (fd < 0 || lseek(fd, 0, SEEK_SET) != 0 || !(c->file = zip_open(fd, &c->zip)))
            return fail(c, "cannot be decompressed", strerror(errno));
    }
    return true;
}

static bool fail_format(struct capture *c, const char *why)
{
    return fail(c, "is no capture that can be read (pcap or pcapng, plain or gzip)", why);
}

static bool fail_link(struct capture *c, int link)
{
    const char *name = pcap_datalink_val_to_name(link);
    char why[128];

    snprintf(why, sizeof why, "%s; Ethernet, raw IP, Linux cooked (SLL, SLL2) and loopback are",
             name ? name : "of unknown name");
    return fail(c, "has a link type that cannot be read", why);
}

static bool open_ng(struct capture *c)
{
    c->ng = capture_ng_new(c->file);
    if (!c->ng)
        return fail(c, "out of memory", "");
    c->link = DLT_EN10MB; /* each interface has its own; this one is for the syntax of the filter */
    return capture_ng_begin(c->ng) == CAPTURE_NG_FRAME || fail_format(c, capture_ng_error(c->ng));
}

static bool open_file(struct capture *c, const char *path)
{
    char why[PCAP_ERRBUF_SIZE] = "";

    if (strcmp(path, "-") == 0) {
        int fd = dup(STDIN_FILENO);

        c->file = fd < 0 ? NULL : zip_open(fd, &c->zip);
        if (!c->file)
            return fail(c, "cannot be read", strerror(errno));
    } else if (!open_regular(c, path)) {
        return false;
    }
    if (capture_ng_is(c->file))
        return open_ng(c);
    c->pcap = pcap_fopen_offline(c->file, why);
    if (!c->pcap)
        return fail_format(c, why);
    c->file = pcap_file(c->pcap);
    c->link = pcap_datalink(c->pcap);
    return capture_packet_link_known(c->link) || fail_link(c, c->link);
}

/* ---- the filter ---- */

/* The filter for this link type; NULL: it cannot be translated, and c->error says why. */
static struct bpf_program *filter_for(struct capture *c, int link)
{
    struct filter *filter = &c->filters[c->filter_count];
    char why[ERROR_MAX / 2];
    pcap_t *dead;
    bool good;

    for (size_t i = 0; i < c->filter_count; i++)
        if (c->filters[i].link == link)
            return &c->filters[i].program;
    dead = c->filter_count < FILTERS_MAX ? pcap_open_dead(link, SNAPLEN) : NULL;
    if (!dead) {
        fail(c, "out of memory", "");
        return NULL;
    }
    filter->link = link;
    good = pcap_compile(dead, &filter->program, c->filter, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!good) {
        snprintf(why, sizeof why, "%s", pcap_geterr(dead));
        snprintf(c->error, sizeof c->error, "--filter '%.200s': %s", c->filter, why);
    }
    pcap_close(dead);
    c->filter_count += good;
    return good ? &filter->program : NULL;
}

static bool set_filter(struct capture *c, const char *filter)
{
    if (!filter || filter[0] == '\0')
        return true;
    c->filter = strdup(filter);
    if (!c->filter)
        return fail(c, "out of memory", "");
    return filter_for(c, c->link) != NULL;
}

struct capture *capture_open(const char *path, const struct capture_options *options, char *err, size_t err_len)
{
    static const struct capture_options none;
    struct capture *c = calloc(1, sizeof *c);

    if (!c) {
        snprintf(err, err_len, "%s: out of memory", path);
        return NULL;
    }
    if (!options)
        options = &none;
    snprintf(c->path, sizeof c->path, "%s", strcmp(path, "-") == 0 ? "standard input" : path);
    c->flows = capture_flows_new(options->memory ? options->memory : CAPTURE_MEMORY_DEFAULT,
                                 options->behind ? options->behind : CAPTURE_BEHIND_DEFAULT);
    if (!c->flows)
        fail(c, "out of memory", "");
    else if (open_file(c, path) && set_filter(c, options->filter))
        return c;
    snprintf(err, err_len, "%s", c->error);
    capture_close(c);
    return NULL;
}

void capture_close(struct capture *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->filter_count; i++)
        pcap_freecode(&c->filters[i].program);
    free(c->filter);
    capture_ng_free(c->ng);
    if (c->pcap)
        pcap_close(c->pcap);
    else if (c->file)
        fclose(c->file);
    capture_flows_free(c->flows);
    free(c);
}

/* ---- reading ---- */

static void first_of(uint64_t *first, uint64_t frame)
{
    if (*first == 0)
        *first = frame;
}

/* Time of a frame in microseconds. */
static int64_t time_of(const struct pcap_pkthdr *header)
{
    int64_t seconds = header->ts.tv_sec;
    int64_t micro = header->ts.tv_usec;

    if (seconds < -CAPTURE_SECONDS_MAX || seconds > CAPTURE_SECONDS_MAX)
        seconds = seconds < 0 ? -CAPTURE_SECONDS_MAX : CAPTURE_SECONDS_MAX;
    if (micro < 0 || micro > 999999)
        micro = 0;
    return seconds * 1000000 + micro;
}

/*
 * Does the filter let the frame through? -1: it does not fit this link type. Loopback is filtered as the IP it carries:
 * which number stands for IPv6 before it is different on each system.
 */
static int lets_through(struct capture *c, const struct capture_frame *frame)
{
    bool loopback = frame->link == DLT_NULL || frame->link == DLT_LOOP;
    size_t skip = loopback && frame->have >= LOOPBACK_LEN && frame->wire >= frame->have ? LOOPBACK_LEN : 0;
    struct pcap_pkthdr header = {.caplen = (bpf_u_int32)(frame->have - skip), .len = (bpf_u_int32)(frame->wire - skip)};
    struct bpf_program *program = filter_for(c, loopback ? DLT_RAW : frame->link);

    if (!program)
        return -1;
    return pcap_offline_filter(program, &header, frame->bytes + skip) != 0;
}

/* False: nothing more can be read, and c->error says why. */
static bool take_frame(struct capture *c, const struct capture_frame *frame)
{
    struct capture_counts *n = &c->counts;
    struct capture_packet packet;
    struct capture_source from;
    int through;

    if (++n->frames == 1)
        c->start_us = frame->us;
    c->last_us = frame->us - c->start_us;
    from = (struct capture_source){n->frames, c->last_us};
    if (!capture_packet_link_known(frame->link)) {
        n->unread_link = frame->link;
        n->unread++;
        return true;
    }
    through = c->filter ? lets_through(c, frame) : 1;
    if (through < 1) {
        n->filtered++;
        return through == 0;
    }
    switch (capture_packet_read(frame->link, frame->bytes, frame->have, frame->wire, &packet)) {
    case CAPTURE_PACKET_TCP:
        n->tcp++;
        return capture_flows_take(c->flows, &packet, &from) || fail(c, "out of memory", "");
    case CAPTURE_PACKET_OTHER:
        n->other++;
        break;
    case CAPTURE_PACKET_FRAGMENT:
        n->fragments++;
        first_of(&n->first_fragment, n->frames);
        break;
    case CAPTURE_PACKET_SHORT:
        n->short_headers++;
        break;
    case CAPTURE_PACKET_BAD:
        n->bad_headers++;
        first_of(&n->first_bad, n->frames);
        break;
    }
    return true;
}

/* Nothing more is read. */
static void finish(struct capture *c)
{
    struct capture_source last = {c->counts.frames, c->last_us};

    c->over = true;
    capture_flows_finish(c->flows, &last);
}

static void damaged(struct capture *c, const char *why)
{
    char what[64];

    snprintf(what, sizeof what, "is damaged behind frame %llu", (unsigned long long)c->counts.frames);
    fail(c, what, why);
}

/* The next frame. False: there is none; damage is told. */
static bool next_frame(struct capture *c, struct capture_frame *out)
{
    struct pcap_pkthdr *header;
    const uint8_t *bytes;
    int got;

    if (c->ng) {
        enum capture_ng_result result = capture_ng_next(c->ng, out);

        if (result == CAPTURE_NG_DAMAGED)
            damaged(c, capture_ng_error(c->ng));
        else if (result == CAPTURE_NG_END && c->counts.unread > 0 && c->counts.unread == c->counts.frames)
            fail_link(c, c->counts.unread_link);
        return result == CAPTURE_NG_FRAME;
    }
    got = pcap_next_ex(c->pcap, &header, &bytes);
    if (got == 1)
        *out = (struct capture_frame){c->link, time_of(header), bytes, header->caplen, header->len};
    else if (got == PCAP_ERROR)
        damaged(c, pcap_geterr(c->pcap));
    return got == 1;
}

static void read_some(struct capture *c)
{
    struct capture_frame frame;

    for (unsigned i = 0; i < FRAMES_AT_A_TIME && !c->over; i++)
        if (!next_frame(c, &frame) || !take_frame(c, &frame))
            finish(c);
}

enum capture_result capture_next(struct capture *c, struct capture_conn **out)
{
    *out = capture_flows_pop(c->flows);
    if (!*out && !c->over) {
        read_some(c);
        *out = capture_flows_pop(c->flows);
        if (!*out && !c->over)
            return CAPTURE_PAUSE;
    }
    c->counts.connections = capture_flows_count(c->flows);
    if (!*out)
        return c->error[0] ? CAPTURE_DAMAGED : CAPTURE_END;
    c->counts.iscsi++;
    c->counts.early += (*out)->early;
    return CAPTURE_CONN;
}

void capture_stop(struct capture *c)
{
    if (!c->over)
        finish(c);
}

const char *capture_error(const struct capture *c)
{
    return c->error;
}

const struct capture_counts *capture_counts(const struct capture *c)
{
    return &c->counts;
}

int64_t capture_start_us(const struct capture *c)
{
    return c->start_us;
}

int64_t capture_last_us(const struct capture *c)
{
    return c->last_us;
}

void capture_progress(const struct capture *c, uint64_t *done, uint64_t *total)
{
    long long at = c->zip ? (long long)gzoffset(c->zip) : (long long)ftello(c->file);

    *done = at > 0 ? (uint64_t)at : 0;
    *total = c->size;
}
