/*
 * A target with one grave fault, for the tests of the network fuzzer: it answers whole Login Requests with one canned
 * final Login Response, and does what its argument names on what no genuine initiator sends.
 *
 * usage: fragile_target crash|hang|leak|report|fire|sound PORT
 *   crash   ends by a signal when a MaxBurstLength has more than twelve digits
 *   hang    answers nobody any more after a key was sent twice
 *   leak    keeps 1 MiB for each request whose reserved version byte is not 0
 *   report  writes the last line of a sanitizer when InitiatorName has no value, and goes on
 *   fire    answers only the text of its first request; to all others, by their bytes: garbage, bytes without end,
 *           half a header, silence, a close or a reset
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

enum {
    EVENTS_MAX = 64,
    BACKLOG = 1024,
    REQUEST_MAX = 65536,
    INBOXES = 1024,
    ISID_AT = 8,
    ITT_AT = 16,
    LEAK = 1 << 20,
    DIGITS_MAX = 12
};

enum fault { CRASH, HANG, LEAKS, REPORT, FIRE, SOUND, FAULTS };

static const char *const fault_names[FAULTS] = {"crash", "hang", "leak", "report", "fire", "sound"};

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
    case FIRE:
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
    case FIRE:
    case SOUND:
    case FAULTS:
        break;
    }
}

static uint32_t hash_of(const uint8_t *bytes, size_t len)
{
    uint32_t hash = 2166136261U;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 16777619U;
    return hash;
}

/* True when it is the text of the first request of all; else the connection got what it gets. */
static bool survives_fire(int fd, const uint8_t *request, size_t got)
{
    static uint32_t first;
    uint32_t hash = got > PDU_BHS_LEN ? hash_of(request + PDU_BHS_LEN, got - PDU_BHS_LEN) : 0;
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    uint8_t bytes[REQUEST_MAX];

    if (first == 0)
        first = hash;
    if (hash == first)
        return true;
    switch (hash % 6) {
    case 0: /* no PDU */
        memset(bytes, 0xa5, 200);
        (void)!send(fd, bytes, 200, MSG_NOSIGNAL);
        return false;
    case 1: /* without end, as long as somebody reads */
        memset(bytes, 0x23, sizeof bytes);
        for (int i = 0; i < 64 && send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) > 0; i++)
            ;
        return false;
    case 2: /* half a header */
        (void)!send(fd, "\x23\x87", 2, MSG_NOSIGNAL);
        return false;
    case 3: /* nothing */
        return false;
    case 4:
        close(fd);
        return false;
    default:
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close(fd);
        return false;
    }
}

/* By RST whatever is unread: how it looks does not depend on what has arrived. */
static void drop(int fd)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
}

/* What came on a descriptor and is no whole request yet. */
struct inbox {
    size_t len;
    uint8_t bytes[REQUEST_MAX];
};

/* Answers one whole request. False: the connection has been closed, or left to itself. */
static bool answer_one(int fd, enum fault fault, const uint8_t *request, size_t len, uint8_t *answer, size_t length)
{
    if (fault == FIRE && !survives_fire(fd, request, len))
        return false;
    if (strikes(fault, request, request + PDU_BHS_LEN, pdu_data_len(request)))
        strike(fault);
    memcpy(answer + ISID_AT, request + ISID_AT, PDU_ISID_LEN);
    memcpy(answer + ITT_AT, request + ITT_AT, sizeof(uint32_t));
    if (send(fd, answer, length, MSG_NOSIGNAL) == (ssize_t)length)
        return true;
    drop(fd);
    return false;
}

/* Takes whole Login Requests off what came, however it was cut; closes on all else. */
static void serve(int fd, enum fault fault, uint8_t *answer, size_t length)
{
    static struct inbox inboxes[INBOXES];
    struct inbox *in = &inboxes[fd % INBOXES];
    ssize_t got = read(fd, in->bytes + in->len, sizeof in->bytes - in->len);
    size_t need;

    if (got <= 0) {
        in->len = 0;
        close(fd);
        return;
    }
    in->len += (size_t)got;
    while (in->len >= PDU_BHS_LEN) {
        need = PDU_BHS_LEN + pdu_padded_len(pdu_data_len(in->bytes));
        if (pdu_opcode(in->bytes) != PDU_LOGIN_REQUEST || pdu_ahs_len(in->bytes) > 0 || need > sizeof in->bytes) {
            in->len = 0;
            drop(fd);
            return;
        }
        if (in->len < need)
            return;
        if (!answer_one(fd, fault, in->bytes, need, answer, length)) {
            in->len = 0;
            return;
        }
        in->len -= need;
        memmove(in->bytes, in->bytes + need, in->len);
    }
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
        fprintf(stderr, "usage: fragile_target crash|hang|leak|report|fire|sound PORT\n");
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
