/*
 * Logs in, asks for megabytes, takes a little and resets the connection, so that the target is in the middle of
 * writing.
 *
 * usage: cut_reads ADDRESS PORT TARGET COUNT; prints how many connections it made
 */
#include "wire/pdu.h"
#include "wire/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { LIMIT_S = 30, COMMANDS = 2, TAKEN = 1 << 16 };

static int dial(const char *host, const char *port)
{
    const struct timeval limit = {.tv_sec = LIMIT_S};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
    const int room = 1 << 16;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    inet_pton(AF_INET, host, &address.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* The login and the commands behind it, as one stream of bytes. Returns its length. */
static size_t make_stream(uint8_t *bytes, size_t size, const char *target, unsigned number)
{
    static const uint8_t read_megabyte[16] = {0x28, 0, 0, 0, 0, 0, 0, 2048 >> 8, 0};
    struct text_buf text;
    struct pdu_login_request login = {.immediate = true,
                                      .transit = true,
                                      .csg = PDU_STAGE_OPERATIONAL,
                                      .nsg = PDU_STAGE_FULL_FEATURE,
                                      .isid = {0x80, 9, 9, 0, (uint8_t)(number >> 8), (uint8_t)number},
                                      .cmd_sn = 1};
    size_t length;

    memset(bytes, 0, size);
    text_buf_init_fixed(&text, bytes + PDU_BHS_LEN, size - PDU_BHS_LEN);
    text_buf_add(&text, "InitiatorName", "iqn.2026-01.example.iscsispec:cut");
    text_buf_add(&text, "TargetName", target);
    text_buf_add(&text, "MaxRecvDataSegmentLength", "262144");
    text_buf_add(&text, "DefaultTime2Retain", "0");
    login.data_len = (uint32_t)text.len;
    pdu_login_request_encode(&login, bytes);
    length = PDU_BHS_LEN + pdu_padded_len(text.len);
    for (unsigned i = 0; i < COMMANDS && length + PDU_BHS_LEN <= size; i++, length += PDU_BHS_LEN) {
        struct pdu_request command = {.opcode = PDU_SCSI_COMMAND,
                                      .immediate = true,
                                      .flags = PDU_FLAG_FINAL | PDU_FLAG_READ,
                                      .itt = i,
                                      .word20 = 1 << 20,
                                      .cmd_sn = 1};
        memcpy(command.tail, read_megabyte, sizeof read_megabyte);
        pdu_request_encode(&command, bytes + length);
    }
    return length;
}

/* False: the target does not answer. */
static bool cut_one(const char *host, const char *port, const char *target, unsigned number)
{
    static uint8_t bytes[TAKEN];
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    size_t length = make_stream(bytes, sizeof bytes, target, number), taken = 0;
    int fd = dial(host, port);
    bool good = fd >= 0 && send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;

    while (good && taken < TAKEN) {
        ssize_t got = recv(fd, bytes, sizeof bytes, 0);
        good = got > 0;
        taken += good ? (size_t)got : 0;
    }
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close(fd);
    }
    return good;
}

int main(int argc, char **argv)
{
    unsigned count = argc == 5 ? (unsigned)strtoul(argv[4], NULL, 10) : 0;

    if (count == 0) {
        fputs("usage: cut_reads ADDRESS PORT TARGET COUNT\n", stderr);
        return 2;
    }
    for (unsigned i = 0; i < count; i++)
        if (!cut_one(argv[1], argv[2], argv[3], i)) {
            fprintf(stderr, "cut_reads: connection %u was not served\n", i + 1);
            return 1;
        }
    printf("%u\n", count);
    return 0;
}
