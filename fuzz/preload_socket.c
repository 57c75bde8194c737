/*
 * libiscsispec-preload.so: turns one listening socket of an epoll server into the input of AFL++ (docs/fuzzing.md). The
 * server is built with afl-clang-fast and otherwise unchanged; this is preloaded (AFL_PRELOAD). It lets the server
 * start, has it configured by a command, starts the fork server (deferred, persistent mode, input in shared memory),
 * and from then on answers the server's epoll_wait itself: with connections that exist only in virtual_peer.h.
 *
 *   ISCSISPEC_PRELOAD_PORT       of the socket; default: the first TCP socket that listens
 *   ISCSISPEC_PRELOAD_SETUP      a shell command that configures the server; it runs while the server serves it
 *   ISCSISPEC_PRELOAD_INPUT      a file to play once, without AFL++; the process then ends with status 0
 *   ISCSISPEC_PRELOAD_TARGET, _CHAP_TARGET, _INITIATOR, _USER, _SECRET   the names of session_live.h
 *
 * One thread, one epoll descriptor. All else goes straight to the kernel: no function of libc is looked up, so it does
 * not matter in which order sanitizers and this come. State is global as the functions it stands in for have no other.
 */
#undef _GNU_SOURCE /* with it, libc declares the socket functions with unions that cannot be written in ISO C */
#define _DEFAULT_SOURCE
#include "fuzz/virtual_peer.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    FD_MAX = 4096,           /* descriptors that can stand for a connection */
    RUNS_PER_PROCESS = 2000, /* a server that keeps something of each login begins anew after so many */
    SETUP_STEP_MS = 20,
    INPUT_MAX = 1 << 20,
    PEER_PORT = 49152, /* what a server is told of who connects, and to where */
    OWN_PORT = 3260,
    STALE = 0xff, /* a connection of an earlier input that the server has not closed: at its end for ever */
};

enum phase { PHASE_START, PHASE_SETUP, PHASE_FUZZ };

/* What afl-clang-fast puts into a program. */
struct afl {
    void (*init)(void);
    int (*loop)(unsigned runs);
    unsigned char **bytes;
    unsigned **len;
    int *shared;
};

struct preload {
    enum phase phase;
    int listener, epoll; /* -1: not known yet */
    int null;            /* every connection is a duplicate of it, so that its number is taken */
    bool listens;        /* the server wants to know of connections */
    bool playing;        /* an input has been begun */
    epoll_data_t listen_data;
    epoll_data_t data[SESSION_INPUT_CONNS];
    int fds[SESSION_INPUT_CONNS];
    uint8_t conns[FD_MAX]; /* 1 + connection; STALE; 0: not one of ours */
    pid_t setup;
    struct afl afl;
    struct session_live_names names;
    uint32_t random;
    struct virtual_peer peer;
    uint8_t input[INPUT_MAX];
};

/* Not in ISO C or POSIX of this edition. */
int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags);

static struct preload p = {.listener = -1, .epoll = -1, .null = -1};

_Noreturn static void die(const char *what)
{
    fprintf(stderr, "iscsispec-preload: %s\n", what);
    _exit(2);
}

/* The connection behind a descriptor: NULL when it is not one of ours. */
static uint8_t *conn_of(int fd)
{
    return p.phase == PHASE_FUZZ && fd >= 0 && fd < FD_MAX && p.conns[fd] != 0 ? &p.conns[fd] : NULL;
}

/* ---- inputs ---- */

static void find_afl(void)
{
    static const char *const names[] = {"__afl_manual_init", "__afl_persistent_loop", "__afl_fuzz_ptr",
                                        "__afl_fuzz_len", "__afl_sharedmem_fuzzing"};
    void *symbols[sizeof(names) / sizeof(names[0])];
    void *program = dlopen(NULL, RTLD_LAZY);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (program == NULL || (symbols[i] = dlsym(program, names[i])) == NULL)
            die("the program is not built with afl-clang-fast, or not linked with -rdynamic; "
                "ISCSISPEC_PRELOAD_INPUT=FILE plays one input without AFL++");
    memcpy(&p.afl.init, &symbols[0], sizeof(symbols[0]));
    memcpy(&p.afl.loop, &symbols[1], sizeof(symbols[1]));
    p.afl.bytes = symbols[2];
    p.afl.len = symbols[3];
    p.afl.shared = symbols[4];
}

static size_t read_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? syscall(SYS_read, fd, p.input, sizeof p.input) : -1;

    if (got < 0)
        die("the file of ISCSISPEC_PRELOAD_INPUT cannot be read");
    syscall(SYS_close, fd);
    return (size_t)got;
}

