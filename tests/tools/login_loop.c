/*
 * A bare connect-login-close loop, the yardstick of the benchmarks: sockets, one canned Login Request, no library.
 *
 * usage: login_loop ADDRESS PORT TARGET COUNT CONNECTIONS [IDLE [PID]]
 * Logs in COUNT times with CONNECTIONS at a time, each with an ISID of its own, while IDLE more sessions stay open.
 * Prints one line: seconds, logins that succeeded, median microseconds from connect to the answer; with PID also the
 * user and the system seconds that process used meanwhile, and its resident KiB at the end.
 */
#include "wire/pdu.h"
#include "wire/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_MAX = 16384, EVENTS_MAX = 64, SILENCE_MS = 10000, ISID_NUMBER = 11 };

struct slot {
    int fd;
    bool sent;
    uint32_t number; /* goes into the ISID */
    size_t got;
    struct timespec begin;
    uint8_t answer[ANSWER_MAX];
};

struct loop {
    int epoll;
    struct sockaddr_in address;
    uint8_t request[1024];
    size_t request_len;
    uint32_t number; /* of the last slot that was started */
    unsigned long started, wanted, succeeded, ended;
    bool keep;      /* leave what is logged in open */
    double *micros; /* by login, wanted of them */
};

struct usage {
    double user, system;
    unsigned long resident; /* KiB */
};

static void request_make(struct loop *loop, const char *target)
{
    static const char *const pairs[][2] = {
        {"InitiatorName", "iqn.2026-01.example.iscsispec:login-loop"},
        {"TargetName", NULL},
        {"SessionType", "Normal"},
        {"HeaderDigest", "None"},
        {"DataDigest", "None"},
        {"InitialR2T", "No"},
        {"ImmediateData", "Yes"},
        {"MaxBurstLength", "262144"},
        {"FirstBurstLength", "262144"},
        {"DefaultTime2Wait", "2"},
        {"DefaultTime2Retain", "0"},
        {"MaxOutstandingR2T", "1"},
        {"ErrorRecoveryLevel", "0"},
        {"MaxConnections", "1"},
        {"MaxRecvDataSegmentLength", "262144"},
        {"DataPDUInOrder", "Yes"},
        {"DataSequenceInOrder", "Yes"},
    };
    struct text_buf text;

    text_buf_init_fixed(&text, loop->request + PDU_BHS_LEN, sizeof loop->request - PDU_BHS_LEN);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        text_buf_add(&text, pairs[i][0], pairs[i][1] != NULL ? pairs[i][1] : target);
    struct pdu_login_request header = {
        .immediate = true,
        .transit = true,
        .csg = PDU_STAGE_OPERATIONAL,
        .nsg = PDU_STAGE_FULL_FEATURE,
        .data_len = (uint32_t)text.len,
        .isid = {0x80, 0x10, 0x20},
        .itt = 1,
        .cmd_sn = 1,
    };
    pdu_login_request_encode(&header, loop->request);
    loop->request_len = PDU_BHS_LEN + pdu_padded_len(text.len);
}

static double micros_since(const struct timespec *begin)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - begin->tv_sec) * 1e6 + (double)(now.tv_nsec - begin->tv_nsec) / 1e3;
}

static void slot_start(struct loop *loop, struct slot *slot)
{
    int one = 1;

    slot->fd = -1;
    if (loop->started == loop->wanted)
        return;
    loop->started++;
    slot->number = ++loop->number;
    clock_gettime(CLOCK_MONOTONIC, &slot->begin);
    slot->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (slot->fd < 0) {
        perror("socket");
        exit(1);
    }
    setsockopt(slot->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(slot->fd, (struct sockaddr *)&loop->address, sizeof loop->address) != 0 && errno != EINPROGRESS) {
        perror("connect");
        exit(1);
    }
    slot->sent = false;
    slot->got = 0;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP, .data.ptr = slot};
    epoll_ctl(loop->epoll, EPOLL_CTL_ADD, slot->fd, &event);
}

static void slot_end(struct loop *loop, struct slot *slot, bool success)
{
    loop->micros[loop->ended++] = micros_since(&slot->begin);
    loop->succeeded += success;
    if (loop->keep && success)
        epoll_ctl(loop->epoll, EPOLL_CTL_DEL, slot->fd, NULL);
    else
        close(slot->fd);
    slot_start(loop, slot);
}

