/*
 * Things that clients do to a server by malice or by accident, for the end-to-end tests.
 *
 * usage: abuse MODE ADDRESS PORT COUNT, or abuse junk PATH COUNT; each mode prints how many connections it made
 *   stall    sends half a PDU on each connection and waits until the target has closed them all (30 s at most)
 *   reset    logs in and resets each connection without reading
 *   garbage  sends random bytes, and lets the target end the connection
 *   hold     opens all and holds them until standard input ends; prints once all are open
 *   junk     writes random bytes and endless lines to a Unix socket
 */
#include "wire/pdu.h"
#include "wire/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { LIMIT_S = 30, JUNK_SIZE = 16384 };

static int connect_tcp(const char *host, const char *port)
{
    const struct timeval limit = {.tv_sec = LIMIT_S};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    inet_pton(AF_INET, host, &address.sin_addr);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("abuse: connect");
        exit(1);
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return fd;
}

static int connect_unix(const char *path)
{
    const struct timeval limit = {.tv_sec = 1};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("abuse: connect");
        exit(1);
    }
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return fd;
}

/* A discovery login whose request and whose SendTargets text go out at once. */
static size_t make_login(uint8_t *bytes, size_t size, unsigned number)
{
    struct text_buf text;
    struct pdu_login_request header = {
        .immediate = true,
        .transit = true,
        .csg = PDU_STAGE_OPERATIONAL,
        .nsg = PDU_STAGE_FULL_FEATURE,
        .isid = {0x80, 0, 0, 0, (uint8_t)(number >> 8), (uint8_t)number},
        .itt = 1,
        .cmd_sn = 1,
    };

    memset(bytes, 0, size);
    text_buf_init_fixed(&text, bytes + PDU_BHS_LEN, size - PDU_BHS_LEN);
    text_buf_add(&text, "InitiatorName", "iqn.2026-01.example.iscsispec:abuse");
    text_buf_add(&text, "SessionType", "Discovery");
    text_buf_add(&text, "MaxRecvDataSegmentLength", "262144");
    header.data_len = (uint32_t)text.len;
    pdu_login_request_encode(&header, bytes);
    return PDU_BHS_LEN + pdu_padded_len(text.len);
}

/* Reads and drops until the other side ends; false: it did not in time. */
static bool wait_end(int fd)
{
    uint8_t bytes[4096];
    ssize_t got;

    do
        got = recv(fd, bytes, sizeof bytes, 0);
    while (got > 0 || (got < 0 && errno == EINTR));
    return got == 0 || errno == ECONNRESET;
}

static void reset(int fd)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

static void fill_random(uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(random() >> 7);
}

static bool run_tcp(const char *mode, const char *host, const char *port, unsigned count)
{
    uint8_t bytes[2048];
    int *fds = calloc(count + 1, sizeof *fds);
    bool good = fds != NULL;

    for (unsigned i = 0; good && i < count; i++) {
        size_t length = make_login(bytes, sizeof bytes, i);
        fds[i] = connect_tcp(host, port);
        if (strcmp(mode, "garbage") == 0)
            fill_random(bytes, length = sizeof bytes);
        else if (strcmp(mode, "stall") == 0)
            length /= 2;
        else if (strcmp(mode, "hold") == 0)
            length = 0;
        (void)!send(fds[i], bytes, length, MSG_NOSIGNAL);
        if (strcmp(mode, "reset") == 0)
            reset(fds[i]);
        else if (strcmp(mode, "garbage") == 0) {
            shutdown(fds[i], SHUT_WR);
            good = wait_end(fds[i]);
            close(fds[i]);
        }
    }
    if (strcmp(mode, "hold") == 0) {
        printf("%u\n", count);
        fflush(stdout);
        while (getchar() != EOF)
            ;
    }
    for (unsigned i = 0; good && strcmp(mode, "stall") == 0 && i < count; i++)
        good = wait_end(fds[i]);
    free(fds);
    return good;
}

static bool run_junk(const char *path, unsigned count)
{
    static uint8_t bytes[JUNK_SIZE];

    for (unsigned i = 0; i < count; i++) {
        int fd = connect_unix(path);
        fill_random(bytes, sizeof bytes);
        if (i % 3 == 1)
            memset(bytes, 'x', sizeof bytes);
        for (size_t j = 0; i % 3 == 2 && j + 5 <= sizeof bytes; j += 5)
            memcpy(bytes + j, "help\n", 5);
        (void)!send(fd, bytes, sizeof bytes, MSG_NOSIGNAL);
        if (i % 8 == 0)
            close(fd);
        /* The others stay open and unread until the process ends. */
    }
    return true;
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    bool junk = argc == 4 && strcmp(argv[1], "junk") == 0;
    unsigned count;

    if (!junk && argc != 5) {
        fputs("usage: abuse stall|reset|garbage|hold ADDRESS PORT COUNT, or abuse junk PATH COUNT\n", stderr);
        return 2;
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    count = (unsigned)strtoul(argv[argc - 1], NULL, 10);
    if (!(junk ? run_junk(argv[2], count) : run_tcp(argv[1], argv[2], argv[3], count))) {
        fputs("abuse: the other side did not end a connection\n", stderr);
        return 1;
    }
    if (junk || strcmp(argv[1], "hold") != 0)
        printf("%u\n", count);
    return 0;
}
