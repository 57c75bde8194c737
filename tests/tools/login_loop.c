/*
 * A bare connect-login-close loop, the yardstick of the benchmarks: sockets, one canned Login Request, no library.
 *
 * usage: login_loop ADDRESS PORT TARGET COUNT CONNECTIONS
 * Logs in COUNT times with CONNECTIONS at a time, each with a fresh ISID, and prints seconds and logins that succeeded.
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
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_MAX = 16384, EVENTS_MAX = 64 };

struct slot {
    int fd;
    bool sent;
    size_t got;
    uint8_t answer[ANSWER_MAX];
};

struct loop {
    int epoll;
    struct sockaddr_in address;
    uint8_t request[1024];
    size_t request_len;
    unsigned long started, wanted, succeeded, ended;
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

static void slot_start(struct loop *loop, struct slot *slot)
{
    int one = 1;

    slot->fd = -1;
    if (loop->started == loop->wanted)
        return;
    loop->started++;
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
    loop->ended++;
    loop->succeeded += success;
    close(slot->fd);
    slot_start(loop, slot);
}

static void slot_serve(struct loop *loop, struct slot *slot)
{
    if (!slot->sent) {
        unsigned long number = loop->started;

        loop->request[11] = (uint8_t)(number >> 16);
        loop->request[12] = (uint8_t)(number >> 8);
        loop->request[13] = (uint8_t)number;
        if (send(slot->fd, loop->request, loop->request_len, MSG_NOSIGNAL) != (ssize_t)loop->request_len) {
            if (errno != EAGAIN)
                slot_end(loop, slot, false);
            return;
        }
        slot->sent = true;
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = slot};
        epoll_ctl(loop->epoll, EPOLL_CTL_MOD, slot->fd, &event);
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

int main(int argc, char **argv)
{
    struct loop loop = {.address = {.sin_family = AF_INET}};
    struct timespec begin, end;

    if (argc != 6 || inet_pton(AF_INET, argv[1], &loop.address.sin_addr) != 1) {
        fprintf(stderr, "usage: login_loop ADDRESS PORT TARGET COUNT CONNECTIONS\n");
        return 2;
    }
    loop.address.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
    loop.wanted = strtoul(argv[4], NULL, 10);
    unsigned long conns = strtoul(argv[5], NULL, 10);
    request_make(&loop, argv[3]);
    loop.epoll = epoll_create1(EPOLL_CLOEXEC);
    struct slot *slots = calloc(conns, sizeof *slots);
    if (slots == NULL || loop.epoll < 0) {
        perror("login_loop");
        return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (unsigned long i = 0; i < conns; i++)
        slot_start(&loop, &slots[i]);
    while (loop.ended < loop.wanted) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(loop.epoll, events, EVENTS_MAX, 10000);

        if (count == 0) {
            fprintf(stderr, "login_loop: no answer in 10 s\n");
            return 1;
        }
        for (int i = 0; i < count; i++)
            slot_serve(&loop, events[i].data.ptr);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.6f %lu\n", (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9,
           loop.succeeded);
    free(slots);
    return loop.succeeded == loop.wanted ? 0 : 1;
}