/* The next input; the process ends when there is none. */
static void next_input(void)
{
    const char *path = getenv("ISCSISPEC_PRELOAD_INPUT");
    const uint8_t *bytes = p.input;
    size_t len = 0;

    for (unsigned i = 0; i < SESSION_INPUT_CONNS; i++) {
        if (p.fds[i] >= 0)
            p.conns[p.fds[i]] = STALE;
        p.fds[i] = -1;
    }
    if (path != NULL) {
        if (p.playing)
            _exit(0);
        len = read_file(path);
    } else {
        if (p.afl.loop(RUNS_PER_PROCESS) == 0)
            _exit(0);
        bytes = *p.afl.bytes;
        len = **p.afl.len;
    }
    p.playing = true;
    p.random = 1;
    virtual_peer_start(&p.peer, &p.names, bytes, len);
}

static const char *setting(const char *name, const char *fallback)
{
    const char *value = getenv(name);

    return value != NULL ? value : fallback;
}

static void begin(void)
{
    const char *target = setting("ISCSISPEC_PRELOAD_TARGET", "iqn.2026-01.example.iscsispec:open");
    const char *secret = setting("ISCSISPEC_PRELOAD_SECRET", "initiator-secret");

    p.names = (struct session_live_names){
        .target = target,
        .chap_target = setting("ISCSISPEC_PRELOAD_CHAP_TARGET", target),
        .initiator = setting("ISCSISPEC_PRELOAD_INITIATOR", "iqn.2026-01.example.iscsispec:fuzz"),
        .user = setting("ISCSISPEC_PRELOAD_USER", "initiator"),
        .secret = (const uint8_t *)secret,
        .secret_len = strlen(secret),
        .isid = {0x80, 0x12, 0x34, 0x56, 0x78, 0x00},
    };
    for (unsigned i = 0; i < SESSION_INPUT_CONNS; i++)
        p.fds[i] = -1;
    p.null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (getenv("ISCSISPEC_PRELOAD_INPUT") == NULL) {
        find_afl();
        *p.afl.shared = 1;
        p.afl.init();
    }
    p.phase = PHASE_FUZZ;
}

/* ---- configuring the server ---- */

static void start_setup(void)
{
    const char *command = getenv("ISCSISPEC_PRELOAD_SETUP");

    p.phase = PHASE_SETUP;
    if (command == NULL)
        return;
    p.setup = fork();
    if (p.setup == 0) {
        unsetenv("LD_PRELOAD");
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    if (p.setup < 0)
        die("the command of ISCSISPEC_PRELOAD_SETUP cannot be started");
}

static bool setup_ended(void)
{
    int status = 0;

    if (p.setup <= 0)
        return true;
    if (waitpid(p.setup, &status, WNOHANG) == 0)
        return false;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        die("the command of ISCSISPEC_PRELOAD_SETUP failed");
    p.setup = 0;
    return true;
}

/* ---- the sockets ---- */

int listen(int fd, int backlog)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof address;
    const char *wanted = getenv("ISCSISPEC_PRELOAD_PORT");

    if (p.listener < 0 && syscall(SYS_getsockname, fd, &address, &len) == 0 &&
        (address.ss_family == AF_INET || address.ss_family == AF_INET6)) {
        in_port_t port = address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
                                                      : ((struct sockaddr_in6 *)&address)->sin6_port;
        if (wanted == NULL || strtoul(wanted, NULL, 10) == ntohs(port))
            p.listener = fd;
    }
    return (int)syscall(SYS_listen, fd, backlog);
}

int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
    uint8_t *conn = conn_of(fd);

    if (fd >= 0 && fd == p.listener) {
        p.epoll = epfd;
        p.listens = op != EPOLL_CTL_DEL && event != NULL && (event->events & EPOLLIN) != 0;
        if (op != EPOLL_CTL_DEL && event != NULL)
            p.listen_data = event->data;
    }
    if (conn == NULL)
        return (int)syscall(SYS_epoll_ctl, epfd, op, fd, event);
    if (*conn == STALE)
        return 0;
    struct virtual_peer_conn *peer = &p.peer.conns[*conn - 1];
    uint32_t events = op != EPOLL_CTL_DEL && event != NULL ? event->events : 0;

    peer->interest = (struct virtual_peer_interest){
        .in = (events & EPOLLIN) != 0, .out = (events & EPOLLOUT) != 0, .edge = (events & EPOLLET) != 0};
    peer->told = false;
    if (op != EPOLL_CTL_DEL && event != NULL)
        p.data[*conn - 1] = event->data;
    return 0;
}

