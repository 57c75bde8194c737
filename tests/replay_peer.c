/* A scripted target: see replay_peer.h. */
#include "replay_peer.h"

#include "wire/bytes.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PEER_STAT_SN = 5000, PEER_TSIH = 0x77, PING_TAG = 0x1234 };

struct serving {
    const struct script *script;
    enum replay_manner manner;
    int fd;
    uint8_t request[PDU_BHS_LEN];
    bool login_done;
};

static bool read_all(int fd, uint8_t *to, size_t len)
{
    while (len > 0) {
        ssize_t got = read(fd, to, len);

        if (got <= 0)
            return false;
        to += got;
        len -= (size_t)got;
    }
    return true;
}

static bool read_request(struct serving *s)
{
    static uint8_t rest[1 << 16];
    size_t len;

    if (!read_all(s->fd, s->request, PDU_BHS_LEN))
        return false;
    len = pdu_total_len(s->request, false, false) - PDU_BHS_LEN;
    return len <= sizeof(rest) && read_all(s->fd, rest, len);
}

/* Puts a ping right behind an answer, in one segment with it: whoever reads the answer has it as well. */
static size_t add_ping(uint8_t *at)
{
    memset(at, 0, PDU_BHS_LEN);
    at[0] = PDU_NOP_IN;
    at[1] = PDU_FLAG_FINAL;
    memset(at + 16, 0xff, 4);
    bytes_put_be32(at + 20, PING_TAG);
    return PDU_BHS_LEN;
}

/* The scripted answer under the numbers of the one who asks. */
static void answer(struct serving *s, const struct message *m)
{
    static uint8_t wire[16384];
    size_t len = script_encode(m, wire);

    memcpy(wire + 16, s->request + 16, 4);
    if (pdu_opcode(wire) == PDU_LOGIN_RESPONSE) {
        memcpy(wire + 8, s->request + 8, PDU_ISID_LEN);
        if (bytes_get_be16(wire + 14))
            bytes_put_be16(wire + 14, PEER_TSIH);
        s->login_done |= (wire[1] & 0x83u) == 0x83u && pdu_login_status(wire) == 0;
    }
    bytes_put_be32(wire + 24, bytes_get_be32(wire + 24) + PEER_STAT_SN);
    memcpy(wire + 28, s->request + 24, 4);
    if (!pdu_immediate(s->request))
        bytes_put_be32(wire + 28, bytes_get_be32(wire + 28) + 1);
    if (s->manner == PEER_PINGS && s->login_done)
        len += add_ping(wire + len);
    if (write(s->fd, wire, len) != (ssize_t)len)
        _exit(3);
}

static void await_pong(struct serving *s)
{
    if (!read_request(s) || pdu_opcode(s->request) != PDU_NOP_OUT || bytes_get_be32(s->request + 20) != PING_TAG ||
        pdu_itt(s->request) != PDU_NO_TAG)
        _exit(4);
}

static void end_by_reset(int fd)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close(fd);
}

static void serve_conn(struct serving *s, int conn)
{
    uint8_t byte;

    for (size_t i = 0; i < s->script->count; i++) {
        const struct message *m = &s->script->m[i];

        if (m->conn != conn || m->removed)
            continue;
        if (m->side == TRANSCRIPT_INITIATOR) {
            if (!read_request(s))
                break;
            continue;
        }
        if (s->manner == PEER_MUTE)
            continue;
        answer(s, m);
        for (int k = 0; k < m->twice; k++)
            answer(s, m);
        if (s->manner == PEER_PINGS && s->login_done) {
            await_pong(s);
            s->manner = PEER_ANSWERS;
        }
        if (s->manner == PEER_CLOSES)
            break;
        if (s->manner == PEER_RESETS) {
            end_by_reset(s->fd);
            return;
        }
    }
    if (s->manner == PEER_STAYS || s->manner == PEER_MUTE)
        while (read(s->fd, &byte, 1) > 0)
            ;
    close(s->fd);
}

static _Noreturn void serve(int listener, const struct script *script, enum replay_manner manner)
{
    int conns = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < script->count; i++)
        conns = script->m[i].conn >= conns ? script->m[i].conn + 1 : conns;
    /* each connection in a process of its own: a recording may have several open at once */
    for (int i = 0; i < conns; i++) {
        struct serving s = {.script = script, .manner = manner, .fd = accept(listener, NULL, NULL)};

        if (s.fd < 0)
            _exit(2);
        if (conns == 1) {
            serve_conn(&s, 0);
        } else if (fork() == 0) {
            serve_conn(&s, i);
            _exit(0);
        } else {
            close(s.fd);
        }
    }
    while (conns > 1 && wait(NULL) > 0)
        ;
    _exit(0);
}

struct replay_peer replay_peer_start(const struct script *script, enum replay_manner manner)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct replay_peer peer = {.pid = -1};

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) || listen(fd, 8) || getsockname(fd, (struct sockaddr *)&a, &len))
        abort();
    peer.port = ntohs(a.sin_port);
    peer.pid = fork();
    if (peer.pid == 0)
        serve(fd, script, manner);
    close(fd);
    return peer;
}

int replay_peer_stop(struct replay_peer *peer)
{
    int status = 0;

    for (int i = 0; i < 100; i++) {
        if (waitpid(peer->pid, &status, WNOHANG) == peer->pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        poll(NULL, 0, 10);
    }
    kill(peer->pid, SIGKILL);
    waitpid(peer->pid, &status, 0);
    return -1;
}
