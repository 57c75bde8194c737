/*
 * A target that is fine with a plain login and bad to everybody else, for a fuzzer under fire: the login that comes
 * first is remembered, and who says the same keys is answered rightly. Any other connection is treated in one of five
 * ways, in turn: garbage, data without end, silence, a reset, an answer that lies about its length. Prints its port; on
 * SIGTERM, how many connections it has treated so, and ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNS_MAX = 512, HEAD = 48, PART = 4096, LONG_TEXT = 1 << 16 };

enum manner { NEW, RIGHT, GARBAGE, ENDLESS, SILENT, RESET, LIES, MANNERS };

struct peer {
    enum manner manner;
    size_t len;
    uint8_t bytes[PART];
};

struct fire {
    struct pollfd polls[CONNS_MAX + 1];
    struct peer peers[CONNS_MAX + 1];
    nfds_t count;
    size_t known_len;
    uint8_t known[PART];
    unsigned long treated[MANNERS];
    enum manner next;
};

static volatile sig_atomic_t ended; /* a handler can reach nothing else */

static void on_term(int signal_number)
{
    (void)signal_number;
    ended = 1;
}

static size_t pdu_len(const struct peer *peer)
{
    size_t data = (size_t)peer->bytes[5] << 16 | (size_t)peer->bytes[6] << 8 | peer->bytes[7];

    return HEAD + (data + 3) / 4 * 4;
}

/* A Login Response, or a Logout Response, that fits the request at the head of the buffer. */
static void answer(int fd, const struct peer *peer)
{
    static const char keys[] = "TargetPortalGroupTag=1";
    uint8_t out[HEAD + 24] = {0x23};
    uint32_t sn = (uint32_t)peer->bytes[24] << 24 | (uint32_t)peer->bytes[25] << 16 | (uint32_t)peer->bytes[26] << 8 |
                  peer->bytes[27];
    bool login = (peer->bytes[0] & 0x3f) == 0x03;

    out[0] = login ? 0x23 : 0x26;
    out[1] = login ? peer->bytes[1] : 0x80;
    out[7] = login ? sizeof keys : 0;
    memcpy(out + 8, peer->bytes + 8, login ? 6 : 0);
    out[15] = login && (peer->bytes[1] & 0x83) == 0x83;
    memcpy(out + 16, peer->bytes + 16, 4);
    memcpy(out + 24, peer->bytes + 28, 4);
    for (unsigned i = 0; i < 4; i++) {
        out[28 + i] = (uint8_t)(sn >> (24 - 8 * i));
        out[32 + i] = (uint8_t)((sn + 16) >> (24 - 8 * i));
    }
    memcpy(out + HEAD, keys, login ? sizeof keys : 0);
    if (write(fd, out, login ? sizeof out : HEAD) < 0)
        return;
}

static void choose(struct fire *fire, struct peer *peer)
{
    size_t keys = peer->len - HEAD;
    bool plain = (peer->bytes[0] & 0x3f) == 0x03 && peer->bytes[1] == 0x87 && keys > 0;

    if (plain && fire->known_len == 0 && memmem(peer->bytes, peer->len, "TargetName=", 11) != NULL) {
        memcpy(fire->known, peer->bytes + HEAD, keys);
        fire->known_len = keys;
    }
    if (plain && keys == fire->known_len && memcmp(peer->bytes + HEAD, fire->known, keys) == 0) {
        peer->manner = RIGHT;
    } else {
        peer->manner = fire->next;
        fire->next = fire->next + 1 < MANNERS ? fire->next + 1 : GARBAGE;
    }
    fire->treated[peer->manner]++;
}

/* True while the connection goes on. */
static bool burst(int fd, enum manner manner)
{
    static uint8_t bytes[LONG_TEXT];

    memset(bytes, manner == ENDLESS ? 0x23 : 0xa5, sizeof bytes);
    if (manner == LIES) {
        memset(bytes, 0, HEAD);
        bytes[0] = 0x23;
        bytes[5] = bytes[6] = bytes[7] = 0xff;
    }
    return write(fd, bytes, manner == ENDLESS ? sizeof bytes : 200) >= 0 || errno == EAGAIN;
}

static bool serve(struct fire *fire, nfds_t i)
{
    struct peer *peer = &fire->peers[i];
    struct pollfd *p = &fire->polls[i];

    if ((p->revents & POLLOUT) != 0 && peer->manner == ENDLESS)
        return burst(p->fd, ENDLESS);
    ssize_t got = read(p->fd, peer->bytes + peer->len, sizeof peer->bytes - peer->len);
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    peer->len += (size_t)got;
    if (peer->manner == NEW && peer->len < HEAD)
        return true;
    if (peer->manner == NEW && peer->len < pdu_len(peer) && pdu_len(peer) <= sizeof peer->bytes)
        return true;
    if (peer->manner == NEW)
        choose(fire, peer);
    if (peer->manner == RIGHT && peer->len >= HEAD && peer->len >= pdu_len(peer))
        answer(p->fd, peer);
    if (peer->manner == RESET) {
        const struct linger linger = {.l_onoff = 1};
        setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        return false;
    }
    peer->len = 0;
    if (peer->manner == ENDLESS)
        p->events = POLLIN | POLLOUT;
    return peer->manner == RIGHT || peer->manner == SILENT || burst(p->fd, peer->manner);
}

static void accept_one(struct fire *fire)
{
    int fd = accept4(fire->polls[0].fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0 && fire->count > CONNS_MAX) {
        close(fd);
    } else if (fd >= 0) {
        fire->peers[fire->count].manner = NEW;
        fire->peers[fire->count].len = 0;
        fire->polls[fire->count++] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
}

int main(void)
{
    static struct fire fire = {.count = 1, .next = GARBAGE}; /* too big for the stack */
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    signal(SIGPIPE, SIG_IGN);
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_term}, NULL);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 512) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        perror("fire_target");
        return 1;
    }
    printf("%u\n", ntohs(address.sin_port));
    fflush(stdout);
    fire.polls[0] = (struct pollfd){.fd = fd, .events = POLLIN};
    while (!ended) {
        if (poll(fire.polls, fire.count, -1) <= 0)
            continue;
        for (nfds_t i = fire.count; i-- > 1;) {
            if (fire.polls[i].revents == 0 || serve(&fire, i))
                continue;
            close(fire.polls[i].fd);
            fire.count--;
            fire.polls[i] = fire.polls[fire.count];
            fire.peers[i] = fire.peers[fire.count];
        }
        if (fire.polls[0].revents != 0)
            accept_one(&fire);
    }
    printf("right %lu garbage %lu endless %lu silent %lu reset %lu lies %lu\n", fire.treated[RIGHT],
           fire.treated[GARBAGE], fire.treated[ENDLESS], fire.treated[SILENT], fire.treated[RESET], fire.treated[LIES]);
    return 0;
}