/* What is to be told next, as an event of epoll. 0: nothing now, the server has asked not to wait. */
static int next_event(struct epoll_event *event, int timeout)
{
    for (;;) {
        if (!p.playing)
            next_input();
        struct virtual_peer_event told = virtual_peer_poll(&p.peer);

        if (told.what == VIRTUAL_PEER_ACCEPT && p.listens) {
            *event = (struct epoll_event){.events = EPOLLIN, .data = p.listen_data};
            return 1;
        }
        if (told.what == VIRTUAL_PEER_IO) {
            event->events =
                (told.in ? EPOLLIN : 0U) | (told.out ? EPOLLOUT : 0U) | (told.reset ? EPOLLERR | EPOLLHUP : 0U);
            event->data = p.data[told.conn];
            return 1;
        }
        if (timeout == 0) /* it has work of its own to do first */
            return 0;
        next_input();
    }
}

int epoll_wait(int epfd, struct epoll_event *events, int max, int timeout)
{
    if (p.phase == PHASE_START && p.listener >= 0 && epfd == p.epoll)
        start_setup();
    if (p.phase == PHASE_SETUP && epfd == p.epoll) {
        if (setup_ended())
            begin();
        else if (timeout < 0 || timeout > SETUP_STEP_MS)
            timeout = SETUP_STEP_MS;
    }
    if (p.phase == PHASE_FUZZ && epfd == p.epoll && max > 0)
        return next_event(events, timeout);
    return (int)syscall(SYS_epoll_pwait, epfd, events, max, timeout, NULL, 0);
}

int epoll_pwait(int epfd, struct epoll_event *events, int max, int timeout, const sigset_t *mask)
{
    (void)mask; /* signals are not fuzzed */
    return epoll_wait(epfd, events, max, timeout);
}

static int give_address(struct sockaddr *address, socklen_t *len, in_port_t port)
{
    const struct sockaddr_in here = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};

    if (address != NULL && len != NULL) {
        memcpy(address, &here, *len < sizeof here ? *len : sizeof here);
        *len = sizeof here;
    }
    return 0;
}

int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    if (p.phase != PHASE_FUZZ || fd != p.listener)
        return (int)syscall(SYS_accept4, fd, address, len, flags);
    int conn = virtual_peer_accept(&p.peer);

    if (conn < 0) {
        errno = EAGAIN;
        return -1;
    }
    int made = fcntl(p.null, F_DUPFD_CLOEXEC, 3);

    if (made < 0)
        die("no more descriptors: the server keeps connections open that have ended");
    if (made >= FD_MAX) /* the server does not close what it has opened: it begins anew */
        _exit(0);
    p.conns[made] = (uint8_t)(1 + conn);
    p.fds[conn] = made;
    give_address(address, len, PEER_PORT);
    return made;
}

int accept(int fd, struct sockaddr *address, socklen_t *len)
{
    return accept4(fd, address, len, 0);
}

int close(int fd)
{
    uint8_t *conn = conn_of(fd);

    if (conn != NULL) {
        if (*conn != STALE) {
            virtual_peer_close(&p.peer, *conn - 1U);
            p.fds[*conn - 1] = -1;
        }
        *conn = 0;
    }
    return (int)syscall(SYS_close, fd);
}

int shutdown(int fd, int how)
{
    return conn_of(fd) != NULL ? 0 : (int)syscall(SYS_shutdown, fd, how);
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
    return conn_of(fd) != NULL ? 0 : (int)syscall(SYS_setsockopt, fd, level, option, value, len);
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
    if (conn_of(fd) == NULL)
        return (int)syscall(SYS_getsockopt, fd, level, option, value, len);
    memset(value, 0, *len);
    return 0;
}

int getpeername(int fd, struct sockaddr *address, socklen_t *len)
{
    return conn_of(fd) != NULL ? give_address(address, len, PEER_PORT)
                               : (int)syscall(SYS_getpeername, fd, address, len);
}

int getsockname(int fd, struct sockaddr *address, socklen_t *len)
{
    return conn_of(fd) != NULL ? give_address(address, len, OWN_PORT) : (int)syscall(SYS_getsockname, fd, address, len);
}

/* ---- bytes ---- */

static ssize_t take(uint8_t conn, void *bytes, size_t len)
{
    bool would_block;

    if (conn == STALE)
        return 0;
    ssize_t got = virtual_peer_read(&p.peer, conn - 1U, bytes, len, &would_block);
    if (got < 0)
        errno = would_block ? EAGAIN : ECONNRESET;
    return got;
}