static void slot_send(struct loop *loop, struct slot *slot)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = slot};

    loop->request[ISID_NUMBER] = (uint8_t)(slot->number >> 16);
    loop->request[ISID_NUMBER + 1] = (uint8_t)(slot->number >> 8);
    loop->request[ISID_NUMBER + 2] = (uint8_t)slot->number;
    if (send(slot->fd, loop->request, loop->request_len, MSG_NOSIGNAL) != (ssize_t)loop->request_len) {
        if (errno != EAGAIN)
            slot_end(loop, slot, false);
        return;
    }
    slot->sent = true;
    epoll_ctl(loop->epoll, EPOLL_CTL_MOD, slot->fd, &event);
}

static void slot_serve(struct loop *loop, struct slot *slot)
{
    if (!slot->sent) {
        slot_send(loop, slot);
        return;
    }
    ssize_t n = recv(slot->fd, slot->answer + slot->got, sizeof slot->answer - slot->got, 0);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            slot_end(loop, slot, false);
        return;
    }
    slot->got += (size_t)n;
    if (slot->got >= PDU_BHS_LEN && slot->got >= PDU_BHS_LEN + pdu_padded_len(pdu_data_len(slot->answer)))
        slot_end(loop, slot, pdu_login_status(slot->answer) == 0 && (slot->answer[1] & 0x83) == 0x83);
}

/* Logs in count times, width at a time. False: not all of them succeeded. */
static bool loop_run(struct loop *loop, unsigned long count, unsigned long width, bool keep)
{
    struct slot *slots = calloc(width, sizeof *slots);

    free(loop->micros);
    loop->micros = calloc(count, sizeof *loop->micros);
    loop->wanted = count;
    loop->started = loop->ended = loop->succeeded = 0;
    loop->keep = keep;
    if (slots == NULL || loop->micros == NULL) {
        perror("login_loop");
        exit(1);
    }
    for (unsigned long i = 0; i < width; i++)
        slot_start(loop, &slots[i]);
    while (loop->ended < loop->wanted) {
        struct epoll_event events[EVENTS_MAX];
        int ready = epoll_wait(loop->epoll, events, EVENTS_MAX, SILENCE_MS);

        if (ready == 0) {
            fprintf(stderr, "login_loop: no answer in 10 s\n");
            exit(1);
        }
        for (int i = 0; i < ready; i++)
            slot_serve(loop, events[i].data.ptr);
    }
    free(slots);
    return loop->succeeded == loop->wanted;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* What a process has used so far, from /proc. */
static struct usage usage_of(const char *pid)
{
    struct usage usage = {0};
    unsigned long user, system, pages;
    char path[64];
    FILE *file;

    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    file = fopen(path, "r");
    if (file == NULL ||
        fscanf(file, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) {
        perror(path);
        exit(1);
    }
    fclose(file);
    usage.user = (double)user / (double)sysconf(_SC_CLK_TCK);
    usage.system = (double)system / (double)sysconf(_SC_CLK_TCK);
    snprintf(path, sizeof path, "/proc/%.20s/statm", pid);
    file = fopen(path, "r");
    if (file == NULL || fscanf(file, "%*u %lu", &pages) != 1) {
        perror(path);
        exit(1);
    }
    fclose(file);
    usage.resident = pages * (unsigned long)sysconf(_SC_PAGESIZE) / 1024;
    return usage;
}

int main(int argc, char **argv)
{
    struct loop loop = {.address = {.sin_family = AF_INET}};
    struct usage before = {0}, after;
    struct timespec begin;
    struct rlimit files;

    if (argc < 6 || argc > 8 || inet_pton(AF_INET, argv[1], &loop.address.sin_addr) != 1) {
        fprintf(stderr, "usage: login_loop ADDRESS PORT TARGET COUNT CONNECTIONS [IDLE [PID]]\n");
        return 2;
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    loop.address.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
    request_make(&loop, argv[3]);
    loop.epoll = epoll_create1(EPOLL_CLOEXEC);
    unsigned long count = strtoul(argv[4], NULL, 10), width = strtoul(argv[5], NULL, 10);
    unsigned long idle = argc > 6 ? strtoul(argv[6], NULL, 10) : 0;
    if (idle > 0 && !loop_run(&loop, idle, 1, true)) {
        fprintf(stderr, "login_loop: only %lu of %lu idle sessions\n", loop.succeeded, idle);
        return 1;
    }
    if (argc > 7)
        before = usage_of(argv[7]);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    bool all = loop_run(&loop, count, width, false);
    printf("%.6f %lu", micros_since(&begin) / 1e6, loop.succeeded);
    qsort(loop.micros, count, sizeof *loop.micros, compare);
    printf(" %.1f", count > 0 ? loop.micros[count / 2] : 0.0);
    if (argc > 7) {
        after = usage_of(argv[7]);
        printf(" %.2f %.2f %lu", after.user - before.user, after.system - before.system, after.resident);
    }
    putchar('\n');
    free(loop.micros);
    return all ? 0 : 1;
}
