/* A small target for tests: see fake_target.h. One connection after the other; the parent never waits for it. */
#include "fake_target.h"

#include "wire/bytes.h"
#include "wire/pdu.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAKE_CONN_MAX = 32 };

struct fake_conn {
    int fd;
    int logins; /* requests seen */
    uint32_t stat_sn;
    bool pinged;
    uint8_t in[1 << 17];
    size_t len;
};

static void put(int fd, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;

    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        p += n;
        len -= (size_t)n;
    }
}

static void answer(struct fake_conn *c, const uint8_t *bhs, const void *text, size_t len)
{
    uint8_t pdu[PDU_BHS_LEN + 1024] = {0};

    memcpy(pdu, bhs, PDU_BHS_LEN);
    pdu_set_data_len(pdu, len);
    if (len)
        memcpy(pdu + PDU_BHS_LEN, text, len);
    put(c->fd, pdu, PDU_BHS_LEN + pdu_padded_len(len));
}

static void login_header(struct fake_conn *c, const uint8_t *request, uint16_t status, uint8_t flags, uint8_t *bhs)
{
    struct pdu_login_request in;
    struct pdu_login_response out = {.status = status};

    pdu_login_request_decode(&in, request);
    memcpy(out.isid, in.isid, sizeof(out.isid));
    out.itt = in.itt;
    out.stat_sn = c->stat_sn++;
    out.exp_cmd_sn = out.max_cmd_sn = in.cmd_sn;
    if ((flags & 0x83u) == 0x83u)
        out.tsih = in.tsih ? in.tsih : 77;
    pdu_login_response_encode(&out, bhs);
    bhs[1] = flags;
}

static void refuse(struct fake_conn *c, const uint8_t *request)
{
    uint8_t bhs[PDU_BHS_LEN];

    login_header(c, request, 0x0203, 0, bhs);
    answer(c, bhs, NULL, 0);
}

/* Two rounds of T=0: the first in two PDUs and with proposals of its own, the second asks for the answers. */
static void rounds(struct fake_conn *c, const uint8_t *request)
{
    static const char first[] = "TargetPortalGroupTag=1\0MaxConn",
                      second[] = "ections=1\0TaskReporting=ResponseFence,RFC3720";
    uint8_t bhs[PDU_BHS_LEN];

    login_header(c, request, 0, c->logins == 1 ? 0x44 : c->logins <= 3 ? 0x04 : 0x87, bhs);
    if (c->logins == 1)
        answer(c, bhs, first, sizeof(first) - 1);
    else
        answer(c, bhs, second, c->logins == 2 ? sizeof(second) : 0);
}

static void complete(struct fake_conn *c, const uint8_t *request)
{
    static const char text[] = "TargetPortalGroupTag=1\0HeaderDigest=None";
    uint8_t bhs[PDU_BHS_LEN];

    login_header(c, request, 0, 0x87, bhs);
    answer(c, bhs, text, sizeof(text));
}

static void send_ping(struct fake_conn *c)
{
    uint8_t bhs[PDU_BHS_LEN] = {PDU_NOP_IN, 0x80};

    bytes_put_be32(bhs + 16, PDU_NO_TAG);
    bytes_put_be32(bhs + 20, 0x1234);
    bytes_put_be32(bhs + 24, c->stat_sn);
    put(c->fd, bhs, sizeof(bhs));
}

/* Full feature phase: pings and logouts. False: the connection is over. */
static bool serve(struct fake_conn *c, const uint8_t *request, enum fake_behaviour behaviour)
{
    uint8_t bhs[PDU_BHS_LEN] = {0, 0x80}, opcode = pdu_opcode(request);

    if (opcode == PDU_NOP_OUT && pdu_itt(request) == PDU_NO_TAG) {
        c->pinged = bytes_get_be32(request + 20) == 0x1234;
        return true;
    }
    if (behaviour == FAKE_PINGS && !c->pinged)
        return false; /* whoever does not answer a ping is dropped */
    bhs[0] = (uint8_t)(opcode | 0x20u);
    memcpy(bhs + 16, request + 16, 4);
    bytes_put_be32(bhs + 20, PDU_NO_TAG);
    bytes_put_be32(bhs + 24, c->stat_sn++);
    put(c->fd, bhs, sizeof(bhs));
    return opcode != PDU_LOGOUT_REQUEST || behaviour == FAKE_LINGERS;
}

static void reset(struct fake_conn *c)
{
    struct linger hard = {1, 0};

    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
}

