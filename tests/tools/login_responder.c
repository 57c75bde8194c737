/*
 * The least that can be called a target, the yardstick of scripts/bench-target: one epoll loop that answers every whole
 * Login Request with one canned final Login Response, the ISID and the Initiator Task Tag copied, and looks at nothing.
 *
 * usage: login_responder
 * Listens on a free port of 127.0.0.1, prints it, and serves until it is killed.
 */
#include "wire/pdu.h"
#include "wire/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 64, BACKLOG = 4096, REQUEST_MAX = 8192, ISID_AT = 8, ITT_AT = 16 };

static size_t answer_make(uint8_t *answer, size_t size)
{
    static const char *const pairs[][2] = {
        {"TargetPortalGroupTag", "1"},
        {"HeaderDigest", "None"},
        {"DataDigest", "None"},
        {"InitialR2T", "No"},
        {"ImmediateData", "Yes"},
        {"MaxBurstLength", "262144"},
        {"FirstBurstLength", "65536"},
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

    text_buf_init_fixed(&text, answer + PDU_BHS_LEN, size - PDU_BHS_LEN);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        text_buf_add(&text, pairs[i][0], pairs[i][1]);
    struct pdu_login_response header = {
        .transit = true,
        .csg = PDU_STAGE_OPERATIONAL,
        .nsg = PDU_STAGE_FULL_FEATURE,
        .data_len = (uint32_t)text.len,
        .tsih = 1,
        .exp_cmd_sn = 1,
        .max_cmd_sn = 1,
    };
    pdu_login_response_encode(&header, answer);
    return PDU_BHS_LEN + pdu_padded_len(text.len);
}

/* Takes one connection that waits. */
static void welcome(int epoll, int listener)
{
    struct epoll_event event = {.events = EPOLLIN};

    event.data.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (event.data.fd >= 0)
        epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
}

/* Answers one request, which has to come in one piece, or closes. */
static void serve(int fd, uint8_t *answer, size_t length)
{
    uint8_t request[REQUEST_MAX];
    ssize_t got = read(fd, request, sizeof request);

    if (got < PDU_BHS_LEN || (size_t)got < PDU_BHS_LEN + pdu_padded_len(pdu_data_len(request))) {
        close(fd);
        return;
    }
    memcpy(answer + ISID_AT, request + ISID_AT, PDU_ISID_LEN);
    memcpy(answer + ITT_AT, request + ITT_AT, sizeof(uint32_t));
    if (send(fd, answer, length, MSG_NOSIGNAL) != (ssize_t)length)
        close(fd);
}

int main(void)
{
    static uint8_t answer[1024] = {0};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN}, events[EVENTS_MAX];
    socklen_t size = sizeof address;
    size_t length = answer_make(answer, sizeof answer);
    int one = 1, epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    event.data.fd = listener;
    if (listener < 0 || epoll < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, BACKLOG) != 0 || getsockname(listener, (struct sockaddr *)&address, &size) != 0 ||
        setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0) {
        perror("login_responder");
        return 1;
    }
    printf("%u\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS_MAX, -1);

        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == listener)
                welcome(epoll, listener);
            else
                serve(events[i].data.fd, answer, length);
        }
    }
}
