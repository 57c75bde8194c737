/*
 * A target with one grave fault, for the tests of the network fuzzer: it answers whole Login Requests with one canned
 * final Login Response, and does what its argument names on what no genuine initiator sends.
 *
 * usage: fragile_target crash|hang|leak|report|sound PORT
 *   crash   ends by a signal when a MaxBurstLength has more than twelve digits
 *   hang    answers nobody any more after a key was sent twice
 *   leak    keeps 1 MiB for each request whose reserved version byte is not 0
 *   report  writes the last line of a sanitizer when InitiatorName has no value, and goes on
 *   sound   none of these
 */
#include "wire/pdu.h"
#include "wire/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 64, BACKLOG = 1024, REQUEST_MAX = 65536, ISID_AT = 8, ITT_AT = 16, LEAK = 1 << 20, DIGITS_MAX = 12 };

enum fault { CRASH, HANG, LEAKS, REPORT, SOUND, FAULTS };

static const char *const fault_names[FAULTS] = {"crash", "hang", "leak", "report", "sound"};

static size_t answer_make(uint8_t *answer, size_t size)
{
    struct text_buf text;

    text_buf_init_fixed(&text, answer + PDU_BHS_LEN, size - PDU_BHS_LEN);
    text_buf_add(&text, "TargetPortalGroupTag", "1");
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

/* The fault shows on this request. */
static bool strikes(enum fault fault, const uint8_t *bhs, const uint8_t *text, size_t len)
{
    struct text_pair pair;

    switch (fault) {
    case CRASH:
        return text_find(text, len, "MaxBurstLength", &pair) && pair.value_len > DIGITS_MAX;
    case HANG:
        return text_count(text, len, "MaxBurstLength") > 1 || text_count(text, len, "InitialR2T") > 1;
    case LEAKS:
        return bhs[3] != 0;
    case REPORT:
        return text_find(text, len, "InitiatorName", &pair) && pair.value_len == 0;
    case SOUND:
    case FAULTS:
        break;
    }
    return false;
}

static void strike(enum fault fault)
{
    static char *volatile kept; /* only ever the last: all others are lost */

    switch (fault) {
    case CRASH:
        abort();
    case HANG:
        for (;;)
            pause();
    case LEAKS:
        kept = malloc(LEAK);
        if (kept != NULL)
            memset(kept, 1, LEAK);
        break;
    case REPORT:
        fputs("SUMMARY: AddressSanitizer: heap-buffer-overflow /src/login.c:12:3 in take_name\n", stderr);
        break;
    case SOUND:
    case FAULTS:
        break;
    }
}

/* Answers one request, which has to come in one piece, or closes. */
static void serve(int fd, enum fault fault, uint8_t *answer, size_t length)
{
    static uint8_t request[REQUEST_MAX];
    ssize_t got = read(fd, request, sizeof request);

    if (got < PDU_BHS_LEN || pdu_opcode(request) != PDU_LOGIN_REQUEST || pdu_ahs_len(request) > 0 ||
        (size_t)got < PDU_BHS_LEN + pdu_padded_len(pdu_data_len(request))) {
        close(fd);
        return;
    }
    if (strikes(fault, request, request + PDU_BHS_LEN, pdu_data_len(request)))
        strike(fault);
    memcpy(answer + ISID_AT, request + ISID_AT, PDU_ISID_LEN);
    memcpy(answer + ITT_AT, request + ITT_AT, sizeof(uint32_t));
    if (send(fd, answer, length, MSG_NOSIGNAL) != (ssize_t)length)
        close(fd);
}

static int listen_at(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, BACKLOG) != 0)
        return -1;
    return listener;
}

int main(int argc, char **argv)
{
    static uint8_t answer[256] = {0};
    size_t length = answer_make(answer, sizeof answer), fault = 0;
    struct epoll_event event = {.events = EPOLLIN}, events[EVENTS_MAX];
    int epoll = epoll_create1(EPOLL_CLOEXEC), listener;

    while (fault < FAULTS && (argc != 3 || strcmp(argv[1], fault_names[fault]) != 0))
        fault++;
    if (fault == FAULTS) {
        fprintf(stderr, "usage: fragile_target crash|hang|leak|report|sound PORT\n");
        return 2;
    }
    event.data.fd = listener = listen_at(argv[2]);
    if (listener < 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0) {
        perror("fragile_target");
        return 1;
    }
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS_MAX, -1);

        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd != listener) {
                serve(events[i].data.fd, (enum fault)fault, answer, length);
                continue;
            }
            event.data.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (event.data.fd >= 0)
                epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
        }
    }
}