static bool answer_login(struct fake_conn *c, const uint8_t *request, enum fake_behaviour behaviour)
{
    uint8_t bhs[PDU_BHS_LEN] = {0};
    char junk[8192];

    c->logins++;
    switch (behaviour) {
    case FAKE_GARBAGE:
        memset(junk, 'x', sizeof(junk));
        put(c->fd, junk, 200);
        return true;
    case FAKE_ENDLESS:
        login_header(c, request, 0, 0, bhs);
        for (;;)
            put(c->fd, bhs, sizeof(bhs));
    case FAKE_HUGE:
        login_header(c, request, 0, 0x87, bhs);
        pdu_set_data_len(bhs, PDU_MAX_DATA_LEN);
        put(c->fd, bhs, sizeof(bhs));
        return true;
    case FAKE_HALF:
        login_header(c, request, 0, 0x87, bhs);
        put(c->fd, bhs, 30);
        return false;
    case FAKE_REFUSES:
    case FAKE_REFUSE_RESET:
    case FAKE_KEEPS_OPEN:
        refuse(c, request);
        if (behaviour == FAKE_REFUSE_RESET)
            reset(c);
        return behaviour == FAKE_KEEPS_OPEN;
    case FAKE_REJECT:
        bhs[0] = PDU_REJECT;
        bhs[1] = 0x80;
        bhs[2] = PDU_REJECT_PROTOCOL_ERROR;
        bytes_put_be32(bhs + 16, PDU_NO_TAG);
        put(c->fd, bhs, sizeof(bhs));
        return false;
    case FAKE_NOP:
        bhs[0] = PDU_NOP_IN;
        bhs[1] = 0x80;
        put(c->fd, bhs, sizeof(bhs));
        return true;
    case FAKE_ROUNDS:
        rounds(c, request);
        return true;
    case FAKE_STAYS:
        login_header(c, request, 0, request[1] & 0x0cu, bhs);
        answer(c, bhs, NULL, 0);
        return true;
    case FAKE_SILENT:
        return true;
    default:
        complete(c, request);
        if (behaviour == FAKE_PINGS)
            send_ping(c);
        return true;
    }
}

/* Reads what is there and answers each whole PDU. False: the connection is over. */
static bool turn(struct fake_conn *c, enum fake_behaviour behaviour)
{
    ssize_t n = recv(c->fd, c->in + c->len, sizeof(c->in) - c->len, 0);

    if (n <= 0)
        return false;
    c->len += (size_t)n;
    while (c->len >= PDU_BHS_LEN) {
        size_t need = pdu_total_len(c->in, false, false);

        if (c->len < need)
            break;
        if (!(pdu_opcode(c->in) == PDU_LOGIN_REQUEST ? answer_login(c, c->in, behaviour) : serve(c, c->in, behaviour)))
            return false;
        memmove(c->in, c->in + need, c->len - need);
        c->len -= need;
    }
    return true;
}

static void run(int listener, enum fake_behaviour behaviour)
{
    static struct fake_conn conns[FAKE_CONN_MAX];
    size_t count = 0;

    for (;;) {
        struct pollfd fds[FAKE_CONN_MAX + 1] = {{.fd = listener, .events = POLLIN}};

        for (size_t i = 0; i < count; i++)
            fds[i + 1] = (struct pollfd){.fd = conns[i].fd, .events = POLLIN};
        if (poll(fds, count + 1, -1) < 0)
            continue;
        for (size_t i = count; i > 0; i--)
            if (fds[i].revents && !turn(&conns[i - 1], behaviour)) {
                close(conns[i - 1].fd);
                memmove(&conns[i - 1], &conns[i], (count - i) * sizeof(conns[0]));
                count--;
            }
        if (fds[0].revents && count < FAKE_CONN_MAX) {
            struct fake_conn *c = &conns[count];

            memset(c, 0, sizeof(*c));
            c->fd = accept(listener, NULL, NULL);
            c->stat_sn = 0xfffffffe; /* wraps in the login: libiscsi has to be helped over it */
            if (behaviour == FAKE_RESETS)
                reset(c);
            if (behaviour == FAKE_RESETS || behaviour == FAKE_CLOSES)
                close(c->fd);
            else
                count++;
        }
    }
}

struct fake_target fake_start(enum fake_behaviour behaviour)
{
    struct fake_target t = {0, 0};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(a);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (listener < 0 || bind(listener, (struct sockaddr *)&a, len) || listen(listener, 16) ||
        getsockname(listener, (struct sockaddr *)&a, &len))
        abort();
    t.port = ntohs(a.sin_port);
    fflush(NULL);
    t.pid = fork();
    if (t.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that dies leaves nothing behind */
        run(listener, behaviour);
        _exit(0);
    }
    close(listener);
    return t;
}

void fake_stop(struct fake_target *t)
{
    if (t->pid > 0) {
        kill(t->pid, SIGKILL);
        waitpid(t->pid, NULL, 0);
    }
    t->pid = 0;
}