static ssize_t give(uint8_t conn, const void *bytes, size_t len)
{
    if (conn == STALE || p.peer.conns[conn - 1U].reset) {
        errno = EPIPE;
        return -1;
    }
    virtual_peer_write(&p.peer, conn - 1U, bytes, len);
    return (ssize_t)len;
}

ssize_t read(int fd, void *bytes, size_t len)
{
    uint8_t *conn = conn_of(fd);

    return conn != NULL ? take(*conn, bytes, len) : syscall(SYS_read, fd, bytes, len);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    uint8_t *conn = conn_of(fd);

    return conn != NULL ? give(*conn, bytes, len) : syscall(SYS_write, fd, bytes, len);
}

ssize_t recvfrom(int fd, void *bytes, size_t len, int flags, struct sockaddr *address, socklen_t *address_len)
{
    uint8_t *conn = conn_of(fd);

    return conn != NULL ? take(*conn, bytes, len) : syscall(SYS_recvfrom, fd, bytes, len, flags, address, address_len);
}

ssize_t recv(int fd, void *bytes, size_t len, int flags)
{
    return recvfrom(fd, bytes, len, flags, NULL, NULL);
}

ssize_t sendto(int fd, const void *bytes, size_t len, int flags, const struct sockaddr *address, socklen_t address_len)
{
    uint8_t *conn = conn_of(fd);

    return conn != NULL ? give(*conn, bytes, len) : syscall(SYS_sendto, fd, bytes, len, flags, address, address_len);
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
    return sendto(fd, bytes, len, flags, NULL, 0);
}

static ssize_t take_parts(uint8_t conn, const struct iovec *parts, size_t count)
{
    ssize_t all = 0;

    for (size_t i = 0; i < count; i++) {
        ssize_t got = take(conn, parts[i].iov_base, parts[i].iov_len);

        if (got < 0)
            return all > 0 ? all : -1;
        all += got;
        if ((size_t)got < parts[i].iov_len)
            break;
    }
    return all;
}

static ssize_t give_parts(uint8_t conn, const struct iovec *parts, size_t count)
{
    ssize_t all = 0;

    for (size_t i = 0; i < count; i++) {
        ssize_t gave = give(conn, parts[i].iov_base, parts[i].iov_len);

        if (gave < 0)
            return -1;
        all += gave;
    }
    return all;
}

ssize_t readv(int fd, const struct iovec *parts, int count)
{
    uint8_t *conn = conn_of(fd);

    return conn != NULL ? take_parts(*conn, parts, (size_t)count) : syscall(SYS_readv, fd, parts, count);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    uint8_t *conn = conn_of(fd);

    return conn != NULL ? give_parts(*conn, parts, (size_t)count) : syscall(SYS_writev, fd, parts, count);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    uint8_t *conn = conn_of(fd);

    if (conn == NULL)
        return syscall(SYS_recvmsg, fd, message, flags);
    message->msg_namelen = 0;
    message->msg_controllen = 0;
    message->msg_flags = 0;
    return take_parts(*conn, message->msg_iov, message->msg_iovlen);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    uint8_t *conn = conn_of(fd);

    return conn != NULL ? give_parts(*conn, message->msg_iov, message->msg_iovlen)
                        : syscall(SYS_sendmsg, fd, message, flags);
}

/* What a server built with -D_FORTIFY_SOURCE calls; the check is the sanitizer's. */
ssize_t __read_chk(int fd, void *bytes, size_t len, size_t size);
ssize_t __recv_chk(int fd, void *bytes, size_t len, size_t size, int flags);

ssize_t __read_chk(int fd, void *bytes, size_t len, size_t size)
{
    if (len > size)
        abort();
    return read(fd, bytes, len);
}

ssize_t __recv_chk(int fd, void *bytes, size_t len, size_t size, int flags)
{
    if (len > size)
        abort();
    return recv(fd, bytes, len, flags);
}

/* The same for every run of an input: a challenge that changes would look like new behaviour. */
ssize_t getrandom(void *bytes, size_t len, unsigned flags)
{
    if (p.phase != PHASE_FUZZ)
        return syscall(SYS_getrandom, bytes, len, flags);
    for (size_t i = 0; i < len; i++) {
        p.random = p.random * 1664525U + 1013904223U;
        ((uint8_t *)bytes)[i] = (uint8_t)(p.random >> 24);
    }
    return (ssize_t)len;
}
