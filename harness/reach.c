#include "harness/reach.h"

#include "harness/process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct endpoint {
    struct sockaddr_storage address;
    socklen_t len;
};

static bool endpoint_parse(const char *address, uint16_t port, struct endpoint *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out->address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->address;

    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        out->len = sizeof(*v4);
        return true;
    }
    if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        out->len = sizeof(*v6);
        return true;
    }
    return false;
}

uint16_t reach_free_port(const char *address)
{
    struct endpoint at;
    uint16_t port = 0;
    int fd;

    if (!endpoint_parse(address, 0, &at)) {
        return 0;
    }
    fd = socket(at.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&at.address, at.len) == 0 &&
        getsockname(fd, (struct sockaddr *)&at.address, &at.len) == 0) {
        port = ntohs(at.address.ss_family == AF_INET ? ((struct sockaddr_in *)&at.address)->sin_port
                                                     : ((struct sockaddr_in6 *)&at.address)->sin6_port);
    }
    if (fd >= 0) {
        close(fd);
    }
    return port;
}

static int try_endpoint(const struct endpoint *at, int timeout_ms)
{
    int fd = socket(at->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct pollfd item = {.fd = fd, .events = POLLOUT};
    socklen_t len = sizeof(int);
    int problem = 0;

    if (fd < 0) {
        return errno;
    }
    if (connect(fd, (const struct sockaddr *)&at->address, at->len) != 0) {
        problem = errno;
        if (problem == EINPROGRESS) {
            problem = ETIMEDOUT;
            if (poll(&item, 1, timeout_ms) == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &len) != 0) {
                problem = errno;
            }
        }
    }
    close(fd);
    /* Reset at once is still somebody who accepted. */
    return problem == ECONNRESET ? 0 : problem;
}

int reach_connect(const char *address, uint16_t port, int timeout_ms)
{
    struct endpoint at;

    return endpoint_parse(address, port, &at) ? try_endpoint(&at, timeout_ms) : EINVAL;
}

/* What the child that resolves hands back. */
struct answer {
    char numeric[INET6_ADDRSTRLEN];
    int resolver; /* of getaddrinfo */
    int problem;  /* errno of the connection */
};

static void resolve_in_child(const char *host, uint16_t port, int timeout_ms, struct answer *out)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char service[8];

    snprintf(service, sizeof(service), "%u", (unsigned)port);
    out->resolver = getaddrinfo(host, service, &hints, &list);
    for (struct addrinfo *item = list; item != NULL; item = item->ai_next) {
        struct endpoint at = {.len = item->ai_addrlen};
        char numeric[INET6_ADDRSTRLEN];
        int problem;

        if (item->ai_addrlen > sizeof(at.address)) {
            continue;
        }
        memcpy(&at.address, item->ai_addr, item->ai_addrlen);
        getnameinfo(item->ai_addr, item->ai_addrlen, numeric, sizeof(numeric), NULL, 0, NI_NUMERICHOST);
        problem = try_endpoint(&at, timeout_ms);
        if (problem == 0 || item == list) {
            out->problem = problem;
            snprintf(out->numeric, sizeof(out->numeric), "%s", numeric);
        }
        if (problem == 0) {
            break;
        }
    }
    if (list != NULL) {
        freeaddrinfo(list);
    }
}

/* A resolver may take as long as it likes and cannot be called off: so it runs in a child that can be. */
static bool ask_child(const char *host, uint16_t port, int timeout_ms, struct answer *out)
{
    struct pollfd item = {.events = POLLIN};
    pid_t parent = getpid();
    bool good = false;
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return false;
    }
    pid = fork();
    if (pid == 0) {
        struct answer answer = {.resolver = 0};

        process_child_setup(parent);
        resolve_in_child(host, port, timeout_ms, &answer);
        _exit(write(ends[1], &answer, sizeof(answer)) == (ssize_t)sizeof(answer) ? 0 : 1);
    }
    close(ends[1]);
    item.fd = ends[0];
    if (pid > 0) {
        good = poll(&item, 1, timeout_ms) == 1 && read(ends[0], out, sizeof(*out)) == (ssize_t)sizeof(*out);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    close(ends[0]);
    return good;
}

bool reach_resolve(const char *host, uint16_t port, int timeout_ms, char *numeric, size_t numeric_len, char *err,
                   size_t err_len)
{
    struct answer answer = {.resolver = 0};
    struct endpoint at;

    numeric[0] = '\0';
    if (endpoint_parse(host, port, &at)) {
        snprintf(answer.numeric, sizeof(answer.numeric), "%s", host);
        answer.problem = try_endpoint(&at, timeout_ms);
    } else if (!ask_child(host, port, timeout_ms, &answer)) {
        snprintf(err, err_len, "%s:%u: no answer within %d ms, neither from the resolver nor from the host", host,
                 (unsigned)port, timeout_ms);
        return false;
    }
    if (answer.resolver != 0) {
        snprintf(err, err_len, "%s: %s", host, gai_strerror(answer.resolver));
        return false;
    }
    answer.numeric[sizeof(answer.numeric) - 1] = '\0';
    snprintf(numeric, numeric_len, "%s", answer.numeric);
    if (answer.problem != 0) {
        snprintf(err, err_len, "%s:%u: %s", host, (unsigned)port, strerror(answer.problem));
        return false;
    }
    return true;
}
