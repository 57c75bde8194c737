/*
 * A target that behaves badly, for the tests of the suite's own robustness: accepts on a free loopback port, prints the
 * port, and treats every connection in the way that its argument names, until it is ended.
 *
 * usage: bad_target silent|garbage|close|reset|endless|half
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNS_MAX = 256 };

enum mode {
    SILENT,  /* accepts and says nothing */
    GARBAGE, /* answers with bytes that are no PDU, keeps the connection open */
    CLOSE,   /* closes at once */
    RESET,   /* resets at once */
    ENDLESS, /* sends without end as soon as something came */
    HALF,    /* half a Login Response header, then nothing */
};

static const char *const mode_names[] = {"silent", "garbage", "close", "reset", "endless", "half"};

static void conn_reset(int fd)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(fd);
}

/* What to do when bytes came (or can be sent). Returns false when the connection is over. */
static bool conn_serve(int fd, enum mode mode, bool readable)
{
    static const uint8_t half[] = {0x23, 0x87, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x80, 0x01};
    uint8_t bytes[65536];

    if (readable) {
        ssize_t n = read(fd, bytes, sizeof bytes);

        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            close(fd);
            return false;
        }
        if (mode == GARBAGE)
            memset(bytes, 0xa5, 200);
        if (mode == GARBAGE && write(fd, bytes, 200) < 0)
            return true;
        if (mode == HALF && write(fd, half, sizeof half) < 0)
            return true;
    }
    if (mode == ENDLESS) {
        memset(bytes, 0x23, sizeof bytes);
        if (write(fd, bytes, sizeof bytes) < 0 && errno != EAGAIN) {
            close(fd);
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t address_len = sizeof address;
    struct pollfd polls[CONNS_MAX + 1];
    nfds_t count = 1;
    size_t mode = 0;

    while (mode < sizeof mode_names / sizeof *mode_names && (argc < 2 || strcmp(argv[1], mode_names[mode]) != 0))
        mode++;
    if (mode == sizeof mode_names / sizeof *mode_names) {
        fprintf(stderr, "usage: bad_target silent|garbage|close|reset|endless|half\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 128) != 0 || getsockname(listener, (struct sockaddr *)&address, &address_len) != 0) {
        perror("bad_target");
        return 1;
    }
    printf("%u\n", ntohs(address.sin_port));
    fflush(stdout);
    polls[0] = (struct pollfd){.fd = listener, .events = POLLIN};
    for (;;) {
        if (poll(polls, count, -1) < 0)
            continue;
        for (nfds_t i = count; i-- > 1;) {
            if (polls[i].revents == 0 ||
                conn_serve(polls[i].fd, (enum mode)mode, (polls[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0)) {
                if (mode == ENDLESS && polls[i].revents != 0)
                    polls[i].events = POLLIN | POLLOUT;
                continue;
            }
            polls[i] = polls[--count];
        }
        if (polls[0].revents == 0)
            continue;
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        if (mode == RESET)
            conn_reset(fd);
        else if (mode == CLOSE || count > CONNS_MAX)
            close(fd);
        else
            polls[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
}
